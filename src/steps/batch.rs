//! Work in many small transactions: one parameterised statement each, with the settings and limits of
//! a step, tried again while locks are in the way. The journal says when a job began and ended, not
//! what each batch did: what a batch has committed needs no memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::Executor;
use super::events::{Event, Events};
use super::plan::Timeouts;
use super::watch::Watch;
use crate::error::{Failure, Kind, Result};
use crate::ident::Literal;
use crate::pg::{Lease, Query, Row, Server, ServerError, Session, ToSql};

/// What every batch of a job shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its name in the journal.
    pub subject: String,
    /// What a person reads.
    pub title: String,
    /// Set for the duration of a batch; values are plain text.
    pub settings: Vec<(&'static str, String)>,
    /// How long a batch may wait for one lock, and run.
    pub timeouts: Timeouts,
    /// How long all attempts of a batch may take together.
    pub patience: Duration,
    /// The first pause between attempts, and the longest.
    pub pauses: (Duration, Duration),
}

/// How a batch ended.
#[derive(Debug)]
pub enum Batched {
    /// Committed; the rows of its statement.
    Rows(Vec<Row>),
    /// It ran out of its statement_timeout, and left nothing.
    TimedOut,
}

impl Executor {
    /// The facts of the server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Asks the catalog on the lease's connection, beside the work.
    ///
    /// # Errors
    /// The server's.
    pub async fn look(&self, query: &Query, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        self.lease.session().rows(query, params).await.map_err(|e| e.explain(format!("cannot ask for {}", query.name)))
    }

    /// Says in the journal that a job begins, with what a person should know of it.
    ///
    /// # Errors
    /// As [`Executor::open_journal`].
    pub async fn begin_job(&mut self, frame: &Frame, detail: &[(&str, String)]) -> Result<()> {
        self.open_journal().await?;
        self.line(frame, "started", detail).await
    }

    /// Says in the journal how a job ended, with names and values as its detail. The run goes on.
    ///
    /// # Errors
    /// The server's.
    pub async fn end_job(&self, frame: &Frame, detail: &[(&str, String)]) -> Result<()> {
        self.line(frame, "applied", detail).await
    }

    /// What a failure comes to: once a signal has arrived, that is what it was.
    pub fn overrule(&self, failure: Failure) -> Failure {
        self.interrupt.overrule(failure)
    }

    /// Sleeps, but not past a signal.
    ///
    /// # Errors
    /// Interrupted; the lease is gone.
    pub async fn pause(&self, time: Duration) -> Result<()> {
        self.interrupt.sleep(time).await?;
        self.check()
    }

    /// The lease of the run, whose connection stands beside the work.
    pub fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease)
    }

    /// Fails a job.
    pub async fn fail_job(&self, frame: &Frame, failure: Failure, detail: &[(&str, String)]) -> Failure {
        let failure = self.interrupt.overrule(failure);
        // The failure itself is what matters.
        let _ = self.line(frame, "failed", detail).await;
        failure
    }

    /// Runs one statement as a transaction of its own. Its text does not show its parameters, nor does
    /// `pg_stat_activity`.
    ///
    /// # Errors
    /// Deferred when a lock was not to be had within the patience; interrupted; the server's.
    pub async fn batch(&self, frame: &Frame, sql: &str, params: &[&str], events: &mut dyn Events) -> Result<Batched> {
        let began = Instant::now();
        let mut pause = frame.pauses.0;
        let open = frame.open();
        loop {
            self.check()?;
            let mut watch = Watch::new(&self.lease, self.server.backend_pid, &frame.title, frame.timeouts.lock, false);
            let sending = transaction(&self.work, &open, sql, params);
            let error = match watch.over(sending, &self.work, frame.patience, events).await {
                Ok(rows) => return Ok(Batched::Rows(rows)),
                Err(error) => error,
            };
            if error.is_lost() {
                return Err(self.interrupt.overrule(error.explain(format!("{} failed", frame.title))));
            }
            let _ = self.work.send("ROLLBACK").await;
            self.interrupt.check()?;
            if error.is_cancelled() {
                return Ok(Batched::TimedOut);
            }
            let left = frame.patience.saturating_sub(began.elapsed());
            if !error.is_transient() || left.is_zero() {
                let failure = error.explain(format!("{}: a batch failed and was rolled back", frame.title));
                return Err(if error.is_transient() { watch.blame(failure).kind(Kind::Deferred) } else { failure });
            }
            let wait = pause.mul_f64(0.5 + fastrand::f64()).min(left);
            events.event(Event::Retry {
                title: &frame.title,
                reason: &error.message(),
                pause: wait,
                blockers: &watch.blockers,
            });
            self.interrupt.sleep(wait).await?;
            pause = (pause * 2).min(frame.pauses.1);
        }
    }

    /// Runs one statement outside any transaction, such as VACUUM; running it again is harmless.
    ///
    /// # Errors
    /// Interrupted; the server's.
    pub async fn alone(&mut self, frame: &Frame, sql: &str, events: &mut dyn Events) -> Result<()> {
        let sent = self.in_turn(frame, sql, events).await;
        self.opened.take();
        let reset = if self.work.is_closed() { Ok(()) } else { self.work.send("RESET ALL").await };
        sent.and(reset.map_err(|e| e.explain(format!("{}: {sql} failed", frame.title))))
    }

    /// The same for one of many: its settings stay for the next, and are sent only where they differ from those of the
    /// one before.
    ///
    /// # Errors
    /// Interrupted; the server's.
    pub async fn in_turn(&mut self, frame: &Frame, sql: &str, events: &mut dyn Events) -> Result<()> {
        self.check()?;
        let mut settings = format!("RESET ALL;\nSET lock_timeout = '{}ms';", frame.timeouts.lock.as_millis());
        for (name, value) in frame.settings.iter().filter(|(name, _)| *name != "search_path") {
            settings.push_str(&format!("\nSET {name} = {};", Literal(value)));
        }
        let mut watch = Watch::new(&self.lease, self.server.backend_pid, &frame.title, frame.timeouts.lock, false);
        let known = self.opened.take().as_deref() == Some(settings.as_str());
        let sent = async {
            if !known {
                self.work.send(&settings).await?;
            }
            self.work.send(sql).await
        };
        let sent = watch.over(sent, &self.work, frame.patience, events).await;
        if sent.as_ref().is_err_and(|error| !error.is_lost()) {
            // The server tells of an error before it has let go of what it did: this is answered when it has.
            let _ = self.work.send("RESET ALL").await;
        }
        self.opened.replace(sent.is_ok().then(|| settings.into()));
        for notice in self.work.notices() {
            events.event(Event::Notice { title: &frame.title, notice: &notice });
        }
        self.interrupt.check()?;
        sent.map_err(|e| e.explain(format!("{}: {sql} failed", frame.title)))
    }

    async fn line(&self, frame: &Frame, state: &str, detail: &[(&str, String)]) -> Result<()> {
        let Some(run) = self.run else { return Ok(()) };
        let pairs: Vec<String> =
            detail.iter().map(|(name, value)| format!("{}, {}::text", Literal(name), Literal(value))).collect();
        self.note(&format!(
            "INSERT INTO dbctl.journal (run, subject, state, detail) VALUES ({run}, {}, {}, \
             NULLIF(pg_catalog.jsonb_build_object({}), '{{}}'));",
            Literal(&frame.subject),
            Literal(state),
            pairs.join(", ")
        ))
        .await
    }
}

impl Frame {
    /// What opens each batch.
    pub fn open(&self) -> String {
        let mut sql = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\nSET LOCAL lock_timeout = '{}ms';\nSET LOCAL \
             statement_timeout = '{}ms';",
            self.timeouts.lock.as_millis(),
            self.timeouts.statement.as_millis()
        );
        for (name, value) in &self.settings {
            sql.push_str(&if *name == "search_path" {
                format!("\nSELECT pg_catalog.set_config('search_path', {}, true);", Literal(value))
            } else {
                format!("\nSET LOCAL {name} = {};", Literal(value))
            });
        }
        sql
    }
}

/// All three in one go: the locks are held for no round trip. COMMIT after a failure rolls back.
async fn transaction(
    session: &Session,
    open: &str,
    sql: &str,
    params: &[&str],
) -> std::result::Result<Vec<Row>, ServerError> {
    let (opened, rows, closed) =
        tokio::join!(biased; session.send(open), session.rows_with(sql, params), session.send("COMMIT"));
    opened?;
    let rows = rows?;
    closed.map(|()| rows)
}
