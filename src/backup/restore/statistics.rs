//! Statistics of what was restored: every table that the backup brought none for, the largest first, by several sessions.
//! And the server is told how many rows there are, where they went in uncounted.

use std::cell::RefCell;
use std::collections::VecDeque;

use futures_util::future::try_join_all;

use crate::config::connection::Connection;
use crate::error::Result;
use crate::pg::{Interrupt, Query, Session};

/// Gathers them.
///
/// # Errors
/// The server's.
pub(super) async fn gather(connection: &Connection, jobs: usize, interrupt: &Interrupt) -> Result<()> {
    let doing = "cannot gather statistics";
    let session = open(connection, interrupt).await?;
    let rows = session.rows(&Query::RESTORE_STATISTICS, &[]).await.map_err(|e| e.explain(doing))?;
    let statements: VecDeque<String> = rows.iter().map(|row| row.try_get("statement")).collect::<Result<_, _>>()?;
    let more = jobs.clamp(1, statements.len().max(1)) - 1;
    let queue = RefCell::new(statements);
    let mut sessions = vec![session];
    for _ in 0..more {
        sessions.push(open(connection, interrupt).await?);
    }
    let work = async |session: Session| -> Result<()> {
        loop {
            let Some(statement) = queue.borrow_mut().pop_front() else { return Ok(()) };
            session.send(&statement).await.map_err(|e| e.explain(format!("{doing}: {statement}")))?;
        }
    };
    try_join_all(sessions.into_iter().map(work)).await.map(drop)
}

async fn open(connection: &Connection, interrupt: &Interrupt) -> Result<Session> {
    let session = Session::open(connection, "restore", interrupt).await?;
    // The search_path stays: functions that indexes call may count on it.
    let settings = "SET statement_timeout = 0; SET synchronous_commit = off";
    session.send(settings).await.map_err(|e| e.explain("cannot set the session's settings"))?;
    Ok(session)
}
