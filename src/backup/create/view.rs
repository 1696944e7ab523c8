//! What `backup create` made, or would make, as a document.

use super::{Lock, Request, Selection};
use crate::backup::manifest::{Globals, Manifest};
use crate::backup::read::Moment;
use crate::output::{Column, Document, Table, Value};
use crate::pg::programs::Installed;

/// A backup that exists.
pub fn made(manifest: &Manifest, repository: &str, copies: &[(String, bool)]) -> Document {
    let mut document = Document::new("backup.create", 1)
        .fact("backup", "backup", manifest.id.as_str())
        .fact("database", "database", manifest.database.name.as_str())
        .fact("repository", "in", repository)
        .fact("snapshot_at", "as of", manifest.times.snapshot.as_str())
        .fact("tables", "tables", i64::try_from(manifest.tables.len()).unwrap_or(i64::MAX))
        .fact("rows", "rows", i64::try_from(manifest.rows()).unwrap_or(i64::MAX))
        .fact("plain_bytes", "data", Value::Bytes(manifest.plain_bytes()))
        .fact("stored_bytes", "stored", Value::Bytes(manifest.stored_bytes()))
        .fact("seconds", "took", Value::Seconds(manifest.times.milliseconds as f64 / 1000.0))
        .fact("encrypted", "encrypted", Value::Bool(manifest.is_encrypted()));
    if !manifest.left_out.is_empty() {
        document = document.table(left_out(manifest.left_out.iter().map(|one| (&*one.name, &*one.why))));
    }
    if !copies.is_empty() {
        document = document.table(Table {
            key: "copies",
            columns: vec![Column::new("repository", "also in"), Column::new("good", "good")],
            rows: copies.iter().map(|(url, good)| vec![Value::Text(url.clone()), Value::Bool(*good)]).collect(),
            empty: "",
        });
    }
    if manifest.globals == Globals::WithoutPasswords {
        document = document.note(
            "the role may not read passwords: after a loss of the server they have to be set again (back up as a superuser to keep them)",
        );
    }
    let prove = format!("dbctl backup verify {} --from {repository}", manifest.id);
    document.note(format!("'{prove}' reads it back; 'dbctl backup drill --from {repository}' proves that it restores"))
}

/// What would be copied.
pub fn planned(moment: &Moment, selection: &Selection, pg_dump: &Installed, request: &Request) -> Document {
    let mut tables = Table {
        key: "tables",
        columns: vec![Column::new("table", "table"), Column::new("bytes", "about")],
        rows: Vec::new(),
        empty: "no table has rows of its own",
    };
    for table in &selection.tables {
        tables.rows.push(vec![Value::Text(table.name.to_string()), Value::Bytes(table.heap_bytes)]);
    }
    let mut document = Document::new("backup.plan", 1)
        .fact("database", "database", moment.database.name.as_str())
        .fact("repository", "to", request.repository.as_str())
        .fact("pg_dump", "pg_dump", format!("{} ({})", pg_dump.version, pg_dump.path.display()))
        .fact("jobs", "jobs", i64::try_from(request.jobs).unwrap_or(i64::MAX))
        .fact("encrypted", "encrypted", Value::Bool(!matches!(request.lock, Lock::Open)))
        .table(tables);
    if !selection.left_out.is_empty() {
        document = document.table(left_out(selection.left_out.iter().map(|one| (&*one.name, &*one.why))));
    }
    document
}

fn left_out<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Table {
    Table {
        key: "left_out",
        columns: vec![Column::new("name", "left out"), Column::new("why", "why")],
        rows: all.map(|(name, why)| vec![Value::Text(name.to_owned()), Value::Text(why.to_owned())]).collect(),
        empty: "",
    }
}
