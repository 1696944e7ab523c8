//! Where a look is taken from: beside a locked table, with few rights, on a standby, through a pool.

use std::time::{Duration, Instant};

use super::*;
use crate::harness::{Pooler, private_server, standby};
use dbctl::pg::sandbox::Options;

fn locked(db: &Database) -> (Session, Vec<(Session, Waiting)>) {
    db.sql("CREATE TABLE \"Odd \u{1f418} \"\" name\" (a int)");
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE \"Odd \u{1f418} \"\" name\" IN ACCESS EXCLUSIVE MODE");
    let all = waiters(db, 1, |_| "SELECT 'secret', * FROM \"Odd \u{1f418} \"\" name\"".to_owned());
    (holder, all)
}

#[test]
fn a_locked_table_keeps_no_look_waiting_and_odd_names_are_shown() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    let (holder, all) = locked(&db);
    for args in [&["locks"][..], &["activity"]] {
        let begun = Instant::now();
        said(&db.url(), args).expect_code(0);
        assert!(begun.elapsed() < Duration::from_secs(5), "{args:?}");
    }
    let answer = json(&db.url(), &["locks"]);
    assert_eq!(roots(&answer), [i64::from(holder.pid())]);
    assert_eq!(answer["roots"][0]["waiters"][0]["object"], "public.\"Odd \u{1f418} \"\" name\"");
    assert!(said(&db.url(), &["locks"]).stdout.contains("secret"));
    for args in [&["locks", "--redact"][..], &["activity", "--redact", "--longer-than", "0s"]] {
        for format in ["table", "json"] {
            let text = said(&db.url(), &[args, &["--format", format]].concat()).expect_code(0).stdout;
            assert!(!text.contains("secret"), "{text}");
        }
    }
    let found = said(&db.url(), &["locks", "--exit-code", "--warn", "1ms"]).expect_code(2);
    assert!(found.stdout.contains("1 session waits"), "{}", found.stdout);
    said(&db.url(), &["locks", "--exit-code"]).expect_code(0);
    drop((holder, all));
}

#[test]
fn what_a_role_may_not_see_is_counted_and_named() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE nobody LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor");
    let (holder, all) = locked(&db);
    let seen = json(&db.url_as("monitor"), &["locks"]);
    assert_eq!((seen["hidden"].as_i64(), seen["notes"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let blind = json(&db.url_as("nobody"), &["locks"]);
    assert_eq!(roots(&blind), [i64::from(holder.pid())]);
    assert_eq!(edges(&blind), truth(&db));
    assert_eq!(blind["hidden"], 2);
    assert!(blind["notes"][0].as_str().unwrap().contains("GRANT pg_monitor"), "{blind}");
    assert!(said(&db.url_as("nobody"), &["locks"]).stdout.contains("UNKNOWN"));
    let blind = said(&db.url_as("nobody"), &["activity"]).expect_code(0);
    assert!(blind.stdout.contains("UNKNOWN") && blind.stdout.contains("GRANT pg_monitor"), "{}", blind.stdout);
    // The holder is idle in a transaction.
    assert!(blind.stdout.contains("Whether somebody is idle in a transaction is UNKNOWN."), "{}", blind.stdout);
    assert_eq!(json(&db.url_as("monitor"), &["activity"])["hidden"], 0);
    let pid = holder.pid().to_string();
    let refused = said(&db.url_as("nobody"), &["locks", "terminate", &pid, "--yes"]).expect_code(4);
    assert!(refused.stdout.contains("pg_read_all_stats"), "{}", refused.stdout);
    let missing = said(&db.url_as("monitor"), &["locks", "terminate", &pid, "--yes", "--force"]).expect_code(77);
    assert!(missing.stderr.contains("GRANT pg_signal_backend"), "{}", missing.stderr);
    assert_eq!(waiting(&db), 1);
    drop(all);
}

#[test]
fn a_standby_answers() {
    let server = private_server(&Options::default());
    let copy = standby(&server);
    eventually("the standby answers", || copy.session("postgres").is_ok());
    let holder = copy.session("postgres").unwrap();
    holder.sql("SELECT pg_advisory_lock(1)");
    let second = copy.session("postgres").unwrap();
    let _statement = second.start("SELECT pg_advisory_lock(1)");
    eventually("one waits", || json(&copy.url("postgres"), &["locks"])["waiting"] == 1);
    assert_eq!(roots(&json(&copy.url("postgres"), &["locks"])), [i64::from(holder.pid())]);
    assert_eq!(json(&copy.url("postgres"), &["activity"])["standby"], true);
}

#[test]
fn a_replay_that_waits_for_a_query_is_no_root() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE TABLE conflict (a int)");
    let copy = standby(&server);
    let there = || {
        copy.session(db.name()).ok().is_some_and(|session| session.one("SELECT to_regclass('conflict')") == "conflict")
    };
    eventually("the standby has the table", there);
    let setting = copy.session("postgres").unwrap();
    setting.sql("ALTER SYSTEM SET max_standby_streaming_delay = -1");
    setting.sql("SELECT pg_reload_conf()");
    let holder = copy.session(db.name()).unwrap();
    holder.sql("BEGIN; SELECT * FROM conflict");
    db.sql("ALTER TABLE conflict ADD b int");
    let looked = || json(&copy.url(db.name()), &["locks"]);
    eventually("the replay waits", || looked()["waiting"] == 1);
    let victim = copy.session(db.name()).unwrap();
    let _statement = victim.start("SELECT * FROM conflict");
    eventually("a query waits behind it", || looked()["waiting"] == 2);
    let seen = looked();
    assert_eq!(roots(&seen), [i64::from(holder.pid())], "{seen}");
    holder.commit();
    eventually("both go on", || looked()["waiting"] == 0);
}

#[test]
fn a_standby_that_receives_is_never_told_to_receive_nothing() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE nobody LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor");
    let copy = standby(&server);
    let streams = || db.one("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1";
    eventually("it streams", || copy.session("postgres").is_ok() && streams());
    let url = |role: &str| copy.url("postgres").replacen("//postgres@", &format!("//{role}@"), 1);
    let check = |role: &str| {
        let args = ["check", "--only", "replication_lag", "--format", "json"];
        let ended = run(dbctl(&args).env("DATABASE_URL", url(role)));
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
        let row = answer["checks"].as_array().unwrap().iter().find(|row| row["check"] == "replication_lag").cloned();
        row.unwrap()
    };
    assert_eq!(json(&url("monitor"), &["replication"])["receiver"], "streaming");
    assert_eq!(check("monitor")["level"], "OK");
    let blind = said(&url("nobody"), &["replication"]).expect_code(0).stdout;
    assert!(!blind.contains("not receiving") && blind.contains("GRANT pg_monitor"), "{blind}");
    let verdict = check("nobody");
    assert_eq!(verdict["level"], "UNKNOWN", "{verdict}");
    // Nothing comes any more: how far it is behind is known to nobody here.
    let there = copy.session("postgres").unwrap();
    there.sql("ALTER SYSTEM SET primary_conninfo = 'host=/nowhere'");
    there.sql("SELECT pg_reload_conf()");
    eventually("it is cut off", || json(&url("monitor"), &["replication"])["receiver"] == "not receiving");
    let cut_off = json(&url("monitor"), &["replication"]);
    assert_ne!(cut_off["replay_seconds"], 0.0, "{cut_off}");
    for role in ["monitor", "nobody"] {
        assert_eq!(check(role)["level"], "CRIT", "{role}");
    }
}

#[test]
fn a_pool_of_transactions_is_no_obstacle_and_is_left_as_it_was() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    let Some(pooler) = Pooler::start(&server, "transaction", &[]) else { return };
    let url = pooler.url(db.name());
    let (holder, _all) = locked(&db);
    for _ in 0..3 {
        assert_eq!(roots(&json(&url, &["locks"])), [i64::from(holder.pid())]);
        json(&url, &["activity"]);
    }
    let mut config: tokio_postgres::Config = url.parse().unwrap();
    let client = Session::open(config.application_name("next client").clone()).unwrap();
    assert_eq!(client.one("SELECT current_setting('lock_timeout')"), "0");
    assert_eq!(client.one("SELECT current_setting('statement_timeout')"), "0");
    assert_eq!(client.one("SELECT count(*) FROM pg_prepared_statements"), "0");
}
