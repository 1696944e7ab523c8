//! `migrate.drift_check`: the look before a migration.

use super::*;

fn case() -> Case {
    let case = Case::with(&[TABLE]);
    case.db.sql("ALTER TABLE app.orders ALTER COLUMN total SET DEFAULT 1");
    case.file("V2__more.sql", "ALTER TABLE app.orders ADD COLUMN more text;");
    case
}

fn migrate(case: &Case, config: &str) -> Run {
    let config = case.write("dbctl.yaml", config);
    run(&mut case.command(&["migrate", "up"], &["--config", &config]))
}

fn is_applied(case: &Case) -> bool {
    case.db.one("SELECT count(*) FROM refinery_schema_history WHERE version = 2") == "1"
}

#[test]
fn fail_refuses_and_names_what_differs() {
    let case = case();
    let refused = migrate(&case, "migrate: {drift_check: fail}\n").expect_code(4);
    assert!(refused.stderr.contains("changed table:app.orders/column:total#default"), "{}", refused.stderr);
    assert!(refused.stderr.contains("'dbctl drift'"), "{}", refused.stderr);
    assert!(!is_applied(&case));
    case.db.sql("ALTER TABLE app.orders ALTER COLUMN total SET DEFAULT 0");
    migrate(&case, "migrate: {drift_check: fail}\n").expect_code(0);
    assert!(is_applied(&case));
}

#[test]
fn warn_tells_and_migrates() {
    let case = case();
    let warned = migrate(&case, "migrate: {drift_check: warn}\n").expect_code(0);
    assert!(warned.stderr.contains("warning: ") && warned.stderr.contains("column:total#default"), "{}", warned.stderr);
    assert!(is_applied(&case));
}

#[test]
fn off_does_not_look_and_a_target_may_say_otherwise() {
    let case = case();
    let targets = format!("targets: {{here: {{url: '{}', drift_check: off}}}}\n", case.db.url());
    let config = case.write("dbctl.yaml", &format!("{targets}migrate: {{drift_check: fail}}\n"));
    let dir = case.dir().display().to_string();
    let up = run(&mut dbctl(&["migrate", "up", "--dir", &dir, "--config", &config, "--target", "here"])).expect_code(0);
    assert!(!up.stderr.contains("warning"), "{}", up.stderr);
    assert!(is_applied(&case));
}

#[test]
fn rules_of_the_file_hold_here_too() {
    let case = case();
    let rule = "drift: {ignore: [{kind: column, name: app.orders.total, property: default, reason: known}]}\n";
    migrate(&case, &format!("migrate: {{drift_check: fail}}\n{rule}")).expect_code(0);
    assert!(is_applied(&case));
}

#[test]
fn a_first_migration_meets_an_empty_database() {
    let folder = Case::with(&[TABLE]);
    let empty = Database::new();
    let config = folder.write("dbctl.yaml", "migrate: {drift_check: fail}\n");
    let dir = folder.dir().display().to_string();
    let up = ["migrate", "up", "--dir", &dir, "--config", &config];
    run(dbctl(&up).env("DATABASE_URL", empty.url())).expect_code(0);
}
