//! Every embedded system on every major: up, verify, fill, down, up again; its checks bite; it does
//! not take another system's database for its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbctl::migrate::embedded::{Part, SYSTEMS, System};
use dbctl::pg::sandbox::{Options, Sandbox};

use crate::harness::{self, Database, Run, dbctl, majors, run, server};

/// A system on a server, without the parts that the server lacks the extension for.
struct Place {
    system: &'static System,
    database: Database,
    programs: PathBuf,
    without: Vec<&'static str>,
}

impl Place {
    fn on(sandbox: &Sandbox, system: &'static System, vector: bool) -> Place {
        let has_vector = system.parts().iter().any(|part| part == "vector");
        let without = if has_vector && !vector { vec!["vector"] } else { vec![] };
        let programs = sandbox.program("psql").parent().unwrap().to_owned();
        Place { system, database: Database::at(sandbox), programs, without }
    }

    fn dbctl(&self, words: &str, more: &[&str]) -> Run {
        let mut args: Vec<&str> = words.split(' ').collect();
        args.extend(["--system", self.system.name]);
        args.extend(self.without.iter().flat_map(|part| ["--without", part]));
        args.extend(more);
        run(dbctl(&args).env("DATABASE_URL", self.database.url()))
    }

    fn up(&self) {
        self.dbctl("migrate up", &[]).expect_code(0);
    }

    fn verify(&self) {
        let verified = self.dbctl("systems verify --format json", &[]);
        assert_eq!(verified.code, 0, "{} does not hold:\n{}{}", self.system.name, verified.stdout, verified.stderr);
    }

    /// The schema as pg_dump writes it, without the lines that differ by themselves.
    fn schema(&self) -> String {
        let mut dump = Command::new(self.programs.join("pg_dump"));
        dump.args(["--schema-only", "--exclude-schema=dbctl", "--exclude-table=refinery_schema_history", "--dbname"]);
        let output = dump.arg(self.database.url()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let random = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
        text.lines().filter(|line| !random(line)).collect::<Vec<_>>().join("\n")
    }

    /// Rows of every ordinary table of the system.
    fn rows(&self) -> BTreeMap<String, i64> {
        let tables = self.database.sql(
            "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE \
             c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'dbctl')",
        );
        let count = |table: &String| self.database.one(&format!("SELECT count(*) FROM {table}")).parse().unwrap();
        tables.into_iter().filter_map(|row| row[0].clone()).map(|table| (table.clone(), count(&table))).collect()
    }

    fn round(&self) {
        self.up();
        self.verify();
        let first = self.schema();
        self.dbctl("migrate down --to 0 --yes", &[]).expect_code(0);
        self.up();
        same(&first, &self.schema(), self.system, "down and up again is the same");
        self.verify();

        self.dbctl("demo-data", &[]).expect_code(0);
        let filled = self.rows();
        assert!(filled.values().sum::<i64>() > 1_000, "{}: {filled:?}", self.system.name);
        self.dbctl("demo-data", &[]).expect_code(0);
        assert_eq!(filled, self.rows(), "{}: the second run of demo-data added rows", self.system.name);
        // demo-data may have made partitions for its past rows; verify leaves nothing.
        let with_rows = self.schema();
        self.verify();
        same(&with_rows, &self.schema(), self.system, "verify leaves nothing");
        self.dbctl("migrate down --to 0 --yes", &[]).expect_code(0);
        self.up();
        same(&first, &self.schema(), self.system, "down with rows and up again is the same");
        self.verify();
    }

    /// A server and the system on it for each major it runs on.
    fn everywhere(system: &'static System) -> impl Iterator<Item = Place> {
        let suits = move |major: &u32| *major >= system.lowest_major;
        majors().into_iter().filter(suits).map(move |major| Place::on(server(major), system, false))
    }
}

/// Compares two schemas and shows no more than their first difference.
fn same(one: &str, other: &str, system: &System, promise: &str) {
    let differing = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    assert!(one == other, "{}: {promise} does not hold: {differing:?}", system.name);
}

/// Servers with pgvector, where there are any.
fn vector_servers() -> Vec<Sandbox> {
    let installed = [16, 18].into_iter().filter_map(harness::vector_installation);
    let start = |bin_dir| harness::private_server(&Options { bin_dir: Some(bin_dir), ..Options::default() });
    installed.map(|installation| start(installation.bin_dir)).collect()
}

macro_rules! each_system {
    ($($system:ident)+) => { $(
        mod $system {
            use super::*;

            #[test]
            fn goes_up_and_down_and_keeps_its_promises() {
                for place in Place::everywhere(System::named(stringify!($system)).unwrap()) {
                    place.round();
                }
            }

            #[test]
            fn its_checks_bite() {
                for place in Place::everywhere(System::named(stringify!($system)).unwrap()) {
                    every_mutation_is_caught(&place);
                }
            }
        }
    )+
        #[test]
        fn every_system_is_tested_here() {
            let tested = [$(stringify!($system)),+];
            let embedded: Vec<&str> = SYSTEMS.iter().map(|system| system.name).collect();
            assert_eq!(tested.as_slice(), embedded);
        }
    };
}

each_system! { bridge chat consultor fsm recruitment }

/// Ten and more deliberate mutations, each rejected by the check that its first line names.
fn every_mutation_is_caught(place: &Place) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mutations").join(place.system.name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{}: {} mutations", place.system.name, files.len());
    place.up();
    let session = place.database.session();
    for file in files {
        let mutation = std::fs::read_to_string(&file).unwrap();
        let caught_by = mutation.lines().find_map(|line| line.strip_prefix("-- caught by: "));
        let caught_by = caught_by.unwrap_or_else(|| panic!("{} names no check", file.display())).trim();
        let check = place.system.checks.iter().find(|check| check.name == caught_by);
        let check = check.unwrap_or_else(|| panic!("{} names {caught_by}, which there is not", file.display()));
        if left_out(check, place) {
            continue;
        }
        session.sql("BEGIN; SET LOCAL TimeZone = 'UTC'");
        session.try_sql(&mutation).unwrap_or_else(|error| panic!("{} does not apply: {error}", file.display()));
        let refused = session.try_sql(check.text);
        session.sql("ROLLBACK");
        assert!(refused.is_err(), "{} on {} is not caught by {caught_by}", file.display(), place.database.major());
    }
}

fn left_out(file: &Part, place: &Place) -> bool {
    file.part().is_some_and(|part| place.without.contains(&part))
}

#[test]
fn systems_with_vectors_keep_their_promises_on_servers_with_pgvector() {
    for sandbox in vector_servers() {
        for system in SYSTEMS.iter().filter(|system| system.parts().iter().any(|part| part == "vector")) {
            let place = Place::on(&sandbox, system, true);
            place.round();
            every_mutation_is_caught(&place);
        }
    }
}

#[test]
fn the_database_of_another_system_is_refused_by_name() {
    for system in SYSTEMS {
        let place = Place::on(harness::default_server(), system, false);
        place.up();
        let before = place.schema();
        for other in SYSTEMS.iter().filter(|other| other.name != system.name) {
            for words in ["migrate up", "migrate down --to 0 --yes", "systems verify", "demo-data"] {
                let mut args: Vec<&str> = words.split(' ').collect();
                args.extend(["--system", other.name]);
                let refused = run(dbctl(&args).env("DATABASE_URL", place.database.url())).expect_code(4);
                let expected = format!("holds system {}, not {}", system.name, other.name);
                assert!(refused.stderr.contains(&expected), "{}", refused.stderr);
            }
        }
        same(&before, &place.schema(), system, "a refusal changes nothing");
    }
}

#[test]
fn verify_and_demo_data_want_the_whole_system() {
    let place = Place::on(harness::default_server(), &SYSTEMS[0], false);
    for words in ["systems verify", "demo-data"] {
        let refused = place.dbctl(words, &[]).expect_code(4);
        assert!(refused.stderr.contains("are not applied to"), "{}", refused.stderr);
        assert!(refused.stderr.contains(&format!("dbctl migrate --system {}", SYSTEMS[0].name)), "{}", refused.stderr);
    }
    assert_eq!(place.database.one("SELECT count(*) FROM pg_namespace WHERE nspname = 'dbctl'"), "0");
}

#[test]
fn a_broken_promise_is_a_finding_with_its_reason() {
    let place = Place::on(harness::default_server(), System::named("bridge").unwrap(), false);
    place.up();
    place.database.sql("DROP INDEX unique_current_insight");
    let found = place.dbctl("systems verify --format json", &[]).expect_code(2);
    assert!(found.stdout.contains("missing or different index: unique_current_insight"), "{}", found.stdout);
}

#[test]
fn a_check_with_several_sessions_bites_and_cleans_up() {
    let place = Place::on(harness::default_server(), System::named("bridge").unwrap(), false);
    place.up();
    // Without its lock, and with time to meet, the function lets every session but one fail.
    place.database.sql(
        "DO $do$ BEGIN EXECUTE replace(pg_get_functiondef('update_ai_insights(bigint, jsonb)'::regprocedure), \
         $$pg_advisory_xact_lock(hashtextextended('ai_insights:' || p_lead_id, 0))$$, 'pg_sleep(0.3)'); END $do$",
    );
    let found = place.dbctl("systems verify --format json", &[]).expect_code(2);
    assert!(found.stdout.contains("27_insights_concurrent.sql"), "{}", found.stdout);
    assert!(found.stdout.contains("\"checks_broken\": 1"), "{}", found.stdout);
    assert_eq!(place.database.one("SELECT count(*) FROM ai_insights"), "0");
}
