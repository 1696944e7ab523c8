//! What tests stand on: private servers of one or all majors, databases that cost milliseconds,
//! held-open sessions, and the built program with a clean environment.
#![allow(dead_code, unused_imports, reason = "each test file uses what it needs")]

mod background;
mod clouds;
mod database;
mod faulty;
mod pgbouncer;
mod program;
mod proxy;
mod s3;
mod servers;
mod standby;

pub use clouds::Cloud;
pub use database::{Database, Session, SqlError, Waiting};
pub use faulty::{Fault, Faulty};
pub use pgbouncer::Pooler;
pub use program::{Child, Run, dbctl, home, run, spawn};
pub use proxy::{Hold, Proxy};
pub use s3::{Flaky, S3};
pub use servers::{
    chromium, default_server, has_zstd_and_age, majors, pgbouncer, private_server, repack_server, server,
    vector_installation,
};
pub use standby::{Copy, standby, starting};

use std::time::{Duration, Instant};

/// Does `work` again until a round of it has left the server's counters of the database's written rows and temporary
/// bytes as they were: autovacuum writes rows of its own at any time, and one of dbctl's would be counted in each
/// round. Panics after five.
pub fn writes_no_row(db: &Database, mut work: impl FnMut()) {
    let counted = || {
        // What ended sessions have counted arrives late.
        if db.major() >= 15 {
            db.sql("SELECT pg_stat_force_next_flush()");
        }
        std::thread::sleep(Duration::from_millis(1500));
        db.one(
            "SELECT format('%s %s %s %s', pg_stat_get_db_tuples_inserted(oid), pg_stat_get_db_tuples_updated(oid), \
             pg_stat_get_db_tuples_deleted(oid), pg_stat_get_db_temp_bytes(oid)) FROM pg_database WHERE datname = current_database()",
        )
    };
    let mut seen = vec![counted()];
    for _ in 0..5 {
        work();
        seen.push(counted());
        if let [.., before, after] = seen.as_slice()
            && before == after
        {
            return;
        }
    }
    panic!("rows were written in each round: {seen:?}");
}

/// Polls until `done` says so; panics with `what` after a minute, which a busy machine may need.
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "did not happen within 60 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
