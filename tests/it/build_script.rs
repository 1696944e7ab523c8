//! `sql/build.rs` on trees of its own: good ones build, bad ones say what is wrong with which file.

use std::path::Path;
use std::process::{Command, Output};

/// The build script, compiled once more, on a tree with these files below `sql/`.
fn build(files: &[(&str, &[u8])]) -> Output {
    let tree = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = tree.path().join("sql").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let out = tree.path().join("out");
    std::fs::create_dir_all(&out).unwrap();
    let program = tree.path().join("build-script");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = Command::new(rustc).arg("--edition=2024").arg("-o").arg(&program).arg(source).status().unwrap();
    assert!(compiled.success());
    let mut run = Command::new(program);
    run.env("CARGO_MANIFEST_DIR", tree.path()).env("OUT_DIR", &out).output().unwrap()
}

fn refused(files: &[(&str, &[u8])], because: &str) {
    let output = build(files);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{files:?} was taken:\n{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("cargo::error=")).collect();
    assert!(errors.iter().any(|line| line.contains(because)), "no '{because}' in {errors:?}");
}

const GOOD: (&str, &[u8]) = ("migrations/one/V0001__a.sql", b"SELECT 1;\n");

#[test]
fn a_good_tree_is_watched_and_listed() {
    let output = build(&[GOOD, ("rollback/one/D0001__a.sql", b"SELECT 1;\n"), ("demo/one.sql", b"SELECT 1;\n")]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    for watched in ["sql\n", "V0001__a.sql\n", "demo/one.sql\n"] {
        assert!(said.contains(watched), "{watched} is not watched: a change of it would not rebuild");
    }
}

#[test]
fn migrations_that_would_fail_at_night_fail_the_build() {
    refused(&[("migrations/one/V1__a.sql", b"SELECT 1;\n")], "must be named");
    refused(&[("migrations/one/V0001_a.sql", b"SELECT 1;\n")], "must be named");
    refused(&[("migrations/one/V0001__a-b.sql", b"SELECT 1;\n")], "must be named");
    refused(&[GOOD, ("rollback/one/V0001__a.sql", b"SELECT 1;\n")], "must be named D0001");
    refused(&[GOOD, ("migrations/one/V0001__b.sql", b"SELECT 2;\n")], "same version");
    refused(&[("migrations/one/V0001__a.sql", b"SELECT '\xe9';\n")], "not UTF-8");
    refused(&[("migrations/one/V0001__a.sql", b"SELECT 1;\r\n")], "CR line ends");
    refused(&[("migrations/one/V0001__a.sql", b"\xef\xbb\xbfSELECT 1;\n")], "byte order mark");
    refused(&[("migrations/one/V0001__a.sql", b"SELECT 1;\0\n")], "NUL");
    refused(&[("migrations/one/V0001__a.sql", b"")], "is empty");
}
