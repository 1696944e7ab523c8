//! `dbctl vacuum`, and jobs by name, on real servers through the built program.

mod due;
mod jobs;
mod rights;
mod troubles;

use std::process::Command;

use serde_json::Value;

use crate::harness::{Database, dbctl, eventually, run};

/// `dbctl` with these arguments on a database.
fn on(url: &str, args: &[&str]) -> Command {
    let mut command = dbctl(args);
    command.args(["--database-url", url, "--no-progress"]);
    command
}

/// Its answer as JSON, with this exit code.
#[track_caller]
fn answer(url: &str, args: &[&str], code: i32) -> Value {
    let run = run(on(url, args).args(["--format", "json"])).expect_code(code);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

/// The row of a list about a table.
#[track_caller]
fn row<'a>(answer: &'a Value, list: &str, table: &str) -> &'a Value {
    let rows = answer[list].as_array().unwrap_or_else(|| panic!("no {list} in {answer}"));
    rows.iter().find(|row| row["table"] == table).unwrap_or_else(|| panic!("no {table} in {answer}"))
}

/// Which tables a list is about, in its order; those of the catalog may be due by what others do.
fn tables(answer: &Value, list: &str) -> Vec<String> {
    let names = answer[list].as_array().unwrap().iter().map(|row| row["table"].as_str().unwrap().to_owned());
    names.filter(|name| !name.starts_with("pg_catalog.")).collect()
}

/// Runs statements in a session that has ended then: with it, its counters are handed on.
fn apart(db: &Database, sql: &str) {
    let session = db.session();
    session.sql(sql);
    let pid = session.pid();
    drop(session);
    let left = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    eventually("the session has ended", || db.one(&left) == "0");
}

/// A database made by these statements in which nothing is due, the catalog included.
fn calm(db: &Database, sql: &str) {
    apart(db, sql);
    nobody_looks(db);
    apart(db, "VACUUM (ANALYZE)");
    apart(db, "VACUUM");
}

/// Waits until no other session of the database holds a snapshot: one that is just beginning keeps dead rows from being
/// vacuumed away.
fn nobody_looks(db: &Database) {
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                  AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)";
    eventually("nobody looks", || db.one(others) == "0");
}

/// Changes rows, and waits until these counters of `pg_stat_user_tables` are seen.
fn change(db: &Database, sql: &str, counted: &str) {
    apart(db, sql);
    eventually(counted, || db.one(&format!("SELECT bool_and({counted}) FROM pg_stat_user_tables")) == "t");
}
