//! A backup meets a server that is not like its own: older, without an extension, with a full disk.

use std::os::unix::fs::PermissionsExt as _;

use dbctl::backup::Manifest;
use dbctl::pg::sandbox::Options;
use dbctl::pg::sandbox::binaries;

use super::restore::{databases, one_of, restore};
use super::{Place, create, fill, filled, json, run};
use crate::harness::{Database, private_server};

/// The lowest and the highest major that are installed; one and the same says nothing.
pub(super) fn ends() -> Option<(u32, u32)> {
    let all: Vec<u32> =
        binaries::find().iter().map(|found| found.major).filter(|major| (14..=18).contains(major)).collect();
    let (low, high) = (*all.iter().min()?, *all.iter().max()?);
    (low < 17 && high >= 17).then_some((low, high))
}

const ROWS: &str = "SELECT md5(string_agg(o::text, '|' ORDER BY id)) || (SELECT last_value FROM public.orders_id_seq)
    || (SELECT count(*) FROM public.best) || (SELECT string_agg(indexdef, '|' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public')
    || (SELECT string_agg(conname, '|' ORDER BY conname) FROM pg_constraint WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace) || (SELECT count(*) FROM pg_largeobject_metadata)
    FROM public.orders AS o";

/// The setting that pg_restore begins with, a setting of the database, ICU: what a database may have that is newer.
#[test]
fn an_older_server_takes_what_it_knows_and_refuses_the_rest_before_it_begins() {
    let Some((low, high)) = ends() else { return };
    let (new, old, place) = (Database::on(high), Database::on(low), Place::new());
    fill(&new);
    new.sql(&format!(
        "ALTER DATABASE {0} SET transaction_timeout = '1h'; ALTER DATABASE {0} SET work_mem = '7MB'",
        new.name()
    ));
    run(&mut create(&new, &place, &[])).expect_code(0);
    let copy = format!("{}_old", old.name());
    let done = run(&mut restore(&old, &place, &["--to-database", &copy, "--jobs", "2"])).expect_code(0);
    let has = one_of(&old, &copy, ROWS);
    let settings = old.one(&format!("SELECT setconfig::text FROM pg_db_role_setting AS s, pg_database AS d WHERE d.oid = setdatabase AND datname = '{copy}'"));
    old.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
    assert_eq!(has, new.one(ROWS));
    assert_eq!(settings, "{work_mem=7MB}");
    assert!(done.stderr.contains("setting transaction_timeout is not known"), "{}", done.stderr);

    new.sql("CREATE TABLE public.newer (a int, b int, UNIQUE NULLS NOT DISTINCT (a)); CREATE VIEW public.v WITH (security_invoker) AS SELECT 1 AS one");
    let place = Place::new();
    run(&mut create(&new, &place, &[])).expect_code(0);
    if low < 15 {
        let refused = run(&mut restore(&old, &place, &["--to-database", &copy])).expect_code(4);
        for part in
            ["table:public.newer/unique:newer_a_key: NULLS NOT DISTINCT, of 15", "view:public.v", "nothing was touched"]
        {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
    }
    assert_eq!(databases(&old), old.name());
}

#[test]
fn a_disk_that_is_too_small_and_a_missing_package_are_told_before_anything_is_touched() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let copy = format!("{}_copy", db.name());
    let file = place.backups()[0].join("manifest.json");
    let change = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = Manifest::parse(&std::fs::read(&file).unwrap(), "manifest.json").unwrap();
        change(&mut manifest);
        std::fs::write(&file, manifest.to_json().unwrap()).unwrap();
    };
    let dry = run(&mut restore(&db, &place, &["--to-database", &copy, "--dry-run", "--format", "json"])).expect_code(0);
    assert!(json(&dry.stdout)["free_bytes"].as_u64().unwrap() > 0, "{}", dry.stdout);
    change(&|manifest| manifest.database.bytes = 1 << 60);
    let dry = run(&mut restore(&db, &place, &["--to-database", &copy, "--dry-run", "--format", "json"])).expect_code(0);
    assert!(dry.stdout.contains("it may not fit"), "{}", dry.stdout);
    change(&|manifest| {
        let table = manifest.tables.iter_mut().find(|table| table.name == "customers").unwrap();
        (table.heap_bytes, table.plain_bytes) = (1 << 60, 1 << 60);
    });
    let refused = run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(4);
    assert!(refused.stderr.contains("the rows alone need more than"), "{}", refused.stderr);

    change(&|manifest| {
        let extension = |name: &str| {
            serde_json::from_value(serde_json::json!({"name": name, "version": "1.0", "schema": "public"})).unwrap()
        };
        manifest.extensions.extend([extension("postgis"), extension("pg_qualstats")]);
    });
    let refused = run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(4);
    let major = db.major();
    assert!(refused.stderr.contains(&format!("apt-get install postgresql-{major}-postgis-3")), "{}", refused.stderr);
    assert_eq!(databases(&db), db.name());
}

/// Something that behaves as pg_cron does: it can be made in one database, has a table of jobs, and grants on it.
#[test]
fn pg_cron_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let extension = folder.path().join("extension");
    std::fs::create_dir(&extension).unwrap();
    let write = |name: &str, text: &str| std::fs::write(extension.join(name), text).unwrap();
    write("pg_cron.control", "default_version = '1.6'\nrelocatable = false\nschema = pg_catalog\n");
    write(
        "pg_cron--1.6.sql",
        "DO $$ BEGIN IF current_database() <> current_setting('cron.database_name') THEN RAISE 'can only create extension in database %', current_setting('cron.database_name'); END IF; END $$;
         CREATE SCHEMA cron; CREATE SEQUENCE cron.jobid_seq; CREATE TABLE cron.job (jobid bigint PRIMARY KEY DEFAULT nextval('cron.jobid_seq'), command text);
         SELECT pg_catalog.pg_extension_config_dump('cron.job', ''); SELECT pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');",
    );
    for path in [folder.path(), &extension] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let Some(major) = binaries::find().iter().map(|found| found.major).find(|major| *major == 18) else { return };
    let path = format!("{}:$system", folder.path().display());
    let settings = vec![("extension_control_path".to_owned(), path)];
    let server = private_server(&Options { major: Some(major), settings, ..Options::default() });
    let (db, place) = (Database::at(&server), Place::new());
    fill(&db);
    db.sql(&format!(
        "SET cron.database_name = '{}'; CREATE EXTENSION pg_cron; COMMENT ON EXTENSION pg_cron IS 'jobs'; INSERT INTO cron.job (command) VALUES ('VACUUM');
         CREATE ROLE worker; GRANT USAGE ON SCHEMA cron TO worker; GRANT SELECT ON cron.job TO worker",
        db.name()
    ));
    run(&mut create(&db, &place, &[])).expect_code(0);
    let name = db.name().to_owned();
    let done = run(&mut restore(&db, &place, &["--replace", "--yes", "--confirm-name", &name])).expect_code(0);
    assert!(done.stderr.contains("cron.schedule() for each job"), "{}", done.stderr);
    let db = db.reconnected();
    assert_eq!(db.one("SELECT count(*) FROM public.customers"), "500");
    assert_eq!(db.one("SELECT count(*) FROM pg_extension WHERE extname = 'pg_cron'"), "0");
}
