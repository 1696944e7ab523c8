//! What statements do, as a rehearsal sees it on every major.

use super::{Case, line, list, statements};
use crate::harness::{Database, majors};

const TABLES: &str = "
CREATE TABLE orders (id bigint PRIMARY KEY, amount int, code varchar(20), state text NOT NULL DEFAULT 'new');
INSERT INTO orders SELECT g, g, 'c' || g FROM generate_series(1, 3000) AS g;
CREATE INDEX orders_code ON orders (code);
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint NOT NULL);
INSERT INTO items SELECT g, g FROM generate_series(1, 500) AS g;
CREATE TABLE events (at date NOT NULL, note text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO events SELECT DATE '2026-01-01' + g % 50, 'x' FROM generate_series(1, 100) AS g;
CREATE TABLE old (id int);
CREATE VIEW v AS SELECT 1 AS one;
";

#[test]
fn locks_rewrites_and_reads_of_a_transaction_are_seen_statement_by_statement() {
    for major in majors() {
        let case = Case::on(
            Database::on(major),
            TABLES,
            &[
                "-- Größer.\nALTER TABLE orders /* é */ ALTER COLUMN amount TYPE bigint;",
                "ALTER TABLE orders ALTER COLUMN code TYPE varchar(40);",
                "ALTER TABLE orders ADD COLUMN extra int; ALTER TABLE orders ALTER COLUMN extra SET DEFAULT 1;",
                "ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID;",
                "ALTER TABLE orders VALIDATE CONSTRAINT positive;",
                "ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders;",
                "CREATE INDEX items_order ON items (order_id);",
                "ALTER TABLE events ALTER COLUMN at TYPE timestamptz USING at;",
                "CREATE TABLE fresh AS SELECT * FROM items; CREATE INDEX ON fresh (id); ALTER TABLE fresh ALTER id TYPE text;",
                "UPDATE orders SET extra = 2 WHERE id <= 10;",
                "TRUNCATE items;",
                "DROP TABLE old;",
                "DO $$ BEGIN EXECUTE 'LOCK TABLE items IN EXCLUSIVE MODE'; END $$;",
            ],
        );
        // The partition key cannot change its type: that file is a test of its own.
        std::fs::remove_file(case.dir().join("V9__step.sql")).unwrap();
        let document = case.json(&[], 0);
        let is = |words: &str, lock: &str, relation: &str, blocks: &str| {
            let line = line(&document, words);
            assert_eq!(line["lock_mode"], lock, "{major}: {line:#}");
            assert_eq!(line["lock_relation"], relation, "{major}: {line:#}");
            assert_eq!(line["blocks"], blocks, "{major}: {line:#}");
            line.clone()
        };
        let all = "reads and writes";
        let typed = is("amount TYPE bigint", "ACCESS EXCLUSIVE", "public.orders", all);
        assert_eq!(list(&typed["rewritten"]), ["public.orders"], "{major}");
        assert!(typed["rewritten_bytes"].as_i64() > Some(100_000) && typed["wal_bytes"].as_i64() > Some(100_000));
        assert_eq!(list(&typed["scanned"]), ["public.orders"]);
        assert!(typed["scanned_rows"].as_i64() >= Some(3000), "{typed:#}");
        assert_eq!((typed["line"].as_i64(), typed["column"].as_i64()), (Some(2), Some(1)));
        assert!(typed["file"].as_str().unwrap().ends_with("V2__step.sql") && typed["seconds"].as_f64() > Some(0.0));

        let widened = is("varchar(40)", "ACCESS EXCLUSIVE", "public.orders", all);
        assert!(list(&widened["rewritten"]).is_empty() && list(&widened["scanned"]).is_empty(), "{widened:#}");
        is("ADD COLUMN extra", "ACCESS EXCLUSIVE", "public.orders", all);
        // Held already since the statement before.
        assert!(line(&document, "SET DEFAULT")["lock_mode"].is_null());
        let unchecked = is("NOT VALID", "ACCESS EXCLUSIVE", "public.orders", all);
        assert!(list(&unchecked["scanned"]).is_empty());
        let validated = is("VALIDATE", "SHARE UPDATE EXCLUSIVE", "public.orders", "other schema changes");
        assert_eq!(list(&validated["scanned"]), ["public.orders"]);
        let foreign = is("FOREIGN KEY", "SHARE ROW EXCLUSIVE", "public.items", "writes");
        assert!(list(&foreign["locks"]).contains(&"SHARE ROW EXCLUSIVE on public.orders"), "{foreign:#}");
        let index = is("CREATE INDEX items_order", "SHARE", "public.items", "writes");
        assert_eq!((list(&index["scanned"]), &index["scanned_rows"]), (vec!["public.items"], &500.into()));
        assert_eq!(index["rewritten_bytes"], 0);
        for born in ["CREATE TABLE fresh", "CREATE INDEX ON fresh", "ALTER TABLE fresh"] {
            let line = line(&document, born);
            assert!(line["lock_mode"].is_null() && list(&line["rewritten"]).is_empty(), "{major}: {line:#}");
            assert_eq!(line["blocks"], "nothing");
        }
        let updated = is("UPDATE orders", "ROW EXCLUSIVE", "public.orders", "nothing");
        assert_eq!(updated["rows_written"], 10);
        is("TRUNCATE", "ACCESS EXCLUSIVE", "public.items", all);
        is("DROP TABLE old", "ACCESS EXCLUSIVE", "public.old", all);
        is("DO $$", "EXCLUSIVE", "public.items", "writes");
        assert_eq!(document["strongest_lock"], "ACCESS EXCLUSIVE on public.orders");
        assert_eq!(document["result"], "passes");
        assert!(case.rehearse(&[], 0).stdout.lines().all(|line| line.chars().count() <= 80));
        let ticket = case.rehearse(&["--format", "markdown"], 0).stdout;
        assert!(ticket.contains("| V2 | ALTER TABLE orders ALTER COLUMN amount TYPE bigint |"), "{ticket}");
    }
}

#[test]
fn what_runs_outside_of_a_transaction_is_seen_from_another_session() {
    for major in majors() {
        let case = Case::on(
            Database::on(major),
            TABLES,
            &[
                "CREATE INDEX CONCURRENTLY orders_amount ON orders (amount);",
                "REINDEX INDEX CONCURRENTLY orders_code;",
                "DROP INDEX CONCURRENTLY orders_code;",
                "VACUUM orders;",
                "VACUUM FULL items;",
                "-- dbctl: no-transaction\nALTER TABLE orders ADD COLUMN y int;\nSELECT 1;",
            ],
        );
        let document = case.json(&[], 0);
        for (words, table) in
            [("CREATE INDEX CONCURRENTLY", "orders"), ("REINDEX", "orders"), ("VACUUM orders", "orders")]
        {
            let line = line(&document, words);
            assert_eq!(line["lock_mode"], "SHARE UPDATE EXCLUSIVE", "{major}: {line:#}");
            assert_eq!(line["lock_relation"], format!("public.{table}"), "{major}: {line:#}");
            assert_eq!(line["locks_known_by"], "sampled", "{major}: {line:#}");
            assert_eq!(line["blocks"], "other schema changes");
            assert!(!list(&line["rewritten"]).contains(&"public.orders"), "{major}: {line:#}");
        }
        let built = line(&document, "CREATE INDEX CONCURRENTLY");
        assert!(
            list(&built["rewritten"]).is_empty()
                && list(&built["locks"]).iter().all(|lock| !lock.contains("ACCESS EXCLUSIVE"))
        );
        if major >= 15 {
            assert_eq!(list(&built["scanned"]), ["public.orders"], "{major}");
        } else {
            assert!(built["scanned"].is_null(), "{major}: {built:#}");
        }
        let dropped = line(&document, "DROP INDEX CONCURRENTLY");
        assert!(list(&dropped["locks"]).contains(&"SHARE UPDATE EXCLUSIVE on public.orders"), "{major}: {dropped:#}");
        let full = line(&document, "VACUUM FULL");
        assert_eq!((&full["lock_mode"], &full["lock_relation"]), (&"ACCESS EXCLUSIVE".into(), &"public.items".into()));
        assert_eq!(list(&full["rewritten"]), ["public.items"], "{major}");
        // Statement by statement, but this one in a transaction of its own.
        let altered = line(&document, "ADD COLUMN y");
        assert_eq!((&altered["lock_mode"], &altered["locks_known_by"]), (&"ACCESS EXCLUSIVE".into(), &"held".into()));
        assert_eq!(statements(&document).len(), 7);
    }
}

#[test]
fn a_partition_tree_is_rewritten_leaf_by_leaf() {
    let case = Case::with(TABLES, &["ALTER TABLE events ALTER COLUMN note TYPE int USING 1;"]);
    let document = case.json(&[], 0);
    let line = line(&document, "ALTER TABLE events");
    assert_eq!(list(&line["rewritten"]), ["public.events_1", "public.events_2"]);
    for table in ["events", "events_1", "events_2"] {
        let lock = format!("ACCESS EXCLUSIVE on public.{table}");
        assert!(list(&line["locks"]).contains(&lock.as_str()), "{line:#}");
    }
}

#[test]
fn a_file_may_choose_its_role_and_its_search_path() {
    let case = Case::with(
        TABLES,
        &[
            "SET LOCAL ROLE pg_signal_backend;\nSELECT 1;\nRESET ROLE;\nSET LOCAL search_path = '';\nALTER TABLE public.items ADD y int;\nSET LOCAL search_path = public;\nALTER TABLE items ADD z int;",
        ],
    );
    let document = case.json(&[], 0);
    assert_eq!(line(&document, "ALTER TABLE public.items")["lock_mode"], "ACCESS EXCLUSIVE");
    assert_eq!(statements(&document).len(), 7);
}

#[test]
fn temporary_files_and_growth_are_counted_or_unknown() {
    for major in majors() {
        let case = Case::on(
            Database::on(major),
            TABLES,
            &[
                "SET LOCAL work_mem = '64kB';\nCREATE TABLE big AS SELECT g, repeat('x', 100) AS x FROM generate_series(1, 20000) AS g ORDER BY g DESC;",
            ],
        );
        let document = case.json(&[], 0);
        assert!(document["grown_bytes"].as_i64() > Some(2_000_000), "{major}: {document:#}");
        match major {
            14 => assert!(document["temporary_bytes"].is_null(), "{document:#}"),
            _ => assert!(document["temporary_bytes"].as_i64() > Some(1_000_000), "{major}: {document:#}"),
        }
    }
}
