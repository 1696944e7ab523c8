//! Buckets that fail: names that are taken meanwhile, answers that are lost, stop or never come, servers that are ill
//! for a while or for good. Nothing is ever a backup that is none, and nothing good is called damaged.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use age::secrecy::ExposeSecret as _;

use super::{filled, json, run};
use crate::harness::{Database, Fault, Faulty, S3, dbctl};

fn create(db: &Database, s3: &S3, more: &[&str]) -> Command {
    let mut command = dbctl(&["backup", "create", "--to", &s3.url()]);
    command.args(more).env("DATABASE_URL", db.url()).envs(s3.variables());
    command
}

fn backup(s3: &S3, verb: &str, more: &[&str]) -> Command {
    let mut command = dbctl(&["backup", verb, "--from", &s3.url(), "--format", "json"]);
    command.args(more).envs(s3.variables());
    command
}

fn restore(db: &Database, s3: &S3, to: &str) -> Command {
    let mut command = dbctl(&["restore", "latest", "--from", &s3.url(), "--to-database", to, "--format", "json"]);
    command.env("DATABASE_URL", db.url()).envs(s3.variables());
    command
}

const ONE: [&str; 5] = ["--keep-last", "1", "--min-age", "0s", "--yes"];

/// Whether the first `many` times have not passed yet.
fn first(many: usize) -> impl Fn() -> bool + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    move || count.fetch_add(1, Ordering::SeqCst) < many
}

fn listed(s3: &S3) -> Vec<serde_json::Value> {
    json(&run(&mut backup(s3, "list", &[])).expect_code(0).stdout)["backups"].as_array().unwrap().clone()
}

/// A table whose rows go up in several parts.
fn large() -> Database {
    let db = Database::new();
    db.sql("CREATE TABLE public.noise AS SELECT i, (SELECT string_agg(md5(random()::text || g), '') FROM generate_series(1, 30) AS g WHERE i > 0) AS note FROM generate_series(1, 40000) AS i");
    db
}

/// Two runs that came by the same name: the store lets one of them have it, and the other clears nothing of it.
#[test]
fn of_two_runs_with_one_name_one_publishes() {
    let Some(s3) = S3::start() else { return };
    let (db, once) = (filled(), first(1));
    let direct = s3.clone();
    let proxy = Faulty::before(&s3, move |method, path| {
        if method == "PUT" && path.ends_with("/manifest.json") && once() {
            assert!(direct.request("PUT", path, "theirs").starts_with("HTTP/1.1 200"));
        }
        Fault::None
    });
    let lost = run(create(&db, &s3, &[]).env("AWS_ENDPOINT_URL", &proxy.endpoint)).expect_code(4);
    assert!(lost.stderr.contains("another file lies at s3://"), "{}", lost.stderr);
    let status = run(&mut backup(&s3, "status", &[])).expect_code(2);
    assert!(status.stdout.contains("another file lies at"), "the run is on record as failed: {}", status.stdout);
    let answer = json(&run(&mut backup(&s3, "list", &[])).expect_code(0).stdout);
    assert_eq!(answer["backups"].as_array().unwrap().len(), 0);
    assert!(answer["notes"][0].as_str().unwrap().contains("is damaged"), "theirs lies there yet: {answer}");
}

/// The store has done it, and nobody was told: asked again it says that the name is taken, by the same file.
#[test]
fn an_answer_that_was_lost_fails_nothing() {
    let Some(s3) = S3::start() else { return };
    let db = large();
    let (manifest, data, complete) = (first(1), first(2), first(1));
    let proxy = Faulty::before(&s3, move |method, path| {
        let lost = match method {
            "PUT" if path.ends_with("/manifest.json") => manifest(),
            "PUT" if path.contains(".sql") || path.contains("RESTORE") => data(),
            "POST" if path.contains("uploadId=") => complete(),
            _ => false,
        };
        if lost { Fault::AnswerLost } else { Fault::None }
    });
    run(create(&db, &s3, &[]).env("AWS_ENDPOINT_URL", &proxy.endpoint)).expect_code(0);
    assert_eq!(proxy.met(Fault::AnswerLost), 4);
    let proven = json(&run(&mut backup(&s3, "verify", &[])).expect_code(0).stdout);
    assert_eq!(proven["good"], true);
}

#[test]
fn a_store_that_says_nothing_is_asked_again_and_then_named() {
    let Some(s3) = S3::start() else { return };
    let (db, some) = (filled(), first(3));
    let waits = |command: &mut Command, proxy: &Faulty| {
        run(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).env("AWS_READ_TIMEOUT", "700ms"))
    };
    let proxy = Faulty::before(&s3, move |method, path| {
        if method == "PUT" && !path.contains("attempts") && some() { Fault::Stalled } else { Fault::None }
    });
    waits(&mut create(&db, &s3, &[]), &proxy).expect_code(0);
    assert_eq!(proxy.met(Fault::Stalled), 3);
    let proxy = Faulty::before(&s3, |_, path| if path.contains("manifest") { Fault::Stalled } else { Fault::None });
    for command in [
        &mut create(&db, &s3, &[]),
        &mut backup(&s3, "list", &[]),
        &mut backup(&s3, "verify", &[]),
        &mut backup(&s3, "prune", &ONE),
        &mut restore(&db, &s3, "never_made"),
    ] {
        let told = waits(command, &proxy).expect_code(69);
        assert!(told.stderr.contains("s3://") && told.stderr.contains("AWS_ENDPOINT_URL"), "{}", told.stderr);
    }
    assert_eq!(listed(&s3).len(), 1);
    assert_eq!(db.one("SELECT count(*) FROM pg_database WHERE datname = 'never_made'"), "0");
}

/// What stops in the middle is asked for again from there; where that never ends, nothing is called damaged for it.
#[test]
fn a_backup_is_not_damaged_because_its_store_is_ill() {
    let Some(s3) = S3::start() else { return };
    let (db, cuts) = (filled(), first(3));
    run(&mut create(&db, &s3, &[])).expect_code(0);
    let is_data = |method: &str, path: &str| method == "GET" && path.contains("/data/");
    let proxy =
        Faulty::before(&s3, move |method, path| if is_data(method, path) && cuts() { Fault::Cut } else { Fault::None });
    run(backup(&s3, "verify", &[]).env("AWS_ENDPOINT_URL", &proxy.endpoint)).expect_code(0);
    assert_eq!(proxy.met(Fault::Cut), 3);
    for fault in [Fault::Cut, Fault::Refused] {
        let proxy = Faulty::before(&s3, move |method, path| if is_data(method, path) { fault } else { Fault::None });
        let copy = format!("{}_copy", db.name());
        run(backup(&s3, "verify", &[]).env("AWS_ENDPOINT_URL", &proxy.endpoint)).expect_code(69);
        let failed = run(restore(&db, &s3, &copy).env("AWS_ENDPOINT_URL", &proxy.endpoint)).expect_code(69);
        assert!(failed.stderr.contains("s3://"), "{}", failed.stderr);
        assert_eq!(db.one(&format!("SELECT count(*) FROM pg_database WHERE datname = '{copy}'")), "0");
    }
    let all = listed(&s3);
    assert_eq!((all[0]["good"].as_bool(), all[0]["proven_level"].as_i64()), (Some(true), Some(2)));
}

/// A prune that the store ends in the middle leaves whole backups and what the next one clears.
#[test]
fn a_prune_ends_where_the_store_fails_and_is_gone_on_with() {
    let Some(s3) = S3::start() else { return };
    let db = filled();
    for _ in 0..3 {
        run(&mut create(&db, &s3, &[])).expect_code(0);
    }
    let some = first(6);
    let proxy = Faulty::before(&s3, move |method, _| match method {
        "DELETE" | "POST" if !some() => Fault::Refused,
        "DELETE" if some() => Fault::AnswerLost,
        _ => Fault::None,
    });
    let failed = run(backup(&s3, "prune", &ONE).env("AWS_ENDPOINT_URL", &proxy.endpoint)).expect_code(69);
    assert!(failed.stderr.contains("cannot remove s3://"), "{}", failed.stderr);
    let left = listed(&s3);
    assert!(matches!(left.len(), 2 | 3), "{left:?}");
    for one in &left {
        run(&mut backup(&s3, "verify", &[one["backup"].as_str().unwrap(), "--level", "1"])).expect_code(0);
    }
    run(&mut backup(&s3, "prune", &ONE)).expect_code(0);
    assert_eq!(listed(&s3).len(), 1);
}

/// The whole of it, encrypted: several backups, one of them damaged, rules, and the last one restored.
#[test]
fn an_encrypted_bucket_is_pruned_and_restored() {
    let Some(s3) = S3::start() else { return };
    let (db, folder) = (filled(), tempfile::tempdir().unwrap());
    let key = age::x25519::Identity::generate();
    let file = folder.path().join("identity");
    std::fs::write(&file, key.to_string().expose_secret()).unwrap();
    let (to, identity) = (key.to_public().to_string(), file.to_str().unwrap());
    for _ in 0..4 {
        run(&mut create(&db, &s3, &["--recipient", &to])).expect_code(0);
    }
    let ids: Vec<String> = listed(&s3).iter().map(|one| one["backup"].as_str().unwrap().to_owned()).collect();
    let store = dbctl::archive::Store::open(&s3.url(), &s3.env()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(store.delete(&format!("{}/sequences.sql.zst.age", ids[1]))).unwrap());
    run(&mut backup(&s3, "verify", &[&ids[1], "--identity", identity])).expect_code(2);
    run(&mut backup(&s3, "verify", &["latest", "--identity", identity])).expect_code(0);
    let removed = |more: &[&str]| {
        json(&run(backup(&s3, "prune", &["--min-age", "0s", "--yes"]).args(more)).expect_code(0).stdout)["removed"]
            .clone()
    };
    assert_eq!(removed(&["--keep-last", "2"]), 1, "the damaged one stays where nobody asks for more");
    assert_eq!(removed(&["--damaged"]), 1);
    let objects = s3.request("GET", &format!("/{}?list-type=2", s3.bucket), "");
    assert!(!objects.contains(&ids[0]) && !objects.contains(&ids[1]) && objects.contains(&ids[2]), "{objects}");
    let copy = format!("{}_copy", db.name());
    let restored = run(restore(&db, &s3, &copy).args(["--identity", identity])).expect_code(0);
    assert_eq!(json(&restored.stdout)["rows"], 6500);
    db.sql(&format!("DROP DATABASE {copy}"));
}
