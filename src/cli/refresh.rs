//! `dbctl refresh`

use std::time::Duration;

use clap::Args;

use super::partitions::parse_table;
use crate::config::parse_duration;
use crate::ident::TableName;

/// Refresh materialized views, those that others read first, beside their readers where possible
///
/// CONCURRENTLY wants rows and a unique index on plain columns; where that is not there, the view is refreshed under
/// a lock that readers wait for, and the answer says what is missing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl refresh --dry-run
  dbctl refresh consultant_metrics daily_lead_stats
  dbctl refresh --budget 10m --lock-timeout 1s")]
pub struct RefreshArgs {
    /// Only these; none is all
    #[arg(value_name = "VIEW", value_parser = parse_table)]
    views: Vec<TableName>,
    /// Begin nothing after this long; what runs then is finished
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    budget: Option<Duration>,
}

impl RefreshArgs {
    /// Which views, within which budget.
    pub fn into_request(self) -> (Vec<TableName>, Option<Duration>) {
        (self.views, self.budget)
    }
}
