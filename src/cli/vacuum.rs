//! `dbctl vacuum`

use std::time::Duration;

use clap::Args;

use super::partitions::parse_table;
use crate::config::parse_duration;
use crate::ident::TableName;
use crate::maintain::vacuum::Wish;

/// Vacuum and analyze the tables that are due, the biggest first, within limits
///
/// Due is what has more dead or new rows than its own autovacuum settings allow, old transaction numbers, stale or no
/// statistics (also of partitioned tables, which autovacuum never analyzes). A table whose lock is not to be had is
/// skipped, tried again later, and named with its blocker; nobody queues behind. A table that the server leaves alone
/// is an outcome with its reason, not a success. Needs the owner's rights, or MAINTAIN (pg_maintain) since 17.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl vacuum --dry-run                       what is due and why, with the SQL
  dbctl vacuum --budget 45m --jobs 2           the line for cron
  dbctl vacuum --table app.tasks --analyze     this table and its partitions, due or not
  dbctl vacuum --freeze-before 150000000       before autovacuum must
  dbctl vacuum --advice                        settings for large tables, as ALTER TABLE
  dbctl vacuum --full --table app.old --yes    rewrite it; nobody can use it meanwhile")]
pub struct VacuumArgs {
    /// This table and its partitions, due or not; may be repeated
    #[arg(long = "table", value_name = "TABLE", value_parser = parse_table)]
    tables: Vec<TableName>,
    /// Also analyze every table that is vacuumed
    #[arg(long)]
    analyze: bool,
    /// Rewrite the named tables, under a lock that keeps everybody out
    #[arg(long, requires = "tables", conflicts_with_all = ["freeze_before", "advice"])]
    full: bool,
    /// With --full: also tables that an estimate says would give back less than a tenth, or grow
    #[arg(long, requires = "full")]
    force: bool,
    /// Freeze tables whose oldest transaction is older than this many transactions
    #[arg(long, value_name = "AGE", value_parser = clap::value_parser!(i64).range(1..=2_000_000_000))]
    freeze_before: Option<i64>,
    /// Only show per-table autovacuum settings that would suit large tables
    #[arg(long)]
    advice: bool,
    /// Begin nothing after this long; what runs then is finished
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    budget: Option<Duration>,
    /// With --budget: cancel what runs when the time is up
    #[arg(long, requires = "budget")]
    hard: bool,
    /// Begin no table while a standby is further behind than this; waits, within --budget
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    max_lag: Option<Duration>,
    /// How many tables at once [default: 1, or that of dbctl.yaml]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// Sleep this long each time the cost limit is reached, at most 100ms
    #[arg(long, value_name = "TIME", value_parser = parse_delay)]
    cost_delay: Option<Duration>,
    /// The cost limit, 1 to 10000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    cost_limit: Option<u32>,
    /// How much of shared buffers it may use: 128kB to 16GB, 0 is all (PostgreSQL 16 and later)
    #[arg(long, value_name = "SIZE")]
    buffer_usage_limit: Option<String>,
}

fn parse_delay(text: &str) -> Result<Duration, String> {
    let delay = parse_duration(text)?;
    if delay > Duration::from_millis(100) { Err("at most 100ms".to_owned()) } else { Ok(delay) }
}

impl VacuumArgs {
    /// What was asked for; `jobs` is where no flag says it.
    pub fn into_request(self, jobs: u32) -> Wish {
        Wish {
            tables: self.tables,
            analyze: self.analyze,
            full: self.full,
            force: self.force,
            freeze_before: self.freeze_before,
            advice: self.advice,
            budget: self.budget,
            hard: self.hard,
            max_lag: self.max_lag,
            jobs: self.jobs.unwrap_or(jobs) as usize,
            cost_delay: self.cost_delay,
            cost_limit: self.cost_limit,
            buffer_usage_limit: self.buffer_usage_limit,
        }
    }
}
