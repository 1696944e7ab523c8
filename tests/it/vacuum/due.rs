//! Which tables are chosen, why, and with which SQL.

use super::*;
use crate::harness::majors;

#[test]
fn what_is_due_is_chosen_with_its_reason_done_and_not_due_again() {
    for major in majors() {
        let db = Database::on(major);
        calm(&db, "CREATE TABLE quiet (a int); INSERT INTO quiet SELECT generate_series(1, 500);
             CREATE TABLE dead (a int) WITH (autovacuum_enabled = off); INSERT INTO dead SELECT generate_series(1, 5000);
             CREATE TABLE strict (a int)
                 WITH (autovacuum_vacuum_threshold = 5, autovacuum_vacuum_scale_factor = 0, autovacuum_enabled = off);
             INSERT INTO strict SELECT generate_series(1, 1000);
             CREATE TABLE toast (a int, t text) WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off,
                 toast.autovacuum_vacuum_threshold = 10, toast.autovacuum_vacuum_scale_factor = 0);
             ALTER TABLE toast ALTER t SET STORAGE EXTERNAL;
             INSERT INTO toast SELECT g, repeat('x', 9000) FROM generate_series(1, 300) AS g;
             CREATE TABLE \"Odd \"\" name\" (a int) WITH (autovacuum_enabled = off);
             CREATE TABLE tree (a int, d date) PARTITION BY RANGE (d);
             CREATE TABLE tree_1 PARTITION OF tree FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (a);
             CREATE TABLE leaf PARTITION OF tree_1 FOR VALUES IN (1) WITH (autovacuum_enabled = off);
             CREATE TEMP TABLE passing AS SELECT generate_series(1, 9000) AS a");
        // Before 15 counters reach the readers a moment later.
        eventually("nothing is due at first", || {
            tables(&answer(&db.url(), &["vacuum", "--dry-run"], 0), "tasks").is_empty()
        });
        change(
            &db,
            "DELETE FROM dead WHERE a % 2 = 0; DELETE FROM strict WHERE a <= 10; DELETE FROM toast WHERE a <= 15;
             INSERT INTO \"Odd \"\" name\" SELECT generate_series(1, 3000);
             INSERT INTO tree SELECT 1, '2024-03-01' FROM generate_series(1, 2000)",
            "CASE relname WHEN 'dead' THEN n_dead_tup = 2500 WHEN 'leaf' THEN n_live_tup = 2000 WHEN 'toast' THEN n_dead_tup = 15 END",
        );
        let plan = answer(&db.url(), &["vacuum", "--dry-run"], 0);
        let why = |table: &str| row(&plan, "tasks", table)["reasons"].to_string();
        assert_eq!(tables(&plan, "tasks").len(), 7, "{plan}");
        assert!(why("public.dead").contains("2500 dead rows"), "{plan}");
        assert!(why("public.strict").contains("10 dead rows, due at 5"), "{plan}");
        assert!(why("public.toast").contains("dead rows in TOAST, due at 10"), "{plan}");
        assert!(why("public.\"Odd \"\" name\"").contains("3000 rows inserted"), "{plan}");
        for parent in ["public.tree", "public.tree_1"] {
            assert!(why(parent).contains("statistics are stale: 2000 rows of its partitions"), "{plan}");
            assert_eq!(row(&plan, "tasks", parent)["task"], "analyze");
        }
        // Before 18 ANALYZE of the parent goes through the leaf too.
        let leaf = if major < 18 { "vacuum" } else { "vacuum, analyze" };
        assert_eq!(row(&plan, "tasks", "public.leaf")["task"], leaf, "{major}");
        let sql = plan["sql"].as_str().unwrap();
        let only = if major < 18 { "" } else { "ONLY " };
        assert!(sql.contains(&format!("ANALYZE (SKIP_LOCKED) {only}public.tree;")), "{sql}");
        assert!(sql.contains(&format!("{only}public.\"Odd \"\" name\";")), "{sql}");
        assert_eq!(sql.contains("PROCESS_MAIN FALSE"), major >= 16, "{major}: only its TOAST table is due: {sql}");

        nobody_looks(&db);
        let done = answer(&db.url(), &["vacuum", "--jobs", "2"], 0);
        assert!(done["tables"].as_array().unwrap().iter().all(|row| row["outcome"] == "done"), "{done}");
        assert_eq!(row(&done, "tables", "public.dead")["dead_before"], 2500);
        eventually("nothing is due", || tables(&answer(&db.url(), &["vacuum", "--dry-run"], 0), "tasks").is_empty());
        assert_eq!(db.one("SELECT reltuples FROM pg_class WHERE relname = 'tree'"), "2000");
        assert_eq!(db.one("SELECT string_agg(DISTINCT outcome, ',') FROM dbctl.run"), "done");
        assert_eq!(db.one("SELECT count(*) FROM dbctl.run"), "1", "one for all hands");
        let lines = "SELECT count(*) FROM dbctl.journal WHERE subject LIKE 'vacuum:%' AND state = 'applied' AND subject NOT LIKE '%pg_catalog%'";
        assert_eq!(db.one(lines), "7");
    }
}

#[test]
fn two_thousand_clean_tables_are_left_alone_and_the_few_others_found() {
    let db = Database::new();
    // In two transactions: each table takes a lock.
    let half = |from: u32| {
        format!(
            "DO $$ BEGIN FOR i IN {from}..{from} + 999 LOOP
                 EXECUTE format('CREATE TABLE t%s (a int) WITH (autovacuum_enabled = off)', i);
             END LOOP; END $$"
        )
    };
    apart(&db, &half(1));
    calm(&db, &half(1001));
    assert_eq!(tables(&answer(&db.url(), &["vacuum"], 0), "tables"), Vec::<String>::new());
    change(
        &db,
        "INSERT INTO t7 SELECT generate_series(1, 2000); INSERT INTO t1999 SELECT generate_series(1, 3000)",
        "CASE relname WHEN 't7' THEN n_live_tup = 2000 WHEN 't1999' THEN n_live_tup = 3000 END",
    );
    let done = answer(&db.url(), &["vacuum"], 0);
    assert_eq!(tables(&done, "tables"), ["public.t1999", "public.t7"], "the biggest first");
}

#[test]
fn named_tables_are_done_due_or_not_and_frozen_or_rewritten_when_asked() {
    let db = Database::new();
    calm(
        &db,
        "CREATE TABLE a (x int) WITH (autovacuum_enabled = off); INSERT INTO a SELECT generate_series(1, 40000);
         CREATE TABLE b (x int); CREATE VIEW v AS SELECT 1 AS one",
    );
    db.sql("DELETE FROM a WHERE x > 100 AND x % 4 > 0");
    let plan = answer(&db.url(), &["vacuum", "--table", "b", "--analyze", "--dry-run", "--jobs", "2"], 0);
    assert_eq!(plan["sql"], "VACUUM (SKIP_LOCKED, PARALLEL 0, ANALYZE) ONLY public.b;");
    let gently =
        ["vacuum", "--table", "b", "--cost-delay", "2ms", "--cost-limit", "300", "--buffer-usage-limit", "1MB"];
    let plan = answer(&db.url(), &[&gently[..], &["--dry-run"]].concat(), 0);
    assert_eq!(
        plan["sql"],
        "SET vacuum_cost_delay = '2ms';\nSET vacuum_cost_limit = '300';\n\
         VACUUM (SKIP_LOCKED, BUFFER_USAGE_LIMIT '1MB') ONLY public.b;"
    );
    assert_eq!(row(&answer(&db.url(), &gently, 0), "tables", "public.b")["outcome"], "done");

    db.sql("DO $$ BEGIN FOR i IN 1..300 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$");
    let frozen = answer(&db.url(), &["vacuum", "--table", "a", "--freeze-before", "100"], 0);
    let a = row(&frozen, "tables", "public.a");
    // Whether its statistics are due as well depends on when the counters come.
    assert!(
        a["task"].as_str().unwrap().starts_with("freeze") && a["xid_age_after"].as_i64() < a["xid_age_before"].as_i64(),
        "{frozen}"
    );

    let refused = run(&mut on(&db.url(), &["vacuum", "--full", "--table", "a"])).expect_code(4);
    for told in ["ACCESS EXCLUSIVE", "--yes", "MB that are free where it lies; by estimate"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    let full = answer(&db.url(), &["vacuum", "--full", "--table", "a", "--yes"], 0);
    assert!(full["bytes_reclaimed"].as_i64().unwrap() > 500_000, "{full}");
    db.sql("ANALYZE a");
    let file = db.one("SELECT pg_relation_filenode('a')");
    let idle = run(&mut on(&db.url(), &["vacuum", "--full", "--table", "a", "--yes"])).expect_code(4);
    assert!(idle.stderr.contains("public.a: by estimate a rewrite gives back") && idle.stderr.contains("--force"));
    assert_eq!(db.one("SELECT pg_relation_filenode('a')"), file, "{}", idle.stderr);
    answer(&db.url(), &["vacuum", "--full", "--table", "a", "--yes", "--force"], 0);
    assert_ne!(db.one("SELECT pg_relation_filenode('a')"), file);
    run(&mut on(&db.url(), &["vacuum", "--full"])).expect_code(64);
    let view = run(&mut on(&db.url(), &["vacuum", "--table", "v"])).expect_code(64);
    assert!(view.stderr.contains("no table public.v"), "{}", view.stderr);
}

#[test]
fn dead_rows_that_an_old_transaction_keeps_are_not_vacuumed_again_and_again() {
    let db = Database::new();
    calm(&db, "CREATE TABLE t (a int) WITH (autovacuum_enabled = off); INSERT INTO t SELECT generate_series(1, 5000)");
    let holder = db.session();
    holder.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");
    change(&db, "DELETE FROM t WHERE a <= 4000", "n_dead_tup = 4000");
    let first = answer(&db.url(), &["vacuum"], 0);
    assert_eq!(row(&first, "tables", "public.t")["dead_after"], 4000, "the holder keeps them");
    let again = answer(&db.url(), &["vacuum"], 5);
    let why = row(&again, "skipped", "public.t")["why"].as_str().unwrap();
    assert!(why.contains(&format!("session {}", holder.pid())), "{why}");
    holder.commit();
    assert_eq!(row(&answer(&db.url(), &["vacuum"], 0), "tables", "public.t")["dead_after"], 0);
}

#[test]
fn advice_is_sql_for_each_leaf() {
    let db = Database::new();
    calm(&db, "CREATE TABLE idle (a int) WITH (autovacuum_enabled = off); CREATE TABLE big (a int) PARTITION BY RANGE (a);
         CREATE TABLE big_1 PARTITION OF big FOR VALUES FROM (0) TO (10000000);
         INSERT INTO big SELECT generate_series(1, 1200000); ALTER TABLE big_1 SET (autovacuum_vacuum_scale_factor = 0.5)");
    let advice = answer(&db.url(), &["vacuum", "--advice"], 0);
    assert_eq!(row(&advice, "advice", "public.idle")["sql"], "ALTER TABLE public.idle RESET (autovacuum_enabled)");
    let sql = row(&advice, "advice", "public.big_1")["sql"].as_str().unwrap();
    assert_eq!(sql, "ALTER TABLE public.big_1 SET (autovacuum_vacuum_max_threshold = 100000)");
    db.sql(sql);
    assert_eq!(tables(&answer(&db.url(), &["vacuum", "--advice"], 0), "advice"), ["public.idle"]);
    answer(&db.url(), &["vacuum", "--dry-run"], 0);
    assert_eq!(db.one("SELECT to_regnamespace('dbctl')"), "NULL", "who only looks writes nothing");
}
