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
    assert_eq!(answer["window_seconds"], 3.0);
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
