//! The programs that dbctl stands beside: where they are, and how the missing ones are installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::files::Set;
use super::scene::Scene;
use crate::process::{cargo, perform, succeeds, target};
use crate::tools;

/// What was found and what was not.
pub struct Peers {
    /// dbctl as it is released.
    pub dbctl: PathBuf,
    /// Connects, selects 1, goes.
    pub floor: PathBuf,
    /// Other migration programs, in the order of the tables.
    pub migrators: Vec<Migrator>,
    /// A line each: what is missing, and what installs it.
    pub missing: Vec<String>,
}

/// A migration program that is here.
#[derive(Debug, Clone)]
pub struct Migrator {
    /// As the tables call it.
    pub name: &'static str,
    path: PathBuf,
    way: Way,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Refinery,
    Sqlx,
    Dbmate,
}

/// Builds dbctl in release.
pub fn dbctl() -> Result<PathBuf> {
    perform(cargo().args(["build", "--release", "--quiet", "--package", "dbctl", "--bin", "dbctl"]))?;
    Ok(target().join("release/dbctl"))
}

impl Peers {
    /// Builds dbctl and the floor in release and looks for the others.
    pub fn ready() -> Result<Peers> {
        let dbctl = dbctl()?;
        perform(cargo().args(["build", "--release", "--quiet", "--package", "xtask", "--example", "floor"]))?;
        let release = target().join("release");
        let wanted = [
            ("refinery_cli", "cargo xtask tools", tools::refinery(), Way::Refinery),
            ("sqlx-cli", "cargo xtask tools --peers", tools::sqlx(), Way::Sqlx),
            ("dbmate", "cargo xtask tools --peers", tools::dbmate(), Way::Dbmate),
        ];
        let (mut migrators, mut missing) = (Vec::new(), Vec::new());
        for (name, install, path, way) in wanted {
            if succeeds(Command::new(&path).arg("--version")) {
                migrators.push(Migrator { name, path, way });
            } else {
                missing.push(format!("{name}: {install}"));
            }
        }
        Ok(Peers { dbctl, floor: release.join("examples/floor"), migrators, missing })
    }
}

impl Migrator {
    /// `--version`.
    pub fn version(&self, scene: &Scene) -> Command {
        let mut command = scene.bare(&self.path);
        command.arg("--version");
        command
    }

    /// Applies what is pending of the set.
    pub fn migrate(&self, scene: &Scene, set: &Set, dbname: &str) -> Command {
        let mut command = scene.bare(&self.path);
        match self.way {
            Way::Refinery => {
                command.args(["migrate", "-e", "DATABASE_URL", "-p"]).arg(set.refinery());
                command.env("DATABASE_URL", scene.url_with_socket_as_host(dbname));
            }
            Way::Sqlx => {
                command.args(["migrate", "run", "--no-dotenv", "--source"]).arg(set.sqlx());
                command.arg("--database-url").arg(scene.url_with_socket_as_host(dbname));
            }
            Way::Dbmate => {
                command.arg("--url").arg(scene.url_with_socket_as_parameter(dbname));
                command.arg("-d").arg(set.dbmate()).args(["--no-dump-schema", "migrate"]);
            }
        }
        command
    }
}
