//! A bucket instead of a folder: data first, the manifest last, and servers that fail at first or for ever.

use std::process::Command;

use nix::sys::signal::Signal;

use super::{filled, json, run};
use crate::harness::{Database, Flaky, S3, dbctl, eventually, spawn};

fn create(db: &Database, s3: &S3) -> Command {
    let mut command = dbctl(&["backup", "create", "--to", &s3.url()]);
    command.env("DATABASE_URL", db.url()).envs(s3.variables());
    command
}

fn verify(s3: &S3) -> Command {
    let mut command = dbctl(&["backup", "verify", "--from", &s3.url(), "--format", "json"]);
    command.envs(s3.variables());
    command
}

#[test]
fn a_bucket_holds_backups() {
    let Some(s3) = S3::start() else { return };
    let db = filled();
    run(&mut create(&db, &s3)).expect_code(0);
    let proven = run(&mut verify(&s3)).expect_code(0);
    assert_eq!(json(&proven.stdout)["good"], true);
}

#[test]
fn a_bucket_that_fails_at_first_is_asked_again() {
    let Some(s3) = S3::start() else { return };
    let db = filled();
    let flaky = Flaky::before(Some(&s3), 4);
    run(create(&db, &s3).env("AWS_ENDPOINT_URL", &flaky.endpoint)).expect_code(0);
    assert_eq!(flaky.refused(), 4);
    run(&mut verify(&s3)).expect_code(0);
}

#[test]
fn a_bucket_that_may_not_be_written_is_named_and_nothing_is_there() {
    let Some(s3) = S3::that_knows_nobody() else { return };
    let db = filled();
    let refused = run(&mut create(&db, &s3)).expect_code(77);
    assert!(refused.stderr.contains("s3://"), "{}", refused.stderr);
    for secret in s3.variables().iter().filter(|(name, _)| name.contains("KEY")).map(|(_, value)| value) {
        assert!(!refused.stderr.contains(secret), "{}", refused.stderr);
    }
}

/// What a killed run has uploaded is no backup, and does not disturb the next one.
#[test]
fn a_killed_run_leaves_objects_and_no_backup() {
    let Some(s3) = S3::start() else { return };
    let db = filled();
    db.sql("CREATE TABLE public.noise AS SELECT i, (SELECT string_agg(md5(random()::text || g), '') FROM generate_series(1, 30) AS g WHERE i > 0) AS note FROM generate_series(1, 60000) AS i");
    let child = spawn(&mut create(&db, &s3));
    eventually("rows are copied", || {
        db.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dbctl:backup' AND query LIKE 'COPY%noise%' AND datname = current_database()") == "1"
    });
    child.signal(Signal::SIGKILL);
    child.wait().expect_code(137);
    let none = run(&mut verify(&s3)).expect_code(1);
    assert!(none.stderr.contains("there is no backup 'latest'"), "{}", none.stderr);
    run(&mut create(&db, &s3)).expect_code(0);
    run(&mut verify(&s3)).expect_code(0);
}
