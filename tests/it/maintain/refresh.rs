//! `dbctl refresh`: what others read comes first, readers are kept out only where it must be, one failure is one failure.

use std::process::Command;

use dbctl::pg::sandbox::Options;
use nix::sys::signal::Signal;
use serde_json::Value;

use super::column;
use crate::harness::{Database, Run, Session, dbctl, eventually, majors, private_server, run, spawn, standby};

const VIEWS: &str = "
    CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 10);
    CREATE MATERIALIZED VIEW \"Base \"\"x\" AS SELECT a FROM t; CREATE UNIQUE INDEX ON \"Base \"\"x\" (a);
    CREATE VIEW between_them AS SELECT * FROM \"Base \"\"x\";
    CREATE MATERIALIZED VIEW a_top AS SELECT count(*) AS n FROM between_them;
    CREATE MATERIALIZED VIEW empty AS SELECT 1 AS a WITH NO DATA; CREATE UNIQUE INDEX ON empty (a)";

fn command(url: &str, args: &[&str]) -> Command {
    let mut command = dbctl(&["refresh", "--database-url", url, "--no-progress", "--format", "json"]);
    command.args(args);
    command
}

fn refreshed(url: &str, args: &[&str], code: i32) -> Value {
    let ended: Run = run(&mut command(url, args)).expect_code(code);
    serde_json::from_str(&ended.stdout).expect("the answer is JSON")
}

#[test]
fn views_are_filled_in_order_and_read_meanwhile_where_they_can_be() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(VIEWS);
        db.sql("INSERT INTO t SELECT generate_series(11, 15)");
        let plan = refreshed(&db.url(), &["--dry-run"], 0);
        let sql = column(&plan, "views", "sql");
        assert_eq!(
            sql,
            [
                "REFRESH MATERIALIZED VIEW CONCURRENTLY public.\"Base \"\"x\"",
                "REFRESH MATERIALIZED VIEW public.a_top",
                "REFRESH MATERIALIZED VIEW public.empty"
            ]
        );
        assert_eq!(db.one("SELECT n FROM a_top"), "10", "a dry run changes nothing");
        let done = refreshed(&db.url(), &[], 0);
        assert_eq!(column(&done, "views", "sql"), sql, "what was planned was sent");
        assert_eq!((db.one("SELECT n FROM a_top"), db.one("SELECT a FROM empty")), ("15".to_owned(), "1".to_owned()));
        assert!(done["notes"].to_string().contains("no unique index on columns alone"), "{done}");
        // Whoever reads keeps nobody from filling it CONCURRENTLY; the other one is waited for, then named.
        let reader = db.session();
        reader.sql("BEGIN; SELECT * FROM \"Base \"\"x\"; SELECT * FROM a_top");
        db.sql("DELETE FROM t WHERE a > 3");
        refreshed(&db.url(), &["Base \"x", "--lock-patience", "1s"], 0);
        assert_eq!(db.one("SELECT count(*) FROM \"Base \"\"x\""), "3");
        let waits = run(&mut command(&db.url(), &["a_top", "--lock-patience", "300ms"])).expect_code(3);
        assert!(waits.stderr.contains(&reader.pid().to_string()), "{}", waits.stderr);
        reader.rollback();
        let only = refreshed(&db.url(), &["--concurrently"], 5);
        assert_eq!(column(&only, "views", "view"), ["public.\"Base \"\"x\"", "public.empty"]);
        let remedies = column(&only, "skipped", "remedy");
        assert!(remedies[0].starts_with("CREATE UNIQUE INDEX CONCURRENTLY ON public.a_top"), "{remedies:?}");
    }
}

#[test]
fn one_that_fails_stops_no_other_and_wrong_names_rights_and_places_are_told() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql(VIEWS);
    db.sql("CREATE MATERIALIZED VIEW a_bad AS SELECT 1 / (SELECT count(*) FROM t WHERE a > 5) AS x; DELETE FROM t WHERE a > 5");
    let answer = refreshed(&db.url(), &[], 5);
    let failed: Vec<&Value> =
        answer["views"].as_array().unwrap().iter().filter(|row| row["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{answer}");
    assert!(failed[0]["error"].to_string().contains("division by zero"), "{answer}");
    assert_eq!(db.one("SELECT n FROM a_top"), "5");
    assert_eq!(db.one("SELECT count(*) FROM a_bad"), "1", "what was there before is still there");
    let wrong = run(&mut command(&db.url(), &["nowhere"])).expect_code(64);
    assert!(wrong.stderr.contains("nowhere") && wrong.stderr.contains("public.a_top"), "{}", wrong.stderr);
    db.sql("CREATE ROLE stranger LOGIN; CREATE ROLE keeper LOGIN");
    let refused = refreshed(&db.url_as("stranger"), &["a_top"], 4);
    assert!(column(&refused, "skipped", "remedy")[0].starts_with("GRANT "), "{refused}");
    db.sql("GRANT ALL ON SCHEMA public TO keeper; GRANT SELECT ON ALL TABLES IN SCHEMA public TO keeper");
    db.sql(
        "ALTER MATERIALIZED VIEW a_top OWNER TO keeper; GRANT ALL ON DATABASE "
            .to_owned()
            .as_str()
            .trim_end_matches("; GRANT ALL ON DATABASE "),
    );
    db.sql(&format!("GRANT CREATE ON DATABASE {} TO keeper; GRANT ALL ON ALL TABLES IN SCHEMA dbctl TO keeper; GRANT USAGE ON SCHEMA dbctl TO keeper; GRANT ALL ON ALL SEQUENCES IN SCHEMA dbctl TO keeper", db.name()));
    refreshed(&db.url_as("keeper"), &["a_top"], 0);
    let copy = standby(&server);
    eventually("the standby answers", || copy.session(db.name()).is_ok());
    let there = run(&mut command(&copy.url(db.name()), &[])).expect_code(4);
    assert!(there.stderr.contains("standby"), "{}", there.stderr);
    let none = Database::at(&server);
    assert_eq!(column(&refreshed(&none.url(), &[], 0), "views", "view"), [""; 0]);
}

#[test]
fn a_signal_ends_the_work_on_the_server_and_leaves_the_view_as_it_was() {
    let db = Database::new();
    db.sql("CREATE FUNCTION slow() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1 FROM pg_sleep(600)'");
    db.sql("CREATE MATERIALIZED VIEW sleeps AS SELECT 1 AS a; CREATE MATERIALIZED VIEW z_slow AS SELECT slow() AS a WITH NO DATA");
    let child = spawn(&mut command(&db.url(), &[]));
    let works = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%REFRESH%z_slow%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()";
    eventually("it works", || db.one(works) == "1");
    child.signal(Signal::SIGINT);
    let ended = child.wait().expect_code(130);
    assert!(ended.stderr.contains("refresh public.sleeps"), "what is done is told: {}", ended.stderr);
    assert_eq!(db.one(works), "0");
    let journal: Session = db.session();
    assert_eq!(journal.one("SELECT relispopulated FROM pg_class WHERE relname = 'z_slow'"), "f");
}
