//! What the server sees: the settings that the plan prints, and its SQL byte for byte.

use std::path::Path;

use dbctl::pg::sandbox::{Options, Sandbox};

use super::migrate_with;
use super::set::{self, Migrations};
use crate::harness::{Database, dbctl, eventually, majors, private_server, run};

const FLAGS: [&str; 4] = ["--lock-timeout", "1234ms", "--statement-timeout", "56789ms"];

/// The plan's SQL.
fn plan(db: &Database, set: &Migrations) -> String {
    let mut command = dbctl(&["migrate", "plan", "--dir", set.path(), "--database-url", &db.url(), "--format", "json"]);
    let planned = run(command.args(FLAGS)).expect_code(0);
    let plan: serde_json::Value = serde_json::from_str(&planned.stdout).expect("JSON");
    plan["sql"].as_str().unwrap_or_else(|| panic!("no SQL in {plan:#}")).to_owned()
}

#[test]
fn the_settings_are_those_that_the_plan_prints() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(&format!(
            "CREATE SCHEMA \"the app's\"; ALTER DATABASE {} SET search_path = \"the app's\", public; \
             ALTER DATABASE {} SET TimeZone = 'Asia/Tokyo'",
            db.name(),
            db.name()
        ));
        let look = "SELECT name, current_setting(name) AS value FROM unnest(ARRAY['lock_timeout', 'statement_timeout', \
                    'search_path', 'TimeZone', 'application_name', 'client_connection_check_interval', \
                    'idle_in_transaction_session_timeout']) AS s (name)";
        let set = Migrations::of(&[
            (
                "V1__whole.sql",
                &format!(
                    "CREATE TABLE seen AS {look};\nSET lock_timeout = '1h';\nSET application_name = 'odd';\nCREATE TABLE \
                     item (a text);\nINSERT INTO item VALUES ('x');\nCREATE FUNCTION tell(a text) RETURNS text LANGUAGE \
                     plpgsql IMMUTABLE AS $$BEGIN RAISE WARNING 'lock_timeout is %, application_name is %', \
                     current_setting('lock_timeout'), current_setting('application_name'); RETURN a; END$$;\n"
                ),
            ),
            ("V2__after.sql", &format!("CREATE TABLE seen_after AS {look};\n")),
            (
                "V3__alone.sql",
                &format!("-- dbctl: no-transaction\nDO $$BEGIN CREATE TABLE seen_alone AS {look}; END$$;\n"),
            ),
            ("V4__index.sql", "CREATE INDEX CONCURRENTLY item_a ON item (tell(a));\n"),
        ]);
        let plan = plan(&db, &set);
        let done = run(&mut migrate_with(&db.url(), &set, &FLAGS)).expect_code(0);
        for (table, version) in [("seen", 1), ("seen_after", 2), ("seen_alone", 3)] {
            let name = format!("dbctl:migrate V{version}");
            let chunk = plan.split("-- step ").find(|chunk| chunk.contains(&name)).expect("the step is planned");
            for (setting, value) in [
                ("lock_timeout", "1234ms"),
                ("statement_timeout", "56789ms"),
                ("TimeZone", "UTC"),
                ("application_name", name.as_str()),
                ("client_connection_check_interval", "1s"),
                ("idle_in_transaction_session_timeout", "1min"),
            ] {
                assert!(chunk.contains(&format!("{setting} = '{value}';")), "{setting} is not in\n{chunk}");
                assert_eq!(value_in(&db, table, setting), value, "{table} {setting}");
            }
            assert!(chunk.contains("set_config('search_path', '\"the app''s\", public'"), "{chunk}");
            assert_eq!(value_in(&db, table, "search_path"), "\"the app's\", public");
        }
        let told = "lock_timeout is 0, application_name is dbctl:migrate V4";
        assert!(done.stderr.contains(told), "an index build has no lock_timeout: {}", done.stderr);
    }
}

fn value_in(db: &Database, table: &str, setting: &str) -> String {
    db.one(&format!("SELECT value FROM \"the app's\".{table} WHERE name = '{setting}'"))
}

#[test]
fn the_server_receives_what_the_plan_prints() {
    for major in majors() {
        let server = logging_server(major);
        let db = Database::at(&server);
        let set = set::five_files();
        set.write(
            "V6__odd_text.sql",
            "/* ; */\n\n  CREATE TABLE \"ödd; \"\"name\" (\"a\tb\" text DEFAULT E'\\n''%s'';\\\\');   \n-- the end",
        );
        set.write(
            "V7__alone.sql",
            "-- dbctl: no-transaction\n\nSET work_mem = '3MB';\n/* one */ VACUUM account ;\n\n\
             DO $x$ BEGIN PERFORM ';'; END $x$;INSERT INTO witness VALUES (7, 'é''\";');;\n\
             CREATE INDEX CONCURRENTLY \"ödd\" ON account (id) -- last\n",
        );
        set::gate(&db);
        let planned = plan(&db, &set);
        run(&mut migrate_with(&db.url(), &set, &FLAGS)).expect_code(0);
        let worker = db.one("SELECT backend_pid FROM dbctl.run");
        db.sql("SELECT 'the log is complete'");
        let mut received = Vec::new();
        eventually("the log is complete", || {
            let log = logged(server.data_dir());
            received = log.iter().filter(|(pid, _)| *pid == worker).map(|(_, sql)| sql.clone()).collect();
            log.iter().any(|(_, sql)| sql == "SELECT 'the log is complete'")
        });
        let first = received.iter().position(|sql| sql.starts_with("BEGIN;\nSET LOCAL")).expect("a step begins");
        for sql in &received[..first] {
            assert!(
                sql.starts_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    || ["BEGIN READ ONLY", "COMMIT"].contains(&sql.as_str()),
                "{sql}"
            );
        }
        let received: String = received[first..].iter().map(|sql| printed(sql)).collect();
        pretty_equal(&received, &bodies(&planned));
    }
}

/// The plan without its headings and the empty line after each step.
fn bodies(plan: &str) -> String {
    let steps = format!("\n{plan}");
    let bodies = steps.split("\n-- step ").skip(1).map(|step| {
        let (_, body) = step.split_once('\n').expect("a heading is a line");
        body.strip_suffix('\n').unwrap_or(body).to_owned() + "\n"
    });
    bodies.collect::<String>().trim_end_matches('\n').to_owned() + "\n"
}

/// As the plan prints it: a line of its own, with a semicolon so that it can be pasted.
fn printed(sql: &str) -> String {
    let line_end = if sql.ends_with('\n') { "" } else { "\n" };
    let semicolon = if sql.trim_end().ends_with(';') { "" } else { ";\n" };
    format!("{sql}{line_end}{semicolon}")
}

#[track_caller]
fn pretty_equal(received: &str, planned: &str) {
    for (number, (received, planned)) in received.lines().zip(planned.lines()).enumerate() {
        assert_eq!(received, planned, "line {}", number + 1);
    }
    assert_eq!(received, planned);
}

fn logging_server(major: u32) -> Sandbox {
    let settings = [
        ("logging_collector", "on"),
        ("log_destination", "csvlog"),
        ("log_directory", "log"),
        ("log_statement", "all"),
        ("log_file_mode", "0600"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    private_server(&Options { major: Some(major), settings, ..Options::default() })
}

/// Every simple query in the log: the backend's pid and the text.
fn logged(data: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(data.join("log")).expect("the log folder is there").flatten().collect();
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files.iter().filter(|file| file.path().extension().is_some_and(|end| end == "csv")) {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(file.path()).expect("the log");
        for record in reader.records().map_while(Result::ok) {
            if let (Some(pid), Some(sql)) = (record.get(3), record.get(13).and_then(|m| m.strip_prefix("statement: ")))
            {
                found.push((pid.to_owned(), sql.to_owned()));
            }
        }
    }
    found
}
