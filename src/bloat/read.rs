//! What the catalog knows of sizes, rows and layouts, without waiting for a lock. Does not know what is thought of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Estimate;
use super::judge::{self, Catalog, IndexFacts, TableFacts};
use super::layout::{Column, Statistics};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::inspect::Eye;
use crate::pg::{Query, Row, ServerError};

/// How long a look takes at most: thousands of files are asked for their size.
pub const LIMIT: Duration = Duration::from_secs(20);
/// Pages of a relation whose layout is worth a closer look at its texts.
const WORTH: i32 = 32;

/// Where pgstattuple is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The schema of its functions.
    pub schema: Ident,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Look {
    /// The database.
    pub database: String,
    /// The server is a standby.
    pub is_standby: bool,
    /// pgstattuple, where it is created here.
    pub extension: Option<Extension>,
    /// So many tables have columns whose statistics this role may not see, or that were never analyzed.
    pub without_statistics: usize,
    /// This role sees no statistics of any table of users.
    pub is_blind: bool,
    /// Why every size is that of the last VACUUM or ANALYZE.
    pub estimated: Option<String>,
    /// Every table, TOAST table, materialized view and index.
    pub estimates: Vec<Estimate>,
}

/// Looks once and thinks about it; no statement takes longer than `limit`. A lock that comes in between makes every size an
/// estimate.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye, limit: Duration) -> Result<Look> {
    match look(eye, limit, false).await {
        Err((error, true)) => {
            let catalog = look(eye, limit, true).await.map_err(|(failure, _)| failure)?;
            let mut seen = thought(&catalog);
            seen.estimated = Some(error.messages().join(": "));
            Ok(seen)
        }
        seen => seen.map(|catalog| thought(&catalog)).map_err(|(failure, _)| failure),
    }
}

fn thought(catalog: &Catalog) -> Look {
    let estimates = judge::judge(catalog);
    let of_users = |table: &&TableFacts| table.kind != "t" && table.name.schema.raw() != "pg_catalog";
    let tables: Vec<&TableFacts> = catalog.tables.iter().filter(|table| table.kind != "p").filter(of_users).collect();
    let unseen = |table: &&&TableFacts| table.bytes > 0 && table.columns.iter().any(|column| !column.is_known());
    let seen = |table: &&TableFacts| table.columns.iter().any(|column| column.statistics.is_some());
    Look {
        database: catalog.database.clone(),
        is_standby: catalog.is_standby,
        extension: catalog.extension.clone(),
        without_statistics: tables.iter().filter(unseen).count(),
        is_blind: !catalog.sees_all && !tables.iter().copied().any(|table| seen(&table)),
        estimated: None,
        estimates,
    }
}

/// The second of an error says whether a lock was in the way.
async fn look(eye: &Eye, limit: Duration, estimated: bool) -> Result<Catalog, (Failure, bool)> {
    let mut locked = false;
    let seen = eye.look(limit, async |session| {
        let mut explain = |e: ServerError| {
            locked = e.is_transient() || e.is_cancelled();
            e.explain("cannot read what bloat is told by")
        };
        let rights = session.rows(&Query::BLOAT_RIGHTS, &[]).await.map_err(&mut explain)?;
        let rights = rights.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say what it has"))?;
        let folding = Folding {
            alike: rights.try_get::<_, Vec<u32>>("alike")?.into_iter().collect(),
            unlike: rights.try_get::<_, Vec<u32>>("unlike")?.into_iter().collect(),
        };
        let sees_all: bool = rights.try_get("sees_all")?;
        let query = if sees_all { &Query::BLOAT_STATISTICS_ALL } else { &Query::BLOAT_STATISTICS };
        let mut statistics = BTreeMap::new();
        for row in session.rows(query, &[&WORTH]).await.map_err(&mut explain)? {
            statistics.insert((row.try_get("oid")?, row.try_get("column")?), of_column(&row)?);
        }
        let tables = session.rows(&Query::BLOAT_TABLES, &[&estimated]).await.map_err(&mut explain)?;
        let indexes = session.rows(&Query::BLOAT_INDEXES, &[&estimated]).await.map_err(&mut explain)?;
        let schema: Option<String> = rights.try_get("extension_schema")?;
        Ok(Catalog {
            database: rights.try_get("database")?,
            is_standby: rights.try_get("is_standby")?,
            sees_all,
            extension: schema.map(|schema| Extension { schema: Ident::new(schema) }),
            tables: tables.iter().map(|row| table(row, &statistics)).collect::<Result<_>>()?,
            indexes: indexes.iter().map(|row| index(row, &statistics, &folding)).collect::<Result<_>>()?,
        })
    });
    let seen = seen.await;
    seen.map_err(|failure| (failure, locked && !estimated))
}

/// What a B-tree may fold.
struct Folding {
    /// Operator classes whose equal values look alike.
    alike: BTreeSet<u32>,
    /// Collations whose equal values need not.
    unlike: BTreeSet<u32>,
}

type ByColumn = BTreeMap<(u32, i32), Statistics>;

fn of_column(row: &Row) -> Result<Statistics> {
    Ok(Statistics {
        nulls: row.try_get("nulls")?,
        width: f64::from(row.try_get::<_, i32>("width")?),
        distinct: row.try_get("n_distinct")?,
        common: row.try_get::<_, Option<Vec<f32>>>("common")?.unwrap_or_default(),
        widths: row.try_get::<_, Option<Vec<i32>>>("widths")?.unwrap_or_default(),
    })
}

fn name(row: &Row) -> Result<TableName> {
    Ok(TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?))
}

fn number(row: &Row, column: &str) -> Result<u64> {
    // What was dropped meanwhile has no size.
    Ok(row.try_get::<_, Option<i64>>(column)?.and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
}

/// A setting of `reloptions`.
fn option(row: &Row, key: &str) -> Result<Option<String>> {
    let options: Vec<String> = row.try_get("options")?;
    Ok(options.iter().find_map(|one| one.split_once('=').filter(|(name, _)| *name == key)).map(|(_, v)| v.to_owned()))
}

fn fillfactor(row: &Row, usual: f64) -> Result<f64> {
    Ok(option(row, "fillfactor")?.and_then(|value| value.parse().ok()).unwrap_or(usual))
}

fn columns(row: &Row) -> Result<Vec<Column>> {
    let (lengths, alignments): (Vec<i32>, String) = (row.try_get("lengths")?, row.try_get("alignments")?);
    let column = |(length, alignment): (i32, char)| {
        let alignment = match alignment {
            'd' => 8,
            'i' => 4,
            's' => 2,
            _ => 1,
        };
        Column { length, alignment, ..Column::default() }
    };
    Ok(lengths.into_iter().zip(alignments.chars()).map(column).collect())
}

fn table(row: &Row, statistics: &ByColumn) -> Result<TableFacts> {
    let oid: u32 = row.try_get("oid")?;
    let flags = |name: &str| row.try_get::<_, Vec<bool>>(name);
    let (dropped, missing, not_null) = (flags("dropped")?, flags("missing")?, flags("not_null")?);
    let mut columns = columns(row)?;
    let flags = dropped.into_iter().zip(missing).zip(not_null);
    for ((number, column), ((dropped, missing), not_null)) in (1..).zip(columns.iter_mut()).zip(flags) {
        (column.is_dropped, column.is_missing, column.is_not_null) = (dropped, missing, not_null);
        column.statistics = statistics.get(&(oid, number)).cloned();
    }
    Ok(TableFacts {
        oid,
        name: name(row)?,
        kind: row.try_get("kind")?,
        parent: row.try_get("parent")?,
        owner: row.try_get("owner_oid")?,
        file: row.try_get("file")?,
        bytes: number(row, "bytes")?,
        is_held: row.try_get("estimated")?,
        block: number(row, "block")?,
        pages: number(row, "pages")?,
        rows: row.try_get("rows")?,
        live: number(row, "live")?,
        dead: number(row, "dead")?,
        changed: number(row, "changed")?,
        is_analyzed: row.try_get("is_analyzed")?,
        fillfactor: fillfactor(row, 100.0)?,
        has_toast: row.try_get("has_toast")?,
        columns,
    })
}

fn index(row: &Row, statistics: &ByColumn, folding: &Folding) -> Result<IndexFacts> {
    let (oid, table_oid): (u32, u32) = (row.try_get("oid")?, row.try_get("table_oid")?);
    let of_table: Vec<i32> = row.try_get("columns")?;
    let mut columns = columns(row)?;
    for ((number, column), of_table) in (1..).zip(columns.iter_mut()).zip(of_table) {
        // An expression has statistics of its own, kept at the index.
        let key = if of_table == 0 { (oid, number) } else { (table_oid, of_table) };
        column.statistics = statistics.get(&key).cloned();
        // What is compared is a text where the key is a name, for one.
        if let Some(known) = column.statistics.as_mut().filter(|_| column.length == -2) {
            known.widths.clear();
        }
    }
    let (classes, collations): (Vec<u32>, Vec<u32>) = (row.try_get("classes")?, row.try_get("collations")?);
    let is_alike = classes.iter().all(|class| folding.alike.contains(class))
        && !collations.iter().any(|collation| folding.unlike.contains(collation));
    let folding = option(row, "deduplicate_items")?.is_none_or(|value| !["off", "false", "no", "0"].contains(&&*value));
    let (unique, extras): (bool, bool) = (row.try_get("is_unique")?, row.try_get("has_extras")?);
    Ok(IndexFacts {
        oid,
        table_oid,
        name: name(row)?,
        method: row.try_get("method")?,
        file: row.try_get("file")?,
        bytes: number(row, "bytes")?,
        is_held: row.try_get("estimated")?,
        pages: number(row, "pages")?,
        rows: row.try_get("rows")?,
        fillfactor: fillfactor(row, 90.0)?,
        is_partial: row.try_get("is_partial")?,
        is_valid: row.try_get("is_valid")?,
        folds: folding && !unique && !extras && is_alike,
        columns,
    })
}
