//! `dbctl bloat` on real servers: what it says against what is left after everything was written anew.

mod corpus;
mod places;
mod shapes;

use serde_json::Value;

use crate::harness::{Database, Run, dbctl, run};

/// What `dbctl bloat` with these arguments says as JSON; sizes after builds are kept in a folder of its own.
fn json(url: &str, args: &[&str]) -> Value {
    let ended = said(url, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&ended.expect_code(0).stdout).unwrap()
}

fn said(url: &str, args: &[&str]) -> Run {
    let home = tempfile::tempdir().unwrap();
    run(dbctl(&[&["bloat"], args].concat()).env("DATABASE_URL", url).env("XDG_STATE_HOME", home.path()))
}

fn row<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let rows = answer["bloat"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} in {answer}"))
}
