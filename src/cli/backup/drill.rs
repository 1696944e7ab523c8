//! `dbctl backup drill`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::KeyArgs;
use crate::config::parse_age;

/// Restore a backup into a private server, and prove it
///
/// The server is a sandbox of the major that was backed up; nothing else is touched. Asked of it: every table's rows
/// and their content, the schema object by object, indexes and pages by amcheck, and an embedded system's promises where
/// the database is one. The answer has the recovery time and the age of the data; a proof of level 4 is kept beside the
/// manifest. Exit code 2 when something is not so.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl backup drill --from /srv/backups                         the newest backup
  dbctl backup drill random --from s3://bucket/prefix            any of them: a line for cron
  dbctl backup drill --from /srv/backups --max-restore 30min --max-age 26h
  dbctl backup drill --from /srv/backups --report drill.md       a page for the auditors")]
pub struct DrillArgs {
    /// The backup: its name, the beginning of it, 'latest' or 'random'
    #[arg(value_name = "ID", default_value = "latest")]
    id: String,
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    from: Option<String>,
    /// Of which database: its name as it was
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// The major of the private server [default: that of the source]
    #[arg(long, value_name = "MAJOR")]
    major: Option<u32>,
    /// How many tables and indexes at once [default: the processors here, at most 4]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// A longer recovery is a finding
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    max_restore: Option<Duration>,
    /// Older data is a finding
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    max_age: Option<Duration>,
    /// Write the answer as Markdown, too
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// The backup.
    pub id: String,
    /// The repository.
    pub from: Option<String>,
    /// Of which database.
    pub database: Option<String>,
    /// The major of the private server.
    pub major: Option<u32>,
    /// How many at once.
    pub jobs: Option<usize>,
    /// A longer recovery is a finding.
    pub max_restore: Option<Duration>,
    /// Older data is a finding.
    pub max_age: Option<Duration>,
    /// Where the answer goes as Markdown.
    pub report: Option<PathBuf>,
    /// What opens it.
    pub keys: KeyArgs,
}

impl DrillArgs {
    /// What was asked for.
    pub fn into_request(self) -> Exercise {
        Exercise {
            id: self.id,
            from: self.from,
            database: self.database,
            major: self.major,
            jobs: self.jobs.map(|jobs| jobs as usize),
            max_restore: self.max_restore,
            max_age: self.max_age,
            report: self.report,
            keys: self.keys,
        }
    }
}
