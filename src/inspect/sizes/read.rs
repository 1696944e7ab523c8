//! Sizes as the server has them, without waiting for a lock.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::error::{Failure, Result};
use crate::ident::TableName;
use crate::inspect::Eye;
use crate::pg::{InTurn, Query, Row, ServerError};

/// Thousands of files are asked for their size.
const LIMIT: Duration = Duration::from_secs(10);

/// One moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: DateTime<Utc>,
    /// Databases, the largest first; without a size where they were not asked for or the role may not know.
    pub databases: Vec<(String, Option<u64>)>,
    /// The database that was looked from.
    pub database: String,
    /// Tables, materialized views, partitions and partitioned tables.
    pub parts: Vec<Part>,
    /// Every size is an estimate, and why.
    pub estimated: Option<String>,
}

/// A table or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// It has partitions of its own.
    pub is_partitioned: bool,
    /// The partitioned table that it is a part of.
    pub parent: Option<u32>,
    /// Bytes of rows.
    pub heap: u64,
    /// Bytes of long values, with their index.
    pub toast: u64,
    /// Bytes of indexes.
    pub index: u64,
    /// How many indexes.
    pub indexes: i64,
    /// Rows, estimated by the last VACUUM or ANALYZE; nothing where there was none.
    pub rows: Option<i64>,
    /// The sizes are those of the last VACUUM or ANALYZE: somebody holds the table.
    pub estimated: bool,
    /// No VACUUM or ANALYZE has ever seen what somebody holds: the bytes of its rows are not among those here.
    pub heap_unknown: bool,
    /// Nor has a VACUUM seen its long values, which ANALYZE does not look at.
    pub toast_unknown: bool,
}

/// Looks once; at all databases of the server as well where they are asked for. A lock that comes in between makes every size an estimate.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye, databases: bool) -> Result<Seen> {
    match look(eye, databases, false).await {
        Err((error, true)) => {
            let mut seen = look(eye, databases, true).await.map_err(|(failure, _)| failure)?;
            seen.estimated = Some(error.messages().join(": "));
            Ok(seen)
        }
        seen => seen.map_err(|(failure, _)| failure),
    }
}

/// The second of an error says whether a lock was in the way.
async fn look(eye: &Eye, databases: bool, estimated: bool) -> Result<Seen, (Failure, bool)> {
    let mut locked = false;
    let seen = eye.look(LIMIT, async |session| {
        let mut explain = |e: ServerError| {
            locked = e.is_transient() || e.is_cancelled();
            e.explain("cannot read sizes")
        };
        let databases = session.rows(&Query::SIZES_DATABASES, &[&databases]).await.map_err(&mut explain)?;
        let here = databases.iter().find(|row| row.try_get("here").unwrap_or(false));
        let sees_files = here.is_some_and(|row| row.try_get("sees_files").unwrap_or(false));
        let parts = if sees_files && !estimated {
            session.rows(&Query::SIZES_FILES, &[]).await
        } else {
            session.rows(&Query::SIZES_TABLES, &[&estimated]).await
        };
        let parts = parts.map_err(&mut explain)?;
        Ok(Seen {
            at: Utc::now(),
            database: here.map(|row| row.try_get("name")).transpose()?.unwrap_or_default(),
            databases: databases.iter().map(database).collect::<Result<_>>()?,
            parts: parts.iter().map(part).collect::<Result<_>>()?,
            estimated: None,
        })
    });
    let seen = seen.await;
    seen.map_err(|failure| (failure, locked && !estimated))
}

fn database(row: &Row) -> Result<(String, Option<u64>)> {
    let size: Option<i64> = row.try_get("bytes")?;
    Ok((row.try_get("name")?, size.map(bytes)))
}

fn part(row: &Row) -> Result<Part> {
    let row = InTurn::of(row);
    let oid = row.try_get("oid")?;
    let (schema, name, kind): (String, String, String) =
        (row.try_get("schema")?, row.try_get("name")?, row.try_get("kind")?);
    let size = |column: &str| -> Result<u64> { Ok(row.try_get::<Option<i64>>(column)?.map_or(0, bytes)) };
    Ok(Part {
        oid,
        name: TableName::new(schema, name),
        is_partitioned: kind == "p",
        parent: row.try_get("parent")?,
        heap: size("heap_bytes")?,
        toast: size("toast_bytes")?,
        index: size("index_bytes")?,
        indexes: row.try_get("indexes")?,
        rows: row.try_get("rows")?,
        estimated: row.try_get("estimated")?,
        heap_unknown: row.try_get("heap_unknown")?,
        toast_unknown: row.try_get("toast_unknown")?,
    })
}

fn bytes(bytes: i64) -> u64 {
    u64::try_from(bytes).unwrap_or_default()
}
