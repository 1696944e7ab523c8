//! Differences in, SQL out.

use super::super::compare::compare;
use super::super::compare::tests::{object, snapshot};
use super::super::partitions::Managed;
use super::*;

fn repaired(expected: Vec<Object>, actual: Vec<Object>) -> String {
    let expected = snapshot(expected);
    let comparison = compare(&expected, &snapshot(actual), &Managed::default());
    let lines = comparison.differences.iter().map(|difference| {
        let sql = repair(difference, &expected).unwrap_or_else(|| "nothing".to_owned());
        format!("{}\n  {}\n", difference.stable_id(), sql.replace('\n', "\n  "))
    });
    lines.collect()
}

fn list(mut object: Object, property: Property, items: &[&str]) -> Object {
    object.properties.insert(property, Value::List(items.iter().map(|item| (*item).into()).collect()));
    object
}

#[test]
fn what_is_simple_is_worded() {
    let table = || object("table:app.order", &[(Property::Owner, "deploy")]);
    let column = |default: &[(Property, &str)]| object("table:app.order/column:\"Total\"", default);
    let index = |name: &str| {
        object(&format!("table:app.order/index:{name}"), &[(Property::Definition, "UNIQUE USING btree (a) WHERE b")])
    };
    let key =
        object("table:app.order/foreign_key:to_u", &[(Property::Definition, "FOREIGN KEY (u) REFERENCES app.u(id)")]);
    let enumerated = |labels: &[&str]| list(object("enum:app.state", &[]), Property::Labels, labels);
    let expected = vec![
        list(table(), Property::Privileges, &["(owner): ALL", "reader: SELECT", "app: INSERT, UPDATE*"]),
        column(&[(Property::Default, "0"), (Property::Comment, "it's")]),
        index("by_a"),
        key,
        enumerated(&["new", "paid", "sent"]),
    ];
    let actual = vec![
        list(
            object("table:app.order", &[(Property::Owner, "me")]),
            Property::Privileges,
            &["(owner): ALL", "PUBLIC: SELECT", "app: INSERT"],
        ),
        column(&[]),
        index("on_a"),
        enumerated(&["new", "sent"]),
        object("table:app.order/index:more", &[(Property::Definition, "USING btree (c)")]),
    ];
    insta::assert_snapshot!(repaired(expected, actual));
}

#[test]
fn a_whole_table_is_the_migrations_business_and_an_extra_one_a_persons() {
    let (gone, extra) = (object("table:app.gone", &[]), object("table:app.extra", &[]));
    insta::assert_snapshot!(repaired(vec![gone], vec![extra]));
}
