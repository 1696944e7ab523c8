//! What it finds, where, and how it ends.

use super::{Folder, decent};
use crate::harness::dbctl;

const ORDERS: (&str, &str) = ("V1__orders.sql", "CREATE TABLE app.orders (id bigint PRIMARY KEY);");

#[test]
fn exit_codes() {
    let folder = Folder::with(&[ORDERS]);
    folder.lint(&[]).expect_code(0);
    folder.file("V2__drop.sql", "ALTER TABLE app.orders DROP COLUMN note;");
    folder.lint(&[]).expect_code(0);
    folder.lint(&["--fail-on", "warning"]).expect_code(2);
    folder.lint(&["--fail-on", "warning", "--rule", "drop-column=off"]).expect_code(0);
    folder.lint(&["--rule", "ban-drop-column=error"]).expect_code(2);
    folder.file("V3__index.sql", "CREATE INDEX i ON app.orders (id);");
    folder.lint(&[]).expect_code(2);
    folder.lint(&["--quiet"]).expect_code(2);
    for wrong in
        [&["--fail-on", "fatal"][..], &["--rule", "nope=off"], &["--rule", "drop-table"], &["--min-server", "9"]]
    {
        folder.lint(wrong).expect_code(64);
    }
    decent(dbctl(&["migrate", "lint"]).current_dir(folder.path())).expect_code(64);
    decent(dbctl(&["migrate", "lint", "--system", "nope"]).current_dir(folder.path())).expect_code(64);
    decent(dbctl(&["migrate", "lint", "--dir", "nope"]).current_dir(folder.path())).expect_code(65);
    std::fs::write(folder.dir().join("V4__latin.sql"), b"SELECT '\xe9';").unwrap();
    let run = folder.lint(&[]).expect_code(65);
    assert!(run.stderr.contains("V4__latin.sql: is not UTF-8"), "{}", run.stderr);
}

#[test]
fn a_person_sees_the_place_the_lock_and_the_safe_way() {
    let folder = Folder::with(&[
        ORDERS,
        ("V2__index.sql", "-- é\nCREATE UNIQUE INDEX \"Ä\" ON app.orders (lower(note)) WHERE note <> '';\n"),
    ]);
    let run = folder.lint(&[]).expect_code(2);
    insta::assert_snapshot!(run.stdout, @r#"
    migrations:             folder migrations
    files looked at:        2
    errors:                 1
    warnings:               0
    notes:                  0
    ignored by comments:    0
    known by the baseline:  0

    error[index-not-concurrent]: nobody can write to app.orders while the index is built
     --> migrations/V2__index.sql:2:1
      |
    2 | CREATE UNIQUE INDEX "Ä" ON app.orders (lower(note)) WHERE note <> '';
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      lock: SHARE on app.orders: blocks every write; reads go on
      safe:
        -- in a file of its own
        CREATE UNIQUE INDEX CONCURRENTLY "Ä" ON app.orders (lower(note)) WHERE note <> '';
      more: dbctl migrate lint --explain index-not-concurrent
    "#);
}

#[test]
fn neither_a_server_nor_a_login_is_needed_and_variables_are_no_purpose() {
    let folder = Folder::with(&[ORDERS]);
    let mut command = folder.command(&[]);
    command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing").env("PGHOST", "127.0.0.1");
    decent(&mut command).expect_code(0);
    decent(folder.command(&["--database-url", "postgres://nobody@127.0.0.1:1/nothing"]).env("PGCONNECT_TIMEOUT", "2"))
        .expect_code(69);
}

#[test]
fn what_one_change_creates_is_not_in_use_yet() {
    let folder = Folder::with(&[ORDERS, ("V2__index.sql", "CREATE INDEX i ON app.orders (id);")]);
    assert_eq!(folder.found(&[]), ["index-not-concurrent@V2__index:1"]);
    assert!(folder.found(&["--one-change"]).is_empty());
}

#[test]
fn files_that_cannot_be_parsed_or_run_are_findings() {
    let folder = Folder::with(&[
        ("V1__syntax.sql", "CREATE TABLE a (\n  id bigint,,\n);"),
        ("V2__crlf.sql", "SELECT 1;\r\nSELECT 2;\r\n"),
        ("V3__empty.sql", "-- nothing\n"),
        ("V4__commit.sql", "SELECT 1;\nCOMMIT;"),
        ("V5_misnamed.sql", "SELECT 1;"),
        ("V6__bom.sql", "\u{feff}SELECT 1;"),
        ("V7__mixed.sql", "SELECT 1;\nVACUUM;"),
    ]);
    let found = folder.found(&[]);
    for wanted in [
        "syntax-error@V1__syntax:2",
        "file-refused@V2__crlf:1",
        "file-refused@V3__empty:1",
        "transaction-control@V4__commit:2",
        "file-refused@V5_misnamed:1",
        "file-refused@V6__bom:1",
        "mixed-transaction-modes@V7__mixed:2",
    ] {
        assert!(found.iter().any(|it| it == wanted), "{wanted} is not in {found:?}");
    }
}

#[test]
fn every_page_can_be_read_and_every_rule_is_listed() {
    let run = decent(&mut dbctl(&["migrate", "lint", "--rules", "--format", "json"])).expect_code(0);
    let rules = super::json(&run)["rules"].as_array().unwrap().clone();
    assert!(rules.len() >= 50, "{}", rules.len());
    for rule in rules.iter().step_by(7) {
        let id = rule["rule"].as_str().unwrap();
        let page = decent(&mut dbctl(&["migrate", "lint", "--explain", id])).expect_code(0).stdout;
        assert!(page.contains(id) && page.contains("The safe way"), "{page}");
    }
    let near = decent(&mut dbctl(&["migrate", "lint", "--explain", "drop-colum"])).expect_code(64);
    assert!(near.stderr.contains("did you mean drop-column?"), "{}", near.stderr);
    let squawks = decent(&mut dbctl(&["migrate", "lint", "--explain", "renaming-column"])).expect_code(0);
    assert!(squawks.stdout.contains("rename-column"), "{}", squawks.stdout);
}

/// Applied as a whole to an empty database, nothing in them keeps anybody waiting.
#[test]
fn the_embedded_systems_have_no_error() {
    for system in ["bridge", "consultor", "fsm", "recruitment", "chat"] {
        let run = decent(&mut dbctl(&["migrate", "lint", "--system", system, "--format", "json"])).expect_code(0);
        let document = super::json(&run);
        assert_eq!(document["errors"], 0, "{document:#}");
        let warnings: Vec<String> =
            super::found(&document).into_iter().filter(|it| !it.starts_with("narrow-key@")).collect();
        assert!(warnings.iter().all(|it| it.starts_with("do-block-hides@")), "{system}: {warnings:?}");
    }
}

#[test]
fn the_config_file_sets_levels_below_the_flags() {
    let folder = Folder::with(&[ORDERS, ("V2__drop.sql", "ALTER TABLE app.orders DROP COLUMN note;")]);
    let config = |text: &str| std::fs::write(folder.path().join("dbctl.yaml"), text).unwrap();
    config("migrate:\n  lint:\n    fail_on: warning\n");
    folder.lint(&[]).expect_code(2);
    folder.lint(&["--fail-on", "error"]).expect_code(0);
    config("migrate:\n  lint:\n    fail_on: warning\n    rules:\n      drop-column: off\n");
    folder.lint(&[]).expect_code(0);
    folder.lint(&["--rule", "drop-column=error"]).expect_code(2);
    config("migrate:\n  lint:\n    rules:\n      drop-colum: off\n");
    let run = folder.lint(&[]).expect_code(65);
    assert!(run.stderr.contains("dbctl.yaml:4") && run.stderr.contains("did you mean drop-column?"), "{}", run.stderr);
    config("migrate:\n  lint:\n    rules:\n      drop-column: loud\n");
    let run = folder.lint(&[]).expect_code(65);
    assert!(run.stderr.contains("dbctl.yaml:4:20"), "{}", run.stderr);
}
