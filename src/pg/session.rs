//! A connection as the rest of dbctl sees it: send SQL, read rows, know when it is gone.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::connect::{self, Link};
use super::interrupt::Interrupt;
use super::queries::Query;
use super::sqlstate::ServerError;
use crate::config::connection::Connection;
use crate::error::Result;

/// One connection. Dropping it ends it.
pub struct Session {
    link: Link,
}

/// Something the server said beside an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE`, `INFO`, in the server's language.
    pub severity: String,
    /// The message.
    pub message: String,
}

impl Session {
    /// Connects as `dbctl:<command>`; a signal cancels what the session runs on the server.
    ///
    /// # Errors
    /// Unreachable or not permitted, with what to check next.
    pub async fn open(connection: &Connection, command: &str, interrupt: &Interrupt) -> Result<Session> {
        interrupt.check()?;
        let name = format!("dbctl:{command}");
        let opening = connect::open(connection, &name);
        let link = tokio::select! {
            link = opening => link?,
            failure = interrupt.wait() => return Err(failure),
        };
        interrupt.watch(&link.cancel);
        Ok(Session { link })
    }

    /// Connects for short questions beside the work: signals leave it alone.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn open_beside(connection: &Connection, command: &str, interrupt: &Interrupt) -> Result<Session> {
        let name = format!("dbctl:{command}");
        let opening = connect::open(connection, &name);
        let link = tokio::select! {
            link = opening => link?,
            failure = interrupt.wait() => return Err(failure),
        };
        Ok(Session { link })
    }

    /// Sends SQL without parameters as one message, which may hold several statements.
    ///
    /// # Errors
    /// The server's.
    pub async fn send(&self, sql: &str) -> Result<(), ServerError> {
        self.client().batch_execute(sql).await.map_err(ServerError::from)
    }

    /// Runs a catalog query without leaving a prepared statement behind.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows(&self, query: &Query, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, ServerError> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            params.iter().copied().zip(query.params.iter().cloned()).collect();
        self.client().query_typed(query.sql, &typed).await.map_err(ServerError::from)
    }

    /// Runs a query whose text was built from quoted types.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows_of(&self, sql: &str) -> Result<Vec<Row>, ServerError> {
        self.client().query_typed(sql, &[]).await.map_err(ServerError::from)
    }

    /// What the server said beside its answers since the last call, oldest first.
    pub fn notices(&mut self) -> Vec<Notice> {
        let mut notices = Vec::new();
        while let Ok(notice) = self.link.notices.try_recv() {
            notices.push(Notice { severity: notice.severity().to_owned(), message: notice.message().to_owned() });
        }
        notices
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.client().is_closed()
    }

    /// Asks the server to cancel what the session runs.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn cancel(&self) -> Result<()> {
        self.link.cancel.send().await
    }

    fn client(&self) -> &Client {
        &self.link.client
    }
}
