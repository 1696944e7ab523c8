//! What a killed pg_repack has left is removed: a log, a half-filled copy, a type and the trigger that fills the log.
//! It is nobody's when the lock that every pg_repack holds on its table can be had; while it is removed, that lock is
//! held here, so that none begins.

use std::time::Duration;

use super::plan::{self, RepackPlan};
use super::read::{self, Leftover};
use super::{Answer, Request, view};
use crate::error::{Failure, Kind, Result};
use crate::pg::Server;
use crate::steps::apply::Executor;
use crate::steps::events::{Event, Events};
use crate::steps::{Means, Pauses, Plan};

/// The first key of pg_repack's advisory locks; the second is the table's OID, moved into the range of signed numbers.
const CLASS: i32 = 16_185_446;

/// What became of what was left on one table.
#[derive(Debug)]
pub struct Cleaned {
    /// What was left.
    pub left: Leftover,
    /// How it ended.
    pub end: Result<()>,
}

/// Removes what is nobody's on every table, or shows it.
///
/// # Errors
/// Busy; interrupted. What concerns one table is in the answer.
pub async fn run(
    request: &Request,
    server: &Server,
    leftovers: &[Leftover],
    strays: Vec<String>,
    begin: impl AsyncFnOnce(&mut Means<'_>) -> Result<Executor>,
    means: &mut Means<'_>,
) -> Result<Answer> {
    let plan = RepackPlan { leftovers: plan::abandoned(leftovers), ..RepackPlan::default() };
    if request.dry_run || plan.leftovers.is_empty() {
        return Ok(view::cleaned(request, server, &plan, &[], &strays, leftovers));
    }
    let mut executor = begin(means).await?;
    let cleaned = all(&mut executor, request, None, means.events).await;
    let failed = cleaned.iter().any(|cleaned| cleaned.end.is_err());
    if let Err(failure) = means.interrupt.check() {
        executor.close_failed(&failure).await;
        return Err(failure);
    }
    executor.close(if failed { "partial" } else { "done" }, "").await;
    Ok(view::cleaned(request, server, &plan, &cleaned, &strays, leftovers))
}

/// Removes what is nobody's now: on every table, or on one.
pub async fn all(
    executor: &mut Executor,
    request: &Request,
    only: Option<u32>,
    events: &mut dyn Events,
) -> Vec<Cleaned> {
    let mut cleaned = Vec::new();
    let leftovers = read::leftovers(executor.session()).await.unwrap_or_default();
    for left in plan::abandoned(&leftovers) {
        if only.is_some_and(|oid| oid != left.oid) {
            continue;
        }
        let end = one(executor, request, left.oid, events).await;
        match &end {
            Ok(true) => {
                let what = format!("removed what a pg_repack that did not end has left on {}", left.table);
                events.event(Event::Cleaned { what: &what });
            }
            Ok(false) => continue,
            Err(failure) => {
                let message =
                    format!("what a pg_repack has left on {} stays: {}", left.table, failure.messages().join(": "));
                events
                    .event(Event::Attention { message: &message, hint: Some("remove it later: dbctl repack --clean") });
            }
        }
        cleaned.push(Cleaned { left, end: end.map(|_| ()) });
    }
    cleaned
}

/// Whether there was something to remove.
async fn one(executor: &mut Executor, request: &Request, oid: u32, events: &mut dyn Events) -> Result<bool> {
    if !lock(executor, "pg_try_advisory_lock", oid).await? {
        return Ok(false);
    }
    let removed = remove(executor, request, oid, events).await;
    // With the session, if not now, it goes.
    let _ = lock(executor, "pg_advisory_unlock", oid).await;
    removed
}

async fn remove(executor: &mut Executor, request: &Request, oid: u32, events: &mut dyn Events) -> Result<bool> {
    let now = read::leftovers(executor.session()).await?;
    let Some(left) = now.into_iter().find(|left| left.oid == oid && left.worked_by.is_none()) else {
        return Ok(false);
    };
    let server = executor.server().clone();
    let steps = vec![plan::cleaning(&left, &server, request.timeouts)];
    executor.perform(&Plan { steps }, events).await.map(|_| true)
}

/// The lock that a pg_repack of this table would hold.
async fn lock(executor: &Executor, function: &str, oid: u32) -> Result<bool> {
    let key = i64::from(oid) - 2_147_483_648;
    let sql = format!("SELECT pg_catalog.{function}({CLASS}, {key})");
    let rows = executor.session().rows_of(&sql).await.map_err(|e| e.explain("cannot ask whether a pg_repack works"))?;
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not answer the lock"))?;
    row.try_get(0).map_err(Failure::from)
}

/// After an attempt that has failed, not long is waited for the table.
pub async fn after(executor: &mut Executor, request: &Request, oid: u32, events: &mut dyn Events) {
    executor.set_patience(Duration::from_secs(2), Pauses::default());
    // Sessions of a killed program end within a second.
    for _ in 0..10 {
        let left = read::leftovers(executor.session()).await.unwrap_or_default();
        match left.iter().find(|left| left.oid == oid) {
            None => break,
            Some(left) if left.worked_by.is_some() => tokio::time::sleep(Duration::from_millis(200)).await,
            Some(_) => {
                all(executor, request, Some(oid), events).await;
                break;
            }
        }
    }
    executor.set_patience(request.lock_patience, Pauses::default());
}
