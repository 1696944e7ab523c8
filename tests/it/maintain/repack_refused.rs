//! Where `dbctl repack` does nothing: what is missing, what is in the way, and what it says can be done instead.

use super::repack::{answer, bloated, repack, with_extension};
use crate::harness::{Database, repack_server, run};

#[test]
fn without_both_the_alternatives_are_told() {
    let db = Database::new();
    bloated(&db, "t");
    for flags in [&["--table", "t"][..], &["--table", "t", "--dry-run"]] {
        let refused = run(&mut repack(&db, flags)).expect_code(4);
        for word in [
            "has no REPACK (19 has)",
            &format!("apt-get install postgresql-{}-repack", db.major()),
            "CREATE EXTENSION pg_repack",
            "dbctl vacuum --full --table public.t",
            "ACCESS EXCLUSIVE",
            "partition",
        ] {
            assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
        }
    }
    assert_eq!(db.one("SELECT to_regnamespace('dbctl')"), "NULL");
}

#[test]
fn without_the_extension_the_sql_that_creates_it_is_told() {
    let Some(server) = repack_server() else { return };
    let db = Database::at(server);
    bloated(&db, "t");
    let refused = run(&mut repack(&db, &["--table", "t"])).expect_code(4);
    assert!(refused.stderr.contains("as superuser: CREATE EXTENSION pg_repack"), "{}", refused.stderr);
}

#[test]
fn a_program_of_another_version_is_refused_with_the_way_out() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let version = db.one("SELECT extversion FROM pg_extension WHERE extname = 'pg_repack'");
    // As after an upgrade of the package.
    db.sql("UPDATE pg_extension SET extversion = '1.4.0' WHERE extname = 'pg_repack'");
    let refused = run(&mut repack(&db, &["--table", "t"])).expect_code(4);
    for word in ["1.4.0", &format!("found: {version} (/"), "DROP EXTENSION pg_repack; CREATE EXTENSION pg_repack"] {
        assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
    }
    let none = run(&mut repack(&db, &["--table", "t", "--pg-bin", "/nowhere"])).expect_code(4);
    assert!(none.stderr.contains("has no program pg_repack") && none.stderr.contains("--pg-bin"), "{}", none.stderr);
}

#[test]
fn event_triggers_stop_it_before_the_beginning() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    db.sql(
        "CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION told()",
    );
    let refused = run(&mut repack(&db, &["--table", "t"])).expect_code(4);
    assert!(refused.stderr.contains("ALTER EVENT TRIGGER watch DISABLE"), "{}", refused.stderr);
    db.sql("ALTER EVENT TRIGGER watch DISABLE");
    answer(&db, &["--table", "t"], 0);
}

#[test]
fn tables_that_cannot_be_written_anew_are_named_with_the_reason() {
    let Some(db) = with_extension() else { return };
    for table in ["keyless", "unlogged", "half", "prepared"] {
        bloated(&db, table);
    }
    db.sql("ALTER TABLE keyless DROP CONSTRAINT keyless_pkey; CREATE UNIQUE INDEX ON keyless (part, id)");
    db.sql("ALTER TABLE keyless ALTER id DROP NOT NULL; ALTER TABLE unlogged SET UNLOGGED");
    db.sql("VACUUM (ANALYZE) unlogged");
    db.sql("DELETE FROM unlogged WHERE id % 16 <> 0");
    db.sql("VACUUM (ANALYZE) unlogged");
    db.sql("UPDATE half SET part = 1");
    db.try_sql("CREATE UNIQUE INDEX CONCURRENTLY half_part ON half (part)").unwrap_err();
    db.sql("VACUUM (ANALYZE) half");
    db.sql("BEGIN; LOCK TABLE prepared IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'held one'");
    let flags = ["--table", "keyless", "--table", "unlogged", "--table", "half", "--table", "prepared"];
    let refused = answer(&db, &flags, 4);
    for (table, word) in [
        ("public.keyless", "primary key"),
        ("public.unlogged", "unlogged"),
        ("public.half", "half_part is invalid"),
        ("public.prepared", "held one"),
    ] {
        let row = refused["skipped"].as_array().unwrap().iter().find(|row| row["table"] == table);
        assert!(row.is_some_and(|row| row["why"].as_str().unwrap().contains(word)), "{table}: {refused}");
    }
    db.sql("ROLLBACK PREPARED 'held one'");
    let partly = answer(&db, &flags, 5);
    assert_eq!(partly["tables"][0]["outcome"], "done", "{partly}");
}

#[test]
fn a_role_without_the_rights_is_told_which() {
    let Some(db) = with_extension() else { return };
    let role = format!("owner_of_{}", db.name());
    bloated(&db, "t");
    db.sql(&format!("CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}", db.name()));
    let by = |flags: &[&str]| {
        let mut command = crate::harness::dbctl(&["repack", "--database-url", &db.url_as(&role)]);
        run(command.args(flags)).expect_code(77)
    };
    let foreign = by(&["--table", "t", "--force", "--yes"]);
    assert!(foreign.stdout.contains("only its owner and a superuser"), "{}", foreign.stdout);
    db.sql(&format!("ALTER TABLE t OWNER TO {role}"));
    let owner = by(&["--table", "t"]);
    assert!(owner.stderr.contains("1.5.2"), "{}", owner.stderr);
    db.sql(&format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn what_is_not_there_or_not_said_is_a_wrong_command_line() {
    let db = Database::new();
    for flags in [&["--table", "nowhere"][..], &["--schema", "nowhere"], &[], &["--force"], &["--clean", "--bloated"]] {
        run(&mut repack(&db, flags)).expect_code(64);
    }
    let nothing = answer(&db, &["--bloated"], 0);
    assert_eq!(nothing["kind"], "repack.done");
}
