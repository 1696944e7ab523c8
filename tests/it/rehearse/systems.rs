//! The embedded systems, rehearsed from an empty database and from the middle of their versions.

use dbctl::migrate::embedded::SYSTEMS;
use serde_json::Value;

use super::{json, statements};
use crate::harness::{Database, dbctl, run};

#[test]
fn every_system_can_be_rehearsed_from_the_beginning_and_from_the_middle() {
    for system in SYSTEMS {
        let db = Database::new();
        let versions: Vec<String> =
            system.migrations().iter().map(|(stem, _)| stem[1..5].trim_start_matches('0').to_owned()).collect();
        let middle = &versions[versions.len() / 2];
        let call = |args: &[&str]| {
            let mut command = dbctl(args);
            command.args(["--system", system.name]).env("DATABASE_URL", db.url());
            if system.parts().iter().any(|part| part == "vector") {
                command.args(["--without", "vector"]);
            }
            let run = run(&mut command);
            assert_eq!(run.code, 0, "{} {args:?}\n{}{}", system.name, run.stdout, run.stderr);
            run
        };
        let first = json(&call(&["migrate", "rehearse", "--sandbox", "--format", "json"]));
        assert_eq!(first["result"], "passes", "{}", system.name);
        // Everything is born in this very run: no lock and no rewrite keeps anybody waiting.
        let locked: Vec<&Value> = statements(&first).iter().filter(|line| !line["lock_mode"].is_null()).collect();
        assert!(locked.is_empty(), "{}: {locked:#?}", system.name);
        assert!(statements(&first).len() > versions.len(), "{}", system.name);
        call(&["migrate", "up", "--to", middle]);
        let rest = json(&call(&["migrate", "rehearse", "--sandbox", "--format", "json"]));
        assert_eq!(rest["result"], "passes", "{}", system.name);
        let tried: std::collections::BTreeSet<&str> =
            statements(&rest).iter().map(|line| line["version"].as_str().unwrap()).collect();
        assert!(!tried.contains("V0001") && !tried.is_empty(), "{}: {tried:?}", system.name);
    }
}
