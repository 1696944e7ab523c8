//! The answer for programs: the same keys in the same order in every format, raw numbers (bytes,
//! seconds), RFC 3339 times. Knows the serializers; nothing is shortened or rounded for the eye.

use std::io;

use chrono::SecondsFormat;
use serde_json::{Map, Value as Json, json};

use super::human::is_deceptive;
use super::{Document, Node, Section, Table, Value};

/// One pretty object.
pub(super) fn json(document: &Document) -> String {
    harmless(&format!("{:#}\n", object(document)))
}

/// The rows of the main table as one object a line, or the whole answer as one.
pub(super) fn ndjson(document: &Document) -> String {
    let Some(table) = main_table(document) else {
        return harmless(&format!("{}\n", object(document)));
    };
    let line = |row: &Vec<Value>| {
        let mut object = Map::new();
        object.insert("kind".to_owned(), document.kind.into());
        for (key, cell) in cells(table, row) {
            put(&mut object, &key, cell);
        }
        harmless(&format!("{}\n", Json::Object(object)))
    };
    table.rows.iter().map(line).collect()
}

/// The same object as [`json`].
pub(super) fn yaml(document: &Document) -> io::Result<String> {
    serde_yaml::to_string(&object(document)).map_err(io::Error::other)
}

/// The main table, or the facts as one row.
pub(super) fn csv(document: &Document) -> io::Result<String> {
    let mut lines = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if let Some(table) = main_table(document) {
        lines.write_record(table.columns.iter().map(|column| column.key))?;
        for row in &table.rows {
            lines.write_record(row.iter().map(field))?;
        }
    } else if !document.facts.is_empty() {
        lines.write_record(document.facts.iter().map(|fact| fact.key))?;
        lines.write_record(document.facts.iter().map(|fact| field(&fact.value)))?;
    }
    let bytes = lines.into_inner().map_err(|unwritten| io::Error::other(unwritten.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// `csv` and `ndjson` have room for one table: the first.
fn main_table(document: &Document) -> Option<&Table> {
    document.sections.iter().find_map(|section| match section {
        Section::Table(table) => Some(table),
        Section::Tree(tree) => Some(&tree.flat),
        Section::Text { .. } | Section::Machine { .. } => None,
    })
}

fn head(document: &Document) -> Map<String, Json> {
    let mut object = Map::new();
    object.insert("kind".to_owned(), document.kind.into());
    object.insert("version".to_owned(), document.version.into());
    object
}

/// Everything; `notes` is there even when there is none, so that a script need not ask.
fn object(document: &Document) -> Json {
    let mut object = head(document);
    for fact in &document.facts {
        put(&mut object, fact.key, value(&fact.value));
    }
    for section in &document.sections {
        match section {
            Section::Table(table) => {
                let rows = table.rows.iter().map(|row| Json::Object(cells(table, row).collect()));
                put(&mut object, table.key, Json::Array(rows.collect()));
            }
            Section::Tree(tree) => {
                put(&mut object, tree.key, nested(&tree.nodes, tree.below));
                let rows = tree.flat.rows.iter().map(|row| Json::Object(cells(&tree.flat, row).collect()));
                put(&mut object, tree.flat.key, Json::Array(rows.collect()));
            }
            Section::Machine { key, value: said } => put(&mut object, key, value(said)),
            Section::Text { key, text } => put(&mut object, key, text.as_str().into()),
        }
    }
    put(&mut object, "notes", json!(document.notes));
    Json::Object(object)
}

fn nested(nodes: &[Node], below: &str) -> Json {
    let object = |node: &Node| {
        let mut object = Map::new();
        for (key, field) in &node.fields {
            put(&mut object, key, value(field));
        }
        put(&mut object, below, nested(&node.below, below));
        Json::Object(object)
    };
    Json::Array(nodes.iter().map(object).collect())
}

fn put(object: &mut Map<String, Json>, key: &str, value: Json) {
    let earlier = object.insert(key.to_owned(), value);
    debug_assert!(earlier.is_none(), "two values named {key} in one document");
}

fn cells<'a>(table: &'a Table, row: &'a [Value]) -> impl Iterator<Item = (String, Json)> + 'a {
    table.columns.iter().zip(row).map(|(column, cell)| (column.key.to_owned(), value(cell)))
}

/// What is not a number in JSON (NaN, infinities) is `null`.
fn value(value: &Value) -> Json {
    match value {
        Value::None | Value::Unknown => Json::Null,
        Value::Text(text) => text.as_str().into(),
        Value::Int(count) | Value::Growth(count) => (*count).into(),
        Value::Float(number) | Value::Seconds(number) => (*number).into(),
        Value::Bytes(bytes) => (*bytes).into(),
        Value::Time(at) => at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into(),
        Value::Bool(yes) => (*yes).into(),
        Value::List(texts) => json!(texts),
        Value::Ints(numbers) => json!(numbers),
    }
}

/// A field of a CSV line: empty for `null`, a list joined by commas.
fn field(cell: &Value) -> String {
    match value(cell) {
        Json::Null => String::new(),
        Json::String(text) => text,
        Json::Array(items) => {
            let word = |item: &Json| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(word).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

/// Escapes what JSON allows raw but a terminal may obey. Such characters occur only inside strings.
fn harmless(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && (c.is_control() || is_deceptive(c)) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}
