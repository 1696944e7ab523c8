//! A snapshot as a file: JSON, or YAML by its ending; one object a line's worth of properties, sorted,
//! so that version control shows what changed. Knows the serializers and the file system.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::model::{Id, Object, Origin, Property, Snapshot, Value, hex};
use crate::error::{Explain, Failure, Kind, Result};
use crate::output::{Access, write_whole};

const KIND: &str = "schema.snapshot";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    version: u32,
    fingerprint: String,
    database: String,
    server_major: u32,
    #[serde(default)]
    unreadable: Vec<String>,
    objects: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    fingerprint: String,
    #[serde(default)]
    properties: BTreeMap<String, Plain>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Plain {
    Bool(bool),
    Int(i64),
    Text(Box<str>),
    List(Vec<Box<str>>),
}

/// The text of a snapshot file; YAML on request.
///
/// # Errors
/// None that is known; the serializer's.
pub fn text(snapshot: &Snapshot, yaml: bool) -> Result<String> {
    let entry = |object: &Object| Entry {
        id: object.id.to_string(),
        fingerprint: hex(&object.fingerprint()),
        properties: object
            .properties
            .iter()
            .map(|(property, value)| (property.word().to_owned(), plain(value)))
            .collect(),
    };
    let file = File {
        kind: KIND.to_owned(),
        version: VERSION,
        fingerprint: hex(&snapshot.fingerprint()),
        database: snapshot.origin.database.clone(),
        server_major: snapshot.origin.major,
        unreadable: snapshot.origin.unreadable.clone(),
        objects: snapshot.objects.iter().map(entry).collect(),
    };
    if yaml {
        return Ok(serde_yaml::to_string(&file)?);
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&file)?))
}

/// Writes a snapshot file, whole or not at all; `.yaml` and `.yml` as YAML.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, snapshot: &Snapshot) -> Result<()> {
    let text = text(snapshot, is_yaml(path))?;
    // Others read it too: it holds no rows and no secrets.
    write_whole(path, &text, Access::Everybody).explain(Kind::Failed, format!("cannot write {}", path.display()))
}

/// Reads a snapshot file.
///
/// # Errors
/// Invalid when it is no snapshot, one of a newer dbctl, or not what was written.
pub fn read(path: &Path) -> Result<Snapshot> {
    let again = || "take it again: dbctl schema snapshot -o FILE";
    let what = path.display();
    let text = fs::read_to_string(path).explain(Kind::Invalid, format!("cannot read {what}"))?;
    let file: File = if is_yaml(path) {
        serde_yaml::from_str(&text).map_err(anyhow::Error::from)
    } else {
        serde_json::from_str(&text).map_err(anyhow::Error::from)
    }
    .explain(Kind::Invalid, format!("{what} is no snapshot of a schema"))
    .map_err(|failure| failure.hint(again()))?;
    if file.kind != KIND || file.version != VERSION {
        return Err(Failure::new(
            Kind::Invalid,
            format!(
                "{what} is {} in version {}; this dbctl reads {KIND} in version {VERSION}",
                file.kind, file.version
            ),
        )
        .hint(again()));
    }
    let objects = file.objects.into_iter().map(|entry| object(entry, path)).collect::<Result<Vec<_>>>()?;
    let origin = Origin { database: file.database, major: file.server_major, unreadable: file.unreadable };
    let snapshot = Snapshot::new(origin, objects);
    if hex(&snapshot.fingerprint()) != file.fingerprint {
        return Err(Failure::new(
            Kind::Invalid,
            format!("{what} is not as it was written: its fingerprint is another"),
        )
        .note("merged by version control, or changed by hand?")
        .hint(again()));
    }
    Ok(snapshot)
}

fn object(entry: Entry, path: &Path) -> Result<Object> {
    let unknown = |what: &str| {
        Failure::new(Kind::Invalid, format!("{}: {what} is not known to this dbctl", path.display()))
            .hint("was it written by a newer one? take it again: dbctl schema snapshot -o FILE")
    };
    let id = Id::parse(&entry.id).ok_or_else(|| unknown(&format!("the object '{}'", entry.id)))?;
    let mut properties = BTreeMap::new();
    for (word, value) in entry.properties {
        let property = Property::of_word(&word).ok_or_else(|| unknown(&format!("the property '{word}'")))?;
        properties.insert(property, typed(value));
    }
    Ok(Object { id, properties })
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn plain(value: &Value) -> Plain {
    match value {
        Value::Bool(yes) => Plain::Bool(*yes),
        Value::Int(number) => Plain::Int(*number),
        Value::Text(text) => Plain::Text(text.clone()),
        Value::List(parts) => Plain::List(parts.clone()),
    }
}

fn typed(value: Plain) -> Value {
    match value {
        Plain::Bool(yes) => Value::Bool(yes),
        Plain::Int(number) => Value::Int(number),
        Plain::Text(text) => Value::Text(text),
        Plain::List(parts) => Value::List(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let object = |id: &str, properties: Vec<(Property, Value)>| Object {
            id: Id::parse(id).unwrap(),
            properties: properties.into_iter().collect(),
        };
        let objects = vec![
            object(
                "table:app.t",
                vec![(Property::Owner, Value::Text("app".into())), (Property::RowSecurity, Value::Bool(true))],
            ),
            object(
                "table:app.t/column:\"A b\"",
                vec![
                    (Property::Type, Value::Text("integer".into())),
                    (Property::Default, Value::Text("'on'::text".into())),
                    (Property::StatisticsTarget, Value::Int(500)),
                    (Property::Privileges, Value::List(vec!["reader: SELECT".into()])),
                ],
            ),
        ];
        Snapshot::new(Origin { database: "shop".into(), major: 16, unreadable: Vec::new() }, objects)
    }

    #[test]
    fn a_file_reads_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["s.json", "s.yaml"] {
            let path = folder.path().join(name);
            write(&path, &snapshot()).unwrap();
            assert_eq!(read(&path).unwrap(), snapshot());
        }
    }

    #[test]
    fn what_was_changed_or_is_unknown_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.json");
        let text = text(&snapshot(), false).unwrap();
        for (from, to, said) in [
            ("integer", "bigint", "its fingerprint is another"),
            ("\"version\": 1", "\"version\": 2", "in version 2"),
            ("table:app.t/column", "table:app.t/pillar", "'table:app.t/pillar"),
            ("statistics_target", "luck", "the property 'luck'"),
            ("\"objects\"", "\"things\"", "is no snapshot of a schema"),
        ] {
            fs::write(&path, text.replace(from, to)).unwrap();
            let failure = read(&path).unwrap_err();
            assert_eq!(failure.what(), Kind::Invalid);
            assert!(failure.messages().join(" ").contains(said), "{failure}");
        }
    }
}
