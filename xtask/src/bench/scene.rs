//! The server that everything is measured on: a sandbox of its own, but with the durability of a
//! real one.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use dbctl::pg::sandbox::binaries::BIN_VARIABLE;
use dbctl::pg::sandbox::{Options, Sandbox};
use tokio_postgres::Config;

use super::measure::{Spread, milliseconds};
use crate::pg;
use crate::process::{line, output, program, target};

/// What a sandbox turns off because it is thrown away; PostgreSQL's defaults.
const DURABLE: [(&str, &str); 4] =
    [("fsync", "on"), ("full_page_writes", "on"), ("wal_init_zero", "on"), ("jit", "on")];

/// The server, and a folder for what the programs read. Both go when it is dropped.
pub struct Scene {
    sandbox: Sandbox,
    scratch: PathBuf,
}

impl Scene {
    /// Starts the server that DBCTL_PG_BIN names, else the newest found.
    pub fn start() -> Result<Scene> {
        let newest = pg::found()?.into_iter().next().map(|found| found.bin_dir);
        let bin_dir = if std::env::var_os(BIN_VARIABLE).is_some() { None } else { newest };
        Scene::start_with(bin_dir, &[])
    }

    /// Starts the server of a folder, with settings of its own.
    pub fn start_with(bin_dir: Option<PathBuf>, settings: &[(&str, &str)]) -> Result<Scene> {
        let settings = DURABLE.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = settings.collect();
        let options = Options { bin_dir, settings, ..Options::default() };
        let sandbox = Sandbox::start(&options).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        // Not in the sandbox's folder: its account could not remove what we put there.
        let scratch = target().join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
        let scene = Scene { sandbox, scratch };
        let fsync = scene.ask("postgres", "SHOW fsync")?;
        if fsync != "on" {
            bail!("the server runs with fsync {fsync}: its times would mean nothing");
        }
        Ok(scene)
    }

    /// The folder for files.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// What the server is, for the head of the report.
    pub fn describe(&self) -> Result<String> {
        let synced = sync_time(self.sandbox.socket_dir())?;
        Ok(format!(
            "PostgreSQL {}, fsync on, socket; one fdatasync {synced:.2} ms",
            self.sandbox.installation().version
        ))
    }

    /// The folder of the server's socket.
    pub fn socket_dir(&self) -> &Path {
        self.sandbox.socket_dir()
    }

    /// The server's port, of which its socket has the number.
    pub fn port(&self) -> u16 {
        self.sandbox.port()
    }

    /// The role that everything runs as.
    pub fn superuser(&self) -> &str {
        self.sandbox.superuser()
    }

    /// A program of the server's own folder.
    pub fn program(&self, name: &str) -> PathBuf {
        self.sandbox.program(name)
    }

    /// How a client in this process reaches a database.
    pub fn config(&self, dbname: &str) -> Config {
        let mut config = Config::new();
        config.host_path(self.sandbox.socket_dir()).port(self.sandbox.port()).user(self.sandbox.superuser());
        config.dbname(dbname).application_name("bench");
        config
    }

    /// A program that is to run under the server's account.
    pub fn command_as_server(&self, program: &Path) -> Command {
        self.sandbox.command_as_server(program)
    }

    /// psql of the server's own folder: the one on Debian's PATH is a Perl program in front of it.
    pub fn psql(&self, dbname: &str) -> Command {
        let mut psql = self.bare(self.sandbox.program("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"]).arg(self.sandbox.url(dbname));
        psql
    }

    /// A program with no more of our environment than it needs, in the scratch folder: no PG*
    /// variable, no config file.
    pub fn bare(&self, name: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = program(name);
        command.env_clear().current_dir(&self.scratch);
        for variable in ["PATH", "HOME", "LANG", "TMPDIR"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        command
    }

    /// The URL of a database as libpq and dbctl take it.
    pub fn url(&self, dbname: &str) -> String {
        self.sandbox.url(dbname)
    }

    /// The URL with the socket's folder as host, which Rust's other drivers take.
    pub fn url_with_socket_as_host(&self, dbname: &str) -> String {
        let folder = self.sandbox.socket_dir().to_string_lossy().replace('%', "%25").replace('/', "%2F");
        format!("postgres://{}@{folder}:{}/{dbname}", self.sandbox.superuser(), self.sandbox.port())
    }

    /// The URL with the socket's folder as parameter, as dbmate takes it.
    pub fn url_with_socket_as_parameter(&self, dbname: &str) -> String {
        let (user, port) = (self.sandbox.superuser(), self.sandbox.port());
        format!("postgres://{user}@:{port}/{dbname}?socket={}&sslmode=disable", self.sandbox.socket_dir().display())
    }

    /// An empty database of this name, and nothing left to write for the one before it.
    pub fn fresh(&self, dbname: &str) -> Result<()> {
        let mut psql = self.psql("postgres");
        psql.args(["-c", "SET client_min_messages = error"]);
        psql.arg("-c").arg(format!("DROP DATABASE IF EXISTS {dbname} WITH (FORCE)"));
        psql.arg("-c").arg(format!("CREATE DATABASE {dbname} TEMPLATE template0"));
        psql.args(["-c", "CHECKPOINT"]);
        output(&mut psql).map(drop)
    }

    /// Fails unless exactly this many of the set's tables are there.
    pub fn expect_tables(&self, dbname: &str, count: usize) -> Result<()> {
        let found = self.ask(
            dbname,
            "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename ~ '^t[0-9]{4}$'",
        )?;
        if found != count.to_string() {
            bail!("{found} of {count} tables are there");
        }
        Ok(())
    }

    /// Runs a command that belongs to no measurement.
    pub fn perform(&self, mut command: Command) -> Result<()> {
        let done = command.output().with_context(|| format!("cannot run {}", line(&command)))?;
        if !done.status.success() {
            bail!("{}: {}: {}", line(&command), done.status, String::from_utf8_lossy(&done.stderr).trim());
        }
        Ok(())
    }

    /// The one value that a query answers with.
    pub fn ask(&self, dbname: &str, sql: &str) -> Result<String> {
        let mut psql = self.psql(dbname);
        Ok(output(psql.args(["-A", "-t", "-c", sql]))?.trim().to_owned())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

/// What it costs here to have eight kilobytes safe on disk, in milliseconds: the measure of a commit.
fn sync_time(folder: &Path) -> Result<f64> {
    let path = folder.join("sync");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..20 {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[0; 8192])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(milliseconds(begun.elapsed()));
    }
    std::fs::remove_file(path)?;
    Ok(Spread::of(times).map_or(f64::NAN, |spread| spread.median))
}
