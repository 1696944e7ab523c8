//! What a policy file asks for, as plain values: which tables, which grid, how far ahead, how long
//! kept, what happens then, what protects rows from it; and the axis that partitions lie on. Pure; [`file`]
//! reads it.

pub mod bounds;
pub mod calendar;
pub mod file;
pub mod glob;
pub mod key;
pub mod naming;
pub mod schema;
mod shape;
pub mod span;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use chrono::NaiveTime;
use chrono_tz::Tz;

use self::calendar::Every;
use self::key::Codec;
use self::naming::Template;
use self::span::Span;
use crate::config::yaml::{Place, Source};
use crate::config::{Origin, Settings};
use crate::error::Failure;
use crate::ident::{Ident, TableName};

/// Everything that was read.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The files, for showing a place in them.
    pub sources: Vec<Source>,
    /// Cold stores by name.
    pub archives: BTreeMap<String, Archive>,
    /// Legal holds.
    pub holds: Vec<Hold>,
    /// What may not be kept for less.
    pub floors: Vec<Floor>,
    /// Partitioned tables, in the order of the file.
    pub tables: Vec<TablePolicy>,
    /// Row jobs on tables, in the order of the file.
    pub rows: Vec<RowJob>,
    /// SHA-256 over the files' texts, in hex.
    pub hash: String,
}

/// Where an entry stands: for errors that only the catalog brings to light.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct At {
    /// Index into [`Policy::sources`].
    pub file: usize,
    /// The entry.
    pub place: Place,
    /// Its name in the file: `tables.public.messages`.
    pub name: String,
}

/// One partitioned table.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePolicy {
    /// The partitioned table.
    pub table: TableName,
    /// Only in databases that hold this embedded system.
    pub system: Option<String>,
    /// The partition key's column.
    pub key: Ident,
    /// How integers and uuids stand for time; nothing where the column's type says it.
    pub codec: Option<Codec>,
    /// The grid.
    pub every: Every,
    /// The zone that grid and cutoff are computed in.
    pub timezone: Tz,
    /// How far ahead partitions are made.
    pub ahead: Ahead,
    /// Back-fill: partitions are made from this day on.
    pub from: Option<NaiveDate>,
    /// How long rows are kept; nothing is for ever.
    pub keep: Option<Keep>,
    /// The cutoff is not rounded down to the grid.
    pub exact: bool,
    /// What happens to an expired partition.
    pub expire: Expire,
    /// How partitions are named; nothing is the grid's own way.
    pub name: Option<Template>,
    /// Whether there may be a DEFAULT partition.
    pub default_partition: DefaultRule,
    /// What to do about a hole that is not a whole period.
    pub on_misaligned: Misaligned,
    /// How locks are taken.
    pub lock: LockPolicy,
    /// What stops an expiry.
    pub rails: Rails,
    /// When `check` warns about the time that is left.
    pub runway: Runway,
    /// What new partitions take over from their table.
    pub clone: Clones,
    /// Storage parameters of new partitions.
    pub storage: Vec<(String, String)>,
    /// Columns that shall be unique within each partition.
    pub child_unique: Vec<Vec<Ident>>,
    /// SQL that is run again and again after partitions have left, until it returns 0: what else
    /// belongs to the rows that are gone. `{cutoff}` stands for the cutoff as a literal.
    pub after_expire: Vec<String>,
    /// Its place.
    pub at: At,
}

/// How far ahead of now partitions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// None are made at all: rows arrive otherwise, or not any more.
    Never,
    /// The current period and this many whole ones after it.
    Periods(u32),
    /// The current period and all until this long after now.
    For(Span),
}

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// In time.
    Time(Span),
    /// In values of a key without a meaning in time.
    Values(u64),
}

/// What happens to an expired partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expire {
    /// It is detached, put aside for the grace, and dropped.
    Drop,
    /// It is detached and left where it is.
    Detach,
    /// It is detached and moved to a schema.
    Move {
        /// The schema; it must exist.
        schema: Ident,
    },
    /// It becomes a partition of another table.
    Attach {
        /// The other partitioned table.
        parent: TableName,
    },
    /// It is exported and proven first.
    Archive {
        /// Key into [`Policy::archives`].
        archive: String,
        /// And then.
        then: Then,
    },
}

/// What follows an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Dropped after the grace.
    Drop,
    /// Left detached.
    Detach,
}

/// Whether there may be a DEFAULT partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultRule {
    /// `check` warns about one.
    Forbid,
    /// There may be one.
    Allow,
    /// One is made where there is none.
    Require,
}

/// What to do about a hole that is not a whole period of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misaligned {
    /// A person must look at it.
    Error,
    /// A short partition fills it.
    Bridge,
}

/// How locks are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockPolicy {
    /// One attempt.
    pub timeout: Duration,
    /// All attempts together, then the table is deferred.
    pub patience: Duration,
    /// The first pause between attempts.
    pub first_pause: Duration,
    /// The longest.
    pub longest_pause: Duration,
    /// How long DETACH CONCURRENTLY may wait for old transactions.
    pub detach_wait: Duration,
}

/// What stops an expiry.
#[derive(Debug, Clone, PartialEq)]
pub struct Rails {
    /// More expired partitions of a table than this in one run: none is touched.
    pub max_drops: u32,
    /// A larger share of a table's partitions than this (0 to 1): none is touched. One may always go.
    pub max_drop_fraction: f64,
    /// How long a detached partition is kept before it is dropped.
    pub grace: Span,
    /// Partitions that never leave.
    pub protect: Vec<Protect>,
}

/// Partitions that never leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protect {
    /// By name, with `*` and `?`.
    Named(String),
    /// Those that touch these days, in the policy's zone.
    Days(DayRange),
}

/// Days of a wall clock; an end that is open is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRange {
    /// The first.
    pub from: Option<NaiveDate>,
    /// The first behind it.
    pub to: Option<NaiveDate>,
}

/// Shares of `ahead` (0 to 1) that are left when `check` speaks; never below one period.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the levels of these names")]
pub struct Runway {
    pub warn: f64,
    pub crit: f64,
}

/// What new partitions take over from their table (or its newest partition).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the file")]
pub struct Clones {
    pub owner: bool,
    pub grants: bool,
    pub replica_identity: bool,
    pub reloptions: bool,
    pub tablespace: bool,
    pub row_security: bool,
}

/// A cold store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Its name.
    pub name: String,
    /// `file:///…/{db}/{schema}.{table}/{from:%Y}/{partition}.csv.zst` or `s3://…`.
    pub to: String,
    /// zstd level, 1 to 19.
    pub level: i32,
    /// age recipients; none leaves the file unencrypted.
    pub recipients: Vec<String>,
    /// Permissions of the files.
    pub mode: u32,
    /// How long files are kept there; counted towards floors, never enforced by deletion.
    pub keep: Option<Span>,
    /// Its place.
    pub at: At,
}

/// A legal hold: nothing that overlaps it is archived away, changed or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its name, such as a case number.
    pub id: String,
    /// Globs over schema.table.
    pub tables: Vec<String>,
    /// Only in databases that hold this embedded system.
    pub system: Option<String>,
    /// The days it covers, in each table's zone.
    pub days: DayRange,
    /// Why.
    pub reason: String,
}

/// Rows of these tables are kept at least this long, online and archive together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// Globs over schema.table.
    pub tables: Vec<String>,
    /// Only in databases that hold this embedded system.
    pub system: Option<String>,
    /// How long.
    pub at_least: Span,
    /// Its place.
    pub at: At,
}

/// A job on rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct RowJob {
    /// Its name.
    pub name: String,
    /// The table: plain or partitioned.
    pub table: TableName,
    /// Only in databases that hold this embedded system.
    pub system: Option<String>,
    /// Which rows are old enough; a job without it takes all that `condition` finds.
    pub age: Option<Age>,
    /// An SQL condition on the row, trusted.
    pub condition: Option<String>,
    /// What is done.
    pub action: RowAction,
    /// How much at once.
    pub batch: Batch,
    /// When to pause or stop.
    pub pace: Pace,
    /// VACUUM after this share of the rows was deleted or changed (0 to 1); nothing never does.
    pub vacuum: Option<f64>,
    /// Closed partitions are visited once and remembered.
    pub once_per_partition: bool,
    /// The zone that the cutoff is computed in.
    pub timezone: Tz,
    /// How locks are taken.
    pub lock: LockPolicy,
    /// Its place.
    pub at: At,
}

/// Rows are old enough when the column is this long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    /// A date, timestamp or timestamptz column.
    pub column: Ident,
    /// How long ago.
    pub over: Span,
}

/// What is done with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowAction {
    /// Deleted.
    Delete,
    /// Moved to a table with the same columns.
    Move {
        /// The table.
        to: TableName,
    },
    /// Columns are made unable to tell who it was.
    Anonymise {
        /// Column and how.
        set: Vec<(Ident, Mask)>,
    },
    /// Nothing: the entry states a floor.
    Keep,
}

/// How a column is made unable to tell who it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// An address keeps its first bits.
    IpPrefix {
        /// Of IPv4.
        v4: u8,
        /// Of IPv6.
        v6: u8,
    },
    /// NULL.
    Null,
    /// A keyed hash, in hex; `secret` names an environment variable.
    Hash {
        /// The variable that holds the key.
        secret: String,
    },
    /// A fixed text.
    Text(String),
}

/// How much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// How long a transaction should take.
    pub target: Duration,
    /// Never more rows than this.
    pub max_rows: u32,
}

/// When to pause or stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Pause while a standby replays later than this.
    pub max_replica_lag: Option<Duration>,
    /// Pause while a slot retains more bytes of WAL than this.
    pub max_slot_wal: Option<u64>,
    /// Work only between these times of day.
    pub window: Option<Window>,
    /// Stop after this long.
    pub budget: Option<Duration>,
}

/// Times of day in the job's zone; may pass midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the ends of the window")]
pub struct Window {
    pub from: NaiveTime,
    pub to: NaiveTime,
}

impl Policy {
    /// The failure that shows an entry with what the catalog says of it.
    pub fn refuse(&self, at: &At, message: impl Into<String>, advice: Option<String>) -> Failure {
        let message = message.into();
        match self.sources.get(at.file) {
            Some(source) => source.refuse(&[crate::config::yaml::Finding {
                place: at.place.clone(),
                part: None,
                message: format!("{}: {message}", at.name),
                advice,
            }]),
            None => Failure::new(crate::error::Kind::Invalid, message),
        }
    }

    /// The files that were read.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.sources.iter().map(|source| source.path().to_owned()).collect()
    }
}

/// The policy with the lock limits of the command line, where they were given.
///
/// # Errors
/// Usage for a lock_timeout of 0.
pub fn limited(mut policy: Policy, settings: &Settings) -> crate::error::Result<Policy> {
    let timeout = match settings.lock_timeout.origin {
        Origin::Default => None,
        _ => Some(settings.lock_attempt()?),
    };
    let patience = (settings.lock_patience.origin != Origin::Default).then_some(settings.lock_patience.value);
    let locks = policy.tables.iter_mut().map(|table| &mut table.lock);
    for lock in locks.chain(policy.rows.iter_mut().map(|job| &mut job.lock)) {
        lock.timeout = timeout.unwrap_or(lock.timeout);
        lock.patience = patience.unwrap_or(lock.patience);
    }
    Ok(policy)
}
