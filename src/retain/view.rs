//! Plans and reports of row jobs as parts of a document. Knows columns, not terminals.

use super::plan::{Attention, JobPlan, Path};
use super::run::{JobReport, Stop};
use super::snapshot::Count;
use crate::output::{Column, Document, Table, Value};

/// What the jobs will do, as a document of its own.
pub fn plan(label: &str, plans: &[JobPlan]) -> Document {
    let document = Document::new("partitions.rows", 1).fact("database", "database", label);
    let document = document.table(planned(plans)).table(children(plans)).table(attention(plans.iter().map(of_plan)));
    let document = document.text("sql", sql(plans));
    plans
        .iter()
        .flat_map(|plan| plan.notes.iter().map(move |note| (plan, note)))
        .fold(document, |document, (plan, note)| document.note(format!("{}: {note}", plan.job)))
}

/// What the jobs did, as a document of its own.
pub fn report(label: &str, reports: &[JobReport]) -> Document {
    let document = Document::new("partitions.rows", 1).fact("database", "database", label);
    let document = document.table(done(reports));
    document.table(attention(reports.iter().map(|report| (report.job.as_str(), report.attention.as_slice()))))
}

/// A row for each job's plan.
pub fn planned(plans: &[JobPlan]) -> Table {
    let mut table = Table::new(
        "rows",
        "no row jobs",
        vec![
            Column::new("job", "job"),
            Column::new("table", "table"),
            Column::new("action", "action"),
            Column::new("due_rows", "due"),
            Column::new("due", "how sure"),
            Column::new("wal_bytes", "WAL, est."),
            Column::machine("dead_bytes"),
            Column::machine("cutoff"),
            Column::machine("leaves"),
            Column::machine("leaves_left_alone"),
            Column::machine("along"),
            Column::machine("blocked"),
        ],
    );
    for plan in plans {
        let along = plan.visits.iter().map(|visit| visit.path);
        table.push(vec![
            plan.job.as_str().into(),
            plan.table.to_string().into(),
            plan.action.into(),
            number(plan.rows),
            sureness(plan.rows).into(),
            plan.wal_bytes.map_or(Value::Unknown, Value::Bytes),
            plan.dead_bytes.map_or(Value::Unknown, Value::Bytes),
            plan.cutoff.clone().into(),
            plan.visits.len().into(),
            plan.left_alone.into(),
            if along.clone().any(|path| path == Path::Blocks) { "blocks" } else { "index" }.into(),
            plan.is_blocked().into(),
        ]);
    }
    table
}

/// The tables whose rows point at rows that are due, and what happens to them: those that stand in the
/// way come first.
pub fn children(plans: &[JobPlan]) -> Table {
    let mut table = Table::new(
        "referencing",
        "nothing points at these tables",
        vec![
            Column::new("job", "job"),
            Column::new("table", "rows of"),
            Column::machine("constraint"),
            Column::new("on_delete", "on delete"),
            Column::new("rows", "point at due rows"),
            Column::new("indexed", "index"),
        ],
    );
    for plan in plans {
        for child in &plan.children {
            table.push(vec![
                plan.job.as_str().into(),
                child.table.to_string().into(),
                child.name.as_str().into(),
                child.on_delete.sql().into(),
                number(child.rows),
                child.indexed.into(),
            ]);
        }
    }
    table
}

/// What a person must look at.
pub fn attention<'a>(of: impl Iterator<Item = (&'a str, &'a [Attention])>) -> Table {
    let mut table = Table::new(
        "attention",
        "nothing needs attention",
        vec![
            Column::new("job", "job"),
            Column::new("blocks", "blocks"),
            Column::new("message", "what"),
            Column::new("advice", "what helps"),
        ],
    );
    for (job, attention) in of {
        for item in attention {
            table.push(vec![job.into(), item.blocks.into(), item.message.as_str().into(), item.advice.clone().into()]);
        }
    }
    table
}

/// A plan's name and what a person must look at, for [`attention`].
pub fn of_plan(plan: &JobPlan) -> (&str, &[Attention]) {
    (&plan.job, &plan.attention)
}

/// The exact SQL of the batches.
pub fn sql(plans: &[JobPlan]) -> String {
    let mut text = String::new();
    for plan in plans {
        for batch in plan.batches() {
            text.push_str(&format!("-- {}: $1 most rows, $2 from, $3 to", plan.job));
            for (at, secret) in plan.secrets.iter().enumerate() {
                text.push_str(&format!(", ${} **** from {secret}", at + super::sql::FIRST_SECRET));
            }
            text.push_str(&format!("\n{batch};\n"));
        }
    }
    text
}

/// A row for each job that ran.
pub fn done(reports: &[JobReport]) -> Table {
    let mut table = Table::new(
        "rows",
        "no row jobs",
        vec![
            Column::new("job", "job"),
            Column::machine("table"),
            Column::machine("action"),
            Column::new("rows", "rows"),
            Column::new("left_rows", "left"),
            Column::new("took_seconds", "took"),
            Column::new("longest_batch_seconds", "longest"),
            Column::new("outcome", "outcome"),
            Column::machine("batches"),
            Column::machine("paused_seconds"),
            Column::machine("vacuums"),
            Column::machine("closed_leaves"),
            Column::machine("kept_by_triggers"),
            Column::machine("left"),
        ],
    );
    for report in reports {
        table.push(vec![
            report.job.as_str().into(),
            report.table.as_str().into(),
            report.action.into(),
            int(report.rows),
            number(report.left),
            Value::Seconds(report.took.as_secs_f64()),
            Value::Seconds(report.longest.as_secs_f64()),
            ended(report).into(),
            int(report.batches),
            Value::Seconds(report.paused.as_secs_f64()),
            int(report.vacuums),
            int(report.closed),
            int(report.kept),
            sureness(report.left).into(),
        ]);
    }
    table
}

fn ended(report: &JobReport) -> String {
    match &report.stop {
        None if report.kept > 0 => "kept by a trigger".to_owned(),
        None if matches!(report.left, Count::Exact(left) if left > 0) => "others hold rows".to_owned(),
        None => "done".to_owned(),
        Some(Stop::Blocked) => "blocked".to_owned(),
        Some(Stop::Budget) => "budget spent".to_owned(),
        Some(Stop::Window) => "window closed".to_owned(),
        Some(Stop::Pace(why)) => format!("paused too long: {why}"),
        Some(Stop::Unknown(what)) => format!("unknown: {what}"),
    }
}

fn number(count: Count) -> Value {
    count.number().map_or(Value::Unknown, int)
}

fn sureness(count: Count) -> &'static str {
    match count {
        Count::Exact(_) => "counted",
        Count::About(_) => "estimated",
        Count::Unknown => "unknown",
    }
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
