//! `backup verify`, levels 0 to 2: what can be proven of the files alone. Levels 3 and 4 restore: [`super::drill`]. Each
//! time leaves a proof beside the manifest, whether good or not.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};

use super::looks::{self, Looking};
use super::manifest::{Manifest, Part, RECORD_VERSION};
use super::repository::{Proof, Repository};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::steps::Means;
use crate::steps::events::Event;

/// What is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The manifest is whole and every file has its size.
    Presence,
    /// Every stored byte is the one that was written.
    Stored,
    /// Every file opens, its text and its rows come to what the manifest says, pg_restore reads the schema.
    Opened,
    /// It restores, and every table has its rows with their content.
    Restored,
    /// And its schema, indexes and promises are those of the source.
    Proven,
}

impl Level {
    /// 0 to 4.
    pub const ALL: [Level; 5] = [Level::Presence, Level::Stored, Level::Opened, Level::Restored, Level::Proven];

    /// As flags and proofs spell it.
    pub fn number(self) -> u8 {
        match self {
            Level::Presence => 0,
            Level::Stored => 1,
            Level::Opened => 2,
            Level::Restored => 3,
            Level::Proven => 4,
        }
    }

    /// The level of a number.
    pub fn of(number: u8) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.number() == number)
    }
}

/// Which backup.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its name, the beginning of it, or `latest`.
    pub id: &'a str,
    /// Whose latest.
    pub database: Option<&'a str>,
}

/// Verifies a backup up to level 2 and keeps what that came to.
///
/// # Errors
/// Failed, when there is no such backup; refused, when its manifest is damaged or no key opens it; the store's.
pub async fn verify(
    repository: &Repository,
    wanted: &Wanted<'_>,
    looking: &Looking<'_>,
    means: &mut Means<'_>,
) -> Result<(Outcome, Document)> {
    let (at, began) = (Utc::now(), Instant::now());
    let manifest = repository.find(wanted.id, wanted.database).await?;
    let of = manifest.files.len();
    let events = &mut *means.events;
    let tell = |part: &Part, number: usize| {
        events.event(Event::Step { number: number + 1, of, title: &part.file.path });
    };
    let findings = looks::files(repository, &manifest, looking, tell).await?;
    let proof = proof(&manifest.id, looking.level, at, began, findings);
    repository.add_proof(&proof).await?;
    let outcome = if proof.good { Outcome::Done } else { Outcome::Findings };
    Ok((outcome, shown(&manifest, &proof)))
}

/// A proof as a document.
fn shown(manifest: &Manifest, proof: &Proof) -> Document {
    let mut findings = Table {
        key: "findings",
        columns: vec![Column::new("finding", "what does not hold")],
        rows: Vec::new(),
        empty: "everything holds",
    };
    findings.rows.extend(proof.findings.iter().map(|finding| vec![Value::Text(finding.clone())]));
    let document = Document::new("backup.verify", 1)
        .fact("backup", "backup", manifest.id.as_str())
        .fact("database", "database", manifest.database.name.as_str())
        .fact("level", "level", i64::from(proof.level))
        .fact("good", "good", Value::Bool(proof.good))
        .fact("files", "files", i64::try_from(manifest.files.len()).unwrap_or(i64::MAX))
        .fact("stored_bytes", "stored", Value::Bytes(manifest.stored_bytes()))
        .fact("seconds", "took", Value::Seconds(proof.milliseconds as f64 / 1000.0))
        .table(findings);
    if proof.good {
        return document;
    }
    document.note("this backup is not to be trusted: make another one, and keep an older good one ('dbctl backup pin')")
}

/// A proof of a look that began at `at` and has just ended.
pub fn proof(id: &str, level: Level, at: DateTime<Utc>, began: Instant, findings: Vec<String>) -> Proof {
    Proof {
        version: RECORD_VERSION,
        id: id.to_owned(),
        at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
        level: level.number(),
        good: findings.is_empty(),
        findings,
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        restore_milliseconds: None,
        server_version: None,
    }
}
