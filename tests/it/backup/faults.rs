//! Runs that die, programs that fail, servers that go, disks that refuse: nothing that is left looks like a
//! backup, and the next run is not in the way of it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use dbctl::pg::sandbox::Options;
use nix::sys::signal::Signal;

use super::{Place, create, create_at, fill, filled, run, verify};
use crate::harness::{Database, eventually, private_server, spawn};

/// Rows that take a while to copy.
fn slow() -> Database {
    let db = filled();
    db.sql("CREATE TABLE public.noise AS SELECT i, (SELECT string_agg(md5(random()::text || g), '') FROM generate_series(1, 30) AS g WHERE i > 0) AS note FROM generate_series(1, 20000) AS i");
    db
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_no_backup() {
    let (db, place) = (slow(), Place::new());
    let mut died = 0;
    for step in 0..14 {
        let mut child = spawn(&mut create(&db, &place, &[]));
        std::thread::sleep(Duration::from_millis(40 + step * 60));
        if child.has_ended() {
            break;
        }
        child.signal(Signal::SIGKILL);
        let killed = child.wait();
        if killed.code != 0 {
            died += 1;
        }
        let made = place.backups();
        assert!(made.len() <= usize::from(killed.code == 0), "{made:?}");
        for backup in made {
            std::fs::remove_dir_all(backup).unwrap();
        }
    }
    assert!(died > 2, "only {died} runs were hit");
    run(&mut create(&db, &place, &[])).expect_code(0);
    assert_eq!(place.backups().len(), 1);
    run(&mut super::verify(&place, "2")).expect_code(0);
}

#[test]
fn a_signal_ends_it_cleanly_and_leaves_nothing() {
    let (db, place) = (slow(), Place::new());
    let lock = db.session();
    lock.sql("BEGIN; LOCK TABLE public.noise IN ACCESS EXCLUSIVE MODE");
    let child = spawn(&mut create(&db, &place, &[]));
    eventually("the lock is waited for", || {
        db.one("SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == "1"
    });
    child.signal(Signal::SIGINT);
    let ended = child.wait().expect_code(130);
    assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "attempts"), "{left:?}");
}

#[test]
fn a_lock_that_is_not_to_be_had_is_named_with_its_holder() {
    let (db, place) = (filled(), Place::new());
    let lock = db.session();
    lock.sql("BEGIN; LOCK TABLE public.customers IN ACCESS EXCLUSIVE MODE");
    let deferred = run(&mut create(&db, &place, &["--lock-timeout", "1s"])).expect_code(3);
    let pid = lock.pid().to_string();
    assert!(
        deferred.stderr.contains("customers: blocked by pid") && deferred.stderr.contains(&pid),
        "{}",
        deferred.stderr
    );
    assert_eq!(place.backups().len(), 0);
}

#[test]
fn two_runs_at_once_are_one_run_and_one_that_is_told_so() {
    let (db, place) = (filled(), Place::new());
    let lock = db.session();
    lock.sql("BEGIN; LOCK TABLE public.customers IN ACCESS EXCLUSIVE MODE");
    let first = spawn(&mut create(&db, &place, &[]));
    eventually("the first one waits", || {
        db.one("SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == "1"
    });
    let second = run(&mut create(&db, &place, &["--lock-wait", "0s"])).expect_code(6);
    assert!(second.stderr.contains("backup"), "{}", second.stderr);
    lock.rollback();
    first.wait().expect_code(0);
    assert_eq!(place.backups().len(), 1);
}

/// Row security that hides rows, and tables that may not be read, stop the run before anything is written.
#[test]
fn rows_that_the_role_cannot_see_stop_it() {
    let (db, place) = (filled(), Place::new());
    let role = format!("blind_{}", db.name());
    db.sql(&format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON public.customers TO {role}"));
    let closed = run(&mut create_at(&db.url_as(&role), &place, &[]));
    db.sql(&format!("GRANT pg_read_all_data TO {role}; ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY"));
    let hidden = run(&mut create_at(&db.url_as(&role), &place, &[]));
    db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let (closed, hidden) = (closed.expect_code(77), hidden.expect_code(77));
    assert!(closed.stderr.contains("may not read") && closed.stderr.contains("pg_read_all_data"), "{}", closed.stderr);
    assert!(
        hidden.stderr.contains("public.customers") && hidden.stderr.contains(&format!("ALTER ROLE {role} BYPASSRLS")),
        "{}",
        hidden.stderr
    );
    assert_eq!(place.backups().len(), 0);
}

/// A folder with programs that say that they are pg_dump, and then do something else.
fn impostors(db: &Database, place: &Place, does: &str) -> std::path::PathBuf {
    let folder = place.path().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["pg_dump", "pg_dumpall"] {
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && echo '{name} (PostgreSQL) {}.9' && exit 0\n{does}\n",
            db.major()
        );
        std::fs::write(folder.join(name), script).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn a_program_that_fails_or_is_killed_fails_the_backup() {
    let db = filled();
    for (does, says) in [
        ("echo PGDMP; echo 'pg_dump: error: out of luck' >&2; exit 1", "pg_dump failed with exit code 1"),
        ("head -c 100000 /dev/zero; kill -SEGV $$", "pg_dump was ended by signal 11"),
        ("kill -KILL $$", "pg_dump was ended by signal 9"),
    ] {
        let place = Place::new();
        let folder = impostors(&db, &place, does);
        let failed = run(create(&db, &place, &[]).env("DBCTL_PG_BIN", folder)).expect_code(1);
        assert!(failed.stderr.contains(says), "{}", failed.stderr);
        assert_eq!(place.backups().len(), 0);
        let attempts = std::fs::read_dir(place.path().join("attempts")).unwrap().count();
        assert_eq!(attempts, 1, "that it failed is kept");
    }
}

#[test]
fn a_server_that_stops_in_the_middle_fails_the_backup() {
    let server = private_server(&Options::default());
    let (db, place) = (Database::at(&server), Place::new());
    fill(&db);
    db.sql("CREATE TABLE public.noise AS SELECT i, (SELECT string_agg(md5(random()::text || g), '') FROM generate_series(1, 30) AS g WHERE i > 0) AS note FROM generate_series(1, 60000) AS i");
    let child = spawn(&mut create(&db, &place, &["--jobs", "1"]));
    eventually("rows are copied", || {
        db.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dbctl:backup' AND query LIKE 'COPY%noise%'") == "1"
    });
    std::mem::forget(db);
    drop(server);
    let failed = child.wait();
    assert!(matches!(failed.code, 1 | 69), "{}: {}", failed.code, failed.stderr);
    assert_eq!(place.backups().len(), 0);
}

/// No room: a limit on the size of files stands for a full disk, which says so in the same words.
#[test]
fn a_disk_that_takes_no_more_fails_the_backup() {
    let (db, place) = (slow(), Place::new());
    let mut inner = create(&db, &place, &["--level", "1"]);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh"])
        .arg(inner.get_program())
        .args(inner.get_args());
    command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(inner.current_dir(place.path()).get_current_dir().unwrap());
    let failed = run(&mut command);
    assert!(failed.code == 1 && failed.stderr.contains("File too large"), "{}: {}", failed.code, failed.stderr);
    assert_eq!(place.backups().len(), 0);
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "attempts"), "{left:?}");
}

/// No room on a disk of its own, where this user may mount one; else the limit above has to do.
#[test]
fn a_full_disk_fails_the_backup_and_the_next_one_finds_room() {
    let (db, disk) = (slow(), Place::new());
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=7m", "tmpfs"]).arg(disk.path()).output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: this user may not mount a disk to fill");
        return;
    }
    let _mounted = Mounted(disk.path().to_owned());
    // What is asked before knows nothing of how well it compresses: the disk has room then, and not later.
    std::fs::write(disk.path().join("ballast"), vec![1; 1 << 20]).unwrap();
    let refused = run(&mut create(&db, &disk, &["--level", "1"]));
    assert!(refused.code == 4 && refused.stderr.contains("bytes free"), "{}: {}", refused.code, refused.stderr);
    db.sql("DROP TABLE public.noise; CREATE TABLE public.held AS SELECT i, (SELECT string_agg(decode(md5(random()::text || g), 'hex'), '') FROM generate_series(1, 90) AS g WHERE i > 0) AS note FROM generate_series(1, 6000) AS i");
    let full = run(&mut create(&db, &disk, &["--level", "1"]));
    assert!(
        full.code == 1
            && full.stderr.contains("No space left")
            && full.stderr.contains(&format!("'df -h {}'", disk.url())),
        "{}: {}",
        full.code,
        full.stderr
    );
    assert_eq!(disk.backups().len(), 0);
    let left: Vec<_> = std::fs::read_dir(disk.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "attempts" || name == "ballast"), "{left:?}");
    std::fs::remove_file(disk.path().join("ballast")).unwrap();
    db.sql("DROP TABLE public.held");
    run(&mut create(&db, &disk, &[])).expect_code(0);
    run(&mut verify(&disk, "2")).expect_code(0);
}

/// A disk that goes with the test.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Neither an argument of any process nor a word of the answer holds the password.
#[test]
fn no_password_is_ever_an_argument_or_a_word() {
    const SECRET: &str = "s3cr3t-w0rd";
    let (db, place) = (slow(), Place::new());
    let role = format!("with_{}", db.name());
    db.sql(&format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{SECRET}'"));
    let url = db.url_as(&role).replacen(&format!("//{role}@"), &format!("//{role}:{SECRET}@"), 1);
    let mut child = spawn(create_at(&url, &place, &["-v"]).env("DBCTL_BACKUP_PASSPHRASE", SECRET).arg("--encrypt"));
    let (mut looks, mut dumps) = (0, 0);
    while !child.has_ended() {
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { continue };
            let line = String::from_utf8_lossy(&line).into_owned();
            assert!(!line.contains(SECRET), "{line}");
            dumps += usize::from(line.contains("pg_dump") && line.contains("--snapshot"));
        }
        looks += 1;
    }
    let made = child.wait();
    db.sql(&format!("DROP ROLE {role}"));
    let made = made.expect_code(0);
    assert!(looks > 3 && dumps > 0, "{looks} looks saw pg_dump {dumps} times");
    assert!(!format!("{}{}", made.stdout, made.stderr).contains(SECRET));
    let manifest = std::fs::read_to_string(place.backups()[0].join("manifest.json")).unwrap();
    assert!(!manifest.contains(SECRET));
}
