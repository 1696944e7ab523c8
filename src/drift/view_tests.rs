//! A report as people and programs get it.

use super::super::compare::compare;
use super::super::compare::tests::{object, snapshot};
use super::super::partitions::Managed;
use super::super::{ignore, repair};
use super::*;
use crate::drift::FailOn;
use crate::output::{Format, Style, print};
use crate::schema::Property;

fn example() -> Report {
    let body = |line: &str| format!("BEGIN\n  total := 1;\n  {line}\n  RETURN total;\nEND");
    let function = |line: &str| object("function:app.total(integer)", &[(Property::Body, &body(line))]);
    let column = |default: &str| object("table:app.orders/column:total", &[(Property::Default, default)]);
    let expected = snapshot(vec![
        function("total := total + 1;"),
        object("table:app.orders", &[(Property::Owner, "deploy")]),
        column("0"),
        object("table:app.orders/index:by_day", &[(Property::Definition, "USING btree (day)")]),
        object("view:app.v", &[]),
    ]);
    let actual = snapshot(vec![
        function("total := total + 2;"),
        object("table:app.orders", &[(Property::Owner, "deploy")]),
        column("1"),
        object("table:app.orders/index:on_day", &[(Property::Definition, "USING btree (day)")]),
        object("table:app.tmp_1", &[]),
        object("table:app.extra", &[]),
        object("table:app.extra/column:a", &[]),
        object("table:app.extra/column:b", &[]),
    ]);
    let comparison = compare(&expected, &actual, &Managed::default());
    let rules = ["table:app.tmp_*", "view:other.*"].map(|text| text.parse::<ignore::Flag>().unwrap().0);
    let (kept, ignored) = ignore::apply(rules.into(), comparison.differences);
    Report {
        database: "app".to_owned(),
        expected: "folder db, 3 applied versions replayed".to_owned(),
        found: kept.into_iter().map(|d| (d.clone(), repair::repair(&d, &expected))).collect(),
        ignored,
        passed_over: 2,
        pending: vec!["V4__more".to_owned()],
        unknown: vec!["database: subscriptions".to_owned()],
        notes: Vec::new(),
        fail_on: FailOn::default(),
    }
}

fn printed(document: &Document, format: Format) -> String {
    let mut out = Vec::new();
    print(document, format, &Style { color: false, width: 80 }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn people_read_it_by_object() {
    let text = printed(&report(&example(), true), Format::Table);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn programs_get_a_row_a_difference() {
    let json: serde_json::Value = serde_json::from_str(&printed(&report(&example(), false), Format::Json)).unwrap();
    assert_eq!(json["kind"], "drift");
    assert_eq!(json["in_sync"], false);
    let ids: Vec<&str> =
        json["differences"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "function:app.total(integer)#body",
            "table:app.extra",
            "table:app.orders/column:total#default",
            "table:app.orders/index:by_day#name",
            "view:app.v"
        ]
    );
    assert_eq!(json["ignore_rules"][0]["ignored"], 1);
    assert_eq!(json["ignore_rules"][1]["ignored"], 0);
}

#[test]
fn every_difference_is_a_finding_with_a_fingerprint_of_its_own() {
    let document = report(&example(), false);
    let findings = document.findings.unwrap();
    let mut fingerprints: Vec<&str> = findings.found.iter().map(|finding| finding.fingerprint.as_str()).collect();
    assert_eq!(fingerprints.len(), 6);
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 6);
    assert!(findings.found.iter().all(|finding| findings.rules.iter().any(|rule| rule.id == finding.rule)));
    assert!(findings.rules.is_sorted_by(|a, b| a.id < b.id));
}

#[test]
fn nothing_found_and_something_unread_is_unknown() {
    let mut quiet = Report { found: Vec::new(), ..example() };
    assert_eq!(quiet.verdict(), Verdict::Unknown);
    assert!(printed(&report(&quiet, true), Format::Table).contains("UNKNOWN"));
    quiet.unknown.clear();
    assert_eq!(quiet.verdict(), Verdict::InSync);
}
