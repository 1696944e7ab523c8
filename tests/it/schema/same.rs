//! What does not change a schema changes nothing in its snapshot: work on rows, changes taken back,
//! a dump restored, another major.

use std::process::Command;

use dbctl::pg::sandbox::Sandbox;
use dbctl::schema::Kind;

use super::{Place, capture, differences};
use crate::harness::{Database, dbctl, majors, run, server};

#[rustfmt::skip]
const NOTHING: &[&str] = &[
    "INSERT INTO app.customers (name) SELECT 'n' || g FROM generate_series(1, 100) AS g",
    "UPDATE app.customers SET note = name",
    "DELETE FROM app.customers WHERE id < 50",
    "VACUUM (FULL, ANALYZE) app.customers",
    "ANALYZE",
    "REINDEX TABLE app.customers",
    "REINDEX INDEX CONCURRENTLY app.customers_name_idx",
    "TRUNCATE app.orders",
    "SELECT nextval('app.numbers'), setval('app.aged', 77)",
    "ALTER SEQUENCE app.numbers RESTART",
    "ALTER TABLE app.customers ALTER id RESTART WITH 1000",
    "REFRESH MATERIALIZED VIEW app.totals",
    "CREATE TEMPORARY TABLE passing (id integer)",
    "ALTER TABLE app.customers ADD COLUMN passing integer; ALTER TABLE app.customers DROP COLUMN passing",
    "ALTER TABLE app.customers RENAME COLUMN code TO passing; ALTER TABLE app.customers RENAME COLUMN passing TO code",
    "ALTER TABLE app.customers RENAME TO passing; ALTER TABLE app.passing RENAME TO customers",
    "ALTER TABLE app.customers DROP COLUMN code; ALTER TABLE app.customers ADD COLUMN code varchar(20)",
    "DROP INDEX app.customers_name_idx; CREATE INDEX customers_name_idx ON app.customers USING btree (name ASC)",
    "ALTER TABLE app.customers DROP CONSTRAINT positive; ALTER TABLE app.customers ADD CONSTRAINT positive CHECK (balance >= 0)",
    "ALTER TABLE app.events DETACH PARTITION app.events_2026_01; ALTER TABLE app.events ATTACH PARTITION app.events_2026_01 FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "DROP TABLE app.events_2026_02; CREATE TABLE app.events_2026_02 PARTITION OF app.events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "DROP TABLE app.events_2026_02; CREATE TABLE app.events_2026_02 (LIKE app.events INCLUDING ALL); ALTER TABLE app.events ATTACH PARTITION app.events_2026_02 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "CREATE OR REPLACE FUNCTION app.total(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql STABLE AS 'SELECT a + b'",
    "CREATE OR REPLACE VIEW app.rich AS SELECT c.id, c.name FROM app.customers AS c WHERE c.balance > 100; CREATE OR REPLACE VIEW app.rich AS SELECT id, name FROM app.customers WHERE balance > 100",
    "GRANT INSERT ON app.customers TO ROLE_B; REVOKE INSERT ON app.customers FROM ROLE_B",
    "GRANT ALL ON app.parent TO postgres; GRANT EXECUTE ON FUNCTION app.touch() TO PUBLIC",
    "REVOKE ALL ON app.parent FROM PUBLIC",
    "COMMENT ON TABLE app.customers IS 'who buys'",
    "ALTER TABLE app.orders SET (fillfactor = 80); ALTER TABLE app.orders RESET (fillfactor)",
    "ALTER TABLE app.orders ALTER customer SET STATISTICS 100; ALTER TABLE app.orders ALTER customer SET STATISTICS -1",
    "ALTER TABLE app.customers DISABLE TRIGGER touch; ALTER TABLE app.customers ENABLE TRIGGER touch",
    "ALTER TABLE app.parent SET UNLOGGED; ALTER TABLE app.parent SET LOGGED",
    "ALTER DATABASE THIS SET jit = off; ALTER DATABASE THIS RESET jit",
];

#[test]
fn what_leaves_the_schema_as_it_was_leaves_no_line() {
    assert!(NOTHING.len() >= 20);
    for major in majors() {
        let place = Place::filled(major);
        let before = place.capture();
        let mut told = Vec::new();
        for sql in NOTHING {
            place.run(sql);
            let lines = differences(&before, &place.capture());
            told.extend(lines.into_iter().map(|line| format!("{sql}\n   {line}")));
        }
        assert!(told.is_empty(), "on {major}:\n{}", told.join("\n"));
    }
}

#[test]
fn a_dump_restored_is_the_same_schema_on_every_major_from_its_own_to_the_newest() {
    let newest = majors().into_iter().max().unwrap();
    for major in majors() {
        let place = Place::filled(major);
        let whole = place.capture();
        for onto in [major, newest] {
            let there = server(onto);
            let copy = Database::on(onto);
            // Where roles are missing, a restore complains; they are the cluster's, not the database's.
            for role in &place.roles {
                let _ = copy.try_sql(&format!("CREATE ROLE {role}"));
            }
            dump_and_restore(there, &place.db, &copy);
            let mut lines = differences(&whole, &capture(&copy.url()));
            // What is set for the database itself is not in its dump.
            lines.retain(|line| !line.contains("database:this") && !line.contains("role_setting:"));
            assert!(lines.is_empty(), "from {major} to {onto}:\n{}", lines.join("\n"));
            for role in &place.roles {
                let _ = copy.try_sql(&format!("DROP OWNED BY {role}"));
                if onto != major {
                    copy.sql(&format!("DROP ROLE {role}"));
                }
            }
        }
    }
}

#[test]
fn the_five_systems_dumped_and_restored_are_the_same() {
    let newest = majors().into_iter().max().unwrap();
    for system in dbctl::migrate::embedded::SYSTEMS {
        let (db, copy) = (Database::on(newest), Database::on(newest));
        let mut up = dbctl(&["migrate", "up", "--system", system.name]);
        if system.name == "recruitment" {
            up.args(["--without", "vector"]);
        }
        run(up.env("DATABASE_URL", db.url())).expect_code(0);
        dump_and_restore(server(newest), &db, &copy);
        let lines = differences(&capture(&db.url()), &capture(&copy.url()));
        assert!(lines.is_empty(), "{}:\n{}", system.name, lines.join("\n"));
    }
}

fn dump_and_restore(programs: &Sandbox, from: &Database, to: &Database) {
    let run = |program: &str, arguments: &[&str]| {
        let done = Command::new(programs.program(program)).args(arguments).output().unwrap();
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let script = String::from_utf8(run("pg_dump", &["--schema-only", "-d", &from.url()])).unwrap();
    std::fs::write(file.path(), without_versions(&script)).unwrap();
    let script = file.path().to_str().unwrap();
    run("psql", &["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &to.url(), "-f", script]);
}

#[test]
fn a_role_without_any_right_reads_the_same_and_hidden_options_are_told() {
    let place = Place::filled(*majors().iter().max().unwrap());
    let [role, _] = &place.roles;
    place.run("ALTER ROLE ROLE_A LOGIN");
    place.run("REVOKE ALL ON SCHEMA app FROM PUBLIC");
    let all = place.capture();
    let seen = capture(&place.db.url_as(role));
    let lines = differences(&all, &seen);
    // Its own mapping it sees.
    assert!(lines.iter().all(|line| line.contains("user_mapping")), "{lines:?}");
    assert!(all.origin.unreadable.is_empty());
    place.run("CREATE USER MAPPING FOR ROLE_B SERVER far OPTIONS (user 'them')");
    let seen = capture(&place.db.url_as(role));
    assert!(seen.origin.unreadable.iter().any(|part| part.contains("user mapping")), "{:?}", seen.origin);
}

#[test]
fn how_a_session_prints_is_not_the_schema() {
    let place = Place::filled(*majors().iter().max().unwrap());
    place.run("CREATE TABLE app.odd (a interval DEFAULT '1 day 2 hours', b bytea DEFAULT '\\\\x01')");
    let before = place.capture();
    for setting in ["quote_all_identifiers = on", "IntervalStyle = iso_8601", "bytea_output = escape"] {
        place.run(&format!("ALTER DATABASE THIS SET {setting}"));
        let mut lines = differences(&before, &place.capture());
        lines.retain(|line| line != "changed database:this#settings");
        assert!(lines.is_empty(), "{setting}: {lines:?}");
    }
}

#[test]
fn no_secret_of_a_server_or_mapping_is_in_a_snapshot() {
    let place = Place::filled(*majors().iter().max().unwrap());
    place.run("ALTER DATABASE THIS SET app.jwt_secret = 'hidden-secret'");
    place.run("ALTER FOREIGN TABLE app.remote_orders OPTIONS (ADD passwd 'hidden-secret')");
    let text = dbctl::schema::file::text(&place.capture(), false).unwrap();
    assert!(text.contains("password=****") && !text.contains("hidden-secret"), "{text}");
    let kinds = place.capture().objects.iter().map(|object| object.id.kind).collect::<std::collections::BTreeSet<_>>();
    assert!(kinds.len() >= 38, "the fixture has {} kinds of {}: {kinds:?}", kinds.len(), Kind::ALL.len());
}

/// A pg_dump that is older than a minor release of November 2026 writes that server's versions of columns as if somebody
/// had set them, which no other server takes.
fn without_versions(script: &str) -> String {
    let mut kept = String::new();
    for line in script.split_inclusive('\n') {
        match line.split_once("SET (pg_attver=").map(|(before, after)| (before, after.split_once(", "))) {
            None => kept.push_str(line),
            Some((before, Some((_, others)))) => kept.push_str(&format!("{before}SET ({others}")),
            Some((_, None)) => {}
        }
    }
    kept
}
