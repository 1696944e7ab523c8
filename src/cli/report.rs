//! `dbctl report`

use std::path::PathBuf;

use clap::Args;

/// Write one page of everything: health, locks, queries, sizes, bloat, partitions, backups
///
/// The page is a single file that needs no network and no script, for a ticket or a mail: light and dark,
/// on a desk and on a phone. Only reads, within the same time limits as the commands whose answers it
/// shows. A part that could not be read says UNKNOWN and why.
///
/// Exit codes: 0, 5 when a part could not be read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl report --html report.html
  dbctl report --target prod --html prod.html --redact
  dbctl report --html report.html --policy partitions.yaml --backups /srv/backups")]
pub struct ReportArgs {
    /// Write it here
    #[arg(long, value_name = "FILE", required = true)]
    html: PathBuf,
    /// Leave the values out of queries
    #[arg(long)]
    redact: bool,
    /// Retention policy, for the timeline of partitions [default: partitions.yaml, if it is here]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Repository of backups: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    backups: Option<String>,
}

/// What was asked for.
#[derive(Debug)]
pub struct Wish {
    /// `--html`.
    pub html: PathBuf,
    /// `--redact`.
    pub redact: bool,
    /// `--policy`.
    pub policy: Option<PathBuf>,
    /// `--backups`.
    pub backups: Option<String>,
}

impl ReportArgs {
    /// What was asked for.
    pub fn into_request(self) -> Wish {
        Wish { html: self.html, redact: self.redact, policy: self.policy, backups: self.backups }
    }
}
