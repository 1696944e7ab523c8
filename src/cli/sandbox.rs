//! `dbctl sandbox`: flags, help text and what is said of a started server.

use std::ffi::OsString;
use std::io::Write;

use clap::{Args, Subcommand};

use crate::error::Result;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::sandbox::list;
use crate::sandbox::{self, Run, Start, Started, Which};

/// A private throwaway PostgreSQL server from the server programs on this machine
///
/// Its data lies in a temporary folder; it listens on a Unix socket in that folder, which only its
/// account may enter. As root it runs as user 'postgres' or 'nobody'. Nothing on it is durable:
/// it is for tests, trials and rehearsals.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    /// Start a server and print its URL; it stops when its owner ends
    Start(StartArgs),
    /// Stop servers and remove their folders
    Stop(StopArgs),
    /// List the servers of this user
    List,
    /// Run a command with a server of its own, and exit with the command's code
    ///
    /// Sets DATABASE_URL, PGHOST, PGPORT, PGUSER and PGDATABASE, and puts the programs of the
    /// server's version (psql, pg_dump) first in PATH. The server is stopped when the command ends.
    Run(RunArgs),
}

#[derive(Debug, Args)]
struct StartArgs {
    /// Major version of the server [default: the newest found]
    #[arg(long, value_name = "N")]
    major: Option<u32>,
    /// Live until 'dbctl sandbox stop', whoever ends
    #[arg(long, conflicts_with = "owner")]
    keep: bool,
    /// Listen on this port of 127.0.0.1 too, with a password; 0 picks a free one
    #[arg(long, value_name = "P")]
    port: Option<u16>,
    /// Process whose end stops the server [default: the parent process, or the shell behind it]
    #[arg(long, value_name = "PID")]
    owner: Option<u32>,
}

#[derive(Debug, Args)]
struct StopArgs {
    /// Names as 'dbctl sandbox list' shows them [default: the only one that 'start' left]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Every one that 'start' left; those in use by a running command or test are spared
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Major version of the server [default: the newest found]
    #[arg(long, value_name = "N")]
    major: Option<u32>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl SandboxArgs {
    /// Does it. `show` renders a document to the given writer in the format that was asked for.
    pub fn run(
        self,
        out: &mut dyn Write,
        err: &mut dyn Write,
        show: &mut dyn FnMut(&Document, &mut dyn Write) -> Result<()>,
    ) -> Result<Outcome> {
        match self.command {
            SandboxCommand::Start(StartArgs { major, keep, port, owner }) => {
                say_started(&sandbox::start(&Start { major, keep, port, owner })?, out, err)?;
            }
            SandboxCommand::Stop(args) => {
                let stopped = sandbox::stop(&args.which())?;
                for name in &stopped {
                    writeln!(err, "stopped sandbox {name}")?;
                }
                if stopped.is_empty() {
                    writeln!(err, "no sandbox to stop")?;
                }
            }
            SandboxCommand::List => show(&sandbox::listed(&list()?), out)?,
            SandboxCommand::Run(RunArgs { major, command }) => return sandbox::run(&Run { major, command }),
        }
        Ok(Outcome::Done)
    }
}

impl StopArgs {
    fn which(self) -> Which {
        match (self.all, self.names) {
            (true, _) => Which::All,
            (false, names) if names.is_empty() => Which::TheOne,
            (false, names) => Which::Named(names),
        }
    }
}

/// The URL alone on stdout, so that `URL=$(dbctl sandbox start)` works.
fn say_started(started: &Started, out: &mut dyn Write, err: &mut dyn Write) -> Result<()> {
    let Started { name, version, account, url, tcp_url, owner } = started;
    writeln!(out, "{}", tcp_url.as_deref().unwrap_or(url))?;
    out.flush()?;
    let until = match owner {
        Some(pid) => format!("until process {pid} ends"),
        None => "until it is stopped".to_owned(),
    };
    writeln!(err, "PostgreSQL {version} runs as user {account} {until}")?;
    if tcp_url.is_some() {
        writeln!(err, "over the socket, without a password: {url}")?;
    }
    writeln!(err, "stop it: dbctl sandbox stop {name}")?;
    Ok(())
}
