//! Parts of a backup: beside, and in a schema of their own of the living database, which is never touched.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::restore::{one_of, restore};
use super::{Place, create, filled, json, run};
use crate::archive::zoo::ZOO;
use crate::harness::{Database, eventually, majors, spawn};

/// Every relation, and every row as it lies there: nothing of it may change.
const ALL: &str = "SELECT string_agg(format('%s %s %s', c.oid, c.relname, c.relfilenode), ',' ORDER BY c.oid)
    || (SELECT md5(string_agg(ctid::text || xmin::text || xmax::text || o::text, '|' ORDER BY tableoid, ctid)) FROM public.orders AS o)
    || (SELECT md5(string_agg(ctid::text || xmin::text || xmax::text || o::text, '|' ORDER BY ctid)) FROM public.customers AS o)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = 'public'";
const RESCUED: &str = "SELECT string_agg(c.relname || c.relkind::text, ',' ORDER BY c.relname) FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('rescued')";

#[test]
fn tables_are_rescued_into_a_schema_of_the_living_database() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let before = db.one("SELECT md5(string_agg(o::text, '|' ORDER BY id)) FROM public.orders_2025 AS o");
    db.sql("DELETE FROM public.orders WHERE id % 2 = 0; UPDATE public.customers SET name = 'changed'");
    // Whoever is at work there is not waited for.
    let busy = db.session();
    busy.sql("BEGIN; LOCK TABLE public.orders, public.customers IN ACCESS EXCLUSIVE MODE");
    let all = busy.one(ALL);
    let rescue = |more: &[&str]| {
        let flags = ["--table", "public.orders_*", "--table", "customers", "--into-schema", "rescued"];
        restore(&db, &place, &[&flags, more].concat())
    };
    let dry = run(&mut rescue(&["--dry-run", "--format", "json"])).expect_code(0);
    assert!(dry.stdout.contains("CREATE SCHEMA rescued"), "{}", dry.stdout);
    assert!(
        dry.stdout.contains(
            "foreign key orders_customer_fkey of rescued.orders_2025 not made: it looks into public.customers"
        ),
        "{}",
        dry.stdout
    );
    assert_eq!(busy.one("SELECT to_regnamespace('rescued')::text"), "NULL");
    let done = json(&run(&mut rescue(&["--format", "json"])).expect_code(0).stdout);
    assert_eq!((&done["rows"], &done["schema"]), (&6500.into(), &"rescued".into()), "{done}");
    assert_eq!(busy.one(ALL), all);
    busy.rollback();
    assert_eq!(
        db.one(RESCUED),
        "customersr,customers_id_seqS,customers_pkeyi,orders_2025r,orders_2025_pkeyi,orders_2026r,orders_2026_pkeyi,orders_id_seqS"
    );
    assert_eq!(db.one("SELECT md5(string_agg(o::text, '|' ORDER BY id)) FROM rescued.orders_2025 AS o"), before);
    assert_eq!(db.one("SELECT count(*) FROM pg_description WHERE description LIKE 'dbctl restore%'"), "0");

    let again = run(&mut rescue(&[])).expect_code(4);
    assert!(
        again.stderr.contains("is not empty: sequence rescued.orders_id_seq, table rescued.customers"),
        "{}",
        again.stderr
    );
    // An empty one is taken as it is.
    db.sql("CREATE SCHEMA mine; COMMENT ON SCHEMA mine IS 'my own'");
    run(&mut restore(&db, &place, &["--schema", "public", "--into-schema", "mine"])).expect_code(0);
    assert_eq!(db.one("SELECT obj_description('mine'::regnamespace, 'pg_namespace')"), "my own");
    run(&mut restore(&db, &place, &["--into-schema", "other"])).expect_code(64);
    db.sql("CREATE SCHEMA full_of_it; CREATE FUNCTION full_of_it.f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    let full = run(&mut restore(&db, &place, &["--table", "customers", "--into-schema", "full_of_it"])).expect_code(4);
    assert!(full.stderr.contains("function full_of_it.f()"), "{}", full.stderr);
}

/// Types of all sorts, odd names, generated columns, partitions by a hash that may differ.
#[test]
fn the_zoo_is_rescued_on_every_server() {
    for major in majors() {
        let (db, place) = (Database::on(major), Place::new());
        db.sql(ZOO);
        run(&mut create(&db, &place, &[])).expect_code(0);
        let tables = place.manifest().tables.len();
        let schemas: std::collections::BTreeSet<String> =
            place.manifest().tables.iter().map(|table| table.schema.clone()).collect();
        let mut rescued = 0;
        for (number, schema) in schemas.iter().enumerate() {
            let into = format!("Rescued {number}");
            let flags = ["--schema", schema.as_str(), "--into-schema", &into, "--format", "json"];
            let done = run(&mut restore(&db, &place, &flags)).expect_code(0);
            let done = json(&done.stdout);
            assert!(done["not_made"].is_null(), "{done}");
            rescued += done["tables"].as_u64().unwrap();
        }
        assert_eq!(rescued, tables as u64);
    }
}

#[test]
fn what_cannot_be_made_leaves_nothing() {
    let (db, place) = (Database::new(), Place::new());
    db.sql("CREATE TYPE public.mood AS ENUM ('well'); CREATE TABLE public.t (m public.mood); INSERT INTO public.t VALUES ('well')");
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql("DROP TABLE public.t; DROP TYPE public.mood");
    let failed = run(&mut restore(&db, &place, &["--table", "t", "--into-schema", "rescued"])).expect_code(1);
    assert!(
        failed.stderr.contains("public.mood") && failed.stderr.contains("nothing was changed"),
        "{}",
        failed.stderr
    );
    assert_eq!(db.one("SELECT to_regnamespace('rescued')::text"), "NULL");
}

#[test]
fn a_rescue_that_is_killed_or_stopped_at_any_moment_is_done_by_the_next_run() {
    let (db, place) = (filled(), Place::new());
    db.sql("CREATE TABLE public.noise AS SELECT i, (SELECT string_agg(md5(random()::text || g), '') FROM generate_series(1, 30) AS g WHERE i > 0) AS note FROM generate_series(1, 15000) AS i");
    run(&mut create(&db, &place, &[])).expect_code(0);
    let all = db.one(ALL);
    let flags = ["--schema", "public", "--into-schema", "rescued"];
    let (mut died, mut left) = (0, 0);
    // On a busy machine a run may be over before it is hit: it is tried again.
    for step in (0..7).chain((0..4).cycle().take(40)) {
        if step == 0 && died > 0 && left > 0 {
            break;
        }
        let mut child = spawn(&mut restore(&db, &place, &flags));
        let begun = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%rescued.noise%'
            AND pid <> pg_backend_pid()";
        eventually("it has begun", || db.one(begun) != "0" || child.has_ended());
        std::thread::sleep(Duration::from_millis(step * 60));
        if child.has_ended() {
            child.wait();
            db.sql("DROP SCHEMA IF EXISTS rescued CASCADE");
            continue;
        }
        let kill = step % 3 != 2;
        child.signal(if kill { Signal::SIGKILL } else { Signal::SIGTERM });
        let ended = child.wait();
        died += usize::from(ended.code != 0);
        let there = db.one("SELECT to_regnamespace('rescued')::text") != "NULL";
        let unfinished = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('rescued') AND relkind = 'r' AND obj_description(oid, 'pg_class') LIKE '%\"building\"%'";
        if there && db.one(unfinished) == "0" {
            db.sql("DROP SCHEMA rescued CASCADE");
        } else {
            // A server that is too busy to drop it in time is told of.
            let told = ended.stderr.contains("the next run into schema rescued takes away what this one left");
            assert!(kill || !there || told, "a signal leaves nothing, or says so: {}", ended.stderr);
            left += usize::from(there);
        }
    }
    assert!(died > 0 && left > 0, "{died} runs were hit, {left} left something");
    run(&mut restore(&db, &place, &flags)).expect_code(0);
    assert_eq!(db.one("SELECT count(*) FROM rescued.noise"), "15000");
    assert_eq!(db.one(ALL), all);
    assert_eq!(
        db.one("SELECT obj_description('rescued'::regnamespace, 'pg_namespace') LIKE 'tables of database%'"),
        "t"
    );
}

#[test]
fn foreign_keys_within_a_part_are_made_and_those_out_of_it_are_told() {
    let (db, place) = (filled(), Place::new());
    db.sql(
        "CREATE TABLE public.lines (line int PRIMARY KEY, customer bigint REFERENCES public.customers, sku int);
         CREATE TABLE public.skus (sku int PRIMARY KEY); INSERT INTO public.skus VALUES (1); INSERT INTO public.lines VALUES (1, 1, 1);
         ALTER TABLE public.lines ADD CONSTRAINT lines_sku FOREIGN KEY (sku) REFERENCES public.skus;
         COMMENT ON CONSTRAINT lines_sku ON public.lines IS 'said of it'",
    );
    run(&mut create(&db, &place, &[])).expect_code(0);
    let part = format!("{}_part", db.name());
    let flags = ["--to-database", part.as_str(), "--table", "customers", "--table", "lines"];
    let dry = run(&mut restore(&db, &place, &[&flags[..], &["--dry-run", "--format", "json"]].concat())).expect_code(0);
    assert!(dry.stdout.contains("foreign key not made: public.lines: lines_sku, into public.skus"), "{}", dry.stdout);
    let done = run(&mut restore(&db, &place, &[&flags[..], &["--format", "json"]].concat())).expect_code(0);
    assert_eq!(json(&done.stdout)["foreign_keys"].as_array().unwrap().len(), 1, "{}", done.stdout);
    // Those of empty tables, too: of orders.
    let keys =
        "SELECT string_agg(conname, ',' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0";
    let made = one_of(&db, &part, keys);
    db.sql(&format!("DROP DATABASE {part} WITH (FORCE)"));
    assert_eq!(made, "lines_customer_fkey,orders_customer_fkey");

    // A backup of a part: what it does not hold cannot be looked into.
    let other = Place::new();
    run(&mut create(&db, &other, &["--table", "lines"])).expect_code(0);
    let done = run(&mut restore(&db, &other, &["--to-database", &part, "--format", "json"])).expect_code(0);
    db.sql(&format!("DROP DATABASE {part} WITH (FORCE)"));
    assert_eq!(json(&done.stdout)["foreign_keys"].as_array().unwrap().len(), 2, "{}", done.stdout);
}

/// Rows that were written while no trigger fired: whatever restores them cannot make the key.
#[test]
fn a_foreign_key_that_the_rows_violate_can_be_left_out() {
    let (db, place) = (Database::new(), Place::new());
    db.sql(
        "CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (id int PRIMARY KEY, parent int); \
         ALTER TABLE children ADD CONSTRAINT \"Odd key\" FOREIGN KEY (parent) REFERENCES parents; \
         ALTER TABLE children ADD CONSTRAINT own FOREIGN KEY (parent) REFERENCES children; \
         SET session_replication_role = replica; INSERT INTO children SELECT i, i FROM generate_series(1, 100) AS i",
    );
    run(&mut create(&db, &place, &[])).expect_code(0);
    let name = format!("{}_again", db.name());
    let restored = |more: &[&str]| run(&mut restore(&db, &place, &[&["--to-database", &name][..], more].concat()));
    let unknown = restored(&["--skip-foreign-key", "nobody"]).expect_code(64);
    assert!(unknown.stderr.contains("--skip-foreign-key nobody"), "{}", unknown.stderr);
    let failed = restored(&[]).expect_code(1);
    assert!(failed.stderr.contains("--resume --skip-foreign-key 'Odd key'"), "{}", failed.stderr);
    let done = restored(&["--resume", "--skip-foreign-key", "Odd key", "--format", "json"]).expect_code(0);
    assert_eq!(
        json(&done.stdout)["foreign_keys"],
        serde_json::json!([{ "name": "public.children: \"Odd key\", into public.parents" }]),
        "{}",
        done.stdout
    );
    let keys = one_of(&db, &name, "SELECT string_agg(conname, ',') FROM pg_constraint WHERE contype = 'f'");
    assert_eq!(keys, "own");
    db.sql(&format!("DROP DATABASE {name}"));
}
