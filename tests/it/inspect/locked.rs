//! While every table of a database is held exclusively and others queue for them, every command that only reads is back
//! soon, with an answer.

use std::time::{Duration, Instant};

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{majors, private_server};

const HOLD: &str = "DO $$ DECLARE t regclass; BEGIN
    FOR t IN SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
        AND relname <> 'refinery_schema_history' LOOP
        EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', t);
    END LOOP; REFRESH MATERIALIZED VIEW seen; END $$";

/// Every command that looks at a server, with the exit codes that such a server may give it.
const COMMANDS: [(&[&str], &[i32]); 18] = [
    (&["locks"], &[0]),
    (&["locks", "--exit-code", "--warn", "1ms"], &[2]),
    (&["activity"], &[0]),
    (&["replication"], &[0]),
    (&["health"], &[0]),
    (&["check"], &[0, 1, 2, 3]),
    (&["slow-queries"], &[0]),
    (&["indexes"], &[0]),
    (&["indexes", "unused", "--min-days", "0"], &[0]),
    (&["sizes"], &[0]),
    (&["sizes", "--databases", "--all"], &[0]),
    (&["bloat", "--min-size", "0"], &[0]),
    (&["report", "--html", "page.html"], &[0]),
    (&["journal"], &[0]),
    (&["migrate", "status", "--system", "bridge"], &[0]),
    (&["migrate", "plan", "--system", "bridge"], &[0]),
    (&["partitions", "status"], &[0]),
    (&["partitions", "check"], &[0, 2]),
];
const SOON: Duration = Duration::from_secs(1);
/// A machine that is busy with other tests may miss the second now and then; a command that waits for a lock misses it each time.
const TRIES: usize = 5;

#[test]
fn every_read_command_is_back_soon_while_every_table_is_held() {
    for major in majors() {
        let settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
        let server = private_server(&Options { major: Some(major), settings, ..Options::default() });
        let db = Database::at(&server);
        let folder = tempfile::tempdir().unwrap();
        let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/partitions.yaml");
        let ask = |args: &[&str]| {
            let mut command = dbctl(args);
            if args.contains(&"partitions") || args.contains(&"report") {
                command.args(["--policy", policy]);
            }
            run(command.env("DATABASE_URL", db.url()).current_dir(folder.path()))
        };
        for args in
            [&["migrate", "--system", "bridge"][..], &["demo-data", "--system", "bridge"], &["partitions", "create"]]
        {
            ask(args).expect_code(0);
        }
        db.sql("CREATE EXTENSION pg_stat_statements; CREATE MATERIALIZED VIEW seen AS SELECT 1 AS a; CREATE TABLE never (a int, t text); ANALYZE");
        let holder = db.session();
        holder.sql("BEGIN");
        holder.sql(HOLD);
        let queue = waiters(&db, 3, |_| "SELECT * FROM activity_mappings, never".to_owned());
        for (args, codes) in COMMANDS {
            let mut took = Vec::new();
            while took.len() < TRIES && took.iter().all(|took| *took >= SOON) {
                let begun = Instant::now();
                let ended = ask(args);
                took.push(begun.elapsed());
                println!("{major} {:>6} ms  dbctl {}", begun.elapsed().as_millis(), args.join(" "));
                assert!(
                    codes.contains(&ended.code),
                    "{major} {args:?}: {} {} {}",
                    ended.code,
                    ended.stdout,
                    ended.stderr
                );
                assert!(!ended.stdout.is_empty(), "{major} {args:?}");
            }
            assert!(took.iter().any(|took| *took < SOON), "{major}: {args:?} took {took:?}");
        }
        // What is held is shown and marked, not left out; who may look at files has no need to.
        db.sql("DROP ROLE IF EXISTS locked_out; CREATE ROLE locked_out LOGIN");
        let sizes = json(&db.url_as("locked_out"), &["sizes", "--all", "--partitions"]);
        let rows = sizes["sizes"].as_array().unwrap();
        let held = rows.iter().filter(|row| row["table"].as_str().unwrap() != "public.refinery_schema_history");
        assert!(
            held.clone().count() > 10
                && held
                    .clone()
                    .filter(|row| row["table"].as_str().unwrap().starts_with("public."))
                    .all(|row| row["estimated"] == true),
            "{sizes}"
        );
        assert_eq!(json(&db.url(), &["locks"])["waiting"], 3);
        drop((holder, queue));
    }
}
