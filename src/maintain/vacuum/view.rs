//! What will be done and what was done, as documents. Knows reports and columns, not terminals.

use super::plan::{Task, VacuumPlan};
use super::read::Sizes;
use super::run::Report;
use super::work::{Attempt, AttemptEnd};
use super::{Answer, Request};
use crate::error::Kind;
use crate::ident::Literal;
use crate::maintain::repack::Gain;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::Server;
use crate::steps::Hazard;
use crate::steps::crew::End;

pub(super) fn head(kind: &'static str, request: &Request, server: &Server) -> Document {
    Document::new(kind, 1).fact("database", "database", request.connection.label()).fact(
        "server",
        "server",
        format!("PostgreSQL {}", server.version),
    )
}

/// What a run would do; also the answer where there is nothing to do.
pub fn plan(request: &Request, server: &Server, plan: &VacuumPlan, sizes: &Sizes) -> Answer {
    let kind = if request.dry_run { "vacuum.plan" } else { "vacuum.done" };
    let document = head(kind, request, server);
    if !request.dry_run {
        let report = Report::nothing(plan.clone());
        return (outcome(&report), tables(document, &report));
    }
    let mut tasks = Table::new(
        "tasks",
        "nothing is due",
        vec![
            Column::new("table", "table"),
            Column::new("task", "what"),
            Column::new("bytes", "size"),
            Column::new("reasons", "why"),
            Column::machine("sql"),
        ],
    );
    for task in plan.all() {
        tasks.push(vec![
            task.table.to_string().into(),
            task.what.into(),
            bytes(sizes, task.oid),
            Value::List(task.reasons.clone()),
            task.sql.clone().into(),
        ]);
    }
    let hazards: Vec<String> = plan.all().flat_map(|task| task.hazards.iter().map(move |h| hazard(task, h))).collect();
    let mut document = skipped(document.table(tasks), plan);
    if !plan.is_empty() {
        let closing = plan.closing.map(|sql| format!("{sql};"));
        document = document.text("sql", plan.all().map(script).chain(closing).collect::<Vec<_>>().join("\n"));
    }
    document.notes.extend(hazards);
    document.notes.extend(plan.notes.iter().cloned());
    (Outcome::Done, document)
}

/// What a run did.
pub fn done(request: &Request, server: &Server, report: &Report) -> Answer {
    (outcome(report), tables(head("vacuum.done", request, server), report))
}

/// What a rewrite means for others, what it takes, and what it gives.
pub fn hazard(task: &Task, hazard: &Hazard) -> String {
    let what = match hazard {
        Hazard::Destroys(what) | Hazard::Rewrites(what) | Hazard::Opaque(what) => what,
    };
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let room = match task.free {
        Some(free) => format!("of {} MB that are free where it lies", megabytes(free)),
        None => "and the server does not tell how much there is".to_owned(),
    };
    let bytes = u64::try_from(task.before.bytes).unwrap_or_default();
    format!(
        "{} rewrites {what}; it needs up to {} MB of free disk beside it, {room}; {}",
        task.what,
        megabytes(bytes) + 1,
        outlook(task.gain.as_ref())
    )
}

/// What a rewrite is good for.
fn outlook(gain: Option<&Gain>) -> String {
    let Some(gain) = gain else { return "what it would give back is not known".to_owned() };
    if gain.grows {
        return "by estimate it would be LARGER afterwards".to_owned();
    }
    match (gain.saved(), gain.share()) {
        (Some(saved), Some(share)) => format!(
            "by estimate it gives back {:.1} MB, {:.0} % (confidence {}){}",
            saved as f64 / 1e6,
            share * 100.0,
            gain.confidence,
            if share < WORTH { ": hardly worth it" } else { "" }
        ),
        _ => "what it would give back is not known".to_owned(),
    }
}

/// A smaller share is not worth keeping everybody out.
const WORTH: f64 = 0.2;

/// The statements as they are sent, each with what is set for it.
fn script(task: &Task) -> String {
    let settings = task
        .settings
        .iter()
        .map(|(name, value)| format!("SET {name} = {};\n", Literal(value).to_string().trim_start()));
    format!("{}{};", settings.collect::<String>(), task.sql)
}

fn tables(document: Document, report: &Report) -> Document {
    let mut rows = Table::new(
        "tables",
        "nothing was due",
        vec![
            Column::new("table", "table"),
            Column::new("task", "what"),
            Column::new("outcome", "outcome"),
            Column::new("seconds", "took"),
            Column::machine("bytes_before"),
            Column::new("bytes_after", "size"),
            Column::new("bytes_reclaimed", "smaller by"),
            Column::new("dead_before", "dead before"),
            Column::new("dead_after", "after"),
            Column::machine("xid_age_before"),
            Column::machine("xid_age_after"),
            Column::machine("detail"),
            Column::machine("reasons"),
        ],
    );
    let (mut reclaimed, mut notes) = (0, Vec::new());
    for (task, end) in report.plan.all().zip(&report.ends) {
        let (word, detail, took) = told(end);
        let size = |sizes: &Sizes| sizes.get(&task.oid).map(|size| size.bytes);
        let (before, after) = (size(&report.sizes_before), size(&report.sizes_after));
        let smaller = before.zip(after).map(|(before, after)| before.saturating_sub(after));
        reclaimed += smaller.unwrap_or_default();
        let now = report.after.get(&task.oid);
        if let Some(detail) = &detail {
            notes.push(format!("{}: {word}: {detail}", task.table));
        }
        if report.crowded.contains(&task.oid) {
            notes.push(format!(
                "{}: its indexes were gone through more than once: give it more maintenance_work_mem (it is {})",
                task.table, report.memory
            ));
        }
        rows.push(vec![
            task.table.to_string().into(),
            task.what.into(),
            word.into(),
            took.map_or(Value::None, Value::Seconds),
            before.map_or(Value::Unknown, Value::Bytes),
            after.map_or(Value::Unknown, Value::Bytes),
            smaller.map_or(Value::Unknown, Value::Bytes),
            (task.before.dead + task.before.toast_dead).into(),
            now.map_or(Value::Unknown, |now| now.dead.into()),
            task.before.xid_age.into(),
            now.map_or(Value::Unknown, |now| now.xid_age.into()),
            detail.into(),
            Value::List(task.reasons.clone()),
        ]);
    }
    let document = document.fact("bytes_reclaimed", "reclaimed", Value::Bytes(reclaimed)).table(rows);
    let mut document = skipped(document, &report.plan);
    document.notes.extend(notes);
    document.notes.extend(report.notes.iter().cloned());
    if let Some(failure) = &report.unwritten {
        document.notes.push(format!("the journal does not tell all of it: {}", failure.messages().join(": ")));
    }
    document.notes.extend(report.plan.notes.iter().cloned());
    document
}

fn skipped(document: Document, plan: &VacuumPlan) -> Document {
    let columns = vec![Column::new("table", "left alone"), Column::new("why", "why")];
    let mut table = Table::new("skipped", "", columns);
    for skipped in &plan.skipped {
        table.push(vec![skipped.table.to_string().into(), skipped.why.clone().into()]);
    }
    document.table(table)
}

/// How a task ended: a word for scripts, what a person should know, how long it took.
fn told(end: &End<Attempt>) -> (&'static str, Option<String>, Option<f64>) {
    match end {
        End::Ended(attempt) | End::Locked(attempt) => {
            let took = Some(attempt.took.as_secs_f64());
            match &attempt.end {
                AttemptEnd::Done => ("done", None, took),
                AttemptEnd::Skipped(why) => ("skipped", Some(why.clone()), None),
                AttemptEnd::Stopped => ("stopped", Some("the budget ran out while it ran".to_owned()), took),
                AttemptEnd::Held(why) => ("not begun", Some(why.clone()), None),
                AttemptEnd::Locked(blockers) => {
                    let who = blockers.iter().map(|b| format!("blocked by {b}")).collect::<Vec<_>>().join("; ");
                    let who = if who.is_empty() { "its lock was not to be had".to_owned() } else { who };
                    ("locked", Some(who), None)
                }
            }
        }
        End::Failed(failure) => ("failed", Some(failure.messages().join(": ")), None),
        End::Stopped => ("interrupted", None, None),
        End::NotBegun => ("not begun", Some("the budget had run out".to_owned()), None),
    }
}

/// Done, deferred where running again is all it takes, partial where something else is in the way.
fn outcome(report: &Report) -> Outcome {
    let (mut done, mut later, mut wrong) = (0, 0, 0);
    for end in &report.ends {
        match end {
            End::Ended(Attempt { end: AttemptEnd::Done, .. }) => done += 1,
            End::Ended(Attempt { end: AttemptEnd::Stopped | AttemptEnd::Locked(_) | AttemptEnd::Held(_), .. })
            | End::Locked(_)
            | End::NotBegun
            | End::Stopped => later += 1,
            End::Ended(Attempt { end: AttemptEnd::Skipped(_), .. }) | End::Failed(_) => wrong += 1,
        }
    }
    let counted: Vec<&str> = report.plan.skipped.iter().filter(|s| s.counts).map(|s| s.why.as_str()).collect();
    wrong += counted.len() + usize::from(report.unwritten.is_some());
    match (done, later, wrong) {
        (_, 0, 0) => Outcome::Done,
        (_, _, 0) => Outcome::Deferred,
        (0, 0, _) if !counted.is_empty() && counted.iter().all(|why| why.starts_with("not permitted")) => {
            Kind::NotPermitted.outcome()
        }
        (0, 0, _) if counted.is_empty() => Outcome::Failed,
        _ => Outcome::Partial,
    }
}

fn bytes(sizes: &Sizes, oid: u32) -> Value {
    sizes.get(&oid).map_or(Value::Unknown, |size| Value::Bytes(size.bytes))
}
