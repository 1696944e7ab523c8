//! What goes wrong while migrations run, on real servers: races, kills, cut connections, locks,
//! poolers, half-built leftovers, servers that stop. After every one of them the next plain run must
//! end where an undisturbed one ends.

mod boundaries;
mod leftovers;
mod locks;
mod partitions;
mod pooler;
mod procedures;
mod race;
mod servers;
mod session;
mod set;
mod statements;

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Database, dbctl, eventually};

use set::Migrations;

/// `dbctl migrate` of a folder on a database.
fn migrate(url: &str, migrations: &Migrations) -> Command {
    migrate_with(url, migrations, &[])
}

/// The same with flags.
fn migrate_with(url: &str, migrations: &Migrations, flags: &[&str]) -> Command {
    let mut command = dbctl(&["migrate", "--dir", migrations.path(), "--database-url", url, "--no-progress"]);
    command.args(flags);
    command
}

/// The condition that finds our sessions of this database in pg_stat_activity.
const OURS: &str = "datname = pg_catalog.current_database() AND application_name LIKE 'dbctl%'";

/// The rows that a query over our sessions finds: `pid`, …
fn ours(db: &Database, condition: &str) -> Vec<i32> {
    let rows = db.sql(&format!("SELECT pid FROM pg_catalog.pg_stat_activity WHERE {OURS} AND {condition}"));
    rows.iter().filter_map(|row| row[0].as_ref()?.parse().ok()).collect()
}

/// The working backend, once it waits for a lock or sleeps.
fn waiting_worker(db: &Database) -> i32 {
    let condition = "application_name NOT LIKE '%lease' AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')";
    let mut found = None;
    eventually("the statement waits", || {
        found = ours(db, condition).first().copied();
        found.is_some()
    });
    found.expect("just found")
}

/// Panics when a session of ours is still there after 5 s.
#[track_caller]
fn nobody_is_left(db: &Database) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !ours(db, "true").is_empty() {
        if Instant::now() > deadline {
            let sql = format!(
                "SELECT pid, application_name, state, wait_event_type, wait_event, query FROM pg_catalog.pg_stat_activity \
                 WHERE {OURS}"
            );
            panic!("sessions of ours are left after 5 s: {:#?}", db.sql(&sql));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Makes a database as empty as a new one, faster than a new one.
fn empty(db: &Database) {
    db.sql("DROP SCHEMA IF EXISTS dbctl CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

/// Everything that a migration may leave behind, as text: catalog, rows, history. Equal text, equal
/// end state.
fn fingerprint(db: &Database) -> String {
    let of_users =
        "n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbctl', 'gate') AND n.nspname NOT LIKE 'pg\\_toast%'";
    let catalog = [
        format!(
            "SELECT 'relation', n.nspname, c.relname, c.relkind::text, c.relispartition::text FROM pg_class c \
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {of_users}"
        ),
        format!(
            "SELECT 'column', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE {of_users} AND a.attnum > 0 AND NOT a.attisdropped"
        ),
        format!(
            "SELECT 'index', pg_get_indexdef(i.indexrelid), i.indisvalid::text, i.indisready::text, i.indislive::text \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE {of_users}"
        ),
        "SELECT 'invalid index', count(*)::text FROM pg_index WHERE NOT indisvalid".to_owned(),
        "SELECT 'partition', inhrelid::regclass, inhparent::regclass, inhdetachpending::text FROM pg_inherits"
            .to_owned(),
        format!(
            "SELECT 'constraint', conrelid::regclass, conname, pg_get_constraintdef(o.oid) FROM pg_constraint o \
             JOIN pg_namespace n ON n.oid = o.connamespace WHERE {of_users}"
        ),
        format!(
            "SELECT 'function', p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {of_users}"
        ),
        "SELECT 'applied', version::text, name, checksum FROM refinery_schema_history".to_owned(),
        "SELECT 'noted', version::text, normal_form FROM dbctl.migration".to_owned(),
    ];
    let mut lines: Vec<String> = catalog.iter().flat_map(|sql| db.sql(sql)).map(|row| text(&row)).collect();
    let tables = db.sql(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' \
         AND c.relname <> 'refinery_schema_history'",
    );
    for table in tables.iter().map(|row| text(row)) {
        let rows = db.sql(&format!("SELECT t::text FROM {table} AS t"));
        lines.extend(rows.iter().map(|row| format!("row of {table}: {}", text(row))));
    }
    lines.sort();
    lines.join("\n")
}

fn text(row: &[Option<String>]) -> String {
    row.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(" | ")
}

/// Applies the migrations to an empty database; its end state.
fn undisturbed(db: &Database, migrations: &Migrations) -> String {
    crate::harness::run(&mut migrate(&db.url(), migrations)).expect_code(0);
    let state = fingerprint(db);
    empty(db);
    state
}
