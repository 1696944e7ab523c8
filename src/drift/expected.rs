//! The two sides: what a schema should be, by the migrations that were applied, by a file or by another
//! database; and what it is, at a moment when nobody migrates. Reads; the only database that is written is
//! a scratch one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::roles;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind as FailureKind, Result};
use crate::migrate::replay::{self, Reached};
use crate::migrate::{self, history};
use crate::pg::{Interrupt, Query, Server, Session, lease};
use crate::schema::{self, Kind, Property, Snapshot};
use crate::scratch::{self, Place};
use crate::steps::events::{Event, Events};

/// Between two looks at whether a migration still runs.
const PAUSE: Duration = Duration::from_millis(250);

/// What a schema should be like.
#[derive(Debug, Clone)]
pub enum Expected {
    /// As the applied migrations make it.
    Migrations {
        /// Which, and how the database's history is found.
        request: Box<migrate::Request>,
        /// Where they are replayed.
        place: Place,
    },
    /// As a snapshot file says.
    Snapshot(PathBuf),
    /// As another database is.
    Database(Connection),
}

/// One side.
#[derive(Debug, Clone)]
pub struct Side {
    /// What it is, for people.
    pub label: String,
    /// The schema.
    pub snapshot: Snapshot,
}

/// The database, looked at while nobody migrated it.
#[derive(Debug)]
pub struct Looked {
    /// Its schema.
    pub side: Side,
    /// How far its migrations are, where they say what is expected.
    pub reached: Option<Reached>,
    /// The embedded systems that it holds, where that may be read.
    pub systems: Option<Vec<String>>,
}

/// Reads the schema of a database that nobody migrates meanwhile.
///
/// # Errors
/// Busy when a migration runs for longer than `patience`; the server's.
pub async fn look(
    connection: &Connection,
    expected: &Expected,
    patience: Duration,
    interrupt: &Interrupt,
    events: &mut dyn Events,
) -> Result<Looked> {
    let session = Session::open(connection, "drift", interrupt).await?;
    let server = Server::read(&session).await?;
    let began = Instant::now();
    let mut told = false;
    loop {
        interrupt.check()?;
        let holder = lease::held(&session, &history::lease()).await?;
        if let Some(holder) = holder {
            if !told {
                events.event(Event::LeaseTaken(&holder));
                told = true;
            }
            if began.elapsed() >= patience {
                return Err(busy(&format!("a migration runs: {holder}")));
            }
            interrupt.sleep(PAUSE.min(patience)).await?;
            continue;
        }
        let reached = reached(expected, interrupt).await?;
        let snapshot = schema::capture(&session, &server).await?;
        // Whoever began meanwhile may have committed a part of what was to be one change.
        let quiet = lease::held(&session, &history::lease()).await?.is_none();
        if quiet && same(&reached, &self::reached(expected, interrupt).await?) {
            let systems = systems(&session, &server).await?;
            return Ok(Looked { side: Side { label: connection.label(), snapshot }, reached, systems });
        }
        if began.elapsed() >= patience {
            return Err(busy("a migration ran while the schema was read"));
        }
    }
}

fn busy(message: &str) -> Failure {
    Failure::new(FailureKind::Busy, message)
        .hint("a schema between two migrations is neither the one nor the other: run again, or wait longer with --lock-wait 10min")
}

async fn reached(expected: &Expected, interrupt: &Interrupt) -> Result<Option<Reached>> {
    match expected {
        Expected::Migrations { request, .. } => replay::reached(request, interrupt).await.map(Some),
        _ => Ok(None),
    }
}

fn same(one: &Option<Reached>, other: &Option<Reached>) -> bool {
    let state = |reached: &Option<Reached>| reached.as_ref().map(|r| (r.applied.clone(), r.obstacles.clone()));
    state(one) == state(other)
}

async fn systems(session: &Session, server: &Server) -> Result<Option<Vec<String>>> {
    if !server.reads_state {
        return Ok(None);
    }
    let rows = session.rows(&Query::PARTITION_SYSTEMS, &[]).await;
    let rows = rows.map_err(|e| e.explain("cannot read dbctl.migration"))?;
    rows.iter().map(|row| row.try_get("system").map_err(Failure::from)).collect::<Result<_>>().map(Some)
}

/// Reads what the schema should be, and what a person should know of how that was done.
///
/// # Errors
/// A scratch database that cannot be made; a migration that fails there; a file that is no snapshot; the
/// other server's.
pub async fn expect(
    expected: &Expected,
    looked: &Looked,
    patience: Duration,
    interrupt: &Interrupt,
    events: &mut dyn Events,
) -> Result<(Side, Vec<String>)> {
    match (expected, &looked.reached) {
        (Expected::Snapshot(file), _) => {
            let snapshot = schema::file::read(file)?;
            Ok((Side { label: of_file(file, &snapshot), snapshot }, Vec::new()))
        }
        (Expected::Database(connection), _) => {
            let other = look(connection, expected, patience, interrupt, events).await?;
            Ok((other.side, Vec::new()))
        }
        (Expected::Migrations { place, .. }, Some(reached)) => replayed(place, reached, interrupt).await,
        (Expected::Migrations { .. }, None) => {
            Err(Failure::new(FailureKind::Failed, "the migrations of the database were not read"))
        }
    }
}

/// A snapshot file, for people.
pub fn of_file(file: &std::path::Path, snapshot: &Snapshot) -> String {
    format!("{} ({}, PostgreSQL {})", file.display(), snapshot.origin.database, snapshot.origin.major)
}

async fn replayed(place: &Place, reached: &Reached, interrupt: &Interrupt) -> Result<(Side, Vec<String>)> {
    let work = async |scratch: &scratch::Scratch| {
        replay::replay(scratch, reached, &reached.applied, "drift", interrupt).await?;
        let snapshot = schema::capture_from(scratch.connection(), "drift", interrupt).await?;
        Ok((snapshot, scratch.notes().to_vec()))
    };
    let (snapshot, notes) = scratch::within(place, &reached.like, "drift", interrupt, work).await?;
    let label = match reached.applied.as_slice() {
        [] => format!("{}, of which nothing is applied", reached.set.origin),
        applied => format!("{}, {} applied versions replayed", reached.set.origin, applied.len()),
    };
    Ok((Side { label, snapshot }, notes))
}

/// Makes a replayed schema comparable: who replayed it stands for who migrated the database, and what
/// CREATE DATABASE says is nobody's migration.
pub fn settle(expected: Snapshot, actual: &mut Snapshot) -> Snapshot {
    let by = (roles::owner_of_history(&expected), roles::owner_of_history(actual));
    let mut expected = match by {
        (Some(here), Some(there)) => roles::mapped(expected, &[(here, there)]),
        _ => expected,
    };
    for side in [&mut expected, actual] {
        for database in side.objects.iter_mut().filter(|object| object.id.kind == Kind::Database) {
            for property in [
                Property::Owner,
                Property::ConnectionLimit,
                Property::Comment,
                Property::Encoding,
                Property::Locale,
                Property::Provider,
            ] {
                database.properties.remove(&property);
            }
        }
    }
    expected
}
