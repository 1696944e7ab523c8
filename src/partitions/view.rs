//! Answers of the partition verbs as documents. Knows reports and columns, not terminals.

use chrono::{DateTime, Utc};

use super::ddl::Frame;
use super::plan::Attention;
use super::read::Snapshot;
use super::rotate::{self, TableReport};
use super::rows::{Done, Due};
use super::work::{Found, Preview, TableWork};
use super::{Answer, Request};
use crate::error::{Failure, Kind};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::policy::key::Range;
use crate::retain::{self, JobPlan, JobReport};
use crate::steps::events::Blocker;
use crate::steps::{Lane, Step, TableLock};

pub(super) fn head(kind: &'static str, request: &Request, snapshot: &Snapshot) -> Document {
    let files: Vec<String> = request.policy.paths().iter().map(|path| path.display().to_string()).collect();
    Document::new(kind, 1)
        .fact("database", "database", request.connection.label())
        .fact("server", "server", format!("PostgreSQL {}", snapshot.server.version))
        .fact("policy", "policy", files.join(", "))
}

/// A standby keeps what its primary keeps.
pub(super) fn standby(request: &Request, snapshot: &Snapshot) -> Answer {
    let document = head("partitions.done", request, snapshot)
        .note("this server is a standby: its partitions are kept on the primary, nothing was done");
    (Outcome::Done, document)
}

/// What a run would do.
pub(super) fn plan(
    request: &Request,
    snapshot: &Snapshot,
    works: &[TableWork<'_>],
    due: &[Due<'_>],
    in_the_way: &[(String, Blocker)],
    now: DateTime<Utc>,
) -> Answer {
    let mut document = head("partitions.plan", request, snapshot).fact("now", "at", now).fact(
        "policy_hash",
        "policy hash",
        request.policy.hash.get(..12).unwrap_or_default(),
    );
    let mut actions = Table::new(
        "actions",
        "nothing to do",
        vec![
            Column::machine("table"),
            Column::new("action", "action"),
            Column::new("partition", "partition"),
            Column::new("range", "holds"),
            Column::machine("from"),
            Column::machine("to"),
            Column::new("rows", "rows, est."),
            Column::new("bytes", "size, est."),
            Column::machine("why"),
        ],
    );
    let mut steps = Vec::new();
    let mut attentions: Vec<&Attention> = Vec::new();
    let mut failures = Vec::new();
    for due in due {
        if let Err(failure) = &due.plan {
            failures.push((format!("rows {}", due.job.name), failure));
        }
    }
    for work in works {
        match &work.found {
            Ok(found) => {
                push_actions(&mut actions, found);
                steps.extend(found.preview(&Frame::of(&snapshot.server, found)));
                attentions.extend(&found.plan.attentions);
            }
            Err(failure) => failures.push((work.entry.table.to_string(), failure)),
        }
    }
    let count = steps.iter().filter(|shown| matches!(shown, Preview::Step(_))).count();
    document = document.fact("steps", "steps", count).table(actions);
    document = with_locks(document, &locks(&steps), in_the_way);
    document = with_attentions(document, attentions.iter().copied(), &failures);
    let jobs: Vec<JobPlan> = due.iter().filter_map(|due| due.plan.as_ref().ok()).cloned().collect();
    if !jobs.is_empty() {
        document = document.table(retain::view::planned(&jobs));
        let children = retain::view::children(&jobs);
        if !children.rows.is_empty() {
            document = document.table(children);
        }
        let odd = retain::view::attention(jobs.iter().map(retain::view::of_plan));
        if !odd.rows.is_empty() {
            document = document.table(odd);
        }
        let sql = retain::view::sql(&jobs);
        if !sql.is_empty() {
            document = document.text("rows_sql", sql);
        }
    }
    if !steps.is_empty() {
        document = document.text("sql", sql(&steps));
        if !snapshot.server.has_state {
            document =
                document.note("before the first step, dbctl creates its schema dbctl (journal) in this database");
        }
    }
    for found in works.iter().filter_map(|work| work.found.as_ref().ok()) {
        for note in &found.plan.notes {
            document = document.note(note);
        }
    }
    let outcome = if failures.iter().any(|(_, failure)| failure.what() == Kind::Invalid) {
        Outcome::Invalid
    } else if !failures.is_empty() {
        Outcome::Partial
    } else if !attentions.is_empty() || jobs.iter().any(JobPlan::is_blocked) {
        Outcome::Refused
    } else {
        Outcome::Done
    };
    (outcome, document)
}

/// Rows and bytes, where they were noted.
type Size = (Option<i64>, Option<i64>);

fn push_actions(table: &mut Table, found: &Found<'_>) {
    let name = found.plan.table.to_string();
    let mut push = |action: &str, partition: String, range: Option<Range>, why: &str, size: Option<&Size>| {
        let edge = |edge| Value::Text(found.set.bound_text(edge));
        table.push(vec![
            name.as_str().into(),
            action.into(),
            partition.into(),
            range.map_or(Value::None, |range| Value::Text(short(&found.set, range))),
            range.map_or(Value::None, |range| edge(range.lower())),
            range.map_or(Value::None, |range| edge(range.upper())),
            size.map_or(Value::None, |(rows, _)| rows.map_or(Value::Unknown, Value::Int)),
            size.map_or(Value::None, |(_, bytes)| {
                bytes.and_then(|bytes| u64::try_from(bytes).ok()).map_or(Value::Unknown, Value::Bytes)
            }),
            why.into(),
        ]);
    };
    for p in &found.plan.finalize {
        push("finish detach", p.name.to_string(), Some(p.range), "a concurrent detach was begun and not ended", None);
    }
    for (creation, partition) in found.plan.create.iter().zip(&found.names) {
        let why = if creation.short { "fills a hole that is less than a period" } else { "ahead of its rows" };
        push("create", partition.to_string(), Some(creation.range), why, None);
    }
    if found.plan.make_default
        && let Some(partition) = found.names.get(found.plan.create.len())
    {
        push("create", partition.to_string(), None, "the policy requires a DEFAULT partition", None);
    }
    let expire = super::plan::expire_words(&found.set.policy.expire);
    for p in &found.plan.expire {
        push(&expire, p.name.to_string(), Some(p.range), "expired", found.sizes.get(&p.oid));
    }
    for kept in &found.plan.kept {
        // Long reasons are attentions, which stand below.
        let short = kept.why.len() < 32;
        let action = if short { format!("keep: {}", kept.why) } else { "keep".to_owned() };
        push(&action, kept.partition.name.to_string(), Some(kept.partition.range), &kept.why, None);
    }
    for row in found.leaving.iter().filter(|row| found.is_due(row)) {
        push("go on", row.partition.clone(), None, "an earlier run has begun it, or its grace is over", None);
    }
}

/// A range in few words: midnights at UTC as days.
fn short(set: &super::set::Set<'_>, range: Range) -> String {
    let edge = |edge| {
        let text = set.bound_text(edge);
        text.strip_suffix(" 00:00:00+00").or_else(|| text.strip_suffix(" 00:00:00")).map_or(text.clone(), str::to_owned)
    };
    format!("{} to {}", edge(range.lower()), edge(range.upper()))
}

/// The strongest lock of all steps on each table, sorted.
pub(super) fn locks(steps: &[Preview]) -> Vec<TableLock> {
    let mut locks: Vec<TableLock> = Vec::new();
    for shown in steps {
        let Preview::Step(step) = shown else { continue };
        for lock in step.locks() {
            match locks.iter_mut().find(|known| known.table == lock.table) {
                Some(known) => known.mode = known.mode.max(lock.mode),
                None => locks.push(lock),
            }
        }
    }
    locks.sort();
    locks
}

/// The lock on each table, whom it keeps waiting, and who is in its way now.
fn with_locks(document: Document, locks: &[TableLock], in_the_way: &[(String, Blocker)]) -> Document {
    let mut table = Table::new(
        "locks",
        "no locks",
        vec![
            Column::new("table", "locks on"),
            Column::new("mode", "mode"),
            Column::new("blocks", "keeps waiting"),
            Column::new("in_the_way", "in its way now"),
        ],
    );
    for lock in locks {
        let blockers = in_the_way.iter().filter(|(table, _)| *table == lock.table);
        let pids = blockers.map(|(_, blocker)| format!("pid {}", blocker.pid)).collect();
        table.push(vec![
            lock.table.as_str().into(),
            lock.mode.sql().into(),
            lock.mode.blocks().into(),
            Value::List(pids),
        ]);
    }
    if locks.is_empty() {
        return document;
    }
    let mut told: Vec<i32> = Vec::new();
    let mut document = document.table(table);
    for (table, blocker) in in_the_way {
        if !told.contains(&blocker.pid) {
            told.push(blocker.pid);
            document = document.note(format!("in the way now, on {table}: {blocker}"));
        }
    }
    document
}

fn with_attentions<'a>(
    mut document: Document,
    attentions: impl Iterator<Item = &'a Attention>,
    failures: &[(String, &Failure)],
) -> Document {
    let mut table = Table::new(
        "attentions",
        "",
        vec![Column::new("id", "attention"), Column::new("message", "what"), Column::new("hint", "what to do")],
    );
    for attention in attentions {
        table.push(vec![attention.id.into(), attention.message.as_str().into(), attention.hint.clone().into()]);
    }
    for (name, failure) in failures {
        let message = format!("{name}: {}", failure.messages().join(": "));
        table.push(vec!["failed".into(), message.into(), failure.hints().first().cloned().into()]);
    }
    if !table.rows.is_empty() {
        document = document.table(table);
    }
    document
}

/// Every message as it will be sent, under a comment that says what it is.
fn sql(steps: &[Preview]) -> String {
    let mut text = String::new();
    for (index, shown) in steps.iter().enumerate() {
        let number = format!("{}/{}", index + 1, steps.len());
        match shown {
            Preview::Words(words) => text.push_str(&format!("-- {number} {words}\n\n")),
            Preview::Step(step) => {
                text.push_str(&format!("-- {number} {} ({})\n", step.title, mode(step)));
                for message in step.messages() {
                    text.push_str(message.sql.trim_end());
                    text.push_str(if message.sql.trim_end().ends_with(';') { "\n" } else { ";\n" });
                }
                text.push('\n');
            }
        }
    }
    text.trim_end().to_owned()
}

/// The messages of steps that are not part of a table's work.
pub(super) fn steps_sql(plan: &crate::steps::Plan) -> String {
    sql(&plan.steps.iter().cloned().map(Preview::Step).collect::<Vec<_>>())
}

fn mode(step: &Step) -> &'static str {
    match step.lane {
        Lane::Transaction => "in a transaction",
        Lane::Statements => "statement by statement",
    }
}

/// What a run did.
pub(super) fn done(request: &Request, snapshot: &Snapshot, reports: &[TableReport], rows: &[Done]) -> Answer {
    let mut table = Table::new(
        "tables",
        "the policy names no table of this database",
        vec![
            Column::new("table", "table"),
            Column::new("created", "created"),
            Column::new("departed", "left"),
            Column::new("kept", "held back"),
            Column::new("outcome", "outcome"),
            Column::machine("created_names"),
            Column::machine("departed_names"),
            Column::machine("failure"),
        ],
    );
    for report in reports {
        let outcome = match &report.failure {
            Some(failure) if failure.what() == Kind::Deferred => "deferred",
            Some(_) => "failed",
            None if !report.attentions.is_empty() => "attention",
            None if report.created.is_empty() && report.departed.is_empty() && report.finalized.is_empty() => {
                "in order"
            }
            None => "done",
        };
        table.push(vec![
            report.table.to_string().into(),
            report.created.len().into(),
            report.departed.len().into(),
            report.kept.len().into(),
            outcome.into(),
            Value::List(report.created.clone()),
            Value::List(report.departed.iter().map(|d| format!("{} {}", d.partition, d.what)).collect()),
            report.failure.as_ref().map(|failure| failure.messages().join(": ")).into(),
        ]);
    }
    let document = head("partitions.done", request, snapshot);
    // A run about rows alone has no tables.
    let mut document = if reports.is_empty() && !rows.is_empty() { document } else { document.table(table) };
    document = with_attentions(document, reports.iter().flat_map(|r| &r.attentions), &[]);
    let jobs: Vec<JobReport> = rows.iter().filter_map(|done| done.report.as_ref().ok()).cloned().collect();
    if !jobs.is_empty() {
        document = document.table(retain::view::done(&jobs));
        let odd = retain::view::attention(jobs.iter().map(|job| (job.job.as_str(), job.attention.as_slice())));
        if !odd.rows.is_empty() {
            document = document.table(odd);
        }
    }
    (rotate::outcome(reports, rows), document)
}
