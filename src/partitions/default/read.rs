//! Reads a partitioned table with its DEFAULT partition, and then, within a time limit, which
//! windows of the grid have rows in there. Does not decide.

use std::time::Duration;

use serde::Deserialize;

use super::record::Record;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::adopt::read::{Column, Constraint, Facts, Index, facts, list};
use crate::partitions::likeness::Grants;
use crate::pg::{Query, Row, Server, Session};
use crate::policy::calendar::Grid;
use crate::policy::key::{Codec, Edge, Range};

const CATALOG: Duration = Duration::from_secs(30);
/// A look into the rows, for all windows together.
const PEEK: Duration = Duration::from_secs(30);
/// More windows than this are told as "and more".
const WINDOWS: usize = 1000;

/// A partitioned table.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The server and who we are.
    pub server: Server,
    /// The partitioned table.
    pub table: TableName,
    /// As a whole.
    pub facts: Facts,
    /// Its columns.
    pub columns: Vec<Column>,
    /// How it is partitioned.
    pub set: Set,
    /// Its DEFAULT partition.
    pub default: Option<Default>,
}

/// A DEFAULT partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Default {
    /// Its name.
    pub name: TableName,
    /// As a whole.
    pub facts: Facts,
    /// Its constraints without an index.
    pub constraints: Vec<Constraint>,
    /// Its indexes.
    pub indexes: Vec<Index>,
    /// Its rights.
    pub grants: Grants,
    /// What an earlier run has begun with it.
    pub begun: Option<Record>,
}

/// How a table is partitioned.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Set {
    /// `r` for RANGE.
    pub strategy: Option<String>,
    /// The key's columns; nothing for an expression.
    pub key: Option<Vec<Option<String>>>,
    /// Its partitions.
    pub partitions: Vec<Partition>,
    /// Foreign keys that lead from it.
    pub outbound: Vec<ForeignKey>,
    /// Foreign keys that lead to it, for a person.
    pub inbound: Vec<String>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Partition {
    /// Its oid.
    pub oid: i64,
    /// Where it is.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it is partitioned itself.
    pub kind: String,
    /// Its bound as the server prints it.
    pub bound: String,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// The table that it leads to.
    pub table: String,
    /// As the server prints it.
    pub definition: String,
}

/// What lies in a DEFAULT partition.
#[derive(Debug, Clone, PartialEq, Eq, std::default::Default)]
pub struct Contents {
    /// The oldest key and the newest one.
    pub ends: Option<(i128, i128)>,
    /// Windows of the grid that have rows, oldest first, with how many; nothing is UNKNOWN.
    pub windows: Vec<(Range, Option<i64>)>,
    /// There are rows without a key.
    pub nulls: bool,
    /// There are rows at infinity, where no window is.
    pub infinite: bool,
    /// There are more windows than were looked at.
    pub more: bool,
}

impl Contents {
    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.ends.is_none() && !self.nulls && !self.infinite
    }
}

/// Reads the table and its DEFAULT partition.
///
/// # Errors
/// Refused when there is no such table; the server's.
pub async fn snapshot(session: &Session, table: &TableName) -> Result<Snapshot> {
    let server = Server::read(session).await?;
    session.begin_reading(CATALOG).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let read = catalog(session, server, table).await;
    session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    read
}

async fn catalog(session: &Session, server: Server, table: &TableName) -> Result<Snapshot> {
    let whole = facts(session, table).await?.ok_or_else(|| {
        Failure::new(Kind::Refused, format!("there is no table {table} in database {}", server.database))
    })?;
    let set: Set = list(session, &Query::DEFAULT_SET, &[&whole.oid]).await?;
    let found = set.partitions.iter().find(|partition| partition.bound == "DEFAULT");
    let default = match found {
        Some(partition) => {
            let name = TableName::new(partition.schema.as_str(), partition.name.as_str());
            let oid = partition.oid;
            let begun = if server.reads_state { begun(session, oid).await? } else { None };
            let Some(facts) = facts(session, &name).await? else {
                return Err(Failure::new(Kind::Failed, format!("{name} went away while it was looked at")));
            };
            Some(Default {
                name,
                facts,
                constraints: list(session, &Query::ADOPT_CONSTRAINTS, &[&oid]).await?,
                indexes: list(session, &Query::ADOPT_INDEXES, &[&oid]).await?,
                grants: list(session, &Query::ADOPT_GRANTS, &[&oid]).await?,
                begun,
            })
        }
        None => None,
    };
    let columns = list(session, &Query::ADOPT_COLUMNS, &[&whole.oid]).await?;
    Ok(Snapshot { server, table: table.clone(), facts: whole, columns, set, default })
}

async fn begun(session: &Session, oid: i64) -> Result<Option<Record>> {
    let rows =
        session.rows(&Query::DEFAULT_BEGUN, &[&oid]).await.map_err(|e| e.explain("cannot read dbctl.adoption"))?;
    rows.first().map(|row| Ok(serde_json::from_str(row.try_get("plan")?)?)).transpose()
}

/// Looks which windows have rows: an index that begins with the key makes it a matter of milliseconds.
///
/// # Errors
/// Deferred when it took too long; the server's.
pub async fn contents(
    session: &Session,
    default: &TableName,
    key: &Ident,
    kind: &str,
    grid: &Grid,
) -> Result<Contents> {
    session.begin_reading(PEEK).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let looked = look(session, default, key, kind, grid).await;
    session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    let (mut contents, starts) = looked?;
    let end = contents.windows.last().and_then(|(window, _)| match window.upper() {
        Edge::At(at) => Some(grid.axis.literal(at)),
        Edge::Min | Edge::Max => None,
    });
    let Some(end) = end else { return Ok(contents) };
    session.begin_reading(PEEK).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let counted = session.rows_of(&histogram(default, key, kind, &starts, &end)).await;
    session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    // How many is worth knowing, not worth failing.
    for row in counted.unwrap_or_default() {
        let (bucket, rows): (i32, i64) = (row.try_get("bucket")?, row.try_get("rows")?);
        let index = usize::try_from(bucket - 1).ok();
        if let Some(window) = index.and_then(|index| contents.windows.get_mut(index)) {
            window.1 = Some(rows);
        }
    }
    Ok(contents)
}

async fn look(
    session: &Session,
    default: &TableName,
    key: &Ident,
    kind: &str,
    grid: &Grid,
) -> Result<(Contents, Vec<String>)> {
    let mut contents = Contents::default();
    let mut starts = Vec::new();
    let nulls = format!("SELECT 'yes'::text FROM {default} WHERE {key} IS NULL LIMIT 1");
    contents.nulls = one(session, &nulls).await?.is_some();
    // Only these types have infinity.
    let endless = matches!(grid.axis.codec, Codec::Date | Codec::Timestamp | Codec::Timestamptz);
    let finite = if endless {
        let infinite = format!("SELECT 'yes'::text FROM {default} WHERE {key} IN ('-infinity', 'infinity') LIMIT 1");
        contents.infinite = one(session, &infinite).await?.is_some();
        format!("> '-infinity' AND {key} < 'infinity'")
    } else {
        "IS NOT NULL".to_owned()
    };
    let newest = one(session, &ordered(default, key, &finite, "DESC")).await?;
    let oldest = one(session, &ordered(default, key, &finite, "ASC")).await?;
    let (Some(newest), Some(oldest)) = (newest, oldest) else { return Ok((contents, starts)) };
    let parse = |text: &str| {
        grid.axis.parse(text).map_err(|why| Failure::new(Kind::Failed, format!("cannot read '{text}': {why}")))
    };
    let (Edge::At(oldest), Edge::At(newest)) = (parse(&oldest)?, parse(&newest)?) else {
        return Ok((contents, starts));
    };
    contents.ends = Some((oldest, newest));
    let mut at = oldest;
    while let (Some(lower), Some(upper)) = (grid.floor(at), grid.next(at)) {
        if let Some(window) = Range::new(Edge::At(lower), Edge::At(upper)) {
            contents.windows.push((window, None));
            starts.push(grid.axis.literal(lower));
        }
        if contents.windows.len() >= WINDOWS {
            contents.more = true;
            break;
        }
        let from = format!(">= {}::{kind}", Literal(&grid.axis.literal(upper)));
        match one(session, &ordered(default, key, &from, "ASC")).await?.map(|text| parse(&text)).transpose()? {
            Some(Edge::At(next)) => at = next,
            _ => break,
        }
    }
    Ok((contents, starts))
}

fn ordered(default: &TableName, key: &Ident, condition: &str, order: &str) -> String {
    format!("SELECT {key}::text FROM {default} WHERE {key} {condition} ORDER BY {key} {order} LIMIT 1")
}

fn histogram(default: &TableName, key: &Ident, kind: &str, starts: &[String], end: &str) -> String {
    let list: Vec<String> = starts.iter().map(|start| Literal(start).to_string()).collect();
    format!(
        "SELECT pg_catalog.width_bucket({key}, ARRAY[{}]::{kind}[]) AS bucket, pg_catalog.count(*) AS rows FROM {default} \
         WHERE {key} IS NOT NULL AND {key} < {}::{kind} GROUP BY 1",
        list.join(", "),
        Literal(end)
    )
}

async fn one(session: &Session, sql: &str) -> Result<Option<String>> {
    let rows: Vec<Row> = session.rows_of(sql).await.map_err(|e| {
        let failure = e.explain("cannot look into the DEFAULT partition");
        if e.is_cancelled() {
            return failure
                .kind(Kind::Deferred)
                .hint("an index that begins with the partition key makes this quick: CREATE INDEX CONCURRENTLY on the partition");
        }
        failure
    })?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
}
