//! The systems that dbctl carries: their migrations, embedded by refinery, and what belongs to
//! them (rollbacks, sample rows, checks), embedded by `sql/build.rs`. With `history.rs` the only
//! file that names refinery.

use refinery_core::Migration;

use crate::config::nearest;
use crate::error::{Failure, Kind, Result};

/// A system's files as they were when dbctl was built.
pub struct System {
    /// Its name: the folder under `sql/migrations`.
    pub name: &'static str,
    /// The oldest PostgreSQL major it runs on.
    pub lowest_major: u32,
    migrations: fn() -> Vec<Migration>,
    /// `sql/rollback/<name>`, sorted.
    pub rollbacks: &'static [Part],
    /// `sql/checks/<name>`, sorted.
    pub checks: &'static [Part],
    /// `sql/demo/<name>.sql` and `<name>.<part>.sql`: sample rows, never a migration.
    pub demo: &'static [Part],
}

/// One embedded file.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// File name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Part {
    /// The part of the system that the file belongs to: see [`part_of`].
    pub fn part(&self) -> Option<&'static str> {
        part_of(self.text)
    }
}

/// A comment `-- dbctl: part vector` before the first statement puts a file into a part of its
/// system that can be left out (`--without vector`).
pub fn part_of(text: &str) -> Option<&str> {
    let head = text.lines().take_while(|line| line.trim().is_empty() || line.starts_with("--"));
    head.filter_map(|line| line.strip_prefix("-- dbctl: part ")).map(str::trim).next()
}

include!(concat!(env!("OUT_DIR"), "/systems.rs"));

impl System {
    /// The system of this name.
    ///
    /// # Errors
    /// Usage, with the names that there are.
    pub fn named(name: &str) -> Result<&'static System> {
        SYSTEMS.iter().find(|system| system.name == name).ok_or_else(|| {
            let known: Vec<&str> = SYSTEMS.iter().map(|s| s.name).collect();
            let failure = Failure::new(Kind::Usage, format!("there is no embedded system '{name}'"));
            let failure = match nearest(name, known.iter().copied()) {
                Some(near) => failure.hint(format!("did you mean {near}?")),
                None => failure,
            };
            failure.hint(format!("the embedded systems: {}; a folder of your own goes with --dir", known.join(", ")))
        })
    }

    /// `(stem, text)` of every migration, in the order of their versions.
    pub fn migrations(&self) -> Vec<(String, String)> {
        let mut migrations = (self.migrations)();
        migrations.sort();
        migrations.iter().map(|m| (stem(m), m.sql().unwrap_or_default().to_owned())).collect()
    }

    /// The parts that can be left out.
    pub fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> =
            self.migrations().iter().filter_map(|(_, sql)| part_of(sql).map(str::to_owned)).collect();
        parts.dedup();
        parts
    }
}

/// refinery forgets leading zeros: the files of the embedded systems have four digits.
fn stem(migration: &Migration) -> String {
    format!("{}{:04}__{}", migration.prefix(), migration.version(), migration.name())
}
