//! A run that changes: look, plan, gate; take the lease, look and plan again; make all partitions of
//! all tables before any leaves; a table that fails never stops the others.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::cold::Cold;
use super::ddl::Frame;
use super::depart::{self, Departed, Journey};
use super::hooks;
use super::plan::{self, Attention, Candidate};
use super::read::{self, Leaving, Snapshot};
use super::rows::{self, Done, Due};
use super::saved::Saved;
use super::work::{self, Found, TableWork};
use super::{Answer, Request, look, view};
use crate::error::{Explain, Failure, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::policy::{Hold, TablePolicy};
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
    let entries = tables(request, &snapshot)?;
    let holds = look::holds(request, &snapshot);
    let now = look::now(request, &snapshot, chrono::Utc::now())?;
    let mut works = work::assemble(&session, &request.policy, &entries, &snapshot, &holds, &request.wish, now).await?;
    let saved = saved(request)?;
    if let Some(saved) = &saved {
        saved.confine(&mut works, &request.policy, &snapshot.server.database)?;
    }
    let due = if request.rows { rows::plans(&session, request, &snapshot, &holds, now).await? } else { Vec::new() };
    if request.dry_run {
        let in_the_way = look::in_the_way(&session, &snapshot, &works).await?;
        return Ok(view::plan(request, &snapshot, &works, &due, &in_the_way, now));
    }
    let busy = works.iter().any(|work| work.found.as_ref().is_ok_and(Found::has_work));
    if !busy && !due.iter().any(Due::has_work) {
        let reports: Vec<TableReport> = works.into_iter().map(|work| begin(work).1).collect();
        let rows = rows::idle(due);
        tell_failures(reports.iter(), means);
        tell(&reports, &rows, means);
        return Ok(view::done(request, &snapshot, &reports, &rows));
    }
    gate::pass(&preview(&works, &snapshot), &request.rails, means.confirm)?;
    let order = Order {
        command: format!("partitions {}", request.verb),
        lease: "partitions".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: FIRST_TURN,
        pauses: Pauses::default(),
    };
    drop((works, due));
    let mut executor =
        Executor::begin(session, snapshot.server.clone(), &request.connection, order, means.interrupt, means.events)
            .await?;
    // Another run may have worked while this one waited for the lease.
    let snapshot = look::read(request, executor.session()).await?;
    let entries = tables(request, &snapshot)?;
    let holds = look::holds(request, &snapshot);
    let mut works =
        work::assemble(executor.session(), &request.policy, &entries, &snapshot, &holds, &request.wish, now).await?;
    if let Some(saved) = &saved {
        saved.confine(&mut works, &request.policy, &snapshot.server.database)?;
    }
    let done = everything(&mut executor, request, &snapshot, works, &holds, now, means).await;
    match &done {
        Ok((reports, rows)) => {
            let tables = reports.iter().filter(|r| r.failure.is_some()).map(|r| r.table.to_string());
            let jobs = rows.iter().filter(|done| done.report.is_err()).map(|done| done.job.clone());
            let failed: Vec<String> = tables.chain(jobs).collect();
            let ended = match outcome(reports, rows) {
                Outcome::Done => "done",
                Outcome::Deferred => "deferred",
                Outcome::Refused => "attention",
                _ => "partial",
            };
            executor.close(ended, &failed.join(", ")).await;
        }
        Err(failure) => executor.close_failed(failure).await,
    }
    let (reports, rows) = done?;
    tell(&reports, &rows, means);
    Ok(view::done(request, &snapshot, &reports, &rows))
}

/// Tables, what belongs to rows that left with their partitions, and rows.
async fn everything(
    executor: &mut Executor,
    request: &Request,
    snapshot: &Snapshot,
    works: Vec<TableWork<'_>>,
    holds: &[Hold],
    now: DateTime<Utc>,
    means: &mut Means<'_>,
) -> Result<(Vec<TableReport>, Vec<Done>)> {
    let reports = every_table(executor, request, snapshot, works, means).await?;
    if !request.rows {
        return Ok((reports, Vec::new()));
    }
    let due = rows::plans(executor.session(), request, snapshot, holds, now).await?;
    let rows = rows::run(executor, request, due, means).await?;
    Ok((reports, rows))
}

/// The tables of this run; none where it is about rows alone.
fn tables<'r>(request: &'r Request, snapshot: &Snapshot) -> Result<Vec<&'r TablePolicy>> {
    if request.wish.create || request.wish.expire { look::entries(request, snapshot) } else { Ok(Vec::new()) }
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
        let frame = Frame::of(&snapshot.server, found);
        plan.steps.extend(found.preview(&frame).into_iter().filter_map(|shown| match shown {
            work::Preview::Step(step) => Some(step),
            work::Preview::Words(_) => None,
        }));
    }
    plan
}

/// A table's work and its report, in which nothing has been done yet.
fn begin(work: TableWork<'_>) -> (Option<Found<'_>>, TableReport) {
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
            report.attentions.clone_from(&found.plan.attentions);
            (Some(found), report)
        }
        Err(failure) => {
            report.failure = Some(failure);
            (None, report)
        }
    }
}

async fn every_table(
    executor: &mut Executor,
    request: &Request,
    snapshot: &Snapshot,
    works: Vec<TableWork<'_>>,
    means: &mut Means<'_>,
) -> Result<Vec<TableReport>> {
    let mut tables: Vec<(Option<Found<'_>>, TableReport)> = works.into_iter().map(begin).collect();
    tell_failures(tables.iter().map(|(_, report)| report), means);
    for pass in [Pass::Create, Pass::Expire] {
        // Whoever is kept waiting gets a second turn with all the patience there is.
        let mut again = Vec::new();
        for (index, (found, report)) in tables.iter_mut().enumerate() {
            let Some(found) = found.as_ref().filter(|_| report.failure.is_none()) else { continue };
            let lock = &found.set.policy.lock;
            let turn = lock.patience.min(FIRST_TURN);
            executor.set_patience(turn, Pauses { first: lock.first_pause, longest: lock.longest_pause });
            if let Err(failure) = one_pass(executor, request, snapshot, found, report, pass, means).await {
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
            if let Err(failure) = one_pass(executor, request, snapshot, found, report, pass, means).await {
                fail(report, failure, means)?;
            }
        }
    }
    Ok(tables.into_iter().map(|(_, report)| report).collect())
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
    request: &Request,
    snapshot: &Snapshot,
    found: &Found<'_>,
    report: &mut TableReport,
    pass: Pass,
    means: &mut Means<'_>,
) -> Result<()> {
    let frame = Frame::of(&snapshot.server, found);
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
            if found.plan.record
                && let Some(line) = work::record(found.set.policy)
            {
                executor.perform(&Plan { steps: vec![note(&frame, line)] }, means.events).await?;
            }
            let cold = Cold { policy: &request.policy, env: &request.env, database: &snapshot.server.database };
            let refused = let_go(executor, &Journey { found, frame, cold }, report, means).await?;
            hooks::run(executor, found, &frame, &report.departed, means.events).await?;
            if let Some(failure) = refused {
                return Err(failure);
            }
        }
    }
    Ok(())
}

/// Lets partitions go: first what an earlier run has begun, so that a stage which cannot succeed takes no
/// further ones out. One that is refused, such as for its archive, does not keep the others; the first
/// refusal is returned.
async fn let_go(
    executor: &mut Executor,
    journey: &Journey<'_>,
    report: &mut TableReport,
    means: &mut Means<'_>,
) -> Result<Option<Failure>> {
    let found = journey.found;
    let mut refused = None;
    let on_the_way = found.leaving.iter().map(|row| Leaver::Row(row));
    for leaver in on_the_way.chain(found.plan.expire.iter().map(Leaver::Partition)) {
        let (name, range) = match leaver {
            Leaver::Row(row) => (found.name_of(row).to_string(), found.range_of(row)?),
            Leaver::Partition(partition) => (partition.name.to_string(), partition.range),
        };
        // In a second turn, what the first has seen to is not where it was.
        if report.departed.iter().any(|departed| departed.partition == name) {
            continue;
        }
        // A hold that was added meanwhile counts from this moment on.
        let holds = read::holds(executor.session()).await?;
        if let Some(hold) = plan::held(&found.set, range, &holds) {
            let attention = plan::held_back(&name, hold);
            if !report.attentions.contains(&attention) {
                report.attentions.push(attention);
            }
            continue;
        }
        let left = match leaver {
            Leaver::Row(row) => depart::go_on(executor, journey, row, means.events).await,
            Leaver::Partition(partition) => depart::leave(executor, journey, partition, means.events).await.map(Some),
        };
        match left {
            Ok(departed) => report.departed.extend(departed),
            Err(failure) if failure.what() == Kind::Refused => {
                refused.get_or_insert(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(refused)
}

/// A partition that leaves.
#[derive(Clone, Copy)]
enum Leaver<'a> {
    /// An earlier run has begun it.
    Row(&'a Leaving),
    /// It has expired.
    Partition(&'a Candidate),
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

/// What the policy says of a table and the table does not: told before the work begins.
fn tell_failures<'r>(reports: impl Iterator<Item = &'r TableReport>, means: &mut Means<'_>) {
    for report in reports {
        if let Some(failure) = &report.failure {
            means.events.event(Event::Failed { title: &report.table.to_string(), failure });
        }
    }
}

fn tell(reports: &[TableReport], rows: &[Done], means: &mut Means<'_>) {
    for attention in reports.iter().flat_map(|report| &report.attentions) {
        means.events.event(Event::Attention { message: &attention.message, hint: attention.hint.as_deref() });
    }
    for report in rows.iter().filter_map(|done| done.report.as_ref().ok()) {
        for attention in report.attention.iter().filter(|attention| attention.blocks) {
            let message = format!("rows {}: {}", report.job, attention.message);
            means.events.event(Event::Attention { message: &message, hint: attention.advice.as_deref() });
        }
    }
}

/// How the run ends: 5 over 4 over 3; what is wrong with the policy over all, once the rest is done.
pub fn outcome(reports: &[TableReport], rows: &[Done]) -> Outcome {
    let of_tables = reports.iter().filter_map(|r| r.failure.as_ref());
    let of_rows = rows.iter().filter_map(|done| done.report.as_ref().err());
    let failures: Vec<Kind> = of_tables.chain(of_rows).map(Failure::what).collect();
    let jobs: Vec<Outcome> =
        rows.iter().filter_map(|done| done.report.as_ref().ok()).map(crate::retain::JobReport::outcome).collect();
    if failures.contains(&Kind::Invalid) {
        return Outcome::Invalid;
    }
    // What was refused of one partition needs a person as an attention does.
    let refused = failures.contains(&Kind::Refused);
    let soft = |kind: &Kind| matches!(kind, Kind::Deferred | Kind::Refused);
    let failed: Vec<Kind> = failures.iter().copied().filter(|kind| !soft(kind)).collect();
    match failed.as_slice() {
        [] => {}
        [first, rest @ ..] if failed.len() == reports.len() + rows.len() && rest.iter().all(|kind| kind == first) => {
            return first.outcome();
        }
        _ => return Outcome::Partial,
    }
    if refused || jobs.contains(&Outcome::Refused) || reports.iter().any(|report| !report.attentions.is_empty()) {
        Outcome::Refused
    } else if failures.is_empty() && !jobs.contains(&Outcome::Deferred) {
        Outcome::Done
    } else {
        Outcome::Deferred
    }
}
