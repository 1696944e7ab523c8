//! What belongs to rows that are gone: the policy's `after_expire`, run again and again until it says
//! that nothing is left.

use std::time::Duration;

use super::ddl::Frame;
use super::depart::Departed;
use super::work::Found;
use super::{plan, state};
use crate::error::{Failure, Kind, Result};
use crate::ident::Literal;
use crate::pg::Row;
use crate::policy::key::Edge;
use crate::steps::apply::Executor;
use crate::steps::batch::{self, Batched};
use crate::steps::events::Events;
use crate::steps::{Plan, Timeouts};

/// A statement that never says 0 is stopped after this many times.
const MOST: usize = 1_000_000;

/// Runs a table's statements to their end, if partitions of it have gone since they last were.
///
/// # Errors
/// The server's; what is not done is done by the next run.
pub async fn run(
    executor: &mut Executor,
    found: &Found<'_>,
    frame: &Frame<'_>,
    departed: &[Departed],
    events: &mut dyn Events,
) -> Result<()> {
    let entry = found.set.policy;
    let gone = departed.iter().any(|d| d.what != "put aside") || found.leaving.iter().any(|row| row.hooks_due);
    if entry.after_expire.is_empty() || !gone {
        return Ok(());
    }
    let Some(cutoff) = cutoff(found, departed) else { return Ok(()) };
    let job = batch::Frame {
        subject: format!("partitions {}:after_expire", plan::raw(&entry.table)),
        title: format!("what belongs to {}", entry.table),
        settings: frame.server.step_settings("partitions"),
        timeouts: Timeouts { lock: Duration::from_secs(3), statement: Duration::ZERO },
        patience: entry.lock.patience,
        pauses: (entry.lock.first_pause, entry.lock.longest_pause),
    };
    executor.begin_job(&job, &[]).await?;
    for sql in &entry.after_expire {
        if let Err(failure) = until_zero(executor, &job, sql, &cutoff, events).await {
            return Err(executor.fail_job(&job, failure, &[]).await);
        }
    }
    executor.end_job(&job, &[]).await?;
    let note = frame.note("after_expire", found.plan.oid, job.title.clone(), vec![state::hooks_done(&entry.table)]);
    executor.perform(&Plan { steps: vec![note] }, events).await.map(drop)
}

async fn until_zero(
    executor: &Executor,
    job: &batch::Frame,
    sql: &str,
    cutoff: &str,
    events: &mut dyn Events,
) -> Result<()> {
    let sql = sql.trim().trim_end_matches(';').replace("{cutoff}", &Literal(cutoff).to_string());
    for _ in 0..MOST {
        let Batched::Rows(rows) = executor.batch(job, &sql, &[], events).await? else { continue };
        let counts: Result<Vec<i64>> = rows.iter().map(|row| count(row, &sql)).collect();
        if counts?.iter().all(|count| *count == 0) {
            return Ok(());
        }
    }
    Err(Failure::new(Kind::Failed, format!("after_expire never returns 0: {sql}")))
}

/// What a row says was done, whatever integer the function returns.
fn count(row: &Row, sql: &str) -> Result<i64> {
    let small = || row.try_get::<_, Option<i32>>(0).map(|count| count.map(i64::from));
    let smallest = || row.try_get::<_, Option<i16>>(0).map(|count| count.map(i64::from));
    let count = row.try_get::<_, Option<i64>>(0).or_else(|_| small()).or_else(|_| smallest()).map_err(|_| {
        Failure::new(Kind::Invalid, format!("after_expire does not say how many rows it was: {sql}"))
            .hint("its first column must be a smallint, integer or bigint, 0 when nothing is left")
    })?;
    Ok(count.unwrap_or(0))
}

/// What lies before it is gone for good: no partition that is attached, or put aside and may come back,
/// holds any of it.
fn cutoff(found: &Found<'_>, departed: &[Departed]) -> Option<String> {
    let is_gone = |name: &str| departed.iter().any(|d| d.partition == name && d.what != "put aside");
    let there = found.set.members.iter().filter(|m| !is_gone(&m.partition.name.to_string())).map(|m| m.range.lower());
    let aside = found.leaving.iter().filter(|row| !row.hooks_due && !is_gone(&found.name_of(row).to_string()));
    let aside = aside.filter_map(|row| found.range_of(row).ok()).map(|range| range.lower());
    let oldest = there.chain(aside).chain(found.plan.cutoff.map(Edge::At)).min()?;
    match oldest {
        Edge::At(at) => Some(found.set.grid.axis.literal(at)),
        Edge::Min | Edge::Max => None,
    }
}
