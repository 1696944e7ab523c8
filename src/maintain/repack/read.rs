//! What is there to write tables anew with, the tables, who is in the way, and what killed runs have left; as plain
//! values. Does not know what is thought of it.

use std::time::Duration;

use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::pg::{Query, Row, ServerError, Session};

/// How long one question may take.
const LIMIT: Duration = Duration::from_secs(30);

/// One moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// What the server has.
    pub setup: Setup,
    /// All tables of users.
    pub tables: Vec<Standing>,
    /// What killed runs have left.
    pub leftovers: Vec<Leftover>,
    /// What lies in pg_repack's schema and cannot be told whose it is.
    pub strays: Vec<String>,
    /// Transactions that are at work, the oldest first.
    pub holders: Vec<Holder>,
}

/// What the server has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// `server_version_num`.
    pub version_num: i32,
    /// `wal_level`.
    pub wal_level: String,
    /// `max_repack_replication_slots`, where the server knows it.
    pub repack_slots: Option<String>,
    /// The role is a superuser.
    pub is_superuser: bool,
    /// Where the data lies, where that may be seen.
    pub data_directory: Option<String>,
    /// The version of the extension pg_repack in this database.
    pub extension: Option<String>,
    /// The version that CREATE EXTENSION would create.
    pub available: Option<String>,
    /// Event triggers that fire.
    pub event_triggers: Vec<String>,
    /// Replication slots that nobody reads, with what they keep.
    pub idle_slots: Vec<String>,
}

/// How a table stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub table: TableName,
    /// It is partitioned, and holds no rows itself.
    pub parent: bool,
    /// `p`, `u` or `t`.
    pub persistence: String,
    /// The partitioned tables above it.
    pub above: Vec<u32>,
    /// Its file, which a rewrite changes.
    pub file: u32,
    /// The role is its owner, or may be.
    pub owned: bool,
    /// The role may MAINTAIN it.
    pub maintained: bool,
    /// It has a primary key or a unique index of columns that are NOT NULL.
    pub has_key: bool,
    /// It has a primary key or an index as its replica identity.
    pub has_identity: bool,
    /// Its invalid indexes.
    pub invalid: Vec<String>,
    /// Prepared transactions that hold a lock on it.
    pub prepared: Vec<String>,
    /// A pg_repack works on it now.
    pub worked_by: Option<i32>,
    /// Where its tablespace lies; nothing is the database's usual one.
    pub place: Option<String>,
}

/// A transaction that is at work.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// `session 4711`, `prepared transaction x`.
    pub what: String,
    /// How long, where that is known.
    pub seconds: Option<f64>,
    /// The SQL that ends it.
    pub remedy: String,
}

/// What a killed pg_repack has left on one table. Known by the table's OID, the type of its rows in the log and the
/// trigger's function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The table's OID.
    pub oid: u32,
    /// The table.
    pub table: TableName,
    /// pg_repack's schema.
    pub home: Ident,
    /// The trigger that fills the log.
    pub trigger: Option<Ident>,
    /// The log.
    pub log: Option<Ident>,
    /// The half-filled copy.
    pub copy: Option<Ident>,
    /// The type of the log's keys.
    pub key_type: Option<Ident>,
    /// A pg_repack works on the table: nothing is left over yet.
    pub worked_by: Option<i32>,
}

/// Looks once.
///
/// # Errors
/// The server's.
pub async fn snapshot(session: &Session) -> Result<Snapshot> {
    looking(session, async || {
        let rows = ask(session, &Query::REPACK_SETUP).await?;
        let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say what it has"))?;
        let setup = Setup {
            version_num: row.try_get("version_num")?,
            wal_level: row.try_get("wal_level")?,
            repack_slots: row.try_get("repack_slots")?,
            is_superuser: row.try_get("is_superuser")?,
            data_directory: row.try_get("data_directory")?,
            extension: row.try_get("extension")?,
            available: row.try_get("available")?,
            event_triggers: row.try_get("event_triggers")?,
            idle_slots: row.try_get("idle_slots")?,
        };
        let limits = ask(session, &Query::ACTIVITY_LIMITS).await?;
        let here: String = limits.first().map_or_else(|| Ok(String::new()), |row| row.try_get("database"))?;
        let holders = ask(session, &Query::ACTIVITY_HORIZON).await?;
        let holders = holders.iter().filter_map(|row| holder(row, &here).transpose()).collect::<Result<_>>()?;
        let tables = ask(session, &Query::REPACK_TABLES).await?;
        Ok(Snapshot {
            tables: tables.iter().map(standing).collect::<Result<_>>()?,
            leftovers: all_leftovers(session).await?,
            strays: strays(session).await?,
            setup,
            holders,
        })
    })
    .await
}

/// What killed runs have left.
///
/// # Errors
/// The server's.
pub async fn leftovers(session: &Session) -> Result<Vec<Leftover>> {
    looking(session, async || all_leftovers(session).await).await
}

/// The files of tables, by OID, and their sizes with everything that belongs to them where nobody holds them.
///
/// # Errors
/// The server's.
pub async fn sizes(session: &Session, oids: &[u32]) -> Result<std::collections::BTreeMap<u32, u64>> {
    looking(session, async || {
        let rows = session.rows(&Query::VACUUM_SIZES, &[&oids]).await.map_err(explain)?;
        let mut sizes = std::collections::BTreeMap::new();
        for row in &rows {
            let bytes: Option<i64> = row.try_get("bytes")?;
            if let Some(bytes) = bytes.and_then(|bytes| u64::try_from(bytes).ok()) {
                sizes.insert(row.try_get("oid")?, bytes);
            }
        }
        Ok(sizes)
    })
    .await
}

/// How one table stands now; nothing where it is gone.
///
/// # Errors
/// The server's.
pub async fn table(session: &Session, oid: u32) -> Result<Option<Standing>> {
    looking(session, async || {
        let rows = ask(session, &Query::REPACK_TABLES).await?;
        let tables = rows.iter().map(standing).collect::<Result<Vec<_>>>()?;
        Ok(tables.into_iter().find(|table| table.oid == oid))
    })
    .await
}

async fn all_leftovers(session: &Session) -> Result<Vec<Leftover>> {
    ask(session, &Query::REPACK_LEFTOVERS).await?.iter().map(leftover).collect()
}

async fn strays(session: &Session) -> Result<Vec<String>> {
    let rows = ask(session, &Query::REPACK_STRAYS).await?;
    rows.iter().map(|row| row.try_get("name").map_err(Failure::from)).collect()
}

async fn looking<T>(session: &Session, read: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
    session.begin_look(LIMIT).await.map_err(|e| e.explain("cannot begin to look"))?;
    let seen = read().await;
    let ended = session.end_reading().await.map_err(|e| e.explain("cannot end the look"));
    seen.and_then(|seen| ended.map(|()| seen))
}

async fn ask(session: &Session, query: &Query) -> Result<Vec<Row>> {
    session.rows(query, &[]).await.map_err(explain)
}

fn explain(error: ServerError) -> Failure {
    error.explain("cannot see what there is to write anew")
}

/// Transactions of other databases keep nothing waiting here; a slot does not either.
fn holder(row: &Row, here: &str) -> Result<Option<Holder>> {
    let (kind, name, database): (String, String, Option<String>) =
        (row.try_get("kind")?, row.try_get("name")?, row.try_get("database")?);
    if database.as_deref() != Some(here) || kind == "replication slot" {
        return Ok(None);
    }
    Ok(Some(Holder {
        what: format!("{kind} {name}"),
        seconds: row.try_get("seconds")?,
        remedy: row.try_get("remedy")?,
    }))
}

fn name(row: &Row) -> Result<TableName> {
    Ok(TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?))
}

fn standing(row: &Row) -> Result<Standing> {
    Ok(Standing {
        oid: row.try_get("oid")?,
        table: name(row)?,
        parent: row.try_get("parent")?,
        persistence: row.try_get("persistence")?,
        above: row.try_get("above")?,
        file: row.try_get("file")?,
        owned: row.try_get::<_, Option<bool>>("owned")?.unwrap_or(false),
        maintained: row.try_get::<_, Option<bool>>("maintained")?.unwrap_or(false),
        has_key: row.try_get("has_key")?,
        has_identity: row.try_get("has_identity")?,
        invalid: row.try_get("invalid")?,
        prepared: row.try_get("prepared")?,
        worked_by: row.try_get("worked_by")?,
        place: row.try_get::<_, Option<String>>("place")?.filter(|place| !place.is_empty()),
    })
}

fn leftover(row: &Row) -> Result<Leftover> {
    let ident =
        |column: &str| -> Result<Option<Ident>> { Ok(row.try_get::<_, Option<String>>(column)?.map(Ident::new)) };
    Ok(Leftover {
        oid: row.try_get("oid")?,
        table: name(row)?,
        home: Ident::new(row.try_get::<_, String>("home")?),
        trigger: ident("trigger_name")?,
        log: ident("log_name")?,
        copy: ident("copy_name")?,
        key_type: ident("type_name")?,
        worked_by: row.try_get("worked_by")?,
    })
}
