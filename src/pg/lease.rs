//! The run lease: an advisory lock on a connection of its own, so that of two runs one works and
//! the other waits. Only ever tried and polled: a session that waits inside the server for the
//! lock would keep CREATE INDEX CONCURRENTLY of the holder waiting for ever.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::interrupt::Interrupt;
use super::queries::Query;
use super::session::Session;
use crate::error::{Failure, Kind, Result};

/// The first key of all of dbctl's advisory locks: "dbct" as a number.
pub(crate) const CLASS: i32 = 0x6462_6374;
const FIRST_POLL: Duration = Duration::from_millis(25);
const SLOWEST_POLL: Duration = Duration::from_secs(1);

/// The right to work, held until dropped. Its session is also the one that looks on while the
/// executor waits.
pub struct Lease {
    session: Session,
    name: String,
}

/// Who holds the lease.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// Backend pid.
    pub pid: i32,
    /// Role, where it may be seen.
    pub role: Option<String>,
    /// `application_name`.
    pub application: Option<String>,
    /// Seconds since that session began.
    pub age_seconds: Option<f64>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pid {}", self.pid)?;
        if let Some(role) = &self.role {
            write!(f, ", role {role}")?;
        }
        if let Some(application) = &self.application {
            write!(f, ", {application}")?;
        }
        if let Some(age) = self.age_seconds {
            write!(f, ", for {age:.0} s")?;
        }
        Ok(())
    }
}

impl Lease {
    /// Tries for at most `patience`; tells `waiting` once, when somebody else holds it.
    ///
    /// # Errors
    /// Busy when the patience ran out; interrupted; the server's.
    pub async fn acquire(
        session: Session,
        name: &str,
        patience: Duration,
        interrupt: &Interrupt,
        waiting: impl FnMut(&Holder),
    ) -> Result<Lease> {
        // It is idle as long as the work goes on.
        let awake = session.send("SET idle_session_timeout = 0");
        let (awake, polled) = tokio::join!(awake, poll(&session, name, key(name), patience, interrupt, waiting));
        awake.map_err(|e| e.explain("cannot keep the session of the run lease"))?;
        polled?;
        Ok(Lease { session, name: name.to_owned() })
    }

    /// Gives the session that will work a lock of its own. A killed run's lease is free at once, but
    /// its last statement may still be at work in the server: this one is free when that has ended.
    ///
    /// # Errors
    /// As [`Lease::acquire`].
    pub async fn admit(
        &self,
        worker: &Session,
        patience: Duration,
        interrupt: &Interrupt,
        waiting: impl FnMut(&Holder),
    ) -> Result<()> {
        let key = key(&format!("{} worker", self.name));
        poll(worker, &self.name, key, patience, interrupt, waiting).await
    }

    /// Waits until the sessions that shared the lease of an earlier run have ended, as [`Lease::admit`] does
    /// for the one that worked alone.
    ///
    /// # Errors
    /// As [`Lease::acquire`].
    pub async fn alone(&self, patience: Duration, interrupt: &Interrupt, waiting: impl FnMut(&Holder)) -> Result<()> {
        let key = self.crew();
        poll(&self.session, &self.name, key, patience, interrupt, waiting).await?;
        // Only the holder of the lease lets anybody share it: nobody comes in between.
        let sql = format!("SELECT pg_catalog.pg_advisory_unlock({CLASS}, {key})");
        self.session.rows_of(&sql).await.map(|_| ()).map_err(|e| e.explain("cannot let go of the crew's lock"))
    }

    /// Gives one of several sessions that will work a lock that they share.
    ///
    /// # Errors
    /// The server's.
    pub async fn share(&self, worker: &Session) -> Result<()> {
        let sql = format!("SELECT pg_catalog.pg_try_advisory_lock_shared({CLASS}, {})", self.crew());
        worker.rows_of(&sql).await.map(|_| ()).map_err(|e| e.explain("cannot share the run lease"))
    }

    fn crew(&self) -> i32 {
        key(&format!("{} crew", self.name))
    }

    /// The lease's own connection.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Fails when the connection, and with it the lock, is gone.
    ///
    /// # Errors
    /// Unreachable.
    pub fn check(&self) -> Result<()> {
        if self.session.is_closed() {
            return Err(Failure::new(Kind::Unreachable, "the connection that held the run lease is gone")
                .hint("run the same command again: what is done is recorded"));
        }
        Ok(())
    }
}

/// Who holds the lease of this name. Reads only, and takes nothing: for those who look on.
///
/// # Errors
/// The server's.
pub async fn held(session: &Session, name: &str) -> Result<Option<Holder>> {
    holder(session, key(name)).await
}

async fn poll(
    session: &Session,
    name: &str,
    key: i32,
    patience: Duration,
    interrupt: &Interrupt,
    mut waiting: impl FnMut(&Holder),
) -> Result<()> {
    let began = Instant::now();
    let mut pause = FIRST_POLL;
    let mut told = false;
    loop {
        interrupt.check()?;
        if try_lock(session, key).await? {
            return Ok(());
        }
        let holder = holder(session, key).await?;
        if !told && let Some(holder) = &holder {
            waiting(holder);
            told = true;
        }
        let left = patience.saturating_sub(began.elapsed());
        if left.is_zero() {
            let who = holder.map_or_else(|| "somebody".to_owned(), |h| h.to_string());
            return Err(Failure::new(Kind::Busy, format!("another run holds the lease '{name}': {who}"))
                .hint("wait for it with a longer --lock-wait, for example --lock-wait 10min"));
        }
        interrupt.sleep(pause.mul_f64(fastrand::f64() * 0.5 + 0.75).min(left)).await?;
        pause = (pause * 2).min(SLOWEST_POLL);
    }
}

fn key(name: &str) -> i32 {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(4).fold(0_i32, |key, byte| (key << 8) | i32::from(*byte))
}

async fn try_lock(session: &Session, key: i32) -> Result<bool> {
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({CLASS}, {key})");
    let rows = session.rows_of(&sql).await.map_err(|e| e.explain("cannot try the run lease"))?;
    rows.first()
        .ok_or_else(|| Failure::new(Kind::Failed, "the server did not answer the lease"))?
        .try_get(0)
        .map_err(Failure::from)
}

async fn holder(session: &Session, key: i32) -> Result<Option<Holder>> {
    // pg_locks shows the keys as unsigned oids.
    let (class, key) = (i64::from(CLASS.cast_unsigned()), i64::from(key.cast_unsigned()));
    let rows = session
        .rows(&Query::LEASE_HOLDER, &[&class, &key])
        .await
        .map_err(|e| e.explain("cannot see who holds the run lease"))?;
    rows.first()
        .map(|row| {
            Ok(Holder {
                pid: row.try_get("pid")?,
                role: row.try_get("role")?,
                application: row.try_get("application")?,
                age_seconds: row.try_get("age_seconds")?,
            })
        })
        .transpose()
}
