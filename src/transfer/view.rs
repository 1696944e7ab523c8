//! What an export or an import came to, as documents. Pure.

use std::time::Duration;

use super::export::Written;
use super::import::Done;
use crate::output::{Column, Document, Table, Value};

/// `1.2 MB/s` of some bytes.
pub fn rate(bytes: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(0.001);
    format!("{:.1} MB, {:.1} MB/s", bytes as f64 / 1e6, bytes as f64 / 1e6 / seconds)
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The files of an export.
pub fn exported(at: &str, snapshot: &str, files: &[Written], dry_run: bool) -> Document {
    let mut table = Table::new(
        "files",
        "Nothing was exported.",
        vec![
            Column::new("origin", "FROM"),
            Column::new("file", "FILE"),
            Column::new("format", "AS"),
            Column::new("rows", "ROWS"),
            Column::new("bytes", "SIZE"),
            Column::machine("plain_bytes"),
            Column::new("seconds", "TOOK"),
        ],
    );
    for file in files {
        table.push(vec![
            file.origin.clone().into(),
            file.place.clone().into(),
            file.format.to_string().into(),
            if dry_run && file.origin == "query" { Value::Unknown } else { int(file.rows) },
            if dry_run { Value::None } else { Value::Bytes(file.bytes) },
            if dry_run { Value::None } else { Value::Bytes(file.plain_bytes) },
            if dry_run { Value::None } else { Value::Seconds(file.took.as_secs_f64()) },
        ]);
    }
    let document = Document::new("export", 1)
        .fact("at", "as of", at)
        .machine("snapshot", snapshot)
        .machine("dry_run", dry_run)
        .table(table);
    if dry_run { document.note("Nothing was written: --dry-run.") } else { document }
}

/// What an import came to.
pub fn imported(done: &Done) -> Document {
    let mut document = Document::new("import", 1)
        .fact("file", "file", done.file.clone())
        .fact("table", "into", done.table.clone())
        .fact("format", "as", done.format.to_string())
        .fact("rows", "rows in the file", int(done.rows))
        .fact("stored", "rows stored", done.stored.map_or(Value::None, int))
        .fact("bytes", "text", Value::Bytes(done.plain_bytes))
        .fact("seconds", "took", Value::Seconds(done.took.as_secs_f64()))
        .machine("proven", done.proven)
        .machine("dry_run", done.dry_run);
    for note in &done.notes {
        document = document.note(note.clone());
    }
    if done.dry_run { document.note("Nothing was stored: --dry-run.") } else { document }
}
