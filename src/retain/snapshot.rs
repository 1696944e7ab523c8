//! What the catalog says about the table of a row job, as plain values.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::ident::{Ident, TableName};
use crate::policy::bounds::Bound;

/// Everything a row job's plan is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSnapshot {
    /// The oid of the table; nothing when there is no such table.
    pub oid: Option<u32>,
    /// Its kind as `pg_class.relkind` has it: `r`, `p`, `v`, …
    pub kind: char,
    /// Row security hides rows from this role.
    pub row_security: bool,
    /// The role in force.
    pub role: String,
    /// What it may do with the table.
    pub rights: Rights,
    /// The partition key's columns; an expression is an empty name.
    pub partition_key: Vec<String>,
    /// The tables that hold the rows: the table itself, or its partitions.
    pub leaves: Vec<Leaf>,
    /// The table's columns.
    pub columns: Vec<Column>,
    /// BEFORE triggers.
    pub triggers: Vec<Trigger>,
    /// Foreign keys that point at the table.
    pub children: Vec<Child>,
    /// The table that rows are moved to.
    pub target: Option<Target>,
    /// Leaves that were visited for good, with what was noted then.
    pub done: BTreeMap<u32, String>,
    /// Rows that are due, by leaf; asked at the time of the snapshot.
    pub due: BTreeMap<u32, Count>,
    /// Old enough rows whose text is not an address, by column of an `ip_prefix`.
    pub not_addresses: Vec<(Ident, Count)>,
    /// How the server is doing.
    pub readings: Readings,
}

/// What the role may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the rights of these names")]
pub struct Rights {
    pub usage: bool,
    pub select: bool,
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

/// A table that holds rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// Its kind: `r`, or `f` for a foreign table.
    pub kind: char,
    /// Within which bounds of the partitioned table; nothing for a table of its own.
    pub bound: Option<Bound>,
    /// The planner's idea of its rows.
    pub rows: f64,
    /// Size of its main fork.
    pub bytes: u64,
    /// Its indexes.
    pub indexes: Vec<Index>,
}

/// An index of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key columns; an expression is an empty name.
    pub columns: Vec<String>,
    /// It is unique.
    pub unique: bool,
    /// It is a valid btree over all rows.
    pub ordered: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as SQL spells it.
    pub kind: String,
    /// The type below domains, without modifiers.
    pub base: String,
    /// Of `varchar(n)` and `char(n)`.
    pub max_length: Option<u32>,
    /// NULL may not stand in it.
    pub not_null: bool,
    /// It is computed from others.
    pub generated: bool,
    /// It fills itself: DEFAULT or an identity.
    pub has_default: bool,
}

/// A BEFORE trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Its function.
    pub function: String,
    /// It fires on DELETE.
    pub on_delete: bool,
    /// It fires on UPDATE.
    pub on_update: bool,
    /// Its source raises exceptions or returns NULL somewhere.
    pub may_refuse: bool,
}

/// What a foreign key does when the row it points at is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of SQL")]
pub enum OnDelete {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

/// A foreign key that points at the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its name.
    pub name: String,
    /// The table it belongs to.
    pub table: TableName,
    /// What it does.
    pub on_delete: OnDelete,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// The columns that it points at.
    pub referenced: Vec<Ident>,
    /// An index begins with its columns.
    pub indexed: bool,
    /// How many of its rows point at rows that are due.
    pub rows: Count,
}

/// Where rows are moved to.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Whether it is there, as a table.
    pub exists: bool,
    /// What the role may do with it.
    pub rights: Rights,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Counted.
    Exact(u64),
    /// Estimated by the planner: counting took too long.
    About(u64),
    /// Could not be determined.
    Unknown,
}

/// How the server is doing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readings {
    /// The server's clock.
    pub clock: Option<DateTime<Utc>>,
    /// Where its WAL ends, in bytes.
    pub lsn: Option<i64>,
    /// The most WAL that a replication slot retains.
    pub slot_wal: Option<u64>,
    /// Physical slots whose standby is not connected.
    pub lost_standbys: i64,
    /// Seconds since the oldest transaction of this database began, as far as it may be seen.
    pub oldest_transaction: Option<f64>,
    /// The standbys that are connected.
    pub standbys: Vec<Standby>,
}

/// A standby that is connected.
#[derive(Debug, Clone, PartialEq)]
pub struct Standby {
    /// The process that feeds it.
    pub pid: i32,
    /// Its application_name.
    pub name: String,
    /// Up to where it has replayed; nothing where that may not be seen.
    pub replayed: Option<i64>,
    /// Seconds from commit to replay, as the server last measured it.
    pub lag: Option<f64>,
}

impl Count {
    /// The number, where there is one.
    pub fn number(self) -> Option<u64> {
        match self {
            Count::Exact(number) | Count::About(number) => Some(number),
            Count::Unknown => None,
        }
    }

    /// Both together: as sure as the less sure of the two.
    #[must_use]
    pub fn and(self, other: Count) -> Count {
        match (self, other) {
            (Count::Exact(a), Count::Exact(b)) => Count::Exact(a.saturating_add(b)),
            (a, b) => match (a.number(), b.number()) {
                (Some(a), Some(b)) => Count::About(a.saturating_add(b)),
                _ => Count::Unknown,
            },
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Count::Exact(number) => write!(f, "{number}"),
            Count::About(number) => write!(f, "about {number}"),
            Count::Unknown => f.write_str("UNKNOWN"),
        }
    }
}

impl OnDelete {
    /// From `pg_constraint.confdeltype`.
    pub(super) fn of(letter: &str) -> OnDelete {
        match letter {
            "r" => OnDelete::Restrict,
            "c" => OnDelete::Cascade,
            "n" => OnDelete::SetNull,
            "d" => OnDelete::SetDefault,
            _ => OnDelete::NoAction,
        }
    }

    /// As SQL spells it.
    pub fn sql(self) -> &'static str {
        match self {
            OnDelete::NoAction => "NO ACTION",
            OnDelete::Restrict => "RESTRICT",
            OnDelete::Cascade => "CASCADE",
            OnDelete::SetNull => "SET NULL",
            OnDelete::SetDefault => "SET DEFAULT",
        }
    }
}

impl JobSnapshot {
    /// A column of the table.
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name.raw())
    }
}
