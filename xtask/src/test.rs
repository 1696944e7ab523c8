//! `cargo xtask test`: sees to it that what the tests need is there, then runs them all.

use anyhow::{Context, Result, bail};
use dbctl::pg::sandbox::binaries::{self, HOME_VARIABLE};

use crate::packages::{self, AGE, CHROMIUM, PGBOUNCER, POSTGRESQL, Package, REPACK, ZSTD};
use crate::pg;
use crate::process::{cargo, perform, watched};
use crate::tools;

/// How many tests the test program runs at once.
const THREADS_VARIABLE: &str = "RUST_TEST_THREADS";

/// `test [--matrix] [FILTER]`; what else is given goes to the tests.
pub fn run(arguments: &[&str]) -> Result<()> {
    let matrix = arguments.contains(&"--matrix");
    let rest = arguments.iter().filter(|argument| **argument != "--matrix");
    need_server()?;
    need("pgbouncer", &PGBOUNCER, matrix)?;
    need("chromium", &CHROMIUM, matrix)?;
    need("zstd", &ZSTD, matrix)?;
    need("age", &AGE, matrix)?;
    need_repack(matrix)?;
    need_tools(matrix)?;
    if matrix {
        for major in pg::MAJORS {
            pg::fetch(major)?;
        }
        pg::fetch_vector()?;
    }
    let mut tests = cargo();
    tests.args(["test", "--workspace"]).args(rest).env(HOME_VARIABLE, pg::home()?);
    if std::env::var_os(THREADS_VARIABLE).is_none() {
        tests.env(THREADS_VARIABLE, threads().to_string());
    }
    if matrix {
        // A snapshot that changed is a failure, never a file to be looked at later.
        tests.env("DBCTL_TEST_MATRIX", "1").env("INSTA_UPDATE", "no");
    }
    if !matrix {
        return perform(&mut tests);
    }
    let mut failed = Vec::new();
    if watched(tests.arg("--no-fail-fast"), |line| failed.extend(name_of_failed(line)))? {
        return Ok(());
    }
    if failed.is_empty() {
        bail!("the tests could not be built or did not come to their end");
    }
    if failed.len() > SECOND_TRIES {
        bail!("{} tests failed: {}", failed.len(), failed.join(", "));
    }
    for name in &failed {
        again(name)?;
    }
    eprintln!("FLAKY, to be mended: failed beside the others and passed alone: {}", failed.join(", "));
    Ok(())
}

/// How many tests may be tried again. Servers, proxies and processes of many tests at once keep each other waiting on
/// a busy machine; more than so many are no accident.
const SECOND_TRIES: usize = 2;

fn name_of_failed(line: &str) -> Option<String> {
    Some(line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?.to_owned())
}

/// Runs one test alone, which must pass.
fn again(name: &str) -> Result<()> {
    eprintln!("== again, alone: {name}");
    let mut test = cargo();
    test.args(["test", "--workspace", "--no-fail-fast", "--", "--exact", name]).env(HOME_VARIABLE, pg::home()?);
    test.env("DBCTL_TEST_MATRIX", "1").env("INSTA_UPDATE", "no");
    let passed = format!("test {name} ... ok");
    let mut seen = false;
    if watched(&mut test, |line| seen |= line == passed)? && seen {
        return Ok(());
    }
    bail!("{name} failed twice, the second time alone")
}

/// Tests wait for servers, locks and other runs more than they compute.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(4, |cores| cores.get() * 2)
}

/// A PostgreSQL server of 14-18: found, else by the package manager, else from the Python package.
pub fn need_server() -> Result<()> {
    let suits = || -> Result<_> { Ok(pg::found()?.into_iter().find(|found| pg::MAJORS.contains(&found.major))) };
    if let Some(found) = suits()? {
        eprintln!("PostgreSQL {} is in {}", found.version, found.bin_dir.display());
        return Ok(());
    }
    eprintln!("no PostgreSQL 14-18 server found: installing the system's package");
    match packages::install(&POSTGRESQL) {
        Ok(()) if suits()?.is_some() => return Ok(()),
        Ok(()) => eprintln!("the system's PostgreSQL is none of 14-18: fetching one"),
        Err(error) => eprintln!("not possible ({error:#}): fetching one into {}", pg::home()?.display()),
    }
    pg::fetch(18)
}

/// refinery's own program, which must get along with our history, and an S3 on this machine. Without
/// them those tests are skipped, which the matrix does not allow.
fn need_tools(matrix: bool) -> Result<()> {
    match tools::run(&[]) {
        Err(error) if matrix => Err(error).context("refinery_cli and moto are needed for the whole matrix"),
        Err(error) => {
            eprintln!("NOT TESTED: what needs refinery_cli or moto ({error:#})");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// A server with the extension pg_repack, and its program beside the server's.
fn need_repack(matrix: bool) -> Result<()> {
    let has_program = |found: &binaries::Installation| found.bin_dir.join("pg_repack").is_file();
    if binaries::find_with_extension("pg_repack").iter().any(has_program) {
        return Ok(());
    }
    eprintln!("no pg_repack found: installing the system's package");
    match packages::install(&REPACK) {
        Err(error) if matrix => Err(error).context("pg_repack is needed for the whole matrix"),
        Err(error) => {
            eprintln!("NOT TESTED: what needs pg_repack ({error:#})");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// A program that some tests need. Without it they are skipped, which the matrix does not allow.
fn need(name: &str, package: &Package, matrix: bool) -> Result<()> {
    let places = ["/usr/bin", "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];
    if packages::has(name) || places.iter().any(|place| std::path::Path::new(place).join(name).is_file()) {
        return Ok(());
    }
    eprintln!("no {name} found: installing the system's package");
    match packages::install(package) {
        Err(error) if matrix => Err(error).with_context(|| format!("{name} is needed for the whole matrix")),
        Err(error) => {
            eprintln!("NOT TESTED: what needs {name} ({error:#})");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failed_tests_are_tried_again() {
        assert_eq!(name_of_failed("test a::b ... FAILED").as_deref(), Some("a::b"));
        for line in [
            "test a::b ... ok",
            "test a::b has been running for over 60 seconds",
            "test result: FAILED. 1 passed",
            "---- a::b stdout ----",
        ] {
            assert_eq!(name_of_failed(line), None, "{line}");
        }
    }
}
