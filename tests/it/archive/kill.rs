//! Exports that die, and disks that refuse: in a process of their own, which is this test program
//! called again.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use dbctl::archive::store::{Create, Store};
use dbctl::archive::{Identities, Manifest, Options, export, read_back};
use dbctl::config::env::Env;

use super::{files, folder, on_disk, out, run, session, small, t};
use crate::harness::{Database, eventually};

const ROLE: &str = "DBCTL_TEST_ARCHIVE_CHILD";

/// Rows that do not compress: some megabytes.
fn noise() -> Database {
    let db = small();
    db.sql("UPDATE public.t SET note = (SELECT string_agg(md5(random()::text || id || i), '') FROM generate_series(1, 12) AS i)");
    db
}

/// This program again, in a role, under a shell that prepares it.
fn child(prepare: &str, role: &str, url: &str, folder: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("{prepare}\nexec \"$@\""), "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "archive::kill::in_a_child", "--nocapture"]);
    command.env(ROLE, role).env("DBCTL_TEST_URL", url).env("DBCTL_TEST_FOLDER", folder).stdin(Stdio::null());
    command
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What the children do; by itself, nothing but to find that it is none.
#[test]
fn in_a_child() {
    let Ok(role) = std::env::var(ROLE) else {
        assert!(std::env::var("DBCTL_TEST_FOLDER").is_err());
        return;
    };
    let (url, folder) = (std::env::var("DBCTL_TEST_URL").unwrap(), std::env::var("DBCTL_TEST_FOLDER").unwrap());
    let store = Store::open(&format!("{folder}/cold"), &Env::default()).unwrap();
    run(async {
        let failure = if role == "create" {
            store.create("db/t.csv.zst", &Create::default()).await.err()
        } else {
            let mut halfway = |rows| {
                if role == "stop halfway" && rows > 4000 {
                    std::fs::write(format!("{folder}/halfway"), "").unwrap();
                    std::thread::sleep(Duration::from_secs(120));
                }
            };
            let session = session(&url).await;
            let done = export(&session, &t(), &store, "db/t.csv.zst", &Options::default(), &mut halfway).await;
            // An abandoned COPY does not hold the connection.
            assert!(session.rows_of("SELECT 1").await.is_ok());
            done.err()
        };
        println!("{}", failure.map_or_else(|| "no failure".to_owned(), |failure| failure.to_string()));
    });
}

#[test]
fn a_killed_export_leaves_nothing_that_looks_finished_and_the_next_one_replaces_it() {
    let db = noise();
    let (keep, store) = folder();
    let mut killed = child("", "stop halfway", &db.url(), keep.path()).stdout(Stdio::null()).spawn().unwrap();
    eventually("the export is halfway", || keep.path().join("halfway").exists());
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left: Vec<String> = files(&keep.path().join("cold")).into_keys().collect();
    assert_eq!(left, ["db/t.csv.zst.part"]);
    let part = on_disk(&keep, "db/t.csv.zst.part").metadata().unwrap();
    assert!(part.permissions().mode() & 0o777 == 0o600 && part.len() > 0, "{part:?}");
    run(async {
        assert_eq!(store.head("db/t.csv.zst").await.unwrap(), None);
        assert_eq!(Manifest::read(&store, "db/t.csv.zst").await.unwrap(), None);
        let manifest = out(&db, &t(), &store, &Options::default()).await.unwrap().manifest;
        read_back(&store, &manifest, &Identities::default()).await.unwrap();
    });
    let left: Vec<String> = files(&keep.path().join("cold")).into_keys().collect();
    assert_eq!(left, ["db/t.csv.zst", "db/t.csv.zst.json"]);
}

#[test]
fn a_file_that_may_not_grow_leaves_nothing_behind() {
    let db = noise();
    let (keep, _store) = folder();
    // Ignored, the signal becomes an error of the write.
    let prepare = "trap '' XFSZ; ulimit -f 512";
    let output = child(prepare, "export", &db.url(), keep.path()).output().unwrap();
    let told = told(&output);
    assert!(told.contains("error: cannot write") && told.contains("t.csv.zst.part"), "{told}");
    assert!(told.contains("a limit on file sizes is in the way"), "{told}");
    assert_eq!(files(keep.path()).len(), 0);
}

#[test]
fn a_full_disk_is_named_and_nothing_is_left_on_it() {
    let db = noise();
    let (keep, _store) = folder();
    let can = |flags: &str| Command::new("unshare").args([flags, "true"]).status().is_ok_and(|status| status.success());
    let Some(flags) = ["-m", "-rm"].into_iter().find(|flags| can(flags)) else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no small disk can be made here (unshare -m)");
        return;
    };
    // The disk is there for the child alone, and goes with it.
    let script = "mount -t tmpfs -o size=256k none \"$DBCTL_TEST_FOLDER\" || exit 7\n\"$@\"\nfind \"$DBCTL_TEST_FOLDER\" -type f";
    let inner = child("", "export", &db.url(), keep.path());
    let mut command = Command::new("unshare");
    command.args([flags, "/bin/sh", "-c", script, "sh"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "archive::kill::in_a_child", "--nocapture"]).stdin(Stdio::null());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    let told = told(&output);
    assert!(told.contains("error: cannot write") && told.contains("the disk (or its quota) is full"), "{told}");
    assert!(told.contains("df -h") && !told.trim_end().ends_with(".part"), "{told}");
}

#[test]
fn a_folder_without_rights_is_named() {
    let (keep, _store) = folder();
    std::fs::set_permissions(keep.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    // The superuser may do anything: be somebody else then.
    let prepare = "[ \"$(id -u)\" = 0 ] && set -- setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"";
    let output = child(prepare, "create", "", keep.path()).output().unwrap();
    let told = told(&output);
    assert!(told.contains("error: cannot make the folder") && told.contains("ls -ld"), "{told}");
}
