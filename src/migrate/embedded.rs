//! The systems that dbctl carries: their migrations, embedded by refinery, and what belongs to
//! them (rollbacks, sample rows, checks), embedded by `sql/build.rs`. With `history.rs` the only
//! file that names refinery.

use refinery_core::Migration;

/// A system's files as they were when dbctl was built.
pub struct System {
    /// Its name: the folder under `sql/migrations`.
    pub name: &'static str,
    /// The oldest PostgreSQL major it runs on.
    pub lowest_major: u32,
    migrations: fn() -> Vec<Migration>,
    /// `(file name, text)` of `sql/rollback/<name>`, sorted.
    pub rollbacks: &'static [(&'static str, &'static str)],
    /// `(file name, text)` of `sql/checks/<name>`, sorted.
    pub checks: &'static [(&'static str, &'static str)],
    /// `sql/demo/<name>.sql`: sample rows, never a migration.
    pub demo: Option<&'static str>,
}

mod bridge {
    refinery::embed_migrations!("sql/migrations/bridge");
}

include!(concat!(env!("OUT_DIR"), "/embedded_files.rs"));

/// All systems, by name.
pub const SYSTEMS: &[System] = &[System {
    name: "bridge",
    lowest_major: 14,
    migrations: || bridge::migrations::runner().get_migrations().clone(),
    rollbacks: files::BRIDGE_ROLLBACK,
    checks: files::BRIDGE_CHECKS,
    demo: files::BRIDGE_DEMO,
}];

impl System {
    /// The system of this name.
    pub fn find(name: &str) -> Option<&'static System> {
        SYSTEMS.iter().find(|system| system.name == name)
    }

    /// `(stem, text)` of every migration, in the order of their versions.
    pub fn migrations(&self) -> Vec<(String, String)> {
        let mut migrations = (self.migrations)();
        migrations.sort();
        migrations.iter().map(|m| (stem(m), m.sql().unwrap_or_default().to_owned())).collect()
    }
}

/// refinery forgets leading zeros: the files of the embedded systems have four digits.
fn stem(migration: &Migration) -> String {
    format!("{}{:04}__{}", migration.prefix(), migration.version(), migration.name())
}
