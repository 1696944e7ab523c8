//! How what a backup says of a table's parts becomes statements for another table. Pure.

use crate::backup::manifest::Sequence;
use crate::backup::restore::keys::{split, unquoted, word};
use crate::ident::{Ident, Literal, TableName};
use crate::schema::{Object, Property, Value};

/// A property that is a text.
pub fn text(object: &Object, property: Property) -> Option<&str> {
    match object.get(property) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// A column's name.
pub fn ident(column: &Object) -> Ident {
    Ident::new(unquoted(&column.id.name))
}

/// `nextval('app.orders_id_seq'::regclass)`, and nothing more -> `app`, `orders_id_seq`.
pub fn drawn_from(default: &str) -> Option<(String, String)> {
    let name = default.strip_prefix("nextval('")?.strip_suffix("'::regclass)")?;
    let name = name.replace("''", "'");
    let found = split(&name)?;
    let (_, rest) = word(&name)?;
    word(rest.strip_prefix('.')?)?.1.is_empty().then_some(found)
}

/// `app.orders.id` -> (`app`, `orders`), `id`.
pub fn owner(text: &str) -> Option<((String, String), String)> {
    let (schema, rest) = word(text)?;
    let (table, rest) = word(rest.strip_prefix('.')?)?;
    let (column, _) = word(rest.strip_prefix('.')?)?;
    Some(((schema, table), column))
}

/// The same sequence under another name; its number is set afterwards.
pub fn create_sequence(name: &TableName, sequence: &Object) -> String {
    let mut sql = format!("CREATE SEQUENCE {name}");
    if let Some(of) = text(sequence, Property::Type) {
        sql.push_str(&format!(" AS {of}"));
    }
    for (property, word) in [
        (Property::Increment, "INCREMENT BY"),
        (Property::MinValue, "MINVALUE"),
        (Property::MaxValue, "MAXVALUE"),
        (Property::Start, "START WITH"),
        (Property::Cache, "CACHE"),
    ] {
        if let Some(Value::Int(number)) = sequence.get(property) {
            sql.push_str(&format!(" {word} {number}"));
        }
    }
    if sequence.get(Property::Cycle) == Some(&Value::Bool(true)) {
        sql.push_str(" CYCLE");
    }
    sql
}

/// Sets the number of a sequence; which one is an expression.
pub fn set_number(sequence: &str, number: &Sequence) -> String {
    format!("SELECT pg_catalog.setval({sequence}, {}, {})", number.last_value, number.is_called)
}

/// `increment 5, from 1 to 99, cache 1, cycle` as CREATE SEQUENCE takes it.
pub fn identity_options(text: &str) -> Option<String> {
    let rest = text.strip_prefix("increment ")?;
    let (increment, rest) = rest.split_once(", from ")?;
    let (from, rest) = rest.split_once(" to ")?;
    let (to, rest) = rest.split_once(", cache ")?;
    let (cache, cycle) = rest.split_once(',').map_or((rest, ""), |(cache, _)| (cache, " CYCLE"));
    Some(format!("INCREMENT BY {increment} MINVALUE {from} MAXVALUE {to} CACHE {cache}{cycle}"))
}

/// A constraint as it is said, with what the backup says of its old rows beside it.
pub fn constraint(object: &Object) -> Option<String> {
    let not_valid = if object.get(Property::Validated) == Some(&Value::Bool(false)) { " NOT VALID" } else { "" };
    Some(format!("{}{not_valid}", text(object, Property::Definition)?))
}

/// An index, of which the backup says `UNIQUE USING btree (a) WHERE …` and its options beside that.
pub fn index(definition: &str, options: &[Box<str>], name: &str, table: &TableName) -> Option<String> {
    let (unique, rest) = definition.strip_prefix("UNIQUE ").map_or(("", definition), |rest| ("UNIQUE ", rest));
    let (before, condition) = rest.split_at(condition_at(rest).unwrap_or(rest.len()));
    let options = options.iter().map(|option| {
        let (name, value) = option.split_once('=')?;
        Some(format!("{} = {}", Ident::new(name), Literal(value)))
    });
    let options = options.collect::<Option<Vec<String>>>()?.join(", ");
    let options = if options.is_empty() { options } else { format!(" WITH ({options})") };
    rest.starts_with("USING ").then(|| format!("CREATE {unique}INDEX {name}ON {table} {before}{options}{condition}"))
}

/// Where ` WHERE ` stands outside of parentheses and quotes.
fn condition_at(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    text.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ' ') if depth == 0 && text.get(at..).is_some_and(|rest| rest.starts_with(" WHERE ")) => {
                return Some(at);
            }
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_said_anew_for_another_table() {
        let table = TableName::new("rescued", "Orders");
        let options: [Box<str>; 2] = ["fillfactor=70".into(), "fastupdate=off".into()];
        for (definition, options, name, sql) in [
            ("USING btree (note)", &options[..0], "i ", "CREATE INDEX i ON rescued.\"Orders\" USING btree (note)"),
            (
                "UNIQUE USING gin (\") WHERE \", lower('( WHERE '::text)) WHERE (a > 1)",
                &options[..],
                "",
                "CREATE UNIQUE INDEX ON rescued.\"Orders\" USING gin (\") WHERE \", lower('( WHERE '::text)) \
                 WITH (fillfactor = '70', fastupdate = 'off') WHERE (a > 1)",
            ),
        ] {
            assert_eq!(index(definition, options, name, &table).as_deref(), Some(sql));
        }
        assert_eq!(index("CREATE INDEX i ON orders USING btree (note)", &[], "", &table), None);
    }

    #[test]
    fn only_a_plain_nextval_is_a_sequence() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(drawn_from("nextval('app.orders_id_seq'::regclass)"), pair("app", "orders_id_seq"));
        assert_eq!(drawn_from("nextval('\"A''s\".\"b.c\"'::regclass)"), pair("A's", "b.c"));
        for other in ["nextval('app.s'::regclass) + nextval('app.t'::regclass)", "nextval('s'::regclass)", "now()"] {
            assert_eq!(drawn_from(other), None, "{other}");
        }
        assert_eq!(owner("app.\"O.x\".id"), Some((("app".to_owned(), "O.x".to_owned()), "id".to_owned())));
    }

    #[test]
    fn options_of_identities_are_those_of_sequences() {
        let options = identity_options("increment -5, from -99 to -1, cache 3, cycle");
        assert_eq!(options.as_deref(), Some("INCREMENT BY -5 MINVALUE -99 MAXVALUE -1 CACHE 3 CYCLE"));
        let options = identity_options("increment 2, from 1 to 9, cache 1");
        assert_eq!(options.as_deref(), Some("INCREMENT BY 2 MINVALUE 1 MAXVALUE 9 CACHE 1"));
    }
}
