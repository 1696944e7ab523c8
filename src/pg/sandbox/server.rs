//! One server process: start it and wait until it accepts connections, stop it, kill it. Knows
//! `postgres` and its files; does not know who owns it.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::account::Account;
use super::binaries::Installation;
use crate::error::{Explain, Failure, Kind, Result};

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(60);
const LOG_LINES: usize = 15;

/// How a server is asked to stop, as in `pg_ctl stop -m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Waits for every session to end by itself.
    Smart,
    /// Disconnects everyone, shuts down in order.
    Fast,
    /// As a crash would: the next start recovers.
    Immediate,
}

impl StopMode {
    fn signal(self) -> Signal {
        match self {
            StopMode::Smart => Signal::SIGTERM,
            StopMode::Fast => Signal::SIGINT,
            StopMode::Immediate => Signal::SIGQUIT,
        }
    }
}

/// Where a server's files are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
}

/// A running (or just ended) server.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
}

impl Server {
    /// Starts the process; it does not answer yet.
    pub(super) fn spawn(installation: &Installation, place: &Place, account: &Account) -> Result<Server> {
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(&place.log)
            .explain(Kind::Failed, format!("cannot write {}", place.log.display()))?;
        let also = log.try_clone().explain(Kind::Failed, format!("cannot write {}", place.log.display()))?;
        let program = installation.bin_dir.join("postgres");
        let mut command = account.command(&program);
        // A group of its own: Ctrl-C in the owner's terminal is not for it.
        command.arg("-D").arg(&place.data).stdout(log).stderr(also).process_group(0);
        let process = command
            .spawn()
            .explain(Kind::Failed, format!("cannot run {} as user {}", program.display(), account.name()))?;
        Ok(Server { process })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits until the server accepts connections, as `pg_ctl -w` does: by the state that it
    /// writes into line 8 of postmaster.pid.
    pub(super) fn wait_ready(&mut self, place: &Place) -> Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        while !is_ready(&place.data, self.pid()) {
            if let Some(status) = self.process.try_wait().explain(Kind::Failed, "cannot look at the server process")? {
                return Err(not_started(&format!("the server did not start ({status})"), place));
            }
            if Instant::now() > deadline {
                return Err(not_started("the server was not ready after 60 s", place));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Whether the process still runs.
    pub(super) fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Stops and waits.
    pub(super) fn stop(&mut self, mode: StopMode) -> Result<()> {
        self.signal(mode.signal())?;
        // A server that was paused would hear it only later.
        self.signal(Signal::SIGCONT)?;
        match self.wait(STOP_WITHIN)? {
            Some(_) => Ok(()),
            None => Err(Failure::new(Kind::Failed, "the server did not stop within 60 s")),
        }
    }

    /// SIGKILL, and waits until the process is gone; its backends follow by themselves.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.wait(STOP_WITHIN).map(drop)
    }

    /// Sends a signal to the postmaster; one that is already gone is no error.
    pub(super) fn signal(&mut self, signal: Signal) -> Result<()> {
        if !self.runs() {
            return Ok(());
        }
        let pid = i32::try_from(self.pid()).explain(Kind::Failed, "a process number out of range")?;
        kill(Pid::from_raw(pid), signal).explain(Kind::Failed, format!("cannot send {signal} to the server"))
    }

    /// Reaps the process; none when it still runs at the deadline.
    pub(super) fn wait(&mut self, within: Duration) -> Result<Option<ExitStatus>> {
        let deadline = Instant::now() + within;
        loop {
            let status = self.process.try_wait().explain(Kind::Failed, "cannot wait for the server")?;
            if status.is_some() || Instant::now() > deadline {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn is_ready(data: &Path, pid: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let state = lines.get(7).copied().unwrap_or_default();
    lines.first().is_some_and(|first| first.parse() == Ok(pid)) && matches!(state, "ready" | "standby")
}

fn not_started(message: &str, place: &Place) -> Failure {
    let log = std::fs::read(&place.log).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    let tail = &lines[lines.len().saturating_sub(LOG_LINES)..];
    let excerpt = tail.iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n");
    Failure::new(Kind::Failed, message).excerpt(excerpt)
}
