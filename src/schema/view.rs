//! Schemas and objects as documents.

use super::model::{Object, Property, Snapshot, Value, hex};
use crate::output::{self, Column, Document, Table};

/// What a snapshot holds, kind by kind.
pub(super) fn taken(label: &str, snapshot: &Snapshot, file: Option<&str>) -> Document {
    let mut table = Table::new(
        "kinds",
        "the database has no objects",
        vec![Column::new("of", "what"), Column::new("objects", "objects")],
    );
    let mut kinds: Vec<_> = snapshot.objects.iter().map(|object| object.id.kind).collect();
    kinds.sort_unstable();
    for same in kinds.chunk_by(|a, b| a == b) {
        table.push(vec![same.first().map(|kind| words(kind.word())).into(), same.len().into()]);
    }
    let mut document = Document::new("schema.taken", 1)
        .fact("database", "database", label)
        .fact("server_major", "server", i64::from(snapshot.origin.major))
        .fact("objects", "objects", snapshot.objects.len())
        .fact("fingerprint", "fingerprint", hex(&snapshot.fingerprint()));
    if let Some(file) = file {
        document = document.fact("file", "written to", file);
    }
    document = document.table(table);
    snapshot.origin.unreadable.iter().fold(document, |document, part| document.note(format!("UNKNOWN: {part}")))
}

/// One object with its parts.
pub(super) fn object(object: &Object, parts: &[&Object], partitions: &[&Object]) -> Document {
    let mut document = Document::new("schema.object", 1).fact("id", "id", object.id.to_string());
    let mut texts = Vec::new();
    for (property, value) in &object.properties {
        match value {
            Value::Text(text) if text.contains('\n') => texts.push((*property, text)),
            value => document = document.fact(property.word(), label(*property), cell(value)),
        }
    }
    document = document.fact("fingerprint", "fingerprint", hex(&object.fingerprint()));
    if !parts.is_empty() {
        let mut table = Table::new(
            "parts",
            "it has no parts",
            vec![Column::new("of", "what"), Column::new("name", "name"), Column::new("details", "details")],
        );
        for part in parts {
            let details = part.properties.iter().map(|(property, value)| detail(*property, value));
            table.push(vec![
                words(part.id.kind.word()).into(),
                part.id.name.to_string().into(),
                details.collect::<Vec<_>>().join("; ").into(),
            ]);
        }
        document = document.table(table);
    }
    if !partitions.is_empty() {
        let columns = vec![Column::new("partition", "partition"), Column::new("bound", "bound")];
        let mut table = Table::new("partitions", "", columns);
        for partition in partitions {
            let bound = partition.get(Property::Bound).map(ToString::to_string);
            table.push(vec![partition.id.name.to_string().into(), bound.into()]);
        }
        document = document.table(table);
    }
    texts.into_iter().fold(document, |document, (property, text)| document.text(property.word(), &**text))
}

fn detail(property: Property, value: &Value) -> String {
    match (property, value) {
        (Property::Type | Property::Definition, Value::Text(text)) => text.to_string(),
        (property, Value::Bool(true)) => words(property.word()),
        (property, Value::Bool(false)) => format!("not {}", words(property.word())),
        (property, Value::List(parts)) => format!("{} {}", words(property.word()), parts.join(", ")),
        (property, value) => format!("{} {value}", words(property.word())),
    }
}

fn cell(value: &Value) -> output::Value {
    match value {
        Value::Bool(yes) => (*yes).into(),
        Value::Int(number) => (*number).into(),
        Value::Text(text) => text.to_string().into(),
        Value::List(parts) => output::Value::List(parts.iter().map(ToString::to_string).collect()),
    }
}

fn label(property: Property) -> &'static str {
    match property {
        Property::NotNull => "not null",
        Property::AccessMethod => "access method",
        Property::RowSecurity => "row security",
        Property::ForceRowSecurity => "forced row security",
        Property::PartitionKey => "partition key",
        Property::PartitionOf => "partition of",
        Property::ReplicaIdentity => "replica identity",
        Property::OwnedBy => "owned by",
        Property::MinValue => "from",
        Property::MaxValue => "to",
        Property::SecurityDefiner => "security definer",
        Property::WithCheck => "with check",
        property => property.word(),
    }
}

/// As PostgreSQL writes it: with blanks.
pub(crate) fn words(word: &str) -> String {
    word.replace('_', " ")
}
