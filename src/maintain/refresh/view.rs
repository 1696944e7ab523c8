//! Plans and reports of `refresh` as documents. Knows columns, not terminals.

use super::plan::Plan;
use super::run::Done;
use crate::output::{Column, Document, Table, Value};
use crate::pg::Server;

/// What would be done.
pub fn planned(server: &Server, plan: &Plan) -> Document {
    let columns = vec![
        Column::new("view", "materialized view"),
        Column::new("size_bytes", "size"),
        Column::new("reads", "meanwhile"),
        Column::machine("reason"),
        Column::machine("sql"),
    ];
    let mut table = Table::new("views", "nothing to do", columns);
    for task in &plan.tasks {
        table.push(vec![
            task.view.to_string().into(),
            Value::Bytes(task.bytes),
            meanwhile(task.locked_because).into(),
            task.locked_because.into(),
            task.sql().into(),
        ]);
    }
    let sql: String = plan.tasks.iter().map(|task| format!("{};\n", task.sql())).collect();
    let document = Document::new("refresh.plan", 1)
        .fact("database", "database", server.database.as_str())
        .fact("views_count", "views", plan.tasks.len())
        .table(table)
        .table(skipped(plan))
        .text("sql", sql);
    noted(document, plan)
}

/// What was done.
pub fn done(server: &Server, plan: &Plan, done: &[Done]) -> Document {
    let columns = vec![
        Column::new("view", "materialized view"),
        Column::new("took_seconds", "took"),
        Column::new("reads", "meanwhile"),
        Column::new("outcome", "outcome"),
        Column::machine("reason"),
        Column::machine("error"),
        Column::machine("sql"),
    ];
    let mut table = Table::new("views", "nothing to do", columns);
    for done in done {
        table.push(vec![
            done.task.view.to_string().into(),
            Value::Seconds(done.took.as_secs_f64()),
            meanwhile(done.task.locked_because).into(),
            if done.end.is_ok() { "done" } else { "failed" }.into(),
            done.task.locked_because.into(),
            done.end.as_ref().err().map(|failure| failure.messages().join(": ")).into(),
            done.task.sql().into(),
        ]);
    }
    let good = done.iter().filter(|done| done.end.is_ok()).count();
    let document = Document::new("refresh.done", 1)
        .fact("database", "database", server.database.as_str())
        .fact("done_count", "filled anew", good)
        .fact("failed_count", "failed", done.len() - good)
        .fact("took_seconds", "took", Value::Seconds(done.iter().map(|done| done.took.as_secs_f64()).sum()))
        .table(table)
        .table(skipped(plan));
    noted(document, plan)
}

fn meanwhile(locked_because: Option<&str>) -> &'static str {
    if locked_because.is_none() { "read" } else { "nobody can read it" }
}

fn skipped(plan: &Plan) -> Table {
    let columns = vec![
        Column::new("view", "left alone"),
        Column::new("why", "why"),
        Column::new("remedy", "what would change that"),
    ];
    let mut table = Table::new("skipped", "", columns);
    for one in &plan.skipped {
        table.push(vec![one.view.to_string().into(), one.why.as_str().into(), one.remedy.as_str().into()]);
    }
    table
}

fn noted(mut document: Document, plan: &Plan) -> Document {
    for task in &plan.tasks {
        if let Some(why) = task.locked_because {
            document = document.note(format!("nobody can read {} while it is filled: {why}", task.view));
        }
    }
    document
}
