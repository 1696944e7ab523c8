//! What is kept between runs: by place, whole, and none lost when many run at once.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{Database, private_server, spawn};

#[test]
fn many_runs_at_once_lose_nothing_and_copies_of_one_template_are_told_apart() {
    let servers = [private_server(&Options::default()), private_server(&Options::default())];
    let one = |sql: &str| servers.each_ref().map(|server| Database::at(server).one(sql));
    let [system, other] = one("SELECT system_identifier FROM pg_control_system()");
    assert_eq!(system, other, "both are copies of one template");
    let folder = folder();
    let state = folder.path().join("state/check.json");
    let runs: Vec<_> = (0..12)
        .map(|number| {
            let mut command = dbctl(&["check", "--only", "deadlocks", "--state", state.to_str().unwrap()]);
            let database = if number < 6 { "postgres" } else { "template1" };
            spawn(command.env("DATABASE_URL", servers[number % 2].url(database)))
        })
        .collect();
    let whole = || match std::fs::read_to_string(&state) {
        Ok(text) => serde_json::from_str(&text).unwrap_or_else(|error| panic!("half a file: {error}: {text}")),
        Err(_) => Value::Null,
    };
    for run in runs {
        whole();
        run.wait();
    }
    let kept = whole();
    let places = kept.as_object().unwrap();
    assert_eq!(places.len(), 4, "{kept}");
    for (place, entry) in places {
        // Those of one moment are one.
        assert!((1..=3).contains(&entry["value"].as_array().unwrap().len()), "{place}: {entry}");
    }
    for server in &servers {
        for database in ["postgres", "template1"] {
            let mut command = dbctl(&["check", "--only", "deadlocks", "--state", state.to_str().unwrap()]);
            let ended = run(command.env("DATABASE_URL", server.url(database))).expect_code(0);
            assert!(ended.stdout.contains("deadlocks"), "{}", ended.stdout);
        }
    }
}
