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
  dbctl sizes --since last --sort growth       since the last time this was asked
  dbctl sizes --save before.json
  dbctl sizes --since before.json
  dbctl sizes --schema app --all --format csv")]
pub struct SizesArgs {
    /// Only tables of this schema; may be repeated
    #[arg(long = "schema", value_name = "NAME")]
    schemas: Vec<String>,
    /// The largest first: total, heap, toast, index, rows, growth
    #[arg(long, value_name = "BY", value_enum, default_value_t = By::Total, hide_possible_values = true, hide_default_value = true)]
    sort: By,
    /// So many tables; 0 is all [default: 20]
    #[arg(long, value_name = "N", conflicts_with = "all")]
    limit: Option<usize>,
    /// All tables
    #[arg(long)]
    all: bool,
    /// The databases of the server as well
    #[arg(long)]
    databases: bool,
    /// Each partition on a line of its own
    #[arg(long)]
    partitions: bool,
    /// Keep the sizes in this file, or where --since last looks for them
    #[arg(long, value_name = "FILE", help_heading = "Growth", num_args = 0..=1, default_missing_value = "last", value_parser = place)]
    save: Option<Place>,
    /// Show by how much tables have grown since such a file; 'last' compares with the last time and keeps the sizes of now
    #[arg(long, value_name = "FILE|last", help_heading = "Growth", value_parser = place)]
    since: Option<Place>,
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
    pub save: Option<Place>,
    /// `--since`.
    pub since: Option<Place>,
}

/// Where sizes are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In dbctl's state, by database.
    Last,
    /// In a file of a name.
    File(PathBuf),
}

#[expect(clippy::unnecessary_wraps, reason = "what clap calls")]
fn place(word: &str) -> Result<Place, std::convert::Infallible> {
    Ok(if word == "last" { Place::Last } else { Place::File(PathBuf::from(word)) })
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
        // 0 is all, as everywhere.
        let limit = if self.all { None } else { Some(self.limit.unwrap_or(20)).filter(|limit| *limit > 0) };
        let wish =
            sizes::Wish { schemas: self.schemas, sort, limit, databases: self.databases, partitions: self.partitions };
        Sizes { wish, save: self.save, since: self.since }
    }
}
