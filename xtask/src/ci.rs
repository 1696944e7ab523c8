//! `cargo xtask ci`: every check of a change, in one command, with the time each took.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{cargo, output, perform, root, succeeds};
use crate::{demo, test};

/// What may be linked into a program that is given away under MIT OR Apache-2.0.
const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

type Stage = (&'static str, fn() -> Result<()>);

/// Runs every stage; the first failure ends it.
pub fn run() -> Result<()> {
    let stages: [Stage; 8] = [
        ("format", || perform(cargo().args(["fmt", "--all", "--check"]))),
        ("lints", || {
            perform(cargo().args(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
        }),
        ("licences", licences),
        ("advisories", advisories),
        ("build", || perform(cargo().args(["build", "--workspace"]))),
        ("tests on 14-18", || test::run(&["--matrix"])),
        ("tests with Parquet", || test::run(&["--features", "parquet", "--test", "it", "transfer::"])),
        ("demo", || demo::run(&[])),
    ];
    let mut took = Vec::new();
    for (name, stage) in stages {
        eprintln!("== {name}");
        let begun = Instant::now();
        let done = stage();
        took.push(format!(
            "{:>7.1} s  {name}{}",
            begun.elapsed().as_secs_f64(),
            if done.is_ok() { "" } else { "  FAILED" }
        ));
        if done.is_err() {
            eprintln!("{}", took.join("\n"));
            return done.with_context(|| format!("stage '{name}'"));
        }
    }
    eprintln!("{}", took.join("\n"));
    Ok(())
}

/// Every package that is built into us must allow it. Needs no network and no further program.
fn licences() -> Result<()> {
    let metadata = output(cargo().args(["metadata", "--all-features", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut refused = BTreeMap::new();
    for package in packages {
        let name =
            format!("{} {}", package["name"].as_str().unwrap_or("?"), package["version"].as_str().unwrap_or("?"));
        let licence = package["license"].as_str().unwrap_or("none given");
        if !is_allowed(licence) {
            refused.insert(name, licence.to_owned());
        }
    }
    if refused.is_empty() {
        eprintln!("{} packages, every licence is allowed", packages.len());
        return Ok(());
    }
    let lines: Vec<String> = refused.iter().map(|(name, licence)| format!("{name}: {licence}")).collect();
    bail!("licences that are not on the list in xtask/src/ci.rs:\n{}", lines.join("\n"))
}

/// An SPDX expression: every part of AND must offer, among its ORs, one that is allowed. `/` is the
/// old spelling of OR.
fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

/// Known vulnerabilities, where cargo-deny is installed and its database can be had.
fn advisories() -> Result<()> {
    if !succeeds(cargo().args(["deny", "--version"])) {
        eprintln!("NOT CHECKED: known vulnerabilities. cargo-deny is not installed: cargo install cargo-deny --locked");
        return Ok(());
    }
    let fetched = succeeds(cargo().args(["deny", "fetch", "db"]));
    if !fetched {
        eprintln!("NOT CHECKED: known vulnerabilities. The advisory database cannot be fetched");
        return Ok(());
    }
    let mut deny = cargo();
    deny.args(["deny", "check", "advisories"]).current_dir(root());
    perform(&mut deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_needs_one_allowed_licence_in_every_part() {
        assert!(is_allowed("MIT OR Apache-2.0"));
        assert!(is_allowed("MIT/Apache-2.0"));
        assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(is_allowed("Apache-2.0 WITH LLVM-exception OR GPL-3.0"));
        assert!(!is_allowed("GPL-3.0-only"));
        assert!(!is_allowed("MIT AND GPL-3.0-only"));
        assert!(!is_allowed("none given"));
    }
}
