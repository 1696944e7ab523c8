//! A run: look, plan, gate; take the lease, look and plan again; settle what earlier runs have begun; then index by
//! index. One that fails does not stop the others.

use std::time::{Duration, Instant};

use super::plan::{self, Plan, Task, Wish};
use super::read::{self, Catalog, Listed};
use super::view;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::inspect::Eye;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Query, Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::batch::Frame;
use crate::steps::events::Event;
use crate::steps::gate::Rails;
use crate::steps::{Means, Pauses, Timeouts, gate};

/// How a run ended, and what there is to show.
pub type Answer = (Outcome, Document);

/// What a run needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// Which indexes.
    pub wish: Wish,
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
    /// Its size now, or why it failed.
    pub end: Result<u64>,
}

/// Builds indexes anew.
///
/// # Errors
/// What concerns the whole run: unreachable, busy, refused. What concerns one index is in the answer.
pub async fn reindex(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let eye = Eye::open(&request.connection, "reindex", means.interrupt).await?;
    let server = Server::read(eye.session()).await?;
    let catalog = read::read(&eye, &server).await?;
    let plan = plan::plan(&catalog, &request.wish, None)?;
    if request.dry_run {
        return Ok((Outcome::Done, view::planned(&catalog, &plan, request)));
    }
    if plan.tasks.is_empty() && plan.unsettled.is_empty() && plan.resumes.is_none() {
        return Ok((Outcome::Done, view::done(&catalog, &plan, &[], request)));
    }
    if request.wish.offline {
        let steps = plan.tasks.iter().map(|task| task.step(&server, request.timeouts, true)).collect();
        gate::pass(&crate::steps::Plan { steps }, &request.rails, means.confirm)?;
    }
    let mut worker = Worker { executor: Some(begin(request, means).await?), request, list: String::new() };
    // Another run may have worked while this one waited for the lease.
    let catalog = read::read(&eye, &server).await?;
    let mut plan = plan::plan(&catalog, &request.wish, None)?;
    worker.list = read::written(&list(&catalog, &plan, request))?;
    let ended = worker.everything(&server, &plan, means).await;
    if let Some(executor) = &worker.executor {
        match &ended {
            Ok(done) if done.iter().all(|done| done.end.is_ok()) => executor.close("done", "").await,
            Ok(done) => {
                let failed = done.iter().filter(|done| done.end.is_err()).map(|done| done.task.index.to_string());
                executor.close("partial", &failed.collect::<Vec<_>>().join(", ")).await;
            }
            Err(failure) => executor.close_failed(failure).await,
        }
    }
    let done = ended?;
    // What this run has removed is no longer told.
    plan.leftovers = plan::leftovers(&read::read(&eye, &server).await?);
    Ok((outcome(&done), view::done(&catalog, &plan, &done, request)))
}

async fn begin(request: &Request, means: &mut Means<'_>) -> Result<Executor> {
    let session = Session::open(&request.connection, "reindex", means.interrupt).await?;
    let server = Server::read(&session).await?;
    let order = Order {
        command: "reindex".to_owned(),
        lease: "reindex".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience,
        pauses: Pauses::default(),
    };
    Executor::begin(session, server, &request.connection, order, means.interrupt, means.events).await
}

/// The right to work, which is gone while a lost connection is made anew.
struct Worker<'a> {
    executor: Option<Executor>,
    request: &'a Request,
    /// As the journal keeps it.
    list: String,
}

impl Worker<'_> {
    /// Settles what earlier runs have begun, then builds index by index.
    async fn everything(&mut self, server: &Server, plan: &Plan, means: &mut Means<'_>) -> Result<Vec<Done>> {
        let list = self.list.clone();
        self.executor()?.begin_job(&frame(), &[("indexes", list)]).await?;
        for begun in &plan.unsettled {
            let step = begun.step(server, self.request.timeouts, false);
            self.executor()?.settle(&step, means.events).await?;
        }
        let mut done: Vec<Done> = Vec::new();
        for task in &plan.tasks {
            let title = format!("reindex {}", task.index);
            means.events.event(Event::Step { number: done.len() + 1, of: plan.tasks.len(), title: &title });
            let began = Instant::now();
            let (attempts, end) =
                self.again_and_again(server, task, &title, means).await.map_err(|f| told(f, &done))?;
            if let Err(failure) = &end {
                means.events.event(Event::Failed { title: &title, failure });
            }
            done.push(Done { task: task.clone(), took: began.elapsed(), attempts, end });
        }
        if done.iter().all(|done| done.end.is_ok()) {
            self.executor()?.end_job(&frame(), &[]).await?;
        }
        Ok(done)
    }

    /// One index; fails only where nothing more can be done in this run.
    async fn again_and_again(
        &mut self,
        server: &Server,
        task: &Task,
        title: &str,
        means: &mut Means<'_>,
    ) -> Result<(u32, Result<u64>)> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.once(server, task, means).await {
                Ok(bytes) => return Ok((attempts, Ok(bytes))),
                Err(failure) => means.interrupt.overrule(failure),
            };
            if is_over(&failure) {
                return Err(failure);
            }
            if attempts > self.request.retries || !is_worth_another_try(&failure) {
                // Without a server, no other index fares better.
                let lost = failure.what() == Kind::Unreachable;
                return if lost { Err(failure) } else { Ok((attempts, Err(failure))) };
            }
            let pause = pause(self.request.retry_pause, attempts);
            let reason = failure.messages().join(": ");
            means.events.event(Event::Retry { title, reason: &reason, pause, blockers: &[] });
            means.interrupt.sleep(pause).await?;
            if failure.what() == Kind::Unreachable {
                // The lease may still be that of the lost connection's other half.
                self.executor = None;
            }
        }
    }

    async fn once(&mut self, server: &Server, task: &Task, means: &mut Means<'_>) -> Result<u64> {
        if self.executor.is_none() {
            let mut executor = begin(self.request, means).await?;
            executor.begin_job(&frame(), &[("indexes", self.list.clone())]).await?;
            self.executor = Some(executor);
        }
        let steps = vec![task.step(server, self.request.timeouts, self.request.wish.offline)];
        let executor = self.executor()?;
        executor.perform(&crate::steps::Plan { steps }, means.events).await?;
        after(executor, task).await
    }

    fn executor(&mut self) -> Result<&mut Executor> {
        self.executor.as_mut().ok_or_else(|| Failure::new(Kind::Unreachable, "the connection is lost"))
    }
}

/// What the journal keeps for `--resume`: all that is meant, what an earlier run has done of it included.
fn list(catalog: &Catalog, plan: &Plan, request: &Request) -> Vec<Listed> {
    let before = catalog.unfinished.as_ref().filter(|_| request.wish.resume);
    let mut list: Vec<Listed> = before.map(|unfinished| unfinished.indexes.clone()).unwrap_or_default();
    for task in &plan.tasks {
        let listed = Listed { mark: task.mark, name: task.index.clone(), heap: task.heap };
        if !list.contains(&listed) {
            list.push(listed);
        }
    }
    list
}

/// The line of the journal that holds the list.
fn frame() -> Frame {
    Frame {
        subject: "reindex".to_owned(),
        title: "reindex".to_owned(),
        settings: Vec::new(),
        timeouts: Timeouts { lock: Duration::ZERO, statement: Duration::ZERO },
        patience: Duration::ZERO,
        pauses: (Duration::ZERO, Duration::ZERO),
    }
}

/// The size of the index that bears the name now, which is a new and valid one.
async fn after(executor: &Executor, task: &Task) -> Result<u64> {
    let (schema, name) = (task.index.schema.raw(), task.index.name.raw());
    let rows = executor.look(&Query::REINDEX_STATE, &[&task.mark.oid, &schema, &name]).await?;
    for row in &rows {
        let (found, filenode): (String, u32) = (row.try_get("name")?, row.try_get("filenode")?);
        let valid: bool = row.try_get("is_valid")?;
        if found == name && row.try_get::<_, String>("schema")? == schema && valid && filenode != task.mark.filenode {
            let bytes: Option<i64> = row.try_get("bytes")?;
            return Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default());
        }
    }
    Err(Failure::new(Kind::Failed, format!("index {} is not a new, valid one after REINDEX", task.index))
        .hint("look at what is left: dbctl indexes invalid"))
}

/// Whether nothing more can be done in this run.
fn is_over(failure: &Failure) -> bool {
    matches!(failure.what(), Kind::Interrupted | Kind::Terminated | Kind::Busy)
}

/// A lock, a deadlock, a time limit or somebody's cancel, a lost connection: another try may end better.
fn is_worth_another_try(failure: &Failure) -> bool {
    matches!(failure.what(), Kind::Deferred | Kind::Unreachable)
        || matches!(failure.code(), Some("55P03" | "40P01" | "57014"))
}

/// 10, 30, 60 s where the first is 10.
fn pause(first: Duration, attempts: u32) -> Duration {
    first
        * match attempts {
            1 => 1,
            2 => 3,
            _ => 6,
        }
}

fn told(failure: Failure, done: &[Done]) -> Failure {
    let lines = done.iter().filter(|done| done.end.is_ok()).map(|done| format!("reindex {}", done.task.index));
    failure.done(lines).hint("go on with what is left: dbctl reindex --resume")
}

fn outcome(done: &[Done]) -> Outcome {
    let failures: Vec<Outcome> = done.iter().filter_map(|d| d.end.as_ref().err()).map(|f| f.what().outcome()).collect();
    match failures.split_first() {
        None => Outcome::Done,
        Some((first, rest)) if failures.len() == done.len() && rest.iter().all(|other| other == first) => *first,
        Some(_) => Outcome::Partial,
    }
}
