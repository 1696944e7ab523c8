//! Takes partitions out, stage by stage, through the executor. What comes next is decided in
//! [`super::departure`]; this file only does it.

use super::cold::{self, Cold};
use super::ddl::Frame;
use super::departure::{self, Stage, State, Whereabouts};
use super::plan::Candidate;
use super::read::Leaving;
use super::state;
use super::work::Found;
use crate::archive::Manifest;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::policy::Expire;
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
    /// Of its export.
    manifest: Option<Manifest>,
}

/// What a departure works with.
pub struct Journey<'a> {
    /// The table.
    pub found: &'a Found<'a>,
    /// What its steps share.
    pub frame: Frame<'a>,
    /// Where exports go.
    pub cold: Cold<'a>,
}

/// Lets one expired partition go as far as it may in this run.
///
/// # Errors
/// Of the stage that failed; what came before it is kept, and the next run goes on from there.
pub async fn leave(
    executor: &mut Executor,
    journey: &Journey<'_>,
    partition: &Candidate,
    events: &mut dyn Events,
) -> Result<Departed> {
    let found = journey.found;
    let name = super::plan::raw(&partition.name);
    let known = found.leaving.iter().rfind(|row| row.oid == partition.oid && row.partition == name);
    let traveller = Traveller {
        candidate: partition.clone(),
        state: known.map_or(State::Unknown, |row| State::of(&row.state)),
        place: partition.name.clone(),
        whereabouts: Whereabouts::Attached,
        manifest: known.and_then(|row| manifest_of(row)),
    };
    travel(executor, journey, traveller, None, events).await
}

/// Goes on with a partition that an earlier run has taken out, where there is something to do.
///
/// # Errors
/// As [`leave`].
pub async fn go_on(
    executor: &mut Executor,
    journey: &Journey<'_>,
    row: &Leaving,
    events: &mut dyn Events,
) -> Result<Option<Departed>> {
    let found = journey.found;
    if !found.is_due(row) || found.stage(row) == Stage::Done {
        return Ok(None);
    }
    let candidate = Candidate { oid: row.oid, name: found.name_of(row), range: found.range_of(row)? };
    let traveller = Traveller {
        place: row.now.clone().unwrap_or_else(|| candidate.name.clone()),
        candidate,
        state: State::of(&row.state),
        whereabouts: found.whereabouts(row),
        manifest: manifest_of(row),
    };
    travel(executor, journey, traveller, row.drop_after, events).await.map(Some)
}

async fn travel(
    executor: &mut Executor,
    journey: &Journey<'_>,
    mut it: Traveller,
    drop_after: Option<chrono::DateTime<chrono::Utc>>,
    events: &mut dyn Events,
) -> Result<Departed> {
    let Journey { found, frame, cold } = journey;
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
            Stage::Announce => (vec![frame.announce(&it.candidate, mode)], State::Leaving, it.whereabouts, "announced"),
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
                // The last look: what the file has become since is what counts.
                if let (Expire::Archive { archive, .. }, Some(manifest)) = (&entry.expire, &it.manifest) {
                    cold.prove(cold.archive(archive)?, &found.set, &it.candidate, manifest).await?;
                } else if matches!(entry.expire, Expire::Archive { .. }) {
                    return Err(Failure::new(Kind::Refused, format!("{name} has no archive that is known: it stays")));
                }
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
            Stage::Export => {
                let manifest = export(executor, journey, &it).await?;
                let record = vec![state::begin(&found.set, &it.candidate, mode, "exported", &manifest.1)];
                it.manifest = Some(manifest.0);
                let step = frame.note("export", it.candidate.oid, format!("note the export of {name}"), record);
                (vec![step], State::Exported, it.whereabouts, "exported")
            }
            Stage::Rehash => {
                let same = match &it.manifest {
                    Some(manifest) => cold.is_as_exported(executor.session(), &it.place, manifest).await?,
                    None => false,
                };
                // Rows came after the export: nobody can write any more, so once more is enough.
                let columns = if same {
                    Vec::new()
                } else {
                    let manifest = export(executor, journey, &it).await?;
                    let as_exported = cold.is_as_exported(executor.session(), &it.place, &manifest.0).await?;
                    if !as_exported {
                        return Err(Failure::new(
                            Kind::Refused,
                            format!("{name} changes although it is detached: it stays"),
                        )
                        .hint("see who writes to it: SELECT * FROM pg_stat_activity"));
                    }
                    it.manifest = Some(manifest.0);
                    manifest.1
                };
                let record = vec![state::advance(it.candidate.oid, "frozen", &columns)];
                let step = frame.note("freeze", it.candidate.oid, format!("note that {name} is as exported"), record);
                (vec![step], State::Frozen, it.whereabouts, "archived")
            }
        };
        executor.perform(&Plan { steps }, events).await?;
        (it.state, it.whereabouts, what) = (state, whereabouts, word);
    }
    Err(Failure::new(Kind::Failed, format!("{} never arrives", it.candidate.name)))
}

/// Exports it from where it is; what was exported, and the columns that say so.
async fn export(
    executor: &Executor,
    journey: &Journey<'_>,
    it: &Traveller,
) -> Result<(Manifest, Vec<(&'static str, String)>)> {
    let Journey { found, cold, .. } = journey;
    let Expire::Archive { archive, .. } = &found.set.policy.expire else {
        return Err(Failure::new(Kind::Failed, format!("{} is not to be archived", it.candidate.name)));
    };
    let archive = cold.archive(archive)?;
    let (manifest, url) =
        cold.export(executor.session(), &found.set, &it.candidate, &it.place, archive, it.manifest.as_ref()).await?;
    let columns = cold::columns(&manifest, &url)?;
    Ok((manifest, columns))
}

fn manifest_of(row: &Leaving) -> Option<Manifest> {
    row.manifest.as_ref().and_then(|text| Manifest::parse(text.as_bytes(), &row.partition).ok())
}

/// What a detach in a transaction has made of the partition.
fn word_of(entry: &crate::policy::TablePolicy) -> &'static str {
    match entry.expire {
        Expire::Drop if entry.rails.grace.is_zero() => "dropped",
        Expire::Drop => "put aside",
        Expire::Move { .. } => "moved",
        Expire::Attach { .. } => "attached elsewhere",
        Expire::Detach | Expire::Archive { .. } => "detached",
    }
}
