//! `dbctl repack`: tables written anew while everybody works on, by the server's own REPACK (CONCURRENTLY) where it
//! has it (19), otherwise by pg_repack. [`read`] looks, [`plan`] decides, [`program`] starts pg_repack, [`run`] and [`work`] do,
//! [`clean`] removes what a killed pg_repack has left, [`view`] tells.

mod clean;
mod plan;
mod program;
mod read;
mod run;
mod view;
mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::steps::Timeouts;
use crate::steps::gate::Rails;

pub use run::run;

/// What was asked for, with what it takes.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where.
    pub connection: Connection,
    /// What.
    pub wish: Wish,
    /// What writing each table anew would give back, by its OID.
    pub gains: BTreeMap<u32, Gain>,
    /// Where pg_repack is looked for.
    pub env: Env,
    /// `--dry-run`.
    pub dry_run: bool,
    /// What stands between a plan and its execution.
    pub rails: Rails,
    /// How long one statement may wait for a lock, and run.
    pub timeouts: Timeouts,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long one table without its lock, or behind old transactions, is waited for.
    pub lock_patience: Duration,
}

/// Which tables, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// These, and the partitions below them.
    pub tables: Vec<TableName>,
    /// The tables of these schemas.
    pub schemas: Vec<String>,
    /// Those that are bloated.
    pub bloated: bool,
    /// With `bloated`: none that is smaller, in bytes.
    pub min_size: u64,
    /// Named tables also where little would be gained.
    pub force: bool,
    /// Only remove what a killed pg_repack has left.
    pub clean: bool,
    /// Begin nothing after this long.
    pub budget: Option<Duration>,
    /// How many indexes of a table are built at once.
    pub jobs: u32,
    /// The folder with pg_repack, or the program.
    pub program: Option<PathBuf>,
}

/// What writing a table anew would give back, by estimate; TOAST is in the table's part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gain {
    /// Bytes of the table.
    pub bytes: u64,
    /// What of them would be given back; nothing where that is not known.
    pub reclaimable: Option<u64>,
    /// Bytes of its indexes.
    pub index_bytes: u64,
    /// What of them would be given back, as far as it is known.
    pub index_reclaimable: u64,
    /// How sure that is.
    pub confidence: &'static str,
    /// The estimate may be far off.
    pub is_doubtful: bool,
    /// Why not surer.
    pub reasons: Vec<String>,
    /// It would be larger afterwards.
    pub grows: bool,
}

impl Gain {
    /// Everything together.
    pub fn total(&self) -> u64 {
        self.bytes + self.index_bytes
    }

    /// What of it would be given back.
    pub fn saved(&self) -> Option<u64> {
        Some(self.reclaimable? + self.index_reclaimable)
    }

    /// The same as a share.
    #[expect(clippy::cast_precision_loss, reason = "sizes")]
    pub fn share(&self) -> Option<f64> {
        let saved = self.saved()?;
        Some(if self.total() == 0 { 0.0 } else { saved as f64 / self.total() as f64 })
    }
}

/// What a command answers.
pub type Answer = (Outcome, Document);
