//! The tables: Markdown of less than 80 columns, to be read on a terminal and copied into a ticket;
//! and every single measurement as JSON.

use serde_json::{Value, json};

use super::markdown::{number, table};
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
    /// That dbctl, the first series, takes at most so many times as long as another.
    pub fn at_most(limit: f64, other: &str, all: &[Series]) -> Aim {
        let other_series = all.iter().find(|series| series.name == other);
        let ratio = all.first().and_then(|own| own.times(other_series?)).map(|spread| spread.median);
        Aim {
            promise: format!("at most {limit} x {other}"),
            found: ratio.map(|ratio| format!("{ratio:.2} x")),
            met: ratio.is_some_and(|ratio| ratio <= limit),
        }
    }

    /// A figure that is to be at most so much; the unit brings its own space.
    pub fn under(what: impl Into<String>, limit: f64, unit: &str, found: Option<f64>) -> Aim {
        Aim {
            promise: format!("{} at most {}{unit}", what.into(), number(limit)),
            found: found.map(|found| format!("{}{unit}", number(found))),
            met: found.is_some_and(|found| found <= limit),
        }
    }

    /// A figure that is to be at least so much; the unit brings its own space.
    pub fn at_least(what: impl Into<String>, least: f64, unit: &str, found: Option<f64>) -> Aim {
        Aim {
            promise: format!("{} at least {}{unit}", what.into(), number(least)),
            found: found.map(|found| format!("{}{unit}", number(found))),
            met: found.is_some_and(|found| found >= least),
        }
    }

    /// `aim: at most 1.15 x psql: 1.08 x: met`.
    pub fn line(&self) -> String {
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
        let rows: Vec<Vec<String>> = self.all.iter().map(|series| self.row(series)).collect();
        let mut text = format!("### {} ({} rounds)\n\n", self.title, self.rounds);
        text.push_str(&table(&HEAD, &rows));
        text.push('\n');
        for series in self.all.iter().filter(|series| series.failed.is_some()) {
            text.push_str(&format!("{} failed: {}\n", series.name, series.failed.as_deref().unwrap_or_default()));
        }
        self.aims.iter().for_each(|aim| text.push_str(&format!("- {}\n", aim.line())));
        text
    }

    fn row(&self, series: &Series) -> Vec<String> {
        let plain = |spread: Option<Spread>| spread.map_or("failed".to_owned(), |spread| number(spread.median));
        let own = self.all.first().filter(|own| own.name != series.name && !series.name.starts_with("dbctl"));
        let ratio = own.and_then(|own| own.times(series));
        vec![
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
