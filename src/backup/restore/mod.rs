//! `restore`: a backup becomes a database again, always a new one, under a name of its own until it is proven. With
//! `--replace` it then takes the name of the living one, which is kept. Knows no terminal.

mod board;
mod keys;
mod leftovers;
mod load;
mod make;
mod mark;
mod meets;
mod phases;
mod plan;
mod prepare;
mod properties;
mod roles;
mod side;
mod statistics;
mod swap;
pub mod tablespaces;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};

use super::keys::Keys;
use super::manifest::Database;
use super::read;
use crate::archive::settings;
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};
use crate::ident::Ident;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::programs::STATISTICS_SINCE;
use crate::pg::{Lease, Query, Session};
use crate::steps::Means;
use crate::steps::events::Event;
use crate::steps::gate::{self, Rails};
use keys::ForeignKey;
use load::Work;
use make::{Definitions, Section};
use mark::{BUILDING, Mark, State};
use phases::Phases;
use prepare::Prepared;
use swap::Swap;

/// How many there are of a restore from the beginning.
const PHASES: usize = 5;
/// How long leaving nothing behind may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to become of roles that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// Nothing is restored then.
    Refuse,
    /// What they own is the restoring role's, what they were granted is nobody's.
    Skip,
    /// They are made, without login.
    Create,
}

/// Whether a restore failed for what the backup itself is: not for want of room, a server or an extension.
pub fn tells_damage(failure: &Failure) -> bool {
    failure.messages().iter().any(|message| message == load::OTHER || message.ends_with(prepare::DAMAGED))
}

/// A restore that is wanted.
#[derive(Debug, Clone)]
pub struct Request {
    /// The server; which database of it does not matter.
    pub connection: Connection,
    /// Where backups lie.
    pub repository: String,
    /// The backup: its name, the beginning of it, or `latest`.
    pub id: String,
    /// Whose latest.
    pub database: Option<String>,
    /// The name it is to have; none is the one it had.
    pub to: Option<String>,
    /// It takes the place of the one that has the name.
    pub replace: bool,
    /// Only these tables' rows.
    pub tables: Vec<String>,
    /// Only the rows of these schemas' tables.
    pub schemas: Vec<String>,
    /// The tables go into this schema of a database that is there.
    pub into_schema: Option<String>,
    /// Missing roles, but those that are mapped.
    pub roles: Roles,
    /// Missing roles, and who takes what was theirs.
    pub map_roles: Vec<(String, String)>,
    /// Names of foreign keys that are not made: the rows violate them.
    pub skip_foreign_keys: Vec<String>,
    /// How many tables, and indexes, at once.
    pub jobs: usize,
    /// Go on with what a killed run left.
    pub resume: bool,
    /// The name of the database to be replaced, said a second time.
    pub confirm_name: Option<String>,
    /// The backup may be of another cluster than the database that it replaces.
    pub other_cluster: bool,
    /// Slots and subscriptions may stay with the old database.
    pub leave_bound: bool,
    /// What opens it.
    pub keys: Keys,
    /// The variables that stores and programs look at.
    pub env: Env,
    /// What stands before a swap.
    pub rails: Rails,
    /// How long another restore is waited for.
    pub lease_wait: Duration,
    /// Show what would be done.
    pub dry_run: bool,
}

/// Restores.
///
/// # Errors
/// Refused, when the backup is damaged, no key opens it, a role or extension is missing or the name is taken: nothing
/// was touched then. Whatever fails later leaves the living database as it was.
pub async fn restore(request: &Request, means: &mut Means<'_>) -> Result<(Outcome, Document)> {
    if let Some(schema) = &request.into_schema {
        return side::restore(request, schema, means).await;
    }
    let began = Instant::now();
    let prepared = prepare::prepare(request, means).await?;
    for warning in &prepared.warnings {
        means.events.event(Event::Attention { message: warning, hint: None });
    }
    if request.dry_run {
        let document = view::planned(
            &prepared.work.manifest,
            &prepared.target,
            &prepared.free,
            &prepared.steps(request),
            &prepared.warnings,
        );
        return Ok((Outcome::Done, document));
    }
    if request.replace {
        consent(request, &prepared, means).await?;
    }
    let session = Session::open_beside(&prepared.maintenance, "restore lease", means.interrupt).await?;
    let events = &mut *means.events;
    let lease = Lease::acquire(
        session,
        &format!("restore {}", prepared.target),
        request.lease_wait,
        means.interrupt,
        |holder| {
            events.event(Event::LeaseTaken(holder));
        },
    )
    .await?;
    let phases = Phases::after_checks(began, PHASES);
    let mut run = Run { request, prepared: &prepared, phases, left: vec![] };
    let kept = run.all(&lease, means).await?;
    run.phases.end(means.events);
    let manifest = &prepared.work.manifest;
    let done = view::Done {
        manifest,
        database: &prepared.target,
        schema: None,
        kept: kept.as_deref(),
        tables: prepared.tables.len(),
        rows: prepared.tables.iter().map(|&table| manifest.tables[table].rows).sum(),
        left: &run.left,
        not_made: &[],
        phases: run.phases.taken(),
    };
    Ok((Outcome::Done, view::done(&done)))
}

/// Asks whether the living database may be swapped out, naming who is in it.
async fn consent(request: &Request, prepared: &Prepared, means: &mut Means<'_>) -> Result<()> {
    let target = &prepared.target;
    let mut because = vec![format!("database {target} is replaced by backup {}", prepared.work.manifest.id)];
    because.extend(swap::sessions(&prepared.admin, target).await?.into_iter().map(|who| format!("ended: {who}")));
    let told = match (&request.confirm_name, request.rails.yes) {
        (Some(name), true) if name == target => {
            return gate::consent(because, &Rails { always_ask: true, ..request.rails.clone() }, means.confirm);
        }
        (Some(name), _) if name != target => format!("--confirm-name {name} is not the database that is replaced"),
        _ if request.rails.interactive && !request.rails.yes => {
            if means.confirm.confirm(&because, target) {
                return Ok(());
            }
            "the name was not typed; nothing was changed".to_owned()
        }
        _ => format!("replacing database {target} needs consent; nothing was changed"),
    };
    let failure = because.iter().fold(Failure::new(Kind::Refused, told), Failure::note);
    Err(failure.hint(format!("allow it with --yes --confirm-name {target}")))
}

/// A restore under way.
struct Run<'a> {
    request: &'a Request,
    prepared: &'a Prepared,
    phases: Phases,
    left: Vec<String>,
}

impl Run<'_> {
    /// Everything; returns what the old database is called now.
    async fn all(&mut self, lease: &Lease, means: &mut Means<'_>) -> Result<Option<String>> {
        let (prepared, admin) = (self.prepared, &self.prepared.admin);
        // What a killed run last asked for may still be under way: a database that is being made, or gets its name.
        let events = &mut *means.events;
        let waiting = |holder: &_| events.event(Event::LeaseTaken(holder));
        lease.admit(admin, self.request.lease_wait, means.interrupt, waiting).await?;
        // Another run may have taken the name while the lease was waited for.
        prepared.still_named(self.request).await?;
        if swap::repair(admin, &prepared.target).await? {
            let message = format!("database {} was left closed by a killed run: it is open again", prepared.target);
            means.events.event(Event::Attention { message: &message, hint: None });
        }
        let left = leftovers::sort(prepared, self.request.resume, means).await?;
        let (name, mark) = match left {
            Some(found) => found,
            None => self.create(means).await?,
        };
        let made = self.build(&name, &mark, lease, means).await;
        let swapped = match made {
            Ok(mark) => match means.interrupt.check() {
                Ok(()) => self.take_name(&name, &mark, means).await,
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        };
        let ended = match swapped {
            Ok(kept) => Ok(kept),
            Err(failure) => Err(self.after(failure, &name).await),
        };
        if ended.is_ok() {
            leftovers::clear(prepared, means).await;
        }
        for kept in roles::tidy(prepared).await {
            means.events.event(Event::Attention { message: &kept, hint: None });
        }
        ended
    }

    /// A new database, marked as unfinished.
    async fn create(&self, means: &mut Means<'_>) -> Result<(String, Mark)> {
        let (prepared, admin) = (self.prepared, &self.prepared.admin);
        let database = &prepared.work.manifest.database;
        let name = plan::aside(&prepared.target, BUILDING, &prepared.stamp);
        let tablespace = prepared.tablespaces.of_database.as_deref();
        let sql = plan::create_database(database, &name, &prepared.target, tablespace, prepared.server.major);
        swap::unhindered(admin, &sql, "template0", means).await.map_err(|failure| {
            failure
                .context(format!("cannot create database {name}"))
                .hint("a locale that this server does not have? 'dbctl restore … --dry-run' shows what is wanted")
        })?;
        let mark = Mark {
            state: State::Building,
            backup: prepared.work.manifest.id.clone(),
            target: prepared.target.clone(),
            at: now(),
            comment: database.comment.clone(),
            wanted: Some(prepared.wanted.clone()),
        };
        let marked = async {
            swap::comment(admin, &name, Some(&mark.text()?)).await?;
            let new = Ident::new(name.as_str());
            let close = format!(
                "BEGIN; REVOKE ALL ON DATABASE {new} FROM PUBLIC; ALTER DATABASE {new} CONNECTION LIMIT -1; COMMIT"
            );
            admin.send(&close).await.map_err(|e| e.explain("cannot keep others out of the new database"))
        };
        match marked.await {
            Ok(()) => Ok((name, mark)),
            Err(failure) => Err(self.after(failure, &name).await),
        }
    }

    /// Definitions, rows, proof, indexes: the mark of a whole database.
    async fn build(&mut self, name: &str, mark: &Mark, lease: &Lease, means: &mut Means<'_>) -> Result<Mark> {
        let prepared = self.prepared;
        let connection = prepared.maintenance.with_dbname(name);
        let work = Arc::new(Work { connection: connection.clone(), ..prepared.work.clone() });
        let (jobs, interrupt, pg_restore) = (self.request.jobs, means.interrupt, &prepared.pg_restore);
        if mark.state == State::Ready {
            self.phases.count(1);
            self.phases.begin("name", means.events);
            return Ok(mark.clone());
        }
        let again = mark.state == State::Proven;
        let whole = prepared.whole;
        let definitions =
            Definitions::open(&work, pg_restore, &prepared.left, prepared.psql.as_ref(), interrupt).await?;
        let definitions = definitions.in_tablespaces(prepared.tablespaces.missing.is_empty());
        let builder = properties::for_building(&connection, prepared, jobs);
        self.left = prepared.left.iter().map(ForeignKey::told).collect();
        roles::make(prepared, interrupt).await?;
        if !again {
            self.phases.begin("definitions", means.events);
            self.schemas(&connection, means).await?;
            definitions.restore(Section::PreData, pg_restore, &builder, 1, interrupt).await?;
            self.phases.begin("rows and their proof", means.events);
            if work.manifest.large_objects > 0 {
                definitions.restore(Section::Data, pg_restore, &builder, 1, interrupt).await?;
            }
            load::load_and_prove(&work, &prepared.tables, jobs, means.events).await?;
            self.sequences(&connection, means).await?;
            lease.check()?;
            swap::comment(&prepared.admin, name, Some(&mark.moved_to(State::Proven).text()?)).await?;
        } else {
            self.phases.count(PHASES - 2);
            clear(&connection, means).await?;
        }
        self.phases.begin("indexes and constraints", means.events);
        // Before the indexes, which then tell the size of what is really there.
        if whole && prepared.server.major.min(pg_restore.major) >= STATISTICS_SINCE {
            // What cannot be taken over is gathered at the end.
            let _ = definitions.restore(Section::Statistics, pg_restore, &builder, 1, interrupt).await;
            interrupt.check()?;
        }
        let made = definitions.restore(Section::PostData, pg_restore, &builder, jobs, interrupt).await;
        made.map_err(keys::explained)?;
        self.phases.begin("views and statistics", means.events);
        self.views(&connection, whole, means).await?;
        self.phases.begin("name", means.events);
        let old = match self.request.replace {
            true => Some(self.living(means).await?),
            false => None,
        };
        properties::carry_over(prepared, old.as_ref(), name, &connection).await?;
        let comment = old.unwrap_or_else(|| work.manifest.database.clone()).comment;
        let ready = Mark { state: State::Ready, comment, ..mark.clone() };
        swap::comment(&prepared.admin, name, Some(&ready.text()?)).await?;
        lease.check()?;
        Ok(ready)
    }

    /// pg_dump leaves out the schemas of tables that were named one by one.
    async fn schemas(&self, connection: &Connection, means: &Means<'_>) -> Result<()> {
        let manifest = &self.prepared.work.manifest;
        if manifest.scope.tables.is_empty() {
            return Ok(());
        }
        let names: BTreeSet<&str> = manifest.tables.iter().map(|table| table.schema.as_str()).collect();
        let lines = names.iter().map(|name| format!("CREATE SCHEMA IF NOT EXISTS {};", Ident::new(*name)));
        let session = Session::open(connection, "restore", means.interrupt).await?;
        let sql: String = [format!("{}; ", settings::UNLIMITED)].into_iter().chain(lines).collect();
        session.send(&sql).await.map_err(|e| e.explain("cannot make the schemas of the tables"))
    }

    async fn sequences(&self, connection: &Connection, means: &Means<'_>) -> Result<()> {
        let manifest = &self.prepared.work.manifest;
        let mut sequences = manifest.sequences.clone();
        sequences.retain(|sequence| !meets::is_crons(manifest, &sequence.schema));
        let sql = read::sequences_sql(&sequences);
        if sql.is_empty() {
            return Ok(());
        }
        let session = Session::open(connection, "restore", means.interrupt).await?;
        session.send(&sql).await.map_err(|e| e.explain("cannot put the sequences where they were"))
    }

    /// What was computed is computed again; where rows are missing, only the statistics. Those that the backup brought
    /// are not gathered a second time.
    async fn views(&self, connection: &Connection, whole: bool, means: &Means<'_>) -> Result<()> {
        let session = Session::open(connection, "restore", means.interrupt).await?;
        session.send(settings::UNLIMITED).await.map_err(|e| e.explain("cannot set the session's settings"))?;
        let views = if whole { &self.prepared.work.manifest.materialized_views[..] } else { &[] };
        for view in views {
            let refresh = format!("REFRESH MATERIALIZED VIEW {view}");
            session.send(&refresh).await.map_err(|e| e.explain(format!("cannot refresh {view}")))?;
        }
        drop(session);
        statistics::gather(connection, self.request.jobs, means.interrupt).await
    }

    /// What hangs on the name of the living database, as it is now.
    async fn living(&self, means: &Means<'_>) -> Result<Database> {
        let connection = self.prepared.maintenance.with_dbname(self.prepared.target.as_str());
        let session = Session::open_beside(&connection, "restore", means.interrupt).await?;
        Ok(read::moment(&session).await?.database)
    }

    /// The restored database gets the name that was wanted.
    async fn take_name(&mut self, name: &str, ready: &Mark, means: &mut Means<'_>) -> Result<Option<String>> {
        let (prepared, admin) = (self.prepared, &self.prepared.admin);
        let target = prepared.target.as_str();
        let kept = if self.request.replace {
            let aside = plan::aside(target, "old", &prepared.stamp);
            let comment = swap::databases(admin).await?.into_iter().find(|found| found.name == target);
            let comment = comment.and_then(|found| found.comment);
            let kept = Mark { state: State::Kept, at: now(), comment, ..ready.clone() };
            let swap = Swap { comes: name, comment: ready.comment.as_deref(), target, aside: &aside, kept: &kept };
            swap.run(admin).await?;
            Some(aside)
        } else {
            let rename = swap::rename_sql(name, target, ready.comment.as_deref());
            let doing = format!("cannot give database {name} its name {target}");
            swap::unhindered(admin, &rename, name, means).await.map_err(|failure| failure.context(doing))?;
            None
        };
        Ok(kept)
    }

    /// What a failure leaves: nothing, unless its rows are proven; that is said.
    async fn after(&self, failure: Failure, name: &str) -> Failure {
        let admin = &self.prepared.admin;
        let found = swap::databases(admin).await.ok().and_then(|all| all.into_iter().find(|found| found.name == name));
        let Some(found) = found else { return failure };
        if found.mark().is_some_and(|mark| matches!(mark.state, State::Proven | State::Ready)) {
            return failure
                .note(format!("database {name} holds the rows, proven"))
                .hint("the same command with --resume goes on with it")
                .hint(format!("or: DROP DATABASE {};", Ident::new(name)));
        }
        match tokio::time::timeout(PATIENCE, swap::remove(admin, name)).await {
            Ok(Ok(())) => failure.note(format!("database {name}, which was being restored, was dropped")),
            _ => failure.hint(format!("DROP DATABASE {} WITH (FORCE);", Ident::new(name))),
        }
    }
}

/// Takes away what a killed run made after the rows.
async fn clear(connection: &Connection, means: &Means<'_>) -> Result<()> {
    let doing = "cannot take away what the killed run made";
    let session = Session::open(connection, "restore", means.interrupt).await?;
    // The backends of the killed run may still be building: they would hold what is dropped.
    let end = "SELECT pg_catalog.pg_terminate_backend(a.pid, 5000) FROM pg_catalog.pg_stat_activity AS a \
               WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()";
    session.rows_of(end).await.map_err(|e| e.explain(doing))?;
    let settings = format!("SET search_path = ''; {}", settings::UNLIMITED);
    session.send(&settings).await.map_err(|e| e.explain(doing))?;
    let rows = session.rows(&Query::RESTORE_AGAIN, &[]).await.map_err(|e| e.explain(doing))?;
    for row in &rows {
        let sql: String = row.try_get("statement")?;
        session.send(&sql).await.map_err(|e| e.explain(format!("{doing}: {sql}")))?;
    }
    Ok(())
}

fn now() -> String {
    let now: DateTime<Utc> = Utc::now();
    now.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A database whose swap is undone or confirmed.
#[derive(Debug, Clone)]
pub struct Aftermath {
    /// The server.
    pub connection: Connection,
    /// The database's name.
    pub target: String,
    /// What stands before it.
    pub rails: Rails,
}

/// Puts the old database back; the restored one is kept then.
///
/// # Errors
/// Failed, when none is kept; refused without consent; the server's.
pub async fn undo(request: &Aftermath, means: &mut Means<'_>) -> Result<(Outcome, Document)> {
    let (admin, _) = prepare::admin(&request.connection, &request.target, means.interrupt).await?;
    let target = request.target.as_str();
    if swap::repair(&admin, target).await? {
        let message = format!("database {target} was left closed by a killed run: it is open again");
        means.events.event(Event::Attention { message: &message, hint: None });
    }
    let all = swap::databases(&admin).await?;
    let (old, mark) = swap::kept(&all, target)?;
    let rails = Rails { always_ask: true, ..request.rails.clone() };
    let mut because = vec![format!("database {target} is replaced by {}, which it was before", old.name)];
    because.extend(swap::sessions(&admin, target).await?.into_iter().map(|who| format!("ended: {who}")));
    gate::consent(because, &rails, means.confirm)?;
    let living = all.iter().find(|found| found.name == target);
    let living = living.ok_or_else(|| Failure::new(Kind::Failed, format!("there is no database {target}")))?;
    let aside = plan::aside(target, "restored", &Utc::now().format("%Y%m%d%H%M%S%3f").to_string());
    swap::comment(&admin, &old.name, Some(&mark.moved_to(State::Returning).text()?)).await?;
    let kept = Mark { state: State::Kept, at: now(), comment: living.comment.clone(), ..mark.clone() };
    let swap = Swap { comes: &old.name, comment: mark.comment.as_deref(), target, aside: &aside, kept: &kept };
    swap.run(&admin).await?;
    Ok((Outcome::Done, view::undone(target, &aside)))
}

/// Drops what swaps kept.
///
/// # Errors
/// Refused without consent; the server's.
pub async fn confirm(
    request: &Aftermath,
    older_than: Option<Duration>,
    means: &mut Means<'_>,
) -> Result<(Outcome, Document)> {
    let (admin, _) = prepare::admin(&request.connection, &request.target, means.interrupt).await?;
    let limit = older_than.and_then(|age| Some(Utc::now() - chrono::Duration::from_std(age).ok()?));
    let old_enough = |mark: &Mark| {
        limit.is_none_or(|limit| DateTime::parse_from_rfc3339(&mark.at).is_ok_and(|at| at.to_utc() < limit))
    };
    let all = swap::databases(&admin).await?;
    let kept = all.iter().filter(|found| {
        found.mark().is_some_and(|mark| mark.target == request.target && mark.state == State::Kept && old_enough(&mark))
    });
    let kept: Vec<String> = kept.map(|found| found.name.clone()).collect();
    if !kept.is_empty() {
        let because =
            kept.iter().map(|name| format!("database {name} is dropped; it cannot be brought back")).collect();
        gate::consent(because, &Rails { always_ask: true, ..request.rails.clone() }, means.confirm)?;
    }
    for name in &kept {
        swap::remove(&admin, name).await?;
    }
    Ok((Outcome::Done, view::confirmed(&request.target, &kept)))
}

/// What restores left on the server.
///
/// # Errors
/// The server's.
pub async fn list(connection: &Connection, means: &mut Means<'_>) -> Result<(Outcome, Document)> {
    let (admin, _) = prepare::admin(connection, "", means.interrupt).await?;
    let mut all = Vec::new();
    for found in swap::databases(&admin).await?.into_iter().filter(|found| found.mark().is_some()) {
        let bytes = swap::bytes(&admin, &found.name).await;
        all.push((found, bytes));
    }
    Ok((Outcome::Done, view::list(&all, &roles::stand_ins(&admin).await?)))
}
