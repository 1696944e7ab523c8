//! `dbctl repack`

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::bloat;
use super::partitions::parse_table;
use crate::config::parse_duration;
use crate::ident::TableName;
use crate::maintain::repack::Wish;

/// Write bloated tables anew while everybody works on
///
/// By the server's own REPACK (CONCURRENTLY) where it has it (PostgreSQL 19), otherwise by pg_repack where the extension
/// is in the database and a program of the same version on this machine. Without both it says what else can be done.
/// Nobody is ended or kept waiting for long: a lock that is not to be had within --lock-patience defers the table. A
/// table of which less than 20 % would be given back is left alone; so is one that has no key. What a killed run has
/// left in the database is known by OIDs and removed by the next run, or by --clean.
///
/// Exit codes: 0; 3 a lock or the budget, run again; 4 refused or nothing to do it with; 5 partly; 77 not permitted.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["tables", "schemas", "bloated", "clean"]).required(true).multiple(true))]
#[command(after_help = "Examples:
  dbctl repack --bloated --min-size 1GB --dry-run   which, why, the disk it takes, the SQL or the program's line
  dbctl repack --bloated --budget 2h                the line for cron
  dbctl repack --table app.events                   this table, or its partitions one by one
  dbctl repack --clean                              remove what a killed pg_repack has left")]
pub struct RepackArgs {
    /// This table, or the partitions below it; may be repeated
    #[arg(long = "table", value_name = "TABLE", value_parser = parse_table)]
    tables: Vec<TableName>,
    /// The tables of this schema that are worth it; may be repeated
    #[arg(long = "schema", value_name = "NAME")]
    schemas: Vec<String>,
    /// Tables that would give back 20 % by an estimate of some confidence, see 'dbctl bloat'
    #[arg(long)]
    bloated: bool,
    /// With --bloated: none that is smaller with its indexes
    #[arg(long, value_name = "SIZE", value_parser = bloat::size, default_value = "10MB")]
    min_size: u64,
    /// Named tables also where little, nothing or an unknown part would be given back; wants --yes
    #[arg(long, requires = "tables")]
    force: bool,
    /// Only remove what a pg_repack that did not end has left
    #[arg(long, conflicts_with_all = ["tables", "schemas", "bloated"])]
    clean: bool,
    /// Begin no table after this long; what runs then is finished
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    budget: Option<Duration>,
    /// So many indexes of a table are built at once, by pg_repack [default: 1, or that of dbctl.yaml]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// The folder of the program pg_repack, or the program [default: PATH, then the folders of packages]
    #[arg(long, value_name = "PATH")]
    pg_bin: Option<PathBuf>,
}

impl RepackArgs {
    /// What was asked for; `jobs` is where no flag says it.
    pub fn into_request(self, jobs: u32) -> Wish {
        Wish {
            tables: self.tables,
            schemas: self.schemas,
            bloated: self.bloated,
            min_size: self.min_size,
            force: self.force,
            clean: self.clean,
            budget: self.budget,
            jobs: self.jobs.unwrap_or(jobs),
            program: self.pg_bin,
        }
    }
}
