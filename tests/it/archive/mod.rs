//! Tables as files: round trips, damage, and places that are full, closed, gone or killed.

mod damage;

mod kill;
mod objects;
mod places;
mod writing;
pub mod zoo;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dbctl::archive::{Exported, Identities, Manifest, Options, Recipients, Restored, Store, export, restore};
use dbctl::config::connection::Connection;
use dbctl::config::env::Env;
use dbctl::error::{Failure, Kind, Result};
use dbctl::ident::TableName;
use dbctl::pg::{Interrupt, Session};
use tempfile::TempDir;

use crate::harness::Database;

/// Runs a test as dbctl runs: on one thread.
fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

async fn session(url: &str) -> Session {
    let connection = Connection::resolve(Some(url), &Env::default()).unwrap();
    Session::open(&connection, "archive", &Interrupt::default()).await.unwrap()
}

fn folder() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("file://{}/cold", folder.path().display()), &Env::default()).unwrap();
    (folder, store)
}

/// Where a file of the store lies on the disk.
fn on_disk(folder: &TempDir, path: &str) -> PathBuf {
    folder.path().join("cold").join(path)
}

/// Who may open it, and who can.
fn key() -> (Recipients, Identities) {
    use age::secrecy::ExposeSecret as _;
    let key = age::x25519::Identity::generate();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("# a key\n{}\n", key.to_string().expose_secret())).unwrap();
    (Recipients::parse([key.to_public().to_string()]).unwrap(), Identities::from_file(file.path()).unwrap())
}

fn encrypted(recipients: &Recipients) -> Options {
    Options { recipients: recipients.clone(), ..Options::default() }
}

/// A table of 5,000 rows in a database of its own.
fn small() -> Database {
    let db = Database::new();
    db.sql(
        "CREATE TABLE public.t (id bigint PRIMARY KEY, at timestamptz NOT NULL, note text); \
         INSERT INTO public.t SELECT i, '2025-01-01 00:00Z'::timestamptz + i * interval '1 min', 'note ' || i || E'\\nnext' \
         FROM generate_series(1, 5000) AS i",
    );
    db
}

fn t() -> TableName {
    TableName::new("public", "t")
}

async fn out(db: &Database, table: &TableName, store: &Store, options: &Options) -> Result<Exported> {
    export(&session(&db.url()).await, table, store, "db/t.csv.zst", options, &mut |_| {}).await
}

/// Restores in a transaction, as a caller does.
async fn back(
    db: &Database,
    store: &Store,
    manifest: &Manifest,
    into: &TableName,
    identities: &Identities,
) -> Result<Restored> {
    let session = session(&db.url()).await;
    session.send("BEGIN").await.unwrap();
    let restored = restore(&session, store, manifest, into, identities, &mut |_| {}).await;
    session.send(if restored.is_ok() { "COMMIT" } else { "ROLLBACK" }).await.unwrap();
    restored
}

/// Asserts the kind of a failure and pieces of its text.
#[track_caller]
fn says(failure: &Failure, kind: Kind, pieces: &[&str]) {
    let text = failure.to_string();
    assert_eq!(failure.what(), kind, "{text}");
    for piece in pieces {
        assert!(text.contains(piece), "{piece:?} is not in: {text}");
    }
}

/// All files below a folder, with their sizes.
fn files(folder: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).unwrap().map(std::result::Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, entry.metadata().unwrap().len());
            }
        }
    }
    found
}
