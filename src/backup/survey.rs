//! What lies in a repository, with what was proven of it and how the last runs ended. Reads; does not decide.

use chrono::{DateTime, Utc};

use super::manifest::{Id, Manifest};
use super::repository::{Attempt, Damaged, Pin, Proof, Repository};
use super::retention::Candidate;
use crate::error::{Kind, Result};

/// A backup and what is known of it.
#[derive(Debug)]
pub struct Entry {
    /// What it is.
    pub manifest: Manifest,
    /// What verifying it came to, the oldest first.
    pub proofs: Vec<Proof>,
    /// Why it must stay.
    pub pin: Option<Pin>,
    /// What beside it cannot be trusted.
    pub odd: Option<String>,
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
    /// What beside them cannot be trusted.
    pub odd: Vec<String>,
}

/// Reads a repository; of one database where that is said.
///
/// # Errors
/// The store's. What was changed is no error but is told.
pub async fn survey(repository: &Repository, database: Option<&str>) -> Result<Survey> {
    let mut survey = backups(repository, database).await?;
    let (attempts, changed) = repository.attempts_that_read().await?;
    survey.odd.extend(changed);
    survey.attempts = attempts.into_iter().filter(|one| database.is_none_or(|name| name == one.database)).collect();
    Ok(survey)
}

/// The same without how the runs ended, each of which is a file of its own.
///
/// # Errors
/// As [`survey`].
pub async fn backups(repository: &Repository, database: Option<&str>) -> Result<Survey> {
    let listing = repository.list().await?;
    let mut survey = Survey { damaged: listing.damaged, unfinished: listing.unfinished, ..Survey::default() };
    for manifest in listing.backups {
        if database.is_some_and(|name| name != manifest.database.name) {
            continue;
        }
        let (proofs, changed) = readable(repository.proofs(&manifest.id).await)?;
        let (pin, touched) = readable(repository.pin_of(&manifest.id).await)?;
        let odd = changed.or(touched);
        survey.odd.extend(odd.clone());
        survey.entries.push(Entry { manifest, proofs, pin, odd });
    }
    survey.entries.sort_by(|a, b| a.manifest.times.snapshot.cmp(&b.manifest.times.snapshot));
    Ok(survey)
}

/// What was changed after it was written is no reason to see nothing of the rest.
fn readable<T: Default>(read: Result<T>) -> Result<(T, Option<String>)> {
    match read {
        Ok(read) => Ok((read, None)),
        Err(failure) if matches!(failure.what(), Kind::Refused | Kind::Invalid) => {
            Ok((T::default(), Some(failure.messages().join(": "))))
        }
        Err(failure) => Err(failure),
    }
}

impl Entry {
    /// The moment that it is of; where that cannot be read, the one of its name.
    pub fn at(&self) -> DateTime<Utc> {
        self.moment().or_else(|| Id::parse(&self.manifest.id)?.at()).unwrap_or_default()
    }

    fn moment(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.manifest.times.snapshot).ok().map(|at| at.to_utc())
    }

    /// Whether it can be trusted: what was found wrong was looked at as closely again, and was right then.
    pub fn is_good(&self) -> bool {
        let mended =
            |at: usize| self.proofs[at..].iter().any(|proof| proof.good && proof.level >= self.proofs[at].level);
        let bad = self.proofs.iter().enumerate().filter(|(_, proof)| !proof.good);
        self.odd.is_none() && self.moment().is_some() && bad.map(|(at, _)| at).all(mended)
    }

    /// The last proof.
    pub fn last_proof(&self) -> Option<&Proof> {
        self.proofs.last()
    }

    /// The highest level that was proven, unless something is wrong with it.
    pub fn proven(&self) -> Option<u8> {
        let levels = self.proofs.iter().filter(|proof| proof.good).map(|proof| proof.level);
        levels.max().filter(|_| self.is_good())
    }

    /// As the rules see it.
    pub fn candidate(&self) -> Candidate {
        let (manifest, scope) = (&self.manifest, &self.manifest.scope);
        let cluster = manifest.server.system_identifier.as_deref().unwrap_or_default();
        Candidate {
            id: manifest.id.clone(),
            database: manifest.database.name.clone(),
            group: format!("{:?}", (cluster, &manifest.database.name, &scope.tables, &scope.schemas, &scope.exclude)),
            whole: scope.is_whole(),
            at: self.at(),
            good: self.is_good(),
            found_bad: self.odd.is_none() && self.proofs.iter().any(|proof| !proof.good),
            proven: self.proven(),
            pinned: self.pin.is_some(),
        }
    }
}

impl Survey {
    /// When runs succeeded, by database.
    pub fn successes(&self) -> Vec<(String, DateTime<Utc>)> {
        let good = self.attempts.iter().filter(|attempt| attempt.failure.is_none());
        let at = |attempt: &Attempt| DateTime::parse_from_rfc3339(&attempt.at).ok().map(|at| at.to_utc());
        good.filter_map(|attempt| Some((attempt.database.clone(), at(attempt)?))).collect()
    }

    /// As the rules see them.
    pub fn candidates(&self) -> Vec<Candidate> {
        self.entries.iter().map(Entry::candidate).collect()
    }
}
