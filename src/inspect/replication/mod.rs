//! `dbctl replication`: who streams from here and how far behind, what slots keep, how a standby
//! replays, logical subscriptions.

mod readings;
mod view;

pub use readings::{Conflicts, Receiver, Slot, Standby, Subscription, SubscriptionErrors};
pub use view::view;

use super::Eye;
use super::vitals::{ALL, EACH, Part, Reader, Server};
use crate::error::Result;
use crate::pg::Interrupt;

/// One moment of replication; each part is known or says why it is not.
#[derive(Debug)]
pub struct Seen {
    /// The server.
    pub server: Part<Server>,
    /// Who streams from it.
    pub standbys: Part<Vec<Standby>>,
    /// Its slots.
    pub slots: Part<Vec<Slot>>,
    /// How it receives; nothing on a primary.
    pub receiver: Part<Vec<Receiver>>,
    /// What replay cancelled.
    pub conflicts: Part<Vec<Conflicts>>,
    /// Logical subscriptions of this database.
    pub subscriptions: Part<Vec<Subscription>>,
    /// Their errors; empty before 15, which does not count them.
    pub errors: Part<Vec<SubscriptionErrors>>,
}

/// Looks once.
///
/// # Errors
/// When the connection is lost, or a signal came.
pub async fn read(eye: &Eye, interrupt: &Interrupt) -> Result<Seen> {
    let reader = Reader::new(eye, interrupt, EACH, ALL);
    let server: Part<Server> = reader.one().await?;
    let counts_errors = server.as_ref().is_ok_and(|server| server.major >= 15);
    Ok(Seen {
        standbys: reader.all().await?,
        slots: reader.all().await?,
        receiver: reader.all().await?,
        conflicts: reader.all().await?,
        subscriptions: reader.all().await?,
        errors: if counts_errors { reader.all().await? } else { Ok(Vec::new()) },
        server,
    })
}
