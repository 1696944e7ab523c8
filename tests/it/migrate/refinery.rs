//! One history, two programs: refinery_cli as released (32-bit versions) and with `int8-versions`
//! write and read it beside dbctl.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Case, decent, states};
use crate::harness::{Run, run};

/// `cargo xtask tools` builds them. Missing ones fail the test in CI and under DBCTL_TEST_MATRIX=1.
fn refinery(bits: u32) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../tools/refinery{bits}/bin/refinery"));
    if program.is_file() {
        return Some(program);
    }
    let missing = format!("{} is missing: run 'cargo xtask tools'", program.display());
    let must = std::env::var_os("CI").is_some() || std::env::var("DBCTL_TEST_MATRIX").is_ok_and(|value| value == "1");
    assert!(!must, "{missing}");
    eprintln!("NOT TESTED: refinery_cli beside dbctl. {missing}");
    None
}

impl Case {
    /// `refinery migrate` on the folder, which stops at divergent and missing versions.
    #[track_caller]
    fn refinery(&self, program: &Path, args: &[&str]) -> Run {
        let url = self.db.url();
        let (socket, port) = url.split_once("?host=").unwrap().1.split_once("&port=").unwrap();
        let own = format!("postgres://postgres@{}:{port}/{}", socket.replace('/', "%2F"), self.db.name());
        let mut command = Command::new(program);
        command.args(["migrate", "-e", "REFINERY_URL", "-d", "-m", "-p"]).arg(self.dir()).args(args);
        run(command.env("REFINERY_URL", own).current_dir(self.folder.path()).stdin(std::process::Stdio::null()))
    }

    /// Everything of the history but when.
    fn rows(&self) -> Vec<Vec<Option<String>>> {
        self.db.sql("SELECT version, name, checksum FROM refinery_schema_history ORDER BY version")
    }

    fn width(&self) -> String {
        self.db.one("SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'refinery_schema_history'::regclass AND attname = 'version'")
    }
}

fn three() -> Case {
    Case::with(&[
        ("V1__a.sql", "CREATE TABLE a (id int);\n"),
        ("V0002__añadir.sql", "ALTER TABLE a ADD COLUMN é text;"),
        ("U3__unordered.sql", "CREATE TABLE c (id int);\n-- the end"),
    ])
}

/// Histories that refinery began, extended by dbctl, accepted by refinery, and so on in turns.
fn in_turns(bits: u32, width: &str) {
    let Some(program) = refinery(bits) else { return };
    let case = three();
    case.refinery(&program, &[]).expect_code(0);
    assert_eq!(case.width(), width);
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
    assert_eq!(case.json(&["up"])["applied"], 0);
    case.file("V4__dbctl.sql", "CREATE TABLE d (id int);");
    case.file("V5__no_transaction.sql", "CREATE INDEX CONCURRENTLY i ON d (id);");
    case.up();
    assert_eq!(case.width(), width);
    let rows = case.rows();
    case.refinery(&program, &[]).expect_code(0);
    assert_eq!(case.rows(), rows, "nothing to do for refinery");
    case.file("V6__refinery.sql", "CREATE TABLE f (id int);");
    case.refinery(&program, &[]).expect_code(0);
    assert_eq!(case.db.one("SELECT to_regclass('f') IS NOT NULL"), "t");
    assert_eq!(case.states(), "1:applied 2:applied 3:applied 4:applied 5:applied 6:applied");
    case.migrate(&["status", "--exit-code"]).expect_code(0);

    // What each of them calls changed, the other does too; a repair satisfies both.
    case.file("V4__dbctl.sql", "CREATE TABLE d (id int); -- changed");
    assert_ne!(case.refinery(&program, &[]).code, 0);
    case.migrate(&["repair", "--version", "4", "--reason", "a comment"]).expect_code(0);
    case.refinery(&program, &[]).expect_code(0);
    case.rollback("D6__refinery.sql", "DROP TABLE f;");
    case.migrate(&["down", "--to", "5", "--yes"]).expect_code(0);
    case.refinery(&program, &[]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:applied 3:applied 4:applied 5:applied 6:applied");
}

#[test]
fn a_32_bit_history_is_extended_and_accepted_again() {
    in_turns(32, "integer");
}

#[test]
fn a_64_bit_history_is_extended_and_accepted_again() {
    in_turns(64, "bigint");
}

#[test]
fn dbctl_s_own_history_is_accepted_and_identical() {
    let Some(program) = refinery(64) else { return };
    let (ours, theirs) = (three(), three());
    for case in [&ours, &theirs] {
        case.file("V20261121010203__stamp.sql", "SELECT 1;");
    }
    ours.up();
    theirs.refinery(&program, &[]).expect_code(0);
    assert_eq!(ours.rows(), theirs.rows());
    ours.refinery(&program, &[]).expect_code(0);
    ours.file("V20261121010204__next.sql", "CREATE TABLE next ();");
    ours.refinery(&program, &[]).expect_code(0);
    assert_eq!(ours.db.one("SELECT to_regclass('next') IS NOT NULL"), "t");
    assert!(!ours.states().contains("pending"));
    let columns = "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull, ', ' ORDER BY attnum) \
        FROM pg_attribute WHERE attrelid = 'refinery_schema_history'::regclass AND attnum > 0";
    assert_eq!(ours.db.one(columns), theirs.db.one(columns));
}

#[test]
fn an_embedded_system_s_history_is_accepted_for_its_files() {
    let Some(program) = refinery(64) else { return };
    let case = Case::new();
    let mut up = crate::harness::dbctl(&["migrate", "--system", "bridge"]);
    decent(up.env("DATABASE_URL", case.db.url())).expect_code(0);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/migrations/bridge");
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        case.file(path.file_name().unwrap().to_str().unwrap(), std::fs::read(&path).unwrap());
    }
    case.refinery(&program, &[]).expect_code(0);
    assert!(!case.states().contains("pending") && !case.states().contains("divergent"), "{}", case.states());
}

#[test]
fn a_timestamp_does_not_fit_into_a_32_bit_history_and_nothing_is_touched() {
    let Some(program) = refinery(32) else { return };
    let case = three();
    case.refinery(&program, &[]).expect_code(0);
    case.file("V4__fits.sql", "CREATE TABLE fits ();");
    case.file("V20261121010203__stamp.sql", "SELECT 1;");
    let run =
        case.refuses(&["up"], 4, &["V20261121010203__stamp.sql does not fit", "32-bit versions", "below 2147483648"]);
    assert!(run.stdout.is_empty());
    assert_eq!(case.db.one("SELECT to_regclass('fits') IS NULL"), "t");
}

#[test]
fn a_fake_run_and_a_target_mean_the_same_to_both() {
    let Some(program) = refinery(32) else { return };
    let case = three();
    case.refinery(&program, &["-f", "-t", "2"]).expect_code(0);
    let status = case.json(&["status"]);
    assert_eq!(states(&status), "1:applied 2:applied 3:pending");
    case.migrate(&["up", "--fake"]).expect_code(0);
    case.refinery(&program, &[]).expect_code(0);
    assert_eq!(case.db.one("SELECT to_regclass('c') IS NULL"), "t", "nothing of it was run");
}
