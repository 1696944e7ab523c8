//! A run: look, plan, gate; take the lease, look and plan again; settle what earlier runs have begun; then index by
//! index. One that fails does not stop the others.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::plan::{self, Bloat, Plan, Task, Wish};
use super::read::{self, Catalog, Listed};
use super::view;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::inspect::Eye;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Interrupt, Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::batch::Frame;
use crate::steps::events::{Event, Events};
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
    let catalog = read::read(&eye, &server).await?;
    let plan = plan::plan(&catalog, &request.wish, request.bloat.as_ref())?;
    if request.dry_run {
        return Ok((Outcome::Done, view::planned(&catalog, &plan, request)));
    }
    if plan.tasks.is_empty() && plan.unsettled.is_empty() && plan.resumes.is_none() {
        return Ok((outcome(&plan, &request.wish, &[]), view::done(&catalog, &plan, &[], began.elapsed(), request)));
    }
    if request.wish.offline {
        let steps = plan.tasks.iter().map(|task| task.step(&server, request.timeouts, true)).collect();
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
    };
    first.begin().await?;
    // Another run may have worked while this one waited for the lease.
    let catalog = calm(&eye, &server, request, means.interrupt).await?;
    let mut plan = plan::plan(&catalog, &request.wish, request.bloat.as_ref())?;
    let list = read::written(&list(&catalog, &plan, request))?;
    let board = Board::new(&plan);
    let mut workers: Vec<Worker<'_, '_>> = (1..request.jobs.min(plan.tasks.len()))
        .map(|number| Worker { number, executor: None, list: list.clone(), ..first.like() })
        .collect();
    first.list.clone_from(&list);
    let begun = first.settle(&plan, &board).await;
    workers.insert(0, first);
    if let Err(failure) = begun {
        board.stop(failure);
    }
    futures_util::future::join_all(workers.iter_mut().map(|worker| worker.work(&board))).await;
    let (mut done, over) = board.end();
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
    drop(workers);
    // What this run has removed is no longer told.
    let now = read::read(&eye, &server).await?;
    plan.leftovers = plan::leftovers(&now);
    for done in done.iter_mut().filter(|done| done.end.is_ok()) {
        done.end = after(&now, &done.task);
    }
    Ok((outcome(&plan, &request.wish, &done), view::done(&catalog, &plan, &done, began.elapsed(), request)))
}

/// What is there once the statements of a killed run have ended, which the server finds out within a second: the lease
/// tells it of the first connection only.
async fn calm(eye: &Eye, server: &Server, request: &Request, interrupt: &Interrupt) -> Result<Catalog> {
    let began = Instant::now();
    loop {
        let catalog = read::read(eye, server).await?;
        let of_begun = |heap: u32| catalog.begun.iter().any(|begun| begun.heap == heap);
        let busy = catalog.indexes.iter().any(|index| index.is_held && of_begun(index.heap_oid));
        if !busy || began.elapsed() > request.lock_wait {
            return Ok(catalog);
        }
        interrupt.sleep(Duration::from_millis(200)).await?;
    }
}

/// What is left to do, and what is done, for all that work.
struct Board {
    of: usize,
    left: RefCell<VecDeque<Task>>,
    /// Tables whose index is being built: of two builds on one table the second would wait.
    busy: RefCell<BTreeSet<TableName>>,
    done: RefCell<Vec<Done>>,
    over: RefCell<Option<Failure>>,
    freed: Notify,
}

impl Board {
    fn new(plan: &Plan) -> Board {
        Board {
            of: plan.tasks.len(),
            left: RefCell::new(plan.tasks.iter().cloned().collect()),
            busy: RefCell::default(),
            done: RefCell::default(),
            over: RefCell::default(),
            freed: Notify::new(),
        }
    }

    /// The smallest index whose table is free, waited for; nothing when none is left.
    async fn next(&self) -> Option<Task> {
        loop {
            if self.over.borrow().is_some() || self.left.borrow().is_empty() {
                return None;
            }
            let at = self.left.borrow().iter().position(|task| !self.busy.borrow().contains(&task.table));
            if let Some(task) = at.and_then(|at| self.left.borrow_mut().remove(at)) {
                self.busy.borrow_mut().insert(task.table.clone());
                return Some(task);
            }
            self.freed.notified().await;
        }
    }

    fn note(&self, done: Done) {
        self.busy.borrow_mut().remove(&done.task.table);
        self.done.borrow_mut().push(done);
        self.freed.notify_waiters();
    }

    /// The first failure that concerns the whole run ends it.
    fn stop(&self, failure: Failure) {
        self.over.borrow_mut().get_or_insert(failure);
        self.freed.notify_waiters();
    }

    fn end(self) -> (Vec<Done>, Option<Failure>) {
        (self.done.into_inner(), self.over.into_inner())
    }
}

/// Several that work tell what happens one after the other.
struct Shared<'a, 'e>(&'a RefCell<&'e mut dyn Events>);

impl Events for Shared<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.0.borrow_mut().event(event);
    }
}

/// One connection that works, with a lease of its own. It is made when there is work, and anew when it was lost.
struct Worker<'a, 'e> {
    request: &'a Request,
    server: &'a Server,
    interrupt: &'a Interrupt,
    events: &'a RefCell<&'e mut dyn Events>,
    number: usize,
    executor: Option<Executor>,
    /// As the journal keeps it.
    list: String,
}

impl<'a, 'e> Worker<'a, 'e> {
    fn like(&self) -> Worker<'a, 'e> {
        Worker { executor: None, list: String::new(), ..*self }
    }

    async fn begin(&mut self) -> Result<()> {
        let Request { connection, lock_wait, lock_patience, .. } = self.request;
        let session = Session::open(connection, "reindex", self.interrupt).await?;
        let server = Server::read(&session).await?;
        let lease = if self.number == 0 { "reindex".to_owned() } else { format!("reindex {}", self.number) };
        let order = Order {
            command: "reindex".to_owned(),
            lease,
            lease_wait: *lock_wait,
            lock_patience: *lock_patience,
            pauses: Pauses::default(),
        };
        let mut events = Shared(self.events);
        self.executor = Some(Executor::begin(session, server, connection, order, self.interrupt, &mut events).await?);
        Ok(())
    }

    /// Says in the journal what is meant, then sees how what earlier runs have begun has ended.
    async fn settle(&mut self, plan: &Plan, board: &Board) -> Result<()> {
        let list = self.list.clone();
        self.executor()?.begin_job(&frame(), &[("indexes", list)]).await?;
        for begun in &plan.unsettled {
            let step = begun.step(self.server, self.request.timeouts, false);
            let mut events = Shared(self.events);
            let Err(failure) = self.executor()?.settle(&step, &mut events).await else { continue };
            let failure = self.interrupt.overrule(failure);
            if is_over(&failure) || failure.what() == Kind::Unreachable {
                return Err(failure);
            }
            events.event(Event::Failed { title: &step.title, failure: &failure });
            board.note(Done { task: begun.clone(), took: Duration::ZERO, attempts: 1, end: Err(failure) });
        }
        Ok(())
    }

    /// Builds index by index until none is left.
    async fn work(&mut self, board: &Board) {
        while let Some(task) = board.next().await {
            let title = format!("reindex {}", task.index);
            let number = board.of - board.left.borrow().len();
            let mut events = Shared(self.events);
            events.event(Event::Step { number, of: board.of, title: &title });
            let began = Instant::now();
            match self.again_and_again(&task, &title).await {
                Ok((attempts, end)) => {
                    if let Err(failure) = &end {
                        events.event(Event::Failed { title: &title, failure });
                    }
                    board.note(Done { task, took: began.elapsed(), attempts, end });
                }
                Err(failure) => return board.stop(failure),
            }
        }
    }

    /// One index; fails only where nothing more can be done in this run.
    async fn again_and_again(&mut self, task: &Task, title: &str) -> Result<(u32, Result<u64>)> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.once(task).await {
                Ok(()) => return Ok((attempts, Ok(0))),
                Err(failure) => self.interrupt.overrule(failure),
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
            Shared(self.events).event(Event::Retry { title, reason: &reason, pause, blockers: &[] });
            self.interrupt.sleep(pause).await?;
            if failure.what() == Kind::Unreachable {
                // With it goes the lease, which would keep the next connection waiting.
                self.executor = None;
            }
        }
    }

    async fn once(&mut self, task: &Task) -> Result<()> {
        if self.executor.is_none() {
            self.begin().await?;
            let list = self.list.clone();
            self.executor()?.begin_job(&frame(), &[("indexes", list)]).await?;
        }
        let steps = vec![task.step(self.server, self.request.timeouts, self.request.wish.offline)];
        let mut events = Shared(self.events);
        self.executor()?.perform(&crate::steps::Plan { steps }, &mut events).await.map(drop)
    }

    fn executor(&mut self) -> Result<&mut Executor> {
        self.executor.as_mut().ok_or_else(lost)
    }
}

fn lost() -> Failure {
    Failure::new(Kind::Unreachable, "the connection is lost")
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
fn after(catalog: &Catalog, task: &Task) -> Result<u64> {
    let now = catalog.indexes.iter().find(|index| index.name == task.index && index.mark() != task.mark);
    now.filter(|index| index.is_valid).map(|index| index.bytes).ok_or_else(|| {
        Failure::new(Kind::Failed, format!("index {} is not a new, valid one after REINDEX", task.index))
            .hint("look at what is left: dbctl indexes invalid")
    })
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
