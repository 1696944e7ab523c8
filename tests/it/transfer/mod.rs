//! Rows out into files and back in: every type in every form, damage, places, and runs that end early.

mod damage;
mod import;
mod parquet;
mod places;
mod vectors;
mod zoo;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Database, Run, dbctl, run};

/// The forms of a file by the ends of their names.
#[cfg(not(feature = "parquet"))]
const ENDINGS: [&str; 5] = ["ndjson", "csv.zst", "copy", "bin", "ndjson.zst"];
#[cfg(feature = "parquet")]
const ENDINGS: [&str; 6] = ["ndjson", "csv.zst", "copy", "bin", "ndjson.zst", "parquet"];

/// A folder for files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.file(name), text).unwrap();
        self.path(name)
    }

    /// What lies in it, sorted.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn command(url: &str, verb: &str, flags: &[&str]) -> Command {
    let mut command = dbctl(&[verb, "--database-url", url, "--format", "json"]);
    command.args(flags);
    command
}

fn export(db: &Database, flags: &[&str]) -> Run {
    run(&mut command(&db.url(), "export", flags))
}

fn import(db: &Database, flags: &[&str]) -> Run {
    run(&mut command(&db.url(), "import", flags))
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

/// Every row's text, sorted.
fn rows(db: &Database, table: &str) -> Vec<String> {
    db.sql(&format!("SELECT (r.*)::text FROM {table} AS r ORDER BY 1"))
        .into_iter()
        .map(|mut row| row.remove(0).unwrap_or_default())
        .collect()
}

/// 5,000 rows.
fn small() -> Database {
    let db = Database::new();
    db.sql(
        "CREATE TABLE public.t (id bigint PRIMARY KEY, at timestamptz NOT NULL, note text); \
         INSERT INTO public.t SELECT i, '2025-01-01 00:00Z'::timestamptz + i * interval '1 min', 'note ' || i || E'\\nnext' \
         FROM generate_series(1, 5000) AS i; CREATE TABLE public.copy (LIKE public.t INCLUDING ALL)",
    );
    db
}
