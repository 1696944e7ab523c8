//! What counts: rules, roles under other names, and the forms of the answer.

use super::*;

#[test]
fn rules_of_the_file_and_of_flags_are_counted_and_unused_ones_told() {
    let case = Case::with(&[TABLE]);
    case.db
        .sql("CREATE TABLE app.tmp_1 (a int); CREATE TABLE app.tmp_2 (a int); COMMENT ON COLUMN app.orders.day IS 'x'");
    let config = case.write(
        "dbctl.yaml",
        "drift:\n  ignore:\n    - {kind: table, name: app.tmp_*, reason: imports}\n    - {kind: view, name: \"*\", reason: none yet}\n",
    );
    assert_eq!(case.found(&["--config", &config]), ["changed table:app.orders/column:day#comment"]);
    let run = case.drift(&["--config", &config, "--ignore", "column:app.orders.*#comment"]).expect_code(0);
    assert!(run.stdout.contains("2 ignored by table:app.tmp_*"), "{}", run.stdout);
    assert!(run.stdout.contains("view:*") && run.stdout.contains("matched"), "{}", run.stdout);
    case.drift(&["--ignore", "tabel:app.*"]).expect_code(64);
}

#[test]
fn mistakes_in_the_section_are_shown_at_their_line() {
    let case = Case::with(&[TABLE]);
    let config = case.write("dbctl.yaml", "drift:\n  ignore:\n    - {kind: table, name: app.tmp_*}\n");
    let run = case.drift(&["--config", &config]).expect_code(65);
    assert!(run.stderr.contains("dbctl.yaml:3:") && run.stderr.contains("reason is missing"), "{}", run.stderr);
}

#[test]
fn roles_may_have_another_name_in_the_database() {
    let case = Case::with(&[TABLE]);
    let role = format!("{}_owner", case.db.name());
    let expected = case.snapshot("expected.json");
    case.db
        .sql(&format!("CREATE ROLE {role}; ALTER TABLE app.orders OWNER TO {role}; ALTER SCHEMA app OWNER TO {role}"));
    let with = |map: &str| {
        let config = case.write("dbctl.yaml", &format!("drift:\n  map: {{{map}}}\n"));
        let args = [
            "drift",
            "--format",
            "json",
            "--config",
            &config,
            "--snapshot",
            &expected,
            "--ignore",
            "database:*",
            "--ignore",
            "table:*.refinery_schema_history",
        ];
        found(&run(dbctl(&args).env("DATABASE_URL", case.db.url())))
    };
    assert_eq!(with(""), ["changed schema:app#owner", "changed table:app.orders#owner"]);
    let mapped = with(&format!("postgres: {role}"));
    assert!(!mapped.iter().any(|id| id.contains("app")), "{mapped:?}");
    case.db.sql(&format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn who_migrated_stands_for_who_replays() {
    let case = Case::with(&[TABLE]);
    let role = format!("{}_deploy", case.db.name());
    case.db.sql(&format!(
        "CREATE ROLE {role}; ALTER TABLE app.orders OWNER TO {role}; ALTER SCHEMA app OWNER TO {role};
         ALTER TABLE refinery_schema_history OWNER TO {role}"
    ));
    assert_eq!(case.found(&[]), [""; 0]);
    case.db.sql(&format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn every_form_holds_the_finding() {
    let case = Case::with(&[TABLE]);
    case.db.sql("ALTER TABLE app.orders ALTER COLUMN total SET DEFAULT 1");
    let id = "table:app.orders/column:total";
    for (format, wanted) in [
        ("table", "column total: default"),
        ("markdown", "column total: default"),
        ("json", "table:app.orders/column:total#default"),
        ("ndjson", "table:app.orders/column:total#default"),
        ("csv", "table:app.orders/column:total#default"),
        ("yaml", "table:app.orders/column:total#default"),
        ("sarif", id),
        ("junit", id),
        ("github", id),
        ("gitlab", id),
    ] {
        let run = case.drift(&["--format", format]).expect_code(2);
        assert!(run.stdout.contains(wanted), "{format}: {}", run.stdout);
    }
    let sarif = case.drift(&["--format", "sarif"]);
    assert_eq!(json(&sarif)["runs"][0]["results"][0]["ruleId"], "drift/column");
    assert_eq!(json(&sarif)["runs"][0]["results"][0]["level"], "error");
    let mild = case.drift(&["--format", "gitlab", "--fail-on", "missing"]).expect_code(0);
    assert_eq!(json(&mild)[0]["severity"], "minor");
    let passed = case.drift(&["--format", "junit"]).stdout;
    assert!(passed.contains("failures=\"1\"") && passed.contains("name=\"drift/view\"/>"), "{passed}");
}
