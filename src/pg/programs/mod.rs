//! PostgreSQL's client programs: which are installed on this machine, which one to use, and running it
//! as a child that connects as we do. Starts nothing that must fail because of its version.

mod child;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use child::{Child, Output, was_ended};

use super::Server;
use super::sandbox::binaries;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};

/// A client program of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Reads a database; any server up to its own major.
    PgDump,
    /// Reads what pg_dump of its own or an earlier major wrote.
    PgRestore,
    /// Reads what belongs to no database: roles, tablespaces.
    PgDumpall,
    /// Checks indexes and heaps by amcheck.
    PgAmcheck,
    /// Runs SQL.
    Psql,
}

/// The first major of pg_dump and pg_restore that carry the planner's statistics, and of servers that take them.
pub const STATISTICS_SINCE: u32 = 18;

/// One that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Which.
    pub program: Program,
    /// Where, in full.
    pub path: PathBuf,
    /// Its major version.
    pub major: u32,
    /// As it prints it, such as `17.11` or `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
}

impl Program {
    /// All of them.
    pub const ALL: [Program; 5] =
        [Program::PgDump, Program::PgRestore, Program::PgDumpall, Program::PgAmcheck, Program::Psql];

    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            Program::PgDump => "pg_dump",
            Program::PgRestore => "pg_restore",
            Program::PgDumpall => "pg_dumpall",
            Program::PgAmcheck => "pg_amcheck",
            Program::Psql => "psql",
        }
    }

    /// Every installation, the newest first; within a version in the order in which folders are asked:
    /// DBCTL_PG_BIN, PATH, the system's packages, DBCTL_PG_HOME.
    pub fn find(self, env: &Env) -> Vec<Installed> {
        let folders = binaries::client_folders(env);
        let mut found: Vec<Installed> = std::thread::scope(|scope| {
            let asked: Vec<_> = folders.iter().map(|folder| scope.spawn(|| self.at(folder))).collect();
            asked.into_iter().filter_map(|asked| asked.join().ok().flatten()).collect()
        });
        found.sort_by_key(|installed| std::cmp::Reverse((installed.major, minor(&installed.version))));
        found
    }

    /// The one in a folder; none unless it is there and runs.
    pub fn at(self, folder: &Path) -> Option<Installed> {
        let path = folder.join(self.name());
        // Debian's wrapper would choose by clusters of this machine, which have nothing to do with ours.
        let real = path.canonicalize().ok()?;
        if !real.is_file() || real.file_name().is_some_and(|name| name == "pg_wrapper") {
            return None;
        }
        let mut command = Command::new(&path);
        let output = command.arg("--version").current_dir("/").stdin(Stdio::null()).output().ok()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let (major, version) = output.status.success().then(|| binaries::parse_version(printed.trim()))??;
        Some(Installed { program: self, path, major, version })
    }

    /// The one to use for something of a major: that major itself, else the next newer one, in its newest
    /// minor version; the one of DBCTL_PG_BIN before all others that fit.
    ///
    /// # Errors
    /// Failed when none is new enough: what was found, and the package that has it.
    pub fn pick(self, at_least: u32, env: &Env) -> Result<Installed> {
        if let Some(folder) = env.get(binaries::BIN_VARIABLE).map(Path::new)
            && let Some(named) = self.at(folder).filter(|named| named.major >= at_least)
        {
            return Ok(named);
        }
        let found = self.find(env);
        let fits = |installed: &&Installed| installed.major >= at_least;
        let lowest = found.iter().filter(fits).map(|installed| installed.major).min();
        match found.iter().find(|installed| Some(installed.major) == lowest) {
            Some(chosen) => Ok(chosen.clone()),
            None => Err(self.missing(at_least, &found)),
        }
    }

    fn missing(self, wanted: u32, found: &[Installed]) -> Failure {
        let name = self.name();
        let failure = match found {
            [] => Failure::new(Kind::Failed, format!("there is no {name} on this machine")),
            _ => {
                let failure = Failure::new(Kind::Failed, format!("no {name} here is new enough: {wanted} is wanted"));
                found.iter().fold(failure, |failure, installed| {
                    failure.note(format!("{} is {}", installed.path.display(), installed.version))
                })
            }
        };
        failure
            .hint(format!(
                "apt-get install postgresql-client-{wanted}   (dnf: postgresql{wanted}, brew: postgresql@{wanted})"
            ))
            .hint(format!("or say where one is: {}=/path/to/bin", binaries::BIN_VARIABLE))
    }
}

impl Installed {
    /// That it is of the server's major, but of an older minor version: a correction of pg_dump or pg_restore that
    /// came with the server's is missing. None where there is nothing to say. With what to do about it.
    pub fn behind(&self, server: &Server) -> Option<(String, String)> {
        let older = self.major == server.major && minor(&self.version) < minor(&server.version);
        older.then(|| {
            let name = self.program.name();
            let message = format!("{} is {}, older than the server ({})", self.path.display(), self.version, server.version);
            let hint = format!(
                "corrections of {name} that came since are missing: apt-get install --only-upgrade postgresql-client-{}",
                self.major
            );
            (message, hint)
        })
    }
}

/// `17.11 (Debian …)` -> 11.
fn minor(version: &str) -> u32 {
    let after = version.split_once('.').map_or("", |(_, after)| after);
    after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default()
}

/// A database as their `--dbname` takes it: a name with = in it would be read as a whole connection string.
pub fn database(name: &str) -> String {
    format!("dbname='{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_what_is_there_and_the_package() {
        let old = Installed {
            program: Program::PgDump,
            path: "/usr/bin/pg_dump".into(),
            major: 15,
            version: "15.18 (Debian)".to_owned(),
        };
        let text = Program::PgDump.missing(17, &[old]).to_string();
        for part in ["17 is wanted", "/usr/bin/pg_dump is 15.18", "postgresql-client-17", "DBCTL_PG_BIN"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(Program::PgRestore.missing(18, &[]).to_string().contains("there is no pg_restore"));
    }

    #[test]
    fn the_newest_minor_version_is_known_by_its_number() {
        assert!(minor("17.11") > minor("17.9 (Debian 17.9-1)"));
        assert_eq!(minor("19beta1"), 0);
    }
}
