//! What a restore did, would do, or left, as documents.

use super::meets::Room;
use super::roles::StandIn;
use super::side::parts::NotMade;
use super::swap::Found;
use crate::backup::manifest::Manifest;
use crate::output::{Column, Document, Table, Value};

/// What is known when it is over.
#[derive(Debug)]
pub struct Done<'a> {
    /// The backup.
    pub manifest: &'a Manifest,
    /// The database's name.
    pub database: &'a str,
    /// The schema, where tables went into one.
    pub schema: Option<&'a str>,
    /// What the old one is called now, where it was swapped.
    pub kept: Option<&'a str>,
    /// How many tables' rows went in.
    pub tables: usize,
    /// How many rows.
    pub rows: u64,
    /// Foreign keys that were not made.
    pub left: &'a [String],
    /// What tables in a schema of their own did not get.
    pub not_made: &'a [NotMade],
    /// Seconds of each phase, in order.
    pub phases: &'a [(&'static str, f64)],
}

/// A database that was restored.
pub fn done(done: &Done<'_>) -> Document {
    let mut phases = Table::new("phases", "", vec![Column::new("phase", "phase"), Column::new("seconds", "took")]);
    for (phase, seconds) in done.phases {
        phases.push(vec![Value::Text((*phase).to_owned()), Value::Seconds(*seconds)]);
    }
    let took: f64 = done.phases.iter().map(|(_, seconds)| seconds).sum();
    let mut document = Document::new("restore", 1)
        .fact("database", "database", done.database)
        .fact("backup", "from backup", done.manifest.id.as_str())
        .fact("snapshot_at", "as of", done.manifest.times.snapshot.as_str())
        .fact("tables", "tables", i64::try_from(done.tables).unwrap_or(i64::MAX))
        .fact("rows", "rows, proven", i64::try_from(done.rows).unwrap_or(i64::MAX))
        .fact("seconds", "took", Value::Seconds(took))
        .fact("kept", "the old one is", done.kept.map_or(Value::None, |name| Value::Text(name.to_owned())))
        .table(phases);
    if let Some(schema) = done.schema {
        document = document.fact("schema", "in schema", schema);
        document = document.note("grants, owners and comments are not those of the backup");
    }
    if !done.not_made.is_empty() {
        let columns =
            vec![Column::new("what", "not made"), Column::new("reason", "because"), Column::new("sql", "SQL")];
        let mut table = Table::new("not_made", "", columns);
        for not in done.not_made {
            let sql = not.sql.clone().map_or(Value::None, Value::Text);
            table.push(vec![Value::Text(not.what.clone()), Value::Text(not.reason.clone()), sql]);
        }
        document = document.table(table);
    }
    if !done.left.is_empty() {
        document = document.table(names("foreign_keys", "foreign key not made", done.left));
        document =
            document.note("these foreign keys were left out: with NOT VALID each can be made for the rows to come");
    }
    if let Some(kept) = done.kept {
        document = document.note(format!(
            "'dbctl restore undo --to-database {0}' puts {kept} back; 'dbctl restore confirm --to-database {0}' drops it",
            done.database
        ));
    }
    document
}

/// What would be restored.
pub fn planned(manifest: &Manifest, database: &str, free: &Room, steps: &[String], warnings: &[String]) -> Document {
    let free = match free {
        Room::Known(bytes) => Value::Bytes(*bytes),
        Room::Elsewhere | Room::Hidden => Value::Unknown,
    };
    let mut document = Document::new("restore.plan", 1)
        .fact("database", "database", database)
        .fact("backup", "from backup", manifest.id.as_str())
        .fact("snapshot_at", "as of", manifest.times.snapshot.as_str())
        .fact("rows", "rows", i64::try_from(manifest.rows()).unwrap_or(i64::MAX))
        .fact("bytes", "was", Value::Bytes(manifest.database.bytes))
        .fact("free_bytes", "free there", free)
        .table(names("steps", "step", steps));
    for warning in warnings {
        document = document.note(warning.as_str());
    }
    document
}

/// What restores left on the server: databases with their sizes, and roles.
pub fn list(all: &[(Found, Option<u64>)], stand_ins: &[StandIn]) -> Document {
    let columns = vec![
        Column::new("database", "database"),
        Column::new("state", "state"),
        Column::new("target", "of"),
        Column::new("at", "since"),
        Column::new("bytes", "size"),
        Column::new("backup", "backup"),
    ];
    let mut table = Table::new("databases", "no database is kept, and none is unfinished", columns);
    for (found, bytes) in all {
        let Some(mark) = found.mark() else { continue };
        let state = serde_json::to_value(mark.state).ok().and_then(|state| state.as_str().map(str::to_owned));
        table.push(vec![
            Value::Text(found.name.clone()),
            state.map_or(Value::None, Value::Text),
            Value::Text(mark.target),
            Value::Text(mark.at),
            bytes.map_or(Value::Unknown, Value::Bytes),
            Value::Text(mark.backup),
        ]);
    }
    let document = Document::new("restore.list", 1).table(table);
    if stand_ins.is_empty() {
        return document;
    }
    let columns = vec![Column::new("role", "role"), Column::new("about", "stands in")];
    let mut roles = Table::new("roles", "", columns);
    for role in stand_ins {
        roles.push(vec![Value::Text(role.name.clone()), Value::Text(role.about.clone())]);
    }
    document.table(roles).note("a stand-in that no run needs is dropped by the next restore, once no database names it")
}

/// Names that were swapped back.
pub fn undone(database: &str, aside: &str) -> Document {
    Document::new("restore.undo", 1).fact("database", "database is the old one again", database).fact(
        "kept",
        "the restored one is",
        aside,
    )
}

/// What was dropped.
pub fn confirmed(database: &str, dropped: &[String]) -> Document {
    Document::new("restore.confirm", 1)
        .fact("database", "database", database)
        .table(names("dropped", "dropped", dropped))
}

fn names(key: &'static str, heading: &'static str, names: &[String]) -> Table {
    let mut table = Table::new(key, "none", vec![Column::new("name", heading)]);
    for name in names {
        table.push(vec![Value::Text(name.clone())]);
    }
    table
}
