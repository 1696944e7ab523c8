//! One run of a command while clients work, and what both lived through.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::ground::Ground;
use super::traffic::{Log, Stream, Traffic};
use crate::bench::latencies::Latencies;
use crate::bench::measure::Spread;
use crate::process::line;

/// Clients alone first: plans are made, pages are read.
const WARM_UP: Duration = Duration::from_secs(2);
/// After the transaction that is in the way has begun.
const HEAD_START: Duration = Duration::from_secs(1);

/// dbctl's exit code when it was in somebody's way for too long: it did what it could.
const DEFERRED: i32 = 3;

/// What happens around the command.
pub struct Play<'a> {
    /// The database.
    pub dbname: &'a str,
    /// The clients.
    pub streams: &'a [Stream],
    /// A psql script that is run from one second before the command on: a transaction in the way.
    pub holder: Option<&'a PathBuf>,
    /// How long the clients work at least, from the holder's (or the command's) beginning on.
    pub at_least: Duration,
    /// Whether the transactions of the command are sampled.
    pub watch: bool,
}

/// What came of it.
pub struct Seen {
    log: Log,
    from: f64,
    to: f64,
    /// How long the command took, in seconds.
    pub took: Option<f64>,
    /// What it said if it did not end with 0, or what it has left undone.
    pub complaint: Option<String>,
    /// Whether it broke: what the clients lived through meanwhile says nothing.
    pub broke: bool,
}

impl Seen {
    /// A stream's calls from the holder's or the command's beginning on.
    pub fn calls(&self, stream: &str) -> Latencies {
        self.log.between(stream, self.from, self.to)
    }

    /// The longest transaction of the command in milliseconds.
    pub fn longest(&self) -> Option<f64> {
        self.log.longest
    }

    /// What went wrong, for the notes.
    pub fn complaints(&self) -> Vec<String> {
        let failed = (self.log.errors > 0).then(|| {
            format!("{} calls of clients failed: {}", self.log.errors, self.log.first_error.as_deref().unwrap_or("?"))
        });
        self.complaint.clone().into_iter().chain(failed).collect()
    }
}

/// The median over the rounds in which the command did not break; none if it broke in all.
pub fn median<'a>(rounds: impl IntoIterator<Item = &'a Seen>, figure: impl Fn(&'a Seen) -> Option<f64>) -> Option<f64> {
    let values = rounds.into_iter().filter(|seen| !seen.broke).filter_map(figure);
    Spread::of(values).map(|spread| spread.median)
}

/// Runs the command, or nothing for the baseline.
pub fn play(ground: &Ground, play: &Play<'_>, command: Option<Command>) -> Result<Seen> {
    let traffic = Traffic::start(&ground.scene.config(play.dbname), play.streams, play.watch)?;
    std::thread::sleep(WARM_UP);
    let from = traffic.now();
    let holder = play.holder.map(|script| {
        let mut psql = ground.psql_file(play.dbname, script);
        psql.stdout(Stdio::null()).spawn()
    });
    let holder = holder.transpose().context("cannot run psql")?;
    if holder.is_some() {
        std::thread::sleep(HEAD_START);
    }
    let (mut took, mut complaint, mut broke) = (None, None, false);
    if let Some(mut command) = command {
        let begun = traffic.now();
        let done = command.output().with_context(|| format!("cannot run {}", line(&command)))?;
        took = Some(traffic.now() - begun);
        broke = !matches!(done.status.code(), Some(0 | DEFERRED));
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let mut lines = said.lines().filter(|line| !line.trim().is_empty());
            let line = lines.clone().find(|line| line.contains("rror")).or_else(|| lines.next_back());
            complaint = Some(format!("{}: {}", done.status, line.unwrap_or_default().trim()));
        }
    }
    if let Some(mut holder) = holder {
        let status = holder.wait()?;
        anyhow::ensure!(status.success(), "the transaction that was to be in the way failed");
    }
    // A second at least, so that nobody who waited for the command is left out.
    let rest = (play.at_least.as_secs_f64() - (traffic.now() - from)).max(1.0);
    std::thread::sleep(Duration::from_secs_f64(rest));
    let to = traffic.now();
    Ok(Seen { log: traffic.stop()?, from, to, took, complaint, broke })
}
