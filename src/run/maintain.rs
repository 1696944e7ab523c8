//! `dbctl reindex`, `dbctl refresh`

use super::Run;
use crate::cli::reindex::Reindex;
use crate::error::Result;
use crate::maintain::{refresh, reindex};
use crate::outcome::Outcome;
use crate::steps::{Means, Timeouts};
use crate::talk::Terminal;

impl Run {
    pub(super) fn reindex(&self, asked: &Reindex) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let request = reindex::Request {
                connection: run.connection(target)?,
                wish: asked.wish.clone(),
                bloat: None,
                timeouts: Timeouts {
                    lock: run.settings.lock_attempt()?,
                    statement: run.settings.statement_timeout.value,
                },
                lock_wait: run.settings.lock_wait.value,
                lock_patience: run.settings.lock_patience.value,
                retries: asked.retries,
                retry_pause: asked.retry_pause,
                jobs: asked.jobs.unwrap_or(run.settings.jobs.value).max(1) as usize,
                dry_run: run.consent.dry_run,
                rails: run.rails(target, asked.wish.offline),
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            reindex::reindex(&request, &mut means).await
        })
    }

    pub(super) fn refresh(&self, wish: &refresh::Wish) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let request = refresh::Request {
                connection: run.connection(target)?,
                wish: wish.clone(),
                timeouts: Timeouts {
                    lock: run.settings.lock_attempt()?,
                    statement: run.settings.statement_timeout.value,
                },
                lock_wait: run.settings.lock_wait.value,
                lock_patience: run.settings.lock_patience.value,
                dry_run: run.consent.dry_run,
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            refresh::refresh(&request, &mut means).await
        })
    }
}
