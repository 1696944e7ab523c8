//! `dbctl reindex`

use std::time::Duration;

use clap::Args;

use crate::config::parse_duration;
use crate::maintain::reindex::Wish;

/// Build indexes anew while everybody works on
///
/// By REINDEX INDEX CONCURRENTLY, index by index: the smallest first, one of a table at a time, the
/// partitions of a partitioned table one by one; all indexes of a small table by one REINDEX TABLE
/// CONCURRENTLY. Nobody who reads or writes is kept waiting; the
/// server keeps old and new side by side meanwhile, and waits for transactions that are older than
/// the build: --lock-patience says for how long. An index that could not be built is tried again;
/// one that fails does not stop the others.
///
/// Without a word of which: those of which a build would give back 30 % and 10 MB by an estimate of some
/// confidence, see 'dbctl bloat'. Each new index is seen to be valid. What a killed run leaves (index_ccnew, index_ccold) is known
/// by the journal in schema dbctl and removed by the next run; what others left is told. --dry-run
/// shows the order, why, the SQL, what disk it takes and has free, standbys, and who is in the way.
///
/// Exit codes: 0; 3 when a lock was not to be had, 4 when none could be built, 5 when some failed or were left alone.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  dbctl reindex --table orders --dry-run
  dbctl reindex --index public.orders_pkey
  dbctl reindex --schema sales --retries 5 --retry-pause 1min
  dbctl reindex --invalid
  dbctl reindex --collation-changed            after an upgrade of the operating system
  dbctl reindex --resume                       go on with a run that was stopped"
)]
pub struct ReindexArgs {
    /// Every index of the database
    #[arg(long)]
    all: bool,
    /// The indexes of this table, of its partitions and of its TOAST table; may be repeated
    #[arg(long = "table", value_name = "NAME")]
    tables: Vec<String>,
    /// This index, or those of its partitions; may be repeated
    #[arg(long = "index", value_name = "NAME")]
    indexes: Vec<String>,
    /// The indexes of the tables of this schema; may be repeated
    #[arg(long = "schema", value_name = "NAME")]
    schemas: Vec<String>,
    /// Indexes that queries cannot use, for their build did not end
    #[arg(long)]
    invalid: bool,
    /// Indexes that sort by a collation whose library has changed since
    #[arg(long)]
    collation_changed: bool,
    /// Go on with the last run that did not come to its end; with other flags, as far as they mean its indexes
    #[arg(long)]
    resume: bool,
    /// Without CONCURRENTLY: faster, and each table is locked out while it builds; wants --yes
    #[arg(long)]
    offline: bool,
    /// So many connections build at once, each on a table of its own [default: 1]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// How often an index is tried again after a lock, a deadlock, a time limit or a lost connection
    #[arg(long, value_name = "N", default_value_t = 3)]
    retries: u32,
    /// The first pause before that; the next are three and six times as long
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10s")]
    retry_pause: Duration,
}

/// What was asked for.
#[derive(Debug)]
pub struct Reindex {
    /// Which indexes, and how.
    pub wish: Wish,
    /// `--jobs`.
    pub jobs: Option<u32>,
    /// `--retries`.
    pub retries: u32,
    /// `--retry-pause`.
    pub retry_pause: Duration,
}

impl ReindexArgs {
    /// What was asked for.
    pub fn into_request(self) -> Reindex {
        Reindex {
            wish: Wish {
                all: self.all,
                tables: self.tables,
                indexes: self.indexes,
                schemas: self.schemas,
                invalid: self.invalid,
                collation_changed: self.collation_changed,
                resume: self.resume,
                offline: self.offline,
            },
            jobs: self.jobs,
            retries: self.retries,
            retry_pause: self.retry_pause,
        }
    }
}
