//! Many independent pieces of work over several sessions: one lease, as many hands as are asked for,
//! each an [`Executor`] of its own. What fails, or finds its table locked, does not stop the others.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::Executor;
use super::events::{Blocker, Event, Events};
use super::hazard::LockMode;
use super::queue::{Next, Queue};
use super::retry::Pauses;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{Query, Row, Server, Session};

/// The sessions that work. The first holds the lease's place of the run; they all share the lease.
pub struct Crew {
    hands: Vec<Executor>,
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<T> {
    /// The table's OID: no two pieces about one table run at once.
    pub about: u32,
    /// What a person reads, and the journal.
    pub title: String,
    /// What to do.
    pub work: T,
}

/// How long the crew works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Nothing begins after this long.
    pub budget: Option<Duration>,
    /// How long a piece whose lock is not to be had is tried, from its first refusal.
    pub patience: Duration,
    /// The pauses between its attempts; others work meanwhile.
    pub pauses: Pauses,
}

/// What one attempt came to.
#[derive(Debug)]
pub enum Tried<R> {
    /// It is over, well or not.
    Ended(R),
    /// The lock was not to be had, nothing was done: what to say where there is no further attempt, and who
    /// was in the way.
    Locked(R, Vec<Blocker>),
}

/// How a piece ended.
#[derive(Debug)]
pub enum End<R> {
    /// It was worked on.
    Ended(R),
    /// Its lock was not to be had within the patience or the budget.
    Locked(R),
    /// It failed.
    Failed(Failure),
    /// It was stopped by a signal while it worked.
    Stopped,
    /// It was not begun: the budget had run out, a signal had come, or no session was left.
    NotBegun,
}

impl Crew {
    /// Takes further sessions beside the one that holds the lease, until there are `hands`. The run must
    /// be in the journal already where the hands write into it: [`Executor::open_journal`].
    ///
    /// # Errors
    /// Busy while sessions of a killed run still work; unreachable.
    pub async fn muster(
        lead: Executor,
        hands: usize,
        connection: &Connection,
        events: &mut dyn Events,
    ) -> Result<Crew> {
        let wait = lead.order.lease_wait;
        lead.lease.alone(wait, &lead.interrupt, |holder| events.event(Event::LeaseTaken(holder))).await?;
        let mut crew = vec![lead];
        for _ in 1..hands.max(1) {
            let Some(lead) = crew.first() else { break };
            let hand = lead.further(connection).await?;
            crew.push(hand);
        }
        Ok(Crew { hands: crew })
    }

    /// The session that holds the run: for looks and the journal before and after the work.
    pub fn lead(&mut self) -> Option<&mut Executor> {
        self.hands.first_mut()
    }

    /// The backends that work.
    pub fn pids(&self) -> Vec<i32> {
        self.hands.iter().map(|hand| hand.server.backend_pid).collect()
    }

    /// Works through the pieces in their order; how each ended, in the same order. Events of all
    /// hands come mixed. `work` does one attempt and must not wait for a lock for long.
    pub async fn work<T, R>(
        &mut self,
        pieces: &[Piece<T>],
        pace: Pace,
        events: &mut dyn Events,
        work: impl AsyncFn(&mut Executor, &Piece<T>, &mut dyn Events) -> Result<Tried<R>>,
    ) -> Vec<End<R>> {
        let began = Instant::now();
        let queue = Queue::new(pieces.iter().map(|piece| piece.about), pace.budget, pace.patience, pace.pauses);
        let shift = Shift {
            pieces,
            began,
            queue: RefCell::new(queue),
            ends: RefCell::new(pieces.iter().map(|_| End::NotBegun).collect()),
            events: RefCell::new(events),
            ended: tokio::sync::Notify::new(),
        };
        let (shift_of, work) = (&shift, &work);
        let hands = self.hands.iter_mut().map(|hand| async move { shift_of.hand(hand, work).await });
        futures_util::future::join_all(hands).await;
        shift.ends.into_inner()
    }

    /// Ends the runs of all hands in the journal.
    pub async fn close(&self, outcome: &str, detail: &str) {
        for hand in &self.hands {
            hand.close(outcome, detail).await;
        }
    }
}

impl Executor {
    /// Who holds a table so that a lock of this mode is not to be had, as far as it can be seen.
    pub async fn holders(&self, table: &TableName, wanted: LockMode) -> Vec<Blocker> {
        // A courtesy: that the lock was not to be had is what matters.
        let rows = self.look(&Query::LOCK_HOLDERS, &[&vec![table.to_string()]]).await.unwrap_or_default();
        let conflicts = |row: &&Row| {
            let held = row.try_get::<_, &str>("mode").ok().and_then(LockMode::of_catalog);
            held.is_some_and(|held| wanted.conflicts_with(held))
        };
        rows.iter().filter(conflicts).filter_map(|row| Blocker::read(row).ok()).collect()
    }

    /// One more session under the same lease. Its lock is shared with the other hands: the next run sees
    /// by it when the last of them has ended.
    async fn further(&self, connection: &Connection) -> Result<Executor> {
        let work = Session::open(connection, &self.order.command, &self.interrupt).await?;
        self.lease.share(&work).await?;
        let mut server = Server::read(&work).await?;
        server.has_state = self.server.has_state;
        Ok(Executor::under(work, server, Arc::clone(&self.lease), self.order.clone(), &self.interrupt))
    }
}

/// What the hands of a crew share while they work, all on one thread.
struct Shift<'a, T, R> {
    pieces: &'a [Piece<T>],
    began: Instant,
    queue: RefCell<Queue>,
    ends: RefCell<Vec<End<R>>>,
    events: RefCell<&'a mut dyn Events>,
    ended: tokio::sync::Notify,
}

/// The listener of all hands as each of them sees it.
struct Shared<'a, 'b>(&'a RefCell<&'b mut dyn Events>);

impl Events for Shared<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        // Nobody who listens works meanwhile.
        if let Ok(mut events) = self.0.try_borrow_mut() {
            events.event(event);
        }
    }
}

impl<T, R> Shift<'_, T, R> {
    async fn hand(
        &self,
        executor: &mut Executor,
        work: &impl AsyncFn(&mut Executor, &Piece<T>, &mut dyn Events) -> Result<Tried<R>>,
    ) {
        loop {
            if executor.check().is_err() || executor.session().is_closed() {
                return;
            }
            let next = self.queue.borrow_mut().next(self.began.elapsed());
            let number = match next {
                Next::Nothing => return,
                Next::Wait(pause) => {
                    tokio::select! {
                        slept = executor.interrupt.sleep(pause) => if slept.is_err() { return },
                        () = self.ended.notified() => {}
                    }
                    continue;
                }
                Next::Begin(number) => number,
            };
            let Some(piece) = self.pieces.get(number) else { return };
            let mut events = Shared(&self.events);
            events.event(Event::Step { number: number + 1, of: self.pieces.len(), title: &piece.title });
            let began = Instant::now();
            let tried = work(executor, piece, &mut events).await;
            self.settle(number, tried, &mut events, began.elapsed());
        }
    }

    fn settle(&self, number: usize, tried: Result<Tried<R>>, events: &mut Shared<'_, '_>, took: Duration) {
        let mut queue = self.queue.borrow_mut();
        let title = self.pieces.get(number).map_or("", |piece| &piece.title);
        let end = match tried {
            Ok(Tried::Locked(said, blockers)) => {
                if let Some(pause) = queue.locked(number, self.began.elapsed(), fastrand::f64()) {
                    let reason = "its lock is not to be had";
                    events.event(Event::Retry { title, reason, pause, blockers: &blockers });
                }
                End::Locked(said)
            }
            Ok(Tried::Ended(said)) => {
                queue.ended(number);
                events.event(Event::Applied { title, took });
                End::Ended(said)
            }
            Err(failure) => {
                queue.ended(number);
                if matches!(failure.what(), Kind::Interrupted | Kind::Terminated) {
                    End::Stopped
                } else {
                    events.event(Event::Failed { title, failure: &failure });
                    End::Failed(failure)
                }
            }
        };
        if let Some(place) = self.ends.borrow_mut().get_mut(number) {
            *place = end;
        }
        self.ended.notify_waiters();
    }
}
