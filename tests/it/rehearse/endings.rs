//! Limits, failing migrations, signals: the exit code, what is said, and that the copy is gone.

use nix::sys::signal::Signal;

use super::{Case, alone, json, scratches};
use crate::harness::{eventually, majors, run, spawn};

fn newest() -> u32 {
    *majors().last().unwrap()
}

#[test]
fn a_lock_or_a_duration_above_its_limit_is_a_finding_that_names_the_statement() {
    let case = Case::with(
        "CREATE TABLE t (a int);",
        &["ALTER TABLE t ADD b int;\nCREATE TABLE n (a int); ALTER TABLE n ADD c int;\nSELECT pg_sleep(0.3);"],
    );
    let document = case.json(&["--max-lock", "share-update-exclusive", "--max-duration", "200ms"], 2);
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{document:#}");
    let (lock, long) = (&findings[0], &findings[1]);
    assert_eq!((&lock["rule"], &long["rule"]), (&"max-lock".into(), &"max-duration".into()));
    assert!(lock["place"].as_str().unwrap().ends_with("V2__step.sql:1:1"), "{lock}");
    assert!(lock["message"].as_str().unwrap().contains("ACCESS EXCLUSIVE on public.t"), "{lock}");
    assert!(long["place"].as_str().unwrap().ends_with("V2__step.sql:3:1"), "{long}");
    case.rehearse(&["--max-lock", "ACCESS EXCLUSIVE", "--max-duration", "20s"], 0);
    case.rehearse(&["--max-lock", "strong"], 64);
    assert!(case.rehearse(&["--fill", "-3"], 64).stderr.contains("neither a number of rows nor like-target"));
}

#[test]
fn a_migration_that_fails_is_a_finding_with_its_place_and_what_ran_before() {
    let (_server, db) = alone(newest());
    let case = Case::on(
        db,
        "CREATE TABLE t (a int);\nINSERT INTO t VALUES (1), (NULL);",
        &["CREATE TABLE u (a int);", "ALTER TABLE t ADD b int;\n\nALTER TABLE t ALTER a SET NOT NULL;\nSELECT 1;"],
    );
    let run = case.rehearse(&[], 2);
    for words in ["result:           fails", "V3__step.sql:3:1", "^", "contains null values", "23502"] {
        assert!(run.stdout.contains(words), "{words} is not in\n{}", run.stdout);
    }
    let document = case.json(&[], 2);
    let shown: Vec<&str> =
        super::statements(&document).iter().map(|line| line["statement"].as_str().unwrap()).collect();
    assert_eq!(shown, ["CREATE TABLE u (a int)", "ALTER TABLE t ADD b int", "ALTER TABLE t ALTER a SET NOT NULL"]);
    assert_eq!(super::line(&document, "SET NOT NULL")["failed"], true);
    assert!(document["findings"][0]["place"].as_str().unwrap().ends_with("V3__step.sql:3:1"), "{document:#}");
    assert!(scratches(&case.db).is_empty());
    assert_eq!(case.db.one("SELECT count(*) FROM refinery_schema_history"), "1");
    // A syntax error too, and outside of a transaction.
    case.file(2, "CREATE TABEL u (a int);");
    assert!(case.rehearse(&[], 2).stdout.contains("V2__step.sql:1:8"));
    case.file(2, "CREATE UNIQUE INDEX CONCURRENTLY i ON t ((1));");
    assert!(case.rehearse(&[], 2).stdout.contains("could not create unique index"));
    assert!(scratches(&case.db).is_empty());
}

#[test]
fn nothing_pending_and_dry_runs_make_no_copy() {
    let (_server, db) = alone(newest());
    let case = Case::on(db, "CREATE TABLE t (a int);", &[]);
    case.db.sql("CREATE ROLE nobody LOGIN; GRANT SELECT ON refinery_schema_history TO nobody");
    let rehearse = |args: &[&str]| run(case.command(args).env("DATABASE_URL", case.db.url_as("nobody")));
    assert!(rehearse(&[]).expect_code(0).stdout.contains("nothing to rehearse"));
    case.file(2, "SELECT 1;");
    let planned = rehearse(&["--dry-run", "--format", "json"]).expect_code(0);
    assert_eq!(json(&planned)["kind"], "migrate.plan");
    rehearse(&[]).expect_code(77);
    case.rehearse(&["--to", "7"], 64);
}

#[test]
fn signals_drop_the_copy_and_a_kill_leaves_it_marked() {
    let (_server, db) = alone(newest());
    let case = Case::on(db, "CREATE TABLE t (a int);", &["SELECT pg_sleep(60);"]);
    let in_it = || {
        case.db.one("SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'dbctl%' AND query LIKE 'SELECT pg_sleep%' AND state = 'active'")
            == "1"
    };
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let child = spawn(&mut case.command(&[]));
        eventually("it sleeps in its copy", in_it);
        child.signal(signal);
        let run = child.wait().expect_code(code);
        assert!(run.stdout.is_empty() && scratches(&case.db).is_empty(), "{signal}: {}", run.stderr);
    }
    let child = spawn(&mut case.command(&[]));
    eventually("it sleeps in its copy", in_it);
    child.signal(Signal::SIGKILL);
    child.wait();
    let left = scratches(&case.db);
    assert_eq!(left.len(), 1);
    let marked = case.db.one(&format!(
        "SELECT shobj_description(oid, 'pg_database') LIKE '%mark ' || datconnlimit FROM pg_database WHERE datname = '{}'",
        left[0]
    ));
    assert_eq!(marked, "t");
    // The server ends the statement of a client that died, and nobody is left in it.
    eventually("the copy is empty", || {
        case.db.one(&format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", left[0])) == "0"
    });
    // Too young to be swept, but in nobody's way.
    case.file(2, "SELECT 1;");
    case.rehearse(&[], 0);
    assert_eq!(scratches(&case.db), left);
}

#[test]
fn a_signal_ends_the_sandbox_as_well() {
    let case = Case::with("CREATE TABLE t (a int);", &["SELECT pg_sleep(60);"]);
    let sandboxes = case.dir().join("sandboxes");
    let child = spawn(case.command(&["--sandbox"]).env("DBCTL_SANDBOX_DIR", &sandboxes));
    let folders =
        || std::fs::read_dir(&sandboxes).map_or(0, |found| found.flatten().filter(|f| f.path().is_dir()).count());
    eventually("a sandbox is there", || folders() == 1);
    child.signal(Signal::SIGINT);
    child.wait().expect_code(130);
    eventually("the sandbox is gone", || folders() == 0);
}

#[test]
fn two_at_once_do_not_meet() {
    let (_server, db) = alone(newest());
    let case = Case::on(db, "CREATE TABLE t (a int);", &["ALTER TABLE t ADD b int; SELECT pg_sleep(1);"]);
    let children = [spawn(&mut case.command(&[])), spawn(&mut case.command(&[]))];
    for child in children {
        child.wait().expect_code(0);
    }
    assert!(scratches(&case.db).is_empty());
}
