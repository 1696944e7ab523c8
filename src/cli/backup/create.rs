//! `dbctl backup create`

use std::path::PathBuf;

use clap::Args;

use crate::backup::manifest::Scope;

/// Back a database up under one snapshot
///
/// Several jobs copy the rows while pg_dump reads the definitions; nobody is kept waiting but whoever wants to drop
/// or rewrite a table. The role needs pg_read_all_data, and BYPASSRLS where row security would hide rows. What is
/// killed or fails leaves nothing that lists as a backup. One run a database at a time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl backup create --to /srv/backups                      the whole database
  dbctl backup create --to s3://bucket/prefix --jobs 4       credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
  dbctl backup create --to /srv/backups --also s3://bucket/b  here and there
  dbctl backup create --to /srv/backups --recipient age1…    only the holder of that age key can open it
  dbctl backup create --to /srv/backups --encrypt            by the passphrase in DBCTL_BACKUP_PASSPHRASE
  dbctl backup create --to /srv/backups --exclude 'logs_*'   definitions of all tables, rows of most
  dbctl backup create --to /srv/backups --all-targets        every database of dbctl.yaml; 5 if some failed
  dbctl backup create                                        as backup: in dbctl.yaml says")]
pub struct CreateArgs {
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    to: Option<String>,
    /// A second place for the same backup; may be repeated. Exit code 5 when one of them failed
    #[arg(long, value_name = "REPO")]
    also: Vec<String>,
    /// Encrypt to this age key; may be repeated
    #[arg(long = "recipient", value_name = "AGE1…")]
    recipients: Vec<String>,
    /// Encrypt by a passphrase: that of DBCTL_BACKUP_PASSPHRASE or --passphrase-file
    #[arg(long, conflicts_with = "recipients")]
    encrypt: bool,
    /// Where the passphrase is: the first line of this file
    #[arg(long, value_name = "FILE", requires = "encrypt")]
    passphrase_file: Option<PathBuf>,
    /// Only this table, * and ? are wildcards; may be repeated
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    /// Only this schema; may be repeated
    #[arg(long = "schema", value_name = "SCHEMA")]
    schemas: Vec<String>,
    /// None of this table's rows, * and ? are wildcards; may be repeated
    #[arg(long, value_name = "TABLE")]
    exclude: Vec<String>,
    /// How many tables at once [default: the processors here, at most 4]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// How hard zstd tries, 1 to 19
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(i32).range(1..=19))]
    level: i32,
    /// Without large objects
    #[arg(long)]
    no_large_objects: bool,
    /// Without roles and tablespaces
    #[arg(long)]
    no_globals: bool,
}

/// By what a backup is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// As the config file says, else not at all.
    Unsaid,
    /// To these age keys.
    Recipients(Vec<String>),
    /// By the passphrase of the environment, or of a file.
    Passphrase(Option<PathBuf>),
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The repository.
    pub to: Option<String>,
    /// Further places.
    pub also: Vec<String>,
    /// By what it is encrypted.
    pub encryption: Encryption,
    /// What is wanted of the database.
    pub scope: Scope,
    /// How many tables at once; none is dbctl's choice.
    pub jobs: Option<usize>,
    /// The level of zstd.
    pub level: i32,
    /// Large objects too.
    pub large_objects: bool,
    /// Roles and tablespaces too.
    pub globals: bool,
}

impl CreateArgs {
    /// What was asked for.
    pub fn into_request(self) -> Wish {
        let encryption = match (self.encrypt, self.recipients) {
            (true, _) => Encryption::Passphrase(self.passphrase_file),
            (false, recipients) if recipients.is_empty() => Encryption::Unsaid,
            (false, recipients) => Encryption::Recipients(recipients),
        };
        Wish {
            to: self.to,
            also: self.also,
            encryption,
            scope: Scope { tables: self.tables, schemas: self.schemas, exclude: self.exclude },
            jobs: self.jobs.map(|jobs| jobs as usize),
            level: self.level,
            large_objects: !self.no_large_objects,
            globals: !self.no_globals,
        }
    }
}
