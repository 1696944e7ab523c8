//! What killed runs left of the same database: sorted before a restore begins, and cleared away when it is done.

use super::mark::{Mark, State};
use super::prepare::Prepared;
use super::swap;
use crate::error::{Failure, Kind, Result};
use crate::ident::Ident;
use crate::steps::Means;
use crate::steps::events::Event;

/// Drops what is unfinished and tells what is more than that; returns what `resume` goes on with. Under the lease:
/// nobody is at any of it but orphans.
///
/// # Errors
/// Failed, when there is nothing to go on with; the server's.
pub(super) async fn sort(prepared: &Prepared, resume: bool, means: &mut Means<'_>) -> Result<Option<(String, Mark)>> {
    let (target, backup) = (&prepared.target, &prepared.work.manifest.id);
    let mut left = ours(prepared).await?;
    let goes_on = |mark: &Mark| mark.holds(backup, &prepared.wanted);
    let mut gone_on_with = None;
    if resume {
        let Some(at) = left.iter().position(|(_, mark)| goes_on(mark)) else {
            let message = format!("nothing of backup {backup} is left to go on with for database {target}");
            let others = left.iter().filter(|(_, mark)| mark.backup == *backup && mark.state != State::Building);
            let failure = others.fold(Failure::new(Kind::Failed, message), |failure, (name, mark)| {
                failure.note(format!("database {name} holds {}", mark.held()))
            });
            return Err(failure.hint("without --resume it is restored from the beginning"));
        };
        gone_on_with = Some(left.swap_remove(at));
    }
    for (name, mark) in &left {
        if mark.state == State::Building {
            let message = format!("a killed restore left database {name}, unfinished: it is dropped");
            means.events.event(Event::Attention { message: &message, hint: None });
            swap::remove(&prepared.admin, name).await?;
        } else if prepared.whole && mark.backup == *backup {
            let what = match goes_on(mark) {
                true if resume => ", its rows are proven",
                true => ", its rows are proven and --resume would go on with it",
                false => " with a part of this backup",
            };
            let message = format!("a killed restore left database {name}{what}: it is dropped when this one is done");
            means.events.event(Event::Attention { message: &message, hint: None });
        } else {
            let message = match goes_on(mark) {
                true => format!("a killed restore left database {name}; its rows are proven: --resume goes on with it"),
                false => format!("a killed restore of backup {} left database {name}", mark.backup),
            };
            let hint = format!("DROP DATABASE {};", Ident::new(name.as_str()));
            means.events.event(Event::Attention { message: &message, hint: Some(&hint) });
        }
    }
    Ok(gone_on_with)
}

/// Drops what was left of this very backup, now that all of it has its name. Where somebody looks at it, it stays and
/// is told.
pub(super) async fn clear(prepared: &Prepared, means: &mut Means<'_>) {
    if !prepared.whole {
        return;
    }
    // The next restore sees them again.
    for (name, mark) in ours(prepared).await.unwrap_or_default() {
        if mark.backup != prepared.work.manifest.id {
            continue;
        }
        let stays = match swap::strangers(&prepared.admin, &name).await {
            Ok(inside) if inside.is_empty() => match swap::remove(&prepared.admin, &name).await {
                Ok(()) => continue,
                Err(failure) => failure.messages(),
            },
            Ok(inside) => inside,
            Err(failure) => failure.messages(),
        };
        let message = format!("a killed restore left database {name}, and it stays: {}", stays.join(", "));
        let hint = format!("DROP DATABASE {} WITH (FORCE);", Ident::new(name.as_str()));
        means.events.event(Event::Attention { message: &message, hint: Some(&hint) });
    }
}

async fn ours(prepared: &Prepared) -> Result<Vec<(String, Mark)>> {
    let unfinished = |mark: &Mark| matches!(mark.state, State::Building | State::Proven | State::Ready);
    let all = swap::databases(&prepared.admin).await?;
    let ours = all.iter().filter_map(|found| {
        let mark = found.mark_of(&prepared.target).filter(unfinished)?;
        Some((found.name.clone(), mark))
    });
    Ok(ours.collect())
}
