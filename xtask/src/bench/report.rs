//! The tables: Markdown of less than 80 columns, to be read on a terminal and copied into a ticket;
//! and every single measurement as JSON.

use serde_json::{Value, json};

use super::measure::{Series, Spread, milliseconds};

/// One comparison: the first series is dbctl's own (or those of dbctl), against which the others
/// are set.
pub struct Comparison {
    /// What was done.
    pub title: String,
    /// How many counted rounds.
    pub rounds: usize,
    /// dbctl first.
    pub all: Vec<Series>,
    /// What dbctl is to keep, and what came out.
    pub aims: Vec<Aim>,
}

/// A promise and its measure.
pub struct Aim {
    /// In words: `at most 1.15 x psql`.
    pub promise: String,
    /// What was measured, in words; none when it could not be.
    pub found: Option<String>,
    /// Whether that keeps the promise.
    pub met: bool,
}

impl Aim {
    /// `aim: at most 1.15 x psql: 1.08 x: met`.
    fn line(&self) -> String {
        match &self.found {
            Some(found) => format!("aim: {}: {found}: {}", self.promise, if self.met { "met" } else { "MISSED" }),
            None => format!("aim: {}: not measured", self.promise),
        }
    }
}

const HEAD: [&str; 5] = ["program", "wall ms", "CPU ms", "peak MiB", "dbctl takes"];

impl Comparison {
    /// As Markdown.
    pub fn table(&self) -> String {
        let rows: Vec<[String; 5]> = self.all.iter().map(|series| self.row(series)).collect();
        let mut widths = HEAD.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String; 5]| {
            let padded = cells.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
        };
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(at, width)| if at == 0 { "-".repeat(width + 2) } else { format!("{}:", "-".repeat(width + 1)) })
            .collect();
        let mut text = format!("### {} ({} rounds)\n\n", self.title, self.rounds);
        text.push_str(&line(&HEAD.map(str::to_owned)));
        text.push_str(&format!("|{}|\n", rule.join("|")));
        rows.iter().for_each(|row| text.push_str(&line(row)));
        text.push('\n');
        for series in self.all.iter().filter(|series| series.failed.is_some()) {
            text.push_str(&format!("{} failed: {}\n", series.name, series.failed.as_deref().unwrap_or_default()));
        }
        self.aims.iter().for_each(|aim| text.push_str(&format!("- {}\n", aim.line())));
        text
    }

    fn row(&self, series: &Series) -> [String; 5] {
        let plain = |spread: Option<Spread>| spread.map_or("failed".to_owned(), |spread| number(spread.median));
        let own = self.all.first().filter(|own| own.name != series.name && !series.name.starts_with("dbctl"));
        let ratio = own.and_then(|own| own.times(series));
        [
            series.name.clone(),
            series.wall().map_or("failed".to_owned(), with_range),
            plain(series.cpu()),
            series.peak.map_or("?".to_owned(), number),
            ratio
                .map_or(String::new(), |ratio| format!("{:.2} x ({:.2}-{:.2})", ratio.median, ratio.least, ratio.most)),
        ]
    }

    /// Every single measurement.
    pub fn json(&self) -> Value {
        let series = self.all.iter().map(|series| {
            json!({
                "name": series.name,
                "wall_ms": series.samples.iter().map(|s| milliseconds(s.wall)).collect::<Vec<_>>(),
                "cpu_ms": series.samples.iter().map(|s| milliseconds(s.cpu)).collect::<Vec<_>>(),
                "peak_mib": series.peak,
                "failed": series.failed,
            })
        });
        let aims = self.aims.iter().map(|aim| json!({ "promise": aim.promise, "found": aim.found, "met": aim.met }));
        json!({ "title": self.title, "series": series.collect::<Vec<_>>(), "aims": aims.collect::<Vec<_>>() })
    }
}

fn with_range(spread: Spread) -> String {
    format!("{} ({}-{})", number(spread.median), number(spread.least), number(spread.most))
}

/// Three digits that matter.
fn number(value: f64) -> String {
    match value {
        value if value < 9.95 => format!("{value:.2}"),
        value if value < 99.5 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::measure::Sample;
    use super::*;

    fn series(name: &str, walls: &[u64]) -> Series {
        let sample = |ms: &u64| Sample { wall: Duration::from_millis(*ms), cpu: Duration::from_micros(ms * 100) };
        Series { name: name.to_owned(), samples: walls.iter().map(sample).collect(), peak: Some(9.8), failed: None }
    }

    #[test]
    fn the_widest_table_fits_80_columns_and_names_what_failed() {
        let mut broken = series("sqlx-cli", &[]);
        broken.failed = Some("exit status: 1".to_owned());
        let comparison = Comparison {
            title: "apply 1,000".to_owned(),
            rounds: 3,
            all: vec![series("dbctl", &[9800, 10050, 12000]), series("refinery_cli", &[10500, 98000, 4000]), broken],
            aims: vec![
                Aim { promise: "at most 1.15 x psql".to_owned(), found: Some("1.20 x".to_owned()), met: false },
                Aim { promise: "peak under 12 MiB".to_owned(), found: None, met: false },
            ],
        };
        let table = comparison.table();
        assert!(table.lines().all(|line| line.chars().count() < 80), "{table}");
        assert!(table.contains("0.93 x (0.10-3.00)"), "{table}");
        assert!(table.contains("sqlx-cli failed: exit status: 1"));
        assert!(table.contains("- aim: at most 1.15 x psql: 1.20 x: MISSED"));
        assert!(table.contains("- aim: peak under 12 MiB: not measured"));
    }
}
