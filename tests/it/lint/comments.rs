//! `-- dbctl-ignore` and the baseline.

use super::{Folder, json};

const DROP: &str = "ALTER TABLE app.orders DROP COLUMN note;\n";

#[test]
fn a_comment_with_a_reason_keeps_one_finding_back() {
    let folder = Folder::with(&[
        ("V1__before.sql", &format!("-- dbctl-ignore drop-column: read by nobody\n{DROP}")),
        (
            "V2__end.sql",
            "ALTER TABLE app.orders\n  DROP COLUMN a,\n  DROP COLUMN b; -- dbctl-ignore drop-column: read by nobody\n",
        ),
        ("V3__file.sql", &format!("-- dbctl-ignore-file drop-column: all of them\n{DROP}{DROP}")),
        ("V4__squawk.sql", &format!("-- dbctl-ignore ban-drop-column: squawk's name\n{DROP}")),
    ]);
    let document = json(&folder.lint(&["--format", "json", "--fail-on", "note"]).expect_code(0));
    assert_eq!(document["ignored"], 6, "{document:#}");
}

#[test]
fn comments_without_reason_or_use_are_told_themselves() {
    let folder = Folder::with(&[
        ("V1__reasonless.sql", &format!("-- dbctl-ignore drop-column\n{DROP}")),
        ("V2__unused.sql", "-- dbctl-ignore drop-table: once\nALTER TABLE app.orders ADD COLUMN a int;\n"),
        ("V3__unknown.sql", "-- dbctl-ignore drop-colum: typo\nALTER TABLE app.orders ADD COLUMN b int;\n"),
        ("V4__elsewhere.sql", &format!("-- dbctl-ignore drop-column: of this one only\n{DROP}{DROP}")),
    ]);
    assert_eq!(
        folder.found(&[]),
        [
            "ignore-without-reason@V1__reasonless:1",
            "drop-column@V1__reasonless:2",
            "ignore-unused@V2__unused:1",
            "ignore-unused@V3__unknown:1",
            "drop-column@V4__elsewhere:3",
        ]
    );
}

#[test]
fn known_findings_stay_known_when_their_lines_move_and_stale_ones_are_told() {
    let folder = Folder::with(&[("V1__a.sql", DROP), ("V2__b.sql", "TRUNCATE app.orders;")]);
    folder.lint(&["--write-baseline", "known.json"]).expect_code(0);
    let document = json(&folder.lint(&["--baseline", "known.json", "--format", "json"]).expect_code(0));
    assert_eq!((&document["known"], &document["findings"]), (&2.into(), &serde_json::json!([])));

    // Moved lines, other white space, a comment: the same finding.
    folder.file("V2__b.sql", "-- why\n\n\nTRUNCATE   app.orders; -- all\n");
    folder.file("V3__c.sql", "TRUNCATE app.items;");
    assert_eq!(folder.found(&["--baseline", "known.json"]), ["truncate@V3__c:1"]);
    folder.lint(&["--baseline", "known.json"]).expect_code(2);

    folder.file("V2__b.sql", "SELECT 1;");
    let document = json(&folder.lint(&["--baseline", "known.json", "--format", "json"]).expect_code(2));
    assert!(document["notes"][0].as_str().unwrap().contains("the baseline knows truncate in V2__b"), "{document:#}");

    folder.lint(&["--baseline", "nope.json"]).expect_code(65);
    std::fs::write(folder.path().join("odd.json"), "[]").unwrap();
    folder.lint(&["--baseline", "odd.json"]).expect_code(65);
}
