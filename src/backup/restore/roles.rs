//! Roles that a backup names and the server lacks: made for good, or as stand-ins until what they own and were
//! granted is somebody else's. A stand-in says so in its comment and is held by a lock while its run lives, so that
//! whoever comes after a kill takes it over or takes it away.

use std::time::Duration;

use super::Roles;
use super::prepare::Prepared;
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal};
use crate::pg::{Interrupt, Query, Session};

/// The first word of a stand-in's comment; `restore_server.sql` and `restore_stand_ins.sql` look for it.
const WORD: &str = "dbctl restore: stand-in ";
/// The first key of the locks on stand-ins: "dbcr" as a number.
const CLASS: i32 = 0x6462_6372;
/// How long another run's last word on a stand-in is waited for.
const POLL: Duration = Duration::from_millis(50);
const POLLS: u32 = 200;
/// Something of the kind is there already.
const DUPLICATE: &[&str] = &["42710", "23505"];

/// What becomes of a role that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is made without login, and stays.
    Made,
    /// The restoring role owns what it owned; what it was granted is nobody's.
    Skipped,
    /// This one owns and may what it owned and might.
    Mapped(String),
}

/// A role that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// A role that a restore left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// Its name.
    pub name: String,
    /// For which restore.
    pub about: String,
}

/// Decides over the roles that are missing: of those that the backup names, and of those that others become. Pure.
///
/// # Errors
/// Usage, when something is mapped that need not or cannot be; refused, naming the roles that nothing was said of.
pub fn fates(missing: Vec<String>, named: &[String], map: &[(String, String)], rest: Roles) -> Result<Vec<Missing>> {
    for (old, new) in map {
        let wrong = if !named.contains(old) {
            "the backup names no such role"
        } else if !missing.contains(old) {
            "that role is on this server: it keeps what is its own"
        } else if missing.contains(new) {
            "the role that it becomes is not on this server"
        } else {
            continue;
        };
        return Err(Failure::new(Kind::Usage, format!("--map-role {old}={new}: {wrong}")));
    }
    let (mut fates, mut open) = (Vec::new(), Vec::new());
    for name in missing.into_iter().filter(|name| named.contains(name)) {
        let mapped = map.iter().find(|(old, _)| *old == name).map(|(_, new)| Fate::Mapped(new.clone()));
        match (mapped, rest) {
            (Some(fate), _) => fates.push(Missing { name, fate }),
            (None, Roles::Skip) => fates.push(Missing { name, fate: Fate::Skipped }),
            (None, Roles::Create) => fates.push(Missing { name, fate: Fate::Made }),
            (None, Roles::Refuse) => open.push(name),
        }
    }
    if open.is_empty() {
        return Ok(fates);
    }
    let message = format!("roles that this server does not have: {}", open.join(", "));
    Err(Failure::new(Kind::Refused, message)
        .hint(format!("--map-role {}=NAME lets a role that is here own and do what it did", open[0]))
        .hint("--create-missing-roles makes them without login; globals.sql of the backup has all of them")
        .hint("--skip-missing-roles lets the restoring role own what they owned"))
}

impl Missing {
    /// Whether it goes away again.
    pub fn stands_in(&self) -> bool {
        self.fate != Fate::Made
    }

    /// What is done about it, as a plan says it.
    pub fn told(&self) -> String {
        match &self.fate {
            Fate::Made => format!("role {} is not there: made without login", self.name),
            Fate::Skipped => format!("role {} is not there: skipped, the restoring role owns what it owned", self.name),
            Fate::Mapped(new) => format!("role {} is not there: mapped, {new} owns and may what it did", self.name),
        }
    }
}

/// Makes the roles that are missing. What a killed run left of them is taken over.
///
/// # Errors
/// The server's; refused, when somebody made one of them in the meantime.
pub(super) async fn make(prepared: &Prepared, interrupt: &Interrupt) -> Result<()> {
    let admin = &prepared.admin;
    for missing in &prepared.missing_roles {
        let (role, failed) = (Ident::new(missing.name.as_str()), format!("cannot create role {}", missing.name));
        if !missing.stands_in() {
            // A stand-in of a killed run stays then.
            let sql = match is_stand_in(admin, &missing.name).await? {
                true => format!("COMMENT ON ROLE {role} IS NULL"),
                false => format!("CREATE ROLE {role} NOLOGIN"),
            };
            match admin.send(&sql).await {
                Err(error) if error.code().is_some_and(|code| DUPLICATE.contains(&code)) => {}
                made => made.map_err(|e| e.explain(failed))?,
            }
            continue;
        }
        hold(admin, &missing.name, interrupt).await?;
        let about = format!("{WORD}for database {} from backup {}", prepared.target, prepared.work.manifest.id);
        // As a member it may give away what is the stand-in's.
        let join = if prepared.is_superuser { String::new() } else { format!("; GRANT {role} TO CURRENT_USER") };
        let sql =
            format!("BEGIN; CREATE ROLE {role} NOLOGIN; COMMENT ON ROLE {role} IS {}{join}; COMMIT", Literal(&about));
        if let Err(error) = admin.send(&sql).await {
            // Outside of a transaction this is a warning.
            let _ = admin.send("ROLLBACK").await;
            if !error.code().is_some_and(|code| DUPLICATE.contains(&code)) {
                return Err(error.explain(failed));
            }
            if !is_stand_in(admin, &missing.name).await? {
                let message = format!("role {} was missing, and is there now; nothing of it was touched", missing.name);
                return Err(Failure::new(Kind::Refused, message).hint("run again"));
            }
        }
    }
    Ok(())
}

/// Gives what stand-ins own and were granted in the restored database to whom it goes.
///
/// # Errors
/// The server's.
pub(super) async fn give_away(prepared: &Prepared, connection: &Connection) -> Result<()> {
    if !prepared.missing_roles.iter().any(Missing::stands_in) {
        return Ok(());
    }
    let session = Session::open(connection, "restore", &Interrupt::default()).await?;
    session.send("SET search_path = ''").await.map_err(|e| e.explain("cannot set the session's settings"))?;
    for missing in &prepared.missing_roles {
        let (role, doing) =
            (Ident::new(missing.name.as_str()), || format!("cannot give away what {} had", missing.name));
        let (mut statements, to) = match &missing.fate {
            Fate::Made => continue,
            Fate::Skipped => (Vec::new(), "CURRENT_USER".to_owned()),
            Fate::Mapped(new) => {
                let rows = session.rows(&Query::RESTORE_MAP, &[&missing.name, new]).await;
                let rows = rows.map_err(|e| e.explain(doing()))?;
                let statements =
                    rows.iter().map(|row| Ok(row.try_get("statement")?)).collect::<Result<Vec<String>>>()?;
                (statements, Ident::new(new.as_str()).to_string())
            }
        };
        statements.push(format!("REASSIGN OWNED BY {role} TO {to}"));
        statements.push(format!("DROP OWNED BY {role}"));
        let sql = format!("BEGIN; {}; COMMIT", statements.join("; "));
        session.send(&sql).await.map_err(|e| e.explain(doing()))?;
    }
    Ok(())
}

/// Drops every stand-in that no living run holds, after a run of its own or one that was killed. What still names
/// one keeps it: those are told.
pub(super) async fn tidy(prepared: &Prepared) -> Vec<String> {
    let admin = &prepared.admin;
    for missing in prepared.missing_roles.iter().filter(|missing| missing.stands_in()) {
        // A lock that was not taken: a warning.
        let _ = lock(admin, "pg_advisory_unlock_shared", &missing.name).await;
    }
    let mut kept = Vec::new();
    // Whoever comes next sees them again.
    for role in stand_ins(admin).await.unwrap_or_default() {
        if !matches!(lock(admin, "pg_try_advisory_lock", &role.name).await, Ok(true)) {
            continue;
        }
        // It may have become a role for good in the meantime.
        if matches!(is_stand_in(admin, &role.name).await, Ok(true))
            && let Err(error) = admin.send(&format!("DROP ROLE {}", Ident::new(role.name.as_str()))).await
        {
            let why = error.explain("").messages().pop().unwrap_or_default().replace("\n    ", " ");
            kept.push(format!("role {}, a stand-in {}, is kept: {why}", role.name, role.about));
        }
        let _ = lock(admin, "pg_advisory_unlock", &role.name).await;
    }
    kept
}

/// The stand-ins of this server.
///
/// # Errors
/// The server's.
pub async fn stand_ins(admin: &Session) -> Result<Vec<StandIn>> {
    let rows = admin.rows(&Query::RESTORE_STAND_INS, &[]).await.map_err(|e| e.explain("cannot list the stand-ins"))?;
    rows.iter().map(|row| Ok(StandIn { name: row.try_get("name")?, about: row.try_get("about")? })).collect()
}

async fn is_stand_in(admin: &Session, name: &str) -> Result<bool> {
    Ok(stand_ins(admin).await?.iter().any(|role| role.name == name))
}

/// Keeps other runs from dropping a stand-in; they share it.
async fn hold(admin: &Session, name: &str, interrupt: &Interrupt) -> Result<()> {
    for _ in 0..POLLS {
        if lock(admin, "pg_try_advisory_lock_shared", name).await? {
            return Ok(());
        }
        interrupt.sleep(POLL).await?;
    }
    Err(Failure::new(Kind::Deferred, format!("another restore keeps role {name} to itself")).hint("run again"))
}

async fn lock(admin: &Session, how: &str, name: &str) -> Result<bool> {
    let sql = format!("SELECT pg_catalog.{how}({CLASS}, pg_catalog.hashtext($1::TEXT))");
    let rows = admin.rows_with(&sql, &[name]).await.map_err(|e| e.explain(format!("cannot lock role {name}")))?;
    Ok(rows.first().is_some_and(|row| row.try_get(0).unwrap_or(false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_mapped_must_be_missing_and_what_it_becomes_must_not() {
        let named = texts(&["app", "gone", "lost"]);
        let map = |old: &str, new: &str| vec![(old.to_owned(), new.to_owned())];
        let fates = |map: &[_], rest| fates(texts(&["gone", "lost"]), &named, map, rest);
        for (wrong, says) in [
            (map("other", "app"), "no such role"),
            (map("app", "x"), "is on this server"),
            (map("gone", "lost"), "is not on this server"),
        ] {
            let failure = fates(&wrong, Roles::Skip).unwrap_err();
            assert!(failure.what() == Kind::Usage && failure.to_string().contains(says), "{failure}");
        }
        let failure = fates(&map("gone", "app"), Roles::Refuse).unwrap_err().to_string();
        assert!(failure.contains("does not have: lost\n"), "{failure}");
        let told: Vec<_> = fates(&map("gone", "app"), Roles::Skip).unwrap().iter().map(Missing::told).collect();
        assert!(told[0].contains("app owns and may") && told[1].contains("lost is not there: skipped"), "{told:?}");
    }
}
