//! Many runs at once: each ends well, each migration is applied once, nothing deadlocks.

use dbctl::pg::sandbox::{Options, Sandbox};

use super::set::Migrations;
use super::{empty, migrate, migrate_with, nobody_is_left};
use crate::harness::{Database, default_server, majors, private_server, run, spawn};

/// Enough to meet the rare order of events; the older majors of the matrix only show that they are
/// no different.
fn rounds(major: u32) -> usize {
    if major == default_server().major() { 25 } else { 5 }
}

#[test]
fn four_runs_on_a_fresh_database() {
    race(4, &in_transactions(), 0);
}

#[test]
fn four_runs_on_an_existing_database() {
    race(4, &in_transactions(), 2);
}

#[test]
fn sixteen_runs_on_a_fresh_database() {
    race(16, &in_transactions(), 0);
}

#[test]
fn sixteen_runs_on_an_existing_database() {
    race(16, &in_transactions(), 2);
}

#[test]
fn four_runs_that_build_indexes_on_a_fresh_database() {
    race(4, &with_indexes(), 0);
}

#[test]
fn four_runs_that_build_indexes_on_an_existing_database() {
    race(4, &with_indexes(), 2);
}

#[test]
fn sixteen_runs_that_build_indexes_on_a_fresh_database() {
    race(16, &with_indexes(), 0);
}

#[test]
fn sixteen_runs_that_build_indexes_on_an_existing_database() {
    race(16, &with_indexes(), 2);
}

/// Files that would fail, or leave a second row, if they ran twice.
fn in_transactions() -> Migrations {
    Migrations::of(&[
        (
            "V1__witness.sql",
            "CREATE TYPE color AS ENUM ('red');\nCREATE TABLE witness (version int NOT NULL, color color DEFAULT 'red');\n\
             INSERT INTO witness VALUES (1);\n",
        ),
        (
            "V2__item.sql",
            "CREATE TABLE item (id int PRIMARY KEY, name text);\nINSERT INTO item SELECT i, 'n' || i FROM \
             pg_catalog.generate_series(1, 100) AS g (i);\nINSERT INTO witness VALUES (2);\n",
        ),
        ("V3__price.sql", "ALTER TABLE item ADD COLUMN price int;\nINSERT INTO witness VALUES (3);\n"),
        ("V4__end.sql", "INSERT INTO witness VALUES (4);\n"),
    ])
}

fn with_indexes() -> Migrations {
    let set = in_transactions();
    set.write(
        "V3__price.sql",
        "-- dbctl: no-transaction\nALTER TABLE item ADD COLUMN price int;\n\
         CREATE INDEX CONCURRENTLY item_name ON item (name);\nINSERT INTO witness VALUES (3);\n",
    );
    set.write(
        "V4__end.sql",
        "CREATE UNIQUE INDEX CONCURRENTLY item_unique ON item (name, id);\nDROP INDEX CONCURRENTLY item_name;\n",
    );
    set
}

/// A server whose log tells of these runs only.
fn own_server(major: u32) -> Sandbox {
    private_server(&Options {
        major: Some(major),
        settings: vec![("max_connections".to_owned(), "100".to_owned())],
        ..Options::default()
    })
}

fn race(runs: usize, set: &Migrations, applied_before: usize) {
    for major in majors() {
        let server = own_server(major);
        let db = Database::at(&server);
        let before = applied_before.to_string();
        for round in 1..=rounds(major) {
            if applied_before > 0 {
                run(&mut migrate_with(&db.url(), set, &["--to", &before])).expect_code(0);
            }
            let mut running: Vec<_> = (0..runs).map(|_| spawn(&mut migrate(&db.url(), set))).collect();
            for child in running.drain(..) {
                child.wait().expect_code(0);
            }
            nobody_is_left(&db);
            let applied = db.one("SELECT string_agg(version::text, ' ' ORDER BY version) FROM refinery_schema_history");
            assert_eq!(applied, "1 2 3 4", "round {round}");
            let witness = db.one("SELECT string_agg(version::text, ' ' ORDER BY version) FROM witness");
            let indexes = db.one("SELECT count(*) FROM pg_class WHERE relname IN ('item_name', 'item_unique')") != "0";
            assert_eq!(witness, if indexes { "1 2 3" } else { "1 2 3 4" }, "round {round}");
            assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0", "round {round}");
            let steps = db.one("SELECT count(*) FROM dbctl.journal WHERE state = 'applied'");
            assert_eq!(steps, "5", "round {round}: the history table and four migrations");
            empty(&db);
        }
        let log = server.log();
        let bad =
            log.lines().find(|line| ["deadlock detected", "ERROR:", "FATAL:"].iter().any(|bad| line.contains(bad)));
        assert_eq!(bad, None);
    }
}
