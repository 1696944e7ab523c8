//! The lifecycle of partitions, driven by a policy file: made ahead of time, let go when they have
//! expired, nobody stalled, nothing lost. The page of verbs; each verb's work is in a file beside it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub mod adopt;
mod aside;
pub mod check;
mod cold;
pub mod coverage;
mod ddl;
pub mod default;
mod depart;
pub mod departure;
mod details;
pub mod hold;
mod hooks;
pub mod likeness;
pub mod listing;
mod look;
pub mod metrics;
pub mod observe;
pub mod plan;
mod read;
pub mod restore;
mod rotate;
mod rows;
mod saved;
mod set;
mod state;
pub mod status;
mod status_view;
mod survey;
pub mod undo;
mod view;
mod work;
pub mod workbench;

pub use crate::steps::Means;
pub use plan::Wish;
pub use rotate::run;
pub use survey::{check, runways, status, timeline, write_metrics};

use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Explain, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::Interrupt;
use crate::policy::Policy;
use crate::steps::gate::Rails;

/// What a verb answers.
pub type Answer = (Outcome, Document);

/// What every verb on a database needs.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// `plan`, `rotate`, … as the journal and `application_name` say it.
    pub verb: &'static str,
    /// The policy.
    pub policy: Policy,
    /// Which embedded system the database holds, where that was said.
    pub system: Option<String>,
    /// Only these tables.
    pub only: Vec<TableName>,
    /// What may be done.
    pub wish: Wish,
    /// Row jobs are seen to.
    pub rows: bool,
    /// Only these row jobs.
    pub jobs: Vec<String>,
    /// Instead of the server's clock.
    pub at: Option<DateTime<Utc>>,
    /// Credentials of stores, identities.
    pub env: Env,
    /// Clocks may differ.
    pub allow_clock_skew: bool,
    /// Stop after the plan.
    pub dry_run: bool,
    /// A file for the plan.
    pub out: Option<PathBuf>,
    /// A saved plan that is applied exactly.
    pub saved: Option<PathBuf>,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// What protects the target.
    pub rails: Rails,
}

/// Shows what [`run`] would do, with its exact SQL. Reads only.
///
/// # Errors
/// As [`run`], without its effects.
pub async fn plan(request: &Request, exit_code: bool, interrupt: &Interrupt) -> Result<Answer> {
    let (session, snapshot) = look::snapshot(request, interrupt).await?;
    let entries = look::entries(request, &snapshot)?;
    let holds = look::holds(request, &snapshot);
    let now = look::now(request, &snapshot, Utc::now())?;
    let works = work::assemble(&session, &request.policy, &entries, &snapshot, &holds, &request.wish, now).await?;
    let due = rows::plans(&session, request, &snapshot, &holds, now).await?;
    let pending = due.iter().any(rows::Due::has_work)
        || works.iter().any(|work| work.found.as_ref().is_ok_and(work::Found::has_work));
    let in_the_way = look::in_the_way(&session, &snapshot, &works).await?;
    if let Some(path) = &request.out {
        let saved = saved::Saved::of(&works, &request.policy, &snapshot.server.database, now);
        std::fs::write(path, saved.text()?)
            .explain(Kind::Failed, format!("cannot write the plan to {}", path.display()))?;
    }
    let (outcome, document) = view::plan(request, &snapshot, &works, &due, &in_the_way, now);
    let outcome = if exit_code && pending && outcome == Outcome::Done { Outcome::Findings } else { outcome };
    Ok((outcome, document))
}

/// The answer where another run is at work, and that is fine.
pub fn busy(request: &Request, failure: &crate::error::Failure) -> Answer {
    let document = Document::new("partitions.done", 1)
        .fact("database", "database", request.connection.label())
        .note(failure.messages().join(": "));
    (Outcome::Done, document)
}
