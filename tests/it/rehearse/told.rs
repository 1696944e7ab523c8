//! What a rehearsal must not get wrong: locks that looking alone does not show, times with a wait in
//! them, secrets, limits that could not be shown to hold.

use super::{Case, line, list, statements};
use crate::harness::{Database, dbctl, majors, private_server, run, spawn};
use dbctl::pg::sandbox::Options;

const TABLES: &str = "
CREATE TABLE orders (id bigint PRIMARY KEY, total int);
CREATE TABLE items (id bigint PRIMARY KEY, total int);
INSERT INTO orders SELECT g, g FROM generate_series(1, 2000) AS g;
INSERT INTO items SELECT g, g FROM generate_series(1, 2000) AS g;
CREATE INDEX orders_total ON orders (total);
CREATE TABLE events (id bigint NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (100);
CREATE TABLE watched (a int);
CREATE FUNCTION careful() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN LOCK TABLE orders IN EXCLUSIVE MODE; RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END $$;
CREATE FUNCTION guarded() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN LOCK TABLE orders IN SHARE MODE; RAISE 'no'; EXCEPTION WHEN OTHERS THEN RETURN NEW; END $$;
CREATE TRIGGER watching BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION guarded();
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$;
";

#[test]
fn what_looking_alone_does_not_show_is_told() {
    for major in majors() {
        let case = Case::on(
            Database::on(major),
            TABLES,
            &[
                "-- Why.\nALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;",
                "REINDEX TABLE CONCURRENTLY items;",
                "TRUNCATE items;",
                "DO $$ BEGIN LOCK TABLE orders; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END $$;\nSELECT careful();\nINSERT INTO watched VALUES (1);\nINSERT INTO orders VALUES (-1);",
                "CREATE INDEX orders_both ON orders (total, id);",
                "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON watched DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();\nINSERT INTO watched VALUES (2);",
            ],
        );
        let document = case.json(&[], 0);
        let detached = line(&document, "DETACH");
        assert_eq!(detached["lock_mode"], "ACCESS EXCLUSIVE", "{major}: {detached:#}");
        assert_eq!(detached["lock_relation"], "public.events_1", "{major}");
        assert!(list(&detached["locks"]).contains(&"SHARE UPDATE EXCLUSIVE on public.events"), "{detached:#}");

        let rebuilt = line(&document, "REINDEX");
        assert_eq!(list(&rebuilt["built"]), ["public.items_pkey"], "{major}: {rebuilt:#}");
        assert_eq!(rebuilt["lock_mode"], "SHARE UPDATE EXCLUSIVE", "{major}: {rebuilt:#}");
        let emptied = line(&document, "TRUNCATE");
        assert_eq!(list(&emptied["emptied"]), ["public.items"], "{major}: {emptied:#}");
        assert!(list(&emptied["scanned"]).is_empty() && list(&emptied["rewritten"]).is_empty(), "{emptied:#}");
        let built = line(&document, "CREATE INDEX");
        assert_eq!(
            (list(&built["built"]), list(&built["scanned"])),
            (vec!["public.orders_both"], vec!["public.orders"])
        );

        for (words, more) in [("DO $$", true), ("careful", true), ("watched VALUES (1)", true), ("INTO orders", false)]
        {
            assert_eq!(line(&document, words)["may_have_held_more"], more, "{major}: {words}");
        }
        let late = line(&document, "watched VALUES (2)");
        assert!(late["commit_seconds"].as_f64() > Some(0.29), "{major}: {late:#}");
        assert!(late["held_seconds"].as_f64() > Some(0.29), "{major}: {late:#}");

        // What is not known to be below a limit is not below it.
        let limited = case.json(&["--max-lock", "share", "--max-duration", "250ms"], 2);
        let findings: Vec<String> =
            limited["findings"].as_array().unwrap().iter().map(|f| f["message"].to_string()).collect();
        for words in ["events_1", "DO $$", "the end of its transaction took"] {
            assert!(findings.iter().any(|message| message.contains(words)), "{major}: {words}: {findings:#?}");
        }
        assert_eq!((&limited["max_lock"], &limited["max_duration_seconds"]), (&"SHARE".into(), &0.25.into()));
        let shown = case.rehearse(&[], 0).stdout;
        assert!(shown.contains("may have held") && shown.contains("empties") && !shown.contains("\\n"), "{shown}");
    }
}

#[test]
fn a_failure_has_its_own_place_on_one_line_and_passwords_are_nowhere() {
    let case =
        Case::with("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1);", &["INSERT INTO t VALUES (1);"]);
    let document = case.json(&[], 2);
    let finding = &document["findings"][0];
    assert!(finding["place"].as_str().unwrap().ends_with("V2__step.sql:1:1"), "{finding}");
    assert!(!finding["message"].as_str().unwrap().contains('\n'), "{finding}");
    assert!(finding["message"].as_str().unwrap().contains("; detail: Key (a)=(1)"), "{finding}");
    // ROW EXCLUSIVE, perhaps: nothing is known of what fails.
    assert!(document["strongest_lock"].is_null());
    assert!(case.rehearse(&[], 2).stdout.contains("strongest lock:   UNKNOWN"));
    case.file(2, "SELECT 1;\nSELECT 1, nope FROM t;");
    let nope = case.json(&[], 2);
    assert!(nope["findings"][0]["place"].as_str().unwrap().ends_with("V2__step.sql:2:11"), "{nope:#}");

    // What fails at the commit only.
    case.file(2, "ALTER TABLE t ADD UNIQUE (a) DEFERRABLE INITIALLY DEFERRED;\nCREATE TABLE u (a int REFERENCES t DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO u VALUES (7);");
    let late = case.json(&[], 2);
    assert!(late["findings"][0]["place"].as_str().unwrap().ends_with("V2__step.sql:3:1"), "{late:#}");
    assert!(late["findings"][0]["message"].as_str().unwrap().contains("at a deferred constraint"), "{late:#}");

    case.file(2, "CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere OPTIONS (user 'u', password 'hush');");
    for args in [&["migrate", "rehearse"][..], &["migrate", "plan"], &["migrate", "up"], &["migrate", "lint"]] {
        for format in ["table", "json"] {
            let mut command = case.dbctl(args);
            let run = run(command.args(["--format", format]));
            assert!(
                !format!("{}{}", run.stdout, run.stderr).contains("hush"),
                "{args:?}: {}{}",
                run.stdout,
                run.stderr
            );
        }
    }
    let plan = case.dbctl(&["migrate", "plan"]).output().unwrap();
    assert!(String::from_utf8_lossy(&plan.stdout).contains("password '****'"));
}

#[test]
fn a_wait_for_a_lock_is_told_with_the_time_that_it_is_part_of() {
    let server = private_server(&Options::default());
    let case = Case::on(Database::at(&server), "CREATE TABLE t (a int);", &["ALTER TABLE t ADD b int;\nSELECT 1;"]);
    let copy = Database::at(&server);
    let mut up = dbctl(&["migrate", "up", "--to", "1", "--dir"]);
    run(up.arg(case.dir()).env("DATABASE_URL", copy.url())).expect_code(0);
    let holder = copy.session();
    holder.sql("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE");
    let mut command = case.command(&["--on", &copy.url(), "--yes", "--lock-timeout", "60s", "--format", "json"]);
    let child = spawn(&mut command);
    child.wait_for_stderr("blocked by");
    holder.sql("COMMIT");
    let document = super::json(&child.wait().expect_code(0));
    let waited: Vec<&serde_json::Value> = statements(&document).iter().map(|line| &line["waited"]).collect();
    assert_eq!(waited, [true, false]);
    let work = list(&line(&document, "ALTER TABLE")["work"]).join(" ");
    assert!(work.contains("waited for a lock"), "{work}");
}
