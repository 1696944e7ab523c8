//! Looks on from the lease's connection while the executor's statement runs: who blocks it, and
//! how far an index build is.

use std::time::{Duration, Instant};

use super::events::{Blocker, Event, Events};
use crate::error::{Failure, Result};
use crate::pg::{Lease, Query, ServerError, Session};

/// Short enough to name the blockers before a short lock_timeout runs out.
const TICK: Duration = Duration::from_millis(100);
const SHORTEST_TICK: Duration = Duration::from_millis(10);
const SLOW_TICK: Duration = Duration::from_millis(1000);
/// A wait is worth a line after this long.
const WORTH_TELLING: Duration = Duration::from_millis(300);
/// And once more after every further such time.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// What was seen while one statement ran.
pub(super) struct Watch<'a> {
    lease: &'a Lease,
    backend_pid: i32,
    title: &'a str,
    lock_timeout: Duration,
    alone: bool,
    began: Instant,
    blocked_since: Option<Instant>,
    told: Option<Instant>,
    /// How often somebody was seen in the way.
    pub(super) waits: usize,
    /// The last sessions seen in the way.
    pub(super) blockers: Vec<Blocker>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        lease: &'a Lease,
        backend_pid: i32,
        title: &'a str,
        lock_timeout: Duration,
        alone: bool,
    ) -> Watch<'a> {
        Watch {
            lease,
            backend_pid,
            title,
            lock_timeout,
            alone,
            began: Instant::now(),
            blocked_since: None,
            told: None,
            waits: 0,
            blockers: Vec::new(),
        }
    }

    /// Sends SQL and looks on until it ends. Where the statement runs alone, it is cancelled when it
    /// was kept waiting for longer than `patience`.
    pub(super) async fn send(
        &mut self,
        session: &Session,
        sql: &str,
        patience: Duration,
        events: &mut dyn Events,
    ) -> std::result::Result<(), ServerError> {
        self.over(session.send(sql), session, patience, events).await
    }

    /// Looks on until the work of a session ends, with the same patience.
    pub(super) async fn over<T>(
        &mut self,
        work: impl Future<Output = T>,
        session: &Session,
        patience: Duration,
        events: &mut dyn Events,
    ) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(self.tick()) => {
                    // Looking on is a courtesy: when it fails, the statement still decides.
                    let _ = self.look(events).await;
                    if self.gives_up(patience) {
                        let _ = session.cancel().await;
                    }
                }
            }
        }
    }

    /// The step that is looked at, and whether its statement runs outside of a transaction.
    pub(super) fn subject(&self) -> (&'a str, bool) {
        (self.title, self.alone)
    }

    /// Adds who was in the way, and how to go on.
    pub(super) fn blame(&self, failure: Failure) -> Failure {
        if self.blockers.is_empty() {
            return failure;
        }
        let failure =
            self.blockers.iter().fold(failure, |failure, blocker| failure.note(format!("blocked by {blocker}")));
        match self.blockers.iter().find(|b| b.pid != 0) {
            Some(blocker) => failure.hint(format!(
                "run again later, give it longer with --lock-patience 10min, or end the blocker: SELECT pg_terminate_backend({});",
                blocker.pid
            )),
            None => failure.hint("run again later, or end the prepared transaction: see pg_prepared_xacts"),
        }
    }

    /// When to look again: often at first, seldom later.
    fn tick(&self) -> Duration {
        if self.began.elapsed() > Duration::from_secs(5) {
            SLOW_TICK
        } else if self.lock_timeout.is_zero() {
            TICK
        } else {
            (self.lock_timeout / 3).clamp(SHORTEST_TICK, TICK)
        }
    }

    /// How long the statement has been kept waiting without a break.
    pub(super) fn blocked_for(&self) -> Duration {
        self.blocked_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// A statement outside a transaction has no lock_timeout: the patience ends its wait.
    fn gives_up(&self, patience: Duration) -> bool {
        self.alone && self.blocked_for() > patience
    }

    /// Looks once.
    async fn look(&mut self, events: &mut dyn Events) -> Result<()> {
        let blockers = blockers(self.lease, self.backend_pid).await?;
        if blockers.is_empty() {
            self.blocked_since = None;
        } else {
            let since = *self.blocked_since.get_or_insert_with(Instant::now);
            self.blockers = blockers;
            self.waits += 1;
            let waited = since.elapsed();
            if waited >= WORTH_TELLING && self.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
                events.event(Event::Blocked { title: self.title, blockers: &self.blockers, waited });
                self.told = Some(Instant::now());
            }
        }
        if self.alone {
            self.progress(events).await?;
        }
        Ok(())
    }

    async fn progress(&mut self, events: &mut dyn Events) -> Result<()> {
        let rows = self
            .lease
            .session()
            .rows(&Query::CREATE_INDEX_PROGRESS, &[&self.backend_pid])
            .await
            .map_err(|e| e.explain("cannot see how far the index build is"))?;
        if let Some(row) = rows.first() {
            let phase: String = row.try_get("phase")?;
            let (done, total) = (row.try_get("done")?, row.try_get("total")?);
            events.event(Event::Progress { title: self.title, phase: &phase, done, total });
        }
        Ok(())
    }
}

/// The sessions that keep a backend waiting now.
async fn blockers(lease: &Lease, backend_pid: i32) -> Result<Vec<Blocker>> {
    let rows = lease
        .session()
        .rows(&Query::BLOCKERS, &[&backend_pid])
        .await
        .map_err(|e| e.explain("cannot see who is in the way"))?;
    rows.iter().map(Blocker::read).collect()
}
