//! refinery's history table: its format, its checksums, and reading it without trusting it. With
//! `embedded.rs` the only file that names refinery.

use std::hash::{Hash, Hasher};

use refinery_core::Migration;
use siphasher::sip::SipHasher13;

use crate::ident::{Literal, TableName};
use crate::output::visible;

/// refinery's name for the table.
pub const DEFAULT_TABLE: &str = "refinery_schema_history";

/// The lease of those who change what the history says.
pub fn lease() -> String {
    format!("migrate {DEFAULT_TABLE}")
}

/// The width of a version, which refinery hashes into the checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// `int4`: refinery without its feature `int8-versions`.
    Int4,
    /// `int8`.
    Int8,
}

/// A file's identity in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Version.
    pub version: i64,
    /// Name: what follows the two underscores.
    pub name: String,
    /// `U` files may be applied out of order.
    pub unordered: bool,
    /// Checksum over a 64-bit version.
    pub checksum: u64,
    /// Checksum over a 32-bit version; none when the version does not fit.
    pub checksum32: Option<u64>,
}

/// Why a file name is no migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed(pub String);

impl Identity {
    /// Reads the identity off a file's stem (`V0001__words`) and text.
    ///
    /// # Errors
    /// The reason why refinery would skip, cut or refuse the name.
    pub fn of(stem: &str, sql: &str) -> Result<Identity, Misnamed> {
        // refinery's own pattern lets `|` through and cuts a name at its first odd character.
        let well_formed =
            stem.strip_prefix(['V', 'U']).and_then(|rest| rest.split_once("__")).is_some_and(|(digits, name)| {
                !digits.is_empty()
                    && digits.bytes().all(|b| b.is_ascii_digit())
                    && !name.is_empty()
                    && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            });
        if !well_formed {
            return Err(Misnamed(format!("'{stem}' is not V<number>__<words>")));
        }
        let migration = Migration::unapplied(stem, sql).map_err(|e| Misnamed(format!("'{stem}': {e}")))?;
        let checksum32 = i32::try_from(migration.version()).ok().map(|version| {
            let mut hasher = SipHasher13::new();
            migration.name().hash(&mut hasher);
            version.hash(&mut hasher);
            sql.hash(&mut hasher);
            hasher.finish()
        });
        Ok(Identity {
            version: migration.version(),
            name: migration.name().to_owned(),
            unordered: stem.starts_with('U'),
            checksum: migration.checksum(),
            checksum32,
        })
    }

    /// Whether a history row's checksum is this file's, in either width.
    pub fn matches(&self, checksum: u64) -> bool {
        self.checksum == checksum || self.checksum32 == Some(checksum)
    }

    /// The checksum to write into a history of this width.
    pub fn checksum_for(&self, width: Width) -> u64 {
        match width {
            Width::Int4 => self.checksum32.unwrap_or(self.checksum),
            Width::Int8 => self.checksum,
        }
    }
}

/// The history as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Where it lives.
    pub table: TableName,
    /// The width of its versions.
    pub width: Width,
    /// Its rows, by version; each version once.
    pub rows: Vec<Row>,
    /// What no row of a sound history has: a line each.
    pub faults: Vec<String>,
}

/// One row of the history, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Version.
    pub version: i64,
    /// Name.
    pub name: String,
    /// RFC 3339, as refinery wrote it.
    pub applied_on: String,
    /// A decimal u64.
    pub checksum: String,
}

impl Row {
    /// The checksum as a number; none when somebody damaged it.
    pub fn checksum(&self) -> Option<u64> {
        self.checksum.parse().ok()
    }

    /// When it was applied; none when somebody damaged it.
    pub fn applied_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        chrono::DateTime::parse_from_rfc3339(&self.applied_on).ok().map(|at| at.to_utc())
    }

    /// What refinery itself could not read of this row.
    pub fn damage(&self) -> Option<String> {
        if self.checksum().is_none() {
            return Some(format!("checksum '{}' is not a number", visible(&self.checksum)));
        }
        if self.applied_at().is_none() {
            return Some(format!("applied_on '{}' is not a time", visible(&self.applied_on)));
        }
        self.name.is_empty().then(|| "it has no name".to_owned())
    }
}

/// The statement that makes the table, in refinery's shape with 64-bit versions.
pub fn create_table(table: &TableName) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (\n    version int8 PRIMARY KEY,\n    name varchar(255),\n    applied_on \
         varchar(255),\n    checksum varchar(255)\n);"
    )
}

/// The statement that records a migration as applied.
pub fn insert(table: &TableName, width: Width, file: &Identity) -> String {
    format!(
        "INSERT INTO {table} (version, name, applied_on, checksum)\nVALUES ({}, {}, {NOW}, '{}');",
        file.version,
        Literal(&file.name),
        file.checksum_for(width)
    )
}

/// The statement that forgets a migration.
pub fn delete(table: &TableName, version: i64) -> String {
    format!("DELETE FROM {table} WHERE version = {version};")
}

/// The statement that makes the row of a version say what the file says now.
pub fn update(table: &TableName, width: Width, file: &Identity, mend_time: bool) -> String {
    let time = if mend_time { format!(", applied_on = {NOW}") } else { String::new() };
    format!(
        "UPDATE {table} SET name = {}, checksum = '{}'{time} WHERE version = {};",
        Literal(&file.name),
        file.checksum_for(width),
        file.version
    )
}

/// RFC 3339 in UTC, which is how refinery stores the time.
const NOW: &str =
    "pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_refinery_would_skip_or_cut_are_refused() {
        for stem in
            ["V1__has-dash", "v1__a", "R__x", "V1_a", "|1__x", "V1.1__a", "V__a", "V1__", "V99999999999999999999__a"]
        {
            assert!(Identity::of(stem, "SELECT 1").is_err(), "{stem}");
        }
        let file = Identity::of("V20261121010203__añadir_ç", "SELECT 1").unwrap();
        assert_eq!((file.version, file.name.as_str(), file.checksum32), (20261121010203, "añadir_ç", None));
    }

    #[test]
    fn the_32_bit_checksum_is_the_one_refinery_writes_by_default() {
        let file = Identity::of("V1__initial", "SELECT 1;\n").unwrap();
        assert!(file.matches(file.checksum_for(Width::Int4)) && file.matches(file.checksum_for(Width::Int8)));
        assert_ne!(file.checksum_for(Width::Int4), file.checksum_for(Width::Int8));
    }

    #[test]
    fn damage_is_told() {
        let row =
            Row { version: 1, name: "a".into(), applied_on: "2026-01-01T00:00:00Z".into(), checksum: "12".into() };
        assert_eq!(row.damage(), None);
        assert!(Row { checksum: "x".into(), ..row.clone() }.damage().unwrap().contains("'x'"));
        assert!(Row { applied_on: "soon".into(), ..row }.damage().unwrap().contains("'soon'"));
    }

    proptest::proptest! {
        #[test]
        fn no_name_and_no_row_panics(stem in "[VU]?[0-9]{0,22}(__)?\\PC{0,20}", sql in "\\PC*", text in "\\PC*", version in proptest::prelude::any::<i64>()) {
            if let Ok(file) = Identity::of(&stem, &sql) {
                proptest::prop_assert!(file.matches(file.checksum) && file.matches(file.checksum_for(Width::Int4)));
            }
            let row = Row { version, name: text.clone(), applied_on: text.clone(), checksum: text };
            let _ = (row.damage(), row.applied_at());
        }
    }
}
