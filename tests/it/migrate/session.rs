//! What a file does to its session stays in that file.

use super::{Case, Role};
use crate::harness::{Database, majors};

/// Writes down the session that a migration meets.
const LOOK: &str = "CREATE TABLE IF NOT EXISTS public.seen (n serial, setting text);\nINSERT INTO public.seen (setting) \
    SELECT concat_ws(';', current_user, current_setting('search_path'), current_setting('lock_timeout'), \
    current_setting('statement_timeout'), current_setting('TimeZone'), current_setting('role'), \
    current_setting('client_encoding'), current_setting('default_transaction_read_only'), \
    current_setting('standard_conforming_strings'), current_setting('transaction_isolation'), session_user);\n";

/// What a file may leave behind: SQL, and whether it may stand in a file of statements too.
const CHANGES: [(&str, &str); 13] = [
    ("path", "SET search_path = '';"),
    ("pg_dump", "SELECT pg_catalog.set_config('search_path', '', false);"),
    ("role", "SET ROLE pg_read_all_stats;"),
    ("authorization", "SET SESSION AUTHORIZATION pg_read_all_stats;"),
    ("locks", "SET lock_timeout = 0; SET statement_timeout = '1h';"),
    ("local", "SET LOCAL lock_timeout = 0; SET LOCAL search_path = pg_temp;"),
    ("zone", "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German';"),
    ("encoding", "SET client_encoding = 'UTF8';"),
    ("strings", "SET standard_conforming_strings = off; SET escape_string_warning = off;"),
    ("read_only", "SET default_transaction_read_only = on; SET default_transaction_isolation = serializable;"),
    ("replica", "SET session_replication_role = replica; SET row_security = off;"),
    ("temp", "CREATE TEMP TABLE refinery_schema_history (version int, name text, applied_on text, checksum text);"),
    ("locked", "SELECT pg_advisory_lock(1, 2); LISTEN somebody; PREPARE p AS SELECT 1;"),
];

#[test]
fn no_file_reaches_into_the_next_or_into_the_bookkeeping() {
    majors().into_iter().for_each(files_stay_apart);
}

fn files_stay_apart(major: u32) {
    let case = Case::at(Database::on(major));
    case.file("V100__look.sql", LOOK);
    for (index, (name, sql)) in CHANGES.iter().enumerate() {
        let version = 101 + index * 2;
        case.file(&format!("V{version}__ñ_{name}.sql"), sql);
        case.file(&format!("V{}__look.sql", version + 1), LOOK);
    }
    case.up();
    let seen = case.db.sql("SELECT DISTINCT setting FROM seen");
    let expected = "postgres;\"$user\", public;3s;0;UTC;none;UTF8;off;on;read committed;postgres";
    assert_eq!(seen, [[Some(expected.to_owned())]], "{:?}", case.db.sql("SELECT n, setting FROM seen ORDER BY n"));
    assert!(!case.states().contains("divergent"), "{}", case.states());
    assert_eq!(case.db.one("SELECT count(*) FROM refinery_schema_history"), (1 + 2 * CHANGES.len()).to_string());
    assert_eq!(
        case.db.one("SELECT count(*) FROM refinery_schema_history WHERE name LIKE 'ñ\\_%'"),
        CHANGES.len().to_string()
    );
}

#[test]
fn nor_does_a_file_without_transaction() {
    majors().into_iter().for_each(statements_stay_apart);
}

fn statements_stay_apart(major: u32) {
    let case = Case::at(Database::on(major));
    case.file("V100__look.sql", LOOK);
    for (index, (name, sql)) in CHANGES.iter().enumerate().filter(|(_, (name, _))| *name != "local") {
        let version = 101 + index * 2;
        case.file(
            &format!("V{version}__ñ_{name}.sql"),
            format!("-- dbctl: no-transaction\n{sql}\nVACUUM pg_catalog.pg_am;\nSELECT 1;"),
        );
        case.file(&format!("V{}__look.sql", version + 1), LOOK);
    }
    case.up();
    let seen = case.db.sql("SELECT DISTINCT setting FROM seen");
    let expected = "postgres;\"$user\", public;3s;0;UTC;none;UTF8;off;on;read committed;postgres";
    assert_eq!(seen, [[Some(expected.to_owned())]], "{:?}", case.db.sql("SELECT n, setting FROM seen ORDER BY n"));
    assert!(!case.states().contains("divergent") && !case.states().contains("pending"), "{}", case.states());
}

#[test]
fn the_role_s_own_settings_hold_but_not_its_time_zone() {
    let case = Case::new();
    let role = Role::new(&case.db, "tuned", "SUPERUSER");
    case.db.sql(&format!("ALTER ROLE {} SET work_mem = '9MB'; ALTER ROLE {0} SET TimeZone = 'Asia/Tokyo'", role.name));
    case.file(
        "V1__see.sql",
        "CREATE TABLE seen AS SELECT current_setting('work_mem') || current_setting('TimeZone') AS s;",
    );
    case.migrate_as(&role.name, &["up", "--lock-timeout", "1s"]).expect_code(0);
    assert_eq!(case.db.one("SELECT s FROM seen"), "9MBUTC");
}

#[test]
fn objects_belong_to_the_role_that_the_login_stands_for() {
    let case = Case::with(&[
        ("V1__a.sql", "CREATE TABLE a ();"),
        ("V2__b.sql", "SET ROLE postgres; CREATE TABLE b ();"),
        ("V3__c.sql", "CREATE TABLE c ();"),
    ]);
    let owner = Role::new(&case.db, "owner", "");
    let login = Role::new(&case.db, "login", "SUPERUSER");
    case.db.sql(&format!(
        "GRANT {0} TO {1}; ALTER ROLE {1} SET role = {0}; GRANT CREATE ON SCHEMA public TO {0}; GRANT CREATE ON DATABASE {2} TO {0}",
        owner.name, login.name, case.db.name()
    ));
    case.migrate_as(&login.name, &["up"]).expect_code(0);
    let owners = case
        .db
        .one("SELECT string_agg(tableowner, ',' ORDER BY tablename) FROM pg_tables WHERE tablename IN ('a', 'b', 'c')");
    assert_eq!(owners, format!("{0},postgres,{0}", owner.name));
}

#[test]
fn every_connection_says_who_it_is_and_has_its_limits() {
    let case = Case::with(&[(
        "V1__see.sql",
        "CREATE TABLE seen AS SELECT application_name, pid = pg_backend_pid() AS own FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dbctl%';\nALTER TABLE seen ADD check_interval text;\nUPDATE seen SET check_interval = current_setting('client_connection_check_interval');",
    )]);
    case.migrate(&["up", "--statement-timeout", "90s"]).expect_code(0);
    let seen = case.db.one("SELECT string_agg(application_name, ',' ORDER BY own DESC) FROM seen");
    assert_eq!(seen, "dbctl:migrate V1,dbctl:migrate lease");
    assert_eq!(case.db.one("SELECT DISTINCT check_interval FROM seen"), "1s");
}

#[test]
fn odd_settings_of_a_database_change_nothing() {
    let case = Case::with(&[
        ("V1__añadir.sql", "CREATE TABLE a (id int, \"Größe\" text DEFAULT 'C:\\x');"),
        ("V2__i.sql", "CREATE INDEX CONCURRENTLY \"Größe_i\" ON a (\"Größe\");"),
    ]);
    case.rollback("D2__i.sql", "DROP INDEX CONCURRENTLY \"Größe_i\";");
    for setting in [
        "standard_conforming_strings = off",
        "backslash_quote = off",
        "quote_all_identifiers = on",
        "bytea_output = escape",
        "DateStyle = 'SQL, DMY'",
        "IntervalStyle = sql_standard",
        "TimeZone = 'Asia/Kathmandu'",
        "default_transaction_isolation = serializable",
        "default_transaction_deferrable = on",
        "client_min_messages = error",
        "row_security = off",
        "extra_float_digits = 0",
        "array_nulls = off",
        "transform_null_equals = on",
        "check_function_bodies = off",
        "statement_timeout = '20s'",
        "idle_in_transaction_session_timeout = '20s'",
        "lock_timeout = '1ms'",
        "synchronous_commit = off",
        "escape_string_warning = off",
        "jit = off",
        "enable_seqscan = off",
        "xmloption = document",
    ] {
        case.db.sql(&format!("ALTER DATABASE {} SET {setting}", case.db.name()));
    }
    case.up();
    case.file("V1__añadir.sql", "CREATE TABLE a (id int, \"Größe\" text DEFAULT 'C:\\x'); -- ñ \\ '");
    case.migrate(&["repair", "--version", "1", "--reason", "it's C:\\x\\"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:applied");
    let reasons =
        case.db.one("SELECT string_agg(detail ->> 'reason', ',') FROM dbctl.journal WHERE state = 'repaired'");
    assert_eq!(reasons, "it's C:\\x\\");
    case.migrate(&["down", "--to", "1", "--yes"]).expect_code(0);
    case.up();
}

#[test]
fn databases_of_other_encodings_take_what_they_can_hold() {
    for (encoding, euro) in [("LATIN1", false), ("WIN1252", true), ("SQL_ASCII", true)] {
        let case = Case::with(&[("V1__añadir.sql", "CREATE TABLE a (\"é\" text DEFAULT 'ñ');")]);
        let name = format!("{}_{encoding}", case.db.name()).to_lowercase();
        case.db.sql(&format!("CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"));
        let url = case.db.url().replacen(case.db.name(), &name, 1);
        let on = |args: &[&str]| super::decent(case.command(args).env("DATABASE_URL", &url));
        on(&["up"]).expect_code(0);
        on(&["status", "--exit-code"]).expect_code(0);
        case.file("V2__euro.sql", "CREATE TABLE b (price text);\nINSERT INTO b VALUES ('5 €');");
        let run = on(&["up"]).expect_code(if euro { 0 } else { 1 });
        assert!(euro || run.stderr.contains("22P05") && run.stderr.contains("V2__euro"), "{}", run.stderr);
        case.db.sql(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}
