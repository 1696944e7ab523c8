//! Files and folders that no migration should look like.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::Uid;

use super::{Case, decent, said, states};
use crate::harness::{Run, dbctl};

#[test]
fn odd_bytes_are_named_with_their_cure() {
    for (name, bytes, words) in [
        ("nul", &b"SELECT 1;\0"[..], &["holds a NUL byte at byte 9"][..]),
        ("bom", b"\xEF\xBB\xBFSELECT 1;", &["begins with a byte order mark", "sed -i"]),
        ("crlf", b"SELECT 1;\r\nSELECT 2;\r\n", &["has Windows line ends (line 1)", "sed -i", ".gitattributes"]),
        ("latin", b"SELECT 'caf\xe9';", &["is not UTF-8 (byte 11)", "iconv"]),
        ("utf16", b"S\0E\0L\0E\0C\0T\0", &["NUL"]),
        ("empty", b"", &["is empty: no statement in it"]),
        ("comments", b"-- nothing\n/* at /* all */ */\n;;\n", &["is empty: no statement in it"]),
        (
            "encoding",
            b"SELECT 1;\nSET client_encoding TO 'latin1';",
            &["sets client_encoding", ":2:1", "iconv -f latin1"],
        ),
        ("names", b"SET NAMES WIN1252;", &["sets client_encoding"]),
        (
            "directive",
            b"-- dbctl: no-transactions\nSELECT 1;",
            &["unknown directive '-- dbctl: no-transactions'", "-- dbctl: no-transaction"],
        ),
    ] {
        let case = Case::with(&[("V2__good.sql", "SELECT 1;")]);
        case.file(&format!("V1__{name}.sql"), bytes);
        let run = case.refuses(&["up"], 65, words);
        assert!(run.stderr.contains(&format!("V1__{name}.sql")), "{}", run.stderr);
        case.migrate(&["plan"]).expect_code(65);
        case.migrate(&["status"]).expect_code(0);
        assert_eq!(case.db.one("SELECT to_regclass('refinery_schema_history') IS NULL"), "t");
    }
}

#[test]
fn the_cure_that_a_message_names_cures() {
    for (bytes, program) in [
        (&b"\xEF\xBB\xBFCREATE TABLE a ();\n"[..], "sed -i"),
        (b"CREATE TABLE a ();\r\nSELECT 1;\r\n", "sed -i"),
        (b"CREATE TABLE a (); -- caf\xe9\n", "iconv"),
    ] {
        let case = Case::new();
        case.file("V1__a.sql", bytes);
        let run = case.migrate(&["up"]).expect_code(65);
        let cure = run.stderr.lines().find_map(|line| line.find(program).map(|at| &line[at..])).unwrap();
        let cure = cure.split(", and keep it so").next().unwrap();
        let healed = Command::new("/bin/sh").args(["-c", cure]).status().unwrap();
        assert!(healed.success(), "{cure}");
        case.migrate(&["up"]).expect_code(0);
    }
}

#[test]
fn unfinished_texts_are_the_server_s_to_refuse_with_a_place() {
    for text in ["SELECT 'open", "SELECT $$open", "/* open", "SELECT (", "CREATE TABLE \"open", "SELECT 1;\n;;\nfrob;"]
    {
        let case = Case::with(&[("V1__open.sql", text)]);
        let run = case.migrate(&["up"]);
        assert!(run.code == 1 || run.code == 65, "{text}: {}", run.stderr);
        assert!(run.stderr.contains("V1__open.sql"), "{text}: {}", run.stderr);
    }
}

#[test]
fn fifty_megabytes_apply_with_sane_memory() {
    let case = Case::new();
    let mut text = String::from("CREATE TABLE big (id int, t text);\n");
    let rows: Vec<String> = (0..20_000).map(|n| format!("({n}, 'some words to fill the row with: {n}')")).collect();
    let insert = format!("INSERT INTO big VALUES {};\n", rows.join(", "));
    while text.len() < 50 << 20 {
        text.push_str(&insert);
    }
    case.file("V1__big.sql", &text);
    let (code, peak) = peak_memory(&mut case.command(&["up"]));
    assert_eq!(code, 0);
    assert!(peak < 8 * text.len() as u64, "{} MB at its peak for {} MB", peak >> 20, text.len() >> 20);
    let (code, peak) = peak_memory(&mut case.command(&["status"]));
    assert_eq!((code, case.states().as_str()), (0, "1:applied"));
    assert!(peak < 8 * text.len() as u64, "{} MB at its peak", peak >> 20);
    // An error in the middle is shown without the whole line.
    case.file("V2__bad.sql", format!("{}frob;", insert.replace(";\n", ",\n  (nope);\n")));
    let run = case.migrate(&["up"]).expect_code(1);
    assert!(run.stderr.len() < 2_000, "{} bytes", run.stderr.len());
}

/// Exit code and peak memory in bytes of a run.
fn peak_memory(command: &mut Command) -> (i32, u64) {
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let status = Path::new("/proc").join(child.id().to_string()).join("status");
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let kilobytes =
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) << 10);
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.code().unwrap(), peak);
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn folders_that_are_none_are_named() {
    let case = Case::new();
    let missing = case.folder.path().join("nowhere");
    let file = case.file("V1__a.sql", "SELECT 1;");
    for verb in ["status", "plan", "up"] {
        let run = decent(&mut case.command_on(&missing, &[verb])).expect_code(65);
        said(run, &["cannot read the migrations folder", "nowhere", "--dir names the folder"]);
        let run = decent(&mut case.command_on(&file, &[verb])).expect_code(65);
        said(run, &["cannot read the migrations folder", "V1__a.sql"]);
    }
    std::fs::remove_file(file).unwrap();
    assert_eq!(states(&case.json(&["status"])), "");
    assert_eq!(case.json(&["up"])["applied"], 0);
}

#[test]
fn what_may_not_be_read_is_named() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    let secret = case.file("V2__secret.sql", "SELECT 1;");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o000)).unwrap();
    let run = as_nobody(&case, &["up"]).expect_code(65);
    said(run, &["V2__secret.sql: cannot be read: Permission denied"]);
    std::fs::set_permissions(case.dir(), PermissionsExt::from_mode(0o000)).unwrap();
    let run = as_nobody(&case, &["up"]).expect_code(65);
    said(run, &["cannot read the migrations folder", "Permission denied"]);
    std::fs::set_permissions(case.dir(), PermissionsExt::from_mode(0o755)).unwrap();
}

/// Root may read everything: runs as an account without rights. The server is out of its reach
/// too, so this is for what fails before.
fn as_nobody(case: &Case, args: &[&str]) -> Run {
    let mut command = case.command(args);
    if !Uid::effective().is_root() {
        return decent(&mut command);
    }
    let program = case.folder.path().join("dbctl");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_dbctl"), &program).unwrap();
    }
    let mut own = Command::new(&program);
    own.args(command.get_args()).env_clear().current_dir(case.folder.path()).uid(65_534).gid(65_534);
    for (name, value) in command.get_envs() {
        own.env(name, value.unwrap());
    }
    own.env("HOME", case.folder.path()).stdin(std::process::Stdio::null());
    decent(&mut own)
}

#[test]
fn a_folder_named_like_a_file_and_a_dangling_link_do_no_harm() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    std::fs::create_dir(case.dir().join("V2__folder.sql")).unwrap();
    std::os::unix::fs::symlink("nowhere", case.dir().join("V3__gone.sql")).unwrap();
    assert_eq!(case.states(), "1:pending unreadable");
    case.refuses(&["up"], 65, &["V3__gone.sql: cannot be read: No such file"]);
}

#[test]
fn a_control_character_in_a_file_name_is_shown_not_obeyed() {
    let case = Case::with(&[("V1__a\u{1b}[31m\n.sql", "SELECT 1;")]);
    let run = case.migrate(&["up"]).expect_code(65);
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    let run = case.migrate(&["status"]).expect_code(0);
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
}

#[test]
fn the_program_needs_no_home_and_no_current_folder() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    let mut command = dbctl(&["migrate", "status", "--dir"]);
    command.arg(case.dir()).env_remove("HOME").env("DATABASE_URL", case.db.url());
    decent(&mut command).expect_code(0);
}
