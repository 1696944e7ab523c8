//! `dbctl backup verify`

use std::path::PathBuf;

use clap::Args;

use crate::backup::verify::Level;

/// Read a backup back and hold it against its manifest
///
/// Level 0: the manifest is whole, and every file is there with its size. 1: every stored byte is the one that was
/// written. 2: every file opens and its text and rows come to what the manifest says; pg_restore reads the schema.
/// 3: it restores into a private server here, every row with its content. 4: and its schema, indexes, pages and
/// promises are those of the source, which is what 'dbctl backup drill' asks, too. What it came to is kept beside the
/// manifest. Exit code 2 when something does not hold.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl backup verify latest --from /srv/backups
  dbctl backup verify 20261127T004830Z-3f9a --from s3://bucket/prefix --level 2 --identity key.txt
  dbctl backup verify latest --from /srv/backups --level 4")]
pub struct VerifyArgs {
    /// The backup: its name, the beginning of it, or 'latest'
    #[arg(value_name = "ID", default_value = "latest")]
    id: String,
    /// The repository: a folder, or s3://, gs:// or az://bucket/prefix [default: that of dbctl.yaml's backup:]
    #[arg(long, value_name = "REPO")]
    from: Option<String>,
    /// Whose latest: the database's name as it was
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// What to prove, 0 to 4
    #[arg(long, value_name = "N", default_value = "2", value_parser = parse_level)]
    level: Level,
    /// How many files at once; of levels 3 and 4, tables and indexes [default: the processors here, at most 4]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    #[command(flatten)]
    keys: KeyArgs,
}

/// What opens an encrypted backup.
#[derive(Debug, Clone, Args)]
pub struct KeyArgs {
    /// The age identity that opens it [env: DBCTL_ARCHIVE_IDENTITY]
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Where the passphrase is: the first line of this file [env: DBCTL_BACKUP_PASSPHRASE]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The backup.
    pub id: String,
    /// The repository.
    pub from: Option<String>,
    /// Whose latest.
    pub database: Option<String>,
    /// What to prove.
    pub level: Level,
    /// How many at once; none is dbctl's choice.
    pub jobs: Option<usize>,
    /// What opens it.
    pub keys: KeyArgs,
}

fn parse_level(text: &str) -> Result<Level, String> {
    let level = text.parse().ok().and_then(Level::of);
    level.ok_or_else(|| "a level is 0 to 4".to_owned())
}

impl VerifyArgs {
    /// What was asked for.
    pub fn into_request(self) -> Verification {
        let jobs = self.jobs.map(|jobs| jobs as usize);
        let VerifyArgs { id, from, database, level, keys, .. } = self;
        Verification { id, from, database, level, jobs, keys }
    }
}
