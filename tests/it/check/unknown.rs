//! For every check, what makes it UNKNOWN: rights that are taken away, a catalog that is held, a server that cannot say.

use dbctl::check::CHECKS;
use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{Database, eventually, private_server};

/// What makes a check UNKNOWN.
enum Why {
    /// This role may not read that any more.
    Revoked(&'static str),
    /// Somebody holds this table.
    Held(&'static str),
    /// It is so from the start for a role without rights.
    Bare,
    /// Another test shows it: of what dbctl.yaml names, or of statistics that are too young.
    Elsewhere(&'static str),
}

use Why::{Bare, Elsewhere, Held, Revoked};

const ALL: &[(&str, Why)] = &[
    ("connections", Revoked("SELECT ON pg_catalog.pg_roles")),
    ("long_query", Bare),
    ("idle_in_transaction", Bare),
    ("lock_wait", Revoked("SELECT ON pg_catalog.pg_locks")),
    ("deadlocks", Revoked("SELECT ON pg_catalog.pg_stat_database")),
    ("rollbacks", Revoked("SELECT ON pg_catalog.pg_stat_database")),
    ("disk", Bare),
    ("replication_lag", Revoked("SELECT ON pg_catalog.pg_stat_replication")),
    ("slots", Revoked("SELECT ON pg_catalog.pg_replication_slots")),
    ("xid_age", Revoked("SELECT ON pg_catalog.pg_stat_database")),
    ("mxid_age", Revoked("SELECT ON pg_catalog.pg_stat_database")),
    ("xmin_horizon", Bare),
    ("autovacuum", Revoked("EXECUTE ON FUNCTION pg_catalog.pg_options_to_table(text[])")),
    ("invalid_index", Held("pg_catalog.pg_inherits")),
    ("duplicate_index", Held("pg_catalog.pg_inherits")),
    ("bloat", Held("pg_catalog.pg_inherits")),
    ("fk_without_index", Held("pg_catalog.pg_constraint")),
    ("unused_index", Revoked("SELECT ON pg_catalog.pg_stat_replication")),
    ("sequences", Bare),
    ("cache_hit", Revoked("EXECUTE ON FUNCTION pg_catalog.pg_control_system()")),
    ("archiving", Revoked("SELECT ON pg_catalog.pg_stat_archiver")),
    ("checksums", Revoked("SELECT ON pg_catalog.pg_stat_database")),
    ("pending_restart", Revoked("SELECT ON pg_catalog.pg_settings")),
    ("fsync", Revoked("SELECT ON pg_catalog.pg_tablespace")),
    ("collation", Revoked("SELECT ON pg_catalog.pg_collation")),
    ("stats_age", Revoked("SELECT ON pg_catalog.pg_stat_database")),
    ("temp_files", Revoked("EXECUTE ON FUNCTION pg_catalog.pg_control_system()")),
    ("checkpoints", Revoked("SELECT ON pg_catalog.pg_stat_bgwriter")),
    ("pending_migrations", Elsewhere("brought::pending_migrations_of_a_target_that_names_some")),
    ("partitions", Elsewhere("brought::partitions_of_a_policy_that_is_named")),
    ("latency", Revoked("SELECT ON pg_catalog.pg_stat_database")),
];

#[test]
fn every_check_says_unknown_where_it_cannot_look() {
    let mut listed: Vec<&str> = ALL.iter().map(|(id, _)| *id).collect();
    let mut all: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    listed.sort_unstable();
    all.sort_unstable();
    assert_eq!(listed, all);

    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE check_blind LOGIN; CREATE SEQUENCE numbers");
    let folder = folder();
    let asked = |id: &str, url: &str| {
        let answer = json(&check(url, folder.path(), "", &["--only", id, "--format", "json"]));
        let others: Vec<&Value> =
            answer["checks"].as_array().unwrap().iter().filter(|row| row["check"] != id).collect();
        assert!(others.iter().all(|row| row["check"] == "conn" && row["level"] == "OK"), "{answer:#}");
        verdict(&answer, id)
    };
    // So that a session of another role and rates are there to be hidden.
    let busy = db.session();
    busy.sql("BEGIN");
    asked("deadlocks", &db.url_as("check_blind"));
    for (id, why) in ALL {
        let (undo, holder) = match why {
            Revoked(right) => {
                db.sql(&format!("REVOKE {right} FROM PUBLIC"));
                (Some(format!("GRANT {right} TO PUBLIC")), None)
            }
            Held(table) => {
                let holder = db.session();
                holder.sql(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
                (None, Some(holder))
            }
            Bare => (None, None),
            Elsewhere(test) => {
                assert!(test.starts_with("brought::"), "{id}");
                continue;
            }
        };
        let (level, message) = asked(id, &db.url_as("check_blind"));
        assert_eq!(level, "UNKNOWN", "{id}: {message}");
        let expected: &[&str] = match why {
            Revoked(_) => &["permission denied"],
            Held(_) => &["lock"],
            _ => &["GRANT ", "cannot be seen", "cannot be read"],
        };
        assert!(expected.iter().any(|words| message.contains(words)), "{id}: {message}");
        drop(holder);
        if let Some(undo) = undo {
            db.sql(&undo);
            // Rates need two runs that could look.
            asked(id, &db.url());
            let (level, message) = asked(id, &db.url());
            assert_ne!(level, "UNKNOWN", "{id} with its rights again: {message}");
        }
    }
}

#[test]
fn which_indexes_are_unused_is_unknown_while_statistics_are_young() {
    let db = Database::new();
    let folder = folder();
    db.sql("CREATE TABLE idle AS SELECT md5(g::text) AS a FROM generate_series(1, 30000) AS g");
    let at = |yaml: &str| {
        let answer = json(&check(&db.url(), folder.path(), yaml, &["--only", "unused_index", "--format", "json"]));
        verdict(&answer, "unused_index")
    };
    assert_eq!(at("").0, "OK", "there is none");
    db.sql("CREATE INDEX nobody ON idle (a)");
    let (level, message) = at("");
    assert!(level == "UNKNOWN" && message.contains("of 30 days only"), "{level} {message}");
    let (level, message) = at("checks: {unused_index: {warn: 0s}}\n");
    assert!(level == "WARN" && message.contains("public.nobody was never used since"), "{level} {message}");
    assert_eq!(at("checks: {unused_index: {warn: off}}\n").0, "OK");
    assert_eq!(at("checks: {unused_index: {warn: 0s, override: [{object: '*nobody', warn: off}]}}\n").0, "OK");
}

#[test]
fn bloat_of_what_nothing_is_known_of_is_unknown_from_the_threshold_on() {
    let db = Database::new();
    let folder = folder();
    db.sql("CREATE TABLE unseen WITH (autovacuum_enabled = off) AS SELECT g AS a, repeat('x', 500) AS t FROM generate_series(1, 30000) AS g");
    let at = |yaml: &str| {
        let answer = json(&check(&db.url(), folder.path(), yaml, &["--only", "bloat", "--format", "json"]));
        verdict(&answer, "bloat")
    };
    assert_eq!(at("").0, "OK", "a gigabyte is not at stake");
    let (level, message) = at("checks: {bloat: {warn: 12MB}}\n");
    assert!(level == "UNKNOWN" && message.contains("1 object"), "{level} {message}");
    db.sql("VACUUM ANALYZE unseen");
    let (level, message) = at("checks: {bloat: {warn: 12MB}}\n");
    assert_eq!(level, "OK", "{message}");
}

#[test]
fn settings_that_a_role_cannot_see_may_wait_for_a_restart() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE check_blind LOGIN; CREATE ROLE check_seer LOGIN IN ROLE pg_monitor");
    let folder = folder();
    let asked = |role: &str| {
        let args = ["--only", "pending_restart", "--format", "json"];
        verdict(&json(&check(&db.url_as(role), folder.path(), "", &args)), "pending_restart")
    };
    assert_eq!(asked("check_seer").0, "OK");
    assert_eq!(asked("check_blind").0, "UNKNOWN");
    db.sql("ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'");
    db.sql("SELECT pg_reload_conf()");
    eventually("it waits", || asked("check_seer").0 == "WARN");
    let (level, message) = asked("check_blind");
    assert!(level == "UNKNOWN" && message.contains("GRANT pg_monitor"), "{level} {message}");
}
