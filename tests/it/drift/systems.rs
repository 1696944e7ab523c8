//! The five systems, migrated, filled and rotated: no drift.

use super::*;
use std::path::Path;

#[track_caller]
fn in_sync(system: &str, more: &[&str]) {
    let db = Database::new();
    let of_system = [&["--system", system], more].concat();
    let go =
        |command: &[&str]| run(dbctl(&[command, &of_system].concat()).env("DATABASE_URL", db.url())).expect_code(0);
    go(&["migrate", "up"]);
    go(&["demo-data"]);
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml").display().to_string();
    let rotate = ["partitions", "rotate", "--arm", "--policy", &policy, "--system", system];
    let rotated = run(dbctl(&rotate).env("DATABASE_URL", db.url()));
    // Row jobs have hours of their own.
    assert!(matches!(rotated.code, 0 | 3 | 4), "{}{}", rotated.stdout, rotated.stderr);
    let quiet = go(&["drift", "--format", "json"]);
    assert_eq!(json(&quiet)["in_sync"], true, "{}", quiet.stdout);
    // And it would be seen.
    db.sql("CREATE VIEW public.by_hand AS SELECT 1 AS one");
    let told = run(dbctl(&[&["drift", "--format", "json"], &of_system[..]].concat()).env("DATABASE_URL", db.url()));
    assert_eq!(found(&told.expect_code(2)), ["extra view:public.by_hand"]);
}

#[test]
fn bridge_is_in_sync() {
    in_sync("bridge", &[]);
}

#[test]
fn consultor_is_in_sync() {
    in_sync("consultor", &[]);
}

#[test]
fn fsm_is_in_sync() {
    in_sync("fsm", &[]);
}

#[test]
fn recruitment_is_in_sync() {
    in_sync("recruitment", &["--without", "vector"]);
}

#[test]
fn chat_is_in_sync() {
    in_sync("chat", &[]);
}
