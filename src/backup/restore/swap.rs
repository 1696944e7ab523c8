//! Databases change names: the restored one takes the place of the living one, which is kept, and back again. Both
//! names change in one transaction. Between closing the living one and that, a mark on the other says what is under
//! way, so that whoever comes after a kill opens it again.

use std::time::{Duration, Instant};

use super::mark::{BUILDING, Mark, State};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal};
use crate::pg::{Query, Session};
use crate::steps::Means;
use crate::steps::events::Event;

/// The application_name of every session of a restore, those of its programs too.
pub const APPLICATION: &str = "dbctl:restore";
/// A database is in use (object_in_use).
const IN_USE: &str = "55006";
/// How long whoever is in a database that nobody should be in is waited for.
const USE_PATIENCE: Duration = Duration::from_secs(30);
const USE_PAUSE: Duration = Duration::from_secs(1);
/// How long a rename may wait for sessions that were ended, and for locks on the names.
const LIMITS: &str = "SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '20s'";

/// A database of the server.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub comment: Option<String>,
    /// Whether it lets anybody in.
    pub allows: bool,
    /// How many it lets in.
    pub connection_limit: i32,
}

impl Found {
    /// The mark of a restore; none where it is nobody's.
    pub fn mark(&self) -> Option<Mark> {
        let target = self.name.rsplit_once('_').and_then(|(name, _)| name.strip_suffix(BUILDING)?.strip_suffix('_'));
        Mark::read(self.comment.as_deref()).or_else(|| self.newborn(target?))
    }

    /// The mark of a restore of this database. The name of one that is being made may have been cut.
    pub fn mark_of(&self, target: &str) -> Option<Mark> {
        let mark = Mark::read(self.comment.as_deref()).or_else(|| self.newborn(target));
        mark.filter(|mark| mark.target == target)
    }

    fn newborn(&self, target: &str) -> Option<Mark> {
        // Who comments on it makes it his.
        self.comment.is_none().then(|| Mark::newborn(&self.name, self.connection_limit, target))?
    }
}

/// All databases, by name.
///
/// # Errors
/// The server's.
pub async fn databases(admin: &Session) -> Result<Vec<Found>> {
    let rows = admin.rows(&Query::RESTORE_DATABASES, &[]).await.map_err(|e| e.explain("cannot list the databases"))?;
    let found = rows.iter().map(|row| {
        Ok(Found {
            name: row.try_get("name")?,
            comment: row.try_get("comment")?,
            allows: row.try_get("allows")?,
            connection_limit: row.try_get("connection_limit")?,
        })
    });
    found.collect()
}

/// The size of a database; none where the role may not ask, or it is gone by now.
pub async fn bytes(admin: &Session, name: &str) -> Option<u64> {
    let rows = admin.rows_with("SELECT pg_catalog.pg_database_size($1::TEXT)", &[name]).await.ok()?;
    u64::try_from(rows.first()?.try_get::<_, Option<i64>>(0).ok()??).ok()
}

/// Who is in a database, a line each.
///
/// # Errors
/// The server's.
pub async fn sessions(admin: &Session, name: &str) -> Result<Vec<String>> {
    Ok(inside(admin, name).await?.into_iter().map(|(_, line)| line).collect())
}

/// The same without the sessions of restores.
///
/// # Errors
/// The server's.
pub async fn strangers(admin: &Session, name: &str) -> Result<Vec<String>> {
    let inside = inside(admin, name).await?;
    Ok(inside.into_iter().filter(|(application, _)| application != APPLICATION).map(|(_, line)| line).collect())
}

async fn inside(admin: &Session, name: &str) -> Result<Vec<(String, String)>> {
    let rows = admin.rows(&Query::RESTORE_SESSIONS, &[&name]).await;
    let line = |row: &crate::pg::Row| {
        let (pid, role, application, state): (i32, String, String, String) =
            (row.try_get("pid")?, row.try_get("role")?, row.try_get("application")?, row.try_get("state")?);
        let line = format!("pid {pid} ({role}, {application}) {state}");
        Ok((application, line))
    };
    rows.map_err(|e| e.explain("cannot see who is connected"))?.iter().map(line).collect()
}

/// Writes what a database says of itself.
///
/// # Errors
/// The server's.
pub async fn comment(admin: &Session, name: &str, text: Option<&str>) -> Result<()> {
    let sql = comment_sql(name, text);
    admin.send(&sql).await.map_err(|e| e.explain(format!("cannot comment on database {name}")))
}

fn comment_sql(name: &str, text: Option<&str>) -> String {
    let text = text.map_or("NULL".to_owned(), |text| Literal(text).to_string());
    format!("COMMENT ON DATABASE {} IS {text}", Ident::new(name))
}

/// The restored database gets its name and its comment, both or none of them.
pub fn rename_sql(name: &str, target: &str, text: Option<&str>) -> String {
    format!(
        "BEGIN; ALTER DATABASE {} RENAME TO {}; {}; COMMIT",
        Ident::new(name),
        Ident::new(target),
        comment_sql(target, text)
    )
}

/// Sends what wants nobody in a database: a rename of it, a copy of it. The server itself waits some seconds for them
/// to go; this asks again, for a while.
///
/// # Errors
/// Deferred, naming who is in it; the server's.
pub async fn unhindered(admin: &Session, sql: &str, database: &str, means: &mut Means<'_>) -> Result<()> {
    let began = Instant::now();
    loop {
        let Err(error) = admin.send(sql).await else { return Ok(()) };
        if error.code() != Some(IN_USE) {
            // Outside of a transaction this is a warning.
            let _ = admin.send("ROLLBACK").await;
            return Err(error.explain("the server refuses it"));
        }
        let _ = admin.send("ROLLBACK").await;
        let inside = sessions(admin, database).await.unwrap_or_default();
        if began.elapsed() >= USE_PATIENCE {
            let failure = error.explain(format!("somebody is in database {database}")).kind(Kind::Deferred);
            return Err(inside.iter().fold(failure, Failure::note).hint("end them, or wait, and run again"));
        }
        let message = format!("somebody is in database {database}; trying again: {}", inside.join(", "));
        means.events.event(Event::Attention { message: &message, hint: None });
        means.interrupt.sleep(USE_PAUSE).await?;
    }
}

/// One database takes the name of another, which is kept under a third.
#[derive(Debug)]
pub struct Swap<'a> {
    /// The one that comes, with the mark that says so already: [`State::Ready`] or [`State::Returning`].
    pub comes: &'a str,
    /// Its comment afterwards.
    pub comment: Option<&'a str>,
    /// The name.
    pub target: &'a str,
    /// What the living one is called then.
    pub aside: &'a str,
    /// What it says of itself then.
    pub kept: &'a Mark,
}

impl Swap<'_> {
    /// Closes the living one, ends its sessions, changes both names in one transaction. After a failure the living
    /// one is open under its name again.
    ///
    /// # Errors
    /// The server's: a session that does not end, a prepared transaction, a lock.
    pub async fn run(&self, admin: &Session) -> Result<()> {
        let target = Ident::new(self.target);
        let close = format!("ALTER DATABASE {target} ALLOW_CONNECTIONS false");
        admin.send(&close).await.map_err(|e| e.explain(format!("cannot close database {target}")))?;
        let Err(failure) = self.rename(admin).await else { return Ok(()) };
        // Outside of a transaction this is a warning.
        let _ = admin.send("ROLLBACK").await;
        match open(admin, self.target).await {
            Ok(()) => Err(failure.note(format!("database {target} is as it was, and open"))),
            Err(closed) => Err(failure
                .note(closed.messages().join(": "))
                .hint(format!("ALTER DATABASE {target} ALLOW_CONNECTIONS true;"))),
        }
    }

    async fn rename(&self, admin: &Session) -> Result<()> {
        let (target, comes, aside) = (Ident::new(self.target), Ident::new(self.comes), Ident::new(self.aside));
        for name in [self.target, self.comes] {
            let end = "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a \
                       WHERE a.datname = $1::TEXT AND a.pid <> pg_catalog.pg_backend_pid()";
            let ended = admin.rows_with(end, &[name]).await;
            ended.map_err(|e| e.explain(format!("cannot end the sessions of database {name}")))?;
        }
        let sql = format!(
            "BEGIN; {LIMITS}; ALTER DATABASE {target} RENAME TO {aside}; ALTER DATABASE {comes} RENAME TO {target}; \
             ALTER DATABASE {target} ALLOW_CONNECTIONS true; {}; {}; COMMIT",
            comment_sql(self.aside, Some(&self.kept.text()?)),
            comment_sql(self.target, self.comment)
        );
        admin.send(&sql).await.map_err(|e| e.explain(format!("cannot change the names of {target} and {comes}")))
    }
}

/// Lets a database be connected to.
///
/// # Errors
/// The server's.
pub async fn open(admin: &Session, name: &str) -> Result<()> {
    let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", Ident::new(name));
    admin.send(&sql).await.map_err(|e| e.explain(format!("cannot open database {name} again")))
}

/// Opens a living database that a killed swap left closed: it is closed, and another one is marked as about to take
/// its name. Whether it was so.
///
/// # Errors
/// The server's.
pub async fn repair(admin: &Session, target: &str) -> Result<bool> {
    let all = databases(admin).await?;
    let closed = all.iter().any(|found| found.name == target && !found.allows);
    let taking = |found: &Found| {
        found.mark().is_some_and(|mark| mark.target == target && matches!(mark.state, State::Ready | State::Returning))
    };
    if !closed || !all.iter().any(taking) {
        return Ok(false);
    }
    open(admin, target).await?;
    Ok(true)
}

/// Drops a database with everybody in it.
///
/// # Errors
/// The server's, with how it goes away.
pub async fn remove(admin: &Session, name: &str) -> Result<()> {
    let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", Ident::new(name));
    admin.send(&sql).await.map_err(|e| e.explain(format!("cannot drop database {name}")).hint(format!("{sql};")))
}

/// The database that was kept when `target` was swapped, the newest of them.
///
/// # Errors
/// Failed, when there is none.
pub fn kept<'a>(all: &'a [Found], target: &str) -> Result<(&'a Found, Mark)> {
    let is_kept = |mark: &Mark| mark.target == target && matches!(mark.state, State::Kept | State::Returning);
    let marked = all.iter().filter_map(|found| Some((found, found.mark().filter(is_kept)?)));
    marked.max_by(|(_, a), (_, b)| a.at.cmp(&b.at)).ok_or_else(|| {
        Failure::new(Kind::Failed, format!("no database is kept that was {target} before a restore"))
            .hint("dbctl restore list")
    })
}
