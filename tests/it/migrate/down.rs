//! `migrate down`: versions taken back with their D files.

use super::Case;

fn three() -> Case {
    let case = Case::new();
    for (number, table) in [(1, "a"), (2, "b"), (3, "c")] {
        case.file(&format!("V{number}__{table}.sql"), format!("CREATE TABLE {table} (id int);"));
        case.rollback(&format!("D{number}__{table}.sql"), &format!("DROP TABLE {table};"));
    }
    case.up();
    case
}

#[test]
fn everything_goes_back_newest_first_and_comes_again() {
    let case = three();
    let down = case.json(&["down", "--to", "0", "--yes"]);
    let steps: Vec<&str> = down["steps"].as_array().unwrap().iter().map(|s| s["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["V3__c (undo)", "V2__b (undo)", "V1__a (undo)"]);
    assert_eq!(case.states(), "1:pending 2:pending 3:pending");
    assert_eq!(case.db.one("SELECT count(*) FROM dbctl.migration"), "0");
    assert_eq!(case.json(&["down", "--to", "0", "--yes"])["applied"], 0);
    case.up();
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
}

#[test]
fn to_keeps_that_version() {
    let case = three();
    case.migrate(&["down", "--to", "1", "--yes"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:pending 3:pending");
    case.refuses(&["down", "--to", "9", "--yes"], 64, &["--to 9"]);
}

#[test]
fn without_consent_nothing_is_taken_back() {
    let case = three();
    case.refuses(
        &["down", "--to", "2"],
        4,
        &["needs consent", "nothing was changed", "V3__c (undo) destroys data: DROP TABLE c", "--dry-run", "--yes"],
    );
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
    let dry = case.migrate(&["down", "--to", "2", "--dry-run"]).expect_code(0);
    assert!(dry.stdout.contains("DROP TABLE c;"), "{}", dry.stdout);
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
}

#[test]
fn a_missing_rollback_refuses_the_whole_way() {
    let case = three();
    std::fs::remove_file(case.folder.path().join("rollback/D2__b.sql")).unwrap();
    case.refuses(
        &["down", "--to", "0", "--yes"],
        4,
        &["no rollback: D0002__….sql for V2__b", "D<version>__<words>.sql"],
    );
    assert_eq!(case.states(), "1:applied 2:applied 3:applied");
    case.migrate(&["down", "--to", "2", "--yes"]).expect_code(0);
}

#[test]
fn without_a_rollback_folder_every_missing_file_is_named() {
    let case = three();
    std::fs::remove_dir_all(case.folder.path().join("rollback")).unwrap();
    case.refuses(&["down", "--to", "1", "--yes"], 4, &["D0002__", "D0003__"]);
}

#[test]
fn rollbacks_that_refuse_a_transaction_work_too() {
    let case =
        Case::with(&[("V1__t.sql", "CREATE TABLE t (a int);"), ("V2__i.sql", "CREATE INDEX CONCURRENTLY i ON t (a);")]);
    case.rollback("D2__i.sql", "DROP INDEX CONCURRENTLY i;");
    case.up();
    case.migrate(&["down", "--to", "1", "--yes"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:pending");
    case.up();
    case.migrate(&["down", "--to", "1", "--yes"]).expect_code(0);
    assert_eq!(case.db.one("SELECT to_regclass('i') IS NULL"), "t");
}

#[test]
fn a_failing_rollback_stays_applied() {
    let case = three();
    case.rollback("D2__b.sql", "DROP TABLE b;\nDROP TABLE nope;");
    case.refuses(&["down", "--to", "0", "--yes"], 1, &["D2__b.sql:2:", "42P01", "done: V3__c (undo)"]);
    assert_eq!(case.states(), "1:applied 2:applied 3:pending");
    assert_eq!(case.db.one("SELECT to_regclass('b') IS NOT NULL"), "t");
}

#[test]
fn misnamed_and_doubled_rollbacks_are_refused() {
    let case = three();
    case.rollback("D03__again.sql", "SELECT 1;");
    case.refuses(&["down", "--to", "2", "--yes"], 65, &["are both the rollback of version 3"]);
    let case = three();
    case.rollback("undo.sql", "SELECT 1;");
    case.refuses(&["down", "--to", "2", "--yes"], 65, &["a rollback is named D<number>__<words>.sql"]);
}
