//! Moments kept in a file and shown again; a watch needs a terminal.

use super::*;

#[test]
fn a_history_is_kept_and_shown_again_without_a_server() {
    let db = Database::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("locks.ndjson").display().to_string();
    let holder = db.session();
    holder.sql("SELECT pg_advisory_lock(1)");
    let _all = waiters(&db, 2, |_| "SELECT pg_advisory_lock(1), 'secret'".to_owned());
    let args = ["locks", "--history", &file, "--every", "100ms", "--for", "500ms", "--redact"];
    let kept = said(&db.url(), &args).expect_code(0);
    assert!(kept.stdout.contains("samples"), "{}", kept.stdout);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().count() >= 2 && !text.contains("secret"), "{text}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // The last line was not finished.
    std::fs::write(&file, format!("{text}{{\"version\":1,")).unwrap();
    let shown = run(&mut dbctl(&["locks", "--replay", &file, "--format", "json"])).expect_code(0);
    let answer: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(answer["samples"], text.lines().count());
    let root = answer["roots"].as_array().unwrap().iter().find(|root| root["pid"] == holder.pid()).unwrap();
    assert_eq!(root["victims"], 2);
    let people = run(&mut dbctl(&["locks", "--replay", &file])).expect_code(0).stdout;
    assert!(people.contains(&holder.pid().to_string()), "{people}");
    std::fs::write(&file, "not a history\n{}\n").unwrap();
    let wrong = run(&mut dbctl(&["locks", "--replay", &file])).expect_code(65);
    assert!(wrong.stderr.contains("locks.ndjson:1"), "{}", wrong.stderr);
}

#[test]
fn a_watch_without_a_terminal_names_the_way_out() {
    for command in ["locks", "activity"] {
        let refused = said(&Database::new().url(), &[command, "--watch"]).expect_code(64);
        assert!(refused.stderr.contains("--history"), "{}", refused.stderr);
    }
}
