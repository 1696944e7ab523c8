//! What status and check read beside the snapshot. Each question stands alone, with limits of its own:
//! what may not be read, is locked or takes too long is unknown, and keeps nothing else from being
//! answered. Does not decide.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::Request;
use super::look;
use super::plan::Wish;
use super::read::{self, Snapshot};
use super::set::Set;
use super::work::{self, Found};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::pg::{Interrupt, Query, Row, ServerError, Session, ToSql};
use crate::policy::calendar::Every;
use crate::policy::key::{Codec, Range};
use crate::policy::{Hold, TablePolicy};

/// The limits of one question.
const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'; \
                     SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL jit = off";

/// The command whose runs are looked at.
const ROTATE: &str = "partitions rotate";

/// Windows of the future that rows of a DEFAULT partition are counted for.
const MOST_WINDOWS: usize = 24;

/// An answer, or why there is none.
pub type Known<T> = std::result::Result<T, Unknown>;

/// Why something could not be determined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Why.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What was read beside the snapshot.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Sizes of partitions and of what lies aside, by oid.
    pub estimates: BTreeMap<u32, Estimate>,
    /// In what partitions differ from their tables, by the table's oid.
    pub drift: Known<BTreeMap<u32, Vec<Drift>>>,
    /// The last rotate; nothing where there never was one.
    pub last_run: Known<Option<LastRun>>,
    /// What lies in the schema of those that wait for their end.
    pub trash: Known<Vec<(u32, TableName)>>,
    /// Rows of DEFAULT partitions, by the partition's oid.
    pub defaults: BTreeMap<u32, Known<DefaultRows>>,
}

/// As the last VACUUM or ANALYZE has noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// Rows.
    pub rows: Option<i64>,
    /// With indexes and TOAST.
    pub bytes: Option<u64>,
}

/// A partition that differs from its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The partition.
    pub partition: TableName,
    /// In what: `owner`, `missing index`, …
    pub aspect: String,
    /// Which.
    pub detail: Option<String>,
}

/// The last run of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How it ended; nothing while it works, or where it was killed.
    pub outcome: Option<String>,
    /// When one last ended `done` or `partial`.
    pub good_at: Option<DateTime<Utc>>,
}

/// Rows in a DEFAULT partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefaultRows {
    /// How many; nothing where there are some, and counting them took too long.
    pub rows: Option<i64>,
    /// The smallest key.
    pub oldest: Option<String>,
    /// The largest key.
    pub newest: Option<String>,
    /// Partitions that are to be made, and how many rows keep each from being made.
    pub blocked: Vec<(Range, i64)>,
}

/// A table of the policy, as far as it could be looked at.
pub struct Looked<'a> {
    /// The entry of the policy.
    pub entry: &'a TablePolicy,
    /// The table with what a run would do to it, or why that cannot be said.
    pub found: Result<Found<'a>>,
    /// The same at another time.
    pub earlier: Option<Found<'a>>,
}

/// What a run that may do everything, but was told nothing, would do.
pub fn wish() -> Wish {
    Wish { create: true, expire: true, ..Wish::default() }
}

/// The snapshot. A key without a meaning in time that cannot be read spoils its own table only.
///
/// # Errors
/// Unreachable, not permitted.
pub async fn snapshot(
    request: &Request,
    interrupt: &Interrupt,
) -> Result<(Session, Snapshot, BTreeMap<TableName, Unknown>)> {
    let session = Session::open(&request.connection, &format!("partitions {}", request.verb), interrupt).await?;
    let entries = work::wanted(&request.policy, request.system.as_deref(), &request.only);
    let wanted = entries.iter().map(|entry| entry.table.clone()).collect();
    let mut snapshot = read::snapshot(&session, &wanted, &BTreeMap::new()).await?;
    let asker = Asker { session: &session, interrupt, role: Ident::new(snapshot.server.role.as_str()) };
    let mut unknown = BTreeMap::new();
    for entry in entries.iter().filter(|entry| matches!(entry.every, Every::Values(_))) {
        let Some(table) = snapshot.tables.get_mut(&entry.table) else { continue };
        if !matches!(table.kind, read::TableKind::Range { .. }) {
            continue;
        }
        let sql = format!("SELECT pg_catalog.max({})::text FROM {}", entry.key, entry.table);
        match asker.ask_of(&entry.table, &sql).await? {
            Ok(rows) => table.largest = rows.first().map_or(Ok(None), |row| row.try_get(0))?,
            Err(why) => drop(unknown.insert(entry.table.clone(), why)),
        }
    }
    Ok((session, snapshot, unknown))
}

/// Every table with what a run would do to it.
pub fn look<'a>(
    request: &'a Request,
    snapshot: &'a Snapshot,
    entries: &[&'a TablePolicy],
    unknown: &BTreeMap<TableName, Unknown>,
    now: DateTime<Utc>,
    earlier: DateTime<Utc>,
) -> Vec<Looked<'a>> {
    let holds: Vec<Hold> = look::holds(request, snapshot);
    let find = |entry: &'a TablePolicy, at| match unknown.get(&entry.table) {
        None => work::find(&request.policy, entry, snapshot, &holds, &wish(), at),
        Some(unknown) => {
            let message = format!("the largest {} of {} is UNKNOWN: {}", entry.key, entry.table, unknown.why);
            let failure = Failure::new(Kind::Failed, message);
            Err(unknown.hint.iter().fold(failure, |failure, hint| failure.hint(hint)))
        }
    };
    let looked =
        |entry: &&'a TablePolicy| Looked { entry, found: find(entry, now), earlier: find(entry, earlier).ok() };
    entries.iter().map(looked).collect()
}

/// Reads the rest.
///
/// # Errors
/// A lost connection, a signal.
pub async fn observe(
    session: &Session,
    snapshot: &Snapshot,
    looked: &[Looked<'_>],
    interrupt: &Interrupt,
) -> Result<Observed> {
    let asker = &Asker { session, interrupt, role: Ident::new(snapshot.server.role.as_str()) };
    let trash = trash(asker).await?;
    let mut oids: Vec<u32> = snapshot.state.leaving.iter().map(|row| row.oid).collect();
    oids.extend(trash.iter().flatten().map(|(oid, _)| *oid));
    let parents: Vec<u32> = snapshot.tables.values().map(|table| table.oid).collect();
    oids.extend(snapshot.tables.values().flat_map(|table| &table.partitions).map(|partition| partition.oid));
    let mut estimates = BTreeMap::new();
    for row in asker.ask(&Query::PARTITION_ESTIMATES, &[&oids]).await?.iter().flatten() {
        let bytes: Option<i64> = row.try_get("bytes")?;
        let estimate =
            Estimate { rows: row.try_get("rows")?, bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()) };
        estimates.insert(row.try_get("oid")?, estimate);
    }
    let drift = match asker.ask(&Query::PARTITION_DRIFT, &[&parents]).await? {
        Ok(rows) => Ok(drift(&rows)?),
        Err(unknown) => Err(unknown),
    };
    let last_run = last_run(asker, snapshot).await?;
    let mut defaults = BTreeMap::new();
    for found in looked.iter().filter_map(|looked| looked.found.as_ref().ok()) {
        if let Some(default) = found.set.default {
            defaults.insert(default.oid, default_rows(asker, found, &default.name).await?);
        }
    }
    Ok(Observed { estimates, drift, last_run, trash, defaults })
}

async fn trash(asker: &Asker<'_>) -> Result<Known<Vec<(u32, TableName)>>> {
    Ok(match asker.ask(&Query::PARTITION_TRASH, &[]).await? {
        Ok(rows) => {
            let row = |row: &Row| -> Result<(u32, TableName)> {
                let name = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
                Ok((row.try_get("oid")?, name))
            };
            Ok(rows.iter().map(row).collect::<Result<_>>()?)
        }
        Err(unknown) => Err(unknown),
    })
}

fn drift(rows: &[Row]) -> Result<BTreeMap<u32, Vec<Drift>>> {
    let mut found: BTreeMap<u32, Vec<Drift>> = BTreeMap::new();
    for row in rows {
        let partition = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
        let drift = Drift { partition, aspect: row.try_get("aspect")?, detail: row.try_get("detail")? };
        found.entry(row.try_get("parent")?).or_default().push(drift);
    }
    Ok(found)
}

async fn last_run(asker: &Asker<'_>, snapshot: &Snapshot) -> Result<Known<Option<LastRun>>> {
    if !snapshot.server.has_state {
        return Ok(Ok(None));
    }
    Ok(match asker.ask(&Query::PARTITION_LAST_RUN, &[&ROTATE]).await? {
        Ok(rows) => {
            let run = |row: &Row| -> Result<LastRun> {
                Ok(LastRun {
                    started_at: row.try_get("started_at")?,
                    outcome: row.try_get("outcome")?,
                    good_at: row.try_get("good_at")?,
                })
            };
            Ok(rows.first().map(run).transpose()?)
        }
        Err(unknown) => Err(unknown),
    })
}

/// First whether there are any, which ends at the first one; only then how many.
async fn default_rows(asker: &Asker<'_>, found: &Found<'_>, default: &TableName) -> Result<Known<DefaultRows>> {
    let any = match asker.ask_of(default, &format!("SELECT EXISTS (SELECT FROM {default})")).await? {
        Ok(rows) => rows.first().map_or(Ok(false), |row| row.try_get(0))?,
        Err(unknown) => {
            // A right on the partition alone would make it differ from its table.
            let (table, role) = (&found.set.policy.table, &asker.role);
            let both = format!(
                "GRANT USAGE ON SCHEMA {} TO {role}; GRANT SELECT ON {table}, {default} TO {role}",
                table.schema
            );
            return Ok(Err(Unknown { hint: unknown.hint.map(|_| both), ..unknown }));
        }
    };
    if !any {
        return Ok(Ok(DefaultRows { rows: Some(0), ..DefaultRows::default() }));
    }
    let windows: Vec<Range> = found.plan.create.iter().map(|creation| creation.range).take(MOST_WINDOWS).collect();
    let rows = match asker.ask_of(default, &count_sql(&found.set, default, &windows)).await? {
        Ok(rows) => rows,
        // There are some: that is known, and worse than how many.
        Err(_) => return Ok(Ok(DefaultRows::default())),
    };
    let Some(row) = rows.first() else { return Ok(Ok(DefaultRows::default())) };
    let mut counted = DefaultRows {
        rows: Some(row.try_get(0)?),
        oldest: row.try_get(1)?,
        newest: row.try_get(2)?,
        blocked: Vec::new(),
    };
    for (index, window) in windows.iter().enumerate() {
        let rows: i64 = row.try_get(index + 3)?;
        if rows > 0 {
            counted.blocked.push((*window, rows));
        }
    }
    Ok(Ok(counted))
}

/// One scan: how many, from where to where, and how many in each window.
fn count_sql(set: &Set<'_>, default: &TableName, windows: &[Range]) -> String {
    let key: &Ident = &set.policy.key;
    // Servers before 18 know no smallest uuid; their texts are in the same order.
    let value = match set.grid.axis.codec {
        Codec::UuidV7 => format!("{key}::text COLLATE pg_catalog.\"C\""),
        _ => key.to_string(),
    };
    let mut sql = format!("SELECT pg_catalog.count(*), pg_catalog.min({value})::text, pg_catalog.max({value})::text");
    for window in windows {
        let (lower, upper) = (set.bound_sql(window.lower()), set.bound_sql(window.upper()));
        let _ = write!(sql, ",\n    pg_catalog.count(*) FILTER (WHERE {key} >= {lower} AND {key} < {upper})");
    }
    let _ = write!(sql, "\nFROM {default}");
    sql
}

/// Who asks.
struct Asker<'a> {
    session: &'a Session,
    interrupt: &'a Interrupt,
    role: Ident,
}

impl Asker<'_> {
    async fn ask(&self, query: &Query, params: &[&(dyn ToSql + Sync)]) -> Result<Known<Vec<Row>>> {
        let (begun, rows) = tokio::join!(self.session.send(BEGIN), self.session.rows(query, params));
        let hint =
            format!("GRANT USAGE ON SCHEMA dbctl TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA dbctl TO {0}", self.role);
        self.settle(begun.and(rows), query.name, hint).await
    }

    async fn ask_of(&self, table: &TableName, sql: &str) -> Result<Known<Vec<Row>>> {
        let (begun, rows) = tokio::join!(self.session.send(BEGIN), self.session.rows_of(sql));
        let (schema, role) = (&table.schema, &self.role);
        let hint = format!("GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {table} TO {role}");
        self.settle(begun.and(rows), &table.to_string(), hint).await
    }

    /// Ends the question's transaction. Only a lost connection and a signal are failures.
    async fn settle(
        &self,
        rows: std::result::Result<Vec<Row>, ServerError>,
        of: &str,
        grant: String,
    ) -> Result<Known<Vec<Row>>> {
        let error = match rows {
            Ok(rows) => {
                self.end().await?;
                return Ok(Ok(rows));
            }
            Err(error) => error,
        };
        self.interrupt.check()?;
        if error.is_lost() {
            return Err(error.explain(format!("cannot read {of}")));
        }
        self.end().await?;
        let why = match error.code() {
            Some("55P03") => format!("a lock on {of} was not to be had within 1 s"),
            Some("57014") => format!("reading {of} took longer than 5 s"),
            _ => error.message(),
        };
        let hint = (error.code() == Some("42501")).then_some(grant);
        Ok(Err(Unknown { why, hint }))
    }

    async fn end(&self) -> Result<()> {
        self.session.send("ROLLBACK").await.map_err(|e| e.explain("cannot end a read-only transaction"))
    }
}
