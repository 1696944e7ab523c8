//! Two hand-written schemas in, differences out.

use super::*;
use crate::schema::model::Origin;

pub(in crate::drift) fn object(id: &str, properties: &[(Property, &str)]) -> Object {
    let (parent, last) = match id.rsplit_once('/') {
        Some((parent, last)) => (Some(parent.into()), last),
        None => (None, id),
    };
    let (kind, name) = last.split_once(':').unwrap();
    let id = Id { parent, kind: Kind::of_word(kind).unwrap(), name: name.into() };
    let properties = properties.iter().map(|(property, text)| (*property, Value::Text((*text).into())));
    Object { id, properties: properties.collect() }
}

pub(in crate::drift) fn snapshot(objects: Vec<Object>) -> Snapshot {
    Snapshot::new(Origin::default(), objects)
}

/// The findings, a line each: `+ id`, `~ id#property: expected -> actual`.
pub(in crate::drift) fn told(comparison: &Comparison) -> Vec<String> {
    let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
    let line = |difference: &Difference| {
        let detail = match &difference.what {
            What::Changed { expected, actual, .. } => format!(": {} -> {}", shown(expected), shown(actual)),
            What::Renamed { to } => format!(" -> {to}"),
            What::Extra(whole) | What::Missing(whole) => {
                whole.parts.iter().map(|(kind, count)| format!(" {}={count}", kind.word())).collect()
            }
        };
        format!("{} {}{detail}", difference.direction().mark(), difference.stable_id())
    };
    comparison.differences.iter().map(line).collect()
}

fn compared(expected: Vec<Object>, actual: Vec<Object>) -> Vec<String> {
    told(&compare(&snapshot(expected), &snapshot(actual), &Managed::default()))
}

fn table() -> Vec<Object> {
    vec![
        object("table:app.t", &[(Property::Owner, "deploy")]),
        object("table:app.t/column:a", &[(Property::Type, "integer"), (Property::Default, "0")]),
        object("table:app.t/check:t_a_check", &[(Property::Definition, "CHECK ((a > 0))")]),
        object("table:app.t/index:by_a", &[(Property::Definition, "USING btree (a)")]),
    ]
}

#[test]
fn the_same_is_no_drift() {
    assert_eq!(compared(table(), table()), [""; 0]);
}

#[test]
fn a_property_is_named_with_its_object() {
    let mut actual = table();
    actual[1] = object("table:app.t/column:a", &[(Property::Type, "bigint")]);
    assert_eq!(
        compared(table(), actual),
        ["~ table:app.t/column:a#type: integer -> bigint", "~ table:app.t/column:a#default: 0 -> -"]
    );
}

#[test]
fn a_whole_table_is_one_finding_with_its_parts_counted() {
    let other = object("table:app.u", &[(Property::Owner, "deploy")]);
    assert_eq!(compared(vec![other.clone()], table()), ["+ table:app.t column=1 check=1 index=1", "- table:app.u"]);
    let part = table().remove(1);
    let before: Vec<Object> = table().into_iter().filter(|object| object.id != part.id).collect();
    assert_eq!(compared(before, table()), ["+ table:app.t/column:a"]);
}

#[test]
fn a_name_that_the_server_chose_is_no_difference() {
    let mut actual = table();
    actual[2] = object("table:app.t/check:t_a_check1", &[(Property::Definition, "CHECK ((a > 0))")]);
    assert_eq!(compared(table(), actual), [""; 0]);
}

#[test]
fn a_name_that_people_chose_is_a_rename_and_not_two_findings() {
    let mut actual = table();
    actual[3] = object("table:app.t/index:on_a", &[(Property::Definition, "USING btree (a)")]);
    assert_eq!(compared(table(), actual), ["~ table:app.t/index:by_a#name -> on_a"]);
}

#[test]
fn another_definition_under_another_name_is_missing_and_extra() {
    let mut actual = table();
    actual[3] =
        object("table:app.t/index:on_b", &[(Property::Definition, "CREATE INDEX on_b ON app.t USING btree (b)")]);
    assert_eq!(compared(table(), actual), ["- table:app.t/index:by_a", "+ table:app.t/index:on_b"]);
}

#[test]
fn a_copy_of_an_index_is_extra() {
    let copy = object("table:app.t/index:on_a", &[(Property::Definition, "USING btree (a)")]);
    assert_eq!(compared(table(), [table(), vec![copy]].concat()), ["+ table:app.t/index:on_a"]);
}

#[test]
fn two_booleans_under_two_names_are_not_alike() {
    let with = |name: &str, yes: bool| {
        let mut object = object(&format!("table:app.t/trigger:{name}"), &[]);
        object.properties.insert(Property::Enabled, Value::Bool(yes));
        object
    };
    assert_eq!(compared(vec![with("a", true)], vec![with("b", false)]).len(), 2);
}

#[test]
fn what_dbctl_keeps_is_not_compared() {
    let own = [
        "schema:dbctl",
        "table:dbctl.run",
        "table:dbctl.run/column:id",
        "sequence:dbctl.run_id_seq",
        "schema:dbctl_trash",
        "table:dbctl_trash.t_1",
        "table:public.refinery_schema_history",
        "table:public.refinery_schema_history/primary_key:refinery_schema_history_pkey",
    ];
    assert_eq!(compared(vec![], own.map(|id| object(id, &[])).into()), [""; 0]);
    assert_eq!(compared(vec![], vec![object("table:dbctlx.t", &[])]).len(), 1);
}

#[test]
fn what_could_not_be_read_is_unknown() {
    let mut actual = snapshot(table());
    actual.origin.unreadable.push("subscriptions".to_owned());
    let comparison = compare(&snapshot(table()), &actual, &Managed::default());
    assert_eq!(comparison.unknown, ["database: subscriptions"]);
}

#[test]
fn what_a_role_may_not_see_is_no_difference() {
    let mapping = |more: &[(Property, &str)]| vec![object("user_mapping:s for u", more)];
    let (seen, hidden) = (snapshot(mapping(&[(Property::Options, "user=x")])), snapshot(mapping(&[])));
    assert_eq!(told(&compare(&seen, &hidden, &Managed::default())).len(), 1);
    let mut hidden = hidden;
    hidden.origin.unreadable.push("the options of 1 user mappings".to_owned());
    let comparison = compare(&seen, &hidden, &Managed::default());
    assert_eq!((told(&comparison).len(), comparison.unseen.len(), comparison.unseen_by_both), (0, 1, 0));
    let comparison = compare(&hidden, &hidden, &Managed::default());
    assert_eq!((comparison.unseen.len(), comparison.unseen_by_both), (0, 1));
}
