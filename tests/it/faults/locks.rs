//! Somebody is in the way: the others are not kept waiting behind us, the blocker is named, and the
//! work is done once it leaves, or given up with nothing left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dbctl::pg::sandbox::Options;
use nix::sys::signal::Signal;

use super::set::Migrations;
use super::{migrate_with, nobody_is_left, waiting_worker};
use crate::harness::{Database, Session, eventually, majors, private_server, run, spawn};

fn with_items(major: u32) -> Database {
    let db = Database::on(major);
    db.sql("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item SELECT i, 'n' FROM generate_series(1, 50) AS g (i)");
    db
}

/// A session that has read the table and has not ended its transaction.
fn reader_that_stays(db: &Database) -> Session {
    let blocker = db.session();
    blocker.sql("BEGIN; SELECT count(*) AS the_long_report FROM item");
    blocker
}

/// Readers that come and go without a break. Each takes a wait beyond its lock_timeout for an error.
struct Readers {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<(usize, Vec<String>)>>,
}

impl Readers {
    fn start(db: &Database, sql: &'static str, longest_wait: &str) -> Readers {
        let stop = Arc::new(AtomicBool::new(false));
        let one = |_| {
            let session = db.session_with(|config| {
                config.application_name("reader");
            });
            session.sql(&format!("SET lock_timeout = '{longest_wait}'"));
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let (mut reads, mut errors) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    match session.try_sql(sql) {
                        Ok(_) => reads += 1,
                        Err(error) => errors.push(error.to_string()),
                    }
                }
                (reads, errors)
            })
        };
        Readers { stop: Arc::clone(&stop), threads: (0..3).map(one).collect() }
    }

    /// How many reads there were; panics when one waited too long.
    fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let results: Vec<_> =
            self.threads.into_iter().map(|thread| thread.join().expect("readers do not panic")).collect();
        for (_, errors) in &results {
            assert_eq!(errors, &Vec::<String>::new());
        }
        results.iter().map(|(reads, _)| reads).sum()
    }
}

/// Whether a reader waits behind one of our sessions.
fn a_reader_waits_for_us(db: &Database) -> bool {
    db.one(
        "SELECT count(*) FROM pg_stat_activity AS r WHERE r.application_name = 'reader' AND r.datname = current_database() \
         AND EXISTS (SELECT FROM pg_stat_activity AS o WHERE o.pid = ANY (pg_blocking_pids(r.pid)) \
         AND o.application_name LIKE 'dbctl%')",
    ) != "0"
}

#[test]
fn readers_are_not_kept_behind_a_pending_alter() {
    for major in majors() {
        let db = with_items(major);
        let set = Migrations::of(&[("V1__price.sql", "ALTER TABLE item ADD COLUMN price int;\n")]);
        let blocker = reader_that_stays(&db);
        // lock_timeout and 200 ms, and as much again for a loaded machine; without a lock_timeout
        // they would wait for as long as the blocker stays.
        let readers = Readers::start(&db, "SELECT count(*) FROM item", "1400ms");
        let child = spawn(&mut migrate_with(&db.url(), &set, &["--lock-timeout", "500ms"]));
        eventually("a reader waits behind the ALTER", || a_reader_waits_for_us(&db));
        eventually("three attempts were given up", || child.stderr().matches("trying again").count() >= 3);
        blocker.rollback();
        let done = child.wait().expect_code(0);
        assert!(readers.stop() > 10);
        assert_names(&done.stderr, &blocker);
        assert_eq!(db.one("SELECT count(price) FROM item"), "0");
    }
}

/// Every announced wait names the blocker and what it ran.
fn assert_names(stderr: &str, blocker: &Session) {
    let lines: Vec<&str> = stderr.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("trying again in")) {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        assert!(
            next.contains(&format!("blocked by pid {} ", blocker.pid()))
                && next.contains("idle in transaction")
                && next.contains("the_long_report"),
            "after {line:?} comes {next:?} in\n{stderr}"
        );
    }
}

#[test]
fn a_blocker_that_stays_ends_the_run_with_nothing_left() {
    for major in majors() {
        let db = with_items(major);
        let set = Migrations::of(&[
            ("V1__first.sql", "CREATE TABLE first (a int);\n"),
            ("V2__price.sql", "CREATE TABLE second (a int);\nALTER TABLE item ADD COLUMN price int;\n"),
        ]);
        let blocker = reader_that_stays(&db);
        let flags = ["--lock-timeout", "500ms", "--lock-patience", "2s"];
        let ended = run(&mut migrate_with(&db.url(), &set, &flags)).expect_code(3);
        assert_names(&ended.stderr, &blocker);
        for piece in [
            format!("blocked by pid {} ", blocker.pid()),
            "the_long_report".to_owned(),
            format!("SELECT pg_terminate_backend({})", blocker.pid()),
            "nothing of it is left".to_owned(),
            "V1__first".to_owned(),
        ] {
            assert!(ended.stderr.contains(&piece), "{piece:?} is not in\n{}", ended.stderr);
        }
        nobody_is_left(&db);
        assert_eq!(db.one("SELECT to_regclass('second') IS NULL"), "t");
        assert_eq!(db.one("SELECT string_agg(version::text, ' ') FROM refinery_schema_history"), "1");
        blocker.rollback();
        run(&mut migrate_with(&db.url(), &set, &[])).expect_code(0);
        assert_eq!(db.one("SELECT count(*) FROM refinery_schema_history"), "2");
    }
}

#[test]
fn an_index_build_is_given_up_when_a_writer_stays() {
    for major in majors() {
        let db = with_items(major);
        let set = Migrations::of(&[("V1__index.sql", "CREATE INDEX CONCURRENTLY item_name ON item (name);\n")]);
        let blocker = db.session();
        blocker.sql("BEGIN; UPDATE item SET name = 'the_long_job' WHERE id = 1");
        let flags = ["--lock-timeout", "500ms", "--lock-patience", "1s"];
        let ended = run(&mut migrate_with(&db.url(), &set, &flags)).expect_code(3);
        assert!(ended.stderr.contains(&format!("pid {} ", blocker.pid())), "{}", ended.stderr);
        assert!(ended.stderr.contains("the_long_job"), "{}", ended.stderr);
        nobody_is_left(&db);
        // Even beside the blocker, which also keeps the half-built index from being removed, the next
        // run ends by itself.
        run(&mut migrate_with(&db.url(), &set, &flags)).expect_code(3);
        nobody_is_left(&db);
        blocker.rollback();
        run(&mut migrate_with(&db.url(), &set, &[])).expect_code(0);
        assert_eq!(db.sql("SELECT relname, indisvalid::text FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname LIKE 'item_name%'"), vec![vec![
            Some("item_name".to_owned()),
            Some("true".to_owned())
        ]]);
    }
}

#[test]
fn readers_of_a_partition_are_not_kept_behind_its_detach() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(
            "CREATE TABLE event (at int) PARTITION BY RANGE (at); CREATE TABLE event_1 PARTITION OF event FOR VALUES \
             FROM (0) TO (10); CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (10) TO (20)",
        );
        let set = Migrations::of(&[("V1__detach.sql", "ALTER TABLE event DETACH PARTITION event_1 CONCURRENTLY;\n")]);
        let blocker = db.session();
        blocker.sql("BEGIN; SELECT count(*) AS the_long_report FROM event_1");
        let readers = Readers::start(&db, "SELECT count(*) FROM event_1", "1400ms");
        let child = spawn(&mut migrate_with(&db.url(), &set, &["--lock-timeout", "500ms"]));
        eventually("a reader waits behind the DETACH", || a_reader_waits_for_us(&db));
        eventually("two attempts were given up", || child.stderr().matches("trying again").count() >= 2);
        blocker.rollback();
        let done = child.wait().expect_code(0);
        readers.stop();
        assert!(done.stderr.contains(&format!("pid {} ", blocker.pid())), "{}", done.stderr);
        assert_eq!(db.one("SELECT string_agg(inhrelid::regclass::text, ' ') FROM pg_inherits"), "event_2");
    }
}

#[test]
fn a_locked_journal_is_not_waited_for_without_end() {
    let db = with_items(crate::harness::default_server().major());
    let set = Migrations::of(&[("V1__first.sql", "CREATE TABLE first (a int);\n")]);
    run(&mut migrate_with(&db.url(), &set, &[])).expect_code(0);
    for table in ["dbctl.run", "dbctl.journal"] {
        set.write("V2__second.sql", "CREATE TABLE second (a int);\n");
        let blocker = db.session();
        blocker.sql(&format!("BEGIN; LOCK TABLE {table}"));
        let flags = ["--lock-timeout", "300ms", "--lock-patience", "1s"];
        run(&mut migrate_with(&db.url(), &set, &flags)).expect_code(3);
        nobody_is_left(&db);
        assert_eq!(db.one("SELECT to_regclass('second') IS NULL"), "t");
    }
    run(&mut migrate_with(&db.url(), &set, &[])).expect_code(0);
}

#[test]
fn a_signal_ends_a_wait_for_the_lease() {
    let db = with_items(crate::harness::default_server().major());
    let set = Migrations::of(&[("V1__price.sql", "ALTER TABLE item ADD COLUMN price int;\n")]);
    let blocker = reader_that_stays(&db);
    let holder = spawn(&mut migrate_with(&db.url(), &set, &["--lock-timeout", "50s"]));
    waiting_worker(&db);
    let second = spawn(&mut migrate_with(&db.url(), &set, &[]));
    second.wait_for_stderr("another run is at work");
    second.signal(Signal::SIGINT);
    second.wait().expect_code(130);
    let third = run(&mut migrate_with(&db.url(), &set, &["--lock-wait", "0"])).expect_code(6);
    assert!(third.stderr.contains("lease"), "{}", third.stderr);
    blocker.rollback();
    holder.wait().expect_code(0);
}

#[test]
fn a_prepared_transaction_in_the_way_is_named() {
    for major in majors() {
        let db = with_items(major);
        let set = Migrations::of(&[("V1__price.sql", "ALTER TABLE item ADD COLUMN price int;\n")]);
        let name = format!("forgotten_{}", db.name());
        db.session().sql(&format!("BEGIN; LOCK TABLE item IN SHARE MODE; PREPARE TRANSACTION '{name}'"));
        let flags = ["--lock-timeout", "500ms", "--lock-patience", "1s"];
        let ended = run(&mut migrate_with(&db.url(), &set, &flags));
        db.sql(&format!("ROLLBACK PREPARED '{name}'"));
        let ended = ended.expect_code(3);
        assert!(ended.stderr.contains("item: blocked by a prepared transaction"), "{}", ended.stderr);
        assert!(ended.stderr.contains("pg_prepared_xacts"), "{}", ended.stderr);
        run(&mut migrate_with(&db.url(), &set, &[])).expect_code(0);
    }
}

#[test]
fn a_deadlock_is_tried_again() {
    for major in majors() {
        let db = with_items(major);
        db.sql("CREATE TABLE other (a int)");
        let text = "ALTER TABLE item ADD COLUMN price int;\nALTER TABLE other ADD COLUMN price int;\n";
        let set = Migrations::of(&[("V1__price.sql", text)]);
        let crossing = db.session();
        // Only the migration looks for the deadlock, so that it is the one that is rolled back.
        crossing.sql("SET deadlock_timeout = '10min'; BEGIN; SELECT count(*) FROM other");
        let child = spawn(&mut migrate_with(&db.url(), &set, &["--lock-timeout", "50s"]));
        waiting_worker(&db);
        let crosses = crossing.start("SELECT count(*) FROM item; COMMIT");
        let done = child.wait().expect_code(0);
        crosses.wait().expect("the other one is not disturbed");
        assert!(done.stderr.contains("deadlock detected"), "{}", done.stderr);
        assert_eq!(db.one("SELECT count(price) FROM item"), "0");
    }
}

#[test]
fn a_second_signal_ends_a_run_whose_server_does_not_answer() {
    let mut server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE TABLE item (id int)");
    let set = Migrations::of(&[("V1__price.sql", "ALTER TABLE item ADD COLUMN price int;\n")]);
    let _blocker = reader_that_stays(&db);
    let mut child = spawn(&mut migrate_with(&db.url(), &set, &["--lock-timeout", "100s"]));
    waiting_worker(&db);
    // Nobody takes a cancel request any more.
    server.pause().expect("the server can be paused");
    eventually("a second signal ends it", || {
        let ended = child.has_ended();
        if !ended {
            child.signal(Signal::SIGINT);
        }
        ended
    });
    child.wait().expect_code(130);
    server.resume().expect("the server goes on");
    nobody_is_left(&db);
}
