//! What goes wrong while indexes are built anew: kills in each phase, signals, locks that are not to be had, two runs
//! at once. After every one of them `--resume` ends with every index there, valid, and none done twice.

use dbctl::pg::sandbox::Options;
use nix::sys::signal::Signal;

use super::{answer, column, files, names, reindex};
use crate::harness::{Child, Database, Session, eventually, majors, private_server, run, spawn};

/// The build of item_gate waits for each row while somebody holds the lock 77 alone.
const TABLES: &str = "
CREATE FUNCTION gate(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_catalog.pg_advisory_lock_shared(77); PERFORM pg_catalog.pg_advisory_unlock_shared(77); RETURN $1; END; $$;
CREATE TABLE first (id int PRIMARY KEY);
INSERT INTO first SELECT i FROM generate_series(1, 10) AS g (i);
CREATE TABLE item (id int);
INSERT INTO item SELECT i FROM generate_series(1, 2000) AS g (i);
CREATE INDEX item_gate ON item (gate(id));
CREATE TABLE last (id int);
INSERT INTO last SELECT i FROM generate_series(1, 20000) AS g (i);
CREATE INDEX last_id ON last (id);
";

const PHASES: [&str; 7] = [
    "waiting for writers before build",
    "building index",
    "waiting for writers before validation",
    "index validation: scanning table",
    "waiting for old snapshots",
    "waiting for readers before marking dead",
    "waiting for readers before dropping",
];

const INVALID: &str = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
const SHUT: &str = "SELECT pg_advisory_lock(77)";
const OPEN: &str = "SELECT pg_advisory_unlock_all()";
const WRITE: &str = "BEGIN; INSERT INTO item VALUES (5000)";
const READ: &str = "BEGIN; SELECT count(*) FROM item";

/// Waits until the build of item_gate is in a phase and stays there.
fn arrives(db: &Database, phase: &str) {
    let sql = "SELECT COALESCE(max(p.phase), '') FROM pg_stat_progress_create_index p JOIN pg_stat_activity a USING (pid) \
               WHERE p.datname = current_database() AND p.relid = 'item'::regclass AND a.wait_event_type = 'Lock'";
    eventually(phase, || db.one(sql).starts_with(phase));
}

/// Starts a run and lets the build of item_gate come to a phase, in which the sessions hold it.
fn held_in(db: &Database, phase: &str, flags: &[&str]) -> (Child, Vec<Session>) {
    let [gate, one, two] = [db.session(), db.session(), db.session()];
    let at = PHASES.iter().position(|known| *known == phase).expect("a phase");
    match at {
        0 | 3 => drop(one.sql(WRITE)),
        _ => drop(gate.sql(SHUT)),
    }
    let child = spawn(&mut reindex(db, flags));
    match at {
        0 => arrives(db, PHASES[0]),
        3 => {
            // A row that the build does not see and that is not yet in the new index.
            arrives(db, PHASES[0]);
            two.sql(WRITE);
            gate.sql(SHUT);
            one.rollback();
            arrives(db, PHASES[1]);
            gate.sql(OPEN);
            arrives(db, PHASES[2]);
            gate.sql(SHUT);
            two.commit();
        }
        _ => arrives(db, PHASES[1]),
    }
    match at {
        2 => drop(one.sql("BEGIN; LOCK TABLE item IN ROW EXCLUSIVE MODE")),
        4 => drop(one.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")),
        5 | 6 => drop(one.sql(READ)),
        _ => {}
    }
    if at == 2 || at > 3 {
        gate.sql(OPEN);
    }
    if at == 6 {
        arrives(db, PHASES[5]);
        two.sql(READ);
        one.rollback();
    }
    arrives(db, phase);
    (child, vec![gate, one, two])
}

/// Waits until no session of ours is left.
fn nobody_is_left(db: &Database) {
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dbctl%'";
    eventually("no session of ours is left", || db.one(sql) == "0");
}

fn file(files: &[(String, String)], name: &str) -> String {
    files.iter().find(|(known, _)| known == name).map(|(_, file)| file.clone()).expect("the index is there")
}

fn all_names(files: &[(String, String)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_kill_in_any_phase_is_gone_on_with() {
    for major in majors() {
        for phase in PHASES {
            let db = Database::on(major);
            db.sql(TABLES);
            let before = files(&db);
            let (child, holders) = held_in(&db, phase, &["--all"]);
            child.signal(Signal::SIGKILL);
            child.wait().expect_code(137);
            nobody_is_left(&db);
            drop(holders);
            let killed = files(&db);
            assert_ne!(db.one(INVALID), "0", "{major}, {phase}: something is left");
            assert_ne!(file(&killed, "first_pkey"), file(&before, "first_pkey"), "{phase}");
            let resumed = answer(&db, &["--resume"], 0);
            let after = files(&db);
            assert_eq!(db.one(INVALID), "0", "{major}, {phase}");
            assert_eq!(all_names(&after), all_names(&before), "{major}, {phase}: none is lost");
            assert_eq!(file(&after, "first_pkey"), file(&killed, "first_pkey"), "{phase}: none is done twice");
            assert_ne!(file(&after, "last_id"), file(&before, "last_id"), "{phase}");
            assert_ne!(file(&after, "item_gate"), file(&before, "item_gate"), "{phase}");
            let swapped = PHASES[5..].contains(&phase);
            assert_eq!(file(&after, "item_gate") == file(&killed, "item_gate"), swapped, "{major}, {phase}");
            let expected = if swapped { &["public.last_id"][..] } else { &["public.item_gate", "public.last_id"] };
            let of_ours = names(&resumed).into_iter().filter(|name| name.starts_with("public."));
            assert_eq!(of_ours.collect::<Vec<_>>(), expected, "{phase}");
            assert!(column(&resumed, "leftovers", "index").is_empty(), "{resumed}");
            let again = answer(&db, &["--resume"], 0);
            assert_eq!(names(&again), Vec::<String>::new(), "{phase}: nothing is left to do");
        }
    }
}

/// item has a second index, so that both are built by one statement.
fn with_two(db: &Database) -> Vec<(String, String)> {
    db.sql(TABLES);
    db.sql("CREATE INDEX item_id ON item (id)");
    let plan = answer(db, &["--all", "--dry-run"], 0);
    assert!(column(&plan, "indexes", "sql").contains(&"REINDEX TABLE CONCURRENTLY public.item".to_owned()), "{plan}");
    files(db)
}

#[test]
fn a_kill_while_a_table_is_built_at_once_is_gone_on_with() {
    let majors = majors();
    for (major, phase) in [majors.first(), majors.last()].into_iter().flatten().flat_map(|m| PHASES.map(|p| (*m, p))) {
        let db = Database::on(major);
        let before = with_two(&db);
        let (child, holders) = held_in(&db, phase, &["--all"]);
        let begun = "SELECT count(DISTINCT subject) FROM dbctl.journal WHERE state = 'started' AND subject IN (SELECT \
                     'reindex:' || oid || ':' || relfilenode FROM pg_class WHERE relname ~ '^item_(gate|id)(_ccold)?$')";
        assert_eq!(db.one(begun), "2", "{major}, {phase}: both are told of");
        child.signal(Signal::SIGKILL);
        child.wait().expect_code(137);
        nobody_is_left(&db);
        drop(holders);
        let killed = files(&db);
        assert_ne!(db.one(INVALID), "0", "{major}, {phase}: something is left");
        let resumed = answer(&db, &["--resume"], 0);
        let after = files(&db);
        assert_eq!(db.one(INVALID), "0", "{major}, {phase}");
        assert_eq!(all_names(&after), all_names(&before), "{major}, {phase}: none is lost");
        let swapped = PHASES[5..].contains(&phase);
        for name in ["item_gate", "item_id"] {
            assert_ne!(file(&after, name), file(&before, name), "{major}, {phase}: {name}");
            assert_eq!(file(&after, name) == file(&killed, name), swapped, "{major}, {phase}: {name}");
            assert_eq!(names(&resumed).contains(&format!("public.{name}")), !swapped, "{major}, {phase}: {name}");
        }
        assert!(column(&resumed, "indexes", "sql").iter().all(|sql| sql.starts_with("REINDEX INDEX")), "{resumed}");
        assert_eq!(names(&answer(&db, &["--resume"], 0)), Vec::<String>::new(), "{phase}: nothing is left to do");
    }
}

#[test]
fn a_signal_a_cut_and_a_cancel_while_a_table_is_built_leave_nothing() {
    let db = Database::new();
    let again = "DROP TABLE first, item, last; DROP FUNCTION gate; DROP SCHEMA dbctl CASCADE";
    let before = with_two(&db);
    let (child, holders) = held_in(&db, PHASES[4], &["--all"]);
    child.signal(Signal::SIGINT);
    let run = child.wait().expect_code(130);
    assert!(run.stderr.contains("dbctl reindex --resume"), "{}", run.stderr);
    nobody_is_left(&db);
    assert_eq!(db.one(INVALID), "0", "the copies of both are removed");
    drop(holders);
    answer(&db, &["--resume"], 0);
    assert_eq!(all_names(&files(&db)), all_names(&before));
    assert_eq!(db.one(INVALID), "0");
    for function in ["pg_terminate_backend", "pg_cancel_backend"] {
        db.sql(again);
        let before = with_two(&db);
        let (child, holders) = held_in(&db, PHASES[4], &["--table", "item", "--retry-pause", "2s"]);
        db.sql(&format!(
            "SELECT {function}(pid) FROM pg_stat_progress_create_index WHERE datname = current_database()"
        ));
        child.wait_for_stderr("trying again");
        drop(holders);
        child.wait().expect_code(0);
        for name in ["item_gate", "item_id"] {
            assert_ne!(file(&files(&db), name), file(&before, name), "{function}: {name}");
        }
        assert_eq!(db.one(INVALID), "0", "{function}");
    }
}

#[test]
fn an_index_that_cannot_be_built_does_not_keep_the_others_of_its_table() {
    let db = Database::new();
    db.sql(
        "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'; CREATE TABLE t (a int, b int);
         INSERT INTO t VALUES (1, 1), (2, 2); CREATE INDEX t_a ON t (a); CREATE UNIQUE INDEX t_f ON t (f(b));
         CREATE INDEX t_b ON t (b); CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
    );
    let before = files(&db);
    let done = answer(&db, &["--table", "t"], 5);
    let of = |name: &str| {
        let rows = done["indexes"].as_array().expect("rows");
        rows.iter().find(|row| row["index"] == format!("public.{name}")).expect("a row")["outcome"].clone()
    };
    assert_eq!([of("t_a"), of("t_b"), of("t_f")], ["done", "done", "failed"], "{done}");
    assert_eq!(db.one(INVALID), "0");
    let after = files(&db);
    for name in ["t_a", "t_b", "t_f"] {
        assert_eq!(file(&after, name) == file(&before, name), name == "t_f", "{name}");
    }
    db.sql("CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1'");
    assert_eq!(names(&answer(&db, &["--resume"], 0)), ["public.t_f"]);
    assert_eq!(db.one(INVALID), "0");
}

#[test]
fn a_storm_of_locks_on_a_table_leaves_its_own_copies_at_most_and_says_so() {
    let db = Database::new();
    let before = with_two(&db);
    let writer = db.session();
    writer.sql(WRITE);
    for _ in 0..2 {
        let flags = ["--table", "item", "--lock-patience", "200ms", "--retries", "1"];
        let done = answer(&db, &flags, 3);
        assert_eq!(column(&done, "indexes", "outcome"), ["failed", "failed"], "{done}");
        assert_eq!(db.one(INVALID), "2", "each try has removed what the one before it left");
        assert_eq!(column(&done, "leftovers", "by"), ["dbctl", "dbctl"], "{done}");
        assert!(
            column(&done, "leftovers", "remedy")
                .iter()
                .all(|sql| sql.starts_with("DROP INDEX CONCURRENTLY public.item_")),
            "{done}"
        );
    }
    writer.rollback();
    answer(&db, &["--resume"], 0);
    assert_eq!(db.one(INVALID), "0");
    assert_eq!(all_names(&files(&db)), all_names(&before));
}

#[test]
fn several_that_work_at_once_are_gone_on_with_as_well() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(TABLES);
        for number in 0..6 {
            db.sql(&format!("CREATE TABLE t{number} (a int PRIMARY KEY, b int UNIQUE, c text UNIQUE)"));
        }
        let before = files(&db);
        let (child, holders) = held_in(&db, PHASES[5], &["--all", "--jobs", "3"]);
        // The others end meanwhile; in the middle of one of them, or of none.
        child.signal(Signal::SIGKILL);
        child.wait().expect_code(137);
        nobody_is_left(&db);
        drop(holders);
        let killed = files(&db);
        let resumed = answer(&db, &["--resume", "--jobs", "3"], 0);
        let after = files(&db);
        assert_eq!(db.one(INVALID), "0", "{major}");
        assert_eq!(all_names(&after), all_names(&before), "{major}");
        for (name, old) in &before {
            assert_ne!(file(&after, name), *old, "{major}: {name} was forgotten");
            let done_before = file(&killed, name) != *old;
            let again = names(&resumed).contains(&format!("public.{name}"));
            assert!(done_before != again, "{major}: {name}, done before: {done_before}, again: {again}");
        }
        let all = answer(&db, &["--all", "--jobs", "4"], 0);
        assert_eq!(all["failed_count"], 0, "{all}");
        assert_eq!(db.one(INVALID), "0", "{major}");
    }
}

#[test]
fn what_a_killed_run_still_does_in_the_server_is_waited_for() {
    let db = Database::new();
    db.sql(TABLES);
    let before = files(&db);
    let [one, two] = [db.session(), db.session()];
    one.sql("BEGIN; INSERT INTO first VALUES (100)");
    two.sql(WRITE);
    let flags = ["--index", "first_pkey", "--index", "item_gate"];
    let child = spawn(&mut reindex(&db, &[&flags[..], &["--jobs", "2"]].concat()));
    let builds = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()";
    eventually("both wait", || db.one(INVALID) == "2" && db.one(builds) == "2");
    let sql = "SELECT COALESCE(string_agg(pid::text, ','), '0') FROM pg_stat_progress_create_index WHERE datname = current_database()";
    let workers = db.one(sql);
    child.signal(Signal::SIGKILL);
    child.wait().expect_code(137);
    // The connection that the lease speaks of goes at once, the other one when the server finds out.
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index WHERE relid = 'first'::regclass");
    let resumed = spawn(reindex(&db, &["--resume"]).args(["--format", "json"]));
    let left = format!("SELECT count(*) FROM pg_stat_activity WHERE pid IN ({workers})");
    eventually("the server has ended what the killed run had begun", || db.one(&left) == "0");
    drop((one, two));
    let answer = resumed.wait().expect_code(0).stdout;
    assert!(answer.contains("first_pkey") && answer.contains("item_gate"), "{answer}");
    assert_eq!(db.one(INVALID), "0");
    for name in ["first_pkey", "item_gate"] {
        assert_ne!(file(&files(&db), name), file(&before, name), "{name}");
    }
}

#[test]
fn a_signal_stops_the_server_at_once_cleans_and_tells_what_is_done() {
    let db = Database::new();
    // An old snapshot elsewhere does not keep the copy; somebody who has written to the table does.
    for (phase, cleaned) in [(PHASES[4], true), (PHASES[0], false)] {
        db.sql(TABLES);
        let before = files(&db);
        let (child, holders) = held_in(&db, phase, &["--all"]);
        child.signal(Signal::SIGINT);
        let run = child.wait().expect_code(130);
        assert!(run.stderr.contains("done: reindex public.first_pkey"), "{}", run.stderr);
        assert!(run.stderr.contains("dbctl reindex --resume"), "{}", run.stderr);
        nobody_is_left(&db);
        assert_eq!(db.one(INVALID) == "0", cleaned, "{phase}");
        drop(holders);
        answer(&db, &["--resume"], 0);
        assert_eq!(db.one(INVALID), "0", "{phase}");
        assert_eq!(all_names(&files(&db)), all_names(&before));
        db.sql("DROP TABLE first, item, last; DROP FUNCTION gate; DROP SCHEMA dbctl CASCADE");
    }
}

#[test]
fn a_storm_of_locks_leaves_one_copy_at_most_and_ends_with_the_resume() {
    let db = Database::new();
    db.sql(TABLES);
    // What the database has set is not what the run waits by.
    db.sql(&format!("ALTER DATABASE {} SET lock_timeout = '1ms'", db.name()));
    let before = files(&db);
    let writer = db.session();
    writer.sql(WRITE);
    let flags = ["--table", "item", "--table", "last", "--lock-patience", "200ms", "--retries", "3"];
    for _ in 0..2 {
        let run = run(&mut reindex(&db, &flags)).expect_code(5);
        assert!(run.stderr.contains(&format!("pid {}", writer.pid())), "who is in the way: {}", run.stderr);
        assert!(run.stdout.contains("failed"), "{}", run.stdout);
        assert_eq!(db.one(INVALID), "1", "each try has removed what the one before it left");
    }
    let after = files(&db);
    assert_ne!(file(&after, "last_id"), file(&before, "last_id"), "one that fails does not stop the others");
    writer.rollback();
    let resumed = answer(&db, &["--resume"], 0);
    assert_eq!(names(&resumed), ["public.item_gate"]);
    assert_eq!(db.one(INVALID), "0");
    assert_eq!(all_names(&files(&db)), all_names(&before));
}

#[test]
fn a_lost_connection_and_a_cancel_are_tried_again() {
    let db = Database::new();
    for function in ["pg_terminate_backend", "pg_cancel_backend"] {
        db.sql(TABLES);
        let before = files(&db);
        let (child, holders) = held_in(&db, PHASES[4], &["--table", "item", "--retry-pause", "2s"]);
        let worker = "FROM pg_stat_progress_create_index WHERE datname = current_database()";
        db.sql(&format!("SELECT {function}(pid) {worker}"));
        child.wait_for_stderr("trying again");
        drop(holders);
        let run = child.wait().expect_code(0);
        assert!(run.stdout.contains("public.item_gate"), "{}", run.stdout);
        assert_ne!(file(&files(&db), "item_gate"), file(&before, "item_gate"));
        assert_eq!(db.one(INVALID), "0", "{function}");
        db.sql("DROP TABLE first, item, last; DROP FUNCTION gate; DROP SCHEMA dbctl CASCADE");
    }
}

#[test]
fn a_server_that_crashes_has_kept_what_was_said_to_be_done_and_the_rest_is_gone_on_with() {
    for major in majors() {
        // Nobody but those who wait for it writes the log.
        let settings = vec![("wal_writer_delay".to_owned(), "10s".to_owned())];
        let mut server = private_server(&Options { major: Some(major), settings, ..Options::default() });
        let db = Database::at(&server);
        db.sql(TABLES);
        let before = files(&db);
        let (child, holders) = held_in(&db, PHASES[4], &["--all", "--retries", "0"]);
        server.kill().expect("the server can be killed");
        child.wait().expect_code(69);
        drop(holders);
        server.start_again().expect("it recovers");
        let db = db.reconnected();
        answer(&db, &["--resume"], 0);
        let after = files(&db);
        assert_eq!(db.one(INVALID), "0", "{major}");
        assert_eq!(all_names(&after), all_names(&before), "{major}: none is lost");
        for (name, old) in &before {
            assert_ne!(file(&after, name), *old, "{major}: {name} was forgotten");
        }
        answer(&db, &["--all"], 0);
        let said = files(&db);
        server.kill().expect("the server can be killed");
        server.start_again().expect("it recovers");
        let db = db.reconnected();
        assert_eq!(files(&db), said, "{major}: each is the one that was built");
        assert_eq!(db.one(INVALID), "0", "{major}");
        assert_eq!(db.one("SELECT outcome FROM dbctl.run ORDER BY id DESC LIMIT 1"), "done", "{major}");
    }
}

#[test]
fn of_two_runs_the_second_waits_or_says_who_works() {
    let db = Database::new();
    db.sql(TABLES);
    let (first, holders) = held_in(&db, PHASES[4], &["--table", "item"]);
    let busy = run(&mut reindex(&db, &["--table", "item", "--lock-wait", "0s"])).expect_code(6);
    assert!(busy.stderr.contains("another run holds the lease 'reindex'"), "{}", busy.stderr);
    let second = spawn(&mut reindex(&db, &["--table", "item", "--table", "last"]));
    second.wait_for_stderr("another run is at work");
    drop(holders);
    first.wait().expect_code(0);
    second.wait().expect_code(0);
    assert_eq!(db.one(INVALID), "0");
}

#[test]
fn what_others_left_is_told_and_stays() {
    let db = Database::new();
    db.sql("CREATE TABLE t (id int PRIMARY KEY, long text); CREATE INDEX t_long ON t (long)");
    for (obstacle, reindex) in [
        ("BEGIN; INSERT INTO t VALUES (1)", "REINDEX TABLE CONCURRENTLY t"),
        ("BEGIN; SELECT count(*) FROM t", "REINDEX INDEX CONCURRENTLY t_long"),
    ] {
        let holder = db.session();
        holder.sql(obstacle);
        let error = db.session();
        error.sql("SET lock_timeout = '50ms'");
        assert_eq!(error.try_sql(reindex).unwrap_err().code, "55P03");
    }
    let theirs =
        "SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid) FROM pg_index WHERE NOT indisvalid";
    let left = db.one(theirs);
    assert!(left.contains("_ccold") && left.contains("_ccnew") && left.contains("pg_toast"), "{left}");
    let plan = answer(&db, &["--all", "--dry-run"], 0);
    let done = answer(&db, &["--all"], 0);
    assert!(names(&done).iter().all(|name| !name.contains("_cc")), "{done}");
    assert_eq!(db.one(theirs), left, "they stay");
    for told in [&plan, &done] {
        let remedies = column(told, "leftovers", "remedy");
        assert_eq!(remedies.len(), left.split(' ').count(), "{told}");
        assert!(column(told, "leftovers", "by").iter().all(|by| by == "others"), "{told}");
    }
    let what = column(&done, "leftovers", "what").join("\n");
    assert!(what.contains("the old one; the new one has taken its place") && what.contains("a copy"), "{what}");
    // The SQL as it is printed, also where the name wants its schema.
    for remedy in column(&done, "leftovers", "remedy") {
        db.sql(&remedy);
    }
    assert_eq!(db.one(INVALID), "0");
}
