//! `dbctl partitions …`

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use clap::{Args, Subcommand};

use crate::ident::TableName;
use crate::partitions::hold::NewHold;
use crate::partitions::restore::Wanted;

/// Keep partitions and old rows by a policy: made ahead, let go when expired, nobody stalled
///
/// The policy is a file, partitions.yaml: which tables, which periods, how far ahead, how long kept,
/// what happens then. What a partition holds is read from its bounds in the catalog, never from its
/// name. Nothing leaves before somebody has said --arm once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl partitions plan                        what a run would do, with its exact SQL and locks
  dbctl partitions plan --at 2027-03-01        and what on that day
  dbctl partitions create                      only make what is missing; safe in deploys
  dbctl partitions rotate --arm                the first run that may let partitions go
  dbctl partitions rotate                      the line for cron
  dbctl partitions check --nagios              for monitoring")]
pub struct PartitionsArgs {
    #[command(subcommand)]
    verb: VerbArgs,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Args)]
struct SourceArgs {
    /// Policy: a file, or a folder of *.yaml
    #[arg(long, global = true, value_name = "FILE", default_value = "partitions.yaml", help_heading = "Policy")]
    policy: PathBuf,
    /// Embedded system that the database holds [default: the target's, else what was migrated]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Policy")]
    system: Option<String>,
    /// Let the clocks of server and client differ by more than 5 minutes
    #[arg(long, global = true, help_heading = "Policy")]
    allow_clock_skew: bool,
}

#[derive(Debug, Args)]
struct TablesArgs {
    /// Only these tables of the policy
    #[arg(value_name = "TABLE", value_parser = parse_table)]
    tables: Vec<TableName>,
}

#[derive(Debug, Args)]
struct ExpireArgs {
    /// Let partitions of these tables leave from now on; needed once
    #[arg(long)]
    arm: bool,
    /// Accept a retention that became shorter; the refusal names the hash
    #[arg(long, value_name = "HASH")]
    accept_policy_change: Option<String>,
    /// Let up to this many partitions of the named tables leave in this run
    #[arg(long, value_name = "N", requires = "tables")]
    max_drops: Option<u32>,
}

#[derive(Debug, Subcommand)]
enum VerbArgs {
    /// Show what 'rotate' would do: actions, locks, exact SQL; changes nothing
    Plan {
        #[command(flatten)]
        tables: TablesArgs,
        #[command(flatten)]
        expire: ExpireArgs,
        /// At this time instead of now: 2027-03-01 or 2027-03-01T12:00Z
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        at: Option<DateTime<Utc>>,
        /// Save the plan for 'drop --plan'
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Exit 2 when there is something to do
        #[arg(long)]
        exit_code: bool,
    },
    /// Make the partitions that are missing; nothing leaves
    Create {
        #[command(flatten)]
        tables: TablesArgs,
    },
    /// Let expired partitions go; nothing is made
    Drop {
        #[command(flatten)]
        tables: TablesArgs,
        #[command(flatten)]
        expire: ExpireArgs,
        /// Exactly what this saved plan says, or nothing
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
    },
    /// Make what is missing, let go what has expired, see to the rows: the line for cron
    ///
    /// A table that fails does not stop the others. Exit codes: 0 in order or done, 3 a lock was not to
    /// be had (run again), 4 something needs a person, 5 some tables failed, 6 another run works.
    Rotate {
        #[command(flatten)]
        tables: TablesArgs,
        #[command(flatten)]
        expire: ExpireArgs,
        /// Exit 0 when another run works
        #[arg(long)]
        ok_if_locked: bool,
        /// Write how partitions stand afterwards to FILE, for Prometheus' textfile collector
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
    },
    /// Show how far partitions reach, what has expired, what waits; changes nothing
    ///
    /// With tables, also their partitions one by one. Rows and sizes are estimates of the last VACUUM or
    /// ANALYZE: asking for more would wait for whoever holds a lock.
    Status {
        #[command(flatten)]
        tables: TablesArgs,
    },
    /// Say what is in order and what is not: for cron and monitoring; changes nothing
    ///
    /// Looks at the runway, gaps and misaligned bounds, rows in DEFAULT partitions, overdue expiry,
    /// pending detaches, parity with the table (owner, grants, indexes, …), the lock budget, what waits
    /// in its grace, orphans, archives, and whether rotate still runs. The policy's floors are checked
    /// whenever it is read.
    ///
    /// Exit codes: 0 in order, 2 something is WARN, CRIT or UNKNOWN, 65 the policy is invalid or does not
    /// fit a table. With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, also when no server answers.
    Check {
        #[command(flatten)]
        tables: TablesArgs,
        /// Print one line with performance data, and follow Nagios' exit codes
        #[arg(long)]
        nagios: bool,
        /// Write the same as metrics to FILE, for Prometheus' textfile collector
        #[arg(long, value_name = "FILE")]
        metrics: Option<PathBuf>,
    },
    /// Only the row jobs of the policy: delete, move, make anonymous, in small batches
    Rows {
        /// Only these jobs
        #[arg(value_name = "JOB")]
        jobs: Vec<String>,
    },
    /// Bring partitions back that have left and still exist: from the grace, or where they went
    Undo {
        /// Partitions, by the name that they had
        #[arg(value_name = "PARTITION", required = true)]
        partitions: Vec<String>,
    },
    /// Bring a partition back from its archive: proven, filled, compared, attached
    Restore {
        /// The partition, by the name that it had
        #[arg(value_name = "PARTITION", required_unless_present = "file")]
        partition: Option<String>,
        /// Its file instead: a path, file:// or s3://
        #[arg(long, value_name = "URL", conflicts_with = "partition")]
        file: Option<String>,
    },
    /// Make a plain table partitioned in place, while it is in use
    ///
    /// The table becomes the first partition of a new one of its name; no row is moved. Prepared online,
    /// exchanged in one short transaction. A run that was killed is continued by the same command.
    Adopt {
        /// The table; the policy has an entry for it
        #[arg(value_parser = parse_table)]
        table: TableName,
        /// Take back what was prepared; not possible after the exchange
        #[arg(long)]
        abort: bool,
        /// Split the history into periods afterwards
        #[arg(long, hide = true, conflicts_with = "abort")]
        split: bool,
    },
    /// Rows in DEFAULT partitions: give them partitions of their own
    #[command(subcommand)]
    Default(DefaultArgs),
    /// Legal holds: nothing that overlaps one leaves
    #[command(subcommand)]
    Hold(HoldArgs),
    /// Print a JSON Schema of the policy, for editors; needs no server
    Schema,
}

#[derive(Debug, Subcommand)]
enum DefaultArgs {
    /// Make the DEFAULT partition the partition of its rows: no row is moved, a moment's lock
    Promote {
        /// The partitioned table
        #[arg(value_parser = parse_table)]
        table: TableName,
    },
    /// Copy its rows into new partitions, period by period, and exchange them in one transaction
    Drain {
        /// The partitioned table
        #[arg(value_parser = parse_table)]
        table: TableName,
    },
}

#[derive(Debug, Subcommand)]
enum HoldArgs {
    /// Keep what overlaps these days from leaving, from now on
    Add {
        /// Its name, such as a case number
        id: String,
        /// Tables it holds: schema.table, with * and ?; may be repeated
        #[arg(long = "table", value_name = "GLOB", required = true)]
        tables: Vec<String>,
        /// The first day it covers [default: the beginning]
        #[arg(long, value_name = "DAY")]
        from: Option<NaiveDate>,
        /// The first day it does not cover any more [default: for ever]
        #[arg(long, value_name = "DAY")]
        to: Option<NaiveDate>,
        /// Why: kept with it
        #[arg(long)]
        reason: String,
    },
    /// Let go what a hold of the database has kept
    Lift {
        /// Its name
        id: String,
    },
    /// Show the holds in force, the policy's and the database's
    List,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the flags of the same names")]
pub enum Verb {
    Plan { expire: Expire, at: Option<DateTime<Utc>>, out: Option<PathBuf>, exit_code: bool },
    Create,
    Drop { expire: Expire, plan: Option<PathBuf> },
    Rows { jobs: Vec<String> },
    Rotate { expire: Expire, ok_if_locked: bool, metrics: Option<PathBuf> },
    Status,
    Check { nagios: bool, metrics: Option<PathBuf> },
    Undo { partitions: Vec<String> },
    Restore(Wanted),
    Adopt { table: TableName, abort: bool, split: bool },
    Promote { table: TableName },
    Drain { table: TableName },
    HoldAdd(NewHold),
    HoldLift { id: String },
    HoldList,
    Schema,
}

impl Verb {
    /// Whether it is about holds in the database.
    pub fn is_about_holds(&self) -> bool {
        matches!(self, Verb::HoldAdd(_) | Verb::HoldLift { .. } | Verb::HoldList)
    }
}

/// What may leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the flags of the same names")]
pub struct Expire {
    pub arm: bool,
    pub accept: Option<String>,
    pub max_drops: Option<u32>,
}

/// What all verbs are about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the flags of the same names")]
pub struct Source {
    pub policy: PathBuf,
    pub system: Option<String>,
    pub allow_clock_skew: bool,
    pub tables: Vec<TableName>,
}

impl PartitionsArgs {
    /// What was asked for, and about what.
    pub fn into_request(self) -> (Verb, Source) {
        let (verb, tables) = match self.verb {
            VerbArgs::Plan { tables, expire, at, out, exit_code } => {
                (Verb::Plan { expire: expire.into(), at, out, exit_code }, tables.tables)
            }
            VerbArgs::Create { tables } => (Verb::Create, tables.tables),
            VerbArgs::Drop { tables, expire, plan } => (Verb::Drop { expire: expire.into(), plan }, tables.tables),
            VerbArgs::Rotate { tables, expire, ok_if_locked, metrics } => {
                (Verb::Rotate { expire: expire.into(), ok_if_locked, metrics }, tables.tables)
            }
            VerbArgs::Rows { jobs } => (Verb::Rows { jobs }, Vec::new()),
            VerbArgs::Status { tables } => (Verb::Status, tables.tables),
            VerbArgs::Check { tables, nagios, metrics } => (Verb::Check { nagios, metrics }, tables.tables),
            VerbArgs::Undo { partitions } => (Verb::Undo { partitions }, Vec::new()),
            VerbArgs::Restore { partition, file } => {
                let named = Wanted::Partition(partition.unwrap_or_default());
                (Verb::Restore(file.map_or(named, Wanted::File)), Vec::new())
            }
            VerbArgs::Adopt { table, abort, split } => (Verb::Adopt { table, abort, split }, Vec::new()),
            VerbArgs::Default(DefaultArgs::Promote { table }) => (Verb::Promote { table }, Vec::new()),
            VerbArgs::Default(DefaultArgs::Drain { table }) => (Verb::Drain { table }, Vec::new()),
            VerbArgs::Hold(HoldArgs::Add { id, tables, from, to, reason }) => {
                (Verb::HoldAdd(NewHold { id, tables, from, to, reason }), Vec::new())
            }
            VerbArgs::Hold(HoldArgs::Lift { id }) => (Verb::HoldLift { id }, Vec::new()),
            VerbArgs::Hold(HoldArgs::List) => (Verb::HoldList, Vec::new()),
            VerbArgs::Schema => (Verb::Schema, Vec::new()),
        };
        let SourceArgs { policy, system, allow_clock_skew } = self.source;
        (verb, Source { policy, system, allow_clock_skew, tables })
    }
}

impl From<ExpireArgs> for Expire {
    fn from(args: ExpireArgs) -> Expire {
        Expire { arm: args.arm, accept: args.accept_policy_change, max_drops: args.max_drops }
    }
}

/// `schema.table`, or a table of schema public. Either part may be in double quotes.
pub(super) fn parse_table(text: &str) -> Result<TableName, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut name = String::new();
                let mut chars = quoted.char_indices().peekable();
                let end = loop {
                    match chars.next() {
                        Some((_, '"')) if chars.peek().is_some_and(|(_, c)| *c == '"') => {
                            chars.next();
                            name.push('"');
                        }
                        Some((at, '"')) => break at + 1,
                        Some((_, c)) => name.push(c),
                        None => return Err("a double quote is not closed".to_owned()),
                    }
                };
                (name, quoted.get(end..).unwrap_or_default())
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest.get(..end).unwrap_or_default().to_owned(), rest.get(end..).unwrap_or_default())
            }
        };
        if part.is_empty() {
            return Err("write it as schema.table".to_owned());
        }
        parts.push(part);
        match after.strip_prefix('.') {
            Some(more) => rest = more,
            None if after.is_empty() => break,
            None => return Err("write it as schema.table".to_owned()),
        }
    }
    match parts.as_slice() {
        [table] => Ok(TableName::new("public", table.as_str())),
        [schema, table] => Ok(TableName::new(schema.as_str(), table.as_str())),
        _ => Err("write it as schema.table".to_owned()),
    }
}

/// `2027-03-01`, `2027-03-01 12:00`, or RFC 3339; without an offset it is UTC.
fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let text = text.trim_end_matches('Z').replace('T', " ");
    for format in ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(&text, format) {
            return Ok(time.and_utc());
        }
    }
    Err("write it as 2027-03-01 or 2027-03-01T12:00Z".to_owned())
}
