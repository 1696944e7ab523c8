//! `cargo xtask bench systems`: what the design documents promise about speed, beside what this
//! machine measures. Asserts nothing.

mod bridge;
mod chat;
mod load;
mod place;
mod pooler;
mod promise;
mod recruitment;
mod vectors;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::json;

use self::promise::Promises;
use super::Options;

const SYSTEMS: [&str; 3] = ["bridge", "recruitment", "chat"];

/// How much is measured.
pub struct Size {
    /// Counted runs of what takes milliseconds.
    pub samples: usize,
    /// Fewer rows, shorter loads.
    pub quick: bool,
}

/// Prints a table after the other as they are done, and at the end what misses its target.
pub fn run(options: &Options) -> Result<()> {
    let chosen: Vec<&str> = match &options.system {
        None => SYSTEMS.to_vec(),
        Some(name) => SYSTEMS.into_iter().filter(|system| system == name).collect(),
    };
    if chosen.is_empty() {
        bail!("nothing is promised for that system; there are: {}", SYSTEMS.join(", "));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let size = Size { samples: options.runs * 100, quick: options.quick };
    let dbctl = place::build()?;
    println!("{}\n", head());
    let mut all: Vec<Promises> = Vec::new();
    for system in chosen {
        let begun = Instant::now();
        let measured = runtime.block_on(async {
            match system {
                "bridge" => bridge::run(dbctl.clone(), &size).await,
                "recruitment" => recruitment::run(dbctl.clone(), &size).await,
                _ => chat::run(dbctl.clone(), &size).await,
            }
        });
        let measured = measured.unwrap_or_else(|error| {
            let mut promises = Promises::new(system);
            promises.missing(format!("system {system}"), format!("{error:#}"));
            vec![promises]
        });
        measured.iter().for_each(|promises| println!("{}", promises.table()));
        eprintln!("{system}: {:.0} s", begun.elapsed().as_secs_f64());
        all.extend(measured);
    }
    let missed: Vec<String> = all.iter().flat_map(Promises::missed).collect();
    println!("{}", if missed.is_empty() { "every target is met" } else { "MISSED:" });
    missed.iter().for_each(|line| println!("- {line}"));
    if options.quick {
        println!("--quick: fewer rows and shorter loads than the documents speak of");
    }
    if let Some(file) = &options.json {
        let tables: Vec<_> = all.iter().map(Promises::json).collect();
        let text = json!({ "version": 1, "head": head(), "tables": tables, "missed": missed }).to_string();
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn head() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().map_or(String::new(), |load| format!(", load {load}"));
    [
        format!("{cores} cores{load}; server, pooler and clients share them; fsync on, Unix socket."),
        "Times are the client's, from the question to the last row. ratio: p95 (or the".to_owned(),
        "figure) by its target; up to 1 the promise is kept, '!' marks the others.".to_owned(),
    ]
    .join("\n")
}
