//! Rows made up for a scratch database, so that rewrites and reads have something to do: counts at
//! most are taken from the target, never data. What cannot be filled is told.

mod plan;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Failure, Result};
use crate::ident::TableName;
use crate::migrate::replay::Bench;
use crate::pg::{Interrupt, Query, Session};
use crate::steps::events::Silent;
use crate::steps::{Lane, Plan, Statement, Step, Timeouts};
use plan::{Column, Key, Table, Width};

/// How long one table may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much is made up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fill {
    /// For every table.
    pub every: Option<Amount>,
    /// For single tables: `schema.table` or `table`, and rows.
    pub tables: Vec<(String, u64)>,
    /// No table gets more than these.
    pub most: u64,
}

/// Rows a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Rows(u64),
    /// As many as the target's statistics say.
    LikeTarget,
}

/// What the target's statistics say of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// None where nobody has counted.
    pub(super) rows: Option<f64>,
    pub(super) bytes: i64,
}

/// By table.
pub(super) type Estimates = BTreeMap<TableName, Estimate>;

/// What became of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) table: String,
    /// Rows that were wanted; none where nobody knows how many there should be.
    pub(super) wanted: Option<u64>,
    /// Rows that are in it now; none where that is not known.
    pub(super) rows: Option<u64>,
    /// Why it has fewer, where it has.
    pub(super) reason: Option<String>,
}

impl Fill {
    /// Whether anything is wanted.
    pub fn is_wanted(&self) -> bool {
        self.every.is_some() || !self.tables.is_empty()
    }

    /// Rows for a table, and whether that is known.
    fn wanted(&self, name: &TableName, estimates: &Estimates) -> Option<Result<u64, String>> {
        let called = |word: &str| {
            word == name.to_string()
                || word == name.name.raw()
                || word == format!("{}.{}", name.schema.raw(), name.name.raw())
        };
        if let Some((_, rows)) = self.tables.iter().find(|(word, _)| called(word)) {
            return Some(Ok(*rows));
        }
        Some(match self.every? {
            Amount::Rows(rows) => Ok(rows.min(self.most)),
            Amount::LikeTarget => match estimates.get(name) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate; saturates")]
                Some(Estimate { rows: Some(rows), .. }) => Ok((*rows as u64).min(self.most)),
                Some(_) => Err("the target has never counted its rows: ANALYZE it there".to_owned()),
                None => Err("the target does not have it".to_owned()),
            },
        })
    }
}

/// Reads the target's estimates. Reads statistics only.
///
/// # Errors
/// The server's.
pub(super) async fn estimates(session: &Session) -> Result<Estimates> {
    let rows = session
        .rows(&Query::RELATION_ESTIMATES, &[])
        .await
        .map_err(|e| e.explain("cannot read how large tables are"))?;
    rows.iter()
        .map(|row| {
            let name = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
            Ok((name, Estimate { rows: row.try_get("rows")?, bytes: row.try_get("bytes")? }))
        })
        .collect()
}

/// Fills what is there, parents before those that refer to them.
///
/// # Errors
/// Interrupted; the connection's. A table that cannot be filled is part of the answer.
pub(super) async fn perform(
    bench: &mut Bench,
    fill: &Fill,
    estimates: &Estimates,
    skip: impl Fn(&TableName) -> bool,
    interrupt: &Interrupt,
) -> Result<Vec<Filled>> {
    let tables: Vec<Table> =
        tables(bench.executor().session()).await?.into_iter().filter(|table| !skip(&table.name)).collect();
    let (ordered, circle) = plan::in_order(&tables);
    let mut rows: BTreeMap<i64, u64> = BTreeMap::new();
    let mut done = Vec::new();
    for table in ordered {
        interrupt.check()?;
        let before = count(bench.executor().session(), &table.name).await?;
        rows.insert(table.oid, before);
        let Some(wanted) = fill.wanted(&table.name, estimates) else { continue };
        let name = table.name.to_string();
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(reason) => {
                done.push(Filled { table: name, wanted: None, rows: Some(before), reason: Some(reason) });
                continue;
            }
        };
        let mut reason = None;
        if wanted > before {
            reason = insert(bench, table, wanted - before, &rows).await?.err();
        }
        let now = count(bench.executor().session(), &table.name).await?;
        rows.insert(table.oid, now);
        if reason.is_none() && now < wanted {
            reason = Some("more rows would not be unique".to_owned());
        }
        done.push(Filled { table: name, wanted: Some(wanted), rows: Some(now), reason });
    }
    for table in circle {
        if let Some(wanted) = fill.wanted(&table.name, estimates) {
            let reason = Some("its foreign keys go in a circle".to_owned());
            let rows = Some(count(bench.executor().session(), &table.name).await?);
            done.push(Filled { table: table.name.to_string(), wanted: wanted.ok(), rows, reason });
        }
    }
    done.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(done)
}

/// Tries with every column, then with those that must have a value; says why neither works.
async fn insert(bench: &mut Bench, table: &Table, rows: u64, known: &BTreeMap<i64, u64>) -> Result<Result<(), String>> {
    let mut reason = String::new();
    for width in [Width::All, Width::Needed] {
        let sql = match plan::insert(table, rows, width, |oid| known.get(&oid).copied().unwrap_or(0)) {
            Ok(sql) => sql,
            Err(why) => return Ok(Err(why)),
        };
        let mut tries = vec![sql.clone()];
        // A unique constraint that is deferrable does not take it.
        tries.push(sql.replace("\nON CONFLICT DO NOTHING;", ";"));
        for sql in tries {
            let executor = bench.executor();
            let step = step(table, &sql, executor.server().step_settings("rehearse fill"));
            match executor.perform(&Plan { steps: vec![step] }, &mut Silent).await {
                Ok(_) => return Ok(Ok(())),
                Err(failure) => {
                    reason = why(failure)?;
                    if !reason.contains("ON CONFLICT") {
                        break;
                    }
                }
            }
        }
    }
    Ok(Err(reason))
}

/// The server's word; what ends the run is no reason.
fn why(failure: Failure) -> Result<String> {
    use crate::error::Kind;
    if matches!(failure.what(), Kind::Interrupted | Kind::Terminated | Kind::Unreachable) {
        return Err(failure);
    }
    let messages = failure.messages();
    Ok(messages.last().map_or_else(String::new, |message| message.lines().next().unwrap_or_default().to_owned()))
}

fn step(table: &Table, sql: &str, settings: Vec<(&'static str, String)>) -> Step {
    let sql: Arc<str> = sql.into();
    let analyze: Arc<str> = format!("ANALYZE {};", table.name).into();
    Step {
        id: format!("fill:{}", table.name),
        title: format!("rows for {}", table.name),
        file: "made-up rows".to_owned(),
        file_text: Arc::clone(&sql),
        why: "a rehearsal with rows".to_owned(),
        lane: Lane::Transaction,
        settings,
        timeouts: Timeouts { lock: Duration::from_secs(3), statement: PATIENCE },
        statements: vec![Statement::whole(sql), Statement::whole(analyze)],
        record: Vec::new(),
    }
}

async fn count(session: &Session, table: &TableName) -> Result<u64> {
    let sql = format!("SELECT pg_catalog.count(*) AS rows FROM {table}");
    let rows = session.rows_of(&sql).await.map_err(|e| e.explain(format!("cannot count {table}")))?;
    let rows: i64 = rows.first().map_or(Ok(0), |row| row.try_get("rows"))?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

async fn tables(session: &Session) -> Result<Vec<Table>> {
    let doing = "cannot see which columns there are";
    let columns = session.rows(&Query::FILL_COLUMNS, &[]).await.map_err(|e| e.explain(doing))?;
    let keys = session.rows(&Query::FILL_KEYS, &[]).await.map_err(|e| e.explain(doing))?;
    let mut tables: Vec<Table> = Vec::new();
    for row in &columns {
        let oid: i64 = row.try_get("relation")?;
        if tables.last().is_none_or(|table| table.oid != oid) {
            let name = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
            tables.push(Table { oid, name, columns: Vec::new(), keys: Vec::new() });
        }
        let column = Column {
            name: row.try_get("column")?,
            type_: row.try_get("type")?,
            base: row.try_get("base")?,
            sort: row.try_get("sort")?,
            category: row.try_get("category")?,
            length: row.try_get::<_, Option<i32>>("length")?.map(i64::from),
            digits: row.try_get::<_, Option<i32>>("digits")?.map(i64::from),
            not_null: row.try_get("not_null")?,
            has_default: row.try_get("has_default")?,
            is_unique: row.try_get("is_unique")?,
            checks: row.try_get("checks")?,
            bound: row.try_get("bound")?,
        };
        if let Some(table) = tables.last_mut() {
            table.columns.push(column);
        }
    }
    let names: BTreeMap<i64, TableName> = tables.iter().map(|table| (table.oid, table.name.clone())).collect();
    for row in &keys {
        let oid: i64 = row.try_get("relation")?;
        let parent: i64 = row.try_get("parent")?;
        let key = Key {
            parent,
            parent_name: names.get(&parent).cloned(),
            columns: row.try_get("columns")?,
            referenced: row.try_get("referenced")?,
            in_unique: row.try_get("in_unique")?,
        };
        if let Some(table) = tables.iter_mut().find(|table| table.oid == oid) {
            table.keys.push(key);
        }
    }
    Ok(tables)
}

/// What the flag for single tables says: `orders=1000`.
///
/// # Errors
/// What it should look like.
pub fn parse_rows(text: &str) -> std::result::Result<(String, u64), String> {
    let wrong = || format!("write it like orders=100000 or app.orders=100000, not '{}'", crate::output::visible(text));
    let (table, rows) = text.rsplit_once('=').ok_or_else(wrong)?;
    let rows = rows.trim().replace('_', "").parse().map_err(|_| wrong())?;
    if table.is_empty() { Err(wrong()) } else { Ok((table.trim().to_owned(), rows)) }
}

/// What the flag for every table says: `1000` or `like-target`.
///
/// # Errors
/// What it should be.
pub fn parse_amount(text: &str) -> std::result::Result<Amount, String> {
    match text {
        "like-target" => Ok(Amount::LikeTarget),
        number => number
            .replace('_', "")
            .parse()
            .map(Amount::Rows)
            .map_err(|_| format!("'{}' is neither a number of rows nor like-target", crate::output::visible(text))),
    }
}
