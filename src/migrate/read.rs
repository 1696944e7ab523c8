//! Reads what the database says about its migrations, in one read-only transaction. Writes
//! nothing, creates nothing, does not decide.

use std::collections::BTreeMap;

use super::history::{DEFAULT_TABLE, History, Row, Width};
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{Query, Server, Session};

/// What the database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The server and who we are.
    pub server: Server,
    /// The history; none when no migration was ever applied.
    pub history: Option<History>,
    /// What dbctl noted of applied migrations, by version; none when it may not be read.
    pub noted: Option<BTreeMap<i64, Noted>>,
    /// Versions that were begun statement by statement and are not closed: how many statements of each
    /// (of its rollback, where it is applied) are done.
    pub half_done: BTreeMap<i64, i64>,
    /// A history table of another migration tool.
    pub other_tool: Option<String>,
    /// Where the search_path leads to no history: the histories of other schemas.
    pub elsewhere: Vec<String>,
}

/// What dbctl noted when a migration was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// The embedded system it came from.
    pub system: Option<String>,
    /// Hash of its text without comments and white space.
    pub normal_form: String,
}

/// Reads the snapshot. Nothing waits longer than a few seconds.
///
/// # Errors
/// Not permitted when the history may not be read; invalid when the table is not refinery's.
pub async fn snapshot(session: &Session) -> Result<Snapshot> {
    let begun = session.send(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '30s'",
    );
    // Sent together: one round trip.
    let (begun, server) = tokio::join!(begun, Server::read(session));
    begun.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let read = read(session, server?).await;
    let ended = session.send("COMMIT").await;
    let snapshot = read?;
    ended.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    Ok(snapshot)
}

async fn read(session: &Session, server: Server) -> Result<Snapshot> {
    let found = session
        .rows(&Query::HISTORY_TABLE, &[&DEFAULT_TABLE])
        .await
        .map_err(|e| e.explain("cannot look for the migration history"))?;
    let Some(row) = found.first() else {
        let other_tool = other_tool(session).await?;
        let elsewhere = elsewhere(session).await?;
        return Ok(Snapshot {
            server,
            history: None,
            noted: Some(BTreeMap::new()),
            half_done: BTreeMap::new(),
            other_tool,
            elsewhere,
        });
    };
    let table = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
    let (columns, types): (Vec<String>, Vec<String>) = (row.try_get("columns")?, row.try_get("types")?);
    let width = width(&table, &columns, &types)?;
    if !row.try_get::<_, bool>("readable")? {
        return Err(Failure::new(Kind::NotPermitted, format!("role {} may not read {table}", server.role)).hint(
            format!("let its owner run: GRANT SELECT ON {table} TO {}", crate::ident::Ident::new(server.role.as_str())),
        ));
    }
    let (rows, noted, half_done) = tokio::join!(
        history_rows(session, &table),
        noted(session, &server, &table),
        half_done(session, &server, &table)
    );
    let (rows, faults) = rows?;
    let history = Some(History { table, width, rows, faults });
    Ok(Snapshot { server, history, noted: noted?, half_done: half_done?, other_tool: None, elsewhere: Vec::new() })
}

fn width(table: &TableName, columns: &[String], types: &[String]) -> Result<Width> {
    let of = |name: &str| columns.iter().position(|c| c == name).and_then(|at| types.get(at)).map(String::as_str);
    let width = match of("version") {
        Some("integer") => Width::Int4,
        Some("bigint") => Width::Int8,
        _ => return Err(not_refinerys(table, columns, types)),
    };
    if ["name", "applied_on", "checksum"].iter().any(|c| of(c).is_none()) {
        return Err(not_refinerys(table, columns, types));
    }
    Ok(width)
}

fn not_refinerys(table: &TableName, columns: &[String], types: &[String]) -> Failure {
    let columns: Vec<String> = columns.iter().zip(types).map(|(name, kind)| format!("{name} {kind}")).collect();
    let columns =
        if columns.is_empty() { "no columns".to_owned() } else { format!("the columns {}", columns.join(", ")) };
    Failure::new(Kind::Refused, format!("{table} is not a history of refinery: it has {columns}")).hint(format!(
        "refinery's has version (int4 or int8), name, applied_on and checksum; rename the other one: ALTER TABLE {table} \
         RENAME TO …, or let search_path lead to another schema"
    ))
}

/// Everything as text, and not more of it than refinery's columns hold: a damaged row is told, not
/// fatal.
async fn history_rows(session: &Session, table: &TableName) -> Result<(Vec<Row>, Vec<String>)> {
    let text = |column| format!("pg_catalog.left(COALESCE({column}::text, ''), 255) AS {column}");
    let sql = format!(
        "SELECT version::bigint AS version, {}, {}, {} FROM {table} ORDER BY version",
        text("name"),
        text("applied_on"),
        text("checksum")
    );
    let found = session.rows_of(&sql).await.map_err(|e| e.explain(format!("cannot read {table}")))?;
    let (mut rows, mut faults): (Vec<Row>, Vec<String>) = (Vec::with_capacity(found.len()), Vec::new());
    let mut nameless = 0;
    for row in &found {
        let Some(version) = row.try_get::<_, Option<i64>>("version")? else {
            nameless += 1;
            continue;
        };
        if rows.last().is_some_and(|last| last.version == version) {
            faults.push(format!("{table} holds version {version} twice"));
            continue;
        }
        rows.push(Row {
            version,
            name: row.try_get("name")?,
            applied_on: row.try_get("applied_on")?,
            checksum: row.try_get("checksum")?,
        });
    }
    if nameless > 0 {
        faults.push(format!("{table} holds {nameless} row(s) without a version"));
    }
    faults.dedup();
    Ok((rows, faults))
}

async fn noted(session: &Session, server: &Server, table: &TableName) -> Result<Option<BTreeMap<i64, Noted>>> {
    if !server.has_state {
        return Ok(Some(BTreeMap::new()));
    }
    if !server.reads_state {
        return Ok(None);
    }
    let rows = session
        .rows(&Query::NORMAL_FORMS, &[&table.to_string()])
        .await
        .map_err(|e| e.explain("cannot read dbctl.migration"))?;
    rows.iter()
        .map(|row| {
            let noted = Noted { system: row.try_get("system")?, normal_form: row.try_get("normal_form")? };
            Ok((row.try_get("version")?, noted))
        })
        .collect::<Result<_>>()
        .map(Some)
}

async fn elsewhere(session: &Session) -> Result<Vec<String>> {
    let rows = session
        .rows(&Query::HISTORIES_ELSEWHERE, &[&DEFAULT_TABLE])
        .await
        .map_err(|e| e.explain("cannot look for histories in other schemas"))?;
    rows.iter().map(|row| row.try_get("name").map_err(Failure::from)).collect()
}

async fn half_done(session: &Session, server: &Server, table: &TableName) -> Result<BTreeMap<i64, i64>> {
    if !server.reads_state {
        return Ok(BTreeMap::new());
    }
    let family = format!("{table}:");
    let rows = session.rows(&Query::HALF_DONE, &[&family]).await.map_err(|e| e.explain("cannot read dbctl.journal"))?;
    let mut half_done = BTreeMap::new();
    for row in &rows {
        let subject: String = row.try_get("subject")?;
        if let Some(version) = subject.strip_prefix(&family).and_then(|version| version.parse().ok()) {
            half_done.insert(version, row.try_get("statements")?);
        }
    }
    Ok(half_done)
}

async fn other_tool(session: &Session) -> Result<Option<String>> {
    let rows =
        session.rows(&Query::OTHER_HISTORIES, &[]).await.map_err(|e| e.explain("cannot look for other histories"))?;
    rows.first().map(|row| row.try_get("name").map_err(Failure::from)).transpose()
}
