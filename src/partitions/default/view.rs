//! Work on a DEFAULT partition as a document: what lies in there, the plan, what was done.

use super::assess::literals;
use super::read::Contents;
use crate::ident::TableName;
use crate::output::{Column, Document, Table, Value};
use crate::partitions::listing;
use crate::policy::calendar::Grid;
use crate::steps::Plan;
use crate::steps::apply::Applied;

/// More windows than this are cut.
const SHOWN: usize = 100;

pub(super) fn plan(
    kind: &'static str,
    label: &str,
    table: &TableName,
    plan: &Plan,
    notes: &[String],
    contents: Option<(&Contents, &Grid)>,
) -> Document {
    with_windows(listing::steps(kind, label, table, plan, &[]), notes, contents)
}

pub(super) fn done(
    kind: &'static str,
    label: &str,
    table: &TableName,
    applied: &[Applied],
    notes: &[String],
    contents: Option<(&Contents, &Grid)>,
) -> Document {
    let state = if applied.is_empty() { "nothing to do" } else { "done" };
    with_windows(listing::done(kind, label, table, state, applied, &[]), notes, contents)
}

fn with_windows(document: Document, notes: &[String], contents: Option<(&Contents, &Grid)>) -> Document {
    let mut table = Table::new(
        "windows",
        "the DEFAULT partition has no rows",
        vec![Column::new("from", "from"), Column::new("to", "to"), Column::new("rows", "rows")],
    );
    let mut document = document;
    if let Some((contents, grid)) = contents {
        for (window, rows) in contents.windows.iter().take(SHOWN) {
            let (from, to) = literals(grid, *window).unwrap_or_default();
            table.push(vec![from.into(), to.into(), rows.map_or(Value::Unknown, Value::Int)]);
        }
        document = document.table(table);
        if contents.windows.len() > SHOWN || contents.more {
            document = document.note(format!("only the oldest {SHOWN} windows are shown"));
        }
        if contents.nulls {
            document = document.note("it has rows without a key (NULL)");
        }
        if contents.infinite {
            document = document.note("it has rows at infinity");
        }
    }
    notes.iter().fold(document, |document, note| document.note(note.as_str()))
}
