//! How a run ended, and the exit code that says so. The only file that knows exit numbers.

use std::fmt;

/// How a run ended. Scripts branch on [`Outcome::code`]; README "Exit codes" is this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, nothing to do, or in sync.
    Done,
    /// Failed unexpectedly.
    Failed,
    /// Findings: drift, lint errors, pending work under `--exit-code`.
    Findings,
    /// A lock or pace budget ran out; running again is safe.
    Deferred,
    /// A rail, a hold, or a hazard without its flag.
    Refused,
    /// Some tables or targets failed, the rest is done.
    Partial,
    /// Another run holds the lease.
    Busy,
    /// The command line could not be understood.
    Usage,
    /// A config file, policy or migration is invalid.
    Invalid,
    /// The server could not be reached.
    Unreachable,
    /// The role lacks a right.
    NotPermitted,
    /// SIGINT, after a clean cancel on the server.
    Interrupted,
    /// SIGTERM, after a clean cancel on the server.
    Terminated,
    /// Nagios' WARNING, where a check follows its convention.
    Warning,
    /// Nagios' CRITICAL.
    Critical,
    /// Nagios' UNKNOWN.
    Unknown,
    /// A command that the user had us run ended with this code, which becomes ours.
    Command(u8),
}

impl Outcome {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::Failed | Outcome::Warning => 1,
            Outcome::Findings | Outcome::Critical => 2,
            Outcome::Deferred | Outcome::Unknown => 3,
            Outcome::Refused => 4,
            Outcome::Partial => 5,
            Outcome::Busy => 6,
            Outcome::Usage => 64,
            Outcome::Invalid => 65,
            Outcome::Unreachable => 69,
            Outcome::NotPermitted => 77,
            Outcome::Interrupted => 130,
            Outcome::Terminated => 143,
            Outcome::Command(code) => code,
        }
    }
}

/// How bad a finding is, in the order in which the worst is told first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// In order; worth knowing.
    Ok,
    /// Somebody should see to it.
    Warn,
    /// It could not be determined.
    Unknown,
    /// Somebody should see to it now.
    Crit,
}

impl Level {
    /// Every level, the worst first.
    pub const ALL: [Level; 4] = [Level::Crit, Level::Unknown, Level::Warn, Level::Ok];

    /// How a check that follows Nagios ends.
    pub fn outcome(self) -> Outcome {
        match self {
            Level::Ok => Outcome::Done,
            Level::Warn => Outcome::Warning,
            Level::Crit => Outcome::Critical,
            Level::Unknown => Outcome::Unknown,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Ok => "OK",
            Level::Warn => "WARN",
            Level::Unknown => "UNKNOWN",
            Level::Crit => "CRIT",
        })
    }
}
