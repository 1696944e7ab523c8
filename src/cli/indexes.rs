//! `dbctl indexes`

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::config::Secret;
use crate::inspect::indexes::{Kind, Limits, Wish};

/// Find indexes that are invalid, double, redundant or of little use, and where one may be missing
///
/// Each with its size, the evidence and the SQL to run; nothing is run. Only reads, and waits for no
/// lock. Partitions are judged with their table. What each FINDING is:
///
///   invalid      its build did not end, or a REINDEX CONCURRENTLY left it over; nobody builds it now
///   duplicate    the same as another one of its table, which may be worth more
///   redundant    another one of its table begins with the same columns
///   foreign-key  a foreign key without an index: each DELETE in the other table reads this one
///   unused       no query used it since uses are counted, for --min-days, here and on each --replica
///   rarely-used  a use for a thousand writes or more
///   missing      a table that is read whole again and again: a hint, no verdict
///
/// Where a constraint, the replica identity or a foreign key needs an index, it is not told as unused.
///
/// Exit codes: 0; with --exit-code 2 when something was found.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  dbctl indexes
  dbctl indexes unused duplicate --min-size 10
  dbctl indexes unused rarely-used --replica postgresql://standby/app
  dbctl indexes missing --min-rows 1000000
  dbctl indexes invalid --exit-code
  dbctl indexes --limit 0 --format json | jq -r '.indexes_found[].remedy'"
)]
pub struct IndexesArgs {
    /// Only these: invalid, duplicate, redundant, foreign-key, unused, rarely-used, missing
    #[arg(value_name = "FINDING", value_parser = PossibleValuesParser::new(Kind::NAMES), hide_possible_values = true)]
    kinds: Vec<String>,
    /// Only tables of this schema; may be repeated
    #[arg(long = "schema", value_name = "NAME")]
    schemas: Vec<String>,
    /// Only this table; may be repeated
    #[arg(long = "table", value_name = "NAME")]
    tables: Vec<String>,
    /// Leave out indexes of less than so many MB
    #[arg(long, value_name = "MB", default_value_t = 0)]
    min_size: u64,
    /// Leave out foreign keys of tables with fewer rows, and such tables as may lack an index
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    min_rows: i64,
    /// So long uses must have been counted for an index to be called unused
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    min_days: u32,
    /// A standby whose queries count as well; may be repeated
    #[arg(long = "replica", value_name = "URL", value_parser = super::parse_secret)]
    replicas: Vec<Secret>,
    /// So many findings, the worst first; 0 is all
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Exit 2 when something was found
    #[arg(long)]
    exit_code: bool,
}

/// What was asked for.
#[derive(Debug)]
pub struct Indexes {
    /// What is shown.
    pub wish: Wish,
    /// From where on something is a finding.
    pub limits: Limits,
    /// `--replica`.
    pub replicas: Vec<Secret>,
}

impl IndexesArgs {
    /// What was asked for.
    pub fn into_request(self) -> Indexes {
        let wanted = |kind: &Kind| self.kinds.is_empty() || self.kinds.iter().any(|name| name == kind.name());
        Indexes {
            wish: Wish {
                kinds: Kind::ALL.into_iter().filter(wanted).collect(),
                schemas: self.schemas,
                tables: self.tables,
                replicas: self.replicas.len(),
                limit: Some(self.limit).filter(|limit| *limit > 0),
                exit_code: self.exit_code,
            },
            limits: Limits {
                min_seconds: f64::from(self.min_days) * 86_400.0,
                min_bytes: self.min_size.saturating_mul(1 << 20),
                min_rows: self.min_rows,
            },
            replicas: self.replicas,
        }
    }
}
