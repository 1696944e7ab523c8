//! What goes wrong while tables are written anew: locks and old transactions in the way, kills of either program,
//! signals, two runs at once. Nobody is ended, and after every one of them nothing is left and the next run does it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::repack::{answer, bloated, file, nothing_is_left, repack, tables, with_extension};
use crate::harness::{Child, Database, Session, eventually, run, spawn};

/// The process that a run has started, once it is the program: between fork and exec it is a copy of the run.
fn child_of(run: &Child) -> u32 {
    let list = format!("/proc/{0}/task/{0}/children", run.pid());
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    let mut pid = None;
    eventually("it has a child", || {
        let children = std::fs::read_to_string(&list).unwrap_or_default();
        pid = children.split_whitespace().next().and_then(|pid| pid.parse().ok());
        pid.and_then(name).is_some_and(|child| Some(child) != name(run.pid()))
    });
    pid.expect("a pid")
}

/// A transaction that has written something else: pg_repack waits for its end once its log and trigger are made.
fn in_the_way(db: &Database) -> Session {
    db.sql("CREATE TABLE IF NOT EXISTS other (id int)");
    let session = db.session();
    session.sql("BEGIN; INSERT INTO other VALUES (1)");
    session
}

/// A run that waits with log, trigger and copy made, and its child.
fn waiting(db: &Database, table: &str) -> (Child, u32) {
    let child = spawn(&mut repack(db, &["--table", table]));
    let made = "SELECT count(*) FROM pg_trigger WHERE tgname = 'repack_trigger'";
    eventually("the trigger is made", || db.one(made) == "1");
    let copy = "SELECT count(*) FROM pg_class WHERE relnamespace = 'repack'::regnamespace AND relkind = 'r' AND relname LIKE 'table%'";
    eventually("the copy is begun", || db.one(copy) == "1");
    let pid = child_of(&child);
    (child, pid)
}

fn kill_program(pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).expect("the program still runs");
}

fn leftovers(db: &Database) -> String {
    db.one("SELECT count(*) FROM pg_class WHERE relnamespace = 'repack'::regnamespace AND relkind = 'r'")
}

#[test]
fn a_lock_defers_the_table_and_nobody_is_ended() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let old = file(&db, "t");
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE t IN SHARE MODE");
    let flags = ["--table", "t", "--lock-patience", "2s"];
    let child = spawn(repack(&db, &flags).args(["--format", "json"]));
    let program = child_of(&child);
    let words = std::fs::read_to_string(format!("/proc/{program}/cmdline")).unwrap_or_default();
    let done = child.wait().expect_code(3).stdout;
    assert!(!words.contains("postgresql://"), "{words}");
    assert!(done.contains(&format!("blocked by pid {}", holder.pid())), "{done}");
    let done: serde_json::Value = serde_json::from_str(&done).unwrap();
    assert_eq!(done["tables"][0]["outcome"], "locked", "{done}");
    assert_eq!(holder.one("SELECT 1"), "1");
    holder.commit();
    assert_eq!(file(&db, "t"), old);
    nothing_is_left(&db);
    answer(&db, &["--table", "t"], 0);
    assert_ne!(file(&db, "t"), old);
}

#[test]
fn old_transactions_are_waited_for_no_longer_than_the_patience() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let old = in_the_way(&db);
    let done = answer(&db, &["--table", "t", "--lock-patience", "1s"], 3);
    let detail = done["tables"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("pid {}", old.pid())) && detail.contains("--lock-patience"), "{done}");
    assert_eq!(old.one("SELECT 1"), "1");
    nothing_is_left(&db);
}

#[test]
fn what_a_kill_of_both_leaves_is_removed_by_the_next_run() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let (before, old) = (file(&db, "t"), in_the_way(&db));
    let (child, program) = waiting(&db, "t");
    child.signal(Signal::SIGKILL);
    child.wait().expect_code(137);
    kill_program(program);
    old.commit();
    assert_eq!(leftovers(&db), "2");
    let done = answer(&db, &["--table", "t"], 0);
    assert_eq!(tables(&done, "tables"), ["public.t"], "{done}");
    assert_ne!(file(&db, "t"), before);
    nothing_is_left(&db);
}

#[test]
fn a_kill_of_the_run_alone_ends_as_if_nothing_had_been() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let old = in_the_way(&db);
    let (child, _) = waiting(&db, "t");
    child.signal(Signal::SIGKILL);
    child.wait().expect_code(137);
    // The program may go on, or end when it wants to say something: nobody listens.
    let next = spawn(&mut repack(&db, &["--table", "t", "--force", "--yes"]));
    drop(old);
    next.wait().expect_code(0);
    nothing_is_left(&db);
}

#[test]
fn a_killed_pg_repack_is_a_failure_and_cleaned_at_once() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let (before, _old) = (file(&db, "t"), in_the_way(&db));
    let (child, program) = waiting(&db, "t");
    kill_program(program);
    let run = child.wait().expect_code(1);
    assert!(run.stderr.contains("signal: 9") && run.stdout.contains("failed"), "{}{}", run.stdout, run.stderr);
    nothing_is_left(&db);
    assert_eq!(file(&db, "t"), before);
    let journal = "SELECT string_agg(state, ' ' ORDER BY id) FROM dbctl.journal WHERE subject = 'repack:public.t'";
    assert_eq!(db.one(journal), "started failed");
}

#[test]
fn a_signal_ends_the_program_and_leaves_nothing() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "a");
    bloated(&db, "b");
    db.sql("INSERT INTO b SELECT i, 1, repeat('z', 500) FROM generate_series(100000, 105000) AS g (i)");
    let before = file(&db, "a");
    let old = in_the_way(&db);
    let (child, program) = waiting(&db, "a");
    child.signal(Signal::SIGINT);
    let run = child.wait().expect_code(130);
    assert!(run.stderr.contains("interrupted"), "{}", run.stderr);
    assert!(!std::path::Path::new(&format!("/proc/{program}")).exists(), "pg_repack has ended before");
    let ours =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dbctl%'";
    eventually("no session of ours is left", || db.one(ours) == "0");
    nothing_is_left(&db);
    assert_eq!((file(&db, "a"), old.one("SELECT 1")), (before, "1".to_owned()));
}

#[test]
fn a_signal_does_not_wait_for_a_lock_and_the_next_run_cleans() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let old = in_the_way(&db);
    let (child, program) = waiting(&db, "t");
    let reader = db.session();
    reader.sql("BEGIN; SELECT count(*) FROM t");
    child.signal(Signal::SIGTERM);
    let run = child.wait().expect_code(143);
    assert!(run.stderr.contains("dbctl repack --clean"), "{}", run.stderr);
    assert!(!std::path::Path::new(&format!("/proc/{program}")).exists(), "pg_repack has ended before");
    assert_eq!((leftovers(&db), reader.one("SELECT 1")), ("2".to_owned(), "1".to_owned()));
    let busy = answer(&db, &["--clean", "--lock-timeout", "100ms", "--lock-patience", "300ms"], 3);
    assert!(busy["notes"].to_string().contains("lock"), "{busy}");
    drop((old, reader));
    answer(&db, &["--table", "t"], 0);
    nothing_is_left(&db);
}

#[test]
fn of_two_runs_the_second_waits_or_says_who_works() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    bloated(&db, "u");
    let old = in_the_way(&db);
    let (first, _) = waiting(&db, "t");
    let busy = run(&mut repack(&db, &["--table", "u", "--lock-wait", "0s"])).expect_code(6);
    assert!(busy.stderr.contains("another run holds the lease 'repack'"), "{}", busy.stderr);
    let second = spawn(&mut repack(&db, &["--table", "u"]));
    second.wait_for_stderr("another run is at work");
    old.commit();
    first.wait().expect_code(0);
    second.wait().expect_code(0);
    nothing_is_left(&db);
}

#[test]
fn what_cannot_be_proven_to_be_left_over_stays() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let old = in_the_way(&db);
    let (child, program) = waiting(&db, "t");
    child.signal(Signal::SIGKILL);
    child.wait().expect_code(137);
    kill_program(program);
    old.commit();
    let oid = db.one("SELECT 't'::regclass::oid::int8");
    // Of the same names, and of no table; and a log of no rows of the table that its name speaks of.
    let other = db.one("SELECT 'other'::regclass::oid::int8");
    db.sql(&format!("CREATE TABLE repack.table_1 (); CREATE TABLE repack.log_{other} (id int, row int)"));
    // While somebody works on it, it is not left over.
    let worker = db.session();
    let lock = format!("(16185446, (-2147483648 + {oid}::int8)::int4)");
    worker.sql(&format!("SELECT pg_advisory_lock{lock}"));
    let busy = answer(&db, &["--clean"], 0);
    assert!(busy["leftovers"][0]["outcome"].as_str().unwrap().contains(&worker.pid().to_string()), "{busy}");
    assert_eq!(leftovers(&db), "4");
    let later = answer(&db, &["--table", "t", "--lock-wait", "300ms"], 3);
    assert!(later["skipped"][0]["why"].as_str().unwrap().contains("works on it now"), "{later}");
    drop(worker);
    let plan = answer(&db, &["--clean", "--dry-run"], 0);
    assert!(plan["leftovers"][0]["sql"].as_str().unwrap().contains(&format!("DROP TABLE repack.log_{oid};")), "{plan}");
    assert_eq!(leftovers(&db), "4");
    let cleaned = answer(&db, &["--clean"], 0);
    assert_eq!((tables(&cleaned, "leftovers"), leftovers(&db)), (vec!["public.t".to_owned()], "2".to_owned()));
    let notes = cleaned["notes"].to_string();
    assert!(notes.contains("repack.table_1 ") && notes.contains(&format!("repack.log_{other} ")), "{notes}");
    db.sql(&format!("DROP TABLE repack.table_1, repack.log_{other}"));
    nothing_is_left(&db);
    answer(&db, &["--table", "t"], 0);
}
