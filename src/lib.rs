//! dbctl: change schemas, keep partitions, maintain, diagnose, back up and restore PostgreSQL.
//!
//! One direction of flow:
//!
//! ```text
//! argv + env + files -> Request -> Session -> Snapshot -> plan(policy, snapshot, now) -> gate -> apply -> Outcome
//!                                                                                  \-> view -> Document -> renderer
//! ```

pub mod cli;
pub mod config;
pub mod error;
mod excerpt;
pub mod ident;
pub mod journal;
pub mod migrate;
pub mod outcome;
pub mod output;
pub mod pg;
mod run;
pub mod sandbox;
pub mod steps;
mod talk;

pub use run::run;
