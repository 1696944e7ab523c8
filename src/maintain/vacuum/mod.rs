//! `dbctl vacuum`: which tables are worth a VACUUM or an ANALYZE, why, and how it is done by several
//! sessions within limits. [`read`] looks, [`plan`] decides, [`run`] does, [`view`] tells.

mod advice;
mod brake;
mod plan;
mod progress;
mod read;
mod run;
mod view;
mod work;

#[cfg(test)]
mod plan_tests;

use std::collections::BTreeMap;
use std::time::Duration;

use super::repack::Gain;
use crate::config::connection::Connection;
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::steps::gate::Rails;

pub use run::run;

/// What was asked for, with what it takes.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where.
    pub connection: Connection,
    /// What.
    pub wish: Wish,
    /// With `full`: what writing each table anew would give back, by its OID.
    pub gains: BTreeMap<u32, Gain>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// What stands between a plan and its execution.
    pub rails: Rails,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long one table without its lock is tried.
    pub lock_patience: Duration,
    /// How long one statement may take; zero is no limit.
    pub statement_timeout: Duration,
}

/// Which tables, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Only these, whether they are due or not; empty: what is due.
    pub tables: Vec<TableName>,
    /// ANALYZE every table that is vacuumed.
    pub analyze: bool,
    /// Rewrite them.
    pub full: bool,
    /// Also where that gives back next to nothing.
    pub force: bool,
    /// Freeze tables whose oldest transaction number is older.
    pub freeze_before: Option<i64>,
    /// Only say which settings of autovacuum would suit the tables.
    pub advice: bool,
    /// Begin nothing after this long.
    pub budget: Option<Duration>,
    /// And stop what runs then.
    pub hard: bool,
    /// Begin nothing while a standby is further behind.
    pub max_lag: Option<Duration>,
    /// How many sessions.
    pub jobs: usize,
    /// `vacuum_cost_delay`.
    pub cost_delay: Option<Duration>,
    /// `vacuum_cost_limit`.
    pub cost_limit: Option<u32>,
    /// `BUFFER_USAGE_LIMIT`, as PostgreSQL writes sizes (16 and later).
    pub buffer_usage_limit: Option<String>,
}

/// What a command answers.
pub type Answer = (Outcome, Document);
