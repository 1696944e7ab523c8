//! `cargo xtask bench lint`: a thousand files, hazards among them, looked at without a server.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use super::Options;
use super::measure::{Case, compare};
use super::report::{Aim, Comparison};
use crate::process::{cargo, perform, program, target};

const FILES: usize = 1_000;

/// Prints one table.
pub fn run(options: &Options) -> Result<()> {
    perform(cargo().args(["build", "--release", "--quiet", "--package", "dbctl", "--bin", "dbctl"]))?;
    let dbctl = target().join("release/dbctl");
    let scratch = target().join(format!("bench-lint-{}", std::process::id()));
    let measured = measure(&dbctl, &scratch, options);
    // What could not be removed is in target, where cargo clean finds it.
    let _ = fs::remove_dir_all(&scratch);
    let comparison = measured?;
    println!("{}", comparison.table());
    if let Some(file) = &options.json {
        let text = json!({ "version": 1, "tables": [comparison.json()] }).to_string();
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn measure(dbctl: &Path, scratch: &Path, options: &Options) -> Result<Comparison> {
    let folder = scratch.join("migrations");
    let bytes = write(&folder)?;
    let lint = |form: &'static str| {
        let (dbctl, folder) = (dbctl.to_owned(), folder.clone());
        Case::new(format!("dbctl migrate lint, {form}"), move || {
            let mut command = program(&dbctl);
            // Its findings are no failure of the measurement.
            let quiet = FILES_HAVE.map(|(_, rule)| format!("--rule={rule}=warning"));
            command.args(["migrate", "lint", "--format", form, "--dir"]).arg(&folder).args(quiet);
            command
        })
    };
    let all = compare(&[lint("json"), lint("table")], options.runs * 2, scratch);
    let aims = all
        .iter()
        .map(|series| Aim::under(&series.name, 1_000.0, " ms", series.wall().map(|wall| wall.median)))
        .collect();
    let title = format!("Lint of {FILES} files, {} KiB, one in ten hazardous", bytes / 1024);
    Ok(Comparison { title, rounds: options.runs * 2, all, aims })
}

/// What every tenth file says, and which rule finds it.
const FILES_HAVE: [(&str, &str); 4] = [
    ("CREATE INDEX t{b}_b ON app.t{b} (b);", "index-not-concurrent"),
    ("ALTER TABLE app.t{b} ALTER COLUMN a TYPE bigint;", "column-type-change"),
    ("ALTER TABLE app.t{b} ALTER COLUMN b SET NOT NULL;", "set-not-null"),
    ("ALTER TABLE app.t{b} ADD CONSTRAINT t{b}_a CHECK (a > 0);", "check-validates"),
];

/// Writes the files; how many bytes they have.
fn write(folder: &Path) -> Result<usize> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut bytes = 0;
    for number in 1..=FILES {
        let before = number.saturating_sub(7).max(1);
        let mut text = format!(
            "-- Lock: none that anybody waits for.\nCREATE TABLE app.t{number} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
             a integer NOT NULL CHECK (a <> 0),\n    b text DEFAULT 'x;y',\n    created_at timestamptz NOT NULL DEFAULT now()\n);\n\
             CREATE INDEX t{number}_a_idx ON app.t{number} (a);\nCOMMENT ON TABLE app.t{number} IS 'one of many';\n\
             CREATE FUNCTION app.f{number}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    NEW.b := lower(NEW.b);\n    RETURN NEW;\nEND $$;\n\
             CREATE TRIGGER t{number}_b BEFORE INSERT ON app.t{number} FOR EACH ROW EXECUTE FUNCTION app.f{number}();\n\
             INSERT INTO app.t{number} (a, b) VALUES (1, 'a'), (2, 'b'), (3, 'c');\n\
             ALTER TABLE app.t{before} ADD COLUMN c{number} text;\n"
        );
        if let (0, Some((statement, _))) = (number % 10, FILES_HAVE.get(number / 10 % FILES_HAVE.len())) {
            text.push_str(&statement.replace("{b}", &before.to_string()));
        }
        bytes += text.len();
        fs::write(folder.join(format!("V{number}__t{number}.sql")), text)?;
    }
    Ok(bytes)
}
