//! One attempt at one table: what is sent around the statement, and what its warnings mean.

use std::time::{Duration, Instant};

use super::Request;
use super::brake::Brake;
use super::plan::Task;
use crate::error::Result;
use crate::pg::Notice;
use crate::steps::apply::Executor;
use crate::steps::batch::Frame;
use crate::steps::crew::{Piece, Tried};
use crate::steps::events::{Blocker, Event, Events};
use crate::steps::ledger::Ledger;
use crate::steps::{LockMode, Pauses, Timeouts};

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What came of it.
    pub end: AttemptEnd,
    /// How long it took.
    pub took: Duration,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum AttemptEnd {
    /// It is done.
    Done,
    /// The server left the table alone and said why.
    Skipped(String),
    /// Its lock was not to be had: who held it.
    Locked(Vec<Blocker>),
    /// The budget ran out while it ran.
    Stopped,
    /// It was not begun: a standby was too far behind.
    Held(String),
}

/// How a statement is sent.
pub struct Manner<'a> {
    request: &'a Request,
    began: Instant,
    ledger: &'a Ledger,
    brake: &'a Brake,
}

impl<'a> Manner<'a> {
    /// From now on the budget runs.
    pub fn new(request: &'a Request, ledger: &'a Ledger, brake: &'a Brake) -> Manner<'a> {
        Manner { request, began: Instant::now(), ledger, brake }
    }

    /// Tries once.
    ///
    /// # Errors
    /// The server's; interrupted.
    pub async fn attempt(
        &self,
        executor: &mut Executor,
        piece: &Piece<&Task>,
        events: &mut dyn Events,
    ) -> Result<Tried<Attempt>> {
        let left = self.request.wish.budget.map(|budget| budget.saturating_sub(self.began.elapsed()));
        if let Some(why) = self.brake.hold(executor, &piece.title, left, events).await? {
            return Ok(Tried::Ended(Attempt { end: AttemptEnd::Held(why), took: Duration::ZERO }));
        }
        let limit = self.limit();
        let frame = Frame {
            subject: format!("vacuum:{}", piece.work.table),
            title: piece.title.clone(),
            ..frame(executor, self.request, &piece.work.settings, limit)
        };
        let began = Instant::now();
        let mut heard = Heard { events, warnings: Vec::new() };
        self.ledger.begin(&frame.subject);
        let sent = executor.in_turn(&frame, &piece.work.sql, &mut heard).await;
        let warnings = heard.warnings;
        let took = began.elapsed();
        let end = match sent {
            Ok(()) => match warnings.into_iter().next() {
                None => AttemptEnd::Done,
                Some(notice) if notice.code == LOCKED => AttemptEnd::Locked(holders(executor, piece).await),
                Some(notice) => AttemptEnd::Skipped(notice.message),
            },
            Err(failure) if failure.code() == Some(LOCKED) => AttemptEnd::Locked(holders(executor, piece).await),
            Err(failure) if failure.code() == Some("57014") && limit.is_some_and(|limit| took >= limit) => {
                AttemptEnd::Stopped
            }
            // Dropped meanwhile.
            Err(failure) if failure.code() == Some("42P01") => {
                AttemptEnd::Skipped("it is not there any more".to_owned())
            }
            Err(failure) => {
                let failure = executor.overrule(failure);
                let message = failure.messages().join(": ");
                self.ledger.end(&frame.subject, "failed", &[("message", message)]);
                return Err(failure);
            }
        };
        match &end {
            AttemptEnd::Done => {
                let seconds = format!("{:.3}", took.as_secs_f64());
                let detail = [("sql", piece.work.sql.clone()), ("seconds", seconds)];
                self.ledger.end(&frame.subject, "applied", &detail);
            }
            AttemptEnd::Skipped(why) => self.ledger.leave(&frame.subject, why),
            AttemptEnd::Locked(_) => self.ledger.leave(&frame.subject, "its lock was not to be had"),
            AttemptEnd::Stopped => self.ledger.leave(&frame.subject, "the budget ran out"),
            // Was not begun.
            AttemptEnd::Held(_) => {}
        }
        Ok(match &end {
            AttemptEnd::Locked(blockers) => {
                let blockers = blockers.clone();
                Tried::Locked(Attempt { end, took }, blockers)
            }
            _ => Tried::Ended(Attempt { end, took }),
        })
    }

    /// Sends what concerns no table.
    ///
    /// # Errors
    /// The server's; interrupted.
    pub async fn close(&self, executor: &mut Executor, sql: &str, events: &mut dyn Events) -> Result<()> {
        let frame = Frame {
            subject: "vacuum".to_owned(),
            title: "the oldest transaction of the database".to_owned(),
            ..frame(executor, self.request, &[], None)
        };
        executor.in_turn(&frame, sql, events).await
    }

    /// What is left of a hard budget.
    fn limit(&self) -> Option<Duration> {
        let budget = self.request.wish.budget.filter(|_| self.request.wish.hard)?;
        // Whole milliseconds, as the server counts them, and never fewer than are left: what was stopped a moment before
        // the budget is over would let another begin.
        let left = budget.saturating_sub(self.began.elapsed()).as_millis();
        Some(Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1)))
    }
}

/// `lock_not_available`.
const LOCKED: &str = "55P03";

/// The settings of a statement.
fn frame(executor: &Executor, request: &Request, more: &[(&'static str, String)], limit: Option<Duration>) -> Frame {
    let statement = match (request.statement_timeout, limit) {
        (Duration::ZERO, limit) => limit.unwrap_or(Duration::ZERO),
        (most, limit) => limit.map_or(most, |limit| limit.min(most)),
    };
    let mut settings = executor.server().step_settings("vacuum");
    settings.push(("statement_timeout", format!("{}ms", statement.as_millis())));
    settings.extend(more.iter().cloned());
    Frame {
        subject: String::new(),
        title: String::new(),
        settings,
        // SKIP_LOCKED waits for no table; this bounds what it still waits for.
        timeouts: Timeouts { lock: Duration::from_secs(1), statement },
        patience: request.lock_patience,
        pauses: (Pauses::default().first, Pauses::default().longest),
    }
}

/// Who holds the table in a way that is in the way.
async fn holders(executor: &Executor, piece: &Piece<&Task>) -> Vec<Blocker> {
    let wanted = if piece.work.hazards.is_empty() { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
    executor.holders(&piece.work.table, wanted).await
}

/// Keeps the warnings, which say what a successful statement left alone, and hands the rest on.
struct Heard<'a> {
    events: &'a mut dyn Events,
    warnings: Vec<Notice>,
}

impl Events for Heard<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Notice { notice, .. } if notice.code.starts_with("01") || notice.code == LOCKED => {
                self.warnings.push(notice.clone());
            }
            event => self.events.event(event),
        }
    }
}
