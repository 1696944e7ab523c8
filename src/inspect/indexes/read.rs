//! Indexes and foreign keys as the catalog has them. Does not know what is thought of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{Failure, Result};
use crate::ident::TableName;
use crate::inspect::Eye;
use crate::pg::{Query, Row, ServerError, Session};

/// Thousands of files are asked for their size.
const LIMIT: Duration = Duration::from_secs(10);

/// What is there.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The database.
    pub database: String,
    /// Uses are counted since so many seconds, at least.
    pub counted_seconds: f64,
    /// The indexes.
    pub indexes: Vec<Index>,
    /// The foreign keys of tables that are parts of none.
    pub foreign_keys: Vec<ForeignKey>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its oid.
    pub oid: u32,
    /// The oid of its table.
    pub table_oid: u32,
    /// The index of the partitioned table that it is a part of.
    pub parent: Option<u32>,
    /// Its table.
    pub table: TableName,
    /// Its name; its schema is its table's.
    pub name: TableName,
    /// It is one of a partitioned table, and holds nothing itself.
    pub is_partitioned: bool,
    /// `btree`, …
    pub method: String,
    /// UNIQUE.
    pub is_unique: bool,
    /// A constraint, the replica identity or a foreign key elsewhere needs it.
    pub is_needed: bool,
    /// It can be used.
    pub is_valid: bool,
    /// Somebody builds it now.
    pub is_built: bool,
    /// How many of its columns are keys.
    pub keys: usize,
    /// Its columns by number, INCLUDE at the end; 0 is an expression.
    pub columns: Vec<i64>,
    /// Operator class, collation and order of each key.
    pub ways: Vec<String>,
    /// Its expressions.
    pub expressions: String,
    /// Its condition; empty without.
    pub condition: String,
    /// Its size.
    pub bytes: u64,
    /// How often it was used.
    pub scans: i64,
    /// Rows of its table, estimated.
    pub rows: i64,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The oid of its table.
    pub table_oid: u32,
    /// Its table.
    pub table: TableName,
    /// Its name.
    pub name: String,
    /// Its columns by number.
    pub columns: Vec<i64>,
    /// The same by name.
    pub names: Vec<String>,
    /// Its table is partitioned.
    pub is_partitioned: bool,
    /// Rows of its table, estimated.
    pub rows: i64,
}

/// Looks once.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye) -> Result<Catalog> {
    eye.look(LIMIT, async |session| {
        let counted = rows(session, &Query::INDEXES_COUNTED).await?;
        let row =
            counted.first().ok_or_else(|| Failure::new(crate::error::Kind::Failed, "the server counts nothing"))?;
        Ok(Catalog {
            database: row.try_get("database")?,
            counted_seconds: row.try_get("seconds")?,
            indexes: rows(session, &Query::INDEXES).await?.iter().map(index).collect::<Result<_>>()?,
            foreign_keys: rows(session, &Query::INDEXES_FOREIGN_KEYS)
                .await?
                .iter()
                .map(foreign_key)
                .collect::<Result<_>>()?,
        })
    })
    .await
}

/// How indexes are made, by oid; without those whose table somebody holds.
///
/// # Errors
/// The server's.
pub async fn definitions(eye: &Eye, oids: &[u32]) -> Result<BTreeMap<u32, String>> {
    let mut held = false;
    let seen = eye.look(LIMIT, async |session| {
        let rows = session.rows(&Query::INDEXES_DEFINITIONS, &[&oids]).await.map_err(|e| {
            held = e.is_transient();
            e.explain("cannot see how indexes are made")
        })?;
        rows.iter().map(|row| Ok((row.try_get("oid")?, row.try_get("definition")?))).collect()
    });
    match seen.await {
        // Somebody took a table in between.
        Err(_) if held => Ok(BTreeMap::new()),
        seen => seen,
    }
}

async fn rows(session: &Session, query: &Query) -> Result<Vec<Row>> {
    session.rows(query, &[]).await.map_err(|e: ServerError| e.explain("cannot read indexes"))
}

fn index(row: &Row) -> Result<Index> {
    let (schema, table, name): (String, String, String) =
        (row.try_get("schema")?, row.try_get("table_name")?, row.try_get("name")?);
    let bytes: Option<i64> = row.try_get("bytes")?;
    Ok(Index {
        oid: row.try_get("oid")?,
        table_oid: row.try_get("table_oid")?,
        parent: row.try_get("parent")?,
        table: TableName::new(schema.clone(), table),
        name: TableName::new(schema, name),
        is_partitioned: row.try_get("is_partitioned")?,
        method: row.try_get("method")?,
        is_unique: row.try_get("is_unique")?,
        is_needed: row.try_get("is_needed")?,
        is_valid: row.try_get("is_valid")?,
        is_built: row.try_get("is_built")?,
        keys: usize::try_from(row.try_get::<_, i64>("keys")?).unwrap_or_default(),
        columns: row.try_get::<_, Option<Vec<i64>>>("columns")?.unwrap_or_default(),
        ways: row.try_get::<_, Option<Vec<String>>>("ways")?.unwrap_or_default(),
        expressions: row.try_get("expressions")?,
        condition: row.try_get("condition")?,
        bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
        scans: row.try_get("scans")?,
        rows: row.try_get("rows")?,
    })
}

fn foreign_key(row: &Row) -> Result<ForeignKey> {
    Ok(ForeignKey {
        table_oid: row.try_get("table_oid")?,
        table: TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("table_name")?),
        name: row.try_get("name")?,
        columns: row.try_get("columns")?,
        names: row.try_get::<_, Option<Vec<String>>>("names")?.unwrap_or_default(),
        is_partitioned: row.try_get("is_partitioned")?,
        rows: row.try_get::<_, Option<i64>>("rows")?.unwrap_or_default(),
    })
}
