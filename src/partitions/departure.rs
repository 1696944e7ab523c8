//! How a partition leaves, stage by stage: from what the policy wants, how far it has come and where it
//! is now, the next thing to do. A killed run is continued by asking again. Pure.

use chrono::{DateTime, Utc};

use super::ddl::Route;
use super::plan::grace_is_over;
use crate::policy::{Expire, TablePolicy, Then};

/// How far a partition has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is noted of it.
    Unknown,
    /// It was noted that it leaves.
    Leaving,
    /// Its rows were exported, and the export read back.
    Exported,
    /// It was detached.
    Detached,
    /// Detached, and its rows are what was exported.
    Frozen,
    /// It waits for the end of its grace.
    Aside,
    /// It has arrived where it goes.
    Arrived,
}

impl State {
    /// As schema dbctl spells it.
    pub fn of(text: &str) -> State {
        match text {
            "leaving" => State::Leaving,
            "exported" => State::Exported,
            "detached" => State::Detached,
            "frozen" => State::Frozen,
            "aside" => State::Aside,
            _ => State::Arrived,
        }
    }
}

/// Where the relation is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// A partition of its table.
    Attached,
    /// On its own.
    Detached,
    /// Nowhere.
    Gone,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Export it and read the export back.
    Export,
    /// Note that it leaves.
    Announce,
    /// DETACH CONCURRENTLY.
    DetachConcurrently,
    /// DETACH in a transaction, and in it [`Then`] or what the mode wants.
    DetachBriefly,
    /// Make it a partition of another table.
    AttachElsewhere,
    /// DROP while it is attached.
    DropAttached,
    /// Compare its rows with what was exported.
    Rehash,
    /// Move it to those that wait.
    PutAside,
    /// Wait for the end of the grace.
    Wait,
    /// DROP it.
    Drop,
    /// Move it to the user's schema.
    Move,
    /// Note that it stays detached.
    Keep,
    /// Somebody else has dropped it: note that.
    NoteGone,
    /// Nothing.
    Done,
}

/// What decides, besides state and place.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The policy.
    pub entry: &'a TablePolicy,
    /// How its table lets partitions go.
    pub route: Route,
    /// Foreign keys of other tables point to its table.
    pub is_referenced: bool,
    /// When it may be dropped.
    pub drop_after: Option<DateTime<Utc>>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// The next thing to do with a partition.
pub fn next(terms: &Terms<'_>, state: State, place: Whereabouts) -> Stage {
    let grace = !terms.entry.rails.grace.is_zero();
    let end = if grace { Stage::PutAside } else { Stage::Drop };
    match (place, state) {
        (_, State::Arrived) => Stage::Done,
        (Whereabouts::Gone, _) => Stage::NoteGone,
        (Whereabouts::Attached, state) => attached(terms, state, grace),
        (Whereabouts::Detached, State::Aside) => {
            if grace_is_over(terms.drop_after, terms.now) {
                Stage::Drop
            } else {
                Stage::Wait
            }
        }
        (Whereabouts::Detached, State::Frozen) => match terms.entry.expire {
            Expire::Archive { then: Then::Detach, .. } | Expire::Detach => Stage::Keep,
            _ => end,
        },
        (Whereabouts::Detached, _) => match terms.entry.expire {
            Expire::Archive { .. } => Stage::Rehash,
            Expire::Drop => end,
            Expire::Detach => Stage::Keep,
            Expire::Move { .. } => Stage::Move,
            Expire::Attach { .. } => Stage::AttachElsewhere,
        },
    }
}

fn attached(terms: &Terms<'_>, state: State, grace: bool) -> Stage {
    match (&terms.entry.expire, terms.route) {
        (Expire::Archive { .. }, _) if state != State::Exported => Stage::Export,
        (Expire::Attach { .. }, _) => Stage::AttachElsewhere,
        (Expire::Drop, Route::Briefly) if !grace && !terms.is_referenced => Stage::DropAttached,
        (_, Route::Briefly) => Stage::DetachBriefly,
        (_, Route::Concurrently) if state == State::Unknown => Stage::Announce,
        (_, Route::Concurrently) => Stage::DetachConcurrently,
    }
}

/// The stages of an undisturbed departure, for showing: it ends where it must wait.
pub fn all(terms: &Terms<'_>) -> Vec<Stage> {
    let (mut state, mut place) = (State::Unknown, Whereabouts::Attached);
    let mut stages = Vec::new();
    while stages.len() < 8 {
        let stage = next(terms, state, place);
        match stage {
            Stage::Export => state = State::Exported,
            Stage::Announce => state = State::Leaving,
            Stage::DetachConcurrently => (state, place) = (State::Detached, Whereabouts::Detached),
            Stage::DetachBriefly => {
                (state, place) = (after_brief_detach(terms.entry), Whereabouts::Detached);
            }
            Stage::Rehash => state = State::Frozen,
            Stage::PutAside => state = State::Aside,
            Stage::AttachElsewhere | Stage::DropAttached | Stage::Drop | Stage::Move | Stage::Keep => {
                state = State::Arrived;
            }
            Stage::Wait | Stage::NoteGone | Stage::Done => break,
        }
        stages.push(stage);
    }
    stages
}

/// What a DETACH in a transaction does in the same transaction.
pub fn after_brief_detach(entry: &TablePolicy) -> State {
    match entry.expire {
        Expire::Archive { .. } => State::Detached,
        Expire::Drop if !entry.rails.grace.is_zero() => State::Aside,
        Expire::Drop | Expire::Detach | Expire::Move { .. } | Expire::Attach { .. } => State::Arrived,
    }
}

/// The word of dbctl.partition for how a partition leaves.
pub fn mode(expire: &Expire) -> &'static str {
    match expire {
        Expire::Drop => "drop",
        Expire::Detach => "detach",
        Expire::Move { .. } => "move",
        Expire::Attach { .. } => "attach",
        Expire::Archive { .. } => "archive",
    }
}
