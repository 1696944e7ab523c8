//! What goes wrong while indexes are built anew: kills in each phase, signals, locks that are not to be had, two runs
//! at once. After every one of them `--resume` ends with every index there, valid, and none done twice.

use nix::sys::signal::Signal;

use super::{answer, column, files, names, reindex};
use crate::harness::{Child, Database, Session, eventually, majors, spawn};

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
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dbctl%'";
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
