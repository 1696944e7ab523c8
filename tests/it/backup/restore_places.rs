//! Where restored rows, tables and databases lie: partitions, tablespaces, names.

use dbctl::pg::sandbox::Options;

use super::restore::{databases, one_of, restore};
use super::{Place, create, create_at, run, verify};
use crate::harness::{Database, eventually, majors, private_server};

/// A row that goes in through its root may land in another partition, whose columns stand in another order.
#[test]
fn hash_partitions_with_their_columns_in_any_order_come_back() {
    for major in majors() {
        let (db, place) = (Database::on(major), Place::new());
        db.sql(
            "CREATE TYPE public.e AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'); \
             CREATE TABLE public.r (k public.e, v text, n int, z int[]) PARTITION BY HASH (k); \
             CREATE TABLE public.r0 PARTITION OF public.r FOR VALUES WITH (MODULUS 2, REMAINDER 0); \
             CREATE TABLE public.r1 (z int[], n int, gone int, v text, k public.e); ALTER TABLE public.r1 DROP gone; \
             ALTER TABLE public.r ATTACH PARTITION public.r1 FOR VALUES WITH (MODULUS 2, REMAINDER 1); \
             INSERT INTO public.r SELECT k, 'v' || k || i, i, ARRAY[i, NULL] FROM unnest(enum_range(NULL::public.e)) AS k, \
             generate_series(1, 5) AS i",
        );
        run(&mut create(&db, &place, &[])).expect_code(0);
        let rows = "SELECT string_agg(r::text, ';' ORDER BY r.*) FROM public.r";
        // Of one partition all that share its root come along: nobody knows where its rows will lie.
        for (number, more) in [&[][..], &["--table", "public.r0"]].into_iter().enumerate() {
            let copy = format!("{}_copy{number}", db.name());
            run(restore(&db, &place, &["--to-database", &copy]).args(more)).expect_code(0);
            assert_eq!(one_of(&db, &copy, rows), db.one(rows), "{more:?} on {major}");
            db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
        }
    }
}

/// Extensions' own tables may refer to each other, and are there with their foreign keys before the rows are.
#[test]
fn tables_of_extensions_with_foreign_keys_come_back() {
    let newest = majors().into_iter().max().unwrap();
    if newest < 18 {
        eprintln!("skipped: extensions outside of the server's own folder are known from PostgreSQL 18 on");
        return;
    }
    let server = private_server(&Options { major: Some(newest), ..Options::default() });
    let db = Database::at(&server);
    let folder = tempfile::tempdir().unwrap();
    let extension = folder.path().join("extension");
    std::fs::create_dir(&extension).unwrap();
    std::fs::write(extension.join("partish.control"), "default_version = '1'\nrelocatable = false\nschema = part\n")
        .unwrap();
    let sql = "CREATE TABLE part.zconfig (parent text PRIMARY KEY, note text); \
               CREATE TABLE part.config_sub (parent text PRIMARY KEY REFERENCES part.zconfig ON DELETE CASCADE, n int); \
               SELECT pg_extension_config_dump('part.zconfig', ''); SELECT pg_extension_config_dump('part.config_sub', '');";
    std::fs::write(extension.join("partish--1.sql"), sql).unwrap();
    for path in [folder.path(), extension.as_path()] {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    db.sql(&format!("ALTER SYSTEM SET extension_control_path = '$system:{}'", folder.path().display()));
    db.sql("SELECT pg_reload_conf()");
    let db = db.reconnected();
    db.sql("CREATE SCHEMA part");
    eventually("the path is known", || {
        db.one("SELECT count(*) FROM pg_available_extensions WHERE name = 'partish'") == "1"
    });
    db.sql(
        "CREATE EXTENSION partish; INSERT INTO part.zconfig SELECT i, 'n' FROM generate_series(1, 10) AS i; \
         INSERT INTO part.config_sub SELECT i, repeat('1', 9)::int FROM generate_series(1, 10) AS i",
    );
    let place = Place::new();
    run(&mut create(&db, &place, &[])).expect_code(0);
    let copy = format!("{}_copy", db.name());
    run(&mut restore(&db, &place, &["--to-database", &copy, "--jobs", "3"])).expect_code(0);
    let count = "SELECT count(*) FROM part.zconfig NATURAL JOIN part.config_sub";
    assert_eq!(one_of(&db, &copy, count), "10");
}

/// Where tablespaces are missing, what lay there goes to the default, and that is said.
#[test]
fn tablespaces_are_kept_where_they_are_there() {
    let (source, other) = (private_server(&Options::default()), private_server(&Options::default()));
    let db = Database::at(&source);
    let name = db.name().to_owned();
    let beside = db.session_with(|config| {
        config.dbname("postgres");
    });
    for sql in [
        "SET allow_in_place_tablespaces = on",
        "CREATE TABLESPACE \"fast'1\" LOCATION ''",
        "CREATE TABLESPACE home LOCATION ''",
        &format!("ALTER DATABASE {name} SET TABLESPACE home"),
    ] {
        beside.sql(sql);
    }
    db.sql("CREATE TABLE public.t (i int PRIMARY KEY) TABLESPACE \"fast'1\"; INSERT INTO public.t SELECT generate_series(1, 9)");
    let place = Place::new();
    run(&mut create(&db, &place, &[])).expect_code(0);
    let manifest = place.manifest();
    assert_eq!(
        (manifest.tablespaces, manifest.database.tablespace),
        (vec!["fast'1".to_owned()], Some("home".to_owned()))
    );
    run(&mut verify(&place, "4")).expect_code(0);
    let of = |db: &Database, name: &str| {
        let lies = "SELECT (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace) || ' ' || (SELECT spcname FROM pg_tablespace AS t \
                    INNER JOIN pg_database AS d ON d.dattablespace = t.oid WHERE datname = current_database()) FROM pg_class WHERE oid = \
                    'public.t'::regclass";
        one_of(db, name, lies)
    };
    run(&mut restore(&db, &place, &["--replace", "--yes", "--confirm-name", &name])).expect_code(0);
    let db = db.reconnected();
    assert_eq!(of(&db, &name), "fast'1 home");
    let elsewhere = Database::at(&other);
    let told = run(&mut restore(&elsewhere, &place, &["--to-database", "elsewhere"])).expect_code(0);
    for words in ["these are not here: fast'1", "home is not here"] {
        assert!(told.stderr.contains(words), "{}", told.stderr);
    }
    assert_eq!(one_of(&elsewhere, "elsewhere", "SELECT count(*) FROM public.t"), "9");
}

/// What is no name, or a template's, is known before an hour of work.
#[test]
fn names_are_checked_before_anything_is_made() {
    let (db, place) = (Database::new(), Place::new());
    db.sql("CREATE TABLE public.t AS SELECT 1 AS i");
    run(&mut create(&db, &place, &[])).expect_code(0);
    let long = "n".repeat(64);
    for (name, code, words) in [("", 64, "is no name"), (&long, 64, "is no name"), ("template1", 4, "is a template")] {
        let told = run(&mut restore(&db, &place, &["--to-database", name])).expect_code(code);
        assert!(told.stderr.contains(words), "{name}: {}", told.stderr);
    }
    assert_eq!(databases(&db), db.name());
}

/// Tables that were named one by one come back into schemas of their own, also out of databases with odd names.
#[test]
fn tables_that_were_named_come_back_with_their_schema() {
    let (db, place) = (Database::new(), Place::new());
    db.sql("CREATE SCHEMA app; CREATE TABLE app.a (x int PRIMARY KEY); INSERT INTO app.a VALUES (1), (2)");
    run(&mut create(&db, &place, &["--table", "app.a"])).expect_code(0);
    run(&mut verify(&place, "4")).expect_code(0);
    let odd = format!("{}=b'c d", db.name());
    db.session().sql(&format!("CREATE DATABASE \"{odd}\""));
    let (url, place) = (db.url().replace(db.name(), &odd.replace('=', "%3D").replace(' ', "%20")), Place::new());
    run(&mut create_at(&url, &place, &[])).expect_code(0);
    assert_eq!(place.manifest().database.name, odd);
    run(&mut verify(&place, "3")).expect_code(0);
    db.session().sql(&format!("DROP DATABASE \"{odd}\""));
}
