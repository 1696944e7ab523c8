//! A run: look, plan, gate; take the lease, look and plan again; settle what earlier runs have begun; then index by
//! index. One that fails does not stop the others.

use std::cell::{Cell, RefCell};
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
use crate::steps::{Means, Pauses, Step, Timeouts, gate};

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
    };
    first.begin().await?;
    // Another run may have worked while this one waited for the lease, and made the journal.
    let seen = Server::read(eye.session()).await?;
    let catalog = calm(&eye, &seen, request, means.interrupt).await?;
    let mut plan = plan::plan(&catalog, &request.wish, request.bloat.as_ref())?;
    let list = read::written(&list(&catalog, &plan, request))?;
    let board = Board::new(&plan);
    let mut workers: Vec<Worker<'_, '_>> = (1..request.jobs.min(board.units()))
        .map(|number| Worker { number, list: list.clone(), begun: Some(catalog.begun_steps.clone()), ..first.like() })
        .collect();
    first.list.clone_from(&list);
    first.executor()?.only_begun(catalog.begun_steps.clone());
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
        let seen = Server::read(eye.session()).await?;
        let now = read::read(&eye, &seen, &request.connection, request.wish.collation_changed).await?;
        plan.leftovers = plan::leftovers(&now);
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
    /// What one statement builds: an index, or all of a table.
    left: RefCell<VecDeque<Vec<Task>>>,
    /// Tables whose index is being built: of two builds on one table the second would wait.
    busy: RefCell<BTreeSet<TableName>>,
    done: RefCell<Vec<Done>>,
    over: RefCell<Option<Failure>>,
    /// What earlier runs have begun is settled.
    is_open: Cell<bool>,
    freed: Notify,
}

impl Board {
    fn new(plan: &Plan) -> Board {
        Board {
            of: plan.tasks.len(),
            left: RefCell::new(units(&plan.tasks)),
            busy: RefCell::default(),
            done: RefCell::default(),
            over: RefCell::default(),
            is_open: Cell::new(false),
            freed: Notify::new(),
        }
    }

    /// The smallest index whose table is free, waited for; nothing when none is left.
    async fn next(&self) -> Option<Vec<Task>> {
        loop {
            if self.over.borrow().is_some() || self.left.borrow().is_empty() {
                return None;
            }
            if !self.is_open.get() {
                self.freed.notified().await;
                continue;
            }
            let is_free = |unit: &Vec<Task>| unit.first().is_none_or(|task| !self.busy.borrow().contains(&task.table));
            let at = self.left.borrow().iter().position(is_free);
            if let Some(unit) = at.and_then(|at| self.left.borrow_mut().remove(at)) {
                self.busy.borrow_mut().extend(unit.first().map(|task| task.table.clone()));
                return Some(unit);
            }
            self.freed.notified().await;
        }
    }

    fn units(&self) -> usize {
        self.left.borrow().len()
    }

    /// From now on there is work.
    fn open(&self) {
        self.is_open.set(true);
        self.freed.notify_waiters();
    }

    fn note(&self, done: Done) {
        self.done.borrow_mut().push(done);
    }

    /// Others may work on the table.
    fn free(&self, table: &TableName) {
        self.busy.borrow_mut().remove(table);
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

/// Tasks that stand together and are built together.
fn units(tasks: &[Task]) -> VecDeque<Vec<Task>> {
    tasks.chunk_by(|a, b| a.with_table && b.with_table && a.table == b.table).map(<[Task]>::to_vec).collect()
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
    /// The steps that earlier runs have begun, for the first connection: a later one asks for those of this run as well.
    begun: Option<BTreeSet<String>>,
}

impl<'a, 'e> Worker<'a, 'e> {
    fn like(&self) -> Worker<'a, 'e> {
        Worker { executor: None, list: String::new(), begun: None, ..*self }
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
            let step = begun.step(&[], self.server, self.request.timeouts, false);
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

    /// Builds one after the other until none is left.
    async fn work(&mut self, board: &Board) {
        while let Some(unit) = board.next().await {
            let number = board.of - board.left.borrow().iter().map(Vec::len).sum::<usize>();
            let table = unit.first().map(|task| task.table.clone());
            if let Err(failure) = self.build(unit, number, board).await {
                return board.stop(failure);
            }
            if let Some(table) = table {
                board.free(&table);
            }
        }
    }

    /// What one statement builds; fails only where nothing more can be done in this run. Where one index keeps its table
    /// from being built, those that are not new yet are built one by one.
    async fn build(&mut self, unit: Vec<Task>, number: usize, board: &Board) -> Result<()> {
        let Some(title) = unit.first().map(Task::title) else { return Ok(()) };
        let mut events = Shared(self.events);
        events.event(Event::Step { number, of: board.of, title: &title });
        let began = Instant::now();
        let (attempts, end) = self.again_and_again(&unit, &title).await?;
        let Err(failure) = end else {
            // Who reads the times adds them up.
            let took = began.elapsed() / u32::try_from(unit.len()).unwrap_or(1);
            unit.into_iter().for_each(|task| board.note(Done { task, took, attempts, end: Ok(0) }));
            return Ok(());
        };
        events.event(Event::Failed { title: &title, failure: &failure });
        let [_, _, ..] = unit.as_slice() else {
            if let Some(task) = unit.into_iter().next() {
                board.note(Done { task, took: began.elapsed(), attempts, end: Err(failure) });
            }
            return Ok(());
        };
        let took = began.elapsed() / u32::try_from(unit.len()).unwrap_or(1);
        let Some(step) = self.step(&unit) else { return Ok(()) };
        let old = self.executor()?.old(&step).await?;
        // A lock that was not to be had for all of them is not to be had for one.
        let is_tried_enough = is_worth_another_try(&failure);
        let (kind, said) = (failure.what(), failure.messages().join(": "));
        let mut failure = Some(failure);
        for task in unit {
            if !old.iter().any(|old| **old == task.index) {
                board.note(Done { task, took, attempts, end: Ok(0) });
                continue;
            }
            if is_tried_enough {
                let end = failure.take().unwrap_or_else(|| Failure::new(kind, format!("{title}: {said}")));
                board.note(Done { task, took, attempts, end: Err(end) });
                continue;
            }
            let task = Task { with_table: false, ..task };
            let title = task.title();
            events.event(Event::Step { number, of: board.of, title: &title });
            let began = Instant::now();
            let (more, end) = self.again_and_again(std::slice::from_ref(&task), &title).await?;
            if let Err(failure) = &end {
                events.event(Event::Failed { title: &title, failure });
            }
            board.note(Done { task, took: took + began.elapsed(), attempts: attempts + more, end: end.map(|()| 0) });
        }
        Ok(())
    }

    /// As often as it is worth it; fails only where nothing more can be done in this run.
    async fn again_and_again(&mut self, unit: &[Task], title: &str) -> Result<(u32, Result<()>)> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.once(unit).await {
                Ok(()) => return Ok((attempts, Ok(()))),
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

    async fn once(&mut self, unit: &[Task]) -> Result<()> {
        if self.executor.is_none() {
            self.start().await?;
        }
        let steps = self.step(unit).into_iter().collect();
        let mut events = Shared(self.events);
        self.executor()?.perform(&crate::steps::Plan { steps }, &mut events).await.map(drop)
    }

    /// Connects, and says in the journal what is meant.
    async fn start(&mut self) -> Result<()> {
        self.begin().await?;
        let (list, begun) = (self.list.clone(), self.begun.take());
        let executor = self.executor()?;
        if let Some(begun) = begun {
            executor.only_begun(begun);
        }
        let said = executor.begin_job(&frame(), &[("indexes", list)]).await;
        if said.is_err() {
            // Without its list nobody would find what it has begun.
            self.executor = None;
        }
        said
    }

    fn step(&self, unit: &[Task]) -> Option<Step> {
        let (first, others) = unit.split_first()?;
        Some(first.step(others, self.server, self.request.timeouts, self.request.wish.offline))
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
