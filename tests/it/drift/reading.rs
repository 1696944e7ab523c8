//! The database that is looked at is never written: with a role that cannot, and by what the server
//! counts.

use super::*;
use crate::harness::{eventually, writes_no_row};

/// A role that may read the migration history and nothing else, in sessions that refuse every write.
fn reader(case: &Case) -> String {
    let role = format!("{}_reader", case.db.name());
    case.db.sql(&format!(
        "CREATE ROLE {role} LOGIN; ALTER ROLE {role} SET default_transaction_read_only = on;
         GRANT SELECT ON refinery_schema_history TO {role}"
    ));
    role
}

fn gone(case: &Case, role: &str) {
    case.db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_role_that_can_only_read_is_enough() {
    let case = Case::with(&[TABLE]);
    let expected = case.snapshot("expected.json");
    let role = reader(&case);
    let elsewhere = Database::new();
    let dir = case.dir().display().to_string();
    let as_reader = |args: &[&str]| {
        run(dbctl(&[&["drift", "--format", "json"], args].concat()).env("DATABASE_URL", case.db.url_as(&role)))
    };
    for way in [
        &["--snapshot", &expected][..],
        &["--dir", &dir, "--sandbox"],
        &["--dir", &dir, "--scratch-url", &elsewhere.url()],
        &["--against", &case.db.url_as(&role)],
    ] {
        as_reader(way).expect_code(0);
    }
    let told = as_reader(&["--dir", &dir]).expect_code(77);
    for other_way in ["--sandbox", "--scratch-url", "CREATEDB"] {
        assert!(told.stderr.contains(other_way), "{}", told.stderr);
    }
    case.db.sql("CREATE VIEW app.v AS SELECT 1 AS one");
    assert_eq!(found(&as_reader(&["--snapshot", &expected]).expect_code(2)), ["extra view:app.v"]);
    gone(&case, &role);
}

#[test]
fn the_server_counts_no_row_written() {
    let case = Case::with(&[TABLE]);
    writes_no_row(&case.db, || {
        case.drift(&[]).expect_code(0);
        case.drift(&["--sandbox"]).expect_code(0);
    });
    // They would have moved.
    let counted = "SELECT tup_inserted FROM pg_stat_database WHERE datname = current_database()";
    let before = case.db.one(counted);
    case.db.session().sql("INSERT INTO app.orders (id) VALUES (1)");
    eventually("a row is counted", || {
        case.db.sql("SELECT pg_stat_clear_snapshot()");
        case.db.one(counted) != before
    });
}

#[test]
fn what_may_not_be_seen_is_unknown_and_never_in_sync() {
    let case = Case::with(&[TABLE]);
    case.db.sql(
        "CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER there FOREIGN DATA WRAPPER nothing;
         CREATE USER MAPPING FOR postgres SERVER there OPTIONS (who 'me')",
    );
    let expected = case.snapshot("expected.json");
    let role = reader(&case);
    let as_role =
        |url: String| run(dbctl(&["drift", "--format", "json", "--snapshot", &expected]).env("DATABASE_URL", url));
    let unknown = as_role(case.db.url_as(&role)).expect_code(1);
    assert_eq!(json(&unknown)["in_sync"], Value::Null);
    assert!(json(&unknown)["unknown"][0].as_str().unwrap().contains("user_mapping"), "{}", unknown.stdout);
    let ignoring = ["drift", "--snapshot", &expected, "--ignore", "user_mapping:*"];
    let told = run(dbctl(&ignoring).env("DATABASE_URL", case.db.url_as(&role))).expect_code(0).stdout;
    assert!(told.contains("1 ignored by"), "{told}");
    assert_eq!(found(&unknown), [""; 0]);
    as_role(case.db.url()).expect_code(0);
    gone(&case, &role);
}

#[test]
fn a_lock_is_waited_for_and_named_and_a_role_that_reads_by_default_has_its_scratch_database() {
    let case = Case::with(&[TABLE]);
    case.db.sql("CREATE VIEW app.v AS SELECT id FROM app.orders");
    let expected = case.snapshot("expected.json");
    let holder = case.db.session();
    holder.sql("BEGIN; LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE");
    let drift = ["drift", "--snapshot", &expected, "--lock-patience", "1s"];
    let told = run(dbctl(&drift).env("DATABASE_URL", case.db.url())).expect_code(3).stderr;
    let held = format!("app.orders is held exclusively by {}", holder.pid());
    assert!(told.contains(&held) && told.contains("dbctl locks"), "{told}");
    holder.rollback();
    case.db.sql("DROP VIEW app.v");
    let role = reader(&case);
    case.db.sql(&format!("ALTER ROLE {role} CREATEDB"));
    let dir = case.dir().display().to_string();
    run(dbctl(&["drift", "--dir", &dir]).env("DATABASE_URL", case.db.url_as(&role))).expect_code(0);
    gone(&case, &role);
}
