//! Partitions that come and go, and those that are not as their siblings.

use super::super::compare::compare;
use super::super::compare::tests::{object, snapshot, told};
use super::*;
use crate::policy::file::of_text;

const POLICY: &str = "version: 1\ntables:\n  app.events: {key: at, every: month, ahead: 3, keep: 12 months, expire: drop, \
                      timezone: UTC, default_partition: forbid, storage: {fillfactor: 90}}\n";

fn managed() -> Managed {
    Managed::of(&of_text(POLICY).unwrap(), None)
}

fn parent() -> Object {
    object("table:app.events", &[(Property::Owner, "deploy"), (Property::PartitionKey, "RANGE (at)")])
}

fn partition(name: &str, more: &[(Property, &str)]) -> Object {
    let usual = [(Property::Owner, "deploy"), (Property::PartitionOf, "app.events"), (Property::Bound, "FOR VALUES …")];
    object(&format!("table:app.{name}"), &[&usual[..], more].concat())
}

fn compared(expected: Vec<Object>, actual: Vec<Object>, managed: &Managed) -> (Vec<String>, usize) {
    let comparison = compare(&snapshot(expected), &snapshot(actual), managed);
    (told(&comparison), comparison.passed_over)
}

#[test]
fn rotation_is_no_drift() {
    let expected = vec![parent(), partition("events_2026_01", &[]), partition("events_2026_02", &[])];
    let actual = vec![parent(), partition("events_2026_02", &[]), partition("events_2026_03", &[])];
    assert_eq!(compared(expected.clone(), actual.clone(), &managed()), (vec![], 2));
    let (told, passed_over) = compared(expected, actual, &Managed::default());
    assert_eq!(
        (told, passed_over),
        (vec!["- table:app.events_2026_01".into(), "+ table:app.events_2026_03".into()], 0)
    );
}

#[test]
fn a_partition_without_an_index_of_its_table_is_told() {
    let lacking = partition("events_2026_03", &[(Property::Lacks, "events_at_idx")]);
    let (told, _) = compared(vec![parent(), partition("events_2026_01", &[])], vec![parent(), lacking], &managed());
    assert_eq!(told, ["~ table:app.events_2026_03#lacks: - -> events_at_idx"]);
}

#[test]
fn owner_rights_and_row_security_are_those_of_siblings_or_of_the_table() {
    let sibling = partition("events_2026_01", &[(Property::Privileges, "reader=r/deploy")]);
    let like_parent = partition("events_2026_03", &[]);
    let (told, _) = compared(vec![parent(), sibling.clone()], vec![parent(), like_parent], &managed());
    assert_eq!(told, [""; 0]);
    let strange = object(
        "table:app.events_2026_03",
        &[
            (Property::Owner, "somebody"),
            (Property::Privileges, "=r/deploy"),
            (Property::RowSecurity, "yes"),
            (Property::PartitionOf, "app.events"),
        ],
    );
    let (told, _) = compared(vec![parent(), sibling], vec![parent(), strange.clone()], &managed());
    assert_eq!(
        told,
        [
            "~ table:app.events_2026_03#row_security: - -> yes",
            "~ table:app.events_2026_03#owner: deploy -> somebody",
            "~ table:app.events_2026_03#privileges: reader=r/deploy -> =r/deploy",
        ]
    );
    let (without_siblings, _) = compared(vec![parent()], vec![parent(), strange], &managed());
    assert_eq!(without_siblings.len(), 3, "{without_siblings:?}");
}

#[test]
fn storage_may_be_the_policys() {
    let mut tuned = partition("events_2026_03", &[]);
    tuned.properties.insert(Property::Options, Value::List(vec!["fillfactor=90".into()]));
    assert_eq!(compared(vec![parent()], vec![parent(), tuned.clone()], &managed()).0, [""; 0]);
    tuned.properties.insert(Property::Options, Value::List(vec!["fillfactor=50".into()]));
    assert_eq!(compared(vec![parent()], vec![parent(), tuned], &managed()).0.len(), 1);
}

#[test]
fn parts_of_their_own_are_those_of_siblings() {
    let index = |table: &str, column: &str| {
        let definition = format!("CREATE INDEX {table}_{column}_idx ON app.{table} USING btree ({column})");
        object(&format!("table:app.{table}/index:{table}_{column}_idx"), &[(Property::Definition, &definition)])
    };
    let expected = vec![parent(), partition("events_2026_01", &[]), index("events_2026_01", "a")];
    let same = vec![parent(), partition("events_2026_03", &[]), index("events_2026_03", "a")];
    assert_eq!(compared(expected.clone(), same, &managed()).0, [""; 0]);
    let other = vec![parent(), partition("events_2026_03", &[]), index("events_2026_03", "b")];
    assert_eq!(
        compared(expected, other, &managed()).0,
        [
            "- table:app.events_2026_03/index:events_2026_03_a_idx",
            "+ table:app.events_2026_03/index:events_2026_03_b_idx"
        ]
    );
}

#[test]
fn a_default_partition_counts_as_the_policy_says() {
    let default = || {
        let of_table =
            [(Property::Owner, "deploy"), (Property::PartitionOf, "app.events"), (Property::Bound, "DEFAULT")];
        object("table:app.events_default", &of_table)
    };
    let with = |rule: &str| Managed::of(&of_text(&POLICY.replace("forbid", rule)).unwrap(), None);
    let (without, with_one) = (vec![parent()], vec![parent(), default()]);
    assert_eq!(compared(without.clone(), with_one.clone(), &with("forbid")).0, ["+ table:app.events_default"]);
    assert_eq!(compared(without.clone(), with_one.clone(), &with("allow")).0, [""; 0]);
    assert_eq!(compared(with_one.clone(), without.clone(), &with("require")).0, ["- table:app.events_default"]);
    assert_eq!(compared(with_one, without, &with("forbid")).0, [""; 0]);
}

#[test]
fn entries_of_another_system_do_not_count() {
    let text =
        POLICY.replace("tables:\n", "systems:\n  bridge:\n    tables:\n    ").replace("\n  app.", "\n      app.");
    let policy = of_text(&text).unwrap();
    let systems = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert!(Managed::of(&policy, Some(&systems(&["chat"]))).is_empty());
    assert_eq!(Managed::of(&policy, Some(&systems(&["bridge"]))).len(), 1);
    assert_eq!(Managed::of(&policy, None).len(), 1);
}
