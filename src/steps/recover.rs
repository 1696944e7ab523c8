//! What an interrupted statement outside a transaction left behind, and how it is put right. Only
//! leftovers that the journal proves to be ours are removed.

use std::time::{Duration, Instant};

use super::events::{Event, Events};
use super::guard::{Guard, Name};
use super::journal::Attempt;
use super::plan::Step;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{Interrupt, Query, Session};

const POLL: Duration = Duration::from_millis(200);

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
    pub(super) interrupt: &'a Interrupt,
    pub(super) step: &'a Step,
    /// Index of the statement.
    pub(super) index: usize,
    /// How long a leftover that another backend still works on is waited for.
    pub(super) patience: Duration,
}

#[derive(Debug)]
struct Index {
    name: TableName,
    valid: bool,
    busy: bool,
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
                    Some(found) => self.drop_index(&found.name, events).await.map(|()| Verdict::Run),
                    None => Ok(Verdict::Run),
                }
            }
            Guard::IndexDrop { index } => {
                let gone = !self.exists(&index.to_string()).await?;
                Ok(if gone { Verdict::Done } else { Verdict::Run })
            }
            Guard::Reindex => self.drop_copies(attempt, events).await.map(|()| Verdict::Run),
            Guard::Detach { parent, partition } => match self.detach_pending(parent, partition).await? {
                None => Ok(Verdict::Done),
                Some(false) => Ok(Verdict::Run),
                Some(true) => {
                    let sql = format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE");
                    self.send(&sql).await?;
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

    /// After an attempt that failed: removes what it left. Says whether nothing is left.
    pub(super) async fn after_failure(
        &self,
        guard: &Guard,
        attempt: &Attempt,
        events: &mut dyn Events,
    ) -> Result<bool> {
        match guard {
            Guard::IndexBuild { index, table } => {
                if let Some(found) = self.index(index, table).await?.filter(|found| !found.valid) {
                    self.drop_index(&found.name, events).await?;
                }
                Ok(true)
            }
            Guard::Reindex => self.drop_copies(attempt, events).await.map(|()| true),
            Guard::Detach { parent, partition } => Ok(self.detach_pending(parent, partition).await? != Some(true)),
            Guard::Rerun | Guard::IndexDrop { .. } | Guard::Create { .. } | Guard::Drop { .. } | Guard::Unknowable => {
                Ok(true)
            }
        }
    }

    /// After success: an index that is there but invalid is no success.
    pub(super) async fn verify(&self, guard: &Guard) -> Result<()> {
        let Guard::IndexBuild { index, table } = guard else { return Ok(()) };
        match self.index(index, table).await? {
            Some(found) if found.valid => Ok(()),
            Some(found) => Err(Failure::new(Kind::Failed, format!("index {} is invalid after its build", found.name))
                .hint(format!("REINDEX INDEX CONCURRENTLY {};", found.name))),
            None => Err(Failure::new(Kind::Failed, format!("index {index} is not there after its build"))),
        }
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

    async fn drop_index(&self, name: &TableName, events: &mut dyn Events) -> Result<()> {
        self.send(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
        events.event(Event::Cleaned { what: &format!("dropped the invalid index {name} of an unfinished build") });
        Ok(())
    }

    /// Copies that appeared since the attempt began and that nobody works on are ours.
    async fn drop_copies(&self, attempt: &Attempt, events: &mut dyn Events) -> Result<()> {
        let rows = self
            .session
            .rows(&Query::INVALID_COPIES, &[])
            .await
            .map_err(|e| e.explain("cannot look for half-built copies of indexes"))?;
        for row in &rows {
            let oid: u32 = row.try_get("oid")?;
            if !attempt.invalid_before.contains(&oid) {
                let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
                self.drop_index(&TableName::new(schema, name), events).await?;
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

    async fn send(&self, sql: &str) -> Result<()> {
        let sent = self.session.send(sql).await;
        sent.map_err(|e| e.explain(format!("cannot remove what an interrupted run left ({sql})")))
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
            "look at what it did, then say so: INSERT INTO dbctl.journal (run, subject, statement, sql_hash, state) \
             SELECT run, subject, statement, sql_hash, 'finished' FROM dbctl.journal WHERE subject = {} AND statement = \
             {} ORDER BY id DESC LIMIT 1; ('failed' instead of 'finished' lets the next run try it again)",
            crate::ident::Literal(&self.step.id),
            self.index
        ))
    }
}
