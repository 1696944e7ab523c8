//! `dbctl backup`

mod create;
mod drill;
mod kept;
mod verify;

use clap::{Args, Subcommand};

pub use create::{CreateArgs, Encryption, Wish};
pub use drill::{DrillArgs, Exercise};
pub use kept::{Cut, ListArgs, PinArgs, PruneArgs, StatusArgs, UnpinArgs};
pub use verify::{KeyArgs, Verification, VerifyArgs};

/// Back databases up, and prove that the backups restore
///
/// A backup is a folder of its own in a repository, which is a folder or a bucket: pg_dump's archive of every
/// definition, each table's rows as COPY's text compressed by zstd, roles, sequences, and manifest.json with counts
/// and sums of all of it. It exists when its manifest does, which is written last. It can be restored without dbctl:
/// the README says how.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BackupCommand,
}

/// The verbs; each says in its own file what it does.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "clap shows a variant's words instead of those of its arguments")]
pub enum BackupCommand {
    Create(CreateArgs),
    List(ListArgs),
    Status(StatusArgs),
    Verify(VerifyArgs),
    Drill(DrillArgs),
    Prune(PruneArgs),
    Pin(PinArgs),
    Unpin(UnpinArgs),
}
