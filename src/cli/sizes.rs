//! `dbctl sizes`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::inspect::sizes;

/// Show how large databases and tables are, and by how much they have grown
///
/// Rows, long values (TOAST) and indexes apart; partitions are summed at their table. Only reads, and waits
/// for no lock: a table that somebody holds exclusively has the size of its last VACUUM or ANALYZE, and the
/// answer says so. Needs no rights; the size of a database needs CONNECT there or pg_monitor.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl sizes
  dbctl sizes --sort index --limit 5
  dbctl sizes --save sizes.json
  dbctl sizes --since sizes.json --sort growth
  dbctl sizes --schema app --all --format csv")]
pub struct SizesArgs {
    /// Only tables of this schema; may be repeated
    #[arg(long = "schema", value_name = "NAME")]
    schemas: Vec<String>,
    /// The largest first: total, heap, toast, index, rows, growth
    #[arg(long, value_name = "BY", value_enum, default_value_t = By::Total, hide_possible_values = true, hide_default_value = true)]
    sort: By,
    /// So many tables [default: 20]
    #[arg(long, value_name = "N", conflicts_with = "all")]
    limit: Option<usize>,
    /// All tables
    #[arg(long)]
    all: bool,
    /// The databases of the server as well
    #[arg(long)]
    databases: bool,
    /// Keep the sizes in this file
    #[arg(long, value_name = "FILE", help_heading = "Growth")]
    save: Option<PathBuf>,
    /// Show by how much tables have grown since such a file
    #[arg(long, value_name = "FILE", help_heading = "Growth")]
    since: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Total,
    Heap,
    Toast,
    Index,
    Rows,
    Growth,
}

/// What was asked for.
#[derive(Debug)]
pub struct Sizes {
    /// What is shown.
    pub wish: sizes::Wish,
    /// `--save`.
    pub save: Option<PathBuf>,
    /// `--since`.
    pub since: Option<PathBuf>,
}

impl SizesArgs {
    /// What was asked for.
    pub fn into_request(self) -> Sizes {
        let sort = match self.sort {
            By::Total => sizes::Sort::Total,
            By::Heap => sizes::Sort::Heap,
            By::Toast => sizes::Sort::Toast,
            By::Index => sizes::Sort::Index,
            By::Rows => sizes::Sort::Rows,
            By::Growth => sizes::Sort::Growth,
        };
        let limit = if self.all { None } else { Some(self.limit.unwrap_or(20)) };
        let wish = sizes::Wish { schemas: self.schemas, sort, limit, databases: self.databases };
        Sizes { wish, save: self.save, since: self.since }
    }
}
