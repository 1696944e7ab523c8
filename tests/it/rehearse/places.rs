//! Where a rehearsal takes place: beside the target, on another server, in a sandbox, on a copy; and
//! that the target is only read.

use super::{Case, alone, json, line, scratches};
use crate::harness::{Database, eventually, majors, run, standby, writes_no_row};

fn newest() -> u32 {
    *majors().last().unwrap()
}

const ROWS: &str = "CREATE TABLE t (a int);\nINSERT INTO t SELECT generate_series(1, 100);";
const PENDING: &str = "ALTER TABLE t ALTER a TYPE bigint;\nUPDATE t SET a = 1;";

#[test]
fn a_role_that_may_only_read_rehearses_elsewhere_and_the_target_is_not_written() {
    let (_server, db) = alone(newest());
    let (_other, elsewhere) = alone(newest());
    let case = Case::on(db, ROWS, &[PENDING]);
    case.db.sql("CREATE ROLE reader LOGIN; GRANT SELECT ON refinery_schema_history TO reader; ALTER ROLE reader SET default_transaction_read_only = on");
    let schema = "SELECT string_agg(c.oid::text || relname || relfilenode, ' ' ORDER BY c.oid) FROM pg_class c WHERE c.oid > 16383";
    let files = case.db.one(schema);
    let url = elsewhere.url();
    writes_no_row(&case.db, || {
        for place in [&["--scratch-url", &url][..], &["--sandbox"]] {
            let mut args = place.to_vec();
            args.extend(["--format", "json"]);
            let run = run(case.command(&args).env("DATABASE_URL", case.db.url_as("reader"))).expect_code(0);
            let document = json(&run);
            assert_eq!(line(&document, "ALTER a TYPE")["lock_mode"], "ACCESS EXCLUSIVE");
            assert_eq!(line(&document, "UPDATE t")["rows_written"], 100);
        }
        assert!(scratches(&elsewhere).is_empty());
        // Beside the target the copy is another database; the target is as it was.
        case.rehearse(&[], 0);
        assert!(scratches(&case.db).is_empty());
    });
    assert_eq!(case.db.one(schema), files);
}

#[test]
fn a_standby_is_a_target_like_any_other() {
    let (server, db) = alone(newest());
    let case = Case::on(db, ROWS, &["ALTER TABLE t ALTER a TYPE bigint;"]);
    let copy = standby(&server);
    let name = case.db.name().to_owned();
    eventually("the standby follows", || {
        copy.session(&name).is_ok_and(|session| {
            session.try_sql("SELECT version FROM refinery_schema_history").is_ok_and(|rows| rows.len() == 1)
        })
    });
    let rehearse =
        |args: &[&str], code: i32| run(case.command(args).env("DATABASE_URL", copy.url(&name))).expect_code(code);
    let document = json(&rehearse(&["--sandbox", "--format", "json"], 0));
    assert_eq!(line(&document, "ALTER a TYPE")["lock_mode"], "ACCESS EXCLUSIVE");
    // On the standby itself nothing can be made, and its primary has the same roles.
    assert!(rehearse(&[], 4).stderr.contains("--scratch-url"));
    rehearse(&["--scratch-url", &case.db.url()], 0);
    case.file(2, "CREATE ROLE made_here;");
    rehearse(&["--scratch-url", &case.db.url()], 4);
    assert!(scratches(&case.db).is_empty());
}

#[test]
fn without_createdb_the_other_ways_are_named() {
    let (_server, db) = alone(newest());
    let case = Case::on(db, ROWS, &[PENDING]);
    case.db.sql("CREATE ROLE reader LOGIN; GRANT SELECT ON refinery_schema_history TO reader");
    let refused = run(case.command(&[]).env("DATABASE_URL", case.db.url_as("reader"))).expect_code(77);
    for way in ["--scratch-url", "--sandbox", "ALTER ROLE reader CREATEDB"] {
        assert!(refused.stderr.contains(way), "{way} is not in\n{}", refused.stderr);
    }
    case.db.sql("ALTER ROLE reader CREATEDB");
    run(case.command(&[]).env("DATABASE_URL", case.db.url_as("reader"))).expect_code(0);
    assert!(scratches(&case.db).is_empty());
}

#[test]
fn a_copy_is_asked_about_must_be_one_and_is_changed() {
    let (_server, db) = alone(newest());
    let case = Case::on(db, ROWS, &[PENDING]);
    let copy = format!("{}_copy", case.db.name());
    let url = case.db.url().replacen(case.db.name(), &copy, 1);
    // The target under another spelling of its address is still the target.
    let itself = case.db.url().replacen("postgres@", "postgres:x@", 1);
    let refused = case.rehearse(&["--on", &itself, "--yes"], 4);
    assert!(refused.stderr.contains("the target itself"), "{}", refused.stderr);
    let restored = Database::at(&_server);
    let behind = case.rehearse(&["--on", &restored.url(), "--yes"], 4);
    assert!(behind.stderr.contains("is not where the target is"), "{}", behind.stderr);
    let admin = case.db.session_with(|config| {
        config.dbname("postgres");
    });
    admin.sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", case.db.name()));
    admin.sql(&format!("CREATE DATABASE {copy} TEMPLATE {}", case.db.name()));
    let asked = case.rehearse(&["--on", &url], 4);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    let document = case.json(&["--on", &url, "--yes"], 0);
    assert_eq!(line(&document, "UPDATE t")["rows_written"], 100);
    assert_eq!(document["rows"], "the copy's own");
    let target = case.db.session();
    assert_eq!(target.one("SELECT count(*) FROM refinery_schema_history"), "1");
    let changed = case.db.session_with(|config| {
        config.dbname(&copy);
    });
    assert_eq!(changed.one("SELECT count(*) FROM refinery_schema_history"), "2");
    drop(changed);
    admin.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
}

#[test]
fn what_reaches_the_whole_server_is_tried_in_a_sandbox_only() {
    let (_server, db) = alone(newest());
    let name = db.name().to_owned();
    let case = Case::on(
        db,
        "CREATE TABLE t (a int);",
        &["CREATE ROLE made_here;", &format!("ALTER DATABASE {name} SET work_mem = '5MB';")],
    );
    let noted = |args: &[&str]| case.json(args, 0)["notes"].to_string();
    let told = noted(&[]);
    assert!(told.contains("on a private server, because V2__step.sql changes roles of the whole server"), "{told}");
    assert!(!noted(&["--sandbox"]).contains("because"));
    let url = case.db.url();
    let refused = case.rehearse(&["--scratch-url", &url], 4);
    assert!(refused.stderr.contains("--sandbox") && refused.stderr.contains("V2__step.sql:1:1"), "{}", refused.stderr);
    case.file(2, "DO $$ BEGIN EXECUTE 'CREATE ROLE made_here'; END $$;");
    let told = noted(&[]);
    assert!(told.contains("V2__step.sql runs SQL that it puts together, which may reach"), "{told}");
    assert_eq!(case.db.one("SELECT count(*) FROM pg_roles WHERE rolname = 'made_here'"), "0");
    assert_eq!(case.db.one("SELECT count(*) FROM pg_db_role_setting"), "0");
    assert!(scratches(&case.db).is_empty());
}

#[test]
fn roles_that_no_migration_makes_are_in_the_sandbox() {
    let (_server, db) = alone(newest());
    db.sql("CREATE ROLE app_owner LOGIN BYPASSRLS; CREATE ROLE unrelated");
    let case = Case::on(
        db,
        "CREATE TABLE t (a int);\nALTER TABLE t OWNER TO app_owner;\nGRANT SELECT ON t TO app_owner;",
        &[
            "DO $$ BEGIN ASSERT (SELECT rolbypassrls FROM pg_roles WHERE rolname = 'app_owner'); END $$;\nDO $$ BEGIN CREATE ROLE made_here; END $$;",
            "DO $$ BEGIN ASSERT (SELECT count(*) = 3 FROM pg_roles WHERE rolname !~ '^pg_'); END $$;",
        ],
    );
    case.rehearse(&["--sandbox"], 0);
}

#[test]
fn a_history_that_contradicts_the_files_is_not_rehearsed() {
    let case = Case::with("CREATE TABLE t (a int);", &["SELECT 1;"]);
    case.file(1, "CREATE TABLE t (a bigint);");
    let refused = case.rehearse(&[], 4);
    assert!(refused.stderr.contains("was changed after it was applied"), "{}", refused.stderr);
}
