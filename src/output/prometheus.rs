//! Metrics for the textfile collector of Prometheus' node exporter: the text, and the file, which is
//! never seen half written.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::error::{Explain, Failure, Kind, Result};

/// One name with its series.
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Labels and values.
    pub series: Vec<(String, f64)>,
}

/// The text: gauges, without the time of a sample, which a textfile may not have.
pub fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.series.is_empty()) {
        let _ = writeln!(text, "# HELP {0} {1}\n# TYPE {0} gauge", family.name, family.help);
        for (labels, value) in &family.series {
            let _ = writeln!(text, "{}{{{labels}}} {}", family.name, number(*value));
        }
    }
    text
}

/// As Prometheus reads it.
pub fn number(value: f64) -> String {
    if value == f64::INFINITY { "+Inf".to_owned() } else { format!("{}", (value * 1e4).round() / 1e4) }
}

/// As a label's value.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Writes a file beside the one that is meant, and moves it there: a reader sees the old text or the new.
///
/// # Errors
/// Failed, with the path.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("cannot write {}", path.display());
    let name = path.file_name().ok_or_else(|| Failure::new(Kind::Usage, format!("{} is no file", path.display())))?;
    let mut beside = name.to_owned();
    // Two runs at once each have their own.
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(beside);
    // One that a killed process has left, or a trap that somebody has laid.
    let _ = std::fs::remove_file(&beside);
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.explain(Kind::Failed, doing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_prometheus_reads_them() {
        for (value, text) in [(1.0, "1"), (0.25, "0.25"), (f64::INFINITY, "+Inf"), (1_790_000_000.0, "1790000000")] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dbctl.prom");
        write(&path, "one\n").unwrap();
        write(&path, "two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("no/such/folder.prom");
        assert!(write(&nowhere, "x").unwrap_err().to_string().contains("no/such/folder.prom"));
    }
}
