//! Histories that were damaged by hand, that are another tool's, or no history at all.

use super::{Case, detail, said, states};

fn one_applied() -> Case {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;"), ("V2__b.sql", "SELECT 2;")]);
    case.migrate(&["up", "--to", "1"]).expect_code(0);
    case
}

#[test]
fn any_garbage_in_any_column_is_told_and_stops_up() {
    let case = one_applied();
    case.db.sql("ALTER TABLE refinery_schema_history DROP CONSTRAINT refinery_schema_history_pkey, ALTER name TYPE text, ALTER checksum TYPE text; ALTER TABLE refinery_schema_history ALTER version DROP NOT NULL");
    let sound = "(1, 'a', '2026-01-01T00:00:00Z', '1')";
    for row in [
        "(NULL, NULL, NULL, NULL)",
        "(1, NULL, NULL, NULL)",
        "(1, '', '', '')",
        "(-5, 'a', 'yesterday', 'x')",
        "(9223372036854775807, E'\\x1b[31m\\n', '2026-13-45', '18446744073709551616')",
        "(1, repeat('x', 100000), repeat('y', 200), repeat('9', 200))",
        "(1, 'a', 'infinity', '٣')",
        "(1, 'a', '2026-01-01T00:00:00+99:99', ' 12 ')",
    ] {
        case.db.sql(&format!("TRUNCATE refinery_schema_history; INSERT INTO refinery_schema_history VALUES {row}"));
        let status = case.json(&["status"]);
        assert!(status["findings"].as_i64().unwrap() > 0, "{row}: {status}");
        case.migrate(&["status", "--exit-code"]).expect_code(2);
        let run = case.migrate(&["up"]).expect_code(4);
        assert!(run.stderr.contains("hint: ") && !run.stderr.contains('\u{1b}'), "{row}: {}", run.stderr);
        assert!(run.stderr.len() < 4_000, "{row}: {} bytes", run.stderr.len());
        case.migrate(&["plan"]).expect_code(4);
        assert!([0, 4].contains(&case.migrate(&["down", "--to", "0", "--dry-run"]).code), "{row}");
    }
    case.db
        .sql(&format!("TRUNCATE refinery_schema_history; INSERT INTO refinery_schema_history VALUES {sound}, {sound}"));
    let run = case.migrate(&["up"]).expect_code(4);
    said(run, &["version 1", "twice"]);
}

#[test]
fn a_missing_version_that_refinery_never_wrote_is_a_finding() {
    let case = one_applied();
    case.db.sql("INSERT INTO refinery_schema_history VALUES (-5, 'below', '2026-01-01T00:00:00Z', '1')");
    let status = case.json(&["status"]);
    assert_eq!(states(&status), "-5:missing 1:applied 2:pending");
    assert_eq!(detail(&status, -5), "applied, but there is no such file");
}

#[test]
fn a_table_of_another_shape_is_refused_by_its_columns() {
    for (table, words) in [
        ("(id int, done bool)", "it has the columns id integer, done boolean"),
        ("(version text, name text, applied_on text, checksum text)", "version text, name text"),
        ("(version int8, name text)", "it has the columns version bigint, name text"),
        ("()", "it has no columns"),
    ] {
        let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
        case.db.sql(&format!("CREATE TABLE refinery_schema_history {table}"));
        for verb in ["status", "plan", "up"] {
            case.refuses(&[verb], 4, &["public.refinery_schema_history is not a history of refinery", words, "hint: "]);
        }
    }
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    case.db.sql(
        "CREATE INDEX refinery_schema_history ON pg_temp.nothing (a)"
            .replace("pg_temp.nothing", "t")
            .as_str()
            .replacen("CREATE", "CREATE TABLE t (a int); CREATE", 1)
            .as_str(),
    );
    case.refuses(&["up"], 4, &["public.refinery_schema_history is not a history of refinery"]);
}

#[test]
fn more_columns_other_types_and_a_view_are_fine_to_read() {
    let case = one_applied();
    case.db.sql("ALTER TABLE refinery_schema_history ADD note text, ALTER name TYPE text");
    case.up();
    assert_eq!(case.states(), "1:applied 2:applied");
    case.db
        .sql("ALTER TABLE refinery_schema_history RENAME TO h; CREATE VIEW refinery_schema_history AS SELECT * FROM h");
    assert_eq!(case.states(), "1:applied 2:applied");
}

#[test]
fn the_history_of_another_tool_is_noticed_and_can_be_taken_over() {
    for table in [
        "_sqlx_migrations",
        "schema_migrations",
        "flyway_schema_history",
        "alembic_version",
        "goose_db_version",
        "databasechangelog",
    ] {
        let case = Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);"), ("V2__b.sql", "CREATE TABLE b (id int);")]);
        case.db.sql(&format!("CREATE TABLE {table} (version text); CREATE TABLE a (id int)"));
        let status = case.migrate(&["status"]).expect_code(0);
        assert!(status.stdout.contains(table), "{}", status.stdout);
        case.refuses(&["up"], 4, &[table, "another tool", "--fake --to V", "--allow-other-history"]);
        case.migrate(&["up", "--fake", "--to", "1"]).expect_code(0);
        case.up();
        assert_eq!(case.states(), "1:applied 2:applied");
    }
    let case = Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);")]);
    case.db.sql("CREATE TABLE schema_migrations (version text)");
    case.migrate(&["up", "--allow-other-history"]).expect_code(0);
}

#[test]
fn the_journal_may_be_dropped_or_damaged_and_the_history_still_counts() {
    let case = one_applied();
    case.db.sql("DROP SCHEMA dbctl CASCADE");
    assert_eq!(case.states(), "1:applied 2:pending");
    case.up();
    assert_eq!(
        case.db.one("SELECT count(*) FROM dbctl.migration"),
        "2",
        "what is known of older versions is noted again"
    );
    case.db.sql("DELETE FROM dbctl.migration; DELETE FROM dbctl.journal; DELETE FROM dbctl.run");
    assert_eq!(case.states(), "1:applied 2:applied");
    case.file("V3__c.sql", "VACUUM pg_catalog.pg_am;");
    case.db.sql("DROP TABLE dbctl.migration");
    case.up();
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
    case.file("V4__d.sql", "SELECT 1;");
    case.db.sql("DROP TABLE dbctl.journal CASCADE");
    case.up();
    assert_eq!(case.states(), "1:applied 2:applied 3:applied 4:applied");
}

#[test]
fn a_schema_dbctl_that_is_somebody_else_s_is_said_so() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    case.db.sql("CREATE SCHEMA dbctl; CREATE TABLE dbctl.run (x int); CREATE TABLE dbctl.migration (y int)");
    for verb in ["status", "up"] {
        let run = case.migrate(&[verb]);
        assert!(run.code != 0 || verb == "status", "{}", run.stdout);
        if run.code != 0 {
            said(run, &["dbctl"]);
        }
    }
}
