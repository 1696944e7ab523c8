//! What is said of a file beside it: what it holds, how to make the table again, and by which sums
//! it is known to be whole. JSON that people can read in seven years, with a sum of its own.

use serde::{Deserialize, Serialize};

use super::hash::ContentHash;
use super::store::Store;
use super::summed;
use crate::error::Result;
use crate::ident::{Ident, TableName};

/// The version that is written.
const VERSION: u32 = 1;
/// No manifest is larger.
const LIMIT: u64 = 16 << 20;

/// All that is said of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of this form.
    pub version: u32,
    /// The table that the rows were read from.
    pub table: Table,
    /// Its place among its siblings, where it was a partition.
    pub partition: Option<Partition>,
    /// The server's time of the snapshot, at UTC.
    pub at: String,
    /// As the server spells it.
    pub server_version: String,
    /// The program that wrote it.
    pub dbctl_version: String,
    /// The columns in their order.
    pub columns: Vec<Column>,
    /// How to make the table again.
    pub ddl: Ddl,
    /// How the rows were written.
    pub copy: Copy,
    /// How many there are.
    pub rows: u64,
    /// What the rows came to on the server.
    pub content_hash: ContentHash,
    /// The file.
    pub file: File,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The database.
    pub database: String,
    /// The schema.
    pub schema: String,
    /// The table.
    pub name: String,
    /// By which it is known whatever it is called.
    pub oid: u32,
}

impl Table {
    /// Schema and name.
    pub fn table_name(&self) -> TableName {
        TableName::new(self.schema.as_str(), self.name.as_str())
    }
}

/// What the caller knows of a partition; texts that are kept and not understood here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// The partitioned table, quoted.
    pub parent: String,
    /// The partition key as SQL.
    pub key: String,
    /// The lower bound, inclusive.
    pub lower: String,
    /// The upper bound, exclusive.
    pub upper: String,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// As the catalog has it.
    pub name: String,
    /// With its modifiers.
    #[serde(rename = "type")]
    pub kind: String,
    /// NULL is refused.
    pub not_null: bool,
    /// The expression of its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// How it is computed: it is no part of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// It was an identity column: `ALWAYS` or `BY DEFAULT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Where it is not that of the type, quoted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
}

/// A generated column's expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// SQL.
    pub expression: String,
    /// `STORED` or `VIRTUAL`.
    pub kept: String,
}

/// Statements that make the table again under its old name, in this order, the rows coming after the
/// first. They are records: whoever restores decides which to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ddl {
    /// A plain table: columns, NOT NULL, defaults, generated columns.
    pub create_table: String,
    /// Checks, keys, exclusions, foreign keys.
    pub constraints: Vec<Constraint>,
    /// Indexes that stand behind no constraint, as the server prints them.
    pub indexes: Vec<String>,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// As the catalog has it.
    pub name: String,
    /// `check`, `primary key`, `unique`, `exclude` or `foreign key`.
    pub kind: String,
    /// As the server prints it, without the name.
    pub definition: String,
}

/// The options of `COPY … FROM` that read the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// `csv`.
    pub format: String,
    /// The first record names the columns.
    pub header: bool,
    /// What stands for NULL; quoted it is that text.
    pub null: String,
    /// The encoding of the text.
    pub encoding: String,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Within the store.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its sum, as it is stored.
    pub sha256: String,
    /// The size of the text within.
    pub plain_bytes: u64,
    /// The sum of the text within; none where that of its rows is known, which says as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain_sha256: Option<String>,
    /// `zstd`, with the level.
    pub compression: String,
    /// The age recipients it is encrypted to; none: it is not.
    pub recipients: Vec<String>,
}

impl Manifest {
    /// Where the manifest of a file lies.
    pub fn path_of(file: &str) -> String {
        format!("{file}.json")
    }

    /// The form that is written.
    pub fn current_version() -> u32 {
        VERSION
    }

    /// Pretty JSON, its own sum at the end.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_json(&self) -> Result<String> {
        summed::to_json(self)
    }

    /// Reads what [`Manifest::to_json`] wrote. `name` is for messages.
    ///
    /// # Errors
    /// Refused, when anything in it was changed; invalid, when it is of a later version.
    pub fn parse(text: &[u8], name: &str) -> Result<Manifest> {
        summed::parse(text, &format!("the manifest {name}"), VERSION)
    }

    /// The manifest of a file; none where there is none, whether or not the file is there.
    ///
    /// # Errors
    /// As [`Manifest::parse`], and the store's.
    pub async fn read(store: &Store, file: &str) -> Result<Option<Manifest>> {
        let path = Manifest::path_of(file);
        match store.read_small(&path, LIMIT).await? {
            Some(text) => Manifest::parse(&text, &store.url_of(&path)).map(Some),
            None => Ok(None),
        }
    }

    /// Writes it beside its file.
    ///
    /// # Errors
    /// The store's.
    pub async fn write(&self, store: &Store, mode: u32) -> Result<()> {
        store.put_small(&Manifest::path_of(&self.file.path), self.to_json()?.into(), mode).await
    }

    /// The columns that the file holds.
    pub fn copied_columns(&self) -> Vec<Ident> {
        copied(&self.columns)
    }

    /// The first statement of the DDL for another name.
    pub fn create_table_as(&self, table: &TableName) -> String {
        create_table(table, &self.columns)
    }
}

/// The columns that COPY can write back.
pub(super) fn copied(columns: &[Column]) -> Vec<Ident> {
    columns.iter().filter(|column| column.generated.is_none()).map(|column| Ident::new(column.name.as_str())).collect()
}

/// A plain table with these columns. Identity is left to whoever attaches it: a partition has none of
/// its own.
pub(super) fn create_table(table: &TableName, columns: &[Column]) -> String {
    let line = |column: &Column| {
        let mut line = format!("    {} {}", Ident::new(column.name.as_str()), column.kind);
        if let Some(collation) = &column.collation {
            line.push_str(&format!(" COLLATE {collation}"));
        }
        if let Some(generated) = &column.generated {
            line.push_str(&format!(" GENERATED ALWAYS AS ({}) {}", generated.expression, generated.kept));
        }
        if let Some(default) = &column.default {
            line.push_str(&format!(" DEFAULT {default}"));
        }
        if column.not_null {
            line.push_str(" NOT NULL");
        }
        line
    };
    let lines: Vec<String> = columns.iter().map(line).collect();
    if lines.is_empty() {
        format!("CREATE TABLE {table} ()")
    } else {
        format!("CREATE TABLE {table} (\n{}\n)", lines.join(",\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn sample() -> Manifest {
        let columns = vec![
            Column {
                name: "id".to_owned(),
                kind: "bigint".to_owned(),
                not_null: true,
                default: None,
                generated: None,
                identity: Some("ALWAYS".to_owned()),
                collation: None,
            },
            Column {
                name: "Lower".to_owned(),
                kind: "text".to_owned(),
                not_null: false,
                default: None,
                generated: Some(Generated { expression: "lower(a)".to_owned(), kept: "STORED".to_owned() }),
                identity: None,
                collation: Some("pg_catalog.\"C\"".to_owned()),
            },
        ];
        let table = TableName::new("app", "t_2025");
        Manifest {
            version: VERSION,
            table: Table { database: "db".to_owned(), schema: "app".to_owned(), name: "t_2025".to_owned(), oid: 4711 },
            partition: None,
            at: "2026-01-01T00:00:00Z".to_owned(),
            server_version: "18.1".to_owned(),
            dbctl_version: "0.1.0".to_owned(),
            ddl: Ddl { create_table: create_table(&table, &columns), constraints: Vec::new(), indexes: Vec::new() },
            columns,
            copy: Copy { format: "csv".to_owned(), header: true, null: String::new(), encoding: "UTF8".to_owned() },
            rows: 2,
            content_hash: ContentHash { algorithm: "a".to_owned(), rows: 2, value: "17".to_owned() },
            file: File {
                path: "db/t.csv.zst".to_owned(),
                bytes: 10,
                sha256: "00".to_owned(),
                plain_bytes: 20,
                plain_sha256: Some("11".to_owned()),
                compression: "zstd-3".to_owned(),
                recipients: Vec::new(),
            },
        }
    }

    #[test]
    fn the_table_is_made_plain() {
        insta::assert_snapshot!(sample().ddl.create_table, @r#"
        CREATE TABLE app.t_2025 (
            id bigint NOT NULL,
            "Lower" text COLLATE pg_catalog."C" GENERATED ALWAYS AS (lower(a)) STORED
        )
        "#);
    }

    #[test]
    fn every_changed_byte_is_found() {
        let text = sample().to_json().unwrap().into_bytes();
        assert_eq!(Manifest::parse(&text, "m").unwrap(), sample());
        for at in 0..text.len() {
            for flip in [1, 0x20, 0xff] {
                let mut changed = text.clone();
                changed[at] ^= flip;
                let read = Manifest::parse(&changed, "m");
                // A line feed more or less between two fields says nothing else.
                let blank = text[at].is_ascii_whitespace() && changed[at].is_ascii_whitespace();
                assert!(read.is_err() || blank, "byte {at} flipped by {flip}: {}", String::from_utf8_lossy(&changed));
            }
        }
    }

    #[test]
    fn a_later_version_asks_for_a_newer_program() {
        let mut later = sample();
        later.version = 2;
        let failure = Manifest::parse(later.to_json().unwrap().as_bytes(), "m.json").unwrap_err();
        assert_eq!(failure.what(), Kind::Invalid);
        assert!(failure.to_string().contains("m.json has version 2"), "{failure}");
    }
}
