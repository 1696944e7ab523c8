//! clap only: flags, help texts and what they become. Knows no database, no SQL and no exit numbers.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub mod backup;
pub mod bloat;
pub mod check;
pub mod config;
pub mod doctor;
pub mod drift;
pub mod indexes;
pub mod inspect;
pub mod journal;
pub mod maintain;
pub mod migrate;
pub mod partitions;
pub mod refresh;
pub mod reindex;
pub mod repack;
pub mod report;
pub mod restore;
pub mod sandbox;
pub mod schema;
pub mod shell;
pub mod sizes;
pub mod slow_queries;
pub mod systems;
pub mod transfer;
pub mod vacuum;
pub mod vitals;

use crate::config::{Overrides, Secret, Wanted, parse_duration};
use crate::outcome::Outcome;
use crate::output::{Color, Format};

/// Change schemas, keep partitions, maintain, diagnose, back up and restore PostgreSQL
///
/// Connects as psql does: --database-url, DATABASE_URL, the PG* variables, the password and service
/// files; or to targets that dbctl.yaml names ('dbctl init' writes a sample).
///
/// Standard output is the answer, standard error is the talk. Exit codes: 0 done, 1 failed,
/// 2 findings, 3 deferred (a lock was not to be had; run again), 4 refused, 5 partly done, 6 another
/// run works, 64 usage, 65 invalid file, 69 unreachable, 77 not permitted, 130/143 interrupted.
#[derive(Debug, Parser)]
#[command(name = "dbctl", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Examples:
  dbctl sandbox start                          a private server to try things on
  dbctl migrate plan --system bridge           the exact SQL, locks and hazards
  dbctl migrate --dir migrations               apply what is pending
  dbctl migrate status --target prod --format json")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands; each says in its own file what it does.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "clap shows a variant's words instead of those of its arguments")]
pub enum Command {
    Migrate(migrate::MigrateArgs),
    Partitions(partitions::PartitionsArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Schema(schema::SchemaArgs),
    Drift(drift::DriftArgs),
    Vacuum(vacuum::VacuumArgs),
    Maintain(maintain::MaintainArgs),
    Schedule(maintain::ScheduleArgs),
    Locks(inspect::LocksArgs),
    Activity(inspect::ActivityArgs),
    Replication(vitals::ReplicationArgs),
    Health(vitals::HealthArgs),
    Check(check::CheckArgs),
    SlowQueries(slow_queries::SlowQueriesArgs),
    Indexes(indexes::IndexesArgs),
    Sizes(sizes::SizesArgs),
    Bloat(bloat::BloatArgs),
    Export(transfer::ExportArgs),
    Import(transfer::ImportArgs),
    Refresh(refresh::RefreshArgs),
    Reindex(reindex::ReindexArgs),
    Repack(repack::RepackArgs),
    Report(report::ReportArgs),
    Systems(systems::SystemsArgs),
    DemoData(systems::DemoDataArgs),
    Journal(journal::JournalArgs),
    Doctor(doctor::DoctorArgs),
    Sandbox(sandbox::SandboxArgs),
    Init(config::InitArgs),
    Config(config::ConfigArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

impl Command {
    /// Whether the answer has findings, and so the forms of [`Format::OF_FINDINGS`].
    pub fn answers_findings(&self) -> bool {
        match self {
            Command::Check(_) => true,
            Command::Drift(_) => true,
            Command::Migrate(args) => args.answers_findings(),
            _ => false,
        }
    }

    /// Whether the answer has the forms of [`Format::OF_CHECKS`].
    pub fn answers_checks(&self) -> bool {
        matches!(self, Command::Check(_))
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Database")]
struct Global {
    /// Database to work on: a URL, a keyword string or a name [env: DATABASE_URL]
    #[arg(long, global = true, value_name = "URL", value_parser = parse_secret)]
    database_url: Option<Secret>,
    /// Target of dbctl.yaml; may be repeated [env: DBCTL_TARGET]
    #[arg(long = "target", global = true, value_name = "NAME")]
    targets: Vec<String>,
    /// All targets of dbctl.yaml, one after the other
    #[arg(long, global = true)]
    all_targets: bool,
    /// Targets with this tag; may be repeated
    #[arg(long = "tag", global = true, value_name = "TAG")]
    tags: Vec<String>,
    /// Config file [default: dbctl.yaml here, else in the user's config folder] [env: DBCTL_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// How the answer is printed: table, json, ndjson, csv, yaml, markdown
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Output")]
    format: Option<Format>,
    /// Colour: auto, always, never
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Output")]
    color: Option<Color>,
    /// Draw no progress
    #[arg(long, global = true, help_heading = "Output")]
    no_progress: bool,
    /// Say less: errors only
    #[arg(short, long, global = true, help_heading = "Output", conflicts_with = "verbose")]
    quiet: bool,
    /// Say more: every step and notice
    #[arg(short, long, global = true, help_heading = "Output")]
    verbose: bool,

    /// How long one attempt to get a lock may take [default: 3s, of backup create and export 30s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, help_heading = "Safety")]
    lock_timeout: Option<Duration>,
    /// How long all attempts together may take, then exit 3 [default: 2min]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, help_heading = "Safety")]
    lock_patience: Option<Duration>,
    /// How long another run of dbctl is waited for, then exit 6 [default: 60s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, help_heading = "Safety")]
    lock_wait: Option<Duration>,
    /// How long one statement may run; 0 is without limit [default: 0]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, help_heading = "Safety")]
    statement_timeout: Option<Duration>,
    /// Show what would be done and stop
    #[arg(long, global = true, help_heading = "Safety")]
    dry_run: bool,
    /// Do not ask; a protected target also wants its --target NAME
    #[arg(short, long, global = true, help_heading = "Safety")]
    yes: bool,
}

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Talk {
    /// Errors only.
    Quiet,
    /// What a person wants to know.
    Normal,
    /// Every step and notice.
    Verbose,
}

/// The flags that are not settings of dbctl.yaml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--yes`.
    pub yes: bool,
    /// How much is said.
    pub talk: Talk,
}

impl Cli {
    /// Reads the arguments. Where they ask for help or make no sense, that is said and the run ends
    /// with the outcome.
    pub fn read(argv: impl IntoIterator<Item = OsString>) -> Result<Cli, Outcome> {
        Cli::try_parse_from(argv).map_err(|error| {
            // Nobody listening is no reason for another exit code.
            let _ = error.print();
            // Help and version are answers, not errors.
            if error.use_stderr() { Outcome::Usage } else { Outcome::Done }
        })
    }

    /// The job of dbctl.yaml that is to be run.
    pub fn job(&self) -> Option<&str> {
        match &self.command {
            Command::Maintain(args) => args.job(),
            _ => None,
        }
    }

    /// This command line under the flags of another: what that one was given counts, then what this one says. Its
    /// target is the other's, where that names one.
    #[must_use]
    pub fn under(self, given: &Cli, target: Option<&str>) -> Cli {
        let (ours, given) = (self.global, &given.global);
        let places = |global: &Global| {
            global.database_url.is_some() || !global.targets.is_empty() || !global.tags.is_empty() || global.all_targets
        };
        let named = target.map(|target| vec![target.to_owned()]);
        let (database_url, targets, all_targets, tags) = if places(given) {
            (given.database_url.clone(), given.targets.clone(), given.all_targets, given.tags.clone())
        } else if let (Some(targets), false) = (named, places(&ours)) {
            (None, targets, false, Vec::new())
        } else {
            (ours.database_url, ours.targets, ours.all_targets, ours.tags)
        };
        let global = Global {
            database_url,
            targets,
            all_targets,
            tags,
            config: given.config.clone().or(ours.config),
            format: given.format.or(ours.format),
            color: given.color.or(ours.color),
            no_progress: given.no_progress || ours.no_progress,
            quiet: given.quiet || ours.quiet && !given.verbose,
            verbose: given.verbose || ours.verbose && !given.quiet,
            lock_timeout: given.lock_timeout.or(ours.lock_timeout),
            lock_patience: given.lock_patience.or(ours.lock_patience),
            lock_wait: given.lock_wait.or(ours.lock_wait),
            statement_timeout: given.statement_timeout.or(ours.statement_timeout),
            dry_run: given.dry_run || ours.dry_run,
            yes: given.yes || ours.yes,
        };
        Cli { global, command: self.command }
    }

    /// The whole command line, for completions and manual pages.
    pub fn description() -> clap::Command {
        Cli::command()
    }

    /// The global flags as the settings see them.
    pub fn overrides(&self) -> Overrides {
        let global = &self.global;
        Overrides {
            config: global.config.clone(),
            database_url: global.database_url.clone(),
            wanted: Wanted { names: global.targets.clone(), tags: global.tags.clone(), all: global.all_targets },
            lock_timeout: global.lock_timeout,
            lock_patience: global.lock_patience,
            statement_timeout: global.statement_timeout,
            lock_wait: global.lock_wait,
            jobs: None,
            format: global.format,
            color: global.color,
            no_progress: global.no_progress || global.quiet,
        }
    }

    /// The global flags that say what may happen without a question.
    pub fn consent(&self) -> Consent {
        let talk = match (self.global.quiet, self.global.verbose) {
            (true, _) => Talk::Quiet,
            (false, true) => Talk::Verbose,
            (false, false) => Talk::Normal,
        };
        Consent { dry_run: self.global.dry_run, yes: self.global.yes, talk }
    }
}

/// Infallible, so that clap never prints the text back.
/// `--format` where an answer has findings: the same option, with the forms that it has besides.
fn format_of_findings() -> clap::Arg {
    clap::Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(|text: &str| {
            text.parse::<Format>().map_err(|failure| format!("{failure}, {}", Format::OF_FINDINGS.join(", ")))
        })
        .help_heading("Output")
        .help(format!("How the answer is printed: {}, {}", Format::NAMES.join(", "), Format::OF_FINDINGS.join(", ")))
}

fn parse_secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}
