//! A run: look, plan, take the lease, then view by view. One that fails does not stop the others, except those
//! that would read what it should have held.

use std::time::{Duration, Instant};

use super::plan::{self, Plan, Task, Wish};
use super::{read, view};
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::events::Event;
use crate::steps::{Means, Pauses, Timeouts};

/// How a run ended, and what there is to show.
pub type Answer = (Outcome, Document);

/// What a run needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// Which views.
    pub wish: Wish,
    /// How long one statement may run, and wait for one lock.
    pub timeouts: Timeouts,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long a lock is tried for.
    pub lock_patience: Duration,
    /// Only show what would be done.
    pub dry_run: bool,
}

/// What became of a view.
#[derive(Debug)]
pub struct Done {
    /// The view.
    pub task: Task,
    /// How long it took, waiting included.
    pub took: Duration,
    /// Why it failed.
    pub end: Result<()>,
}

/// Fills materialized views anew.
///
/// # Errors
/// What concerns the whole run: unreachable, busy, refused. What concerns one view is in the answer.
pub async fn refresh(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let session = Session::open(&request.connection, "refresh", means.interrupt).await?;
    let server = Server::read(&session).await?;
    let plan = plan::plan(&read::read(&session).await?, &request.wish)?;
    if request.dry_run || plan.tasks.is_empty() {
        let outcome = if plan.skipped.is_empty() { Outcome::Done } else { Outcome::Refused };
        let document = if request.dry_run { view::planned(&server, &plan) } else { view::done(&server, &plan, &[]) };
        return Ok((if request.dry_run { Outcome::Done } else { outcome }, document));
    }
    let order = Order {
        command: "refresh".to_owned(),
        // Two runs of different views, hourly and every five minutes, do not wait for each other.
        lease: format!("refresh {}", plan.tasks.iter().map(|task| task.view.to_string()).collect::<Vec<_>>().join(" ")),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience,
        pauses: Pauses::default(),
    };
    let mut executor =
        Executor::begin(session, server.clone(), &request.connection, order, means.interrupt, means.events).await?;
    let done = everything(&mut executor, &server, &plan, request, means).await;
    match &done {
        Ok(done) if done.iter().all(|done| done.end.is_ok()) => executor.close("done", "").await,
        Ok(done) => {
            let failed = done.iter().filter(|done| done.end.is_err()).map(|done| done.task.view.to_string());
            executor.close("partial", &failed.collect::<Vec<_>>().join(", ")).await;
        }
        Err(failure) => executor.close_failed(failure).await,
    }
    let done = done?;
    Ok((outcome(&plan, &done), view::done(&server, &plan, &done)))
}

async fn everything(
    executor: &mut Executor,
    server: &Server,
    plan: &Plan,
    request: &Request,
    means: &mut Means<'_>,
) -> Result<Vec<Done>> {
    executor.open_journal().await?;
    let mut done: Vec<Done> = Vec::new();
    for task in &plan.tasks {
        let title = format!("refresh {}", task.view);
        means.events.event(Event::Step { number: done.len() + 1, of: plan.tasks.len(), title: &title });
        let began = Instant::now();
        let steps = vec![task.step(server, request.timeouts)];
        let end = match executor.perform(&crate::steps::Plan { steps }, means.events).await {
            Ok(_) => Ok(()),
            Err(failure) => {
                let failure = means.interrupt.overrule(failure);
                if is_over(&failure) {
                    let lines = done.iter().filter(|done| done.end.is_ok());
                    return Err(failure.done(lines.map(|done| format!("refresh {}", done.task.view))));
                }
                means.events.event(Event::Failed { title: &title, failure: &failure });
                Err(failure)
            }
        };
        done.push(Done { task: task.clone(), took: began.elapsed(), end });
    }
    Ok(done)
}

/// Nothing more can be done in this run.
fn is_over(failure: &Failure) -> bool {
    matches!(failure.what(), Kind::Interrupted | Kind::Terminated | Kind::Busy | Kind::Unreachable)
}

fn outcome(plan: &Plan, done: &[Done]) -> Outcome {
    let failures: Vec<Outcome> = done.iter().filter_map(|d| d.end.as_ref().err()).map(|f| f.what().outcome()).collect();
    match failures.split_first() {
        None if plan.skipped.is_empty() => Outcome::Done,
        Some((first, rest)) if failures.len() == done.len() && rest.iter().all(|other| other == first) => *first,
        _ => Outcome::Partial,
    }
}
