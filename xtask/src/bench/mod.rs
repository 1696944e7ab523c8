//! `cargo xtask bench`: dbctl beside other programs, all in one run, as ratios; and the embedded
//! systems beside what their documents promise. Asserts nothing: a number that misses its aim is
//! printed as such, and the exit code stays 0.

mod files;
mod measure;
mod migrate;
mod peers;
mod report;
mod scene;
mod systems;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask bench migrate [--runs N] [--quick] [--json FILE]
       cargo xtask bench systems [--system S] [--runs N] [--quick] [--json FILE]";

/// How much is measured.
pub struct Options {
    /// Counted rounds of what takes long; what takes milliseconds gets more of them.
    pub runs: usize,
    /// Leaves out what takes longest.
    pub quick: bool,
    /// `systems`: only this one.
    pub system: Option<String>,
    /// Where every single measurement goes.
    pub json: Option<PathBuf>,
}

/// `bench migrate|systems [--system S] [--runs N] [--quick] [--json FILE]`.
pub fn run(arguments: &[&str]) -> Result<()> {
    let (what, rest) = arguments.split_first().context(USAGE)?;
    let bench = match *what {
        "migrate" => migrate::run,
        "systems" => systems::run,
        _ => bail!(USAGE),
    };
    let mut options = Options { runs: 5, quick: false, system: None, json: None };
    let mut rest = rest.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--quick" => options = Options { runs: 2, quick: true, ..options },
            "--runs" => {
                let runs = rest.next().and_then(|number| number.parse().ok()).filter(|runs| *runs > 0);
                options.runs = runs.context(USAGE)?;
            }
            "--system" if *what == "systems" => options.system = Some((*rest.next().context(USAGE)?).to_owned()),
            "--json" => options.json = Some(PathBuf::from(rest.next().context(USAGE)?)),
            _ => bail!(USAGE),
        }
    }
    bench(&options)
}
