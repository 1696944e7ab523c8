//! Reads what a row job's plan needs: facts of the catalog in one read-only transaction, then counts,
//! each within what is left of a few seconds. Writes nothing, waits for no lock for long, does not
//! decide.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::plan::{JobPlan, plan};
use super::snapshot::{
    Child, Column, Count, Index, JobSnapshot, Leaf, OnDelete, Readings, Rights, Standby, Target, Trigger,
};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::pg::{Query, Row, Server, ServerError, Session, ToSql};
use crate::policy::bounds;
use crate::policy::{Hold, RowAction, RowJob};

/// All counts of a job together.
const COUNTING: Duration = Duration::from_secs(5);
/// One lock.
const LOCK: Duration = Duration::from_secs(1);
const FACTS: Duration = Duration::from_secs(30);
/// An EXPLAIN only plans.
const ESTIMATE: Duration = Duration::from_secs(2);

/// Reads what is due now, and what stands around it. A table that is not there is a snapshot without an
/// oid.
///
/// # Errors
/// Deferred when somebody locks the table for long; invalid when the job's condition is not one.
pub async fn read(session: &Session, job: &RowJob, holds: &[Hold], now: DateTime<Utc>) -> Result<JobSnapshot> {
    begin(session, FACTS).await.map_err(|e| e.explain(format!("row job {}: cannot begin to read", job.name)))?;
    let facts = facts(session, job).await;
    let ended = session.send("COMMIT").await;
    let mut snapshot = facts?;
    ended.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    // The same decision that the plan is made of says what is to be counted. Where that stands in
    // its own way, there is nothing to count.
    if let Ok(draft) = plan(job, &snapshot, holds, now)
        && !draft.is_blocked()
    {
        count(session, job, &draft, &mut snapshot).await?;
    }
    Ok(snapshot)
}

/// How the server is doing.
///
/// # Errors
/// The server's.
pub(super) fn readings(pace: &[Row], standbys: &[Row]) -> Result<Readings> {
    let row = pace.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say how it is doing"))?;
    let slot_wal: Option<i64> = row.try_get("slot_wal")?;
    Ok(Readings {
        clock: Some(row.try_get("clock")?),
        lsn: row.try_get("lsn")?,
        slot_wal: slot_wal.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
        lost_standbys: row.try_get("lost_standbys")?,
        oldest_transaction: row.try_get("oldest_transaction")?,
        standbys: standbys
            .iter()
            .map(|row| {
                Ok(Standby {
                    pid: row.try_get("pid")?,
                    name: row.try_get::<_, Option<String>>("name")?.unwrap_or_default(),
                    replayed: row.try_get("replayed")?,
                    lag: row.try_get("replay_lag")?,
                })
            })
            .collect::<Result<_>>()?,
    })
}

/// Counts rows in a transaction of its own; an estimate where that takes too long.
///
/// # Errors
/// The server's, other than a lack of time.
pub(super) async fn rows(
    session: &Session,
    count: &str,
    estimate: &str,
    time: Duration,
) -> std::result::Result<Count, ServerError> {
    if !time.is_zero() {
        match ask(session, count, time).await {
            Ok(rows) => return Ok(rows.first().and_then(number).map_or(Count::Unknown, Count::Exact)),
            Err(error) if error.is_cancelled() || error.is_transient() => {}
            Err(error) => return Err(error),
        }
    }
    match ask(session, &format!("EXPLAIN (FORMAT JSON) {estimate}"), ESTIMATE).await {
        Ok(rows) => Ok(rows.first().and_then(planned).map_or(Count::Unknown, Count::About)),
        Err(error) if error.is_cancelled() || error.is_transient() => Ok(Count::Unknown),
        Err(error) => Err(error),
    }
}

fn number(row: &Row) -> Option<u64> {
    u64::try_from(row.try_get::<_, i64>(0).ok()?).ok()
}

fn planned(row: &Row) -> Option<u64> {
    let plan: serde_json::Value = row.try_get(0).ok()?;
    plan.pointer("/0/Plan/Plan Rows")?.as_f64().map(|rows| rows as u64)
}

async fn ask(session: &Session, sql: &str, time: Duration) -> std::result::Result<Vec<Row>, ServerError> {
    begin(session, time).await?;
    let rows = session.rows_of(sql).await;
    let ended = session.send("ROLLBACK").await;
    let rows = rows?;
    ended.map(|()| rows)
}

async fn begin(session: &Session, time: Duration) -> std::result::Result<(), ServerError> {
    let limits = format!(
        "SET LOCAL lock_timeout = '{}ms'; SET LOCAL statement_timeout = '{}ms'; SET LOCAL TimeZone = 'UTC'; SET LOCAL \
         DateStyle = 'ISO, YMD'",
        LOCK.as_millis(),
        time.as_millis().max(1)
    );
    session.send(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {limits}")).await
}

async fn facts(session: &Session, job: &RowJob) -> Result<JobSnapshot> {
    let doing = |e: ServerError| e.explain(format!("row job {}: cannot look at table {}", job.name, job.table));
    let server = Server::read(session).await?;
    let (pace, standbys) =
        tokio::join!(session.rows(&Query::ROW_JOB_PACE, &[]), session.rows(&Query::ROW_JOB_STANDBYS, &[]));
    let readings = readings(&pace.map_err(doing)?, &standbys.map_err(doing)?)?;
    let mut snapshot = JobSnapshot {
        oid: None,
        kind: ' ',
        row_security: false,
        role: server.role.clone(),
        rights: Rights::default(),
        partition_key: Vec::new(),
        leaves: Vec::new(),
        columns: Vec::new(),
        triggers: Vec::new(),
        children: Vec::new(),
        target: None,
        done: std::collections::BTreeMap::new(),
        due: std::collections::BTreeMap::new(),
        not_addresses: Vec::new(),
        readings,
    };
    let Some(found) = table(session, &job.table).await.map_err(doing)? else { return Ok(snapshot) };
    let oid: i64 = found.try_get("oid")?;
    snapshot.oid = Some(u32::try_from(oid)?);
    snapshot.kind = kind(&found)?;
    snapshot.row_security = found.try_get("row_security")?;
    snapshot.rights = rights(&found)?;
    snapshot.partition_key = found.try_get("partition_key")?;
    let by_oid: [&(dyn ToSql + Sync); 1] = [&oid];
    let (leaves, columns, indexes, triggers, children) = tokio::join!(
        session.rows(&Query::ROW_JOB_LEAVES, &by_oid),
        session.rows(&Query::ROW_JOB_COLUMNS, &by_oid),
        session.rows(&Query::ROW_JOB_INDEXES, &by_oid),
        session.rows(&Query::ROW_JOB_TRIGGERS, &by_oid),
        session.rows(&Query::ROW_JOB_CHILDREN, &by_oid),
    );
    snapshot.columns = columns.map_err(doing)?.iter().map(column).collect::<Result<_>>()?;
    snapshot.leaves = leaves.map_err(doing)?.iter().map(leaf).collect::<Result<_>>()?;
    for row in indexes.map_err(doing)? {
        let relation = u32::try_from(row.try_get::<_, i64>("relation")?)?;
        if let Some(leaf) = snapshot.leaves.iter_mut().find(|leaf| leaf.oid == relation) {
            leaf.indexes.push(Index {
                name: row.try_get("name")?,
                columns: row.try_get("columns")?,
                unique: row.try_get("is_unique")?,
                ordered: row.try_get("ordered")?,
            });
        }
    }
    snapshot.triggers = triggers.map_err(doing)?.iter().map(trigger).collect::<Result<_>>()?;
    snapshot.children = children.map_err(doing)?.iter().map(child).collect::<Result<_>>()?;
    if server.has_state && server.reads_state && job.once_per_partition {
        for row in session.rows(&Query::ROW_JOB_DONE, &[&job.name]).await.map_err(doing)? {
            snapshot.done.insert(u32::try_from(row.try_get::<_, i64>("relation")?)?, row.try_get("until")?);
        }
    }
    if let RowAction::Move { to } = &job.action {
        snapshot.target = Some(match table(session, to).await.map_err(doing)? {
            Some(row) if matches!(kind(&row)?, 'r' | 'p') => {
                let oid: i64 = row.try_get("oid")?;
                let columns = session.rows(&Query::ROW_JOB_COLUMNS, &[&oid]).await.map_err(doing)?;
                let columns = columns.iter().map(column).collect::<Result<_>>()?;
                Target { exists: true, rights: rights(&row)?, columns }
            }
            _ => Target { exists: false, rights: Rights::default(), columns: Vec::new() },
        });
    }
    Ok(snapshot)
}

async fn table(session: &Session, table: &TableName) -> std::result::Result<Option<Row>, ServerError> {
    let rows = session.rows(&Query::ROW_JOB_TABLE, &[&table.schema.raw(), &table.name.raw()]).await?;
    Ok(rows.into_iter().next())
}

fn kind(row: &Row) -> Result<char> {
    Ok(row.try_get::<_, String>("kind")?.chars().next().unwrap_or(' '))
}

fn rights(row: &Row) -> Result<Rights> {
    Ok(Rights {
        usage: row.try_get("may_use")?,
        select: row.try_get("may_select")?,
        insert: row.try_get("may_insert")?,
        update: row.try_get("may_update")?,
        delete: row.try_get("may_delete")?,
    })
}

fn leaf(row: &Row) -> Result<Leaf> {
    let bound: Option<String> = row.try_get("bound")?;
    Ok(Leaf {
        oid: u32::try_from(row.try_get::<_, i64>("oid")?)?,
        name: TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?),
        kind: kind(row)?,
        // A bound that cannot be read proves nothing: its rows are looked at one by one.
        bound: bound.and_then(|text| bounds::parse(&text).ok()),
        rows: row.try_get("rows")?,
        bytes: u64::try_from(row.try_get::<_, i64>("bytes")?)?,
        indexes: Vec::new(),
    })
}

fn column(row: &Row) -> Result<Column> {
    let max_length: Option<i32> = row.try_get("max_length")?;
    Ok(Column {
        name: row.try_get("name")?,
        kind: row.try_get("type")?,
        base: row.try_get("base")?,
        max_length: max_length.and_then(|length| u32::try_from(length).ok()),
        not_null: row.try_get("not_null")?,
        generated: row.try_get("generated")?,
        has_default: row.try_get("has_default")?,
    })
}

fn trigger(row: &Row) -> Result<Trigger> {
    Ok(Trigger {
        name: row.try_get("name")?,
        function: row.try_get("function")?,
        on_delete: row.try_get("on_delete")?,
        on_update: row.try_get("on_update")?,
        may_refuse: row.try_get("may_refuse")?,
    })
}

fn child(row: &Row) -> Result<Child> {
    let idents = |names: Vec<String>| names.into_iter().map(Ident::new).collect();
    Ok(Child {
        name: row.try_get("name")?,
        table: TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("child")?),
        on_delete: OnDelete::of(row.try_get("on_delete")?),
        columns: idents(row.try_get("columns")?),
        referenced: idents(row.try_get("referenced")?),
        indexed: row.try_get("indexed")?,
        rows: Count::Unknown,
    })
}

/// What is due in each leaf, what points at it, and which texts no mask can read.
async fn count(session: &Session, job: &RowJob, draft: &JobPlan, snapshot: &mut JobSnapshot) -> Result<()> {
    let until = Instant::now() + COUNTING;
    let left = || until.saturating_duration_since(Instant::now());
    for visit in &draft.visits {
        let rows = rows(session, &visit.count, &visit.estimate, left()).await.map_err(|e| {
            let failure =
                e.explain(format!("row job {}: cannot count the rows of {} that are due", job.name, visit.leaf));
            // A condition that does not fit its table is a mistake of the file.
            if e.code().is_some_and(|code| code.starts_with("42") && code != "42501") {
                return failure.kind(Kind::Invalid);
            }
            failure
        })?;
        snapshot.due.insert(visit.oid, rows);
    }
    let visits: Vec<_> =
        draft.visits.iter().filter(|visit| snapshot.due.get(&visit.oid) != Some(&Count::Exact(0))).collect();
    if super::plan::removes(&job.action) {
        for at in 0..snapshot.children.len() {
            let mut all = Count::Exact(0);
            for visit in &visits {
                let Some(child) = snapshot.children.get(at) else { continue };
                let sql = pointing(job, child, &visit.estimate);
                let count = format!("SELECT pg_catalog.count(*) {sql}");
                // The role may not see the other table: then nobody knows.
                let here = rows(session, &count, &format!("SELECT 1 {sql}"), left()).await;
                all = all.and(here.unwrap_or(Count::Unknown));
            }
            if let Some(child) = snapshot.children.get_mut(at) {
                child.rows = all;
            }
        }
    }
    let columns = draft.visits.iter().flat_map(|visit| &visit.unreadable);
    for (name, rows_of) in columns {
        let count = format!("SELECT pg_catalog.count(*) FROM ({rows_of}) AS r");
        let here = rows(session, &count, rows_of, left()).await.unwrap_or(Count::Unknown);
        match snapshot.not_addresses.iter_mut().find(|(known, _)| known == name) {
            Some((_, all)) => *all = all.and(here),
            None => snapshot.not_addresses.push((name.clone(), here)),
        }
    }
    Ok(())
}

/// Rows of another table that point at rows that are due.
fn pointing(job: &RowJob, child: &Child, due: &str) -> String {
    let pairs: Vec<String> = child
        .columns
        .iter()
        .zip(&child.referenced)
        .map(|(column, referenced)| format!("{}.{referenced} = dbctl_child.{column}", job.table.name))
        .collect();
    format!("FROM {} AS dbctl_child WHERE EXISTS ({due}\n        AND {})", child.table, pairs.join(" AND "))
}
