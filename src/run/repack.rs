//! `dbctl repack`: from flags and estimates of bloat to the room `maintain`.

use std::collections::BTreeMap;

use super::Run;
use crate::bloat;
use crate::config::connection::Connection;
use crate::error::Result;
use crate::inspect::Eye;
use crate::maintain::repack::{self, Gain, Wish};
use crate::outcome::Outcome;
use crate::pg::Interrupt;
use crate::steps::{Means, Timeouts};
use crate::talk::Terminal;

impl Run {
    pub(super) fn repack(&self, wish: &Wish) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let connection = run.connection(target)?;
            let gains = if wish.clean { BTreeMap::new() } else { gains(&connection, "repack", interrupt).await? };
            let request = repack::Request {
                connection,
                wish: wish.clone(),
                gains,
                env: run.env.clone(),
                dry_run: run.consent.dry_run,
                rails: run.rails(target, false),
                timeouts: Timeouts {
                    lock: run.settings.lock_attempt()?,
                    statement: run.settings.statement_timeout.value,
                },
                lock_wait: run.settings.lock_wait.value,
                lock_patience: run.settings.lock_patience.value,
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            repack::run(&request, &mut means).await
        })
    }
}

/// What writing each table anew would give back, by the catalog.
pub(super) async fn gains(
    connection: &Connection,
    command: &str,
    interrupt: &Interrupt,
) -> Result<BTreeMap<u32, Gain>> {
    let eye = Eye::open(connection, command, interrupt).await?;
    let look = bloat::read(&eye, bloat::LIMIT, 0).await?;
    let mut gains: BTreeMap<u32, Gain> = BTreeMap::new();
    let of_table = |one: &&bloat::Estimate| matches!(one.kind, bloat::Kind::Table | bloat::Kind::MaterializedView);
    let tables = look.estimates.iter().filter(of_table);
    for one in tables.chain(look.estimates.iter().filter(|one| !of_table(one))) {
        let gain = gains.entry(one.table_oid).or_default();
        match one.kind {
            bloat::Kind::Index => {
                gain.index_bytes += one.bytes;
                gain.index_reclaimable += one.reclaimable().unwrap_or_default();
            }
            bloat::Kind::Toast => {
                gain.bytes += one.bytes;
                gain.reclaimable = gain.reclaimable.map(|known| known + one.reclaimable().unwrap_or_default());
            }
            bloat::Kind::Table | bloat::Kind::MaterializedView => {
                gain.bytes += one.bytes;
                gain.reclaimable = one.reclaimable();
                gain.confidence = one.confidence.name();
                gain.is_doubtful = one.confidence == bloat::Confidence::Low || one.is_held;
                gain.reasons.clone_from(&one.reasons);
                gain.grows = one.grows;
            }
        }
    }
    Ok(gains)
}
