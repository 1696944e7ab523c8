//! What a design document promises, beside what was measured: rows of a table, never an assertion.

use serde_json::{Value, json};

use crate::bench::latencies::Latencies;
use crate::bench::markdown::{or_question_mark, table};

/// A table of promises of one sort.
pub struct Promises {
    /// What was done, on how much.
    pub title: String,
    rows: Vec<Row>,
    /// What one has to know to read it.
    pub notes: Vec<String>,
}

enum Row {
    /// An operation that is to take less than so many milliseconds.
    Time { what: String, target: f64, latencies: Latencies },
    /// A figure that is to be at most, or at least, so much.
    Figure { what: String, unit: &'static str, target: f64, at_least: bool, measured: Option<f64> },
    /// What could not be measured, and why.
    Missing { what: String, why: String },
}

impl Promises {
    /// An empty table.
    pub fn new(title: impl Into<String>) -> Promises {
        Promises { title: title.into(), rows: Vec::new(), notes: Vec::new() }
    }

    /// An operation that is to take less than `target` milliseconds.
    pub fn time(&mut self, what: impl Into<String>, target: f64, latencies: Latencies) {
        self.rows.push(Row::Time { what: what.into(), target, latencies });
    }

    /// A figure that is to be at most `target`; the unit brings its own space.
    pub fn at_most(&mut self, what: impl Into<String>, unit: &'static str, target: f64, measured: Option<f64>) {
        self.rows.push(Row::Figure { what: what.into(), unit, target, at_least: false, measured });
    }

    /// A figure that is to be at least `target`.
    pub fn at_least(&mut self, what: impl Into<String>, unit: &'static str, target: f64, measured: Option<f64>) {
        self.rows.push(Row::Figure { what: what.into(), unit, target, at_least: true, measured });
    }

    /// Something that could not be measured.
    pub fn missing(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.rows.push(Row::Missing { what: what.into(), why: why.into() });
    }

    /// The operations that take longer, the figures that are worse than promised, and what was not measured.
    pub fn missed(&self) -> Vec<String> {
        self.rows.iter().filter(|row| !row.met()).map(|row| format!("{}: {}", self.title, row.verdict())).collect()
    }

    /// As Markdown of less than 80 columns.
    pub fn table(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        let times: Vec<Vec<String>> = self.rows.iter().filter_map(Row::time_cells).collect();
        let figures: Vec<Vec<String>> = self.rows.iter().filter_map(Row::figure_cells).collect();
        if !times.is_empty() {
            text.push_str(&table(&["operation, ms", "runs", "p50", "p95", "max", "target", "ratio"], &times));
        }
        if !times.is_empty() && !figures.is_empty() {
            text.push('\n');
        }
        if !figures.is_empty() {
            text.push_str(&table(&["promise", "target", "measured", "ratio"], &figures));
        }
        if !self.notes.is_empty() || self.rows.iter().any(|row| matches!(row, Row::Missing { .. })) {
            text.push('\n');
        }
        for row in &self.rows {
            if let Row::Missing { what, why } = row {
                text.push_str(&format!("- NOT MEASURED: {what}: {why}\n"));
            }
        }
        self.notes.iter().for_each(|note| text.push_str(&format!("- {note}\n")));
        text
    }

    /// Every single measurement.
    pub fn json(&self) -> Value {
        json!({ "title": self.title, "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(), "notes": self.notes })
    }
}

impl Row {
    /// How much of what was promised: up to 1 is kept.
    fn ratio(&self) -> Option<f64> {
        match self {
            Row::Time { target, latencies, .. } => latencies.percentile(95.0).map(|measured| measured / target),
            Row::Figure { target, at_least: true, measured, .. } => measured.map(|measured| target / measured),
            Row::Figure { target, measured, .. } => measured.map(|measured| measured / target),
            Row::Missing { .. } => None,
        }
    }

    fn met(&self) -> bool {
        self.ratio().is_some_and(|ratio| ratio <= 1.0)
    }

    fn verdict(&self) -> String {
        match self {
            Row::Time { what, target, latencies } => {
                format!("{what}: p95 {} ms, target {target} ms", or_question_mark(latencies.percentile(95.0)))
            }
            Row::Figure { what, unit, target, measured, .. } => {
                format!("{what}: {}, target {target}{unit}", with_unit(*measured, unit))
            }
            Row::Missing { what, why } => format!("{what}: not measured: {why}"),
        }
    }

    fn time_cells(&self) -> Option<Vec<String>> {
        let Row::Time { what, target, latencies } = self else { return None };
        let figures = [latencies.percentile(50.0), latencies.percentile(95.0), latencies.percentile(100.0)];
        let mut cells = vec![what.clone(), latencies.count().to_string()];
        cells.extend(figures.map(or_question_mark));
        cells.push(format!("< {target}"));
        cells.push(self.ratio_cell());
        Some(cells)
    }

    fn figure_cells(&self) -> Option<Vec<String>> {
        let Row::Figure { what, unit, target, at_least, measured } = self else { return None };
        let sign = if *at_least { ">=" } else { "<=" };
        let target = format!("{sign} {target}{unit}");
        Some(vec![what.clone(), target, with_unit(*measured, unit), self.ratio_cell()])
    }

    fn ratio_cell(&self) -> String {
        self.ratio().map_or("?".to_owned(), |ratio| {
            format!("{}{}", or_question_mark(Some(ratio)), if self.met() { "" } else { " !" })
        })
    }

    fn json(&self) -> Value {
        match self {
            Row::Time { what, target, latencies } => {
                json!({ "what": what, "target_ms": target, "ms": latencies.all(), "ratio": self.ratio() })
            }
            Row::Figure { what, unit, target, at_least, measured } => json!({
                "what": what, "unit": unit, "target": target, "at_least": at_least, "measured": measured, "ratio": self.ratio(),
            }),
            Row::Missing { what, why } => json!({ "what": what, "not_measured": why }),
        }
    }
}

fn with_unit(value: Option<f64>, unit: &str) -> String {
    format!("{}{unit}", or_question_mark(value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_misses_is_said_and_the_table_fits_80_columns() {
        let mut slow = Latencies::default();
        (0..1000).for_each(|ms| slow.add(Duration::from_millis(ms * 10)));
        let mut promises = Promises::new("bridge");
        promises.time("the longest of all names 27", 20.0, slow);
        promises.at_most("errors", " %", 0.01, Some(0.0));
        promises.at_least("queries a second", " q/s", 500.0, Some(1000.0));
        promises.at_least("clients connected", "", 1000.0, None);
        promises.missing("vector search", "no server with pgvector");
        let table = promises.table();
        assert!(table.lines().all(|line| line.chars().count() < 80), "{table}");
        assert!(table.contains("| 474 ! |"), "{table}");
        assert!(table.contains("0.50 |"), "{table}");
        assert!(table.contains("NOT MEASURED: vector search: no server with pgvector"), "{table}");
        assert_eq!(promises.missed().len(), 3, "{:?}", promises.missed());
    }
}
