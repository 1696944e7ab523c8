//! Ending what is in the way: whom, whom not, and whether it helped.

use super::*;
use crate::harness::private_server;
use dbctl::pg::sandbox::{Options, Sandbox};

/// A server with a role `app`, whose idle transaction keeps five readers waiting.
fn blocked() -> (Sandbox, Database, Session, Vec<(Session, Waiting)>) {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE app LOGIN; CREATE TABLE t (a int); GRANT ALL ON t TO app");
    let holder = db.session_with(|config| {
        config.user("app");
    });
    holder.sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let all = waiters(&db, 5, |_| "SELECT * FROM t".to_owned());
    (server, db, holder, all)
}

#[test]
fn nothing_is_sent_without_a_yes_and_a_cancel_of_an_idle_transaction_is_refused() {
    let (_server, db, holder, all) = blocked();
    let pid = holder.pid().to_string();
    let asked = said(&db.url(), &["locks", "terminate", "--root"]).expect_code(4);
    assert!(asked.stdout.contains("--yes") && asked.stdout.contains(&pid), "{}", asked.stdout);
    said(&db.url(), &["locks", "terminate", "--root", "--dry-run", "--yes"]).expect_code(0);
    let refused = said(&db.url(), &["locks", "cancel", &pid, "--yes"]).expect_code(4);
    assert!(refused.stdout.contains(&format!("locks terminate {pid}")), "{}", refused.stdout);
    assert_eq!(waiting(&db), 5);
    // Sent all the same, it does nothing, and that is said.
    let forced = said(&db.url(), &["locks", "cancel", &pid, "--yes", "--force", "--format", "json"]).expect_code(1);
    let answer: Value = serde_json::from_str(&forced.stdout).unwrap();
    assert_eq!(answer["targets"][0]["result"], "still there");
    assert_eq!(
        (&answer["targets"][0]["waiters_before"], &answer["targets"][0]["waiters_after"]),
        (&5.into(), &5.into())
    );
    assert!(forced.stderr.contains(&format!("sent pg_cancel_backend({pid})")), "{}", forced.stderr);
    assert_eq!(waiting(&db), 5);
    drop(all);
}

#[test]
fn a_root_is_terminated_and_its_waiters_are_seen_to_go() {
    let (_server, db, holder, all) = blocked();
    let none = said(&db.url(), &["locks", "terminate", "--root", "--older-than", "1h", "--yes"]).expect_code(0);
    assert!(none.stdout.contains("No session is meant"), "{}", none.stdout);
    said(&db.url(), &["locks", "terminate", "--root", "--state", "active", "--yes"]).expect_code(0);
    assert_eq!(waiting(&db), 5);
    let args = ["locks", "terminate", "--root", "--state", "idle-in-transaction", "--yes", "--format", "json"];
    let ended = said(&db.url(), &args).expect_code(0);
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    let target = &answer["targets"][0];
    assert_eq!(target["pid"], holder.pid());
    assert_eq!(
        (&target["waiters_before"], &target["waiters_after"], &target["result"]),
        (&5.into(), &0.into(), &"gone".into())
    );
    all.into_iter().for_each(|(_, statement)| drop(statement.wait().unwrap()));
    assert!(holder.try_sql("SELECT 1").is_err());
}

#[test]
fn a_running_statement_is_cancelled_and_its_session_stays() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE app LOGIN; CREATE TABLE t (a int); GRANT ALL ON t TO app");
    let reader = db.session();
    reader.sql("BEGIN; SELECT * FROM t");
    let alter = db.session_with(|config| {
        config.user("app");
    });
    let statement = alter.start("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    eventually("it waits", || waiting(&db) == 1);
    let all = waiters(&db, 3, |_| "SELECT * FROM t".to_owned());
    said(&db.url(), &["locks", "cancel", &alter.pid().to_string(), "--yes"]).expect_code(0);
    assert_eq!(statement.wait().unwrap_err().code, "57014");
    all.into_iter().for_each(|(_, statement)| drop(statement.wait().unwrap()));
    alter.rollback();
    assert!(!alter.is_closed());
}

#[test]
fn some_sessions_are_not_ended_without_force() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE app LOGIN");
    let superuser = db.session();
    let ours = db.session_with(|config| {
        config.user("app").application_name("dbctl:migrate");
    });
    let checkpointer = db.one("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
    for (pid, why) in [
        (superuser.pid().to_string(), "a superuser's session"),
        (ours.pid().to_string(), "a run of dbctl"),
        (checkpointer, "a checkpointer is no session"),
        ("2147483647".to_owned(), "no such session"),
    ] {
        let refused = said(&db.url(), &["locks", "terminate", &pid, "--yes"]).expect_code(4);
        assert!(refused.stdout.contains(why), "{why}: {}", refused.stdout);
    }
    let below = said(&db.url(), &["locks", "--warn", "2min"]).expect_code(64);
    assert!(below.stderr.contains("--crit (60 s) is below --warn (120 s)"), "{}", below.stderr);
    assert!(superuser.try_sql("SELECT 1").is_ok() && ours.try_sql("SELECT 1").is_ok());
    said(&db.url(), &["locks", "terminate", &ours.pid().to_string(), "--yes", "--force"]).expect_code(0);
    assert!(ours.try_sql("SELECT 1").is_err());
}

#[test]
fn a_filter_that_is_not_heeded_or_not_known_sends_nothing() {
    let (_server, db, holder, all) = blocked();
    let pid = holder.pid().to_string();
    // Of the roots only: beside a PID a filter would pass without effect, and the session be ended.
    for filter in [["--state", "active"], ["--older-than", "1h"]] {
        let refused = said(&db.url(), &["locks", "terminate", &pid, filter[0], filter[1], "--yes"]).expect_code(64);
        assert!(refused.stderr.contains(filter[0]), "{}", refused.stderr);
    }
    let wrong = said(&db.url(), &["locks", "terminate", "--root", "--state", "idel", "--yes"]).expect_code(64);
    assert!(wrong.stderr.contains("idle-in-transaction"), "{}", wrong.stderr);
    // Who may not see the state cannot know that nobody is in it.
    db.sql("CREATE ROLE signaller LOGIN IN ROLE pg_signal_backend");
    let args = ["locks", "terminate", "--root", "--state", "idle in transaction", "--yes"];
    let blind = said(&db.url_as("signaller"), &args).expect_code(4);
    assert!(blind.stdout.contains("GRANT pg_read_all_stats"), "{}", blind.stdout);
    assert_eq!(waiting(&db), 5);
    let twice = said(&db.url(), &["locks", "terminate", &pid, &pid, "--yes", "--format", "json"]).expect_code(0);
    let answer: Value = serde_json::from_str(&twice.stdout).unwrap();
    assert_eq!(answer["targets"].as_array().unwrap().len(), 1, "{answer}");
    drop(all);
}
