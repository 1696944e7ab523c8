//! The rows of a DEFAULT partition: `promote` makes it the partition of the hole that they lie in,
//! `drain` gives every window a partition of its own. Neither hides a row, and what is stopped on the
//! way goes on with the same command.

mod assess;
mod drain;
mod log;
mod plan;
mod read;
mod record;
mod view;

use std::time::Duration;

use super::{Answer, Means};
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::pg::Session;
use crate::policy::calendar::Grid;
use crate::policy::{Policy, TablePolicy};
use crate::steps::apply::{Applied, Executor, Order};
use crate::steps::batch::{Batched, Frame};
use crate::steps::gate::{self, Rails};
use crate::steps::{Pauses, Plan, Timeouts};
use assess::Ground;
use drain::Draft;
use plan::Course;
use read::{Contents, Default, Snapshot};

/// What is asked.
#[derive(Debug, Clone)]
pub struct DefaultRequest {
    /// The database.
    pub connection: Connection,
    /// The policy, with an entry for the table.
    pub policy: Policy,
    /// The partitioned table.
    pub table: TableName,
    /// Stop after the plan.
    pub dry_run: bool,
    /// What protects the target.
    pub rails: Rails,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long all attempts for a lock may take together; nothing is the policy's word.
    pub lock_patience: Option<Duration>,
}

/// How few log entries are left for the exchange, which takes them over under its lock.
const FEW: i64 = 500;
/// What a batch should take, and how many entries the first one has.
const TARGET: Duration = Duration::from_millis(50);
const FIRST_BATCH: u32 = 500;
const LARGEST_BATCH: u32 = 20_000;
/// After so many batches that do not get ahead of the writers, the exchange is tried all the same,
/// unless more than so many entries are left: its lock would be held too long.
const ENOUGH: u32 = 50;
const MOST: i64 = 5000;

/// What was read, and the grid over it.
struct Findings {
    snapshot: Snapshot,
    grid: Grid,
    contents: Contents,
}

impl Findings {
    fn ground<'a>(&'a self, policy: &'a TablePolicy, default: &'a Default) -> Result<Ground<'a>> {
        Ground::of(&self.snapshot, policy, self.grid, default, &self.contents)
    }

    fn contents(&self) -> Option<(&Contents, &Grid)> {
        Some((&self.contents, &self.grid))
    }
}

/// Makes the DEFAULT partition the range partition of the hole that its rows lie in.
///
/// # Errors
/// Refused where they lie in several; deferred where a lock was not to be had.
pub async fn promote(request: &DefaultRequest, means: &mut Means<'_>) -> Result<Answer> {
    const KIND: &str = "partitions.default.promote";
    let policy = entry(request)?;
    let (label, table) = (request.connection.label(), &request.table);
    let session = Session::open(&request.connection, "partitions default", means.interrupt).await?;
    let found = look(&session, request, policy).await?;
    let decide = |found: &Findings| match &found.snapshot.default {
        Some(default) => plan::promote(&found.ground(policy, default)?),
        None => Ok(Course::default()),
    };
    let course = decide(&found)?;
    if request.dry_run {
        return Ok((Outcome::Done, view::plan(KIND, &label, table, &course.plan, &course.notes, found.contents())));
    }
    if course.plan.is_empty() {
        return Ok((Outcome::Done, view::done(KIND, &label, table, &[], &[], found.contents())));
    }
    gate::pass(&course.plan, &request.rails, means.confirm)?;
    let mut executor = begin(request, policy, session, &found.snapshot, means).await?;
    let found = look(executor.session(), request, policy).await?;
    let course = decide(&found)?;
    match executor.apply(&course.plan, means.events).await {
        Ok(applied) => Ok((Outcome::Done, view::done(KIND, &label, table, &applied, &course.notes, found.contents()))),
        Err(failure) => Err(withdraw(&mut executor, request, policy, means, failure).await),
    }
}

/// The CHECK refuses rows: it does not outlive a run that failed.
async fn withdraw(
    executor: &mut Executor,
    request: &DefaultRequest,
    policy: &TablePolicy,
    means: &mut Means<'_>,
    failure: Failure,
) -> Failure {
    let plan = match look(executor.session(), request, policy).await {
        Ok(found) => match &found.snapshot.default {
            Some(default) => found.ground(policy, default).map(|ground| plan::undo(&ground)),
            None => Ok(Plan::default()),
        },
        Err(failure) => Err(failure),
    };
    let undone = match plan {
        Ok(plan) => executor.apply(&plan, means.events).await.map(drop),
        Err(failure) => Err(failure),
    };
    match undone {
        Ok(()) => failure,
        Err(_) => failure.note(format!(
            "the CHECK on its DEFAULT partition could not be dropped now and refuses rows outside of its bounds: run \
             'dbctl partitions default promote {}' again soon",
            request.table
        )),
    }
}

/// Gives every window that has rows in the DEFAULT partition a partition of its own.
///
/// # Errors
/// Refused where rows cannot be told apart; deferred where a lock was not to be had.
pub async fn drain(request: &DefaultRequest, means: &mut Means<'_>) -> Result<Answer> {
    const KIND: &str = "partitions.default.drain";
    let policy = entry(request)?;
    let (label, table) = (request.connection.label(), &request.table);
    let session = Session::open(&request.connection, "partitions default", means.interrupt).await?;
    let found = look(&session, request, policy).await?;
    let decide = |found: &Findings| match &found.snapshot.default {
        Some(default) => drain::drain(&found.ground(policy, default)?),
        None => Ok(Draft::default()),
    };
    let draft = decide(&found)?;
    let whole = Plan { steps: draft.prepare.plan.steps.iter().chain(&draft.exchange.steps).cloned().collect() };
    if request.dry_run {
        let mut notes = draft.prepare.notes.clone();
        if !whole.is_empty() {
            notes.push(format!(
                "before the partitions leave the stage, in batches of about {TARGET:?}: {}",
                draft.batch
            ));
        }
        return Ok((Outcome::Done, view::plan(KIND, &label, table, &whole, &notes, found.contents())));
    }
    if whole.is_empty() {
        return Ok((Outcome::Done, view::done(KIND, &label, table, &[], &[], found.contents())));
    }
    gate::pass(&whole, &request.rails, means.confirm)?;
    let mut executor = begin(request, policy, session, &found.snapshot, means).await?;
    let found = look(executor.session(), request, policy).await?;
    let draft = decide(&found)?;
    let mut applied = executor.apply(&draft.prepare.plan, means.events).await?;
    if !draft.exchange.is_empty() {
        catch_up(&mut executor, request, policy, &draft, means).await?;
    }
    applied.extend(executor.apply(&draft.exchange, means.events).await?);
    Ok((Outcome::Done, view::done(KIND, &label, table, &applied, &draft.prepare.notes, found.contents())))
}

/// Takes rows over in batches until little is left for the exchange.
async fn catch_up(
    executor: &mut Executor,
    request: &DefaultRequest,
    policy: &TablePolicy,
    draft: &Draft,
    means: &mut Means<'_>,
) -> Result<Vec<Applied>> {
    let Some(exchange) = draft.exchange.steps.first() else { return Ok(Vec::new()) };
    let frame = Frame {
        subject: format!("{} batches", exchange.id),
        title: format!("{}: take rows over", request.table),
        settings: exchange.settings.clone(),
        timeouts: Timeouts { lock: policy.lock.timeout, statement: Duration::ZERO },
        patience: request.lock_patience.unwrap_or(policy.lock.patience),
        pauses: (policy.lock.first_pause, policy.lock.longest_pause),
    };
    executor.begin_job(&frame, &[]).await?;
    let (mut amount, mut stuck, mut best) = (FIRST_BATCH, 0, i64::MAX);
    loop {
        let began = std::time::Instant::now();
        let batched = executor.batch(&frame, &draft.batch, &[&amount.to_string()], means.events).await;
        let rows = match batched {
            Ok(Batched::Rows(rows)) => rows,
            Ok(Batched::TimedOut) => Vec::new(),
            Err(failure) => return Err(executor.fail_job(&frame, failure, &[]).await),
        };
        let left: i64 = rows.first().map_or(Ok(i64::MAX), |row| row.try_get("remaining"))?;
        stuck = if left < best { 0 } else { stuck + 1 };
        best = best.min(left);
        if left <= FEW || (stuck >= ENOUGH && left <= MOST) {
            executor.end_job(&frame, &[]).await?;
            return Ok(Vec::new());
        }
        if stuck >= ENOUGH {
            let failure = Failure::new(
                Kind::Deferred,
                format!("rows of the DEFAULT partition of {} change faster than they are taken over", request.table),
            )
            .hint("run the same command again when less is written: it goes on from here");
            return Err(executor.fail_job(&frame, failure, &[]).await);
        }
        let scale = TARGET.as_secs_f64() / began.elapsed().as_secs_f64().max(0.001);
        amount = ((f64::from(amount) * scale.clamp(0.5, 2.0)) as u32).clamp(50, LARGEST_BATCH);
    }
}

async fn look(session: &Session, request: &DefaultRequest, policy: &TablePolicy) -> Result<Findings> {
    let snapshot = read::snapshot(session, &request.table).await?;
    let (grid, kind) = assess::grid(&snapshot, policy)?;
    let contents = match &snapshot.default {
        Some(default) => read::contents(session, &default.name, &policy.key, &kind, &grid).await?,
        None => Contents::default(),
    };
    Ok(Findings { snapshot, grid, contents })
}

async fn begin(
    request: &DefaultRequest,
    policy: &TablePolicy,
    session: Session,
    snapshot: &Snapshot,
    means: &mut Means<'_>,
) -> Result<Executor> {
    let order = Order {
        command: "partitions default".to_owned(),
        lease: "partitions".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience.unwrap_or(policy.lock.patience),
        pauses: Pauses { first: policy.lock.first_pause, longest: policy.lock.longest_pause },
    };
    Executor::begin(session, snapshot.server.clone(), &request.connection, order, means.interrupt, means.events).await
}

fn entry(request: &DefaultRequest) -> Result<&TablePolicy> {
    let found = request.policy.tables.iter().find(|entry| entry.table == request.table);
    found.ok_or_else(|| Failure::new(Kind::Invalid, format!("the policy has no entry for table {}", request.table)))
}
