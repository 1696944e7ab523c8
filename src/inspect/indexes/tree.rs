//! Indexes and tables of partitions, summed at those of their table. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::judge::Finding;
use super::read::{Catalog, Index, Table};
use crate::ident::TableName;

/// What an index, or a table, has with all that belong to it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum {
    /// Its size.
    pub bytes: u64,
    /// How often it was used, or read in sequence.
    pub scans: i64,
    /// When an index was used last.
    pub last_scan: Option<DateTime<Utc>>,
    /// Rows of a table.
    pub rows: i64,
    /// Rows that reading in sequence has met.
    pub rows_read: i64,
    /// Writes to a table, and so to an index of it.
    pub writes: i64,
}

/// All of them by oid.
pub struct Trees {
    indexes: BTreeMap<u32, Sum>,
    tables: BTreeMap<u32, Sum>,
}

impl Trees {
    pub fn of(catalog: &Catalog) -> Trees {
        let tables = summed(catalog.tables.iter().map(|table| (table.oid, table.parent, of_table(table))));
        // What is written to an index is what is written to the partitions that have it.
        let writes: BTreeMap<u32, i64> = catalog.tables.iter().map(|table| (table.oid, table.writes)).collect();
        let of_index = |index: &Index| Sum {
            bytes: index.bytes,
            scans: index.scans,
            last_scan: index.last_scan,
            writes: writes.get(&index.table_oid).copied().unwrap_or_default(),
            ..Sum::default()
        };
        let indexes = summed(catalog.indexes.iter().map(|index| (index.oid, index.parent, of_index(index))));
        Trees { indexes, tables }
    }

    pub fn index(&self, index: &Index) -> Sum {
        self.indexes.get(&index.oid).copied().unwrap_or_default()
    }

    pub fn table(&self, oid: u32) -> Sum {
        self.tables.get(&oid).copied().unwrap_or_default()
    }
}

/// What has the bytes of these findings: indexes, and tables that lack one, with all that belong to them.
pub(super) fn parts(catalog: &Catalog, findings: &[Finding]) -> Vec<u32> {
    let mut wanted: BTreeSet<u32> = findings.iter().filter_map(|f| f.index.as_ref()).map(|(oid, _)| *oid).collect();
    let bare: BTreeSet<&TableName> =
        findings.iter().filter(|f| f.index.is_none() && f.bytes.is_some()).map(|f| &f.table).collect();
    wanted.extend(catalog.tables.iter().filter(|table| bare.contains(&table.name)).map(|table| table.oid));
    let indexes = catalog.indexes.iter().map(|index| (index.oid, index.parent));
    let mut below: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (oid, parent) in indexes.chain(catalog.tables.iter().map(|table| (table.oid, table.parent))) {
        below.entry(parent.unwrap_or_default()).or_default().push(oid);
    }
    let mut open: Vec<u32> = wanted.iter().copied().collect();
    while let Some(oid) = open.pop() {
        let under = below.get(&oid).into_iter().flatten();
        open.extend(under.filter(|part| wanted.insert(**part)));
    }
    wanted.into_iter().collect()
}

/// Gives findings the sizes that the catalog has now.
pub(super) fn weigh(catalog: &Catalog, findings: &mut [Finding]) {
    let trees = Trees::of(catalog);
    let tables: BTreeMap<&TableName, u32> = catalog.tables.iter().map(|table| (&table.name, table.oid)).collect();
    for finding in findings.iter_mut().filter(|finding| finding.bytes.is_some()) {
        let sum = match &finding.index {
            Some((oid, _)) => trees.indexes.get(oid),
            None => tables.get(&finding.table).and_then(|oid| trees.tables.get(oid)),
        };
        finding.bytes = sum.map(|sum| sum.bytes).or(finding.bytes);
    }
}

fn of_table(table: &Table) -> Sum {
    Sum {
        bytes: table.bytes,
        scans: table.scans,
        last_scan: None,
        rows: table.rows,
        rows_read: table.rows_read,
        writes: table.writes,
    }
}

fn summed(all: impl Iterator<Item = (u32, Option<u32>, Sum)>) -> BTreeMap<u32, Sum> {
    let all: Vec<(u32, Option<u32>, Sum)> = all.collect();
    let parents: BTreeMap<u32, Option<u32>> = all.iter().map(|(oid, parent, _)| (*oid, *parent)).collect();
    let mut sums: BTreeMap<u32, Sum> = BTreeMap::new();
    for (oid, _, own) in all {
        let mut at = Some(oid);
        // A partition cannot be above itself; what is read while it is attached might say so.
        for _ in 0..=parents.len() {
            let Some(oid) = at else { break };
            sums.entry(oid).or_default().add(own);
            at = parents.get(&oid).copied().flatten();
        }
    }
    sums
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.scans = self.scans.saturating_add(other.scans);
        self.last_scan = self.last_scan.max(other.last_scan);
        self.rows = self.rows.saturating_add(other.rows);
        self.rows_read = self.rows_read.saturating_add(other.rows_read);
        self.writes = self.writes.saturating_add(other.writes);
    }
}
