//! Look, plan, gate; take the lease, look and plan again; remove what killed runs have left; then table by table. One
//! that fails does not stop the others.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::plan::{self, RepackPlan, Task, Way};
use super::read::{self, Snapshot};
use super::work::{self, End};
use super::{Answer, Request, clean, program, view};
use crate::error::{Failure, Kind, Result};
use crate::maintain::room;
use crate::pg::{Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::events::Event;
use crate::steps::gate::{self, Rails};
use crate::steps::{Means, Pauses};

/// What a run did with one table.
#[derive(Debug)]
pub struct Done {
    /// The table.
    pub task: Task,
    /// How long it took.
    pub took: Duration,
    /// Bytes before, where nobody held it.
    pub before: Option<u64>,
    /// Bytes now.
    pub after: Option<u64>,
    /// How it ended.
    pub end: End,
}

/// Writes tables anew, or shows which.
///
/// # Errors
/// Refused on a standby, and where there is nothing to do it with; busy; interrupted, with what is done. What concerns
/// one table is in the answer.
pub async fn run(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let session = Session::open(&request.connection, "repack", means.interrupt).await?;
    let server = Server::read(&session).await?;
    if server.in_recovery {
        return Err(Failure::new(Kind::Refused, "this server is a standby: its tables are those of its primary")
            .hint("connect to the primary: what is written anew there comes here by replication"));
    }
    let snapshot = read::snapshot(&session).await?;
    if request.wish.clean {
        let begin = async |means: &mut Means<'_>| begin(session, &server, request, means).await;
        return clean::run(request, &server, &snapshot.leftovers, snapshot.strays, begin, means).await;
    }
    let plan = decide(&snapshot, request)?;
    if plan.tasks.is_empty() && (request.dry_run || plan.busy.is_empty() && plan.leftovers.is_empty()) {
        return Ok(view::planned(request, &server, &plan, None));
    }
    let programs = program::find(request.wish.program.as_deref(), &request.env, server.major);
    let way = plan::way(&server, &snapshot.setup, &programs, &plan.tasks)?;
    if request.dry_run {
        return Ok(view::planned(request, &server, &plan, Some(&way)));
    }
    if !plan.forced.is_empty() {
        gate::consent(plan.forced.clone(), &Rails { always_ask: true, ..request.rails.clone() }, means.confirm)?;
    }
    let mut executor = begin(session, &server, request, means).await?;
    executor.open_journal().await?;
    // Another run may have worked while this one waited for the lease; one that was killed may still be at its end.
    let plan = settled(&mut executor, request, means).await?;
    let done = work(&mut executor, request, &way, &plan, means).await;
    match done {
        Err((failure, done)) => {
            executor.close_failed(&failure).await;
            let lines = done.iter().filter(|done| matches!(done.end, End::Done));
            Err(failure.done(lines.map(|done| format!("repack {}", done.task.table))))
        }
        Ok(mut done) => {
            let oids: Vec<u32> = done.iter().map(|done| done.task.oid).collect();
            let sizes = read::sizes(executor.session(), &oids).await?;
            for done in &mut done {
                done.after = sizes.get(&done.task.oid).copied();
            }
            let answer = view::done(request, &server, &plan, &done, &way);
            executor.close(if answer.0 == crate::outcome::Outcome::Done { "done" } else { "partial" }, "").await;
            Ok(answer)
        }
    }
}

async fn begin(session: Session, server: &Server, request: &Request, means: &mut Means<'_>) -> Result<Executor> {
    let order = Order {
        command: "repack".to_owned(),
        lease: "repack".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience,
        pauses: Pauses::default(),
    };
    Executor::begin(session, server.clone(), &request.connection, order, means.interrupt, means.events).await
}

fn decide(snapshot: &Snapshot, request: &Request) -> Result<RepackPlan> {
    let mut plan = plan::plan(snapshot, &request.wish, &request.gains)?;
    let home = snapshot.setup.data_directory.as_deref();
    let place = |task: &Task| {
        let table = snapshot.tables.iter().find(|table| table.oid == task.oid)?;
        Some((task.oid, Path::new(table.place.as_deref().or(home)?)))
    };
    if room::is_here(&request.connection) && !request.wish.force {
        let places: BTreeMap<u32, &Path> = plan.tasks.iter().filter_map(place).collect();
        plan::refuse_full(&mut plan, &places, room::free_bytes);
    }
    Ok(plan)
}

/// The plan under the lease, once a pg_repack that a killed run has left at work has ended or the wait is over, and
/// what is nobody's is removed.
async fn settled(executor: &mut Executor, request: &Request, means: &mut Means<'_>) -> Result<RepackPlan> {
    let began = Instant::now();
    let mut told = false;
    loop {
        let failed = clean::all(executor, request, None, means.events).await.iter().any(|cleaned| cleaned.end.is_err());
        means.interrupt.check()?;
        let plan = decide(&read::snapshot(executor.session()).await?, request)?;
        // One may have ended in between.
        let is_settled = plan.busy.is_empty() && (failed || plan.leftovers.is_empty());
        if is_settled || began.elapsed() >= request.lock_wait {
            return Ok(plan);
        }
        if let Some((table, pid)) = plan.busy.first().filter(|_| !told) {
            let message = format!("a pg_repack works on {table} (pid {pid}); waiting for it");
            means.events.event(Event::Cleaned { what: &message });
            told = true;
        }
        means.interrupt.sleep(Duration::from_millis(250)).await?;
    }
}

async fn work(
    executor: &mut Executor,
    request: &Request,
    way: &Way,
    plan: &RepackPlan,
    means: &mut Means<'_>,
) -> Result<Vec<Done>, (Failure, Vec<Done>)> {
    let began = Instant::now();
    let mut done: Vec<Done> = Vec::new();
    for (index, task) in plan.tasks.iter().enumerate() {
        let task = task.clone();
        if request.wish.budget.is_some_and(|budget| began.elapsed() >= budget) {
            done.push(Done { task, took: Duration::ZERO, before: None, after: None, end: End::NotBegun });
            continue;
        }
        let title = format!("repack {}", task.table);
        means.events.event(Event::Step { number: index + 1, of: plan.tasks.len(), title: &title });
        let begun = Instant::now();
        let before = read::sizes(executor.session(), &[task.oid]).await;
        let end = match before {
            Ok(_) => work::once(executor, request, way, &task, means.interrupt, means.events).await,
            Err(_) => Err(Failure::new(Kind::Unreachable, "the connection is lost")),
        };
        let before = before.ok().and_then(|sizes| sizes.get(&task.oid).copied());
        let end = match end {
            Ok(end) => end,
            Err(failure) => return Err((means.interrupt.overrule(failure), done)),
        };
        let took = begun.elapsed();
        match &end {
            End::Done => means.events.event(Event::Applied { title: &title, took }),
            End::Failed(failure) => means.events.event(Event::Failed { title: &title, failure }),
            End::Locked(..) | End::NotBegun => {}
        }
        done.push(Done { task, took, before, after: None, end });
    }
    Ok(done)
}
