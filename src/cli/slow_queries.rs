//! `dbctl slow-queries`

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::parse_duration;
use crate::inspect::statements::{Sort, Wish};

/// Show which statements take the time, of all time or of a window
///
/// Reads pg_stat_statements by the columns that its version really has. Where it is not there, the answer says
/// which step is missing and shows samples of what runs. Only reads; the statements of other roles need
/// pg_read_all_stats (or pg_monitor), and are counted as hidden without.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl slow-queries
  dbctl slow-queries --for 30s                 only what runs meanwhile
  dbctl slow-queries --sort wal --limit 5
  dbctl slow-queries --this-database --redact --format markdown
  dbctl slow-queries --watch 5s")]
pub struct SlowQueriesArgs {
    /// The worst first: total, mean, max, calls, io, wal, temp, plan, jit
    #[arg(long, value_name = "BY", value_enum, default_value_t = By::Total, hide_possible_values = true, hide_default_value = true)]
    sort: By,
    /// So many; 0 is all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Leave out what was executed less often
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_calls: u32,
    /// Only statements of the database that is connected to
    #[arg(long)]
    this_database: bool,
    /// Only what is executed in this time from now on
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    window: Option<Duration>,
    /// Leave the values out of queries
    #[arg(long)]
    redact: bool,
    /// Look again and again, on the terminal; q ends it
    #[arg(long, value_name = "TIME", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "5s", conflicts_with = "window")]
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

/// What was asked for.
#[derive(Debug)]
pub struct SlowQueries {
    /// Which statements.
    pub wish: Wish,
    /// `--for`.
    pub window: Option<Duration>,
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
            limit: self.limit,
            min_calls: self.min_calls,
            this_database: self.this_database,
            redact: self.redact,
        };
        SlowQueries { wish, window: self.window, watch: self.watch }
    }
}
