//! `dbctl reindex`, `dbctl refresh`

use std::collections::BTreeMap;

use super::Run;
use crate::bloat;
use crate::cli::reindex::Reindex;
use crate::config::connection::Connection;
use crate::error::Result;
use crate::inspect::Eye;
use crate::maintain::{refresh, reindex};
use crate::outcome::Outcome;
use crate::pg::Interrupt;
use crate::steps::{Means, Timeouts};
use crate::talk::Terminal;

impl Run {
    pub(super) fn reindex(&self, asked: &Reindex) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let connection = run.connection(target)?;
            // Without a word of which, those that are worth it.
            let bloat = if asked.wish.is_open() { Some(bloats(&connection, interrupt).await?) } else { None };
            let request = reindex::Request {
                connection,
                wish: asked.wish.clone(),
                bloat,
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

/// How bloated each index is, by the catalog.
async fn bloats(connection: &Connection, interrupt: &Interrupt) -> Result<BTreeMap<u32, reindex::Bloat>> {
    let eye = Eye::open(connection, "reindex", interrupt).await?;
    let look = bloat::read(&eye, bloat::LIMIT, 0).await?;
    let known = look.estimates.iter().filter(|one| one.kind == bloat::Kind::Index).filter_map(|one| {
        let (share, bytes) = (one.percent()? / 100.0, one.reclaimable()?);
        let is_doubtful = one.confidence == bloat::Confidence::Low || one.is_held || one.grows;
        Some((one.oid, reindex::Bloat { share, bytes, is_doubtful }))
    });
    Ok(known.collect())
}
