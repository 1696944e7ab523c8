//! `dbctl slow-queries`: every version of the extension, a window, what may not be seen, and each missing step.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{Pooler, majors, private_server, standby};

fn counting(major: u32) -> Options {
    let settings = [("shared_preload_libraries", "pg_stat_statements"), ("pg_stat_statements.track_planning", "on")];
    Options {
        major: Some(major),
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ..Options::default()
    }
}

#[test]
fn every_version_of_the_extension_is_read_by_the_columns_that_it_has() {
    for major in majors() {
        let server = private_server(&counting(major));
        let db = Database::at(&server);
        db.sql("CREATE SCHEMA \"Odd \"\"x\"");
        let versions =
            db.sql("SELECT version FROM pg_available_extension_versions WHERE name = 'pg_stat_statements' ORDER BY 1");
        assert!(versions.len() >= 4, "{major}: {versions:?}");
        for version in versions.iter().map(|row| row[0].clone().unwrap()) {
            db.sql(&format!(
                "DROP EXTENSION IF EXISTS pg_stat_statements; CREATE EXTENSION pg_stat_statements SCHEMA \"Odd \"\"x\" VERSION '{version}'"
            ));
            db.sql("SELECT 'hunter2' AS a, count(*) FROM generate_series(1, 5000)");
            for sort in ["total", "mean", "max", "calls", "io", "wal", "temp", "plan", "jit"] {
                let answer = json(&db.url(), &["slow-queries", "--sort", sort, "--limit", "0"]);
                assert_eq!(answer["sort"], sort, "{major} {version}");
                if sort == "calls" {
                    let queries = answer["queries"].as_array().unwrap();
                    let ours = queries.iter().find(|row| row["query"].to_string().contains("generate_series($"));
                    let ours = ours.unwrap_or_else(|| panic!("{major} {version}: {answer}"));
                    assert!(ours["calls"].as_i64() >= Some(1) && ours["total_seconds"].as_f64() > Some(0.0), "{ours}");
                }
            }
        }
    }
}

#[test]
fn a_window_has_only_what_ran_in_it_wherever_it_is_looked_from_and_a_stranger_is_told_what_is_hidden() {
    let major = *majors().iter().max().unwrap();
    let server = private_server(&counting(major));
    let db = Database::at(&server);
    db.sql("CREATE EXTENSION pg_stat_statements; CREATE ROLE stranger LOGIN; CREATE TABLE before_it (a int); CREATE TABLE in_it (a int)");
    db.sql("SELECT count(*) FROM before_it");
    let url = db.url();
    let looking = std::thread::spawn(move || json(&url, &["slow-queries", "--for", "3s", "--limit", "0"]));
    eventually("it looks", || {
        db.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dbctl:slow-queries'") == "1"
    });
    let until = std::time::Instant::now() + std::time::Duration::from_secs(1);
    while std::time::Instant::now() < until {
        db.sql("SELECT count(*) FROM in_it");
    }
    let answer = looking.join().unwrap();
    let queries = answer["queries"].to_string();
    assert!(queries.contains("in_it") && !queries.contains("before_it"), "{answer}");
    assert!((3.0..10.0).contains(&answer["window_seconds"].as_f64().unwrap()), "{answer}");
    db.sql(
        &format!("SELECT '{}' AS long, count(*) FROM in_it", "x".repeat(9)).replace(" AS long", &" || 'y'".repeat(60)),
    );
    let long = json(&db.url(), &["slow-queries", "--limit", "0"]);
    let texts = long["queries"].as_array().unwrap().iter().filter_map(|row| row["query"].as_str());
    assert!(
        texts.clone().any(|text| text.ends_with("FROM in_it") && text.len() > 300),
        "programs get whole texts: {long}"
    );
    let meanwhile = json(&db.url_as("stranger"), &["slow-queries", "--for", "1ms"]);
    let (seconds, all) = (meanwhile["hidden_seconds"].as_f64().unwrap(), meanwhile["total_seconds"].as_f64().unwrap());
    assert!(seconds < 0.5 && all < 0.5, "only what ran in the window: {meanwhile}");
    let blind = json(&db.url_as("stranger"), &["slow-queries"]);
    assert!(blind["hidden"].as_i64() > Some(0) && blind["notes"].to_string().contains("pg_read_all_stats"), "{blind}");
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE in_it, pg_stat_statements IN ACCESS EXCLUSIVE MODE");
    json(&db.url(), &["slow-queries"]);
    holder.rollback();
    if let Some(pooler) = Pooler::start(&server, "transaction", &[]) {
        for _ in 0..2 {
            let pooled = json(&pooler.url(db.name()), &["slow-queries", "--for", "1ms"]);
            assert_eq!(pooled["kind"], "slow_queries", "{pooled}");
        }
    }
    let copy = standby(&server);
    eventually("the standby answers", || copy.session(db.name()).is_ok());
    let own = json(&copy.url(db.name()), &["slow-queries"]);
    assert_eq!((&own["kind"], &own["standby"]), (&"slow_queries".into(), &true.into()), "{own}");
    let keys: Vec<&String> = own["queries"][0].as_object().unwrap().keys().collect();
    let first = [
        "statement",
        "calls",
        "total_seconds",
        "mean_seconds",
        "share_percent",
        "query",
        "database",
        "role",
        "queryid",
    ];
    assert_eq!(keys[..first.len()], first, "what scripts rely on");
    let told = said(&db.url(), &["slow-queries", "--limit", "3"]).expect_code(0).stdout;
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
}

#[test]
fn where_nothing_is_counted_the_missing_steps_are_named_and_what_runs_is_sampled() {
    let nothing = vec![("shared_preload_libraries".to_owned(), "auto_explain, pg_prewarm".to_owned())];
    let server = private_server(&Options { settings: nothing, ..Options::default() });
    let db = Database::at(&server);
    let sleeper = db.session();
    let _statement = sleeper.start("SELECT pg_sleep(60), 'hunter2'");
    let sampled = |args: &[&str]| json(&db.url(), &[&["slow-queries", "--for", "300ms"], args].concat());
    let answer = sampled(&[]);
    assert_eq!(answer["kind"], "slow_queries.sampled");
    let notes = answer["notes"].to_string();
    let sql = "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_prewarm', 'pg_stat_statements'";
    assert!(notes.contains(sql), "{answer}");
    db.sql("CREATE ROLE stranger LOGIN");
    let blind = json(&db.url_as("stranger"), &["slow-queries", "--for", "0s"])["notes"].to_string();
    assert!(blind.contains("pg_read_all_settings") && !blind.contains("ALTER SYSTEM"), "{blind}");
    assert!(notes.contains("CREATE EXTENSION pg_stat_statements"), "{answer}");
    assert!(answer["running"].to_string().contains("hunter2"), "{answer}");
    assert!(!sampled(&["--redact"]).to_string().contains("hunter2"));
    db.sql(sql);
    db.sql("SELECT pg_reload_conf()");
    // As three libraries: a server with one of the name "a, b, c" would not start.
    let written =
        "SELECT setting FROM pg_file_settings WHERE name = 'shared_preload_libraries' AND sourcefile LIKE '%auto.conf'";
    eventually("it is written", || db.one(written) == "auto_explain, pg_prewarm, pg_stat_statements");
    eventually("the change is known", || sampled(&[])["notes"].to_string().contains("not restarted since"));
    db.sql("CREATE EXTENSION pg_stat_statements");
    let notes = sampled(&[])["notes"].to_string();
    assert!(!notes.contains("CREATE EXTENSION"), "{notes}");
    sleeper.cancel();
}

#[test]
fn a_schema_that_is_closed_is_named_with_its_grant() {
    let server = private_server(&counting(majors()[0]));
    let db = Database::at(&server);
    db.sql(
        "CREATE SCHEMA \"Closed\"; CREATE EXTENSION pg_stat_statements SCHEMA \"Closed\"; CREATE ROLE monitor LOGIN IN ROLE pg_monitor",
    );
    let look = || json(&db.url_as("monitor"), &["slow-queries", "--for", "200ms"]);
    let answer = look();
    assert_eq!(answer["kind"], "slow_queries.sampled");
    let grant = "GRANT USAGE ON SCHEMA \"Closed\" TO monitor";
    assert!(answer["notes"].to_string().replace('\\', "").contains(grant), "{answer}");
    db.sql(grant);
    assert_eq!(look()["kind"], "slow_queries");
}

#[test]
fn plans_are_made_under_the_path_of_the_statements_role_and_nothing_is_executed() {
    for major in majors() {
        let server = private_server(&counting(major));
        let db = Database::at(&server);
        db.sql(
            "CREATE EXTENSION pg_stat_statements; CREATE SCHEMA \"Odd app\"; CREATE ROLE app LOGIN; GRANT ALL ON SCHEMA \"Odd app\" TO app;
             CREATE TABLE \"Odd app\".parts (a int, b text) PARTITION BY RANGE (a);
             CREATE TABLE \"Odd app\".part_1 PARTITION OF \"Odd app\".parts FOR VALUES FROM (0) TO (10);
             CREATE TABLE \"Odd app\".part_2 PARTITION OF \"Odd app\".parts FOR VALUES FROM (10) TO (20);
             GRANT ALL ON ALL TABLES IN SCHEMA \"Odd app\" TO app; CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
             ALTER ROLE app SET search_path = \"Odd app\"",
        );
        let app = Session::open(db.url_as("app").parse().unwrap()).unwrap();
        for number in 0..20 {
            app.sql(&format!("SELECT b FROM parts WHERE a = {number} AND b <> 'secret'"));
        }
        app.sql("INSERT INTO parts VALUES (1, 'once')");
        app.sql("VACUUM parts");
        let rows = || db.one("SELECT count(*) FROM \"Odd app\".parts");
        let listed = json(&db.url(), &["slow-queries", "--limit", "0"]);
        let id = |words: &str| -> String {
            let queries = listed["queries"].as_array().unwrap();
            let found = queries.iter().find(|row| row["query"].as_str().is_some_and(|query| query.starts_with(words)));
            found.unwrap_or_else(|| panic!("{words} in {listed}"))["queryid"].as_str().unwrap().to_owned()
        };
        let ask = |url: &str, words: &str, flags: &[&str]| {
            json(url, &[&["slow-queries", "--explain", &id(words)], flags].concat())["plans"][0].clone()
        };
        let plan = |words: &str| ask(&db.url(), words, &["--trust"]);
        let select = plan("SELECT b FROM parts");
        assert_eq!((&select["search_path"], &select["role"]), (&"\"Odd app\"".into(), &"app".into()), "{major}");
        let text = select["plan"].as_str().unwrap_or_else(|| panic!("{major}: {select}"));
        assert!(text.contains("$1") && text.contains("Scan on part"), "{major}: {text}");
        let insert = plan("INSERT INTO parts");
        assert!(insert["plan"].as_str().unwrap().starts_with("Insert on parts"), "{major}: {insert}");
        // Its own role plans it, and nobody else unasked: planning would run what the other role has put there.
        assert!(ask(&db.url_as("app"), "SELECT b", &[])["plan"].is_string(), "{major}");
        app.sql(
            "CREATE FUNCTION trap() RETURNS int IMMUTABLE LANGUAGE plpgsql AS \
             'BEGIN IF current_user <> ''app'' THEN RAISE EXCEPTION ''trapped as %'', current_user; END IF; RETURN 1; END'",
        );
        app.sql("SELECT b FROM parts WHERE a = trap()");
        let listed = json(&db.url(), &["slow-queries", "--limit", "0"]);
        let row =
            listed["queries"].as_array().unwrap().iter().find(|row| row["query"].to_string().contains("a = trap()"));
        let trap = row.unwrap()["queryid"].as_str().unwrap();
        let asked = |flags: &[&str]| {
            json(&db.url(), &[&["slow-queries", "--explain", trap], flags].concat())["plans"][0]["reason"].to_string()
        };
        assert!(asked(&[]).contains("--trust"), "{major}: {}", asked(&[]));
        assert!(asked(&["--trust"]).contains("trapped as "), "{major}: {}", asked(&["--trust"]));
        let before = rows();
        let vacuum = plan("VACUUM");
        assert!(
            vacuum["plan"].is_null() && vacuum["reason"].to_string().contains("VACUUM has no plan"),
            "{major}: {vacuum}"
        );
        let worst = said(&db.url(), &["slow-queries", "--explain", "--trust", "--limit", "2"]).expect_code(0).stdout;
        assert_eq!(worst.matches("search_path:").count(), 2, "{major}: {worst}");
        let elsewhere = json(&server.url("postgres"), &["slow-queries", "--explain", &id("SELECT b")]);
        assert_eq!(elsewhere["kind"], "slow_queries.sampled", "it is not there in that database");
        // Whoever may see the words but not the table is told so, in a line.
        let monitor = json(&db.url_as("monitor"), &["slow-queries", "--explain", &id("SELECT b"), "--trust"]);
        let reason = monitor["plans"][0]["reason"].to_string();
        assert!(reason.contains("permission denied") || reason.contains("does not exist"), "{major}: {monitor}");
        assert!(monitor["notes"].to_string().contains("the rights that running needs"), "{major}: {monitor}");
        let holder = db.session();
        holder.sql("BEGIN; LOCK TABLE \"Odd app\".parts IN ACCESS EXCLUSIVE MODE");
        assert!(plan("SELECT b FROM parts")["reason"].to_string().contains("dbctl locks"));
        holder.rollback();
        said(&db.url(), &["slow-queries", "--explain", "4711"]).expect_code(64);
        assert_eq!(rows(), before);
        if let Some(pooler) = Pooler::start(&server, "transaction", &[]) {
            let url = pooler.url(db.name());
            for _ in 0..3 {
                let pooled = json(&url, &["slow-queries", "--explain", &id("SELECT b"), "--trust"]);
                assert!(pooled["plans"][0]["plan"].is_string(), "{pooled}");
            }
            let client = Session::open(url.parse().unwrap()).unwrap();
            assert_eq!(client.one("SELECT count(*) FROM pg_prepared_statements"), "0");
        }
    }
}

#[test]
fn counting_is_told_since_the_last_time_and_begun_anew_only_with_consent() {
    let major = *majors().iter().max().unwrap();
    let server = private_server(&counting(major));
    let db = Database::at(&server);
    db.sql("CREATE EXTENSION pg_stat_statements; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE TABLE early (a int); CREATE TABLE late (a int)");
    let home = tempfile::tempdir().unwrap();
    let since = || -> Value {
        let mut command = dbctl(&["slow-queries", "--since", "last", "--limit", "0", "--format", "json"]);
        let ended = run(command.env("DATABASE_URL", db.url()).env("XDG_STATE_HOME", home.path()));
        serde_json::from_str(&ended.expect_code(0).stdout).unwrap()
    };
    db.sql("SELECT count(*) FROM early");
    let first = since();
    assert!(first["notes"].to_string().contains("nothing was kept before"), "{first}");
    assert!(first["queries"].to_string().contains("early") && first["window_seconds"].is_null(), "{first}");
    db.sql("SELECT count(*) FROM late");
    let second = since();
    let queries = second["queries"].to_string();
    assert!(queries.contains("FROM late") && !queries.contains("FROM early"), "{second}");
    assert!(second["window_seconds"].as_f64() > Some(0.0) && second["since"].is_string(), "{second}");
    let third = since();
    let told: Vec<&Value> = third["queries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["query"])
        .filter(|query| **query != "COMMIT")
        .collect();
    assert!(told.is_empty(), "dbctl's own looks are not told: {told:?}");

    let counted = || db.one("SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%FROM late%'");
    let refused = said(&db.url(), &["slow-queries", "--reset"]).expect_code(4);
    assert!(refused.stderr.contains("are lost") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    said(&db.url(), &["slow-queries", "--reset", "--dry-run"]).expect_code(0);
    let right = said(&db.url_as("monitor"), &["slow-queries", "--reset", "--yes"]).expect_code(77);
    assert!(right.stderr.contains("GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset("), "{}", right.stderr);
    let grant =
        right.stderr.lines().find_map(|line| line.split_once("GRANT ")).unwrap().1.replace("this role", "monitor");
    assert_ne!(counted(), "0");
    db.sql(&format!("GRANT {grant}"));
    said(&db.url_as("monitor"), &["slow-queries", "--reset", "--yes"]).expect_code(0);
    assert!(since()["notes"].to_string().contains("began anew"));
    db.sql("ALTER SYSTEM SET pg_stat_statements.track = none");
    db.sql("SELECT pg_reload_conf()");
    eventually("it is told that nothing is counted", || {
        json(&db.url(), &["slow-queries"])["notes"].to_string().contains("track is none")
    });
}
