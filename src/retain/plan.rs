//! What a row job will do, and what a person must look at first: a decision over the policy, the
//! snapshot and a moment. Pure.

use chrono::{DateTime, Utc};

use super::attention;
use super::snapshot::{Child, Count, JobSnapshot};
use super::visits::{self, Field};
use crate::error::Result;
use crate::ident::{Ident, TableName};
use crate::policy::{Hold, Mask, RowAction, RowJob};

/// What a row job will do.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// The job's name.
    pub job: String,
    /// Its table.
    pub table: TableName,
    /// `delete`, `move`, `anonymise` or `keep`.
    pub action: &'static str,
    /// Rows before it are old enough, as an SQL literal; nothing for a job without an age.
    pub cutoff: Option<String>,
    /// The moment it was made for.
    pub now: DateTime<Utc>,
    /// The leaves to visit, in order.
    pub visits: Vec<Visit>,
    /// Leaves that are not visited: too young, held, or visited for good.
    pub left_alone: usize,
    /// Rows that are due.
    pub rows: Count,
    /// WAL that it will write, estimated.
    pub wal_bytes: Option<u64>,
    /// Bytes of dead rows that it will leave to VACUUM, estimated.
    pub dead_bytes: Option<u64>,
    /// Foreign keys that point at the table.
    pub children: Vec<Child>,
    /// What a person must look at.
    pub attention: Vec<Attention>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Environment variables whose values become `$4` and on.
    pub secrets: Vec<String>,
}

/// Something that a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// What.
    pub message: String,
    /// What helps.
    pub advice: Option<String>,
    /// The job is not done before.
    pub blocks: bool,
}

/// A leaf to visit.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub leaf: TableName,
    /// Rows that are due in it.
    pub rows: Count,
    /// All of its rows, as the planner believes.
    pub all_rows: f64,
    /// How batches find their rows.
    pub path: Path,
    /// A batch that follows an index on the age; nothing where there is none.
    pub by_index: Option<String>,
    /// A batch that follows the table's blocks.
    pub by_blocks: String,
    /// Counts what is due.
    pub count: String,
    /// The rows that are due, for an estimate.
    pub estimate: String,
    /// Old enough rows with a text that a mask cannot read, by column.
    pub unreadable: Vec<(Ident, String)>,
    /// What is noted once it was visited for good; nothing for a leaf that stays open.
    pub closes: Option<String>,
}

/// How batches find their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Along an index, from the oldest row.
    Index,
    /// Through the table's blocks.
    Blocks,
}

impl JobPlan {
    /// Whether something stands in the way.
    pub fn is_blocked(&self) -> bool {
        self.attention.iter().any(|attention| attention.blocks)
    }

    /// Whether nothing is to be changed or noted.
    pub fn is_empty(&self) -> bool {
        self.visits.iter().all(|visit| visit.rows == Count::Exact(0) && visit.closes.is_none())
    }

    /// The SQL of a batch in every leaf that has rows to find, byte for byte as it is sent.
    pub fn batches(&self) -> Vec<&str> {
        self.visits.iter().filter(|visit| visit.rows != Count::Exact(0)).map(Visit::sql).collect()
    }
}

impl Visit {
    /// The SQL of a batch.
    pub fn sql(&self) -> &str {
        match (self.path, &self.by_index) {
            (Path::Index, Some(sql)) => sql,
            _ => &self.by_blocks,
        }
    }
}

/// Plans a job.
///
/// # Errors
/// Invalid when the table, or a column that the job names, is not there.
pub fn plan(job: &RowJob, snapshot: &JobSnapshot, holds: &[Hold], now: DateTime<Utc>) -> Result<JobPlan> {
    let Field { visits, left_alone, cutoff, obstacles } = visits::field(job, snapshot, holds, now)?;
    let rows = visits.iter().fold(Count::Exact(0), |all, visit| all.and(visit.rows));
    let mut attention = obstacles;
    let mut notes = Vec::new();
    if job.action != RowAction::Keep {
        attention.extend(attention::obstacles(job, snapshot, holds));
        notes = attention::notes(job, snapshot, rows);
    }
    let cost = cost(job, snapshot, rows);
    Ok(JobPlan {
        job: job.name.clone(),
        table: job.table.clone(),
        action: word(&job.action),
        cutoff,
        now,
        visits,
        left_alone,
        rows,
        wal_bytes: cost.map(|(wal, _)| wal),
        dead_bytes: cost.map(|(_, dead)| dead),
        children: if removes(&job.action) { snapshot.children.clone() } else { Vec::new() },
        attention,
        notes,
        secrets: secrets(job),
    })
}

/// Whether rows leave the table.
pub(super) fn removes(action: &RowAction) -> bool {
    matches!(action, RowAction::Delete | RowAction::Move { .. })
}

fn word(action: &RowAction) -> &'static str {
    match action {
        RowAction::Delete => "delete",
        RowAction::Move { .. } => "move",
        RowAction::Anonymise { .. } => "anonymise",
        RowAction::Keep => "keep",
    }
}

/// The variables with the keys of hashes, in the order of their parameters.
pub(super) fn secrets(job: &RowJob) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if let RowAction::Anonymise { set } = &job.action {
        for (_, mask) in set {
            if let Mask::Hash { secret } = mask
                && !names.contains(secret)
            {
                names.push(secret.clone());
            }
        }
    }
    names
}

/// WAL, and bytes of dead rows. A deleted row costs a record for its lock and one for its end, its
/// header, its index entries when VACUUM comes, and its page once after a checkpoint; a changed one was
/// measured at 4.4 times a deletion.
fn cost(job: &RowJob, snapshot: &JobSnapshot, rows: Count) -> Option<(u64, u64)> {
    const RECORDS: f64 = 2.0 * 60.0;
    const HEADER: f64 = 24.0;
    const INDEX_ENTRY: f64 = 16.0;
    const CHANGED: f64 = 4.4;
    let rows = rows.number()? as f64;
    let all: f64 = snapshot.leaves.iter().map(|leaf| leaf.rows).sum();
    let bytes: f64 = snapshot.leaves.iter().map(|leaf| leaf.bytes as f64).sum();
    let indexes = snapshot.leaves.iter().map(|leaf| leaf.indexes.len()).max().unwrap_or(0) as f64;
    // Without statistics a row is taken for a hundred bytes.
    let width = if all >= 1.0 { (bytes / all).max(HEADER) } else { 100.0 };
    let dead = rows * width;
    let deleted = rows * (RECORDS + HEADER + INDEX_ENTRY * indexes) + dead.min(bytes);
    let wal = match job.action {
        RowAction::Keep => 0.0,
        RowAction::Delete => deleted,
        RowAction::Move { .. } => deleted + dead + rows * INDEX_ENTRY * indexes,
        RowAction::Anonymise { .. } => deleted * CHANGED,
    };
    Some((wal as u64, if job.action == RowAction::Keep { 0 } else { dead as u64 }))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
