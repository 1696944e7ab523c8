//! Steps as a document: the numbered plan with its locks and times and its exact SQL, and what was
//! done.

use crate::ident::TableName;
use crate::output::{Column, Document, Table, Value};
use crate::steps::apply::Applied;
use crate::steps::{Plan, Step};

/// The numbered plan; `estimates` are seconds by the id of a step.
pub fn steps(kind: &'static str, label: &str, table: &TableName, plan: &Plan, estimates: &[(String, f64)]) -> Document {
    let mut rows = Table::new(
        "steps",
        "nothing to do",
        vec![
            Column::new("number", "#"),
            Column::new("title", "step"),
            Column::new("locks", "locks"),
            Column::new("blocks", "keeps waiting"),
            Column::new("seconds", "about"),
            Column::machine("why"),
            Column::machine("lock_timeout_seconds"),
        ],
    );
    for (index, step) in plan.steps.iter().enumerate() {
        let locks = step.locks();
        let blocks = locks.iter().map(|lock| lock.mode).max().map(|mode| mode.blocks());
        let seconds = estimates.iter().find(|(id, _)| *id == step.id).map(|(_, seconds)| Value::Seconds(*seconds));
        rows.push(vec![
            (index + 1).into(),
            step.title.as_str().into(),
            Value::List(locks.iter().map(ToString::to_string).collect()),
            blocks.into(),
            seconds.unwrap_or(Value::None),
            step.why.as_str().into(),
            Value::Seconds(step.timeouts.lock.as_secs_f64()),
        ]);
    }
    Document::new(kind, 1)
        .fact("database", "database", label)
        .fact("table", "table", table.to_string())
        .fact("steps", "steps", plan.steps.len())
        .table(rows)
        .text("sql", sql(&plan.steps))
}

fn sql(steps: &[Step]) -> String {
    let mut text = String::new();
    for (index, step) in steps.iter().enumerate() {
        text.push_str(&format!("-- {}. {}\n", index + 1, step.title));
        for message in step.messages() {
            text.push_str(&message.sql);
            text.push('\n');
        }
    }
    text
}

/// What was done.
pub fn done(
    kind: &'static str,
    label: &str,
    table: &TableName,
    state: &str,
    applied: &[Applied],
    notes: &[String],
) -> Document {
    let mut rows =
        Table::new("applied", "nothing to do", vec![Column::new("title", "step"), Column::new("took_seconds", "took")]);
    for step in applied {
        rows.push(vec![step.title.as_str().into(), Value::Seconds(step.took.as_secs_f64())]);
    }
    let document = Document::new(kind, 1)
        .fact("database", "database", label)
        .fact("table", "table", table.to_string())
        .fact("state", "state", state)
        .table(rows);
    notes.iter().fold(document, |document, note| document.note(note.as_str()))
}
