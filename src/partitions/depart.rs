//! Takes partitions out, stage by stage, through the executor. What comes next is decided in
//! [`super::departure`]; this file only does it.

use super::ddl::Frame;
use super::departure::{self, Stage, State, Whereabouts};
use super::key::Range;
use super::plan::Candidate;
use super::read::Leaving;
use super::work::Found;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::steps::apply::Executor;
use crate::steps::events::Events;
use crate::steps::{Plan, Step};

/// What became of a partition in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departed {
    /// Its name while it was attached.
    pub partition: String,
    /// The word for it: `dropped`, `put aside`, …
    pub what: &'static str,
}

/// A partition on its way.
struct Traveller {
    candidate: Candidate,
    state: State,
    place: TableName,
    whereabouts: Whereabouts,
}

/// Lets one expired partition go as far as it may in this run.
///
/// # Errors
/// Of the stage that failed; what came before it is kept, and the next run goes on from there.
pub async fn leave(
    executor: &mut Executor,
    found: &Found<'_>,
    frame: &Frame<'_>,
    partition: &Candidate,
    events: &mut dyn Events,
) -> Result<Departed> {
    let name = super::plan::raw(&partition.name);
    let known = found.leaving.iter().rfind(|row| row.oid == partition.oid && row.partition == name);
    let traveller = Traveller {
        candidate: partition.clone(),
        state: known.map_or(State::Unknown, |row| State::of(&row.state)),
        place: partition.name.clone(),
        whereabouts: Whereabouts::Attached,
    };
    travel(executor, found, frame, traveller, None, events).await
}

/// Goes on with a partition that an earlier run has taken out, where there is something to do.
///
/// # Errors
/// As [`leave`].
pub async fn go_on(
    executor: &mut Executor,
    found: &Found<'_>,
    frame: &Frame<'_>,
    row: &Leaving,
    events: &mut dyn Events,
) -> Result<Option<Departed>> {
    if !found.is_due(row) || found.stage(row) == Stage::Done {
        return Ok(None);
    }
    let axis = &found.set.grid.axis;
    let edge = |text: &str, open: super::key::Edge| match text {
        "MINVALUE" | "MAXVALUE" => Ok(open),
        literal => axis.parse(literal),
    };
    let bounds = (edge(&row.lower, super::key::Edge::Min), edge(&row.upper, super::key::Edge::Max));
    let range = match bounds {
        (Ok(lower), Ok(upper)) => Range::new(lower, upper),
        _ => None,
    };
    let range = range.ok_or_else(|| {
        Failure::new(Kind::Failed, format!("schema dbctl says that {} held {} to {}", row.partition, row.lower, row.upper))
    })?;
    let (schema, name) = row.partition.split_once('.').unwrap_or(("", &row.partition));
    let candidate = Candidate { oid: row.oid, name: TableName::new(schema, name), range };
    let traveller = Traveller {
        place: row.now.clone().unwrap_or_else(|| candidate.name.clone()),
        candidate,
        state: State::of(&row.state),
        whereabouts: found.whereabouts(row),
    };
    travel(executor, found, frame, traveller, row.drop_after, events).await.map(Some)
}

async fn travel(
    executor: &mut Executor,
    found: &Found<'_>,
    frame: &Frame<'_>,
    mut it: Traveller,
    drop_after: Option<chrono::DateTime<chrono::Utc>>,
    events: &mut dyn Events,
) -> Result<Departed> {
    let entry = found.set.policy;
    let mode = departure::mode(&entry.expire);
    let mut what = "left";
    // A stage more than any departure has would be a mistake of ours, not the user's wait.
    for _ in 0..12 {
        let stage = departure::next(&found.terms(drop_after, frame.route()), it.state, it.whereabouts);
        let name = it.candidate.name.to_string();
        let done = |partition: String, what| Ok(Departed { partition, what });
        let (steps, state, whereabouts, word): (Vec<Step>, State, Whereabouts, &'static str) = match stage {
            Stage::Done => return done(name, what),
            Stage::Wait => return done(name, "put aside"),
            Stage::Announce => {
                (vec![frame.announce(&it.candidate, mode)], State::Leaving, it.whereabouts, "announced")
            }
            Stage::DetachConcurrently => {
                let step = frame.detach_concurrently(&it.candidate);
                (vec![step], State::Detached, Whereabouts::Detached, "detached")
            }
            Stage::DetachBriefly => {
                let step = frame.detach_briefly_for(&it.candidate, &mut it.place);
                (vec![step], departure::after_brief_detach(entry), Whereabouts::Detached, word_of(entry))
            }
            Stage::AttachElsewhere => {
                let attached = it.whereabouts == Whereabouts::Attached;
                let steps = frame.attach_elsewhere_for(&it.candidate, &it.place, attached);
                (steps, State::Arrived, Whereabouts::Detached, "attached elsewhere")
            }
            Stage::DropAttached => {
                (vec![frame.drop_attached(&it.candidate, mode)], State::Arrived, Whereabouts::Gone, "dropped")
            }
            Stage::PutAside => {
                let step = frame.put_aside(&it.place, it.candidate.oid);
                executor.perform(&Plan { steps: vec![step] }, events).await?;
                return done(name, "put aside");
            }
            Stage::Drop => {
                let step = frame.drop_detached(&it.place, it.candidate.oid);
                (vec![step], State::Arrived, Whereabouts::Gone, "dropped")
            }
            Stage::Move => {
                (vec![frame.move_away(&it.place, it.candidate.oid)], State::Arrived, Whereabouts::Detached, "moved")
            }
            Stage::Keep => {
                (vec![frame.keep(it.candidate.oid, &it.place)], State::Arrived, Whereabouts::Detached, "detached")
            }
            Stage::NoteGone => {
                (vec![frame.note_gone(it.candidate.oid, &name)], State::Arrived, Whereabouts::Gone, "gone already")
            }
            Stage::Export | Stage::Rehash => {
                return Err(Failure::new(Kind::Failed, format!("{name}: archives are not at hand")));
            }
        };
        executor.perform(&Plan { steps }, events).await?;
        (it.state, it.whereabouts, what) = (state, whereabouts, word);
    }
    Err(Failure::new(Kind::Failed, format!("{} never arrives", it.candidate.name)))
}

/// What a detach in a transaction has made of the partition.
fn word_of(entry: &super::policy::TablePolicy) -> &'static str {
    use super::policy::Expire;
    match entry.expire {
        Expire::Drop if entry.rails.grace.is_zero() => "dropped",
        Expire::Drop => "put aside",
        Expire::Move { .. } => "moved",
        Expire::Attach { .. } => "attached elsewhere",
        Expire::Detach | Expire::Archive { .. } => "detached",
    }
}
