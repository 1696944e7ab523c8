//! Ten thousand tables: every look is whole, and none runs out of its time.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::private_server;

const TABLES: i64 = 10_000;

#[test]
fn ten_thousand_tables_are_looked_at_whole() {
    let settings = vec![("max_locks_per_transaction".to_owned(), "1024".to_owned())];
    let server = private_server(&Options { settings, ..Options::default() });
    let db = Database::at(&server);
    db.sql(
        "DO $$ BEGIN FOR i IN 1..10000 LOOP
            EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int)', i);
         END LOOP; END $$",
    );
    db.sql("INSERT INTO t7 SELECT g, g FROM generate_series(1, 1000) AS g; ANALYZE t7");
    db.sql("CREATE INDEX twin ON t7 (id); CREATE SEQUENCE near_its_end; SELECT setval('near_its_end', 9e18::bigint)");
    let (holder, _all) = {
        let holder = db.session();
        holder.sql("BEGIN; LOCK TABLE t9 IN ACCESS EXCLUSIVE MODE");
        (holder, waiters(&db, 1, |_| "SELECT FROM t9".to_owned()))
    };

    let indexes = json(&db.url(), &["indexes", "duplicate", "unused", "--min-days", "0"]);
    assert_eq!(indexes["indexes"], TABLES + 1, "{:#}", indexes["notes"]);
    assert_eq!(indexes["indexes_found"][0]["index"], "twin");

    let sizes = json(&db.url(), &["sizes", "--all"]);
    let rows = sizes["sizes"].as_array().unwrap();
    assert!(rows.iter().filter(|row| row["table"].as_str().unwrap().starts_with("public.t")).count() as i64 >= TABLES);
    let few = said(&db.url(), &["sizes"]).expect_code(0).stdout;
    assert!(few.lines().count() < 60 && few.contains("more tables: --all shows them"), "{few}");

    assert_eq!(roots(&json(&db.url(), &["locks"])), [i64::from(holder.pid())]);
    assert!(!json(&db.url(), &["activity"])["states"].as_array().unwrap().is_empty());
    let health = json(&db.url(), &["health"]);
    assert!(!health.to_string().contains("it took longer"), "{health:#}");

    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("check.json");
    let check = || said(&db.url(), &["check", "--state", state.to_str().unwrap(), "--format", "json"]);
    check();
    let answer: Value = serde_json::from_str(&check().stdout).unwrap();
    for row in answer["checks"].as_array().unwrap() {
        let (id, level) = (row["check"].as_str().unwrap(), row["level"].as_str().unwrap());
        match id {
            "sequences" => assert_eq!(level, "CRIT", "{row}"),
            "duplicate_index" => assert_eq!(level, "WARN", "{row}"),
            _ => assert!(!row["message"].as_str().unwrap().contains("longer"), "{row}"),
        }
    }
    let text = said(&db.url(), &["check", "--format", "prometheus", "--state", state.to_str().unwrap()]).stdout;
    assert!(text.lines().filter(|line| !line.starts_with('#')).count() <= 2_000);
}
