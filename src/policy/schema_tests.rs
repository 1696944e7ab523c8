//! The schema against the reader: the same keys, each of them read, and the shipped file fits.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::super::shape::{Form, Key, Shape, TOP};
use super::json_schema;

/// All shapes that can be reached from the top, by name.
fn shapes() -> BTreeMap<&'static str, &'static Shape> {
    fn of_form(form: &'static Form, found: &mut BTreeMap<&'static str, &'static Shape>) {
        match form {
            Form::Map(shape) => of_shape(shape, found),
            Form::Named(form) | Form::List(form) => of_form(form, found),
            Form::Any(forms) => forms.iter().for_each(|form| of_form(form, found)),
            _ => {}
        }
    }
    fn of_shape(shape: &'static Shape, found: &mut BTreeMap<&'static str, &'static Shape>) {
        if found.insert(shape.name, shape).is_none() {
            shape.keys.iter().for_each(|key| of_form(&key.form, found));
        }
    }
    let mut found = BTreeMap::new();
    of_shape(&TOP, &mut found);
    found
}

#[test]
fn the_schema_has_every_key_of_the_lists_and_no_other() {
    let schema = json_schema();
    let shapes = shapes();
    assert_eq!(shapes.len(), schema["$defs"].as_object().unwrap().len() + 1);
    for (name, shape) in shapes {
        let object = if name == TOP.name { &schema } else { &schema["$defs"][name] };
        let keys: Vec<&str> = object["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, shape.names(), "{name}");
        assert_eq!(object["additionalProperties"], false, "{name}");
        for key in keys {
            assert!(!object["properties"][key]["description"].as_str().unwrap().is_empty(), "{name}.{key}");
        }
    }
}

/// Where a shape stands in a file whose other parts are right.
fn file_with(shape: &Shape, body: &str) -> String {
    let table = |entry: &str| format!("{{tables: {{public.a: {{key: at, every: 10, {entry}}}}}}}");
    let row = |entry: &str| format!("{{rows: {{job: {{table: public.a, {entry}}}}}}}");
    match shape.name {
        "policy" => body.to_owned(),
        "defaults" => format!("{{defaults: {body}}}"),
        "archive" => format!("{{archives: {{cold: {body}}}}}"),
        "hold" => format!("{{holds: [{body}]}}"),
        "floor" => format!("{{floors: [{body}]}}"),
        "system" => format!("{{systems: {{bridge: {body}}}}}"),
        "table" => format!("{{tables: {{public.a: {body}}}}}"),
        "row_job" => format!("{{rows: {{job: {body}}}}}"),
        "lock" | "rails" | "runway" => table(&format!("{}: {body}", shape.name)),
        "expire" => table(&format!("keep: 10, expire: {body}")),
        "days" => table(&format!("rails: {{protect: [{body}]}}")),
        "move" => row(&format!("where: x, action: {body}")),
        "age" | "batch" | "pace" => row(&format!("action: delete, {}: {body}", shape.name)),
        other => panic!("where does {other} stand?"),
    }
}

/// A value of the wrong kind behind each key: the reader must name that key, so it reads it.
#[test]
fn the_reader_reads_every_key_of_the_schema() {
    for shape in shapes().values() {
        for key in shape.keys {
            let wrong = |key: &Key| match (shape.name, key.name, &key.form) {
                // Names beyond what a name may be are the only wrong text.
                (_, _, Form::Named(_) | Form::Map(_)) => "wrong",
                (_, _, Form::List(_)) => "{wrong: wrong}",
                _ => "[[wrong]]",
            };
            let mut body = format!("{{{}: {}}}", key.name, wrong(key));
            // What an archive is followed by is read when there is one.
            if (shape.name, key.name) == ("expire", "then") {
                body = "{archive: cold, then: [[wrong]]}".to_owned();
            }
            let refused = crate::policy::file::tests::mistakes(&file_with(shape, &body));
            let named = |message: &String| {
                message.starts_with(&format!("{}:", key.name)) || message.contains(&format!(".{}:", key.name))
            };
            let read = refused.iter().any(|message| named(message) && message.contains("expected"));
            assert!(read, "{}.{}: {refused:#?}", shape.name, key.name);
        }
    }
}

/// As much of JSON Schema as ours uses.
fn check(schema: &Value, of: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(name) = of["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").unwrap();
        return check(schema, &schema["$defs"][name], value, place);
    }
    if let Some(forms) = of["anyOf"].as_array() {
        if !forms.iter().any(|form| check(schema, form, value, place).is_empty()) {
            wrong.push(format!("{place}: {value} is none of what may stand there"));
        }
        return wrong;
    }
    if let Some(words) = of["enum"].as_array() {
        if !words.contains(value) {
            wrong.push(format!("{place}: {value} is not one of {words:?}"));
        }
        return wrong;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = of["type"].as_array().cloned().unwrap_or_else(|| vec![of["type"].clone()]);
    if !kinds.iter().any(|known| known == kind) {
        wrong.push(format!("{place}: {kind}, not {kinds:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        wrong.extend(check(schema, &of["items"], item, place));
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{key}");
        match (&of["properties"][key], &of["additionalProperties"]) {
            (Value::Null, Value::Bool(false) | Value::Null) => wrong.push(format!("{place}: unknown")),
            (Value::Null, form) | (form, _) => wrong.extend(check(schema, form, value, &place)),
        }
    }
    for key in of["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().unwrap()).is_none() {
            wrong.push(format!("{place}: {key} is missing"));
        }
    }
    wrong
}

#[test]
fn the_shipped_file_fits_the_schema_and_a_wrong_one_does_not() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml");
    let file: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let schema = json_schema();
    assert_eq!(check(&schema, &schema, &file, ""), Vec::<String>::new());
    let wrong: Value = serde_yaml::from_str("tables: {public.a: {key: at, evry: month, keep: true}}").unwrap();
    assert_eq!(check(&schema, &schema, &wrong, "").len(), 3);
}
