//! What was seen of locks at one moment, as plain values that a file can keep.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::inspect::backend::Backend;

/// The version of the shape in files.
pub const VERSION: u32 = 1;

/// One moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// [`VERSION`].
    pub version: u32,
    /// When, by the clock of this machine.
    pub at: DateTime<Utc>,
    /// The waits, and the locks on what is waited for.
    pub locks: Vec<Lock>,
    /// The backends that are part of it.
    pub backends: Vec<Backend>,
    /// Prepared transactions.
    pub prepared: Vec<Prepared>,
    /// Names of relations of this database.
    pub relations: BTreeMap<i64, String>,
    /// Names of databases.
    pub databases: BTreeMap<i64, String>,
    /// The database that was looked from.
    pub here: Option<i64>,
    /// What could not be seen, and why.
    pub unknown: Vec<String>,
}

/// A row of pg_locks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// None for a prepared transaction.
    pub pid: Option<i32>,
    /// `relation`, `transactionid`, `tuple`, `advisory`, …
    pub locktype: String,
    /// `AccessShareLock`, …
    pub mode: String,
    /// Held, not waited for.
    pub granted: bool,
    /// What it is on, the same text for the same thing.
    pub thing: String,
    /// The key of an advisory lock.
    pub key: Option<String>,
    /// OID of the database.
    pub database: Option<i64>,
    /// OID of the relation.
    pub relation: Option<i64>,
    /// The transaction that is waited for or that this is.
    pub transaction: Option<i64>,
    /// Whose it is, for prepared transactions.
    pub virtualtransaction: String,
    /// How long it has been waited for.
    pub wait_seconds: Option<f64>,
    /// Who is in the way; 0 is a prepared transaction.
    pub blockers: Vec<i32>,
}

/// A prepared transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Its number.
    pub transaction: i64,
    /// Its name.
    pub gid: String,
    /// Who prepared it.
    pub role: Option<String>,
    /// Where, and where it can be ended.
    pub database: Option<String>,
    /// Its age.
    pub seconds: Option<f64>,
    /// The SQL that ends it.
    pub remedy: String,
}

impl Sample {
    /// The backend of a pid.
    pub fn backend(&self, pid: i32) -> Option<&Backend> {
        self.backends.iter().find(|backend| backend.pid == pid)
    }

    /// The prepared transaction of a number.
    pub fn prepared(&self, transaction: i64) -> Option<&Prepared> {
        self.prepared.iter().find(|prepared| prepared.transaction == transaction)
    }

    /// What a lock is on, in words.
    pub fn thing(&self, lock: &Lock) -> String {
        let relation = lock.relation.map(|oid| {
            let elsewhere = lock.database.filter(|database| *database != 0 && Some(*database) != self.here);
            let name = self.relations.get(&oid).filter(|_| elsewhere.is_none() || self.here.is_none());
            match (name, elsewhere.and_then(|database| self.databases.get(&database))) {
                (Some(name), _) => name.clone(),
                (None, Some(database)) => format!("relation {oid} of database {database}"),
                (None, None) => format!("relation {oid}"),
            }
        });
        match (lock.locktype.as_str(), relation) {
            ("relation", Some(name)) => name,
            (kind, Some(name)) => format!("{kind} of {name}"),
            ("transactionid", None) => format!("transaction {}", lock.transaction.unwrap_or_default()),
            ("advisory", None) => format!("advisory lock ({})", lock.key.as_deref().unwrap_or_default()),
            (kind, None) => kind.to_owned(),
        }
    }

    /// Takes values out of query texts.
    pub fn redact(&mut self) {
        self.backends.iter_mut().for_each(Backend::redact);
    }
}
