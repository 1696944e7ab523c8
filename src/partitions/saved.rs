//! A plan that was looked at and is applied later, exactly as it was or not at all. Pure but for the
//! file itself, which the verbs read and write.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::plan::{Candidate, raw};
use super::set::Set;
use super::work::TableWork;
use crate::error::{Failure, Kind, Result};
use crate::policy::Policy;

const KIND: &str = "dbctl.partitions.plan";

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    kind: String,
    version: u32,
    /// When it was made, by the server's clock or `--at`.
    pub made_for: DateTime<Utc>,
    /// The policy's hash.
    pub policy_hash: String,
    /// The database's name.
    pub database: String,
    /// Tables with partitions that leave.
    pub tables: Vec<SavedTable>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedTable {
    /// `schema.table`.
    pub table: String,
    /// Its oid.
    pub oid: u32,
    /// What happens to them.
    pub expire: String,
    /// Those that leave.
    pub partitions: Vec<SavedPartition>,
}

/// One partition that leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPartition {
    /// `schema.table`.
    pub name: String,
    /// Its oid.
    pub oid: u32,
    /// The lower bound.
    pub from: String,
    /// The upper bound.
    pub to: String,
}

impl Saved {
    /// What is saved of a plan.
    pub fn of(works: &[TableWork<'_>], policy: &Policy, database: &str, now: DateTime<Utc>) -> Saved {
        let tables = works.iter().filter_map(|work| work.found.as_ref().ok()).filter(|f| !f.plan.expire.is_empty());
        Saved {
            kind: KIND.to_owned(),
            version: 1,
            made_for: now,
            policy_hash: policy.hash.clone(),
            database: database.to_owned(),
            tables: tables
                .map(|found| SavedTable {
                    table: raw(&found.plan.table),
                    oid: found.plan.oid,
                    expire: super::plan::expire_words(&found.set.policy.expire),
                    partitions: found.plan.expire.iter().map(|p| saved(&found.set, p)).collect(),
                })
                .collect(),
        }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// Invalid where it is no saved plan.
    pub fn parse(text: &str, path: &str) -> Result<Saved> {
        let invalid = |why: String| {
            Failure::new(Kind::Invalid, format!("{path} is no saved plan: {why}"))
                .hint(format!("make one: dbctl partitions plan --out {path}"))
        };
        let saved: Saved = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        if saved.kind != KIND || saved.version != 1 {
            return Err(invalid(format!("kind {}, version {}", saved.kind, saved.version)));
        }
        Ok(saved)
    }

    /// As a file's text.
    ///
    /// # Errors
    /// None that a plan could bring about.
    pub fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Cuts the works down to exactly what was saved.
    ///
    /// # Errors
    /// Refused where the policy is another one, or the world has moved.
    pub fn confine(&self, works: &mut [TableWork<'_>], policy: &Policy, database: &str) -> Result<()> {
        let moved = |what: String| {
            Failure::new(Kind::Refused, format!("the saved plan does not hold any more: {what}; nothing was changed"))
                .hint("look again, and save it anew: dbctl partitions plan --out FILE")
        };
        if self.policy_hash != policy.hash {
            return Err(moved("the policy has changed since".to_owned()));
        }
        if self.database != database {
            return Err(moved(format!("it was made for database {}, this is {database}", self.database)));
        }
        for table in &self.tables {
            let work = works.iter_mut().find(|work| raw(&work.entry.table) == table.table);
            let found = match work.map(|work| &mut work.found) {
                Some(Ok(found)) => found,
                _ => return Err(moved(format!("{} cannot be planned", table.table))),
            };
            if found.plan.oid != table.oid {
                return Err(moved(format!("{} is another table now", table.table)));
            }
            for partition in &table.partitions {
                if !found.plan.expire.iter().any(|p| saved(&found.set, p) == *partition) {
                    let why = found.plan.kept.iter().find(|k| k.partition.oid == partition.oid);
                    let why =
                        why.map_or("is not one that leaves now".to_owned(), |kept| format!("stays: {}", kept.why));
                    return Err(moved(format!("{} {why}", partition.name)));
                }
            }
        }
        for found in works.iter_mut().filter_map(|work| work.found.as_mut().ok()) {
            let table = self.tables.iter().find(|table| table.oid == found.plan.oid);
            found.plan.expire.retain(|p| table.is_some_and(|table| table.partitions.iter().any(|s| s.oid == p.oid)));
            found.plan.finalize.clear();
            found.leaving.retain(|row| found.plan.expire.iter().any(|p| p.oid == row.oid));
        }
        Ok(())
    }
}

fn saved(set: &Set<'_>, partition: &Candidate) -> SavedPartition {
    SavedPartition {
        name: raw(&partition.name),
        oid: partition.oid,
        from: set.bound_text(partition.range.lower()),
        to: set.bound_text(partition.range.upper()),
    }
}
