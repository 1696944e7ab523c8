//! What is in order about a policy's tables and what is not: findings with a level, for people and for
//! monitoring. A pure function of what was read; what could not be read is UNKNOWN, never in order.

mod database;
mod nagios;
mod table;
#[cfg(test)]
mod tests;
mod view;

use chrono::{DateTime, TimeDelta, Utc};

use super::observe::{Looked, Observed, Unknown};
use super::read::Snapshot;
use super::status::TableStatus;
use crate::ident::TableName;
pub use crate::outcome::Level;
use crate::policy::{Hold, Policy};

pub use database::DUE;
pub use nagios::{line, unknown as nagios_unknown};
pub use table::{limits, overdue};
pub use view::{NAGIOS, document, nagios_document, outcome};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which check: a stable name for scripts.
    pub id: &'static str,
    /// How bad.
    pub level: Level,
    /// The table; nothing where it is about the database.
    pub table: Option<TableName>,
    /// What.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    fn new(id: &'static str, level: Level, table: Option<&TableName>, message: String) -> Finding {
        Finding { id, level, table: table.cloned(), message, hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    fn unknown(id: &'static str, table: Option<&TableName>, what: &str, unknown: &Unknown) -> Finding {
        let message = format!("{what} UNKNOWN: {}", unknown.why);
        Finding { hint: unknown.hint.clone(), ..Finding::new(id, Level::Unknown, table, message) }
    }
}

/// Everything that is judged.
pub struct Scene<'a> {
    /// What should be.
    pub policy: &'a Policy,
    /// The embedded system that was said.
    pub system: Option<&'a str>,
    /// Only these tables.
    pub only: &'a [TableName],
    /// What the catalog says.
    pub snapshot: &'a Snapshot,
    /// Holds in force.
    pub holds: &'a [Hold],
    /// Each table of the policy.
    pub looked: &'a [Looked<'a>],
    /// How each stands, beside `looked`; nothing where that cannot be said.
    pub statuses: &'a [Option<TableStatus>],
    /// What was read besides.
    pub observed: &'a Observed,
    /// Now.
    pub now: DateTime<Utc>,
    /// By how much the clocks of server and client differ.
    pub skew: TimeDelta,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The worst first; those in order are there where they are worth knowing.
    pub findings: Vec<Finding>,
    /// How many checks were made.
    pub checks: usize,
}

impl Report {
    /// The worst that was found.
    pub fn level(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// How many findings are of a level; for OK, how many checks found nothing.
    pub fn count(&self, level: Level) -> usize {
        if level != Level::Ok {
            return self.findings.iter().filter(|finding| finding.level == level).count();
        }
        let mut bad: Vec<(&Option<TableName>, &str)> =
            self.findings.iter().filter(|f| f.level != Level::Ok).map(|f| (&f.table, f.id)).collect();
        bad.sort_unstable();
        bad.dedup();
        self.checks.saturating_sub(bad.len())
    }
}

/// Looks at everything.
pub fn judge(scene: &Scene<'_>) -> Report {
    let mut findings = database::findings(scene);
    let mut checks = database::CHECKS;
    for (looked, status) in scene.looked.iter().zip(scene.statuses) {
        findings.extend(table::findings(scene, looked, status.as_ref()));
        checks += table::CHECKS;
    }
    findings.sort_by(|a, b| b.level.cmp(&a.level).then_with(|| a.table.cmp(&b.table)).then_with(|| a.id.cmp(b.id)));
    Report { findings, checks }
}
