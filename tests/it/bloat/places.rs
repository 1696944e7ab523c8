//! What misleads the catalog, and roles, locks, standbys, poolers, names and partitions.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{Pooler, eventually, private_server, standby};

const EVERYTHING: [&str; 4] = ["--min-size", "0", "--limit", "0"];

/// The errors of an answer about these tables, in points; what was left is measured by writing them anew.
fn percent(answer: &Value, table: &str) -> Option<f64> {
    row(answer, &format!("public.{table}"))["reclaimable_percent"].as_f64()
}

fn confidence<'a>(answer: &'a Value, table: &str) -> &'a str {
    row(answer, &format!("public.{table}"))["confidence"].as_str().unwrap()
}

#[test]
fn what_misleads_the_catalog_is_marked_and_measured() {
    let server = private_server(&Options { settings: vec![("autovacuum".into(), "off".into())], ..Options::default() });
    let db = Database::at(&server);
    let rows = "SELECT g, md5(g::text) FROM generate_series(1, 20000) AS g";
    for table in ["deleted", "updated", "wider", "flushed", "filled"] {
        let with = if table == "filled" { "WITH (fillfactor = 50)" } else { "" };
        db.sql(&format!("CREATE TABLE {table} (id int, t text) {with}; INSERT INTO {table} {rows}"));
        db.sql(&format!("VACUUM ANALYZE {table}"));
    }
    db.sql(&format!("CREATE TABLE never (id int, t text); INSERT INTO never {rows}"));
    db.sql("CREATE TABLE added (id int); INSERT INTO added SELECT generate_series(1, 40000)");
    db.sql("ALTER TABLE added ADD COLUMN t text NOT NULL DEFAULT repeat('d', 80)");
    db.sql("VACUUM ANALYZE added");
    // What a session did is counted when it ends.
    let apart = |sql: &str| drop(db.session().sql(sql));
    apart("DELETE FROM deleted WHERE id % 2 = 0; UPDATE updated SET id = id + 1");
    apart("INSERT INTO wider SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 20000) AS g");
    let one = db.session();
    one.sql("DELETE FROM flushed WHERE id % 2 = 0");
    one.sql("VACUUM flushed");
    drop(one);
    for round in 0..3 {
        apart(&format!("UPDATE filled SET id = id + 1 WHERE id % 3 = {round}"));
    }
    apart("DELETE FROM filled WHERE id % 5 < 2");
    db.sql("VACUUM ANALYZE filled");
    let others =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    eventually("everything is counted", || db.one(others) == "0");
    let fast = json(&db.url(), &[&EVERYTHING[..], &["--mode", "fast"]].concat());
    let without = json(&db.url(), &EVERYTHING);
    assert!(without["notes"].to_string().contains("CREATE EXTENSION pgstattuple"), "{without}");
    db.sql("CREATE SCHEMA \"Ext Odd\"; CREATE EXTENSION pgstattuple SCHEMA \"Ext Odd\"");
    let auto = json(&db.url(), &EVERYTHING);
    let exact = json(&db.url(), &[&EVERYTHING[..], &["--exact"]].concat());
    let late = json(&db.url(), &[&EVERYTHING[..], &["--exact", "--budget", "0s"]].concat());
    assert!(late["notes"].to_string().contains("no time was left"), "{late}");
    assert!(
        exact["measured"].as_i64().unwrap() >= 7 && auto["measured"].as_i64() < exact["measured"].as_i64(),
        "{auto}"
    );
    let size = |table: &str| db.one(&format!("SELECT pg_relation_size('{table}')")).parse::<f64>().unwrap();
    for table in ["deleted", "updated", "wider", "flushed", "filled", "never"] {
        let before = size(table);
        db.sql(&format!("VACUUM FULL {table}"));
        let is = 100.0 * (before - size(table)) / before;
        let near = |answer: &Value, points: f64| percent(answer, table).is_some_and(|told| (told - is).abs() <= points);
        assert!(
            near(&fast, 5.0) || confidence(&fast, table) == "low",
            "{table} is {is}: {}",
            row(&fast, &format!("public.{table}"))
        );
        assert!(near(&auto, 10.0), "{table} is {is}: {}", row(&auto, &format!("public.{table}")));
        assert!(near(&exact, 2.0), "{table} is {is}: {}", row(&exact, &format!("public.{table}")));
    }
    for answer in [&fast, &auto, &exact] {
        let added = row(answer, "public.added");
        assert_eq!(
            (&added["grows"], &added["reclaimable_bytes"], &added["remedy"]),
            (&true.into(), &0.into(), &Value::Null),
            "{added}"
        );
        assert!(answer["notes"].to_string().contains("would make it LARGER"), "{answer}");
    }
}

#[test]
fn roles_locks_poolers_and_standbys() {
    let server = private_server(&Options { settings: vec![("autovacuum".into(), "off".into())], ..Options::default() });
    let db = Database::at(&server);
    db.sql(
        "CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher; CREATE ROLE nobody_much LOGIN;
         CREATE TABLE texts (id int PRIMARY KEY, t text); INSERT INTO texts SELECT g, md5(g::text) FROM generate_series(1, 20000) AS g;
         CREATE TABLE numbers (a int NOT NULL); INSERT INTO numbers SELECT generate_series(1, 20000);
         DELETE FROM texts WHERE id % 2 = 0; DELETE FROM numbers WHERE a % 2 = 0",
    );
    db.sql("VACUUM ANALYZE");
    let here = json(&db.url(), &EVERYTHING);
    assert!(percent(&here, "texts").is_some_and(|told| (told - 50.0).abs() < 2.0), "{here}");
    // Without statistics of columns: what is always as wide is told, the rest is not, and nothing is made up.
    for role in ["watcher", "nobody_much"] {
        let blind = json(&db.url_as(role), &EVERYTHING);
        assert_eq!((percent(&blind, "texts"), confidence(&blind, "texts")), (None, "low"), "{role} {blind}");
        assert!(percent(&blind, "numbers").is_some_and(|told| (told - 50.0).abs() < 2.0), "{role} {blind}");
        assert!(blind["notes"].to_string().contains("pg_stats shows this role no statistics"), "{role} {blind}");
    }
    db.sql("CREATE EXTENSION pgstattuple");
    let measured = json(&db.url_as("watcher"), &EVERYTHING);
    assert!(percent(&measured, "texts").is_some_and(|told| (told - 50.0).abs() < 3.0), "{measured}");
    assert_eq!(row(&measured, "public.texts")["method"], "pgstattuple_approx");
    let refused = json(&db.url_as("nobody_much"), &EVERYTHING);
    assert!(refused["notes"].to_string().contains("permission denied"), "{refused}");

    if let Some(pooler) = Pooler::start(&server, "transaction", &[]) {
        let pooled = json(&pooler.url(db.name()), &[&EVERYTHING[..], &["--mode", "fast"]].concat());
        assert_eq!(pooled["bloat"].as_array().map(Vec::len), here["bloat"].as_array().map(Vec::len));
    }
    let replica = standby(&server);
    eventually("the standby has it", || {
        replica.session(db.name()).is_ok_and(|there| there.try_sql("SELECT FROM numbers, texts LIMIT 1").is_ok())
    });
    let there = json(&replica.url(db.name()), &[&EVERYTHING[..], &["--mode", "fast"]].concat());
    assert_eq!((percent(&there, "texts"), confidence(&there, "texts")), (percent(&here, "texts"), "medium"), "{there}");

    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE texts IN ACCESS EXCLUSIVE MODE");
    let held = json(&db.url(), &EVERYTHING);
    let texts = row(&held, "public.texts");
    assert_eq!((&texts["confidence"], &texts["method"]), (&"low".into(), &"layout".into()), "{texts}");
    assert!(texts["reasons"].to_string().contains("somebody holds it"), "{texts}");
    holder.rollback();
}

#[test]
fn odd_names_partitions_empty_databases_and_what_no_model_knows() {
    let server = private_server(&Options { settings: vec![("autovacuum".into(), "off".into())], ..Options::default() });
    let db = Database::at(&server);
    let empty = said(&db.url(), &[]).expect_code(0).stdout;
    assert!(empty.contains("Nothing is that large: see --min-size."), "{empty}");
    db.sql(
        "CREATE SCHEMA \"Odd\"; CREATE TABLE \"Odd\".\"A \"\" b\" (id int PRIMARY KEY, t text);
         INSERT INTO \"Odd\".\"A \"\" b\" SELECT g, repeat(md5(g::text), 3) FROM generate_series(1, 20000) AS g;
         DELETE FROM \"Odd\".\"A \"\" b\" WHERE id % 10 > 0;
         CREATE TABLE tree (a int, b int) PARTITION BY RANGE (a);
         CREATE TABLE tree_1 PARTITION OF tree FOR VALUES FROM (0) TO (10000) PARTITION BY RANGE (b);
         CREATE TABLE tree_1_1 PARTITION OF tree_1 FOR VALUES FROM (0) TO (10);
         CREATE TABLE tree_2 PARTITION OF tree FOR VALUES FROM (10000) TO (20000);
         INSERT INTO tree SELECT g, 5 FROM generate_series(0, 19999) AS g; DELETE FROM tree WHERE a < 9000;
         CREATE TABLE long (id int, t text); ALTER TABLE long ALTER t SET STORAGE EXTERNAL;
         INSERT INTO long SELECT g, repeat(md5(g::text), 249) FROM generate_series(1, 300) AS g; DELETE FROM long WHERE id % 2 = 0;
         CREATE TABLE words (id int, w text[]); INSERT INTO words SELECT g, ARRAY[md5(g::text), 'x' || g % 100] FROM generate_series(1, 5000) AS g;
         CREATE INDEX words_gin ON words USING gin (w); CREATE INDEX words_hash ON words USING hash (id);
         CREATE INDEX words_brin ON words USING brin (id)",
    );
    // A session tells what it counted once a second: what was deleted is to be counted before it is vacuumed.
    db.sql("SELECT pg_sleep(1.2)");
    db.sql("VACUUM ANALYZE");
    let home = tempfile::tempdir().unwrap();
    let ask = || -> Value {
        let mut command = dbctl(&["bloat", "--min-size", "0", "--limit", "0", "--format", "json"]);
        let ended = run(command.env("DATABASE_URL", db.url()).env("XDG_STATE_HOME", home.path()));
        serde_json::from_str(&ended.expect_code(0).stdout).unwrap()
    };
    let answer = ask();
    let odd = row(&answer, "\"Odd\".\"A \"\" b\"");
    assert_eq!(odd["remedy"], "VACUUM (FULL, ANALYZE) \"Odd\".\"A \"\" b\"", "{odd}");
    let index = row(&answer, "\"Odd\".\"A \"\" b_pkey\"");
    assert_eq!(index["remedy"], "REINDEX INDEX CONCURRENTLY \"Odd\".\"A \"\" b_pkey\"");
    assert_eq!(odd["command"], "dbctl vacuum --full --table '\"Odd\".\"A \"\" b\"'");
    assert_eq!(index["command"], "dbctl reindex --index '\"Odd\".\"A \"\" b_pkey\"'");
    db.sql(index["remedy"].as_str().unwrap());
    db.sql(odd["remedy"].as_str().unwrap());
    let tree = &answer["partitioned"][0];
    assert_eq!(
        (&tree["partitioned_table"], &tree["parts"], &tree["worst"]),
        (&"public.tree".into(), &2.into(), &"public.tree_1_1".into())
    );
    let part = |name: &str| row(&answer, name)["reclaimable_bytes"].as_i64().unwrap();
    assert_eq!(tree["reclaimable_bytes"], part("public.tree_1_1") + part("public.tree_2"));
    for index in ["words_gin", "words_hash"] {
        let told = row(&answer, &format!("public.{index}"));
        assert_eq!((&told["reclaimable_bytes"], &told["method"]), (&Value::Null, &"unknown".into()), "{told}");
    }
    let toast = db.one("SELECT reltoastrelid::regclass FROM pg_class WHERE relname = 'long'");
    let told = row(&answer, &toast);
    assert!(told["reclaimable_percent"].as_f64().is_some_and(|percent| (percent - 50.0).abs() < 10.0), "{told}");
    assert_eq!(
        (&told["type"], &told["remedy"]),
        (&"toast".into(), &"VACUUM (FULL, ANALYZE) public.long".into()),
        "{told}"
    );
    // Known from then on: built anew it is as good as it gets, and grown it is told by that.
    db.sql("REINDEX INDEX words_gin");
    let built = ask();
    let told = row(&built, "public.words_gin");
    assert_eq!(
        (&told["method"], &told["confidence"], &told["reclaimable_bytes"]),
        (&"baseline".into(), &"medium".into(), &0.into()),
        "{told}"
    );
    db.sql("DELETE FROM words WHERE id % 2 = 0");
    db.sql("VACUUM ANALYZE words");
    let grown = ask();
    let told = row(&grown, "public.words_gin");
    assert!(told["reclaimable_percent"].as_f64().is_some_and(|percent| (percent - 50.0).abs() < 5.0), "{told}");
    let text = said(&db.url(), &["--min-size", "0", "--sort", "percent"]).expect_code(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(
        text.contains("dbctl reindex --index ") || text.contains("dbctl vacuum --full --table public.tree_1_1"),
        "{text}"
    );
    assert!(text.contains("lock: ACCESS EXCLUSIVE") && text.contains("more: --limit 0 shows them"), "{text}");
    for wrong in [&["--min-size", "1 parsec"][..], &["--exact", "--mode", "fast"]] {
        said(&db.url(), wrong).expect_code(64);
    }
}
