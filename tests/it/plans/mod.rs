//! The queries of the design documents use the indexes that the documents built for them: seen from
//! the shape of the plan, never from the time it takes, on as many rows as it takes for the planner
//! to want an index. The servers' settings are their defaults.

mod bridge;
mod chat;
mod consultor;
mod explain;
mod fsm;
mod recruitment;

use dbctl::migrate::embedded::System;
use dbctl::pg::sandbox::Sandbox;

use self::explain::{Call, Names, Query, call_objections, objections};
use crate::harness::{Database, dbctl, majors, run, server};

/// A system and what is to be seen of it.
struct Subject {
    system: &'static str,
    /// `dbctl demo-data --scale`.
    scale: u32,
    /// More rows than demo-data has, where it takes more.
    rows: &'static str,
    queries: &'static [Query],
    calls: &'static [Call],
}

impl Subject {
    /// On one server, with what else it takes to fill the database.
    fn holds_on(&self, sandbox: &Sandbox, without: &[&str], fill: impl FnOnce(&Database)) {
        let database = Database::at(sandbox);
        let dbctl = |words: &str, more: &[&str]| {
            let mut args: Vec<&str> = words.split(' ').collect();
            args.extend(["--system", self.system]);
            args.extend(without.iter().flat_map(|part| ["--without", part]));
            args.extend(more);
            run(dbctl(&args).env("DATABASE_URL", database.url())).expect_code(0);
        };
        dbctl("migrate up", &[]);
        dbctl("demo-data", &["--scale", &self.scale.to_string()]);
        database.sql(&format!("BEGIN; SET LOCAL rows.scale = 1;\n{}\nCOMMIT", self.rows));
        fill(&database);
        database.sql("VACUUM ANALYZE");
        self.is_as_intended(&database);
    }

    fn is_as_intended(&self, database: &Database) {
        let names = Names::read(database);
        let mut wrong: Vec<String> =
            self.queries.iter().filter_map(|query| objections(database, &names, query)).collect();
        wrong.extend(self.calls.iter().filter_map(|call| call_objections(database, call)));
        assert!(wrong.is_empty(), "PostgreSQL {}:\n{}", database.major(), wrong.join("\n\n"));
    }

    /// On every major that the system runs on, without what needs an extension from elsewhere.
    fn holds_everywhere(&self, without: &[&str]) {
        let lowest = System::named(self.system).unwrap().lowest_major;
        for major in majors().into_iter().filter(|major| *major >= lowest) {
            self.holds_on(server(major), without, |_| {});
        }
    }
}
