//! Which damaged backups may go when somebody asks for it: never what could be the last copy. Decides with what
//! the repository says; removes nothing.

use std::time::Duration;

use super::manifest::Id;
use super::repository::Repository;
use super::retention::{self, Candidate, Clock, Late};
use super::survey::{Entry, Survey};
use crate::error::{Kind, Result};

/// Those whose manifest cannot be read: a record says of which database they are, all of that is proven to be in
/// others, and nobody has pinned them.
///
/// # Errors
/// The store's.
pub async fn going(
    repository: &Repository,
    found: &Survey,
    candidates: &[Candidate],
    late: &[Late],
    clock: &Clock,
) -> Result<Vec<Id>> {
    let old = |id: &Id| age(id, clock).is_some_and(|age| age >= clock.min_age);
    let mut going = Vec::new();
    for damaged in found.damaged.iter().filter(|damaged| damaged.broken && old(&damaged.id)) {
        let made = found.attempts.iter().find(|attempt| attempt.id.as_deref() == Some(damaged.id.as_str()));
        let Some(attempt) = made else { continue };
        let stopped = late.iter().any(|one| one.database == attempt.database);
        if stopped || !retention::is_covered(candidates, &attempt.database) {
            continue;
        }
        match repository.pin_of(damaged.id.as_str()).await {
            Ok(None) => going.push(damaged.id.clone()),
            Ok(Some(_)) => {}
            // What was changed may have been a pin.
            Err(failure) if matches!(failure.what(), Kind::Refused | Kind::Invalid) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(going)
}

/// Whether what was found damaged is so yet.
///
/// # Errors
/// The store's; refused, when a proof was changed.
pub async fn is_still(repository: &Repository, entry: &Entry) -> Result<bool> {
    let proofs = repository.proofs(&entry.manifest.id).await?;
    let now = Entry { manifest: entry.manifest.clone(), proofs, pin: None, odd: None };
    Ok(!now.is_good())
}

fn age(id: &Id, clock: &Clock) -> Option<Duration> {
    (clock.now - id.at()?).to_std().ok()
}
