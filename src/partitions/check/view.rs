//! Findings as an answer. Knows columns, not terminals.

use super::{Level, Report};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};

/// The kind of a document that is one line for a plugin of the Nagios family: nothing may stand around it.
pub const NAGIOS: &str = "partitions.nagios";

/// Adds the findings to an answer's head.
pub fn document(head: Document, report: &Report, tables: usize) -> Document {
    let mut table = Table::new(
        "findings",
        "everything is in order",
        vec![
            Column::new("level", "level"),
            Column::new("id", "check"),
            Column::machine("table"),
            Column::new("message", "what"),
            Column::new("hint", "what to do"),
        ],
    );
    for finding in &report.findings {
        table.push(vec![
            finding.level.to_string().into(),
            finding.id.into(),
            finding.table.as_ref().map(ToString::to_string).into(),
            finding.message.as_str().into(),
            finding.hint.clone().into(),
        ]);
    }
    let mut document = head.fact("level", "level", report.level().to_string()).fact("tables", "tables", tables).fact(
        "checks",
        "checks",
        report.checks,
    );
    for (key, level) in [("ok", Level::Ok), ("warn", Level::Warn), ("unknown", Level::Unknown), ("crit", Level::Crit)] {
        document = document.fact(key, key, Value::from(report.count(level)));
    }
    document.table(table)
}

/// The line as an answer.
pub fn nagios_document(line: String) -> Document {
    Document::new(NAGIOS, 1).text("line", line)
}

/// How a check ends; `invalid` where the policy does not fit a table.
pub fn outcome(report: &Report, nagios: bool, invalid: bool) -> Outcome {
    match report.level() {
        Level::Ok => Outcome::Done,
        Level::Warn if nagios => Outcome::Warning,
        Level::Unknown if nagios => Outcome::Unknown,
        Level::Crit if nagios => Outcome::Critical,
        _ if invalid => Outcome::Invalid,
        _ => Outcome::Findings,
    }
}
