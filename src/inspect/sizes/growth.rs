//! What tables were like before, in a file that a person keeps: `--save` writes it, `--since` reads it.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::tree::Sized;
use crate::error::{Explain, Failure, Kind, Result};
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
    /// Bytes by table, as SQL names it.
    pub tables: BTreeMap<String, u64>,
}

/// Writes the file.
///
/// # Errors
/// When it cannot be written.
pub fn save(file: &Path, at: DateTime<Utc>, database: &str, trees: &[Sized]) -> Result<()> {
    // What is an estimate would be growth next time.
    let known = trees.iter().filter(|tree| !tree.estimated);
    let tables = known.map(|tree| (tree.name.to_string(), tree.total())).collect();
    let before = Before { format: FORMAT.to_owned(), at, database: database.to_owned(), tables };
    let text = format!("{}\n", serde_json::to_string_pretty(&before)?);
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
