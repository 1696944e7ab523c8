//! `--since`: only what git says has changed.

use std::process::Command;

use super::Folder;
use crate::harness::home;

impl Folder {
    fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "user.name=tester",
            "-c",
            "user.email=tester@example.org",
            "-c",
            "init.defaultBranch=main",
        ]);
        command.args(args).current_dir(self.path()).env("HOME", home());
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }
}

fn repository() -> Folder {
    let folder = Folder::with(&[
        ("V1__orders.sql", "CREATE TABLE app.orders (id bigint PRIMARY KEY);"),
        ("V2__old.sql", "TRUNCATE app.orders;"),
    ]);
    folder.git(&["init", "-q"]);
    folder.commit("first");
    folder
}

#[test]
fn only_added_and_changed_files_are_looked_at_and_they_are_one_change() {
    let folder = repository();
    assert!(folder.found(&["--since", "HEAD"]).is_empty());
    folder.git(&["checkout", "-q", "-b", "topic"]);
    folder.file("V3__items.sql", "CREATE TABLE app.items (id bigint PRIMARY KEY);");
    folder.file(
        "V4__index.sql",
        "CREATE INDEX items_idx ON app.items (id);\nCREATE INDEX orders_idx ON app.orders (id);",
    );
    folder.commit("second");
    folder.file("V5__not_added_yet.sql", "DROP TABLE app.orders;");
    assert_eq!(
        folder.found(&["--since", "main"]),
        ["index-not-concurrent@V4__index:2", "drop-table@V5__not_added_yet:1"]
    );
    folder.file("V2__old.sql", "TRUNCATE app.orders CASCADE;");
    assert!(folder.found(&["--since", "main"]).contains(&"truncate@V2__old:1".to_owned()));
}

#[test]
fn what_others_changed_meanwhile_is_not_ours() {
    let folder = repository();
    folder.git(&["checkout", "-q", "-b", "topic"]);
    folder.file("V3__mine.sql", "DROP TABLE app.mine;");
    folder.commit("mine");
    folder.git(&["checkout", "-q", "main"]);
    folder.file("V2__old.sql", "TRUNCATE app.orders; TRUNCATE app.items;");
    folder.commit("theirs");
    folder.git(&["checkout", "-q", "topic"]);
    assert_eq!(folder.found(&["--since", "main"]), ["drop-table@V3__mine:1"]);
}

#[test]
fn no_revision_becomes_an_option_and_an_unknown_one_is_told() {
    let folder = repository();
    for revision in ["nope", "--output=/tmp/dbctl-owned", "-h", "main nope", "", "main..topic"] {
        let run = folder.lint(&[&format!("--since={revision}")]).expect_code(64);
        assert!(run.stderr.contains("git knows no revision") && run.stderr.contains("git fetch"), "{}", run.stderr);
    }
    assert!(!std::path::Path::new("/tmp/dbctl-owned").exists());
}

#[test]
fn outside_of_a_repository_it_says_what_to_do() {
    let folder = Folder::with(&[("V1__a.sql", "SELECT 1;")]);
    let run = folder.lint(&["--since", "main"]).expect_code(65);
    assert!(run.stderr.contains("is in no git repository") && run.stderr.contains("without --since"), "{}", run.stderr);
    let system = crate::harness::dbctl(&["migrate", "lint", "--system", "bridge", "--since", "main"]);
    let mut system = system;
    super::decent(&mut system).expect_code(64);
}
