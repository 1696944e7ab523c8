//! `backup drill`: a backup restored into a private server of the same major, and everything asked of it that can
//! be asked: rows, contents, schema, indexes, an embedded system's promises. How long that takes is the recovery
//! time, how old the snapshot is the data that a loss now would cost. Leaves a proof of level 4, and no server. Level 3
//! is the restore alone.

use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::keys::Keys;
use super::manifest::{File, Manifest, Role};
use super::repository::Repository;
use super::restore::{self, Roles};
use super::verify::{self, Level};
use crate::archive::Identities;
use crate::archive::verify::read_file;
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::migrate::embedded::SYSTEMS;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::Interrupt;
use crate::pg::programs::{Child, Program};
use crate::pg::sandbox::{Options, Sandbox, binaries};
use crate::schema::{self, Snapshot};
use crate::steps::events::Event;
use crate::steps::gate::Rails;
use crate::steps::{Means, Timeouts};
use crate::systems;

/// The database in the private server.
const DATABASE: &str = "drill";
/// What differs between the defaults of 14 and of later majors.
const PUBLIC: &str = "schema:public differs";
const SAME_SCHEMA: &str = "its schema is that of the source";
/// How many differences of a kind are named.
const NAMED: usize = 20;

/// A drill that is wanted.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where backups lie.
    pub repository: String,
    /// The backup: its name, the beginning of it, `latest` or `random`.
    pub id: String,
    /// What to prove: [`Level::Restored`] or [`Level::Proven`].
    pub level: Level,
    /// Whose.
    pub database: Option<String>,
    /// The major of the private server; none is the one that was backed up.
    pub major: Option<u32>,
    /// How many tables and indexes at once.
    pub jobs: usize,
    /// What opens the backup.
    pub keys: Keys,
    /// The variables that stores and programs look at.
    pub env: Env,
    /// The recovery time that is promised; longer is a finding.
    pub max_restore: Option<Duration>,
    /// The loss of data that is promised; older is a finding.
    pub max_age: Option<Duration>,
}

/// One question, and what came of it.
struct Question {
    name: &'static str,
    /// None where it could not be asked.
    good: Option<bool>,
    seconds: f64,
    /// What was found.
    detail: String,
}

/// Restores, asks, and keeps what that came to.
///
/// # Errors
/// Failed, when there is no such backup or no server of that major here; refused, when it is damaged or no key opens
/// it. What the restored database lacks is no error but a finding.
pub async fn drill(request: &Request, means: &mut Means<'_>) -> Result<(Outcome, Document)> {
    let (at, began) = (Utc::now(), Instant::now());
    let repository = Repository::open(&request.repository, &request.env)?;
    let manifest = chosen(&repository, request).await?;
    let identities = request.keys.open(&repository, &manifest).await?;
    let major = request.major.unwrap_or(manifest.server.major);
    let wanted: Vec<&str> = manifest.extensions.iter().map(|extension| extension.name.as_str()).collect();
    let bin_dir = binaries::find_with_extensions(major, &wanted).map(|found| found.bin_dir);
    let sandbox = Sandbox::start(&Options { major: Some(major), bin_dir, ..Options::default() })?;
    let version = sandbox.installation().version.clone();

    let (mut questions, mut is_of_backup) = (Vec::new(), true);
    restore::tablespaces::imitate(&sandbox.connection("postgres"), &manifest, means.interrupt).await?;
    let restoring = Instant::now();
    let restored = restore::restore(&into(&sandbox, request, &manifest), means).await;
    means.interrupt.check()?;
    let took = restoring.elapsed();
    match restored {
        Ok(_) => {
            let rows = format!("{} rows of {} tables", manifest.rows(), manifest.tables.len());
            questions.push(Question::asked("it restores, with every row and its content", took, Vec::new(), &rows));
            if request.level == Level::Proven {
                // Whatever the database itself has set.
                let ours = "-c statement_timeout=0 -c default_transaction_read_only=off";
                let connection = Connection { options: Some(ours.to_owned()), ..sandbox.connection(DATABASE) };
                if manifest.scope.is_whole() {
                    questions
                        .push(same_schema(&repository, &manifest, &identities, &connection, means.interrupt).await?);
                } else {
                    questions.push(Question::unasked(SAME_SCHEMA, "the backup is of a part of its source"));
                }
                questions.push(promises(&manifest, &connection, means).await?);
                questions.push(pages(major, &connection, request, means.interrupt).await?);
            }
        }
        Err(failure) => {
            is_of_backup = restore::tells_damage(&failure);
            let finding = failure.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
            questions.push(Question::asked("it restores, with every row and its content", took, vec![finding], ""));
        }
    }
    let age = age(&manifest, at);
    questions.extend(promised("the recovery time is what was promised", took, request.max_restore));
    questions.extend(promised("the data is no older than promised", age, request.max_age));

    let findings = questions.iter().filter(|question| question.good == Some(false)).map(Question::finding).collect();
    let mut proof = verify::proof(&manifest.id, request.level, at, began, findings);
    proof.restore_milliseconds = u64::try_from(took.as_millis()).ok();
    proof.server_version = Some(version.clone());
    if is_of_backup {
        repository.add_proof(&proof).await?;
    } else {
        let message = "that it does not restore may be for what is here: it is not called damaged for it";
        means.events.event(Event::Attention { message, hint: None });
    }
    let outcome = if proof.good { Outcome::Done } else { Outcome::Findings };
    Ok((outcome, shown(&manifest, &questions, took, age, &version, proof.good)))
}

async fn chosen(repository: &Repository, request: &Request) -> Result<Manifest> {
    if request.id != "random" {
        return repository.find(&request.id, request.database.as_deref()).await;
    }
    let of = |manifest: &Manifest| request.database.as_ref().is_none_or(|name| *name == manifest.database.name);
    let mut all: Vec<Manifest> = repository.list().await?.backups.into_iter().filter(of).collect();
    if all.is_empty() {
        return Err(Failure::new(Kind::Failed, format!("there is no backup in {}", repository.url()))
            .hint(format!("dbctl backup create --to {}", repository.url())));
    }
    Ok(all.swap_remove(fastrand::usize(..all.len())))
}

fn into(sandbox: &Sandbox, request: &Request, manifest: &Manifest) -> restore::Request {
    let nobody = Rails { protected: None, target_named: false, yes: true, interactive: false, always_ask: false };
    restore::Request {
        connection: sandbox.connection("postgres"),
        repository: request.repository.clone(),
        id: manifest.id.clone(),
        database: None,
        to: Some(DATABASE.to_owned()),
        replace: false,
        tables: Vec::new(),
        schemas: Vec::new(),
        into_schema: None,
        roles: Roles::Create,
        map_roles: Vec::new(),
        skip_foreign_keys: Vec::new(),
        jobs: request.jobs,
        resume: false,
        confirm_name: None,
        other_cluster: true,
        leave_bound: true,
        keys: request.keys.clone(),
        env: request.env.clone(),
        rails: nobody,
        lease_wait: Duration::ZERO,
        dry_run: false,
    }
}

impl Question {
    fn asked(name: &'static str, took: Duration, findings: Vec<String>, detail: &str) -> Question {
        let more = findings.len().saturating_sub(NAMED);
        let mut named = findings.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
        if more > 0 {
            named.push_str(&format!("; and {more} more"));
        }
        let detail = if findings.is_empty() { detail.to_owned() } else { named };
        Question { name, good: Some(findings.is_empty()), seconds: took.as_secs_f64(), detail }
    }

    fn unasked(name: &'static str, why: &str) -> Question {
        Question { name, good: None, seconds: 0.0, detail: why.to_owned() }
    }

    fn finding(&self) -> String {
        format!("not so: {}: {}", self.name, self.detail)
    }
}

/// The schema as it was read for the backup, and as it is now.
async fn same_schema(
    repository: &Repository,
    manifest: &Manifest,
    identities: &Identities,
    connection: &Connection,
    interrupt: &Interrupt,
) -> Result<Question> {
    let began = Instant::now();
    let part = manifest.file(Role::SchemaValues)?;
    let file = File { path: Repository::path(&manifest.id, &part.path), ..part.clone() };
    let mut text = tempfile::Builder::new().suffix(".json").tempfile()?;
    let take = async |piece: Bytes| text.write_all(&piece).explain(Kind::Failed, "cannot write a temporary file");
    read_file(repository.store(), &file, identities, take).await?;
    let before = schema::file::read(text.path())?;
    let after = schema::capture_from(connection, "drill", Duration::from_secs(30), interrupt).await?;
    let mut findings = differences(&before, &after);
    let mut detail = format!("{} objects", before.objects.len());
    // Nobody said so in the source either: it is the default of its major.
    if before.origin.major < 15 && after.origin.major >= 15 && findings.iter().any(|found| found == PUBLIC) {
        findings.retain(|found| found != PUBLIC);
        detail.push_str("; from PostgreSQL 15 on not everybody may create in schema public");
    }
    Ok(Question::asked(SAME_SCHEMA, began.elapsed(), findings, &detail))
}

/// Whatever is not the same in both; the database's own name and place are not part of it.
fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let mut findings = Vec::new();
    for object in &before.objects {
        match after.object(&object.id) {
            None => findings.push(format!("{} is missing", object.id)),
            Some(same) if same.fingerprint() == object.fingerprint() => {}
            Some(_) => findings.push(format!("{} differs", object.id)),
        }
    }
    let strange = after.objects.iter().filter(|object| before.object(&object.id).is_none());
    findings.extend(strange.map(|object| format!("{} was not there", object.id)));
    findings
}

/// What an embedded system promises, where the history of migrations is that of one.
async fn promises(manifest: &Manifest, connection: &Connection, means: &mut Means<'_>) -> Result<Question> {
    const NAME: &str = "it keeps its system's promises";
    let began = Instant::now();
    let is_of = |stem: &str| {
        manifest.migrations.iter().any(|head| {
            let digits = stem.strip_prefix('V').and_then(|rest| rest.split_once("__"));
            digits.is_some_and(|(version, name)| version.parse() == Ok(head.version) && name == head.name)
        })
    };
    let Some(system) = SYSTEMS.iter().find(|system| system.migrations().last().is_some_and(|(stem, _)| is_of(stem)))
    else {
        return Ok(Question::unasked(NAME, "it is none of the embedded systems in its last version"));
    };
    let request = systems::Request {
        connection: connection.clone(),
        system: system.name.to_owned(),
        without: Vec::new(),
        rails: Rails { protected: None, target_named: false, yes: true, interactive: false, always_ask: false },
        timeouts: Timeouts { lock: Duration::from_secs(10), statement: Duration::from_secs(600) },
        lock_wait: Duration::from_secs(10),
        lock_patience: Duration::from_secs(60),
    };
    let (outcome, _) = systems::verify(&request, means.interrupt, means.confirm).await?;
    let findings = match outcome {
        Outcome::Done => Vec::new(),
        _ => vec![format!("'dbctl systems verify --system {}' finds broken promises", system.name)],
    };
    Ok(Question::asked(NAME, began.elapsed(), findings, system.name))
}

/// Every index and heap, by amcheck, where it is installed.
async fn pages(major: u32, connection: &Connection, request: &Request, interrupt: &Interrupt) -> Result<Question> {
    const NAME: &str = "its indexes and pages are sound";
    let began = Instant::now();
    let pg_amcheck = match Program::PgAmcheck.pick(major, &request.env) {
        Ok(found) => found,
        Err(failure) => return Ok(Question::unasked(NAME, &failure.messages().join(": "))),
    };
    let jobs = format!("--jobs={}", request.jobs);
    let arguments = ["--no-password", "--install-missing", "--heapallindexed", &jobs, DATABASE];
    match Child::start(&pg_amcheck, connection, arguments)?.output(interrupt).await {
        Ok(_) => Ok(Question::asked(NAME, began.elapsed(), Vec::new(), "amcheck, heapallindexed")),
        Err(failure) if matches!(failure.what(), Kind::Interrupted | Kind::Terminated) => Err(failure),
        Err(failure) => {
            let words = failure.to_string();
            if words.contains("extension \"amcheck\" is not available") {
                return Ok(Question::unasked(NAME, "amcheck is not installed with this server"));
            }
            let lines = words.lines().map(|line| line.trim().to_owned()).collect();
            Ok(Question::asked(NAME, began.elapsed(), lines, ""))
        }
    }
}

fn age(manifest: &Manifest, now: DateTime<Utc>) -> Duration {
    let snapshot = DateTime::parse_from_rfc3339(&manifest.times.snapshot).map(|at| at.to_utc());
    snapshot.ok().and_then(|at| (now - at).to_std().ok()).unwrap_or_default()
}

fn promised(name: &'static str, found: Duration, limit: Option<Duration>) -> Option<Question> {
    let limit = limit?;
    let words = format!("{:.0} s of {:.0} s", found.as_secs_f64(), limit.as_secs_f64());
    let findings = if found > limit { vec![words.clone()] } else { Vec::new() };
    Some(Question::asked(name, Duration::ZERO, findings, &words))
}

fn shown(
    manifest: &Manifest,
    questions: &[Question],
    restored: Duration,
    age: Duration,
    version: &str,
    good: bool,
) -> Document {
    let columns = vec![
        Column::new("question", "question"),
        Column::new("good", "so"),
        Column::new("seconds", "took"),
        Column::new("detail", "what was found"),
    ];
    let mut table = Table { key: "questions", columns, rows: Vec::new(), empty: "nothing was asked" };
    for question in questions {
        table.rows.push(vec![
            Value::Text(question.name.to_owned()),
            question.good.map_or(Value::Unknown, Value::Bool),
            Value::Seconds(question.seconds),
            Value::Text(question.detail.clone()),
        ]);
    }
    Document::new("backup.drill", 1)
        .fact("backup", "backup", manifest.id.as_str())
        .fact("database", "database", manifest.database.name.as_str())
        .fact("good", "proven", Value::Bool(good))
        .fact("restore_seconds", "recovery time", Value::Seconds(restored.as_secs_f64()))
        .fact("data_age_seconds", "age of the data", Value::Seconds(age.as_secs_f64()))
        .fact("bytes", "size", Value::Bytes(manifest.database.bytes))
        .fact("source_version", "backed up from", manifest.server.version.as_str())
        .fact("server_version", "restored into", version)
        .table(table)
}
