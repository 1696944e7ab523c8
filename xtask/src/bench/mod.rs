//! `cargo xtask bench`: dbctl beside other programs, all in one run, as ratios; and the embedded
//! systems beside what their documents promise. Asserts nothing: a number that misses its aim is
//! printed as such, and the exit code stays 0.

mod backup;
mod bloat;
mod drift;
mod files;
mod inspect;
mod latencies;
mod lint;
mod maintain;
mod markdown;
mod measure;
mod migrate;
mod partitions;
mod peers;
mod report;
mod scene;
mod systems;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask bench migrate [--runs N] [--quick] [--json FILE]
       cargo xtask bench lint [--runs N] [--json FILE]
       cargo xtask bench systems [--system S] [--runs N] [--quick] [--json FILE]
       cargo xtask bench drift [--runs N] [--quick] [--json FILE]
       cargo xtask bench backup [--runs N] [--quick] [--json FILE]
       cargo xtask bench inspect [--runs N] [--quick] [--json FILE]
       cargo xtask bench bloat [--runs N] [--quick] [--json FILE]
       cargo xtask bench maintain [vacuum reindex] [--runs N] [--quick] [--json FILE]
       cargo xtask bench partitions [SCENE...] [--runs N] [--hold SECONDS] [--quick] [--json FILE]
                   scenes: writers noop create memory rows archive adopt; all where none is named";

/// How much is measured.
pub struct Options {
    /// Counted rounds of what takes long; what takes milliseconds gets more of them.
    pub runs: usize,
    /// Leaves out what takes longest.
    pub quick: bool,
    /// `systems`: only this one.
    pub system: Option<String>,
    /// `partitions`, `maintain`: only these.
    pub scenes: Vec<String>,
    /// `partitions`: how long the transaction that is in the way stays open, in seconds.
    pub hold: Option<u64>,
    /// Where every single measurement goes.
    pub json: Option<PathBuf>,
}

/// `bench migrate|lint|systems|drift|inspect|bloat|maintain|backup|partitions [--runs N] [--quick] [--json FILE] ...`.
pub fn run(arguments: &[&str]) -> Result<()> {
    let (what, rest) = arguments.split_first().context(USAGE)?;
    // Others take rounds of seconds, these of minutes.
    let (runs, quick_runs) = if matches!(*what, "partitions" | "backup") { (3, 1) } else { (5, 2) };
    let bench = match *what {
        "migrate" => migrate::run,
        "lint" => lint::run,
        "systems" => systems::run,
        "drift" => drift::run,
        "inspect" => inspect::run,
        "backup" => backup::run,
        "bloat" => bloat::run,
        "maintain" => maintain::run,
        "partitions" => partitions::run,
        _ => bail!(USAGE),
    };
    let mut options = Options { runs, quick: false, system: None, scenes: Vec::new(), hold: None, json: None };
    let mut rest = rest.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--quick" => options = Options { runs: quick_runs, quick: true, ..options },
            "--runs" => {
                let runs = rest.next().and_then(|number| number.parse().ok()).filter(|runs| *runs > 0);
                options.runs = runs.context(USAGE)?;
            }
            "--system" if *what == "systems" => options.system = Some((*rest.next().context(USAGE)?).to_owned()),
            "--hold" if *what == "partitions" => {
                let seconds = rest.next().and_then(|number| number.parse().ok()).filter(|seconds| *seconds > 1);
                options.hold = Some(seconds.context(USAGE)?);
            }
            scene if matches!(*what, "partitions" | "maintain") && !scene.starts_with('-') => {
                options.scenes.push(scene.to_owned())
            }
            "--json" => options.json = Some(PathBuf::from(rest.next().context(USAGE)?)),
            _ => bail!(USAGE),
        }
    }
    bench(&options)
}
