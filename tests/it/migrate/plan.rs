//! `migrate plan` and `--dry-run`: what is printed is what is sent.

use super::Case;
use crate::harness::{Database, majors, private_server};
use dbctl::pg::sandbox::Options;

#[test]
fn locks_and_hazards_are_told_for_tables_that_others_use() {
    let case = Case::new();
    case.db.sql(
        "CREATE TABLE orders (id int, note text); CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE old ()",
    );
    case.file(
        "V1__change.sql",
        "ALTER TABLE orders ADD COLUMN total int;\nALTER TABLE orders ALTER COLUMN id TYPE bigint;\n\
         CREATE INDEX ON orders (note);\nDROP TABLE old;\nCREATE TABLE fresh (a int REFERENCES customers);\n\
         ALTER TABLE fresh ADD COLUMN b int;\nDO $$BEGIN PERFORM 1; END$$;",
    );
    case.file("V2__index.sql", "CREATE INDEX CONCURRENTLY total ON public.orders (total);");
    let plan = case.json(&["plan"]);
    let steps = plan["plan"].as_array().unwrap();
    assert_eq!(steps.len(), 3, "{plan}");
    assert_eq!(
        steps[1]["locks"],
        serde_json::json!([
            "SHARE ROW EXCLUSIVE on customers",
            "ACCESS EXCLUSIVE on old",
            "ACCESS EXCLUSIVE on orders"
        ])
    );
    assert_eq!(
        steps[1]["hazards"],
        serde_json::json!([
            "may rewrite or scan the table: ALTER TABLE orders ALTER COLUMN id TYPE bigint",
            "destroys data: DROP TABLE old",
            "calls code (1)"
        ])
    );
    assert_eq!((&steps[1]["mode"], &steps[2]["mode"]), (&"transaction".into(), &"no transaction".into()));
    assert_eq!(steps[2]["locks"], serde_json::json!(["SHARE UPDATE EXCLUSIVE on public.orders"]));
    case.migrate(&["plan", "--exit-code"]).expect_code(2);
    case.up();
    let nothing = case.migrate(&["plan", "--exit-code"]).expect_code(0);
    assert!(nothing.stdout.contains("nothing to do"), "{}", nothing.stdout);
}

#[test]
fn the_server_receives_what_the_plan_printed() {
    let options = Options { settings: vec![("log_statement".to_owned(), "all".to_owned())], ..Options::default() };
    let server = private_server(&options);
    let case = Case::at(Database::at(&server));
    case.file(
        "V1__a.sql",
        "-- a comment\nCREATE TABLE a (id int, \"Odd Name\" text);\n\nINSERT INTO a\n  VALUES (1, 'x');\n",
    );
    case.file("V2__b.sql", "SET statement_timeout = '1h';\nCREATE INDEX CONCURRENTLY b ON a (id);\nCREATE INDEX CONCURRENTLY c ON a (\"Odd Name\")");
    let dry = case.migrate(&["up", "--dry-run", "--lock-timeout", "1s"]).expect_code(0);
    let plan = case.json(&["plan", "--lock-timeout", "1s"])["sql"].as_str().unwrap().to_owned();
    for line in plan.lines() {
        assert!(dry.stdout.contains(line), "the dry run leaves out {line:?}");
    }
    let before = server.log().len();
    case.migrate(&["up", "--lock-timeout", "1s"]).expect_code(0);
    let printed: Vec<&str> =
        plan.lines().filter(|line| !line.is_empty() && !line.starts_with("-- step") && *line != ";").collect();
    let log = server.log();
    // The server indents the lines of one message, and puts a head before the first.
    let mut received = log[before..]
        .lines()
        .map(|line| line.split_once("statement: ").map_or_else(|| line.trim_start_matches('\t'), |(_, sql)| sql));
    for wanted in printed {
        let wanted_trimmed = wanted.trim_end_matches(';');
        assert!(
            received.any(|line| line.trim_end_matches(';') == wanted_trimmed),
            "not received, or not in this order: {wanted:?}\nin:\n{}",
            &log[before..]
        );
    }
}

#[test]
fn the_printed_sql_can_be_run_by_psql_as_it_is() {
    majors().into_iter().for_each(printed_sql_runs);
}

fn printed_sql_runs(major: u32) {
    let case = Case::at(Database::on(major));
    case.file("V1__a.sql", "CREATE TABLE a (id int)");
    case.file("V2__b.sql", "CREATE INDEX CONCURRENTLY b ON a (id)");
    case.file("V3__c.sql", "CREATE TABLE c (id int) -- no semicolon, and a comment");
    // The journal and its run are there before the first step.
    case.db.sql(include_str!("../../../sql/state/dbctl.sql"));
    let plan = case.json(&["plan"])["sql"].as_str().unwrap().to_owned();
    let session = case.db.session();
    session.sql(&format!(
        "INSERT INTO dbctl.run (command, backend_pid, dbctl_version) VALUES ('psql', {}, 'x')",
        session.pid()
    ));
    // psql sends what stands before each semicolon.
    for statement in plan.split_inclusive(";\n") {
        session.sql(statement);
    }
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let case = Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);")]);
    let dry = case.json(&["up", "--dry-run"]);
    assert_eq!(dry["kind"], "migrate.plan");
    assert_eq!(dry["steps"], 2);
    assert_eq!(case.states(), "1:pending");
}
