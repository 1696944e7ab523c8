//! `dbctl vacuum`: from flags to the room `maintain`.

use std::collections::BTreeMap;

use super::{Run, repack};
use crate::error::Result;
use crate::maintain::vacuum::{self, Wish};
use crate::outcome::Outcome;
use crate::steps::Means;
use crate::talk::Terminal;

impl Run {
    pub(super) fn vacuum(&self, wish: &Wish) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let connection = run.connection(target)?;
            let gains =
                if wish.full { repack::gains(&connection, "vacuum", interrupt).await? } else { BTreeMap::new() };
            let request = vacuum::Request {
                connection,
                wish: wish.clone(),
                gains,
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
