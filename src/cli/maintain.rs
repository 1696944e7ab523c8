//! `dbctl maintain …` and `dbctl schedule …`

use clap::{Args, Subcommand};

use crate::maintain::schedule::Keeper;

/// Run the jobs of dbctl.yaml by their names
///
/// The section maintain: gives command lines of dbctl a name, a target and a time. Flags given here count for the job:
/// --dry-run, --yes, --format, another --target.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl maintain list
  dbctl maintain run weekly-vacuum
  dbctl maintain run weekly-vacuum --dry-run

In dbctl.yaml:
  maintain:
    weekly-vacuum:
      run: vacuum --table activity_mappings --table contact_mappings --analyze --budget 45m
      schedule: 0 3 * * 0
      target: bridge")]
pub struct MaintainArgs {
    #[command(subcommand)]
    verb: MaintainVerb,
}

#[derive(Debug, Subcommand)]
enum MaintainVerb {
    /// Run one job
    Run {
        /// Its name
        name: String,
    },
    /// Show all jobs
    List,
}

/// Print the jobs of dbctl.yaml for those who keep the time
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl schedule print --cron
  dbctl schedule print --systemd
  dbctl schedule print --pg-cron               SQL, for what SQL can do")]
pub struct ScheduleArgs {
    #[command(subcommand)]
    verb: ScheduleVerb,
}

#[derive(Debug, Subcommand)]
enum ScheduleVerb {
    /// Print ready lines for all jobs that have a schedule
    Print(PrintArgs),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PrintArgs {
    /// For crontab
    #[arg(long)]
    cron: bool,
    /// A service and a timer for each job
    #[arg(long)]
    systemd: bool,
    /// SQL for the extension pg_cron
    #[arg(long)]
    pg_cron: bool,
}

impl MaintainArgs {
    /// The job to run; none is to show all.
    pub fn job(&self) -> Option<&str> {
        match &self.verb {
            MaintainVerb::Run { name } => Some(name),
            MaintainVerb::List => None,
        }
    }
}

impl ScheduleArgs {
    /// For whom.
    pub fn into_request(self) -> Keeper {
        let ScheduleVerb::Print(print) = self.verb;
        match (print.systemd, print.pg_cron) {
            (true, _) => Keeper::Systemd,
            (_, true) => Keeper::PgCron,
            _ => Keeper::Cron,
        }
    }
}
