//! Drills: each of the five systems, filled, comes back with its rows, its schema, its promises and sound pages.

use std::process::Command;

use age::secrecy::ExposeSecret as _;
use dbctl::pg::sandbox::Options;

use super::{Place, create, filled, json, run, verify};
use crate::archive::zoo::ZOO;
use crate::harness::{Database, dbctl, majors, private_server, vector_installation};

fn drill(place: &Place) -> Command {
    dbctl(&["backup", "drill", "--from", &place.url(), "--format", "json"])
}

fn of_system(system: &str, without: &[&str]) {
    of_system_on(&Database::new(), system, without);
}

fn of_system_on(db: &Database, system: &str, without: &[&str]) {
    let place = Place::new();
    let part: Vec<&str> = without.iter().flat_map(|part| ["--without", part]).collect();
    for verb in [&["migrate", "--system", system][..], &["demo-data", "--system", system]] {
        run(dbctl(verb).args(&part).env("DATABASE_URL", db.url())).expect_code(0);
    }
    run(&mut create(db, &place, &[])).expect_code(0);
    let proven = json(&run(&mut drill(&place)).expect_code(0).stdout);
    let questions = proven["questions"].as_array().unwrap();
    let so = |question: &serde_json::Value| question["good"] == true;
    assert!(questions.len() == 4 && questions.iter().filter(|q| so(q)).count() >= 3, "{proven:#}");
    assert!(proven["restore_seconds"].as_f64().unwrap() > 0.0 && proven["good"] == true, "{proven:#}");
    let promises = questions.iter().find(|q| q["question"] == "it keeps its system's promises").unwrap();
    assert!(!without.is_empty() || so(promises), "{proven:#}");
}

#[test]
fn bridge_comes_back() {
    of_system("bridge", &[]);
}

#[test]
fn consultor_comes_back() {
    of_system("consultor", &[]);
}

#[test]
fn fsm_comes_back() {
    of_system("fsm", &[]);
}

/// Without vectors, which the ordinary servers do not have, and with them on one that has: the drill finds it again.
#[test]
fn recruitment_comes_back() {
    of_system("recruitment", &["vector"]);
    for installed in [16, 18].into_iter().filter_map(vector_installation) {
        let server = private_server(&Options { bin_dir: Some(installed.bin_dir), ..Options::default() });
        of_system_on(&Database::at(&server), "recruitment", &[]);
    }
}

#[test]
fn chat_comes_back() {
    of_system("chat", &[]);
}

/// From every server into a private one of its own major, encrypted.
#[test]
fn the_zoo_comes_back_on_every_server() {
    for major in majors() {
        let (db, place) = (Database::on(major), Place::new());
        db.sql(ZOO);
        let key = age::x25519::Identity::generate();
        run(&mut create(&db, &place, &["--recipient", &key.to_public().to_string()])).expect_code(0);
        let file = place.path().join("identity");
        std::fs::write(&file, key.to_string().expose_secret()).unwrap();
        let proven = json(&run(drill(&place).arg("--identity").arg(&file)).expect_code(0).stdout);
        assert_eq!(proven["good"], true, "{proven:#}");
    }
}

/// What verify restores is proven to the level that was asked for.
#[test]
fn the_levels_above_the_files_restore() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    for (level, questions) in [("3", 1), ("4", 4)] {
        let proven = json(&run(&mut verify(&place, level)).expect_code(0).stdout);
        assert_eq!((&proven["good"], proven["questions"].as_array().unwrap().len()), (&true.into(), questions));
        let mut list = dbctl(&["backup", "list", "--from", &place.url(), "--format", "json"]);
        let list = json(&run(&mut list).expect_code(0).stdout);
        assert_eq!(list["backups"][0]["proven_level"].to_string(), level, "{list:#}");
    }
    let none = run(&mut verify(&place, "5")).expect_code(64);
    assert!(none.stderr.contains("a level is 0 to 4"), "{}", none.stderr);
}

/// From the oldest server into the newest: the same rows, the same schema, the same promises.
#[test]
fn the_oldest_comes_back_on_the_newest() {
    let all = majors();
    let (Some(oldest), Some(newest)) = (all.iter().min(), all.iter().max()) else { return };
    let (db, place) = (Database::on(*oldest), Place::new());
    for verb in [&["migrate", "--system", "bridge"][..], &["demo-data", "--system", "bridge"]] {
        run(dbctl(verb).env("DATABASE_URL", db.url())).expect_code(0);
    }
    db.sql(ZOO);
    run(&mut create(&db, &place, &[])).expect_code(0);
    let proven = json(&run(drill(&place).args(["--major", &newest.to_string()])).expect_code(0).stdout);
    assert!(
        proven["good"] == true && proven["server_version"].as_str().unwrap().starts_with(&newest.to_string()),
        "{proven:#}"
    );
}

/// What was promised and is not kept is a finding, and so is damage.
#[test]
fn a_promise_that_is_not_kept_is_a_finding() {
    let (db, place) = (filled(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let late = run(drill(&place).args(["--max-restore", "1ms"])).expect_code(2);
    assert!(late.stdout.contains("the recovery time is what was promised"), "{}", late.stdout);
    let rows = std::fs::read_dir(place.backups()[0].join("data")).unwrap().next().unwrap().unwrap().path();
    let mut damaged = std::fs::read(&rows).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(&rows, damaged).unwrap();
    let found = run(&mut drill(&place)).expect_code(2);
    let answer = json(&found.stdout);
    assert_eq!(answer["good"], false);
    let proofs: Vec<String> = std::fs::read_dir(place.backups()[0].join("proofs"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(proofs.len() == 2 && proofs.iter().all(|proof| proof.contains("\"good\": false")), "{proofs:?}");
}

/// Why it does not restore here says nothing against the backup.
#[test]
fn what_a_place_lacks_is_no_damage() {
    let (oldest, newest) = (majors().into_iter().min().unwrap(), majors().into_iter().max().unwrap());
    if oldest >= 15 || newest < 15 {
        eprintln!("skipped: it takes a 14 and a later server");
        return;
    }
    let (db, place) = (Database::on(newest), Place::new());
    db.sql("CREATE TABLE public.t (a int UNIQUE NULLS NOT DISTINCT)");
    run(&mut create(&db, &place, &[])).expect_code(0);
    let told = run(drill(&place).args(["--major", &oldest.to_string()])).expect_code(2);
    assert!(told.stderr.contains("it is not called damaged for it"), "{}", told.stderr);
    let mut list = dbctl(&["backup", "list", "--from", &place.url(), "--format", "json"]);
    let list = json(&run(&mut list).expect_code(0).stdout);
    assert_eq!(list["backups"][0]["good"], true, "{list:#}");
}
