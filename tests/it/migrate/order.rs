//! Versions: their order, timestamps, U files, and what is out of order, doubled or misnamed.

use super::{Case, states};

#[test]
fn versions_are_numbers_not_texts() {
    let case = Case::with(&[
        ("V10__d.sql", "CREATE TABLE d AS TABLE c;"),
        ("V9__c.sql", "CREATE TABLE c AS TABLE b;"),
        ("V0002__b.sql", "CREATE TABLE b AS TABLE a;"),
        ("V1__a.sql", "CREATE TABLE a (id int);"),
        ("V20261121010203__e.sql", "CREATE TABLE e AS TABLE d;"),
    ]);
    std::fs::create_dir(case.dir().join("later")).unwrap();
    case.file("later/V11__below.sql", "CREATE TABLE below AS TABLE d;");
    case.up();
    assert_eq!(case.history(), "1 2 9 10 11 20261121010203");
}

#[test]
fn a_late_file_is_refused_unless_allowed_and_its_kin_with_u_is_not() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;"), ("V3__c.sql", "SELECT 1;")]);
    case.up();
    case.file("U2__b.sql", "SELECT 1;");
    assert_eq!(case.states(), "1:applied 2:pending 3:applied");
    case.up();
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
    case.file("V5__e.sql", "SELECT 1;");
    case.up();
    case.file("V4__late.sql", "SELECT 1;");
    let status = case.json(&["status"]);
    assert_eq!(states(&status), "1:applied 2:applied 3:applied 4:out_of_order 5:applied");
    assert_eq!((&status["pending"], &status["findings"]), (&1.into(), &1.into()));
    case.refuses(&["up"], 4, &["V4__late is older than what is applied already", "--allow-out-of-order"]);
    case.migrate(&["up", "--allow-out-of-order"]).expect_code(0);
    assert_eq!(case.history(), "1 3 2 5 4");
}

#[test]
fn a_set_with_faults_is_refused_whole_and_status_lists_them() {
    let case = Case::with(&[
        ("V1__a.sql", "SELECT 1;"),
        ("V01__b.sql", "SELECT 1;"),
        ("V2__has-dash.sql", "SELECT 1;"),
        ("v3__small.sql", "SELECT 1;"),
        ("R__views.sql", "SELECT 1;"),
        ("V99999999999999999999__huge.sql", "SELECT 1;"),
        ("V4_single.sql", "SELECT 1;"),
        ("notes.txt", "not a migration"),
    ]);
    let status = case.json(&["status"]);
    let mut found = states(&status).split(' ').map(str::to_owned).collect::<Vec<_>>();
    found.sort();
    assert_eq!(found, ["1:pending", "duplicate", "misnamed", "misnamed", "misnamed", "misnamed", "misnamed"]);
    assert_eq!(status["findings"], 6);
    case.migrate(&["status", "--exit-code"]).expect_code(2);
    let run = case.refuses(&["up"], 65, &["has version 1 as", "is not V<number>__<words>", "V<number>__<words>.sql"]);
    assert_eq!(run.stderr.matches("also ").count(), 5, "{}", run.stderr);
    case.refuses(&["plan"], 65, &["has version 1 as"]);
}

#[test]
fn links_are_followed_to_files_but_not_into_folders() {
    // As a mounted ConfigMap looks: links to files of a hidden folder.
    let case = Case::new();
    let hidden = case.dir().join("..2026_11_21");
    std::fs::create_dir(&hidden).unwrap();
    std::fs::write(hidden.join("V1__a.sql"), "CREATE TABLE a (id int);").unwrap();
    std::os::unix::fs::symlink("..2026_11_21", case.dir().join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/V1__a.sql", case.dir().join("V1__a.sql")).unwrap();
    std::os::unix::fs::symlink(".", case.dir().join("loop")).unwrap();
    assert_eq!(case.states(), "1:pending");
    case.up();
}

#[test]
fn other_alphabets_and_long_names_are_fine() {
    let long = "x".repeat(200);
    let case = Case::with(&[("V1__añadir_teléfono.sql", "SELECT 'ñandú';"), (&format!("V2__{long}.sql"), "SELECT 1;")]);
    case.up();
    assert_eq!(case.states(), "1:applied 2:applied");
}
