//! `cargo xtask bench partitions`: what upkeep of partitions does to those who work meanwhile, and
//! what it takes, beside pg_partman, pg-partsmith and plain SQL. Asserts nothing.

mod adopt;
mod archive;
mod create;
mod ground;
mod live;
mod memory;
mod noop;
mod policy;
mod rows;
mod sets;
mod sheet;
mod traffic;
mod writers;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::json;

use self::ground::Ground;
use self::sheet::Sheet;
use super::Options;

type Scene = fn(&Ground, &Size) -> Result<Vec<Sheet>>;

const SCENES: [(&str, Scene); 7] = [
    ("writers", writers::run),
    ("noop", noop::run),
    ("create", create::run),
    ("memory", memory::run),
    ("rows", rows::run),
    ("archive", archive::run),
    ("adopt", adopt::run),
];

/// How much is measured.
pub struct Size {
    /// Counted rounds.
    pub runs: usize,
    /// Fewer rows, shorter transactions.
    pub quick: bool,
    /// How long the transaction that is in the way stays open, in seconds.
    pub hold: u64,
}

/// Prints a table after the other as they are done, and at the end what misses its aim.
pub fn run(options: &Options) -> Result<()> {
    let known: Vec<&str> = SCENES.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = options.scenes.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no scene {unknown}; there are: {}", known.join(", "));
    }
    let ground = Ground::ready()?;
    let hold = options.hold.unwrap_or(if options.quick { 4 } else { 8 });
    let size = Size { runs: options.runs, quick: options.quick, hold };
    let head = ground.head()?;
    println!("{head}\n");
    let mut all: Vec<Sheet> = Vec::new();
    for (name, scene) in SCENES {
        if !options.scenes.is_empty() && !options.scenes.iter().any(|chosen| chosen == name) {
            continue;
        }
        eprintln!("{name}: begun");
        let begun = Instant::now();
        let sheets = scene(&ground, &size).unwrap_or_else(|error| vec![Sheet::failed(name, &error)]);
        sheets.iter().for_each(|sheet| println!("{}", sheet.text));
        eprintln!("{name}: {:.0} s", begun.elapsed().as_secs_f64());
        all.extend(sheets);
    }
    let missed: Vec<&String> = all.iter().flat_map(|sheet| &sheet.missed).collect();
    println!("{}", if missed.is_empty() { "every aim is met" } else { "MISSED, or not measured:" });
    missed.iter().for_each(|line| println!("- {line}"));
    if options.quick {
        println!("--quick: fewer rows, shorter transactions, fewer rounds");
    }
    if let Some(file) = &options.json {
        let tables: Vec<_> = all.iter().map(|sheet| &sheet.json).collect();
        let text = json!({ "version": 1, "head": head, "tables": tables, "missed": missed }).to_string();
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
