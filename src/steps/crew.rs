//! Many independent pieces of work over several sessions: one lease, as many hands as are asked for,
//! each an [`Executor`] of its own. What fails, or finds its table locked, does not stop the others.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::apply::{Executor, Order};
use super::events::{Blocker, Event, Events};
use super::hazard::LockMode;
use super::queue::{Next, Queue};
use super::retry::Pauses;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::lease::Holder;
use crate::pg::{Interrupt, Lease, Query, Row, Server, Session};

/// The sessions that work. The first holds the lease's place of the run; they all share the lease. Further ones are
/// opened once there is work for them.
pub struct Crew {
    lead: Executor,
    further: Vec<Option<Executor>>,
    connection: Connection,
    pids: Pids,
}

/// The backends that work, as they come.
pub type Pids = Rc<RefCell<Vec<i32>>>;

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
    /// Of the session that holds the lease, and of further ones beside it where there is work for them, until there
    /// are `hands`. All of them belong to the lead's run in the journal.
    ///
    /// # Errors
    /// Busy while sessions of a killed run still work.
    pub async fn muster(
        mut lead: Executor,
        hands: usize,
        connection: &Connection,
        events: &mut dyn Events,
    ) -> Result<Crew> {
        let wait = lead.order.lease_wait;
        let waiting = |holder: &Holder| {
            lead.waited = true;
            events.event(Event::LeaseTaken(holder));
        };
        lead.lease.alone(wait, &lead.interrupt, waiting).await?;
        let pids = Rc::new(RefCell::new(vec![lead.server.backend_pid]));
        let further = (1..hands.max(1)).map(|_| None).collect();
        Ok(Crew { lead, further, connection: connection.clone(), pids })
    }

    /// The session that holds the run: for looks and the journal before and after the work.
    pub fn lead(&mut self) -> &mut Executor {
        &mut self.lead
    }

    /// The backends that work, also those that will.
    pub fn pids(&self) -> Pids {
        Rc::clone(&self.pids)
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
        let bond = self.lead.bond();
        let (bond, connection, pids) = (&bond, &self.connection, &self.pids);
        // No more hands than pieces.
        let further = self.further.iter_mut().take(pieces.len().saturating_sub(1)).map(|place| async move {
            if place.is_none() {
                *place = shift_of.recruit(bond, connection, pids).await;
            }
            if let Some(hand) = place {
                shift_of.hand(hand, work).await;
            }
        });
        // The first begins at once.
        tokio::join!(biased; shift_of.hand(&mut self.lead, work), futures_util::future::join_all(further));
        shift.ends.into_inner()
    }

    /// Ends the run in the journal.
    pub async fn close(&self, outcome: &str, detail: &str) {
        self.lead.close(outcome, detail).await;
    }
}

/// What makes a session a hand of a run.
struct Bond {
    lease: Arc<Lease>,
    order: Order,
    interrupt: Interrupt,
    run: Option<i64>,
    has_state: bool,
}

impl Bond {
    /// One more session under the same lease. Its lock is shared with the other hands: the next run sees
    /// by it when the last of them has ended.
    async fn hand(&self, connection: &Connection) -> Result<Executor> {
        let work = Session::open(connection, &self.order.command, &self.interrupt).await?;
        let (shared, server) = tokio::join!(self.lease.share(&work), Server::read(&work));
        shared?;
        let server = Server { has_state: self.has_state, ..server? };
        let mut hand = Executor::under(work, server, Arc::clone(&self.lease), self.order.clone(), &self.interrupt);
        hand.run = self.run;
        Ok(hand)
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

    fn bond(&self) -> Bond {
        Bond {
            lease: Arc::clone(&self.lease),
            order: self.order.clone(),
            interrupt: self.interrupt.clone(),
            run: self.run,
            has_state: self.server.has_state,
        }
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
    /// A further hand, unless the others have begun everything by the time it is there. Without one, the others go on.
    async fn recruit(&self, bond: &Bond, connection: &Connection, pids: &Pids) -> Option<Executor> {
        let hand = tokio::select! {
            hand = bond.hand(connection) => hand,
            () = self.all_begun() => return None,
        };
        match hand {
            Ok(hand) => {
                pids.borrow_mut().push(hand.server.backend_pid);
                Some(hand)
            }
            // The others say so.
            Err(failure) if matches!(failure.what(), Kind::Interrupted | Kind::Terminated) => None,
            Err(failure) => {
                let message = format!("a further session was not to be had: {}", failure.messages().join(": "));
                let hint = Some("the others go on; --jobs 1 asks for none");
                Shared(&self.events).event(Event::Attention { message: &message, hint });
                None
            }
        }
    }

    async fn all_begun(&self) {
        loop {
            let ended = self.ended.notified();
            if !self.queue.borrow().waits() {
                return;
            }
            ended.await;
        }
    }

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
