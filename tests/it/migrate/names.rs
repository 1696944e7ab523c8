//! Where the history lives, and names that break carelessly built SQL.

use super::{Case, Role, decent, json, quoted, states, with_password};
use crate::harness::{Database, dbctl};

const HOSTILE: &str = r#"we"ird' sch\ema; -- "#;

fn place_of_history(case: &Case) -> String {
    case.db.one(
        "SELECT string_agg(n.nspname, ',') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relname = 'refinery_schema_history' AND c.relkind = 'r'",
    )
}

#[test]
fn the_role_s_own_schema_is_used_where_the_path_says_so() {
    let case = Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);")]);
    let role = Role::new(&case.db, "own", "");
    case.db.sql(&format!(
        "CREATE SCHEMA {0} AUTHORIZATION {0}; GRANT CREATE ON DATABASE {1} TO {0}",
        role.name,
        case.db.name()
    ));
    case.migrate_as(&role.name, &["up"]).expect_code(0);
    assert_eq!(place_of_history(&case), role.name);
    assert_eq!(case.db.one(&format!("SELECT to_regclass('{}.a') IS NOT NULL", role.name)), "t");
    let status = json(&case.migrate_as(&role.name, &["status", "--format", "json"]).expect_code(0));
    assert_eq!(states(&status), "1:applied");
    // Another role of the same database has another history.
    assert_eq!(case.states(), "1:pending");
}

#[test]
fn hostile_schemas_on_the_search_path_are_quoted() {
    for schema in [HOSTILE, "Mixed Case", "user", "é", "a.b"] {
        let case = Case::with(&[
            ("V1__a.sql", "CREATE TABLE a (id int);"),
            ("V2__i.sql", "CREATE INDEX CONCURRENTLY i ON a (id);"),
            ("V3__s.sql", "SET search_path = '';"),
        ]);
        case.rollback("D3__s.sql", "SELECT 1;");
        case.db.sql(&format!("CREATE SCHEMA {}", quoted(schema)));
        case.db.sql(&format!("ALTER DATABASE {} SET search_path = {}, public", case.db.name(), quoted(schema)));
        case.up();
        assert_eq!(place_of_history(&case), schema);
        assert_eq!(case.states(), "1:applied 2:applied 3:applied", "{schema}");
        case.migrate(&["down", "--to", "2", "--yes"]).expect_code(0);
        case.file("V1__a.sql", "CREATE TABLE a (id int); -- so");
        case.migrate(&["repair", "--version", "1", "--reason", "x"]).expect_code(0);
        assert_eq!(case.states(), "1:applied 2:applied 3:pending", "{schema}");
        case.up();
    }
}

#[test]
fn a_search_path_without_a_schema_is_refused_with_what_helps() {
    for path in ["nowhere", "''", "pg_catalog"] {
        let case = Case::with(&[("V1__a.sql", "CREATE TABLE public.a (id int);")]);
        case.db.sql(&format!("ALTER DATABASE {} SET search_path = {path}", case.db.name()));
        let status = case.json(&["status"]);
        assert_eq!(states(&status), "1:pending");
        let run = case.migrate(&["up"]).expect_code(4);
        assert!(run.stderr.contains("search_path"), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("ALTER DATABASE {} SET search_path", case.db.name())), "{}", run.stderr);
    }
}

#[test]
fn mixed_case_databases_roles_and_tables_are_fine() {
    let case = Case::with(&[
        ("V1__T.sql", "CREATE TABLE \"My \"\"Table\" (\"Id\" int);"),
        ("V2__I.sql", "CREATE INDEX CONCURRENTLY \"My \"\"Index\" ON \"My \"\"Table\" (\"Id\");"),
    ]);
    let database = format!("Mixed \"{}", case.db.name());
    case.db.sql(&format!("CREATE DATABASE {}", quoted(&database)));
    let role = Role::new(&case.db, "Own \"er", "SUPERUSER");
    let encode = |text: &str| text.replace(' ', "%20").replace('"', "%22");
    let url = case.db.url_as(&encode(&role.name)).replacen(
        &format!("/{}?", case.db.name()),
        &format!("/{}?", encode(&database)),
        1,
    );
    for _ in 0..2 {
        decent(case.command(&["up"]).env("DATABASE_URL", with_password(&url))).expect_code(0);
    }
    let status = json(&decent(case.command(&["status", "--format", "json"]).env("DATABASE_URL", &url)).expect_code(0));
    assert_eq!(states(&status), "1:applied 2:applied");
    case.db.sql(&format!("DROP DATABASE {} WITH (FORCE)", quoted(&database)));
}

#[test]
fn a_history_schema_that_another_path_hides_is_still_the_one_found_first() {
    let case = Case::with(&[
        ("V1__a.sql", "CREATE SCHEMA later; CREATE TABLE later.x ();"),
        ("V2__b.sql", "CREATE TABLE b ();"),
    ]);
    case.db.sql(&format!("ALTER DATABASE {} SET search_path = later, public", case.db.name()));
    case.migrate(&["up", "--to", "1"]).expect_code(0);
    assert_eq!(place_of_history(&case), "public");
    // Now the first schema of the path exists, but the history stays where it is.
    case.up();
    assert_eq!((place_of_history(&case).as_str(), case.states().as_str()), ("public", "1:applied 2:applied"));
}

#[test]
fn url_keyword_string_and_variables_reach_the_same_database() {
    let db = Database::new();
    let case = Case::at(db);
    case.file("V1__a.sql", "SELECT 1;");
    case.up();
    let url = case.db.url();
    let socket = url.split("host=").nth(1).unwrap().split('&').next().unwrap();
    let port = url.split("port=").nth(1).unwrap();
    let keywords =
        format!("host={socket} port={port} user=postgres dbname={} password={}", case.db.name(), super::PASSWORD);
    let dir = case.dir();
    let dir = dir.to_str().unwrap();
    let mut variables = dbctl(&["migrate", "status", "--dir", dir, "--exit-code"]);
    variables.env("PGHOST", socket).env("PGPORT", port).env("PGUSER", "postgres").env("PGDATABASE", case.db.name());
    decent(&mut variables).expect_code(0);
    decent(&mut dbctl(&["migrate", "status", "--dir", dir, "--exit-code", "--database-url", &keywords])).expect_code(0);
}
