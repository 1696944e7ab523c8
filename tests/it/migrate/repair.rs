//! Differences between files and history by name, and `migrate repair`.

use super::{Case, detail, states};

const TEXT: &str = "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n";

fn applied() -> Case {
    let case = Case::with(&[("V1__a.sql", TEXT), ("V2__later.sql", "CREATE TABLE c (id int);")]);
    case.migrate(&["up", "--to", "1"]).expect_code(0);
    case
}

#[test]
fn every_kind_of_difference_has_its_name() {
    for (text, name) in [
        (TEXT.replace('\n', "\r\n"), "only line ends differ"),
        (format!("{TEXT}\n"), "only line ends differ"),
        (TEXT.trim_end().to_owned(), "only line ends differ"),
        (format!("-- why\n{TEXT}"), "only comments or white space differ"),
        (TEXT.replace("CREATE TABLE b", "CREATE  TABLE\tb /* x */"), "only comments or white space differ"),
        (TEXT.replace("TABLE b", "TABLE bb"), "its statements differ from what was applied"),
    ] {
        let case = applied();
        case.file("V1__a.sql", &text);
        let status = case.json(&["status"]);
        assert_eq!(states(&status), "1:divergent 2:pending", "{text:?}");
        assert_eq!(detail(&status, 1), name, "{text:?}");
        case.migrate(&["status", "--exit-code"]).expect_code(2);
        case.refuses(
            &["up"],
            4,
            &["V1__a was changed after it was applied", name, "dbctl migrate repair --version 1 --reason"],
        );
        assert_eq!(case.states(), "1:divergent 2:pending");
    }
}

#[test]
fn a_renamed_file_is_named_so() {
    let case = applied();
    std::fs::rename(case.dir().join("V1__a.sql"), case.dir().join("V1__tables.sql")).unwrap();
    assert_eq!(detail(&case.json(&["status"]), 1), "only its name differs");
    case.migrate(&["repair", "--version", "1", "--reason", "renamed"]).expect_code(0);
    assert_eq!(case.db.one("SELECT name FROM refinery_schema_history"), "tables");
    case.up();
}

#[test]
fn a_missing_file_and_several_findings_come_together() {
    let case = Case::with(&[("V1__a.sql", TEXT), ("V2__b.sql", "SELECT 1;"), ("V3__c.sql", "SELECT 1;")]);
    case.up();
    std::fs::remove_file(case.dir().join("V2__b.sql")).unwrap();
    case.file("V1__a.sql", "SELECT 2;");
    case.db.sql("UPDATE refinery_schema_history SET checksum = 'oops' WHERE version = 3");
    assert_eq!(case.states(), "1:divergent 2:missing 3:damaged");
    case.refuses(
        &["up"],
        4,
        &[
            "V1__a was changed",
            "also: V0002__b is applied but there is no such file",
            "also: the history row of V3__c is damaged: checksum 'oops' is not a number",
        ],
    );
    case.refuses(&["repair", "--version", "2", "--reason", "x"], 4, &["has no file any more: nothing to repair it to"]);
    case.refuses(&["repair", "--version", "9", "--reason", "x"], 4, &["version 9 is neither applied nor in folder"]);
}

#[test]
fn repair_takes_the_file_s_word_and_the_journal_keeps_the_old_one() {
    let case = applied();
    let old = case.db.one("SELECT checksum FROM refinery_schema_history");
    let time = case.db.one("SELECT applied_on FROM refinery_schema_history");
    case.file("V1__a.sql", format!("{TEXT}-- a word more\n"));
    let dry = case
        .migrate(&["repair", "--version", "1", "--reason", "it's \"only\" a comment\\", "--dry-run"])
        .expect_code(0);
    assert!(dry.stdout.contains("UPDATE public.refinery_schema_history"), "{}", dry.stdout);
    assert_eq!(case.states(), "1:divergent 2:pending");
    case.migrate(&["repair", "--version", "1", "--reason", "it's \"only\" a comment\\"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:pending");
    let journal = case.db.sql(
        "SELECT detail ->> 'reason', detail ->> 'old_checksum', detail ->> 'old_name' FROM dbctl.journal WHERE state = 'repaired'",
    );
    assert_eq!(journal, [[Some("it's \"only\" a comment\\".to_owned()), Some(old), Some("a".to_owned())]]);
    assert_eq!(case.db.one("SELECT applied_on FROM refinery_schema_history"), time, "when it was applied stays");
    let again = case.json(&["repair", "--version", "1", "--reason", "x"]);
    assert_eq!(again["applied"], 0);
    case.up();
}

#[test]
fn damaged_rows_are_mended() {
    let case = applied();
    for damage in [
        "checksum = 'x'",
        "checksum = NULL",
        "applied_on = 'soon'",
        "applied_on = NULL",
        "name = NULL",
        "checksum = '-1'",
        "checksum = '99999999999999999999999'",
    ] {
        case.db.sql(&format!("UPDATE refinery_schema_history SET {damage}"));
        let status = case.json(&["status"]);
        assert!(
            matches!(states(&status).as_str(), "1:damaged 2:pending" | "1:divergent 2:pending"),
            "{damage}: {status}"
        );
        case.refuses(&["up"], 4, &["dbctl migrate repair --version 1"]);
        case.migrate(&["repair", "--version", "1", "--reason", damage]).expect_code(0);
        assert_eq!(case.states(), "1:applied 2:pending", "{damage}");
    }
    case.up();
}
