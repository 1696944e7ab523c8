//! Windows, budgets and standbys: a run ends or pauses where it is, and the next one goes on.

use std::time::Instant;

use chrono::{NaiveTime, Timelike};
use dbctl::outcome::Outcome;
use dbctl::pg::sandbox::Options;
use dbctl::policy::{Batch, RowJob, Window};
use dbctl::retain::{Count, Stop};

use super::*;
use crate::harness::{eventually, private_server, standby};

#[test]
fn outside_of_its_window_a_run_writes_nothing() {
    let db = table(100, true);
    let hour = Utc::now().hour();
    let at = |hours: u32| NaiveTime::from_hms_opt((hour + hours) % 24, 0, 0).unwrap();
    let within = |from, to| {
        let pace = Pace { window: Some(Window { from, to }), ..job().pace };
        Case::new(&db, RowJob { pace, ..job() })
    };
    let report = within(at(3), at(5)).run();
    assert_eq!((report.rows, report.left, report.outcome()), (0, Count::Exact(50), Outcome::Deferred));
    assert_eq!(report.stop, Some(Stop::Window));
    assert_eq!(db.one("SELECT to_regclass('dbctl.run') IS NULL"), "t");
    let report = within(at(22), at(3)).run();
    assert_eq!((report.rows, report.outcome()), (50, Outcome::Done));
}

#[test]
fn a_budget_ends_a_run_where_it_is() {
    let db = table(20_000, true);
    db.sql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.0005); RETURN OLD; END $$;
         CREATE TRIGGER slow BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION slow();",
    );
    let pace = Pace { budget: Some(Duration::from_millis(600)), ..job().pace };
    let case = Case::new(&db, RowJob { pace, ..job() });
    let report = case.run();
    assert_eq!((report.stop.clone(), report.outcome()), (Some(Stop::Budget), Outcome::Deferred));
    assert!(report.rows > 0 && report.rows < 10_000, "{report:?}");
    assert!(matches!(report.left, Count::About(_)), "{report:?}");
    assert_eq!(db.one("SELECT state FROM dbctl.journal ORDER BY id DESC LIMIT 1"), "applied");
    db.sql("DROP TRIGGER slow ON t");
    assert_eq!(Case::new(&db, job()).run().rows, 10_000 - report.rows);
}

#[test]
fn a_standby_that_stands_still_pauses_the_work_until_it_goes_on() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql(
        "CREATE TABLE t (id bigint, at timestamptz);
         INSERT INTO t SELECT i, now() - interval '60 days' - i * interval '1 second' FROM generate_series(1, 4000) AS i;
         CREATE INDEX ON t (at);
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN OLD; END $$;
         CREATE TRIGGER slow BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION slow();",
    );
    let copy = standby(&server);
    eventually("the standby follows", || {
        db.one("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"
    });
    eventually("the standby answers", || copy.session("postgres").is_ok());
    let reader = copy.session("postgres").unwrap();
    let pace = Pace { max_replica_lag: Some(Duration::from_secs(1)), ..job().pace };
    let case = Case::new(&db, RowJob { pace, batch: Batch { max_rows: 20, ..job().batch }, ..job() });
    let count = || db.one("SELECT count(*) FROM t").parse::<u32>().unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| case.try_run());
        eventually("the work is under way", || count() < 3900);
        reader.sql("SELECT pg_wal_replay_pause()");
        let mut last = (count(), Instant::now());
        eventually("the work pauses", || {
            let now = count();
            if now != last.0 {
                last = (now, Instant::now());
            }
            last.1.elapsed() > Duration::from_secs(2)
        });
        assert!(last.0 > 0, "it was done before it could pause");
        reader.sql("SELECT pg_wal_replay_resume()");
        let (report, told) = run.join().unwrap();
        let report = report.unwrap();
        assert_eq!((report.rows, report.outcome()), (4000, Outcome::Done));
        assert!(report.paused > Duration::from_secs(1), "{report:?}");
        assert!(
            told.iter().any(|line| line.contains("paused: standby") && line.contains("behind, more than 1.0 s")),
            "{told:?}"
        );
    });
}

#[test]
fn a_lag_that_cannot_be_seen_is_not_fine() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql(
        "CREATE TABLE t (id bigint, at timestamptz); INSERT INTO t VALUES (1, '2020-01-01');
            CREATE ROLE clerk LOGIN; GRANT ALL ON t TO clerk; CREATE SCHEMA dbctl AUTHORIZATION clerk",
    );
    let pace = Pace { max_replica_lag: Some(Duration::from_secs(10)), max_slot_wal: Some(1 << 40), ..job().pace };
    let limited = RowJob { pace, ..job() };
    let copy = standby(&server);
    eventually("the standby follows", || {
        db.one("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"
    });
    eventually("the standby answers", || copy.session("postgres").is_ok());
    let case = Case { url: db.url_as("clerk"), ..Case::new(&db, limited.clone()) };
    case.warns("! there is a limit, but how far standby");
    assert_eq!(case.run().outcome(), Outcome::Refused);
    db.sql("GRANT pg_monitor TO clerk");
    assert_eq!(case.run().rows, 1);
    db.sql("SELECT pg_create_physical_replication_slot('lost', true); INSERT INTO t VALUES (1, '2020-01-01')");
    case.warns("! there is a limit, but 1 replication slots have a standby that is not connected");
    db.sql("SELECT pg_drop_replication_slot('lost')");
    assert_eq!(case.run().rows, 1);
}
