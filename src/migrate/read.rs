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
    /// A history table of another migration tool.
    pub other_tool: Option<String>,
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
        return Ok(Snapshot { server, history: None, noted: Some(BTreeMap::new()), other_tool });
    };
    let table = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
    let (columns, types): (Vec<String>, Vec<String>) = (row.try_get("columns")?, row.try_get("types")?);
    let width = width(&table, &columns, &types)?;
    if !row.try_get::<_, bool>("readable")? {
        return Err(Failure::new(Kind::NotPermitted, format!("role {} may not read {table}", server.role)).hint(
            format!("let its owner run: GRANT SELECT ON {table} TO {}", crate::ident::Ident::new(server.role.as_str())),
        ));
    }
    let (rows, noted) = tokio::join!(history_rows(session, &table), noted(session, &server, &table));
    Ok(Snapshot { server, history: Some(History { table, width, rows: rows? }), noted: noted?, other_tool: None })
}

fn width(table: &TableName, columns: &[String], types: &[String]) -> Result<Width> {
    let of = |name: &str| columns.iter().position(|c| c == name).and_then(|at| types.get(at)).map(String::as_str);
    let width = match of("version") {
        Some("integer") => Width::Int4,
        Some("bigint") => Width::Int8,
        _ => return Err(not_refinerys(table, columns)),
    };
    if ["name", "applied_on", "checksum"].iter().any(|c| of(c).is_none()) {
        return Err(not_refinerys(table, columns));
    }
    Ok(width)
}

fn not_refinerys(table: &TableName, columns: &[String]) -> Failure {
    Failure::new(
        Kind::Refused,
        format!("{table} is not a history of refinery: it has the columns {}", columns.join(", ")),
    )
    .hint("refinery's has version (int4 or int8), name, applied_on, checksum; rename the other table, or set search_path to another schema")
}

/// Everything as text: a damaged row is told, not fatal.
async fn history_rows(session: &Session, table: &TableName) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT version::bigint AS version, COALESCE(name::text, '') AS name, COALESCE(applied_on::text, '') AS applied_on, \
         COALESCE(checksum::text, '') AS checksum FROM {table} ORDER BY version"
    );
    let rows = session.rows_of(&sql).await.map_err(|e| e.explain(format!("cannot read {table}")))?;
    rows.iter()
        .map(|row| {
            Ok(Row {
                version: row.try_get("version")?,
                name: row.try_get("name")?,
                applied_on: row.try_get("applied_on")?,
                checksum: row.try_get("checksum")?,
            })
        })
        .collect()
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

async fn other_tool(session: &Session) -> Result<Option<String>> {
    let rows =
        session.rows(&Query::OTHER_HISTORIES, &[]).await.map_err(|e| e.explain("cannot look for other histories"))?;
    rows.first().map(|row| row.try_get("name").map_err(Failure::from)).transpose()
}
