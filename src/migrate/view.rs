//! Answers of the migration verbs as documents. Knows reports and columns, not terminals.

use std::path::PathBuf;

use super::assess::{Assessment, Entry, State};
use super::embedded::System;
use super::read::Snapshot;
use super::source::MigrationSet;
use crate::excerpt::masked;
use crate::output::{Column, Document, Table, Value};
use crate::steps::apply::Applied;
use crate::steps::{Hazard, Lane, Plan, Step};

/// More applied versions than this are cut to the newest [`SHOWN`], unless all are asked for.
const MANY: usize = 30;
const SHOWN: usize = 10;

fn head(kind: &'static str, label: &str, set: &MigrationSet) -> Document {
    Document::new(kind, 1).fact("database", "database", label).fact("source", "migrations", set.origin.to_string())
}

pub(super) fn status(
    label: &str,
    set: &MigrationSet,
    snapshot: &Snapshot,
    assessment: &Assessment,
    brief: bool,
) -> Document {
    let count = |id: &str| assessment.entries.iter().filter(|e| e.state.id() == id).count();
    let (applied, pending) = (count("applied"), assessment.pending().count());
    let mut document = head("migrate.status", label, set)
        .fact(
            "server",
            "server",
            format!(
                "PostgreSQL {}{}",
                snapshot.server.version,
                if snapshot.server.in_recovery { " (standby)" } else { "" }
            ),
        )
        .fact("history", "history", snapshot.history.as_ref().map(|h| h.table.to_string()))
        .fact("applied", "applied", applied)
        .fact("pending", "pending", pending)
        .fact(
            "findings",
            "findings",
            assessment.obstacles().count() + count("out_of_order") + set.problems.len() + assessment.faults.len(),
        );
    let mut table = Table::new(
        "migrations",
        "no migrations",
        vec![
            Column::new("version", "version"),
            Column::new("name", "name"),
            Column::new("state", "state"),
            Column::new("applied_on", "applied on"),
            Column::new("detail", "detail"),
            Column::machine("file"),
        ],
    );
    let hidden = if brief && applied > MANY { applied - SHOWN } else { 0 };
    let mut skipped = 0;
    for entry in &assessment.entries {
        if entry.state == State::Applied && skipped < hidden {
            skipped += 1;
            continue;
        }
        table.push(row(entry, snapshot.half_done.get(&entry.version)));
    }
    for problem in &set.problems {
        table.push(vec![
            Value::None,
            problem.label.as_str().into(),
            problem.id.into(),
            Value::None,
            problem.message.as_str().into(),
            problem.label.as_str().into(),
        ]);
    }
    document = document.table(table);
    if hidden > 0 {
        document = document.note(format!("{hidden} older applied migrations are not shown: --all shows them"));
    }
    for part in &set.left_out {
        document = document.note(format!("part '{part}' is left out on purpose: --without {part}"));
    }
    for note in notes(snapshot, assessment) {
        document = document.note(note);
    }
    document
}

fn row(entry: &Entry, half_done: Option<&i64>) -> Vec<Value> {
    let name =
        entry.file.as_ref().map(|f| f.identity.name.clone()).or_else(|| entry.row.as_ref().map(|r| r.name.clone()));
    let detail = match &entry.state {
        State::Divergent(difference) => Some(difference.describe().to_owned()),
        State::Missing => Some("applied, but there is no such file".to_owned()),
        State::OutOfOrder => Some("older than the newest applied version".to_owned()),
        State::Damaged(damage) => Some(damage.clone()),
        State::Applied => half_done.map(|done| format!("half undone: {done} statements of its rollback are done")),
        State::Pending => half_done.map(|done| format!("{done} statements of it are done")),
    };
    vec![
        entry.version.into(),
        name.into(),
        entry.state.id().into(),
        entry.row.as_ref().map_or(Value::None, |r| r.applied_at().map_or(Value::Unknown, Value::Time)),
        detail.into(),
        entry.file.as_ref().map(|f| f.label.clone()).into(),
    ]
}

fn notes(snapshot: &Snapshot, assessment: &Assessment) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(other) = &assessment.other_system {
        notes.push(format!("this database holds system {other}: 'dbctl migrate' will refuse to mix the two"));
    }
    if let Some(table) = &snapshot.other_tool {
        notes.push(format!(
            "{table} says that another tool migrates this database; 'dbctl migrate up --fake --to V' takes over"
        ));
    }
    notes.extend(elsewhere(snapshot));
    notes.extend(assessment.faults.iter().cloned());
    if snapshot.noted.is_none() {
        notes.push(
            "schema dbctl may not be read: whether changed files differ only in comments or white space is UNKNOWN"
                .to_owned(),
        );
    }
    notes
}

/// An answer about one schema must not read as one about the database.
fn elsewhere(snapshot: &Snapshot) -> Option<String> {
    let role = &snapshot.server.role;
    (!snapshot.elsewhere.is_empty()).then(|| {
        format!(
            "not counted here: {}, to which the search_path of role {role} does not lead",
            snapshot.elsewhere.join(", ")
        )
    })
}

pub(super) fn plan(label: &str, set: &MigrationSet, snapshot: &Snapshot, plan: &Plan) -> Document {
    let mut document = head("migrate.plan", label, set).fact("steps", "steps", plan.steps.len());
    let mut table = Table::new(
        "plan",
        "nothing to do",
        vec![
            Column::new("step", "step"),
            Column::new("mode", "mode"),
            Column::new("locks", "locks on existing tables"),
            Column::new("hazards", "hazards"),
            Column::machine("why"),
            Column::machine("file"),
            Column::machine("lock_timeout_seconds"),
        ],
    );
    for step in &plan.steps {
        table.push(vec![
            step.title.as_str().into(),
            mode(step.lane).into(),
            Value::List(step.locks().iter().map(ToString::to_string).collect()),
            Value::List(hazards(step)),
            step.why.as_str().into(),
            step.file.as_str().into(),
            Value::Seconds(step.timeouts.lock.as_secs_f64()),
        ]);
    }
    document = document.table(table);
    if !plan.is_empty() {
        document = document.text(
            "sql",
            plan.steps.iter().enumerate().map(|(i, step)| sql(i, plan.steps.len(), step)).collect::<String>(),
        );
        if let Some(note) = elsewhere(snapshot) {
            document = document.note(note);
        }
        if !snapshot.server.has_state {
            document =
                document.note("before the first step, dbctl creates its schema dbctl (journal) in this database");
        }
    }
    let opaque = plan.steps.iter().flat_map(Step::hazards).filter(|h| matches!(h, Hazard::Opaque(_))).count();
    if opaque > 0 {
        document = document
            .note(format!("{opaque} statements call code (DO, CALL, functions): its locks are UNKNOWN before it runs"));
    }
    document
}

/// What is destroyed or rewritten, in words; calls of code only counted.
fn hazards(step: &Step) -> Vec<String> {
    let opaque = step.hazards().filter(|h| matches!(h, Hazard::Opaque(_))).count();
    let told = step.hazards().filter(|h| !matches!(h, Hazard::Opaque(_))).map(ToString::to_string);
    told.chain((opaque > 0).then(|| format!("calls code ({opaque})"))).collect()
}

/// Every message as it will be sent, but for passwords, under a comment that says what it is.
fn sql(index: usize, of: usize, step: &Step) -> String {
    let mut text = format!("-- step {}/{of}: {} ({}), {}\n", index + 1, step.title, step.why, mode(step.lane));
    for message in step.messages() {
        text.push_str(&masked(&message.sql));
        if !message.sql.ends_with('\n') {
            text.push('\n');
        }
        // For pasting: what ends a message on the wire does not end a statement in a text.
        if !message.sql.trim_end().ends_with(';') {
            text.push_str(";\n");
        }
    }
    text.push('\n');
    text
}

fn mode(lane: Lane) -> &'static str {
    match lane {
        Lane::Transaction => "transaction",
        Lane::Statements => "no transaction",
    }
}

pub(super) fn applied(label: &str, set: &MigrationSet, snapshot: &Snapshot, applied: &[Applied]) -> Document {
    let mut document = head("migrate.applied", label, set)
        .fact("server", "server", format!("PostgreSQL {}", snapshot.server.version))
        .fact("applied", "done", applied.len());
    let mut table = Table::new(
        "steps",
        "nothing to do: the database is up to date",
        vec![Column::new("step", "step"), Column::new("seconds", "took")],
    );
    for step in applied {
        table.push(vec![step.title.as_str().into(), Value::Seconds(step.took.as_secs_f64())]);
    }
    document = document.table(table);
    document
}

pub(super) fn systems(systems: &[System]) -> Document {
    let mut table = Table::new(
        "systems",
        "no embedded systems",
        vec![
            Column::new("system", "system"),
            Column::new("migrations", "migrations"),
            Column::new("rollbacks", "rollbacks"),
            Column::new("checks", "checks"),
            Column::new("last_version", "last"),
            Column::new("last_name", "name"),
            Column::new("lowest_major", "PostgreSQL from"),
        ],
    );
    for system in systems {
        let migrations = system.migrations();
        let last = migrations.last().and_then(|(stem, _)| stem.split_once("__"));
        table.push(vec![
            system.name.into(),
            migrations.len().into(),
            system.rollbacks.len().into(),
            system.checks.len().into(),
            last.and_then(|(version, _)| version.get(1..)?.parse::<i64>().ok()).into(),
            last.map(|(_, name)| name).into(),
            i64::from(system.lowest_major).into(),
        ]);
    }
    Document::new("migrate.systems", 1).table(table)
}

pub(super) fn created(files: &[PathBuf]) -> Document {
    let mut table = Table::new("files", "nothing written", vec![Column::new("file", "written")]);
    for file in files {
        table.push(vec![file.display().to_string().into()]);
    }
    Document::new("migrate.new", 1).table(table)
}
