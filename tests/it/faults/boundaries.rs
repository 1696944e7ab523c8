//! Kills, signals and cut connections at every message between dbctl and the server, one after the
//! other: a proxy holds the traffic there.

use nix::sys::signal::Signal;

use super::{empty, fingerprint, migrate, nobody_is_left, set, undisturbed};
use crate::harness::{Child, Database, Hold, Proxy, default_server, eventually, run, spawn};

/// What happens while a message is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strike {
    Kill,
    Signal(Signal),
    Cut,
}

impl Strike {
    /// The exit code of a run that had work left.
    fn code(self) -> i32 {
        match self {
            Strike::Kill => 137,
            Strike::Signal(signal) => 128 + signal as i32,
            Strike::Cut => 69,
        }
    }

    fn strike(self, child: &Child, proxy: &Proxy) {
        match self {
            Strike::Kill => {
                child.signal(Signal::SIGKILL);
                proxy.cut();
            }
            Strike::Signal(signal) => {
                child.signal(signal);
                // The process has heard it when its cancel request arrives.
                eventually("a cancel request arrives", || proxy.cancels() > 0);
                proxy.release();
            }
            Strike::Cut => proxy.cut(),
        }
    }
}

#[test]
fn killed_before_any_message() {
    at_every_message(Hold::Before, Strike::Kill);
}

#[test]
fn killed_after_any_message() {
    at_every_message(Hold::After, Strike::Kill);
}

#[test]
fn cut_before_any_message() {
    at_every_message(Hold::Before, Strike::Cut);
}

#[test]
fn cut_after_any_message() {
    at_every_message(Hold::After, Strike::Cut);
}

#[test]
fn interrupted_before_any_message() {
    at_every_message(Hold::Before, Strike::Signal(Signal::SIGINT));
}

#[test]
fn terminated_after_any_message() {
    at_every_message(Hold::After, Strike::Signal(Signal::SIGTERM));
}

/// Disturbs a run at its first message, the next one at its second, until one ends undisturbed.
fn at_every_message(hold: Hold, strike: Strike) {
    let db = Database::new();
    let set = set::five_files();
    set::gate(&db);
    let wanted = undisturbed(&db, &set);
    for message in 0.. {
        let proxy = Proxy::to(default_server());
        let mut seen = 0;
        proxy.hold(hold, move |sql| {
            // The questions that tell a pooler are many and alike.
            seen += usize::from(sql != "SELECT pg_catalog.pg_backend_pid()");
            seen > message
        });
        let mut child = spawn(&mut migrate(&proxy.url(db.name()), &set));
        let Some(held) = proxy.wait_held(|| child.has_ended()) else {
            child.wait().expect_code(0);
            assert!(message > 60, "only {message} messages were disturbed");
            return;
        };
        eprintln!("{strike:?} {hold:?} message {message}: {held}");
        strike.strike(&child, &proxy);
        let ended = child.wait();
        // At the end of the last file there may be nothing left that could be kept from being done.
        if !(ended.code == 0 && is_last(&held) && applied(&db) == set.count()) {
            ended.expect_code(strike.code());
        }
        drop(proxy);
        run(&mut migrate(&db.url(), &set)).expect_code(0);
        assert_eq!(fingerprint(&db), wanted);
        nobody_is_left(&db);
        empty(&db);
    }
}

/// Whether nothing but the last commit comes after this message.
fn is_last(held: &str) -> bool {
    held.contains("'5'") || held.contains("5, 'end'") || held.starts_with("UPDATE dbctl.run")
}

/// How many versions are in the history.
fn applied(db: &Database) -> usize {
    let there = db.one("SELECT to_regclass('refinery_schema_history') IS NOT NULL") == "t";
    if there { db.one("SELECT count(*) FROM refinery_schema_history").parse().expect("a count") } else { 0 }
}
