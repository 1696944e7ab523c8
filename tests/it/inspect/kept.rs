//! Moments kept in a file and shown again; a watch needs a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use dbctl::pg::sandbox::Options;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::tcgetattr;
use nix::unistd::Pid;

use super::*;
use crate::harness::private_server;

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
fn a_history_does_not_look_without_a_pause() {
    let refused = said(&Database::new().url(), &["locks", "--history", "x", "--every", "1ms"]).expect_code(64);
    assert!(refused.stderr.contains("100ms"), "{}", refused.stderr);
}

#[test]
fn a_watch_without_a_terminal_names_the_way_out() {
    for (command, way) in [("locks", "--history"), ("activity", "once: dbctl activity")] {
        let refused = said(&Database::new().url(), &[command, "--watch"]).expect_code(64);
        assert!(refused.stderr.contains(way), "{}", refused.stderr);
    }
}

/// Watches on a terminal of so many lines and columns until the first picture is there, then ends it: the exit code
/// and all that was drawn.
fn watched(url: &str, command: &str, size: Option<(u16, u16)>, end: impl Fn(&mut Watch)) -> (Option<i32>, String) {
    let size = size.map(|(ws_row, ws_col)| nix::pty::Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 });
    let terminal = nix::pty::openpty(size.as_ref(), None).unwrap();
    let before = tcgetattr(&terminal.slave).unwrap();
    let side = || Stdio::from(terminal.slave.try_clone().unwrap());
    let mut child = dbctl(&[command, "--watch", "300ms"])
        .env("DATABASE_URL", url)
        .stdin(side())
        .stdout(side())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().cast_signed());
    let mut watch = Watch { master: File::from(terminal.master), slave: terminal.slave, pid, drawn: String::new() };
    watch.until(|drawn| drawn.contains("q quit"));
    assert_ne!(tcgetattr(&watch.slave).unwrap().local_flags, before.local_flags);
    end(&mut watch);
    watch.until(|drawn| drawn.contains("\x1b[?1049l"));
    let code = child.wait().unwrap().code();
    assert_eq!(tcgetattr(&watch.slave).unwrap(), before);
    (code, watch.drawn)
}

/// A watch that goes on.
struct Watch {
    master: File,
    slave: OwnedFd,
    pid: Pid,
    drawn: String,
}

impl Watch {
    fn until(&mut self, enough: impl Fn(&str) -> bool) {
        let mut buffer = [0; 4096];
        while !enough(&self.drawn) {
            let count = self.master.read(&mut buffer).unwrap();
            self.drawn.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn key(&mut self, key: u8) {
        self.master.write_all(&[key]).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }
}

/// How many lines the pictures have.
fn heights(drawn: &str) -> Vec<usize> {
    let pictures: Vec<&str> = drawn.split("\x1b[H").skip(1).collect();
    pictures.iter().map(|picture| picture.matches("\r\n").count()).collect()
}

#[test]
fn a_watch_leaves_the_terminal_as_it_was() {
    let db = Database::new();
    for command in ["locks", "activity", "slow-queries", "health", "replication"] {
        let (code, drawn) = watched(&db.url(), command, None, |watch| watch.key(b'q'));
        assert_eq!(code, Some(0), "{command}");
        assert!(drawn.starts_with("\x1b[?1049h") && drawn.contains("\x1b[?25h"), "{drawn:?}");
        let (code, _) = watched(&db.url(), command, None, |watch| watch.signal(Signal::SIGINT));
        assert_eq!(code, Some(130), "{command}");
    }
}

#[test]
fn a_watch_is_as_high_as_the_terminal_and_follows_it() {
    let db = Database::new();
    let (_, drawn) = watched(&db.url(), "activity", Some((8, 40)), |watch| {
        watch.until(|drawn| drawn.contains("more lines"));
        let all = heights(&watch.drawn);
        assert!(all.iter().all(|lines| *lines <= 7), "{all:?} {:?}", watch.drawn);
        watch.key(b'p');
        watch.until(|drawn| drawn.contains("it is paused"));
        // Paused: only the size makes another picture with all of it.
        let mut stty = std::process::Command::new("stty");
        let slave = watch.slave.try_clone().unwrap();
        assert!(stty.args(["rows", "70", "cols", "120"]).stdin(Stdio::from(slave)).status().unwrap().success());
        watch.signal(Signal::SIGWINCH);
        watch.until(|drawn| drawn.contains("horizon"));
        watch.key(b'q');
    });
    assert!(heights(&drawn).iter().any(|lines| *lines > 10), "{drawn:?}");
    assert!(drawn.contains("\x1b[?7l") && drawn.contains("\x1b[?7h"), "long lines are cut meanwhile: {drawn:?}");
}

#[test]
fn a_watch_of_statements_tells_each_window() {
    let settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
    let server = private_server(&Options { settings, ..Options::default() });
    let db = Database::at(&server);
    db.sql("CREATE EXTENSION pg_stat_statements");
    let (code, drawn) = watched(&db.url(), "slow-queries", Some((70, 120)), |watch| {
        while !watch.drawn.contains("AS seen_in_between") {
            db.sql("SELECT 1 AS seen_in_between");
            let pictures = heights(&watch.drawn).len();
            watch.until(|drawn| heights(drawn).len() > pictures);
        }
        watch.key(b'q');
    });
    assert_eq!(code, Some(0));
    assert!(drawn.contains("window:"), "{drawn:?}");
}

#[test]
fn a_watch_draws_lines_of_full_width_to_their_end() {
    let db = Database::new();
    let name = "n".repeat(60);
    let _sessions: Vec<_> = (0..12)
        .map(|_| {
            let session = db.session_with(|config| {
                config.application_name(&name);
            });
            session.sql("BEGIN");
            session
        })
        .collect();
    let plain = said(&db.url(), &["activity"]).expect_code(0).stdout;
    let (code, drawn) = watched(&db.url(), "activity", Some((100, 80)), |watch| watch.key(b'q'));
    assert_eq!(code, Some(0));
    let widest = plain.lines().find(|line| line.chars().count() == 80).unwrap_or_else(|| panic!("{plain}"));
    assert!(widest.trim_end().ends_with(|c: char| !c.is_whitespace()));
    // Behind the last letter of such a line nothing may be cleared: the cursor still stands on it.
    let picture = drawn.split("\x1b[H").nth(1).unwrap();
    let full = picture.split("\r\n").filter(|line| line.trim_start_matches("\x1b[K").chars().count() >= 80);
    assert!(full.clone().count() > 0 && full.clone().all(|line| !line.ends_with("\x1b[K")), "{picture:?}");
}

#[test]
fn a_watch_outlives_a_lost_connection() {
    let db = Database::new();
    let (code, drawn) = watched(&db.url(), "activity", Some((70, 120)), |watch| {
        let of_it = "FROM pg_stat_activity WHERE application_name = 'dbctl:activity' AND datname = current_database()";
        let first = db.one(&format!("SELECT pid {of_it}"));
        db.sql(&format!("SELECT pg_terminate_backend({first}, 5000)"));
        watch.until(|drawn| drawn.contains("trying again"));
        eventually("it looks again", || db.one(&format!("SELECT count(*) {of_it} AND pid <> {first}")) == "1");
        let pictures = heights(&watch.drawn).len();
        watch.until(|drawn| heights(drawn).len() > pictures + 1);
        watch.key(b'q');
    });
    assert_eq!(code, Some(0));
    let last = drawn.rsplit("\x1b[H").next().unwrap();
    assert!(last.contains("q quit") && !last.contains("trying again"), "{drawn:?}");
}

#[test]
fn a_second_interrupt_leaves_the_terminal_as_it_was_too() {
    let db = Database::new();
    let (code, _) = watched(&db.url(), "activity", None, |watch| {
        let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'dbctl:activity' AND datname = current_database()";
        let backend = Pid::from_raw(db.one(sql).parse().unwrap());
        // A server that does not answer any more: the first interrupt has nothing to end.
        kill(backend, Signal::SIGSTOP).unwrap();
        watch.signal(Signal::SIGINT);
        std::thread::sleep(std::time::Duration::from_millis(300));
        // It may have ended at the first.
        let _ = kill(watch.pid, Signal::SIGINT);
        watch.until(|drawn| drawn.contains("\x1b[?1049l"));
        kill(backend, Signal::SIGCONT).unwrap();
    });
    assert_eq!(code, Some(130));
}
