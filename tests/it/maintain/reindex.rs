//! `dbctl reindex`: what each selector means, what is left alone and why, and what the answer says.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Database, dbctl, majors, run};

/// `dbctl reindex` on a database.
fn reindex(db: &Database, flags: &[&str]) -> Command {
    let mut command = dbctl(&["reindex", "--database-url", &db.url(), "--no-progress", "--retry-pause", "50ms"]);
    command.args(flags);
    command
}

/// Its answer as JSON.
#[track_caller]
fn answer(db: &Database, flags: &[&str], code: i32) -> Value {
    let run = run(reindex(db, flags).args(["--format", "json"])).expect_code(code);
    serde_json::from_str(&run.stdout).expect("the answer is JSON")
}

/// A column of a table of the answer.
fn column(answer: &Value, table: &str, key: &str) -> Vec<String> {
    let rows = answer[table].as_array().expect("a table");
    rows.iter().map(|row| row[key].as_str().unwrap_or_default().to_owned()).collect()
}

fn names(answer: &Value) -> Vec<String> {
    column(answer, "indexes", "index")
}

const TABLES: &str = r#"
CREATE TABLE a (id int PRIMARY KEY, t text);
CREATE INDEX a_t ON a (t);
INSERT INTO a SELECT i, 'text ' || i FROM generate_series(1, 2000) AS g (i);
CREATE SCHEMA "Odd ""s";
CREATE TABLE "Odd ""s"."T; 1" (id int);
CREATE INDEX "I %' x" ON "Odd ""s"."T; 1" (id);
CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE INDEX p_at ON p (at);
CREATE TABLE e (r int4range, EXCLUDE USING gist (r WITH &&));
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
CREATE INDEX m_a ON m (a);
"#;

/// The oids and files of indexes by name.
fn files(db: &Database) -> Vec<(String, String)> {
    let rows = db.sql(
        "SELECT c.oid::regclass, c.oid || ' ' || c.relfilenode FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid \
         WHERE c.oid > 16384 AND c.relkind = 'i' AND c.relnamespace <> 'pg_toast'::regnamespace \
         AND c.relnamespace IS DISTINCT FROM to_regnamespace('dbctl') ORDER BY c.oid::regclass::text",
    );
    rows.into_iter().map(|row| (row[0].clone().unwrap_or_default(), row[1].clone().unwrap_or_default())).collect()
}

#[test]
fn each_selector_means_its_indexes_and_each_becomes_a_new_valid_one() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(TABLES);
        for (flags, expected) in [
            (&["--table", "p"][..], &["public.p1_at_idx", "public.p2_at_idx"][..]),
            (&["--table", "public.p2"], &["public.p2_at_idx"]),
            (&["--index", "p_at"], &["public.p1_at_idx", "public.p2_at_idx"]),
            (&["--index", "a_t", "--index", "a_pkey"], &["public.a_pkey", "public.a_t"]),
            (&["--table", r#""Odd ""s"."T; 1""#], &[r#""Odd ""s"."I %' x""#]),
            (&["--schema", r#"Odd "s"#], &[r#""Odd ""s"."I %' x""#]),
        ] {
            let before = files(&db);
            let plan = answer(&db, &[flags, &["--dry-run"]].concat(), 0);
            assert_eq!(plan["kind"], "reindex.plan");
            let planned: Vec<String> = names(&plan).into_iter().filter(|name| !name.contains("pg_toast")).collect();
            assert_eq!(planned, expected, "{flags:?}");
            assert_eq!(files(&db), before, "a plan changes nothing");
            let done = answer(&db, flags, 0);
            assert_eq!(names(&done), names(&plan));
            assert!(column(&done, "indexes", "outcome").iter().all(|outcome| outcome == "done"), "{done}");
            let changed = before.iter().zip(files(&db)).filter(|(before, after)| **before != *after).count();
            assert_eq!(changed, expected.len(), "{flags:?}");
        }
        let all = answer(&db, &["--all"], 0);
        let mut all_names: Vec<String> = names(&all).into_iter().filter(|name| name.starts_with("public.")).collect();
        all_names.sort();
        let expected = ["public.a_pkey", "public.a_t", "public.m_a", "public.p1_at_idx", "public.p2_at_idx"];
        assert_eq!(all_names, expected);
        assert_eq!(column(&all, "skipped", "index"), ["public.e_r_excl"]);
        assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
        let sizes: Vec<u64> =
            all["indexes"].as_array().expect("rows").iter().filter_map(|row| row["before_bytes"].as_u64()).collect();
        assert!(sizes.is_sorted() && sizes.len() > 5, "{sizes:?}");
    }
}
