//! `backup verify`, levels 0 to 2: what can be proven of the files alone. Levels 3 and 4 restore: [`super::drill`]. Each
//! time leaves a proof beside the manifest, whether good or not.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};

use super::keys::Keys;
use super::manifest::{Chunk, File, Manifest, Part, RECORD_VERSION, Role};
use super::repository::{Proof, Repository};
use super::rows::{Form, RowSum};
use crate::archive::{Identities, verify};
use crate::config::env::Env;
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::Interrupt;
use crate::pg::programs::{Child, Program};
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

/// Which backup, and what of it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Its name, the beginning of it, or `latest`.
    pub id: &'a str,
    /// Whose latest.
    pub database: Option<&'a str>,
    /// What to prove.
    pub level: Level,
}

/// Verifies a backup up to level 2 and keeps what that came to.
///
/// # Errors
/// Failed, when there is no such backup; refused, when its manifest is damaged or no key opens it; the store's.
pub async fn verify(
    repository: &Repository,
    wanted: &Wanted<'_>,
    keys: &Keys,
    env: &Env,
    means: &mut Means<'_>,
) -> Result<(Outcome, Document)> {
    let (at, began) = (Utc::now(), Instant::now());
    let manifest = repository.find(wanted.id, wanted.database).await?;
    let of = manifest.files.len();
    let events = &mut *means.events;
    let tell = |part: &Part, number: usize| {
        events.event(Event::Step { number: number + 1, of, title: &part.file.path });
    };
    let findings = files(repository, &manifest, wanted.level, keys, env, means.interrupt, tell).await?;
    let proof = proof(&manifest.id, wanted.level, at, began, findings);
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

/// Proves the files of a backup up to level 2; whatever does not hold is a finding.
///
/// # Errors
/// Refused, when no key opens it; the store's, when it cannot be asked.
pub async fn files(
    repository: &Repository,
    manifest: &Manifest,
    level: Level,
    keys: &Keys,
    env: &Env,
    interrupt: &Interrupt,
    mut progress: impl FnMut(&Part, usize),
) -> Result<Vec<String>> {
    let mut findings = consistent(manifest);
    // The keys first: a wrong one is known before an hour of reading.
    let identities =
        if level >= Level::Opened { keys.open(repository, manifest).await? } else { Identities::default() };
    let mut chunks: BTreeMap<&str, (&Chunk, &Form)> = BTreeMap::new();
    for table in &manifest.tables {
        chunks.extend(table.chunks.iter().map(|chunk| (chunk.path.as_str(), (chunk, &table.form))));
    }
    let writer = manifest.programs.pg_dump_major;
    for (number, part) in manifest.files.iter().enumerate() {
        interrupt.check()?;
        progress(part, number);
        let file = File { path: Repository::path(&manifest.id, &part.file.path), ..part.file.clone() };
        let url = repository.store().url_of(&file.path);
        match repository.store().head(&file.path).await? {
            None => findings.push(format!("{url} is not there")),
            Some(size) if size != file.bytes => {
                findings.push(format!("{url} has {size} bytes, the manifest says {}", file.bytes));
            }
            Some(_) if level == Level::Presence => {}
            Some(_) => {
                let chunk = chunks.get(part.file.path.as_str()).copied();
                let looked = tokio::select! {
                    looked = look(repository, part, &file, chunk, level, &identities, writer, env, interrupt) => looked,
                    failure = interrupt.wait() => return Err(failure),
                };
                match looked {
                    Ok(()) => {}
                    // Damage goes into the list; a store that does not answer ends the run, and a key that is
                    // another one says nothing against the file.
                    Err(failure) if failure.what() == Kind::Refused && !verify::is_wrong_key(&failure) => {
                        findings.push(told(&failure))
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
    }
    Ok(findings)
}

/// What the manifest says must fit together.
fn consistent(manifest: &Manifest) -> Vec<String> {
    let mut findings = Vec::new();
    for table in &manifest.tables {
        let mut sum = RowSum::default();
        for chunk in &table.chunks {
            match RowSum::parse(chunk.rows, &chunk.content) {
                Ok(part) => sum.join(&part),
                Err(failure) => findings.push(told(&failure)),
            }
            if !manifest.files.iter().any(|part| part.file.path == chunk.path) {
                findings.push(format!("the manifest names no file {} for {}", chunk.path, table.table_name()));
            }
        }
        if (sum.rows(), &sum.content()) != (table.rows, &table.content) {
            findings.push(format!("the parts of {} do not come to what the manifest says", table.table_name()));
        }
    }
    findings
}

#[expect(clippy::too_many_arguments, reason = "one file, and all that it is held against")]
async fn look(
    repository: &Repository,
    part: &Part,
    file: &File,
    chunk: Option<(&Chunk, &Form)>,
    level: Level,
    identities: &Identities,
    writer: u32,
    env: &Env,
    interrupt: &Interrupt,
) -> Result<()> {
    let store = repository.store();
    let (role, bare) = (part.role, part.is_bare());
    if bare || level == Level::Stored {
        let stored = store.hash_of(&file.path).await?;
        let same = stored.is_some_and(|stored| stored.sha256 == file.sha256);
        let url = store.url_of(&file.path);
        return if same {
            Ok(())
        } else {
            Err(Failure::new(Kind::Refused, format!("{url} is not what its manifest says: sha256")))
        };
    }
    let mut rows = chunk.map(|(_, form)| RowSum::new(form));
    let mut schema = if role == Role::Schema { Some(tempfile::NamedTempFile::new()?) } else { None };
    let take = async |piece: Bytes| {
        if let Some(rows) = &mut rows {
            rows.add(&piece);
        }
        if let Some(schema) = &mut schema {
            schema.write_all(&piece).explain(Kind::Failed, "cannot write the schema to a temporary file")?;
        }
        Ok(())
    };
    verify::read_file(store, file, identities, take).await?;
    if let Some((rows, (chunk, _))) = rows.zip(chunk) {
        let url = store.url_of(&file.path);
        rows.ended().map_err(|failure| failure.context(url.clone()))?;
        if (rows.rows(), &rows.content()) != (chunk.rows, &chunk.content) {
            let (found, told) = (rows.rows(), chunk.rows);
            let message = format!("{url} holds {found} rows, the manifest says {told}, or others");
            return Err(Failure::new(Kind::Refused, message));
        }
    }
    if let Some(schema) = schema {
        let pg_restore = Program::PgRestore.pick(writer, env)?;
        let list = Child::start_alone(&pg_restore, ["--list".as_ref(), schema.path().as_os_str()])?;
        let listed = list.output(interrupt).await;
        listed.map_err(|failure| {
            Failure::new(Kind::Refused, format!("pg_restore cannot read {}", store.url_of(&file.path)))
                .note(told(&failure))
        })?;
    }
    Ok(())
}

/// The message and what belongs to it, without what to do: that is said of the whole.
fn told(failure: &Failure) -> String {
    let text = failure.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("hint:"));
    lines.map(|line| line.trim_start_matches("error: ")).collect::<Vec<_>>().join("; ")
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
