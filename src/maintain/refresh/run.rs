//! Look, plan, take the lease, one view after the other, and the report.

use std::time::{Duration, Instant};

use super::Request;
use super::plan::{self, RefreshPlan, Task, View};
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::maintain::vacuum::Answer;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::{Query, Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::batch::Frame;
use crate::steps::crew::{Crew, End, Pace, Piece, Tried};
use crate::steps::events::{Blocker, Events};
use crate::steps::{LockMode, Means, Pauses, Timeouts};

/// How long the catalog may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

/// Refreshes the views, or shows how.
///
/// # Errors
/// Refused on a standby; usage where a view is not there; busy; interrupted, with what is done. What concerns one
/// view is in the answer.
pub async fn run(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let session = Session::open(&request.connection, "refresh", means.interrupt).await?;
    let server = Server::read(&session).await?;
    if server.in_recovery {
        return Err(Failure::new(Kind::Refused, "this server is a standby: its views are refreshed on its primary")
            .hint("run it there, for example with several hosts and target_session_attrs=read-write"));
    }
    let plan = plan::plan(&read(&session).await?, &request.views);
    if let Some(missing) = plan.missing.first() {
        return Err(Failure::new(Kind::Usage, format!("there is no materialized view {missing}"))
            .hint("a name without schema means public"));
    }
    let document = Document::new(if request.dry_run { "refresh.plan" } else { "refresh.done" }, 1)
        .fact("database", "database", request.connection.label())
        .fact("server", "server", format!("PostgreSQL {}", server.version));
    if request.dry_run || plan.tasks.is_empty() {
        return Ok((outcome(&plan, &[]), tell(document, &plan, None)));
    }
    let order = Order {
        command: "refresh".to_owned(),
        lease: "refresh".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience,
        pauses: Pauses::default(),
    };
    let mut executor =
        Executor::begin(session, server, &request.connection, order, means.interrupt, means.events).await?;
    let journal = match executor.open_journal().await {
        Ok(()) => true,
        // The journal is dbctl's, not the view's.
        Err(failure) if failure.what() == Kind::NotPermitted => {
            executor.note("ROLLBACK").await?;
            false
        }
        Err(failure) => return Err(failure),
    };
    let mut crew = Crew::muster(executor, 1, &request.connection, means.events).await?;
    let pieces: Vec<Piece<&Task>> = plan
        .tasks
        .iter()
        .map(|task| Piece { about: task.view.oid, title: format!("refresh {}", task.view.name), work: task })
        .collect();
    let pace = Pace { budget: request.budget, patience: request.lock_patience, pauses: Pauses::default() };
    let ends = crew
        .work(
            &pieces,
            pace,
            means.events,
            async |executor: &mut Executor, piece: &Piece<&Task>, events: &mut dyn Events| {
                attempt(executor, piece, request, journal, events).await
            },
        )
        .await;
    if let Err(failure) = means.interrupt.check() {
        crew.close("interrupted", "").await;
        let done = plan.tasks.iter().zip(&ends).filter(|(_, end)| matches!(end, End::Ended(_)));
        return Err(failure.done(done.map(|(task, _)| format!("refresh {}", task.view.name)).collect::<Vec<_>>()));
    }
    let outcome = outcome(&plan, &ends);
    crew.close(if outcome == Outcome::Done { "done" } else { "partial" }, "").await;
    Ok((outcome, tell(document, &plan, Some(&ends))))
}

async fn read(session: &Session) -> Result<Vec<View>> {
    session.begin_look(LIMIT).await.map_err(|e| e.explain("cannot begin to look"))?;
    let rows = session.rows(&Query::REFRESH_VIEWS, &[]).await.map_err(|e| e.explain("cannot see the views"));
    session.end_reading().await.map_err(|e| e.explain("cannot end the look"))?;
    let view = |row: &crate::pg::Row| -> Result<View> {
        let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
        Ok(View {
            oid: row.try_get("oid")?,
            name: TableName::new(schema, name),
            populated: row.try_get("populated")?,
            has_key: row.try_get("has_key")?,
            depth: row.try_get("depth")?,
            permitted: row.try_get("permitted")?,
        })
    };
    rows?.iter().map(view).collect()
}

/// What one attempt came to: how long it took, and who was in the way.
type Attempt = (Duration, Vec<Blocker>);

async fn attempt(
    executor: &mut Executor,
    piece: &Piece<&Task>,
    request: &Request,
    journal: bool,
    events: &mut dyn Events,
) -> Result<Tried<Attempt>> {
    if journal {
        executor.open_journal().await?;
    }
    let mut settings = executor.server().step_settings("refresh");
    settings.push(("statement_timeout", format!("{}ms", request.statement_timeout.as_millis())));
    let frame = Frame {
        subject: format!("refresh:{}", piece.work.view.name),
        title: piece.title.clone(),
        settings,
        timeouts: Timeouts { lock: request.lock_timeout, statement: request.statement_timeout },
        patience: request.lock_patience,
        pauses: (Pauses::default().first, Pauses::default().longest),
    };
    let began = Instant::now();
    match executor.alone(&frame, &piece.work.sql, events).await {
        Ok(()) => {
            let took = began.elapsed();
            let seconds = format!("{:.3}", took.as_secs_f64());
            executor.end_job(&frame, &[("sql", piece.work.sql.clone()), ("seconds", seconds)]).await?;
            Ok(Tried::Ended((took, Vec::new())))
        }
        Err(failure) if failure.what() == Kind::Deferred => {
            let wanted = if piece.work.why_not.is_none() { LockMode::Exclusive } else { LockMode::AccessExclusive };
            let blockers = executor.holders(&piece.work.view.name, wanted).await;
            Ok(Tried::Locked((began.elapsed(), blockers.clone()), blockers))
        }
        Err(failure) => Err(executor.fail_job(&frame, failure, &[]).await),
    }
}

fn tell(document: Document, plan: &RefreshPlan, ends: Option<&[End<Attempt>]>) -> Document {
    let mut views = Table::new(
        "views",
        "there is no materialized view",
        vec![
            Column::new("view", "view"),
            Column::new("concurrently", "concurrently"),
            Column::new("outcome", "outcome"),
            Column::new("seconds", "took"),
            Column::machine("sql"),
            Column::machine("detail"),
        ],
    );
    let mut notes = Vec::new();
    for (index, task) in plan.tasks.iter().enumerate() {
        let (word, detail, took) = match ends.and_then(|ends| ends.get(index)) {
            None => ("planned", None, Value::None),
            Some(End::Ended((took, _))) => ("done", None, Value::Seconds(took.as_secs_f64())),
            Some(End::Locked((_, blockers))) => {
                let who: Vec<String> = blockers.iter().map(|b| format!("blocked by {b}")).collect();
                (
                    "locked",
                    Some(if who.is_empty() { "its lock was not to be had".to_owned() } else { who.join("; ") }),
                    Value::None,
                )
            }
            Some(End::Failed(failure)) => ("failed", Some(failure.messages().join(": ")), Value::None),
            Some(End::Stopped) => ("interrupted", None, Value::None),
            Some(End::NotBegun) => ("not begun", Some("the budget had run out".to_owned()), Value::None),
        };
        if let Some(why) = &task.why_not {
            notes.push(format!("{}: its readers have to wait: {why}", task.view.name));
        }
        if let Some(detail) = &detail {
            notes.push(format!("{}: {word}: {detail}", task.view.name));
        }
        views.push(vec![
            task.view.name.to_string().into(),
            task.why_not.is_none().into(),
            word.into(),
            took,
            task.sql.clone().into(),
            detail.into(),
        ]);
    }
    for name in &plan.refused {
        views.push(vec![
            name.to_string().into(),
            Value::None,
            "not permitted".into(),
            Value::None,
            Value::None,
            "only its owner may refresh it (or MAINTAIN, since PostgreSQL 17)".into(),
        ]);
        notes.push(format!("{name}: not permitted: only its owner may refresh it (or MAINTAIN, since PostgreSQL 17)"));
    }
    Document { notes, ..document }.table(views)
}

fn outcome(plan: &RefreshPlan, ends: &[End<Attempt>]) -> Outcome {
    let count = |wanted: fn(&End<Attempt>) -> bool| ends.iter().filter(|end| wanted(end)).count();
    let done = count(|end| matches!(end, End::Ended(_)));
    let failed = count(|end| matches!(end, End::Failed(_)));
    let later = ends.len() - done - failed;
    match (done, later, failed, plan.refused.len()) {
        (_, 0, 0, 0) => Outcome::Done,
        (_, _, 0, 0) => Outcome::Deferred,
        (0, 0, 0, _) if plan.tasks.is_empty() => Outcome::NotPermitted,
        (0, 0, _, 0) => Outcome::Failed,
        _ => Outcome::Partial,
    }
}
