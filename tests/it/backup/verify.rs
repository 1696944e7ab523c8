//! Damage of every kind of file, and what is said of it.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbctl::backup::manifest::Manifest;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::{Place, create, filled, json, run, verify};
use crate::harness::{Database, eventually, spawn};

/// One file of each kind of a fresh backup, and the manifest.
fn kinds(backup: &Path) -> Vec<PathBuf> {
    let rows = std::fs::read_dir(backup.join("data")).unwrap().next().unwrap().unwrap().path();
    let named = ["schema.dump.zst", "schema.json.zst", "sequences.sql.zst", "globals.sql.zst"];
    named.iter().map(|name| backup.join(name)).chain([rows]).collect()
}

#[test]
fn a_flipped_bit_and_a_cut_are_found_in_every_kind_of_file() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    for file in kinds(&place.backups()[0]) {
        let good = std::fs::read(&file).unwrap();
        let (mut flipped, cut) = (good.clone(), &good[..good.len() - 1]);
        flipped[good.len() / 2] ^= 1;
        for (damage, level) in [(flipped.as_slice(), "1"), (cut, "0"), (flipped.as_slice(), "2")] {
            std::fs::write(&file, damage).unwrap();
            let found = run(&mut verify(&place, level)).expect_code(2);
            let answer = json(&found.stdout);
            let finding = answer["findings"][0]["finding"].as_str().unwrap_or_else(|| panic!("{}", found.stdout));
            assert!(finding.contains(&file.file_name().unwrap().to_string_lossy().into_owned()), "{finding}");
        }
        std::fs::remove_file(&file).unwrap();
        let found = run(&mut verify(&place, "0")).expect_code(2);
        assert!(found.stdout.contains("is not there"), "{}", found.stdout);
        std::fs::write(&file, good).unwrap();
        run(&mut verify(&place, "2")).expect_code(0);
    }
    let proofs = std::fs::read_dir(place.backups()[0].join("proofs")).unwrap().count();
    assert_eq!(proofs, 25, "every look is kept");
}

/// A file of the right size and sum, which is not the one that the table had.
#[test]
fn a_file_of_another_backup_is_no_file_of_this_one() {
    let (db, place, other) = (filled(), Place::new(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql("UPDATE public.customers SET name = reverse(name)");
    run(&mut create(&db, &other, &[])).expect_code(0);
    let rows = |place: &Place| {
        let manifest = place.manifest();
        let table = manifest.tables.iter().find(|table| table.name == "customers").unwrap();
        place.backups()[0].join(&table.chunks[0].path)
    };
    std::fs::copy(rows(&other), rows(&place)).unwrap();
    run(&mut verify(&place, "1")).expect_code(2);
}

#[test]
fn a_manifest_that_was_touched_or_is_missing_is_no_backup() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let file = place.backups()[0].join("manifest.json");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replacen("\"rows\": 500", "\"rows\": 501", 1)).unwrap();
    let id = place.backups()[0].file_name().unwrap().to_string_lossy().into_owned();
    let by_name = |id: &str| run(&mut crate::harness::dbctl(&["backup", "verify", id, "--from", &place.url()]));
    let touched = by_name(&id).expect_code(4);
    assert!(
        touched.stderr.contains("is damaged") && touched.stderr.contains("changed after it was written"),
        "{}",
        touched.stderr
    );
    std::fs::remove_file(&file).unwrap();
    let missing = by_name(&id).expect_code(1);
    assert!(missing.stderr.contains(&format!("there is no backup '{id}'")), "{}", missing.stderr);
    // Under another name it is none either.
    std::fs::write(&file, good).unwrap();
    let renamed = place.path().join("20200101T000000Z-0000");
    std::fs::rename(place.path().join(&id), renamed).unwrap();
    let refused = by_name("20200101T000000Z-0000").expect_code(4);
    assert!(refused.stderr.contains("speaks of backup"), "{}", refused.stderr);
}

/// What an earlier dbctl wrote, whose rows were text and whose manifest said nothing of it.
#[test]
fn a_backup_of_the_first_version_is_read() {
    let (db, place) = (Database::new(), Place::new());
    db.sql("CREATE TABLE public.t AS SELECT i, int4range(i, i + 1) AS r FROM generate_series(1, 10) AS i");
    run(&mut create(&db, &place, &[])).expect_code(0);
    let manifest = Manifest { version: 1, ..place.manifest() };
    let text = manifest.to_json().unwrap();
    assert!(!text.contains("\"form\""), "{text}");
    std::fs::write(place.backups()[0].join("manifest.json"), text).unwrap();
    run(&mut verify(&place, "3")).expect_code(0);
}

/// A folder with a program that says that it is pg_restore, and then does something else.
fn impostor(place: &Place, does: &str) -> PathBuf {
    let folder = place.path().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let major = place.manifest().programs.pg_dump_major;
    let script =
        format!("#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_restore (PostgreSQL) {major}.9' && exit 0\n{does}\n");
    std::fs::write(folder.join("pg_restore"), script).unwrap();
    std::fs::set_permissions(folder.join("pg_restore"), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// That somebody ended pg_restore says nothing of what it was to read.
#[test]
fn a_program_that_is_killed_damages_no_backup() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let proofs = place.backups()[0].join("proofs");
    for jobs in ["1", "4"] {
        let ended =
            run(verify(&place, "2").args(["--jobs", jobs]).env("DBCTL_PG_BIN", impostor(&place, "kill -TERM $$")));
        let ended = ended.expect_code(1);
        assert!(ended.stderr.contains("pg_restore was ended by signal 15"), "{}", ended.stderr);
        assert!(!proofs.exists(), "nothing was found out");
    }
    let refused =
        run(verify(&place, "2").env("DBCTL_PG_BIN", impostor(&place, "echo 'not mine' >&2; exit 1"))).expect_code(2);
    assert!(refused.stdout.contains("pg_restore cannot read"), "{}", refused.stdout);
}

/// Every process of a terminal gets its Ctrl-C.
#[test]
fn a_signal_to_all_of_a_run_is_no_finding() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let runs = place.path().join("bin/runs");
    for wait in [0, 100, 300] {
        let folder = impostor(&place, &format!("echo > '{}'; exec sleep 5", runs.display()));
        let mut verify = verify(&place, "2");
        let child = spawn(verify.args(["--jobs", "4"]).env("DBCTL_PG_BIN", folder).process_group(0));
        eventually("pg_restore runs", || runs.exists());
        std::thread::sleep(Duration::from_millis(wait));
        killpg(Pid::from_raw(child.pid().cast_signed()), Signal::SIGTERM).unwrap();
        child.wait().expect_code(143);
        assert!(!place.backups()[0].join("proofs").exists(), "nothing was found out");
        std::fs::remove_file(&runs).unwrap();
    }
}
