//! Vital signs and replication: a primary with a standby, a slot, a subscription; few rights; a locked table.

use super::*;
use crate::harness::{majors, private_server, standby};
use dbctl::pg::sandbox::Options;

fn row<'a>(answer: &'a Value, table: &str, key: &str, value: &str) -> &'a Value {
    let rows = answer[table].as_array().unwrap();
    rows.iter().find(|row| row[key] == value).unwrap_or_else(|| panic!("{value} in {answer:#}"))
}

#[test]
fn a_primary_and_its_standby_are_told() {
    for major in majors() {
        let setting = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let settings = [("wal_level", "logical"), ("max_slot_wal_keep_size", "1GB")].map(setting).to_vec();
        let server = private_server(&Options { major: Some(major), settings, ..Options::default() });
        let db = Database::at(&server);
        let empty = json(&db.url(), &["replication"]);
        assert_eq!((&empty["standbys"], &empty["standby"]), (&Value::Array(Vec::new()), &false.into()));
        let copy = standby(&server);
        eventually("the standby answers", || copy.session("postgres").is_ok());
        eventually("it streams", || {
            db.one("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"
        });
        db.sql("SELECT pg_create_physical_replication_slot('left', true)");
        copy.session("postgres").unwrap().sql("SELECT pg_wal_replay_pause()");
        db.sql("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000)");
        db.sql(&format!(
            "CREATE SUBSCRIPTION \"Odd sub\" CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false, enabled = false{})",
            if major >= 15 { ", slot_name = NONE" } else { ", slot_name = NONE, create_slot = false" }
        ));
        let mut answer = Value::Null;
        eventually("it is behind", || {
            answer = json(&db.url(), &["replication"]);
            row(&answer, "standbys", "name", "copy")["replay_bytes"].as_i64().is_some_and(|bytes| bytes > 0)
        });
        let standby = row(&answer, "standbys", "name", "copy");
        assert_eq!((&standby["state"], &standby["sync_state"]), (&"streaming".into(), &"async".into()));
        let slot = row(&answer, "slots", "name", "left");
        assert_eq!(
            (&slot["active"], &slot["wal_status"], &slot["limit_bytes"]),
            (&false.into(), &"reserved".into(), &1_073_741_824_i64.into())
        );
        assert!(slot["retained_bytes"].as_i64().unwrap() > 0, "{slot}");
        assert_eq!(row(&answer, "subscriptions", "name", "Odd sub")["state"], "disabled");
        let there = json(&copy.url("postgres"), &["replication"]);
        assert_eq!((&there["standby"], &there["receiver"]), (&true.into(), &"streaming".into()));
        assert_eq!(there["replay_pause"], "paused");
        assert!(there["replay_bytes"].as_i64().unwrap() > 0, "{there}");
        db.sql("CREATE ROLE vital_nobody LOGIN; CREATE ROLE vital_monitor LOGIN IN ROLE pg_monitor");
        let blind = said(&db.url_as("vital_nobody"), &["replication"]).expect_code(0).stdout;
        assert!(blind.contains("UNKNOWN") && blind.contains("GRANT pg_monitor"), "{blind}");
        let monitor = said(&db.url_as("vital_monitor"), &["replication"]).expect_code(0).stdout;
        assert!(!monitor.contains("UNKNOWN"), "{monitor}");
        for text in [blind, monitor, said(&copy.url("postgres"), &["replication"]).expect_code(0).stdout] {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        db.sql("DROP SUBSCRIPTION \"Odd sub\"");
        health(&db, &copy.url("postgres"));
    }
}

#[test]
fn the_table_that_analyze_writes_waits_for_none() {
    let db = Database::new();
    db.sql("CREATE TABLE wide ()");
    let more: Vec<String> = (0..500).map(|column| format!("ADD more_{column} int DEFAULT {column}")).collect();
    db.sql(&format!("ALTER TABLE wide {}; INSERT INTO wide SELECT FROM generate_series(1, 100)", more.join(", ")));
    db.sql("ANALYZE wide");
    eventually("its changes are counted", || {
        db.sql("SELECT 1");
        db.one("SELECT pg_stat_get_mod_since_analyze('pg_statistic'::regclass) >= 500") == "t"
    });
    let queue = json(&db.url(), &["health", "autovacuum"]);
    let of = queue["queue"].as_array().unwrap().iter().find(|table| table["relation"] == "pg_catalog.pg_statistic");
    assert!(of.is_none_or(|table| table["waits_for"] != "analyze"), "{queue}");
}

fn health(db: &Database, standby: &str) {
    db.sql("CREATE TABLE \"Odd \"\" one\" (id smallserial, a int) WITH (autovacuum_enabled = off)");
    db.sql("INSERT INTO \"Odd \"\" one\" (a) SELECT generate_series(1, 20000)");
    let holder = db.session();
    holder.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE \"Odd \"\" one\" IN ACCESS EXCLUSIVE MODE; SELECT 1");
    eventually("its rows are counted", || {
        // A session of 14 reports what it counted at the end of a later transaction.
        db.sql("SELECT 1");
        let queue = json(&db.url(), &["health", "autovacuum"]);
        let odd = |table: &&Value| table["relation"] == "public.\"Odd \"\" one\"";
        queue["queue"].as_array().unwrap().iter().find(odd).is_some_and(|table| table["never_analyzed"] == true)
    });
    let answer = json(&db.url(), &["health"]);
    let sections: BTreeSet<&str> =
        answer["signs"].as_array().unwrap().iter().map(|sign| sign["section"].as_str().unwrap()).collect();
    assert_eq!(
        sections,
        BTreeSet::from(["autovacuum", "cache", "checkpoints", "counters", "horizon", "sequences", "wraparound"])
    );
    let sequence = row(&answer, "sequences", "fills", "public.\"Odd \"\" one\".id");
    assert_eq!((&sequence["last"], &sequence["most"]), (&20_000.into(), &32_767.into()));
    let queue = row(&answer, "queue", "relation", "public.\"Odd \"\" one\"");
    assert_eq!((&queue["enabled"], &queue["never_analyzed"]), (&"OFF".into(), &true.into()));
    assert!(
        answer["signs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|sign| sign["of"].as_str().unwrap().contains(&holder.pid().to_string()))
    );
    let one = json(&db.url(), &["health", "wraparound"]);
    assert!(one["signs"].as_array().unwrap().iter().all(|sign| sign["section"] == "wraparound"), "{one}");
    assert!(one["databases"][0]["xid_age"].as_i64().unwrap() > 0);
    let blind = said(&db.url_as("vital_nobody"), &["health"]).expect_code(0).stdout;
    assert!(blind.contains("UNKNOWN"), "{blind}");
    for text in [
        blind,
        said(&db.url_as("vital_monitor"), &["health"]).expect_code(0).stdout,
        said(standby, &["health"]).expect_code(0).stdout,
    ] {
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
    said(&db.url(), &["health", "wraparnd"]).expect_code(64);
    // Where the catalog itself is locked, what needs it is UNKNOWN and the rest is told.
    let locker = db.session();
    locker.sql("BEGIN; LOCK TABLE pg_catalog.pg_sequence IN ACCESS EXCLUSIVE MODE");
    let part = json(&db.url(), &["health", "sequences", "checkpoints"]);
    assert_eq!(row(&part, "signs", "section", "sequences")["value"], Value::Null);
    assert!(row(&part, "signs", "section", "sequences")["of"].as_str().unwrap().contains("locked"), "{part}");
    row(&part, "signs", "section", "checkpoints");
}
