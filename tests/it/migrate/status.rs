//! `migrate status`: what it says, and that it changes nothing.

use super::{Case, Role, json, states};
use crate::harness::{Database, private_server};
use dbctl::pg::sandbox::Options;

const TWO: [(&str, &str); 2] = [("V1__a.sql", "CREATE TABLE a (id int);"), ("V2__b.sql", "CREATE TABLE b (id int);")];

#[test]
fn a_fresh_database_has_everything_pending_and_exit_code_2_says_so() {
    let case = Case::with(&TWO);
    let status = case.json(&["status"]);
    assert_eq!(states(&status), "1:pending 2:pending");
    assert_eq!((&status["pending"], &status["applied"]), (&2.into(), &0.into()));
    assert!(status["history"].is_null());
    case.migrate(&["status", "--exit-code"]).expect_code(2);
    case.up();
    case.migrate(&["status", "--exit-code"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:applied");
    assert_eq!(case.json(&["status"])["history"], "public.refinery_schema_history");
    case.file("V3__c.sql", "SELECT 1;");
    case.migrate(&["status", "--exit-code"]).expect_code(2);
}

#[test]
fn a_person_sees_the_last_applied_versions_and_all_on_request() {
    let case = Case::new();
    for version in 1..=60 {
        case.file(&format!("V{version}__v.sql"), "SELECT 1;");
    }
    case.up();
    let brief = case.migrate(&["status"]).expect_code(0).stdout;
    assert!(brief.contains("50 older applied migrations are not shown: --all shows them"), "{brief}");
    assert!(!case.migrate(&["status", "--all"]).expect_code(0).stdout.contains("not shown"));
    assert_eq!(case.json(&["status"])["migrations"].as_array().unwrap().len(), 60);
}

#[test]
fn select_on_the_history_is_all_that_status_needs() {
    let case = Case::with(&TWO);
    case.up();
    let reader = Role::new(&case.db, "reader", "");
    let role = &reader.name;
    case.db.sql(&format!("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {role}"));
    let refused = case.migrate_as(role, &["status"]).expect_code(77);
    let grant = format!("GRANT SELECT ON public.refinery_schema_history TO {role}");
    assert!(refused.stderr.contains(&grant), "{}", refused.stderr);
    case.db.sql(&grant);
    let run = case.migrate_as(role, &["status", "--format", "json"]).expect_code(0);
    assert_eq!(states(&json(&run)), "1:applied 2:applied");
    assert!(run.stdout.contains("schema dbctl may not be read"), "{}", run.stdout);
    case.migrate_as(role, &["plan"]).expect_code(0);
    case.migrate_as(role, &["up"]).expect_code(0);
}

#[test]
fn a_history_out_of_sight_is_not_called_absent() {
    let case = Case::with(&TWO);
    case.db.sql("CREATE SCHEMA app");
    let reader = Role::new(&case.db, "blind", "");
    case.db.sql(&format!("ALTER ROLE {} SET search_path = app", reader.name));
    case.db.sql("SET search_path = app; CREATE TABLE app.refinery_schema_history (version int8, name text, applied_on text, checksum text); RESET search_path");
    let run = case.migrate_as(&reader.name, &["status"]).expect_code(0);
    assert!(run.stdout.contains("app.refinery_schema_history"), "{}", run.stdout);
}

#[test]
fn reading_verbs_and_an_up_without_work_write_nothing() {
    let options = Options { settings: vec![("autovacuum".to_owned(), "off".to_owned())], ..Options::default() };
    let server = private_server(&options);
    let case = Case::at(Database::at(&server));
    for (name, text) in TWO {
        case.file(name, text);
    }
    case.rollback("D1__a.sql", "DROP TABLE a;");
    case.rollback("D2__b.sql", "DROP TABLE b;");
    // The number of the next transaction that writes: reading takes none.
    let next = || case.db.one("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())");
    let quiet = |args: &[&str]| {
        let before = next();
        case.migrate(args).expect_code(0);
        assert_eq!(next(), before, "{args:?} wrote");
    };
    let fresh = [&["status"][..], &["plan"], &["up", "--dry-run"], &["down", "--to", "0", "--dry-run"]];
    fresh.into_iter().for_each(quiet);
    assert_eq!(case.db.one("SELECT count(*) FROM pg_namespace WHERE nspname = 'dbctl'"), "0");
    case.up();
    for args in fresh.into_iter().chain([&["up"][..], &["up", "--to", "1"], &["up", "--fake"]]) {
        quiet(args);
    }
    quiet(&["repair", "--version", "1", "--reason", "nothing is wrong"]);
}

#[test]
fn a_read_only_session_is_enough() {
    let case = Case::with(&TWO);
    case.up();
    case.db.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", case.db.name()));
    assert_eq!(case.states(), "1:applied 2:applied");
}
