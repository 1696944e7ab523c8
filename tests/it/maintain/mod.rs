//! Maintenance on real servers.

mod refresh;
mod reindex;
mod reindex_faults;
mod repack;
mod repack_faults;
mod repack_refused;

use std::process::Command;

use serde_json::Value;

use crate::harness::{Database, dbctl, run};

/// `dbctl reindex` on a database.
fn reindex(db: &Database, flags: &[&str]) -> Command {
    let mut command = dbctl(&["reindex", "--database-url", &db.url(), "--no-progress"]);
    command.args(flags);
    if !flags.contains(&"--retry-pause") {
        command.args(["--retry-pause", "50ms"]);
    }
    command
}

/// Its answer as JSON.
#[track_caller]
fn answer(db: &Database, flags: &[&str], code: i32) -> Value {
    let run = run(reindex(db, flags).args(["--format", "json"])).expect_code(code);
    serde_json::from_str(&run.stdout).expect("the answer is JSON")
}

/// A column of a table of the answer.
fn column(answer: &Value, table: &str, key: &str) -> Vec<String> {
    let rows = answer[table].as_array().expect("a table");
    rows.iter().map(|row| row[key].as_str().unwrap_or_default().to_owned()).collect()
}

fn names(answer: &Value) -> Vec<String> {
    column(answer, "indexes", "index")
}

/// The oids and files of indexes by name.
fn files(db: &Database) -> Vec<(String, String)> {
    let rows = db.sql(
        "SELECT c.oid::regclass, c.oid || ' ' || c.relfilenode FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid \
         WHERE c.oid > 16384 AND c.relkind = 'i' AND c.relnamespace <> 'pg_toast'::regnamespace \
         AND c.relnamespace IS DISTINCT FROM to_regnamespace('dbctl') ORDER BY c.oid::regclass::text",
    );
    rows.into_iter().map(|row| (row[0].clone().unwrap_or_default(), row[1].clone().unwrap_or_default())).collect()
}
