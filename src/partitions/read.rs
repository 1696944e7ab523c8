//! What the catalog and schema dbctl say about partitioned tables, as plain values, read in one
//! read-only transaction. Does not decide.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::pg::{Query, Row, Server, ServerError, Session};
use crate::policy::bounds::{self, Bound};
use crate::policy::{DayRange, Hold};

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The server and who we are.
    pub server: Server,
    /// The server's clock.
    pub now: DateTime<Utc>,
    /// Locks that all sessions together may hold.
    pub lock_slots: u64,
    /// The embedded systems whose migrations were applied here; none when that may not be read.
    pub systems: Option<Vec<String>>,
    /// The tables that were asked for and exist, by name.
    pub tables: BTreeMap<TableName, Table>,
    /// What earlier runs left in schema dbctl.
    pub state: State,
}

/// What earlier runs left in schema dbctl.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// Schema dbctl is there but may not be read: what was let go before is unknown.
    pub unreadable: bool,
    /// By table, as `schema.table`.
    pub recorded: BTreeMap<String, Recorded>,
    /// Partitions on their way out, oldest first.
    pub leaving: Vec<Leaving>,
    /// Holds that were added by command.
    pub holds: Vec<Hold>,
}

/// The retention under which partitions were last let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// As [`super::plan::keep_words`] spells it.
    pub keep: String,
    /// As [`super::plan::expire_words`] spells it.
    pub expire: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// How it is partitioned.
    pub kind: TableKind,
    /// Indexes of the table itself.
    pub indexes: u64,
    /// The DEFAULT partition.
    pub default: Option<u32>,
    /// The largest value of a key that does not stand for time.
    pub largest: Option<String>,
    /// In no order.
    pub partitions: Vec<Partition>,
}

/// How a table is partitioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// By range of one column.
    Range {
        /// The column.
        key: String,
        /// Its type as SQL spells it.
        key_type: String,
        /// It has NOT NULL.
        not_null: bool,
    },
    /// Otherwise, in words.
    Other(&'static str),
}

/// A partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// What it holds.
    pub bound: std::result::Result<Bound, String>,
    /// `r` a table, `p` partitioned itself, `f` foreign.
    pub kind: PartitionKind,
    /// A concurrent detach of it was begun and not ended.
    pub pending: bool,
}

/// What a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionKind {
    Table,
    Partitioned,
    Foreign,
}

/// A partition that has left its table or is about to.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaving {
    /// Row of dbctl.partition.
    pub id: i64,
    /// Its table, as `schema.table`.
    pub parent: String,
    /// Its table's oid when it left.
    pub parent_oid: u32,
    /// Its name while it was attached, as `schema.table`.
    pub partition: String,
    /// Its oid.
    pub oid: u32,
    /// The lower bound's literal, or MINVALUE.
    pub lower: String,
    /// The upper bound's literal, or MAXVALUE.
    pub upper: String,
    /// `drop`, `archive`, …
    pub mode: String,
    /// How far it came.
    pub state: String,
    /// Where it was put, as `schema.table`; nothing while it has its own name.
    pub place: Option<String>,
    /// The archive's file.
    pub uri: Option<String>,
    /// Rows that were exported.
    pub rows: Option<i64>,
    /// Their hash.
    pub content_hash: Option<String>,
    /// The archive's manifest.
    pub manifest: Option<String>,
    /// When it may be dropped.
    pub drop_after: Option<DateTime<Utc>>,
    /// `after_expire` has not been run to its end since.
    pub hooks_due: bool,
    /// When the row was last changed.
    pub changed_at: DateTime<Utc>,
    /// Where the relation is now; nothing when there is none.
    pub now: Option<TableName>,
    /// The table it is a partition of now.
    pub parent_now: Option<u32>,
    /// Its detach is pending.
    pub pending: bool,
}

/// Reads everything that a run on these tables needs to know. Two round trips, and one more for each of
/// `numbers`: tables whose key, named here, has no meaning in time.
///
/// # Errors
/// The server's.
pub async fn snapshot(
    session: &Session,
    wanted: &BTreeSet<TableName>,
    numbers: &BTreeMap<TableName, Ident>,
) -> Result<Snapshot> {
    let schemas: Vec<&str> = wanted.iter().map(|table| table.schema.raw()).collect();
    let names: Vec<&str> = wanted.iter().map(|table| table.name.raw()).collect();
    let begun = session.send(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '30s'; SET LOCAL \
         TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL jit = off",
    );
    let params: [&(dyn crate::pg::ToSql + Sync); 2] = [&schemas, &names];
    // Sent together: one round trip.
    let (begun, server, moment, parents, partitions) = tokio::join!(
        begun,
        Server::read(session),
        session.rows(&Query::PARTITION_MOMENT, &[]),
        session.rows(&Query::PARTITION_PARENTS, &params),
        session.rows(&Query::PARTITIONS, &params),
    );
    begun.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let server = server?;
    let cannot = "cannot read the partitions";
    let moment = moment.map_err(|e| e.explain("cannot ask the server for the time"))?;
    let parents = parents.map_err(|e| e.explain(cannot))?;
    let mut tables = BTreeMap::new();
    let wanted: Vec<&TableName> = wanted.iter().collect();
    for row in &parents {
        let position: i64 = row.try_get("position")?;
        let name = usize::try_from(position - 1).ok().and_then(|n| wanted.get(n));
        if let Some(name) = name {
            tables.insert((*name).clone(), table(row, (*name).clone())?);
        }
    }
    let mut of: BTreeMap<u32, Vec<Partition>> = BTreeMap::new();
    for row in partitions.map_err(|e| e.explain(cannot))? {
        of.entry(row.try_get("parent")?).or_default().push(partition(&row)?);
    }
    for table in tables.values_mut() {
        table.partitions = of.remove(&table.oid).unwrap_or_default();
    }
    for table in tables.values_mut().filter(|table| matches!(table.kind, TableKind::Range { .. })) {
        if let Some(key) = numbers.get(&table.name) {
            table.largest = largest(session, &table.name, key).await?;
        }
    }
    let moment = moment.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say what time it is"))?;
    let (systems, state) = state(session, &server).await?;
    let snapshot = Snapshot {
        now: moment.try_get("now")?,
        lock_slots: u64::try_from(moment.try_get::<_, i64>("lock_slots")?).unwrap_or(0),
        server,
        systems,
        tables,
        state,
    };
    session.send("COMMIT").await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    Ok(snapshot)
}

/// A key without a meaning in time has no clock: its largest value is where it is now.
async fn largest(session: &Session, table: &TableName, key: &Ident) -> Result<Option<String>> {
    let rows = session
        .rows_of(&format!("SELECT pg_catalog.max({key})::text FROM {table}"))
        .await
        .map_err(|e| e.explain(format!("cannot read the largest {key} of {table}")))?;
    rows.first().map_or(Ok(None), |row| row.try_get(0).map_err(Failure::from))
}

/// The holds of the database as they are now.
///
/// # Errors
/// The server's.
pub async fn holds(session: &Session) -> Result<Vec<Hold>> {
    let rows = session.rows(&Query::PARTITION_STATE, &[]).await.map_err(|e| e.explain("cannot read dbctl.hold"))?;
    let mut holds = Vec::new();
    for row in &rows {
        if row.try_get::<_, &str>("kind")? == "hold" {
            holds.push(read_hold(row)?);
        }
    }
    Ok(holds)
}

fn read_hold(row: &Row) -> Result<Hold> {
    let day = |column: &str| -> Result<Option<NaiveDate>> {
        let text: Option<&str> = row.try_get(column)?;
        Ok(text.and_then(|text| text.parse().ok()))
    };
    Ok(Hold {
        id: row.try_get("id")?,
        system: None,
        tables: row.try_get("tables")?,
        days: DayRange { from: day("from_day")?, to: day("to_day")? },
        reason: row.try_get("expire")?,
    })
}

async fn state(session: &Session, server: &Server) -> Result<(Option<Vec<String>>, State)> {
    if !server.has_state {
        return Ok((Some(Vec::new()), State::default()));
    }
    if !server.reads_state {
        return Ok((None, State { unreadable: true, ..State::default() }));
    }
    let (systems, rows, leaving) = tokio::join!(
        session.rows(&Query::PARTITION_SYSTEMS, &[]),
        session.rows(&Query::PARTITION_STATE, &[]),
        session.rows(&Query::PARTITION_LEAVING, &[&None::<Vec<String>>]),
    );
    // Rights on some of its tables are as good as none.
    let refused = |error: Option<&ServerError>| error.is_some_and(|error| error.code() == Some("42501"));
    if refused(systems.as_ref().err()) || refused(rows.as_ref().err()) || refused(leaving.as_ref().err()) {
        return Ok((None, State { unreadable: true, ..State::default() }));
    }
    let cannot = "cannot read schema dbctl";
    let mut state = State::default();
    for row in rows.map_err(|e| e.explain(cannot))? {
        if row.try_get::<_, &str>("kind")? == "policy" {
            let id = row.try_get("id")?;
            state.recorded.insert(id, Recorded { keep: row.try_get("keep")?, expire: row.try_get("expire")? });
        } else {
            state.holds.push(read_hold(&row)?);
        }
    }
    for row in leaving.map_err(|e| e.explain(cannot))? {
        state.leaving.push(read_leaving(&row)?);
    }
    let systems = systems.map_err(|e| e.explain(cannot))?;
    let systems: Result<Vec<String>> = systems.iter().map(|row| row.try_get(0).map_err(Failure::from)).collect();
    Ok((Some(systems?), state))
}

/// Which of these ranges (SQL literals of both ends) have rows in a DEFAULT partition; nothing where that
/// could not be told in a few seconds.
///
/// # Errors
/// The server's, but for a lock or an answer that did not come in time.
pub async fn rows_in_default(
    session: &Session,
    default: &TableName,
    key: &Ident,
    ranges: &[(String, String)],
) -> Result<Option<Vec<bool>>> {
    let parts: Vec<String> = ranges
        .iter()
        .map(|(lower, upper)| format!("EXISTS (SELECT FROM ONLY {default} WHERE {key} >= {lower} AND {key} < {upper})"))
        .collect();
    answers(session, &parts, &format!("cannot look into {default}")).await
}

/// A foreign key of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The other table, quoted.
    pub table: String,
    /// The constraint.
    pub name: String,
    /// How its row `c` finds the row `p` that it points to.
    condition: String,
}

/// The foreign keys that point to these tables, by oid.
///
/// # Errors
/// The server's.
pub async fn referrers(session: &Session, tables: &[u32]) -> Result<BTreeMap<u32, Vec<Referrer>>> {
    let mut found: BTreeMap<u32, Vec<Referrer>> = BTreeMap::new();
    if tables.is_empty() {
        return Ok(found);
    }
    let rows = session
        .rows(&Query::PARTITION_REFERRERS, &[&tables])
        .await
        .map_err(|e| e.explain("cannot read the foreign keys of other tables"))?;
    for row in &rows {
        let referrer = Referrer {
            table: row.try_get("referrer")?,
            name: row.try_get("name")?,
            condition: row.try_get("condition")?,
        };
        found.entry(row.try_get("oid")?).or_default().push(referrer);
    }
    Ok(found)
}

/// Through which of these foreign keys rows still point into a partition; nothing where that could not be
/// told in a few seconds.
///
/// # Errors
/// As [`rows_in_default`].
pub async fn pointed_to(session: &Session, partition: &TableName, by: &[Referrer]) -> Result<Option<Vec<bool>>> {
    let parts: Vec<String> = by
        .iter()
        .map(|by| {
            format!("EXISTS (SELECT FROM {} AS c INNER JOIN ONLY {partition} AS p ON {})", by.table, by.condition)
        })
        .collect();
    answers(session, &parts, &format!("cannot see who points to {partition}")).await
}

/// Yes or no to each of these conditions; nothing where a lock or the answer did not come in time.
async fn answers(session: &Session, conditions: &[String], doing: &str) -> Result<Option<Vec<bool>>> {
    let begun = session
        .send("BEGIN READ ONLY; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'; SET LOCAL TimeZone = 'UTC'")
        .await;
    begun.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let found = session.rows_of(&format!("SELECT ARRAY[{}]", conditions.join(", "))).await;
    session.send("ROLLBACK").await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    match found {
        Ok(rows) => rows.first().map(|row| row.try_get(0).map_err(Failure::from)).transpose(),
        Err(error) if error.is_transient() || error.is_cancelled() => Ok(None),
        Err(error) => Err(error.explain(doing.to_owned())),
    }
}

/// Rows and bytes of relations, as the last VACUUM or ANALYZE of each has noted.
///
/// # Errors
/// The server's.
pub async fn estimates(session: &Session, oids: &[u32]) -> Result<BTreeMap<u32, (Option<i64>, Option<i64>)>> {
    if oids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = session
        .rows(&Query::PARTITION_ESTIMATES, &[&oids])
        .await
        .map_err(|e| e.explain("cannot read how large partitions are"))?;
    rows.iter().map(|row| Ok((row.try_get("oid")?, (row.try_get("rows")?, row.try_get("bytes")?)))).collect()
}

/// Partitions of these names that have left their tables, the last departure of each.
///
/// # Errors
/// Refused where dbctl has never worked here; the server's.
pub async fn departed(session: &Session, server: &Server, names: &[String]) -> Result<Vec<Leaving>> {
    if !server.has_state {
        return Err(Failure::new(Kind::Refused, "no partition has left by dbctl in this database"));
    }
    let rows = session
        .rows(&Query::PARTITION_LEAVING, &[&Some(names)])
        .await
        .map_err(|e| e.explain("cannot read schema dbctl"))?;
    rows.iter().map(read_leaving).collect()
}

/// The name of a relation.
///
/// # Errors
/// Failed where it is gone; the server's.
pub async fn name_of(session: &Session, oid: u32) -> Result<TableName> {
    let rows =
        session.rows(&Query::RELATION_NAME, &[&oid]).await.map_err(|e| e.explain("cannot ask for a table's name"))?;
    let row =
        rows.first().ok_or_else(|| Failure::new(Kind::Failed, format!("no relation has the oid {oid} any more")))?;
    Ok(TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?))
}

fn table(row: &Row, name: TableName) -> Result<Table> {
    let (kind, strategy): (&str, Option<&str>) = (row.try_get("kind")?, row.try_get("strategy")?);
    let columns: i32 = row.try_get("columns")?;
    let key: Option<String> = row.try_get("key")?;
    let kind = match (kind, strategy, columns, key) {
        ("p", Some("r"), 1, Some(key)) => {
            TableKind::Range { key, key_type: row.try_get("key_type")?, not_null: row.try_get("key_not_null")? }
        }
        ("p", Some("r"), 1, None) => TableKind::Other("partitioned by range of an expression"),
        ("p", Some("r"), ..) => TableKind::Other("partitioned by range of several columns"),
        ("p", Some("l"), ..) => TableKind::Other("partitioned by list"),
        ("p", Some("h"), ..) => TableKind::Other("partitioned by hash"),
        ("r", ..) => TableKind::Other("a plain table"),
        ("f", ..) => TableKind::Other("a foreign table"),
        _ => TableKind::Other("no table"),
    };
    Ok(Table {
        oid: row.try_get("oid")?,
        name,
        kind,
        indexes: u64::try_from(row.try_get::<_, i64>("indexes")?).unwrap_or(0),
        default: row.try_get("default_partition")?,
        largest: None,
        partitions: Vec::new(),
    })
}

fn partition(row: &Row) -> Result<Partition> {
    Ok(Partition {
        oid: row.try_get("oid")?,
        name: TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?),
        bound: bounds::parse(row.try_get::<_, Option<&str>>("bound")?.unwrap_or_default()),
        kind: match row.try_get("kind")? {
            "p" => PartitionKind::Partitioned,
            "f" => PartitionKind::Foreign,
            _ => PartitionKind::Table,
        },
        pending: row.try_get("pending")?,
    })
}

fn read_leaving(row: &Row) -> Result<Leaving> {
    let now: (Option<String>, Option<String>) = (row.try_get("schema_now")?, row.try_get("name_now")?);
    Ok(Leaving {
        id: row.try_get("id")?,
        parent: row.try_get("parent")?,
        parent_oid: row.try_get("parent_oid")?,
        partition: row.try_get("partition")?,
        oid: row.try_get("oid")?,
        lower: row.try_get("lower")?,
        upper: row.try_get("upper")?,
        mode: row.try_get("mode")?,
        state: row.try_get("state")?,
        place: row.try_get("place")?,
        uri: row.try_get("uri")?,
        rows: row.try_get("rows")?,
        content_hash: row.try_get("content_hash")?,
        manifest: row.try_get("manifest")?,
        drop_after: row.try_get("drop_after")?,
        hooks_due: row.try_get("hooks_due")?,
        changed_at: row.try_get("changed_at")?,
        now: now.0.zip(now.1).map(|(schema, name)| TableName::new(schema, name)),
        parent_now: row.try_get("parent_now")?,
        pending: row.try_get("pending")?,
    })
}
