//! What pg_stat_statements has counted, as plain values. Does not know what is thought of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::measure::{Measure, Measures, select, select_texts};
use crate::error::{Failure, Kind, Result};
use crate::ident::Ident;
use crate::inspect::Eye;
use crate::inspect::redact::without_passwords;
use crate::pg::{Query, Row, Session};

/// How long one statement of the look may take: many long texts take a while.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// What is there to look at.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The database that is looked from.
    pub database: String,
    /// Its OID.
    pub dbid: i64,
    /// The role that looks.
    pub role: String,
    /// A standby, which counts for itself.
    pub standby: bool,
    /// The server's version number.
    pub server: i64,
    /// The extension, where it is created in this database.
    pub extension: Option<Extension>,
    /// Settings by name that this role may see; `pending` waits for a restart.
    pub settings: BTreeMap<String, String>,
    block_size: f64,
}

/// The extension as it is in this database.
#[derive(Debug, Clone)]
pub struct Extension {
    /// Its version.
    pub version: String,
    /// Where its view lies.
    pub schema: Ident,
    /// The columns of its view.
    pub columns: BTreeSet<String>,
    info: bool,
    /// Whether the role may use that schema.
    pub may_use: bool,
}

/// Which statement of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The role.
    pub userid: i64,
    /// The database.
    pub dbid: i64,
    /// The statement; none where the role that looks may not see it.
    pub queryid: Option<i64>,
    /// Not inside of a function.
    pub toplevel: bool,
}

/// What was counted of one statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose.
    pub key: Key,
    /// Since when, in seconds since 1970, where the version says it.
    pub since: Option<f64>,
    /// The counts.
    pub measures: Measures,
}

/// The counts of one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// When.
    pub at: DateTime<Utc>,
    /// Every statement.
    pub entries: Vec<Entry>,
    /// How many times statements had to make room for others.
    pub deallocations: Option<i64>,
    /// Since when is counted, where the version says it.
    pub reset_at: Option<DateTime<Utc>>,
}

/// A statement by its words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    /// Who ran it.
    pub role: Option<String>,
    /// Where.
    pub database: Option<String>,
    /// The text.
    pub query: Option<String>,
    /// dbctl itself asks it.
    pub is_own: bool,
}

impl Setup {
    /// Whether the server has loaded the library.
    pub fn is_loaded(&self) -> bool {
        self.settings.contains_key("pg_stat_statements.max")
    }

    /// The extension, where it can answer.
    pub fn usable(&self) -> Option<&Extension> {
        self.extension.as_ref().filter(|extension| self.is_loaded() && extension.may_use)
    }

    /// A setting that is switched off.
    pub fn is_off(&self, name: &str) -> bool {
        self.settings.get(name).is_some_and(|value| value == "off")
    }

    pub(super) async fn read(session: &Session) -> Result<Setup> {
        let rows = session.rows(&Query::STATEMENTS_SETUP, &[]).await;
        let rows = rows.map_err(|e| e.explain("cannot see whether pg_stat_statements is there"))?;
        let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say what it has"))?;
        let settings: Option<String> = row.try_get("settings")?;
        let version: Option<String> = row.try_get("version")?;
        let schema: Option<String> = row.try_get("schema")?;
        let columns: Vec<String> = row.try_get("columns")?;
        let (info, may_use): (bool, bool) = (row.try_get("info")?, row.try_get("may_use")?);
        let extension = version.zip(schema).map(|(version, schema)| Extension {
            version,
            schema: Ident::new(schema),
            columns: columns.into_iter().collect(),
            info,
            may_use,
        });
        Ok(Setup {
            database: row.try_get("database")?,
            dbid: row.try_get("dbid")?,
            role: row.try_get("role")?,
            standby: row.try_get("standby")?,
            server: row.try_get("server")?,
            extension,
            settings: serde_json::from_str(settings.as_deref().unwrap_or("{}"))?,
            block_size: row.try_get("block_size")?,
        })
    }
}

/// Looks at what there is; with the counts where pg_stat_statements is usable.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye) -> Result<(Setup, Option<Counts>)> {
    eye.look(LIMIT, async |session| {
        let setup = Setup::read(session).await?;
        let counts = match setup.usable() {
            Some(extension) => Some(counts(session, extension, setup.block_size).await?),
            None => None,
        };
        Ok((setup, counts))
    })
    .await
}

async fn counts(session: &Session, extension: &Extension, block_size: f64) -> Result<Counts> {
    let explain = |e: crate::pg::ServerError| e.explain("cannot read pg_stat_statements");
    let (mut deallocations, mut reset_at) = (None, None);
    if extension.info {
        let sql = format!("SELECT dealloc, stats_reset FROM {}.pg_stat_statements_info", extension.schema);
        if let Some(row) = session.rows_of(&sql).await.map_err(explain)?.first() {
            (deallocations, reset_at) = (row.try_get("dealloc")?, row.try_get("stats_reset")?);
        }
    }
    let rows = session.rows_of(&select(&extension.schema, &extension.columns)).await.map_err(explain)?;
    let entries = rows.iter().map(|row| entry(row, block_size)).collect::<Result<Vec<Entry>>>()?;
    Ok(Counts { at: Utc::now(), entries, deallocations, reset_at })
}

fn key(row: &Row) -> Result<Key> {
    Ok(Key {
        userid: row.try_get("userid")?,
        dbid: row.try_get("dbid")?,
        queryid: row.try_get("queryid")?,
        toplevel: row.try_get("toplevel")?,
    })
}

fn entry(row: &Row, block_size: f64) -> Result<Entry> {
    let first = row.len().saturating_sub(Measure::all().count());
    let numbers = (first..row.len()).map(|at| Ok(row.try_get(at)?)).collect::<Result<Vec<Option<f64>>>>()?;
    Ok(Entry { key: key(row)?, since: row.try_get("since")?, measures: Measures::of_server(numbers, block_size) })
}

/// What dbctl itself sends: catalog queries, the frame of a look, the SELECT of the counts.
fn is_own(query: &str) -> bool {
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
    let sets = [
        "SET LOCAL lock_timeout = ",
        "SET LOCAL statement_timeout = ",
        "SET LOCAL search_path = ",
        "SET LOCAL TimeZone = ",
        "SET LOCAL stats_fetch_consistency = ",
        "SET LOCAL jit = ",
    ];
    let body = body(query);
    query == begin
        || sets.iter().any(|set| query.starts_with(set))
        || query.contains("pg_catalog.") && Query::ALL.iter().any(|known| body.starts_with(before_values(known.text())))
        || query.contains("pg_stat_statements(") && query.contains("pg_catalog.int8 AS dbid")
        || query.contains("pg_stat_statements_info") && query.starts_with("SELECT dealloc, stats_reset FROM")
}

/// A query without the comment that it begins with, which some versions leave out.
pub(super) fn body(query: &str) -> &str {
    let mut rest = query.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}

/// The beginning of a catalog query up to its first value, instead of which a placeholder is kept.
fn before_values(query: &str) -> &str {
    let body = body(query);
    let end = body.find(|c: char| c == '\'' || c == '$' || c.is_ascii_digit()).unwrap_or(body.len());
    body.get(..end).filter(|begin| begin.len() > 20).unwrap_or(body)
}

/// The words of these statements.
///
/// # Errors
/// The server's.
pub async fn texts(eye: &Eye, extension: &Extension, keys: &[Key]) -> Result<BTreeMap<Key, Text>> {
    let ids: Vec<i64> = keys.iter().filter_map(|key| key.queryid).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = select_texts(&extension.schema, &extension.columns, &ids);
    eye.look(LIMIT, async |session| {
        let rows = session.rows_of(&sql).await.map_err(|e| e.explain("cannot read the texts of statements"))?;
        let text = |row: &Row| -> Result<(Key, Text)> {
            let query = row.try_get::<_, Option<String>>("query")?.map(without_passwords);
            let is_own = query.as_deref().is_some_and(is_own);
            Ok((key(row)?, Text { role: row.try_get("role")?, database: row.try_get("database")?, query, is_own }))
        };
        rows.iter().map(text).collect()
    })
    .await
}
