//! What gets in the way of a vacuum: locks, signals, kills, other runs, the end of the budget.

use nix::sys::signal::Signal;

use super::*;
use crate::harness::spawn;

/// Two tables that are due; the bigger one takes minutes in a [`SLOW`] run.
fn two_tables(db: &Database) {
    calm(
        db,
        "CREATE TABLE slow (a int) WITH (autovacuum_enabled = off); INSERT INTO slow SELECT generate_series(1, 200000);
         CREATE TABLE quick (a int) WITH (autovacuum_enabled = off); INSERT INTO quick SELECT generate_series(1, 3000)",
    );
    change(
        db,
        "DELETE FROM slow WHERE a % 2 = 0; DELETE FROM quick WHERE a % 2 = 0",
        "CASE relname WHEN 'slow' THEN n_dead_tup = 100000 WHEN 'quick' THEN n_dead_tup = 1500 END",
    );
}

/// Each page costs 100 ms and more.
const SLOW: [&str; 7] = ["vacuum", "--cost-delay", "100ms", "--cost-limit", "1", "--jobs", "1"];

fn vacuuming(db: &Database) -> bool {
    db.one("SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'slow'::regclass") == "1"
}

fn nobody_is_left(db: &Database) {
    let ours =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dbctl%'";
    eventually("no session of ours is left", || db.one(ours) == "0");
}

#[test]
fn a_locked_table_is_tried_again_and_deferred_with_its_blocker_while_the_others_are_done() {
    let db = Database::new();
    two_tables(&db);
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE slow IN SHARE MODE");
    let deferred = answer(&db.url(), &["vacuum", "--lock-patience", "1s"], 3);
    assert_eq!(row(&deferred, "tables", "public.quick")["outcome"], "done");
    let slow = row(&deferred, "tables", "public.slow");
    assert_eq!(slow["outcome"], "locked");
    assert!(slow["detail"].as_str().unwrap().contains(&format!("pid {}", holder.pid())), "{slow}");

    let waiting = spawn(&mut on(&db.url(), &["vacuum", "--lock-patience", "1min"]));
    waiting.wait_for_stderr("its lock is not to be had");
    holder.commit();
    waiting.wait().expect_code(0);
    assert_eq!(tables(&answer(&db.url(), &["vacuum"], 0), "tables"), Vec::<String>::new());
}

#[test]
fn a_signal_stops_the_server_and_says_what_is_done() {
    let db = Database::new();
    two_tables(&db);
    let run = spawn(&mut on(&db.url(), &SLOW));
    eventually("the slow one is at work", || vacuuming(&db));
    run.signal(Signal::SIGINT);
    let ended = run.wait().expect_code(130);
    assert!(!vacuuming(&db), "the server works on after the end");
    assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
    nobody_is_left(&db);
    assert_eq!(db.one("SELECT string_agg(DISTINCT outcome, ',') FROM dbctl.run"), "interrupted");
    let rest = answer(&db.url(), &["vacuum"], 0);
    assert_eq!(tables(&rest, "tables"), ["public.slow", "public.quick"]);
}

#[test]
fn a_killed_run_leaves_nothing_and_two_runs_do_not_work_at_once() {
    let db = Database::new();
    two_tables(&db);
    let run = spawn(&mut on(&db.url(), &SLOW));
    eventually("the slow one is at work", || vacuuming(&db));
    let args = ["vacuum", "--table", "quick", "--lock-wait", "100ms"];
    let busy = crate::harness::run(&mut on(&db.url(), &args)).expect_code(6);
    assert!(busy.stderr.contains("another run holds the lease 'vacuum'"), "{}", busy.stderr);
    let plan = answer(&db.url(), &["vacuum", "--dry-run"], 0);
    assert!(row(&plan, "skipped", "public.slow")["why"].as_str().unwrap().contains("vacuums it now"), "{plan}");
    let begun = "SELECT count(*) FROM dbctl.journal WHERE subject = 'vacuum:public.slow' AND state = 'started'";
    eventually("the journal says what is at work", || db.one(begun) == "1");
    run.signal(Signal::SIGKILL);
    drop(run);
    nobody_is_left(&db);
    let about = "SELECT string_agg(t, ' ') FROM dbctl.journal, jsonb_array_elements_text(detail -> 'tables') AS t WHERE subject = 'vacuum'";
    assert_eq!(db.one(about), "public.slow public.quick");
    assert_eq!(tables(&answer(&db.url(), &["vacuum", "--jobs", "2"], 0), "tables"), ["public.slow", "public.quick"]);
    assert_eq!(tables(&answer(&db.url(), &["vacuum"], 0), "tables"), Vec::<String>::new());
}

#[test]
fn a_journal_that_cannot_be_written_is_told_and_keeps_nobody_from_the_work() {
    let db = Database::new();
    two_tables(&db);
    answer(&db.url(), &["vacuum", "--table", "quick"], 0);
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE dbctl.journal");
    let partial = answer(&db.url(), &["vacuum"], 5);
    assert_eq!(row(&partial, "tables", "public.slow")["outcome"], "done");
    assert!(partial["notes"].to_string().contains("the journal does not tell all of it"), "{partial}");
    holder.commit();
}

#[test]
fn without_a_further_session_the_others_go_on() {
    let db = Database::new();
    two_tables(&db);
    let role = format!("few_{}", db.name());
    // The two that a run of one job has.
    db.sql(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 2; GRANT CREATE ON DATABASE {} TO {role}", db.name()));
    db.sql(&format!("ALTER TABLE slow OWNER TO {role}; ALTER TABLE quick OWNER TO {role}"));
    let run = run(on(&db.url_as(&role), &["vacuum", "--table", "slow", "--table", "quick", "--jobs", "3"])
        .args(["--format", "json"]));
    let run = run.expect_code(0);
    assert!(run.stderr.contains("a further session was not to be had"), "{}", run.stderr);
    let done: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(tables(&done, "tables"), ["public.slow", "public.quick"]);
    db.sql(&format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn nothing_begins_after_the_budget_and_a_hard_one_stops_what_runs() {
    let db = Database::new();
    two_tables(&db);
    let stopped = answer(&db.url(), &[&SLOW[..], &["--budget", "1s", "--hard"]].concat(), 3);
    assert_eq!(row(&stopped, "tables", "public.slow")["outcome"], "stopped");
    assert_eq!(row(&stopped, "tables", "public.quick")["outcome"], "not begun");
    assert!(!vacuuming(&db));
}
