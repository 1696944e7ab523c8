//! The server that everything happens on, and the programs that look after its partitions.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::policy::{Document, Policy};
use crate::bench::measure::{Gauge, Series, compare};
use crate::bench::scene::Scene;
use crate::process::{cargo, perform, succeeds, target};
use crate::tools;

/// Where Debian has the server that its pg_partman is made for.
const BIN: &str = "/usr/lib/postgresql/15/bin";
/// Its functions have other arguments from the next major on.
const PARTMAN_MAJOR: &str = "4.";

/// The server and the programs.
pub struct Ground {
    /// The server, and a folder for files.
    pub scene: Scene,
    dbctl: PathBuf,
    /// Whether pg_partman can be created here.
    pub partman: bool,
    partsmith: Option<PathBuf>,
    missing: Vec<String>,
}

impl Ground {
    /// Builds dbctl in release, starts the server, looks for the others.
    pub fn ready() -> Result<Ground> {
        perform(cargo().args(["build", "--release", "--quiet", "--package", "dbctl", "--bin", "dbctl"]))?;
        let bin = Path::new(BIN).join("postgres").is_file().then(|| PathBuf::from(BIN));
        let scene = Scene::start_with(bin, &[("timezone", "UTC"), ("max_wal_size", "4GB")])?;
        let found = "SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = 'pg_partman'";
        let version = scene.ask("postgres", found)?;
        let partman = version.starts_with(PARTMAN_MAJOR);
        let mut missing = Vec::new();
        if !partman {
            missing.push(format!("pg_partman {PARTMAN_MAJOR}x ('{version}' is here): cargo xtask tools --peers"));
        }
        let partsmith = Some(tools::partsmith()).filter(|path| succeeds(Command::new(path).arg("--version")));
        if partsmith.is_none() {
            missing.push("pg-partsmith: cargo xtask tools --peers".to_owned());
        }
        if Gauge::find(scene.scratch()).is_none() {
            missing.push("peak memory, which needs GNU time: apt-get install time".to_owned());
        }
        Ok(Ground { scene, dbctl: target().join("release/dbctl"), partman, partsmith, missing })
    }

    /// What a reader has to know first.
    pub fn head(&self) -> Result<String> {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().map_or(String::new(), |load| format!(", load {load}"));
        let mut lines = vec![
            format!("{}; {cores} cores{load}, which server and clients share", self.scene.describe()?),
            "Rounds in turn; medians (least-most). 'dbctl takes': the median of the ratios of".to_owned(),
            "each round. CPU and peak are the client's, never the server's.".to_owned(),
        ];
        lines.extend(self.missing.iter().map(|what| format!("missing: {what}")));
        Ok(lines.join("\n"))
    }

    /// dbctl on a database, with a policy, unasked.
    pub fn dbctl(&self, words: &[&str], policy: &Path, dbname: &str) -> Command {
        let mut command = self.scene.bare(&self.dbctl);
        command.arg("partitions").args(words).arg("--policy").arg(policy);
        command.arg("--database-url").arg(self.scene.url(dbname)).args(["--yes", "--no-progress"]);
        command
    }

    /// `dbctl partitions rotate`, armed.
    pub fn rotate(&self, policy: &Path, dbname: &str) -> Command {
        self.dbctl(&["rotate", "--arm"], policy, dbname)
    }

    /// psql with one statement.
    pub fn psql(&self, dbname: &str, statement: &str) -> Command {
        let mut psql = self.scene.psql(dbname);
        psql.args(["-A", "-t", "-c", statement]);
        psql
    }

    /// psql with a file.
    pub fn psql_file(&self, dbname: &str, file: &Path) -> Command {
        let mut psql = self.scene.psql(dbname);
        psql.args(["-A", "-t", "-f"]).arg(file);
        psql
    }

    /// pg_partman's maintenance, as quick as it can be asked for.
    pub fn partman(&self, dbname: &str) -> Command {
        self.psql(dbname, "SELECT partman.run_maintenance(p_analyze := false)")
    }

    /// pg-partsmith's maintenance, where the program is here.
    pub fn partsmith(&self, document: &Path, dbname: &str) -> Option<Command> {
        let mut command = self.scene.bare(self.partsmith.as_ref()?);
        command.args(["apply", "--allow-destructive", "--config"]).arg(document);
        command.arg("--dsn").arg(self.scene.url(dbname));
        Some(command)
    }

    /// Writes a policy of dbctl and says where.
    pub fn policy(&self, name: &str, policy: &Policy) -> Result<PathBuf> {
        self.write(&format!("{name}.yaml"), &policy.to_string())
    }

    /// Writes a document of pg-partsmith and says where.
    pub fn document(&self, name: &str, document: &Document) -> Result<PathBuf> {
        self.write(&format!("{name}.partsmith.yaml"), &document.to_string())
    }

    /// A file of the scratch folder.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.scene.scratch().join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Runs a psql script that belongs to no measurement; `\gexec` may stand in it.
    pub fn prepare(&self, dbname: &str, script: &str) -> Result<()> {
        let file = self.write("prepare.sql", &format!("SET client_min_messages = error;\n{script}"))?;
        self.scene.perform(self.psql_file(dbname, &file))
    }

    /// Has the server write a script: what the query answers with, a line each.
    pub fn script(&self, dbname: &str, name: &str, query: &str) -> Result<PathBuf> {
        let text = self.scene.ask(dbname, query)?;
        self.write(name, &format!("SET client_min_messages = error;\n{text}\n"))
    }

    /// A database that is another's copy, and nothing left to write.
    pub fn copy(&self, from: &str, dbname: &str) -> Result<()> {
        let copy = format!(
            "DROP DATABASE IF EXISTS {dbname} WITH (FORCE);\nCREATE DATABASE {dbname} TEMPLATE {from} STRATEGY \
             file_copy;\nCHECKPOINT;\n"
        );
        self.prepare("postgres", &copy)
    }

    /// Drops databases: what is measured next is not to share the disk with them.
    pub fn drop(&self, dbnames: &[&str]) -> Result<()> {
        let drops: String =
            dbnames.iter().map(|dbname| format!("DROP DATABASE IF EXISTS {dbname} WITH (FORCE);\n")).collect();
        self.prepare("postgres", &drops)
    }

    /// Programs in turn.
    pub fn compare(&self, cases: &[crate::bench::measure::Case<'_>], rounds: usize) -> Vec<Series> {
        compare(cases, rounds, self.scene.scratch())
    }

    /// Fails unless the query answers so.
    pub fn expect(&self, what: &str, dbname: &str, query: &str, answer: &str) -> Result<()> {
        let found = self.scene.ask(dbname, query)?;
        anyhow::ensure!(found == answer, "{what}: {found} instead of {answer}");
        Ok(())
    }
}
