//! A new, empty migration in a folder.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::source::{MigrationSet, Origin, rollback_folder};
use crate::error::{Explain, Failure, Kind, Result};

/// Numbers below this are counted up; larger ones are timestamps.
const SMALLEST_TIMESTAMP: i64 = 19_700_101_000_000;

/// Writes the file (and its rollback); returns what was written. Never overwrites.
///
/// # Errors
/// Usage for a name without words; refused when the file exists.
pub fn create(folder: &Path, name: &str, with_rollback: bool, now: DateTime<Utc>) -> Result<Vec<PathBuf>> {
    let words = words(name)?;
    fs::create_dir_all(folder).explain(Kind::Failed, format!("cannot make {}", folder.display()))?;
    let set = MigrationSet::load(&Origin::Folder(folder.to_owned()))?;
    let version = next_version(&set, now)?;
    let mut written = vec![folder.join(format!("V{version}__{words}.sql"))];
    if with_rollback {
        let beside = rollback_folder(folder);
        fs::create_dir_all(&beside).explain(Kind::Failed, format!("cannot make {}", beside.display()))?;
        written.push(beside.join(format!("D{version}__{words}.sql")));
    }
    for (file, text) in written.iter().zip([forward(name), back(name)]) {
        let opened = OpenOptions::new().write(true).create_new(true).open(file);
        let mut file_handle = opened.explain(Kind::Refused, format!("cannot write {}", file.display()))?;
        file_handle.write_all(text.as_bytes()).explain(Kind::Failed, format!("cannot write {}", file.display()))?;
    }
    Ok(written)
}

/// The next number in the folder's own way of counting, padded as its last file is; a UTC timestamp
/// for a folder that uses them or is empty.
fn next_version(set: &MigrationSet, now: DateTime<Utc>) -> Result<String> {
    let stamp = now.format("%Y%m%d%H%M%S").to_string();
    let too_high = |version: i64| {
        Failure::new(Kind::Refused, format!("there is no number above {version}, which the folder's last file has"))
    };
    let next = |version: i64| version.checked_add(1).ok_or_else(|| too_high(version));
    Ok(match set.files.last() {
        Some(last) if last.identity.version < SMALLEST_TIMESTAMP => {
            let digits =
                last.stem.get(1..).and_then(|rest| rest.split_once("__")).map_or(0, |(digits, _)| digits.len());
            format!("{:0digits$}", next(last.identity.version)?)
        }
        Some(last) if stamp.parse().is_ok_and(|stamp: i64| last.identity.version >= stamp) => {
            next(last.identity.version)?.to_string()
        }
        _ => stamp,
    })
}

fn words(name: &str) -> Result<String> {
    let parts: Vec<String> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    if parts.is_empty() {
        return Err(Failure::new(Kind::Usage, format!("'{name}' has no word that could name a file"))
            .hint("for example: dbctl migrate new 'add phone to contacts'"));
    }
    Ok(parts.join("_"))
}

fn forward(name: &str) -> String {
    format!(
        "-- {name}\n-- Locks: say which tables, in which mode, and why it is short.\n--\n-- Runs in one transaction with a lock_timeout. \
         For CREATE INDEX CONCURRENTLY and the like,\n-- make it the first line of a file of its own:  -- dbctl: no-transaction\n\n"
    )
}

fn back(name: &str) -> String {
    format!("-- Undoes: {name}\n-- Data that is lost by it: say which.\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_folder_s_own_way_of_counting_is_kept() {
        let now = DateTime::parse_from_rfc3339("2026-11-21T01:02:03Z").unwrap().to_utc();
        let root = tempfile::tempdir().unwrap();
        let numbered = root.path().join("numbered");
        fs::create_dir(&numbered).unwrap();
        fs::write(numbered.join("V0009__a.sql"), "SELECT 1;").unwrap();
        create(&numbered, "Add e-mail!", true, now).unwrap();
        assert_eq!(names(&numbered), ["V0009__a.sql", "V0010__add_e_mail.sql"]);
        assert_eq!(names(&root.path().join("rollback")), ["D0010__add_e_mail.sql"]);
        let stamped = root.path().join("stamped");
        create(&stamped, "one", false, now).unwrap();
        create(&stamped, "two", false, now).unwrap();
        assert_eq!(names(&stamped), ["V20261121010203__one.sql", "V20261121010204__two.sql"]);
        fs::write(stamped.join("V9223372036854775807__last.sql"), "SELECT 1;").unwrap();
        assert_eq!(create(&stamped, "three", false, now).unwrap_err().what(), Kind::Refused);
        assert_eq!(create(&stamped, "--", false, now).unwrap_err().what(), Kind::Usage);
    }
}
