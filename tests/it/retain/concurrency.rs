//! Others use the table meanwhile: their locks are stepped around, their rows are never lost, and a
//! broken connection costs one batch.

use std::sync::atomic::{AtomicBool, Ordering};

use dbctl::error::Kind;
use dbctl::outcome::Outcome;
use dbctl::policy::{Batch, LockPolicy, RowAction, RowJob};
use dbctl::retain::Count;

use super::*;
use crate::harness::eventually;

#[test]
fn rows_that_others_hold_are_left_to_the_next_run() {
    for indexed in [true, false] {
        let db = table(2000, indexed);
        let other = db.session();
        other.begin();
        other.sql("SELECT FROM t WHERE id <= 20 FOR UPDATE");
        let case = Case::new(&db, job());
        let report = case.run();
        assert_eq!((report.rows, report.left, report.outcome()), (990, Count::Exact(10), Outcome::Deferred));
        other.commit();
        let report = case.run();
        assert_eq!((report.rows, report.left, report.outcome()), (10, Count::Exact(0), Outcome::Done));
    }
}

#[test]
fn a_lock_on_the_table_is_tried_for_and_then_deferred_by_name() {
    let db = table(100, true);
    let case =
        Case::new(&db, RowJob { lock: LockPolicy { patience: Duration::from_millis(500), ..job().lock }, ..job() });
    let plan = case.plan();
    let other = db.session();
    let report = wait(async {
        let mut told = Told::default();
        let session = Session::open(&case.connection(), "rows", &case.interrupt).await.unwrap();
        let server = Server::read(&session).await.unwrap();
        let order = Order {
            command: "rows".into(),
            lease: "rows".into(),
            lease_wait: Duration::ZERO,
            lock_patience: Duration::from_secs(1),
            pauses: dbctl::steps::Pauses::default(),
        };
        let connection = case.connection();
        let mut executor =
            Executor::begin(session, server, &connection, order, &case.interrupt, &mut told).await.unwrap();
        other.begin();
        other.sql("LOCK TABLE t IN SHARE MODE");
        let mut means = Means { interrupt: &case.interrupt, events: &mut told, env: &case.env };
        retain::run(&mut executor, &case.job, &plan, &mut means).await
    });
    let failure = report.unwrap_err();
    assert_eq!(failure.what(), Kind::Deferred);
    assert!(failure.to_string().contains(&format!("pg_terminate_backend({})", other.pid())), "{failure}");
    assert_eq!(db.one("SELECT state FROM dbctl.journal ORDER BY id DESC LIMIT 1"), "failed");
    other.rollback();
    assert_eq!(case.run().rows, 50);
}

#[test]
fn writers_lose_nothing_while_rows_are_anonymised_and_deleted() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz, ip inet, n int NOT NULL DEFAULT 0);
         INSERT INTO t SELECT i, now() - interval '60 days' - i * interval '1 second', '10.1.2.3' FROM generate_series(1, 20000) AS i;
         CREATE INDEX ON t (at);",
    );
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer: i64| {
                let (db, stop) = (&db, &stop);
                scope.spawn(move || {
                    let session = db.session();
                    let (mut updates, mut young) = (0_i64, 0_i64);
                    let mut id = writer;
                    while !stop.load(Ordering::Relaxed) {
                        id = id % 20_000 + 3;
                        updates +=
                            session.sql(&format!("UPDATE t SET n = n + 1 WHERE id = {id} RETURNING 1")).len() as i64;
                        session.sql(&format!(
                            "INSERT INTO t VALUES ({}, now(), '10.1.2.3')",
                            1_000_000 + young * 3 + writer
                        ));
                        young += 1;
                    }
                    (updates, young)
                })
            })
            .collect();
        let masked = Case::new(&db, anonymise(&[("ip", PREFIX)])).run();
        stop.store(true, Ordering::Relaxed);
        let (updates, young) =
            writers.into_iter().map(|w| w.join().unwrap()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        assert!(masked.rows + masked.left.number().unwrap() >= 20_000, "{masked:?}");
        assert_eq!(db.one("SELECT sum(n) FROM t"), updates.to_string());
        assert_eq!(
            db.one("SELECT count(*) FROM t WHERE at > now() - interval '1 day' AND ip = '10.1.2.3'"),
            young.to_string()
        );
        assert_eq!(db.one("SELECT count(*) FROM t WHERE id <= 20000"), "20000");
    });
    Case::new(&db, anonymise(&[("ip", PREFIX)])).run();
    assert_eq!(db.one("SELECT count(*) FROM t WHERE id <= 20000 AND ip <> '10.1.2.0/24'"), "0");
    assert_eq!(Case::new(&db, job()).run().rows, 20_000);
}

#[test]
fn a_broken_connection_costs_one_batch() {
    for action in [RowAction::Delete, RowAction::Move { to: TableName::new("public", "gone") }] {
        let db = table(20_000, true);
        db.sql(
            "CREATE TABLE gone (LIKE t);
             CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(0.001); RETURN OLD; END $$;
             CREATE TRIGGER slow BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION slow();",
        );
        let batch = Batch { max_rows: 50, ..job().batch };
        let case = Case::new(&db, RowJob { action: action.clone(), batch, ..job() });
        let failed = std::thread::scope(|scope| {
            let run = scope.spawn(|| case.try_run().0);
            eventually("some batches are done", || db.one("SELECT count(*) < 19700 FROM t") == "t");
            db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dbctl:rows' AND datname = current_database()");
            run.join().unwrap()
        });
        let failure = failed.unwrap_err();
        assert_eq!(failure.what(), Kind::Unreachable, "{failure}");
        let rows = "SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM gone)";
        let deleted: i64 = db.one("SELECT 20000 - count(*) FROM t").parse().unwrap();
        if action != RowAction::Delete {
            assert_eq!(db.one(rows), "20000");
        }
        db.sql("DROP TRIGGER slow ON t");
        let report = case.run();
        assert_eq!((report.rows, report.left), (10_000 - u64::try_from(deleted).unwrap(), Count::Exact(0)));
        assert_eq!(db.one("SELECT count(*) FROM t"), "10000");
    }
}

#[test]
fn a_slow_row_makes_batches_smaller_and_not_longer() {
    let db = table(400, true);
    db.sql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN OLD; END $$;
         CREATE TRIGGER slow BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION slow();",
    );
    let report = Case::new(&db, job()).run();
    assert_eq!(report.rows, 200);
    // 200 rows at once would be stopped after a second; a few at a time are what the target allows.
    assert!(report.batches > 10, "{report:?}");
}
