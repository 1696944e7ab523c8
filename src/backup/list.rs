//! `backup list` and `backup status`: what there is, how old it is, what was proven of it, and how the runs end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::repository::Repository;
use super::retention;
use super::survey::{Entry, Survey, backups, survey};
use crate::error::{Failure, Result};
use crate::outcome::Outcome;
use crate::output::prometheus::{self, Family, escaped};
use crate::output::{Column, Document, Table, Value};

/// Lists what lies there.
///
/// # Errors
/// The store's; refused, when a proof was changed.
pub async fn list(repository: &Repository, database: Option<&str>) -> Result<(Outcome, Document)> {
    let missing = repository.missing();
    let found = if missing.is_some() { Survey::default() } else { backups(repository, database).await? };
    let now = Utc::now();
    let columns = vec![
        Column::new("backup", "backup"),
        Column::new("database", "database"),
        Column::new("age_seconds", "age"),
        Column::new("stored_bytes", "stored"),
        Column::new("rows", "rows"),
        Column::new("proven_level", "proven"),
        Column::new("notes", ""),
        Column::machine("snapshot_at"),
        Column::machine("seconds"),
        Column::machine("plain_bytes"),
        Column::machine("server_version"),
        Column::machine("encrypted"),
        Column::machine("whole"),
        Column::machine("pinned"),
        Column::machine("good"),
    ];
    let empty = "there are no backups";
    let mut table = Table { key: "backups", columns, rows: Vec::new(), empty };
    table.rows.extend(found.entries.iter().map(|entry| row(entry, now)));
    let document = Document::new("backup.list", 1).fact("repository", "in", repository.url()).table(table);
    let outcome = if missing.is_some() { Outcome::Findings } else { Outcome::Done };
    Ok((outcome, absent(oddities(document, &found, repository), missing)))
}

fn row(entry: &Entry, now: DateTime<Utc>) -> Vec<Value> {
    let manifest = &entry.manifest;
    let good = entry.is_good();
    let mut notes = Vec::new();
    for (is_so, word) in [
        (!good, "DAMAGED"),
        (manifest.is_encrypted(), "encrypted"),
        (!manifest.scope.is_whole(), "a part"),
        (entry.pin.is_some(), "pinned"),
    ] {
        if is_so {
            notes.push(word);
        }
    }
    vec![
        Value::Text(manifest.id.clone()),
        Value::Text(manifest.database.name.clone()),
        Value::Seconds((now - entry.at()).as_seconds_f64().max(0.0)),
        Value::Bytes(manifest.stored_bytes()),
        Value::Int(i64::try_from(manifest.rows()).unwrap_or(i64::MAX)),
        entry.proven().map_or(Value::None, |level| Value::Int(i64::from(level))),
        Value::Text(notes.join(", ")),
        Value::Time(entry.at()),
        Value::Seconds(manifest.times.milliseconds as f64 / 1000.0),
        Value::Bytes(manifest.plain_bytes()),
        Value::Text(manifest.server.version.clone()),
        Value::Bool(manifest.is_encrypted()),
        Value::Bool(manifest.scope.is_whole()),
        Value::Bool(entry.pin.is_some()),
        Value::Bool(good),
    ]
}

/// That there is not even a folder.
fn absent(document: Document, missing: Option<Failure>) -> Document {
    let Some(failure) = missing else { return document };
    let document = document.note(failure.messages().join(": "));
    failure.hints().iter().fold(document, |document, hint| document.note(hint.clone()))
}

/// What lies there and is no backup.
fn oddities(document: Document, found: &Survey, repository: &Repository) -> Document {
    let document = found
        .damaged
        .iter()
        .fold(document, |document, damaged| document.note(format!("{} is damaged: {}", damaged.id, damaged.why)));
    let document = found.odd.iter().fold(document, |document, odd| document.note(format!("not to be trusted: {odd}")));
    let Some(oldest) = found.unfinished.first() else { return document };
    document.note(format!(
        "{} unfinished: under way, or left by a killed run ({oldest}…); 'dbctl backup prune --from {}' removes them after a day",
        found.unfinished.len(),
        repository.url()
    ))
}

/// Whether backups are as they should be, for cron and monitoring; with `metrics`, the same for the textfile
/// collector of Prometheus' node exporter, whatever was found.
///
/// # Errors
/// The store's; a file that cannot be written.
pub async fn status(
    repository: &Repository,
    databases: &[String],
    max_age: Option<Duration>,
    metrics: Option<&Path>,
) -> Result<(Outcome, Document)> {
    let now = Utc::now();
    let missing = repository.missing();
    let looked = if missing.is_some() { Ok(Survey::default()) } else { survey(repository, None).await };
    let found = match looked {
        Ok(found) => found,
        Err(failure) => {
            // Monitoring is to see that nothing could be seen.
            if let Some(path) = metrics {
                prometheus::write(path, &text(&[], false, now))?;
            }
            return Err(failure);
        }
    };
    let mut names: Vec<String> = databases.to_vec();
    if names.is_empty() {
        names = found.entries.iter().map(|entry| entry.manifest.database.name.clone()).collect();
        names.extend(found.attempts.iter().map(|attempt| attempt.database.clone()));
        names.sort();
        names.dedup();
    }
    let states: Vec<State> = names.iter().map(|name| state(&found, name, max_age, now)).collect();
    if let Some(path) = metrics {
        prometheus::write(path, &text(&states, missing.is_none(), now))?;
    }
    let columns = vec![
        Column::new("database", "database"),
        Column::new("state", "state"),
        Column::new("age_seconds", "newest"),
        Column::new("backups", "backups"),
        Column::new("stored_bytes", "stored"),
        Column::new("proven_level", "proven"),
        Column::new("success_rate", "success"),
        Column::new("findings", "what is wrong"),
        Column::machine("restore_seconds"),
    ];
    let mut table = Table { key: "databases", columns, rows: Vec::new(), empty: "there are no backups" };
    table.rows.extend(states.iter().map(State::row));
    let bad = states.is_empty() || states.iter().any(|state| !state.findings.is_empty()) || !found.damaged.is_empty();
    let outcome = if bad { Outcome::Findings } else { Outcome::Done };
    let document = Document::new("backup.status", 1).fact("repository", "in", repository.url()).table(table);
    Ok((outcome, absent(oddities(document, &found, repository), missing)))
}

/// How it stands with the backups of one database.
struct State {
    database: String,
    age: Option<Duration>,
    newest: Option<f64>,
    attempted: Option<f64>,
    last_failed: bool,
    seconds: Option<f64>,
    backups: usize,
    stored: u64,
    plain: u64,
    rows: u64,
    proven: Option<u8>,
    proven_at: Option<f64>,
    restore: Option<f64>,
    successes: usize,
    failures: usize,
    findings: Vec<String>,
}

fn state(found: &Survey, name: &str, max_age: Option<Duration>, now: DateTime<Utc>) -> State {
    let of = |entry: &&Entry| entry.manifest.database.name == name;
    let entries: Vec<&Entry> = found.entries.iter().filter(of).collect();
    let good: Vec<&&Entry> = entries
        .iter()
        .filter(|entry| entry.is_good() && entry.manifest.scope.is_whole() && entry.at() <= now)
        .collect();
    let attempts: Vec<_> = found.attempts.iter().filter(|attempt| attempt.database == name).collect();
    let newest = good.last();
    let age = newest.and_then(|entry| (now - entry.at()).to_std().ok());
    let candidates: Vec<_> = entries.iter().map(|entry| entry.candidate()).collect();
    let mut findings = Vec::new();
    match (good.is_empty(), entries.iter().any(|entry| entry.is_good())) {
        (true, true) => findings.push("no whole backup: what is there leaves something out".to_owned()),
        (true, false) => findings.push("no good backup".to_owned()),
        (false, _) => {}
    }
    for late in retention::late(&candidates, &found.successes(), max_age, now) {
        if let Some(age) = late.age {
            let hours = |time: Duration| time.as_secs_f64() / 3600.0;
            findings.push(format!("{:.1} h old, {:.1} h are allowed", hours(age), hours(late.limit)));
        }
    }
    let last = attempts.last();
    if let Some(failure) = last.and_then(|attempt| attempt.failure.as_ref()) {
        findings.push(format!("the last run failed: {failure}"));
    }
    for entry in entries.iter().filter(|entry| entry.at() > now) {
        findings.push(format!("{} is of a later moment than now: a clock is wrong", entry.manifest.id));
    }
    findings.extend(found.odd.iter().map(|odd| format!("not to be trusted: {odd}")));
    for entry in entries.iter().filter(|entry| !entry.is_good()) {
        findings.push(format!("{} is damaged", entry.manifest.id));
    }
    let seconds = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis() as f64 / 1000.0);
    let proof = newest.and_then(|entry| entry.last_proof());
    let restored =
        entries.iter().rev().find_map(|entry| entry.proofs.iter().rev().find_map(|p| p.restore_milliseconds));
    State {
        database: name.to_owned(),
        age,
        newest: newest.and_then(|entry| seconds(&entry.manifest.times.snapshot)),
        attempted: last.and_then(|attempt| seconds(&attempt.at)),
        last_failed: last.is_some_and(|attempt| attempt.failure.is_some()),
        seconds: newest.map(|entry| entry.manifest.times.milliseconds as f64 / 1000.0),
        backups: entries.len(),
        stored: newest.map_or(0, |entry| entry.manifest.stored_bytes()),
        plain: newest.map_or(0, |entry| entry.manifest.plain_bytes()),
        rows: newest.map_or(0, |entry| entry.manifest.rows()),
        proven: newest.and_then(|entry| entry.proven()),
        proven_at: proof.and_then(|proof| seconds(&proof.at)),
        restore: restored.map(|milliseconds| milliseconds as f64 / 1000.0),
        successes: attempts.iter().filter(|attempt| attempt.failure.is_none()).count(),
        failures: attempts.iter().filter(|attempt| attempt.failure.is_some()).count(),
        findings,
    }
}

impl State {
    fn rate(&self) -> Option<f64> {
        let all = self.successes + self.failures;
        (all > 0).then(|| self.successes as f64 / all as f64)
    }

    fn row(&self) -> Vec<Value> {
        let count = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        vec![
            Value::Text(self.database.clone()),
            Value::Text(if self.findings.is_empty() { "good" } else { "BAD" }.to_owned()),
            self.age.map_or(Value::None, |age| Value::Seconds(age.as_secs_f64())),
            count(self.backups),
            Value::Bytes(self.stored),
            self.proven.map_or(Value::None, |level| Value::Int(i64::from(level))),
            self.rate().map_or(Value::None, Value::Float),
            Value::Text(self.findings.join("; ")),
            self.restore.map_or(Value::None, Value::Seconds),
        ]
    }
}

fn text(states: &[State], readable: bool, now: DateTime<Utc>) -> String {
    let mut families: BTreeMap<&'static str, Family> = BTreeMap::new();
    for state in states {
        let labels = format!("database=\"{}\"", escaped(&state.database));
        let number = |number: usize| Some(number as f64);
        for (name, help, value) in [
            (
                "dbctl_backup_last_success_timestamp_seconds",
                "The moment that the newest good backup is of",
                state.newest,
            ),
            ("dbctl_backup_last_attempt_timestamp_seconds", "When the last run began", state.attempted),
            (
                "dbctl_backup_last_result",
                "1 when the last run succeeded",
                state.attempted.map(|_| f64::from(u8::from(!state.last_failed))),
            ),
            ("dbctl_backup_duration_seconds", "How long the newest good backup took", state.seconds),
            ("dbctl_backup_stored_bytes", "Its size", Some(state.stored as f64)),
            ("dbctl_backup_plain_bytes", "Its size before compression", Some(state.plain as f64)),
            ("dbctl_backup_rows", "Its rows", Some(state.rows as f64)),
            ("dbctl_backup_successes", "Runs on record that succeeded", number(state.successes)),
            ("dbctl_backup_failures", "Runs on record that failed", number(state.failures)),
            ("dbctl_backup_success_ratio", "Their share", state.rate()),
            (
                "dbctl_backup_proven_level",
                "The level that the newest good backup was proven at",
                state.proven.map(f64::from),
            ),
            ("dbctl_backup_proof_timestamp_seconds", "When it was looked at last", state.proven_at),
            ("dbctl_backup_restore_seconds", "How long the last restore of a drill took", state.restore),
            ("dbctl_backup_kept", "Backups that are there", number(state.backups)),
            ("dbctl_backup_findings", "What is wrong", number(state.findings.len())),
        ] {
            let family = families.entry(name).or_insert_with(|| Family { name, help, series: Vec::new() });
            family.series.extend(value.map(|value| (labels.clone(), value)));
        }
    }
    let name = "dbctl_backup_status_timestamp_seconds";
    let looked = Family { name, help: "When this was written", series: vec![(String::new(), now.timestamp() as f64)] };
    let (up, help) = ("dbctl_backup_repository_up", "1 when the repository could be read");
    let up = Family { name: up, help, series: vec![(String::new(), f64::from(u8::from(readable)))] };
    let all: Vec<Family> =
        families.into_values().filter(|family| !family.series.is_empty()).chain([up, looked]).collect();
    prometheus::text(&all)
}
