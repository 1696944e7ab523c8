//! dbctl.yaml: protected targets, several of them, unknown ones.

use std::process::Command;

use super::{Case, decent, said, with_password};
use crate::harness::{Run, dbctl};

/// A dbctl.yaml beside the migrations, with the case's database as `main`.
fn with_config(case: &Case, more: &str, main: &str) {
    let text = format!(
        "targets:\n  main:\n    url: \"{}\"\n    migrations: {}\n{main}{more}",
        with_password(&case.db.url()),
        case.dir().display()
    );
    let path = case.folder.path().join("dbctl.yaml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn command(case: &Case, args: &[&str]) -> Command {
    let mut command = dbctl(args);
    command.current_dir(case.folder.path());
    command
}

#[track_caller]
fn migrate(case: &Case, args: &[&str]) -> Run {
    let mut all = vec!["migrate"];
    all.extend(args);
    decent(&mut command(case, &all))
}

fn protected() -> Case {
    let case = Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);")]);
    case.rollback("D1__a.sql", "DROP TABLE a;");
    with_config(&case, "", "    protected: true\n");
    case
}

#[test]
fn a_protected_target_wants_yes_and_its_name_before_anything_is_destroyed() {
    let case = protected();
    migrate(&case, &["up", "--target", "main"]).expect_code(0);
    case.file("V2__drop.sql", "DROP TABLE a;");
    for args in [
        &["up", "--target", "main"][..],
        &["up", "--all-targets", "--yes"],
        &["down", "--to", "0", "--all-targets", "--yes"],
        &["down", "--to", "0", "--target", "main"],
    ] {
        let run = migrate(&case, args).expect_code(4);
        said(run, &["target 'main' is protected", "--yes --target main", "nothing was changed"]);
    }
    // A name that comes from a variable was not typed for this run.
    let run = decent(command(&case, &["migrate", "up", "--yes"]).env("DBCTL_TARGET", "main")).expect_code(4);
    said(run, &["--yes --target main"]);
    migrate(&case, &["plan", "--target", "main"]).expect_code(0);
    migrate(&case, &["up", "--target", "main", "--yes"]).expect_code(0);
    assert_eq!(case.db.one("SELECT to_regclass('a') IS NULL"), "t");
}

#[test]
fn a_person_at_a_terminal_types_the_name() {
    let case = protected();
    migrate(&case, &["up", "--target", "main"]).expect_code(0);
    for (typed, code) in [("yes", 4), ("MAIN", 4), ("main", 0)] {
        let line = format!("{} migrate down --to 0 --target main", env!("CARGO_BIN_EXE_dbctl"));
        // `script` gives the program a terminal.
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).current_dir(case.folder.path()).stdin(std::process::Stdio::piped());
        let Ok(mut child) = script.stdout(std::process::Stdio::piped()).spawn() else {
            eprintln!("skipped: the program 'script' is not installed");
            return;
        };
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{typed}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{typed}: {text}");
        assert!(text.contains("Type main to go on"), "{text}");
        assert!(text.contains("destroys data: DROP TABLE a"), "{text}");
    }
}

#[test]
fn a_failing_target_does_not_stop_the_next_and_the_end_is_partial() {
    let case = Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);")]);
    let broken = "  broken:\n    url: postgresql://postgres:S3cret-Pa55word@127.0.0.1:1/x?connect_timeout=1\n    system: bridge\n  later:\n";
    let more =
        format!("{broken}    url: \"{}\"\n    migrations: {}\n", with_password(&case.db.url()), case.dir().display());
    with_config(&case, &more, "    tags: [one]\n");
    let run = migrate(&case, &["up", "--target", "broken", "--target", "main"]).expect_code(5);
    said(run, &["target broken: error: ", "127.0.0.1"]);
    assert_eq!(case.states(), "1:applied");
    migrate(&case, &["up", "--target", "broken"]).expect_code(69);
    migrate(&case, &["up", "--tag", "one"]).expect_code(0);
    migrate(&case, &["status", "--target", "main", "--target", "later", "--exit-code"]).expect_code(0);
    case.file("V2__b.sql", "SELECT 1;");
    migrate(&case, &["status", "--target", "main", "--target", "later", "--exit-code"]).expect_code(2);
    let run = migrate(&case, &["status", "--all-targets", "--exit-code"]).expect_code(5);
    assert_eq!(run.stdout.matches("pending:").count(), 2, "{}", run.stdout);
}

#[test]
fn several_targets_answer_one_json_document_each_line_in_ndjson() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    let more =
        format!("  other:\n    url: \"{}\"\n    migrations: {}\n", with_password(&case.db.url()), case.dir().display());
    with_config(&case, &more, "");
    let run = migrate(&case, &["status", "--all-targets", "--format", "json"]).expect_code(0);
    let documents: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&run.stdout).into_iter().map(Result::unwrap).collect();
    assert_eq!(documents.iter().map(|d| d["target"].as_str().unwrap()).collect::<Vec<_>>(), ["main", "other"]);
}

#[test]
fn an_unknown_target_is_named_with_the_nearest() {
    let case = protected();
    let run = migrate(&case, &["status", "--target", "mian"]).expect_code(64);
    said(run, &["no target is named 'mian'", "did you mean --target main?"]);
}

#[test]
fn a_target_without_migrations_and_flags_that_win_over_it() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    let text = format!("targets:\n  bare:\n    url: \"{}\"\n", with_password(&case.db.url()));
    std::fs::write(case.folder.path().join("dbctl.yaml"), text).unwrap();
    let run = migrate(&case, &["status", "--target", "bare"]).expect_code(64);
    said(run, &["which migrations?", "'system:' or 'migrations:'"]);
    migrate(&case, &["status", "--target", "bare", "--dir", "migrations"]).expect_code(0);
}

#[test]
fn a_migrations_folder_is_found_from_any_working_folder() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    let text =
        format!("targets:\n  main:\n    url: \"{}\"\n    migrations: migrations\n", with_password(&case.db.url()));
    let config = case.folder.path().join("dbctl.yaml");
    std::fs::write(&config, text).unwrap();
    let mut elsewhere = dbctl(&["migrate", "status", "--target", "main", "--config", config.to_str().unwrap()]);
    decent(&mut elsewhere).expect_code(0);
}
