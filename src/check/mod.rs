//! `dbctl check`: a registry of checks, each from what was read to a verdict; what cannot be read is
//! UNKNOWN, never in order. The readers are those of `inspect`.

mod judge;
mod measure;
mod objects;
mod registry;
mod scene;
mod settings;
mod state;
mod view;

use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;

pub use judge::{Verdict, judge};
pub use measure::{Measure, Measured};
pub use registry::{CHECKS, CONN, Check, Limits, Metric, Unit, named, names};
pub use scene::{Brought, Migrations, Reach, Runway};
pub use settings::{Ignore, Profile, Rule, Settings, Written};
pub use state::exchange;
pub use view::{Report, view};

use scene::{Counters, Disk, Indexes, Need, Scene};

use crate::bloat;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::inspect::vitals::{ALL, EACH, Identity, Part, Reader, Server};
use crate::inspect::{Eye, activity, indexes, locks, vitals};
use crate::outcome::Level;
use crate::pg::Interrupt;

/// How long the look at indexes may take: thousands of files are asked for their size.
const INDEXES: Duration = Duration::from_secs(5);
/// What is smaller gives little back, however bloated it is.
const BLOATED: u64 = 256 << 10;

/// What is checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// These checks.
    pub checks: Vec<&'static Check>,
    /// Their thresholds.
    pub settings: Settings,
    /// Where counters are kept; nowhere without a home.
    pub state: Option<PathBuf>,
    /// What other rooms have read.
    pub brought: Brought,
}

/// Checks one database. A server that cannot be reached is a verdict as well.
///
/// # Errors
/// When a signal came.
pub async fn check(connection: &Connection, request: &Request, interrupt: &Interrupt) -> Result<Report> {
    let looked = match Eye::open(connection, "check", interrupt).await {
        Ok(eye) => look(&eye, request, interrupt).await,
        Err(failure) => Err(failure),
    };
    match looked {
        Ok(report) => Ok(report),
        Err(failure) if matches!(failure.what(), Kind::Interrupted | Kind::Terminated) => Err(failure),
        Err(failure) => Ok(unasked(Level::Crit, connection.dbname.clone(), &failure, &request.checks)),
    }
}

/// What is said of a database that cannot be asked; `level` is how bad that is.
pub fn unasked(level: Level, database: String, failure: &Failure, checks: &[&'static Check]) -> Report {
    let mut verdicts = vec![conn(level, failure.messages().join(": "), failure.hints().first().cloned())];
    verdicts.extend(checks.iter().map(|check| Verdict {
        check: check.id,
        ..conn(Level::Unknown, "the server cannot be asked".to_owned(), None)
    }));
    Report { target: None, database, verdicts }
}

fn conn(level: Level, message: String, remedy: Option<String>) -> Verdict {
    let (findings, values, notes) = (Vec::new(), Vec::new(), Vec::new());
    Verdict { check: CONN, level, message, remedy, findings, values, ignored: 0, notes }
}

async fn look(eye: &Eye, request: &Request, interrupt: &Interrupt) -> Result<Report> {
    let now = Utc::now();
    let scene = read(eye, request, interrupt).await?;
    let database = scene.server.as_ref().map_or_else(|_| String::new(), |server| server.database.clone());
    let mut verdicts = vec![conn(Level::Ok, "the server answers".to_owned(), None)];
    for check in &request.checks {
        verdicts.push(judge(check, (check.measure)(&scene), &request.settings, &database, now.date_naive()));
    }
    Ok(Report { target: None, database, verdicts })
}

/// Reads what the checks need, and nothing else.
async fn read(eye: &Eye, request: &Request, interrupt: &Interrupt) -> Result<Scene> {
    let reader = Reader::new(eye, interrupt, EACH, ALL);
    let needs = |need: Need| request.checks.iter().any(|check| check.needs.contains(&need));
    fn unread<T>() -> Part<T> {
        Err("it was not read".to_owned())
    }
    // Whichever rate is asked for, all counters are kept: the next run may ask for another.
    let counts = needs(Need::State);
    macro_rules! read {
        ($need:ident, $read:expr) => {
            if needs(Need::$need) || counts && matches!(Need::$need, Need::Databases | Need::Checkpoints) {
                $read
            } else {
                unread()
            }
        };
    }
    let server: Part<Server> = reader.one().await?;
    let settings: Part<vitals::Settings> = read!(Settings, reader.one().await?);
    let major = server.as_ref().map_or(0, |server| server.major);
    let mut scene = Scene {
        databases: read!(Databases, reader.all().await?),
        roles: read!(Roles, reader.all().await?),
        activity: read!(Activity, reader.part(activity::read(eye)).await?),
        locks: read!(Locks, reader.part(locks::read(eye, &[])).await?),
        standbys: read!(Standbys, reader.all().await?),
        receiver: read!(Receiver, reader.all().await?),
        slots: read!(Slots, reader.all().await?),
        queue: read!(Queue, reader.all().await?),
        indexes: read!(Indexes, indexes(&reader).await?),
        bloat: read!(Bloat, reader.part(bloat::read(eye, EACH, BLOATED)).await?),
        unused_after: mildest(&request.settings, "unused_index", "age").unwrap_or_default(),
        bloated_from: mildest(&request.settings, "bloat", "size").unwrap_or(f64::INFINITY),
        sequences: read!(Sequences, reader.all().await?),
        archiver: read!(Archiver, reader.one().await?),
        collations: read!(Collations, reader.collations(major).await?),
        checkpoints: read!(Checkpoints, reader.checkpoints().await?),
        disks: disks(&server, &settings, &request.settings.paths),
        brought: request.brought.clone(),
        before: unread(),
        counters: Counters::default(),
        server,
        settings,
    };
    if counts {
        let identity: Part<Identity> = reader.one().await?;
        scene.counters = counters(&scene);
        scene.before = match (&request.state, identity) {
            (None, _) => Err("there is no place to keep counters in: say --state FILE".to_owned()),
            (_, Err(why)) => Err(why),
            (Some(path), Ok(identity)) => {
                // Copies of one template have one system identifier: where they are tells them apart.
                let key = format!("{}@{}/{}", identity.system, eye.session().host(), identity.database);
                match state::count(path, &key, &scene.counters) {
                    Ok(Some(before)) => Ok(before),
                    Ok(None) => Err("counting began now: the next run can say".to_owned()),
                    Err(failure) => Err(failure.messages().join(": ")),
                }
            }
        };
    }
    Ok(scene)
}

/// Everything that `dbctl indexes` would say; thresholds come later.
async fn indexes(reader: &Reader<'_>) -> Result<Part<Indexes>> {
    let look = async {
        let mut catalog = indexes::read(reader.eye(), INDEXES, false).await?;
        let limits = indexes::Limits { min_seconds: 0.0, min_bytes: 0, min_rows: 0 };
        let mut found = indexes::judge(&catalog, &[], &limits);
        indexes::measure(reader.eye(), &mut catalog, &mut found).await?;
        Ok(Indexes {
            standby: catalog.standby,
            standbys: catalog.standbys,
            counted_seconds: catalog.counted_seconds,
            found,
        })
    };
    reader.part(look).await
}

/// The mildest threshold in force of a check, for what has no name and no exception.
fn mildest(settings: &Settings, check: &str, metric: &str) -> Option<f64> {
    let check = named(check)?;
    let limits = settings.limits(check, check.metric(metric)?, "", None);
    limits.warn.or(limits.crit)
}

#[expect(clippy::cast_precision_loss, reason = "counters")]
fn counters(scene: &Scene) -> Counters {
    let mut counters = Counters { at: Utc::now().timestamp_millis() as f64 / 1_000.0, ..Counters::default() };
    let mut count = |name: &str, value: f64| counters.values.insert(name.to_owned(), value);
    if let Some(d) = scene.databases.iter().flatten().find(|d| d.here) {
        count(measure::DEADLOCKS, d.deadlocks as f64);
        count(measure::COMMITS, d.commits as f64);
        count(measure::ROLLBACKS, d.rollbacks as f64);
        count(measure::HITS, d.blks_hit as f64);
        count(measure::READS, d.blks_read as f64);
        count(measure::TEMP, d.temp_bytes as f64);
        // Whole numbers come back from a file as they went in.
        count(measure::ACTIVE, (d.active_seconds * 1e6).round());
    }
    if let Ok(c) = &scene.checkpoints {
        count(measure::TIMED, c.timed.unwrap_or_default() as f64);
        count(measure::REQUESTED, c.requested.unwrap_or_default() as f64);
    }
    counters
}

/// The disks of folders that are on this machine: said to be, or proven by the socket that led here.
fn disks(server: &Part<Server>, settings: &Part<vitals::Settings>, said: &[String]) -> Part<Vec<Disk>> {
    if !said.is_empty() {
        return said.iter().map(|path| disk(path)).collect();
    }
    let (server, settings) = (server.as_ref().map_err(Clone::clone)?, settings.as_ref().map_err(Clone::clone)?);
    let elsewhere = "the server is on another machine: say a folder that is mounted here, checks: disk: path";
    let (true, Some(data)) = (server.by_socket, &settings.data_directory) else {
        return Err(if server.by_socket {
            "the data directory cannot be seen: GRANT pg_monitor TO this role".to_owned()
        } else {
            elsewhere.to_owned()
        });
    };
    std::iter::once(data).chain(&server.tablespaces).map(|path| disk(path)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "sizes")]
fn disk(path: &str) -> Part<Disk> {
    let found =
        nix::sys::statvfs::statvfs(path).map_err(|error| format!("cannot look at the disk of {path}: {error}"))?;
    let blocks = |count: nix::libc::fsblkcnt_t| count as f64 * found.fragment_size() as f64;
    let used = blocks(found.blocks()) - blocks(found.blocks_free());
    let free_bytes = blocks(found.blocks_available());
    // As df has it: what only root may use is neither used nor free.
    let used_percent = if used + free_bytes > 0.0 { 100.0 * used / (used + free_bytes) } else { 0.0 };
    Ok(Disk { path: path.to_owned(), used_percent, free_bytes })
}
