//! `dbctl migrate …`

use std::path::PathBuf;

use std::time::Duration;

use clap::{Args, Subcommand};

use super::parse_secret;
use crate::config::{Secret, Settings, Target, parse_duration};
use crate::error::{Failure, Kind, Result};
use crate::lint;
use crate::migrate::{Limits, Origin, Wish};
use crate::output::Level;
use crate::rehearse;
use crate::steps::LockMode;

/// Apply, plan, check and take back migrations
///
/// Without a verb: apply what is pending (the same as 'migrate up'). Migrations are files
/// V<number>__<words>.sql: an embedded set (--system), a folder (--dir), or what the target in
/// dbctl.yaml names. Each file runs in one transaction with a lock_timeout; files of statements that
/// refuse a transaction (CREATE INDEX CONCURRENTLY) run statement by statement and resume where they
/// were interrupted. The history is refinery's: its own programs read it.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = false,
    after_help = "Examples:
  dbctl migrate --system bridge
  dbctl migrate plan --dir db/migrations          exact SQL, locks, hazards
  dbctl migrate up --dir db/migrations --to 20261121093000
  dbctl migrate status --dir db/migrations --exit-code   (2 when work is pending)
  dbctl migrate down --system bridge --to 10 --yes"
)]
pub struct MigrateArgs {
    #[command(subcommand)]
    verb: Option<VerbArgs>,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    up: UpArgs,
}

#[derive(Debug, Args)]
struct SourceArgs {
    /// Embedded system: see 'dbctl migrate systems'
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "dir", help_heading = "Migrations")]
    system: Option<String>,
    /// Folder with V….sql files
    #[arg(long, global = true, value_name = "DIR", help_heading = "Migrations")]
    dir: Option<PathBuf>,
    /// Leave out a part of the system, such as 'vector'; may be repeated
    #[arg(long, global = true, value_name = "PART", help_heading = "Migrations")]
    without: Vec<String>,
}

#[derive(Debug, Args)]
struct UpArgs {
    /// Last version to apply [default: the newest]
    #[arg(long, value_name = "VERSION")]
    to: Option<i64>,
    /// Record as applied without running: for a database that has it already
    #[arg(long)]
    fake: bool,
    /// Also apply versions older than the newest applied one
    #[arg(long)]
    allow_out_of_order: bool,
    /// Work in a database that another migration tool keeps a history in
    #[arg(long)]
    allow_other_history: bool,
}

#[derive(Debug, Subcommand)]
enum VerbArgs {
    /// Apply what is pending
    Up(UpArgs),
    /// Show the steps, their exact SQL, locks and hazards; change nothing
    Plan {
        #[command(flatten)]
        up: UpArgs,
        /// Exit 2 when there is something to do
        #[arg(long)]
        exit_code: bool,
    },
    /// Show every version's state; needs no more than SELECT
    Status {
        /// Exit 2 when work is pending or files and history contradict each other
        #[arg(long)]
        exit_code: bool,
        /// Also list all older applied versions
        #[arg(long)]
        all: bool,
    },
    /// Write a new, empty migration
    ///
    /// Counts on where the folder's versions are small numbers, and takes a UTC timestamp otherwise.
    New {
        /// What it does, in words
        name: String,
        /// Also write its rollback D….sql into the folder 'rollback' beside
        #[arg(long)]
        with_rollback: bool,
    },
    /// Take versions back, newest first, with their D….sql files
    ///
    /// For a folder DIR the rollbacks are in the folder 'rollback' beside it. Asks before it works.
    Down {
        /// Version to go back to; 0 takes everything back
        #[arg(long, value_name = "VERSION")]
        to: i64,
    },
    /// Make the history say of one version what its file says now
    ///
    /// For a file that was changed after it was applied, once you know that the database is as the
    /// file says. The old checksum and the reason are kept in dbctl.journal.
    Repair {
        /// The version
        #[arg(long, value_name = "VERSION")]
        version: i64,
        /// Why: kept in the journal
        #[arg(long)]
        reason: String,
    },
    /// Find what would lock, rewrite, break or lose something; needs no server
    ///
    /// Each finding names its rule, the lock and whom it blocks, and the safe way as SQL. Exit 2 when
    /// there is one at or above --fail-on. With --database-url or --target, pending files are judged by
    /// the real tables: a tiny one is nothing, a large one is an error; nothing is written. To accept a
    /// place: '-- dbctl-ignore RULE: reason' on the line before.
    Lint(LintArgs),
    /// Try what is pending on a copy, and show what each statement locks, rewrites and takes
    ///
    /// The copy is a scratch database into which the applied versions are replayed, made beside the
    /// target (needs CREATEDB), on another server or on a private one, and always dropped; or a restored
    /// copy that you name. The target is only read. Exits 2 when a migration fails, and when a statement
    /// does more than --max-lock or --max-duration allow.
    Rehearse(RehearseArgs),
    /// List the embedded systems; needs no server
    Systems,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl migrate rehearse --dir db/migrations --sandbox
  dbctl migrate rehearse --system bridge --fill like-target --max-lock share
  dbctl migrate rehearse --dir db/migrations --on postgresql://db2/restored --yes --format markdown")]
struct RehearseArgs {
    /// Last version to try [default: the newest]
    #[arg(long, value_name = "VERSION")]
    to: Option<i64>,
    /// Make the scratch database on another server: a database there that may be connected to
    #[arg(long, value_name = "URL", value_parser = parse_secret, conflicts_with_all = ["sandbox", "on"])]
    scratch_url: Option<Secret>,
    /// Make the scratch database on a private throwaway server of the target's version
    #[arg(long, conflicts_with = "on")]
    sandbox: bool,
    /// Try on this restored copy of the target instead; it is changed, and asked about
    #[arg(long, value_name = "URL", value_parser = parse_secret)]
    on: Option<Secret>,
    /// Make up rows in every table of the scratch database: a number, or like-target for as many as the
    /// target's statistics say (counts only, never data). What only such rows break is UNKNOWN, no failure
    #[arg(long, value_name = "N|like-target", value_parser = rehearse::fill::parse_amount, conflicts_with = "on",
        allow_negative_numbers = true)]
    fill: Option<rehearse::fill::Amount>,
    /// Rows that --fill gives a table at most
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    fill_max: u64,
    /// Make up rows in one table, as in orders=500000; may be repeated
    #[arg(long, value_name = "TABLE=N", value_parser = rehearse::fill::parse_rows, conflicts_with = "on")]
    rows: Vec<(String, u64)>,
    /// Strongest lock on a table that was there before, such as 'share update exclusive'
    #[arg(long, value_name = "MODE", value_parser = parse_lock)]
    max_lock: Option<LockMode>,
    /// Longest statement on the copy, such as 500ms
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    max_duration: Option<Duration>,
}

fn parse_lock(text: &str) -> std::result::Result<LockMode, String> {
    LockMode::named(text).ok_or_else(|| {
        let modes = LockMode::ALL.map(|mode| mode.sql().to_lowercase().replace(' ', "-"));
        format!("it is not one of {}", modes.join(", "))
    })
}

#[derive(Debug, Args)]
#[command(arg = super::format_of_findings())]
struct LintArgs {
    /// Only files that git says were added or changed since this branch left the revision
    ///
    /// Also those that git does not know yet. A renamed or moved file counts as added where it is now; a
    /// deleted one is not looked at. Only files in --dir count, wherever that is in the repository; outside
    /// of one it is an error.
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// The files are one change: nobody uses what an earlier one creates
    #[arg(long)]
    one_change: bool,
    /// With a database: also the files that it has already
    #[arg(long)]
    all: bool,
    /// Findings that are known and not told again
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write today's findings as known
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// From which level on to exit 2: note, warning, error [default: error]
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<Level>,
    /// The oldest major that is meant [default: 14, or the system's own]
    #[arg(long, value_name = "MAJOR", value_parser = clap::value_parser!(u32).range(13..=19))]
    min_server: Option<u32>,
    /// Another level for a rule: RULE=off|note|warning|error; may be repeated
    #[arg(long = "rule", value_name = "RULE=LEVEL")]
    levels: Vec<lint::RuleLevel>,
    /// Print the page of one rule
    #[arg(long, value_name = "RULE", conflicts_with = "rules")]
    explain: Option<String>,
    /// List the rules
    #[arg(long)]
    rules: bool,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the flags of the same names")]
pub enum Verb {
    Up { wish: Wish },
    Plan { wish: Wish, exit_code: bool },
    Status { exit_code: bool, all: bool },
    New { name: String, with_rollback: bool },
    Down { to: i64, limits: Limits },
    Repair { version: i64, reason: String, limits: Limits },
    Rehearse(Rehearsal),
    Lint { wish: lint::Wish },
    LintRules,
    LintExplain { rule: String },
    Systems,
}

/// `migrate rehearse` as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the flags of the same names")]
pub struct Rehearsal {
    pub to: Option<i64>,
    pub scratch_url: Option<Secret>,
    pub sandbox: bool,
    pub on: Option<Secret>,
    pub fill: rehearse::fill::Fill,
    pub limits: rehearse::Limits,
    pub timeouts: Limits,
}

/// Where the flags say the migrations are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    system: Option<String>,
    dir: Option<PathBuf>,
    /// Parts of the system to leave out.
    pub without: Vec<String>,
}

impl MigrateArgs {
    /// Whether the answer has findings.
    pub fn answers_findings(&self) -> bool {
        matches!(&self.verb, Some(VerbArgs::Lint(lint)) if lint.explain.is_none() && !lint.rules)
    }

    /// What was asked for, and of which migrations.
    ///
    /// # Errors
    /// Usage for flags of `up` in front of a verb, which clap would drop in silence.
    pub fn into_request(self, settings: &Settings) -> Result<(Verb, Source)> {
        let limits = Limits { lock: settings.lock_attempt()?, statement: settings.statement_timeout.value };
        let source = Source { system: self.source.system, dir: self.source.dir, without: self.source.without };
        if self.verb.is_some() && !self.up.is_default() {
            return Err(Failure::new(Kind::Usage, "--to, --fake and the --allow flags stand in front of the verb")
                .hint("write them behind it: dbctl migrate up --to VERSION"));
        }
        let verb = match self.verb {
            None => Verb::Up { wish: self.up.wish(limits) },
            Some(VerbArgs::Up(up)) => Verb::Up { wish: up.wish(limits) },
            Some(VerbArgs::Plan { up, exit_code }) => Verb::Plan { wish: up.wish(limits), exit_code },
            Some(VerbArgs::Status { exit_code, all }) => Verb::Status { exit_code, all },
            Some(VerbArgs::New { name, with_rollback }) => Verb::New { name, with_rollback },
            Some(VerbArgs::Down { to }) => Verb::Down { to, limits },
            Some(VerbArgs::Repair { version, reason }) => Verb::Repair { version, reason, limits },
            Some(VerbArgs::Rehearse(args)) => Verb::Rehearse(args.asked(limits)),
            Some(VerbArgs::Lint(lint)) => lint.verb(),
            Some(VerbArgs::Systems) => Verb::Systems,
        };
        Ok((verb, source))
    }
}

impl RehearseArgs {
    fn asked(self, timeouts: Limits) -> Rehearsal {
        let limits = rehearse::Limits { max_lock: self.max_lock, max_duration: self.max_duration };
        let fill = rehearse::fill::Fill { every: self.fill, tables: self.rows, most: self.fill_max };
        let RehearseArgs { to, scratch_url, sandbox, on, .. } = self;
        Rehearsal { to, scratch_url, sandbox, on, fill, limits, timeouts }
    }
}

impl LintArgs {
    fn verb(self) -> Verb {
        if let Some(rule) = self.explain {
            return Verb::LintExplain { rule };
        }
        if self.rules {
            return Verb::LintRules;
        }
        let LintArgs { since, one_change, all, baseline, write_baseline, fail_on, min_server, levels, .. } = self;
        Verb::Lint {
            wish: lint::Wish { since, one_change, all, baseline, write_baseline, fail_on, min_server, levels },
        }
    }
}

impl UpArgs {
    fn is_default(&self) -> bool {
        let UpArgs { to, fake, allow_out_of_order, allow_other_history } = self;
        to.is_none() && !fake && !allow_out_of_order && !allow_other_history
    }

    fn wish(self, timeouts: Limits) -> Wish {
        let UpArgs { to, fake, allow_out_of_order, allow_other_history } = self;
        Wish { to, fake, allow_out_of_order, allow_other_history, timeouts }
    }
}

impl Source {
    /// What flags of these names say.
    pub fn new(system: Option<String>, dir: Option<PathBuf>, without: Vec<String>) -> Source {
        Source { system, dir, without }
    }

    /// The migrations for a target: the flags', else the target's own.
    ///
    /// # Errors
    /// Usage when neither names any.
    pub fn of(&self, target: &Target) -> Result<Origin> {
        let flags = (self.system.clone(), self.dir.clone());
        let config = (target.system.clone(), target.migrations.clone());
        for (system, dir) in [flags, config] {
            if let Some(system) = system {
                return Ok(Origin::System(system));
            }
            if let Some(dir) = dir {
                return Ok(Origin::Folder(dir));
            }
        }
        Err(Failure::new(Kind::Usage, "which migrations? nothing names them")
            .hint("say --system NAME (see 'dbctl migrate systems') or --dir FOLDER, or give the target 'system:' or 'migrations:' in dbctl.yaml"))
    }

    /// The migrations that the flags name.
    pub fn of_flags(&self) -> Option<Origin> {
        self.system.clone().map(Origin::System).or_else(|| self.dir.clone().map(Origin::Folder))
    }

    /// The folder that a new migration goes into.
    ///
    /// # Errors
    /// Usage without `--dir` or a target with `migrations:`.
    pub fn folder(&self, target: Option<&Target>) -> Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        if let Some(system) = &self.system {
            return Ok(PathBuf::from("sql/migrations").join(system));
        }
        target
            .and_then(|t| t.migrations.clone())
            .ok_or_else(|| Failure::new(Kind::Usage, "where should the new migration go?").hint("say --dir FOLDER"))
    }
}
