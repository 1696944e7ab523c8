//! How the tables stand, as plain values. Does not know what is thought of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{InTurn, Query, Row, Server, ServerError, Session, ToSql};

/// How long one question may take.
const LIMIT: Duration = Duration::from_secs(30);

/// One moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Major version.
    pub major: u32,
    /// The role in force.
    pub role: String,
    /// `autovacuum_freeze_max_age`.
    pub xid_most: i64,
    /// `vacuum_failsafe_age`.
    pub failsafe: i64,
    /// Standbys that stream.
    pub standbys: i64,
    /// `maintenance_work_mem`.
    pub memory: String,
    /// All tables but temporary and foreign ones.
    pub tables: Vec<Standing>,
    /// What keeps row versions, the oldest first.
    pub holders: Vec<Holder>,
}

/// How a table stands. Numbers of its TOAST table are in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub oid: u32,
    pub table: TableName,
    pub parent: bool,
    pub part_of: Option<u32>,
    pub tuples: f64,
    pub uncounted: bool,
    pub bytes: i64,
    pub enabled: bool,
    pub dead: i64,
    pub dead_most: f64,
    pub toast_dead: i64,
    pub toast_dead_most: f64,
    pub inserted: i64,
    pub inserted_most: Option<f64>,
    pub modified: i64,
    pub modified_most: f64,
    pub xid_age: Option<i64>,
    pub mxid_age: Option<i64>,
    pub xid_most: i64,
    pub mxid_most: i64,
    pub pages: i64,
    pub visible_pages: i64,
    pub unanalyzed: bool,
    pub vacuumed_seconds: Option<f64>,
    pub vacuumed_by: Option<i32>,
    pub catalog: bool,
    pub permitted: bool,
}

/// What keeps old row versions from being vacuumed away.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// `session 4711`, `replication slot x`.
    pub what: String,
    /// How many transactions ago.
    pub age: i64,
    /// How long ago, where that is known.
    pub seconds: Option<f64>,
    /// The SQL that ends it.
    pub remedy: String,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Only these tables; all where there are none.
    pub only: Option<&'a [u32]>,
    /// Only those of which something may be due, as it is from this age on; all where there is none.
    pub restless: Option<i64>,
}

/// How large a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Bytes of it and of everything that belongs to it.
    pub bytes: u64,
    /// Bytes of the files in which its rows and those of its TOAST table are.
    pub row_bytes: u64,
}

/// The sizes of tables; those that somebody holds are left out.
pub type Sizes = BTreeMap<u32, Size>;

/// How a table stands when all is over. Numbers of its TOAST table are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// Dead rows.
    pub dead: i64,
    /// Age of its oldest transaction number.
    pub xid_age: Option<i64>,
    /// [`Size::row_bytes`] by the catalog, which a vacuum has just brought up to date.
    pub row_bytes: u64,
}

/// The first look: which server, and how its tables stand, all or what is restless. One round trip.
///
/// # Errors
/// The server's.
pub async fn first(session: &Session, restless: Option<i64>) -> Result<(Server, Snapshot)> {
    let everything = Look { only: None, restless };
    // In this order: the look sets a search_path of its own.
    let (server, looked) = tokio::join!(biased; Server::read(session), look(session, 0, everything));
    let server = server?;
    let snapshot = Snapshot { major: server.major, ..looked? };
    Ok((server, snapshot))
}

/// Looks once. One round trip.
///
/// # Errors
/// The server's.
pub async fn look(session: &Session, major: u32, what: Look<'_>) -> Result<Snapshot> {
    let which: [&(dyn ToSql + Sync); 2] = [&what.only, &what.restless];
    let (begun, server, tables, holders, ended) = tokio::join!(
        biased;
        session.begin_look(LIMIT),
        session.rows(&Query::VACUUM_SERVER, &[]),
        session.rows(&Query::VACUUM_TABLES, &which),
        session.rows(&Query::ACTIVITY_HORIZON, &[]),
        session.end_reading(),
    );
    begun.map_err(|e| e.explain("cannot begin to look"))?;
    let cannot = |e: ServerError| e.explain("cannot see how the tables stand");
    let (server, tables) = (server.map_err(cannot)?, tables.map_err(cannot)?);
    let holders = holders.map_err(cannot)?;
    ended.map_err(|e| e.explain("cannot end the look"))?;
    let row = server.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say its settings"))?;
    let here: String = row.try_get("database")?;
    let mut snapshot = Snapshot {
        major,
        role: row.try_get("role")?,
        xid_most: row.try_get("xid_most")?,
        failsafe: row.try_get("failsafe")?,
        standbys: row.try_get("standbys")?,
        memory: row.try_get("maintenance_work_mem")?,
        tables: tables.iter().map(|row| standing(&InTurn::of(row))).collect::<Result<_>>()?,
        holders: holders.iter().filter_map(|row| holder(row, &here).transpose()).collect::<Result<_>>()?,
    };
    snapshot.holders.sort_by(|a, b| b.age.cmp(&a.age).then(a.what.cmp(&b.what)));
    Ok(snapshot)
}

/// How large these tables are.
///
/// # Errors
/// The server's.
pub async fn sizes(session: &Session, oids: &[u32]) -> Result<Sizes> {
    if oids.is_empty() {
        return Ok(Sizes::new());
    }
    let mut sizes = Sizes::new();
    for row in ask(session, &Query::VACUUM_SIZES, oids, "cannot see how large the tables are").await? {
        let bytes = row.try_get::<_, Option<i64>>("bytes")?.and_then(|bytes| u64::try_from(bytes).ok());
        let row_bytes = row.try_get::<_, Option<i64>>("row_bytes")?.and_then(|bytes| u64::try_from(bytes).ok());
        if let (Some(bytes), Some(row_bytes)) = (bytes, row_bytes) {
            sizes.insert(row.try_get("oid")?, Size { bytes, row_bytes });
        }
    }
    Ok(sizes)
}

/// How these tables stand when all is over.
///
/// # Errors
/// The server's.
pub async fn after(session: &Session, oids: &[u32]) -> Result<BTreeMap<u32, After>> {
    let rows = ask(session, &Query::VACUUM_AFTER, oids, "cannot see how the tables stand now").await?;
    let after = |row: &Row| -> Result<(u32, After)> {
        let row_bytes = u64::try_from(row.try_get::<_, i64>("row_bytes")?).unwrap_or_default();
        Ok((row.try_get("oid")?, After { dead: row.try_get("dead")?, xid_age: row.try_get("xid_age")?, row_bytes }))
    };
    rows.iter().map(after).collect()
}

async fn ask(session: &Session, query: &Query, oids: &[u32], doing: &'static str) -> Result<Vec<Row>> {
    let which: [&(dyn ToSql + Sync); 1] = [&oids];
    let (begun, rows, ended) =
        tokio::join!(biased; session.begin_look(LIMIT), session.rows(query, &which), session.end_reading());
    begun.map_err(|e| e.explain("cannot begin to look"))?;
    let rows = rows.map_err(|e| e.explain(doing))?;
    ended.map_err(|e| e.explain("cannot end the look"))?;
    Ok(rows)
}

/// In which folders of the server these tables lie, where the role may know.
///
/// # Errors
/// The server's.
pub async fn places(session: &Session, oids: &[u32]) -> Result<BTreeMap<u32, PathBuf>> {
    let rows = session.rows(&Query::VACUUM_PLACES, &[&oids]).await;
    let mut places = BTreeMap::new();
    for row in rows.map_err(|e| e.explain("cannot see where the tables lie"))? {
        let (oid, place): (u32, Option<String>) = (row.try_get("oid")?, row.try_get("place")?);
        places.extend(place.map(|place| (oid, PathBuf::from(place))));
    }
    Ok(places)
}

/// Sessions of other databases keep nothing here.
fn holder(row: &Row, here: &str) -> Result<Option<Holder>> {
    let (kind, name, database): (String, String, Option<String>) =
        (row.try_get("kind")?, row.try_get("name")?, row.try_get("database")?);
    if database.is_some_and(|database| database != here) && kind != "replication slot" {
        return Ok(None);
    }
    Ok(Some(Holder {
        what: format!("{kind} {name}"),
        age: row.try_get("age")?,
        seconds: row.try_get("seconds")?,
        remedy: row.try_get("remedy")?,
    }))
}

fn standing(row: &InTurn<'_>) -> Result<Standing> {
    let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
    Ok(Standing {
        oid: row.try_get("oid")?,
        table: TableName::new(schema, name),
        parent: row.try_get("parent")?,
        part_of: row.try_get("part_of")?,
        tuples: row.try_get("tuples")?,
        uncounted: row.try_get("uncounted")?,
        bytes: row.try_get("bytes")?,
        enabled: row.try_get("enabled")?,
        dead: row.try_get("dead")?,
        dead_most: row.try_get("dead_most")?,
        toast_dead: row.try_get("toast_dead")?,
        toast_dead_most: row.try_get("toast_dead_most")?,
        inserted: row.try_get("inserted")?,
        inserted_most: row.try_get("inserted_most")?,
        modified: row.try_get("modified")?,
        modified_most: row.try_get("modified_most")?,
        xid_age: row.try_get("xid_age")?,
        mxid_age: row.try_get("mxid_age")?,
        xid_most: row.try_get("xid_most")?,
        mxid_most: row.try_get("mxid_most")?,
        pages: row.try_get("pages")?,
        visible_pages: row.try_get("visible_pages")?,
        unanalyzed: row.try_get("unanalyzed")?,
        vacuumed_seconds: row.try_get("vacuumed_seconds")?,
        vacuumed_by: row.try_get("vacuumed_by")?,
        catalog: row.try_get("catalog")?,
        permitted: row.try_get::<Option<bool>>("permitted")?.unwrap_or(false),
    })
}
