//! A step with something in its middle that is not SQL of its own: a table is made, filled from
//! elsewhere, and put in its place, all in one transaction.

use std::time::Instant;

use super::apply::Executor;
use super::events::{Event, Events};
use super::plan::{Role, Step};
use super::retry::Backoff;
use super::watch::Watch;
use crate::error::{Kind, Result};
use crate::pg::Session;

impl Executor {
    /// Runs the statements of a step up to `split`, then `fill` in the same transaction, then the rest.
    /// A lock that the rest does not get is tried again behind a savepoint: what was filled in stays.
    ///
    /// # Errors
    /// Those of `fill`; deferred when a lock was not to be had; the server's. Nothing is left then.
    pub async fn perform_filled<T>(
        &mut self,
        step: &Step,
        split: usize,
        fill: impl AsyncFnOnce(&Session) -> Result<T>,
        events: &mut dyn Events,
    ) -> Result<T> {
        self.open_journal().await?;
        events.event(Event::Step { number: 1, of: 1, title: &step.title });
        let began = Instant::now();
        let done = self.filled(step, split, fill, events).await;
        match done {
            Ok(value) => {
                events.event(Event::Applied { title: &step.title, took: began.elapsed() });
                Ok(value)
            }
            Err(failure) => {
                if !self.work.is_closed() {
                    let _ = self.work.send("ROLLBACK").await;
                }
                Err(self.interrupt.overrule(failure))
            }
        }
    }

    async fn filled<T>(
        &self,
        step: &Step,
        split: usize,
        fill: impl AsyncFnOnce(&Session) -> Result<T>,
        events: &mut dyn Events,
    ) -> Result<T> {
        let failed = format!("{} failed", step.title);
        let mut value = None;
        let mut fill = Some(fill);
        for message in step.messages() {
            self.check()?;
            let after = matches!(message.role, Role::Work(index) if index >= split) || message.role == Role::Close;
            if after && let Some(fill) = fill.take() {
                value = Some(fill(&self.work).await?);
            }
            if matches!(message.role, Role::Work(index) if index >= split) {
                self.behind_a_savepoint(step, &message.sql, events).await?;
            } else {
                self.work.send(&message.sql).await.map_err(|e| e.explain(failed.clone()))?;
            }
        }
        value.ok_or_else(|| crate::error::Failure::new(Kind::Failed, failed))
    }

    async fn behind_a_savepoint(&self, step: &Step, sql: &str, events: &mut dyn Events) -> Result<()> {
        let doing = format!("{} failed", step.title);
        let began = Instant::now();
        let mut backoff = Backoff::new(self.order.pauses);
        loop {
            self.check()?;
            self.work.send("SAVEPOINT filled").await.map_err(|e| e.explain(doing.clone()))?;
            let mut watch = Watch::new(&self.lease, self.server.backend_pid, &step.title, step.timeouts.lock, false);
            let Err(error) = watch.send(&self.work, sql, self.order.lock_patience, events).await else { return Ok(()) };
            let pause = backoff.pause(began.elapsed(), self.order.lock_patience, fastrand::f64());
            let Some(pause) = pause.filter(|_| error.is_transient()) else {
                return Err(watch.blame(error.explain(doing)));
            };
            self.work.send("ROLLBACK TO SAVEPOINT filled").await.map_err(|e| e.explain(doing.clone()))?;
            let blockers = &watch.blockers;
            events.event(Event::Retry { title: &step.title, reason: &error.message(), pause, blockers });
            self.interrupt.sleep(pause).await?;
        }
    }
}
