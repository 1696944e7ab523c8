//! `dbctl indexes`: one of each finding, nothing where nothing is wrong, remedies that run and undo themselves.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{majors, private_server, standby};

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
        // Two keys of one value: the build fails and leaves what is invalid.
        db.sql("INSERT INTO t SELECT 20001, 1, 1, 'x', 1, 1");
        let _ = db.try_sql("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)");
        assert_eq!(found(&json(&db.url(), &["indexes", "invalid"])), ["invalid broken"]);
    }
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
    let there = replica.url(db.name());
    eventually("the standby answers", || replica.session(db.name()).is_ok());
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
