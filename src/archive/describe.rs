//! What the catalog says of a table, for its manifest. Reads; decides only that it is a table.

use super::manifest::{Column, Constraint, Generated};
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{Query, Session};

/// A table as the catalog has it, and where it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The table.
    pub oid: u32,
    /// The database.
    pub database: String,
    /// The server's encoding.
    pub encoding: String,
    /// The server's version as it spells it.
    pub server_version: String,
    /// The transaction's time, at UTC.
    pub at: String,
    /// The columns in their order.
    pub columns: Vec<Column>,
    /// Checks, keys, exclusions, foreign keys.
    pub constraints: Vec<Constraint>,
    /// Statements.
    pub indexes: Vec<String>,
}

/// Describes a table that has rows of its own.
///
/// # Errors
/// Refused when there is no such table, or when its rows lie in partitions or elsewhere.
pub async fn describe(session: &Session, table: &TableName) -> Result<Description> {
    let doing = format!("cannot look at {table}");
    let ask = async |query: &Query| {
        let doing = doing.clone();
        session.rows(query, &[&table.schema.raw(), &table.name.raw()]).await.map_err(|e| e.explain(doing))
    };
    let found = ask(&Query::ARCHIVE_TABLE).await?;
    let Some(row) = found.first() else {
        return Err(Failure::new(Kind::Refused, format!("there is no table {table}")));
    };
    let kind: String = row.try_get("kind")?;
    if kind != "r" {
        let what = match kind.as_str() {
            "p" => "is partitioned: its rows lie in its partitions",
            "f" => "is a foreign table: its rows lie elsewhere",
            _ => "is no table",
        };
        return Err(Failure::new(Kind::Refused, format!("{table} {what}")));
    }
    let mut columns = Vec::new();
    for row in ask(&Query::ARCHIVE_COLUMNS).await? {
        let (expression, kept, identity): (Option<String>, String, String) =
            (row.try_get("expression")?, row.try_get("generated")?, row.try_get("identity")?);
        let kept = match kept.as_str() {
            "s" => Some("STORED"),
            "v" => Some("VIRTUAL"),
            _ => None,
        };
        let (default, generated) = match kept {
            Some(kept) => (None, Some(Generated { expression: expression.unwrap_or_default(), kept: kept.to_owned() })),
            None => (expression, None),
        };
        let identity = match identity.as_str() {
            "a" => Some("ALWAYS".to_owned()),
            "d" => Some("BY DEFAULT".to_owned()),
            _ => None,
        };
        columns.push(Column {
            name: row.try_get("name")?,
            kind: row.try_get("type")?,
            not_null: row.try_get("not_null")?,
            default,
            generated,
            identity,
            collation: row.try_get("collation")?,
        });
    }
    let mut constraints = Vec::new();
    for row in ask(&Query::ARCHIVE_CONSTRAINTS).await? {
        let kind = match row.try_get::<_, String>("kind")?.as_str() {
            "c" => "check",
            "p" => "primary key",
            "u" => "unique",
            "x" => "exclude",
            _ => "foreign key",
        };
        constraints.push(Constraint {
            name: row.try_get("name")?,
            kind: kind.to_owned(),
            definition: row.try_get("definition")?,
        });
    }
    let indexes = ask(&Query::ARCHIVE_INDEXES).await?;
    let indexes = indexes.iter().map(|row| row.try_get("definition")).collect::<std::result::Result<_, _>>()?;
    Ok(Description {
        oid: row.try_get("oid")?,
        database: row.try_get("database")?,
        encoding: row.try_get("encoding")?,
        server_version: row.try_get("version")?,
        at: row.try_get("at")?,
        columns,
        constraints,
        indexes,
    })
}
