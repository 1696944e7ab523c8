//! Through a real PgBouncer: a pool of transactions is refused and left as it was, a pool of
//! sessions works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::set::Migrations;
use super::{migrate, migrate_with, nobody_is_left};
use crate::harness::{Database, Pooler, Session, default_server, run};

/// What dbctl sets in its sessions.
const SETTINGS: [&str; 6] = [
    "lock_timeout",
    "statement_timeout",
    "search_path",
    "application_name",
    "TimeZone",
    "client_connection_check_interval",
];

fn set() -> Migrations {
    Migrations::of(&[
        ("V1__item.sql", "CREATE TABLE item (id int PRIMARY KEY, name text);\n"),
        ("V2__index.sql", "CREATE INDEX CONCURRENTLY item_name ON item (name);\n"),
    ])
}

/// A client of the pool. It has a name, as every driver gives it one: PgBouncer itself lets a client
/// without a name see that of the one before.
fn through(pooler: &Pooler, db: &Database) -> Session {
    let mut config: tokio_postgres::Config = pooler.url(db.name()).parse().expect("a URL");
    Session::open(config.application_name("next client").clone()).expect("the pooler takes the connection")
}

fn advisory_locks(db: &Database) -> String {
    db.one(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
         (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
}

/// Every setting of ours as each of the pool's server connections has it: all of them are held at
/// once, each in a transaction.
fn settings_in_pool(pooler: &Pooler, db: &Database, size: usize) -> Vec<String> {
    let clients: Vec<Session> = (0..size).map(|_| through(pooler, db)).collect();
    clients.iter().for_each(Session::begin);
    let values = clients.iter().flat_map(|client| {
        SETTINGS.map(|name| format!("{name} = {}", client.one(&format!("SELECT current_setting('{name}')"))))
    });
    values.collect()
}

/// Refused by its own exit code and words; nothing is made, nothing is left in the pool.
fn refused(pooler: &Pooler, db: &Database, size: usize) {
    let before = settings_in_pool(pooler, db, size);
    let ended = run(&mut migrate(&pooler.url(db.name()), &set())).expect_code(4);
    assert!(ended.stderr.contains("pooler in transaction mode"), "{}", ended.stderr);
    assert!(ended.stderr.contains("server's own port"), "{}", ended.stderr);
    assert_eq!(advisory_locks(db), "0");
    assert_eq!(settings_in_pool(pooler, db, size), before);
    let made = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                WHERE n.nspname IN ('public', 'dbctl')";
    assert_eq!(db.one(made), "0");
}

#[test]
fn a_transaction_pool_is_refused() {
    let db = Database::new();
    for (size, further) in
        [(20, ("server_round_robin", "0")), (20, ("server_round_robin", "1")), (2, ("server_round_robin", "1"))]
    {
        let pool_size = size.to_string();
        let settings = [("default_pool_size", pool_size.as_str()), further];
        let Some(pooler) = Pooler::start(default_server(), "transaction", &settings) else { return };
        for _ in 0..5 {
            refused(&pooler, &db, size);
        }
    }
}

#[test]
fn a_transaction_pool_of_one_is_refused() {
    let db = Database::new();
    let Some(pooler) = Pooler::start(default_server(), "transaction", &[("default_pool_size", "1")]) else { return };
    for _ in 0..20 {
        refused(&pooler, &db, 1);
    }
}

#[test]
fn a_busy_transaction_pool_is_refused() {
    for size in [2, 3, 5] {
        let db = Database::new();
        let pool_size = size.to_string();
        let settings = [("default_pool_size", pool_size.as_str()), ("server_round_robin", "1")];
        let Some(pooler) = Pooler::start(default_server(), "transaction", &settings) else { return };
        let stop = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..size + 1)
            .map(|_| {
                let (client, stop) = (through(&pooler, &db), Arc::clone(&stop));
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        client.sql("SELECT count(*) FROM generate_series(1, 500)");
                    }
                })
            })
            .collect();
        for _ in 0..20 {
            refused(&pooler, &db, size);
        }
        stop.store(true, Ordering::Relaxed);
        busy.into_iter().for_each(|thread| thread.join().expect("clients do not panic"));
    }
}

#[test]
fn a_session_pool_works() {
    let db = Database::new();
    let Some(pooler) = Pooler::start(default_server(), "session", &[("default_pool_size", "5")]) else { return };
    let set = set();
    run(&mut migrate(&pooler.url(db.name()), &set)).expect_code(0);
    run(&mut migrate(&pooler.url(db.name()), &set)).expect_code(0);
    assert_eq!(db.one("SELECT count(*) FROM refinery_schema_history"), "2");
    assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    set.write("V3__more.sql", "ALTER TABLE item ADD COLUMN more int;\n");
    run(&mut migrate_with(&pooler.url(db.name()), &set, &["--lock-timeout", "1s"])).expect_code(0);
    let settings = settings_in_pool(&pooler, &db, 1);
    assert!(settings.contains(&"lock_timeout = 0".to_owned()), "{settings:?}");
    assert_eq!(advisory_locks(&db), "0");
}

#[test]
fn a_statement_pool_is_refused() {
    let db = Database::new();
    let Some(pooler) = Pooler::start(default_server(), "statement", &[]) else { return };
    let ended = run(&mut migrate(&pooler.url(db.name()), &set())).expect_code(4);
    assert!(ended.stderr.contains("pooler"), "{}", ended.stderr);
    nobody_is_left(&db);
    assert_eq!(db.one("SELECT to_regclass('item') IS NULL"), "t");
}
