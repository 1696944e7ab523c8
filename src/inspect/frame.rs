//! The frame of a look: one connection, each look in a READ ONLY transaction with short limits and
//! settings that end with it. Knows nothing of what is looked at.

use std::time::Duration;

use crate::config::connection::Connection;
use crate::error::Result;
use crate::pg::{Interrupt, Session};

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
        self.session.begin_look(limit).await.map_err(|e| e.explain("cannot begin to look"))?;
        let seen = read(&self.session).await;
        let ended = self.session.end_reading().await.map_err(|e| e.explain("cannot end the look"));
        seen.and_then(|seen| ended.map(|()| seen))
    }

    /// The connection, for what is sent outside of a look.
    pub fn session(&self) -> &Session {
        &self.session
    }
}
