//! `dbctl schema`: what is read of a schema, and that everything is.

mod cli;
mod matrix;
mod repairs;
mod same;

use std::time::Duration;

use dbctl::config::connection::Connection;
use dbctl::config::env::Env;
use dbctl::drift::compare::compare;
use dbctl::drift::partitions::Managed;
use dbctl::pg::Interrupt;
use dbctl::schema::{Snapshot, capture_from};

use crate::harness::Database;

/// A database with an object of every kind, and two roles of its own.
struct Place {
    db: Database,
    roles: [String; 2],
}

impl Place {
    fn filled(major: u32) -> Place {
        let db = Database::on(major);
        let roles = ["a", "b"].map(|role| format!("{}_{role}", db.name()));
        roles.iter().for_each(|role| drop(db.sql(&format!("CREATE ROLE {role}"))));
        let place = Place { db, roles };
        place.run(include_str!("fixture.sql"));
        place
    }

    /// Runs SQL in which THIS is the database and ROLE_A and ROLE_B are the roles.
    #[track_caller]
    fn run(&self, sql: &str) {
        self.db.sql(&self.named(sql));
    }

    fn named(&self, text: &str) -> String {
        let [a, b] = &self.roles;
        text.replace("ROLE_A", a).replace("ROLE_B", b).replace("THIS", self.db.name())
    }

    fn capture(&self) -> Snapshot {
        capture(&self.db.url())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for role in &self.roles {
            let _ = self.db.try_sql(&format!("DROP OWNED BY {role}"));
            let _ = self
                .db
                .try_sql(&format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"));
        }
    }
}

fn capture(url: &str) -> Snapshot {
    let connection = Connection::resolve(Some(url), &Env::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(capture_from(&connection, "test", Duration::ZERO, &Interrupt::default()))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What `drift` tells of two schemas, as lines `direction id#property`, sorted.
fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let told = compare(before, after, &Managed::default()).differences;
    let mut lines: Vec<String> = told.iter().map(|d| format!("{} {}", d.direction().word(), d.stable_id())).collect();
    lines.sort();
    lines
}
