//! Damaged backups go when somebody asks for it, never when they may be the last copy; and folders that are not there.

use std::path::Path;
use std::process::Command;

use chrono::Utc;
use dbctl::backup::Id;

use super::kept::history;
use super::{Place, json, run};
use crate::harness::dbctl;

fn backup(place: &Path, verb: &str, more: &[&str]) -> Command {
    let mut command = dbctl(&["backup", verb, "--from", place.to_str().unwrap(), "--format", "json"]);
    command.args(more);
    command
}

fn ids(place: &Place) -> Vec<String> {
    place.backups().iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn the_damaged_go_on_demand_and_never_the_last_copy() {
    let place = history(5, chrono::Duration::hours(30));
    let ids = ids(&place);
    for id in &ids[..3] {
        std::fs::remove_file(place.path().join(id).join("sequences.sql.zst")).unwrap();
        run(&mut backup(place.path(), "verify", &[id])).expect_code(2);
    }
    run(&mut backup(place.path(), "pin", &[&ids[0], "--reason", "an audit"])).expect_code(0);
    let prune = |more: &[&str]| {
        let mut command = backup(place.path(), "prune", &["--damaged", "--max-age", "2d"]);
        json(&run(command.args(more)).expect_code(0).stdout)
    };
    // Nothing was proven yet: what is left of the damaged ones may be all that there is.
    let held = prune(&["--yes"]);
    assert_eq!((held["removed"].as_i64(), place.backups().len()), (Some(0), 5));
    assert!(held.to_string().contains("damaged, and no other is proven"), "{held}");
    run(&mut backup(place.path(), "verify", &["latest"])).expect_code(0);
    let unasked = run(&mut backup(place.path(), "prune", &["--damaged", "--max-age", "2d"])).expect_code(4);
    assert!(unasked.stderr.contains("which is damaged"), "{}", unasked.stderr);
    assert_eq!(prune(&["--dry-run"])["going"].as_i64(), Some(2));
    assert_eq!((prune(&["--yes"])["removed"].as_i64(), prune(&["--yes"])["removed"].as_i64()), (Some(2), Some(0)));
    let left: Vec<bool> = ids.iter().map(|id| place.path().join(id).exists()).collect();
    assert_eq!(left, [true, false, false, true, true], "the pinned one and the good ones stay");
}

/// A manifest that cannot be read says nothing of what it was: only the record of its run does.
#[test]
fn what_has_no_readable_manifest_goes_where_a_record_says_what_it_was() {
    let place = history(4, chrono::Duration::hours(30));
    let ids = ids(&place);
    let database = place.any_manifest().database.name;
    let spoil = |id: &str, text: &str| std::fs::write(place.path().join(id).join("manifest.json"), text).unwrap();
    spoil(&ids[0], "{}");
    spoil(&ids[1], "{}");
    // Another dbctl's, which reads more than this one: no damage.
    spoil(&ids[2], r#"{"version": 99}"#);
    let note = |id: &str| {
        let id = id.to_owned();
        let attempt = dbctl::backup::repository::Attempt {
            version: 1,
            database: database.clone(),
            at: Utc::now().to_rfc3339(),
            id: Some(id),
            failure: None,
        };
        let repository = dbctl::backup::Repository::open(&place.url(), &dbctl::config::env::Env::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(repository.add_attempt(&attempt)).unwrap();
    };
    note(&ids[0]);
    note(&ids[2]);
    let prune = || {
        let rules = ["--damaged", "--max-age", "2d", "--yes"];
        json(&run(&mut backup(place.path(), "prune", &rules)).expect_code(0).stdout)["removed"].as_i64()
    };
    assert_eq!(prune(), Some(0), "no other one is proven");
    run(&mut backup(place.path(), "verify", &["latest"])).expect_code(0);
    assert_eq!(prune(), Some(1));
    let left: Vec<bool> = ids.iter().map(|id| place.path().join(id).exists()).collect();
    assert_eq!(left, [false, true, true, true]);
}

/// Somebody writes to it yet: it is no dead run, however long ago it began.
#[test]
fn a_long_run_is_not_cleared_under_its_feet() {
    let place = history(1, chrono::Duration::hours(2));
    let unfinished = place.path().join(format!("{}.partial", Id::new(Utc::now() - chrono::Duration::days(3), 9)));
    std::fs::create_dir_all(unfinished.join("data")).unwrap();
    let file = unfinished.join("data/1");
    std::fs::write(&file, "x").unwrap();
    let rules = ["--keep-last", "3", "--yes"];
    run(&mut backup(place.path(), "prune", &rules)).expect_code(0);
    assert!(file.exists());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
    run(&mut backup(place.path(), "prune", &rules)).expect_code(0);
    assert!(!unfinished.exists());
}

/// An unmounted disk is not a repository without backups.
#[test]
fn a_folder_that_is_not_there_is_no_empty_repository() {
    let place = Place::new();
    let empty = json(&run(&mut backup(place.path(), "list", &[])).expect_code(0).stdout);
    assert_eq!(empty["backups"].as_array().unwrap().len(), 0);
    let gone = place.path().join("not/mounted");
    for verb in ["list", "status"] {
        let told = json(&run(&mut backup(&gone, verb, &[])).expect_code(2).stdout);
        assert!(told["notes"][0].as_str().unwrap().contains("there is no folder /"), "{told}");
    }
    let metrics = place.path().join("backup.prom");
    run(&mut backup(&gone, "status", &["--metrics", metrics.to_str().unwrap()])).expect_code(2);
    let text = std::fs::read_to_string(&metrics).unwrap();
    let up = text.lines().find(|line| line.starts_with("dbctl_backup_repository_up")).unwrap_or_default();
    assert!(up.ends_with(" 0"), "{text}");
    for (verb, more) in [("prune", &["--keep-last", "1", "--yes"][..]), ("verify", &[]), ("drill", &[])] {
        let told = run(&mut backup(&gone, verb, more)).expect_code(1);
        assert!(told.stderr.contains("there is no folder /") && told.stderr.contains("findmnt"), "{}", told.stderr);
    }
    assert!(!gone.exists());
}

/// Whoever asks for the latest is not given an older one in silence.
#[test]
fn a_damaged_manifest_may_be_the_latest() {
    let place = history(3, chrono::Duration::hours(30));
    let ids = ids(&place);
    let newest = ids.iter().max().unwrap();
    std::fs::write(place.path().join(newest).join("manifest.json"), "").unwrap();
    let told = run(&mut backup(place.path(), "verify", &["latest"])).expect_code(4).stderr;
    let whole = ids.iter().filter(|id| *id != newest).max().unwrap();
    for words in [format!("the latest may be backup {newest}"), format!("the newest that is whole is {whole}")] {
        assert!(told.contains(&words), "{told}");
    }
    run(&mut backup(place.path(), "verify", &[whole])).expect_code(0);
}

/// A backup that lost its manifest is no run under way, and a record that was changed hides no failure.
#[test]
fn what_is_missing_or_changed_is_told() {
    let (db, place) = (super::filled(), Place::new());
    for _ in 0..2 {
        run(&mut super::create(&db, &place, &[])).expect_code(0);
    }
    let status = || run(&mut backup(place.path(), "status", &["--max-age", "90d"]));
    status().expect_code(0);
    let records: Vec<_> =
        std::fs::read_dir(place.path().join("attempts")).unwrap().map(|e| e.unwrap().path()).collect();
    let whole = std::fs::read(&records[0]).unwrap();
    std::fs::write(&records[0], &whole[..whole.len() - 5]).unwrap();
    let told = status().expect_code(2).stdout;
    assert!(told.contains("not to be trusted"), "{told}");
    std::fs::write(&records[0], whole).unwrap();
    status().expect_code(0);

    let oldest = ids(&place).into_iter().min().unwrap();
    std::fs::remove_file(place.path().join(&oldest).join("manifest.json")).unwrap();
    let told = status().expect_code(2).stdout;
    assert!(told.contains(&oldest) && told.contains("missing"), "{told}");
    run(&mut backup(place.path(), "prune", &["--keep-last", "1", "--max-age", "90d", "--yes"])).expect_code(0);
    assert!(place.path().join(&oldest).exists(), "a person decides");
}
