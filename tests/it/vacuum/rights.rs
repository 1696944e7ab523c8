//! Who may vacuum what: owners, pg_maintain, nobody, standbys.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{majors, private_server, standby};

#[test]
fn what_a_role_may_not_vacuum_is_counted_and_an_owner_needs_no_superuser() {
    for major in majors() {
        let db = Database::on(major);
        let role = format!("owner_of_{}", db.name());
        db.sql(&format!(
            "CREATE ROLE {role} LOGIN;
             CREATE TABLE ours (a int) WITH (autovacuum_enabled = off); CREATE TABLE theirs (a int) WITH (autovacuum_enabled = off);
             ALTER TABLE theirs OWNER TO {role}"
        ));
        change(
            &db,
            "INSERT INTO ours SELECT generate_series(1, 3000); INSERT INTO theirs SELECT generate_series(1, 3000)",
            "n_live_tup = 3000",
        );
        let partial = answer(&db.url_as(&role), &["vacuum"], 5);
        assert_eq!(row(&partial, "tables", "public.theirs")["outcome"], "done", "{major}");
        assert_eq!(tables(&partial, "skipped"), ["public.ours"]);
        assert!(row(&partial, "skipped", "public.ours")["why"].as_str().unwrap().starts_with("not permitted"));
        assert!(partial["notes"].to_string().contains("journal"), "it may not make schema dbctl: {partial}");
        answer(&db.url_as(&role), &["vacuum", "--table", "ours"], 77);
        if major >= 17 {
            db.sql(&format!("GRANT pg_maintain TO {role}"));
            let done = answer(&db.url_as(&role), &["vacuum", "--table", "ours"], 0);
            assert_eq!(row(&done, "tables", "public.ours")["outcome"], "done");
        }
        db.sql(&format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"));
    }
}

#[test]
fn a_standby_refuses_and_its_primary_does_not_truncate() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE TABLE t (a int)");
    let copy = standby(&server);
    eventually("the standby answers", || copy.session("postgres").is_ok());
    eventually("it streams", || db.one("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1");
    let refused = run(&mut on(&copy.url("postgres"), &["vacuum"])).expect_code(4);
    assert!(refused.stderr.contains("this server is a standby"), "{}", refused.stderr);
    let plan = answer(&db.url(), &["vacuum", "--table", "t", "--dry-run"], 0);
    assert!(plan["sql"].as_str().unwrap().contains("TRUNCATE FALSE"), "{plan}");
}

#[test]
fn no_table_is_begun_while_a_standby_is_too_far_behind() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    calm(
        &db,
        "CREATE TABLE slow (a int) WITH (autovacuum_enabled = off); INSERT INTO slow SELECT generate_series(1, 60000);
         CREATE TABLE quick (a int) WITH (autovacuum_enabled = off); INSERT INTO quick SELECT generate_series(1, 3000)",
    );
    let copy = standby(&server);
    eventually("the standby answers", || copy.session("postgres").is_ok());
    let streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    eventually("it streams", || db.one(streams) == "1");
    let there = copy.session("postgres").unwrap();
    there.sql("SELECT pg_wal_replay_pause()");
    change(
        &db,
        "DELETE FROM slow WHERE a % 2 = 0; DELETE FROM quick WHERE a % 2 = 0",
        "CASE relname WHEN 'slow' THEN n_dead_tup = 30000 WHEN 'quick' THEN n_dead_tup = 1500 END",
    );
    // The first takes longer than the standby may be behind.
    let held = answer(&db.url(), &["vacuum", "--max-lag", "1ms", "--budget", "2s"], 3);
    assert_eq!(row(&held, "tables", "public.quick")["outcome"], "not begun", "{held}");
    assert!(held["notes"].to_string().contains("s behind, more than"), "{held}");
    there.sql("SELECT pg_wal_replay_resume()");
    let rest = tables(&answer(&db.url(), &["vacuum", "--max-lag", "30s"], 0), "tables");
    assert_eq!(rest.last().map(String::as_str), Some("public.quick"), "{rest:?}");
}
