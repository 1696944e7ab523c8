//! `migrate up`: what is applied, what is refused, and what is left when something fails.

use super::{Case, said};

fn two_tables() -> Case {
    Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);"), ("V2__b.sql", "CREATE TABLE b (id int);")])
}

fn exists(case: &Case, relation: &str) -> bool {
    case.db.one(&format!("SELECT to_regclass('{relation}') IS NOT NULL")) == "t"
}

#[test]
fn a_second_run_is_a_no_op() {
    let case = two_tables();
    let first = case.json(&["up"]);
    assert_eq!((&first["kind"], &first["applied"]), (&"migrate.applied".into(), &3.into()));
    let again = case.json(&["up"]);
    assert_eq!(again["applied"], 0);
    assert_eq!(case.db.one("SELECT count(*) FROM dbctl.run"), "1");
    let told = case.migrate(&[]).expect_code(0);
    assert!(told.stdout.contains("nothing to do: the database is up to date"), "{}", told.stdout);
}

#[test]
fn to_stops_at_a_version() {
    let case = two_tables();
    case.migrate(&["up", "--to", "1"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:pending");
    case.refuses(&["up", "--to", "7"], 64, &["--to 7: folder", "has no such version; its last is 2"]);
    case.migrate(&["--to", "2"]).expect_code(0);
    // Below what is applied there is nothing to do: taking back is another verb's.
    let below = case.json(&["up", "--to", "1"]);
    assert_eq!(below["applied"], 0);
    assert_eq!(case.states(), "1:applied 2:applied");
}

#[test]
fn fake_records_and_runs_nothing() {
    let case = two_tables();
    case.migrate(&["up", "--fake", "--to", "1"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:pending");
    assert!(!exists(&case, "a"));
    case.up();
    assert!(exists(&case, "b"));
}

#[test]
fn flags_before_a_verb_are_never_silently_dropped() {
    let case = two_tables();
    case.migrate(&["--fake", "up"]).expect_code(64);
    case.migrate(&["--to", "1", "status"]).expect_code(64);
    assert!(case.db.one("SELECT to_regclass('refinery_schema_history') IS NULL") == "t");
}

#[test]
fn a_failing_file_is_rolled_back_whole_and_the_ones_before_it_stay() {
    let case = Case::with(&[
        ("V1__a.sql", "CREATE TABLE a (id int);"),
        ("V2__bad.sql", "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\nSELECT né,\n  nope FROM b;\n"),
        ("V3__c.sql", "CREATE TABLE c (id int);"),
    ]);
    let run = said(
        case.migrate(&["up"]).expect_code(1),
        &[
            "error: V2__bad failed (",
            "caused by: column \"né\" does not exist (SQLSTATE 42703)",
            "V2__bad.sql:3:8",
            "^^ column \"né\" does not exist",
            "V2__bad was rolled back: nothing of it is left",
            "done: V1__a",
        ],
    );
    assert!(run.stdout.is_empty(), "{}", run.stdout);
    assert_eq!(case.states(), "1:applied 2:pending 3:pending");
    assert!(exists(&case, "a") && !exists(&case, "b"));
    assert_eq!(case.db.one("SELECT outcome FROM dbctl.run"), "failed");
    assert_eq!(
        case.db.one("SELECT detail ->> 'message' FROM dbctl.journal WHERE state = 'failed'"),
        "column \"né\" does not exist"
    );
    case.file("V2__bad.sql", "CREATE TABLE b (id int);");
    case.up();
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
}

#[test]
fn a_constraint_that_fails_only_at_commit_is_the_files_failure() {
    let case = Case::with(&[(
        "V1__deferred.sql",
        "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);\n\
         INSERT INTO c VALUES (1);",
    )]);
    case.refuses(&["up"], 1, &["V1__deferred failed", "at its commit", "SQLSTATE 23503", "was rolled back"]);
    assert!(!exists(&case, "p"));
}

#[test]
fn statements_that_refuse_a_transaction_run_one_by_one_with_the_files_own_settings() {
    let case = Case::with(&[
        ("V1__t.sql", "CREATE TABLE t (a int);\nCREATE TABLE seen (setting text);"),
        (
            "V2__i.sql",
            "SET maintenance_work_mem = '7MB';\nCREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM (ANALYZE) t;\nDROP INDEX CONCURRENTLY i;",
        ),
        (
            "V3__mixed.sql",
            "-- dbctl: no-transaction\nSET work_mem = '7MB';\nINSERT INTO seen SELECT current_setting('work_mem');\nVACUUM t;\n\
             INSERT INTO seen SELECT current_setting('work_mem');",
        ),
        (
            "V4__after.sql",
            "INSERT INTO seen SELECT current_setting('work_mem') || ' ' || current_setting('maintenance_work_mem');",
        ),
    ]);
    let before = case.db.one("SELECT current_setting('work_mem') || ' ' || current_setting('maintenance_work_mem')");
    case.up();
    let seen = case.db.one("SELECT string_agg(setting, ',') FROM seen");
    assert_eq!(seen, format!("7MB,7MB,{before}"));
    assert_eq!(case.history(), "1 2 3 4");
}

#[test]
fn a_file_without_transaction_goes_on_at_the_first_unfinished_statement() {
    let case = Case::with(&[("V1__t.sql", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);")]);
    let text = "CREATE INDEX CONCURRENTLY i ON t (a);\nCREATE UNIQUE INDEX CONCURRENTLY u ON t (a);\nVACUUM t;\n";
    case.file("V2__i.sql", text);
    case.refuses(
        &["up"],
        1,
        &[
            "V2__i.sql:2:1",
            "SQLSTATE 23505",
            "statements before number 2 are done and recorded",
            "run again, it goes on",
        ],
    );
    assert_eq!(case.states(), "1:applied 2:pending");
    assert_eq!(case.db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    // A finished statement must not change under us.
    case.file("V2__i.sql", text.replacen("i ON t (a)", "i ON t (a DESC)", 1));
    case.refuses(
        &["up"],
        4,
        &["statement 1 of", "was changed after an earlier run had finished it", "put its old text back"],
    );
    case.file("V2__i.sql", text);
    case.db.sql("DELETE FROM t");
    let run = case.migrate(&["up"]).expect_code(0);
    assert!(run.stderr.contains("V2__i: statement 1 was done by an earlier run"), "{}", run.stderr);
    assert_eq!(case.states(), "1:applied 2:applied");
}

#[test]
fn mixed_files_are_refused_with_a_split_and_nothing_runs() {
    let case = two_tables();
    case.file("V3__mixed.sql", "CREATE TABLE c (id int);\nCREATE INDEX CONCURRENTLY i ON c (id);\n");
    case.refuses(
        &["up"],
        65,
        &[
            "mixes statements",
            "V3__mixed.sql:2:1",
            "into 2 files, in this order: line 1; line 2 (without transaction)",
            "-- dbctl: no-transaction",
        ],
    );
    assert!(!exists(&case, "a"), "the plan is refused as a whole, before anything runs");
}

#[test]
fn transaction_control_and_copy_from_the_client_are_refused_with_their_place() {
    for (text, words) in [
        ("CREATE TABLE a ();\nBEGIN;\n", &["begins or ends a transaction", ":2:1"][..]),
        ("CREATE TABLE a ();\nCOMMIT;\n", &["begins or ends a transaction", ":2:1"]),
        ("CREATE TABLE a (b int);\nCOPY a FROM STDIN;\n", &["COPY", ":2:1", "INSERT"]),
        ("CREATE TABLE a (b int);\nCOPY a TO STDOUT;\n", &["COPY", ":2:1"]),
        ("CREATE TABLE a (b int);\nCOPY (SELECT 1) TO STDOUT;\n", &["COPY", ":2:1"]),
    ] {
        let case = Case::with(&[("V1__x.sql", text)]);
        case.refuses(&["up"], 65, words);
        case.refuses(&["plan"], 65, words);
    }
    // The body of a function may say what it likes.
    let body = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN COMMIT; END$$;";
    let case = Case::with(&[("V1__p.sql", body)]);
    case.up();
}

#[test]
fn what_pg_dump_writes_for_psql_is_named() {
    let case = Case::with(&[("V1__dump.sql", "\\restrict abc\nCREATE TABLE a ();\n")]);
    case.refuses(&["up"], 1, &["SQLSTATE 42601", "V1__dump.sql:1:1", "psql"]);
}

#[test]
fn a_new_enum_value_works_in_a_file_of_its_own() {
    let case = Case::with(&[
        ("V1__e.sql", "CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (e e);"),
        ("V2__add.sql", "ALTER TYPE e ADD VALUE 'b';"),
        ("V3__use.sql", "INSERT INTO t VALUES ('b');"),
        ("V4__both.sql", "ALTER TYPE e ADD VALUE 'c';\nINSERT INTO t VALUES ('c');"),
    ]);
    case.refuses(&["up"], 1, &["V4__both.sql:2:", "SQLSTATE 55P04", "into a file of its own"]);
    assert_eq!(case.states(), "1:applied 2:applied 3:applied 4:pending");
}

#[test]
fn the_server_s_notices_are_told_when_asked_for_and_warnings_always() {
    let case = Case::with(&[("V1__talk.sql", "DO $$BEGIN RAISE NOTICE 'about to'; RAISE WARNING 'look here'; END$$;")]);
    let run = case.migrate(&["up", "-v"]).expect_code(0);
    assert!(run.stderr.contains("notice: about to") && run.stderr.contains("warning: look here"), "{}", run.stderr);
    let case = Case::with(&[("V1__talk.sql", "DO $$BEGIN RAISE NOTICE 'about to'; RAISE WARNING 'look here'; END$$;")]);
    let run = case.migrate(&["up"]).expect_code(0);
    assert!(!run.stderr.contains("about to") && run.stderr.contains("warning: look here"), "{}", run.stderr);
    let case = Case::with(&[("V1__talk.sql", "DO $$BEGIN RAISE WARNING 'look here'; END$$;")]);
    assert_eq!(case.migrate(&["up", "-q"]).expect_code(0).stderr, "");
}

#[test]
fn a_lost_extension_or_wrong_type_keeps_the_server_s_hint() {
    let case = Case::with(&[("V1__f.sql", "SELECT lenght('x');")]);
    case.refuses(&["up"], 1, &["V1__f.sql:1:8", "hint: the server says: "]);
}
