//! A whole run through the built program: what it makes, what it leaves as it was.

use super::{Case, RAILS, month};
use crate::harness::{Database, majors, private_server};
use dbctl::pg::sandbox::Options;

/// What a statement that does nothing may not move.
fn marks(case: &Case) -> String {
    case.db.one("SELECT pg_current_wal_insert_lsn()::text")
}

#[test]
fn a_run_with_nothing_to_do_writes_nothing() {
    for major in majors() {
        let server = private_server(&Options { major: Some(major), ..Options::default() });
        let case = Case::with_months(Database::at(&server), "expire: drop");
        case.policy("  public.t: { key: at, every: month, ahead: 0 }\n");
        // A server does things by itself too: one quiet run of several is enough.
        let quiet = (0..10).any(|_| {
            let before = marks(&case);
            case.partitions(&["rotate"]).expect_code(0);
            marks(&case) == before
        });
        assert!(quiet, "{major}: every run wrote WAL");
        assert_eq!(case.db.one("SELECT to_regnamespace('dbctl') IS NULL"), "t");
        assert_eq!(case.count("t"), "6");
    }
}

#[test]
fn a_run_makes_and_lets_go_and_the_next_does_nothing() {
    for major in majors() {
        let case = Case::with_months(Database::on(major), &format!("expire: drop, {RAILS}"));
        let first = case.rotate().expect_code(0);
        assert!(first.stdout.contains("done"), "{}", first.stdout);
        let made = format!("t_{}", month(&case.db, 1)[..7].replace('-', "_"));
        assert_eq!(case.children("t"), format!("old_3 old_2 old_1 this {made}"));
        assert_eq!(case.left(), "public.old_5 drop dropped, public.old_4 drop dropped");
        assert_eq!(case.count("t"), "4");
        let runs = case.count("dbctl.run");
        case.partitions(&["rotate"]).expect_code(0);
        assert_eq!(case.count("dbctl.run"), runs);
        assert!(case.partitions(&["plan", "--exit-code"]).expect_code(0).stdout.contains("nothing to do"));
    }
}

#[test]
fn unarmed_nothing_leaves() {
    let case = Case::with_months(Database::new(), &format!("expire: drop, {RAILS}"));
    let ended = case.partitions(&["rotate"]).expect_code(4);
    assert!(ended.stderr.contains("--arm"), "{}", ended.stderr);
    assert_eq!(case.count("t"), "6");
    assert!(case.children("t").starts_with("old_5 old_4"));
}

#[test]
fn create_makes_and_drop_lets_go() {
    let case = Case::with_months(Database::new(), &format!("expire: drop, {RAILS}"));
    case.partitions(&["create"]).expect_code(0);
    assert_eq!(case.children("t").split(' ').count(), 7);
    case.partitions(&["drop"]).expect_code(4);
    case.partitions(&["drop", "--yes"]).expect_code(0);
    assert_eq!(case.children("t").split(' ').count(), 5);
    // Leave that was given for one run arms none after it.
    assert_eq!(case.count("dbctl.partition_policy"), "0");
}

/// Everything that a child has in common with its siblings, one fact a line, its name left out.
fn facts(case: &Case, child: &str) -> String {
    let oid = format!("'{child}'::regclass");
    let name = case.db.one(&format!("SELECT relname FROM pg_class WHERE oid = {oid}"));
    let queries = [
        format!(
            "SELECT 'column', attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, \
             attstorage, attcompression, attstattarget, attcollation, \
             (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum) \
             FROM pg_attribute WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped"
        ),
        format!(
            "SELECT 'constraint', contype, conislocal, coninhcount, convalidated, pg_get_constraintdef(oid) \
             FROM pg_constraint WHERE conrelid = {oid}"
        ),
        format!(
            "SELECT 'index', regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \\S+ ON', 'INDEX ON'), indisprimary, \
             indisunique, indisvalid, (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = indexrelid) \
             FROM pg_index WHERE indrelid = {oid}"
        ),
        format!(
            "SELECT 'trigger', tgname, tgenabled, tgtype, tgparentid <> 0 FROM pg_trigger WHERE tgrelid = {oid} AND NOT tgisinternal"
        ),
        format!("SELECT 'internal triggers', count(*) FROM pg_trigger WHERE tgrelid = {oid} AND tgisinternal"),
        format!(
            "SELECT 'table', relkind, relpersistence, reloptions, relam, reltablespace, reloftype FROM pg_class WHERE oid = {oid}"
        ),
        format!(
            "SELECT 'sequences', count(*) FROM pg_depend WHERE refobjid = {oid} AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')"
        ),
    ];
    let mut lines = Vec::new();
    for query in queries {
        for row in case.db.sql(&query) {
            let row: Vec<String> = row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect();
            lines.push(row.join(" | ").replace(&name, "CHILD"));
        }
    }
    lines.sort();
    lines.join("\n")
}

#[test]
fn a_new_partition_is_what_partition_of_makes() {
    for major in majors() {
        let case = Case::new(Database::on(major));
        case.db.sql(
            "CREATE TABLE other (id int PRIMARY KEY);
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TABLE t (
                 id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now(), word text COLLATE \"C\" DEFAULT 'x',
                 twice int GENERATED ALWAYS AS (size * 2) STORED, size int CHECK (size > 0), other int REFERENCES other,
                 gone int, PRIMARY KEY (id, at)
             ) PARTITION BY RANGE (at);
             ALTER TABLE t DROP COLUMN gone;
             ALTER TABLE t ALTER word SET STORAGE EXTERNAL;
             CREATE INDEX ON t (word) WHERE size > 3;
             CREATE UNIQUE INDEX ON t (lower(word), at);
             CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
             CREATE TABLE expected PARTITION OF t FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')",
        );
        case.policy("  public.t: { key: at, every: month, ahead: 0 }\n");
        case.partitions(&["create"]).expect_code(0);
        let made = format!("t_{}", month(&case.db, 0)[..7].replace('-', "_"));
        assert_eq!(facts(&case, &made), facts(&case, "expected"), "{major}");
        case.db.sql("INSERT INTO other VALUES (1); INSERT INTO t (size, other, word) VALUES (1, 1, 'a'), (2, 1, 'b')");
        assert_eq!(case.db.one("SELECT string_agg(id::text, ' ' ORDER BY id) FROM t"), "1 2");
    }
}

#[test]
fn a_new_partition_has_its_tables_owner_rights_and_properties() {
    for major in majors() {
        let case = Case::new(Database::on(major));
        let role = |what: &str| format!("{what} {}", case.db.name());
        let (owner, reader) = (role("owner"), role("Reader"));
        case.db.sql(&format!(
            "CREATE ROLE \"{owner}\"; CREATE ROLE \"{reader}\"; GRANT ALL ON SCHEMA public TO \"{owner}\";
             ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO \"{reader}\";
             CREATE TABLE t (id int NOT NULL, at timestamptz NOT NULL, secret text) PARTITION BY RANGE (at);
             CREATE UNIQUE INDEX key ON t (id, at);
             ALTER TABLE t REPLICA IDENTITY USING INDEX key;
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
             REVOKE ALL ON t FROM \"{reader}\";
             GRANT SELECT ON t TO \"{reader}\" WITH GRANT OPTION; GRANT UPDATE (secret) ON t TO \"{reader}\";
             GRANT INSERT ON t TO PUBLIC;
             CREATE TABLE sibling PARTITION OF t FOR VALUES FROM ('2001-01-01') TO ('2001-02-01') WITH (fillfactor = 70);
             ALTER TABLE t OWNER TO \"{owner}\""
        ));
        case.policy("  public.t: { key: at, every: month, ahead: 0 }\n");
        case.partitions(&["create"]).expect_code(0);
        let made = format!("t_{}", month(&case.db, 0)[..7].replace('-', "_"));
        let same = |sql: &str| {
            let of = |table: &str| case.db.sql(&sql.replace("$T", &format!("'{table}'::regclass")));
            assert_eq!(of(&made), of("t"), "{major}: {sql}");
        };
        same("SELECT relowner::regrole FROM pg_class WHERE oid = $T");
        same(
            "SELECT grantee, privilege_type, is_grantable FROM pg_class, aclexplode(relacl) WHERE oid = $T AND grantee <> relowner ORDER BY 1, 2",
        );
        same(
            "SELECT attname, grantee, privilege_type FROM pg_attribute, aclexplode(attacl) WHERE attrelid = $T ORDER BY 1, 2, 3",
        );
        same("SELECT relreplident, relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $T");
        assert_eq!(
            case.db.one(&format!("SELECT indisreplident FROM pg_index WHERE indrelid = '{made}'::regclass")),
            "t"
        );
        assert_eq!(
            case.db.one(&format!("SELECT reloptions FROM pg_class WHERE oid = '{made}'::regclass")),
            "{fillfactor=70}"
        );
        case.db.sql(&format!("DROP TABLE t; DROP OWNED BY \"{owner}\", \"{reader}\"; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM \"{reader}\"; DROP ROLE \"{owner}\", \"{reader}\""));
    }
}

#[test]
fn hostile_names() {
    for major in majors() {
        let case = Case::new(Database::on(major));
        let long = "ä".repeat(31);
        for (schema, table, key) in [
            ("Upper.Case", "a \"quoted\" 'table'", "the \"key\""),
            ("{parent}", "{partition}; --", "select"),
            ("$$", long.as_str(), long.as_str()),
            ("public", "line\nbreak", "$1"),
        ] {
            let q = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let name = format!("{}.{}", q(schema), q(table));
            case.db.sql(&format!(
                "CREATE SCHEMA IF NOT EXISTS {}; CREATE TABLE {name} ({} timestamptz NOT NULL) PARTITION BY RANGE ({1}); \
                 CREATE TABLE {}.{} PARTITION OF {name} FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')",
                q(schema),
                q(key),
                q(schema),
                q("Old's \"one\""),
            ));
            let yaml = |name: &str| serde_json::to_string(name).unwrap();
            case.policy(&format!(
                "  {}: {{ key: {}, every: month, ahead: 1, keep: 1 month, expire: drop, {RAILS} }}\n",
                yaml(&name),
                yaml(key)
            ));
            case.rotate().expect_code(0);
            let children = "SELECT count(*) FROM pg_inherits WHERE inhparent = ";
            assert_eq!(case.db.one(&format!("{children} $q${name}$q$::regclass")), "2", "{name}");
            case.partitions(&["rotate"]).expect_code(0);
            case.db.sql(&format!("DROP TABLE {name}"));
        }
    }
}

#[test]
fn a_name_that_is_taken_says_more() {
    let case = Case::new(Database::new());
    let taken = format!("t_{}", month(&case.db, 0)[..7].replace('-', "_"));
    case.db.sql(&format!(
        "CREATE TABLE t (at timestamptz NOT NULL) PARTITION BY RANGE (at); CREATE VIEW {taken} AS SELECT 1; CREATE TYPE {taken}_01_000000 AS (a int)"
    ));
    case.policy("  public.t: { key: at, every: month, ahead: 0 }\n");
    case.partitions(&["create"]).expect_code(0);
    assert_eq!(case.children("t"), format!("{taken}_01_000000_3"));
}

#[test]
fn replica_identity_and_tablespace_are_its_tables() {
    for major in majors().into_iter().filter(|major| *major >= 15) {
        let case = Case::new(Database::on(major));
        let space = format!("space_{}", case.db.name());
        let session = case.db.session();
        session.sql("SET allow_in_place_tablespaces = on");
        session.sql(&format!("CREATE TABLESPACE {space} LOCATION ''"));
        for (identity, letter) in [("FULL", "f"), ("NOTHING", "n"), ("DEFAULT", "d")] {
            case.db.sql(&format!(
                "CREATE TABLE t (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at) TABLESPACE {space}; \
                 ALTER TABLE t REPLICA IDENTITY {identity}"
            ));
            case.policy("  public.t: { key: at, every: month, ahead: 0 }\n");
            case.partitions(&["create"]).expect_code(0);
            let child = "FROM pg_class WHERE oid = (SELECT inhrelid FROM pg_inherits WHERE inhparent = 't'::regclass)";
            assert_eq!(case.db.one(&format!("SELECT relreplident {child}")), letter, "{major}");
            let place = format!("SELECT spcname FROM pg_tablespace WHERE oid = (SELECT reltablespace {child})");
            assert_eq!(case.db.one(&place), space, "{major}");
            case.db.sql("DROP TABLE t");
        }
        session.sql(&format!("DROP TABLESPACE {space}"));
    }
}
