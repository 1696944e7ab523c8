//! A scratch database: made for one look, dropped at its end whatever happened in it, swept by a
//! later run when this one is killed. Never a schema inside of a live database: the live database is
//! not written. Knows nothing of what is done in it.

mod cluster;
mod mark;
mod place;

use std::time::Duration;

use crate::config::connection::Connection;
use crate::error::{Explain, Failure, Kind, Result};
use crate::ident::{Ident, Literal};
use crate::pg::sandbox::{Options, Sandbox, binaries};
use crate::pg::{Interrupt, Query, Session};
use cluster::Cluster;
use mark::{Found, Mark};
pub use place::{Identity, Like, Locale, Place, identity};

/// How long dropping may take, and how long an interrupted run may take to let go.
const PATIENCE: Duration = Duration::from_secs(5);

/// A scratch database in use. [`within`] sees to its end; whoever has one by [`Scratch::create`] calls
/// [`Scratch::drop`].
pub struct Scratch {
    connection: Connection,
    origin: Origin,
    shares_server: bool,
    /// How the server was before, where it is also the target's.
    before: Option<Cluster>,
    /// What a person should know of it: other locale, other version, what was swept.
    notes: Vec<String>,
}

/// What ends with the database.
enum Origin {
    /// The database, dropped from another one.
    Database { admin: Box<Connection>, name: String },
    /// The whole private server.
    Server(Box<Sandbox>),
}

/// Makes a scratch database, does something with it and drops it, also after a failure or a signal.
///
/// # Errors
/// As [`Scratch::create`], then the work's own.
pub async fn within<T>(
    place: &Place,
    like: &Like,
    command: &str,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&Scratch) -> Result<T>,
) -> Result<T> {
    let scratch = Scratch::create(place, like, command, interrupt).await?;
    let done = {
        let working = work(&scratch);
        tokio::pin!(working);
        tokio::select! {
            done = &mut working => done,
            failure = interrupt.wait() => {
                // The work sees the signal as well and ends what it began.
                tokio::time::timeout(PATIENCE, working).await.unwrap_or(Err(failure))
            }
        }
    };
    let done = match done {
        Err(failure) => Err(scratch.changes().await.into_iter().fold(failure, Failure::note)),
        done => done,
    };
    let dropped = scratch.drop().await;
    match (done, dropped) {
        (Err(failure), Err(left)) => Err(failure.note(left.messages().join(": "))),
        (done, Ok(())) => done,
        (Ok(_), Err(left)) => Err(left),
    }
}

/// Whether a private server of this major can be started here.
pub fn can_sandbox(major: u32) -> bool {
    binaries::find().iter().any(|found| found.major == major)
}

impl Scratch {
    /// Makes one like a database in encoding and locale. `command` is part of `application_name`.
    /// Leftovers of killed runs that are older than a day are dropped first.
    ///
    /// # Errors
    /// Not permitted without CREATEDB, naming the other ways; unreachable; no server programs.
    pub async fn create(place: &Place, like: &Like, command: &str, interrupt: &Interrupt) -> Result<Scratch> {
        interrupt.check()?;
        let made = match place {
            Place::SameServer(connection) => on_server(connection, like, command, interrupt, true).await,
            Place::Url(connection) => on_server(connection, like, command, interrupt, false).await,
            Place::Sandbox => in_sandbox(like, command, interrupt).await,
        };
        let scratch = made?;
        match interrupt.check() {
            Ok(()) => Ok(scratch),
            Err(failure) => {
                scratch.drop().await?;
                Err(failure)
            }
        }
    }

    /// How to reach it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether roles, databases and settings of the server are also the target's: what a migration does
    /// to those is done to them.
    pub fn shares_server(&self) -> bool {
        self.shares_server
    }

    /// Whether the whole server is made for it and ends with it.
    pub fn is_private(&self) -> bool {
        matches!(self.origin, Origin::Server(_))
    }

    /// What a person should know of it, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What of the target's server is not as it was before, a line each. Nothing that is tried should change
    /// it: this is for the case that something did.
    pub async fn changes(&self) -> Vec<String> {
        let (Some(before), Origin::Database { admin, .. }) = (&self.before, &self.origin) else { return Vec::new() };
        let looking = async {
            let session = Session::open_beside(admin, "scratch", &Interrupt::default()).await?;
            Cluster::read(&session).await
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(Ok(after)) => before.told(&after),
            _ => vec![
                "whether anything of the whole server changed meanwhile is UNKNOWN: it could not be read".to_owned(),
            ],
        }
    }

    /// Drops it, with everybody who is still connected. Signals do not stop this; it gives up after a
    /// few seconds.
    ///
    /// # Errors
    /// When it could not be dropped: with its name, and how it goes away.
    pub async fn drop(self) -> Result<()> {
        match self.origin {
            Origin::Database { admin, name } => {
                let dropping = drop_database(&admin, &name);
                let dropped = tokio::time::timeout(PATIENCE, dropping).await;
                dropped.unwrap_or_else(|_| Err(Failure::new(Kind::Failed, "the server took too long"))).map_err(|f| {
                    f.context(format!("cannot drop scratch database {name}")).hint(format!(
                        "a run of dbctl that is a day later drops it; or: DROP DATABASE {} WITH (FORCE);",
                        Ident::new(name.as_str())
                    ))
                })
            }
            Origin::Server(sandbox) => tokio::task::spawn_blocking(move || drop(sandbox))
                .await
                .explain(Kind::Failed, "cannot stop the sandbox"),
        }
    }
}

async fn drop_database(admin: &Connection, name: &str) -> Result<()> {
    // A signal that has arrived must not keep the connection from opening.
    let session = Session::open_beside(&writing(admin), "scratch", &Interrupt::default()).await?;
    // FORCE does not need to be waited for behind a DDL of somebody else's.
    let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", Ident::new(name));
    session.send(&sql).await.map_err(|e| e.explain("the server refused"))
}

async fn on_server(
    connection: &Connection,
    like: &Like,
    command: &str,
    interrupt: &Interrupt,
    same: bool,
) -> Result<Scratch> {
    // Beside: a signal must not cut CREATE DATABASE in two.
    let session = Session::open_beside(&writing(connection), &format!("{command} scratch"), interrupt).await?;
    let here = Locale::of_server(&session).await?;
    if !here.may_create {
        return Err(not_permitted(&here.role, connection, same));
    }
    let mut notes = sweep(&session).await.unwrap_or_else(|failure| {
        vec![format!("leftovers of killed runs could not be looked for: {}", failure.messages().join(": "))]
    });
    let mark = Mark::new(here.now, fastrand::u64(..));
    session
        .send("SET statement_timeout = '60s'")
        .await
        .map_err(|e| e.explain("cannot prepare the scratch database"))?;
    if let Err(error) = session.send(&like.locale.create(&mark.name, Some(mark.connection_limit()))).await {
        if !Locale::is_unknown(&error) || same {
            return Err(refused(&error, connection, same));
        }
        let plain = Locale::plain(&like.locale.encoding);
        let sql = plain.create(&mark.name, Some(mark.connection_limit()));
        session.send(&sql).await.map_err(|e| refused(&e, connection, same))?;
        notes.push(like.locale.missed(&plain));
    }
    let shares_server = same || like.is_on(&session).await;
    let scratch = Scratch {
        connection: connected(connection, &mark.name, like),
        origin: Origin::Database { admin: Box::new(connection.clone()), name: mark.name.clone() },
        shares_server,
        before: if shares_server { Cluster::read(&session).await.ok() } else { None },
        notes,
    };
    let comment = format!("COMMENT ON DATABASE {} IS {}", Ident::new(mark.name.as_str()), Literal(&mark.comment()));
    match session.send(&comment).await {
        Ok(()) => Ok(scratch),
        Err(error) => {
            scratch.drop().await?;
            Err(error.explain("cannot mark the scratch database"))
        }
    }
}

/// A database of the target's own name on a server of its own: what a migration says about its
/// database or about roles reaches nobody else.
async fn in_sandbox(like: &Like, command: &str, interrupt: &Interrupt) -> Result<Scratch> {
    let wanted = like.major;
    let mut starting = tokio::task::spawn_blocking(move || {
        let options = Options {
            major: can_sandbox(wanted).then_some(wanted),
            settings: vec![("max_prepared_transactions".to_owned(), "10".to_owned())],
            ..Options::default()
        };
        Sandbox::start(&options)
    });
    let sandbox = tokio::select! {
        started = &mut starting => started.explain(Kind::Failed, "cannot start a sandbox")??,
        failure = interrupt.wait() => {
            // Half started it would be cleaned up behind our back, while its parts still come into being.
            if let Ok(Ok(Ok(sandbox))) = tokio::time::timeout(PATIENCE, starting).await {
                let _ = tokio::task::spawn_blocking(move || drop(sandbox)).await;
            }
            return Err(failure);
        }
    };
    let mut notes = Vec::new();
    if sandbox.major() != wanted {
        notes.push(format!(
            "the sandbox is PostgreSQL {}, the target {wanted}: no server programs of that version are installed here",
            sandbox.installation().version
        ));
    }
    let admin = sandbox.connection("postgres");
    let name = match like.name.as_str() {
        "postgres" | "template0" | "template1" => "scratch",
        name => name,
    };
    let session = Session::open_beside(&admin, &format!("{command} scratch"), interrupt).await?;
    if let Err(error) = session.send(&like.locale.create(name, None)).await {
        if !Locale::is_unknown(&error) {
            return Err(error.explain("cannot create the scratch database in the sandbox"));
        }
        let plain = Locale::plain(&like.locale.encoding);
        session
            .send(&plain.create(name, None))
            .await
            .map_err(|e| e.explain("cannot create the scratch database in the sandbox"))?;
        notes.push(like.locale.missed(&plain));
    }
    let mut connection = connected(&admin, name, like);
    if like.role != admin.user {
        let role = Ident::new(like.role.as_str());
        let create = session.send(&format!("CREATE ROLE {role} SUPERUSER LOGIN")).await;
        create.map_err(|e| e.explain(format!("cannot create role {role} in the sandbox")))?;
        connection.user.clone_from(&like.role);
    }
    Ok(Scratch { connection, origin: Origin::Server(Box::new(sandbox)), shares_server: false, before: None, notes })
}

/// A role that by default may not write may still have a scratch database, which is its own.
fn writing(connection: &Connection) -> Connection {
    let mut connection = connection.clone();
    let options = connection.options.take().unwrap_or_default();
    connection.options = Some(format!("{options} -c default_transaction_read_only=off").trim_start().to_owned());
    connection
}

/// Settings of the session, not of the database: nothing of them is in its catalog. Nothing needs to
/// survive a crash, and names without a schema must lead where they lead in the target.
fn connected(admin: &Connection, name: &str, like: &Like) -> Connection {
    let mut connection = writing(&admin.with_dbname(name));
    let escaped: String = like
        .search_path
        .chars()
        .flat_map(|c| (c == '\\' || c.is_whitespace()).then_some('\\').into_iter().chain([c]))
        .collect();
    let mut options = connection.options.take().unwrap_or_default();
    options.push_str(" -c synchronous_commit=off");
    if !escaped.is_empty() {
        options.push_str(&format!(" -c search_path={escaped}"));
    }
    connection.options = Some(options.trim_start().to_owned());
    connection
}

/// Drops what killed runs left; a line for each. One that cannot be dropped is left for the next run.
async fn sweep(session: &Session) -> Result<Vec<String>> {
    let rows = session
        .rows(&Query::SCRATCH_DATABASES, &[])
        .await
        .map_err(|e| e.explain("cannot look for leftovers of killed runs"))?;
    let mut notes = Vec::new();
    for row in &rows {
        let found = Found {
            name: row.try_get("name")?,
            connection_limit: row.try_get("connection_limit")?,
            comment: row.try_get("comment")?,
            owned: row.try_get("owned")?,
            in_use: row.try_get("in_use")?,
        };
        if !found.is_stale(row.try_get("now")?) {
            continue;
        }
        // Without FORCE: whoever has connected meanwhile keeps it.
        let sql = format!("DROP DATABASE IF EXISTS {}", Ident::new(found.name.as_str()));
        if session.send(&sql).await.is_ok() {
            notes.push(format!("dropped scratch database {}, which a killed run had left", found.name));
        }
    }
    Ok(notes)
}

fn refused(error: &crate::pg::ServerError, connection: &Connection, same: bool) -> Failure {
    if error.code() == Some("42501") {
        return not_permitted(&connection.user, connection, same).note(error.message());
    }
    other_ways(error.explain(format!("cannot create a scratch database on {}", connection.label())), same)
}

fn not_permitted(role: &str, connection: &Connection, same: bool) -> Failure {
    let role = Ident::new(role);
    let message = format!("role {role} may not create a scratch database on {}", connection.label());
    other_ways(Failure::new(Kind::NotPermitted, message), same)
        .hint(format!("or let a superuser run: ALTER ROLE {role} CREATEDB;"))
}

fn other_ways(failure: Failure, same: bool) -> Failure {
    let failure = if same {
        failure.hint("use another server, where databases may be created: --scratch-url URL")
    } else {
        failure.hint("name a server and role that may create databases with --scratch-url URL")
    };
    failure
        .hint("or a private throwaway server on this machine: --sandbox")
        .hint("to compare without any of them, take a snapshot file: dbctl schema snapshot -o FILE, then dbctl drift --snapshot FILE")
}
