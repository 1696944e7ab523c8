//! A moment of the server's locks. What is named is looked up in the catalog alone; no relation is
//! touched, so a locked table keeps nobody.

use std::time::Duration;

use chrono::Utc;

use super::sample::{Lock, Prepared, Sample, VERSION};
use crate::error::Result;
use crate::inspect::Eye;
use crate::inspect::backend::Backend;
use crate::pg::{Query, Row, Session};

/// How long one statement of the look may take: `pg_blocking_pids` stops the lock manager briefly.
const LIMIT: Duration = Duration::from_millis(500);

/// Looks once; `also` are backends to tell about whether or not they are part of a wait.
///
/// # Errors
/// The server's. Names that are not to be had are no error: the sample says so.
pub async fn read(eye: &Eye, also: &[i32]) -> Result<Sample> {
    eye.look(LIMIT, async |session| {
        let rows = session.rows(&Query::LOCKS_HELD, &[]).await.map_err(|e| e.explain("cannot see the locks"))?;
        let locks = rows.iter().map(lock).collect::<Result<Vec<Lock>>>()?;
        let mut pids: Vec<i32> = locks.iter().flat_map(|lock| lock.pid.iter().chain(&lock.blockers)).copied().collect();
        pids.extend(also);
        pids.retain(|pid| *pid > 0);
        pids.sort_unstable();
        pids.dedup();
        let backends = if pids.is_empty() { Vec::new() } else { Backend::read(session, &pids).await? };
        let mut sample = Sample {
            version: VERSION,
            at: Utc::now(),
            prepared: if locks.iter().any(|lock| lock.blockers.contains(&0)) {
                prepared(session).await?
            } else {
                Vec::new()
            },
            locks,
            backends,
            relations: Default::default(),
            databases: Default::default(),
            here: None,
            unknown: Vec::new(),
        };
        if !sample.locks.iter().all(|lock| lock.granted) {
            // Last, because where the catalog itself is locked this fails, and the rest is seen.
            names(session, &mut sample).await?;
        }
        Ok(sample)
    })
    .await
}

async fn names(session: &Session, sample: &mut Sample) -> Result<()> {
    let oids: Vec<u32> =
        sample.locks.iter().filter_map(|lock| lock.relation).filter_map(|oid| u32::try_from(oid).ok()).collect();
    match session.rows(&Query::LOCKS_NAMES, &[&oids]).await {
        Ok(rows) => {
            for row in &rows {
                let (number, name): (i64, String) = (row.try_get("number")?, row.try_get("name")?);
                match row.try_get::<_, &str>("kind")? {
                    "database" => {
                        if row.try_get("here")? {
                            sample.here = Some(number);
                        }
                        sample.databases.insert(number, name);
                    }
                    _ => {
                        sample.relations.insert(number, name);
                    }
                }
            }
        }
        Err(error) if error.is_transient() || error.is_cancelled() => {
            sample.unknown.push(format!("names of relations are UNKNOWN: {}", error.message()));
        }
        Err(error) => return Err(error.explain("cannot look up the names of relations")),
    }
    Ok(())
}

async fn prepared(session: &Session) -> Result<Vec<Prepared>> {
    let rows = session.rows(&Query::LOCKS_PREPARED, &[]).await;
    let rows = rows.map_err(|e| e.explain("cannot see the prepared transactions"))?;
    let prepared = |row: &Row| -> Result<Prepared> {
        Ok(Prepared {
            transaction: row.try_get("transaction")?,
            gid: row.try_get("gid")?,
            role: row.try_get("role")?,
            database: row.try_get("database")?,
            seconds: row.try_get("seconds")?,
            remedy: row.try_get("remedy")?,
        })
    };
    rows.iter().map(prepared).collect()
}

fn lock(row: &Row) -> Result<Lock> {
    Ok(Lock {
        pid: row.try_get("pid")?,
        locktype: row.try_get("locktype")?,
        mode: row.try_get("mode")?,
        granted: row.try_get("granted")?,
        thing: row.try_get("thing")?,
        key: row.try_get("key")?,
        database: row.try_get("database")?,
        relation: row.try_get("relation")?,
        transaction: row.try_get("transaction")?,
        virtualtransaction: row.try_get("virtualtransaction")?,
        wait_seconds: row.try_get("wait_seconds")?,
        blockers: row.try_get::<_, Option<Vec<i32>>>("blockers")?.unwrap_or_default(),
    })
}
