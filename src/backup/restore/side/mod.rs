//! `restore --into-schema`: some tables of a backup, in a schema of their own of a living database. Nothing that is
//! there is touched, read or locked; until the rows are proven, each table says in its comment that it is unfinished,
//! so that the next run takes away what a killed one left. Whatever hangs on a table alone is made with it; the rest is
//! told.

pub(super) mod parts;
pub(super) mod plan;
mod said;

use std::sync::Arc;
use std::time::Instant;

use super::load::{self, Work};
use super::mark::{Mark, State};
use super::meets::{self, Room};
use super::phases::Phases;
use super::{PATIENCE, Request, now, prepare, swap, view};
use crate::backup::Repository;
use crate::backup::manifest::{Manifest, Table};
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Interrupt, Lease, Query, ServerError, Session};
use crate::steps::Means;
use crate::steps::events::Event;
use parts::{NotMade, Part};
use plan::{Found, Sides};

/// How long what a killed run still does may keep its table from being dropped.
const LIMITS: &str = "SET LOCAL search_path = ''; SET LOCAL lock_timeout = '10s'";

/// Expressions name everything with its schema; an index may take its time.
const SETTINGS: &str = "SET search_path = ''; SET statement_timeout = 0; SET lock_timeout = '10s'; \
     SET default_transaction_read_only = off";

/// Restores some tables beside the living ones.
///
/// # Errors
/// Refused, when the backup is damaged, the database is missing, or the schema holds anything; nothing was touched
/// then. Whatever fails later leaves nothing.
pub async fn restore(request: &Request, schema: &str, means: &mut Means<'_>) -> Result<(Outcome, Document)> {
    let began = Instant::now();
    if request.tables.is_empty() && request.schemas.is_empty() {
        return Err(Failure::new(Kind::Usage, "--into-schema wants to know which tables").hint("--table or --schema"));
    }
    let repository = Repository::open(&request.repository, &request.env)?;
    let manifest = repository.find(&request.id, request.database.as_deref()).await?;
    let target = request.to.clone().unwrap_or_else(|| manifest.database.name.clone());
    let identities = request.keys.open(&repository, &manifest).await?;
    let wanted = super::plan::wanted(&manifest, &request.tables, &request.schemas)?;
    let (admin, maintenance) = prepare::admin(&request.connection, &target, means.interrupt).await?;
    if !swap::databases(&admin).await?.iter().any(|found| found.name == target) {
        let message = format!("there is no database {target} to restore into");
        return Err(Failure::new(Kind::Refused, message).hint("--to-database NAME says which one is meant"));
    }
    prepare::undamaged(&repository, &manifest, request, means.interrupt).await?;
    let snapshot = prepare::described(&repository, &manifest, &identities).await?;
    let sides = plan::sides(&wanted, &manifest.sequences, &snapshot, schema)?;

    let connection = maintenance.with_dbname(&target);
    let session = Session::open(&connection, "restore", means.interrupt).await?;
    let found = look(&session, schema).await?;
    if !found.others.is_empty() {
        let message = format!("schema {schema} of database {target} is not empty: {}", some(&found.others));
        return Err(Failure::new(Kind::Refused, message).hint("nothing was touched; another name: --into-schema NAME"));
    }
    let free = prepare::room(&session).await?;
    let room = fits(&free, &wanted)?;
    let mark = Mark {
        state: State::Building,
        backup: manifest.id.clone(),
        target: schema.to_owned(),
        at: now(),
        comment: None,
        wanted: None,
    };
    let statements = plan::make(schema, &found, &sides, &mark)?;
    if request.dry_run {
        let mut steps = statements;
        steps.push(format!("rows of {} tables by {} jobs, read again and compared", sides.tables.len(), request.jobs));
        steps.extend(sides.parts().map(|part| part.sql));
        steps.extend(plan::finish(schema, &found, &sides, &manifest));
        let mut notes: Vec<String> = room.into_iter().collect();
        notes.extend(sides.not_made().map(|not| format!("{} not made: {}", not.what, not.reason)));
        return Ok((Outcome::Done, view::planned(&manifest, &target, &free, &steps, &notes)));
    }
    if let Some(note) = &room {
        means.events.event(Event::Attention { message: note, hint: None });
    }
    let lease = Session::open_beside(&maintenance, "restore lease", means.interrupt).await?;
    let events = &mut *means.events;
    let lease = Lease::acquire(lease, &format!("restore {target}"), request.lease_wait, means.interrupt, |holder| {
        events.event(Event::LeaseTaken(holder));
    })
    .await?;
    // A killed run's last statement may still be at work.
    let waiting = |holder: &_| events.event(Event::LeaseTaken(holder));
    lease.admit(&session, request.lease_wait, means.interrupt, waiting).await?;
    // Another run may have been at it while the lease was waited for.
    let found = look(&session, schema).await?;
    let statements = plan::make(schema, &found, &sides, &mark)?;
    for (what, name) in
        found.left.iter().map(|name| ("table", name)).chain(found.left_sequences.iter().map(|name| ("sequence", name)))
    {
        let message = format!("a killed restore left {what} {name} in schema {schema}: it is dropped");
        means.events.event(Event::Attention { message: &message, hint: None });
    }
    let not_made = sides.not_made().cloned().collect();
    let mut run = Run { session, phases: Phases::after_checks(began, 2), not_made };
    run.all_or_nothing(&statements).await.map_err(|failure| {
        failure.context(format!("cannot make the tables in schema {schema}; nothing was changed")).hint(
            "a type or function of another schema that is gone? then restore beside: --to-database NAME with --table",
        )
    })?;
    let tables: Vec<Table> = sides.tables.iter().map(|side| side.table.clone()).collect();
    let work = Arc::new(Work {
        connection,
        interrupt: means.interrupt.clone(),
        manifest: Manifest { tables, ..manifest.clone() },
        url: request.repository.clone(),
        env: request.env.clone(),
        identities,
        uncounted: false,
    });
    let filled = run.fill(&work, &sides, request, &lease, means).await;
    let finished = match filled {
        Ok(()) => run.all_or_nothing(&plan::finish(schema, &found, &sides, &manifest)).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = finished {
        return Err(after(failure, &work, &plan::unmake(schema, &found, &sides), schema).await);
    }
    run.phases.end(means.events);
    let done = view::Done {
        manifest: &manifest,
        database: &target,
        schema: Some(schema),
        kept: None,
        tables: sides.tables.len(),
        rows: sides.tables.iter().map(|side| side.table.rows).sum(),
        left: &[],
        not_made: &run.not_made,
        phases: run.phases.taken(),
    };
    Ok((Outcome::Done, view::done(&done)))
}

struct Run {
    session: Session,
    phases: Phases,
    not_made: Vec<NotMade>,
}

impl Run {
    async fn all_or_nothing(&self, statements: &[String]) -> Result<()> {
        let sql = format!("BEGIN; {LIMITS}; {}; COMMIT", statements.join("; "));
        let Err(error) = self.session.send(&sql).await else { return Ok(()) };
        // Outside of a transaction this is a warning.
        let _ = self.session.send("ROLLBACK").await;
        Err(error.explain("the server refuses it"))
    }

    /// One of the things that hang on a table. What the server refuses is told; what ends the run is not that.
    async fn make(&mut self, part: Part) -> Result<()> {
        let Err(error) = self.session.send(&part.sql).await else { return Ok(()) };
        if ends(&error) {
            return Err(error.explain(format!("cannot make {}", part.what)));
        }
        self.not_made.push(NotMade { what: part.what, reason: error.message(), sql: Some(part.sql) });
        Ok(())
    }

    /// Rows, their proof, and what hangs on them.
    async fn fill(
        &mut self,
        work: &Arc<Work>,
        sides: &Sides,
        request: &Request,
        lease: &Lease,
        means: &mut Means<'_>,
    ) -> Result<()> {
        let all: Vec<usize> = (0..sides.tables.len()).collect();
        self.phases.begin("rows and their proof", means.events);
        load::load_and_prove(work, &all, request.jobs, means.events).await?;
        self.phases.begin("keys, indexes and statistics", means.events);
        self.session.send(SETTINGS).await.map_err(|e| e.explain("cannot set the session's settings"))?;
        // The server looks whether we live while it builds an index; some systems do not tell it.
        let _ = self.session.send("SET client_connection_check_interval = '1s'").await;
        for part in sides.parts() {
            self.make(part).await?;
            lease.check()?;
        }
        for side in &sides.tables {
            let name = side.table.table_name();
            let analyze = format!("ANALYZE {name}");
            self.session.send(&analyze).await.map_err(|e| e.explain(format!("cannot gather statistics of {name}")))?;
        }
        means.interrupt.check()?;
        lease.check()
    }
}

/// Whether it is not the statement that the server has something against: no connection, no room, somebody stopped it.
fn ends(error: &ServerError) -> bool {
    const CLASSES: &[&str] = &["08", "53", "57", "58", "XX"];
    error.code().is_none_or(|code| CLASSES.iter().any(|class| code.starts_with(class)))
}

/// The rows, half of which may be in columns that are smaller on the disk than as text; and what the indexes take.
fn fits(free: &Room, wanted: &[&Table]) -> Result<Option<String>> {
    let rows = wanted.iter().map(|table| table.heap_bytes.min(table.plain_bytes)).sum();
    let likely: u64 = wanted.iter().map(|table| table.heap_bytes).sum();
    meets::fits(free, rows, likely.saturating_mul(2), "tables with their indexes may need")
}

/// What a failure leaves: nothing, where the server still answers. On a session that no signal cancels.
async fn after(failure: Failure, work: &Work, statements: &[String], schema: &str) -> Failure {
    let unmade = async {
        let session = Session::open_beside(&work.connection, "restore", &Interrupt::default()).await?;
        let sql = format!("BEGIN; {LIMITS}; {}; COMMIT", statements.join("; "));
        session.send(&sql).await.map_err(|e| e.explain("cannot take away what was made"))
    };
    match tokio::time::timeout(PATIENCE, unmade).await {
        Ok(Ok(())) => failure.note(format!("what was made in schema {schema} was dropped")),
        _ => failure.hint(format!("the next run into schema {schema} takes away what this one left")),
    }
}

async fn look(session: &Session, schema: &str) -> Result<Found> {
    let doing = format!("cannot see what schema {schema} holds");
    let rows = session.rows(&Query::RESTORE_SCHEMA, &[&schema]).await.map_err(|e| e.explain(doing))?;
    let unfinished = |comment: Option<&str>| {
        Mark::read(comment).is_some_and(|mark| mark.state == State::Building && mark.target == schema)
    };
    let mut found = Found { there: !rows.is_empty(), ..Found::default() };
    for row in &rows {
        let (about, thing): (Option<String>, Option<String>) = (row.try_get("about")?, row.try_get("thing")?);
        let (name, comment): (Option<String>, Option<String>) = (row.try_get("name")?, row.try_get("comment")?);
        found.made = unfinished(about.as_deref());
        match (thing, name.filter(|_| unfinished(comment.as_deref()))) {
            (_, Some(name)) if row.try_get("is_sequence")? => found.left_sequences.push(name),
            (_, Some(name)) => found.left.push(name),
            (Some(thing), None) => found.others.push(thing),
            (None, None) => {}
        }
    }
    Ok(found)
}

fn some(things: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = things[..things.len().min(SHOWN)].join(", ");
    if things.len() > SHOWN { format!("{shown} and {} more", things.len() - SHOWN) } else { shown }
}
