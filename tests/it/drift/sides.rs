//! Where the expected state comes from: migrations replayed up to what is applied, a file, another
//! database, two files.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{private_server, spawn};

#[test]
fn one_change_by_hand_is_found_with_its_object_and_property() {
    let case = Case::with(&[TABLE]);
    let quiet = case.drift(&[]).expect_code(0);
    assert!(quiet.stdout.contains("in sync"), "{}", quiet.stdout);
    case.db.sql("ALTER TABLE app.orders ALTER COLUMN total SET DEFAULT 1");
    assert_eq!(case.found(&[]), ["changed table:app.orders/column:total#default"]);
    let told = case.drift(&[]).expect_code(2);
    assert!(told.stdout.contains("expected: 0") && told.stdout.contains("SET DEFAULT 0;"), "{}", told.stdout);
}

#[test]
fn a_whole_object_is_one_finding() {
    let case = Case::with(&[TABLE]);
    case.db.sql("CREATE TABLE app.extra (a int PRIMARY KEY, b text); DROP INDEX app.by_day");
    assert_eq!(case.found(&[]), ["extra table:app.extra", "missing table:app.orders/index:by_day"]);
    case.drift(&["--fail-on", "changed"]).expect_code(0);
    case.drift(&["--fail-on", "never"]).expect_code(0);
    case.drift(&["--fail-on", "changed,missing"]).expect_code(2);
}

#[test]
fn pending_migrations_are_listed_and_no_drift() {
    let case = Case::with(&[TABLE]);
    case.file("V2__more.sql", "ALTER TABLE app.orders ADD COLUMN more text;");
    let run = case.drift(&["--format", "json"]).expect_code(0);
    assert_eq!(json(&run)["pending"], serde_json::json!(["V2__more"]));
    assert_eq!(json(&run)["in_sync"], true);
}

#[test]
fn a_version_that_was_passed_over_is_not_replayed() {
    let case = Case::with(&[TABLE, ("V3__c.sql", "ALTER TABLE app.orders ADD COLUMN c text;")]);
    case.file("V2__b.sql", "ALTER TABLE app.orders ADD COLUMN b text;");
    let run = case.drift(&["--format", "json"]).expect_code(0);
    assert_eq!(json(&run)["pending"], serde_json::json!(["V2__b"]));
}

#[test]
fn an_edited_migration_leaves_unknown_what_is_expected() {
    let case = Case::with(&[TABLE]);
    case.file(TABLE.0, &TABLE.1.replace("DEFAULT 0", "DEFAULT 0 CHECK (total >= 0)"));
    let run = case.drift(&["--ignore", "check:*", "--format", "json"]).expect_code(1);
    assert_eq!(json(&run)["in_sync"], Value::Null);
    assert!(json(&run)["unknown"][0].as_str().unwrap().contains("V1__orders"), "{}", run.stdout);
}

#[test]
fn a_rename_is_one_finding_whoever_chose_the_name_before() {
    let case = Case::with(&[TABLE]);
    case.db.sql("ALTER INDEX app.by_day RENAME TO on_day; ALTER INDEX app.orders_pkey RENAME TO key_of_orders");
    assert_eq!(
        case.found(&[]),
        ["renamed table:app.orders/primary_key:orders_pkey#name", "renamed table:app.orders/index:by_day#name"]
    );
}

#[test]
fn a_snapshot_file_says_what_is_expected() {
    let case = Case::with(&[TABLE]);
    let before = case.snapshot("before.json");
    case.db.sql("COMMENT ON TABLE app.orders IS 'all of them'");
    let now = case.snapshot("now.yaml");
    let drift =
        |args: &[&str]| run(dbctl(&[&["drift", "--format", "json"], args].concat()).env("DATABASE_URL", case.db.url()));
    assert_eq!(found(&drift(&["--snapshot", &before]).expect_code(2)), ["changed table:app.orders#comment"]);
    drift(&["--snapshot", &now]).expect_code(0);
}

#[test]
fn two_files_need_no_server() {
    let case = Case::with(&[TABLE]);
    let before = case.snapshot("before.json");
    case.db.sql("ALTER TABLE app.orders DROP COLUMN day");
    let after = case.snapshot("after.json");
    let offline =
        |args: &[&str]| run(dbctl(&[&["drift", "--format", "json"], args].concat()).env("PGHOST", "/nowhere"));
    let ids = found(&offline(&["--snapshot", &before, "--actual", &after]).expect_code(2));
    assert_eq!(ids, ["missing table:app.orders/column:day", "missing table:app.orders/index:by_day"]);
    offline(&["--snapshot", &before, "--actual", &before]).expect_code(0);
    let text = std::fs::read_to_string(&before).unwrap();
    let older = case.write(
        "older.json",
        &text.replacen(&format!("\"server_major\": {}", case.db.major()), "\"server_major\": 13", 1),
    );
    let told = offline(&["--snapshot", &older, "--actual", &before]).expect_code(0).stdout;
    assert!(told.contains("expected is of PostgreSQL 13"), "{told}");
    let broken = case.write("broken.json", "{\"kind\": \"schema.snapshot\", \"objects\": 3}");
    offline(&["--snapshot", &before, "--actual", &broken]).expect_code(65);
    offline(&["--actual", &before]).expect_code(64);
}

#[test]
fn two_databases_are_compared() {
    let (one, other) = (Case::with(&[TABLE]), Case::with(&[TABLE]));
    let against = |case: &Case| {
        let url = other.db.url();
        run(dbctl(&["drift", "--against", &url, "--format", "json"]).env("DATABASE_URL", case.db.url()))
    };
    against(&one).expect_code(0);
    one.db.sql("ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY");
    assert_eq!(found(&against(&one).expect_code(2)), ["changed table:app.orders#row_security"]);
}

#[test]
fn a_private_server_does_as_well() {
    let case = Case::with(&[TABLE]);
    case.drift(&["--sandbox"]).expect_code(0);
    let elsewhere = Database::new();
    case.drift(&["--scratch-url", &elsewhere.url()]).expect_code(0);
    case.db.sql("ALTER TABLE app.orders DROP CONSTRAINT orders_pkey");
    let ids = case.found(&["--sandbox"]);
    assert!(ids.contains(&"missing table:app.orders/primary_key:orders_pkey".to_owned()), "{ids:?}");
}

#[test]
fn nothing_is_told_while_a_migration_runs() {
    let case = Case::with(&[TABLE]);
    case.file("V2__slow.sql", "ALTER TABLE app.orders ADD COLUMN b text;\nSELECT pg_sleep(4);");
    let migrating = spawn(&mut case.command(&["migrate", "up"], &[]));
    crate::harness::eventually("the migration runs", || {
        case.db.one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid()") != "0"
    });
    let busy = case.drift(&["--lock-wait", "0"]).expect_code(6);
    assert!(busy.stderr.contains("a migration runs: pid "), "{}", busy.stderr);
    let waited = case.drift(&["--lock-wait", "1min"]).expect_code(0);
    assert!(waited.stderr.contains("another run is at work"), "{}", waited.stderr);
    migrating.wait().expect_code(0);
}

#[test]
fn a_block_that_changes_a_role_is_not_run_once_more_beside_the_live_database() {
    let role = format!("kept_{}", std::process::id());
    let block = format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF; \
         ALTER ROLE {role} CONNECTION LIMIT 1; END $$;"
    );
    let case = Case::with(&[("V1__role.sql", &block), ("V2__t.sql", "CREATE TABLE t (a int);")]);
    case.db.sql(&format!("ALTER ROLE {role} CONNECTION LIMIT 7"));
    let told = case.drift(&[]).expect_code(0).stdout;
    assert!(told.contains("on a private server, because"), "{told}");
    case.drift(&["--sandbox"]).expect_code(0);
    assert_eq!(case.db.one(&format!("SELECT rolconnlimit FROM pg_roles WHERE rolname = '{role}'")), "7");
    case.db.sql(&format!("DROP ROLE {role}"));
}

/// What belongs to the whole server.
fn of_the_server(case: &Case) -> String {
    case.db.one(
        "SELECT md5(string_agg(t, E'\\n' ORDER BY t)) FROM (SELECT r::text FROM pg_roles r UNION ALL \
         SELECT m::text FROM pg_auth_members m UNION ALL SELECT s::text FROM pg_db_role_setting s UNION ALL \
         SELECT d::text FROM pg_shdescription d WHERE description NOT LIKE 'dbctl%' UNION ALL \
         SELECT slot_name::text FROM pg_replication_slots) AS all_of_them (t)",
    )
}

#[test]
fn nothing_of_the_server_changes_by_what_code_does_in_a_replay() {
    let server = private_server(&Options::default());
    for (number, text) in [
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'alter' || ' role r1 CONNECTION LIMIT 1'; END $$; SELECT f();",
        "DO $$ BEGIN GRANT r1 TO r2; END $$;",
        "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN COMMENT ON TABLESPACE pg_default IS 'x'; RETURN NEW; END $$; \
         CREATE TABLE t (a int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g(); INSERT INTO t VALUES (1);",
    ]
    .iter()
    .enumerate()
    {
        let db = Database::at(&server);
        db.sql("DO $$ BEGIN CREATE ROLE r1; CREATE ROLE r2; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        let case = Case::on(db, &[(&format!("V{}__x.sql", number + 1), text)]);
        case.db.sql("ALTER ROLE r1 CONNECTION LIMIT 7; REVOKE r1 FROM r2; COMMENT ON TABLESPACE pg_default IS NULL");
        let before = of_the_server(&case);
        let told = case.drift(&[]).expect_code(0).stdout;
        assert!(told.contains("on a private server, because"), "{told}");
        assert_eq!(of_the_server(&case), before, "{text}");
    }
}

#[test]
fn no_file_applied_or_pending_reaches_the_live_server_at_whatever_address_it_is_named() {
    let server = private_server(&Options::default());
    let setup = Database::at(&server);
    setup.sql("CREATE ROLE r1; CREATE ROLE r2");
    let body = |code: &str| format!("DO $$ BEGIN {code} END $$;");
    let made = |code: &str, then: &str| {
        format!("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN {code} RETURN 1; END $$; {then}")
    };
    let leaks = [
        "ALTER /* x */ ROLE r1 CONNECTION LIMIT 1;".to_owned(),
        "CREATE GROUP r3;".to_owned(),
        "COMMENT ON ROLE r1 IS 'x';".to_owned(),
        "COMMENT ON TABLESPACE pg_default IS 'x';".to_owned(),
        "UPDATE pg_authid SET rolconnlimit = 1 WHERE rolname = 'r1';".to_owned(),
        "WITH x AS (UPDATE pg_database SET datconnlimit = 9 WHERE datname = 'postgres' RETURNING 1) SELECT * FROM x;"
            .to_owned(),
        "SELECT pg_create_physical_replication_slot('leaked');".to_owned(),
        "SELECT pg_reload_conf();".to_owned(),
        "SELECT U&\"\\0070g_reload_conf\"();".to_owned(),
        "SELECT query_to_xml('SELECT pg_reload_conf()', true, false, '');".to_owned(),
        "SET standard_conforming_strings = off; SELECT 1;".to_owned(),
        body("EXECUTE 'alter' || ' role r1 CONNECTION LIMIT 1';"),
        body("GRANT r1 TO r2;"),
        body("COMMENT ON DATABASE postgres IS 'x';"),
        body("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'ALTER ROLE r1 CONNECTION LIMIT 1';") + " SELECT f();",
        body("DO 'BEGIN ALTER ROLE r1 CONNECTION LIMIT 1; END';"),
        "DO E'BEGIN EXECUT\\x45 \\'alter\\' || \\' role r1 CONNECTION LIMIT 1\\'; END';".to_owned(),
        made("ALTER ROLE r1 SET work_mem = '5MB';", "SELECT f();"),
        made("GRANT r1 TO r2;", "CREATE VIEW v AS SELECT f(); SELECT * FROM v;"),
        made("GRANT r1 TO r2;", "CREATE TABLE t (a int DEFAULT f(), b int); INSERT INTO t (b) VALUES (1);"),
        made("GRANT r1 TO r2;", "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT f()'; SELECT g();"),
    ];
    for text in &leaks {
        let case = Case {
            db: Database::at(&server),
            folder: tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap(),
        };
        case.file("V1__x.sql", text);
        let before = of_the_server(&case);
        let live = case.db.url();
        let refuses = |verb: &[&str]| {
            let run = run(&mut case.command(verb, &["--scratch-url", &live])).expect_code(4);
            assert!(run.stderr.contains("--sandbox") && run.stderr.contains("V1__x.sql:1:"), "{text}: {}", run.stderr);
        };
        refuses(&["migrate", "rehearse"]);
        run(&mut case.command(&["migrate", "up", "--fake"], &[])).expect_code(0);
        refuses(&["drift"]);
        assert_eq!(of_the_server(&case), before, "{text}");
        case.db.sql("DROP TABLE refinery_schema_history");
    }
}

#[test]
fn words_in_texts_and_mappings_of_users_are_no_reason_for_a_private_server() {
    let server = private_server(&Options::default());
    let case = Case::on(
        Database::at(&server),
        &[(
            "V1__x.sql",
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('alter role x'); CREATE FOREIGN DATA WRAPPER w; \
             CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE USER MAPPING FOR postgres SERVER s; \
             CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'CREATE ROLE r'; END $$;",
        )],
    );
    let told = case.drift(&[]).expect_code(0);
    assert!(!told.stdout.contains("private server"), "{}", told.stdout);
}

#[test]
fn rights_that_the_migrating_role_gives_itself_are_its_own_wherever_it_is_replayed() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql(&format!("CREATE ROLE deploy LOGIN; GRANT ALL ON DATABASE {} TO deploy", db.name()));
    let case = Case { db, folder: tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap() };
    case.file(
        "V1__t.sql",
        "CREATE SCHEMA app; CREATE TABLE app.t (a int); GRANT SELECT, INSERT ON app.t TO deploy; GRANT SELECT ON app.t TO postgres;",
    );
    case.db.sql("GRANT ALL ON SCHEMA public TO deploy");
    let url = case.db.url_as("deploy");
    run(case.command(&["migrate", "up"], &[]).env("DATABASE_URL", url)).expect_code(0);
    assert_eq!(
        case.found(&["--ignore", "schema:public#privileges", "--ignore", "database:*#privileges", "--sandbox"]),
        Vec::<String>::new()
    );
}

#[test]
fn a_history_that_the_search_path_does_not_lead_to_is_not_taken_for_none() {
    let db = Database::new();
    db.sql(&format!("CREATE SCHEMA app; ALTER DATABASE {} SET search_path = app", db.name()));
    let case = Case::on(db.reconnected(), &[("V1__t.sql", "CREATE TABLE t (a int);")]);
    case.db.sql(&format!("ALTER DATABASE {} RESET search_path", case.db.name()));
    let told = case.drift(&["--format", "json"]).expect_code(1);
    assert!(told.stderr.contains("app.refinery_schema_history"), "{}", told.stderr);
}

#[test]
fn what_is_in_an_extra_setting_of_a_role_or_an_extra_default_privilege_is_shown() {
    let case = Case::with(&[TABLE]);
    case.db.sql(&format!(
        "ALTER ROLE postgres IN DATABASE {} SET work_mem = '7MB'; ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC",
        case.db.name()
    ));
    let told = case.drift(&[]).expect_code(2).stdout;
    assert!(told.contains("work_mem=7MB") && told.contains("PUBLIC: SELECT"), "{told}");
    let told = case.drift(&["--format", "json"]).expect_code(2).stdout;
    assert!(told.contains("work_mem=7MB") && told.contains("PUBLIC: SELECT"), "{told}");
}

/// Minor releases since November 2026 count versions of each column among its options; an extension's server is the
/// distribution's, which has them.
#[test]
fn how_often_a_column_was_changed_is_no_drift() {
    let Some(server) = crate::harness::repack_server() else { return };
    let case = Case::on(Database::at(server), &[TABLE]);
    case.db.sql("ALTER TABLE app.orders ADD more int; ALTER TABLE app.orders DROP more");
    case.db.sql("ALTER TABLE app.orders ALTER total TYPE bigint; ALTER TABLE app.orders ALTER total TYPE integer");
    case.drift(&[]).expect_code(0);
    case.drift(&["--sandbox"]).expect_code(0);
    let expected = case.snapshot("expected.json");
    let text = std::fs::read_to_string(&expected).unwrap();
    assert!(text.contains("total") && !text.contains("pg_attver"), "{text}");
    case.db.sql("ALTER TABLE app.orders ALTER total SET (n_distinct = 7)");
    let told = run(dbctl(&["drift", "--snapshot", &expected, "--format", "json"]).env("DATABASE_URL", case.db.url()));
    let told = told.expect_code(2).stdout;
    assert!(told.contains("n_distinct=7") && !told.contains("pg_attver"), "{told}");
}
