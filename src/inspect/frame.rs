//! The frame of a look: one connection, each look in a READ ONLY transaction with short limits and
//! settings that end with it. Knows nothing of what is looked at.

use std::time::Duration;

use futures_util::future::{join, join3};

use crate::config::connection::Connection;
use crate::error::Result;
use crate::pg::{Interrupt, Query, Row, ServerError, Session};

/// A connection that looks, once or again and again.
pub struct Eye {
    session: Session,
}

impl Eye {
    /// Connects as `dbctl:<command>`.
    ///
    /// # Errors
    /// Unreachable or not permitted.
    pub async fn open(connection: &Connection, command: &str, interrupt: &Interrupt) -> Result<Eye> {
        Ok(Eye { session: Session::open(connection, command, interrupt).await? })
    }

    /// Looks once: `read` runs in a READ ONLY transaction in which no statement takes longer than
    /// `limit` and no lock is waited for longer than a quarter of a second.
    ///
    /// # Errors
    /// Those of `read`, and the server's.
    pub async fn look<T>(&self, limit: Duration, read: impl AsyncFnOnce(&Session) -> Result<T>) -> Result<T> {
        // The first question goes out together with the BEGIN: what follows is answered within it, in this order.
        let (begun, seen) = join(self.session.begin_look(limit), read(&self.session)).await;
        begun.map_err(|e| e.explain("cannot begin to look"))?;
        let ended = self.session.end_reading().await.map_err(|e| e.explain("cannot end the look"));
        seen.and_then(|seen| ended.map(|()| seen))
    }

    /// Looks once with one query, in one message to the server and one back.
    ///
    /// # Errors
    /// The inner one is that of the query, the outer one that of the frame.
    pub async fn rows(&self, limit: Duration, query: &Query) -> Result<Result<Vec<Row>, ServerError>> {
        let session = &self.session;
        let (begun, seen, ended) =
            join3(session.begin_look(limit), session.rows(query, &[]), session.end_reading()).await;
        begun.map_err(|e| e.explain("cannot begin to look"))?;
        ended.map_err(|e| e.explain("cannot end the look"))?;
        Ok(seen)
    }

    /// The connection, for what is sent outside of a look.
    pub fn session(&self) -> &Session {
        &self.session
    }
}
