//! `dbctl indexes`: one of each finding, nothing where nothing is wrong, remedies that run and undo themselves.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{Pooler, majors, private_server, standby};

const TABLES: &str = "
    CREATE TABLE owner (id int PRIMARY KEY);
    CREATE TABLE t (id int PRIMARY KEY, a int, b int, c text, owner int REFERENCES owner, covered int REFERENCES owner);
    CREATE INDEX plain ON t (a) WHERE b > 5 AND c IS NOT NULL;
    CREATE INDEX again ON t (a)   WHERE b > 5
        AND c IS NOT NULL;
    CREATE INDEX narrow ON t (b); CREATE INDEX wide ON t (b, c); CREATE INDEX backwards ON t (b DESC);
    CREATE INDEX lowered ON t (lower(c)); CREATE INDEX \"Lowered too\" ON t (lower(c));
    CREATE INDEX with_another ON t (covered, a);
    CREATE INDEX key_again ON t (id);
    CREATE TABLE tree (a int, b int) PARTITION BY RANGE (a);
    CREATE TABLE tree_1 PARTITION OF tree FOR VALUES FROM (0) TO (10); CREATE INDEX in_tree ON tree (b);
    INSERT INTO owner VALUES (1);
    INSERT INTO t SELECT g, g, g, 'x', 1, 1 FROM generate_series(1, 20000) AS g; ANALYZE";

fn found(answer: &Value) -> Vec<String> {
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let rows = answer["indexes_found"].as_array().unwrap();
    let mut all: Vec<String> = rows.iter().map(|row| format!("{} {}", word(row, "kind"), word(row, "index"))).collect();
    all.sort();
    all
}

#[test]
fn each_finding_is_told_with_sql_that_runs_and_what_undoes_it() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(TABLES);
        let doubles = ["duplicate", "redundant", "foreign-key", "invalid"];
        let answer = json(&db.url(), &[&["indexes"], &doubles[..]].concat());
        let expected = [
            "duplicate \"Lowered too\"",
            "duplicate again",
            "duplicate key_again",
            "foreign-key -",
            "redundant narrow",
        ];
        assert_eq!(found(&answer), expected, "{major}: {answer}");
        let rows = answer["indexes_found"].as_array().unwrap().clone();
        for row in &rows {
            db.sql(row["remedy"].as_str().unwrap());
        }
        assert_eq!(found(&json(&db.url(), &[&["indexes", "--exit-code"], &doubles[..]].concat())), [""; 0]);
        for undo in rows.iter().filter_map(|row| row["undo"].as_str()) {
            db.sql(undo);
        }
        let again = json(&db.url(), &["indexes", "duplicate", "redundant"]);
        assert_eq!(
            found(&again),
            expected.iter().filter(|one| !one.starts_with("foreign")).copied().collect::<Vec<_>>()
        );
        said(&db.url(), &["indexes", "duplicate", "--exit-code"]).expect_code(2);
        let one = json(&db.url(), &["indexes", "duplicate", "redundant", "--limit", "1"]);
        assert_eq!((found(&one).len(), &one["findings"]), (1, &4.into()), "{one}");
        assert!(one["notes"][0].as_str().unwrap().contains("3 more findings: --limit 0"), "{one}");
        assert_eq!(found(&json(&db.url(), &["indexes", "duplicate", "redundant", "--limit", "0"])).len(), 4);
    }
}

/// Remedies of what is invalid, each of which is run.
#[test]
fn a_name_that_nobody_has_is_no_good_news() {
    let db = Database::new();
    db.sql("CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY)");
    for (flag, name, told) in [
        ("--table", "nosuch", "there is no table nosuch"),
        ("--table", "public.t", "there is no table public.t"),
        ("--schema", "nosuch", "there is no schema nosuch"),
    ] {
        let refused = run(dbctl(&["indexes", flag, name]).env("DATABASE_URL", db.url())).expect_code(64);
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    for (flag, name) in [("--table", "t"), ("--table", "app.t"), ("--schema", "app"), ("--schema", "public")] {
        run(dbctl(&["indexes", flag, name]).env("DATABASE_URL", db.url())).expect_code(0);
    }
}

#[test]
fn what_is_invalid_is_told_unless_somebody_is_at_work_on_it() {
    for major in majors() {
        let db = Database::on(major);
        db.sql("CREATE TABLE \"Odd t\" (id int PRIMARY KEY, a int, \"B b\" text)");
        db.sql("INSERT INTO \"Odd t\" SELECT g, g / 2, 'x' FROM generate_series(1, 100) AS g");
        let invalid = || json(&db.url(), &["indexes", "invalid"]);
        // A writer whose transaction is open: builds wait for its end.
        let writer = db.session();
        writer.sql("BEGIN; INSERT INTO \"Odd t\" VALUES (0, 0, 'y')");
        let impatient = db.session();
        impatient.sql("SET lock_timeout = '200ms'");
        impatient.try_sql("REINDEX TABLE CONCURRENTLY \"Odd t\"").unwrap_err();
        let builder = db.session();
        let building = builder.start("CREATE UNIQUE INDEX CONCURRENTLY now ON \"Odd t\" (a, \"B b\")");
        let left = ["invalid \"Odd t_pkey_ccnew\"".to_owned(), "invalid pg_toast".to_owned()];
        let short = |answer: &Value| {
            let all = found(answer).into_iter().map(|one| one.split(".pg_toast").next().unwrap().to_owned());
            all.collect::<Vec<String>>()
        };
        eventually("the build has begun", || db.one("SELECT count(*) FROM pg_class WHERE relname = 'now'") == "1");
        assert_eq!(short(&invalid()), left, "it is being built");
        db.sql("DROP ROLE IF EXISTS index_reader; CREATE ROLE index_reader LOGIN");
        let answer = json(&db.url_as("index_reader"), &["indexes", "invalid"]);
        assert_eq!(short(&answer), left[1..], "which index of the table others build, this role may not see");
        writer.sql("COMMIT");
        building.wait().unwrap_err();
        let answer = invalid();
        assert_eq!(short(&answer), [&left[..1], &["invalid now".to_owned()], &left[1..]].concat());
        let rows = answer["indexes_found"].as_array().unwrap();
        let remedy = |name: &str| {
            let row = rows.iter().find(|row| row["index"].as_str().unwrap().contains(name)).unwrap();
            (row["remedy"].as_str().unwrap().to_owned(), row["undo"].clone(), row["table"].clone())
        };
        for name in ["_pkey_ccnew", "pg_toast."] {
            let (remedy, undo, table) = remedy(name);
            assert!(remedy.starts_with("DROP INDEX CONCURRENTLY ") && !undo.is_null(), "{remedy} {undo}");
            assert_eq!(table, "public.\"Odd t\"");
            db.sql(&remedy);
        }
        let (repeated, rebuild) = (remedy("now").0, "REINDEX INDEX CONCURRENTLY public.now;");
        assert!(repeated.ends_with(rebuild), "{repeated}");
        let select = repeated.lines().find_map(|line| line.strip_prefix("-- SELECT")).unwrap();
        assert_eq!(db.sql(&format!("SELECT{select}")).len(), 49, "{select}");
        db.sql("DELETE FROM \"Odd t\" WHERE id % 2 = 1; DELETE FROM \"Odd t\" WHERE id = 0");
        db.sql(&repeated);
        assert_eq!(found(&invalid()), [""; 0]);

        db.sql("CREATE TABLE tree (a int) PARTITION BY RANGE (a); CREATE TABLE leaf PARTITION OF tree DEFAULT");
        db.sql("CREATE INDEX whole ON ONLY tree (a); CREATE INDEX part ON leaf (a)");
        assert_eq!(found(&invalid()), [""; 0], "one is still to be attached");
        db.sql("ALTER INDEX whole ATTACH PARTITION part; UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'whole'::regclass");
        assert_eq!(found(&invalid()), ["invalid whole"]);
    }
}

#[test]
fn what_is_used_little_or_missed_is_told_with_its_numbers() {
    for major in majors() {
        let db = Database::on(major);
        db.sql("CREATE TABLE log (id int PRIMARY KEY, a int); CREATE INDEX few ON log (a)");
        db.sql("CREATE TABLE wide (a int); INSERT INTO wide SELECT generate_series(1, 10000); ANALYZE wide");
        db.sql("CREATE TABLE \"Tree\" (a int) PARTITION BY HASH (a)");
        db.sql("CREATE TABLE half_0 PARTITION OF \"Tree\" FOR VALUES WITH (MODULUS 2, REMAINDER 0)");
        db.sql("CREATE TABLE half_1 PARTITION OF \"Tree\" FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
        db.sql("INSERT INTO \"Tree\" SELECT generate_series(1, 12000); ANALYZE \"Tree\"");
        let busy = db.session();
        busy.sql("INSERT INTO log SELECT g, g FROM generate_series(1, 12000) AS g");
        busy.sql("SET enable_seqscan = off; SET enable_bitmapscan = off");
        for _ in 0..2 {
            busy.sql("SELECT FROM log WHERE a = 7");
        }
        busy.sql("RESET ALL");
        busy.sql("DO $$ BEGIN FOR i IN 1..120 LOOP PERFORM count(*) FROM wide; PERFORM count(*) FROM \"Tree\"; END LOOP; END $$");
        drop(busy);
        let args = ["indexes", "rarely-used", "missing", "unused", "--min-days", "0"];
        let mut answer = Value::Null;
        eventually("it is counted", || {
            answer = json(&db.url(), &args);
            found(&answer).len() == 3 && answer.to_string().contains("\"scans\":2,")
        });
        assert_eq!(found(&answer), ["missing -", "missing -", "rarely-used few"], "{answer}");
        let rows = answer["indexes_found"].as_array().unwrap();
        let few = rows.iter().find(|row| row["index"] == "few").unwrap();
        assert_eq!((&few["scans"], &few["writes"]), (&2.into(), &12_000.into()), "{few}");
        assert_eq!(few["last_scan"].is_string(), major >= 16, "{few}");
        assert_eq!(few["evidence"].as_str().unwrap().contains(", last "), major >= 16, "{few}");
        db.sql(few["remedy"].as_str().unwrap());
        for (table, scans, rows_in) in [("public.wide", 120, 10_000), ("public.\"Tree\"", 240, 12_000)] {
            let row = rows.iter().find(|row| row["table"] == table).unwrap();
            assert_eq!((&row["scans"], &row["rows"]), (&scans.into(), &rows_in.into()), "{row}");
            assert_eq!(row["rows_read"], rows_in * 120, "{row}");
            assert!(row["size_bytes"].as_i64().unwrap() >= 1 << 18, "{row}");
            assert!(row["evidence"].as_str().unwrap().starts_with("a hint, no verdict"), "{row}");
            db.sql(row["remedy"].as_str().unwrap());
        }
        assert_eq!(answer["reclaimable_bytes"], few["size_bytes"], "what is missing would free nothing");
    }
}

#[test]
fn foreign_keys_of_partitions_are_told_once_and_each_may_have_its_own_index() {
    for major in majors() {
        let db = Database::on(major);
        db.sql("CREATE TABLE owner (id int PRIMARY KEY); INSERT INTO owner VALUES (1)");
        db.sql("CREATE TABLE tree (a int, owner int REFERENCES owner) PARTITION BY RANGE (a)");
        db.sql("CREATE TABLE branch PARTITION OF tree FOR VALUES FROM (0) TO (5000) PARTITION BY RANGE (a)");
        db.sql("CREATE TABLE leaf PARTITION OF branch DEFAULT");
        // Its columns stand in another order.
        db.sql("CREATE TABLE other (owner int, a int); ALTER TABLE tree ATTACH PARTITION other DEFAULT");
        db.sql("INSERT INTO tree SELECT g, 1 FROM generate_series(0, 9999) AS g; ANALYZE tree");
        let keys = || json(&db.url(), &["indexes", "foreign-key", "unused", "--min-rows", "10000", "--min-days", "0"]);
        let answer = keys();
        assert_eq!(found(&answer), ["foreign-key -"], "{answer}");
        let told = &answer["indexes_found"][0];
        assert_eq!((&told["table"], &told["rows"]), (&"public.tree".into(), &10_000.into()), "{told}");
        db.sql("CREATE INDEX ON leaf (owner)");
        assert_eq!(found(&keys()), ["foreign-key -"]);
        db.sql("CREATE INDEX ON other (owner)");
        assert_eq!(found(&keys()), [""; 0]);
        db.sql("DROP INDEX leaf_owner_idx, other_owner_idx");
        db.sql(told["remedy"].as_str().unwrap());
        assert_eq!(found(&keys()), [""; 0]);
    }
}

#[test]
fn from_a_pool_with_few_rights_beside_locks_and_with_nothing_there() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    let bare = json(&db.url(), &["indexes", "--min-days", "0"]);
    assert_eq!((found(&bare).len(), &bare["indexes"]), (0, &0.into()));
    db.sql(TABLES);
    db.sql("CREATE ROLE nobody LOGIN");
    let all = ["indexes", "--min-days", "0", "--min-rows", "0"];
    let expected = found(&json(&db.url(), &all));
    assert!(expected.len() >= 7, "{expected:?}");
    assert_eq!(found(&json(&db.url_as("nobody"), &all)), expected);
    if let Some(pooler) = Pooler::start(&server, "transaction", &[]) {
        for _ in 0..3 {
            assert_eq!(found(&json(&pooler.url(db.name()), &all)), expected);
        }
    }
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; ALTER INDEX lowered RENAME TO lower");
    let answer = json(&db.url(), &all);
    assert_eq!(found(&answer), expected);
    let rows = answer["indexes_found"].as_array().unwrap();
    let undo = |index: &str| rows.iter().find(|row| row["index"] == index).unwrap()["undo"].clone();
    assert!(undo("\"Lowered too\"").is_null(), "to write it down waits for the lock");
    // One whose catalog is held is another matter: it says so, and does not wait.
    holder.sql("LOCK TABLE pg_catalog.pg_inherits IN ACCESS EXCLUSIVE MODE");
    let failed = said(&db.url(), &all).expect_code(3);
    assert!(failed.stderr.contains("cannot read indexes"), "{}", failed.stderr);
}

#[test]
fn unused_is_told_only_after_counting_and_only_where_no_replica_uses_it() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql(
        "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX used_there ON t (a); CREATE INDEX never ON t (id, a)",
    );
    db.sql("INSERT INTO t SELECT g, g FROM generate_series(1, 5000) AS g; ANALYZE t");
    let early = json(&db.url(), &["indexes", "unused"]);
    assert_eq!(found(&early), [""; 0]);
    assert!(early["notes"].to_string().contains("UNKNOWN"), "{early}");
    let unused = json(&db.url(), &["indexes", "unused", "--min-days", "0"]);
    assert_eq!(found(&unused), ["unused never", "unused used_there"], "{unused}");
    let replica = standby(&server);
    let noted = |answer: Value| answer["notes"].to_string();
    let there = replica.url(db.name());
    eventually("the standby answers", || replica.session(db.name()).is_ok());
    eventually("the standby streams", || {
        noted(json(&db.url(), &["indexes", "unused", "--min-days", "0"])).contains("1 streams from here")
    });
    let told_there = json(&there, &["indexes", "unused", "--min-days", "0"]);
    assert!(found(&told_there).is_empty() && noted(told_there.clone()).contains("ask its primary"), "{told_there}");
    let elsewhere = replica.url("postgres");
    said(&db.url(), &["indexes", "unused", "--replica", &elsewhere]).expect_code(64);
    let reader = replica.session(db.name()).unwrap();
    eventually("the standby has the table", || reader.try_sql("SELECT FROM t WHERE a = 7").is_ok());
    reader.sql("SET enable_seqscan = off; SET enable_bitmapscan = off");
    let told = || found(&json(&db.url(), &["indexes", "unused", "--min-days", "0", "--replica", &there]));
    eventually("the use is counted", || {
        reader.sql("SELECT id FROM t WHERE a = 7; SELECT pg_sleep(0.2)");
        told().len() == 1
    });
}
