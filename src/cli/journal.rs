//! `dbctl journal`

use clap::Args;

/// Show what the last runs of dbctl did to a database
///
/// Every command that changes a database keeps its journal there, in schema dbctl.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// Show the steps of this run instead
    #[arg(long, value_name = "RUN")]
    run: Option<i64>,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

impl JournalArgs {
    /// The run whose steps are wanted, and how many runs.
    pub fn into_request(self) -> (Option<i64>, i64) {
        (self.run, self.limit)
    }
}
