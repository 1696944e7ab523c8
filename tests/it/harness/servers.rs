//! The servers of this test process: one per major, started at the first use. Statics are never
//! dropped: the sandbox's keeper stops them when the process ends.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use dbctl::pg::sandbox::binaries::{self, Installation};
use dbctl::pg::sandbox::{Options, Sandbox};

/// What the matrix covers.
const MATRIX: std::ops::RangeInclusive<u32> = 14..=18;

/// The majors that a test which depends on the server runs on: the newest installed one, or with
/// DBCTL_TEST_MATRIX=1 every one of 14-18, a missing one being a failure.
pub fn majors() -> Vec<u32> {
    let installed = installed();
    if is_matrix() {
        let missing: Vec<u32> = MATRIX.filter(|major| !installed.iter().any(|found| found.major == *major)).collect();
        assert!(
            missing.is_empty(),
            "DBCTL_TEST_MATRIX=1, but PostgreSQL {missing:?} is missing: run 'cargo xtask pg --all'"
        );
        return MATRIX.collect();
    }
    let newest = installed.iter().map(|found| found.major).filter(|major| MATRIX.contains(major)).max();
    vec![newest.expect("no PostgreSQL 14-18 server programs found: run 'cargo xtask test', or 'cargo xtask pg 18'")]
}

/// The shared server of a major.
pub fn server(major: u32) -> &'static Sandbox {
    static SERVERS: Mutex<BTreeMap<u32, &'static Sandbox>> = Mutex::new(BTreeMap::new());
    // A failed start poisons the lock; what is in the map is still whole.
    let mut servers = SERVERS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    servers.entry(major).or_insert_with(|| {
        let options = Options { major: Some(major), settings: for_many_tests(), ..Options::default() };
        Box::leak(Box::new(private_server(&options)))
    })
}

/// The shared server of the newest major.
pub fn default_server() -> &'static Sandbox {
    static NEWEST: OnceLock<u32> = OnceLock::new();
    server(*NEWEST.get_or_init(|| *majors().last().expect("majors() is never empty")))
}

/// A server of this test's own, to be stopped, killed and misconfigured.
pub fn private_server(options: &Options) -> Sandbox {
    let options = Options { in_memory: true, ..options.clone() };
    Sandbox::start(&options).unwrap_or_else(|failure| panic!("{failure}"))
}

/// A server installation with pgvector, where one is there (`cargo xtask pg --vector`); under
/// DBCTL_TEST_MATRIX=1 a missing one is a failure.
pub fn vector_installation(major: u32) -> Option<Installation> {
    static FOUND: OnceLock<Vec<Installation>> = OnceLock::new();
    let found = FOUND.get_or_init(|| binaries::find_with_extension("vector"));
    let found = found.iter().find(|found| found.major == major).cloned();
    assert!(
        found.is_some() || !is_matrix(),
        "DBCTL_TEST_MATRIX=1, but no PostgreSQL {major} with pgvector: run 'cargo xtask pg --vector'"
    );
    found
}

/// The shared server of an installation with the extension pg_repack and its program; missing, it is as PgBouncer is.
pub fn repack_server() -> Option<&'static Sandbox> {
    static SERVER: OnceLock<Option<Sandbox>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let found = binaries::find_with_extension("pg_repack");
        let found = found.into_iter().find(|found| found.bin_dir.join("pg_repack").is_file())?;
        let bin_dir = Some(found.bin_dir);
        Some(private_server(&Options { bin_dir, settings: for_many_tests(), ..Options::default() }))
    });
    let needed = is_matrix() || std::env::var_os("CI").is_some();
    assert!(
        server.is_some() || !needed,
        "there is no pg_repack, and nothing may be skipped here: run 'cargo xtask test'"
    );
    if server.is_none() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: pg_repack is not installed ('cargo xtask test' installs it)");
    }
    server.as_ref()
}

/// The PgBouncer program, where it is installed; in a CI (variable CI) and under DBCTL_TEST_MATRIX=1
/// a missing one is a failure.
pub fn pgbouncer() -> Option<PathBuf> {
    on_path("pgbouncer", &["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"])
}

/// A browser without a window; missing, it is as PgBouncer is.
pub fn chromium() -> Option<PathBuf> {
    on_path("chromium", &["/usr/bin", "/opt/homebrew/bin"])
}

/// Whether the programs are there that open a backup without dbctl; missing, they are as PgBouncer is.
pub fn has_zstd_and_age() -> bool {
    ["zstd", "age"].iter().all(|name| on_path(name, &["/usr/bin", "/opt/homebrew/bin"]).is_some())
}

fn on_path(name: &str, usual: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = usual.iter().map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(usual).map(|folder| folder.join(name)).find(|file| file.is_file());
    let needed = is_matrix() || std::env::var_os("CI").is_some();
    assert!(found.is_some() || !needed, "there is no {name}, and nothing may be skipped here: run 'cargo xtask test'");
    if found.is_none() {
        // Not a print macro: the test runner would swallow it.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {name} is not installed ('cargo xtask test' installs it)");
    }
    found
}

/// moto's server program, an S3 on this machine; missing, it is as PgBouncer is.
pub fn moto() -> Option<PathBuf> {
    tool("moto", "moto/bin/moto_server")
}

/// Azurite's program, Azure's object store on this machine; it is one of Node. Where 'cargo xtask tools' has tried to
/// install it and could not, the reason is said and its tests are skipped, in a CI too.
pub fn azurite() -> Option<PathBuf> {
    let reason = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../tools/azurite.missing");
    if let Ok(reason) = std::fs::read_to_string(reason) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: azurite could not be installed: {reason}");
        return None;
    }
    tool("azurite", "azurite/node_modules/.bin/azurite-blob")
}

fn tool(name: &str, path: &str) -> Option<PathBuf> {
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../tools").join(path);
    let needed = is_matrix() || std::env::var_os("CI").is_some();
    if program.is_file() {
        return Some(program);
    }
    assert!(!needed, "there is no {name}, and nothing may be skipped here: run 'cargo xtask tools'");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {name} is not installed ('cargo xtask tools' installs it)");
    None
}

fn is_matrix() -> bool {
    std::env::var("DBCTL_TEST_MATRIX").is_ok_and(|value| value == "1")
}

fn installed() -> &'static [Installation] {
    static INSTALLED: OnceLock<Vec<Installation>> = OnceLock::new();
    INSTALLED.get_or_init(binaries::find)
}

fn for_many_tests() -> Vec<(String, String)> {
    [("max_connections", "200"), ("max_prepared_transactions", "10"), ("superuser_reserved_connections", "5")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}
