//! What goes on, as plain values. Does not know what is thought of it.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::error::{Failure, Kind, Result};
use crate::inspect::Eye;
use crate::inspect::backend::Backend;
use crate::pg::{Query, Row, ServerError};

const LIMIT: Duration = Duration::from_secs(2);

/// One moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: DateTime<Utc>,
    /// The database that was looked from.
    pub database: String,
    /// A standby.
    pub standby: bool,
    /// How many connections there may be.
    pub max_connections: i64,
    /// All backends but our own.
    pub backends: Vec<Backend>,
    /// What keeps row versions.
    pub holders: Vec<Holder>,
    /// What backends that are idle in a transaction hold in this database: `mode on relation`.
    pub held: BTreeMap<i32, Vec<String>>,
    /// What could not be seen, and why.
    pub unknown: Vec<String>,
}

/// What keeps old row versions from being vacuumed away.
#[derive(Debug, Clone)]
pub struct Holder {
    /// `session`, `replication slot`, `prepared transaction`, `standby`.
    pub kind: String,
    /// Its pid or name.
    pub name: String,
    /// Where.
    pub database: Option<String>,
    /// How many transactions ago.
    pub age: i64,
    /// How long ago, where that is known.
    pub seconds: Option<f64>,
    /// The SQL that ends it.
    pub remedy: String,
}

impl Seen {
    /// Takes values out of query texts.
    pub fn redact(&mut self) {
        self.backends.iter_mut().for_each(Backend::redact);
    }
}

/// Looks once.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye) -> Result<Seen> {
    eye.look(LIMIT, async |session| {
        let explain = |e: ServerError| e.explain("cannot see what goes on");
        let rows = session.rows(&Query::ACTIVITY_LIMITS, &[]).await.map_err(explain)?;
        let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say its limits"))?;
        let mut seen = Seen {
            at: Utc::now(),
            database: row.try_get("database")?,
            standby: row.try_get("standby")?,
            max_connections: row.try_get("max_connections")?,
            backends: Backend::read(session, &[]).await?,
            holders: Vec::new(),
            held: BTreeMap::new(),
            unknown: Vec::new(),
        };
        seen.holders = oldest_first(&session.rows(&Query::ACTIVITY_HORIZON, &[]).await.map_err(explain)?)?;
        let idle: Vec<i32> = seen.backends.iter().filter(|b| b.is_idle_in_transaction()).map(|b| b.pid).collect();
        if !idle.is_empty() {
            // Last, because where the catalog itself is locked this fails, and the rest is seen.
            match session.rows(&Query::ACTIVITY_HELD, &[&idle]).await {
                Ok(rows) => {
                    for row in &rows {
                        let (mode, relation): (String, String) = (row.try_get("mode")?, row.try_get("relation")?);
                        let mode = mode.strip_suffix("Lock").unwrap_or(&mode);
                        seen.held.entry(row.try_get("pid")?).or_default().push(format!("{mode} on {relation}"));
                    }
                }
                Err(error) if error.is_transient() || error.is_cancelled() => {
                    seen.unknown.push(format!("what idle transactions hold is UNKNOWN: {}", error.message()));
                }
                Err(error) => return Err(explain(error)),
            }
        }
        Ok(seen)
    })
    .await
}

/// Looks only at what keeps old row versions, the oldest first.
///
/// # Errors
/// The server's.
pub async fn holders(eye: &Eye, limit: Duration) -> Result<Vec<Holder>> {
    let rows = eye.rows(limit, &Query::ACTIVITY_HORIZON).await?;
    oldest_first(&rows.map_err(|e| e.explain("cannot see what keeps old rows"))?)
}

fn oldest_first(rows: &[Row]) -> Result<Vec<Holder>> {
    let mut holders = rows.iter().map(holder).collect::<Result<Vec<Holder>>>()?;
    // Those that wait for the oldest are as old in transactions as it is; what has no time is there for long.
    let since = |holder: &Holder| holder.seconds.unwrap_or(f64::INFINITY);
    holders.sort_by(|a, b| b.age.cmp(&a.age).then(since(b).total_cmp(&since(a))).then(a.name.cmp(&b.name)));
    Ok(holders)
}

fn holder(row: &Row) -> Result<Holder> {
    Ok(Holder {
        kind: row.try_get("kind")?,
        name: row.try_get("name")?,
        database: row.try_get("database")?,
        age: row.try_get("age")?,
        seconds: row.try_get("seconds")?,
        remedy: row.try_get("remedy")?,
    })
}
