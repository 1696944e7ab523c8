//! A run: look, plan, gate; take the lease, look and plan again; settle what earlier runs have begun; then index by
//! index. One that fails does not stop the others.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::board::Board;
use super::plan::{self, Bloat, Plan, Task, Wish};
use super::read::{self, Catalog, Listed, Now};
use super::view;
use super::work::{Worker, frame, is_over, lost};
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::inspect::Eye;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Interrupt, Server};
use crate::steps::events::Events;
use crate::steps::gate::Rails;
use crate::steps::{Means, Timeouts, gate};

/// How a run ended, and what there is to show.
pub type Answer = (Outcome, Document);

/// What a run needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// Which indexes.
    pub wish: Wish,
    /// How bloated each index is, by its oid, where that was estimated: what chooses where the wish names nothing.
    pub bloat: Option<BTreeMap<u32, Bloat>>,
    /// How long one statement may run, and wait for one lock where that keeps others waiting.
    pub timeouts: Timeouts,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long one attempt may be kept waiting.
    pub lock_patience: Duration,
    /// How often an index is tried again.
    pub retries: u32,
    /// The first pause before that; the second is three times as long, the others six times.
    pub retry_pause: Duration,
    /// So many connections work at once.
    pub jobs: usize,
    /// Only show what would be done.
    pub dry_run: bool,
    /// What stands between the plan and its execution.
    pub rails: Rails,
}

/// What became of an index.
#[derive(Debug)]
pub struct Done {
    /// The index.
    pub task: Task,
    /// How long it took, retries included.
    pub took: Duration,
    /// How often it was tried.
    pub attempts: u32,
    /// Its size afterwards, known at the end of the run, or why it failed.
    pub end: Result<u64>,
}

/// Builds indexes anew.
///
/// # Errors
/// What concerns the whole run: unreachable, busy, refused. What concerns one index is in the answer.
pub async fn reindex(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let began = Instant::now();
    let eye = Eye::open(&request.connection, "reindex", means.interrupt).await?;
    let server = Server::read(eye.session()).await?;
    let catalog = read::read(&eye, &server, &request.connection, request.wish.collation_changed).await?;
    let plan = plan::plan(&catalog, &request.wish, request.bloat.as_ref())?;
    if request.dry_run {
        return Ok((Outcome::Done, view::planned(&catalog, &plan, request)));
    }
    if plan.tasks.is_empty() && plan.unsettled.is_empty() && plan.resumes.is_none() {
        return Ok((outcome(&plan, &request.wish, &[]), view::done(&catalog, &plan, &[], began.elapsed(), request)));
    }
    if request.wish.offline {
        let steps = plan.tasks.iter().map(|task| task.step(&[], &server, request.timeouts, true)).collect();
        gate::pass(&crate::steps::Plan { steps }, &request.rails, means.confirm)?;
    }
    let events: RefCell<&mut dyn Events> = RefCell::new(&mut *means.events);
    let mut first = Worker {
        request,
        server: &server,
        interrupt: means.interrupt,
        events: &events,
        number: 0,
        executor: None,
        list: String::new(),
        begun: None,
        is_confirmed: false,
    };
    first.begin().await?;
    let (mut catalog, mut plan) = (catalog, plan);
    if first.executor()?.waited()
        || !catalog.told.begun_steps.is_empty()
        || !read::is_undisturbed(&eye, &catalog).await?
    {
        // Another run may have worked meanwhile, and made the journal.
        let seen = Server::read(eye.session()).await?;
        catalog = calm(&eye, &seen, request, means.interrupt).await?;
        plan = plan::plan(&catalog, &request.wish, request.bloat.as_ref())?;
    }
    let list = read::written(&list(&catalog, &plan, request))?;
    let board = Board::new(&plan);
    let is_confirmed = !catalog.preflight.confirming.is_empty();
    let mut workers: Vec<Worker<'_, '_>> = (1..request.jobs.min(board.units()))
        .map(|number| Worker {
            number,
            list: list.clone(),
            begun: Some(catalog.told.begun_steps.clone()),
            is_confirmed,
            ..first.like()
        })
        .collect();
    first.list.clone_from(&list);
    first.is_confirmed = is_confirmed;
    first.executor()?.only_begun(catalog.told.begun_steps.clone());
    let ((), _) = futures_util::future::join(
        async {
            match first.settle(&plan, &board).await {
                Ok(()) => board.open(),
                Err(failure) => board.stop(failure),
            }
            first.work(&board).await;
        },
        futures_util::future::join_all(workers.iter_mut().map(|worker| async {
            // One that cannot connect yet says so when there is work for it.
            let _ = worker.start().await;
            worker.work(&board).await;
        })),
    )
    .await;
    workers.insert(0, first);
    let (mut done, over) = board.end();
    if over.is_none() {
        // What this run has removed is no longer told; and each index is seen to be a new, valid one.
        let now = read::now(&eye).await?;
        plan.leftovers = plan::leftovers(&now.indexes, &now.begun);
        for done in done.iter_mut().filter(|done| done.end.is_ok()) {
            done.end = after(&now, &done.task);
        }
    }
    let failed: Vec<String> =
        done.iter().filter(|done| done.end.is_err()).map(|done| done.task.index.to_string()).collect();
    if over.is_none() && failed.is_empty() {
        workers.first_mut().ok_or_else(lost)?.executor()?.end_job(&frame(), &[]).await?;
    }
    for executor in workers.iter().filter_map(|worker| worker.executor.as_ref()) {
        match &over {
            Some(failure) => executor.close_failed(failure).await,
            None if failed.is_empty() => executor.close("done", "").await,
            None => executor.close("partial", &failed.join(", ")).await,
        }
    }
    if let Some(failure) = over {
        return Err(told(failure, &done));
    }
    Ok((outcome(&plan, &request.wish, &done), view::done(&catalog, &plan, &done, began.elapsed(), request)))
}

/// What is there once the statements of a killed run have ended, which the server finds out within a second: the lease
/// tells it of the first connection only.
async fn calm(eye: &Eye, server: &Server, request: &Request, interrupt: &Interrupt) -> Result<Catalog> {
    let began = Instant::now();
    loop {
        let catalog = read::read(eye, server, &request.connection, request.wish.collation_changed).await?;
        let of_begun = |heap: u32| catalog.told.begun.iter().any(|begun| begun.heap == heap);
        let busy = catalog.indexes.iter().any(|index| index.is_held && of_begun(index.heap_oid));
        if !busy || began.elapsed() > request.lock_wait {
            return Ok(catalog);
        }
        interrupt.sleep(Duration::from_millis(200)).await?;
    }
}

/// What the journal keeps for `--resume`: all that is meant, what an earlier run has done of it included.
fn list(catalog: &Catalog, plan: &Plan, request: &Request) -> Vec<Listed> {
    let before = catalog.told.unfinished.as_ref().filter(|_| request.wish.resume);
    let mut list: Vec<Listed> = before.map(|unfinished| unfinished.indexes.clone()).unwrap_or_default();
    for task in &plan.tasks {
        let listed = Listed { mark: task.mark, name: task.index.clone(), heap: task.heap };
        if !list.contains(&listed) {
            list.push(listed);
        }
    }
    list
}

/// The size of the index that bears the name now, which is a new and valid one.
fn after(now: &Now, task: &Task) -> Result<u64> {
    let now = now.indexes.iter().find(|index| index.name == task.index && index.mark() != task.mark);
    now.filter(|index| index.is_valid).map(|index| index.bytes).ok_or_else(|| {
        Failure::new(Kind::Failed, format!("index {} is not a new, valid one after REINDEX", task.index))
            .hint("look at what is left: dbctl indexes invalid")
    })
}

fn told(failure: Failure, done: &[Done]) -> Failure {
    let lines = done.iter().filter(|done| done.end.is_ok()).map(|done| format!("reindex {}", done.task.index));
    let goes_on = is_over(&failure) || failure.what() == Kind::Unreachable;
    let failure = failure.done(lines);
    if goes_on { failure.hint("go on with what is left: dbctl reindex --resume") } else { failure }
}

fn outcome(plan: &Plan, wish: &Wish, done: &[Done]) -> Outcome {
    let failures: Vec<Outcome> = done.iter().filter_map(|d| d.end.as_ref().err()).map(|f| f.what().outcome()).collect();
    match failures.split_first() {
        None if plan.neglected(wish) == 0 => Outcome::Done,
        None if done.is_empty() => Outcome::Refused,
        None => Outcome::Partial,
        Some((first, rest)) if failures.len() == done.len() && rest.iter().all(|other| other == first) => *first,
        Some(_) => Outcome::Partial,
    }
}
