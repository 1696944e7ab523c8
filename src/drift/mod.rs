//! Drift: is a schema what it should be? Reads both sides, compares (pure), tells. Never writes to the
//! database that it looks at. The page of verbs.

use std::path::Path;

pub mod compare;
pub mod expected;
pub mod ignore;
mod names;
pub mod partitions;
pub mod repair;
mod roles;
pub mod verdict;
mod view;

pub use expected::{Expected, Patience};
pub use verdict::{FailOn, Verdict};

use crate::config::connection::Connection;
use crate::config::file::Ignore;
use crate::error::{Failure, Kind, Result};
use crate::migrate::{Answer, Origin};
use crate::pg::Interrupt;
use crate::policy::{self, Policy};
use crate::schema::{self, Snapshot};
use crate::steps::events::Events;
use compare::{Comparison, Difference};
use expected::Side;
use ignore::Applied;
use partitions::Managed;

/// What is compared, and what of it counts.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// What it should be like.
    pub expected: Expected,
    /// How long others are waited for.
    pub patience: Patience,
    /// What does not count.
    pub terms: Terms,
}

/// What does not count.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Whose partitions may come and go; of embedded systems, the shipped policy says so besides.
    pub policy: Option<Policy>,
    /// The embedded system that the database is known to hold.
    pub system: Option<String>,
    /// All partitions are compared one by one.
    pub exact_partitions: bool,
    /// Rules.
    pub ignore: Vec<Ignore>,
    /// Roles with another name: as expected, as there.
    pub roles: Vec<(String, String)>,
    /// Which differences fail the run.
    pub fail_on: FailOn,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// The database, for people.
    pub database: String,
    /// What it was compared with.
    pub expected: String,
    /// The differences, each with the SQL that would end it.
    pub found: Vec<(Difference, Option<String>)>,
    /// The rules, each with how often it held.
    pub ignored: Vec<Applied>,
    /// Partitions whose being there or not the policy decides.
    pub passed_over: usize,
    /// Migrations that are not applied yet.
    pub pending: Vec<String>,
    /// What could not be told.
    pub unknown: Vec<String>,
    /// What a person should know besides.
    pub notes: Vec<String>,
    /// Which differences fail the run.
    pub fail_on: FailOn,
}

/// Compares a database with what it should be like, and says how that ends. `brief` is for people.
///
/// # Errors
/// Every way in which one of the sides cannot be read; busy while a migration runs.
pub async fn run(request: &Request, brief: bool, interrupt: &Interrupt, events: &mut dyn Events) -> Result<Answer> {
    let report = check(request, interrupt, events).await?;
    Ok((report.verdict().outcome(), view::report(&report, brief)))
}

/// Compares a database with what it should be like.
///
/// # Errors
/// As [`run`].
pub async fn check(request: &Request, interrupt: &Interrupt, events: &mut dyn Events) -> Result<Report> {
    let (mut looked, mut side, notes) = expected::both(request, interrupt, events).await?;
    let mut unknown = Vec::new();
    let mut pending = Vec::new();
    let mut systems = looked.systems.take();
    if let Some(reached) = &looked.reached {
        side.snapshot = expected::settle(side.snapshot, &mut looked.side.snapshot);
        let stem = |version: &i64| reached.set.file(*version).map(|file| file.stem.clone());
        pending = reached.pending.iter().filter_map(stem).collect();
        unknown = reached.obstacles.iter().map(|what| format!("what is expected: {what}")).collect();
        if let Origin::System(system) = &reached.set.origin {
            systems.get_or_insert_default().push(system.clone());
        }
    }
    if let Some(system) = &request.terms.system {
        systems.get_or_insert_default().push(system.clone());
    }
    let managed = request.terms.managed(systems.as_deref())?.with_departed(looked.departed);
    let mut report = request.terms.report(side, looked.side, &managed);
    report.pending = pending;
    report.unknown.splice(0..0, unknown);
    report.notes.splice(0..0, notes);
    Ok(report)
}

/// Compares two snapshot files. Needs no server.
///
/// # Errors
/// Invalid for a file that is no snapshot.
pub fn offline(expected: &Path, actual: &Path, terms: &Terms, brief: bool) -> Result<Answer> {
    let side = |file: &Path| -> Result<Side> {
        let snapshot: Snapshot = schema::file::read(file)?;
        Ok(Side { label: expected::of_file(file, &snapshot), snapshot })
    };
    let systems: Option<Vec<String>> = terms.system.clone().map(|system| vec![system]);
    let managed = terms.managed(systems.as_deref())?;
    // Reading takes longer than comparing, and the files do not wait for each other.
    let (expected, actual) = std::thread::scope(|scope| {
        let other = scope.spawn(|| side(expected));
        let actual = side(actual);
        (other.join(), actual)
    });
    let expected = expected.map_err(|_| Failure::new(Kind::Failed, "the reading of a snapshot file broke off"))??;
    let report = terms.report(expected, actual?, &managed);
    Ok((report.verdict().outcome(), view::report(&report, brief)))
}

impl Terms {
    /// The user's policy first; what it does not name of an embedded system, the shipped one does.
    fn managed(&self, systems: Option<&[String]>) -> Result<Managed> {
        if self.exact_partitions {
            return Ok(Managed::default());
        }
        let own = self.policy.as_ref().map(|policy| Managed::of(policy, systems)).unwrap_or_default();
        match systems {
            Some(systems) if !systems.is_empty() => Ok(own.or(Managed::of(&policy::file::shipped()?, Some(systems)))),
            _ => Ok(own),
        }
    }

    fn report(&self, expected: Side, actual: Side, managed: &Managed) -> Report {
        let snapshot = roles::mapped(expected.snapshot, &self.roles);
        let Comparison { differences, passed_over, mut unknown, unseen, unseen_by_both } =
            compare::compare(&snapshot, &actual.snapshot, managed);
        let majors = (snapshot.origin.major, actual.snapshot.origin.major);
        let versions = (majors.0 != majors.1).then(|| {
            format!(
                "expected is of PostgreSQL {}, the database of {}: what only one of them knows or prints otherwise may be told",
                majors.0, majors.1
            )
        });
        let (kept, mut ignored) = ignore::apply(self.ignore.clone(), differences);
        let unseen = ignore::without(&mut ignored, unseen);
        unknown.extend(unseen.iter().map(|id| format!("what is in {id}: one of the two roles may not see it")));
        let alike = (unseen_by_both > 0)
            .then(|| format!("not compared: what is in {unseen_by_both} user mappings, which neither role may see"));
        let found = kept.into_iter().map(|difference| {
            let sql = repair::repair(&difference, &snapshot);
            (difference, sql)
        });
        Report {
            database: actual.label,
            expected: expected.label,
            found: found.collect(),
            ignored,
            passed_over,
            pending: Vec::new(),
            unknown,
            notes: versions.into_iter().chain(alike).collect(),
            fail_on: self.fail_on.clone(),
        }
    }
}
