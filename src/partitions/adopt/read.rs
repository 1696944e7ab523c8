//! Reads a plain table and everything that hangs on it, in one read-only snapshot, and then its
//! newest row within a time limit. Does not decide.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::record::Record;
use crate::error::{Explain, Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::partitions::likeness::{Grant, Grants};
use crate::pg::{Query, Server, Session, ToSql};

/// A look into the rows without a fitting index must not keep a session busy for long.
const PEEK: Duration = Duration::from_secs(10);
const CATALOG: Duration = Duration::from_secs(30);

/// A table and all that hangs on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The server and who we are.
    pub server: Server,
    /// The table.
    pub table: TableName,
    /// As a whole.
    pub facts: Facts,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// Its indexes, the primary key first.
    pub indexes: Vec<Index>,
    /// CHECK, NOT NULL and FOREIGN KEY, and foreign keys that lead to it.
    pub constraints: Vec<Constraint>,
    /// Triggers, policies, rules.
    pub actions: Actions,
    /// Rights.
    pub grants: Grants,
    /// What else is bound to it.
    pub bound: Bound,
    /// What an earlier run has begun, and the oid of the table it was.
    pub begun: Option<Begun>,
    /// The oid of the table that has the recorded shell's name.
    pub shell: Option<i64>,
    /// The newest key as text at UTC.
    pub newest: Newest,
    /// Whether there are rows without a key.
    pub nulls: Option<bool>,
}

/// What an earlier run has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// The table's oid when it was plain: now the history partition's.
    pub relation: i64,
    /// What was decided.
    pub record: Record,
    /// The table was exchanged already.
    pub swapped: bool,
}

/// The newest key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Newest {
    /// There is no row with a key.
    None,
    /// As text, at UTC.
    Some(String),
    /// It could not be told within the time.
    Unknown,
}

/// The table as a whole.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Facts {
    pub oid: i64,
    pub shown: String,
    pub kind: String,
    pub persistence: String,
    pub partition: bool,
    pub inherits: bool,
    pub typed: bool,
    pub extension: Option<String>,
    pub owner: String,
    pub tablespace: Option<String>,
    pub access_method: Option<String>,
    pub options: Vec<String>,
    pub toast_options: Vec<String>,
    pub row_security: bool,
    pub force_row_security: bool,
    pub replica_identity: String,
    pub comment: Option<String>,
    pub labelled: bool,
    pub rows: i64,
    pub bytes: i64,
    pub partition_key: Option<String>,
    pub names: Vec<String>,
    pub now: f64,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub not_null: bool,
    pub identity: String,
    pub generated: String,
    pub default: Option<String>,
    pub statistics: Option<i32>,
    pub options: Vec<String>,
    pub sequence: Option<Sequence>,
}

/// A sequence that belongs to a column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sequence {
    pub schema: String,
    pub name: String,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
    pub comment: Option<String>,
    pub grants: Vec<Grant>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Index {
    pub name: String,
    pub definition: String,
    pub unique: bool,
    pub exclusion: bool,
    pub valid: bool,
    pub replica_identity: bool,
    pub tablespace: Option<String>,
    pub columns: Vec<String>,
    pub comment: Option<String>,
    pub constraint: Option<String>,
    pub constraint_definition: Option<String>,
    pub constraint_comment: Option<String>,
    pub primary: bool,
}

/// A constraint without an index.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Constraint {
    pub name: String,
    pub table: String,
    pub other: Option<String>,
    pub inbound: Option<bool>,
    pub kind: String,
    pub definition: String,
    pub valid: bool,
    pub no_inherit: bool,
    pub enforced: bool,
}

/// What the table does by itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Actions {
    pub triggers: Vec<Trigger>,
    pub policies: Vec<RowPolicy>,
    pub rules: Vec<String>,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Trigger {
    pub name: String,
    pub definition: String,
    pub enabled: String,
    pub by_row: bool,
    pub transition: bool,
    pub comment: Option<String>,
}

/// A policy of row-level security.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RowPolicy {
    pub name: String,
    pub permissive: bool,
    pub command: String,
    pub roles: Vec<String>,
    pub using: Option<String>,
    pub check: Option<String>,
    pub comment: Option<String>,
}

/// What is bound to the table itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bound {
    /// Views.
    pub views: Vec<View>,
    /// What cannot be bound to another table here, as the server describes it.
    pub others: Vec<String>,
    /// Publications that send it.
    pub publications: Vec<Publication>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct View {
    pub name: String,
    pub definition: String,
    pub options: Vec<String>,
    pub by_key: bool,
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Publication {
    pub name: String,
    pub via_root: bool,
    pub listed: bool,
    pub filtered: bool,
}

/// Reads the table.
///
/// # Errors
/// Refused when there is no such table; the server's.
pub async fn subject(session: &Session, table: &TableName, key: &Ident) -> Result<Subject> {
    let server = Server::read(session).await?;
    session.begin_reading(CATALOG).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let read = catalog(session, server, table).await;
    session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    let mut subject = read?;
    let plain = subject.facts.kind == "r" && !subject.facts.partition;
    if let Some(column) = subject.columns.iter().find(|c| c.name == key.raw()).filter(|_| plain) {
        let nullable = !column.not_null;
        let newest = format!("SELECT {key}::text FROM {table} WHERE {key} IS NOT NULL ORDER BY {key} DESC LIMIT 1");
        subject.newest = match peek(session, &newest).await? {
            Peek::Row(Some(text)) => Newest::Some(text),
            Peek::Row(None) => Newest::None,
            Peek::TooLong => Newest::Unknown,
        };
        let nulls = format!("SELECT 'yes'::text FROM {table} WHERE {key} IS NULL LIMIT 1");
        if nullable {
            subject.nulls = match peek(session, &nulls).await? {
                Peek::Row(row) => Some(row.is_some()),
                Peek::TooLong => None,
            };
        }
    }
    Ok(subject)
}

async fn catalog(session: &Session, server: Server, table: &TableName) -> Result<Subject> {
    let facts = facts(session, table).await?.ok_or_else(|| {
        Failure::new(Kind::Refused, format!("there is no table {table} in database {}", server.database))
    })?;
    let oid = facts.oid;
    let begun = if server.reads_state { begun(session, oid, table).await? } else { None };
    let shell = match &begun {
        Some(begun) => {
            let shell = TableName { schema: table.schema.clone(), name: Ident::new(begun.record.shell.as_str()) };
            self::facts(session, &shell).await?.map(|facts| facts.oid)
        }
        None => None,
    };
    Ok(Subject {
        table: table.clone(),
        columns: list(session, &Query::ADOPT_COLUMNS, &[&oid]).await?,
        indexes: list(session, &Query::ADOPT_INDEXES, &[&oid]).await?,
        constraints: list(session, &Query::ADOPT_CONSTRAINTS, &[&oid]).await?,
        actions: list(session, &Query::ADOPT_TRIGGERS, &[&oid]).await?,
        grants: list(session, &Query::ADOPT_GRANTS, &[&oid]).await?,
        bound: list(session, &Query::ADOPT_DEPENDENTS, &[&oid]).await?,
        facts,
        begun,
        shell,
        newest: Newest::None,
        nulls: Some(false),
        server,
    })
}

/// The facts of one table; nothing when there is no such table.
///
/// # Errors
/// The server's.
pub async fn facts(session: &Session, table: &TableName) -> Result<Option<Facts>> {
    let rows = session
        .rows(&Query::ADOPT_TABLE, &[&table.to_string()])
        .await
        .map_err(|e| e.explain(format!("cannot look at table {table}")))?;
    rows.first().map(|row| parse(row.try_get("facts")?, "adopt_table")).transpose()
}

async fn begun(session: &Session, oid: i64, table: &TableName) -> Result<Option<Begun>> {
    let rows = session
        .rows(&Query::ADOPTION, &[&oid, &table.to_string()])
        .await
        .map_err(|e| e.explain("cannot read dbctl.adoption"))?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Begun {
        relation: row.try_get("relation")?,
        record: parse(row.try_get("plan")?, "adoption")?,
        swapped: row.try_get::<_, &str>("state")? == "swapped",
    }))
}

/// One value that a catalog query gives as JSON.
///
/// # Errors
/// The server's.
pub async fn list<T: DeserializeOwned>(session: &Session, query: &Query, params: &[&(dyn ToSql + Sync)]) -> Result<T> {
    let rows = session.rows(query, params).await.map_err(|e| e.explain(format!("cannot read {}", query.name)))?;
    let row = rows.first().ok_or_else(|| anyhow::anyhow!("{} gave no row", query.name))?;
    parse(row.try_get("found")?, query.name)
}

fn parse<T: DeserializeOwned>(text: &str, name: &str) -> Result<T> {
    serde_json::from_str(text).explain(Kind::Failed, format!("cannot understand what {name} says"))
}

enum Peek {
    Row(Option<String>),
    TooLong,
}

async fn peek(session: &Session, sql: &str) -> Result<Peek> {
    session.begin_reading(PEEK).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let rows = session.rows_of(sql).await;
    session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    match rows {
        Ok(rows) => Ok(Peek::Row(rows.first().map(|row| row.try_get(0)).transpose()?)),
        Err(error) if error.is_cancelled() || error.is_transient() => Ok(Peek::TooLong),
        Err(error) => Err(error.explain("cannot look into the table")),
    }
}
