//! `dbctl partitions schema`: the policy file's shape as a JSON Schema, for editors. Made of the
//! lists that the reader reads by. Pure.

use serde_json::{Map, Value, json};

use super::shape::{Form, Shape, TOP};

/// The schema, in JSON Schema's draft 2020-12.
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    let mut schema = object(&TOP, &mut definitions);
    if let Value::Object(keys) = &mut schema {
        keys.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        keys.insert("title".to_owned(), json!("dbctl partitions policy"));
        keys.insert("$defs".to_owned(), Value::Object(definitions));
    }
    schema
}

fn object(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in shape.keys {
        let mut value = form(&key.form, definitions);
        if let Value::Object(keys) = &mut value {
            keys.insert("description".to_owned(), json!(key.about));
        }
        properties.insert(key.name.to_owned(), value);
    }
    let needed: Vec<&str> = shape.keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !needed.is_empty() {
        object["required"] = json!(needed);
    }
    object
}

fn form(of: &Form, definitions: &mut Map<String, Value>) -> Value {
    match of {
        Form::Text => json!({ "type": "string" }),
        Form::Like(pattern) => json!({ "type": "string", "pattern": pattern }),
        Form::Yes => json!({ "type": "boolean" }),
        // An unquoted number, 0.05 included: the reader knows which are whole.
        Form::Whole => json!({ "type": "number" }),
        Form::Null => json!({ "type": "null" }),
        Form::Words(words) => json!({ "enum": words }),
        Form::List(item) => json!({ "type": "array", "items": form(item, definitions) }),
        // A key without anything behind it is an empty map.
        Form::Named(value) => {
            json!({ "type": ["object", "null"], "additionalProperties": form(value, definitions) })
        }
        Form::Any(forms) => {
            let forms: Vec<Value> = forms.iter().map(|of| form(of, definitions)).collect();
            json!({ "anyOf": forms })
        }
        Form::Map(shape) => {
            if !definitions.contains_key(shape.name) {
                // Its place first: shapes may hold each other.
                definitions.insert(shape.name.to_owned(), Value::Null);
                let definition = object(shape, definitions);
                definitions.insert(shape.name.to_owned(), definition);
            }
            json!({ "$ref": format!("#/$defs/{}", shape.name) })
        }
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
