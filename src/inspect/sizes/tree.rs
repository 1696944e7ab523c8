//! Partitions summed at the table that they are parts of. Pure.

use std::collections::BTreeMap;

use super::read::Part;
use crate::ident::TableName;

/// A table with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sized {
    /// The table.
    pub name: TableName,
    /// How many partitions have rows of it; 0 for a plain table.
    pub partitions: usize,
    /// Bytes of rows.
    pub heap: u64,
    /// Bytes of long values.
    pub toast: u64,
    /// Bytes of indexes.
    pub index: u64,
    /// How many indexes; of a partitioned table its own.
    pub indexes: i64,
    /// Rows of the parts that were ever counted; nothing where none was.
    pub rows: Option<i64>,
    /// A part of it is an estimate, because somebody holds it.
    pub estimated: bool,
    /// The bytes of rows of a part of it are not known at all.
    pub heap_unknown: bool,
    /// Those of its long values.
    pub toast_unknown: bool,
}

/// By what tables are sorted, the largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the words of the flag")]
pub enum Sort {
    #[default]
    Total,
    Heap,
    Toast,
    Index,
    Rows,
    Growth,
}

impl Sized {
    fn empty(of: &Part) -> Sized {
        Sized {
            name: of.name.clone(),
            partitions: 0,
            heap: 0,
            toast: 0,
            index: 0,
            indexes: of.indexes,
            rows: None,
            estimated: false,
            heap_unknown: false,
            toast_unknown: false,
        }
    }

    /// All bytes that are known.
    pub fn total(&self) -> u64 {
        self.heap.saturating_add(self.toast).saturating_add(self.index)
    }
}

/// The tables that are parts of none, with what they consist of.
pub fn trees(parts: &[Part]) -> Vec<Sized> {
    let by_oid: BTreeMap<u32, &Part> = parts.iter().map(|part| (part.oid, part)).collect();
    let mut trees: BTreeMap<u32, Sized> = BTreeMap::new();
    for part in parts {
        let mut root = part;
        // A catalog has no rings, a damaged one may.
        for _ in 0..parts.len() {
            match root.parent.and_then(|parent| by_oid.get(&parent)) {
                Some(parent) => root = parent,
                None => break,
            }
        }
        let tree = trees.entry(root.oid).or_insert_with(|| Sized::empty(root));
        tree.heap = tree.heap.saturating_add(part.heap);
        tree.heap_unknown |= part.heap_unknown;
        tree.toast_unknown |= part.toast_unknown;
        tree.toast = tree.toast.saturating_add(part.toast);
        tree.index = tree.index.saturating_add(part.index);
        tree.estimated |= part.estimated;
        if !part.is_partitioned {
            tree.partitions += usize::from(part.parent.is_some());
            // A partitioned table's own count, where ANALYZE made one, is that of its partitions.
            tree.rows = match (tree.rows, part.rows) {
                (Some(rows), Some(more)) => Some(rows.saturating_add(more)),
                (rows, more) => rows.or(more),
            };
        }
    }
    trees.into_values().collect()
}

/// Every table that has rows of its own, partitions as well.
pub fn parts(parts: &[Part]) -> Vec<Sized> {
    let own = parts.iter().filter(|part| !part.is_partitioned).map(|part| Sized {
        heap: part.heap,
        toast: part.toast,
        index: part.index,
        rows: part.rows,
        estimated: part.estimated,
        heap_unknown: part.heap_unknown,
        toast_unknown: part.toast_unknown,
        ..Sized::empty(part)
    });
    own.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(oid: u32, parent: Option<u32>, heap: u64, rows: Option<i64>) -> Part {
        Part {
            oid,
            name: TableName::new("app", format!("t{oid}")),
            is_partitioned: heap == 0,
            parent,
            heap,
            toast: 1,
            index: 10,
            indexes: 2,
            rows,
            estimated: oid == 4,
            heap_unknown: false,
            toast_unknown: false,
        }
    }

    #[test]
    fn partitions_of_partitions_are_summed_at_the_top() {
        let parts = [
            part(1, None, 0, Some(999)),
            part(2, Some(1), 0, None),
            part(3, Some(2), 100, Some(5)),
            part(4, Some(1), 200, None),
            part(5, None, 7, None),
        ];
        let trees = trees(&parts);
        assert_eq!(trees.len(), 2);
        let top = &trees[0];
        assert_eq!((top.heap, top.toast, top.index, top.total()), (300, 4, 40, 344));
        assert_eq!((top.partitions, top.indexes, top.rows, top.estimated), (2, 2, Some(5), true));
        assert_eq!((trees[1].partitions, trees[1].rows, trees[1].estimated), (0, None, false));
    }

    #[test]
    fn a_ring_and_a_parent_that_is_not_there_end() {
        assert_eq!(trees(&[part(1, Some(2), 1, None), part(2, Some(1), 1, None), part(3, Some(9), 1, None)]).len(), 3);
    }
}
