//! How a rerun recognises what an interrupted statement left behind. Only for statements that
//! cannot run inside a transaction: all others leave nothing.

use crate::ident::{Ident, TableName};

/// A name as the statement spells it: schema only where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The schema, if the statement names one; otherwise the search path decides.
    pub schema: Option<Ident>,
    /// The object.
    pub name: Ident,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

/// An index that is built anew, as it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindexed {
    /// Its step in the journal, also where several are built by one statement.
    pub subject: String,
    /// The index.
    pub index: TableName,
    /// Its oid before.
    pub oid: u32,
    /// The oid of its table, or TOAST table.
    pub heap: u32,
}

/// What to look at when the journal says "started" but not "finished".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// Running it again is harmless: VACUUM, ALTER SYSTEM, and everything that is atomic.
    Rerun,
    /// CREATE INDEX CONCURRENTLY: a valid index means done, an invalid one is our leftover.
    IndexBuild {
        /// The index to be built.
        index: Name,
        /// The table it is built on.
        table: Name,
    },
    /// DROP INDEX CONCURRENTLY: no index means done.
    IndexDrop {
        /// The index to be dropped.
        index: Name,
    },
    /// REINDEX CONCURRENTLY: run again, after the half-built copies were removed.
    Reindex,
    /// The same of indexes that are known, one or all of a table: each new one has another oid and bears the name.
    ReindexOf(Vec<Reindexed>),
    /// ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY: a pending detach is finalised.
    Detach {
        /// The partitioned table.
        parent: Name,
        /// The partition that leaves it.
        partition: Name,
    },
    /// CREATE DATABASE, CREATE TABLESPACE: the object's existence means done.
    Create {
        /// `database`, `tablespace` or `subscription`.
        kind: ObjectKind,
        /// Its name.
        name: Ident,
    },
    /// DROP DATABASE, DROP TABLESPACE: the object's absence means done.
    Drop {
        /// `database`, `tablespace` or `subscription`.
        kind: ObjectKind,
        /// Its name.
        name: Ident,
    },
    /// CALL and DO may have committed a part of their work: nobody can know from outside.
    Unknowable,
}

impl Guard {
    /// CONCURRENTLY on indexes waits for old transactions, and nobody who reads or writes waits
    /// behind it. DETACH PARTITION CONCURRENTLY is not like that: at its end it wants the partition
    /// for itself, and readers of the partition queue behind it.
    pub fn waits_alone(&self) -> bool {
        matches!(self, Guard::IndexBuild { .. } | Guard::IndexDrop { .. } | Guard::Reindex | Guard::ReindexOf(_))
    }

    /// The indexes that are built anew.
    pub fn reindexed(&self) -> &[Reindexed] {
        match self {
            Guard::ReindexOf(indexes) => indexes,
            _ => &[],
        }
    }
}

impl ObjectKind {
    /// `database`, `tablespace` or `subscription`.
    pub fn name(self) -> &'static str {
        match self {
            ObjectKind::Database => "database",
            ObjectKind::Tablespace => "tablespace",
            ObjectKind::Subscription => "subscription",
        }
    }
}

/// Objects that are created and dropped outside transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A database.
    Database,
    /// A tablespace.
    Tablespace,
    /// A subscription.
    Subscription,
}
