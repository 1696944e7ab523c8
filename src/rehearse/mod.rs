//! `dbctl migrate rehearse`: the pending migrations on a copy, each statement looked at while it runs,
//! and the table that a change ticket wants. The target is read, never written.

pub mod fill;
mod judge;
mod view;

use std::time::Duration;

use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::migrate::replay::{self, Bench, Reached, bench, reached, refuse_reaching};
use crate::migrate::{self, Answer, Request};
use crate::outcome::Outcome;
use crate::pg::{Interrupt, Query, Session};
use crate::scratch::{self, Place, Scratch, identity};
use crate::steps::apply::Executor;
use crate::steps::events::Events;
use crate::steps::gate::{Rails, consent};
use crate::steps::observe::{self, Observation, Relations};
use crate::steps::{Means, Plan, Step};
use fill::{Amount, Estimates, Fill, Filled};
pub use judge::Limits;

const HISTORY: &str = migrate::history::DEFAULT_TABLE;
/// How long looking at the target's statistics may take.
const READING: Duration = Duration::from_secs(30);

/// What is wanted of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The last version to try; none means all.
    pub to: Option<i64>,
    /// Where.
    pub stage: Stage,
    /// Rows that are made up for a scratch database.
    pub fill: Fill,
    /// What may be.
    pub limits: Limits,
    /// Time limits of each step.
    pub timeouts: migrate::Limits,
}

/// Where migrations are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// In a scratch database, into which what is applied is replayed.
    Scratch(Place),
    /// In a copy of the target that the user has made, with its rows.
    Copy(Connection),
}

/// What a rehearsal has seen.
struct Report {
    target: Reached,
    /// The versions that were tried.
    versions: Vec<i64>,
    /// Where, in words.
    stage: String,
    server: String,
    /// Which rows the copy had, in words.
    rows: String,
    plan: Plan,
    before: Relations,
    seen: Vec<Observation>,
    /// What made-up rows broke; from its step on, what was seen on a copy without them.
    broken: Option<Broken>,
    plain_before: Relations,
    plain_seen: Vec<Observation>,
    /// What was made up, and how large the target's tables are.
    filled: Vec<Filled>,
    estimates: Estimates,
    /// How it ended where it failed.
    failure: Option<Failure>,
    /// Bytes by which the copy has grown, and that it has put into temporary files.
    grown: Option<i64>,
    temporary: Option<i64>,
    /// Whether others may have written WAL meanwhile.
    shared: bool,
    notes: Vec<String>,
}

/// A failure that is the made-up rows', not the migration's: without them it passes.
struct Broken {
    step: String,
    /// None where it was at the commit.
    statement: Option<usize>,
    why: String,
}

impl Report {
    /// Whether what failed may have failed for made-up rows only. A time limit is not that.
    fn may_be_the_rows(&self) -> bool {
        let code = self.failure.as_ref().and_then(Failure::code);
        let data = code.is_some_and(|code| ["21", "22", "23", "54", "P0"].iter().any(|class| code.starts_with(class)));
        data && self.filled.iter().any(|one| one.rows > Some(0) && one.wanted > Some(0))
    }

    /// Which step was the last.
    fn last(&self) -> Option<usize> {
        let title = &self.seen.last()?.title;
        self.plan.steps.iter().position(|step| step.title == *title)
    }

    /// Goes on from the step that failed with what another run has seen without made-up rows.
    fn go_on_without_rows(&mut self, mut plain: Report) {
        let (Some(failed), Some(reached)) = (self.last(), plain.last()) else { return };
        if reached < failed {
            return;
        }
        let is_before = |title: &str| self.plan.steps.iter().take(failed).any(|step| step.title == title);
        let newest = self.seen.last().filter(|_| plain.failure.is_none() || reached > failed);
        self.broken = newest.zip(self.failure.as_ref()).map(|(newest, failure)| Broken {
            step: newest.title.clone(),
            statement: newest.failed.then_some(newest.statement),
            why: format!("made-up rows break it; real ones may not: {}", told(failure)),
        });
        plain.seen.retain(|one| !is_before(&one.title));
        let kept = self.seen.iter().filter(|one| is_before(&one.title)).cloned().collect();
        (self.seen, self.plain_seen, self.plain_before) = (kept, plain.seen, plain.before);
        (self.failure, self.grown, self.temporary) = (plain.failure, None, None);
    }

    fn lines(&self) -> Vec<judge::Line> {
        let mut lines = judge::lines(&self.plan, &self.seen, &self.before);
        let mut plain = judge::lines(&self.plan, &self.plain_seen, &self.plain_before);
        for line in &mut plain {
            line.unfilled = true;
        }
        if let Some(broken) = &self.broken {
            let mut of_step = plain.iter_mut().filter(|line| line.step == broken.step);
            let line = match broken.statement {
                Some(number) => of_step.find(|line| line.statement == number),
                None => of_step.last(),
            };
            line.into_iter().for_each(|line| line.doubt = Some(broken.why.clone()));
        }
        lines.extend(plain);
        lines
    }
}

/// What failed, on one line.
fn told(failure: &Failure) -> String {
    let messages = failure.messages().join(": ");
    messages.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// Tries what is pending on a copy.
///
/// # Errors
/// Refused where history and files contradict each other, where a version reaches beyond a scratch
/// database, and for a copy that is the target itself; what [`Scratch::create`] fails with.
pub async fn rehearse(request: &Request, wish: &Wish, means: &mut Means<'_>) -> Result<Answer> {
    if request.dry_run {
        let up = migrate::Wish { to: wish.to, allow_out_of_order: true, timeouts: wish.timeouts, ..Default::default() };
        return migrate::plan(request, &up, false, means.interrupt).await;
    }
    let target = reached(request, means.interrupt).await?;
    refuse_obstacles(&target)?;
    let versions = wanted(&target, wish.to)?;
    let label = request.connection.label();
    if versions.is_empty() {
        return Ok((Outcome::Done, view::nothing(&label, &target)));
    }
    let (estimates, unread) = match estimates(request, means.interrupt).await {
        Ok(estimates) => (estimates, None),
        // They are needed for counts only.
        Err(failure) if wish.fill.every != Some(Amount::LikeTarget) => {
            means.interrupt.check()?;
            (
                Estimates::new(),
                Some(format!("how large the target's tables are is UNKNOWN: {}", failure.messages().join(": "))),
            )
        }
        Err(failure) => return Err(failure),
    };
    let trial = Trial { target: &target, versions: &versions, estimates, wish };
    let mut report = match &wish.stage {
        Stage::Scratch(place) => {
            let (place, why) = replay::settle(place, &target, &versions)?;
            let mut report = trial.in_scratch(&place, &wish.fill, means).await?;
            if report.may_be_the_rows() {
                report.go_on_without_rows(trial.in_scratch(&place, &Fill::default(), means).await?);
            }
            report.notes.extend(why.map(|why| format!("this was tried {why}")));
            report
        }
        Stage::Copy(copy) => trial.in_copy(copy, request, means).await?,
    };
    report.estimates = trial.estimates;
    report.notes.extend(unread);
    report.notes.extend(late(&target, &versions));
    report.notes.extend(target.elsewhere.iter().map(|history| {
        format!("the search_path leads to no history, so nothing counts as applied; but there is {history}")
    }));
    let lines = report.lines();
    let excesses = judge::excesses(&lines, &wish.limits);
    let clean = excesses.is_empty() && report.failure.is_none();
    let outcome = if clean { Outcome::Done } else { Outcome::Findings };
    Ok((outcome, view::report(&label, &report, &lines, &excesses, &wish.limits)))
}

fn refuse_obstacles(target: &Reached) -> Result<()> {
    let Some((first, others)) = target.obstacles.split_first() else { return Ok(()) };
    let failure = others.iter().fold(Failure::new(Kind::Refused, first), |f, other| f.note(format!("also: {other}")));
    Err(failure.hint("'dbctl migrate status' shows every version; what cannot be migrated cannot be rehearsed"))
}

/// What `migrate up` does not do by itself.
fn late(target: &Reached, versions: &[i64]) -> Option<String> {
    let first = versions.iter().find(|version| target.applied.last().is_some_and(|newest| *version < newest))?;
    Some(format!("version {first} is older than what is applied: 'dbctl migrate up' wants --allow-out-of-order for it"))
}

/// In one read-only transaction of the target.
async fn estimates(request: &Request, interrupt: &Interrupt) -> Result<Estimates> {
    let session = Session::open(&request.connection, "rehearse", interrupt).await?;
    session.begin_reading(READING).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let estimates = fill::estimates(&session).await;
    session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    estimates
}

fn refuse_unknown_tables(fill: &Fill, filled: &[Filled]) -> Result<()> {
    let known = |word: &str| filled.iter().any(|one| one.table == word || one.table.ends_with(&format!(".{word}")));
    match fill.tables.iter().find(|(word, _)| !known(word)) {
        Some((word, rows)) => Err(Failure::new(
            Kind::Usage,
            format!("--rows {word}={rows}: there is no such table before these migrations"),
        )),
        None => Ok(()),
    }
}

fn rows(filled: &[Filled]) -> String {
    if filled.is_empty() {
        return "those that the applied migrations write".to_owned();
    }
    let short = filled.iter().filter(|one| one.reason.is_some()).count();
    let rows: u64 = filled.iter().filter_map(|one| one.rows).sum();
    format!("made up: {rows} in {} tables, {short} of them not as wanted", filled.len())
}

fn wanted(target: &Reached, to: Option<i64>) -> Result<Vec<i64>> {
    if let Some(to) = to.filter(|to| target.set.file(*to).is_none()) {
        return Err(Failure::new(Kind::Usage, format!("--to {to}: {} has no such version", target.set.origin)));
    }
    Ok(target.pending.iter().copied().filter(|version| to.is_none_or(|to| *version <= to)).collect())
}

/// What is tried.
struct Trial<'a> {
    target: &'a Reached,
    versions: &'a [i64],
    estimates: Estimates,
    wish: &'a Wish,
}

impl Trial<'_> {
    async fn in_scratch(&self, place: &Place, fill: &Fill, means: &mut Means<'_>) -> Result<Report> {
        let (interrupt, events) = (means.interrupt, &mut *means.events);
        scratch::within(place, &self.target.like, "rehearse", interrupt, async |scratch| {
            self.inside(scratch, place, fill, interrupt, events).await
        })
        .await
    }

    async fn inside(
        &self,
        scratch: &Scratch,
        place: &Place,
        fill: &Fill,
        interrupt: &Interrupt,
        events: &mut dyn Events,
    ) -> Result<Report> {
        let target = self.target;
        if scratch.shares_server() {
            refuse_reaching(target, self.versions, false)?;
        }
        let mut bench = replay::replay(scratch, target, &target.applied, "rehearse", interrupt).await?;
        let filled = if fill.is_wanted() {
            fill::perform(&mut bench, fill, &self.estimates, |table| is_history(table, target), interrupt).await?
        } else {
            Vec::new()
        };
        refuse_unknown_tables(fill, &filled)?;
        let mut report = self.watch(&mut bench, scratch.connection(), interrupt, events).await?;
        report.stage = match place {
            Place::SameServer(_) => "a scratch database on the target's server".to_owned(),
            Place::Url(_) => format!("a scratch database: {}", scratch.connection().label()),
            Place::Sandbox => "a private server (sandbox)".to_owned(),
        };
        report.shared = !scratch.is_private();
        report.rows = rows(&filled);
        report.filled = filled;
        report.notes.extend(scratch.changes().await);
        report.notes.extend(scratch.notes().iter().cloned());
        Ok(report)
    }

    /// A copy is changed for good: it must be one, and somebody must want that.
    async fn in_copy(&self, copy: &Connection, request: &Request, means: &mut Means<'_>) -> Result<Report> {
        refuse_target_itself(&request.connection, copy, means.interrupt).await?;
        let there = reached(&Request { connection: copy.clone(), ..request.clone() }, means.interrupt).await?;
        refuse_obstacles(&there)?;
        if there.applied != self.target.applied {
            return Err(Failure::new(
                Kind::Refused,
                format!("{} is not where the target is: it has other versions applied", copy.label()),
            )
            .note(format!("target: {}; copy: {}", newest(&self.target.applied), newest(&there.applied)))
            .hint("restore a newer backup, or apply what it lacks with 'dbctl migrate up --to V' there"));
        }
        let rails = Rails { always_ask: true, protected: None, ..request.rails.clone() };
        let because =
            format!("{} versions are applied to the copy {} and stay there", self.versions.len(), copy.label());
        consent(vec![because], &rails, means.confirm)?;
        let mut bench = bench(copy, self.target, "rehearse", means.interrupt).await?;
        let mut report = self.watch(&mut bench, copy, means.interrupt, means.events).await?;
        report.stage = format!("the copy {}", copy.label());
        report.shared = true;
        report.rows = "the copy's own".to_owned();
        Ok(report)
    }

    /// Applies the versions under observation. A version that fails is what a rehearsal is for.
    async fn watch(
        &self,
        bench: &mut Bench,
        connection: &Connection,
        interrupt: &Interrupt,
        events: &mut dyn Events,
    ) -> Result<Report> {
        let before = own(observe::relations(bench.executor().session()).await?, self.target);
        let plan = bench.plan(self.target, self.versions, self.wish.timeouts).await?;
        let plan = Plan { steps: plan.steps.iter().map(Step::apart).collect() };
        let sizes = Sizes::read(bench.executor()).await;
        let executor = bench.executor();
        executor.observe(connection).await?;
        let done = executor.perform(&plan, events).await;
        interrupt.check()?;
        let failure = match done {
            Ok(_) => None,
            Err(failure) if matches!(failure.what(), Kind::Unreachable | Kind::Busy) => return Err(failure),
            Err(failure) => Some(failure),
        };
        let after = Sizes::read(executor).await;
        Ok(Report {
            target: self.target.clone(),
            versions: self.versions.to_vec(),
            stage: String::new(),
            server: executor.server().version.clone(),
            rows: String::new(),
            before,
            seen: executor.observations(),
            broken: None,
            plain_before: Relations::new(),
            plain_seen: Vec::new(),
            plan,
            filled: Vec::new(),
            estimates: Estimates::new(),
            failure,
            grown: sizes.and_then(|before| Some(after?.database - before.database)),
            temporary: sizes.and_then(|before| Some(after?.temporary? - before.temporary?)),
            shared: false,
            notes: Vec::new(),
        })
    }
}

fn newest(applied: &[i64]) -> String {
    match applied.last() {
        Some(last) => format!("{} versions, the newest {last}", applied.len()),
        None => "none".to_owned(),
    }
}

async fn refuse_target_itself(target: &Connection, copy: &Connection, interrupt: &Interrupt) -> Result<()> {
    let there = identity(&Session::open(copy, "rehearse", interrupt).await?).await?;
    let here = identity(&Session::open(target, "rehearse", interrupt).await?).await?;
    if here.is(&there) {
        return Err(Failure::new(Kind::Refused, format!("--on leads to the target itself: {}", copy.label()))
            .hint("restore a backup of it into another database, and name that one"));
    }
    Ok(())
}

/// The history and dbctl's own tables are nobody's concern, nor what belongs to a table unseen.
fn own(mut relations: Relations, target: &Reached) -> Relations {
    let ours = |relation: &observe::Relation| {
        let history = relation.name.starts_with(HISTORY) && Some(&relation.schema) == target.schema.as_ref();
        history || ["dbctl", "pg_toast"].contains(&relation.schema.as_str())
    };
    relations.retain(|_, relation| !ours(relation));
    relations
}

fn is_history(table: &TableName, target: &Reached) -> bool {
    table.name.raw() == HISTORY && Some(table.schema.raw()) == target.schema.as_deref()
}

/// What a database takes on disk.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    database: i64,
    /// None where the server's counters may lag behind.
    temporary: Option<i64>,
}

impl Sizes {
    async fn read(executor: &Executor) -> Option<Sizes> {
        let counted = executor.hand_counters_on().await;
        let rows = executor.session().rows(&Query::DATABASE_SIZES, &[]).await.ok()?;
        let row = rows.first()?;
        let temporary: i64 = row.try_get("temporary").ok()?;
        Some(Sizes { database: row.try_get("database").ok()?, temporary: counted.then_some(temporary) })
    }
}
