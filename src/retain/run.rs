//! Works through a plan, batch by batch, at a pace that others do not notice. Every batch commits by
//! itself: whatever ends a run, the next one goes on.

use std::time::{Duration, Instant};

use super::pace::{Size, Verdict, is_open, verdict};
use super::plan::{Attention, JobPlan, Path, Visit};
use super::read;
use super::snapshot::Count;
use crate::config::Secret;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};
use crate::ident::Literal;
use crate::outcome::Outcome;
use crate::pg::{Interrupt, Query, Row};
use crate::policy::RowJob;
use crate::steps::Timeouts;
use crate::steps::apply::Executor;
use crate::steps::batch::{Batched, Frame};
use crate::steps::events::{Event, Events};
use crate::steps::lag::Lag;

/// How often the server is asked how it is doing.
const LOOK: Duration = Duration::from_millis(900);
/// And how often while the work pauses.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Without a budget, a pause ends the run after this long.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// A batch that aims at 30 ms and takes this long is stopped and made smaller.
const LONGEST_BATCH: Duration = Duration::from_secs(1);
/// Counting what is left; and proving that nothing is, before a leaf is left alone for good.
const COUNTING: Duration = Duration::from_secs(5);
const PROVING: Duration = Duration::from_secs(60);
/// Rows that others held are looked for again this often.
const SWEEPS: usize = 3;
/// A table with fewer changed rows than this is not worth a VACUUM.
const WORTH_VACUUM: f64 = 1000.0;

/// What a run may use while it works.
pub struct Means<'a> {
    /// Signals.
    pub interrupt: &'a Interrupt,
    /// Where events go.
    pub events: &'a mut dyn Events,
    /// Where the keys of hashes are.
    pub env: &'a Env,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq)]
pub struct JobReport {
    /// The job's name.
    pub job: String,
    /// Its table.
    pub table: String,
    /// `delete`, `move`, `anonymise` or `keep`.
    pub action: &'static str,
    /// Rows that were deleted, moved or changed.
    pub rows: u64,
    /// Batches that found rows.
    pub batches: u64,
    /// The longest of them, as this side saw it.
    pub longest: Duration,
    /// Altogether.
    pub took: Duration,
    /// Of that, pausing.
    pub paused: Duration,
    /// VACUUMs.
    pub vacuums: u64,
    /// Leaves that need no further visit.
    pub closed: u64,
    /// Rows that are still due: others hold them, or the run ended before.
    pub left: Count,
    /// Rows that a trigger kept as they are.
    pub kept: u64,
    /// Why it ended before it was done.
    pub stop: Option<Stop>,
    /// What a person must look at: the plan's, and what came up.
    pub attention: Vec<Attention>,
}

/// Why a run ended before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Something must be looked at first.
    Blocked,
    /// The budget is spent.
    Budget,
    /// The window is closed.
    Window,
    /// The server was over a limit for too long: which.
    Pace(String),
    /// There is a limit, and what it is about cannot be seen any more.
    Unknown(String),
}

impl JobReport {
    /// A run of a plan that has done nothing yet.
    pub fn of(plan: &JobPlan) -> JobReport {
        JobReport {
            job: plan.job.clone(),
            table: plan.table.to_string(),
            action: plan.action,
            rows: 0,
            batches: 0,
            longest: Duration::ZERO,
            took: Duration::ZERO,
            paused: Duration::ZERO,
            vacuums: 0,
            closed: 0,
            left: plan.rows,
            kept: 0,
            stop: None,
            attention: plan.attention.clone(),
        }
    }

    /// What the run comes to.
    pub fn outcome(&self) -> Outcome {
        match &self.stop {
            Some(Stop::Blocked | Stop::Unknown(_)) => Outcome::Refused,
            Some(Stop::Budget | Stop::Window | Stop::Pace(_)) => Outcome::Deferred,
            None if self.kept > 0 => Outcome::Refused,
            None if matches!(self.left, Count::Exact(left) if left > 0) => Outcome::Deferred,
            None => Outcome::Done,
        }
    }

    fn detail(&self) -> Vec<(&'static str, String)> {
        vec![
            ("rows", self.rows.to_string()),
            ("batches", self.batches.to_string()),
            ("left", self.left.to_string()),
            ("seconds", format!("{:.3}", self.took.as_secs_f64())),
        ]
    }
}

/// Does what a plan says. A plan that nothing is due in, or that is blocked, changes nothing.
///
/// # Errors
/// Deferred when a lock was not to be had within the job's patience; interrupted; usage when the key
/// of a hash is not set; the server's. What was done before stays.
pub async fn run(executor: &mut Executor, job: &RowJob, plan: &JobPlan, means: &mut Means<'_>) -> Result<JobReport> {
    let mut report = JobReport::of(plan);
    if plan.is_blocked() {
        report.stop = Some(Stop::Blocked);
        return Ok(report);
    }
    if plan.is_empty() {
        return Ok(report);
    }
    let secrets = secrets(plan, means.env)?;
    let frame = frame(executor, job);
    let mut runner = Runner {
        executor,
        job,
        frame,
        secrets,
        began: Instant::now(),
        looked: None,
        told: None,
        lag: Lag::default(),
        size: Size::new(job.batch),
        report,
    };
    // Before the journal: a run outside of its window writes nothing.
    let stop = runner.pace(means).await?;
    if stop.is_some() {
        runner.report.stop = stop;
        return Ok(runner.report);
    }
    runner.executor.begin_job(&runner.frame, &[]).await?;
    let worked = runner.work(plan, means).await;
    runner.report.took = runner.began.elapsed();
    let Runner { executor, frame, report, .. } = runner;
    match worked {
        Ok(()) => {
            executor.end_job(&frame, &report.detail()).await?;
            Ok(report)
        }
        Err(failure) => {
            let done =
                (report.rows > 0).then(|| format!("{} rows of {} ({})", report.rows, report.table, report.action));
            Err(executor.fail_job(&frame, failure.done(done), &report.detail()).await)
        }
    }
}

fn secrets(plan: &JobPlan, env: &Env) -> Result<Vec<Secret>> {
    let secret = |name: &String| {
        env.get(name).map(Secret::new).ok_or_else(|| {
            Failure::new(
                Kind::Usage,
                format!("row job {}: variable {name} with the key of its hash is not set", plan.job),
            )
            .hint(format!("set it where dbctl runs, to the same value every time: export {name}=…"))
        })
    };
    plan.secrets.iter().map(secret).collect()
}

fn frame(executor: &Executor, job: &RowJob) -> Frame {
    let mut settings = executor.server().step_settings("rows");
    settings.push(("DateStyle", "ISO, YMD".to_owned()));
    // A policy that appears meanwhile is an error, not fewer rows.
    settings.push(("row_security", "off".to_owned()));
    Frame {
        subject: format!("rows:{}", job.name),
        title: format!("rows {} on {}", job.name, job.table),
        settings,
        timeouts: Timeouts { lock: job.lock.timeout, statement: LONGEST_BATCH.max(job.batch.target * 20) },
        patience: job.lock.patience,
        pauses: (job.lock.first_pause, job.lock.longest_pause),
    }
}

struct Runner<'a> {
    executor: &'a mut Executor,
    job: &'a RowJob,
    frame: Frame,
    secrets: Vec<Secret>,
    began: Instant,
    looked: Option<Instant>,
    told: Option<Instant>,
    lag: Lag,
    size: Size,
    report: JobReport,
}

/// What one way through a leaf came to.
enum Pass {
    /// To its end, with so many rows changed.
    Whole(u64),
    /// Not to its end.
    Stopped(Stop),
}

/// What a batch came to.
struct Took {
    picked: u64,
    done: u64,
    bound: Option<String>,
    blocks: u64,
}

impl Runner<'_> {
    async fn work(&mut self, plan: &JobPlan, means: &mut Means<'_>) -> Result<()> {
        let mut left = Count::Exact(0);
        for visit in &plan.visits {
            if self.report.stop.is_none() {
                left = left.and(self.visit(visit, plan, means).await?);
            } else {
                left = left.and(visit.rows);
            }
        }
        self.report.left = left;
        if self.report.kept > 0 {
            self.report.attention.push(Attention {
                message: format!("a trigger on {} kept {} rows as they are", self.report.table, self.report.kept),
                advice: Some("see the triggers of the table, or narrow the job's condition".to_owned()),
                blocks: true,
            });
        }
        Ok(())
    }

    /// Works in one leaf; returns what is left in it.
    async fn visit(&mut self, visit: &Visit, plan: &JobPlan, means: &mut Means<'_>) -> Result<Count> {
        let kept = self.report.kept;
        let mut left = visit.rows;
        let mut path = visit.path;
        for _ in 0..SWEEPS {
            if left == Count::Exact(0) {
                break;
            }
            // A row that refuses once refuses again: it counts once.
            self.report.kept = kept;
            let pass = self.pass(visit, &mut path, plan, means).await?;
            let time = if visit.closes.is_some() { PROVING } else { COUNTING };
            left = match &pass {
                // The time is up: no time for counting either.
                Pass::Stopped(_) => self.count(visit, Duration::ZERO, means).await?,
                Pass::Whole(_) => self.count(visit, time, means).await?,
            };
            match pass {
                Pass::Stopped(stop) => {
                    self.report.stop = Some(stop);
                    return Ok(left);
                }
                Pass::Whole(0) => break,
                Pass::Whole(_) => {}
            }
        }
        if let Some(until) = visit.closes.as_ref().filter(|_| left == Count::Exact(0)) {
            self.executor
                .note(&format!(
                    "INSERT INTO dbctl.row_job (job, relation, until, rows) VALUES ({}, {}, {}, {})\nON CONFLICT (job, \
                     relation) DO UPDATE SET until = excluded.until, rows = excluded.rows, done_at = \
                     pg_catalog.clock_timestamp();",
                    Literal(&self.job.name),
                    visit.oid,
                    Literal(until),
                    visit.rows.number().unwrap_or(0)
                ))
                .await?;
            self.report.closed += 1;
        }
        Ok(left)
    }

    async fn count(&self, visit: &Visit, time: Duration, means: &Means<'_>) -> Result<Count> {
        let counted = read::rows(self.executor.session(), &visit.count, &visit.estimate, time).await;
        means.interrupt.check()?;
        counted.map_err(|e| e.explain(format!("{}: cannot count what is left", self.frame.title)))
    }

    /// Once through a leaf.
    async fn pass(&mut self, visit: &Visit, path: &mut Path, plan: &JobPlan, means: &mut Means<'_>) -> Result<Pass> {
        let (mut changed, mut since_vacuum, mut stuck) = (0, 0, 0);
        let mut low = start(*path);
        let mut block = 0;
        loop {
            if let Some(stop) = self.pace(means).await? {
                return Ok(Pass::Stopped(stop));
            }
            let limit = self.size.rows();
            let end = block + self.size.blocks();
            let sql = match (*path, &visit.by_index) {
                (Path::Index, Some(sql)) => sql,
                _ => &visit.by_blocks,
            };
            let began = Instant::now();
            let Some(took) = self.batch(sql, limit, &low, &format!("({end},0)"), means).await? else {
                if *path == Path::Index {
                    // Few rows in a long stretch of the index: pieces of the table are bounded.
                    *path = Path::Blocks;
                    (low, block) = (start(*path), 0);
                } else if !self.size.shrink() {
                    return Err(self.too_slow());
                }
                continue;
            };
            let time = began.elapsed();
            self.size.took(time, took.picked >= limit);
            if took.picked > 0 {
                self.report.batches += 1;
                self.report.longest = self.report.longest.max(time);
            }
            self.report.rows += took.done;
            self.report.kept += took.picked.saturating_sub(took.done);
            (changed, since_vacuum) = (changed + took.done, since_vacuum + took.done);
            self.tell(plan, means);
            let full = took.picked >= limit;
            match *path {
                Path::Index if !full => return Ok(Pass::Whole(changed)),
                Path::Index => {
                    let bound = took.bound.unwrap_or_default();
                    stuck = if bound == low { stuck + 1 } else { 0 };
                    low = bound;
                    if stuck > 1 {
                        // Very many rows of one age: each batch would read past those that are done.
                        *path = Path::Blocks;
                        (low, block) = (start(*path), 0);
                    }
                }
                Path::Blocks if full => {
                    low = took.bound.unwrap_or_default();
                    block = block_of(&low).unwrap_or(end);
                }
                Path::Blocks if end >= took.blocks => return Ok(Pass::Whole(changed)),
                Path::Blocks => {
                    low = format!("({end},0)");
                    block = end;
                }
            }
            if self.wants_vacuum(visit, since_vacuum) {
                self.vacuum(visit, means).await?;
                since_vacuum = 0;
            }
        }
    }

    /// Nothing when it took too long and was rolled back.
    async fn batch(
        &mut self,
        sql: &str,
        limit: u64,
        low: &str,
        high: &str,
        means: &mut Means<'_>,
    ) -> Result<Option<Took>> {
        let limit = limit.to_string();
        let mut params = vec![limit.as_str(), low, high];
        params.extend(self.secrets.iter().map(Secret::reveal));
        match self.executor.batch(&self.frame, sql, &params, means.events).await? {
            Batched::TimedOut => Ok(None),
            Batched::Rows(rows) => took(&rows).map(Some),
        }
    }

    fn too_slow(&self) -> Failure {
        let seconds = self.frame.timeouts.statement.as_secs_f64();
        Failure::new(Kind::Failed, format!("{}: a single row takes longer than {seconds:.0} s", self.frame.title))
            .hint("see the table's triggers, and foreign keys without an index: the plan lists them")
    }

    fn wants_vacuum(&self, visit: &Visit, changed: u64) -> bool {
        let Some(share) = self.job.vacuum else { return false };
        let all = visit.all_rows.max(visit.rows.number().unwrap_or(0) as f64);
        changed as f64 >= (all * share).max(WORTH_VACUUM)
    }

    async fn vacuum(&mut self, visit: &Visit, means: &mut Means<'_>) -> Result<()> {
        // Cutting off the end of the file would want the table for itself.
        let sql = format!("VACUUM (SKIP_LOCKED, TRUNCATE FALSE) {}", visit.leaf);
        self.executor.alone(&self.frame, &sql, means.events).await?;
        self.report.vacuums += 1;
        Ok(())
    }

    /// Waits while the server is over a limit. `Some` ends the run.
    async fn pace(&mut self, means: &mut Means<'_>) -> Result<Option<Stop>> {
        let pace = self.job.pace;
        let mut pausing: Option<Instant> = None;
        let stop = loop {
            means.interrupt.check()?;
            if pace.budget.is_some_and(|budget| self.began.elapsed() >= budget) {
                break Some(Stop::Budget);
            }
            if pace.window.is_none() && pace.max_replica_lag.is_none() && pace.max_slot_wal.is_none() {
                break None;
            }
            let every = if pausing.is_some() { LOOK_AGAIN } else { LOOK };
            let since = self.looked.map(|looked| looked.elapsed());
            if let Some(rest) = since.and_then(|since| every.checked_sub(since)) {
                if pausing.is_none() {
                    break None;
                }
                let budget = pace.budget.map_or(rest, |budget| budget.saturating_sub(self.began.elapsed()));
                means.interrupt.sleep(rest.min(budget)).await?;
                continue;
            }
            self.looked = Some(Instant::now());
            let rows = self.executor.look(&Query::ROW_JOB_PACE, &[]).await?;
            let standbys = self.executor.look(&Query::ROW_JOB_STANDBYS, &[]).await?;
            let readings = read::readings(&rows, &standbys)?;
            let now = self.began.elapsed();
            if let Some(lsn) = readings.lsn {
                self.lag.note(now, lsn);
            }
            if let (Some(window), Some(clock)) = (pace.window, readings.clock)
                && !is_open(window, self.job.timezone, clock)
            {
                break Some(Stop::Window);
            }
            match verdict(&pace, &readings, &self.lag, now) {
                Verdict::Go => break None,
                Verdict::Unknown(what, _) => break Some(Stop::Unknown(what)),
                Verdict::Pause(why) => {
                    let since = *pausing.get_or_insert_with(Instant::now);
                    let title = &self.frame.title;
                    let phase = format!("paused: {why}");
                    means.events.event(Event::Progress { title, phase: &phase, done: 0, total: 0 });
                    if pace.budget.is_none() && since.elapsed() > LONGEST_PAUSE {
                        break Some(Stop::Pace(why));
                    }
                }
            }
        };
        self.report.paused += pausing.map_or(Duration::ZERO, |since| since.elapsed());
        Ok(stop)
    }

    /// Says how far it is, once a second.
    fn tell(&mut self, plan: &JobPlan, means: &mut Means<'_>) {
        if self.told.is_some_and(|told| told.elapsed() < Duration::from_secs(1)) {
            return;
        }
        self.told = Some(Instant::now());
        let number = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
        means.events.event(Event::Progress {
            title: &self.frame.title,
            phase: plan.action,
            done: number(self.report.rows),
            total: number(plan.rows.number().unwrap_or(0)),
        });
    }
}

/// Before the first row.
fn start(path: Path) -> String {
    match path {
        Path::Index => "-infinity".to_owned(),
        Path::Blocks => "(0,0)".to_owned(),
    }
}

/// The block of a place: 12 of `(12,7)`.
fn block_of(place: &str) -> Option<u64> {
    place.strip_prefix('(')?.split_once(',')?.0.parse().ok()
}

fn took(rows: &[Row]) -> Result<Took> {
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "a batch did not say what it did"))?;
    Ok(Took {
        picked: u64::try_from(row.try_get::<_, i64>("picked")?)?,
        done: u64::try_from(row.try_get::<_, i64>("done")?)?,
        bound: row.try_get("bound")?,
        blocks: u64::try_from(row.try_get::<_, i64>("blocks")?)?,
    })
}
