//! `dbctl check`

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::check::{Profile, names};

/// Check the health of servers against thresholds, for monitoring
///
/// Exit codes, as plugins of Nagios: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN; of several targets the worst. What
/// cannot be read is UNKNOWN, never OK; a server that does not answer is CRIT. Thresholds, exceptions and
/// what is ignored stand in dbctl.yaml under 'checks'. A wrong command line ends with 64, a wrong dbctl.yaml with
/// 65, both without an answer; of several targets one that is wrong is UNKNOWN. Formats besides the usual: nagios, prometheus, junit.
///
/// Only reads, for at most 10 s on one connection, and 5 s each for migrations and partitions. Checks of rates
/// (deadlocks, rollbacks, cache_hit, temp_files, checkpoints, latency) compare with an earlier run, and are
/// UNKNOWN in the first. pending_migrations is for targets with 'system:' or 'migrations:' in dbctl.yaml,
/// partitions for a policy that is named there ('checks: {partitions: {policy: FILE}}').
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl check
  dbctl check --list
  dbctl check --only connections,disk --format nagios
  dbctl check --all-targets --profile oltp --skip stats_age
  dbctl check --format prometheus --out /var/lib/node_exporter/dbctl.prom
  dbctl check --state /var/lib/dbctl/check.json --format junit")]
pub struct CheckArgs {
    /// Only these checks
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = PossibleValuesParser::new(names()), hide_possible_values = true)]
    only: Vec<String>,
    /// Not these checks
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = PossibleValuesParser::new(names()), hide_possible_values = true)]
    skip: Vec<String>,
    /// Thresholds where dbctl.yaml has none; oltp: a statement of 1 s warns
    #[arg(long, value_name = "PROFILE", value_parser = PossibleValuesParser::new(Profile::NAMES))]
    profile: Option<String>,
    /// Write the answer to this file, which is replaced as a whole
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Keep counters for rates here [default: dbctl/check.json in XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// List the checks and their thresholds, without a server
    #[arg(long)]
    list: bool,
}

/// What was asked for.
#[derive(Debug)]
pub struct Wish {
    /// Only these.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
    /// Over the file's.
    pub profile: Option<Profile>,
    /// Where the answer goes.
    pub out: Option<PathBuf>,
    /// Where counters are kept.
    pub state: Option<PathBuf>,
    /// What there is.
    pub list: bool,
}

impl CheckArgs {
    /// What was asked for.
    pub fn into_request(self) -> Wish {
        let CheckArgs { only, skip, profile, out, state, list } = self;
        Wish { only, skip, profile: profile.as_deref().and_then(Profile::named), out, state, list }
    }
}
