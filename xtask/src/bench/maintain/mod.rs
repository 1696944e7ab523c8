//! `cargo xtask bench maintain`: what is kept in order, beside PostgreSQL's own programs for it. Asserts nothing.

mod reindex;
mod vacuum;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Options;
use super::report::Comparison;

/// What the parts have in common: how they are called.
type Part = fn(&Options) -> Result<Vec<Comparison>>;

const PARTS: [(&str, Part); 2] = [("vacuum", vacuum::run), ("reindex", reindex::run)];

/// Prints one table after the other as they are done.
pub fn run(options: &Options) -> Result<()> {
    let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = options.scenes.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no part {unknown}; there are: {}", known.join(", "));
    }
    let mut all = Vec::new();
    for (name, part) in PARTS {
        if options.scenes.is_empty() || options.scenes.iter().any(|chosen| chosen == name) {
            all.extend(part(options)?);
        }
    }
    if let Some(file) = &options.json {
        let tables: Vec<_> = all.iter().map(Comparison::json).collect();
        let text = json!({ "version": 1, "tables": tables }).to_string();
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
