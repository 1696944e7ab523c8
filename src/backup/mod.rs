//! Backups that are proven: a database as files in a folder or a bucket, written under one snapshot,
//! checked, restored beside the living one and swapped in. Knows no terminal.
//!
//! A backup is pg_dump's archive of every definition and large object, each table's rows as COPY
//! writes them (zstd, then age where keys are given), the sequences and roles as SQL, and a manifest with counts and
//! sums; restorable without dbctl. See [`repository`] for where what lies, [`manifest`] for what is said of it.

pub mod copy;
pub mod create;
mod crew;
mod damaged;
pub mod doctor;
pub mod drill;
pub mod keys;
pub mod list;
pub mod looks;
pub mod manifest;
pub mod pages;
pub mod prune;
pub mod read;
pub mod repository;
pub mod restore;
pub mod retention;
pub mod rows;
pub mod survey;
pub mod verify;

pub use manifest::{Id, Manifest};
pub use repository::Repository;
