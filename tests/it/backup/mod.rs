//! Backups: made, proven, damaged, and runs that die.

mod bucket;
mod bucket_faults;
mod by_hand;
mod clouds;
mod create;
mod damaged;
mod doctor;
mod drill;
mod faults;
mod kept;
mod locked;
mod moments;
mod restore;
mod restore_killed;
mod restore_meets;
mod restore_parts;
mod restore_places;
mod restore_roles;
mod restore_side;
mod statistics;
mod verify;
mod written;

use std::path::{Path, PathBuf};
use std::process::Command;

use dbctl::backup::Manifest;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Database, dbctl, run};

/// A repository in a folder of its own.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn url(&self) -> String {
        self.path().display().to_string()
    }

    /// The folders of whole backups.
    fn backups(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("manifest.json").is_file() && path.extension().is_none())
            .collect();
        found.sort();
        found
    }

    /// The manifest of the only backup.
    #[track_caller]
    fn manifest(&self) -> Manifest {
        let backups = self.backups();
        assert_eq!(backups.len(), 1, "{backups:?}");
        self.any_manifest()
    }

    /// The manifest of the oldest backup.
    fn any_manifest(&self) -> Manifest {
        let backups = self.backups();
        Manifest::parse(&std::fs::read(backups[0].join("manifest.json")).unwrap(), "manifest.json").unwrap()
    }
}

/// `dbctl backup create` of a database.
fn create(db: &Database, place: &Place, more: &[&str]) -> Command {
    create_at(&db.url(), place, more)
}

fn create_at(url: &str, place: &Place, more: &[&str]) -> Command {
    let mut command = dbctl(&["backup", "create", "--to", &place.url()]);
    command.args(more).env("DATABASE_URL", url);
    command
}

/// `dbctl backup verify latest`.
fn verify(place: &Place, level: &str) -> Command {
    dbctl(&["backup", "verify", "latest", "--from", &place.url(), "--level", level, "--format", "json"])
}

/// Some tables with rows, sequences, large objects and a view over them.
fn filled() -> Database {
    let db = Database::new();
    fill(&db);
    db
}

fn fill(db: &Database) {
    db.sql(
        "CREATE TABLE public.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
         CREATE TABLE public.orders (id bigserial, customer bigint REFERENCES public.customers, at timestamptz NOT NULL,
             total numeric(12,2), note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE public.orders_2025 PARTITION OF public.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         CREATE TABLE public.orders_2026 PARTITION OF public.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE TABLE public.nothing (id int);
         INSERT INTO public.customers (name) SELECT 'customer ' || i FROM generate_series(1, 500) AS i;
         INSERT INTO public.orders (customer, at, total, note) SELECT 1 + i % 500, '2025-06-01'::timestamptz + i * interval '1 hour', i * 1.1,
             E'line\\nnext\\t' || i FROM generate_series(1, 6000) AS i;
         CREATE MATERIALIZED VIEW public.totals AS SELECT customer, sum(total) AS total FROM public.orders GROUP BY customer;
         CREATE MATERIALIZED VIEW public.best AS SELECT * FROM public.totals ORDER BY total DESC LIMIT 10;
         SELECT lo_from_bytea(0, 'a large object');",
    );
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
