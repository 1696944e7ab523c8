//! Every check at every level. One server on which everything is the matter; thresholds make it OK.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};

use dbctl::check::{CHECKS, Check, Unit};
use dbctl::pg::sandbox::{Options, StopMode};

use super::*;
use crate::harness::{Database, eventually, majors, private_server, standby};

const RATES: [&str; 6] = ["deadlocks", "rollbacks", "cache_hit", "temp_files", "checkpoints", "latency"];

/// A dbctl.yaml in which every check warns, or is critical, at once; or never.
fn yaml(url: &str, fires: Option<bool>) -> String {
    let mut text = format!("targets:\n  it: {{url: '{url}', migrations: migrations}}\nchecks:\n");
    for check in CHECKS {
        let limits = check.keys().into_iter().map(|(key, metric, warns)| {
            let time = if metric.unit == Unit::Seconds { "s" } else { "" };
            let limit = match fires {
                Some(of_warn) if of_warn == warns && metric.lower => format!("1000000{time}"),
                Some(of_warn) if of_warn == warns => format!("0{time}"),
                _ => "off".to_owned(),
            };
            format!("{key}: {limit}")
        });
        let policy = if check.id == "partitions" { "policy: partitions.yaml, " } else { "" };
        text.push_str(&format!("  {}: {{{policy}{}}}\n", check.id, limits.collect::<Vec<_>>().join(", ")));
    }
    text
}

#[test]
fn every_check_is_in_order_warns_is_critical_and_unknown() {
    for major in majors() {
        levels_on(major);
    }
}

fn levels_on(major: u32) {
    let setting = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let settings = [
        ("archive_mode", "on"),
        ("archive_command", "false"),
        ("deadlock_timeout", "10ms"),
        ("max_slot_wal_keep_size", "1GB"),
        ("autovacuum_naptime", "1h"),
        ("wal_retrieve_retry_interval", "50ms"),
    ];
    let settings = settings.map(setting).to_vec();
    let mut server = private_server(&Options { major: Some(major), settings, ..Options::default() });
    let mut db = Database::at(&server);
    if db.one("SHOW data_checksums") != "on" {
        server.stop(StopMode::Fast).unwrap();
        let mut enable = server.command_as_server(server.program("pg_checksums"));
        enable.args(["--enable", "--no-sync", "-D"]).arg(server.data_dir());
        assert!(enable.output().unwrap().status.success());
        server.start_again().unwrap();
        db = db.reconnected();
    }
    db.sql("CREATE TABLE damaged WITH (autovacuum_enabled = off) AS SELECT generate_series(1, 1000) AS a");
    let file = server.data_dir().join(db.one("SELECT pg_relation_filepath('damaged')"));
    let copy = standby(&server);
    server.stop(StopMode::Fast).unwrap();
    damage(&file);
    server.start_again().unwrap();
    db = db.reconnected();
    let folder = folder();
    let said = |url: &str, fires: Option<bool>, args: &[&str]| {
        json(&check(url, folder.path(), &yaml(url, fires), &[args, &["--target", "it", "--format", "json"]].concat()))
    };
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    std::fs::write(folder.path().join("migrations/V1__a.sql"), "CREATE TABLE a (id int);").unwrap();
    let policy = "version: 1\ndefaults: {timezone: UTC}\ntables:\n  public.events: {key: at, every: day, ahead: 3, keep: 30 days, expire: drop}\n";
    std::fs::write(folder.path().join("partitions.yaml"), policy).unwrap();
    db.sql("SELECT pg_stat_reset()");
    let failures = "SELECT sum(checksum_failures) FROM pg_stat_database";
    eventually("the damage is counted", || {
        db.try_sql("SELECT count(*) FROM damaged").unwrap_err();
        db.one(failures) != "0"
    });
    let first = said(&db.url(), None, &[]);
    for id in RATES {
        let (level, message) = verdict(&first, id);
        assert_eq!(level, "UNKNOWN", "{id}: {message}");
        assert!(message.contains("counting began now"), "{id}: {message}");
    }
    eventually("the standby answers", || copy.session("postgres").is_ok());
    eventually("it streams again", || db.one("SELECT count(*) FROM pg_stat_replication") == "1");
    copy.session("postgres").unwrap().sql("SELECT pg_wal_replay_pause()");

    db.sql("CREATE TABLE parent (id int PRIMARY KEY)");
    db.sql("CREATE TABLE child (id serial, parent int REFERENCES parent, a int) WITH (autovacuum_enabled = off)");
    db.sql("INSERT INTO parent SELECT generate_series(1, 2000)");
    db.sql("INSERT INTO child (parent, a) SELECT g % 1000 + 1, 1 FROM generate_series(1, 20000) g");
    db.sql("ANALYZE child");
    db.sql("UPDATE child SET a = 2");
    db.sql(
        "CREATE TABLE loose WITH (fillfactor = 20, autovacuum_enabled = off) AS SELECT generate_series(1, 20000) AS a",
    );
    let counted = "SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'loose'";
    eventually("its rows are counted", || db.one(counted) == "20000");
    db.sql("ALTER TABLE loose RESET (fillfactor)");
    db.sql("VACUUM ANALYZE loose");
    db.sql("CREATE INDEX twin ON parent (id)");
    db.sql("CREATE TABLE idle AS SELECT md5(g::text) AS a FROM generate_series(1, 30000) AS g");
    db.sql("CREATE INDEX nobody ON idle (a)");
    db.sql("CREATE TABLE events (at timestamptz NOT NULL) PARTITION BY RANGE (at)");
    db.sql(
        "SET TimeZone = 'UTC'; DO $$ BEGIN EXECUTE format('CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (%L) TO (%L)', \
         current_date, current_date + 1); END $$",
    );
    db.sql("CREATE TABLE fresh (a int)");
    db.sql("INSERT INTO fresh SELECT generate_series(1, 1000)");
    db.try_sql("CREATE UNIQUE INDEX CONCURRENTLY twice ON child (a)").unwrap_err();
    db.sql("SELECT setval('child_id_seq', 2000000000)");
    db.sql("SELECT pg_create_physical_replication_slot('left', true)");
    db.sql("ALTER SYSTEM SET max_locks_per_transaction = 65");
    db.sql("SELECT pg_reload_conf()");
    eventually("it waits for a restart", || db.one("SELECT count(*) FROM pg_settings WHERE pending_restart") == "1");
    // Of the collations that every build has, only the builtin ones have a version.
    if major >= 17 {
        db.sql("CREATE COLLATION older (PROVIDER = builtin, LOCALE = 'C.UTF-8')");
        db.sql("UPDATE pg_collation SET collversion = '0' WHERE collname = 'older'");
    }
    db.sql("SELECT pg_switch_wal()");
    eventually("archiving fails", || db.one("SELECT failed_count > 0 FROM pg_stat_archiver") == "t");
    for _ in 0..6 {
        db.sql("CHECKPOINT");
    }
    // Two who share a row.
    let (one, two) = (db.session(), db.session());
    one.sql("BEGIN; SELECT FROM parent WHERE id = 1 FOR SHARE");
    two.sql("BEGIN; SELECT FROM parent WHERE id = 1 FOR SHARE");
    // A deadlock.
    let (left, right) = (db.session(), db.session());
    left.sql("BEGIN; SELECT pg_advisory_xact_lock(1)");
    right.sql("BEGIN; SELECT pg_advisory_xact_lock(2)");
    let statement = left.start("SELECT pg_advisory_xact_lock(2)");
    let met = right.try_sql("SELECT pg_advisory_xact_lock(1)").is_err();
    let ended =
        if met { right.try_sql("ROLLBACK").is_ok() && statement.wait().is_ok() } else { statement.wait().is_err() };
    assert!(ended, "one of the two is ended");
    let busy = db.session();
    busy.sql(&"BEGIN; ROLLBACK;".repeat(300));
    busy.sql("SET work_mem = '64kB'");
    busy.sql("SELECT count(*) FROM (SELECT g FROM generate_series(1, 100000) g ORDER BY g DESC) s");
    busy.sql("DO $$ BEGIN FOR i IN 1..150 LOOP PERFORM count(*) FROM child; END LOOP; END $$");
    drop((busy, left, right));
    eventually("it is all counted", || {
        db.one(
            "SELECT deadlocks > 0 AND xact_rollback > 300 AND temp_bytes > 0 AND blks_hit > 10000 FROM pg_stat_database \
             WHERE datname = current_database()",
        ) == "t"
    });
    let sleeper = db.session();
    let _sleeps = sleeper.start("SELECT pg_sleep(600)");
    let (holder, waiter) = (db.session(), db.session());
    holder.sql("SELECT pg_advisory_lock(7)");
    let _waits = waiter.start("SELECT pg_advisory_lock(7)");
    eventually("one waits", || {
        db.one("SELECT count(*) FROM pg_locks WHERE NOT granted AND waitstart < clock_timestamp() - interval '10ms'")
            == "1"
    });

    let (fine, warns, crits) =
        (said(&db.url(), None, &[]), said(&db.url(), Some(true), &[]), said(&db.url(), Some(false), &[]));
    let skipped = |check: &Check| check.id == "collation" && major < 17;
    for check in CHECKS.iter().filter(|check| !skipped(check)) {
        for (answer, level) in [(&fine, "OK"), (&warns, "WARN"), (&crits, "CRIT")] {
            let (found, message) = verdict(answer, check.id);
            assert_eq!(found, level, "{} on {major}: {message}", check.id);
        }
    }
    // The standby, whose replay is paused.
    let args = ["--only", "replication_lag", "--format", "json"];
    let paused = verdict(&json(&check(&copy.url("postgres"), folder.path(), "", &args)), "replication_lag");
    assert_eq!((paused.0.as_str(), paused.1.contains("replay is paused")), ("CRIT", true), "{paused:?}");
    let (level, message) = verdict(&said(&copy.url("postgres"), None, &[]), "replication_lag");
    assert_eq!(level, "OK", "{message}");

    // A server that does not answer: one is CRIT, all the others UNKNOWN.
    let nowhere = said("postgresql://postgres@/postgres?host=/nowhere", None, &[]);
    assert_eq!(verdict(&nowhere, "conn").0, "CRIT");
    for check in CHECKS {
        assert_eq!(verdict(&nowhere, check.id).0, "UNKNOWN", "{}", check.id);
    }
}

/// Writes into the second page of a table; its server is down.
fn damage(file: &Path) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(8192 + 4000)).unwrap();
    file.write_all(b"a disk that forgets").unwrap();
}
