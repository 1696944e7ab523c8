//! Half-built indexes: whatever ended the build, the next run ends with a valid index. What somebody
//! else left is told and not touched.

use dbctl::pg::sandbox::Options;
use nix::sys::signal::Signal;

use super::set::Migrations;
use super::{empty, migrate, migrate_with, nobody_is_left, waiting_worker};
use crate::harness::{Database, Run, majors, private_server, run, spawn};

/// The ways to write an index, in a table with odd names.
const BUILDS: [&str; 5] = [
    "CREATE UNIQUE INDEX CONCURRENTLY the_index ON item (name)",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS the_index ON ONLY public.item USING btree (lower(name)) WHERE id > 0",
    "create unique index concurrently \"the_index\" on \"item\" (name DESC)",
    "CREATE UNIQUE INDEX /* here ; */ CONCURRENTLY the_index -- there\n ON item (name) INCLUDE (id)",
    "SET maintenance_work_mem = '1MB';\nCREATE UNIQUE INDEX CONCURRENTLY the_index ON item (name)",
];

/// What ends a build before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    DuplicateKey,
    TemporaryFileLimit,
    StatementTimeout,
    Cancelled,
    Terminated,
    Killed,
    Interrupted,
}

const ENDS: [End; 7] = [
    End::DuplicateKey,
    End::TemporaryFileLimit,
    End::StatementTimeout,
    End::Cancelled,
    End::Terminated,
    End::Killed,
    End::Interrupted,
];

/// Where a build waits: for a writer at its beginning, or for an old snapshot at its end.
const OBSTACLES: [&str; 2] =
    ["BEGIN; UPDATE item SET name = name WHERE id = 1", "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"];

fn items(db: &Database) {
    db.sql("CREATE TABLE item (id int NOT NULL, name text NOT NULL); INSERT INTO item SELECT i, 'n' || i FROM generate_series(1, 500) AS g (i)");
}

#[test]
fn every_ended_build_is_followed_by_a_valid_index() {
    for major in majors() {
        let db = Database::on(major);
        for (number, end) in ENDS.into_iter().enumerate() {
            for (other, obstacle) in OBSTACLES.iter().enumerate() {
                let build = BUILDS[(number + other) % BUILDS.len()];
                eprintln!("{major}: {end:?} of {build} behind {obstacle}");
                items(&db);
                let set = Migrations::of(&[("V1__index.sql", &format!("{build};\n"))]);
                ended(&db, &set, end, obstacle);
                run(&mut migrate(&db.url(), &set)).expect_code(0);
                assert_valid(&db);
                empty(&db);
            }
        }
    }
}

#[track_caller]
fn assert_valid(db: &Database) {
    let rows = db.sql("SELECT c.relname, i.indisvalid::text, i.indisready::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'item'::regclass");
    let row: Vec<Option<String>> = ["the_index", "true", "true"].map(|value| Some(value.to_owned())).into();
    assert_eq!(rows, vec![row]);
    assert_eq!(db.one("SELECT string_agg(version::text, ' ') FROM refinery_schema_history"), "1");
}

/// A run whose build ends so; the cause is gone afterwards.
fn ended(db: &Database, set: &Migrations, end: End, obstacle: &str) {
    match end {
        End::DuplicateKey => {
            db.sql("INSERT INTO item VALUES (501, 'n1')");
            let failed = run(&mut migrate(&db.url(), set)).expect_code(1);
            assert!(failed.stderr.contains("23505"), "{}", failed.stderr);
            assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0", "it is removed at once");
            db.sql("DELETE FROM item WHERE id = 501");
        }
        End::TemporaryFileLimit => {
            // As a disk that is full would end it.
            db.sql("INSERT INTO item SELECT i, repeat('x', 50) || i FROM generate_series(1001, 40000) AS g (i)");
            let limits =
                ["temp_file_limit = '64kB'", "maintenance_work_mem = '1MB'", "max_parallel_maintenance_workers = 0"];
            for limit in limits {
                db.sql(&format!("ALTER DATABASE {} SET {limit}", db.name()));
            }
            let failed = run(&mut migrate(&db.url(), set)).expect_code(1);
            assert!(failed.stderr.contains("53400"), "{}", failed.stderr);
            assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0", "it is removed at once");
            db.sql(&format!("ALTER DATABASE {} RESET ALL", db.name()));
        }
        End::StatementTimeout => {
            let blocker = db.session();
            blocker.sql(obstacle);
            let failed = run(&mut migrate_with(&db.url(), set, &["--statement-timeout", "300ms"])).expect_code(1);
            assert!(failed.stderr.contains("57014"), "{}", failed.stderr);
        }
        End::Cancelled | End::Terminated | End::Killed | End::Interrupted => {
            let blocker = db.session();
            blocker.sql(obstacle);
            let child = spawn(&mut migrate(&db.url(), set));
            let worker = waiting_worker(db);
            assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "1");
            let code = match end {
                End::Cancelled => {
                    db.sql(&format!("SELECT pg_cancel_backend({worker})"));
                    1
                }
                End::Terminated => {
                    db.sql(&format!("SELECT pg_terminate_backend({worker})"));
                    69
                }
                End::Killed => {
                    child.signal(Signal::SIGKILL);
                    137
                }
                _ => {
                    child.signal(Signal::SIGINT);
                    130
                }
            };
            child.wait().expect_code(code);
            nobody_is_left(db);
        }
    }
}

#[test]
fn a_crash_of_the_server_in_the_middle_of_a_build_is_recovered_from() {
    for major in majors() {
        let mut server = private_server(&Options { major: Some(major), ..Options::default() });
        for obstacle in OBSTACLES {
            let set = Migrations::of(&[("V1__index.sql", "CREATE INDEX CONCURRENTLY the_index ON item (name);\n")]);
            let db = Database::at(&server);
            items(&db);
            let blocker = db.session();
            blocker.sql(obstacle);
            let child = spawn(&mut migrate(&db.url(), &set));
            waiting_worker(&db);
            // The log of a crashed server keeps what its committed transactions wrote.
            server.kill().expect("the server can be killed");
            child.wait().expect_code(69);
            server.start_again().expect("it recovers");
            let db = db.reconnected();
            assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "1");
            run(&mut migrate(&db.url(), &set)).expect_code(0);
            assert_valid(&db);
        }
    }
}

/// An invalid index that dbctl did not leave.
fn foreign_leftover(db: &Database) -> String {
    items(db);
    db.sql("INSERT INTO item VALUES (501, 'n1')");
    assert_eq!(db.try_sql("CREATE UNIQUE INDEX CONCURRENTLY the_index ON item (name)").unwrap_err().code, "23505");
    db.sql("DELETE FROM item WHERE id = 501");
    db.one("SELECT indexrelid FROM pg_index WHERE NOT indisvalid")
}

fn refused(db: &Database, set: &Migrations) -> Run {
    let oid = db.one("SELECT indexrelid FROM pg_index WHERE NOT indisvalid");
    let refused = run(&mut migrate(&db.url(), set)).expect_code(4);
    assert!(refused.stderr.contains("the_index exists already and is invalid"), "{}", refused.stderr);
    assert_eq!(db.one("SELECT indexrelid FROM pg_index WHERE NOT indisvalid"), oid);
    refused
}

#[test]
fn an_invalid_index_of_somebody_else_is_refused_and_stays() {
    for major in majors() {
        let db = Database::on(major);
        for build in BUILDS {
            foreign_leftover(&db);
            let set = Migrations::of(&[("V1__index.sql", &format!("{build};\n"))]);
            let first = refused(&db, &set);
            refused(&db, &set);
            // The hint as it is printed.
            let hint =
                first.stderr.lines().find_map(|line| line.split_once("if nobody builds it: ")).expect("a hint").1;
            db.sql(hint.split_once(';').expect("SQL that can be pasted").0);
            run(&mut migrate(&db.url(), &set)).expect_code(0);
            assert_valid(&db);
            empty(&db);
        }
    }
}

#[test]
fn a_valid_index_satisfies_if_not_exists() {
    let db = Database::new();
    items(&db);
    db.sql("CREATE INDEX the_index ON item (name)");
    let set =
        Migrations::of(&[("V1__index.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS the_index ON item (name);\n")]);
    run(&mut migrate(&db.url(), &set)).expect_code(0);
    assert_valid(&db);
}

#[test]
fn an_index_that_somebody_builds_meanwhile_is_left_alone() {
    let db = Database::new();
    items(&db);
    let blocker = db.session();
    blocker.sql(OBSTACLES[0]);
    let builder = db.session();
    let building = builder.start("CREATE INDEX CONCURRENTLY the_index ON item (name)");
    crate::harness::eventually("it is being built", || {
        db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "1"
    });
    let set =
        Migrations::of(&[("V1__index.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS the_index ON item (name);\n")]);
    refused(&db, &set);
    blocker.rollback();
    building.wait().expect("the build ends well");
    run(&mut migrate(&db.url(), &set)).expect_code(0);
    assert_valid(&db);
}

#[test]
fn half_built_copies_of_reindex_are_removed_and_those_of_others_stay() {
    for major in majors() {
        let db = Database::on(major);
        items(&db);
        db.sql("CREATE TABLE other (a text); CREATE INDEX other_a ON other (a)");
        // Somebody else's: their REINDEX was cancelled.
        let writer = db.session();
        writer.sql("BEGIN; INSERT INTO other VALUES ('x')");
        let somebody = db.session();
        let reindex = somebody.start("REINDEX INDEX CONCURRENTLY other_a");
        crate::harness::eventually("a copy is there", || {
            db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "1"
        });
        somebody.cancel();
        assert_eq!(reindex.wait().unwrap_err().code, "57014");
        writer.rollback();
        let theirs = db.one("SELECT indexrelid FROM pg_index WHERE NOT indisvalid");
        // A table with a toast table, whose index is copied too.
        db.sql("CREATE UNIQUE INDEX item_name ON item (name); CREATE INDEX item_id ON item (id)");
        let set = Migrations::of(&[("V1__again.sql", "REINDEX (VERBOSE) TABLE CONCURRENTLY item;\n")]);
        for obstacle in OBSTACLES {
            let blocker = db.session();
            blocker.sql(obstacle);
            let child = spawn(&mut migrate(&db.url(), &set));
            waiting_worker(&db);
            child.signal(Signal::SIGKILL);
            child.wait().expect_code(137);
            nobody_is_left(&db);
        }
        assert!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid").parse::<i32>().expect("a count") > 1);
        run(&mut migrate(&db.url(), &set)).expect_code(0);
        assert_eq!(db.one("SELECT indexrelid FROM pg_index WHERE NOT indisvalid"), theirs);
        assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE indrelid = 'item'::regclass AND indisvalid"), "2");
    }
}
