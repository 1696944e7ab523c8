//! Versions of a set applied to a scratch database, through the one executor and without a word to
//! anybody; and which versions those are, read off the target without writing to it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::reach::Tried;
use super::{Files, Findings, Limits, MigrationSet, Request, Wish, history, look, plan, reach, read, read_findings};
use crate::config::connection::Connection;
use crate::error::{Failure, Result};
use crate::ident::{Ident, TableName};
use crate::pg::{Interrupt, Query, Server, Session};
use crate::scratch::{self, Like, Place, Scratch};
use crate::steps::apply::{Applied, Executor, Order};
use crate::steps::events::Silent;
use crate::steps::{Lane, Pauses, Plan, Statement, Step, Timeouts};

/// How far a database is in a set of migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The server.
    pub server: Server,
    /// The set.
    pub set: MigrationSet,
    /// Versions in the history that the set has a file for, in order.
    pub applied: Vec<i64>,
    /// Versions that are not in it, in order.
    pub pending: Vec<i64>,
    /// What stands between the history and the set, a line each: other texts, missing files, damage.
    pub obstacles: Vec<String>,
    /// Histories that the search_path does not lead to, where it leads to none.
    pub elsewhere: Vec<String>,
    /// The schema of the history, or the one it would be in.
    pub schema: Option<String>,
    /// What a scratch database takes after.
    pub like: Like,
    /// Roles of the server that the set's texts name and do not make by a plain statement.
    roles: Vec<Role>,
}

/// A role as a private server needs it: somebody to own and to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Role {
    name: String,
    inherits: bool,
    bypasses: bool,
    logs_in: bool,
}

/// Reads how far the request's database is. Needs SELECT on the history, nothing more.
///
/// # Errors
/// Unreachable, not permitted, or a set that cannot be used.
pub async fn reached(request: &Request, interrupt: &Interrupt) -> Result<Reached> {
    let (session, found) = look(request, Files::Sound, interrupt).await?;
    let mut like = Like::read(&session, &found.snapshot.server).await?;
    if let Some(history) = &found.snapshot.history {
        like.role = owner(&session, &history.table).await?.unwrap_or(like.role);
    }
    let roles = roles(&session, &found.set).await?;
    let obstacles = obstacles(&found);
    let entries = &found.assessment.entries;
    let applied = entries.iter().filter(|e| e.row.is_some() && e.file.is_some()).map(|e| e.version).collect();
    let pending = found.assessment.pending().map(|e| e.version).collect();
    let server = found.snapshot.server;
    let history = found.snapshot.history.map(|history| history.table.schema.raw().to_owned());
    Ok(Reached {
        elsewhere: found.snapshot.elsewhere,
        schema: history.or_else(|| server.current_schema.clone()),
        server,
        set: found.set,
        applied,
        pending,
        obstacles,
        like,
        roles,
    })
}

/// Who migrated: the owner of the history.
async fn owner(session: &Session, table: &TableName) -> Result<Option<String>> {
    let rows = session.rows(&Query::RELATION_OWNER, &[&table.to_string()]).await;
    let rows = rows.map_err(|e| e.explain(format!("cannot see who owns {table}")))?;
    rows.first().map(|row| row.try_get("owner").map_err(Failure::from)).transpose()
}

async fn roles(session: &Session, set: &MigrationSet) -> Result<Vec<Role>> {
    let rows = session.rows(&Query::ROLES, &[]).await.map_err(|e| e.explain("cannot see which roles there are"))?;
    let made = reach::made_roles(set);
    let mut roles = Vec::new();
    for row in &rows {
        let name: String = row.try_get("name")?;
        let named = set.files.iter().any(|file| file.sql.contains(name.as_str()));
        if named && !made.contains(&name) {
            let (inherits, bypasses) = (row.try_get("inherits")?, row.try_get("bypasses")?);
            roles.push(Role { name, inherits, bypasses, logs_in: row.try_get("logs_in")? });
        }
    }
    Ok(roles)
}

fn obstacles(found: &Findings) -> Vec<String> {
    let mut lines: Vec<String> = found.assessment.obstacles().map(plan::obstacle).collect();
    lines.extend(found.assessment.faults.iter().cloned());
    lines.extend(found.assessment.other_system.iter().map(|other| format!("the history is that of system {other}")));
    for version in found.snapshot.half_done.keys() {
        lines.push(format!("version {version} is half done: it was begun statement by statement and not ended"));
    }
    lines
}

/// Applies versions of the set to a scratch database, in order. What is applied there already stays.
/// `target` says where its history would be. What it answers is for further work there.
///
/// # Errors
/// Refused where a version reaches beyond, or may reach beyond, the scratch database into the target's server; a version
/// that fails, with its place in the file.
pub async fn replay(
    scratch: &Scratch,
    target: &Reached,
    versions: &[i64],
    command: &str,
    interrupt: &Interrupt,
) -> Result<Bench> {
    if scratch.shares_server() {
        refuse_reaching(target, versions, true)?;
    }
    let mut bench = bench(scratch.connection(), target, command, interrupt).await?;
    if scratch.is_private() {
        bench.make_roles(&target.roles).await?;
    }
    bench.apply(target, versions).await.map_err(|failure| explain(failure, scratch))?;
    Ok(bench)
}

/// A database that versions are tried in, and the right to change it.
pub struct Bench {
    executor: Executor,
}

/// Opens a scratch database, or a copy of a database, for versions to be tried in.
///
/// # Errors
/// As [`Executor::begin`].
pub async fn bench(connection: &Connection, target: &Reached, command: &str, interrupt: &Interrupt) -> Result<Bench> {
    let session = Session::open(connection, command, interrupt).await?;
    let snapshot = read::snapshot(&session).await?;
    let order = Order {
        command: command.to_owned(),
        lease: history::lease(),
        lease_wait: Duration::from_secs(5),
        lock_patience: Duration::from_secs(10),
        pauses: Pauses::default(),
    };
    let missing = target
        .schema
        .as_deref()
        .filter(|_| snapshot.history.is_none() && snapshot.server.current_schema != target.schema);
    let schema = missing.map(|schema| create_schema(schema, &snapshot.server));
    let mut executor = Executor::begin(session, snapshot.server, connection, order, interrupt, &mut Silent).await?;
    if let Some(step) = schema {
        executor.perform(&Plan { steps: vec![step] }, &mut Silent).await?;
    }
    Ok(Bench { executor })
}

impl Bench {
    /// Applies versions that are not applied yet, in order.
    ///
    /// # Errors
    /// A version that fails.
    pub async fn apply(&mut self, target: &Reached, versions: &[i64]) -> Result<Vec<Applied>> {
        let plan = self.plan(target, versions, Limits::default()).await?;
        if plan.is_empty() { Ok(Vec::new()) } else { self.executor.perform(&plan, &mut Silent).await }
    }

    /// The steps that `migrate up` would take here for these versions.
    ///
    /// # Errors
    /// Files that are no migration; the server's.
    pub async fn plan(&self, target: &Reached, versions: &[i64], limits: Limits) -> Result<Plan> {
        let found = read_findings(self.executor.session(), target.set.clone()).await?;
        let rows = found.snapshot.history.iter().flat_map(|history| &history.rows).map(|row| row.version);
        let wanted: BTreeSet<i64> = rows.chain(versions.iter().copied()).collect();
        let mut set = target.set.clone();
        set.files.retain(|file| wanted.contains(&file.identity.version));
        let found = Findings::of(set, found.snapshot);
        let wish = Wish { allow_out_of_order: true, allow_other_history: true, timeouts: limits, ..Wish::default() };
        plan::up(&found.set, &found.snapshot, &found.assessment, &wish)
    }

    /// What no migration makes, and the target's server has. With the server they go.
    async fn make_roles(&mut self, roles: &[Role]) -> Result<()> {
        let server = self.executor.server();
        let rows = self.executor.session().rows(&Query::ROLES, &[]).await;
        let rows = rows.map_err(|e| e.explain("cannot see which roles there are"))?;
        let there = rows.iter().map(|row| row.try_get("name")).collect::<Result<Vec<String>, _>>()?;
        let create = |role: &&Role| {
            let word = |yes: bool, word: &'static str| if yes { word.to_owned() } else { format!("NO{word}") };
            let (login, inherit) = (word(role.logs_in, "LOGIN"), word(role.inherits, "INHERIT"));
            let bypass = word(role.bypasses, "BYPASSRLS");
            format!("CREATE ROLE {} {login} {inherit} {bypass};", Ident::new(role.name.as_str()))
        };
        let missing = roles.iter().filter(|role| !there.contains(&role.name));
        let sql = missing.map(|role| create(&role)).collect::<Vec<_>>().join("\n");
        if sql.is_empty() {
            return Ok(());
        }
        let step = own("roles", "roles", "the target's server has them", sql, server);
        self.executor.perform(&Plan { steps: vec![step] }, &mut Silent).await.map(drop)
    }

    /// The executor, for plans of another kind.
    pub fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }
}

/// A history's schema is older than any migration: nobody's file makes it.
fn create_schema(schema: &str, server: &Server) -> Step {
    let sql = format!("CREATE SCHEMA IF NOT EXISTS {};", Ident::new(schema));
    own(&format!("{schema}:schema"), &format!("schema {schema}"), "the target's history is in it", sql, server)
}

/// A step that is in no file.
fn own(id: &str, title: &str, why: &str, sql: String, server: &Server) -> Step {
    let sql: Arc<str> = sql.into();
    Step {
        id: id.to_owned(),
        title: title.to_owned(),
        file: "dbctl".to_owned(),
        file_text: Arc::clone(&sql),
        why: why.to_owned(),
        lane: Lane::Transaction,
        settings: server.step_settings("scratch"),
        timeouts: Timeouts { lock: Duration::from_secs(3), statement: Duration::ZERO },
        statements: vec![Statement::whole(sql)],
        record: Vec::new(),
    }
}

/// Where versions are tried: applied ones are replayed, then the pending ones. Nobody named a place: that is
/// beside the target, unless they reach into its server, or may. Then it is a private server of the same major,
/// and the answer says why.
///
/// # Errors
/// Refused where no such server can be started here.
pub fn settle(place: &Place, target: &Reached, pending: &[i64]) -> Result<(Place, Option<String>)> {
    if !matches!(place, Place::SameServer(_)) {
        return Ok((place.clone(), None));
    }
    let applied = reach::first(&target.set, Tried { versions: &target.applied, applied: true })?;
    let beyond = match applied {
        Some(beyond) => Some(beyond),
        None => reach::first(&target.set, Tried { versions: pending, applied: false })?,
    };
    let Some(beyond) = beyond else { return Ok((place.clone(), None)) };
    if !scratch::can_sandbox(target.like.major) {
        return Err(beyond.refusal());
    }
    Ok((Place::Sandbox, Some(format!("on a private server, because {}", beyond.says()))))
}

/// Refuses versions that reach beyond the database that they are tried in, or may.
///
/// # Errors
/// Refused, with the place.
pub fn refuse_reaching(target: &Reached, versions: &[i64], applied: bool) -> Result<()> {
    let beyond = reach::first(&target.set, Tried { versions, applied })?;
    beyond.map_or(Ok(()), |beyond| Err(beyond.refusal()))
}

/// A statement on one line, without comments.
pub fn one_line(sql: &str) -> String {
    super::words::one_line(sql)
}

/// What a scratch database lacks that the target has, where that is why a version fails.
pub fn explain(failure: Failure, scratch: &Scratch) -> Failure {
    let said = failure.messages().join("\n").to_lowercase();
    let failure = if said.contains("extension") {
        failure
            .hint("an extension of the target may be missing on the scratch server: install it there, or use a server that has it: --scratch-url URL")
            .hint("a part of the system that needs it can be left out: --without PART")
    } else if said.contains("role") && !scratch.shares_server() {
        failure.hint("a role that no migration creates is missing on the scratch server: use the target's own server, or create the role on the one named by --scratch-url")
    } else {
        failure
    };
    failure.note("this was on the scratch database: the target is as it was")
}
