//! What lies in a repository, with what was proven of it and how the last runs ended. Reads; does not decide.

use chrono::{DateTime, Utc};

use super::manifest::{Id, Manifest};
use super::repository::{Attempt, Damaged, Pin, Proof, Repository};
use super::retention::Candidate;
use crate::error::Result;

/// A backup and what is known of it.
#[derive(Debug)]
pub struct Entry {
    /// What it is.
    pub manifest: Manifest,
    /// What verifying it came to, the oldest first.
    pub proofs: Vec<Proof>,
    /// Why it must stay.
    pub pin: Option<Pin>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Survey {
    /// The whole backups, the oldest first.
    pub entries: Vec<Entry>,
    /// What looks like a backup and is none.
    pub damaged: Vec<Damaged>,
    /// Under way, or left by a killed run.
    pub unfinished: Vec<Id>,
    /// How the runs ended, the oldest first.
    pub attempts: Vec<Attempt>,
}

/// Reads a repository; of one database where that is said.
///
/// # Errors
/// The store's; refused, when a proof or a record was changed.
pub async fn survey(repository: &Repository, database: Option<&str>) -> Result<Survey> {
    let listing = repository.list().await?;
    let mut survey = Survey { damaged: listing.damaged, unfinished: listing.unfinished, ..Survey::default() };
    for manifest in listing.backups {
        if database.is_some_and(|name| name != manifest.database.name) {
            continue;
        }
        let proofs = repository.proofs(&manifest.id).await?;
        let pin = repository.pin_of(&manifest.id).await?;
        survey.entries.push(Entry { manifest, proofs, pin });
    }
    survey.entries.sort_by(|a, b| a.manifest.times.snapshot.cmp(&b.manifest.times.snapshot));
    let attempts = repository.attempts().await?;
    survey.attempts = attempts.into_iter().filter(|one| database.is_none_or(|name| name == one.database)).collect();
    Ok(survey)
}

impl Entry {
    /// The moment that it is of.
    pub fn at(&self) -> DateTime<Utc> {
        let at = DateTime::parse_from_rfc3339(&self.manifest.times.snapshot);
        at.map(|at| at.to_utc()).unwrap_or_default()
    }

    /// The last proof.
    pub fn last_proof(&self) -> Option<&Proof> {
        self.proofs.last()
    }

    /// The highest level that was proven, unless the last look found something.
    pub fn proven(&self) -> Option<u8> {
        let good = self.last_proof()?.good;
        let levels = self.proofs.iter().filter(|proof| proof.good).map(|proof| proof.level);
        levels.max().filter(|_| good)
    }

    /// As the rules see it.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            id: self.manifest.id.clone(),
            database: self.manifest.database.name.clone(),
            at: self.at(),
            good: self.last_proof().is_none_or(|proof| proof.good),
            proven: self.proven(),
            pinned: self.pin.is_some(),
        }
    }
}

impl Survey {
    /// As the rules see them.
    pub fn candidates(&self) -> Vec<Candidate> {
        self.entries.iter().map(Entry::candidate).collect()
    }
}
