//! A client program under way. It connects as we do, by its environment: nothing secret is ever an
//! argument. A child that ends with anything but 0 has failed, one that a signal ended as well.

use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::Installed;
use crate::config::connection::Connection;
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::pg::Interrupt;

/// What is read at once.
const PIECE: usize = 128 << 10;
/// How much of what a child says is kept: its last words.
const WORDS: usize = 64 << 10;
/// How long a child may take to end after SIGINT.
const PATIENCE: Duration = Duration::from_secs(2);
/// A signal to all processes of a terminal is heard by us no later than so long after a program that it ended.
const HEARD: Duration = Duration::from_millis(100);

/// A program under way; killed when it is dropped.
pub struct Child {
    name: &'static str,
    child: tokio::process::Child,
    words: JoinHandle<String>,
}

/// What a program that ended well left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error: warnings.
    pub stderr: String,
}

impl Child {
    /// Starts a program on a database.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<S: AsRef<OsStr>>(
        installed: &Installed,
        connection: &Connection,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Child> {
        let mut command = std::process::Command::new(&installed.path);
        connection.hand_to(command.args(arguments));
        Child::spawn(installed, command)
    }

    /// Starts a program that needs no database.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_alone<S: AsRef<OsStr>>(
        installed: &Installed,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Child> {
        let mut command = std::process::Command::new(&installed.path);
        command.args(arguments);
        Child::spawn(installed, command)
    }

    fn spawn(installed: &Installed, mut command: std::process::Command) -> Result<Child> {
        command.current_dir("/");
        // Messages are read by people and by us: in one language.
        command.env("LC_ALL", "C.UTF-8").env("PGCLIENTENCODING", "UTF8");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut command = Command::from(command);
        let name = installed.program.name();
        let child = command.kill_on_drop(true).spawn();
        let mut child = child.explain(Kind::Failed, format!("cannot start {}", installed.path.display()))?;
        let words = tokio::spawn(last_words(child.stderr.take()));
        Ok(Child { name, child, words })
    }

    /// Hands its standard output on, piece by piece, and waits for its end: what it said beside.
    ///
    /// # Errors
    /// When it ends with anything but 0, with its own last words; whatever `take` says; a signal.
    pub async fn stream(
        mut self,
        interrupt: &Interrupt,
        mut take: impl AsyncFnMut(Bytes) -> Result<()>,
    ) -> Result<String> {
        let stdout = self.child.stdout.take();
        let copied = async {
            let Some(mut stdout) = stdout else { return Ok(()) };
            loop {
                let mut piece = BytesMut::with_capacity(PIECE);
                while piece.len() < PIECE {
                    let read = stdout.read_buf(&mut piece).await;
                    if read.explain(Kind::Failed, format!("cannot read what {} says", self.name))? == 0 {
                        break;
                    }
                }
                if piece.is_empty() {
                    return Ok(());
                }
                take(piece.freeze()).await?;
            }
        };
        let copied: Result<()> = tokio::select! {
            copied = copied => copied,
            failure = interrupt.wait() => Err(failure),
        };
        match copied {
            Ok(()) => self.wait(interrupt).await,
            Err(failure) => {
                self.end().await;
                Err(failure)
            }
        }
    }

    /// Waits for its end; what it writes is kept.
    ///
    /// # Errors
    /// As [`Child::stream`].
    pub async fn output(self, interrupt: &Interrupt) -> Result<Output> {
        let mut stdout = Vec::new();
        let keep = async |piece: Bytes| {
            stdout.extend_from_slice(&piece);
            Ok(())
        };
        let stderr = self.stream(interrupt, keep).await?;
        Ok(Output { stdout, stderr })
    }

    async fn wait(mut self, interrupt: &Interrupt) -> Result<String> {
        let status = tokio::select! {
            status = self.child.wait() => status.explain(Kind::Failed, format!("cannot wait for {}", self.name))?,
            failure = interrupt.wait() => {
                self.end().await;
                return Err(failure);
            }
        };
        let words = (&mut self.words).await.unwrap_or_default();
        if status.success() {
            return Ok(words);
        }
        // What ended it may have been meant for us as well.
        tokio::select! {
            failure = interrupt.wait() => Err(failure),
            () = tokio::time::sleep(HEARD) => Err(self.failure(status, &words)),
        }
    }

    /// It cancels what it runs on the server when it is asked to end.
    async fn end(&mut self) {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // It may have ended by itself.
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT);
        }
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    fn failure(&self, status: ExitStatus, words: &str) -> Failure {
        use std::os::unix::process::ExitStatusExt as _;
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("{} failed with exit code {code}", self.name),
            (None, Some(signal)) => format!("{} {ENDED} {signal}", self.name),
            (None, None) => format!("{} failed", self.name),
        };
        let failure = Failure::new(Kind::Failed, how);
        words.lines().filter(|line| !line.trim().is_empty()).fold(failure, Failure::note)
    }
}

/// What is said of a program that did not end by itself.
const ENDED: &str = "was ended by signal";

/// Whether a program said nothing of what it was to do, because somebody ended it.
pub fn was_ended(failure: &Failure) -> bool {
    failure.messages().iter().any(|message| message.contains(ENDED))
}

/// Reads to the end, so that the child never waits for us; keeps the last part.
async fn last_words(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut words = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read) = from.read(&mut piece).await {
        if read == 0 {
            break;
        }
        words.extend_from_slice(&piece[..read]);
        if words.len() > 2 * WORDS {
            words.drain(..words.len() - WORDS);
        }
    }
    String::from_utf8_lossy(&words).into_owned()
}
