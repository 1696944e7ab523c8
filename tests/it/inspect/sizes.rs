//! `dbctl sizes`: the same numbers as the server's own functions, partitions as one, growth, and no wait.

use super::*;
use crate::harness::{Pooler, majors, private_server, standby};
use dbctl::pg::sandbox::Options;

fn row<'a>(answer: &'a Value, table: &str) -> &'a Value {
    let rows = answer["sizes"].as_array().unwrap();
    rows.iter().find(|row| row["table"] == table).unwrap_or_else(|| panic!("{table} in {answer}"))
}

#[test]
fn sizes_are_those_of_the_server_partitions_are_one_and_growth_is_told() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(
            "CREATE TABLE plain (id int PRIMARY KEY, t text); CREATE INDEX ON plain (t);
             INSERT INTO plain SELECT g, repeat('x', 100) FROM generate_series(1, 5000) AS g;
             CREATE TABLE \"Odd \"\" name\" (a text); INSERT INTO \"Odd \"\" name\" SELECT string_agg(md5(g::text), '') FROM generate_series(1, 2000) AS g;
             CREATE TABLE tree (a int, b int) PARTITION BY RANGE (a); CREATE INDEX ON tree (b);
             CREATE TABLE tree_1 PARTITION OF tree FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (b);
             CREATE TABLE tree_1_1 PARTITION OF tree_1 FOR VALUES FROM (0) TO (1000);
             CREATE TABLE tree_2 PARTITION OF tree FOR VALUES FROM (10) TO (20);
             INSERT INTO tree SELECT g % 20, 5 FROM generate_series(1, 3000) AS g",
        );
        db.sql("VACUUM");
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        let answer = json(&db.url(), &["sizes", "--all", "--save", &path]);
        for table in ["plain", "\"Odd \"\" name\""] {
            let told = row(&answer, &format!("public.{table}"));
            let ours = |what: &str| db.one(&format!("SELECT {what}('{table}')")).parse::<i64>().unwrap();
            assert_eq!(told["total_bytes"], ours("pg_total_relation_size"), "{major} {table}");
            assert_eq!(told["index_bytes"], ours("pg_indexes_size"), "{major} {table}");
            let heap_and_toast = told["heap_bytes"].as_i64().unwrap() + told["toast_bytes"].as_i64().unwrap();
            assert_eq!(heap_and_toast, ours("pg_table_size"), "{major} {table}");
        }
        let tree = row(&answer, "public.tree");
        let sum = db.one("SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('tree')");
        assert_eq!(tree["total_bytes"], sum.parse::<i64>().unwrap());
        assert_eq!((tree["partitions"].as_i64(), tree["rows"].as_i64()), (Some(2), Some(3000)));
        assert_eq!(answer["database"], db.name());
        db.sql("INSERT INTO plain SELECT g, repeat('y', 500) FROM generate_series(5001, 9000) AS g; DROP TABLE tree");
        let answer = json(&db.url(), &["sizes", "--since", &path, "--sort", "growth", "--limit", "1"]);
        assert_eq!(answer["sizes"][0]["table"], "public.plain");
        assert!(answer["sizes"][0]["grown_bytes"].as_i64().unwrap() > 2_000_000, "{answer}");
        assert!(answer["notes"].to_string().contains("gone since then: public.tree"), "{answer}");
    }
}

#[test]
fn a_table_that_somebody_holds_is_shown_with_its_last_size_and_named() {
    let db = Database::new();
    db.sql("CREATE TABLE held (a int); INSERT INTO held SELECT generate_series(1, 10000)");
    db.sql("VACUUM held");
    db.sql("DROP ROLE IF EXISTS sizes_reader; CREATE ROLE sizes_reader LOGIN");
    // ANALYZE sees the rows, and not the long values beside them.
    db.sql("CREATE TABLE seen (a int, b text); INSERT INTO seen SELECT generate_series(1, 10000); ANALYZE seen");
    let plain = db.url_as("sizes_reader");
    let before = json(&plain, &["sizes"]);
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE");
    db.sql("CREATE TABLE never (a int); INSERT INTO never SELECT generate_series(1, 10000)");
    let second = db.session();
    second.sql("BEGIN; LOCK TABLE never IN ACCESS EXCLUSIVE MODE");
    let answer = json(&plain, &["sizes"]);
    let never = row(&answer, "public.never");
    assert_eq!(
        (&never["heap_bytes"], &never["total_bytes"], &never["estimated"]),
        (&Value::Null, &Value::Null, &true.into())
    );
    let text = said(&plain, &["sizes"]).expect_code(0).stdout;
    assert!(text.lines().any(|line| line.contains("public.never") && line.contains("UNKNOWN")), "{text}");
    assert_eq!(row(&answer, "public.held")["estimated"], true);
    let third = db.session();
    third.sql("BEGIN; LOCK TABLE seen IN ACCESS EXCLUSIVE MODE");
    // 0 is all.
    let all = json(&plain, &["sizes", "--limit", "0"]);
    let seen = row(&all, "public.seen");
    assert!(seen["heap_bytes"].as_i64() > Some(300_000) && seen["toast_bytes"].is_null(), "{seen}");
    assert!(seen["total_bytes"].is_null(), "{seen}");
    third.rollback();
    let heap = |answer: &Value| row(answer, "public.held")["heap_bytes"].as_i64().unwrap();
    assert!(heap(&answer) > 300_000 && heap(&answer) <= heap(&before), "{answer}");
    assert!(answer["notes"].to_string().contains("public.held, public.never exclusively"), "{answer}");
    // Who may look at files waits for nobody and knows.
    let sees = json(&db.url(), &["sizes"]);
    for table in ["public.held", "public.never"] {
        assert_eq!(row(&sees, table)["estimated"], false, "{sees}");
        assert!(row(&sees, table)["total_bytes"].as_i64() > Some(300_000), "{sees}");
    }
    assert_eq!(heap(&sees), heap(&before));
    holder.rollback();
}

#[test]
fn growth_since_the_last_time_sums_of_schemas_and_partitions_one_by_one() {
    let db = Database::new();
    let home = tempfile::tempdir().unwrap();
    let asked = |args: &[&str]| -> Value {
        let mut command = dbctl(&["sizes", "--format", "json"]);
        let ended = run(command.args(args).env("DATABASE_URL", db.url()).env("XDG_STATE_HOME", home.path()));
        serde_json::from_str(&ended.expect_code(0).stdout).unwrap()
    };
    db.sql(
        "CREATE SCHEMA \"Odd\"; CREATE TABLE \"Odd\".a (t text); CREATE TABLE tree (a int) PARTITION BY RANGE (a);
         CREATE TABLE tree_1 PARTITION OF tree FOR VALUES FROM (0) TO (10); INSERT INTO tree SELECT 5 FROM generate_series(1, 1000);
         CREATE TABLE tree_2 PARTITION OF tree FOR VALUES FROM (10) TO (20)",
    );
    let first = asked(&["--since", "last"]);
    assert!(first["notes"].to_string().contains("nothing was kept before"), "{first}");
    db.sql("INSERT INTO \"Odd\".a SELECT repeat('x', 1000) FROM generate_series(1, 1000); INSERT INTO tree SELECT 15 FROM generate_series(1, 9000)");
    let then = asked(&["--since", "last", "--sort", "growth"]);
    assert_eq!(then["sizes"][0]["table"], "\"Odd\".a");
    let schemas = then["schemas"].as_array().unwrap();
    let sums: Vec<(&str, bool)> = schemas
        .iter()
        .map(|one| (one["schema"].as_str().unwrap(), one["grown_bytes"].as_i64().unwrap() > 300_000))
        .collect();
    assert_eq!(sums, [("Odd", true), ("public", true)]);
    // Kept anew by the second time; a save alone is enough for the next.
    assert_eq!(asked(&["--since", "last", "--sort", "growth"])["sizes"][0]["grown_bytes"], 0);
    asked(&["--save"]);
    db.sql("INSERT INTO tree SELECT 15 FROM generate_series(1, 9000)");
    let parts = asked(&["--since", "last", "--partitions"]);
    let grown = |name: &str| row(&parts, name)["grown_bytes"].as_i64().unwrap();
    assert!(grown("public.tree_2") > 200_000 && grown("public.tree_1") == 0, "{parts}");
    assert!(parts["sizes"].as_array().unwrap().iter().all(|row| row["table"] != "public.tree"), "{parts}");
}

#[test]
fn a_plain_role_a_standby_and_a_pool_of_transactions_see_the_same() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE ROLE plain LOGIN; CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000)");
    let replica = standby(&server);
    let here = json(&db.url(), &["sizes", "--all"]);
    assert_eq!(json(&db.url_as("plain"), &["sizes", "--all"])["sizes"], here["sizes"]);
    eventually("the standby has it", || {
        replica.session(db.name()).is_ok_and(|there| there.try_sql("SELECT a FROM t LIMIT 1").is_ok())
    });
    // A standby has neither the free space map nor the visibility map of what was never vacuumed.
    let there = json(&replica.url(db.name()), &["sizes", "--all"]);
    assert_eq!(row(&there, "public.t")["rows"], row(&here, "public.t")["rows"]);
    assert!(row(&there, "public.t")["heap_bytes"].as_i64().unwrap() >= 40_960, "{there}");
    if let Some(pooler) = Pooler::start(&server, "transaction", &[]) {
        assert_eq!(json(&pooler.url(db.name()), &["sizes", "--all"])["sizes"], here["sizes"]);
    }
}

#[test]
fn files_and_flags_that_are_wrong_are_told() {
    let db = Database::new();
    let empty = json(&db.url(), &["sizes"]);
    assert_eq!((empty["tables"].as_i64(), empty["sizes"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let told = said(&db.url(), &["sizes", "--sort", "growth"]).expect_code(64).stderr;
    assert!(told.contains("--save FILE"), "{told}");
    let told = said(&db.url(), &["sizes", "--since", "/etc/hosts"]).expect_code(65).stderr;
    assert!(told.contains("no file of 'dbctl sizes --save'"), "{told}");
}
