//! Files without transaction: what only a person can know is asked, what was finished is not done
//! again, what was edited in between is refused.

use nix::sys::signal::Signal;

use super::set::Migrations;
use super::{empty, migrate, nobody_is_left, waiting_worker};
use crate::harness::{Database, Run, dbctl, majors, run, spawn};

/// A procedure that commits the first half of its work and then waits for `gate.slow` to be empty.
fn procedure(db: &Database) {
    db.sql(
        "CREATE TABLE done (half text); \
         CREATE PROCEDURE work() LANGUAGE plpgsql AS 'BEGIN INSERT INTO done VALUES (''first''); COMMIT; \
         PERFORM pg_sleep(seconds) FROM gate.slow; INSERT INTO done VALUES (''second''); END'",
    );
}

const CALL: &str = "CALL work()";
const DO: &str = "DO $$BEGIN INSERT INTO done VALUES ('first'); COMMIT; PERFORM pg_sleep(seconds) FROM gate.slow; \
                  INSERT INTO done VALUES ('second'); END$$";

/// Kills a run in the second half; the refusal of the next one.
fn killed(db: &Database, set: &Migrations) -> Run {
    procedure(db);
    db.sql("INSERT INTO gate.slow VALUES (60)");
    let child = spawn(&mut migrate(&db.url(), set));
    waiting_worker(db);
    child.signal(Signal::SIGKILL);
    child.wait().expect_code(137);
    nobody_is_left(db);
    db.sql("TRUNCATE gate.slow");
    assert_eq!(db.one("SELECT string_agg(half, ' ') FROM done"), "first");
    run(&mut migrate(&db.url(), set)).expect_code(4);
    run(&mut migrate(&db.url(), set)).expect_code(4)
}

/// The SQL that the refusal's hint prints.
fn pasted(refusal: &Run) -> String {
    let from = refusal.stderr.find("INSERT INTO dbctl.journal").expect("SQL that can be pasted");
    let sql = &refusal.stderr[from..];
    sql[..=sql.find(';').expect("a whole statement")].to_owned()
}

#[test]
fn work_that_may_be_half_done_is_settled_by_a_person() {
    for major in majors() {
        let db = Database::on(major);
        super::set::gate(&db);
        for statement in [CALL, DO] {
            let text = format!("-- dbctl: no-transaction\nCREATE TABLE it_is_begun ();\n{statement};\nVACUUM done;\n");
            let set = Migrations::of(&[("V1__work.sql", &text)]);
            let settled = [("'finished'", "first"), ("'failed'", "first first second")];
            for (state, in_the_end) in settled {
                let refusal = killed(&db, &set);
                assert!(refusal.stderr.contains("statement 2 of"), "{}", refusal.stderr);
                db.sql(&pasted(&refusal).replace("'finished'", state));
                run(&mut migrate(&db.url(), &set)).expect_code(0);
                assert_eq!(db.one("SELECT string_agg(half, ' ') FROM done"), in_the_end);
                assert_eq!(db.one("SELECT count(*) FROM refinery_schema_history"), "1");
                run(&mut migrate(&db.url(), &set)).expect_code(0);
                empty(&db);
            }
        }
    }
}

fn three_statements(second: &str, third: &str) -> String {
    format!("-- dbctl: no-transaction\nINSERT INTO done VALUES ('first');\n{second};\n{third};\n")
}

/// A run that fails in the second statement of three.
fn failed(db: &Database) -> Migrations {
    db.sql("CREATE TABLE done (half text)");
    let set = Migrations::of(&[("V1__work.sql", &three_statements("VACUUM nothing_of_that_name", "VACUUM done"))]);
    let failed = run(&mut migrate(&db.url(), &set)).expect_code(1);
    assert!(failed.stderr.contains("V1__work.sql:3:"), "{}", failed.stderr);
    set
}

#[test]
fn a_mended_file_goes_on_behind_what_is_finished() {
    let db = Database::new();
    let set = failed(&db);
    set.write("V1__work.sql", &three_statements("VACUUM (ANALYZE) done", "INSERT INTO done VALUES ('third')"));
    let resumed = run(&mut migrate(&db.url(), &set)).expect_code(0);
    assert!(resumed.stderr.contains("statement 1 was done by an earlier run"), "{}", resumed.stderr);
    assert_eq!(db.one("SELECT string_agg(half, ' ') FROM done"), "first third");
}

#[test]
fn a_finished_statement_may_not_be_edited_or_taken_out() {
    let db = Database::new();
    let set = failed(&db);
    for (text, what) in [
        ("-- dbctl: no-transaction\nINSERT INTO done VALUES ('edited');\nVACUUM done;\n", "statement 1 of"),
        ("-- dbctl: no-transaction\nVACUUM done;\n", "statement 1 of"),
    ] {
        set.write("V1__work.sql", text);
        let refused = run(&mut migrate(&db.url(), &set)).expect_code(4);
        assert!(refused.stderr.contains(what) && refused.stderr.contains("was changed"), "{}", refused.stderr);
    }
    let set = failed_in_the_third(&db);
    set.write("V1__work.sql", "-- dbctl: no-transaction\nINSERT INTO done VALUES ('first');\n");
    let refused = run(&mut migrate(&db.url(), &set)).expect_code(4);
    assert!(refused.stderr.contains("statement 2 of") && refused.stderr.contains("taken out"), "{}", refused.stderr);
}

fn failed_in_the_third(db: &Database) -> Migrations {
    empty(db);
    db.sql("CREATE TABLE done (half text)");
    let text = three_statements("VACUUM done", "VACUUM nothing_of_that_name");
    let set = Migrations::of(&[("V1__work.sql", &text)]);
    run(&mut migrate(&db.url(), &set)).expect_code(1);
    set
}

#[test]
fn a_file_whose_unfinished_rest_was_taken_out_is_applied() {
    let db = Database::new();
    let set = failed_in_the_third(&db);
    set.write("V1__work.sql", "-- dbctl: no-transaction\nINSERT INTO done VALUES ('first');\nVACUUM done;\n");
    run(&mut migrate(&db.url(), &set)).expect_code(0);
    assert_eq!(db.one("SELECT count(*) FROM refinery_schema_history"), "1");
    let again = run(&mut migrate(&db.url(), &set)).expect_code(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    assert_eq!(db.one("SELECT string_agg(half, ' ') FROM done"), "first");
}

#[test]
fn a_statement_of_unknown_end_may_not_be_edited() {
    let db = Database::new();
    db.sql("CREATE TABLE item (id int, name text); INSERT INTO item VALUES (1, 'n')");
    let old = "CREATE INDEX CONCURRENTLY item_name ON item (name);\n";
    let new = "CREATE INDEX CONCURRENTLY item_other ON item (name);\n";
    let set = Migrations::of(&[("V1__index.sql", old)]);
    let killed = || {
        let blocker = db.session();
        blocker.sql("BEGIN; UPDATE item SET name = name");
        let child = spawn(&mut migrate(&db.url(), &set));
        waiting_worker(&db);
        child.signal(Signal::SIGKILL);
        child.wait().expect_code(137);
        nobody_is_left(&db);
    };
    killed();
    set.write("V1__index.sql", new);
    let refused = run(&mut migrate(&db.url(), &set)).expect_code(4);
    assert!(refused.stderr.contains("after an earlier run had begun it"), "{}", refused.stderr);
    // One way out: the old text.
    set.write("V1__index.sql", old);
    run(&mut migrate(&db.url(), &set)).expect_code(0);
    // The other: nothing is left, and a person says so.
    db.sql("DROP INDEX item_name; DELETE FROM refinery_schema_history");
    killed();
    set.write("V1__index.sql", new);
    let refused = run(&mut migrate(&db.url(), &set)).expect_code(4);
    db.sql("DROP INDEX item_name");
    db.sql(&pasted(&refused));
    run(&mut migrate(&db.url(), &set)).expect_code(0);
    assert_eq!(db.one("SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE indrelid = 'item'::regclass AND indisvalid"), "item_other");
}

/// A folder for migrations and one for their rollbacks, and dbctl on them.
fn set_with_rollbacks(db: &Database) -> (tempfile::TempDir, impl Fn(&[&str]) -> Run) {
    let root = tempfile::tempdir().unwrap();
    for folder in ["migrations", "rollback"] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
    }
    let (dir, url) = (root.path().join("migrations").to_str().unwrap().to_owned(), db.url());
    (root, move |words: &[&str]| run(dbctl(words).args(["--dir", &dir, "--database-url", &url])))
}

fn write(root: &tempfile::TempDir, name: &str, text: &str) {
    std::fs::write(root.path().join(name), text).unwrap();
}

const BOTH_INDEXES: &str = "SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
                            WHERE c.relname IN ('ia', 'ib') AND i.indisvalid";

#[test]
fn what_was_done_before_a_version_was_taken_back_is_done_again() {
    let db = Database::new();
    let (root, dbctl_on) = set_with_rollbacks(&db);
    write(
        &root,
        "migrations/V1__a.sql",
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'x'), (2, 'x');",
    );
    write(
        &root,
        "migrations/V2__i.sql",
        "CREATE INDEX CONCURRENTLY ia ON t (v);\nCREATE UNIQUE INDEX CONCURRENTLY ib ON t (v);\n",
    );
    write(&root, "rollback/D1__a.sql", "DROP TABLE t;");
    write(&root, "rollback/D2__i.sql", "DROP INDEX ib; DROP INDEX ia;");
    dbctl_on(&["migrate"]).expect_code(1);
    let status = dbctl_on(&["migrate", "status", "--exit-code"]).expect_code(2);
    assert!(status.stdout.contains("1 statements of it are done"), "{}", status.stdout);
    dbctl_on(&["migrate", "down", "--to", "0", "--yes"]).expect_code(0);
    write(&root, "migrations/V1__a.sql", "CREATE TABLE t (id int PRIMARY KEY, v text);");
    dbctl_on(&["migrate"]).expect_code(0);
    assert_eq!(db.one(BOTH_INDEXES), "2");

    // A schema that was dropped takes its history along: nothing of before counts.
    db.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    dbctl_on(&["migrate"]).expect_code(0);
    assert_eq!(db.one(BOTH_INDEXES), "2");
}

#[test]
fn a_rollback_that_was_begun_and_not_ended_is_told_and_in_the_way() {
    let db = Database::new();
    let (root, dbctl_on) = set_with_rollbacks(&db);
    write(&root, "migrations/V1__a.sql", "CREATE TABLE t (id int PRIMARY KEY, v text);");
    write(
        &root,
        "migrations/V2__i.sql",
        "CREATE INDEX CONCURRENTLY ia ON t (v);\nCREATE INDEX CONCURRENTLY ib ON t (v);\n",
    );
    write(&root, "rollback/D2__i.sql", "DROP INDEX CONCURRENTLY ia;\nDROP INDEX CONCURRENTLY nope;\n");
    dbctl_on(&["migrate"]).expect_code(0);
    dbctl_on(&["migrate", "down", "--to", "1", "--yes"]).expect_code(1);
    let status = dbctl_on(&["migrate", "status", "--exit-code"]).expect_code(2);
    assert!(status.stdout.contains("half undone"), "{}", status.stdout);
    let refused = dbctl_on(&["migrate"]).expect_code(4);
    assert!(refused.stderr.contains("dbctl migrate down --to 1"), "{}", refused.stderr);
    write(&root, "rollback/D2__i.sql", "DROP INDEX CONCURRENTLY ia;\nDROP INDEX CONCURRENTLY ib;\n");
    dbctl_on(&["migrate", "down", "--to", "1", "--yes"]).expect_code(0);
    dbctl_on(&["migrate"]).expect_code(0);
    dbctl_on(&["migrate", "status", "--exit-code"]).expect_code(0);
}
