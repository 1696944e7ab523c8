//! `dbctl locks`, `dbctl activity`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::config::parse_duration;
use crate::inspect::locks::Limits;
use crate::inspect::locks::act::{self, Deed, Wish};
use crate::inspect::locks::history::Pace;

/// The shortest pause of a history.
const SHORTEST: Duration = Duration::from_millis(100);

/// Show who waits for whom, from the sessions that do not wait themselves
///
/// Only reads, touches no table, and answers while tables are locked. Needs no right; the state and the
/// queries of other roles' sessions need pg_monitor, and are UNKNOWN without.
///
/// Exit codes: 0; with --exit-code 2 when a wait is longer than --warn.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  dbctl locks
  dbctl locks --watch
  dbctl locks --exit-code --warn 10s --format json
  dbctl locks --history locks.ndjson --every 1s --for 10m && dbctl locks --replay locks.ndjson
  dbctl locks terminate --root --older-than 5m --state idle-in-transaction --yes"
)]
pub struct LocksArgs {
    #[command(subcommand)]
    verb: Option<LocksVerb>,
    /// Leave the values out of queries
    #[arg(long)]
    redact: bool,
    /// Look again and again, on the terminal; q ends it
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "1s")]
    watch: Option<Duration>,
    /// Add what is seen to this file, an object a line
    #[arg(long, value_name = "FILE", conflicts_with = "watch", help_heading = "History")]
    history: Option<PathBuf>,
    /// How often
    #[arg(long, value_name = "TIME", value_parser = parse_pause, default_value = "1s", requires = "history", help_heading = "History")]
    every: Duration,
    /// How long; until Ctrl-C if not said
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration, requires = "history", help_heading = "History")]
    total: Option<Duration>,
    /// Show such a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch", "history"], help_heading = "History")]
    replay: Option<PathBuf>,
    /// Exit 2 when a wait is longer than --warn
    #[arg(long, help_heading = "Findings")]
    exit_code: bool,
    /// A wait from which on it is a finding
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10s", help_heading = "Findings")]
    warn: Duration,
    /// A wait from which on it is called critical
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "60s", help_heading = "Findings")]
    crit: Duration,
}

#[derive(Debug, Subcommand)]
enum LocksVerb {
    /// End the statement of sessions, and look whether their waiters went
    Cancel(ActArgs),
    /// End sessions, and look whether their waiters went
    Terminate(ActArgs),
}

/// Exit codes: 0 gone, 1 not gone, 4 refused or not agreed to, 77 not permitted.
///
/// Without --yes it asks on a terminal, and only shows what it would do elsewhere. A session is checked
/// to be the same one right before. Refused without --force: superusers, replication, runs of dbctl,
/// an autovacuum that prevents wraparound, and a cancel of what is idle in a transaction.
#[derive(Debug, Args)]
struct ActArgs {
    /// The sessions' process numbers
    #[arg(value_name = "PID", required_unless_present = "root", conflicts_with = "root", value_parser = clap::value_parser!(i32).range(1..))]
    pids: Vec<i32>,
    /// All who keep others waiting and do not wait themselves
    #[arg(long)]
    root: bool,
    /// Of these only those whose transaction is older
    // With PIDs `requires` alone is silent: clap asks for nothing that conflicts with what is given.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "root", conflicts_with = "pids")]
    older_than: Option<Duration>,
    /// Of these only those in this state, such as idle-in-transaction
    #[arg(long, value_name = "STATE", value_parser = parse_state, requires = "root", conflicts_with = "pids")]
    state: Option<String>,
    /// Also those that are refused otherwise
    #[arg(long)]
    force: bool,
}

/// A pause that is one: each look stops the lock manager briefly.
fn parse_pause(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .and_then(|pause| if pause < SHORTEST { Err("at least 100ms, please".to_owned()) } else { Ok(pause) })
}

/// A state of pg_stat_activity, its words bound by `-` or not.
fn parse_state(text: &str) -> Result<String, String> {
    let state = text.trim().to_lowercase().replace(' ', "-");
    if act::STATES.contains(&state.as_str()) {
        return Ok(state);
    }
    Err(format!("a session is never in such a state; states: {}", act::STATES.join(", ")))
}

/// What was asked of locks.
#[derive(Debug)]
pub enum Locks {
    /// Look once, or again and again.
    Look {
        /// Values are left out.
        redact: bool,
        /// How often.
        watch: Option<Duration>,
        /// Findings make the exit code.
        exit_code: bool,
        /// What findings are.
        limits: Limits,
    },
    /// Keep what is seen.
    History(PathBuf, Pace),
    /// Show what was kept.
    Replay(PathBuf, bool, Limits),
    /// End sessions.
    Act(Wish),
}

impl LocksArgs {
    /// What was asked for.
    pub fn into_request(self) -> Locks {
        let limits = Limits { warn: self.warn, crit: self.crit };
        match (self.verb, self.history, self.replay) {
            (Some(LocksVerb::Cancel(args)), _, _) => Locks::Act(args.into_wish(Deed::Cancel)),
            (Some(LocksVerb::Terminate(args)), _, _) => Locks::Act(args.into_wish(Deed::Terminate)),
            (None, Some(file), _) => {
                Locks::History(file, Pace { every: self.every, total: self.total, redact: self.redact })
            }
            (None, None, Some(file)) => Locks::Replay(file, self.redact, limits),
            (None, None, None) => {
                Locks::Look { redact: self.redact, watch: self.watch, exit_code: self.exit_code, limits }
            }
        }
    }
}

impl ActArgs {
    fn into_wish(self, deed: Deed) -> Wish {
        let ActArgs { pids, root, older_than, state, force } = self;
        let mut seen = std::collections::BTreeSet::new();
        let pids = pids.into_iter().filter(|pid| seen.insert(*pid)).collect();
        Wish { deed, pids, root, older_than, state, force }
    }
}

/// Show sessions, long transactions, and what keeps vacuum from its work
///
/// Sessions by state and by who they belong to; transactions that are open for long; what those hold
/// that are idle in one; who holds the xmin horizon, with the SQL that ends it. Only reads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl activity
  dbctl activity --longer-than 5min --redact --format json")]
pub struct ActivityArgs {
    /// Leave the values out of queries
    #[arg(long)]
    redact: bool,
    /// Look again and again, on the terminal; q ends it
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "2s")]
    watch: Option<Duration>,
    /// Transactions that are older
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1min")]
    longer_than: Duration,
}

/// What was asked of activity.
#[derive(Debug, Clone, Copy)]
pub struct Activity {
    /// Values are left out.
    pub redact: bool,
    /// How often.
    pub watch: Option<Duration>,
    /// From which age on a transaction is long.
    pub longer_than: Duration,
}

impl ActivityArgs {
    /// What was asked for.
    pub fn into_request(self) -> Activity {
        Activity { redact: self.redact, watch: self.watch, longer_than: self.longer_than }
    }
}
