//! One connection that builds index by index, or all of a table at once, and tries again what is worth it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::board::Board;
use super::plan::{Plan, Task};
use super::run::{Done, Request};
use crate::error::{Failure, Kind, Result};
use crate::pg::{Interrupt, Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::batch::Frame;
use crate::steps::events::{Event, Events};
use crate::steps::{Pauses, Step, Timeouts};

/// Several that work tell what happens one after the other.
pub struct Shared<'a, 'e>(pub &'a RefCell<&'e mut dyn Events>);

impl Events for Shared<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.0.borrow_mut().event(event);
    }
}

/// One connection that works, with a lease of its own. It is made when there is work, and anew when it was lost.
pub struct Worker<'a, 'e> {
    pub request: &'a Request,
    pub server: &'a Server,
    pub interrupt: &'a Interrupt,
    pub events: &'a RefCell<&'e mut dyn Events>,
    pub number: usize,
    pub executor: Option<Executor>,
    /// As the journal keeps it.
    pub list: String,
    /// The steps that earlier runs have begun, for the first connection: a later one asks for those of this run as well.
    pub begun: Option<BTreeSet<String>>,
    /// A standby confirms each commit.
    pub is_confirmed: bool,
}

impl<'a, 'e> Worker<'a, 'e> {
    pub fn like(&self) -> Worker<'a, 'e> {
        Worker { executor: None, list: String::new(), begun: None, ..*self }
    }

    pub async fn begin(&mut self) -> Result<()> {
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
    pub async fn settle(&mut self, plan: &Plan, board: &Board) -> Result<()> {
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

    /// Builds one after the other until none is left, and leaves nothing untold.
    pub async fn work(&mut self, board: &Board) {
        while let Some(unit) = board.next().await {
            let number = board.begun();
            let table = unit.first().map(|task| task.table.clone());
            if let Err(failure) = self.build(unit, number, board).await {
                board.stop(failure);
                break;
            }
            if let Some(table) = table {
                board.free(&table);
            }
        }
        if let Some(executor) = &self.executor
            && let Err(failure) = executor.tell_owed().await
        {
            board.stop(failure);
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
    pub async fn start(&mut self) -> Result<()> {
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
        let step = first.step(others, self.server, self.request.timeouts, self.request.wish.offline);
        // A build commits some ten times on its way. Where a standby confirms that, it is to keep up with the builds.
        let waits = self.is_confirmed || self.request.wish.offline;
        Some(if waits { step } else { step.flushed_at_the_end() })
    }

    pub fn executor(&mut self) -> Result<&mut Executor> {
        self.executor.as_mut().ok_or_else(lost)
    }
}

pub fn lost() -> Failure {
    Failure::new(Kind::Unreachable, "the connection is lost")
}

/// The line of the journal that holds the list.
pub fn frame() -> Frame {
    Frame {
        subject: "reindex".to_owned(),
        title: "reindex".to_owned(),
        settings: Vec::new(),
        timeouts: Timeouts { lock: Duration::ZERO, statement: Duration::ZERO },
        patience: Duration::ZERO,
        pauses: (Duration::ZERO, Duration::ZERO),
    }
}

/// Whether nothing more can be done in this run.
pub fn is_over(failure: &Failure) -> bool {
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
