//! `dbctl slow-queries`

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::parse_duration;
use crate::inspect::statements::{Sort, Wish};

/// Show which statements take the time, of all time or of a window
///
/// Reads pg_stat_statements by the columns that its version really has. Where it is not there, the answer says
/// which step is missing and shows samples of what runs. Only reads, except for --reset; the statements of other roles need
/// pg_read_all_stats (or pg_monitor), and are counted as hidden without.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl slow-queries
  dbctl slow-queries --for 30s                 only what runs meanwhile
  dbctl slow-queries --since last              only what ran since this was last asked
  dbctl slow-queries --explain --limit 3       how the server would run the worst three
  dbctl slow-queries --sort wal --limit 5
  dbctl slow-queries --this-database --redact --format markdown
  dbctl slow-queries --watch 5s
  dbctl slow-queries --reset --yes")]
pub struct SlowQueriesArgs {
    /// The worst first: total, mean, max, calls, io, wal, temp, plan, jit
    #[arg(long, value_name = "BY", value_enum, default_value_t = By::Total, hide_possible_values = true, hide_default_value = true)]
    sort: By,
    /// So many; 0 is all [default: 20, of plans 3]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Leave out what was executed less often
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_calls: u32,
    /// Only statements of the database that is connected to
    #[arg(long)]
    this_database: bool,
    /// Only what is executed in this time from now on
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    window: Option<Duration>,
    /// Only what was executed since the last run of this kind
    #[arg(long, value_name = "last", value_enum, conflicts_with = "window")]
    since: Option<Since>,
    /// Show how the server would run these statements, or this one, which are not executed
    #[arg(long, value_name = "QUERYID", num_args = 0..=1, allow_negative_numbers = true, conflicts_with_all = ["watch", "reset"])]
    explain: Option<Option<i64>>,
    /// Plan statements of other roles as well: planning may run code of theirs with the rights of this one
    #[arg(long, requires = "explain")]
    trust: bool,
    /// Forget what was counted; asks first, or wants --yes
    #[arg(long, conflicts_with_all = ["window", "since", "watch"])]
    reset: bool,
    /// Leave the values out of queries
    #[arg(long)]
    redact: bool,
    /// Look again and again, on the terminal; q ends it
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "5s", conflicts_with_all = ["window", "since"])]
    watch: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Total,
    Mean,
    Max,
    Calls,
    Io,
    Wal,
    Temp,
    Plan,
    Jit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Since {
    Last,
}

/// What was asked for.
#[derive(Debug)]
pub struct SlowQueries {
    /// Which statements.
    pub wish: Wish,
    /// `--for`.
    pub window: Option<Duration>,
    /// `--since last`.
    pub since_last: bool,
    /// `--explain`, of the ranking or of one statement.
    pub explain: Option<Option<i64>>,
    /// `--trust`.
    pub trust: bool,
    /// `--reset`.
    pub reset: bool,
    /// `--watch`.
    pub watch: Option<Duration>,
}

impl SlowQueriesArgs {
    /// What was asked for.
    pub fn into_request(self) -> SlowQueries {
        let sort = match self.sort {
            By::Total => Sort::Total,
            By::Mean => Sort::Mean,
            By::Max => Sort::Max,
            By::Calls => Sort::Calls,
            By::Io => Sort::Io,
            By::Wal => Sort::Wal,
            By::Temp => Sort::Temp,
            By::Plan => Sort::Plan,
            By::Jit => Sort::Jit,
        };
        let wish = Wish {
            sort,
            limit: self.limit.unwrap_or(if self.explain.is_some() { 3 } else { 20 }),
            min_calls: self.min_calls,
            this_database: self.this_database,
            redact: self.redact,
        };
        SlowQueries {
            wish,
            window: self.window,
            since_last: self.since.is_some(),
            explain: self.explain,
            trust: self.trust,
            reset: self.reset,
            watch: self.watch,
        }
    }
}
