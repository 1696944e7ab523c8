//! Moments kept in a file and shown again; a watch needs a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::sys::termios::tcgetattr;
use nix::unistd::Pid;

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

/// Watches on a terminal until the first picture is there, then ends it: the exit code and all that was drawn.
fn watched(url: &str, command: &str, end: impl Fn(&mut File, Pid)) -> (Option<i32>, String) {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let before = tcgetattr(&terminal.slave).unwrap();
    let side = || Stdio::from(terminal.slave.try_clone().unwrap());
    let mut child = dbctl(&[command, "--watch", "300ms"])
        .env("DATABASE_URL", url)
        .stdin(side())
        .stdout(side())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut master = File::from(terminal.master);
    let (mut drawn, mut buffer) = (String::new(), [0; 4096]);
    while !drawn.contains("q quit") {
        let count = master.read(&mut buffer).unwrap();
        drawn.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    assert_ne!(tcgetattr(&terminal.slave).unwrap().local_flags, before.local_flags);
    end(&mut master, Pid::from_raw(child.id().cast_signed()));
    while !drawn.contains("\x1b[?1049l") {
        let count = master.read(&mut buffer).unwrap();
        drawn.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    let code = child.wait().unwrap().code();
    assert_eq!(tcgetattr(&terminal.slave).unwrap(), before);
    (code, drawn)
}

#[test]
fn a_watch_leaves_the_terminal_as_it_was() {
    let db = Database::new();
    for command in ["locks", "activity"] {
        let (code, drawn) = watched(&db.url(), command, |master, _| master.write_all(b"q").unwrap());
        assert_eq!(code, Some(0));
        assert!(drawn.starts_with("\x1b[?1049h") && drawn.contains("\x1b[?25h"), "{drawn:?}");
    }
    let (code, _) = watched(&db.url(), "locks", |_, pid| kill(pid, Signal::SIGINT).unwrap());
    assert_eq!(code, Some(130));
}
