//! What others do to tables while a backup waits for them: it is of one moment, or it is none.

use super::{Place, create, run, verify};
use crate::harness::{Database, eventually, spawn};

const WAITS: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// A backup that waits until another session has done this to table t and committed.
fn backed_up_after(db: &Database, place: &Place, sql: &str) {
    let other = db.session();
    other.sql("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE");
    other.sql(sql);
    let child = spawn(&mut create(db, place, &[]));
    eventually("the backup waits", || db.one(WAITS) == "1");
    other.sql("COMMIT");
    child.wait().expect_code(0);
}

/// Neither is seen by a snapshot from before: such a table would be empty.
#[test]
fn what_is_emptied_or_rewritten_meanwhile_is_as_it_is_then() {
    for (sql, rows) in [
        ("TRUNCATE public.t; INSERT INTO public.t SELECT i, NULL FROM generate_series(1, 1234) AS i", 1234),
        ("ALTER TABLE public.t ALTER a TYPE bigint", 1000),
        ("ALTER TABLE public.t DROP COLUMN b; ALTER TABLE public.t ADD COLUMN b text[] DEFAULT '{q}'", 1000),
        // Was not there when the lock was asked for.
        ("CREATE TABLE public.u AS SELECT 1", 1000),
    ] {
        let (db, place) = (Database::new(), Place::new());
        db.sql("CREATE TABLE public.t AS SELECT i AS a, ARRAY[i] AS b FROM generate_series(1, 1000) AS i");
        backed_up_after(&db, &place, sql);
        let manifest = place.manifest();
        assert_eq!(manifest.tables[0].rows, rows, "{sql}");
        assert_eq!(
            manifest.tables.len().to_string(),
            db.one("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        );
        run(&mut verify(&place, "4")).expect_code(0);
    }
}

/// Sessions that look on are idle for as long as the work goes on.
#[test]
fn a_limit_on_idle_sessions_ends_no_backup() {
    let (db, place) = (Database::new(), Place::new());
    let name = db.name();
    db.sql(&format!(
        "CREATE TABLE public.t AS SELECT 1 AS a; ALTER DATABASE {name} SET idle_session_timeout = '200ms'"
    ));
    let other = db.session();
    other.sql("SET idle_session_timeout = 0; BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE");
    let child = spawn(&mut create(&db, &place, &[]));
    let looks_on = db.session();
    looks_on.sql("SET idle_session_timeout = 0");
    eventually("the backup waits", || looks_on.one(WAITS) == "1");
    std::thread::sleep(std::time::Duration::from_millis(600));
    other.sql("COMMIT");
    child.wait().expect_code(0);
    run(&mut verify(&place, "4")).expect_code(0);
}

/// Who waits for a table that is being backed up is let through, and not only after the patience of everybody is over.
#[test]
fn who_queues_for_a_table_is_let_through() {
    let (db, place) = (Database::new(), Place::new());
    db.sql("CREATE TABLE public.t AS SELECT i FROM generate_series(1, 1000) AS i");
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let truncating = scope.spawn(|| {
            let other = db.session();
            let mut longest = std::time::Duration::ZERO;
            while !over.load(std::sync::atomic::Ordering::SeqCst) {
                let began = std::time::Instant::now();
                other.sql("BEGIN; TRUNCATE public.t; INSERT INTO public.t SELECT generate_series(1, 1000); COMMIT");
                longest = longest.max(began.elapsed());
                std::thread::sleep(std::time::Duration::from_millis(700));
            }
            longest
        });
        let made: Vec<_> = (0..3).map(|_| run(&mut create(&db, &place, &[]))).collect();
        over.store(true, std::sync::atomic::Ordering::SeqCst);
        let longest = truncating.join().unwrap();
        made.into_iter().for_each(|made| drop(made.expect_code(0)));
        assert_eq!(place.any_manifest().tables[0].rows, 1000);
        assert!(longest < std::time::Duration::from_secs(20), "{longest:?}");
    });
}
