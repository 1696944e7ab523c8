//! `dbctl vacuum`: from flags to the room `maintain`.

use super::Run;
use crate::error::Result;
use crate::maintain::vacuum::{self, Wish};
use crate::outcome::Outcome;
use crate::steps::Means;
use crate::talk::Terminal;

impl Run {
    pub(super) fn vacuum(&self, wish: &Wish) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let request = vacuum::Request {
                connection: run.connection(target)?,
                wish: wish.clone(),
                dry_run: run.consent.dry_run,
                rails: run.rails(target, false),
                lock_wait: run.settings.lock_wait.value,
                lock_patience: run.settings.lock_patience.value,
                statement_timeout: run.settings.statement_timeout.value,
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            vacuum::run(&request, &mut means).await
        })
    }
}
