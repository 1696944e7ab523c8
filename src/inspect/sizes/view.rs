//! Sizes as an answer.

use std::collections::BTreeMap;

use super::growth::Before;
use super::read::Seen;
use super::tree::{Sized, Sort, parts, trees};
use crate::output::chart::Piece;
use crate::output::{Column, Document, Table, Value};

/// What is shown.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Only tables of these schemas; all where none is named.
    pub schemas: Vec<String>,
    /// By what they are sorted.
    pub sort: Sort,
    /// So many; all where nothing is said.
    pub limit: Option<usize>,
    /// Databases as well.
    pub databases: bool,
    /// Partitions one by one.
    pub partitions: bool,
}

/// The document.
pub fn view(seen: &Seen, system: Option<i64>, before: Option<&Before>, wish: &Wish) -> Document {
    let trees = if wish.partitions { parts(&seen.parts) } else { trees(&seen.parts) };
    let of_system = |tree: &Sized| ["pg_catalog", "pg_toast"].contains(&tree.name.schema.raw());
    let mut shown: Vec<&Sized> = trees
        .iter()
        .filter(|tree| match wish.schemas.as_slice() {
            [] => !of_system(tree),
            schemas => schemas.iter().any(|schema| schema == tree.name.schema.raw()),
        })
        .collect();
    let grown = |tree: &Sized| grown(tree, before?, wish.partitions);
    let key = |tree: &Sized| -> i64 {
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        match wish.sort {
            Sort::Total => size(tree.total()),
            Sort::Heap => size(tree.heap),
            Sort::Toast => size(tree.toast),
            Sort::Index => size(tree.index),
            Sort::Rows => tree.rows.unwrap_or(-1),
            Sort::Growth => grown(tree).unwrap_or(i64::MIN),
        }
    };
    shown.sort_by(|a, b| key(b).cmp(&key(a)).then_with(|| a.name.to_string().cmp(&b.name.to_string())));
    let all = shown.len();
    let sum = |part: fn(&Sized) -> u64| Value::Bytes(total(&shown, part));
    let everything: Vec<&Sized> = trees.iter().collect();
    let mut document = Document::new("sizes", 1)
        .machine("at", seen.at)
        .fact("database", "database", seen.database.as_str())
        .fact("size_bytes", "size", Value::Bytes(total(&everything, Sized::total)))
        .fact("tables", "tables", all)
        .fact("heap_bytes", "rows take", sum(|tree| tree.heap))
        .fact("toast_bytes", "long values", sum(|tree| tree.toast))
        .fact("index_bytes", "indexes", sum(|tree| tree.index));
    if let Some(before) = before {
        document = document.fact("since", "grown since", before.at);
    }
    let mut columns = vec![
        Column::new("table", "table"),
        Column::new("total_bytes", "total"),
        Column::new("heap_bytes", "rows take"),
        Column::new("toast_bytes", "long values"),
        Column::new("index_bytes", "indexes"),
        Column::new("rows", "rows ~"),
        Column::machine("partitions"),
        Column::machine("index_count"),
        Column::machine("estimated"),
    ];
    columns
        .insert(2, if before.is_some() { Column::new("grown_bytes", "grown") } else { Column::machine("grown_bytes") });
    let mut table = Table::new("sizes", "There is no table.", columns);
    for tree in shown.iter().take(wish.limit.unwrap_or(usize::MAX)) {
        table.push(vec![
            tree.name.to_string().into(),
            size(tree.total(), tree.heap_unknown || tree.toast_unknown),
            grown(tree).map_or(Value::None, Value::Growth),
            size(tree.heap, tree.heap_unknown),
            size(tree.toast, tree.toast_unknown),
            Value::Bytes(tree.index),
            tree.rows.map_or(Value::Unknown, Value::Int),
            tree.partitions.into(),
            tree.indexes.into(),
            tree.estimated.into(),
        ]);
    }
    document = document.table(table).table(schemas(&shown, &grown));
    if wish.databases {
        let columns = vec![Column::new("database", "database"), Column::new("size_bytes", "size")];
        let mut databases = Table::new("databases", "", columns);
        for (name, size) in &seen.databases {
            databases.push(vec![name.as_str().into(), size.map_or(Value::Unknown, Value::Bytes)]);
        }
        document = document.table(databases);
    }
    notes(document, seen, &shown, (before, system), wish)
}

/// What is new has grown from nothing.
fn grown(tree: &Sized, before: &Before, partitions: bool) -> Option<i64> {
    if tree.estimated {
        return None;
    }
    let was = before.bytes(partitions).get(&tree.name.to_string()).copied().unwrap_or_default();
    i64::try_from(tree.total()).ok()?.checked_sub(i64::try_from(was).ok()?)
}

fn size(bytes: u64, unknown: bool) -> Value {
    if unknown { Value::Unknown } else { Value::Bytes(bytes) }
}

fn total(of: &[&Sized], part: fn(&Sized) -> u64) -> u64 {
    of.iter().map(|tree| part(tree)).fold(0, u64::saturating_add)
}

/// The sums of schemas; nobody needs those of a single one.
fn schemas(shown: &[&Sized], grown: &impl Fn(&Sized) -> Option<i64>) -> Table {
    let columns = vec![
        Column::new("schema", "schema"),
        Column::new("tables", "tables"),
        Column::new("total_bytes", "total"),
        Column::machine("grown_bytes"),
        Column::new("heap_bytes", "rows take"),
        Column::new("toast_bytes", "long values"),
        Column::new("index_bytes", "indexes"),
    ];
    let mut table = Table::new("schemas", "", columns);
    let mut sums: BTreeMap<&str, Vec<&Sized>> = BTreeMap::new();
    for tree in shown {
        sums.entry(tree.name.schema.raw()).or_default().push(tree);
    }
    if sums.len() < 2 {
        return table;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(schema, of)| (std::cmp::Reverse(total(of, Sized::total)), *schema));
    for (schema, of) in sums {
        let sum = |part: fn(&Sized) -> u64| Value::Bytes(total(&of, part));
        table.push(vec![
            schema.into(),
            of.len().into(),
            sum(Sized::total),
            of.iter().map(|tree| grown(tree)).sum::<Option<i64>>().map_or(Value::None, Value::Growth),
            sum(|tree| tree.heap),
            sum(|tree| tree.toast),
            sum(|tree| tree.index),
        ]);
    }
    table
}

fn notes(
    mut document: Document,
    seen: &Seen,
    shown: &[&Sized],
    (before, system): (Option<&Before>, Option<i64>),
    wish: &Wish,
) -> Document {
    if let Some(limit) = wish.limit.filter(|limit| *limit < shown.len()) {
        document = document.note(format!("{} more tables: --all shows them", shown.len() - limit));
    }
    if let Some(why) = &seen.estimated {
        document = document.note(format!("every size is that of the last VACUUM or ANALYZE: {why}"));
    }
    let held: Vec<String> =
        shown.iter().filter(|tree| tree.estimated).take(5).map(|tree| tree.name.to_string()).collect();
    if seen.estimated.is_none() && !held.is_empty() {
        document = document.note(format!(
            "somebody holds {} exclusively: sizes of its last VACUUM or ANALYZE are shown, UNKNOWN without one; see 'dbctl locks'",
            held.join(", ")
        ));
    }
    if let Some(before) = before {
        let was = before.bytes(wish.partitions);
        let new = shown.iter().filter(|tree| !was.contains_key(&tree.name.to_string())).count();
        if new > 0 {
            document = document.note(format!("new since then: {new} of the tables"));
        }
        let gone: Vec<&String> = was
            .keys()
            .filter(|name| !shown.iter().any(|tree| tree.name.to_string() == **name) && wish.schemas.is_empty())
            .filter(|name| !name.starts_with("pg_"))
            .take(5)
            .collect();
        if !gone.is_empty() {
            let names: Vec<&str> = gone.iter().map(|name| name.as_str()).collect();
            document = document.note(format!("gone since then: {}", names.join(", ")));
        }
        if before.database != seen.database {
            document = document.note(format!("the file is of another database: {}", before.database));
        } else if before.system.zip(system).is_some_and(|(then, now)| then != now) {
            document = document.note("the file is of a database of the same name on another server");
        }
    }
    document
}

/// The largest tables as areas of a picture, and the others as one.
pub fn pieces(trees: &[Sized], most: usize) -> Vec<Piece> {
    let mut sorted: Vec<&Sized> = trees.iter().collect();
    sorted.sort_by_key(|tree| std::cmp::Reverse(tree.total()));
    let (shown, rest) = sorted.split_at(sorted.len().min(most));
    let piece = |label: String, bytes: u64| Piece { label, weight: bytes as f64, value: Value::Bytes(bytes) };
    let mut pieces: Vec<Piece> = shown.iter().map(|tree| piece(tree.name.to_string(), tree.total())).collect();
    let others: u64 = rest.iter().map(|tree| tree.total()).fold(0, u64::saturating_add);
    if others > 0 {
        pieces.push(piece(format!("{} others", rest.len()), others));
    }
    pieces
}
