//! What a backup holds is what the database held at one moment.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use dbctl::backup::create::plan;
use dbctl::backup::manifest::{Globals, Role};
use dbctl::backup::rows::{Form, RowSum};

use super::{Place, create, create_at, filled, json, run, verify};
use crate::archive::zoo::ZOO;
use crate::harness::{Database, default_server, majors};

#[test]
fn every_row_of_every_table_is_counted_and_every_file_is_private() {
    let (db, place) = (filled(), Place::new());
    let made = run(create(&db, &place, &["--format", "json"]).arg("--jobs=3")).expect_code(0);
    let manifest = place.manifest();
    assert_eq!(json(&made.stdout)["backup"], manifest.id.as_str());
    for table in &manifest.tables {
        let rows = db.one(&format!("SELECT count(*) FROM ONLY {}", table.table_name()));
        assert_eq!(table.rows.to_string(), rows, "{}", table.name);
        assert_eq!(table.chunks.is_empty(), table.rows == 0);
    }
    let names: Vec<&str> = manifest.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["customers", "nothing", "orders_2025", "orders_2026"]);
    assert_eq!((manifest.large_objects, manifest.globals), (1, Globals::WithPasswords));
    assert_eq!(manifest.materialized_views, ["public.totals", "public.best"]);
    let sequences: Vec<(&str, i64)> = manifest.sequences.iter().map(|s| (s.name.as_str(), s.last_value)).collect();
    assert_eq!(sequences, [("customers_id_seq", 500), ("orders_id_seq", 6000)]);
    for part in &manifest.files {
        let mode = std::fs::metadata(place.backups()[0].join(&part.file.path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", part.file.path);
    }
    let proven = run(&mut verify(&place, "2")).expect_code(0);
    assert_eq!(json(&proven.stdout)["good"], true);
}

/// On every server: types of all sorts, odd names, generated columns, row security of an owner.
#[test]
fn the_zoo_is_backed_up_on_every_server() {
    for major in majors() {
        let (db, place) = (Database::on(major), Place::new());
        db.sql(ZOO);
        run(&mut create(&db, &place, &[])).expect_code(0);
        let manifest = place.manifest();
        assert_eq!((manifest.server.major, manifest.tables[0].rows), (major, 303));
        assert!(!manifest.tables[0].columns.contains(&"g".to_owned()), "a generated column has no data");
        let simple = &manifest.tables[1];
        assert_eq!((&manifest.tables[0].form, simple.name.as_str()), (&Form::Text, "simple"));
        let Form::Binary { arrays } = &simple.form else { panic!("{:?}", simple.form) };
        let arrays: Vec<_> = arrays.iter().map(|&at| simple.columns[usize::from(at)].as_str()).collect();
        assert_eq!(arrays, ["ia", "ta", "ma", "holes", "scores", "moments", "documents"]);
        assert!(simple.chunks[0].path.ends_with(".bin.zst"), "{:?}", simple.chunks);
        run(&mut verify(&place, "2")).expect_code(0);
    }
}

/// The order in which rows lie is no part of what they come to.
#[test]
fn rows_come_to_the_same_wherever_they_lie() {
    let (db, place, again) = (filled(), Place::new(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql("CREATE INDEX by_note ON public.orders_2025 (note DESC); CLUSTER public.orders_2025 USING by_note");
    run(&mut create(&db, &again, &[])).expect_code(0);
    let content = |place: &Place| place.manifest().tables.iter().map(|table| table.content.clone()).collect::<Vec<_>>();
    assert_eq!(content(&place), content(&again));
    db.sql("UPDATE public.orders_2025 SET total = total + 0.01 WHERE id = 5");
    let third = Place::new();
    run(&mut create(&db, &third, &[])).expect_code(0);
    assert_ne!(content(&again), content(&third));
}

/// The parts of a large table are all of it, and no row twice.
#[test]
fn the_parts_of_a_large_table_are_the_table() {
    let db = Database::new();
    db.sql("CREATE TABLE public.large AS SELECT i, repeat('x', 200) AS note FROM generate_series(1, 20000) AS i; DELETE FROM public.large WHERE i % 7 = 0");
    let pages: u64 = db.one("SELECT pg_relation_size('public.large') / 8192").parse().unwrap();
    let relation = dbctl::backup::read::Relation {
        oid: 0,
        name: dbctl::ident::TableName::new("public", "large"),
        foreign: false,
        unlogged: false,
        // As if each page were a thousand times as large.
        heap_bytes: pages * 8192 * 1000,
        pages,
        columns: vec!["i".to_owned(), "note".to_owned()],
        form: Form::Text,
        condition: None,
        hides_rows: false,
        may_read: true,
        root: None,
    };
    let pieces = plan::pieces(&[relation], "UTF8", 2);
    assert!(pieces.len() > 10, "{}", pieces.len());
    let read = |sql: &str| {
        let psql = default_server().installation().bin_dir.join("psql");
        let output = Command::new(psql).args(["-X", "-q", "-d", &db.url(), "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut sum = RowSum::default();
        sum.add(&output.stdout);
        sum
    };
    let (whole, mut parts) = (read("COPY public.large TO STDOUT"), RowSum::default());
    pieces.iter().for_each(|piece| parts.join(&read(&piece.sql)));
    assert_eq!((parts.rows(), parts.content()), (whole.rows(), whole.content()));
}

/// While money moves between accounts, a backup never sees it twice or not at all.
#[test]
fn a_backup_is_of_one_moment() {
    let (db, place) = (Database::new(), Place::new());
    for table in ["a", "b", "c", "d"] {
        // A table with a range is text in a backup, which can be read here.
        db.sql(&format!("CREATE TABLE public.{table} (id int PRIMARY KEY, money int, seen int4range); INSERT INTO public.{table} SELECT i, 100 FROM generate_series(1, 20000) AS i"));
    }
    let (mover, over) = (db.session(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            while !over.load(Ordering::SeqCst) {
                at = at % 20000 + 1;
                mover.sql(&format!("BEGIN; UPDATE public.a SET money = money - 1 WHERE id = {at}; UPDATE public.d SET money = money + 1 WHERE id = {at}; COMMIT"));
            }
        });
        let made = run(&mut create(&db, &place, &["--jobs", "4"]));
        over.store(true, Ordering::SeqCst);
        made.expect_code(0);
    });
    let manifest = place.manifest();
    let mut money = 0;
    for table in &manifest.tables {
        for chunk in &table.chunks {
            let file = std::fs::File::open(place.backups()[0].join(&chunk.path)).unwrap();
            let text = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
            money += text.lines().map(|line| line.split('\t').nth(1).unwrap().parse::<i64>().unwrap()).sum::<i64>();
        }
    }
    assert_eq!(money, 4 * 20000 * 100);
}

#[test]
fn a_part_of_a_database_is_what_was_named() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &["--table", "public.orders*", "--exclude", "*.orders_2026"])).expect_code(0);
    let manifest = place.manifest();
    let names: Vec<&str> = manifest.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["orders_2025"]);
    assert_eq!(manifest.left_out[0].name, "public.orders_2026");
    let none = run(&mut create(&db, &Place::new(), &["--table", "public.order"])).expect_code(64);
    assert!(none.stderr.contains("--table public.order: there is no such table"), "{}", none.stderr);
}

/// A role that may read the rows needs no more; whether it may read the passwords of roles is said.
#[test]
fn a_role_that_may_read_is_enough() {
    let db = filled();
    // Two roles: a right that was taken back may be given again by who restores the roles of this server meanwhile.
    let (reader, some_reader) = (format!("reader_{}", db.name()), format!("some_reader_{}", db.name()));
    db.sql(&format!(
        "CREATE ROLE {reader} LOGIN; GRANT pg_read_all_data TO {reader};
         CREATE ROLE {some_reader} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {some_reader};
         GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {some_reader}"
    ));
    let backed_up = |role: &str, place: &Place, more: &[&str]| run(&mut create_at(&db.url_as(role), place, more));
    // Nobody but owners and superusers reads large objects.
    let closed = backed_up(&reader, &Place::new(), &[]);
    let (all, some) = (Place::new(), Place::new());
    let made = backed_up(&reader, &all, &["--no-large-objects"]);
    let told = backed_up(&some_reader, &some, &["--no-large-objects"]);
    db.sql(&format!("DROP OWNED BY {reader}, {some_reader}; DROP ROLE {reader}, {some_reader}"));
    let closed = closed.expect_code(77);
    assert!(closed.stderr.contains("may not read 1 large objects"), "{}", closed.stderr);
    made.expect_code(0);
    let manifest = all.manifest();
    assert_eq!((manifest.large_objects, manifest.left_out[0].name.as_str()), (0, "1 large objects"));
    assert_eq!(manifest.globals, Globals::WithPasswords);
    let told = told.expect_code(0);
    assert!(told.stdout.contains("may not read passwords"), "{}", told.stdout);
    assert_eq!(some.manifest().globals, Globals::WithoutPasswords);
    assert!(some.manifest().file(Role::Globals).is_ok());
}

/// A second place has the same bytes; one that fails is told apart from the first.
#[test]
fn a_second_place_has_its_own_end() {
    let (db, place, second) = (filled(), Place::new(), Place::new());
    run(&mut create(&db, &place, &["--also", &second.url()])).expect_code(0);
    assert_eq!(place.manifest(), second.manifest());
    run(&mut verify(&second, "2")).expect_code(0);
    let third = Place::new();
    let partly = run(&mut create(&db, &third, &["--also", "/proc/nowhere", "--format", "json"])).expect_code(5);
    assert_eq!(json(&partly.stdout)["copies"][0]["good"], false);
    assert!(partly.stderr.contains("/proc/nowhere"), "{}", partly.stderr);
    run(&mut verify(&third, "2")).expect_code(0);
}
