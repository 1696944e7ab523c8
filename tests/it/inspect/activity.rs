//! Sessions, long transactions, and who holds the horizon.

use super::*;
use crate::harness::{eventually, majors, private_server};
use dbctl::pg::sandbox::Options;

#[test]
fn sessions_idle_transactions_and_holders_of_the_horizon_are_told() {
    for major in majors() {
        let server = private_server(&Options {
            major: Some(major),
            settings: vec![
                ("max_prepared_transactions".to_owned(), "5".to_owned()),
                ("wal_level".to_owned(), "logical".to_owned()),
            ],
            ..Options::default()
        });
        let db = Database::at(&server);
        db.sql("CREATE TABLE t (a int)");
        // First: it would wait for the transactions.
        db.sql("SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
        let idle = db.session_with(|config| {
            config.application_name("forgetful");
        });
        idle.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'secret' FROM t");
        let prepared = db.session();
        prepared.sql("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'left'");
        let answer = json(&db.url(), &["activity", "--longer-than", "0s"]);
        assert_eq!(answer["kind"], "activity");
        let of = |table: &str, key: &str, value: &str| -> Value {
            let rows = answer[table].as_array().unwrap();
            rows.iter()
                .find(|row| row[key] == value)
                .unwrap_or_else(|| panic!("{major}: {value} in {answer:#}"))
                .clone()
        };
        assert_eq!(of("states", "state", "idle in transaction")["sessions"], 1);
        assert_eq!(of("groups", "application", "forgetful")["idle_in_transaction"], 1);
        assert_eq!(answer["long_transactions"][0]["pid"], idle.pid());
        let row = &answer["idle_in_transaction"][0];
        assert_eq!((&row["pid"], &row["holds"][0]), (&idle.pid().into(), &"AccessShare on public.t".into()));
        let pid = idle.pid().to_string();
        assert!(
            of("horizon", "name", &pid)["remedy"].as_str().unwrap().contains(&format!("pg_terminate_backend({pid})"))
        );
        assert_eq!(of("horizon", "name", "left")["remedy"], "ROLLBACK PREPARED 'left'");
        let slot = of("horizon", "holder", "replication slot");
        assert!(slot["remedy"].as_str().unwrap().contains("pg_drop_replication_slot('s')"), "{slot}");
        assert!(of("horizon", "name", "left")["age_transactions"].as_i64().unwrap() >= 1);
        // What has just begun is waited for, not ended.
        let young = json(&db.url(), &["activity", "--longer-than", "1h"]);
        let remedies: Vec<&str> =
            young["horizon"].as_array().unwrap().iter().filter_map(|row| row["remedy"].as_str()).collect();
        assert!(remedies.iter().filter(|remedy| remedy.starts_with("-- wait")).count() >= 2, "{young:#}");
        assert!(remedies.iter().any(|remedy| remedy.contains("pg_drop_replication_slot")), "{young:#}");
        let people = said(&db.url(), &["activity", "--longer-than", "0s"]).expect_code(0).stdout;
        assert!(
            people.lines().all(|line| line.chars().count() <= 80) && people.contains("ROLLBACK PREPARED"),
            "{people}"
        );
        // Who sees nothing of others still knows which are the server's own processes.
        db.sql("CREATE ROLE activity_blind LOGIN");
        // Those of the runs before may not have ended yet: their sessions are waited for, and each look leaves its own out.
        let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name LIKE 'dbctl:%'";
        let alone = || eventually("the sessions of dbctl have ended", || db.one(others) == "0");
        alone();
        let blind = json(&db.url_as("activity_blind"), &["activity"]);
        alone();
        let sessions = db.one("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'");
        assert_eq!(
            (blind["sessions"].to_string(), blind["hidden"].to_string()),
            (sessions.clone(), sessions),
            "{blind}"
        );
        db.sql("ROLLBACK PREPARED 'left'");
        db.sql("SELECT pg_drop_replication_slot('s')");
    }
}
