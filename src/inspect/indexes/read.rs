//! Indexes, their tables and foreign keys as the catalog has them. Does not know what is thought of them.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::try_join4;

use super::judge::Finding;
use super::tree::{parts, weigh};
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::inspect::Eye;
use crate::pg::{InTurn, Query, Row, ServerError};

/// Thousands of files are asked for their size.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What is there.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The database.
    pub database: String,
    /// The server is a standby.
    pub standby: bool,
    /// So many standbys stream from here.
    pub standbys: i64,
    /// How many indexes the database has, those of TOAST tables left out.
    pub all_indexes: i64,
    /// Uses are counted since then.
    pub since: DateTime<Utc>,
    /// Uses are counted since so many seconds, at least.
    pub counted_seconds: f64,
    /// Why sizes are those of the last VACUUM, where they are.
    pub estimated: Option<String>,
    /// The indexes.
    pub indexes: Vec<Index>,
    /// Their tables.
    pub tables: Vec<Table>,
    /// The foreign keys.
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
    /// Its table; of an index of a TOAST table, the one that owns that.
    pub table: TableName,
    /// Its name.
    pub name: TableName,
    /// It is one of a partitioned table, and holds nothing itself.
    pub is_partitioned: bool,
    /// Partitions of its table that can have an index, where it is one of a partitioned table.
    pub partitions: i64,
    /// `btree`, …
    pub method: String,
    /// UNIQUE.
    pub is_unique: bool,
    /// CLUSTER goes by it.
    pub is_clustered: bool,
    /// UNIQUE NULLS NOT DISTINCT.
    pub is_strict: bool,
    /// A constraint, the replica identity or a foreign key elsewhere needs it.
    pub is_needed: bool,
    /// It can be used.
    pub is_valid: bool,
    /// It is not half dropped.
    pub is_live: bool,
    /// Somebody builds it now.
    pub is_built: bool,
    /// How many of its columns are keys.
    pub keys: usize,
    /// Its columns by number, INCLUDE at the end; 0 is an expression.
    pub columns: Vec<i64>,
    /// The names of its keys, of an invalid unique one without expressions.
    pub names: Vec<String>,
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
    /// When it was used last, where the server says it.
    pub last_scan: Option<DateTime<Utc>>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its oid.
    pub oid: u32,
    /// The table that it is a partition of.
    pub parent: Option<u32>,
    /// Its name.
    pub name: TableName,
    /// It is partitioned.
    pub is_partitioned: bool,
    /// Its rows, estimated; none of a partitioned one.
    pub rows: i64,
    /// Its size without indexes and long values, where it was read in sequence at all.
    pub bytes: u64,
    /// How often it was read in sequence.
    pub scans: i64,
    /// How many rows that read.
    pub rows_read: i64,
    /// How many rows were inserted, or updated so that its indexes had to be written.
    pub writes: i64,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its oid.
    pub oid: u32,
    /// The one of the partitioned table that it is a part of.
    pub parent: Option<u32>,
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
}

/// Looks once, and no statement takes longer than `limit`. Sizes are those of the last VACUUM or ANALYZE until they
/// are measured. With `only_idle` tables are left out all of whose indexes are unique or were used: enough for who
/// asks which are unused.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye, limit: Duration, only_idle: bool) -> Result<Catalog> {
    eye.look(limit, async |session| {
        let explain = |e: ServerError| e.explain("cannot read indexes");
        let counted = session.rows(&Query::INDEXES_COUNTED, &[]).await.map_err(explain)?;
        let row = counted.first().ok_or_else(|| Failure::new(Kind::Failed, "the server counts nothing"))?;
        let says_when = row.try_get::<_, i64>("major")? >= 16;
        let last = async {
            if says_when && !only_idle {
                session.rows(&Query::INDEXES_LAST_SCANS_16, &[]).await
            } else {
                Ok(Vec::new())
            }
        };
        // All go out together: the server answers one after the other without waiting to be asked.
        let (indexes, tables, foreign_keys, last) = try_join4(
            session.rows(&Query::INDEXES, &[&only_idle]),
            session.rows(&Query::INDEXES_TABLES, &[&only_idle]),
            session.rows(&Query::INDEXES_FOREIGN_KEYS, &[]),
            last,
        )
        .await
        .map_err(explain)?;
        let last = last.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let last = last.collect::<Result<BTreeMap<u32, DateTime<Utc>>>>()?;
        let mut indexes = indexes.iter().map(index).collect::<Result<Vec<Index>>>()?;
        // In the order of their making: of two that are the same the later one goes.
        indexes.sort_by_key(|index| index.oid);
        for index in &mut indexes {
            index.last_scan = last.get(&index.oid).copied();
            // Counted between the two questions: it was used.
            if index.last_scan.is_some() {
                index.scans = index.scans.max(1);
            }
        }
        Ok(Catalog {
            database: row.try_get("database")?,
            standby: row.try_get("standby")?,
            standbys: row.try_get("standbys")?,
            all_indexes: row.try_get("indexes")?,
            since: row.try_get("since")?,
            counted_seconds: row.try_get("seconds")?,
            estimated: None,
            indexes,
            tables: tables.iter().map(table).collect::<Result<_>>()?,
            foreign_keys: foreign_keys.iter().map(foreign_key).collect::<Result<_>>()?,
        })
    })
    .await
}

/// The first of these schemas and tables that is not there, as `schema x` or `table x`.
///
/// # Errors
/// The server's.
pub async fn missing(eye: &Eye, schemas: &[String], tables: &[String]) -> Result<Option<String>> {
    if schemas.is_empty() && tables.is_empty() {
        return Ok(None);
    }
    eye.look(LIMIT, async |session| {
        let rows = session.rows(&Query::INDEXES_NAMED, &[&schemas, &tables]).await;
        let rows = rows.map_err(|e| e.explain("cannot see which tables there are"))?;
        Ok(rows.first().map(|row| row.try_get("missing")).transpose()?)
    })
    .await
}

/// Measures what these findings are about; what somebody holds keeps the size that is known.
///
/// # Errors
/// The server's, except for a lock: then the catalog says why its sizes are estimates.
pub async fn measure(eye: &Eye, catalog: &mut Catalog, findings: &mut [Finding]) -> Result<()> {
    let wanted = parts(catalog, findings);
    if wanted.is_empty() {
        return Ok(());
    }
    let mut locked = None;
    let seen = eye.look(LIMIT, async |session| {
        let rows = session.rows(&Query::INDEXES_SIZES, &[&wanted]).await.map_err(|e| {
            locked = e.is_transient().then(|| e.message());
            e.explain("cannot see how large indexes are")
        })?;
        rows.iter()
            .map(|row| Ok((row.try_get("oid")?, bytes(row.try_get("bytes")?))))
            .collect::<Result<BTreeMap<u32, u64>>>()
    });
    let seen = match seen.await {
        Ok(seen) => seen,
        Err(failure) => {
            catalog.estimated = Some(locked.ok_or(failure)?);
            return Ok(());
        }
    };
    for index in &mut catalog.indexes {
        index.bytes = seen.get(&index.oid).copied().unwrap_or(index.bytes);
    }
    for table in &mut catalog.tables {
        table.bytes = seen.get(&table.oid).copied().unwrap_or(table.bytes);
    }
    weigh(catalog, findings);
    Ok(())
}

/// How indexes are made, by oid, of those that nobody holds.
///
/// # Errors
/// The server's, except for a lock.
pub async fn definitions(eye: &Eye, oids: &[u32]) -> Result<BTreeMap<u32, String>> {
    eye.look(LIMIT, async |session| match session.rows(&Query::INDEXES_DEFINITIONS, &[&oids]).await {
        Ok(rows) => rows.iter().map(|row| Ok((row.try_get("oid")?, row.try_get("definition")?))).collect(),
        // A lock came between: the way back is an extra, and the answer does without.
        Err(error) if error.is_transient() => Ok(BTreeMap::new()),
        Err(error) => Err(error.explain("cannot see how indexes are made")),
    })
    .await
}

/// An expression as the server keeps it, without where in its text each part stood.
fn placeless(expression: Option<&str>) -> String {
    let mut parts = expression.unwrap_or_default().split(":location ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit()));
    }
    text
}

/// The numbers of a vector as the server writes it.
fn apart(vector: &str) -> std::str::SplitAsciiWhitespace<'_> {
    vector.split_ascii_whitespace()
}

/// Operator class, collation and order of each key.
fn ways(classes: &str, collations: &str, options: &str) -> Vec<String> {
    let keys = apart(classes).zip(apart(collations)).zip(apart(options));
    keys.map(|((class, sorting), option)| format!("{class} {sorting} {option}")).collect()
}

fn index(row: &Row) -> Result<Index> {
    let row = InTurn::of(row);
    let name = |schema: &str, name: &str| -> Result<TableName> {
        Ok(TableName::new(row.try_get::<String>(schema)?, row.try_get::<String>(name)?))
    };
    Ok(Index {
        oid: row.try_get("oid")?,
        table_oid: row.try_get("table_oid")?,
        parent: row.try_get("parent")?,
        table: name("schema", "table_name")?,
        name: name("index_schema", "name")?,
        is_partitioned: row.try_get("is_partitioned")?,
        partitions: row.try_get("partitions")?,
        method: row.try_get("method")?,
        is_unique: row.try_get("is_unique")?,
        is_clustered: row.try_get("is_clustered")?,
        is_strict: row.try_get("is_strict")?,
        is_needed: row.try_get("is_needed")?,
        is_valid: row.try_get("is_valid")?,
        is_live: row.try_get("is_live")?,
        is_built: row.try_get("is_built")?,
        keys: usize::try_from(row.try_get::<i64>("keys")?).unwrap_or_default(),
        columns: apart(row.try_get("columns")?).filter_map(|number| number.parse().ok()).collect(),
        names: row.try_get::<Option<Vec<String>>>("names")?.unwrap_or_default(),
        ways: ways(row.try_get("classes")?, row.try_get("collations")?, row.try_get("options")?),
        expressions: placeless(row.try_get("expressions")?),
        condition: placeless(row.try_get("condition")?),
        bytes: bytes(row.try_get("bytes")?),
        scans: row.try_get("scans")?,
        last_scan: None,
    })
}

fn table(row: &Row) -> Result<Table> {
    let row = InTurn::of(row);
    Ok(Table {
        oid: row.try_get("oid")?,
        parent: row.try_get("parent")?,
        name: TableName::new(row.try_get::<String>("schema")?, row.try_get::<String>("name")?),
        is_partitioned: row.try_get("is_partitioned")?,
        rows: row.try_get("rows")?,
        bytes: bytes(row.try_get("bytes")?),
        scans: row.try_get("scans")?,
        rows_read: row.try_get("rows_read")?,
        writes: row.try_get("writes")?,
    })
}

/// None of what was dropped meanwhile.
fn bytes(bytes: Option<i64>) -> u64 {
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default()
}

fn foreign_key(row: &Row) -> Result<ForeignKey> {
    let row = InTurn::of(row);
    Ok(ForeignKey {
        oid: row.try_get("oid")?,
        parent: row.try_get("parent")?,
        table_oid: row.try_get("table_oid")?,
        table: TableName::new(row.try_get::<String>("schema")?, row.try_get::<String>("table_name")?),
        name: row.try_get("name")?,
        columns: row.try_get("columns")?,
        names: row.try_get::<Option<Vec<String>>>("names")?.unwrap_or_default(),
    })
}
