//! `cargo xtask bench`: dbctl beside other programs, all in one run, as ratios. Asserts nothing: a
//! number that misses its aim is printed as such, and the exit code stays 0.

mod files;
mod measure;
mod migrate;
mod peers;
mod report;
mod scene;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: cargo xtask bench migrate [--runs N] [--quick] [--json FILE]";

/// How much is measured.
pub struct Options {
    /// Counted rounds of what takes long; what takes milliseconds gets five times as many.
    pub runs: usize,
    /// Leaves out the sets of 1,000.
    pub quick: bool,
    /// Where every single measurement goes.
    pub json: Option<PathBuf>,
}

/// `bench migrate [--runs N] [--quick] [--json FILE]`.
pub fn run(arguments: &[&str]) -> Result<()> {
    let Some(("migrate", rest)) = arguments.split_first().map(|(what, rest)| (*what, rest)) else { bail!(USAGE) };
    let mut options = Options { runs: 5, quick: false, json: None };
    let mut rest = rest.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--quick" => options = Options { runs: 2, quick: true, ..options },
            "--runs" => {
                let runs = rest.next().and_then(|number| number.parse().ok()).filter(|runs| *runs > 0);
                options.runs = runs.context(USAGE)?;
            }
            "--json" => options.json = Some(PathBuf::from(rest.next().context(USAGE)?)),
            _ => bail!(USAGE),
        }
    }
    migrate::run(&options)
}
