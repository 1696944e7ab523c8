//! A connection as the rest of dbctl sees it: send SQL, read rows, know when it is gone.

use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::{SinkExt, Stream, TryStreamExt};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, CopyInSink, Row, SimpleQueryMessage};

use super::connect::{self, Link};
use super::interrupt::Interrupt;
use super::queries::Query;
use super::sqlstate::ServerError;
use crate::config::connection::{Connection, Host};
use crate::error::Result;

/// One connection. Dropping it ends it.
pub struct Session {
    link: Link,
    /// Who logged in, and the role in force once it is known.
    user: String,
    role: OnceLock<String>,
}

/// A `COPY … FROM STDIN` under way.
pub struct CopyIn<'a> {
    session: &'a Session,
    sink: Pin<Box<CopyInSink<Bytes>>>,
}

impl CopyIn<'_> {
    /// Sends a part of the data, cut anywhere.
    ///
    /// # Errors
    /// The server's, which may be about an earlier part.
    pub async fn send(&mut self, part: Bytes) -> Result<(), ServerError> {
        let sent = self.sink.feed(part).await;
        sent.map_err(|error| self.session.error(error))
    }

    /// Ends the data: how many rows were stored.
    ///
    /// # Errors
    /// The server's.
    pub async fn finish(mut self) -> Result<u64, ServerError> {
        let finished = self.sink.as_mut().finish().await;
        finished.map_err(|error| self.session.error(error))
    }
}

/// Something the server said beside an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE`, `INFO`, in the server's language.
    pub severity: String,
    /// Its SQLSTATE: warnings begin with 01, or have that of the error that they stand for.
    pub code: String,
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
        Ok(Session { link, user: connection.user.clone(), role: OnceLock::new() })
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
        Ok(Session { link, user: connection.user.clone(), role: OnceLock::new() })
    }

    /// The one of the connection's hosts that was connected to.
    pub fn host(&self) -> &Host {
        &self.link.host
    }

    /// The server's major version, as it said when it was connected to; a pooler may say another's.
    pub(super) fn major(&self) -> Option<u32> {
        self.link.major
    }

    /// Sends SQL without parameters as one message, which may hold several statements.
    ///
    /// # Errors
    /// The server's.
    pub async fn send(&self, sql: &str) -> Result<(), ServerError> {
        let mut completed = 0;
        let sent = async {
            let answers = self.client().simple_query_raw(sql).await?;
            tokio::pin!(answers);
            while let Some(answer) = answers.try_next().await? {
                if matches!(answer, SimpleQueryMessage::CommandComplete(_)) {
                    completed += 1;
                }
            }
            Ok(())
        };
        let sent = sent.await;
        sent.map_err(|error| self.error(error).after(completed))
    }

    /// Runs a catalog query without leaving a prepared statement behind.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows(&self, query: &Query, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, ServerError> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            params.iter().copied().zip(query.params.iter().cloned()).collect();
        self.client().query_typed(query.sql, &typed).await.map_err(|error| self.error(error))
    }

    /// Runs a query whose text was built from quoted types.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows_of(&self, sql: &str) -> Result<Vec<Row>, ServerError> {
        self.client().query_typed(sql, &[]).await.map_err(|error| self.error(error))
    }

    /// The first column of the rows of SQL without parameters, for statements that know `$1` as a word of their own:
    /// what they are made of must be known to be one statement.
    ///
    /// # Errors
    /// The server's.
    pub async fn lines_of(&self, sql: &str) -> Result<Vec<String>, ServerError> {
        let answers = self.client().simple_query(sql).await.map_err(|error| self.error(error))?;
        let line = |answer: SimpleQueryMessage| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        Ok(answers.into_iter().filter_map(line).collect())
    }

    /// The same with parameters, `$1::text` and so on: values that the text of a statement must not show,
    /// or that change from one execution to the next.
    ///
    /// # Errors
    /// The server's.
    pub async fn rows_with(&self, sql: &str, params: &[&str]) -> Result<Vec<Row>, ServerError> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            params.iter().map(|param| (param as &(dyn ToSql + Sync), Type::TEXT)).collect();
        self.client().query_typed(sql, &typed).await.map_err(|error| self.error(error))
    }

    /// Runs a `COPY … TO STDOUT`: what it sends, a row or so at a time. A stream that is dropped early
    /// leaves the server sending to the end: [`Session::cancel`] stops it.
    ///
    /// # Errors
    /// The server's, at the beginning or while it sends.
    pub async fn copy_out(
        &self,
        sql: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, ServerError>> + '_, ServerError> {
        self.copy(sql, false).await
    }

    /// The same in pieces of many rows, cut anywhere, which is faster.
    ///
    /// # Errors
    /// The same.
    pub async fn copy_out_together(
        &self,
        sql: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, ServerError>> + '_, ServerError> {
        self.copy(sql, true).await
    }

    async fn copy(
        &self,
        sql: &str,
        together: bool,
    ) -> Result<impl Stream<Item = Result<Bytes, ServerError>> + '_, ServerError> {
        self.link.together.store(together, Ordering::Relaxed);
        let rows = self.client().copy_out(sql).await.map_err(|error| self.error(error))?;
        Ok(rows.map_err(|error| self.error(error)))
    }

    /// Runs a `COPY … FROM STDIN` that is then fed. One that is dropped unfinished fails on the server.
    ///
    /// # Errors
    /// The server's.
    pub async fn copy_in(&self, sql: &str) -> Result<CopyIn<'_>, ServerError> {
        let sink = self.client().copy_in(sql).await.map_err(|error| self.error(error))?;
        Ok(CopyIn { session: self, sink: Box::pin(sink) })
    }

    /// What the server said beside its answers since the last call, oldest first.
    pub fn notices(&mut self) -> Vec<Notice> {
        let mut notices = Vec::new();
        while let Ok(notice) = self.link.notices.try_recv() {
            notices.push(Notice {
                severity: notice.severity().to_owned(),
                code: notice.code().code().to_owned(),
                message: notice.message().to_owned(),
            });
        }
        notices
    }

    /// Tells the session the role in force, which its errors then name in their GRANTs.
    pub(super) fn acts_as(&self, role: &str) {
        // The first word counts: roles that files set meanwhile are theirs.
        let _ = self.role.set(role.to_owned());
    }

    fn error(&self, error: tokio_postgres::Error) -> ServerError {
        ServerError::from(error).of_role(self.role.get().unwrap_or(&self.user))
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

    /// The backend's pid as it came with the connection: its own, or one that a pooler made up.
    pub(super) async fn given_pid(&self) -> Option<i32> {
        self.link.cancel.pid().await
    }

    fn client(&self) -> &Client {
        &self.link.client
    }
}
