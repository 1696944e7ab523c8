//! Legal holds that are kept in the database, besides those of the policy file.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::NaiveDate;

use super::{Answer, Request, look};
use crate::error::{Failure, Kind, Result};
use crate::ident::Literal;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::Server;
use crate::policy::glob;
use crate::steps::apply::{Executor, Order};
use crate::steps::{Lane, Means, Pauses, Plan, Statement, Step, Timeouts, gate};

/// A hold as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    /// Its name, such as a case number.
    pub id: String,
    /// Globs over schema.table.
    pub tables: Vec<String>,
    /// The first day it covers.
    pub from: Option<NaiveDate>,
    /// The first day it does not cover any more.
    pub to: Option<NaiveDate>,
    /// Why.
    pub reason: String,
}

/// Adds a hold. One that is in force already is left as it is, if it says the same.
///
/// # Errors
/// Refused where one of that name says something else.
pub async fn add(request: &Request, hold: &NewHold, means: &mut Means<'_>) -> Result<Answer> {
    if let (Some(from), Some(to)) = (hold.from, hold.to)
        && from >= to
    {
        return Err(Failure::new(Kind::Usage, format!("a hold from {from} to {to} holds nothing"))
            .hint("--to is the first day that is not held any more"));
    }
    if let Some(bare) = hold.tables.iter().find(|pattern| !pattern.contains('.')) {
        return Err(Failure::new(Kind::Usage, format!("'{bare}' names no schema: holds are over schema.table"))
            .hint(format!("--table 'public.{bare}', or --table '*.{bare}' for every schema")));
    }
    let (session, snapshot) = look::snapshot(request, means.interrupt).await?;
    if let Some(known) = snapshot.state.holds.iter().find(|known| known.id == hold.id) {
        let same = known.tables == hold.tables
            && known.days.from == hold.from
            && known.days.to == hold.to
            && known.reason == hold.reason;
        return if same {
            Ok(answer(request, format!("hold {} is in force already", hold.id)))
        } else {
            Err(Failure::new(Kind::Refused, format!("hold {} is in force and says something else", hold.id)).hint(
                format!("give the new one another name; or lift it first: dbctl partitions hold lift {}", hold.id),
            ))
        };
    }
    let day = |day: Option<NaiveDate>| day.map_or("NULL".to_owned(), |day| format!("'{day}'"));
    let tables = hold.tables.iter().map(|table| Literal(table).to_string()).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "INSERT INTO dbctl.hold (id, tables, from_day, to_day, reason)\nVALUES ({}, ARRAY[{tables}]::text[], {}, {}, {})\n\
         ON CONFLICT (id) DO UPDATE SET tables = excluded.tables, from_day = excluded.from_day, to_day = excluded.to_day,\n    \
         reason = excluded.reason, added_at = pg_catalog.clock_timestamp(), added_by = SESSION_USER, lifted_at = NULL, lifted_by = NULL;",
        Literal(&hold.id),
        day(hold.from),
        day(hold.to),
        Literal(&hold.reason)
    );
    let title = format!("hold {}", hold.id);
    apply(request, session, &snapshot.server, step(&snapshot.server, title, sql), means).await?;
    let entries = request.policy.tables.iter().map(|entry| &entry.table);
    let covered: BTreeSet<String> = entries
        .chain(request.policy.rows.iter().map(|job| &job.table))
        .map(super::plan::raw)
        .filter(|table| hold.tables.iter().any(|pattern| glob::matches(pattern, table)))
        .collect();
    let (outcome, document) = answer(request, format!("hold {} is in force", hold.id));
    // A hold over nothing is a mistake more often than a precaution.
    Ok(if covered.is_empty() {
        (Outcome::Refused, document.note("ATTENTION: it covers no table of the policy: is its pattern right?"))
    } else {
        (outcome, document.note(format!("it covers {}", covered.into_iter().collect::<Vec<_>>().join(", "))))
    })
}

/// Lifts a hold.
///
/// # Errors
/// Refused where there is none of that name, or it stands in the policy.
pub async fn lift(request: &Request, id: &str, means: &mut Means<'_>) -> Result<Answer> {
    let (session, snapshot) = look::snapshot(request, means.interrupt).await?;
    if !snapshot.state.holds.iter().any(|known| known.id == id) {
        let failure = Failure::new(Kind::Refused, format!("no hold {id} is in force in this database"));
        return Err(match request.policy.holds.iter().any(|known| known.id == id) {
            true => failure.hint("it stands in the policy file: take its entry out there"),
            false => failure.hint("'dbctl partitions hold list' shows those that are"),
        });
    }
    let sql = format!(
        "UPDATE dbctl.hold SET lifted_at = pg_catalog.clock_timestamp(), lifted_by = SESSION_USER\nWHERE id = {} AND lifted_at IS NULL;",
        Literal(id)
    );
    let step = step(&snapshot.server, format!("lift hold {id}"), sql);
    // Rows may leave once it is lifted: that is asked about.
    let rails = gate::Rails { always_ask: true, ..request.rails.clone() };
    gate::pass(&Plan { steps: vec![step.clone()] }, &rails, means.confirm)?;
    apply(request, session, &snapshot.server, step, means).await?;
    Ok(answer(request, format!("hold {id} is lifted")))
}

/// Lists the holds in force.
///
/// # Errors
/// Unreachable, not permitted.
pub async fn list(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let (_session, snapshot) = look::snapshot(request, means.interrupt).await?;
    let mut table = Table::new(
        "holds",
        "no hold is in force",
        vec![
            Column::new("id", "hold"),
            Column::new("tables", "tables"),
            Column::new("from", "from"),
            Column::new("to", "to"),
            Column::new("reason", "reason"),
            Column::new("place", "stands in"),
        ],
    );
    let policy = request.policy.holds.iter().map(|hold| (hold, "policy"));
    for (hold, place) in policy.chain(snapshot.state.holds.iter().map(|hold| (hold, "database"))) {
        let day = |day: Option<NaiveDate>| Value::from(day.map(|day| day.to_string()));
        table.push(vec![
            hold.id.as_str().into(),
            Value::List(hold.tables.clone()),
            day(hold.days.from),
            day(hold.days.to),
            hold.reason.as_str().into(),
            place.into(),
        ]);
    }
    let document =
        Document::new("partitions.holds", 1).fact("database", "database", request.connection.label()).table(table);
    let document = if snapshot.state.unreadable {
        document.note("schema dbctl may not be read: holds in the database are UNKNOWN")
    } else {
        document
    };
    Ok((Outcome::Done, document))
}

fn step(server: &Server, title: String, sql: String) -> Step {
    let statement = Statement::whole(sql.into());
    Step {
        id: format!("partitions:{title}"),
        title,
        file: "dbctl".to_owned(),
        file_text: std::sync::Arc::clone(&statement.sql),
        why: "asked for".to_owned(),
        lane: Lane::Transaction,
        settings: server.step_settings("partitions hold"),
        timeouts: Timeouts { lock: Duration::from_secs(3), statement: Duration::ZERO },
        statements: vec![statement],
        record: Vec::new(),
    }
}

async fn apply(
    request: &Request,
    session: crate::pg::Session,
    server: &Server,
    step: Step,
    means: &mut Means<'_>,
) -> Result<()> {
    let order = Order {
        command: format!("partitions {}", request.verb),
        lease: "partitions hold".to_owned(),
        // Its own lease: a run that is under way looks for new holds before each partition that leaves.
        lease_wait: request.lock_wait.max(Duration::from_secs(60)),
        lock_patience: Duration::from_secs(60),
        pauses: Pauses::default(),
    };
    let mut executor =
        Executor::begin(session, server.clone(), &request.connection, order, means.interrupt, means.events).await?;
    executor.apply(&Plan { steps: vec![step] }, means.events).await.map(drop)
}

fn answer(request: &Request, note: String) -> Answer {
    let document =
        Document::new("partitions.hold", 1).fact("database", "database", request.connection.label()).note(note);
    (Outcome::Done, document)
}
