//! One of several jobs that copy rows: a thread with a runtime, a session under the run's snapshot and a
//! store of its own, so that reading, hashing, compressing and writing of different tables run beside
//! each other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::TryStreamExt as _;

use super::plan::Piece;
use super::sealed::{Sealed, Sealing};
use crate::archive::manifest::File;
use crate::backup::Repository;
use crate::backup::crew;
use crate::backup::repository::Draft;
use crate::backup::rows::RowSum;
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::Result;
use crate::pg::{Interrupt, Session};

/// After how many bytes the other jobs are looked at.
const TOLD: u64 = 64 << 10;

/// What all jobs share.
pub struct Shared {
    /// Where the database is.
    pub connection: Connection,
    /// Signals.
    pub interrupt: Interrupt,
    /// Opens the transaction under the run's snapshot.
    pub begin: String,
    /// Takes the locks before the first row is read; none where there are too many.
    pub lock: Option<String>,
    /// Where the backup goes.
    pub url: String,
    /// What the store is opened with.
    pub env: Env,
    /// The backup under way.
    pub draft: Draft,
    /// How files are sealed.
    pub sealing: Sealing,
    /// What is still to be copied.
    pub queue: Mutex<VecDeque<Piece>>,
    /// How much of the tables was read, in bytes on the server.
    pub read: AtomicU64,
    /// How much COPY made of it.
    pub plain: AtomicU64,
    /// A job failed, or the run is over: the others stop.
    pub stop: AtomicBool,
}

/// What became of a piece.
pub struct Copied {
    /// The index of its table.
    pub table: usize,
    /// Its rows.
    pub sum: RowSum,
    /// Bytes of what COPY wrote.
    pub plain_bytes: u64,
    /// The file; none where there was no row.
    pub file: Option<File>,
}

/// Copies until nothing is left. On a thread of its own.
///
/// # Errors
/// The server's, the store's.
pub fn work(shared: &Shared) -> Result<Vec<Copied>> {
    crew::work(&shared.stop, copy(shared))
}

async fn copy(shared: &Shared) -> Result<Vec<Copied>> {
    let session = Session::open(&shared.connection, "backup", &shared.interrupt).await?;
    let begun = session.send(&shared.begin).await;
    begun.map_err(|e| e.explain("cannot work under the run's snapshot"))?;
    if let Some(lock) = &shared.lock {
        session.send(lock).await.map_err(|e| e.explain("cannot lock the tables"))?;
    }
    let repository = Repository::open(&shared.url, &shared.env)?;
    let mut copied = Vec::new();
    while let Some(piece) = shared.next() {
        copied.push(one(shared, &session, &repository, &piece).await?);
    }
    Ok(copied)
}

async fn one(shared: &Shared, session: &Session, repository: &Repository, piece: &Piece) -> Result<Copied> {
    let doing = || format!("cannot copy: {}", piece.sql);
    let mut file = Sealed::of_rows(repository.store(), |name| shared.draft.path(name), &piece.file, &shared.sealing)?;
    let (mut sum, mut plain_bytes, mut untold) = (RowSum::new(&piece.form), 0_u64, 0_u64);
    let mut rows = Box::pin(session.copy_out_together(&piece.sql).await.map_err(|e| e.explain(doing()))?);
    let copied = async {
        while let Some(some) = rows.try_next().await.map_err(|e| e.explain(doing()))? {
            sum.add(&some);
            file.write(&some).await?;
            untold += some.len() as u64;
            // What all jobs look at is looked at now and then.
            if untold >= TOLD {
                if shared.stop.load(Ordering::Relaxed) {
                    return Err(crew::stopped());
                }
                shared.plain.fetch_add(untold, Ordering::Relaxed);
                plain_bytes += std::mem::take(&mut untold);
            }
        }
        plain_bytes += untold;
        shared.plain.fetch_add(untold, Ordering::Relaxed);
        sum.ended().map_err(|failure| failure.context(doing()))
    };
    let copied: Result<()> = copied.await;
    drop(rows);
    if let Err(failure) = copied {
        // Else the server would go on sending to the end. What it says of this is not news.
        let _ = session.cancel().await;
        return Err(failure);
    }
    let file = if sum.rows() == 0 { None } else { Some(file.finish().await?) };
    shared.read.fetch_add(piece.bytes, Ordering::Relaxed);
    Ok(Copied { table: piece.table, sum, plain_bytes, file })
}

impl Shared {
    /// How many pieces are still to be copied.
    pub fn pieces(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn next(&self) -> Option<Piece> {
        if self.stop.load(Ordering::SeqCst) {
            return None;
        }
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
