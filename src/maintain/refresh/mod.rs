//! `dbctl refresh`: materialized views, those that others read first, beside their readers where the view
//! allows it. [`plan`] decides, [`run`] does and tells.

mod plan;
mod run;

use std::time::Duration;

use crate::config::connection::Connection;
use crate::ident::TableName;

pub use run::run;

/// What was asked for, with what it takes.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where.
    pub connection: Connection,
    /// Only these; empty: all.
    pub views: Vec<TableName>,
    /// Begin nothing after this long.
    pub budget: Option<Duration>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long one attempt waits for a lock.
    pub lock_timeout: Duration,
    /// How long all attempts at one view may take.
    pub lock_patience: Duration,
    /// How long one statement may take; zero is no limit.
    pub statement_timeout: Duration,
}
