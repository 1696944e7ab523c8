//! Decides which steps bring a database to the wanted version. Pure: values in, values out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::assess::{Assessment, Entry, State};
use super::effects::Transactions;
use super::history::{self, Width};
use super::read::Snapshot;
use super::script::{self, Script};
use super::source::{File, MigrationSet};
use super::words;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::steps::journal;
use crate::steps::{Lane, Plan, Statement, Step, Timeouts};

/// What is wanted of `migrate up`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// The last version to apply; none means all.
    pub to: Option<i64>,
    /// Record without running.
    pub fake: bool,
    /// Apply versions below the newest applied one.
    pub allow_out_of_order: bool,
    /// Go on beside the history of another tool.
    pub allow_other_history: bool,
    /// Time limits of each step.
    pub timeouts: Limits,
}

/// Time limits of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One attempt to get a lock.
    pub lock: Duration,
    /// One statement; zero is none.
    pub statement: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { lock: Duration::from_secs(3), statement: Duration::ZERO }
    }
}

/// The steps that apply what is pending.
///
/// # Errors
/// Invalid files; refused when the history and the set contradict each other.
pub fn up(set: &MigrationSet, snapshot: &Snapshot, assessment: &Assessment, wish: &Wish) -> Result<Plan> {
    set.refuse_problems()?;
    refuse_other_database(set, snapshot, assessment, wish)?;
    refuse_obstacles(assessment)?;
    refuse_half_undone(snapshot, assessment)?;
    refuse_unknown_target(set, wish.to)?;
    let pending: Vec<&Entry> = assessment.pending().filter(|e| wish.to.is_none_or(|to| e.version <= to)).collect();
    if let Some(late) = pending.iter().find(|e| e.state == State::OutOfOrder && !wish.allow_out_of_order) {
        return Err(Failure::new(
            Kind::Refused,
            format!("{} is older than what is applied already, and was never applied itself", stem(late)),
        )
        .hint("give it a newer version, or apply it where it stands: --allow-out-of-order"));
    }
    let (table, width) = history_table(snapshot)?;
    let frame = Frame { table: &table, snapshot, limits: wish.timeouts };
    let mut plan = Plan::default();
    let mut born = BTreeSet::new();
    for file in pending.iter().filter_map(|entry| entry.file.as_ref()) {
        if width == Width::Int4 && file.identity.checksum32.is_none() {
            return Err(Failure::new(
                Kind::Refused,
                format!("{} does not fit: {table} holds 32-bit versions", file.label),
            )
            .hint("number it below 2147483648, as the other versions of that history are (it was begun by a refinery without int8-versions)"));
        }
        let script = if wish.fake { None } else { Some(script::read(&file.label, &file.sql)?) };
        let record = vec![history::insert(&table, width, &file.identity), note(&table, set, file)];
        let why = if wish.fake { "recorded as applied, not run" } else { "pending" };
        plan.steps.push(frame.step(&Body::of(file, script.as_ref()), record, why, &mut born));
    }
    if !plan.is_empty() && snapshot.history.is_none() {
        plan.steps.insert(0, create_history(&table, snapshot, wish.timeouts));
    }
    Ok(plan)
}

/// The steps that take applied versions above `to` back, newest first.
///
/// # Errors
/// Refused when a rollback is missing or the history contradicts the set.
pub fn down(
    set: &MigrationSet,
    rollbacks: &BTreeMap<i64, (String, Arc<str>)>,
    snapshot: &Snapshot,
    assessment: &Assessment,
    to: i64,
    limits: Limits,
) -> Result<Plan> {
    set.refuse_problems()?;
    refuse_other_database(set, snapshot, assessment, &Wish { allow_other_history: true, ..Wish::default() })?;
    refuse_faults(assessment)?;
    if to != 0 {
        refuse_unknown_target(set, Some(to))?;
    }
    let Some(history) = &snapshot.history else { return Ok(Plan::default()) };
    let applied: Vec<&Entry> = assessment.entries.iter().filter(|e| e.row.is_some() && e.version > to).collect();
    let missing: Vec<String> = applied
        .iter()
        .filter(|e| !rollbacks.contains_key(&e.version))
        .map(|e| format!("D{:04}__….sql for {}", e.version, stem(e)))
        .collect();
    if !missing.is_empty() {
        return Err(Failure::new(Kind::Refused, format!("no rollback: {}", missing.join(", ")))
            .hint("a rollback is a file D<version>__<words>.sql in the folder 'rollback' beside the migrations; without one, go forward with a new migration"));
    }
    let frame = Frame { table: &history.table, snapshot, limits };
    let mut plan = Plan::default();
    for entry in applied.iter().rev() {
        let Some((label, sql)) = rollbacks.get(&entry.version) else { continue };
        let script = script::read(label, sql)?;
        let table = &history.table;
        let record = vec![
            history::delete(table, entry.version),
            journal::step_line(&format!("{table}:{}", entry.version), "undone"),
            format!(
                "DELETE FROM dbctl.migration WHERE history = {} AND version = {};",
                Literal(&table.to_string()),
                entry.version
            ),
        ];
        let title = format!("{} (undo)", stem(entry));
        let body = Body { version: entry.version, title, label, sql, script: Some(&script) };
        plan.steps.push(frame.step(&body, record, "taken back", &mut BTreeSet::new()));
    }
    Ok(plan)
}

/// The step that makes the history say of one version what its file says.
///
/// # Errors
/// Refused when there is nothing to repair.
pub fn repair(
    set: &MigrationSet,
    snapshot: &Snapshot,
    assessment: &Assessment,
    version: i64,
    limits: Limits,
) -> Result<Plan> {
    set.refuse_problems()?;
    refuse_other_database(set, snapshot, assessment, &Wish { allow_other_history: true, ..Wish::default() })?;
    refuse_faults(assessment)?;
    let entry = assessment.entries.iter().find(|e| e.version == version);
    let (Some(entry), Some(history)) = (entry, &snapshot.history) else {
        return Err(Failure::new(Kind::Refused, format!("version {version} is neither applied nor in {}", set.origin)));
    };
    let (Some(file), Some(row)) = (&entry.file, &entry.row) else {
        let what = if entry.row.is_none() {
            "is not applied: nothing to repair"
        } else {
            "has no file any more: nothing to repair it to"
        };
        return Err(Failure::new(Kind::Refused, format!("{} {what}", stem(entry)))
            .hint("'dbctl migrate status' shows what can be repaired (divergent, damaged)"));
    };
    if entry.state == State::Applied {
        return Ok(Plan::default());
    }
    if history.width == Width::Int4 && file.identity.checksum32.is_none() {
        return Err(Failure::new(Kind::Refused, format!("{} does not fit into {}", file.label, history.table)));
    }
    let why = match &entry.state {
        State::Divergent(difference) => difference.describe().to_owned(),
        State::Damaged(damage) => damage.clone(),
        _ => String::new(),
    };
    let record = vec![
        history::update(&history.table, history.width, &file.identity, row.applied_at().is_none()),
        note(&history.table, set, file),
    ];
    let body = Body { title: format!("{} (repair)", file.stem), ..Body::of(file, None) };
    let frame = Frame { table: &history.table, snapshot, limits };
    Ok(Plan { steps: vec![frame.step(&body, record, &why, &mut BTreeSet::new())] })
}

/// The lines that remember the normal forms of applied files that nothing was noted of, where
/// their text is known to be the applied one.
pub fn adopt_notes(set: &MigrationSet, snapshot: &Snapshot, assessment: &Assessment) -> Vec<String> {
    let (Some(history), Some(noted)) = (&snapshot.history, &snapshot.noted) else { return Vec::new() };
    assessment
        .entries
        .iter()
        .filter(|e| e.state == State::Applied && !noted.contains_key(&e.version))
        .filter_map(|e| e.file.as_ref())
        .map(|file| note(&history.table, set, file))
        .collect()
}

/// Where the history is, or will be.
fn history_table(snapshot: &Snapshot) -> Result<(TableName, Width)> {
    if let Some(history) = &snapshot.history {
        return Ok((history.table.clone(), history.width));
    }
    let server = &snapshot.server;
    let schema = server.current_schema.as_deref().filter(|schema| *schema != "pg_catalog").ok_or_else(|| {
        Failure::new(
            Kind::Refused,
            format!(
                "the search_path ({}) leads role {} to no schema: there is no place for tables without a schema",
                server.search_path, server.role
            ),
        )
        .hint(format!(
            "create the schema, grant USAGE on it, or choose another: ALTER DATABASE {} SET search_path = public;",
            Ident::new(server.database.as_str())
        ))
    })?;
    Ok((TableName::new(schema, history::DEFAULT_TABLE), Width::Int8))
}

fn refuse_other_database(set: &MigrationSet, snapshot: &Snapshot, assessment: &Assessment, wish: &Wish) -> Result<()> {
    if let Some(other) = &assessment.other_system {
        return Err(Failure::new(
            Kind::Refused,
            format!(
                "database {} holds system {other}, not {}",
                snapshot.server.database,
                set.system().unwrap_or("this set")
            ),
        )
        .hint(format!("connect to the right database, or say --system {other}")));
    }
    match &snapshot.other_tool {
        Some(table) if !wish.fake && !wish.allow_other_history => Err(Failure::new(
            Kind::Refused,
            format!("{table} says that another tool migrates this database, and there is no history of dbctl's"),
        )
        .hint("to take over: 'dbctl migrate up --fake --to V' records the versions that are in place without running them")
        .hint("to work beside it: --allow-other-history")),
        _ => Ok(()),
    }
}

fn refuse_obstacles(assessment: &Assessment) -> Result<()> {
    refuse_faults(assessment)?;
    let obstacles: Vec<&Entry> = assessment.obstacles().collect();
    let Some(first) = obstacles.first() else { return Ok(()) };
    let mut failure = Failure::new(Kind::Refused, obstacle(first));
    for other in obstacles.iter().skip(1) {
        failure = failure.note(format!("also: {}", obstacle(other)));
    }
    Err(failure.hint(match &first.state {
        State::Missing => "use the set (or the version of dbctl) that holds this file: the database is ahead of this one".to_owned(),
        _ => format!(
            "put the applied text back; or, once you know that the database is as the file says: dbctl migrate repair --version {} --reason '…'",
            first.version
        ),
    }))
}

/// An applied version whose rollback, statement by statement, was begun and not ended.
fn refuse_half_undone(snapshot: &Snapshot, assessment: &Assessment) -> Result<()> {
    let half = |entry: &&Entry| entry.row.is_some() && snapshot.half_done.contains_key(&entry.version);
    match assessment.entries.iter().find(half) {
        Some(entry) => Err(Failure::new(
            Kind::Refused,
            format!("{} is half undone: a rollback of it was begun and not ended", stem(entry)),
        )
        .hint(format!("end it first: dbctl migrate down --to {}", previous(assessment, entry.version)))),
        None => Ok(()),
    }
}

fn previous(assessment: &Assessment, version: i64) -> i64 {
    assessment.entries.iter().map(|e| e.version).filter(|v| *v < version).max().unwrap_or(0)
}

/// A table that is no history any more is nobody's to guess at.
fn refuse_faults(assessment: &Assessment) -> Result<()> {
    let Some((first, others)) = assessment.faults.split_first() else { return Ok(()) };
    let failure = others.iter().fold(Failure::new(Kind::Refused, first), |f, other| f.note(format!("also: {other}")));
    Err(failure
        .hint("look at the rows, delete those that are wrong, and give the table its primary key (version) back"))
}

/// What stands in the way at one version.
pub(super) fn obstacle(entry: &Entry) -> String {
    match &entry.state {
        State::Divergent(difference) => {
            format!("{} was changed after it was applied: {}", stem(entry), difference.describe())
        }
        State::Missing => format!("{} is applied but there is no such file", stem(entry)),
        State::Damaged(damage) => format!("the history row of {} is damaged: {damage}", stem(entry)),
        State::Applied | State::Pending | State::OutOfOrder => stem(entry),
    }
}

fn refuse_unknown_target(set: &MigrationSet, to: Option<i64>) -> Result<()> {
    match to {
        Some(to) if set.file(to).is_none() => {
            let last = set
                .files
                .last()
                .map_or_else(|| "it is empty".to_owned(), |f| format!("its last is {}", f.identity.version));
            Err(Failure::new(Kind::Usage, format!("--to {to}: {} has no such version; {last}", set.origin)))
        }
        _ => Ok(()),
    }
}

fn create_history(table: &TableName, snapshot: &Snapshot, limits: Limits) -> Step {
    let statement = Statement::whole(Arc::from(history::create_table(table)));
    Step {
        id: format!("{table}:table"),
        title: format!("history table {table}"),
        file: "dbctl".to_owned(),
        file_text: Arc::clone(&statement.sql),
        why: "no migration was ever applied here".to_owned(),
        lane: Lane::Transaction,
        settings: snapshot.server.step_settings("migrate history"),
        timeouts: Timeouts { lock: limits.lock, statement: limits.statement },
        statements: vec![statement],
        record: Vec::new(),
    }
}

/// The normal form of an applied text, for naming harmless differences later.
fn note(table: &TableName, set: &MigrationSet, file: &File) -> String {
    let system = set.system().map_or("NULL".to_owned(), |s| Literal(s).to_string());
    format!(
        "INSERT INTO dbctl.migration (history, version, system, normal_form)\nVALUES ({}, {}, {system}, '{}')\nON CONFLICT \
         (history, version) DO UPDATE SET system = excluded.system, normal_form = excluded.normal_form;",
        Literal(&table.to_string()),
        file.identity.version,
        words::normal_form(&file.sql)
    )
}

/// What all steps of a plan share.
struct Frame<'a> {
    table: &'a TableName,
    snapshot: &'a Snapshot,
    limits: Limits,
}

/// The text of a step and what it is called.
struct Body<'a> {
    version: i64,
    title: String,
    label: &'a str,
    sql: &'a Arc<str>,
    /// None records without running.
    script: Option<&'a Script>,
}

impl<'a> Body<'a> {
    fn of(file: &'a File, script: Option<&'a Script>) -> Body<'a> {
        Body { version: file.identity.version, title: file.stem.clone(), label: &file.label, sql: &file.sql, script }
    }
}

impl Frame<'_> {
    fn step(&self, body: &Body<'_>, record: Vec<String>, why: &str, born: &mut BTreeSet<String>) -> Step {
        Step {
            id: format!("{}:{}", self.table, body.version),
            title: body.title.clone(),
            file: body.label.to_owned(),
            file_text: Arc::clone(body.sql),
            why: why.to_owned(),
            lane: body.script.map_or(Lane::Transaction, |s| s.lane),
            settings: self.snapshot.server.step_settings(&format!("migrate V{}", body.version)),
            timeouts: Timeouts { lock: self.limits.lock, statement: self.limits.statement },
            statements: body.script.map_or_else(Vec::new, |script| statements(body.sql, script, born)),
            record,
        }
    }
}

/// The whole file as one statement, or its statements one by one. Locks on tables that are born in
/// the same plan keep nobody waiting and are left out.
fn statements(sql: &Arc<str>, script: &Script, born: &mut BTreeSet<String>) -> Vec<Statement> {
    let (mut locks, mut hazards) = (Vec::new(), Vec::new());
    let mut alone = Vec::new();
    let mut prelude: Vec<String> = Vec::new();
    let starts = script.starts(sql);
    for (piece, start) in script.pieces.iter().zip(starts) {
        let text = sql.get(piece.range.clone()).unwrap_or_default();
        if let Some(created) = &piece.effects.creates {
            born.insert(created.clone());
        }
        let met: Vec<_> = piece.effects.locks.iter().filter(|lock| !born.contains(&lock.table)).cloned().collect();
        if script.lane == Lane::Transaction {
            locks.extend(met);
            hazards.extend(piece.effects.hazards.iter().cloned());
        } else if piece.effects.transactions == Transactions::Sets {
            prelude.push(text.to_owned());
        } else {
            alone.push(Statement {
                offset: start,
                starts: vec![start],
                prelude: prelude.clone(),
                atomic: piece.effects.transactions == Transactions::Allows,
                guard: piece.effects.guard.clone(),
                locks: met,
                hazards: piece.effects.hazards.clone(),
                ..Statement::whole(Arc::from(text))
            });
        }
    }
    if script.lane == Lane::Statements {
        return alone;
    }
    locks.sort();
    locks.dedup();
    let starts = if script.sound { script.starts(sql) } else { Vec::new() };
    vec![Statement { starts, locks, hazards, ..Statement::whole(Arc::clone(sql)) }]
}

fn stem(entry: &Entry) -> String {
    match (&entry.file, &entry.row) {
        (Some(file), _) => file.stem.clone(),
        (None, Some(row)) => stem_of(entry.version, &row.name),
        (None, None) => format!("V{}", entry.version),
    }
}

fn stem_of(version: i64, name: &str) -> String {
    format!("V{version:04}__{name}")
}
