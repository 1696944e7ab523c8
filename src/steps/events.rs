//! What the executor tells while it works. Whoever listens decides how it looks.

use std::time::Duration;

use crate::error::{Failure, Result};
use crate::pg::lease::Holder;
use crate::pg::{Notice, Row};

/// A session that keeps ours waiting.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocker {
    /// Backend pid; 0 is a prepared transaction.
    pub pid: i32,
    /// Its role, where it may be seen.
    pub role: Option<String>,
    /// Its application_name.
    pub application: Option<String>,
    /// `active`, `idle in transaction`, …
    pub state: Option<String>,
    /// Seconds since its transaction began.
    pub age_seconds: Option<f64>,
    /// What it runs or ran last.
    pub query: Option<String>,
    /// The relation that is waited for.
    pub relation: Option<String>,
}

impl Blocker {
    /// Of a row with these columns.
    ///
    /// # Errors
    /// Where it has others.
    pub fn read(row: &Row) -> Result<Blocker> {
        Ok(Blocker {
            pid: row.try_get("pid")?,
            role: row.try_get("role")?,
            application: row.try_get("application")?,
            state: row.try_get("state")?,
            age_seconds: row.try_get("age_seconds")?,
            query: row.try_get("query")?,
            relation: row.try_get("relation")?,
        })
    }
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.pid == 0 {
            write!(f, "a prepared transaction")?;
        } else {
            write!(f, "pid {}", self.pid)?;
        }
        if let Some(role) = &self.role {
            write!(f, " ({role}")?;
            if let Some(application) = self.application.as_ref().filter(|a| !a.is_empty()) {
                write!(f, ", {application}")?;
            }
            write!(f, ")")?;
        }
        if let Some(state) = &self.state {
            write!(f, " {state}")?;
        }
        if let Some(age) = self.age_seconds {
            write!(f, " for {age:.0} s")?;
        }
        if let Some(query) = &self.query {
            let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
            write!(f, ": {}", line.chars().take(80).collect::<String>())?;
        }
        Ok(())
    }
}

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// Another run works; we wait for it.
    LeaseTaken(&'a Holder),
    /// A step begins: its number from 1, of how many.
    Step {
        /// From 1.
        number: usize,
        /// All steps of the plan.
        of: usize,
        /// Its title.
        title: &'a str,
    },
    /// A step is done and committed.
    Applied {
        /// Its title.
        title: &'a str,
        /// How long it took.
        took: Duration,
    },
    /// A statement outside a transaction was already done by an earlier run.
    Skipped {
        /// The step.
        title: &'a str,
        /// The statement, from 1.
        statement: usize,
    },
    /// Others keep us waiting.
    Blocked {
        /// The step.
        title: &'a str,
        /// Who.
        blockers: &'a [Blocker],
        /// How long already.
        waited: Duration,
    },
    /// A lock was not to be had; the step is tried again.
    Retry {
        /// The step.
        title: &'a str,
        /// The server's word.
        reason: &'a str,
        /// When.
        pause: Duration,
        /// Who was in the way, as far as it was seen.
        blockers: &'a [Blocker],
    },
    /// The server said something beside its answer.
    Notice {
        /// The step.
        title: &'a str,
        /// What.
        notice: &'a Notice,
    },
    /// A leftover of an interrupted statement was removed.
    Cleaned {
        /// What.
        what: &'a str,
    },
    /// A part of the run failed; the others go on.
    Failed {
        /// Which part.
        title: &'a str,
        /// How.
        failure: &'a Failure,
    },
    /// A person must look at something; the run goes on.
    Attention {
        /// What.
        message: &'a str,
        /// What to do about it.
        hint: Option<&'a str>,
    },
    /// A long index build moves.
    Progress {
        /// The step.
        title: &'a str,
        /// `building index: scanning table`, …
        phase: &'a str,
        /// Done and total, in the phase's own unit.
        done: i64,
        /// Total; 0 when unknown.
        total: i64,
    },
}

/// Somebody who listens.
pub trait Events {
    /// Takes an event.
    fn event(&mut self, event: Event<'_>);
}

/// Somebody who does not.
pub struct Silent;

impl Events for Silent {
    fn event(&mut self, _: Event<'_>) {}
}
