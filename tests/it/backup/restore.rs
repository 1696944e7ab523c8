//! Backups become databases again: beside the living one, in its place and back, after kills, never half.

use std::time::Duration;

use dbctl::backup::rows::Form;
use nix::sys::signal::Signal;

use super::{Place, create, fill, filled, json, run};
use crate::archive::zoo::ZOO;
use crate::harness::{Database, dbctl, eventually, majors, spawn};

/// `dbctl restore latest` on the server of a database.
pub(super) fn restore(db: &Database, place: &Place, more: &[&str]) -> std::process::Command {
    let mut command = dbctl(&["restore", "latest", "--from", &place.url()]);
    command.args(more).env("DATABASE_URL", db.url());
    command
}

fn after(db: &Database, verb: &str, more: &[&str]) -> std::process::Command {
    let mut command = dbctl(&["restore", verb, "--to-database", db.name()]);
    command.args(more).env("DATABASE_URL", db.url());
    command
}

/// psql-like: one value out of another database of the server.
pub(super) fn one_of(db: &Database, name: &str, sql: &str) -> String {
    db.session_with(|config| {
        config.dbname(name);
    })
    .one(sql)
}

pub(super) fn databases(db: &Database) -> String {
    let name = db.name();
    db.one(&format!(
        "SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_database WHERE datname LIKE '{name}%'"
    ))
}

const CONTENT: &str = "SELECT md5(string_agg(o::text, '|' ORDER BY id)) || (SELECT last_value FROM public.orders_id_seq)
    || (SELECT count(*) FROM public.best) || (SELECT string_agg(indexdef, '|' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public')
    || (SELECT string_agg(conname, '|' ORDER BY conname) FROM pg_constraint) || (SELECT count(*) FROM pg_largeobject_metadata)
    FROM public.orders AS o";

#[test]
fn a_restored_database_is_the_one_that_was_backed_up() {
    let (db, place) = (filled(), Place::new());
    let (name, copy) = (db.name().to_owned(), format!("{}_copy", db.name()));
    db.sql(&format!(
        "CREATE TABLE public.log (id int); CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.log VALUES (1); RETURN NEW; END';
         CREATE TRIGGER note AFTER INSERT ON public.customers FOR EACH ROW EXECUTE FUNCTION public.note();
         COMMENT ON DATABASE {name} IS 'it''s the shop'; ALTER DATABASE {name} SET search_path TO \"$user\", app;
         ALTER DATABASE {name} SET work_mem = '5MB'; REVOKE ALL ON DATABASE {name} FROM PUBLIC; ALTER DATABASE {name} CONNECTION LIMIT 77"
    ));
    run(&mut create(&db, &place, &[])).expect_code(0);
    let dry = run(&mut restore(&db, &place, &["--to-database", &copy, "--dry-run"])).expect_code(0);
    assert!(dry.stdout.contains("TEMPLATE template0"), "{}", dry.stdout);
    let taken = run(&mut restore(&db, &place, &[])).expect_code(4);
    assert!(taken.stderr.contains("is there already"), "{}", taken.stderr);
    let done = run(&mut restore(&db, &place, &["--to-database", &copy, "--format", "json"])).expect_code(0);
    assert_eq!(json(&done.stdout)["rows"], 6500);
    assert_eq!(one_of(&db, &copy, CONTENT), db.one(CONTENT));
    assert_eq!(one_of(&db, &copy, "SELECT count(*) FROM public.log"), "0", "no trigger fires while rows go in");
    let hung = |name: &str| {
        format!(
        "SELECT shobj_description(d.oid, 'pg_database') || d.datconnlimit || d.datacl::text || (SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid)
         FROM pg_database AS d WHERE datname = '{name}'"
    )
    };
    assert_eq!(db.one(&hung(&copy)), db.one(&hung(&name)));
    db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
    assert_eq!(databases(&db), name);
}

/// On every server: types of all sorts, odd names, generated columns.
#[test]
fn the_zoo_is_restored_on_every_server() {
    for major in majors() {
        let (db, place) = (Database::on(major), Place::new());
        db.sql(ZOO);
        run(&mut create(&db, &place, &[])).expect_code(0);
        let copy = format!("{}_copy", db.name());
        run(&mut restore(&db, &place, &["--to-database", &copy, "--jobs", "3"])).expect_code(0);
        for table in ["\"Zoo\"", "simple"] {
            let rows = format!("SELECT string_agg(t::text, E'\\n' ORDER BY id) FROM \"Odd \"\"schema\".{table} AS t");
            assert_eq!(one_of(&db, &copy, &rows), one_of(&db, db.name(), &rows), "{table} on {major}");
        }
        db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
    }
}

/// What else than UTF8 would have to be converted, and SQL_ASCII is nothing that could be.
#[test]
fn other_encodings_go_as_text_and_come_back() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let (db, place) = (Database::encoded(encoding), Place::new());
        db.sql("CREATE TABLE public.t AS SELECT i, 'é' AS note FROM generate_series(1, 10) AS i");
        run(&mut create(&db, &place, &[])).expect_code(0);
        assert_eq!(place.manifest().tables[0].form, Form::Text, "{encoding}");
        let copy = format!("{}_copy", db.name());
        run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(0);
        let bytes = "SELECT string_agg(encode(convert_to(note, getdatabaseencoding()), 'hex'), ' ') FROM public.t";
        assert_eq!(one_of(&db, &copy, bytes), db.one(bytes), "{encoding}");
        db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
    }
}

#[test]
fn the_living_database_is_swapped_kept_brought_back_and_dropped() {
    let (db, place) = (filled(), Place::new());
    let name = db.name().to_owned();
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql(&format!("UPDATE public.customers SET name = 'changed'; COMMENT ON DATABASE {name} IS 'living'"));
    let count = "SELECT count(*) FROM public.customers WHERE name = 'changed'";
    let refused = run(&mut restore(&db, &place, &["--replace", "--yes"])).expect_code(4);
    assert!(refused.stderr.contains("--confirm-name"), "{}", refused.stderr);
    run(&mut restore(&db, &place, &["--replace", "--yes", "--confirm-name", "other"])).expect_code(4);
    let done = run(&mut restore(&db, &place, &["--replace", "--yes", "--confirm-name", &name, "--format", "json"]))
        .expect_code(0);
    let kept = json(&done.stdout)["kept"].as_str().unwrap().to_owned();
    let db = db.reconnected();
    assert_eq!(db.one(count), "0");
    let comment = format!("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'");
    assert_eq!(db.one(&comment), "living", "what hangs on the name is the living one's");
    assert_eq!(db.one(&format!("SELECT datallowconn FROM pg_database WHERE datname = '{kept}'")), "f");
    let mut list = dbctl(&["restore", "list", "--format", "json"]);
    let list = run(list.env("DATABASE_URL", db.url())).expect_code(0);
    assert!(list.stdout.contains(&kept), "{}", list.stdout);

    run(&mut after(&db, "undo", &[])).expect_code(4);
    run(&mut after(&db, "undo", &["--yes"])).expect_code(0);
    let db = db.reconnected();
    assert_eq!(db.one(count), "500");
    assert_eq!(db.one(&comment), "living");
    run(&mut after(&db, "confirm", &["--yes", "--older-than", "1d"])).expect_code(0);
    assert!(databases(&db).contains("_restored_"));
    run(&mut after(&db, "confirm", &["--yes"])).expect_code(0);
    assert_eq!(databases(&db), name);
}

#[test]
fn a_damaged_backup_is_refused_before_anything_is_touched() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let chunk = place.manifest().tables[0].chunks[0].path.clone();
    let file = place.backups()[0].join(chunk);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let copy = format!("{}_copy", db.name());
    let refused = run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(4);
    assert!(refused.stderr.contains("is damaged; nothing was touched"), "{}", refused.stderr);
    assert_eq!(databases(&db), db.name());
}

#[test]
fn a_missing_role_is_told_made_or_skipped() {
    let (db, place) = (Database::new(), Place::new());
    let role = format!("gone_{}", db.name());
    db.sql(&format!("CREATE ROLE {role}; CREATE TABLE public.t (id int); ALTER TABLE public.t OWNER TO {role}; GRANT SELECT ON public.t TO PUBLIC"));
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let copy = format!("{}_copy", db.name());
    let refused = run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(4);
    assert!(refused.stderr.contains(&role), "{}", refused.stderr);
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 't'";
    run(&mut restore(&db, &place, &["--to-database", &copy, "--skip-missing-roles"])).expect_code(0);
    assert_eq!(one_of(&db, &copy, owner), one_of(&db, &copy, "SELECT current_user::text"));
    assert_eq!(db.one(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")), "0");
    db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
    run(&mut restore(&db, &place, &["--to-database", &copy, "--create-missing-roles"])).expect_code(0);
    assert_eq!(one_of(&db, &copy, owner), role);
    db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
    db.sql(&format!("DROP ROLE {role}"));
}

#[test]
fn a_part_is_restored_beside_and_foreign_keys_are_told() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let part = format!("{}_part", db.name());
    let done =
        run(&mut restore(&db, &place, &["--to-database", &part, "--table", "public.orders_2025", "--format", "json"]))
            .expect_code(0);
    assert!(json(&done.stdout)["foreign_keys"].to_string().contains("orders_customer_fkey"), "{}", done.stdout);
    assert_eq!(one_of(&db, &part, "SELECT count(*) FROM public.customers"), "0");
    assert_ne!(one_of(&db, &part, "SELECT count(*) FROM public.orders"), "0");
    db.sql(&format!("DROP DATABASE {part} WITH (FORCE)"));
}

/// An index that takes its time: rows are in and proven then.
pub(super) fn slow() -> Database {
    slow_on(Database::new())
}

pub(super) fn slow_on(db: Database) -> Database {
    fill(&db);
    db.sql(
        "CREATE TABLE public.slow AS SELECT i FROM generate_series(1, 1500) AS i;
         CREATE FUNCTION public.wait(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(0.0005); RETURN i; END';
         CREATE INDEX slow_wait ON public.slow (public.wait(i))",
    );
    db
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_the_living_database_alone() {
    let (db, place) = (slow(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql("UPDATE public.customers SET name = 'changed'");
    let name = db.name().to_owned();
    let mut died = 0;
    for step in 0..8 {
        let mut child = spawn(&mut restore(&db, &place, &["--replace", "--yes", "--confirm-name", &name]));
        std::thread::sleep(Duration::from_millis(60 + step * 170));
        if child.has_ended() {
            break;
        }
        child.signal(Signal::SIGKILL);
        died += 1;
        child.wait();
        assert_eq!(db.one("SELECT count(*) FROM public.customers WHERE name = 'changed'"), "500");
    }
    assert!(died > 0, "no run was hit");
    run(&mut restore(&db, &place, &["--replace", "--yes", "--confirm-name", &name])).expect_code(0);
    let db = db.reconnected();
    assert_eq!(db.one("SELECT count(*) FROM public.customers WHERE name = 'changed'"), "0");
}

#[test]
fn a_run_killed_at_its_indexes_is_gone_on_with() {
    let (db, place) = (slow(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let copy = format!("{}_copy", db.name());
    let nothing = run(&mut restore(&db, &place, &["--to-database", &copy, "--resume"])).expect_code(1);
    assert!(nothing.stderr.contains("nothing of backup"), "{}", nothing.stderr);
    let child = spawn(&mut restore(&db, &place, &["--to-database", &copy]));
    let left = format!(
        "SELECT count(*) FROM pg_database WHERE datname LIKE '{copy}_restore_%' AND shobj_description(oid, 'pg_database') LIKE '%\"proven\"%'"
    );
    eventually("the rows are proven", || db.one(&left) == "1");
    child.signal(Signal::SIGKILL);
    child.wait();
    assert_eq!(db.one(&format!("SELECT count(*) FROM pg_database WHERE datname = '{copy}'")), "0");
    let done = run(&mut restore(&db, &place, &["--to-database", &copy, "--resume", "--format", "json"])).expect_code(0);
    let phases = json(&done.stdout)["phases"].to_string();
    assert!(!phases.contains("rows") && phases.contains("indexes"), "rows are not loaded twice: {phases}");
    assert_eq!(one_of(&db, &copy, CONTENT), db.one(CONTENT));
    db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
}

/// A part whose rows are proven is not the whole, whoever goes on with it.
#[test]
fn what_is_left_of_a_part_is_not_gone_on_with_as_the_whole() {
    let (db, place) = (slow(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let copy = format!("{}_copy", db.name());
    let part = ["--to-database", &copy, "--table", "public.slow"];
    let left = format!(
        "SELECT count(*) FROM pg_database WHERE datname LIKE '{copy}_restore_%' AND shobj_description(oid, 'pg_database') LIKE '%\"proven\"%'"
    );
    let killed = || {
        let child = spawn(&mut restore(&db, &place, &part));
        eventually("the rows are proven", || db.one(&left) == "1");
        child.signal(Signal::SIGKILL);
        child.wait();
    };
    killed();
    let refused = run(&mut restore(&db, &place, &["--to-database", &copy, "--resume"])).expect_code(1);
    assert!(refused.stderr.contains("holds only --table public.slow"), "{}", refused.stderr);
    run(restore(&db, &place, &part).arg("--resume")).expect_code(0);
    assert_eq!(one_of(&db, &copy, "SELECT count(*) FROM public.customers"), "0");
    db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
    // It has nothing that the whole has not.
    killed();
    let done = run(&mut restore(&db, &place, &["--to-database", &copy])).expect_code(0);
    assert!(done.stderr.contains("with a part of this backup: it is dropped"), "{}", done.stderr);
    assert_eq!(db.one(&left), "0");
    db.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    let (db, place) = (slow(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let copy = format!("{}_copy", db.name());
    let child = spawn(&mut restore(&db, &place, &["--to-database", &copy]));
    eventually("it is being built", || databases(&db).contains("_restore_"));
    child.signal(Signal::SIGINT);
    let ended = child.wait();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    let left = databases(&db);
    assert!(left == db.name() || ended.stderr.contains("--resume"), "{left}: {}", ended.stderr);
}

/// Between closing the living database and changing the names.
#[test]
fn a_database_that_a_kill_left_closed_is_opened_again() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let name = db.name().to_owned();
    let other = Database::new();
    other.sql(&format!("CREATE DATABASE {name}_restore_1"));
    other.sql(&format!(
        "ALTER DATABASE {name} ALLOW_CONNECTIONS false;
         COMMENT ON DATABASE {name}_restore_1 IS 'dbctl restore: {{\"state\":\"ready\",\"backup\":\"x\",\"target\":\"{name}\",\"at\":\"2026-11-27T00:00:00Z\",\"comment\":null}}'"
    ));
    let undo = run(&mut after(&db, "undo", &["--yes"])).expect_code(1);
    assert!(undo.stderr.contains("it is open again"), "{}", undo.stderr);
    assert_eq!(db.reconnected().one("SELECT count(*) FROM public.customers"), "500");
}
