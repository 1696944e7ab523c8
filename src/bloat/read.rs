//! What the catalog knows of sizes, rows and layouts, without waiting for a lock. Does not know what is thought of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::try_join3;

use super::Estimate;
use super::judge::{self, Catalog, IndexFacts, TableFacts};
use super::layout::{Column, Statistics};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::inspect::Eye;
use crate::pg::{InTurn, Query, Row, ServerError, ToSql};

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
    /// So many tables and indexes hold something and are smaller than what was asked for.
    pub smaller: usize,
    /// Tables, TOAST tables, materialized views and indexes of at least the size that was asked for, what no model tells,
    /// and the tables of both.
    pub estimates: Vec<Estimate>,
}

/// Looks once at what has `least` bytes and thinks about it; no statement takes longer than `limit`. A lock that comes in
/// between makes every size an estimate.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye, limit: Duration, least: u64) -> Result<Look> {
    match look(eye, limit, least, false).await {
        Err((error, true)) => {
            let catalog = look(eye, limit, least, true).await.map_err(|(failure, _)| failure)?;
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
        smaller: catalog.smaller,
        estimates,
    }
}

/// The second of an error says whether a lock was in the way.
async fn look(eye: &Eye, limit: Duration, least: u64, estimated: bool) -> Result<Catalog, (Failure, bool)> {
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
        let (sees_all, sees_files): (bool, bool) = (rights.try_get("sees_all")?, rights.try_get("sees_files")?);
        let sizes = if sees_files && !estimated { &Query::BLOAT_FILES } else { &Query::BLOAT_SIZES };
        let least = i64::try_from(least).unwrap_or(i64::MAX);
        let sizes = session.rows(sizes, &[&estimated, &least]).await.map_err(&mut explain)?;
        let (sizes, smaller) = sizes.first().map(of_relations).transpose()?.unwrap_or_default();
        let oids: Vec<u32> = sizes.keys().copied().collect();
        let query = if sees_all { &Query::BLOAT_STATISTICS_ALL } else { &Query::BLOAT_STATISTICS };
        // The server works on the next while the rows of the one before arrive.
        let asked: (&[&(dyn ToSql + Sync)], &[&(dyn ToSql + Sync)]) = (&[&WORTH, &oids], &[&oids]);
        let (known, tables, indexes) = try_join3(
            session.rows(query, asked.0),
            session.rows(&Query::BLOAT_TABLES, asked.1),
            session.rows(&Query::BLOAT_INDEXES, asked.1),
        )
        .await
        .map_err(&mut explain)?;
        let statistics = known.iter().map(of_column).collect::<Result<ByColumn>>()?;
        let schema: Option<String> = rights.try_get("extension_schema")?;
        Ok(Catalog {
            database: rights.try_get("database")?,
            is_standby: rights.try_get("is_standby")?,
            sees_all,
            smaller,
            extension: schema.map(|schema| Extension { schema: Ident::new(schema) }),
            tables: tables.iter().map(|row| table(row, &sizes, &statistics)).collect::<Result<_>>()?,
            indexes: indexes.iter().map(|row| index(row, &sizes, &statistics, &folding)).collect::<Result<_>>()?,
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

/// Bytes, and whether they are those of the last VACUUM or ANALYZE.
type Sizes = BTreeMap<u32, (u64, bool)>;

/// And how many are smaller.
fn of_relations(row: &Row) -> Result<(Sizes, usize)> {
    let (oids, estimated): (Vec<u32>, Vec<bool>) = (row.try_get("oids")?, row.try_get("estimated")?);
    // What was dropped meanwhile has no size.
    let bytes: Vec<Option<i64>> = row.try_get("bytes")?;
    let bytes = bytes.into_iter().map(|bytes| bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default());
    let smaller: i64 = row.try_get("smaller")?;
    Ok((oids.into_iter().zip(bytes.zip(estimated)).collect(), usize::try_from(smaller).unwrap_or_default()))
}

fn of_column(row: &Row) -> Result<((u32, i32), Statistics)> {
    let row = InTurn::of(row);
    let key = (row.try_get("oid")?, row.try_get("column")?);
    let statistics = Statistics {
        nulls: row.try_get("nulls")?,
        width: f64::from(row.try_get::<i32>("width")?),
        distinct: row.try_get("n_distinct")?,
        common: row.try_get::<Option<Vec<f32>>>("common")?.unwrap_or_default(),
        widths: row.try_get::<Option<Vec<i32>>>("widths")?.unwrap_or_default(),
    };
    Ok((key, statistics))
}

fn name(row: &InTurn) -> Result<TableName> {
    Ok(TableName::new(row.try_get::<String>("schema")?, row.try_get::<String>("name")?))
}

fn number(row: &InTurn, column: &str) -> Result<u64> {
    Ok(row.try_get::<Option<i64>>(column)?.and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
}

/// A setting of `reloptions`.
fn option(options: &[String], key: &str) -> Option<String> {
    options.iter().find_map(|one| one.split_once('=').filter(|(name, _)| *name == key)).map(|(_, v)| v.to_owned())
}

fn fillfactor(options: &[String], usual: f64) -> f64 {
    option(options, "fillfactor").and_then(|value| value.parse().ok()).unwrap_or(usual)
}

fn columns(row: &InTurn) -> Result<Vec<Column>> {
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

fn table(row: &Row, sizes: &Sizes, statistics: &ByColumn) -> Result<TableFacts> {
    let row = InTurn::of(row);
    let oid: u32 = row.try_get("oid")?;
    let (bytes, is_held) = sizes.get(&oid).copied().unwrap_or_default();
    let mut facts = TableFacts {
        oid,
        name: name(&row)?,
        kind: row.try_get("kind")?,
        parent: row.try_get("parent")?,
        owner: row.try_get("owner_oid")?,
        file: row.try_get("file")?,
        bytes,
        is_held,
        block: number(&row, "block")?,
        pages: number(&row, "pages")?,
        rows: row.try_get("rows")?,
        has_toast: row.try_get("has_toast")?,
        fillfactor: fillfactor(&row.try_get::<Vec<String>>("options")?, 100.0),
        live: number(&row, "live")?,
        dead: number(&row, "dead")?,
        changed: number(&row, "changed")?,
        is_analyzed: row.try_get("is_analyzed")?,
        columns: columns(&row)?,
    };
    let flags = |name: &str| row.try_get::<Vec<bool>>(name);
    let (dropped, missing, not_null) = (flags("dropped")?, flags("missing")?, flags("not_null")?);
    let flags = dropped.into_iter().zip(missing).zip(not_null);
    for ((number, column), ((dropped, missing), not_null)) in (1..).zip(facts.columns.iter_mut()).zip(flags) {
        (column.is_dropped, column.is_missing, column.is_not_null) = (dropped, missing, not_null);
        column.statistics = statistics.get(&(oid, number)).cloned();
    }
    Ok(facts)
}

fn index(row: &Row, sizes: &Sizes, statistics: &ByColumn, folding: &Folding) -> Result<IndexFacts> {
    let row = InTurn::of(row);
    let (oid, table_oid): (u32, u32) = (row.try_get("oid")?, row.try_get("table_oid")?);
    let (bytes, is_held) = sizes.get(&oid).copied().unwrap_or_default();
    let mut facts = IndexFacts {
        oid,
        table_oid,
        name: name(&row)?,
        method: row.try_get("method")?,
        file: row.try_get("file")?,
        bytes,
        is_held,
        pages: number(&row, "pages")?,
        rows: row.try_get("rows")?,
        fillfactor: 90.0,
        is_partial: false,
        is_valid: false,
        folds: false,
        columns: Vec::new(),
    };
    let options: Vec<String> = row.try_get("options")?;
    let is_unique: bool = row.try_get("is_unique")?;
    facts.fillfactor = fillfactor(&options, facts.fillfactor);
    (facts.is_partial, facts.is_valid) = (row.try_get("is_partial")?, row.try_get("is_valid")?);
    let has_extras: bool = row.try_get("has_extras")?;
    let (classes, collations): (Vec<u32>, Vec<u32>) = (row.try_get("classes")?, row.try_get("collations")?);
    let is_alike = classes.iter().all(|class| folding.alike.contains(class))
        && !collations.iter().any(|collation| folding.unlike.contains(collation));
    let is_on =
        option(&options, "deduplicate_items").is_none_or(|value| !["off", "false", "no", "0"].contains(&&*value));
    facts.folds = is_on && !is_unique && !has_extras && is_alike;
    let of_table: Vec<i32> = row.try_get("columns")?;
    facts.columns = columns(&row)?;
    for ((number, column), of_table) in (1..).zip(facts.columns.iter_mut()).zip(of_table) {
        // An expression has statistics of its own, kept at the index.
        let key = if of_table == 0 { (oid, number) } else { (table_oid, of_table) };
        column.statistics = statistics.get(&key).cloned();
        // What is compared is a text where the key is a name, for one.
        if let Some(known) = column.statistics.as_mut().filter(|_| column.length == -2) {
            known.widths.clear();
        }
    }
    Ok(facts)
}
