//! `dbctl sandbox run -- CMD`: a server for as long as one command runs. Knows processes and
//! signals.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal as listen};

use crate::error::{Explain, Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::pg::sandbox::{Options, Sandbox};

/// What libpq reads and would lead CMD elsewhere, or with the wrong manners.
const FOREIGN: [&str; 17] = [
    "PGHOSTADDR",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGOPTIONS",
    "PGSSLMODE",
    "PGREQUIRESSL",
    "PGSSLNEGOTIATION",
    "PGGSSENCMODE",
    "PGCHANNELBINDING",
    "PGREQUIREAUTH",
    "PGREQUIREPEER",
    "PGTARGETSESSIONATTRS",
    "PGLOADBALANCEHOSTS",
    "PGDATA",
    "PGCONNECT_TIMEOUT",
];

/// `sandbox run`.
#[derive(Debug, Clone)]
pub struct Run {
    /// The major version; none is the newest found.
    pub major: Option<u32>,
    /// The command and its arguments.
    pub command: Vec<OsString>,
}

/// Runs the command with DATABASE_URL and the PG variables of a new server, and PATH beginning
/// with the programs of its version. Ends with the command's exit code (128 + signal when a signal
/// ended it, 127 when it does not exist, 126 when it cannot be run); the server is gone by then.
pub fn run(request: &Run) -> Result<Outcome> {
    let (program, arguments) =
        request.command.split_first().ok_or_else(|| Failure::new(Kind::Usage, "no command to run"))?;
    let doing = "cannot listen for signals";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().explain(Kind::Failed, doing)?;
    runtime.block_on(async {
        // Before the server starts: from here on a signal ends the command, and then the server.
        let mut signals = Listening::start().explain(Kind::Failed, doing)?;
        let sandbox = Sandbox::start(&Options { major: request.major, ..Options::default() })?;
        if let Some(early) = signals.already().await {
            return Ok(if early == Signal::SIGINT { Outcome::Interrupted } else { Outcome::Terminated });
        }
        let mut command = Command::new(program);
        command.args(arguments);
        point_at(&mut command, &sandbox)?;
        match command.spawn() {
            Ok(child) => Ok(Outcome::Command(code_of(signals.until_end(child).await?))),
            Err(error) => Err(not_run(program, &error)),
        }
    })
}

/// The environment in which every client finds the sandbox.
fn point_at(command: &mut Command, sandbox: &Sandbox) -> Result<()> {
    for name in FOREIGN {
        command.env_remove(name);
    }
    let programs = sandbox.program("");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs).chain(std::env::split_paths(&path));
    command
        .env("PATH", std::env::join_paths(path).explain(Kind::Failed, "cannot extend PATH")?)
        .env("DATABASE_URL", sandbox.url("postgres"))
        .env("PGHOST", sandbox.socket_dir())
        .env("PGPORT", sandbox.port().to_string())
        .env("PGUSER", sandbox.superuser())
        .env("PGDATABASE", "postgres");
    Ok(())
}

/// env(1)'s exit codes: 127 for a command that does not exist, 126 for one that cannot be run.
fn not_run(program: &OsStr, error: &std::io::Error) -> Failure {
    let message = format!("cannot run {}: {error}", Path::new(program).display());
    let failure =
        Failure::new(Kind::Command(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }), message);
    failure.hint("give a program and its arguments; a shell line goes through: sh -c '...'")
}

fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// The signals that would otherwise end us before the server is stopped.
struct Listening {
    interrupt: Signals,
    terminate: Signals,
    hangup: Signals,
}

impl Listening {
    fn start() -> std::io::Result<Listening> {
        Ok(Listening {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.hangup.recv() => Signal::SIGHUP,
        }
    }

    /// A signal that came while the server was starting.
    async fn already(&mut self) -> Option<Signal> {
        tokio::time::timeout(Duration::from_millis(1), self.next()).await.ok()
    }

    /// Waits for the command and passes signals on. Ctrl-C in a terminal reaches the command by
    /// itself; a second one from us could cut its cleaning up short.
    async fn until_end(&mut self, mut child: Child) -> Result<ExitStatus> {
        let pid = Pid::from_raw(child.id().cast_signed());
        let from_terminal = std::io::stdin().is_terminal();
        let (ended, mut end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || ended.send(child.wait()));
        loop {
            tokio::select! {
                status = &mut end => {
                    let status = status.explain(Kind::Failed, "cannot wait for the command")?;
                    return status.explain(Kind::Failed, "cannot wait for the command");
                }
                caught = self.next() => {
                    if !(from_terminal && caught == Signal::SIGINT) {
                        // It may have ended by itself in this very moment.
                        let _ = signal::kill(pid, caught);
                    }
                }
            }
        }
    }
}
