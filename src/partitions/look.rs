//! What every verb begins with: a session, a snapshot of the tables that the policy names, which
//! entries are for this database, and what time it is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::ddl::Frame;
use super::read::{self, Snapshot};
use super::work::TableWork;
use super::{Request, rows, view, work};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::pg::{Interrupt, Query, Session};
use crate::policy::calendar::Every;
use crate::policy::{Hold, TablePolicy};
use crate::steps::LockMode;
use crate::steps::events::Blocker;

/// Clocks further apart than this are not trusted.
const CLOCK_SKEW: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// Connects and reads.
///
/// # Errors
/// Unreachable, not permitted.
pub async fn snapshot(request: &Request, interrupt: &Interrupt) -> Result<(Session, Snapshot)> {
    let session = Session::open(&request.connection, &format!("partitions {}", request.verb), interrupt).await?;
    let snapshot = read(request, &session).await?;
    Ok((session, snapshot))
}

/// Reads on a session that is there.
///
/// # Errors
/// The server's.
pub async fn read(request: &Request, session: &Session) -> Result<Snapshot> {
    let entries = work::wanted(&request.policy, request.system.as_deref(), &request.only);
    let wanted: BTreeSet<TableName> = entries.iter().map(|entry| entry.table.clone()).collect();
    let numbers: BTreeMap<TableName, Ident> = entries
        .iter()
        .filter(|entry| matches!(entry.every, Every::Values(_)))
        .map(|entry| (entry.table.clone(), entry.key.clone()))
        .collect();
    read::snapshot(session, &wanted, &numbers).await
}

/// The entries for this database.
///
/// # Errors
/// Refused where none is; usage where a table that was asked for is not in the policy.
pub fn entries<'r>(request: &'r Request, snapshot: &Snapshot) -> Result<Vec<&'r TablePolicy>> {
    let system = request.system.as_deref();
    for table in &request.only {
        if !request.policy.tables.iter().any(|entry| entry.table == *table) {
            let all: Vec<String> = request.policy.tables.iter().map(|entry| entry.table.to_string()).collect();
            return Err(Failure::new(Kind::Usage, format!("the policy has no table {table}"))
                .hint(format!("it has {}", all.join(", "))));
        }
    }
    let wanted = work::wanted(&request.policy, system, &request.only);
    work::here(wanted, snapshot, system, !rows::jobs(request, snapshot).is_empty())
}

/// The holds in force: the policy's and the database's.
pub fn holds(request: &Request, snapshot: &Snapshot) -> Vec<Hold> {
    let here = |hold: &&Hold| match (&hold.system, &request.system, &snapshot.systems) {
        (None, ..) => true,
        (Some(of), Some(system), _) => of == system,
        (Some(of), None, Some(systems)) => systems.contains(of),
        // Which system it is cannot be told: the hold counts.
        (Some(_), None, None) => true,
    };
    request.policy.holds.iter().filter(here).chain(&snapshot.state.holds).cloned().collect()
}

/// The time that decides: the one that was asked for, else the server's.
///
/// # Errors
/// Refused where the clocks of server and client differ by more than five minutes.
pub fn now(request: &Request, snapshot: &Snapshot, ours: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if let Some(at) = request.at {
        return Ok(at);
    }
    agree(snapshot.now, ours, request.allow_clock_skew)?;
    Ok(snapshot.now)
}

/// Who holds, at this moment, what the steps would have to wait for.
///
/// # Errors
/// The server's.
pub async fn in_the_way(
    session: &Session,
    snapshot: &Snapshot,
    works: &[TableWork<'_>],
) -> Result<Vec<(String, Blocker)>> {
    let found = works.iter().filter_map(|work| work.found.as_ref().ok());
    let steps: Vec<_> = found.flat_map(|found| found.preview(&Frame::of(&snapshot.server, found))).collect();
    let locks = view::locks(&steps);
    if locks.is_empty() {
        return Ok(Vec::new());
    }
    let tables: Vec<&str> = locks.iter().map(|lock| lock.table.as_str()).collect();
    let rows =
        session.rows(&Query::LOCK_HOLDERS, &[&tables]).await.map_err(|e| e.explain("cannot see who is in the way"))?;
    let mut blockers = Vec::new();
    for row in &rows {
        let (table, held): (String, &str) = (row.try_get("relation")?, row.try_get("mode")?);
        let wanted = locks.iter().find(|lock| lock.table == table).map(|lock| lock.mode);
        let conflicts =
            wanted.zip(LockMode::of_catalog(held)).is_some_and(|(wanted, held)| wanted.conflicts_with(held));
        if conflicts {
            blockers.push((table, Blocker::read(row)?));
        }
    }
    Ok(blockers)
}

/// Whether two clocks are near enough to each other.
fn agree(server: DateTime<Utc>, ours: DateTime<Utc>, whatever: bool) -> Result<()> {
    if (server - ours).abs() <= CLOCK_SKEW || whatever {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        format!(
            "the server's clock says {}, this machine's {}: one of them is wrong",
            server.format("%Y-%m-%d %H:%M:%S UTC"),
            ours.format("%Y-%m-%d %H:%M:%S UTC")
        ),
    )
    .hint("set the clocks right; or, if the server's is: --allow-clock-skew"))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn clocks_that_differ_are_not_trusted() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        for (minutes, seconds, trusted) in [(0, 0, true), (5, 0, true), (5, 1, false), (60 * 24 * 365, 0, false)] {
            let apart = TimeDelta::minutes(minutes) + TimeDelta::seconds(seconds);
            for server in [now + apart, now - apart] {
                assert_eq!(agree(server, now, false).is_ok(), trusted, "{server}");
                assert!(agree(server, now, true).is_ok());
            }
        }
        let refused = agree(now + TimeDelta::days(30), now, false).unwrap_err();
        assert!(refused.what() == Kind::Refused && refused.hints()[0].contains("--allow-clock-skew"));
    }
}
