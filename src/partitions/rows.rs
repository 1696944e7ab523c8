//! The policy's row jobs within a run: which are for this database, what is due, and the work. Knows
//! the room `retain`, which does it.

use chrono::{DateTime, Utc};

use super::Request;
use super::read::Snapshot;
use crate::error::{Failure, Kind, Result};
use crate::pg::Session;
use crate::policy::{Hold, RowJob};
use crate::retain::{self, JobPlan, JobReport, Stop};
use crate::steps::Means;
use crate::steps::apply::Executor;
use crate::steps::events::Event;

/// A job and what is due, or why that cannot be told.
pub struct Due<'a> {
    /// The entry of the policy.
    pub job: &'a RowJob,
    /// What is due.
    pub plan: Result<JobPlan>,
}

/// Plans the jobs for this database. Reads only.
///
/// # Errors
/// What ends the whole run; what is wrong with one job stays with it.
pub async fn plans<'r>(
    session: &Session,
    request: &'r Request,
    snapshot: &Snapshot,
    holds: &[Hold],
    now: DateTime<Utc>,
) -> Result<Vec<Due<'r>>> {
    if let Some(unknown) = request.jobs.iter().find(|name| !request.policy.rows.iter().any(|job| job.name == **name)) {
        let all: Vec<&str> = request.policy.rows.iter().map(|job| job.name.as_str()).collect();
        return Err(Failure::new(Kind::Usage, format!("the policy has no row job {unknown}"))
            .hint(format!("it has {}", all.join(", "))));
    }
    let mut due = Vec::new();
    for job in jobs(request, snapshot) {
        let plan = match retain::read(session, job, holds, now).await {
            Ok(found) => retain::plan(job, &found, holds, now),
            Err(failure) => Err(failure),
        };
        match plan {
            Err(failure) if ends_the_run(&failure) => return Err(failure),
            plan => due.push(Due { job, plan }),
        }
    }
    Ok(due)
}

/// The jobs of this database's systems and of every database, on the tables that were asked for.
pub fn jobs<'r>(request: &'r Request, snapshot: &Snapshot) -> Vec<&'r RowJob> {
    let here = |of: &str| match (&request.system, &snapshot.systems) {
        (Some(system), _) => of == system,
        (None, Some(systems)) => systems.iter().any(|system| system == of),
        (None, None) => false,
    };
    let asked = |job: &&RowJob| request.only.is_empty() || request.only.contains(&job.table);
    let named = |job: &&RowJob| request.jobs.is_empty() || request.jobs.contains(&job.name);
    request
        .policy
        .rows
        .iter()
        .filter(|job| job.system.as_deref().is_none_or(here))
        .filter(asked)
        .filter(named)
        .collect()
}

impl Due<'_> {
    /// Whether there is something to be done.
    pub fn has_work(&self) -> bool {
        self.plan.as_ref().is_ok_and(|plan| !plan.is_blocked() && !plan.is_empty())
    }
}

/// Works through the jobs. One that fails does not stop the others.
///
/// # Errors
/// What ends the whole run.
pub async fn run(
    executor: &mut Executor,
    request: &Request,
    due: Vec<Due<'_>>,
    means: &mut Means<'_>,
) -> Result<Vec<Done>> {
    let mut done = Vec::new();
    for Due { job, plan } in due {
        let plan = match plan {
            Ok(plan) => plan,
            Err(failure) => {
                means.events.event(Event::Failed { title: &job.name, failure: &failure });
                done.push(Done { job: job.name.clone(), report: Err(failure) });
                continue;
            }
        };
        let mut work = retain::Means { interrupt: means.interrupt, events: means.events, env: &request.env };
        let report = match retain::run(executor, job, &plan, &mut work).await {
            Err(failure) if ends_the_run(&failure) => return Err(failure),
            report => report,
        };
        if let Err(failure) = &report {
            means.events.event(Event::Failed { title: &job.name, failure });
        }
        done.push(Done { job: job.name.clone(), report });
    }
    Ok(done)
}

/// What became of a job.
#[derive(Debug)]
pub struct Done {
    /// Its name.
    pub job: String,
    /// What it did, or why it failed.
    pub report: Result<JobReport>,
}

/// Jobs that were looked at and have nothing to do, or cannot.
pub fn idle(due: Vec<Due<'_>>) -> Vec<Done> {
    let report = |plan: JobPlan| JobReport { stop: plan.is_blocked().then_some(Stop::Blocked), ..JobReport::of(&plan) };
    due.into_iter().map(|due| Done { job: due.job.name.clone(), report: due.plan.map(report) }).collect()
}

fn ends_the_run(failure: &Failure) -> bool {
    matches!(failure.what(), Kind::Interrupted | Kind::Terminated | Kind::Unreachable)
}
