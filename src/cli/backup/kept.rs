//! `dbctl backup list`, `status`, `prune`, `pin` and `unpin`

use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use clap::Args;

use crate::backup::retention::Keep;
use crate::config::{parse_age, parse_zone};

/// List the backups of a repository
///
/// What is damaged, unfinished or only a part is said so. 'proven' is the highest level that verify or a drill held.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl backup list --from /srv/backups
  dbctl backup list --from s3://bucket/prefix --database shop --format json")]
pub struct ListArgs {
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    pub from: Option<String>,
    /// Only those of this database: its name as it was
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
}

/// Say whether backups are as they should be: the line for monitoring
///
/// Something is wrong when the newest good backup of a database is older than --max-age (else than twice the usual time
/// between two), when the last run failed, when one is damaged or none is there. Exit code 2 then.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl backup status --from /srv/backups --max-age 26h
  dbctl backup status --from /srv/backups --database shop --database bridge   both must be there
  dbctl backup status --from /srv/backups --metrics /var/lib/node_exporter/dbctl_backup.prom")]
pub struct StatusArgs {
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    pub from: Option<String>,
    /// A database that must have backups; may be repeated [default: those that have any]
    #[arg(long = "database", value_name = "NAME")]
    pub databases: Vec<String>,
    /// How old the newest may be
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    pub max_age: Option<Duration>,
    /// Write metrics for Prometheus' node exporter, too
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

/// Remove the backups that no rule keeps
///
/// Rules count for each database alone, and only good backups. Whatever they say, these stay: the newest good one, the
/// newest that was proven, the newest that was restored, what is pinned, what is younger than --min-age, what is damaged.
/// When backups have stopped succeeding nothing is removed at all. What a killed run left is cleared a day after its
/// last byte. --damaged removes what was found damaged, too, unless it could be all that is left.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl backup prune --from /srv/backups --keep-daily 30 --keep-monthly 12 --dry-run   which rule keeps which
  dbctl backup prune --from /srv/backups --keep-daily 30 --keep-monthly 12 --yes       the line for cron
  dbctl backup prune --from /srv/backups --keep-last 3 --keep-within 7d --zone America/Sao_Paulo
  dbctl backup prune --from /srv/backups --damaged --dry-run                           what was found damaged
  dbctl backup prune --yes                                                             as dbctl.yaml's backup: says")]
pub struct PruneArgs {
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    from: Option<String>,
    /// Only those of this database
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    keep_last: usize,
    /// The newest of each of so many days that have any
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    keep_daily: usize,
    /// The same of ISO weeks
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    keep_weekly: usize,
    /// The same of months
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    keep_monthly: usize,
    /// The same of years
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    keep_yearly: usize,
    /// All that are no older than this
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    keep_within: Option<Duration>,
    /// What is younger is left alone [default: 24h]
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    min_age: Option<Duration>,
    /// How old the newest may be before nothing is removed [default: twice the usual time between two]
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    max_age: Option<Duration>,
    /// What verify or a drill found damaged, too, where another backup of the same is proven. Without any rule only that goes
    #[arg(long)]
    damaged: bool,
    /// Where a day begins [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = parse_zone)]
    zone: Option<Tz>,
}

/// Let a backup stay until it is unpinned
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl backup pin 20261127T004830Z-3f9a --from /srv/backups --reason 'before the merger'")]
pub struct PinArgs {
    /// The backup: its name, the beginning of it, or 'latest'
    #[arg(value_name = "ID")]
    pub id: String,
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    pub from: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Let the rules decide about a backup again
#[derive(Debug, Args)]
pub struct UnpinArgs {
    /// The backup: its name, the beginning of it, or 'latest'
    #[arg(value_name = "ID")]
    pub id: String,
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    pub from: Option<String>,
}

/// What is to stay.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The repository.
    pub from: Option<String>,
    /// Of which database.
    pub database: Option<String>,
    /// The rules.
    pub keep: Keep,
    /// What is younger is left alone.
    pub min_age: Option<Duration>,
    /// How old the newest may be.
    pub max_age: Option<Duration>,
    /// What is damaged, too.
    pub damaged: bool,
    /// Where a day begins.
    pub zone: Option<Tz>,
}

impl PruneArgs {
    /// What was asked for.
    pub fn into_request(self) -> Cut {
        let keep = Keep {
            last: self.keep_last,
            daily: self.keep_daily,
            weekly: self.keep_weekly,
            monthly: self.keep_monthly,
            yearly: self.keep_yearly,
            within: self.keep_within,
        };
        let (min_age, max_age) = (self.min_age, self.max_age);
        let damaged = self.damaged;
        Cut { from: self.from, database: self.database, keep, min_age, max_age, damaged, zone: self.zone }
    }
}
