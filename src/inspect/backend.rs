//! A backend of the server as plain values, and how it is read. Does not know what it is looked at for.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::inspect::redact::without_passwords;
use crate::pg::{Query, Session};

/// One backend. What the role may not see is none, and `hidden` says so.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Backend {
    /// Its process.
    pub pid: i32,
    /// The backend that this parallel worker works for.
    pub leader: Option<i32>,
    /// The database.
    pub database: Option<String>,
    /// Who logged in.
    pub role: Option<String>,
    /// `application_name`.
    pub application: Option<String>,
    /// Host name or address; none over a socket.
    pub client: Option<String>,
    /// `client backend`, `autovacuum worker`, …
    pub backend_type: Option<String>,
    /// `active`, `idle in transaction`, …
    pub state: Option<String>,
    /// When it was started, in seconds since 1970: with the pid its identity.
    pub started: Option<String>,
    /// Age of its transaction.
    pub transaction_seconds: Option<f64>,
    /// Since its last query began.
    pub query_seconds: Option<f64>,
    /// Since its state changed.
    pub state_seconds: Option<f64>,
    /// Sort of thing it waits for.
    pub waits_for: Option<String>,
    /// Age of the oldest snapshot it holds, in transactions.
    pub xmin_age: Option<i64>,
    /// Its last query.
    pub query: Option<String>,
    /// The role that looks lacks the right to see it.
    pub hidden: bool,
}

impl Backend {
    /// These backends and the leaders of those that are parallel workers; all of them for none.
    ///
    /// # Errors
    /// The server's.
    pub async fn read(session: &Session, pids: &[i32]) -> Result<Vec<Backend>> {
        let rows = session.rows(&Query::BACKENDS, &[&pids]).await.map_err(|e| e.explain("cannot see the sessions"))?;
        let backend = |row: &crate::pg::Row| -> Result<Backend> {
            let hidden: bool = row.try_get("hidden")?;
            let query = row.try_get::<_, Option<String>>("query")?.map(without_passwords);
            Ok(Backend {
                pid: row.try_get("pid")?,
                leader: row.try_get("leader")?,
                database: row.try_get("database")?,
                role: row.try_get("role")?,
                application: row.try_get("application")?,
                client: row.try_get("client")?,
                backend_type: row.try_get("backend_type")?,
                state: row.try_get("state")?,
                started: row.try_get("started")?,
                transaction_seconds: row.try_get("transaction_seconds")?,
                query_seconds: row.try_get("query_seconds")?,
                state_seconds: row.try_get("state_seconds")?,
                waits_for: row.try_get("waits_for")?,
                xmin_age: row.try_get("xmin_age")?,
                query: query.filter(|query| !hidden && !query.is_empty()),
                hidden,
            })
        };
        rows.iter().map(backend).collect()
    }

    /// In a transaction, with nothing to do.
    pub fn is_idle_in_transaction(&self) -> bool {
        self.state.as_deref().is_some_and(|state| state.starts_with("idle in transaction"))
    }

    /// Its query without what stands in quotes and without numbers.
    pub fn redact(&mut self) {
        self.query = self.query.as_deref().map(super::redact::redact);
    }
}
