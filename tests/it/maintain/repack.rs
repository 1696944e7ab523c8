//! `dbctl repack` by pg_repack on a real server that has it: which tables, what becomes of them, what is told.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Database, dbctl, eventually, repack_server, run, spawn};

/// `dbctl repack` on a database.
pub fn repack(db: &Database, flags: &[&str]) -> Command {
    let mut command = dbctl(&["repack", "--database-url", &db.url(), "--no-progress"]);
    command.args(flags);
    command
}

/// Its answer as JSON, with this exit code.
#[track_caller]
pub fn answer(db: &Database, flags: &[&str], code: i32) -> Value {
    let run = run(repack(db, flags).args(["--format", "json"])).expect_code(code);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr))
}

/// A database with the extension, on the server that has it.
pub fn with_extension() -> Option<Database> {
    let db = Database::at(repack_server()?);
    db.sql("CREATE EXTENSION pg_repack");
    Some(db)
}

/// A table three quarters of which would be given back.
pub fn bloated(db: &Database, table: &str) {
    db.sql(&format!("CREATE TABLE {table} (id int PRIMARY KEY, part int, long text)"));
    fill(db, table);
}

/// Fills a table and empties three quarters of it, in a session that has ended then: its counters are handed on.
pub fn fill(db: &Database, table: &str) {
    for sql in [
        format!("INSERT INTO {table} SELECT i, i % 7, repeat('x', 100) FROM generate_series(1, 20000) AS g (i)"),
        format!("DELETE FROM {table} WHERE id % 4 <> 0"),
        format!("VACUUM (ANALYZE) {table}"),
    ] {
        let session = db.session();
        session.sql(&sql);
        let left = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {}", session.pid());
        drop(session);
        eventually("the session has ended", || db.one(&left) == "0");
    }
    db.sql(&format!("VACUUM (ANALYZE) {table}"));
}

/// The file of a table, which a rewrite changes.
pub fn file(db: &Database, table: &str) -> String {
    db.one(&format!("SELECT pg_relation_filenode('{}')", table.replace('\'', "''")))
}

/// Nothing of pg_repack is left on any table.
pub fn nothing_is_left(db: &Database) {
    let sql = "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname = 'repack_trigger') \
               + (SELECT count(*) FROM pg_class WHERE relnamespace = 'repack'::regnamespace AND relkind = 'r') \
               + (SELECT count(*) FROM pg_type WHERE typnamespace = 'repack'::regnamespace AND typname LIKE 'pk%')";
    assert_eq!(db.one(sql), "0");
}

/// Which tables a list of the answer is about.
pub fn tables(answer: &Value, list: &str) -> Vec<String> {
    answer[list].as_array().into_iter().flatten().map(|row| row["table"].as_str().unwrap_or("").to_owned()).collect()
}

const ODD: &str = r#""Odd "" schema"."Weird ""Name"" with space""#;

#[test]
fn rows_and_indexes_are_the_same_while_another_session_writes() {
    let Some(db) = with_extension() else { return };
    db.sql(r#"CREATE SCHEMA "Odd "" schema""#);
    bloated(&db, ODD);
    db.sql(&format!("CREATE INDEX \"an \"\"odd\"\" one\" ON {ODD} (part, lower(long)) WHERE part > 1"));
    db.sql(&format!("CREATE TABLE shadow AS SELECT * FROM {ODD}"));
    let indexes = "SELECT string_agg(indexdef, ';' ORDER BY indexdef) FROM pg_indexes \
                   WHERE tablename = 'Weird \"Name\" with space'";
    let (before, old) = (db.one(indexes), file(&db, ODD));
    let writer = db.session();
    let mut child = spawn(repack(&db, &["--table", ODD]).args(["--format", "json"]));
    for number in (100_000..).take_while(|_| !child.has_ended()) {
        for table in [ODD, "shadow"] {
            writer.sql(&format!(
                "INSERT INTO {table} VALUES ({number}, 3, 'new'); \
                 UPDATE {table} SET long = '{number}', id = -id WHERE id = {number} - 5; \
                 DELETE FROM {table} WHERE id = (({number} - 100000) * 4)"
            ));
        }
    }
    let done: Value = serde_json::from_str(&child.wait().expect_code(0).stdout).unwrap();
    assert_eq!(tables(&done, "tables"), [ODD]);
    assert_eq!((done["version"].as_i64(), done["tables"][0]["outcome"].as_str()), (Some(1), Some("done")), "{done}");
    let [shrunk, after] = ["reclaimed_bytes", "after_bytes"].map(|key| done["tables"][0][key].as_i64().unwrap());
    assert!(shrunk > after, "{done}");
    assert_ne!(file(&db, ODD), old);
    assert_eq!(db.one(indexes), before);
    for (one, other) in [(ODD, "shadow"), ("shadow", ODD)] {
        let differing = format!("SELECT count(*) FROM (TABLE {one} EXCEPT ALL TABLE {other}) AS d");
        assert_eq!(db.one(&differing), "0", "{one} has rows that {other} has not");
    }
    nothing_is_left(&db);
    let journal = "SELECT string_agg(state, ' ' ORDER BY id) FROM dbctl.journal WHERE subject LIKE 'repack:%'";
    assert_eq!(db.one(journal), "started applied");
    let again = answer(&db, &["--table", ODD], 4);
    assert!(again["skipped"][0]["why"].as_str().unwrap().contains("--force"), "{again}");
}

#[test]
fn the_bloated_are_chosen_by_an_estimate_that_is_sure() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "big");
    bloated(&db, "unsure");
    db.sql("CREATE TABLE full_one (id int PRIMARY KEY); INSERT INTO full_one SELECT generate_series(1, 50000)");
    db.sql("ANALYZE full_one; DELETE FROM pg_statistic WHERE starelid = 'unsure'::regclass");
    let plan = answer(&db, &["--bloated", "--min-size", "1MB", "--dry-run"], 0);
    assert_eq!(tables(&plan, "tables"), ["public.big"], "{plan}");
    let row = &plan["tables"][0];
    assert!(row["disk_bytes"].as_i64() > row["size_bytes"].as_i64() && row["confidence"] != "low", "{plan}");
    assert!(plan["lock"].as_str().unwrap().contains("ACCESS EXCLUSIVE for a moment"), "{plan}");
    let large = answer(&db, &["--bloated", "--min-size", "1GB", "--dry-run"], 0);
    assert!(tables(&large, "tables").is_empty(), "{large}");
    let old = ["big", "unsure", "full_one"].map(|table| file(&db, table));
    let done = answer(&db, &["--bloated", "--min-size", "1MB", "--budget", "1h", "--jobs", "2"], 0);
    assert_eq!(tables(&done, "tables"), ["public.big"], "{done}");
    let new = ["big", "unsure", "full_one"].map(|table| file(&db, table));
    assert!(new[0] != old[0] && new[1..] == old[1..]);
    let again = answer(&db, &["--bloated", "--min-size", "1MB"], 0);
    assert!(tables(&again, "tables").is_empty(), "{again}");
    let forced = run(&mut repack(&db, &["--table", "full_one", "--force"])).expect_code(4);
    assert!(forced.stderr.contains("--yes"), "{}", forced.stderr);
    answer(&db, &["--table", "full_one", "--force", "--yes"], 0);
    assert_ne!(file(&db, "full_one"), old[2]);
}

#[test]
fn a_dry_run_prints_the_programs_line_and_changes_nothing() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let old = file(&db, "t");
    let plan = answer(&db, &["--table", "t", "--dry-run", "--jobs", "3", "--lock-patience", "7s"], 0);
    let script = plan["script"].as_str().unwrap();
    for word in ["/pg_repack --no-kill-backend", "--wait-timeout=7", "--jobs=3", "--table=public.t\n"] {
        assert!(script.contains(word), "{script}");
    }
    assert!(!script.contains(db.name()), "where to connect to is not an argument: {script}");
    assert_eq!(db.one("SELECT to_regnamespace('dbctl')"), "NULL");
    assert_eq!(file(&db, "t"), old);
}

#[test]
fn partitions_are_written_anew_one_by_one() {
    let Some(db) = with_extension() else { return };
    db.sql(
        "CREATE TABLE p (id int PRIMARY KEY, part int, long text) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (20001);
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (20001) TO (30000) PARTITION BY RANGE (id);
         CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (20001) TO (30000);
         INSERT INTO p SELECT i, 1, repeat('y', 100) FROM generate_series(20001, 29999) AS g (i)",
    );
    db.sql("ANALYZE p21");
    fill(&db, "p1");
    let old = ["p1", "p21"].map(|table| file(&db, table));
    let done = answer(&db, &["--table", "p"], 0);
    assert_eq!(tables(&done, "tables"), ["public.p1"], "{done}");
    let new = ["p1", "p21"].map(|table| file(&db, table));
    assert!(new[0] != old[0] && new[1] == old[1]);
    assert_eq!(db.one("SELECT count(*) FROM p"), "14999");
}

#[test]
fn it_runs_as_a_job_of_the_config() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dbctl.yaml");
    std::fs::write(&config, "maintain:\n  space:\n    run: repack --bloated --min-size 1MB --budget 1h\n").unwrap();
    let mut job = dbctl(&["maintain", "run", "space", "--database-url", &db.url(), "--format", "json", "--config"]);
    let done = run(job.arg(config)).expect_code(0);
    let done: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(tables(&done, "tables"), ["public.t"], "{done}");
}

/// The keys of an answer and of the rows of its tables: what scripts rely on.
#[test]
fn the_answers_keep_their_shape() {
    let Some(db) = with_extension() else { return };
    bloated(&db, "t");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let plan = answer(&db, &["--table", "t", "--dry-run"], 0);
    assert_eq!(
        keys(&plan),
        "kind version database server way lock reclaimable_bytes disk_bytes tables skipped script notes"
    );
    assert_eq!(keys(&plan["tables"][0]), "table size_bytes reclaimable_bytes disk_bytes why confidence reasons line");
    let done = answer(&db, &["--table", "t"], 0);
    assert_eq!(keys(&done), "kind version database server way reclaimed_bytes tables skipped notes");
    assert_eq!(
        keys(&done["tables"][0]),
        "table outcome took_seconds before_bytes after_bytes reclaimed_bytes why detail line"
    );
    let again = answer(&db, &["--table", "t"], 4);
    assert_eq!(keys(&again["skipped"][0]), "table why");
    assert_eq!(keys(&answer(&db, &["--clean"], 0)), "kind version database server leftovers notes");
}
