//! `dbctl reindex`: what each selector means, what is left alone and why, and what the answer says.

use super::{answer, column, files, names};
use crate::harness::{Database, majors};

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
