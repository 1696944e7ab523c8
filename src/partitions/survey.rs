//! The verbs that only look: status and check. Snapshot, what else there is to read, then pure reports.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::check::{self, Report, Scene};
use super::metrics::{self, Measured};
use super::observe::{self, Looked};
use super::status::{self, Runway, Standing, TableStatus};
use super::work::Found;
use super::{Answer, Request, look, status_view, view};
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::output::chart::{Span, Tint, Track};
use crate::pg::Interrupt;

/// Shows how every table of the policy stands. Reads only.
///
/// # Errors
/// Unreachable, not permitted. What is wrong with one table is in the answer.
pub async fn status(request: &Request, interrupt: &Interrupt) -> Result<Answer> {
    survey(request, interrupt, |scene, head| {
        let failures = || scene.looked.iter().filter_map(|looked| looked.found.as_ref().err());
        let outcome = if failures().any(|failure| failure.what() == Kind::Invalid) {
            Outcome::Invalid
        } else if failures().next().is_some() {
            Outcome::Partial
        } else {
            Outcome::Done
        };
        Ok((outcome, status_view::document(head("partitions.status"), scene)))
    })
    .await
}

/// How every table of the policy stands, and for each whose key is a time the track of its partitions.
///
/// # Errors
/// As [`status`].
pub async fn timeline(request: &Request, interrupt: &Interrupt) -> Result<(Document, Vec<Track>)> {
    survey(request, interrupt, |scene, head| {
        let tracks = scene.looked.iter().zip(scene.statuses).filter_map(|(looked, status)| {
            let (found, status) = (looked.found.as_ref().ok()?, status.as_ref()?);
            track(found, status)
        });
        Ok((status_view::document(head("partitions.status"), scene), tracks.collect()))
    })
    .await
}

/// How far the partitions of every table reach for which the policy wants some ahead, or why that cannot be said.
///
/// # Errors
/// As [`status`].
pub async fn runways(request: &Request, interrupt: &Interrupt) -> Result<Vec<(TableName, Result<Runway>)>> {
    survey(request, interrupt, |scene, _| {
        let tables = scene.looked.iter().zip(scene.statuses).filter_map(|(looked, status)| {
            let table = looked.entry.table.clone();
            match (&looked.found, status) {
                (Err(failure), _) => Some((table, Err(Failure::new(failure.what(), failure.messages().join(": "))))),
                (Ok(_), Some(status)) if status.runway.ahead.is_some() => Some((table, Ok(status.runway))),
                _ => None,
            }
        });
        Ok(tables.collect())
    })
    .await
}

/// Partitions without a beginning or an end in time are left out.
fn track(found: &Found<'_>, status: &TableStatus) -> Option<Track> {
    if !status.runway.is_time {
        return None;
    }
    let spans = found.set.members.iter().zip(&status.members).filter_map(|(member, stands)| {
        Some(Span {
            from: found.set.moment(member.range.lower())?,
            to: found.set.moment(member.range.upper())?,
            tint: match stands.standing {
                Standing::Expired => Tint::Expired,
                Standing::Held(_) | Standing::Protected(_) => Tint::Kept,
                Standing::Past => Tint::Past,
                Standing::Current => Tint::Current,
                Standing::Future => Tint::Future,
            },
            title: format!("{} [{}, {}) {}", stands.name, stands.from, stands.to, stands.standing.word()),
        })
    });
    let runway = match status.runway.seconds() {
        Some(seconds) => format!("{:.0} d ahead", seconds / 86_400.0),
        None => "no end ahead".to_owned(),
    };
    Some(Track { label: status.table.to_string(), says: runway, spans: spans.collect() })
}

/// Says what is in order and what is not. Reads only; `metrics` is a file that is written besides.
///
/// # Errors
/// Unreachable, not permitted; a file that cannot be written.
pub async fn check(request: &Request, nagios: bool, metrics: Option<&Path>, interrupt: &Interrupt) -> Result<Answer> {
    survey(request, interrupt, |scene, head| {
        let report = check::judge(scene);
        if let Some(path) = metrics {
            write(path, scene, &report, None)?;
        }
        let invalid = scene
            .looked
            .iter()
            .filter_map(|looked| looked.found.as_ref().err())
            .any(|failure| failure.what() == Kind::Invalid);
        let outcome = check::outcome(&report, nagios, invalid);
        let document = if nagios {
            check::nagios_document(check::line(&report, scene.looked, scene.statuses))
        } else {
            check::document(head("partitions.check"), &report, scene.looked.len())
        };
        Ok((outcome, document))
    })
    .await
}

/// Writes the file of metrics after a run. `succeeded_at` is when it ended well.
///
/// # Errors
/// As [`check`].
pub async fn write_metrics(
    request: &Request,
    path: &Path,
    succeeded_at: Option<DateTime<Utc>>,
    interrupt: &Interrupt,
) -> Result<()> {
    survey(request, interrupt, |scene, _| write(path, scene, &check::judge(scene), succeeded_at)).await
}

fn write(path: &Path, scene: &Scene<'_>, report: &Report, succeeded_at: Option<DateTime<Utc>>) -> Result<()> {
    let database = &scene.snapshot.server.database;
    let before = std::fs::read_to_string(path).ok();
    let mut overdue: Vec<(TableName, usize)> = Vec::new();
    for (looked, status) in scene.looked.iter().zip(scene.statuses) {
        if let (Ok(found), Some(status)) = (&looked.found, status)
            && let Some(cutoff) = found.plan.cutoff
        {
            overdue.push((status.table.clone(), check::overdue(&found.set, cutoff, status).len()));
        }
    }
    let text = metrics::text(&Measured {
        database,
        snapshot: scene.snapshot,
        statuses: scene.statuses,
        report,
        overdue: &overdue,
        observed: scene.observed,
        now: scene.now,
        succeeded_at,
        before: before.and_then(|text| metrics::last_success_in(&text, database)),
    });
    crate::output::prometheus::write(path, &text)
}

/// Reads everything once, and hands it over.
async fn survey<T>(
    request: &Request,
    interrupt: &Interrupt,
    report: impl FnOnce(&Scene<'_>, &dyn Fn(&'static str) -> Document) -> Result<T>,
) -> Result<T> {
    let (session, snapshot, unknown) = observe::snapshot(request, interrupt).await?;
    let entries = look::entries(request, &snapshot)?;
    let ours = Utc::now();
    let now = request.at.unwrap_or(snapshot.now);
    let looked: Vec<Looked<'_>> = observe::look(request, &snapshot, &entries, &unknown, now, now - check::DUE);
    let observed = observe::observe(&session, &snapshot, &looked, interrupt).await?;
    let holds = look::holds(request, &snapshot);
    let statuses: Vec<Option<TableStatus>> = looked
        .iter()
        .map(|looked| {
            let found = looked.found.as_ref().ok()?;
            Some(status::of(found, &status::ground(&snapshot, looked.entry, &holds), &observed))
        })
        .collect();
    let skew = if request.allow_clock_skew { chrono::TimeDelta::zero() } else { snapshot.now - ours };
    let scene = Scene {
        policy: &request.policy,
        system: request.system.as_deref(),
        only: &request.only,
        snapshot: &snapshot,
        holds: &holds,
        looked: &looked,
        statuses: &statuses,
        observed: &observed,
        now,
        skew,
    };
    report(&scene, &|kind| view::head(kind, request, &snapshot).fact("at", "at", now))
}
