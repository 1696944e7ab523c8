//! A run that changes: look, plan, gate; take the lease, look and plan again; make all partitions of
//! all tables before any leaves; a table that fails never stops the others.

use std::time::{Duration, Instant};

use super::ddl::Frame;
use super::depart::{self, Departed};
use super::plan::Attention;
use super::read::Snapshot;
use super::saved::Saved;
use super::work::{self, Found, TableWork};
use super::{Answer, Request, look, view};
use crate::error::{Explain, Failure, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::steps::apply::{Executor, Order};
use crate::steps::events::Event;
use crate::steps::{Lane, Means, Pauses, Plan, Step, Timeouts, gate};

/// How long a table with a lock in the way is tried before the others have their turn.
const FIRST_TURN: Duration = Duration::from_secs(2);

/// What a run did to one table.
#[derive(Debug)]
pub struct TableReport {
    /// The table.
    pub table: TableName,
    /// Partitions that were made.
    pub created: Vec<String>,
    /// Pending detaches that were ended.
    pub finalized: Vec<String>,
    /// Partitions that left, and how.
    pub departed: Vec<Departed>,
    /// Expired ones that stay, and why.
    pub kept: Vec<(String, String)>,
    /// What a person must look at.
    pub attentions: Vec<Attention>,
    /// What went wrong.
    pub failure: Option<Failure>,
}

/// Makes what is missing and lets go what has expired, as far as the wish says.
///
/// # Errors
/// What concerns the whole run: unreachable, busy, refused. What concerns one table is in the answer.
pub async fn run(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let (session, snapshot) = look::snapshot(request, means.interrupt).await?;
    if snapshot.server.in_recovery {
        return Ok(view::standby(request, &snapshot));
    }
    let entries = look::entries(request, &snapshot)?;
    let holds = look::holds(request, &snapshot);
    let now = look::now(request, &snapshot, chrono::Utc::now())?;
    let mut works = work::assemble(&session, &request.policy, &entries, &snapshot, &holds, &request.wish, now).await?;
    let saved = saved(request)?;
    if let Some(saved) = &saved {
        saved.confine(&mut works, &request.policy, &snapshot.server.database)?;
    }
    if request.dry_run {
        return Ok(view::plan(request, &snapshot, &works, now));
    }
    if !works.iter().any(|work| work.found.as_ref().is_ok_and(Found::has_work)) {
        let reports: Vec<TableReport> = works.into_iter().map(|work| report(work, means)).collect();
        tell(&reports, means);
        return Ok(view::done(request, &snapshot, &reports));
    }
    gate::pass(&preview(&works, &snapshot), &request.rails, means.confirm)?;
    let order = Order {
        command: format!("partitions {}", request.verb),
        lease: "partitions".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: FIRST_TURN,
        pauses: Pauses::default(),
    };
    drop(works);
    let mut executor = Executor::begin(
        session,
        snapshot.server.clone(),
        &request.connection,
        order,
        means.interrupt,
        means.events,
    )
    .await?;
    // Another run may have worked while this one waited for the lease.
    let snapshot = look::read(request, executor.session()).await?;
    let entries = look::entries(request, &snapshot)?;
    let holds = look::holds(request, &snapshot);
    let mut works =
        work::assemble(executor.session(), &request.policy, &entries, &snapshot, &holds, &request.wish, now).await?;
    if let Some(saved) = &saved {
        saved.confine(&mut works, &request.policy, &snapshot.server.database)?;
    }
    let done = every_table(&mut executor, &snapshot, works, means).await;
    match &done {
        Ok(reports) => {
            let failed: Vec<String> =
                reports.iter().filter(|r| r.failure.is_some()).map(|r| r.table.to_string()).collect();
            let outcome = if failed.is_empty() { "done" } else { "partial" };
            executor.close(outcome, &failed.join(", ")).await;
        }
        Err(failure) => executor.close_failed(failure).await,
    }
    let reports = done?;
    tell(&reports, means);
    Ok(view::done(request, &snapshot, &reports))
}

/// The plan that was saved, where one is to be applied.
fn saved(request: &Request) -> Result<Option<Saved>> {
    let Some(path) = &request.saved else { return Ok(None) };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).explain(Kind::Invalid, format!("cannot read the plan {shown}"))?;
    Saved::parse(&text, &shown).map(Some)
}

/// All steps of all tables, for the gate.
fn preview(works: &[TableWork<'_>], snapshot: &Snapshot) -> Plan {
    let mut plan = Plan::default();
    for found in works.iter().filter_map(|work| work.found.as_ref().ok()) {
        let frame = Frame { server: &snapshot.server, set: &found.set, details: &found.details };
        plan.steps.extend(found.preview(&frame).into_iter().filter_map(|shown| match shown {
            work::Preview::Step(step) => Some(step),
            work::Preview::Words(_) => None,
        }));
    }
    plan
}

fn report(work: TableWork<'_>, means: &mut Means<'_>) -> TableReport {
    let mut report = TableReport {
        table: work.entry.table.clone(),
        created: Vec::new(),
        finalized: Vec::new(),
        departed: Vec::new(),
        kept: Vec::new(),
        attentions: Vec::new(),
        failure: None,
    };
    match work.found {
        Ok(found) => {
            report.kept = found.plan.kept.iter().map(|k| (k.partition.name.to_string(), k.why.clone())).collect();
            report.attentions = found.plan.attentions;
        }
        Err(failure) => {
            means.events.event(Event::Failed { title: &report.table.to_string(), failure: &failure });
            report.failure = Some(failure);
        }
    }
    report
}

async fn every_table(
    executor: &mut Executor,
    snapshot: &Snapshot,
    works: Vec<TableWork<'_>>,
    means: &mut Means<'_>,
) -> Result<Vec<TableReport>> {
    let mut tables: Vec<(Option<Found<'_>>, TableReport)> = Vec::new();
    for mut work in works {
        let found = std::mem::replace(&mut work.found, Err(Failure::new(Kind::Failed, "")));
        let entry = work.entry;
        match found {
            Ok(found) => {
                let report = report(TableWork { entry, found: Ok(shallow(&found)) }, means);
                tables.push((Some(found), report));
            }
            Err(failure) => tables.push((None, report(TableWork { entry, found: Err(failure) }, means))),
        }
    }
    for pass in [Pass::Create, Pass::Expire] {
        // Whoever is kept waiting gets a second turn with all the patience there is.
        let mut again = Vec::new();
        for (index, (found, report)) in tables.iter_mut().enumerate() {
            let Some(found) = found.as_ref().filter(|_| report.failure.is_none()) else { continue };
            let lock = &found.set.policy.lock;
            let turn = lock.patience.min(FIRST_TURN);
            executor.set_patience(turn, Pauses { first: lock.first_pause, longest: lock.longest_pause });
            if let Err(failure) = one_pass(executor, snapshot, found, report, pass, means).await {
                match failure.what() {
                    Kind::Deferred if lock.patience > turn => again.push((index, Instant::now())),
                    _ => fail(report, failure, means)?,
                }
            }
        }
        for (index, since) in again {
            let Some((Some(found), report)) = tables.get_mut(index) else { continue };
            let lock = &found.set.policy.lock;
            let left = lock.patience.saturating_sub(since.elapsed());
            executor.set_patience(left, Pauses { first: lock.first_pause, longest: lock.longest_pause });
            if let Err(failure) = one_pass(executor, snapshot, found, report, pass, means).await {
                fail(report, failure, means)?;
            }
        }
    }
    Ok(tables.into_iter().map(|(_, report)| report).collect())
}

/// What the report takes from a table's work.
fn shallow<'a>(found: &Found<'a>) -> Found<'a> {
    Found {
        set: found.set.clone(),
        plan: found.plan.clone(),
        leaving: Vec::new(),
        details: found.details.clone(),
        names: Vec::new(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Create,
    Expire,
}

/// What ends the run, and what only ends the table's turn.
fn fail(report: &mut TableReport, failure: Failure, means: &mut Means<'_>) -> Result<()> {
    if matches!(failure.what(), Kind::Interrupted | Kind::Terminated | Kind::Unreachable) {
        return Err(failure);
    }
    means.events.event(Event::Failed { title: &report.table.to_string(), failure: &failure });
    report.failure = Some(failure);
    Ok(())
}

async fn one_pass(
    executor: &mut Executor,
    snapshot: &Snapshot,
    found: &Found<'_>,
    report: &mut TableReport,
    pass: Pass,
    means: &mut Means<'_>,
) -> Result<()> {
    let frame = Frame { server: &snapshot.server, set: &found.set, details: &found.details };
    match pass {
        Pass::Create => {
            for partition in found.plan.finalize.iter().skip(report.finalized.len()) {
                executor.perform(&Plan { steps: vec![frame.finalize(partition)] }, means.events).await?;
                report.finalized.push(partition.name.to_string());
            }
            let batches = found.creations(&frame);
            let size = frame.batch().max(1);
            // In a second turn what the first has made is there.
            for (n, step) in batches.into_iter().enumerate().skip(report.created.len().div_ceil(size)) {
                executor.perform(&Plan { steps: vec![step] }, means.events).await?;
                report.created.extend(found.names.iter().skip(n * size).take(size).map(ToString::to_string));
            }
        }
        Pass::Expire => {
            if found.plan.record && let Some(line) = work::record(found.set.policy) {
                executor.perform(&Plan { steps: vec![note(&frame, line)] }, means.events).await?;
            }
            for partition in &found.plan.expire {
                if report.departed.iter().any(|d| d.partition == partition.name.to_string()) {
                    continue;
                }
                report.departed.push(depart::leave(executor, found, &frame, partition, means.events).await?);
            }
            for row in &found.leaving {
                report.departed.extend(depart::go_on(executor, found, &frame, row, means.events).await?);
            }
        }
    }
    Ok(())
}

/// A step that only records.
fn note(frame: &Frame<'_>, line: String) -> Step {
    let table = &frame.set.policy.table;
    Step {
        id: format!("partitions {}:policy", super::plan::raw(table)),
        title: format!("record the retention of {table}"),
        file: "dbctl".to_owned(),
        file_text: "".into(),
        why: "a shorter one asks again".to_owned(),
        lane: Lane::Transaction,
        settings: frame.server.step_settings("partitions"),
        timeouts: Timeouts { lock: frame.set.policy.lock.timeout, statement: Duration::ZERO },
        statements: Vec::new(),
        record: vec![line],
    }
}

fn tell(reports: &[TableReport], means: &mut Means<'_>) {
    for attention in reports.iter().flat_map(|report| &report.attentions) {
        means.events.event(Event::Attention { message: &attention.message, hint: attention.hint.as_deref() });
    }
}

/// How the run ends: 5 over 4 over 3; what is wrong with the policy over all, once the rest is done.
pub fn outcome(reports: &[TableReport]) -> Outcome {
    let failures: Vec<Kind> = reports.iter().filter_map(|r| r.failure.as_ref()).map(Failure::what).collect();
    if failures.contains(&Kind::Invalid) {
        return Outcome::Invalid;
    }
    let failed: Vec<Kind> = failures.iter().copied().filter(|kind| *kind != Kind::Deferred).collect();
    match failed.as_slice() {
        [] => {}
        [first, rest @ ..] if failed.len() == reports.len() && rest.iter().all(|kind| kind == first) => {
            return first.outcome();
        }
        _ => return Outcome::Partial,
    }
    if reports.iter().any(|report| !report.attentions.is_empty()) {
        Outcome::Refused
    } else if failures.is_empty() {
        Outcome::Done
    } else {
        Outcome::Deferred
    }
}
