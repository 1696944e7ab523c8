//! The embedded systems on a database: does a migrated database keep the system's promises
//! (`verify`), and sample rows for trying it (`demo_data`). Asks `migrate` for the embedded sets and
//! for what is applied; nothing else of it.

mod check;
mod verify;
mod view;

use std::sync::Arc;
use std::time::Duration;

use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::migrate::embedded::{Part, System};
use crate::migrate::{Answer, Means, Standing};
use crate::outcome::Outcome;
use crate::pg::{Interrupt, Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::gate::{self, Confirm, Rails};
use crate::steps::{Lane, Plan, Statement, Step, Timeouts};

/// A system on a database.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// The system's name.
    pub system: String,
    /// Parts that were left out when it was migrated.
    pub without: Vec<String>,
    /// What protects the target.
    pub rails: Rails,
    /// Time limits of a statement.
    pub timeouts: Timeouts,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long all attempts for a lock may take together.
    pub lock_patience: Duration,
}

/// How much sample data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Times a few thousand rows.
    pub scale: u32,
    /// The same seed gives the same rows.
    pub seed: i64,
}

/// Runs the system's own checks, each in a transaction that is rolled back; those that need two
/// sessions leave nothing either. Findings when a promise does not hold.
///
/// # Errors
/// Usage for an unknown system; refused when the database does not hold it in full.
pub async fn verify(request: &Request, interrupt: &Interrupt, confirm: &mut dyn Confirm) -> Result<Answer> {
    let system = System::named(&request.system)?;
    let stakes = vec!["the checks lock tables for moments, and roll back what they do".to_owned()];
    gate::consent(stakes, &request.rails, confirm)?;
    let session = Session::open(&request.connection, "systems verify", interrupt).await?;
    let server = standing(&session, system, request).await?;
    let mut results = Vec::new();
    for file in system.checks.iter().filter(|file| included(file, request)) {
        interrupt.check()?;
        results.push(verify::run(&session, &request.connection, file, request.timeouts, interrupt).await?);
    }
    let outcome = if results.iter().all(|r| r.broken.is_none()) { Outcome::Done } else { Outcome::Findings };
    Ok((outcome, view::verified(&request.connection.label(), system.name, &server, &results)))
}

/// Fills the system's tables with sample rows, the same ones for the same seed; rows that are there
/// already are left alone.
///
/// # Errors
/// As [`verify`]; refused on a protected target without consent.
pub async fn demo_data(request: &Request, amount: Amount, dry_run: bool, means: &mut Means<'_>) -> Result<Answer> {
    let system = System::named(&request.system)?;
    let session = Session::open(&request.connection, "demo-data", means.interrupt).await?;
    let server = standing(&session, system, request).await?;
    let plan = demo_plan(system, &server, request, amount);
    let label = request.connection.label();
    if dry_run {
        return Ok((Outcome::Done, view::demo_planned(&label, system.name, &plan)));
    }
    gate::pass(&plan, &request.rails, means.confirm)?;
    let order = Order {
        command: "demo-data".to_owned(),
        lease: format!("demo-data {}", system.name),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience,
        pauses: crate::steps::Pauses::default(),
    };
    let mut executor =
        Executor::begin(session, server, &request.connection, order, means.interrupt, means.events).await?;
    let applied = executor.apply(&plan, means.events).await?;
    Ok((Outcome::Done, view::demo_done(&label, system.name, amount, &applied)))
}

/// The server, once it is known to hold all of the system.
async fn standing(session: &Session, system: &System, request: &Request) -> Result<Server> {
    let standing =
        crate::migrate::standing(session, &crate::migrate::Origin::System(system.name.to_owned()), &request.without)
            .await?;
    let database = &standing.server.database;
    let migrate = format!("dbctl migrate --system {}", system.name);
    match standing {
        Standing { other_system: Some(other), .. } => {
            Err(Failure::new(Kind::Refused, format!("database {database} holds system {other}, not {}", system.name))
                .hint(format!("connect to the right database, or say --system {other}")))
        }
        Standing { pending, .. } if pending > 0 => Err(Failure::new(
            Kind::Refused,
            format!("{pending} migrations of system {} are not applied to {database}", system.name),
        )
        .hint(format!("run first: {migrate}"))),
        Standing { contradictions, .. } if contradictions > 0 => Err(Failure::new(
            Kind::Refused,
            format!("the history of {database} contradicts system {} in {contradictions} versions", system.name),
        )
        .hint(format!("look: dbctl migrate status --system {}", system.name))),
        Standing { server, .. } => Ok(server),
    }
}

fn included(file: &Part, request: &Request) -> bool {
    file.part().is_none_or(|part| !request.without.iter().any(|left_out| left_out == part))
}

fn demo_plan(system: &System, server: &Server, request: &Request, amount: Amount) -> Plan {
    let steps = system.demo.iter().filter(|file| included(file, request)).map(|file| {
        let text: Arc<str> = Arc::from(file.text);
        Step {
            id: format!("demo-data:{}", file.name),
            title: format!("sample rows of {} ({})", system.name, file.name),
            file: format!("demo/{}", file.name),
            file_text: Arc::clone(&text),
            why: "asked for".to_owned(),
            lane: Lane::Transaction,
            settings: [
                server.step_settings("demo-data"),
                vec![("dbctl.scale", amount.scale.to_string()), ("dbctl.seed", amount.seed.to_string())],
            ]
            .concat(),
            timeouts: request.timeouts,
            statements: vec![Statement::whole(text)],
            record: Vec::new(),
        }
    });
    Plan { steps: steps.collect() }
}
