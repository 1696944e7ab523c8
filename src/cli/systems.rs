//! `dbctl systems verify` and `dbctl demo-data`

use clap::{Args, Subcommand};

use crate::systems::Amount;

/// Check that a migrated database keeps a system's promises
#[derive(Debug, Args)]
pub struct SystemsArgs {
    #[command(subcommand)]
    verb: SystemsVerb,
}

#[derive(Debug, Subcommand)]
enum SystemsVerb {
    /// Run the system's own checks; each is rolled back, nothing stays
    ///
    /// The checks are the files of sql/checks/<system>: routing to partitions, uniqueness, row level
    /// security between two identities, triggers, functions, concurrency. Exit 2 when one does not hold.
    #[command(after_help = "Example:\n  dbctl systems verify --system bridge --format json")]
    Verify(SystemArgs),
}

#[derive(Debug, Args)]
struct SystemArgs {
    /// Embedded system [default: the target's]
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Leave out a part that was not migrated, such as 'vector'
    #[arg(long, value_name = "PART")]
    without: Vec<String>,
}

/// Fill a migrated database with sample rows
///
/// The same seed gives the same rows; a second run adds nothing. Never part of the migrations.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dbctl demo-data --system bridge --scale 10")]
pub struct DemoDataArgs {
    #[command(flatten)]
    system: SystemArgs,
    /// Times a few thousand rows
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    scale: u32,
    /// Another seed gives other rows
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: i64,
}

/// Which system, without which parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// `--system`.
    pub system: Option<String>,
    /// `--without`.
    pub without: Vec<String>,
}

impl SystemsArgs {
    /// The system to verify.
    pub fn into_request(self) -> Which {
        let SystemsVerb::Verify(SystemArgs { system, without }) = self.verb;
        Which { system, without }
    }
}

impl DemoDataArgs {
    /// The system to fill, and how much.
    pub fn into_request(self) -> (Which, Amount) {
        let SystemArgs { system, without } = self.system;
        (Which { system, without }, Amount { scale: self.scale, seed: self.seed })
    }
}
