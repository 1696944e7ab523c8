//! Answers of `systems verify` and `demo-data` as documents.

use super::Amount;
use super::verify::Verified;
use crate::output::{Column, Document, Table, Value};
use crate::pg::Server;
use crate::steps::Plan;
use crate::steps::apply::Applied;

pub(super) fn verified(label: &str, system: &str, server: &Server, results: &[Verified]) -> Document {
    let broken = results.iter().filter(|r| r.broken.is_some()).count();
    let mut table = Table::new(
        "checks",
        "the system has no checks",
        vec![
            Column::new("holds", "holds"),
            Column::new("promise", "promise"),
            Column::new("reason", "why not"),
            Column::machine("check"),
        ],
    );
    for result in results {
        table.push(vec![
            result.broken.is_none().into(),
            result.promise.into(),
            result.broken.clone().map(|reason| format!("{reason} ({})", result.file)).into(),
            result.file.into(),
        ]);
    }
    Document::new("systems.verify", 1)
        .fact("database", "database", label)
        .fact("system", "system", system)
        .fact("server", "server", format!("PostgreSQL {}", server.version))
        .fact("checks_held", "hold", results.len() - broken)
        .fact("checks_broken", "broken", broken)
        .table(table)
}

pub(super) fn demo_planned(label: &str, system: &str, plan: &Plan) -> Document {
    let sql: String = plan.steps.iter().flat_map(|step| step.messages()).map(|m| format!("{}\n", m.sql)).collect();
    Document::new("demo_data.plan", 1)
        .fact("database", "database", label)
        .fact("system", "system", system)
        .text("sql", sql)
}

pub(super) fn demo_done(label: &str, system: &str, amount: Amount, applied: &[Applied]) -> Document {
    let mut table = Table::new(
        "steps",
        "the system has no sample rows",
        vec![Column::new("step", "step"), Column::new("seconds", "took")],
    );
    for step in applied {
        table.push(vec![step.title.as_str().into(), Value::Seconds(step.took.as_secs_f64())]);
    }
    Document::new("demo_data", 1)
        .fact("database", "database", label)
        .fact("system", "system", system)
        .fact("scale", "scale", i64::from(amount.scale))
        .fact("seed", "seed", amount.seed)
        .table(table)
}
