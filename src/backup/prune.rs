//! `backup prune`: what the rules do not keep goes, the manifest first, so that at no moment a part of a backup
//! looks whole. A killed run is gone on with by the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::damaged;
use super::manifest::{Id, RECORD_VERSION};
use super::repository::{Pin, Repository};
use super::retention::{self, Clock, Keep, Late, Reason};
use super::survey::{Entry, Survey, survey};
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::steps::Means;
use crate::steps::events::Event;
use crate::steps::gate::{self, Rails};

/// What a killed run left is let be for so long: another run may be at it.
const UNFINISHED: Duration = Duration::from_secs(24 * 3600);

/// How runs ended is kept for so long, and of each database so often in any case.
const RECORDED: Duration = Duration::from_secs(400 * 24 * 3600);
const RECORDS: usize = 100;

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Request {
    /// Of which database; none is every one, each by the same rules.
    pub database: Option<String>,
    /// The rules.
    pub keep: Keep,
    /// What is younger is left alone.
    pub min_age: Duration,
    /// Where a day begins.
    pub zone: Tz,
    /// How old the newest good backup may be before nothing is removed at all.
    pub max_age: Option<Duration>,
    /// Remove what was found damaged, too.
    pub damaged: bool,
    /// What stands before it.
    pub rails: Rails,
    /// Show what would be done.
    pub dry_run: bool,
}

/// Removes what the rules do not keep.
///
/// # Errors
/// Usage, when there is no rule; refused, when backups have stopped succeeding or without consent; the store's.
pub async fn prune(repository: &Repository, request: &Request, means: &mut Means<'_>) -> Result<(Outcome, Document)> {
    if request.keep.is_empty() && !request.damaged {
        return Err(Failure::new(Kind::Usage, "no rule says what to keep: nothing is removed")
            .hint("for example --keep-last 3 --keep-daily 30 --keep-monthly 12"));
    }
    // Without a rule only what is damaged is meant.
    let all = Keep { last: usize::MAX, ..Keep::default() };
    let keep = if request.keep.is_empty() { &all } else { &request.keep };
    let now = Utc::now();
    let found = survey(repository, request.database.as_deref()).await?;
    let candidates = found.candidates();
    let clock = Clock { now, zone: request.zone, min_age: request.min_age };
    let mut reasons = retention::decide(&candidates, keep, &clock);
    if request.damaged {
        retention::condemn(&candidates, &mut reasons);
    }
    let late = retention::late(&candidates, &found.successes(), request.max_age, now);
    let is_late = |entry: &&Entry| late.iter().any(|one| one.database == entry.manifest.database.name);
    let (held, going): (Vec<&Entry>, Vec<&Entry>) = going(&found, &reasons).into_iter().partition(is_late);
    let unreadable = match request.damaged {
        true => damaged::going(repository, &found, &candidates, &late, &clock).await?,
        false => Vec::new(),
    };
    let unfinished = old(repository, &found.unfinished, now).await?;
    let mut document = shown(repository, &found, &reasons, &unreadable, now);
    if !held.is_empty() {
        for one in &late {
            document = document.note(format!("nothing of {} goes: {}", one.database, told(one)));
        }
    }
    if request.dry_run {
        return Ok((Outcome::Done, document));
    }
    if let (Some(one), false, true) = (late.first(), held.is_empty(), going.is_empty() && unreadable.is_empty()) {
        let failure = Failure::new(Kind::Refused, "backups have stopped succeeding: nothing is removed");
        let failure = late.iter().fold(failure, |failure, one| failure.note(told(one)));
        return Err(failure
            .hint(format!("dbctl backup create --to {}   (of database {})", repository.url(), one.database))
            .hint("or say how old the newest may be: --max-age 30d"));
    }
    let because = going.iter().map(|entry| {
        let manifest = &entry.manifest;
        let how = if entry.is_good() { "" } else { ", which is damaged" };
        format!("backup {} of {}, as of {}{how}", manifest.id, manifest.database.name, manifest.times.snapshot)
    });
    let unread = unreadable.iter().map(|id| format!("backup {id}, whose manifest cannot be read"));
    let because: Vec<String> = because.chain(unread).collect();
    if !because.is_empty() {
        gate::consent(because, &Rails { always_ask: true, ..request.rails.clone() }, means.confirm)?;
    }
    let mut removed = 0;
    for (number, entry) in going.iter().enumerate() {
        means.interrupt.check()?;
        let title = format!("remove {}", entry.manifest.id);
        means.events.event(Event::Step { number: number + 1, of: going.len(), title: &title });
        let Some(id) = Id::parse(&entry.manifest.id) else { continue };
        // Somebody may have pinned it while the question was open.
        if repository.pin_of(&entry.manifest.id).await?.is_some() {
            document = document.note(format!("{id} was pinned meanwhile, and stays"));
            continue;
        }
        // It may have been read again meanwhile, and been right.
        if !entry.is_good() && !damaged::is_still(repository, entry).await? {
            document = document.note(format!("{id} was found good meanwhile, and stays"));
            continue;
        }
        repository.remove(&id).await?;
        removed += 1;
    }
    for id in &unreadable {
        means.interrupt.check()?;
        repository.remove(id).await?;
        removed += 1;
    }
    for id in &unfinished {
        // In a bucket a long run may have become a backup meanwhile.
        if repository.manifest(id).await?.is_some() {
            continue;
        }
        repository.clear_unfinished(id).await?;
        let what = format!("removed what a killed run had left: {id}");
        means.events.event(Event::Cleaned { what: &what });
    }
    repository.clear_removed().await?;
    forget(repository, now).await?;
    let outcome = if held.is_empty() { Outcome::Done } else { Outcome::Partial };
    Ok((outcome, document.fact("removed", "removed", Value::Int(removed))))
}

/// Lets a backup stay.
///
/// # Errors
/// Failed, when there is no such backup; the store's.
pub async fn pin(repository: &Repository, id: &str, reason: &str) -> Result<(Outcome, Document)> {
    let manifest = repository.find(id, None).await?;
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    repository.pin(&manifest.id, &Pin { version: RECORD_VERSION, at, reason: reason.to_owned() }).await?;
    let document = Document::new("backup.pin", 1).fact("backup", "backup", manifest.id.as_str());
    Ok((Outcome::Done, document.fact("pinned", "pinned", Value::Bool(true))))
}

/// Lets go of one again.
///
/// # Errors
/// Failed, when there is no such backup; the store's.
pub async fn unpin(repository: &Repository, id: &str) -> Result<(Outcome, Document)> {
    let manifest = repository.find(id, None).await?;
    let was = repository.unpin(&manifest.id).await?;
    let document = Document::new("backup.pin", 1).fact("backup", "backup", manifest.id.as_str()).fact(
        "pinned",
        "pinned",
        Value::Bool(false),
    );
    Ok((Outcome::Done, if was { document } else { document.note("it was not pinned") }))
}

fn going<'a>(found: &'a Survey, reasons: &[BTreeSet<Reason>]) -> Vec<&'a Entry> {
    let all = found.entries.iter().zip(reasons);
    all.filter(|(_, reasons)| reasons.is_empty()).map(|(entry, _)| entry).collect()
}

/// What nobody has written to for a day.
async fn old(repository: &Repository, unfinished: &[Id], now: DateTime<Utc>) -> Result<Vec<Id>> {
    let is_old = |at: DateTime<Utc>| (now - at).to_std().is_ok_and(|age| age > UNFINISHED);
    let mut old = Vec::new();
    for id in unfinished.iter().filter(|id| id.at().is_some_and(is_old)) {
        // A run may take longer than that.
        if repository.last_written(id).await?.is_none_or(is_old) {
            old.push(id.clone());
        }
    }
    Ok(old)
}

/// Clears how runs ended of which nobody asks any more: else every look at a repository reads more and more.
async fn forget(repository: &Repository, now: DateTime<Utc>) -> Result<()> {
    let records = match repository.records().await {
        Ok(records) => records,
        // That one was changed has been told.
        Err(failure) if matches!(failure.what(), Kind::Refused | Kind::Invalid) => return Ok(()),
        Err(failure) => return Err(failure),
    };
    let mut newer: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, attempt) in records.iter().rev() {
        let count = newer.entry(&attempt.database).or_default();
        *count += 1;
        let at = DateTime::parse_from_rfc3339(&attempt.at).ok();
        let age = at.and_then(|at| (now - at.to_utc()).to_std().ok());
        if *count > RECORDS && age.is_some_and(|age| age > RECORDED) {
            repository.forget(path).await?;
        }
    }
    Ok(())
}

/// Why nothing of a database is removed.
fn told(late: &Late) -> String {
    let days = |time: Duration| format!("{:.1} days", time.as_secs_f64() / 86_400.0);
    let allowed = days(late.limit);
    match late.age {
        Some(age) => {
            format!("the newest good backup of {} is {} old, and {allowed} are allowed", late.database, days(age))
        }
        None => format!("{} has no good backup", late.database),
    }
}

fn shown(
    repository: &Repository,
    found: &Survey,
    reasons: &[BTreeSet<Reason>],
    unreadable: &[Id],
    now: DateTime<Utc>,
) -> Document {
    let columns = vec![
        Column::new("backup", "backup"),
        Column::new("database", "database"),
        Column::new("age_seconds", "age"),
        Column::new("stored_bytes", "stored"),
        Column::new("kept_by", "kept by"),
        Column::machine("keep"),
    ];
    let mut table = Table { key: "backups", columns, rows: Vec::new(), empty: "there are no backups" };
    for (entry, reasons) in found.entries.iter().zip(reasons) {
        let words: Vec<String> = reasons.iter().map(|reason| reason.word().to_owned()).collect();
        let kept_by = if words.is_empty() { "nothing: it goes".to_owned() } else { words.join(", ") };
        table.rows.push(vec![
            Value::Text(entry.manifest.id.clone()),
            Value::Text(entry.manifest.database.name.clone()),
            Value::Seconds((now - entry.at()).as_seconds_f64().max(0.0)),
            Value::Bytes(entry.manifest.stored_bytes()),
            Value::Text(kept_by),
            Value::Bool(!reasons.is_empty()),
        ]);
    }
    let going = reasons.iter().filter(|reasons| reasons.is_empty()).count();
    let document = Document::new("backup.prune", 1)
        .fact("repository", "in", repository.url())
        .fact("kept", "kept", i64::try_from(reasons.len() - going).unwrap_or(i64::MAX))
        .fact("going", "going", i64::try_from(going + unreadable.len()).unwrap_or(i64::MAX))
        .table(table);
    let document = found.odd.iter().fold(document, |document, odd| document.note(format!("not to be trusted: {odd}")));
    found.damaged.iter().fold(document, |document, damaged| {
        let what = if unreadable.contains(&damaged.id) { "goes" } else { "is not touched" };
        document.note(format!("{} is damaged and {what}: {}", damaged.id, damaged.why))
    })
}
