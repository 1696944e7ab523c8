//! pg_repack as a program of this machine: found, asked for its version, started and listened to. It connects by its
//! environment: nothing secret is an argument. Knows processes; does not know what is written anew and why.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::plan::Program;
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Explain as _, Kind, Result};

/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(20);

/// The programs on this machine, each version once: of the named folder (or the named file) alone; else of the package
/// of the server's major, of PATH, and of the packages of other majors.
pub fn find(named: Option<&Path>, env: &Env, major: u32) -> Vec<Program> {
    let places = match named {
        Some(place) if place.is_dir() => vec![place.join("pg_repack")],
        Some(place) => vec![place.to_owned()],
        None => folders(env, major).into_iter().map(|folder| folder.join("pg_repack")).collect(),
    };
    let mut seen = BTreeSet::new();
    let programs = places.into_iter().filter(|path| path.is_file()).filter_map(|path| {
        let version = version(&path)?;
        Some(Program { path, version })
    });
    programs.filter(|program| seen.insert(program.version.clone())).collect()
}

fn folders(env: &Env, major: u32) -> Vec<PathBuf> {
    let mut packaged = Vec::new();
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ] {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix(prefix).and_then(|rest| rest.parse::<u32>().ok());
            packaged.extend(number.map(|number| (number, entry.path().join("bin"))));
        }
    }
    packaged.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let (own, others): (Vec<_>, Vec<_>) = packaged.into_iter().partition(|(number, _)| *number == major);
    let on_path = env.get("PATH").into_iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
    let folder = |(_, folder)| folder;
    own.into_iter().map(folder).chain(on_path).chain(others.into_iter().map(folder)).collect()
}

/// `pg_repack 1.4.8` -> `1.4.8`.
fn version(path: &Path) -> Option<String> {
    let output = Command::new(path).arg("--version").current_dir("/").stdin(Stdio::null()).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(printed.trim().strip_prefix("pg_repack ")?.to_owned())
}

/// A program under way; killed when it is dropped.
pub struct Running {
    child: Child,
    lines: UnboundedReceiver<String>,
}

/// What comes of waiting for it.
#[derive(Debug)]
pub enum Heard {
    /// It said a line.
    Line(String),
    /// It has ended.
    Ended(ExitStatus),
}

impl Running {
    /// Starts a program on a database.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Program, arguments: &[String], connection: &Connection) -> Result<Running> {
        let mut command = Command::new(&program.path);
        command.args(arguments).current_dir("/");
        connection.hand_to(&mut command);
        // Its messages are read by us. What Ctrl-C on the terminal means for it, we say.
        command.env("LC_ALL", "C").env("PGCLIENTENCODING", "UTF8").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = command.spawn();
        let mut child = started.explain(Kind::Failed, format!("cannot start {}", program.path.display()))?;
        let (send, lines) = unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            listen(stdout, send.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            listen(stderr, send);
        }
        Ok(Running { child, lines })
    }

    /// The next line, or the end once every line was heard.
    ///
    /// # Errors
    /// When the system does not tell.
    pub async fn next(&mut self) -> Result<Heard> {
        loop {
            match tokio::time::timeout(LOOK, self.lines.recv()).await {
                Ok(Some(line)) => return Ok(Heard::Line(line)),
                Ok(None) => {
                    tokio::time::sleep(LOOK).await;
                    if let Some(status) = self.child.try_wait()? {
                        return Ok(Heard::Ended(status));
                    }
                }
                // It may have ended while something that it started holds its pipes.
                Err(_) => {
                    if let Some(status) = self.child.try_wait()?.filter(|_| self.lines.is_empty()) {
                        return Ok(Heard::Ended(status));
                    }
                }
            }
        }
    }

    /// Asks it to stop, which lets it cancel its statement and remove what it has made; kills it where that takes
    /// longer than `patience`. Whether it went by itself.
    pub async fn stop(&mut self, patience: Duration) -> bool {
        let began = Instant::now();
        if !matches!(self.child.try_wait(), Ok(None)) {
            return true;
        }
        // It has not been waited for: the number is still its own.
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT);
        while began.elapsed() < patience {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
        self.kill();
        false
    }

    fn kill(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Hands on line by line, on a thread that ends with the stream.
fn listen(stream: impl Read + Send + 'static, send: UnboundedSender<String>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if send.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
}
