//! Rows go in and are read again, by several jobs: each a thread with a runtime and a session of its own, so that
//! opening, sending and the server's work on different tables run beside each other.
//!
//! No trigger fires and no foreign key is checked while rows go in: both are made afterwards. COPY fires no rules.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::board::{Board, Next, Piece};
use super::plan;
use crate::archive::settings;
use crate::archive::{Identities, verify};
use crate::backup::Repository;
use crate::backup::crew;
use crate::backup::manifest::{File, Manifest, Table};
use crate::backup::pages::{self, Pages};
use crate::backup::rows::RowSum;
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};
use crate::ident::Literal;
use crate::pg::{Interrupt, Session};
use crate::steps::events::{Event, Events};

/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);
/// What a restore says that found other rows than were backed up.
pub const OTHER: &str = "what was restored is not what was backed up";
/// Rows look for others that are not there.
const FOREIGN_KEY_VIOLATION: &str = "23503";
/// How often somebody looks who has nothing to do until others have loaded a table.
const WAIT: Duration = Duration::from_millis(5);
/// A role or database may have settings under which rows would not go in, or not all be seen.
const SETTINGS: &str = "SET search_path = ''; SET statement_timeout = 0; SET lock_timeout = 0; \
     SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = off; SET row_security = off; \
     SET synchronize_seqscans = off; SET array_nulls = on; SET default_transaction_read_only = off; ";

/// What only a superuser may do; which one a session is, it alone knows.
const UNCOUNTED: &str = "SELECT pg_catalog.set_config('track_counts', 'off', true) \
     WHERE pg_catalog.current_setting('is_superuser')::BOOL; ";

/// What all jobs share.
#[derive(Clone)]
pub struct Work {
    /// The database that is built.
    pub connection: Connection,
    /// Signals.
    pub interrupt: Interrupt,
    /// What is restored.
    pub manifest: Manifest,
    /// Where it lies.
    pub url: String,
    /// What the store is opened with.
    pub env: Env,
    /// What opens it.
    pub identities: Identities,
    /// What goes in frozen is not counted as activity, where a superuser loads it: autovacuum, which has nothing to do
    /// there, would hold the table when its indexes are to be made.
    pub uncounted: bool,
}

struct Shared {
    work: Arc<Work>,
    board: Mutex<Board>,
    jobs: usize,
    bytes: AtomicU64,
    stop: AtomicBool,
}

/// Loads the rows of these tables, reads each again once it is there, and holds it against the manifest.
///
/// # Errors
/// Refused, when a file or a table is not what the manifest says; the server's; the store's.
pub async fn load_and_prove(work: &Arc<Work>, tables: &[usize], jobs: usize, events: &mut dyn Events) -> Result<()> {
    let read = load_and_read_again(work, tables, jobs, events).await?;
    let tables: Vec<&Table> = tables.iter().map(|&table| &work.manifest.tables[table]).collect();
    let differing = plan::differences(&tables, &read)?;
    if differing.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(Kind::Refused, OTHER);
    Err(differing.iter().fold(failure, Failure::note))
}

/// What each comes to, in their order.
async fn load_and_read_again(
    work: &Arc<Work>,
    tables: &[usize],
    jobs: usize,
    events: &mut dyn Events,
) -> Result<Vec<RowSum>> {
    let all = &work.manifest.tables;
    let total: u64 = tables.iter().map(|&table| all[table].plain_bytes).sum();
    let sizes: BTreeMap<&str, u64> =
        work.manifest.files.iter().map(|part| (part.file.path.as_str(), part.file.plain_bytes)).collect();
    let board = Board::of(all, tables, jobs, |path| sizes.get(path).copied().unwrap_or_default());
    let jobs = jobs.clamp(1, board.len().max(1));
    let shared = Arc::new(Shared {
        work: Arc::clone(work),
        board: Mutex::new(board),
        jobs,
        bytes: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });
    let workers: Vec<_> = (0..jobs)
        .map(|_| {
            let shared = Arc::clone(&shared);
            tokio::task::spawn_blocking(move || crew::work(&shared.stop, until_done(&shared)))
        })
        .collect();
    let read = tokio::select! {
        done = crew::gather(workers) => done?,
        () = tell(&shared, 2 * total, events) => return Err(Failure::new(Kind::Failed, "nobody works any more")),
    };
    let mut sums: BTreeMap<usize, RowSum> = BTreeMap::new();
    for (table, sum) in &read {
        sums.entry(*table).or_default().join(sum);
    }
    Ok(tables.iter().map(|table| sums.remove(table).unwrap_or_default()).collect())
}

/// Says how far it is. Never ends.
async fn tell(shared: &Shared, total: u64, events: &mut dyn Events) {
    let began = Instant::now();
    loop {
        tokio::time::sleep(TICK).await;
        let done = shared.bytes.load(Ordering::Relaxed);
        let took = began.elapsed().as_secs_f64();
        let left = if done > 0 { took * total.saturating_sub(done) as f64 / done as f64 } else { 0.0 };
        let phase = format!(
            "{} of {} MB, {:.0} MB/s, {left:.0} s left",
            done / 1_000_000,
            total / 1_000_000,
            done as f64 / took / 1e6
        );
        let (done, total) = (i64::try_from(done).unwrap_or(i64::MAX), i64::try_from(total).unwrap_or(i64::MAX));
        events.event(Event::Progress { title: "rows", phase: &phase, done, total });
    }
}

async fn until_done(shared: &Shared) -> Result<Vec<(usize, RowSum)>> {
    let work = &shared.work;
    let session = open(&work.connection, &work.interrupt).await?;
    let repository = Repository::open(&work.url, &work.env)?;
    let mut sums = Vec::new();
    while let Some(piece) = shared.next().await {
        work.interrupt.check()?;
        let told = |table: usize| &work.manifest.tables[table];
        let went_in = match piece {
            Piece::Whole(table) => {
                put_all(shared, &session, &repository, told(table)).await?;
                vec![table]
            }
            Piece::Chunk(table, chunk) => {
                put(shared, &session, &repository, told(table), chunk, false).await?;
                vec![table]
            }
            Piece::Together => put_together(shared, &session, &repository).await?,
            Piece::Again(table, pages) => {
                sums.push((table, take(shared, &session, told(table), pages).await?));
                Vec::new()
            }
        };
        for table in went_in {
            if shared.board().went_in(table) {
                let ranges = ranges(shared, &session, told(table)).await?;
                shared.board().loaded(table, ranges);
            }
        }
    }
    Ok(sums)
}

/// Loads the tables of extensions, again and again those whose rows look for others that are not there yet.
async fn put_together(shared: &Shared, session: &Session, repository: &Repository) -> Result<Vec<usize>> {
    let all = shared.board().together.clone();
    let mut left = all.clone();
    while !left.is_empty() {
        let (mut refused, mut why) = (Vec::new(), None);
        for table in &left {
            let told = &shared.work.manifest.tables[*table];
            // Never more than one chunk: what has a condition is not cut.
            match put(shared, session, repository, told, 0, false).await {
                Ok(()) => {}
                Err(failure) if failure.code() == Some(FOREIGN_KEY_VIOLATION) => {
                    refused.push(*table);
                    why = Some(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        match why {
            Some(why) if refused.len() == left.len() => return Err(why),
            _ => left = refused,
        }
    }
    Ok(all)
}

/// In which ranges a table is read again.
async fn ranges(shared: &Shared, session: &Session, table: &Table) -> Result<Vec<Option<Pages>>> {
    if table.condition.is_some() {
        return Ok(vec![None]);
    }
    let name = table.table_name();
    let sql = format!(
        "SELECT s.bytes, s.bytes / pg_catalog.current_setting('block_size')::INT8 AS pages \
         FROM pg_catalog.pg_relation_size({}::pg_catalog.regclass) AS s (bytes)",
        Literal(&name.to_string())
    );
    let rows = session.rows_of(&sql).await.map_err(|e| e.explain(format!("cannot measure {name}")))?;
    let Some(row) = rows.first() else { return Ok(vec![None]) };
    let (bytes, pages): (i64, i64) = (row.try_get("bytes")?, row.try_get("pages")?);
    Ok(pages::cut(u64::try_from(bytes)?, u64::try_from(pages)?, shared.jobs))
}

async fn open(connection: &Connection, interrupt: &Interrupt) -> Result<Session> {
    let session = Session::open(connection, "restore", interrupt).await?;
    let doing = "cannot set the session's settings";
    session.send(&format!("{SETTINGS}{}", settings::UNLIMITED)).await.map_err(|e| e.explain(doing))?;
    let text = settings::for_reading().replace("SET LOCAL", "SET");
    session.send(&text).await.map_err(|e| e.explain(doing))?;
    Ok(session)
}

/// Loads all chunks of a table in the transaction that empties it, which it is already: so they may be frozen.
async fn put_all(shared: &Shared, session: &Session, repository: &Repository, table: &Table) -> Result<()> {
    let doing = || format!("cannot load {}", table.table_name());
    let uncounted = if shared.work.uncounted { UNCOUNTED } else { "" };
    let begin = format!("BEGIN; {uncounted}TRUNCATE ONLY {}", table.table_name());
    session.send(&begin).await.map_err(|e| e.explain(doing()))?;
    for chunk in 0..table.chunks.len() {
        put(shared, session, repository, table, chunk, true).await?;
    }
    session.send("COMMIT").await.map_err(|e| e.explain(doing()))
}

/// Loads one chunk. What the server counted must be what the manifest says.
async fn put(
    shared: &Shared,
    session: &Session,
    repository: &Repository,
    table: &Table,
    chunk: usize,
    frozen: bool,
) -> Result<()> {
    let (work, chunk) = (&shared.work, &table.chunks[chunk]);
    let file = work.file(&chunk.path)?;
    let doing = || format!("cannot load {} from {}", table.table_name(), chunk.path);
    let sql = plan::rows_in(table, &work.manifest.database.encoding, frozen);
    let mut copy = session.copy_in(&sql).await.map_err(|e| e.explain(doing()))?;
    let send = async |piece: Bytes| {
        if shared.stop.load(Ordering::Relaxed) {
            return Err(crew::stopped());
        }
        shared.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        copy.send(piece).await.map_err(|e| e.explain(doing()))
    };
    tokio::select! {
        read = verify::read_file(repository.store(), &file, &work.identities, send) => read.map(drop)?,
        failure = work.interrupt.wait() => return Err(failure),
    }
    let stored = copy.finish().await.map_err(|e| e.explain(doing()))?;
    if stored == chunk.rows {
        return Ok(());
    }
    Err(Failure::new(Kind::Refused, format!("{}: {stored} rows went in, the manifest says {}", doing(), chunk.rows)))
}

async fn take(shared: &Shared, session: &Session, table: &Table, pages: Option<Pages>) -> Result<RowSum> {
    let doing = || format!("cannot read {} again", table.table_name());
    let sql = plan::rows_out(table, pages, &shared.work.manifest.database.encoding);
    let mut sum = RowSum::new(&table.form);
    let mut rows = Box::pin(session.copy_out_together(&sql).await.map_err(|e| e.explain(doing()))?);
    while let Some(some) = rows.try_next().await.map_err(|e| e.explain(doing()))? {
        if shared.stop.load(Ordering::Relaxed) {
            drop(rows);
            // Else the server would go on sending. What it says of this is not news.
            let _ = session.cancel().await;
            return Err(crew::stopped());
        }
        sum.add(&some);
        shared.bytes.fetch_add(some.len() as u64, Ordering::Relaxed);
    }
    sum.ended().map_err(|failure| failure.context(doing()))?;
    Ok(sum)
}

impl Work {
    /// A file of the backup, where the store has it.
    ///
    /// # Errors
    /// Refused, when the manifest does not name it.
    pub fn file(&self, path: &str) -> Result<File> {
        let found = self.manifest.files.iter().find(|part| part.file.path == path);
        let part = found.ok_or_else(|| Failure::new(Kind::Refused, format!("the manifest names no file {path}")))?;
        Ok(File { path: Repository::path(&self.manifest.id, path), ..part.file.clone() })
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Option<Piece> {
        loop {
            if self.stop.load(Ordering::SeqCst) {
                return None;
            }
            let next = self.board().next();
            match next {
                Next::Do(piece) => return Some(piece),
                Next::Done => return None,
                Next::Wait => tokio::time::sleep(WAIT).await,
            }
        }
    }
}
