//! Kills, signals and cut connections in the middle of a statement: a lock of the test's own keeps
//! it in the server.

use nix::sys::signal::Signal;

use super::{Migrations, empty, fingerprint, migrate_with, nobody_is_left, ours, set, undisturbed, waiting_worker};
use crate::harness::{Database, Hold, Proxy, run, server, spawn};

/// A statement of the five files and what keeps it from ending.
struct Situation {
    /// The statement is the first that contains this.
    statement: &'static str,
    /// The version before it.
    before: &'static str,
    /// What the test does in an open transaction.
    obstacle: &'static str,
}

const fn situation(statement: &'static str, before: &'static str, obstacle: &'static str) -> Situation {
    Situation { statement, before, obstacle }
}

const WRITE: &str = "UPDATE account SET note = note WHERE id = 1";

const SITUATIONS: [Situation; 13] = [
    situation("ADD COLUMN active", "1", "SELECT count(*) FROM account"),
    situation("ADD COLUMN active", "1", "INSERT INTO gate.slow VALUES (60); COMMIT; BEGIN"),
    situation("UNIQUE INDEX CONCURRENTLY account_email", "2", WRITE),
    // An old snapshot: the index is built and waits to be valid.
    situation(
        "UNIQUE INDEX CONCURRENTLY account_email",
        "2",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM gate.slow",
    ),
    situation("EXISTS account_note", "2", WRITE),
    situation("VACUUM", "2", "LOCK TABLE account IN SHARE UPDATE EXCLUSIVE MODE"),
    // The message that closes the file.
    situation("VALUES (3,", "2", "LOCK TABLE refinery_schema_history IN EXCLUSIVE MODE"),
    situation("DROP INDEX CONCURRENTLY", "3", "SELECT count(*) FROM account"),
    situation("REINDEX TABLE CONCURRENTLY", "3", WRITE),
    situation(
        "REINDEX TABLE CONCURRENTLY",
        "3",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM account",
    ),
    situation("(4, 'upkeep')", "3", "LOCK TABLE witness IN EXCLUSIVE MODE"),
    situation("DETACH PARTITION", "3", "SELECT count(*) FROM event"),
    // Past the first half: the detach is pending.
    situation("DETACH PARTITION", "3", "SELECT count(*) FROM event_old"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    /// The next run starts only when the server has noticed.
    Kill,
    /// The next run starts at once, beside what is left of the killed one.
    KillAndGoOn,
    Signal(Signal),
    Cut,
    TerminateWorker,
    TerminateLease,
}

#[test]
fn killed_in_any_statement() {
    in_every_statement(Strike::Kill);
}

#[test]
fn killed_in_any_statement_and_run_again_at_once() {
    in_every_statement(Strike::KillAndGoOn);
}

#[test]
fn interrupted_in_any_statement() {
    in_every_statement(Strike::Signal(Signal::SIGINT));
}

#[test]
fn terminated_in_any_statement() {
    in_every_statement(Strike::Signal(Signal::SIGTERM));
}

#[test]
fn cut_in_any_statement() {
    in_every_statement(Strike::Cut);
}

#[test]
fn backend_terminated_in_any_statement() {
    in_every_statement(Strike::TerminateWorker);
}

#[test]
fn lease_lost_in_any_statement() {
    in_every_statement(Strike::TerminateLease);
}

fn in_every_statement(strike: Strike) {
    for major in crate::harness::majors() {
        let db = Database::on(major);
        let set = set::five_files();
        set::gate(&db);
        let wanted = undisturbed(&db, &set);
        for situation in &SITUATIONS {
            // Nobody can end that sleep but by cancelling it.
            if strike == Strike::TerminateLease && situation.obstacle.contains("gate.slow VALUES") {
                continue;
            }
            eprintln!("{major}: {strike:?} in {} behind {}", situation.statement, situation.obstacle);
            disturb(&db, &set, situation, strike);
            assert_eq!(fingerprint(&db), wanted);
            nobody_is_left(&db);
            empty(&db);
        }
    }
}

fn disturb(db: &Database, set: &Migrations, situation: &Situation, strike: Strike) {
    run(&mut migrate_with(&db.url(), set, &["--to", situation.before])).expect_code(0);
    let proxy = Proxy::to(server(db.major()));
    let statement = situation.statement;
    proxy.hold(Hold::Before, move |sql| sql.contains(statement));
    let mut child = spawn(&mut migrate_with(&proxy.url(db.name()), set, &["--lock-timeout", "50s"]));
    proxy.wait_held(|| child.has_ended()).expect("the statement comes by");
    let obstacle = db.session();
    obstacle.sql(&format!("BEGIN; {}", situation.obstacle));
    proxy.release();
    let worker = waiting_worker(db);
    let leave = || {
        obstacle.rollback();
        obstacle.sql("TRUNCATE gate.slow");
    };
    match strike {
        Strike::Kill | Strike::KillAndGoOn => {
            child.signal(Signal::SIGKILL);
            child.wait().expect_code(137);
            proxy.cut();
        }
        Strike::Signal(signal) => {
            child.signal(signal);
            child.wait().expect_code(128 + signal as i32);
        }
        Strike::Cut => {
            proxy.cut();
            child.wait().expect_code(69);
        }
        Strike::TerminateWorker => {
            db.sql(&format!("SELECT pg_terminate_backend({worker})"));
            child.wait().expect_code(69);
        }
        Strike::TerminateLease => {
            for lease in ours(db, "application_name LIKE '%lease'") {
                db.sql(&format!("SELECT pg_terminate_backend({lease})"));
            }
            leave();
            // It may end before it hears of the loss; nobody else works meanwhile either way.
            let ended = child.wait();
            if ended.code != 0 {
                ended.expect_code(69);
            }
        }
    }
    // The obstacle is still there: nothing of ours waits behind it.
    if !matches!(strike, Strike::KillAndGoOn | Strike::TerminateLease) {
        nobody_is_left(db);
    }
    if strike != Strike::TerminateLease {
        leave();
    }
    run(&mut migrate_with(&db.url(), set, &[])).expect_code(0);
}

#[test]
fn a_run_that_lost_its_lease_still_keeps_the_next_one_out() {
    for major in crate::harness::majors() {
        let db = Database::on(major);
        let set = set::five_files();
        set::gate(&db);
        let wanted = undisturbed(&db, &set);
        run(&mut migrate_with(&db.url(), &set, &["--to", "1"])).expect_code(0);
        let obstacle = db.session();
        obstacle.sql("BEGIN; SELECT count(*) FROM account");
        let first = spawn(&mut migrate_with(&db.url(), &set, &["--lock-timeout", "50s"]));
        waiting_worker(&db);
        for lease in ours(&db, "application_name LIKE '%lease'") {
            db.sql(&format!("SELECT pg_terminate_backend({lease})"));
        }
        let second = spawn(&mut migrate_with(&db.url(), &set, &[]));
        second.wait_for_stderr("another run is at work");
        obstacle.rollback();
        first.wait().expect_code(69);
        second.wait().expect_code(0);
        assert_eq!(fingerprint(&db), wanted);
    }
}
