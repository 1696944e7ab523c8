//! A private throwaway PostgreSQL server from the server programs on this machine: its own folder,
//! a Unix socket that only its account may reach, gone when its owner is gone. Tests, the demo,
//! drift and backup verification all stand on it. Blocking; knows no driver and no policy.

mod account;
mod address;
pub mod binaries;
mod cluster;
mod folder;
mod keeper;
mod listed;
mod server;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

pub use self::cluster::CACHE_VARIABLE;
pub use self::folder::{DIR_VARIABLE, Note};
pub use self::listed::{Listed, list, sweep};
pub use self::server::StopMode;

use self::account::Account;
use self::binaries::Installation;
use self::folder::Folder;
use self::keeper::Keeper;
use self::server::{Place, Server};
use crate::config::Secret;
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Explain, Failure, Kind, Result};

const SUPERUSER: &str = "postgres";
const DEFAULT_PORT: u16 = 5432;

/// What sort of server is wanted. The default is the newest one found, over the socket only.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The major version; none takes DBCTL_PG_BIN's, else the newest found.
    pub major: Option<u32>,
    /// The folder of the server programs; none searches (see [`binaries::find`]).
    pub bin_dir: Option<PathBuf>,
    /// Leaves server and folder behind, whoever dies; `dbctl sandbox stop` ends it.
    pub keep: bool,
    /// Another process whose death ends it, instead of this one's; the server then outlives the
    /// [`Sandbox`] value.
    pub owner: Option<u32>,
    /// Opens 127.0.0.1 at this port too (0 picks a free one), with a random password.
    pub port: Option<u16>,
    /// Lies in a memory file system where there is one with room (Linux, 2 GiB): for tests, whose
    /// databases are small and whose servers come and go.
    pub in_memory: bool,
    /// Further server settings, which win over the sandbox's own.
    pub settings: Vec<(String, String)>,
    /// Lines for pg_hba.conf, before the sandbox's own (first match wins).
    pub hba: Vec<String>,
}

/// A running private server. Dropping it stops the server and removes its folder, unless it was
/// started with `keep`; when this process dies first, by whatever cause, the same happens.
#[derive(Debug)]
pub struct Sandbox {
    installation: Installation,
    account: Account,
    folder: Folder,
    place: Place,
    port: u16,
    tcp_password: Option<Secret>,
    server: Option<Server>,
    keeper: Option<Keeper>,
}

impl Sandbox {
    /// Starts a server and waits until it accepts connections. Folders left by owners that died
    /// are swept first.
    pub fn start(options: &Options) -> Result<Sandbox> {
        Sandbox::start_in(options, &Env::of_process())
    }

    fn start_in(options: &Options, env: &Env) -> Result<Sandbox> {
        let installation = binaries::pick(options.major, options.bin_dir.as_deref(), env)?;
        let account = Account::choose()?;
        listed::sweep_in(&account, env);
        let folder = Folder::create(&account, env, options.in_memory)?;
        let keeper = Keeper::guard(folder.path(), folder.share_lock()?, &account)?;
        let port = address::choose_port(options.port)?;
        let tcp_password = options.port.map(|_| address::random_password()).transpose()?;
        let place = Place { data: folder.path().join("data"), log: folder.path().join("log") };
        let mut sandbox =
            Sandbox { installation, account, folder, place, port, tcp_password, server: None, keeper: Some(keeper) };
        sandbox.folder.write_note(&sandbox.note(options))?;
        cluster::lay(
            sandbox.data_dir(),
            sandbox.folder.path(),
            port,
            options,
            &sandbox.installation,
            &sandbox.account,
            env,
        )?;
        sandbox.set_password()?;
        sandbox.start_again()?;
        match (options.keep, options.owner, sandbox.keeper.take()) {
            (true, _, Some(keeper)) => keeper.dismiss(),
            (false, Some(owner), Some(keeper)) => keeper.hand_over(owner, sandbox.folder.path())?,
            (_, _, keeper) => sandbox.keeper = keeper,
        }
        Ok(sandbox)
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.installation.major
    }

    /// The server programs it was started from.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The name by which `dbctl sandbox stop` knows it.
    pub fn name(&self) -> String {
        listed::name_of(self.folder.path())
    }

    /// The folder of the Unix socket; also a scratch folder that goes with the server.
    pub fn socket_dir(&self) -> &Path {
        self.folder.path()
    }

    /// The port: part of the socket's name, and of TCP where that is open.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.place.data
    }

    /// The server's log so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.place.log).unwrap_or_default()).into_owned()
    }

    /// The role that may do everything.
    pub fn superuser(&self) -> &str {
        SUPERUSER
    }

    /// The operating system account that the server runs under.
    pub fn account(&self) -> &str {
        self.account.name()
    }

    /// The postmaster's process number while the server runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// A program of the same version, such as `psql` or `pg_dump`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.installation.bin_dir.join(name)
    }

    /// A program that will run under the server's account, with an empty environment but PATH:
    /// what refuses root (pg_ctl, pg_resetwal, pgbouncer) or must own its files starts with it.
    pub fn command_as_server(&self, program: impl AsRef<std::ffi::OsStr>) -> std::process::Command {
        self.account.command(program)
    }

    /// The URL of a database over the socket, as psql takes it.
    pub fn url(&self, dbname: &str) -> String {
        address::socket_url(self.folder.path(), self.port, dbname)
    }

    /// The URL of a database over TCP with its password, where a port was asked for.
    pub fn tcp_url(&self, dbname: &str) -> Option<String> {
        let password = self.tcp_password.as_ref()?;
        Some(address::tcp_url(self.port, password, dbname))
    }

    /// How to reach a database over the socket.
    pub fn connection(&self, dbname: &str) -> Connection {
        address::connection(self.folder.path(), self.port, dbname)
    }

    /// Stops the server and waits; the folder stays.
    pub fn stop(&mut self, mode: StopMode) -> Result<()> {
        let Some(server) = &mut self.server else { return Ok(()) };
        server.stop(mode)?;
        self.server = None;
        Ok(())
    }

    /// Starts the stopped or killed server on the same folder and waits until it accepts connections.
    pub fn start_again(&mut self) -> Result<()> {
        // Backends of a killed postmaster hold its shared memory a moment longer than it lives.
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let mut server = Server::spawn(&self.installation, &self.place, &self.account)?;
            if let Some(keeper) = &mut self.keeper {
                keeper.note_server(server.pid());
            }
            let ready = server.wait_ready(&self.place);
            match ready {
                Ok(()) => {
                    self.server = Some(server);
                    return Ok(());
                }
                Err(failure) => {
                    let _ = server.kill();
                    if !failure.to_string().contains("pre-existing shared memory") || Instant::now() > deadline {
                        return Err(failure.context(format!("PostgreSQL {}", self.installation.version)));
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    /// Stops (fast) and starts the server.
    pub fn restart(&mut self) -> Result<()> {
        self.stop(StopMode::Fast)?;
        self.start_again()
    }

    /// SIGKILL to the postmaster: a crash, after which [`Sandbox::start_again`] recovers.
    pub fn kill(&mut self) -> Result<()> {
        let Some(server) = &mut self.server else { return Ok(()) };
        server.kill()?;
        self.server = None;
        Ok(())
    }

    /// SIGSTOP to the postmaster: new connections hang until [`Sandbox::resume`]; open ones live on.
    pub fn pause(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), |server| server.signal(Signal::SIGSTOP))
    }

    /// Ends [`Sandbox::pause`].
    pub fn resume(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), |server| server.signal(Signal::SIGCONT))
    }

    /// SIGHUP to the postmaster: reads its configuration files again.
    pub fn reload(&mut self) -> Result<()> {
        self.server.as_mut().map_or(Ok(()), |server| server.signal(Signal::SIGHUP))
    }

    fn note(&self, options: &Options) -> Note {
        Note {
            major: self.installation.major,
            version: self.installation.version.clone(),
            bin_dir: self.installation.bin_dir.clone(),
            port: self.port,
            tcp_password: self.tcp_password.as_ref().map(|password| password.reveal().to_owned()),
            keep: options.keep,
            left: options.keep || options.owner.is_some(),
            owner: options.owner.unwrap_or_else(std::process::id),
            started_at: chrono::Utc::now(),
        }
    }

    /// Through the single-user server, whose input is no argument list that others can read.
    fn set_password(&self) -> Result<()> {
        use std::io::Write as _;
        let Some(password) = &self.tcp_password else { return Ok(()) };
        let doing = "cannot set the sandbox's password";
        let mut single = self.account.command(self.program("postgres"));
        single.arg("--single").arg("-D").arg(self.data_dir()).arg("postgres");
        single.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = single.spawn().explain(Kind::Failed, doing)?;
        if let Some(mut input) = child.stdin.take() {
            // When this fails the server ended early, and says why below.
            let _ = writeln!(input, "ALTER ROLE {SUPERUSER} PASSWORD '{}'", password.reveal());
        }
        let output = child.wait_with_output().explain(Kind::Failed, doing)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Failure::new(Kind::Failed, said).context(doing))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Without a keeper the sandbox was kept or handed over: it is no longer ours to end.
        let Some(mut keeper) = self.keeper.take() else { return };
        keeper.finish();
        if let Some(server) = &mut self.server {
            // Reaps; the keeper has stopped it, unless the keeper itself was killed.
            let _ = server.stop(StopMode::Immediate);
        }
        if self.folder.path().exists() {
            let _ = keeper::clean(self.folder.path(), &self.account);
        }
    }
}
