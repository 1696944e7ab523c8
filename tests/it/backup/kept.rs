//! What is listed, what is told to monitoring, and what goes. Histories are made of one true backup, copied with
//! other moments in whole manifests.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use dbctl::backup::repository::{Attempt, Repository};
use dbctl::backup::{Id, manifest};
use dbctl::config::env::Env;
use nix::sys::signal::Signal;

use super::{Place, create, filled, json, run};
use crate::harness::{dbctl, eventually, spawn};

/// A repository with one backup a day, `days` of them, the newest of `newest_age` ago.
pub fn history(days: i64, newest_age: chrono::Duration) -> Place {
    let (db, first, place) = (filled(), Place::new(), Place::new());
    run(&mut create(&db, &first, &[])).expect_code(0);
    let template = first.manifest();
    for day in 0..days {
        let at = Utc::now() - newest_age - chrono::Duration::days(day);
        copy_as(&first.backups()[0], place.path(), &template, at);
    }
    place
}

fn copy_as(from: &Path, place: &Path, template: &dbctl::backup::Manifest, at: DateTime<Utc>) -> String {
    let id = Id::new(at, 7).to_string();
    let to = place.join(&id);
    std::fs::create_dir_all(to.join("data")).unwrap();
    for part in &template.files {
        std::fs::copy(from.join(&part.file.path), to.join(&part.file.path)).unwrap();
    }
    let mut manifest = template.clone();
    manifest.id.clone_from(&id);
    manifest.times.snapshot = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    std::fs::write(to.join("manifest.json"), manifest.to_json().unwrap()).unwrap();
    id
}

fn backup(place: &Place, verb: &str, more: &[&str]) -> Command {
    let mut command = dbctl(&["backup", verb, "--from", &place.url(), "--format", "json"]);
    command.args(more);
    command
}

#[test]
fn what_no_rule_keeps_goes_and_the_plan_said_so() {
    let place = history(20, chrono::Duration::hours(2));
    let rules = ["--keep-last", "2", "--keep-daily", "5"];
    let planned = json(&run(backup(&place, "prune", &rules).arg("--dry-run")).expect_code(0).stdout);
    assert_eq!((planned["kept"].as_i64(), planned["going"].as_i64(), place.backups().len()), (Some(5), Some(15), 20));
    let newest = planned["backups"].as_array().unwrap().last().unwrap();
    assert!(newest["kept_by"].as_str().unwrap().contains("newest, young, last, daily"), "{newest}");
    let unasked = run(&mut backup(&place, "prune", &rules)).expect_code(4);
    assert!(unasked.stderr.contains("--yes") && place.backups().len() == 20, "{}", unasked.stderr);
    let done = json(&run(backup(&place, "prune", &rules).arg("--yes")).expect_code(0).stdout);
    assert_eq!((done["removed"].as_i64(), place.backups().len()), (Some(15), 5));
    let again = json(&run(backup(&place, "prune", &rules).arg("--yes")).expect_code(0).stdout);
    assert_eq!(again["removed"].as_i64(), Some(0));
    run(&mut backup(&place, "prune", &["--yes"])).expect_code(64);
}

#[test]
fn the_proven_the_pinned_and_the_damaged_stay() {
    let place = history(6, chrono::Duration::hours(30));
    let ids: Vec<String> =
        place.backups().iter().map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    run(&mut dbctl(&["backup", "verify", &ids[0], "--from", &place.url()])).expect_code(0);
    run(&mut dbctl(&["backup", "pin", &ids[1], "--from", &place.url(), "--reason", "an audit"])).expect_code(0);
    std::fs::remove_file(place.path().join(&ids[2]).join("sequences.sql.zst")).unwrap();
    run(&mut dbctl(&["backup", "verify", &ids[2], "--from", &place.url()])).expect_code(2);
    std::fs::write(place.path().join(&ids[3]).join("manifest.json"), "{}").unwrap();
    run(backup(&place, "prune", &["--keep-last", "1", "--yes"]).args(["--max-age", "2d"])).expect_code(0);
    let left: Vec<bool> = ids.iter().map(|id| place.path().join(id).join("manifest.json").is_file()).collect();
    assert_eq!(left, [true, true, true, true, false, true]);
    run(&mut dbctl(&["backup", "unpin", &ids[1], "--from", &place.url()])).expect_code(0);
    run(backup(&place, "prune", &["--keep-last", "1", "--yes"]).args(["--max-age", "2d"])).expect_code(0);
    assert!(!place.path().join(&ids[1]).exists());
    let listed = json(&run(&mut backup(&place, "list", &[])).expect_code(0).stdout);
    let proven: Vec<Option<i64>> =
        listed["backups"].as_array().unwrap().iter().map(|one| one["proven_level"].as_i64()).collect();
    assert_eq!(proven, [Some(2), None, None]);
    assert!(listed["notes"][0].as_str().unwrap().contains("is damaged"), "{listed}");
}

#[test]
fn nothing_goes_when_backups_have_stopped() {
    let place = history(8, chrono::Duration::days(9));
    let stopped = run(&mut backup(&place, "prune", &["--keep-last", "1", "--yes"])).expect_code(4);
    assert!(
        stopped.stderr.contains("stopped succeeding") && stopped.stderr.contains("9.0 days old"),
        "{}",
        stopped.stderr
    );
    assert_eq!(place.backups().len(), 8);
    let status = run(&mut backup(&place, "status", &["--max-age", "26h"])).expect_code(2);
    let state = &json(&status.stdout)["databases"][0];
    assert!(state["state"] == "BAD" && state["findings"].as_str().unwrap().contains("26.0 h are allowed"), "{state}");
}

/// A killed prune leaves no backup that is half there, and the next one ends what it began.
#[test]
fn a_killed_prune_is_gone_on_with() {
    let place = history(120, chrono::Duration::hours(2));
    let unfinished = Id::new(Utc::now() - chrono::Duration::days(3), 9);
    std::fs::create_dir_all(place.path().join(format!("{unfinished}.partial/data"))).unwrap();
    let dead = place.path().join(format!("{unfinished}.partial/data/1"));
    std::fs::write(&dead, "x").unwrap();
    let old = std::time::SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
    std::fs::File::options().write(true).open(&dead).unwrap().set_modified(old).unwrap();
    let rules = ["--keep-last", "3", "--yes"];
    let mut killed = 0;
    for _ in 0..6 {
        let before = place.backups().len();
        let mut child = spawn(&mut backup(&place, "prune", &rules));
        eventually("a backup is gone", || place.backups().len() < before || child.has_ended());
        if child.has_ended() {
            break;
        }
        child.signal(Signal::SIGKILL);
        killed += i32::from(child.wait().code == 137);
        for whole in place.backups() {
            assert!(whole.join("schema.dump.zst").is_file() && whole.join("RESTORE.txt").is_file(), "{whole:?}");
        }
    }
    assert!(killed > 0);
    run(&mut backup(&place, "prune", &rules)).expect_code(0);
    let left: Vec<String> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!((place.backups().len(), left.len()), (3, 3), "{left:?}");
}

/// How the runs ended is told, in metrics too, whatever was found.
#[test]
fn monitoring_is_told_of_failures() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let metrics = place.path().join("backup.prom");
    let metrics_flag = ["--metrics", metrics.to_str().unwrap()];
    run(&mut backup(&place, "status", &metrics_flag)).expect_code(0);
    let good = std::fs::read_to_string(&metrics).unwrap();
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(
        line(&good, "dbctl_backup_last_result{").ends_with(" 1")
            && line(&good, "dbctl_backup_rows{").ends_with(" 6500"),
        "{good}"
    );
    let lock = db.session();
    lock.sql("BEGIN; LOCK TABLE public.customers IN ACCESS EXCLUSIVE MODE");
    run(&mut create(&db, &place, &["--lock-timeout", "200ms"])).expect_code(3);
    let status = run(&mut backup(&place, "status", &metrics_flag)).expect_code(2);
    assert!(status.stdout.contains("the last run failed"), "{}", status.stdout);
    let bad = std::fs::read_to_string(&metrics).unwrap();
    assert!(
        line(&bad, "dbctl_backup_last_result{").ends_with(" 0")
            && line(&bad, "dbctl_backup_success_ratio{").ends_with(" 0.5"),
        "{bad}"
    );
    let missing = run(&mut backup(&place, "status", &["--database", "nobody"])).expect_code(2);
    assert!(missing.stdout.contains("no good backup"), "{}", missing.stdout);
}

/// Two runs at once remove the same and neither minds.
#[test]
fn two_prunes_at_once_do_no_harm() {
    let place = history(40, chrono::Duration::hours(2));
    let rules = ["--keep-last", "3", "--yes"];
    let both: Vec<_> = (0..2).map(|_| spawn(&mut backup(&place, "prune", &rules))).collect();
    for one in both {
        let ended = one.wait();
        assert!(matches!(ended.code, 0 | 1), "{}", ended.stderr);
    }
    run(&mut backup(&place, "prune", &rules)).expect_code(0);
    assert_eq!(place.backups().len(), 3);
}

/// A file beside a backup that somebody changed: it is told, and nothing goes because of it.
#[test]
fn a_changed_proof_or_pin_hides_nothing() {
    let place = history(4, chrono::Duration::hours(30));
    let oldest = place.backups()[0].clone();
    std::fs::write(oldest.join("pin.json"), "{}").unwrap();
    let listed = json(&run(&mut backup(&place, "list", &[])).expect_code(0).stdout);
    assert_eq!(listed["backups"].as_array().unwrap().len(), 4);
    assert!(listed["notes"][0].as_str().unwrap().contains("pin"), "{listed}");
    run(backup(&place, "prune", &["--keep-last", "1", "--yes"]).args(["--max-age", "3d"])).expect_code(0);
    assert!(oldest.join("manifest.json").is_file() && place.backups().len() == 2);
}

/// Of each database the newest hundred stay, however old, and the young, however many.
#[test]
fn how_old_runs_ended_is_forgotten_by_prune() {
    let place = history(2, chrono::Duration::hours(2));
    let repository = Repository::open(&place.url(), &Env::of_process()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let add = |database: &str, days: i64, many: i64| {
        for number in 0..many {
            let at = Utc::now() - chrono::Duration::days(days) - chrono::Duration::minutes(number);
            let attempt = Attempt {
                version: manifest::RECORD_VERSION,
                database: database.to_owned(),
                at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
                id: None,
                failure: Some("a test".to_owned()),
            };
            runtime.block_on(repository.add_attempt(&attempt)).unwrap();
        }
    };
    add("busy", 500, 60);
    add("busy", 450, 45);
    add("busy", 300, 3);
    add("lively", 10, 120);
    add("quiet", 900, 2);
    let of = |name: &str| {
        let all = runtime.block_on(repository.attempts()).unwrap();
        assert!(all.is_sorted_by_key(|attempt| &attempt.at), "the oldest first");
        all.into_iter().filter(|attempt| attempt.database == name).map(|attempt| attempt.at).collect::<Vec<_>>()
    };
    let before = of("busy");
    assert_eq!((before.len(), of("lively").len(), of("quiet").len()), (108, 120, 2));
    run(&mut backup(&place, "prune", &["--keep-last", "2", "--dry-run"])).expect_code(0);
    assert_eq!(of("busy").len(), 108, "a dry run forgets nothing");
    run(&mut backup(&place, "prune", &["--keep-last", "2", "--yes"])).expect_code(0);
    assert_eq!(of("busy"), before[8..], "the eight oldest went");
    assert_eq!((of("lively").len(), of("quiet").len(), place.backups().len()), (120, 2, 2));
}

/// A changed record of how a run ended is no matter of a list, and is told where records are looked at.
#[test]
fn a_list_does_not_read_how_runs_ended() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let record = std::fs::read_dir(place.path().join("attempts")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&record, "{}").unwrap();
    let listed = run(&mut backup(&place, "list", &[])).expect_code(0);
    assert!(!listed.stdout.contains("not to be trusted"), "{}", listed.stdout);
    assert_eq!(json(&listed.stdout)["backups"].as_array().unwrap().len(), 1);
    let status = run(&mut backup(&place, "status", &[]));
    assert!(status.stdout.contains("not to be trusted"), "{}", status.stdout);
}
