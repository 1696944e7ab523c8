//! Known findings, kept in a file: they are not told again, and those that are gone are.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Explain, Failure, Kind, Result};

/// The findings of a file that `--write-baseline` wrote, by fingerprint.
#[derive(Debug, Default)]
pub(super) struct Baseline {
    known: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Written {
    version: u32,
    findings: Vec<Entry>,
}

/// One known finding.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) file: String,
    pub(super) rule: String,
    pub(super) fingerprint: String,
}

impl Baseline {
    /// Reads the file.
    ///
    /// # Errors
    /// Invalid when it cannot be read or is something else.
    pub(super) fn read(path: &Path) -> Result<Baseline> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).explain(Kind::Invalid, format!("cannot read the baseline {shown}"));
        let text = text
            .map_err(|failure| failure.hint(format!("write it once: dbctl migrate lint --write-baseline {shown}")))?;
        let written: Written =
            serde_json::from_str(&text).explain(Kind::Invalid, format!("{shown} is not a baseline of dbctl"))?;
        if written.version != 1 {
            return Err(Failure::new(
                Kind::Invalid,
                format!("{shown} has version {}, and this dbctl knows 1", written.version),
            ));
        }
        let known = written.findings.into_iter().map(|entry| (entry.fingerprint.clone(), entry)).collect();
        Ok(Baseline { known })
    }

    /// Whether the finding is known.
    pub(super) fn has(&self, fingerprint: &str) -> bool {
        self.known.contains_key(fingerprint)
    }

    /// Entries about one of these files that were not found again.
    pub(super) fn stale(&self, found: &[String], files: &[&str]) -> Vec<&Entry> {
        let gone = |entry: &&Entry| !found.contains(&entry.fingerprint) && files.contains(&entry.file.as_str());
        self.known.values().filter(gone).collect()
    }
}

/// Writes the findings as known.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, mut findings: Vec<Entry>) -> Result<()> {
    findings.sort();
    let text = serde_json::to_string_pretty(&Written { version: 1, findings })?;
    std::fs::write(path, text + "\n").explain(Kind::Failed, format!("cannot write {}", path.display()))
}
