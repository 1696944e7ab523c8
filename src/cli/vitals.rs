//! `dbctl replication`, `dbctl health`

use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::config::parse_duration;
use crate::inspect::vitals::Section;

/// Show who replicates from whom, how far behind, and what slots keep
///
/// Standbys with what is still to be sent, written, flushed and replayed; slots with the WAL that they
/// keep; on a standby how it receives and replays, and which queries replay cancelled; logical
/// subscriptions. Only reads. Lags of others need pg_monitor, and are UNKNOWN without.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl replication
  dbctl replication --watch 5s
  dbctl replication --format json")]
pub struct ReplicationArgs {
    /// Look again and again, on the terminal; q ends it
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "2s")]
    watch: Option<Duration>,
}

impl ReplicationArgs {
    /// How often.
    pub fn into_request(self) -> Option<Duration> {
        self.watch
    }
}

/// Show the vital signs of a server on one page
///
/// Cache hits, the age of transaction numbers, sequences near their end, deadlocks, temporary files and
/// rollbacks, checkpoints, what autovacuum has to do and does, who holds the xmin horizon. Only reads; a
/// part that cannot be read is UNKNOWN and the rest is told. Thresholds and exit codes: dbctl check.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl health
  dbctl health wraparound autovacuum
  dbctl health --watch 10s
  dbctl health --format json")]
pub struct HealthArgs {
    /// Only these sections
    #[arg(value_name = "SECTION", value_parser = PossibleValuesParser::new(Section::NAMES))]
    sections: Vec<String>,
    /// Look again and again, on the terminal; q ends it
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "5s")]
    watch: Option<Duration>,
}

impl HealthArgs {
    /// The sections, and how often.
    pub fn into_request(self) -> (Vec<Section>, Option<Duration>) {
        let wanted =
            |section: &Section| self.sections.is_empty() || self.sections.iter().any(|name| name == section.name());
        (Section::ALL.into_iter().filter(wanted).collect(), self.watch)
    }
}
