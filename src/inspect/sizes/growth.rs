//! What tables were like before, in a file: `--save` writes it, `--since` reads it; a person names it, or it is the
//! one of this database in the folder of dbctl's state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::read::Seen;
use super::tree::{Sized, parts, trees};
use crate::error::{Explain, Failure, Kind, Result};
use crate::inspect::vitals::Identity;
use crate::output::{Access, write_whole};

const FORMAT: &str = "dbctl.sizes";

/// The file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    format: String,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Of which database.
    pub database: String,
    /// Of which cluster, where it could be seen.
    #[serde(default)]
    pub system: Option<i64>,
    /// Bytes by table, as SQL names it; partitions are those of their table.
    tables: BTreeMap<String, u64>,
    /// The same, partitions one by one.
    #[serde(default)]
    partitions: BTreeMap<String, u64>,
}

impl Before {
    /// Bytes by table, or by what has rows of its own.
    pub fn bytes(&self, partitions: bool) -> &BTreeMap<String, u64> {
        if partitions { &self.partitions } else { &self.tables }
    }
}

/// Where the last sizes of this database are kept: `place` is the address that led there, for copies of a server
/// have its identity.
pub fn last(state: &Path, identity: &Identity, place: &str) -> PathBuf {
    let place: String = place.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    state.join("sizes").join(format!("{}-{}-{place}.json", identity.system, identity.database))
}

/// Writes the file.
///
/// # Errors
/// When it cannot be written.
pub fn save(file: &Path, seen: &Seen, system: Option<i64>) -> Result<()> {
    // What is an estimate would be growth next time.
    let known = |all: Vec<Sized>| {
        all.into_iter().filter(|one| !one.estimated).map(|one| (one.name.to_string(), one.total())).collect()
    };
    let before = Before {
        format: FORMAT.to_owned(),
        at: seen.at,
        database: seen.database.clone(),
        system,
        tables: known(trees(&seen.parts)),
        partitions: known(parts(&seen.parts)),
    };
    let text = format!("{}\n", serde_json::to_string_pretty(&before)?);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).explain(Kind::Failed, format!("cannot make {}", folder.display()))?;
    }
    write_whole(file, &text, Access::Everybody).explain(Kind::Failed, format!("cannot write {}", file.display()))
}

/// Reads the file.
///
/// # Errors
/// Invalid when it is none.
pub fn before(file: &Path) -> Result<Before> {
    let text = std::fs::read_to_string(file).explain(Kind::Invalid, format!("cannot read {}", file.display()))?;
    let before: Before = serde_json::from_str(&text)
        .explain(Kind::Invalid, format!("{} is no file of 'dbctl sizes --save'", file.display()))?;
    if before.format != FORMAT {
        return Err(Failure::new(Kind::Invalid, format!("{} is no file of 'dbctl sizes --save'", file.display())));
    }
    Ok(before)
}
