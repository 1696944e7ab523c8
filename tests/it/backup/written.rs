//! `backup:` of dbctl.yaml stands where flags do not.

use std::path::Path;

use serde_json::Value;

use super::{Place, filled};
use crate::harness::{dbctl, run};

#[track_caller]
fn answer(words: &[&str], folder: &Path, code: i32) -> Value {
    let mut command = dbctl(words);
    command.args(["--format", "json"]).current_dir(folder).env_remove("DATABASE_URL");
    serde_json::from_str(&run(&mut command).expect_code(code).stdout).unwrap()
}

#[test]
fn all_its_targets_are_tried_and_one_that_fails_is_told_apart() {
    let (bridge, chatwoot, aside) = (filled(), filled(), filled());
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let gone = aside.url().replace(aside.name(), "krayin_that_is_not");
    let write = |more: &str| {
        let text = format!(
            "targets:\n  bridge: {{url: \"{}\"}}\n  krayin: {{url: \"{gone}\"}}\n  chatwoot: {{url: \"{}\"}}\n  other: {{url: \"{}\"}}\n\
             backup:\n  to: {}\n{more}",
            bridge.url(),
            chatwoot.url(),
            aside.url(),
            place.url()
        );
        std::fs::write(folder.path().join("dbctl.yaml"), text).unwrap();
    };
    write("  targets: [bridge, krayin, chatwoot]\n");
    let many = run(dbctl(&["backup", "create"]).current_dir(folder.path())).expect_code(5);
    assert!(
        many.stderr.contains("target krayin:") && many.stdout.contains("chatwoot"),
        "{}{}",
        many.stdout,
        many.stderr
    );
    assert_eq!(place.backups().len(), 2);

    // A flag names others than the file does.
    answer(&["backup", "create", "--target", "other"], folder.path(), 0);
    let listed = answer(&["backup", "list"], folder.path(), 0);
    let mut of: Vec<&str> =
        listed["backups"].as_array().unwrap().iter().map(|backup| backup["database"].as_str().unwrap()).collect();
    let mut wanted = [bridge.name(), chatwoot.name(), aside.name()];
    of.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(of, wanted);
    answer(&["backup", "verify", "latest", "--database", bridge.name()], folder.path(), 0);
    answer(
        &[
            "restore",
            "latest",
            "--database",
            bridge.name(),
            "--to-database",
            "never_made",
            "--target",
            "bridge",
            "--dry-run",
        ],
        folder.path(),
        0,
    );

    // Rules and ages of the file, and a flag that says otherwise.
    let krayin = answer(&["backup", "status"], folder.path(), 2);
    assert_eq!(krayin["databases"].as_array().unwrap().iter().filter(|of| of["state"] == "BAD").count(), 1, "{krayin}");
    let good = |words: &[&str], code: i32| {
        answer(&[&["backup", "status", "--database", bridge.name()], words].concat(), folder.path(), code);
    };
    good(&[], 0);
    write("  max_age: 1ms\n");
    good(&[], 2);
    good(&["--max-age", "1h"], 0);
    run(dbctl(&["backup", "prune", "--yes"]).current_dir(folder.path())).expect_code(64);
    write("  keep: {last: 1}\n  min_age: 0s\n");
    let again = [&["backup", "create", "--target", "other"][..]; 2];
    for words in again {
        answer(words, folder.path(), 0);
    }
    let pruned = answer(&["backup", "prune", "--yes"], folder.path(), 0);
    assert_eq!(place.backups().len(), 3, "{pruned}");
}

#[test]
fn without_a_place_its_flag_and_its_key_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for (words, flag) in [
        (&["backup", "create"][..], "--to"),
        (&["backup", "list"], "--from"),
        (&["backup", "drill"], "--from"),
        (&["restore", "latest"], "--from"),
    ] {
        let told = run(dbctl(words).current_dir(folder.path())).expect_code(64).stderr;
        assert!(told.contains(&format!("{flag} /srv/backups")) && told.contains("dbctl.yaml"), "{told}");
    }
}

#[test]
fn keys_of_the_file_lock_and_open() {
    use age::secrecy::ExposeSecret as _;
    let (db, place) = (filled(), Place::new());
    let folder = tempfile::tempdir().unwrap();
    let key = age::x25519::Identity::generate();
    std::fs::write(folder.path().join("key.txt"), key.to_string().expose_secret()).unwrap();
    let text = format!(
        "backup: {{to: {}, recipients: [{}], identity: key.txt, targets: [it]}}\ntargets: {{it: {{url: \"{}\"}}}}\n",
        place.url(),
        key.to_public(),
        db.url()
    );
    std::fs::write(folder.path().join("dbctl.yaml"), text).unwrap();
    answer(&["backup", "create"], folder.path(), 0);
    let shown = answer(&["config", "show"], folder.path(), 0);
    let row = |key: &str| shown["settings"].as_array().unwrap().iter().find(|row| row["setting"] == key).cloned();
    assert_eq!(row("backup.to").unwrap()["value"], place.url().as_str(), "{shown}");
    assert!(row("backup.identity").is_some() && row("backup.keep").is_none(), "{shown}");
    assert!(!place.manifest().recipients.is_empty());
    answer(&["backup", "verify", "--level", "2"], folder.path(), 0);
    std::fs::write(folder.path().join("key.txt"), age::x25519::Identity::generate().to_string().expose_secret())
        .unwrap();
    run(dbctl(&["backup", "verify", "--level", "2"]).current_dir(folder.path())).expect_code(4);
}

#[test]
fn a_passphrase_of_the_file_locks_and_opens() {
    let (db, place) = (filled(), Place::new());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("words.txt"), "correct horse\n").unwrap();
    let text = format!(
        "backup: {{to: {}, passphrase_file: words.txt, jobs: 1, targets: [it]}}\ntargets: {{it: {{url: \"{}\"}}}}\n",
        place.url(),
        db.url()
    );
    std::fs::write(folder.path().join("dbctl.yaml"), text).unwrap();
    answer(&["backup", "create"], folder.path(), 0);
    assert!(place.manifest().is_encrypted());
    answer(&["backup", "verify"], folder.path(), 0);
    run(dbctl(&["backup", "verify"]).current_dir(folder.path()).env("DBCTL_BACKUP_PASSPHRASE", "another"))
        .expect_code(4);
}
