//! The object stores of Azure and Google: what holds for a bucket of S3 holds in Azure's, and whatever is missing for
//! either is named.

use std::process::Command;

use super::{filled, json, run};
use crate::harness::{Cloud, dbctl};

fn backup(cloud: &Cloud, words: &[&str]) -> Command {
    let mut command = dbctl(&["backup"]);
    command.args(words).envs(cloud.variables());
    command
}

/// From the first backup to the last, through verify, restore and prune.
fn holds_backups(cloud: &Cloud) {
    let db = filled();
    let copy = format!("{}_copy", db.name());
    for _ in 0..2 {
        run(backup(cloud, &["create", "--to", cloud.url()]).env("DATABASE_URL", db.url())).expect_code(0);
    }
    let proven = run(&mut backup(cloud, &["verify", "--from", cloud.url(), "--format", "json"])).expect_code(0);
    assert_eq!(json(&proven.stdout)["good"], true);
    let mut restore = dbctl(&["restore", "latest", "--from", cloud.url(), "--to-database", &copy, "--format", "json"]);
    let restored = run(restore.envs(cloud.variables()).env("DATABASE_URL", db.url())).expect_code(0);
    assert_eq!(json(&restored.stdout)["rows"], 6500);
    db.sql(&format!("DROP DATABASE {copy}"));
    let rules = ["prune", "--from", cloud.url(), "--keep-last", "1", "--min-age", "0s", "--yes", "--format", "json"];
    assert_eq!(json(&run(&mut backup(cloud, &rules)).expect_code(0).stdout)["removed"], 1);
    let listed = json(&run(&mut backup(cloud, &["list", "--from", cloud.url(), "--format", "json"])).stdout);
    assert_eq!(listed["backups"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["backups"][0]["proven_level"], 2, "{listed}");
}

#[test]
fn azure_holds_backups() {
    let Some(cloud) = Cloud::azure() else { return };
    let missing = run(&mut backup(&cloud, &["list", "--from", "az://box/cold/store"])).expect_code(1);
    assert!(missing.stderr.contains("there is no bucket box"), "{}", missing.stderr);
    cloud.make_container();
    holds_backups(&cloud);
}

/// Nobody there, no account, credentials in the URL: each is named, with what to set.
#[test]
fn what_is_missing_is_named() {
    let list = |url: &str, variables: &[(&str, &str)]| {
        run(dbctl(&["backup", "list", "--from", url]).envs(variables.iter().copied()))
    };
    let dead = "http://127.0.0.1:1";
    for (url, variables, code, says) in [
        ("az://box", &[][..], 65, "AZURE_STORAGE_ACCOUNT"),
        (
            "az://box",
            &[
                ("AZURE_STORAGE_ACCOUNT", "a"),
                ("AZURE_STORAGE_KEY", "c2VjcmV0"),
                ("AZURE_STORAGE_ENDPOINT", dead),
                ("AZURE_ALLOW_HTTP", "true"),
            ],
            69,
            "AZURE_STORAGE_ENDPOINT",
        ),
        ("az://a:secret@box/x", &[], 64, "az://bucket/prefix"),
        (
            "gs://box/x",
            &[("GOOGLE_BASE_URL", dead), ("GOOGLE_SKIP_SIGNATURE", "true"), ("GOOGLE_ALLOW_HTTP", "true")],
            69,
            "GOOGLE_BASE_URL",
        ),
        ("gs://box/x", &[("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")], 65, "GOOGLE_"),
        ("gs://", &[], 64, "gs://bucket/prefix"),
    ] {
        let told = list(url, variables).expect_code(code).stderr;
        assert!(told.contains(says) && !told.contains("c2VjcmV0"), "{told}");
    }
}
