//! What an interrupted statement outside a transaction left behind, and how it is put right. Only
//! leftovers that the journal proves to be ours are removed.

use std::time::{Duration, Instant};

use super::apply::Executor;
use super::events::{Event, Events};
use super::guard::{Guard, Name, Reindexed};
use super::journal::{self, Attempt, State};
use super::plan::{Role, Step};
use super::retry::{Backoff, Pauses};
use super::watch::Watch;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{Interrupt, Lease, Query, ServerError, Session};

const POLL: Duration = Duration::from_millis(200);
/// How long an attempt that has failed may wait to remove what it left; the next run has all its
/// patience for it.
const TIDY_WITHIN: Duration = Duration::from_secs(1);

/// What is known after looking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The statement did its work.
    Done,
    /// Run it (again).
    Run,
}

/// Where the statement stands and what may be done about it.
pub(super) struct Recovery<'a> {
    pub(super) session: &'a Session,
    /// Looks on meanwhile.
    pub(super) lease: &'a Lease,
    pub(super) backend_pid: i32,
    pub(super) interrupt: &'a Interrupt,
    pub(super) step: &'a Step,
    /// Index of the statement.
    pub(super) index: usize,
    /// How long a leftover that another backend still works on is waited for.
    pub(super) patience: Duration,
    pub(super) pauses: Pauses,
}

#[derive(Debug)]
struct Index {
    name: TableName,
    valid: bool,
    busy: bool,
}

impl Executor {
    /// Sees how a statement has ended that a run began and never said so, and removes what it left, without
    /// running it again. Says whether it did its work.
    ///
    /// # Errors
    /// Deferred when what it left was not to be removed within the patience; the server's.
    pub async fn settle(&mut self, step: &Step, events: &mut dyn Events) -> Result<bool> {
        self.open_journal().await?;
        let attempts = journal::attempts(self.lease.session(), &step.id).await?;
        let Some(attempt) = attempts.iter().find(|attempt| attempt.state == State::Started) else { return Ok(false) };
        let Some(statement) = step.statements.get(attempt.statement) else { return Ok(false) };
        self.opened.take();
        for open in step.statement_messages(attempt.statement).iter().filter(|message| message.role == Role::Open) {
            self.work.send(&open.sql).await.map_err(|e| e.explain(format!("cannot begin {}", step.title)))?;
        }
        let recovery = self.recovery(step, attempt.statement);
        match recovery.after_unknown_end(&statement.guard, attempt, events).await? {
            Verdict::Done => self.close_statement(step, attempt.statement, events).await.map(|()| true),
            Verdict::Run => {
                let message = "ended before its end; what it left was removed";
                if let Some(run) = self.run {
                    let subjects = step.subjects(Some(attempt.statement));
                    journal::failed(self.lease.session(), run, &subjects, Some(attempt.statement), message).await?;
                }
                Ok(false)
            }
        }
    }

    /// Which indexes of a step that builds known ones anew are the old ones, or invalid.
    ///
    /// # Errors
    /// The server's.
    pub async fn old<'i>(&self, step: &'i Step) -> Result<Vec<&'i TableName>> {
        let mut old = Vec::new();
        for (number, statement) in step.statements.iter().enumerate() {
            old.extend(self.recovery(step, number).old(statement.guard.reindexed()).await?);
        }
        Ok(old)
    }

    pub(super) fn recovery<'a>(&'a self, step: &'a Step, index: usize) -> Recovery<'a> {
        Recovery {
            session: &self.work,
            lease: &self.lease,
            backend_pid: self.server.backend_pid,
            interrupt: &self.interrupt,
            step,
            index,
            patience: self.order.lock_patience,
            pauses: self.order.pauses,
        }
    }

    /// After a signal: the working session is being cancelled, so what a REINDEX has left is removed on the
    /// lease's, where that needs no long wait.
    pub(super) async fn stopped(
        &self,
        step: &Step,
        index: usize,
        guard: &Guard,
        failure: Failure,
        events: &mut dyn Events,
    ) -> Failure {
        if matches!(guard, Guard::ReindexOf(_)) && self.tidy_beside(step, index, guard, events).await {
            return failure;
        }
        failure.hint("run the same command again: it goes on from here and removes what this left")
    }

    async fn tidy_beside(&self, step: &Step, index: usize, guard: &Guard, events: &mut dyn Events) -> bool {
        let session = self.lease.session();
        // An error is told before its transaction is rolled back: until then the copy looks like one that is being
        // built.
        let _ = self.work.send("SELECT 1").await;
        let Ok(attempts) = journal::attempts(session, &step.id).await else { return false };
        let Some(attempt) = attempts.iter().find(|a| a.statement == index && a.state == State::Started) else {
            return true;
        };
        let interrupt = Interrupt::default();
        let recovery = Recovery { session, interrupt: &interrupt, ..self.recovery(step, index) };
        if !recovery.after_failure(guard, attempt, events).await {
            return false;
        }
        if let Some(run) = self.run {
            // The failure itself is what matters.
            let _ = journal::failed(session, run, &step.subjects(Some(index)), Some(index), "interrupted").await;
        }
        true
    }
}

impl Recovery<'_> {
    /// Before a first attempt: an invalid index of that name is somebody else's, and IF NOT EXISTS
    /// would take it for good.
    pub(super) async fn before_first(&self, guard: &Guard) -> Result<()> {
        let Guard::IndexBuild { index, table } = guard else { return Ok(()) };
        match self.index(index, table).await? {
            Some(found) if !found.valid => Err(Failure::new(
                Kind::Refused,
                format!(
                    "{}: index {} exists already and is invalid; this run did not build it",
                    self.step.title, found.name
                ),
            )
            .hint(format!("if nobody builds it: DROP INDEX CONCURRENTLY {}; then run again", found.name))),
            _ => Ok(()),
        }
    }

    /// After a run that ended without saying how: look, tidy, decide.
    pub(super) async fn after_unknown_end(
        &self,
        guard: &Guard,
        attempt: &Attempt,
        events: &mut dyn Events,
    ) -> Result<Verdict> {
        match guard {
            Guard::Rerun => Ok(Verdict::Run),
            Guard::IndexBuild { index, table } => {
                self.wait_until_idle(index, table).await?;
                match self.index(index, table).await? {
                    Some(found) if found.valid => Ok(Verdict::Done),
                    Some(found) => self.drop_index(&found.name, self.patience, events).await.map(|()| Verdict::Run),
                    None => Ok(Verdict::Run),
                }
            }
            Guard::IndexDrop { index } => {
                let gone = !self.exists(&index.to_string()).await?;
                Ok(if gone { Verdict::Done } else { Verdict::Run })
            }
            Guard::Reindex => self.drop_copies(attempt, None, self.patience, events).await.map(|()| Verdict::Run),
            Guard::ReindexOf(indexes) => {
                let old = self.old(indexes).await?;
                for Reindexed { index, heap, .. } in indexes {
                    self.drop_copies(attempt, Some((*heap, index)), self.patience, events).await?;
                }
                Ok(if old.is_empty() { Verdict::Done } else { Verdict::Run })
            }
            Guard::Detach { parent, partition } => match self.detach_pending(parent, partition).await? {
                None => Ok(Verdict::Done),
                Some(false) => Ok(Verdict::Run),
                Some(true) => {
                    let sql = format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE");
                    self.send(&sql, self.patience, events).await?;
                    events.event(Event::Cleaned { what: &format!("finalized the pending detach of {partition}") });
                    Ok(Verdict::Done)
                }
            },
            Guard::Create { kind, name } => {
                Ok(if self.object(kind.name(), name.raw()).await? { Verdict::Done } else { Verdict::Run })
            }
            Guard::Drop { kind, name } => {
                Ok(if self.object(kind.name(), name.raw()).await? { Verdict::Run } else { Verdict::Done })
            }
            Guard::Unknowable => Err(self.unknowable()),
        }
    }

    /// After an attempt that failed: removes what it left. Says whether nothing is left; what could
    /// not be removed is the next run's, the failure itself is what matters.
    pub(super) async fn after_failure(&self, guard: &Guard, attempt: &Attempt, events: &mut dyn Events) -> bool {
        let tidied = match guard {
            Guard::IndexBuild { index, table } => match self.index(index, table).await {
                Ok(Some(found)) if !found.valid => self.drop_index(&found.name, TIDY_WITHIN, events).await,
                looked => looked.map(drop),
            },
            Guard::Reindex => self.drop_copies(attempt, None, TIDY_WITHIN, events).await,
            Guard::ReindexOf(indexes) => {
                // One that cannot be removed does not keep the others.
                let mut tidied = Ok(());
                for Reindexed { index, heap, .. } in indexes {
                    let dropped = self.drop_copies(attempt, Some((*heap, index)), TIDY_WITHIN, events).await;
                    tidied = tidied.and(dropped);
                }
                tidied
            }
            Guard::Detach { parent, partition } => {
                return matches!(self.detach_pending(parent, partition).await, Ok(pending) if pending != Some(true));
            }
            Guard::Rerun | Guard::IndexDrop { .. } | Guard::Create { .. } | Guard::Drop { .. } | Guard::Unknowable => {
                Ok(())
            }
        };
        tidied.is_ok()
    }

    /// After success: an index that is there but invalid is no success. Whoever builds known ones anew asks once for all
    /// of them, at the end.
    pub(super) async fn verify(&self, guard: &Guard) -> Result<()> {
        let Guard::IndexBuild { index, table } = guard else { return Ok(()) };
        match self.index(index, table).await? {
            Some(found) if found.valid => Ok(()),
            Some(found) => Err(Failure::new(Kind::Failed, format!("index {} is invalid after its build", found.name))
                .hint(format!("REINDEX INDEX CONCURRENTLY {};", found.name))),
            None => Err(Failure::new(Kind::Failed, format!("index {index} is not there after its build"))),
        }
    }

    /// Those whose names no other, valid index bears now.
    async fn old<'i>(&self, indexes: &'i [Reindexed]) -> Result<Vec<&'i TableName>> {
        let schemas: Vec<&str> = indexes.iter().map(|of| of.index.schema.raw()).collect();
        let names: Vec<&str> = indexes.iter().map(|of| of.index.name.raw()).collect();
        let oids: Vec<u32> = indexes.iter().map(|of| of.oid).collect();
        let rows = self.session.rows(&Query::REINDEX_STATE, &[&schemas, &names, &oids]).await;
        let rows = rows.map_err(|e| e.explain(format!("cannot look at the indexes of {}", self.step.title)))?;
        let new = rows.iter().map(|row| Ok(row.try_get("before")?)).collect::<Result<Vec<u32>>>()?;
        Ok(indexes.iter().filter(|of| !new.contains(&of.oid)).map(|of| &of.index).collect())
    }

    async fn index(&self, index: &Name, table: &Name) -> Result<Option<Index>> {
        let rows = self
            .session
            .rows(&Query::INDEX_STATE, &[&table.to_string(), &index.name.raw()])
            .await
            .map_err(|e| e.explain(format!("cannot look at index {index}")))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
        Ok(Some(Index { name: TableName::new(schema, name), valid: row.try_get("valid")?, busy: row.try_get("busy")? }))
    }

    /// The backend of a killed run may still build: it notices within client_connection_check_interval.
    async fn wait_until_idle(&self, index: &Name, table: &Name) -> Result<()> {
        let began = Instant::now();
        while let Some(found) = self.index(index, table).await?.filter(|found| !found.valid && found.busy) {
            if began.elapsed() > self.patience {
                return Err(Failure::new(Kind::Deferred, format!("another session still builds index {}", found.name))
                    .hint("see pg_stat_progress_create_index; run again when it is done"));
            }
            self.interrupt.sleep(POLL).await?;
        }
        Ok(())
    }

    async fn drop_index(&self, name: &TableName, patience: Duration, events: &mut dyn Events) -> Result<()> {
        self.send(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"), patience, events).await?;
        events.event(Event::Cleaned { what: &format!("dropped the invalid index {name} of an unfinished build") });
        Ok(())
    }

    /// Copies that appeared since the attempt began, of one table where it is known, and that nobody works
    /// on are ours.
    async fn drop_copies(
        &self,
        attempt: &Attempt,
        of: Option<(u32, &TableName)>,
        patience: Duration,
        events: &mut dyn Events,
    ) -> Result<()> {
        let rows = match of {
            Some((heap, _)) => self.session.rows(&Query::REINDEX_COPIES, &[&heap]).await,
            None => self.session.rows(&Query::INVALID_COPIES, &[]).await,
        };
        let rows = rows.map_err(|e| e.explain("cannot look for half-built copies of indexes"))?;
        for row in &rows {
            let oid: u32 = row.try_get("oid")?;
            let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
            // Somebody else may build another index of the same table.
            let is_ours = of.is_none_or(|(_, index)| is_copy(&name, index.name.raw()));
            if is_ours && !attempt.invalid_before.contains(&oid) {
                self.drop_index(&TableName::new(schema, name), patience, events).await?;
            }
        }
        Ok(())
    }

    async fn detach_pending(&self, parent: &Name, partition: &Name) -> Result<Option<bool>> {
        let rows = self
            .session
            .rows(&Query::DETACH_PENDING, &[&parent.to_string(), &partition.to_string()])
            .await
            .map_err(|e| e.explain(format!("cannot look at partition {partition}")))?;
        rows.first().map(|row| row.try_get("pending").map_err(Failure::from)).transpose()
    }

    async fn exists(&self, relation: &str) -> Result<bool> {
        self.found(&Query::RELATION_EXISTS, &[&relation]).await
    }

    async fn object(&self, kind: &str, name: &str) -> Result<bool> {
        self.found(&Query::OBJECT_EXISTS, &[&kind, &name]).await
    }

    async fn found(&self, query: &Query, params: &[&(dyn crate::pg::ToSql + Sync)]) -> Result<bool> {
        let rows =
            self.session.rows(query, params).await.map_err(|e| e.explain("cannot look at what an earlier run left"))?;
        rows.first().map_or(Ok(false), |row| row.try_get("found").map_err(Failure::from))
    }

    /// Waits for locks like the statement whose leftovers it removes, and no longer than `patience`.
    async fn send(&self, sql: &str, patience: Duration, events: &mut dyn Events) -> Result<()> {
        let began = Instant::now();
        let mut backoff = Backoff::new(self.pauses);
        loop {
            self.interrupt.check()?;
            let title = &self.step.title;
            let mut watch = Watch::new(self.lease, self.backend_pid, title, self.step.timeouts.lock, true);
            let left = patience.saturating_sub(began.elapsed());
            let Err(error) = watch.send(self.session, sql, left, events).await else { return Ok(()) };
            let pause = backoff.pause(began.elapsed(), patience, fastrand::f64());
            match pause.filter(|_| error.is_transient()) {
                Some(pause) => {
                    let (reason, blockers) = (error.message(), &watch.blockers);
                    events.event(Event::Retry { title, reason: &reason, pause, blockers });
                    self.interrupt.sleep(pause).await?;
                }
                None => return Err(watch.blame(cannot_tidy(sql, &error, watch.blocked_for() > left))),
            }
        }
    }

    fn unknowable(&self) -> Failure {
        let number = self.index + 1;
        Failure::new(
            Kind::Refused,
            format!(
                "{}: statement {number} of {} was begun by a run that never said how it ended; CALL and DO may have \
                 committed a part of their work",
                self.step.title, self.step.file
            ),
        )
        .hint(format!(
            "look at what it did, then say so: {} ('failed' instead of 'finished' lets the next run try it again)",
            journal::settle(&self.step.id, self.index, "finished")
        ))
    }
}

/// What an earlier run finished, or left in a state that only its own text can tell, must still be
/// there as it was.
pub(super) fn refuse_edited(step: &Step, attempts: &[Attempt]) -> Result<()> {
    for attempt in attempts.iter().filter(|a| a.state != State::Failed) {
        let number = attempt.statement + 1;
        let what = match step.statements.get(attempt.statement) {
            // By itself or with all of its table: what tells how it ended is the index.
            Some(_) if step.is_reindex(attempt.statement) => continue,
            Some(statement) if attempt.sql_hash == journal::hash(&statement.sql) => continue,
            Some(_) => "was changed",
            None => "was taken out",
        };
        let failure = |did: &str| {
            let message = format!("statement {number} of {} {what} after an earlier run had {did} it", step.file);
            Failure::new(Kind::Refused, message)
        };
        return Err(if attempt.state == State::Finished {
            failure("finished").hint("put its old text back; what it should do besides belongs into a new migration")
        } else {
            failure("begun").hint("put its old text back: what it left is removed by running it again").hint(format!(
                "or see to it that nothing of it is left, and say so: {}",
                journal::settle(&step.id, attempt.statement, "failed")
            ))
        });
    }
    Ok(())
}

fn cannot_tidy(sql: &str, error: &ServerError, gave_up: bool) -> Failure {
    let failure = error.explain(format!("cannot remove what an interrupted run left ({sql})"));
    if gave_up && error.is_cancelled() { failure.kind(Kind::Deferred) } else { failure }
}

/// Whether a name is one that the server gives to a copy of this index; it cuts long names off.
pub fn is_copy(copy: &str, index: &str) -> bool {
    let plain = copy.trim_end_matches(|c: char| c.is_ascii_digit());
    let base = plain.strip_suffix("_ccnew").or_else(|| plain.strip_suffix("_ccold"));
    // Of 63 bytes up to three stay unused in front of a character of four.
    base.is_some_and(|base| base == index || index.starts_with(base) && copy.len() >= 60)
}

#[cfg(test)]
mod copies {
    use super::is_copy;

    #[test]
    fn a_copy_bears_the_name_of_its_index() {
        assert!(is_copy("a_ccnew", "a") && is_copy("a_ccold12", "a") && is_copy("a_1_ccnew", "a_1"));
        assert!(!is_copy("ab_ccnew", "a") && !is_copy("a_ccnew", "ab") && !is_copy("a_cc", "a") && !is_copy("a", "a"));
        let long = "x".repeat(63);
        assert!(is_copy(&format!("{}_ccnew", "x".repeat(57)), &long));
        assert!(is_copy(&format!("{}_ccnew3", "x".repeat(56)), &long));
    }
}
