//! `dbctl drift`

use std::path::PathBuf;

use clap::Args;

use crate::config::Secret;
use crate::drift::ignore::Flag;
use crate::drift::verdict::FailWord;

/// Compare a schema with what it should be
///
/// What it should be: by default the applied migrations of the target, replayed on a scratch database
/// that is dropped afterwards; or a snapshot file, or another database. Pending migrations are listed,
/// they are no drift. The database itself is only read: a role that may do nothing but CONNECT (and
/// SELECT on the migration history) is enough, with --snapshot, --sandbox or --scratch-url.
///
/// Partitions that a policy looks after come and go; their shape is compared with that of their
/// siblings or their table. What is no drift goes to 'drift: ignore:' in dbctl.yaml or to --ignore, and
/// is counted.
///
/// Exit codes: 0 in sync, 2 drift, 1 when a part could not be looked at, 6 while a migration runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl drift --system bridge --target prod
  dbctl drift --dir db/migrations --sandbox        expected state on a private server
  dbctl schema snapshot -o schema.json && dbctl drift --snapshot schema.json
  dbctl drift --against postgresql://staging/app --ignore 'table:app.tmp_*'
  dbctl drift --snapshot before.json --actual after.json     two files, no server")]
pub struct DriftArgs {
    /// Expected: an embedded system, see 'dbctl migrate systems'
    #[arg(long, value_name = "NAME", conflicts_with = "dir", help_heading = "Expected")]
    system: Option<String>,
    /// Expected: a folder with V….sql files
    #[arg(long, value_name = "DIR", conflicts_with_all = ["snapshot", "against"], help_heading = "Expected")]
    dir: Option<PathBuf>,
    /// Leave out a part of the system, such as 'vector'; may be repeated
    #[arg(long, value_name = "PART", help_heading = "Expected")]
    without: Vec<String>,
    /// Expected: a file of 'dbctl schema snapshot'
    #[arg(long, value_name = "FILE", conflicts_with = "against", help_heading = "Expected")]
    snapshot: Option<PathBuf>,
    /// Expected: another database
    #[arg(long, value_name = "URL", value_parser = super::parse_secret, help_heading = "Expected")]
    against: Option<Secret>,
    /// Compare this snapshot file instead of a database
    #[arg(long, value_name = "FILE", requires = "snapshot")]
    actual: Option<PathBuf>,

    /// Replay on this server, which must let us create a database
    #[arg(long, value_name = "URL", value_parser = super::parse_secret, conflicts_with_all = ["sandbox", "snapshot", "against"], help_heading = "Scratch database")]
    scratch_url: Option<Secret>,
    /// Replay on a private server that is started for it
    #[arg(long, conflicts_with_all = ["snapshot", "against"], help_heading = "Scratch database")]
    sandbox: bool,

    /// Retention policy [default: partitions.yaml, if it is here]
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    policy: Option<PathBuf>,
    /// Partitions under a policy: managed (may come and go), exact
    #[arg(long, value_name = "HOW", value_parser = ["managed", "exact"], help_heading = "What counts")]
    partitions: Option<String>,
    /// Ignore KIND:NAME or KIND:NAME#PROPERTY, with * and ?; may be repeated
    #[arg(long, value_name = "RULE", help_heading = "What counts")]
    ignore: Vec<Flag>,
    /// Exit 2 on: extra, missing, changed, any, never; several with commas [default: any]
    #[arg(long, value_name = "WHAT", value_delimiter = ',', help_heading = "What counts")]
    fail_on: Vec<FailWord>,
}

/// What was asked for.
#[derive(Debug)]
pub struct Wish {
    /// What is expected.
    pub source: Source,
    /// `--system`, which also says whose policy counts.
    pub system: Option<String>,
    /// `--actual`.
    pub actual: Option<PathBuf>,
    /// `--policy`.
    pub policy: Option<PathBuf>,
    /// `--partitions`.
    pub exact_partitions: Option<bool>,
    /// `--ignore`.
    pub ignore: Vec<Flag>,
    /// `--fail-on`.
    pub fail_on: Vec<FailWord>,
}

/// What is expected.
#[derive(Debug)]
pub enum Source {
    /// Migrations, replayed.
    Migrations {
        /// Which.
        source: super::migrate::Source,
        /// Where.
        scratch: Scratch,
    },
    /// A file.
    Snapshot(PathBuf),
    /// Another database.
    Against(Secret),
}

/// Where migrations are replayed.
#[derive(Debug)]
pub enum Scratch {
    /// On the target's server.
    SameServer,
    /// On this one.
    Url(Secret),
    /// On a private one.
    Sandbox,
}

impl DriftArgs {
    /// What was asked for.
    pub fn into_request(self) -> Wish {
        let source = match (self.snapshot, self.against) {
            (Some(file), _) => Source::Snapshot(file),
            (None, Some(url)) => Source::Against(url),
            (None, None) => Source::Migrations {
                source: super::migrate::Source::new(self.system.clone(), self.dir, self.without),
                scratch: match self.scratch_url {
                    Some(url) => Scratch::Url(url),
                    None if self.sandbox => Scratch::Sandbox,
                    None => Scratch::SameServer,
                },
            },
        };
        Wish {
            source,
            system: self.system,
            actual: self.actual,
            policy: self.policy,
            exact_partitions: self.partitions.map(|how| how == "exact"),
            ignore: self.ignore,
            fail_on: self.fail_on,
        }
    }
}
