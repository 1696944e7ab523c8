//! `dbctl restore`

use std::time::Duration;

use clap::{Args, Subcommand};

use super::backup::KeyArgs;
use crate::backup::restore::Roles;
use crate::config::parse_duration;

/// Restore a backup as a new database, or in place of one that is kept
///
/// The backup is proven before anything is touched: every file against the manifest, roles, extensions, programs. It
/// is built under a name of its own, nobody connects to it, and every table is read again and compared with the
/// manifest before it gets the name that was wanted. With --replace it takes the place of the living database at the
/// end, in one transaction; the old one is kept until 'restore confirm'.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Examples:
  dbctl restore latest --from /srv/backups --to-database shop_copy     beside the living one
  dbctl restore latest --from /srv/backups --replace                   in its place; asks for its name
  dbctl restore latest --from /srv/backups --to-database part --table 'public.orders*'
  dbctl restore latest --from /srv/backups --table public.orders --into-schema rescued
  dbctl restore latest --from /srv/backups --replace --resume          go on after a kill
  dbctl restore undo --to-database shop                                the old one again
  dbctl restore confirm --to-database shop --older-than 7d             drop the old one")]
pub struct RestoreArgs {
    #[command(subcommand)]
    after: Option<After>,
    /// The backup: its name, the beginning of it, or 'latest'
    #[arg(value_name = "ID", required = true)]
    id: Option<String>,
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    from: Option<String>,
    /// Whose latest: the database's name as it was
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// The name of the restored database [default: the name it had]
    #[arg(long, value_name = "NAME")]
    to_database: Option<String>,
    /// Take the place of the database of that name, which is kept
    #[arg(long)]
    replace: bool,
    /// Only this table's rows, * and ? are wildcards; may be repeated. All definitions but foreign keys are made
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    /// Only the rows of this schema's tables; may be repeated
    #[arg(long = "schema", value_name = "SCHEMA")]
    schemas: Vec<String>,
    /// The tables into this new or empty schema of the living database: columns, rows and keys, nothing else of it is
    /// touched
    #[arg(long, value_name = "NAME", conflicts_with_all = ["replace", "resume", "map_roles", "skip_missing_roles", "create_missing_roles"])]
    into_schema: Option<String>,
    /// A missing role, and the one that owns and may what it did; may be repeated
    #[arg(long = "map-role", value_name = "OLD=NEW", value_parser = parse_pair)]
    map_roles: Vec<(String, String)>,
    /// Let the restoring role own what missing roles owned
    #[arg(long, conflicts_with = "create_missing_roles")]
    skip_missing_roles: bool,
    /// Make missing roles, without login
    #[arg(long)]
    create_missing_roles: bool,
    /// A foreign key that the rows, as they were backed up, violate: it is not made; may be repeated
    #[arg(long = "skip-foreign-key", value_name = "NAME", conflicts_with = "into_schema")]
    skip_foreign_keys: Vec<String>,
    /// How many tables or indexes at once [default: the processors here, at most 4]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// Go on with what a killed run left, where its rows were proven
    #[arg(long)]
    resume: bool,
    /// With --yes: the name of the database that is replaced, a second time
    #[arg(long, value_name = "NAME", requires = "replace")]
    confirm_name: Option<String>,
    /// Replace a database of another cluster than the backup's
    #[arg(long, requires = "replace")]
    allow_other_cluster: bool,
    /// Replace a database although slots or subscriptions stay with the old one
    #[arg(long, requires = "replace")]
    leave_slots: bool,
    #[command(flatten)]
    keys: KeyArgs,
}

/// What follows a restore.
#[derive(Debug, Clone, Subcommand)]
pub enum After {
    /// Put the database back that a restore replaced; the restored one is kept
    Undo {
        /// The database
        #[arg(long, value_name = "NAME")]
        to_database: String,
    },
    /// Drop the database that a restore replaced
    Confirm {
        /// The database
        #[arg(long, value_name = "NAME")]
        to_database: String,
        /// Only what was replaced longer ago than this
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        older_than: Option<Duration>,
    },
    /// What restores keep, and what killed ones left
    List,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub enum Wish {
    /// Restore.
    Restore(Box<Wanted>),
    /// What follows.
    After(After),
}

/// A restore that was asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The backup.
    pub id: String,
    /// The repository.
    pub from: Option<String>,
    /// Whose latest.
    pub database: Option<String>,
    /// The name.
    pub to: Option<String>,
    /// In the place of a living one.
    pub replace: bool,
    /// Only these tables' rows.
    pub tables: Vec<String>,
    /// Only these schemas' rows.
    pub schemas: Vec<String>,
    /// Into this schema.
    pub into_schema: Option<String>,
    /// Missing roles.
    pub roles: Roles,
    /// Missing roles, and who they become.
    pub map_roles: Vec<(String, String)>,
    /// Foreign keys that are not made.
    pub skip_foreign_keys: Vec<String>,
    /// How many at once; none is dbctl's choice.
    pub jobs: Option<usize>,
    /// Go on.
    pub resume: bool,
    /// The name a second time.
    pub confirm_name: Option<String>,
    /// Of another cluster.
    pub other_cluster: bool,
    /// Slots stay behind.
    pub leave_slots: bool,
    /// What opens it.
    pub keys: KeyArgs,
}

impl RestoreArgs {
    /// What was asked for.
    pub fn into_request(self) -> Wish {
        if let Some(after) = self.after {
            return Wish::After(after);
        }
        let roles = match (self.skip_missing_roles, self.create_missing_roles) {
            (true, _) => Roles::Skip,
            (_, true) => Roles::Create,
            _ => Roles::Refuse,
        };
        Wish::Restore(Box::new(Wanted {
            id: self.id.unwrap_or_default(),
            from: self.from,
            database: self.database,
            to: self.to_database,
            replace: self.replace,
            tables: self.tables,
            schemas: self.schemas,
            into_schema: self.into_schema,
            roles,
            map_roles: self.map_roles,
            skip_foreign_keys: self.skip_foreign_keys,
            jobs: self.jobs.map(|jobs| jobs as usize),
            resume: self.resume,
            confirm_name: self.confirm_name,
            other_cluster: self.allow_other_cluster,
            leave_slots: self.leave_slots,
            keys: self.keys,
        }))
    }
}

/// `OLD=NEW`; the names themselves hold no `=`.
fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() && !new.contains('=') => {
            Ok((old.to_owned(), new.to_owned()))
        }
        _ => Err("OLD=NEW is wanted: a role of the backup, and one of this server".to_owned()),
    }
}
