//! Plans and reports of `repack` as documents. Knows columns, not terminals.

use super::clean::Cleaned;
use super::plan::{self, RepackPlan, Way};
use super::read::Leftover;
use super::run::Done;
use super::work::End;
use super::{Answer, Request};
use crate::error::Kind;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::Server;

fn head(kind: &'static str, request: &Request, server: &Server) -> Document {
    Document::new(kind, 1).fact("database", "database", request.connection.label()).fact(
        "server",
        "server",
        format!("PostgreSQL {}", server.version),
    )
}

/// What would be done; also the answer where there is nothing to do.
pub fn planned(request: &Request, server: &Server, plan: &RepackPlan, way: Option<&Way>) -> Answer {
    let kind = if request.dry_run { "repack.plan" } else { "repack.done" };
    let Some(way) = way else {
        let document = skipped(head(kind, request, server), plan);
        let outcome = if request.dry_run { Outcome::Done } else { outcome(plan, &[]) };
        return (outcome, noted(document, plan));
    };
    let gains = plan.tasks.iter().filter_map(|task| task.gain.saved());
    let document = head(kind, request, server)
        .fact("way", "by", way.name())
        .fact("lock", "lock", way.lock())
        .fact("reclaimable_bytes", "to be given back, by estimate", Value::Bytes(gains.sum()))
        .fact(
            "disk_bytes",
            "disk for the largest, old and new, at most",
            Value::Bytes(plan.tasks.iter().map(plan::Task::disk).max().unwrap_or_default()),
        );
    let mut table = Table::new(
        "tables",
        "nothing to do",
        vec![
            Column::new("table", "table"),
            Column::new("size_bytes", "size"),
            Column::new("reclaimable_bytes", "gives back"),
            Column::new("disk_bytes", "disk"),
            Column::new("why", "why"),
            Column::machine("confidence"),
            Column::machine("reasons"),
            Column::machine("line"),
        ],
    );
    let line = |task| way.line(task, &request.wish, request.lock_patience);
    for task in &plan.tasks {
        table.push(vec![
            task.table.to_string().into(),
            Value::Bytes(task.gain.total()),
            task.gain.saved().map_or(Value::Unknown, Value::Bytes),
            Value::Bytes(task.disk()),
            task.why.as_str().into(),
            task.gain.confidence.into(),
            Value::List(task.gain.reasons.clone()),
            line(task).into(),
        ]);
    }
    let key = if *way == Way::Native { "sql" } else { "script" };
    let cleaning = plan.leftovers.iter().map(|left| sql_of(left, request, server));
    let lines = plan.tasks.iter().map(line);
    let text: String = cleaning.chain(lines).map(|line| format!("{line}\n")).collect();
    let document = skipped(document.table(table), plan).text(key, text);
    (Outcome::Done, noted(document, plan))
}

/// What was done.
pub fn done(request: &Request, server: &Server, plan: &RepackPlan, done: &[Done], way: &Way) -> Answer {
    let mut table = Table::new(
        "tables",
        "nothing to do",
        vec![
            Column::new("table", "table"),
            Column::new("outcome", "outcome"),
            Column::new("took_seconds", "took"),
            Column::new("before_bytes", "before"),
            Column::new("after_bytes", "after"),
            Column::new("reclaimed_bytes", "given back"),
            Column::machine("why"),
            Column::machine("detail"),
            Column::machine("line"),
        ],
    );
    let (mut total, mut notes) = (0_i64, Vec::new());
    for one in done {
        let (word, detail) = told(&one.end);
        let grown = match (&one.end, one.before, one.after) {
            (End::Done, Some(before), Some(after)) => Some(signed(before) - signed(after)),
            _ => None,
        };
        total += grown.unwrap_or_default();
        if let Some(detail) = &detail {
            notes.push(format!("{}: {word}: {detail}", one.task.table));
        }
        table.push(vec![
            one.task.table.to_string().into(),
            word.into(),
            Value::Seconds(one.took.as_secs_f64()),
            one.before.map_or(Value::Unknown, Value::Bytes),
            one.after.map_or(Value::Unknown, Value::Bytes),
            grown.map_or(Value::None, Value::Growth),
            one.task.why.as_str().into(),
            detail.into(),
            way.line(&one.task, &request.wish, request.lock_patience).into(),
        ]);
    }
    let document = head("repack.done", request, server)
        .fact("way", "by", way.name())
        .fact("reclaimed_bytes", "given back", Value::Growth(total))
        .table(table);
    let mut document = skipped(document, plan);
    document.notes.extend(notes);
    (outcome(plan, done), noted(document, plan))
}

/// What a killed pg_repack has left, and what became of it.
pub fn cleaned(
    request: &Request,
    server: &Server,
    plan: &RepackPlan,
    done: &[Cleaned],
    strays: &[String],
    all: &[Leftover],
) -> Answer {
    let kind = if request.dry_run { "repack.clean.plan" } else { "repack.clean" };
    let columns = vec![Column::new("table", "table"), Column::new("outcome", "outcome"), Column::new("sql", "SQL")];
    let mut table = Table::new("leftovers", "no pg_repack has left anything", columns);
    let mut document = head(kind, request, server);
    for left in all {
        let of = |cleaned: &&Cleaned| cleaned.left.oid == left.oid;
        let word = match (left.worked_by, done.iter().find(of)) {
            (Some(pid), _) => format!("pid {pid} works on it"),
            (None, Some(Cleaned { end: Err(failure), .. })) => {
                document.notes.push(format!("{}: {}", left.table, failure.messages().join(": ")));
                "failed".to_owned()
            }
            (None, Some(_)) => "removed".to_owned(),
            (None, None) if request.dry_run => "to be removed".to_owned(),
            (None, None) => "not there any more".to_owned(),
        };
        table.push(vec![left.table.to_string().into(), word.into(), sql_of(left, request, server).into()]);
    }
    document.notes.extend(strays.iter().map(|stray| {
        format!("{stray} lies in pg_repack's schema and belongs to no table that is there: look at it, then drop it")
    }));
    let failures: Vec<Outcome> =
        done.iter().filter_map(|cleaned| cleaned.end.as_ref().err()).map(|failure| failure.what().outcome()).collect();
    let outcome = match failures.first() {
        None => Outcome::Done,
        Some(first) if failures.len() == plan.leftovers.len() => *first,
        Some(_) => Outcome::Partial,
    };
    (outcome, document.table(table))
}

fn sql_of(left: &Leftover, request: &Request, server: &Server) -> String {
    let step = plan::cleaning(left, server, request.timeouts);
    step.statements.iter().map(|statement| statement.sql.to_string()).collect()
}

fn skipped(document: Document, plan: &RepackPlan) -> Document {
    let columns = vec![Column::new("table", "left alone"), Column::new("why", "why")];
    let empty = if plan.tasks.is_empty() { "no table is worth it" } else { "" };
    let mut table = Table::new("skipped", empty, columns);
    for skipped in &plan.skipped {
        table.push(vec![skipped.table.to_string().into(), skipped.why.clone().into()]);
    }
    document.table(table)
}

fn noted(mut document: Document, plan: &RepackPlan) -> Document {
    document.notes.extend(plan.forced.iter().map(|forced| format!("by --force: {forced}")));
    document.notes.extend(plan.notes.iter().cloned());
    document
}

/// A word for scripts, and what a person should know.
fn told(end: &End) -> (&'static str, Option<String>) {
    match end {
        End::Done => ("done", None),
        End::Locked(why, blockers) => {
            let who = blockers.iter().map(|blocker| format!("; blocked by {blocker}")).collect::<String>();
            ("locked", Some(format!("{why}{who}; nothing was changed, nobody was ended")))
        }
        End::Failed(failure) => ("failed", Some(failure.messages().join(": "))),
        End::NotBegun => ("not begun", Some("the budget had run out".to_owned())),
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn outcome(plan: &RepackPlan, done: &[Done]) -> Outcome {
    let (mut good, mut later, mut failed) = (0, plan.busy.len(), 0);
    for done in done {
        match done.end {
            End::Done => good += 1,
            End::Locked(..) | End::NotBegun => later += 1,
            End::Failed(_) => failed += 1,
        }
    }
    let counted: Vec<_> = plan.skipped.iter().filter(|skipped| skipped.counts).collect();
    match (good, later, failed + counted.len()) {
        (_, 0, 0) => Outcome::Done,
        (_, _, 0) => Outcome::Deferred,
        (0, 0, _) if failed == 0 && counted.iter().all(|skipped| skipped.is_forbidden) => Kind::NotPermitted.outcome(),
        (0, 0, _) if failed == 0 => Outcome::Refused,
        (0, 0, _) if counted.is_empty() => Outcome::Failed,
        _ => Outcome::Partial,
    }
}
