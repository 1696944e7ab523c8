//! Which of many independent pieces of work is next: in their order, never two that are about one
//! thing at once, those without their lock again after a pause, and none after the budget. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use super::retry::{Backoff, Pauses};

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Begin this one.
    Begin(usize),
    /// Ask again after at most this long, or when something else has ended.
    Wait(Duration),
    /// Nothing will be left to begin.
    Nothing,
}

/// The pieces, by number, and how they stand. Times are counted from the beginning of the run.
#[derive(Debug)]
pub struct Queue {
    entries: Vec<Entry>,
    busy: BTreeSet<u32>,
    budget: Option<Duration>,
    patience: Duration,
}

#[derive(Debug)]
struct Entry {
    about: u32,
    state: State,
    backoff: Backoff,
    refused: Option<Duration>,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waits(Duration),
    Runs,
    Ended,
}

impl Queue {
    /// A queue of pieces, each about the thing with this number.
    pub fn new(
        about: impl IntoIterator<Item = u32>,
        budget: Option<Duration>,
        patience: Duration,
        pauses: Pauses,
    ) -> Queue {
        let entry =
            |about| Entry { about, state: State::Waits(Duration::ZERO), backoff: Backoff::new(pauses), refused: None };
        Queue { entries: about.into_iter().map(entry).collect(), busy: BTreeSet::new(), budget, patience }
    }

    /// What to do at this time.
    pub fn next(&mut self, now: Duration) -> Next {
        if self.budget.is_some_and(|budget| now >= budget) {
            return Next::Nothing;
        }
        let mut earliest: Option<Duration> = None;
        for (number, entry) in self.entries.iter_mut().enumerate() {
            let State::Waits(until) = entry.state else { continue };
            if until <= now && self.busy.insert(entry.about) {
                entry.state = State::Runs;
                return Next::Begin(number);
            }
            // One that waits for another about the same thing is asked for when that has ended.
            earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
        }
        let left = self.budget.map(|budget| budget.saturating_sub(now));
        match earliest {
            None => Next::Nothing,
            Some(until) => {
                let pause = until.saturating_sub(now).max(LOOK_AGAIN);
                Next::Wait(left.map_or(pause, |left| pause.min(left)))
            }
        }
    }

    /// Whether one is left to begin, now or later.
    pub fn waits(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.state, State::Waits(_)))
    }

    /// It is done, or failed for good.
    pub fn ended(&mut self, number: usize) {
        self.settle(number, State::Ended);
    }

    /// Its lock was not to be had: after which pause it is tried again, if at all. `jitter` is in 0..1.
    pub fn locked(&mut self, number: usize, now: Duration, jitter: f64) -> Option<Duration> {
        let entry = self.entries.get_mut(number)?;
        let since = *entry.refused.get_or_insert(now);
        let pause = entry.backoff.pause(now.saturating_sub(since), self.patience, jitter);
        let again = pause.map(|pause| now + pause).filter(|then| self.budget.is_none_or(|budget| *then < budget));
        self.settle(number, again.map_or(State::Ended, State::Waits));
        again.map(|then| then.saturating_sub(now))
    }

    fn settle(&mut self, number: usize, state: State) {
        if let Some(entry) = self.entries.get_mut(number) {
            self.busy.remove(&entry.about);
            entry.state = state;
        }
    }
}

/// The end of another piece is waited for in steps of this.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn pauses() -> Pauses {
        Pauses { first: s(1), longest: s(4) }
    }

    #[test]
    fn two_pieces_about_one_table_never_run_at_once() {
        let mut queue = Queue::new([7, 7, 8], None, s(10), pauses());
        assert_eq!(queue.next(s(0)), Next::Begin(0));
        assert_eq!(queue.next(s(0)), Next::Begin(2));
        assert!(matches!(queue.next(s(0)), Next::Wait(_)));
        queue.ended(0);
        assert_eq!(queue.next(s(1)), Next::Begin(1));
        assert_eq!(queue.next(s(1)), Next::Nothing);
    }

    #[test]
    fn one_without_its_lock_waits_while_others_work_and_is_given_up_with_the_patience() {
        let mut queue = Queue::new([1, 2], None, s(5), pauses());
        assert_eq!(queue.next(s(0)), Next::Begin(0));
        assert_eq!(queue.locked(0, s(0), 0.5), Some(s(1)));
        assert_eq!(queue.next(s(0)), Next::Begin(1));
        queue.ended(1);
        assert_eq!(queue.next(s(0)), Next::Wait(s(1)));
        assert_eq!(queue.next(s(1)), Next::Begin(0));
        assert_eq!(queue.locked(0, s(1), 0.5), Some(s(2)));
        assert_eq!(queue.next(s(3)), Next::Begin(0));
        assert_eq!(queue.locked(0, s(4), 0.5), Some(s(1)), "one last time when the patience ends");
        assert_eq!(queue.next(s(5)), Next::Begin(0));
        assert_eq!(queue.locked(0, s(5), 0.5), None);
        assert_eq!(queue.next(s(6)), Next::Nothing);
    }

    #[test]
    fn nothing_begins_after_the_budget() {
        let mut queue = Queue::new([1, 2, 3], Some(s(3)), s(60), pauses());
        assert_eq!(queue.next(s(0)), Next::Begin(0));
        assert_eq!(queue.next(s(1)), Next::Begin(1));
        assert_eq!(queue.locked(1, s(2), 0.9), None, "the pause would end after the budget");
        assert_eq!(queue.next(s(3)), Next::Nothing);
    }
}
