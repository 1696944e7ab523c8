//! The one executor: lease, timeouts, lock retry, transactions, cancel, journal. It sends exactly
//! what [`Step::messages`] renders and does not know why.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::events::{Event, Events};
use super::guard::Guard;
use super::journal::{self, Attempt, State};
use super::observe::{self, Observation, Observer};
use super::plan::{Lane, Message, Plan, Role, Step};
use super::recover::{Verdict, refuse_edited};
use super::retry::{Backoff, Pauses};
use super::telling::{beside_settings, explain_journal};
use super::watch::Watch;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::Ident;
use crate::pg::lease::Holder;
use crate::pg::{Interrupt, Lease, Server, ServerError, Session, pooler};

/// What a run asks of the executor.
#[derive(Debug, Clone)]
pub struct Order {
    /// The command as the journal and `application_name` say it: `migrate`.
    pub command: String,
    /// What the lease is for: runs with the same name exclude each other.
    pub lease: String,
    /// How long another run is waited for.
    pub lease_wait: Duration,
    /// How long all attempts for a lock may take together.
    pub lock_patience: Duration,
    /// The pauses between them.
    pub pauses: Pauses,
}

/// The right and the means to change one database.
pub struct Executor {
    pub(super) work: Session,
    pub(super) server: Server,
    pub(super) lease: Arc<Lease>,
    pub(super) interrupt: Interrupt,
    pub(super) order: Order,
    pub(super) run: Option<i64>,
    observer: Option<Observer>,
    /// The steps of which the journal knows something unfinished, where that was asked for at once.
    begun: Option<BTreeSet<String>>,
    /// Another run was waited for.
    pub(super) waited: bool,
    /// What the journal is still to be told of builds of indexes that are done: it goes with what comes next.
    pub(super) owed: RefCell<String>,
    /// Something was committed that need not be on disk before the run ends.
    pub(super) unflushed: Cell<bool>,
    /// What the working session has been set to and was left at.
    pub(super) opened: RefCell<Option<Arc<str>>>,
}

/// A step that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its title.
    pub title: String,
    /// How long it took, retries included.
    pub took: Duration,
}

impl Executor {
    /// Takes the lease for the session's database.
    ///
    /// # Errors
    /// Refused on a standby, a read-only session or behind a transaction pooler; busy when another
    /// run holds the lease.
    pub async fn begin(
        work: Session,
        server: Server,
        connection: &Connection,
        order: Order,
        interrupt: &Interrupt,
        events: &mut dyn Events,
    ) -> Result<Executor> {
        refuse_read_only(&server)?;
        let beside = Session::open_beside(connection, &format!("{} lease", order.command), interrupt).await?;
        pooler::refuse_transaction_pooler(&work, &beside).await?;
        let (began, mut waited) = (Instant::now(), false);
        let mut waiting = |holder: &Holder| {
            waited = true;
            events.event(Event::LeaseTaken(holder));
        };
        let lease = Lease::acquire(beside, &order.lease, order.lease_wait, interrupt, &mut waiting).await?;
        let left = order.lease_wait.saturating_sub(began.elapsed());
        lease.admit(&work, left, interrupt, waiting).await?;
        explain_journal(lease.session().send(&beside_settings(&server)).await, &server.role)?;
        Ok(Executor { waited, ..Executor::under(work, server, Arc::new(lease), order, interrupt) })
    }

    /// Under a lease that is held already.
    pub(super) fn under(
        work: Session,
        server: Server,
        lease: Arc<Lease>,
        order: Order,
        interrupt: &Interrupt,
    ) -> Executor {
        Executor {
            work,
            server,
            lease,
            interrupt: interrupt.clone(),
            order,
            run: None,
            observer: None,
            begun: None,
            waited: false,
            owed: RefCell::default(),
            unflushed: Cell::default(),
            opened: RefCell::default(),
        }
    }

    /// Whether another run was waited for: what was read before may have changed since.
    pub fn waited(&self) -> bool {
        self.waited
    }

    /// The working session, for reading under the lease.
    pub fn session(&self) -> &Session {
        &self.work
    }

    /// From now on every statement is looked at closely: what it locks, reads, rewrites, and how long it
    /// takes. Looking costs a round trip or two a statement.
    ///
    /// # Errors
    /// Unreachable.
    pub async fn observe(&mut self, connection: &Connection) -> Result<()> {
        let name = format!("{} observer", self.order.command);
        let beside = Session::open_beside(connection, &name, &self.interrupt).await?;
        self.observer = Some(Observer::new(beside, &self.server));
        Ok(())
    }

    /// Sees to it that what the working session has done so far is counted when it is asked for; false
    /// where the server has no way to (before PostgreSQL 15).
    pub async fn hand_counters_on(&self) -> bool {
        observe::hand_on(&self.work, self.server.major).await.unwrap_or(false)
    }

    /// What was seen since [`Executor::observe`], in order; the last one may have failed.
    pub fn observations(&self) -> Vec<Observation> {
        self.observer.as_ref().map_or_else(Vec::new, Observer::seen)
    }

    /// Opens the journal; needed before the first [`Executor::apply`]. Idempotent.
    ///
    /// # Errors
    /// Not permitted when schema `dbctl` is missing and the role may not create it.
    pub async fn open_journal(&mut self) -> Result<()> {
        if self.run.is_some() {
            return Ok(());
        }
        let began = Instant::now();
        let mut backoff = Backoff::new(self.order.pauses);
        loop {
            self.check()?;
            match self.open_run().await {
                Ok(run) => {
                    self.run = Some(run);
                    return Ok(());
                }
                Err(failure) => {
                    let pause = backoff.pause(began.elapsed(), self.order.lock_patience, fastrand::f64());
                    let Some(pause) = pause.filter(|_| failure.what() == Kind::Deferred) else { return Err(failure) };
                    explain_journal(self.lease.session().send("ROLLBACK").await, &self.server.role)?;
                    self.interrupt.sleep(pause).await?;
                }
            }
        }
    }

    async fn open_run(&mut self) -> Result<i64> {
        let session = self.lease.session();
        if !self.server.has_state {
            explain_journal(session.send(&bootstrap()).await, &self.server.role)?;
            self.server.has_state = true;
        }
        journal::open_run(session, &self.order.command, self.server.backend_pid).await
    }

    /// Runs bookkeeping SQL that belongs to no step, on the lease's connection.
    ///
    /// # Errors
    /// The server's.
    pub async fn note(&self, sql: &str) -> Result<()> {
        explain_journal(self.lease.session().send(sql).await, &self.server.role)
    }

    /// Applies the plan's steps in order, stopping at the first that fails; what was done before is
    /// kept and named in the failure. The run is closed either way.
    ///
    /// # Errors
    /// Deferred when a lock was not to be had within the patience; the failure of the step.
    pub async fn apply(&mut self, plan: &Plan, events: &mut dyn Events) -> Result<Vec<Applied>> {
        if plan.is_empty() {
            return Ok(Vec::new());
        }
        match self.perform(plan, events).await {
            Ok(applied) => {
                self.close("done", "").await;
                Ok(applied)
            }
            Err(failure) => {
                self.close_failed(&failure).await;
                Err(failure)
            }
        }
    }

    /// The same for a part of a run that goes on: [`Executor::close`] ends it.
    ///
    /// # Errors
    /// As [`Executor::apply`].
    pub async fn perform(&mut self, plan: &Plan, events: &mut dyn Events) -> Result<Vec<Applied>> {
        self.open_journal().await?;
        let mut applied: Vec<Applied> = Vec::new();
        for (index, step) in plan.steps.iter().enumerate() {
            events.event(Event::Step { number: index + 1, of: plan.steps.len(), title: &step.title });
            let began = Instant::now();
            let done = match step.lane {
                Lane::Transaction => self.run_transaction(step, None, step.messages(), events).await,
                Lane::Statements => self.run_statements(step, events).await,
            };
            for notice in self.work.notices() {
                events.event(Event::Notice { title: &step.title, notice: &notice });
            }
            if let Err(failure) = done {
                self.begun = None;
                let kept = applied.iter().map(|a| a.title.clone()).collect::<Vec<_>>();
                return Err(self.interrupt.overrule(failure).done(kept));
            }
            let took = began.elapsed();
            events.event(Event::Applied { title: &step.title, took });
            applied.push(Applied { title: step.title.clone(), took });
        }
        Ok(applied)
    }

    /// The journal is not asked step by step what an earlier run has begun: it is these, until a step fails.
    pub fn only_begun(&mut self, steps: BTreeSet<String>) {
        self.begun = Some(steps);
    }

    /// How long all attempts for a lock may take together, from now on.
    pub fn set_patience(&mut self, patience: Duration, pauses: Pauses) {
        self.order.lock_patience = patience;
        self.order.pauses = pauses;
    }

    /// One transaction, again and again while locks are in the way.
    async fn run_transaction(
        &self,
        step: &Step,
        statement: Option<usize>,
        messages: Vec<Message>,
        events: &mut dyn Events,
    ) -> Result<()> {
        let began = Instant::now();
        let mut backoff = Backoff::new(self.order.pauses);
        let seen = self.observer.as_ref().map(Observer::count);
        self.opened.take();
        loop {
            self.check()?;
            if let (Some(observer), Some(seen)) = (&self.observer, seen) {
                observer.before(&self.work, seen).await?;
            }
            let mut watch = Watch::new(&self.lease, self.server.backend_pid, &step.title, step.timeouts.lock, false);
            let Err((role, error)) = self.send_all(&messages, &mut watch, events).await else { return Ok(()) };
            if !error.is_lost() {
                // Also after a failed COMMIT: the session must not stay in a transaction.
                let _ = self.work.send("ROLLBACK").await;
            }
            self.interrupt.check().map_err(|failure| rolled_back(failure, step))?;
            let pause = backoff.pause(began.elapsed(), self.order.lock_patience, fastrand::f64());
            match pause.filter(|_| error.is_transient()) {
                Some(pause) => self.wait_to_retry(step, &error, pause, &watch, events).await?,
                None => {
                    self.note_failure(step, statement, &error).await;
                    let failure = with_blockers(explain(step, role, &error), &watch, &error);
                    return Err(if error.is_lost() { failure } else { rolled_back(failure, step) });
                }
            }
        }
    }

    /// Statement by statement, resuming where an earlier run stopped.
    async fn run_statements(&self, step: &Step, events: &mut dyn Events) -> Result<()> {
        // Not on the working session, whose role and user may still be those of the file before.
        let attempts = if self.begun.as_ref().is_some_and(|begun| !begun.contains(&step.id)) {
            Vec::new()
        } else {
            journal::attempts(self.lease.session(), &step.id).await?
        };
        refuse_edited(step, &attempts)?;
        let finished = |index| attempts.iter().any(|a| a.statement == index && a.state == State::Finished);
        for (index, statement) in step.statements.iter().enumerate() {
            let attempt = attempts.iter().find(|a| a.statement == index);
            if finished(index) {
                events.event(Event::Skipped { title: &step.title, statement: index + 1 });
            } else if statement.atomic {
                self.run_transaction(step, Some(index), step.statement_messages(index), events).await?;
            } else {
                let unknown = attempt.filter(|a| a.state == State::Started);
                self.run_alone(step, index, unknown, events).await?;
            }
        }
        // The last statement's close also closes the step. Where the last one was finished before, the
        // file has lost those that came after it.
        if step.statements.len().checked_sub(1).is_some_and(finished) {
            self.run_transaction(step, None, step.close_finished(), events).await?;
        }
        Ok(())
    }

    /// One statement outside any transaction.
    async fn run_alone(
        &self,
        step: &Step,
        index: usize,
        unknown: Option<&Attempt>,
        events: &mut dyn Events,
    ) -> Result<()> {
        let Some(statement) = step.statements.get(index) else { return Ok(()) };
        let began = Instant::now();
        let mut backoff = Backoff::new(self.order.pauses);
        self.unflushed.set(self.unflushed.get() || step.leaves_unflushed());
        let recovery = self.recovery(step, index);
        let mut unknown = unknown.cloned();
        let seen = self.observer.as_ref().map(Observer::count);
        loop {
            self.check()?;
            if let (Some(observer), Some(seen)) = (&self.observer, seen) {
                observer.before(&self.work, seen).await?;
            }
            let messages = step.statement_messages(index);
            // Names must resolve as they do for the statement itself.
            for open in messages.iter().filter(|m| m.role == Role::Open) {
                if self.opened.borrow().as_ref() == Some(&open.sql) {
                    continue;
                }
                self.opened.take();
                self.work.send(&open.sql).await.map_err(|e| explain(step, Role::Open, &e))?;
                self.opened.replace(step.is_reindex(index).then(|| Arc::clone(&open.sql)));
            }
            let verdict = match unknown.take() {
                Some(attempt) => recovery.after_unknown_end(&statement.guard, &attempt, events).await?,
                None => recovery.before_first(&statement.guard).await.map(|()| Verdict::Run)?,
            };
            if verdict == Verdict::Done {
                return self.close_statement(step, index, events).await;
            }
            let mut watch = Watch::new(&self.lease, self.server.backend_pid, &step.title, step.timeouts.lock, true);
            let work: Vec<Message> = messages
                .into_iter()
                .filter(|m| matches!(m.role, Role::Started(_) | Role::Work(_)))
                .map(|message| self.with_owed(message))
                .collect();
            let Err((role, error)) = self.send_all(&work, &mut watch, events).await else {
                recovery.verify(&statement.guard).await?;
                return self.close_statement(step, index, events).await;
            };
            if matches!(role, Role::Started(_)) && !error.is_lost() {
                let _ = self.work.send("ROLLBACK").await;
            }
            if let Err(failure) = self.interrupt.check() {
                return Err(self.stopped(step, index, &statement.guard, failure, events).await);
            }
            if error.is_lost() {
                return Err(explain(step, role, &error));
            }
            let out_of_patience = error.is_cancelled() && watch.blocked_for() > self.order.lock_patience;
            let attempt =
                journal::attempts(self.lease.session(), &step.id).await?.into_iter().find(|a| a.statement == index);
            let clean = match &attempt {
                Some(attempt) => recovery.after_failure(&statement.guard, attempt, events).await,
                None => true,
            };
            if clean {
                self.note_failure(step, Some(index), &error).await;
            } else {
                unknown = attempt;
            }
            let pause = backoff.pause(began.elapsed(), self.order.lock_patience, fastrand::f64());
            match pause.filter(|_| error.is_transient() && !out_of_patience) {
                Some(pause) => self.wait_to_retry(step, &error, pause, &watch, events).await?,
                None => {
                    let failure =
                        if out_of_patience { gave_up(step, &self.order) } else { explain(step, role, &error) };
                    let failure = with_blockers(failure, &watch, &error);
                    return Err(if clean {
                        failure
                    } else {
                        failure.note("what this attempt left could not be removed now; the next run does it")
                    });
                }
            }
        }
    }

    /// With what the journal is still to be told, which stays owed until it is seen to be told.
    fn with_owed(&self, message: Message) -> Message {
        let owed = self.owed.borrow();
        if owed.is_empty() || !matches!(message.role, Role::Started(_)) {
            return message;
        }
        // In the transaction of its own that the message is.
        let sql = message.sql.replacen("BEGIN READ WRITE;", &format!("BEGIN READ WRITE;\n{owed}"), 1);
        Message { sql: sql.into(), ..message }
    }

    /// Tells the journal what it is still to be told. Of what it is never told, the next run sees for itself how it ended.
    ///
    /// # Errors
    /// The server's.
    pub async fn tell_owed(&self) -> Result<()> {
        let owed = self.owed.take();
        if owed.is_empty() {
            return Ok(());
        }
        let told = self.work.send(&format!("BEGIN READ WRITE;\n{owed}\nCOMMIT;")).await;
        if told.as_ref().is_err_and(|error| !error.is_lost()) {
            let _ = self.work.send("ROLLBACK").await;
        }
        explain_journal(told, &self.server.role)
    }

    /// Records a statement outside a transaction as finished, and with the last one its step.
    pub(super) async fn close_statement(&self, step: &Step, index: usize, events: &mut dyn Events) -> Result<()> {
        if let Some(lines) = step.finished_lines(index).filter(|_| self.begun.is_some()) {
            self.owed.borrow_mut().push_str(&lines);
            return Ok(());
        }
        let close = Message { role: Role::Close, sql: step.close(index, index + 1 == step.statements.len()).into() };
        let began = Instant::now();
        let mut backoff = Backoff::new(self.order.pauses);
        loop {
            let mut watch = Watch::new(&self.lease, self.server.backend_pid, &step.title, step.timeouts.lock, false);
            let Err((role, error)) = self.send_all(std::slice::from_ref(&close), &mut watch, events).await else {
                return Ok(());
            };
            if !error.is_lost() {
                let _ = self.work.send("ROLLBACK").await;
            }
            let pause = backoff.pause(began.elapsed(), self.order.lock_patience, fastrand::f64());
            match pause.filter(|_| error.is_transient()) {
                Some(pause) => self.wait_to_retry(step, &error, pause, &watch, events).await?,
                None => return Err(with_blockers(explain(step, role, &error), &watch, &error)),
            }
        }
    }

    /// Sends messages in order; the first error says which one failed.
    async fn send_all(
        &self,
        messages: &[Message],
        watch: &mut Watch<'_>,
        events: &mut dyn Events,
    ) -> std::result::Result<(), (Role, ServerError)> {
        for message in messages {
            if self.interrupt.check().is_err() && message.role != Role::Close {
                // Reported by the caller, which asks the same question.
                return Err((message.role, ServerError::interrupted()));
            }
            let (subject, waits) = (watch.subject(), watch.waits);
            let began = Instant::now();
            let sending = watch.send(&self.work, &message.sql, self.order.lock_patience, events);
            let sent = match (&self.observer, message.role) {
                (Some(observer), Role::Work(index)) => {
                    observer.over(sending, &self.work, subject, index, &message.sql).await
                }
                _ => sending.await,
            };
            if let Some(observer) = &self.observer {
                match message.role {
                    Role::Work(_) if watch.waits > waits && !subject.1 => observer.waited(),
                    Role::Close => observer.closed(subject.0, began.elapsed()),
                    _ => {}
                }
            }
            sent.map_err(|e| (message.role, e))?;
            if matches!(message.role, Role::Started(_)) {
                self.owed.take();
            }
        }
        Ok(())
    }

    async fn wait_to_retry(
        &self,
        step: &Step,
        error: &ServerError,
        pause: Duration,
        watch: &Watch<'_>,
        events: &mut dyn Events,
    ) -> Result<()> {
        events.event(Event::Retry { title: &step.title, reason: &error.message(), pause, blockers: &watch.blockers });
        self.interrupt.sleep(pause).await
    }

    pub(super) fn check(&self) -> Result<()> {
        self.interrupt.check()?;
        self.lease.check()
    }
}

/// Two first runs of different commands may create the schema at once: a lock of the bootstrap's
/// own, held for its short transaction only.
fn bootstrap() -> String {
    format!(
        "BEGIN;\nSELECT pg_catalog.pg_advisory_xact_lock({}, 0);\n{}\nCOMMIT;",
        crate::pg::lease::CLASS,
        journal::BOOTSTRAP
    )
}

fn refuse_read_only(server: &Server) -> Result<()> {
    if server.in_recovery {
        return Err(Failure::new(Kind::Refused, "this server is a standby: it cannot be changed")
            .hint("connect to the primary, for example with several hosts and target_session_attrs=read-write"));
    }
    if server.read_only {
        let (database, role) = (Ident::new(server.database.as_str()), Ident::new(server.role.as_str()));
        return Err(Failure::new(Kind::Refused, "default_transaction_read_only is on for this role or database").hint(
            format!(
                "where it is meant, connect elsewhere; else, whichever set it: ALTER DATABASE {database} RESET \
                 default_transaction_read_only; ALTER ROLE {role} RESET default_transaction_read_only;"
            ),
        ));
    }
    Ok(())
}

fn explain(step: &Step, role: Role, error: &ServerError) -> Failure {
    match role {
        Role::Work(index) => {
            let (offset, starts) = step.statements.get(index).map_or((0, &[][..]), |s| (s.offset, &s.starts));
            let doing = format!("{} failed ({})", step.title, step.file);
            let failure = error.explain_in(doing, &step.file, &step.file_text, offset, starts);
            match (step.lane, step.statements.get(index).map(|s| &s.guard)) {
                (Lane::Transaction, _) | (_, Some(Guard::ReindexOf(_))) => failure,
                (Lane::Statements, _) => failure.hint(goes_on(index)),
            }
        }
        Role::Open | Role::Started(_) => error.explain(format!("cannot begin {}", step.title)),
        // The first statement of the close checks the file's deferred constraints.
        Role::Close if error.completed() == 0 && error.code().is_some_and(|code| !code.starts_with("57")) => {
            error.explain(format!("{} failed at its commit, at a deferred constraint ({})", step.title, step.file))
        }
        Role::Close => error.explain(format!("cannot record {}", step.title)),
    }
}

fn goes_on(index: usize) -> String {
    format!(
        "the file runs without a transaction: statements before number {} are done and recorded; mend the cause and run \
         again, it goes on from there",
        index + 1
    )
}

fn gave_up(step: &Step, order: &Order) -> Failure {
    let patience = order.lock_patience.as_secs_f64();
    Failure::new(Kind::Deferred, format!("{} was kept waiting for {patience:.0} s and gave up", step.title))
        .hint("run it again later: it goes on from this statement")
}

fn rolled_back(failure: Failure, step: &Step) -> Failure {
    failure.note(format!("{} was rolled back: nothing of it is left", step.title))
}

fn with_blockers(failure: Failure, watch: &Watch<'_>, error: &ServerError) -> Failure {
    if error.is_transient() || error.is_cancelled() { watch.blame(failure) } else { failure }
}
