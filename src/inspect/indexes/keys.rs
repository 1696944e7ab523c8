//! Foreign keys and the indexes by which their rows are found. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Finding, Kind, Numbers};
use super::read::{Catalog, ForeignKey, Index};
use super::tree::Trees;
use crate::ident::Ident;

/// The foreign keys that no index covers, and all indexes that cover one.
pub fn uncovered(catalog: &Catalog, trees: &Trees, min_rows: i64) -> (Vec<Finding>, BTreeSet<u32>) {
    let mut by_table: BTreeMap<u32, Vec<&Index>> = BTreeMap::new();
    for index in &catalog.indexes {
        by_table.entry(index.table_oid).or_default().push(index);
    }
    let covering = |key: &ForeignKey| {
        let indexes = by_table.get(&key.table_oid).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().filter(|index| covers(index, key)).map(|index| index.oid).collect::<Vec<u32>>()
    };
    let covered: BTreeMap<u32, Vec<u32>> = catalog.foreign_keys.iter().map(|key| (key.oid, covering(key))).collect();
    let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for key in &catalog.foreign_keys {
        if let Some(parent) = key.parent {
            parts.entry(parent).or_default().push(key.oid);
        }
    }
    let partitioned: BTreeSet<u32> = catalog.tables.iter().filter(|t| t.is_partitioned).map(|t| t.oid).collect();
    // One told for a whole table is not told again for its partitions; the partitions may each have their own.
    let whole = |key: &&ForeignKey| key.parent.is_none_or(|parent| !covered.contains_key(&parent));
    let bare = catalog.foreign_keys.iter().filter(whole).filter(|key| !is_covered(key.oid, &covered, &parts));
    let findings = bare.filter_map(|key| {
        let rows = trees.table(key.table_oid).rows;
        (rows >= min_rows).then(|| finding(key, rows, partitioned.contains(&key.table_oid)))
    });
    (findings.collect(), covered.values().flatten().copied().collect())
}

/// By an index of its own, or with all of its partitions.
fn is_covered(key: u32, covered: &BTreeMap<u32, Vec<u32>>, parts: &BTreeMap<u32, Vec<u32>>) -> bool {
    let mut open = vec![key];
    // Each key is looked at once: none is a part of two.
    while let Some(key) = open.pop() {
        if covered.get(&key).is_some_and(|indexes| !indexes.is_empty()) {
            continue;
        }
        match parts.get(&key) {
            Some(parts) => open.extend(parts),
            None => return false,
        }
    }
    true
}

/// Whether rows of the foreign key are found by this index.
fn covers(index: &Index, key: &ForeignKey) -> bool {
    let first: BTreeSet<&i64> = index.columns.iter().take(key.columns.len().min(index.keys)).collect();
    index.table_oid == key.table_oid
        && index.is_valid
        && index.condition.is_empty()
        && ["btree", "hash"].contains(&index.method.as_str())
        && first == key.columns.iter().collect()
}

fn finding(key: &ForeignKey, rows: i64, is_partitioned: bool) -> Finding {
    let columns: Vec<String> = key.names.iter().map(|name| Ident::new(name.as_str()).to_string()).collect();
    // Of a partitioned table there is no other way in one statement.
    let (how, blocks) = if is_partitioned { ("", " -- blocks writes while it builds") } else { (" CONCURRENTLY", "") };
    let name = Ident::new(key.name.as_str());
    Finding {
        kind: Kind::ForeignKey,
        index: None,
        table: key.table.clone(),
        object: format!("{}.{name}", key.table),
        bytes: None,
        evidence: format!("{name} has none: each DELETE in the other table reads ~{rows} rows here"),
        remedy: format!("CREATE INDEX{how} ON {} ({});{blocks}", key.table, columns.join(", ")),
        numbers: Numbers { rows: Some(rows), ..Numbers::default() },
    }
}
