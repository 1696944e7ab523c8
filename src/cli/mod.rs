//! clap only: flags, help texts and what they become. Knows no database, no SQL and no exit numbers.

pub mod config;
pub mod shell;
