//! The two sides: what a schema should be, by the migrations that were applied, by a file or by another
//! database; and what it is, at a moment when nobody migrates. Reads; the only database that is written is
//! a scratch one.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Request, roles};
use crate::config::connection::Connection;
use crate::error::{Failure, Kind as FailureKind, Result};
use crate::migrate::replay::{self, Reached};
use crate::migrate::{self, history};
use crate::pg::{Interrupt, Query, Row, Server, Session, lease};
use crate::schema::model::bare;
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

/// How long others are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A migration that runs.
    pub migration: Duration,
    /// A lock on something whose definition is to be printed.
    pub lock: Duration,
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
    /// Tables that were partitions until dbctl let them go, where that may be read.
    pub departed: Vec<String>,
}

/// Reads both sides: the database, what it should be like, and what a person should know of how that was read.
///
/// # Errors
/// As [`look`] and [`expect`].
pub async fn both(
    request: &Request,
    interrupt: &Interrupt,
    events: &mut dyn Events,
) -> Result<(Looked, Side, Vec<String>)> {
    let (expected, patience) = (&request.expected, request.patience);
    if let Expected::Database(other) = expected {
        // Two servers, or two backends of one, work at once.
        let heard = RefCell::new(events);
        let (mut here, mut there) = (Heard(&heard), Heard(&heard));
        let (looked, other) = futures_util::try_join!(
            look(&request.connection, expected, patience, interrupt, &mut here),
            look(other, expected, patience, interrupt, &mut there),
        )?;
        return Ok((looked, other.side, Vec::new()));
    }
    let looked = look(&request.connection, expected, patience, interrupt, events).await?;
    let (side, notes) = expect(expected, &looked, interrupt).await?;
    Ok((looked, side, notes))
}

/// Somebody who hears two at once.
struct Heard<'a, 'e>(&'a RefCell<&'e mut dyn Events>);

impl Events for Heard<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.0.borrow_mut().event(event);
    }
}

/// Reads the schema of a database that nobody migrates meanwhile.
///
/// # Errors
/// Busy when a migration runs for longer than is waited for; deferred for a lock; the server's.
async fn look(
    connection: &Connection,
    expected: &Expected,
    patience: Patience,
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
            if began.elapsed() >= patience.migration {
                return Err(busy(&format!("a migration runs: {holder}")));
            }
            interrupt.sleep(PAUSE.min(patience.migration)).await?;
            continue;
        }
        let reached = reached(expected, interrupt).await?;
        let snapshot = schema::capture(&session, &server, patience.lock).await?;
        // Whoever began meanwhile may have committed a part of what was to be one change.
        let quiet = lease::held(&session, &history::lease()).await?.is_none();
        if quiet && same(&reached, &self::reached(expected, interrupt).await?) {
            let systems = systems(&session, &server).await?;
            let departed = departed(&session, &server).await;
            return Ok(Looked { side: Side { label: connection.label(), snapshot }, reached, systems, departed });
        }
        if began.elapsed() >= patience.migration {
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

/// None where the role may not know: then they are told as any other table.
async fn departed(session: &Session, server: &Server) -> Vec<String> {
    if !server.reads_state {
        return Vec::new();
    }
    let rows = session.rows(&Query::PARTITION_DEPARTED, &[]).await.unwrap_or_default();
    let name = |row: &Row| -> Option<String> {
        Some(format!(
            "{}.{}",
            bare(&row.try_get::<_, String>("schema").ok()?),
            bare(&row.try_get::<_, String>("name").ok()?)
        ))
    };
    rows.iter().filter_map(name).collect()
}

/// Reads what the schema should be, and what a person should know of how that was done.
///
/// # Errors
/// A scratch database that cannot be made; a migration that fails there; a file that is no snapshot; the
/// other server's.
async fn expect(expected: &Expected, looked: &Looked, interrupt: &Interrupt) -> Result<(Side, Vec<String>)> {
    match (expected, &looked.reached) {
        (Expected::Snapshot(file), _) => {
            let snapshot = schema::file::read(file)?;
            Ok((Side { label: of_file(file, &snapshot), snapshot }, Vec::new()))
        }
        (Expected::Migrations { place, .. }, Some(reached)) => replayed(place, reached, interrupt).await,
        (Expected::Migrations { .. } | Expected::Database(_), _) => {
            Err(Failure::new(FailureKind::Failed, "the migrations of the database were not read"))
        }
    }
}

/// A snapshot file, for people.
pub fn of_file(file: &std::path::Path, snapshot: &Snapshot) -> String {
    format!("{} ({}, PostgreSQL {})", file.display(), snapshot.origin.database, snapshot.origin.major)
}

async fn replayed(place: &Place, reached: &Reached, interrupt: &Interrupt) -> Result<(Side, Vec<String>)> {
    if let Some(history) = reached.elsewhere.first() {
        let role = &reached.server.role;
        return Err(Failure::new(
            FailureKind::Failed,
            format!(
                "what is applied is UNKNOWN: the search_path of role {role} leads to no history, and there is {history}"
            ),
        )
        .hint("connect as the role that migrates, or with its path: PGOPTIONS='-c search_path=SCHEMA'"));
    }
    let work = async |scratch: &scratch::Scratch| {
        replay::replay(scratch, reached, &reached.applied, "drift", interrupt).await?;
        let snapshot = schema::capture_from(scratch.connection(), "drift", Duration::ZERO, interrupt).await?;
        Ok((snapshot, [scratch.changes().await, scratch.notes().to_vec()].concat()))
    };
    let (place, why) = replay::settle(place, reached, &[])?;
    let (snapshot, mut notes) = scratch::within(&place, &reached.like, "drift", interrupt, work).await?;
    notes.extend(why.map(|why| format!("the applied migrations were replayed {why}")));
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
