//! `dbctl refresh`: from flags to the room `maintain`.

use std::time::Duration;

use super::Run;
use crate::error::Result;
use crate::ident::TableName;
use crate::maintain::refresh;
use crate::outcome::Outcome;
use crate::steps::Means;
use crate::talk::Terminal;

impl Run {
    pub(super) fn refresh(&self, views: &[TableName], budget: Option<Duration>) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let request = refresh::Request {
                connection: run.connection(target)?,
                views: views.to_vec(),
                budget,
                dry_run: run.consent.dry_run,
                lock_wait: run.settings.lock_wait.value,
                lock_timeout: run.settings.lock_attempt()?,
                lock_patience: run.settings.lock_patience.value,
                statement_timeout: run.settings.statement_timeout.value,
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            refresh::run(&request, &mut means).await
        })
    }
}
