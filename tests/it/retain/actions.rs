//! Rows are deleted and moved: all that are due, none besides, and a second run finds nothing.

use dbctl::outcome::Outcome;
use dbctl::pg::sandbox::Options;
use dbctl::policy::{Age, Batch, RowAction, RowJob};
use dbctl::retain::{Count, Path};

use super::*;
use crate::harness::{majors, private_server};

#[test]
fn old_rows_are_deleted_and_a_second_run_writes_nothing() {
    for major in majors() {
        for indexed in [true, false] {
            let db = Database::on(major);
            db.sql(
                "CREATE TABLE t (id bigint, at timestamptz);
                 INSERT INTO t SELECT i, now() - CASE WHEN i % 2 = 0 THEN interval '60 days' ELSE interval '1 day' END
                     FROM generate_series(1, 20000) AS i;
                 INSERT INTO t VALUES (0, NULL), (-1, 'infinity');",
            );
            if indexed {
                db.sql("CREATE INDEX ON t (at)");
            }
            let case = Case::new(&db, job());
            let plan = case.plan();
            assert_eq!(plan.rows, Count::Exact(10_000));
            assert_eq!(plan.visits[0].path, if indexed { Path::Index } else { Path::Blocks });
            let report = case.run();
            assert_eq!(
                (report.rows, report.left, report.outcome()),
                (10_000, Count::Exact(0), Outcome::Done),
                "{major}"
            );
            assert!(report.batches > 3 && report.attention.is_empty(), "{report:?}");
            assert_eq!(db.one("SELECT count(*) FROM t"), "10002");
            assert_eq!(db.one("SELECT count(*) FROM t WHERE at < now() - interval '30 days'"), "0");
            let again = case.run();
            assert_eq!((again.rows, again.batches, again.outcome()), (0, 0, Outcome::Done));
            assert_eq!(db.one("SELECT count(*) FROM dbctl.run"), "1");
        }
    }
}

#[test]
fn a_run_with_nothing_to_do_is_no_transaction_that_writes() {
    let server = private_server(&Options { settings: vec![("autovacuum".into(), "off".into())], ..Options::default() });
    let db = Database::at(&server);
    db.sql("CREATE TABLE t (id bigint, at timestamptz); INSERT INTO t VALUES (1, now() - interval '60 days')");
    let case = Case::new(&db, job());
    assert_eq!(case.run().rows, 1);
    let next = "SELECT pg_snapshot_xmax(pg_current_snapshot())";
    let before = db.one(next);
    assert_eq!(case.run().rows, 0);
    assert_eq!(db.one(next), before);
}

#[test]
fn the_sql_that_is_printed_is_the_sql_that_runs() {
    let db = table(100, true);
    let case = Case::new(&db, job());
    let printed = case.plan().batches()[0].to_owned();
    db.sql("CREATE TABLE seen (sql text)");
    db.sql(
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO seen VALUES (current_query()); RETURN OLD; END $$;
         CREATE TRIGGER see BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION see();",
    );
    assert_eq!(case.run().rows, 50);
    assert_eq!(db.one("SELECT DISTINCT sql FROM seen"), printed);
}

#[test]
fn a_condition_is_asked_too_and_may_end_in_a_comment() {
    let db = table(1000, true);
    let job = RowJob { condition: Some("id <= 100 OR t.note = 'n200' -- the first ones".into()), ..job() };
    let case = Case::new(&db, job);
    assert_eq!(case.run().rows, 51);
    assert_eq!(db.one("SELECT count(*) FROM t WHERE id <= 100 AND id % 2 = 1"), "50");
}

#[test]
fn a_job_without_an_age_takes_what_its_condition_finds() {
    let db = table(1000, false);
    let case = Case::new(&db, RowJob { age: None, condition: Some("id > 900".into()), ..job() });
    assert_eq!(case.run().rows, 100);
    assert_eq!(case.run().rows, 0);
    assert_eq!(db.one("SELECT max(id) FROM t"), "900");
}

#[test]
fn very_many_rows_of_one_age_are_deleted_too() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE t (id bigint, at date); INSERT INTO t SELECT i, '2020-01-01' FROM generate_series(1, 5000) i;
            CREATE INDEX ON t (at)",
    );
    let job = RowJob { batch: Batch { max_rows: 100, ..job().batch }, ..job() };
    let case = Case::new(&db, job);
    let report = case.run();
    assert_eq!((report.rows, report.left), (5000, Count::Exact(0)));
}

#[test]
fn moved_rows_arrive_whole() {
    let db = table(3000, true);
    db.sql(
        "ALTER TABLE t ADD doubled bigint GENERATED ALWAYS AS (id * 2) STORED;
         CREATE TABLE gone (note text, at timestamptz, id bigint GENERATED ALWAYS AS IDENTITY, doubled bigint,
                            moved_at timestamptz NOT NULL DEFAULT now());",
    );
    let before = db.one("SELECT sum(hashtext(id || note || at)) FROM t");
    let case = Case::new(&db, RowJob { action: RowAction::Move { to: TableName::new("public", "gone") }, ..job() });
    let report = case.run();
    assert_eq!((report.rows, report.outcome()), (1500, Outcome::Done));
    let rows = "SELECT sum(hashtext(id || note || at)) FROM (SELECT id, note, at FROM t UNION ALL SELECT id, note, at FROM gone)";
    assert_eq!(db.one(&format!("{rows} AS a")), before);
    assert_eq!(db.one("SELECT count(*) FROM gone WHERE doubled = id * 2"), "1500");
    assert_eq!(case.run().rows, 0);
}

#[test]
fn rows_that_do_not_arrive_do_not_leave() {
    let db = table(100, true);
    db.sql(
        "CREATE TABLE gone (LIKE t);
         CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
         CREATE TRIGGER swallow BEFORE INSERT ON gone FOR EACH ROW EXECUTE FUNCTION swallow();",
    );
    let case = Case::new(&db, RowJob { action: RowAction::Move { to: TableName::new("public", "gone") }, ..job() });
    let failure = case.try_run().0.unwrap_err().to_string();
    assert!(failure.contains("50 rows did not arrive in public.gone"), "{failure}");
    assert_eq!(db.one("SELECT count(*) FROM t"), "100");
}

#[test]
fn hostile_names_are_names() {
    let db = Database::new();
    let name = r#"a"; DROP TABLE t; --"#;
    let quoted = name.replace('"', "\"\"");
    db.sql(&format!(
        r#"CREATE SCHEMA "S x"; CREATE TABLE "S x"."{quoted}" ("at'd" timestamp, "select" text);
           INSERT INTO "S x"."{quoted}" SELECT now() - i * interval '1 day', 'x' FROM generate_series(1, 100) AS i"#
    ));
    let table = TableName::new("S x", name);
    let age = Some(Age { column: Ident::new("at'd"), over: days(30) });
    let mask = RowAction::Anonymise { set: vec![(Ident::new("select"), Mask::Text("it's \\ gone".into()))] };
    let old = RowJob { name: "o'ld".into(), table, age, ..job() };
    let case = Case::new(&db, RowJob { action: mask, ..old.clone() });
    let changed = case.run().rows;
    assert!((70..=71).contains(&changed), "{changed}");
    assert_eq!(case.run().rows, 0);
    assert_eq!(
        db.one(&format!(r#"SELECT DISTINCT "select" FROM "S x"."{quoted}" WHERE "select" <> 'x'"#)),
        "it's \\ gone"
    );
    assert_eq!(Case::new(&db, old).run().rows, changed);
    assert_eq!(db.one("SELECT DISTINCT subject FROM dbctl.journal"), "rows:o'ld");
}

#[test]
fn the_cutoff_follows_the_zone_over_a_change_of_the_clock() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE t (id int, at timestamptz);
         INSERT INTO t VALUES (1, '2026-03-29 00:59:59+00'), (2, '2026-03-29 01:00:00+00'), (3, '2026-03-29 01:00:01+00')",
    );
    let age = Some(Age { column: Ident::new("at"), over: days(1) });
    let job = RowJob { timezone: "Europe/Berlin".parse().unwrap(), age, ..job() };
    // A day before half past two is a time that Berlin's clocks skipped: the moment they did is 01:00 UTC.
    let case = Case { now: "2026-03-30T00:30:00Z".parse().unwrap(), ..Case::new(&db, job) };
    assert_eq!(case.run().rows, 1);
    assert_eq!(db.one("SELECT min(id) FROM t"), "2");
}

#[test]
fn held_days_survive() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE t (id int, at timestamptz);
         INSERT INTO t SELECT i, timestamptz '2025-01-01 00:00:00-03' + i * interval '1 hour' FROM generate_series(-24, 47) AS i",
    );
    let job = RowJob { timezone: "America/Sao_Paulo".parse().unwrap(), ..job() };
    let holds = vec![hold("*.t", Some((2025, 1, 1)), Some((2025, 1, 2)))];
    let case = Case { holds, ..Case::new(&db, job.clone()) };
    assert_eq!(case.run().rows, 48);
    assert_eq!(db.one("SELECT min(id) || ' ' || max(id) FROM t"), "0 23");
    let for_ever = Case { holds: vec![hold("public.*", None, None)], ..Case::new(&db, job.clone()) };
    let plan = for_ever.plan();
    assert!(plan.is_empty() && plan.left_alone == 1);
    assert_eq!(for_ever.run().rows, 0);
    assert_eq!(Case { holds: vec![hold("public.other", None, None)], ..Case::new(&db, job) }.run().rows, 24);
}

#[test]
fn vacuum_follows_the_share_that_was_deleted() {
    let db = table(20_000, true);
    let case = Case::new(&db, RowJob { vacuum: Some(0.1), ..job() });
    let report = case.run();
    assert_eq!(report.rows, 10_000);
    // How many depends on how large batches became.
    assert!((1..=5).contains(&report.vacuums) && report.vacuums <= report.batches, "{report:?}");
    assert!(db.one("SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 't'").parse::<u64>().unwrap() > 0);
}
