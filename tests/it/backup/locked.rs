//! Keys: who can open a backup, and what a wrong one says.

use std::time::Duration;

use age::secrecy::ExposeSecret as _;
use nix::sys::signal::Signal;

use super::{Place, create, filled, json, run, verify};
use crate::harness::{dbctl, eventually, spawn};

const PASSPHRASE: &str = "DBCTL_BACKUP_PASSPHRASE";

#[test]
fn a_passphrase_opens_what_it_locked() {
    let (db, place) = (filled(), Place::new());
    run(create(&db, &place, &["--encrypt"]).env(PASSPHRASE, "correct horse")).expect_code(0);
    assert!(place.manifest().files.iter().any(|part| part.file.path == "key.age"));
    let locked = run(&mut verify(&place, "2")).expect_code(4);
    assert!(locked.stderr.contains("is locked by a passphrase"), "{}", locked.stderr);
    let wrong = run(verify(&place, "2").env(PASSPHRASE, "battery staple")).expect_code(4);
    assert!(wrong.stderr.contains("does not open") && !wrong.stderr.contains("staple"), "{}", wrong.stderr);
    let file = place.path().join("passphrase");
    std::fs::write(&file, "correct horse\n").unwrap();
    run(verify(&place, "2").arg("--passphrase-file").arg(&file)).expect_code(0);
    // What the bytes are can be proven without a key.
    run(&mut verify(&place, "1")).expect_code(0);
}

#[test]
fn no_byte_of_a_row_lies_open_in_an_encrypted_backup() {
    let (db, place) = (filled(), Place::new());
    let key = age::x25519::Identity::generate();
    run(&mut create(&db, &place, &["--recipient", &key.to_public().to_string()])).expect_code(0);
    let manifest = place.manifest();
    assert_eq!(manifest.recipients, [key.to_public().to_string()]);
    for part in &manifest.files {
        let text = std::fs::read(place.backups()[0].join(&part.file.path)).unwrap();
        let named = String::from_utf8_lossy(&text).into_owned();
        let sealed = text.starts_with(b"age-encryption.org/v1");
        // What people read names tables, and holds nothing of their rows.
        assert!(sealed || part.is_bare() && !named.contains("customer 17"), "{} is not encrypted", part.file.path);
    }
    let file = place.path().join("identity");
    std::fs::write(&file, key.to_string().expose_secret()).unwrap();
    let proven = run(verify(&place, "2").arg("--identity").arg(&file)).expect_code(0);
    assert_eq!(json(&proven.stdout)["good"], true);
    std::fs::write(&file, age::x25519::Identity::generate().to_string().expose_secret()).unwrap();
    let wrong = run(verify(&place, "2").arg("--identity").arg(&file)).expect_code(4);
    assert!(wrong.stderr.contains("no identity at hand opens"), "{}", wrong.stderr);
    // That says nothing against the backup.
    let listed = json(&run(&mut dbctl(&["backup", "list", "--from", &place.url(), "--format", "json"])).stdout);
    assert_eq!(listed["backups"][0]["good"], true, "{listed}");
}

/// Encryption that cannot be done is an error, never a plain file.
#[test]
fn nothing_is_written_where_encryption_cannot_be_had() {
    let (db, place) = (filled(), Place::new());
    for (more, says) in [
        (&["--encrypt"][..], "--encrypt needs a passphrase"),
        (&["--recipient", "age1nonsense"], "is no age recipient"),
        (&["--encrypt", "--passphrase-file", "/nowhere/x"], "cannot read the passphrase"),
    ] {
        let refused = run(&mut create(&db, &place, more));
        assert!(
            matches!(refused.code, 64 | 65) && refused.stderr.contains(says),
            "{}: {}",
            refused.code,
            refused.stderr
        );
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

/// A signal that comes while the key is being locked is heard: there is a backup, or the run says that it was ended.
#[test]
fn a_run_that_is_ended_while_it_locks_its_key_publishes_nothing() {
    let (db, place) = (filled(), Place::new());
    let mut ended = 0;
    for wait in [0, 30, 100, 300] {
        let before = place.backups().len();
        let child = spawn(create(&db, &place, &["--encrypt"]).env(PASSPHRASE, "correct horse"));
        eventually("rows are there", || {
            let folders = std::fs::read_dir(place.path()).unwrap();
            let mut begun = folders
                .map(|folder| folder.unwrap().path())
                .filter(|path| path.to_string_lossy().ends_with(".partial"));
            begun.any(|path| path.join("data").exists()) || place.backups().len() > before
        });
        std::thread::sleep(Duration::from_millis(wait));
        child.signal(Signal::SIGTERM);
        let run = child.wait();
        let made = place.backups().len() - before;
        assert!(matches!((run.code, made), (143, 0) | (0, 1)), "{}, {made}: {}", run.code, run.stderr);
        ended += usize::from(run.code == 143);
    }
    assert!(ended > 0, "no run was ended");
}

#[test]
fn without_its_key_the_other_files_are_looked_at_all_the_same() {
    let (db, place) = (filled(), Place::new());
    run(create(&db, &place, &["--encrypt"]).env(PASSPHRASE, "correct horse")).expect_code(0);
    let backup = place.backups().remove(0);
    std::fs::remove_file(backup.join("key.age")).unwrap();
    let schema = backup.join("schema.dump.zst.age");
    let mut bytes = std::fs::read(&schema).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&schema, bytes).unwrap();
    let found = run(verify(&place, "2").env(PASSPHRASE, "correct horse")).expect_code(2);
    for file in ["key.age is not there", "schema.dump.zst.age is not what its manifest says"] {
        assert!(found.stdout.contains(file), "{file}: {}", found.stdout);
    }
}
