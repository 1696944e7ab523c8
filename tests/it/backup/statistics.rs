//! The planner's statistics come along where the server takes them, and are gathered where the backup has none.

use super::restore::{one_of, restore};
use super::{Place, create, run};
use crate::harness::{Database, majors};

/// What the planner knows of: all columns, an expression, columns together, children, a view.
const TABLES: &str = "
    CREATE TABLE public.known (id bigint PRIMARY KEY, v text); INSERT INTO public.known SELECT i, 'value ' || i % 7 FROM generate_series(1, 3000) AS i;
    CREATE TABLE public.bare (id bigint); INSERT INTO public.bare SELECT generate_series(1, 3000);
    CREATE TABLE public.empty (id bigint PRIMARY KEY);
    CREATE TABLE public.computed (id bigint PRIMARY KEY, v text); INSERT INTO public.computed SELECT * FROM public.known; CREATE INDEX ON public.computed (lower(v));
    CREATE TABLE public.together (a int PRIMARY KEY, b int); INSERT INTO public.together SELECT i, i / 2 FROM generate_series(1, 3000) AS i;
    CREATE STATISTICS public.of_both ON a, b FROM public.together;
    CREATE TABLE public.parts (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES FROM (0) TO (1501); CREATE TABLE public.parts_2 PARTITION OF public.parts FOR VALUES FROM (1501) TO (9999);
    INSERT INTO public.parts SELECT * FROM public.known; CREATE MATERIALIZED VIEW public.seen AS SELECT * FROM public.known;
    ANALYZE; CREATE TABLE public.unknown (id bigint PRIMARY KEY); INSERT INTO public.unknown SELECT generate_series(1, 3000)";
/// All that have none, and all that were gathered here.
const WITHOUT: &str = "SELECT coalesce(string_agg(c.relname, ' ' ORDER BY c.relname), '') FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> 'empty' AND (c.relkind IN ('r', 'p', 'm') OR c.relname = 'computed_lower_idx')
      AND NOT EXISTS (SELECT FROM pg_stats AS s WHERE s.tablename = c.relname AND s.inherited = (c.relkind = 'p'))";
const GATHERED: &str = "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL";
const SIZES: &str = "SELECT coalesce(string_agg(relname, ' '), '') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')
    AND (relpages <> pg_relation_size(oid) / 8192 OR reltuples <> CASE WHEN relname = 'empty' THEN 0 WHEN relname ~ 'parts_' THEN 1500 ELSE 3000 END)";

/// These tables, and what a restore of them is called.
fn restored(major: u32) -> (Database, String) {
    let (db, place) = (Database::on(major), Place::new());
    db.sql(TABLES);
    let copy = format!("{}_copy", db.name());
    run(&mut create(&db, &place, &[])).expect_code(0);
    run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(0);
    (db, copy)
}

#[test]
fn statistics_come_along_and_those_that_are_lacking_are_gathered() {
    for major in majors() {
        let (db, copy) = restored(major);
        assert_eq!(one_of(&db, &copy, WITHOUT), "", "{major}");
        assert_eq!(one_of(&db, &copy, SIZES), "", "{major}");
        // Older servers gather all, and 14 says so only later.
        if major >= 18 {
            assert_eq!(one_of(&db, &copy, GATHERED), "bare computed seen together unknown", "{major}");
        }
    }
}

/// Tables of whose rows the server does not know, and those that autovacuum would look after.
const UNCOUNTED: &str =
    "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_stat_user_tables WHERE relname <> 'empty'
    AND (n_live_tup = 0 OR n_mod_since_analyze > 0 OR n_ins_since_vacuum > 0) AND relname <> 'parts'";

#[test]
fn the_server_knows_how_many_rows_there_are_and_autovacuum_has_nothing_to_do() {
    for major in majors().into_iter().filter(|major| *major >= 15) {
        let (db, copy) = restored(major);
        // Rows of a view are put in by its query, which counts.
        assert_eq!(one_of(&db, &copy, UNCOUNTED), "seen", "{major}");
    }
}

#[test]
fn no_value_of_a_table_that_is_left_out_is_in_the_statistics() {
    let (db, place) = (Database::new(), Place::new());
    db.sql("CREATE TABLE public.secret (id bigint PRIMARY KEY, v text); INSERT INTO public.secret SELECT i, 'hush' FROM generate_series(1, 3000) AS i; ANALYZE");
    run(&mut create(&db, &place, &["--exclude", "secret"])).expect_code(0);
    let folder = place.backups().remove(0);
    let archive = zstd::decode_all(std::fs::File::open(folder.join("schema.dump.zst")).unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&archive).contains("hush"));
    let copy = format!("{}_copy", db.name());
    run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(0);
    assert_eq!(one_of(&db, &copy, "SELECT count(*) FROM public.secret"), "0");
    assert_eq!(one_of(&db, &copy, "SELECT count(*) FROM pg_stats WHERE tablename = 'secret'"), "0");
}
