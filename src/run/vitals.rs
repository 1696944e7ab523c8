//! `dbctl replication`, `dbctl health`: once, or drawn again and again.

use std::time::Duration;

use super::Run;
use crate::error::Result;
use crate::inspect::vitals::{self, Section};
use crate::inspect::{Eye, replication};
use crate::migrate::Answer;
use crate::outcome::Outcome;
use crate::pg::Interrupt;

impl Run {
    pub(super) fn replication(&self, watch: Option<Duration>) -> Result<Outcome> {
        self.look("replication", watch, async |eye, interrupt| {
            Ok((Outcome::Done, replication::view(&replication::read(eye, interrupt).await?)))
        })
    }

    pub(super) fn health(&self, sections: &[Section], watch: Option<Duration>) -> Result<Outcome> {
        self.look("health", watch, async |eye, interrupt| {
            Ok((Outcome::Done, vitals::view(&vitals::look(eye, sections, interrupt).await?)))
        })
    }

    /// Looks once on every target, or again and again on one.
    pub(super) fn look(
        &self,
        command: &str,
        watch: Option<Duration>,
        look: impl AsyncFn(&Eye, &Interrupt) -> Result<Answer>,
    ) -> Result<Outcome> {
        match watch {
            Some(every) => self.watch(command, every, look),
            None => self.on_targets(async |run, target, interrupt| {
                let eye = Eye::open(&run.connection(target)?, command, interrupt).await?;
                look(&eye, interrupt).await
            }),
        }
    }
}
