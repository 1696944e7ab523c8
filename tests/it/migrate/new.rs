//! `migrate new` and `migrate systems`: no server needed.

use super::{Case, decent, json, said};
use crate::harness::dbctl;

#[test]
fn a_new_file_is_next_and_never_overwrites() {
    let case = Case::with(&[("V0007__a.sql", "SELECT 1;")]);
    let made = json(
        &decent(&mut case.command(&["new", "Add e-mail to contacts", "--with-rollback", "--format", "json"]))
            .expect_code(0),
    );
    let files: Vec<&str> = made["files"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    assert!(files[0].ends_with("migrations/V0008__add_e_mail_to_contacts.sql"), "{files:?}");
    assert!(files[1].ends_with("rollback/D0008__add_e_mail_to_contacts.sql"), "{files:?}");
    // A template alone is no migration yet.
    case.refuses(&["up"], 65, &["V0008__add_e_mail_to_contacts.sql: is empty"]);
    said(decent(&mut case.command(&["new", "!?"])).expect_code(64), &["has no word that could name a file"]);
}

#[test]
fn an_empty_folder_starts_with_a_timestamp() {
    let case = Case::new();
    decent(&mut case.command(&["new", "first"])).expect_code(0);
    let name = std::fs::read_dir(case.dir()).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    let version: i64 = name.strip_prefix('V').unwrap().split_once("__").unwrap().0.parse().unwrap();
    assert!(version > 20_260_000_000_000, "{name}");
    decent(&mut case.command(&["new", "second"])).expect_code(0);
    assert_eq!(std::fs::read_dir(case.dir()).unwrap().count(), 2);
}

#[test]
fn systems_are_listed_and_unknown_ones_named() {
    let list = json(&decent(&mut dbctl(&["migrate", "systems", "--format", "json"])).expect_code(0));
    let bridge = list["systems"].as_array().unwrap().iter().find(|s| s["system"] == "bridge").unwrap();
    assert_eq!(bridge["migrations"], bridge["rollbacks"]);
    assert!(bridge["migrations"].as_i64().unwrap() >= 11);
    let run = decent(&mut dbctl(&["migrate", "status", "--system", "brigde"])).expect_code(64);
    said(run, &["there is no embedded system 'brigde'", "bridge", "--dir"]);
    said(decent(&mut dbctl(&["migrate", "up"])).expect_code(64), &["which migrations?", "--system", "--dir"]);
}

#[test]
fn a_database_of_one_system_is_not_mixed_with_a_folder_of_the_same_versions() {
    let case = Case::with(&[("V1__mine.sql", "SELECT 1;")]);
    let mut up = dbctl(&["migrate", "--system", "bridge"]);
    decent(up.env("DATABASE_URL", case.db.url())).expect_code(0);
    case.refuses(&["up"], 4, &["V1__mine was changed after it was applied"]);
}
