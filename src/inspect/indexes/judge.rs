//! What is wrong with the indexes of a database, with evidence and the SQL to run. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::keys::uncovered;
use super::read::{Catalog, Index};
use super::tree::Trees;
use super::usage;
use crate::ident::{Ident, TableName};

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of the command line")]
pub enum Kind {
    Invalid,
    Duplicate,
    Redundant,
    ForeignKey,
    Unused,
    RarelyUsed,
    Missing,
}

impl Kind {
    /// All of them, the worst first.
    pub const ALL: [Kind; 7] = [
        Kind::Invalid,
        Kind::Duplicate,
        Kind::Redundant,
        Kind::ForeignKey,
        Kind::Unused,
        Kind::RarelyUsed,
        Kind::Missing,
    ];
    /// Their words.
    pub const NAMES: [&'static str; 7] =
        ["invalid", "duplicate", "redundant", "foreign-key", "unused", "rarely-used", "missing"];

    /// The word.
    pub fn name(self) -> &'static str {
        Kind::NAMES[Kind::ALL.iter().position(|kind| *kind == self).unwrap_or_default()]
    }

    /// Whether it says that an index is of little use to queries.
    pub fn is_of_use(self) -> bool {
        matches!(self, Kind::Unused | Kind::RarelyUsed)
    }

    /// Whether its remedy frees the size that is told.
    pub fn frees(self) -> bool {
        !matches!(self, Kind::ForeignKey | Kind::Missing)
    }
}

/// From where on something is a finding.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Uses must have been counted for so long for an index to be called unused.
    pub min_seconds: f64,
    /// Smaller indexes are not told, unless they are invalid.
    pub min_bytes: u64,
    /// Foreign keys of smaller tables are not told, and neither is that smaller ones lack an index.
    pub min_rows: i64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The index; nothing where there is none.
    pub index: Option<(u32, TableName)>,
    /// Its table.
    pub table: TableName,
    /// The index, the foreign key or the table in one word, for monitoring.
    pub object: String,
    /// How large the index is, or the table that has none; nothing where that is not the point.
    pub bytes: Option<u64>,
    /// Why, in a sentence.
    pub evidence: String,
    /// The SQL to run.
    pub remedy: String,
    /// The numbers of the evidence.
    pub numbers: Numbers,
}

/// Numbers that programs read; each where it is of the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// How often the index was used, or the table read in sequence.
    pub scans: Option<i64>,
    /// When the index was used last.
    pub last_scan: Option<DateTime<Utc>>,
    /// How many writes its table has had.
    pub writes: Option<i64>,
    /// How many rows reading in sequence has met.
    pub rows_read: Option<i64>,
    /// How many rows the table has.
    pub rows: Option<i64>,
}

/// How often each index was used, partitions with that of their table, by name.
pub fn uses(catalog: &Catalog) -> BTreeMap<String, i64> {
    let trees = Trees::of(catalog);
    catalog.indexes.iter().map(|index| (index.name.to_string(), trees.index(index).scans)).collect()
}

/// Judges; the worst first, then the largest. `elsewhere` are the uses on each other server: an index that one of
/// them does not have is not told as unused.
pub fn judge(catalog: &Catalog, elsewhere: &[BTreeMap<String, i64>], limits: &Limits) -> Vec<Finding> {
    let trees = Trees::of(catalog);
    let mut findings = Vec::new();
    // Both what is told already and what takes its place: neither is unused then.
    let mut gone: BTreeSet<u32> = BTreeSet::new();
    for finding in broken(catalog) {
        gone.extend(finding.index.as_ref().map(|(oid, _)| *oid));
        findings.push(finding);
    }
    for (finding, keeper) in doubles(catalog, &trees, limits) {
        gone.extend(finding.index.as_ref().map(|(oid, _)| *oid));
        gone.insert(keeper);
        findings.push(finding);
    }
    let (bare, covering) = uncovered(catalog, &trees, limits.min_rows);
    findings.extend(bare);
    // The only index that a foreign key has is there for what is deleted in the other table.
    gone.extend(covering);
    // A standby does not know the queries of its primary, which alone can drop an index.
    if catalog.counted_seconds >= limits.min_seconds && !catalog.standby {
        let little = usage::little(catalog, &trees, elsewhere, limits);
        findings.extend(little.filter(|f| f.index.as_ref().is_none_or(|(oid, _)| !gone.contains(oid))));
    }
    findings.extend(usage::missing(catalog, &trees, limits));
    by_size(&mut findings, 0);
    findings
}

/// Puts the worst first, then the largest, without indexes smaller than this, unless they are invalid.
pub fn by_size(findings: &mut Vec<Finding>, least: u64) {
    findings.retain(|f| matches!(f.kind, Kind::Invalid | Kind::Missing) || f.bytes.is_none_or(|bytes| bytes >= least));
    findings.sort_by(|a, b| {
        a.kind
            .cmp(&b.kind)
            .then(b.bytes.cmp(&a.bytes))
            .then(b.numbers.rows.cmp(&a.numbers.rows))
            .then_with(|| a.object.cmp(&b.object))
    });
}

pub(super) fn dropping(index: &Index) -> String {
    // PostgreSQL drops the index of a partitioned table with a lock only.
    if index.is_partitioned {
        return format!("DROP INDEX {}; -- holds the table exclusively for a moment", index.name);
    }
    format!("DROP INDEX CONCURRENTLY {};", index.name)
}

/// A finding about an index, with its whole size.
pub(super) fn about(index: &Index, kind: Kind, bytes: u64, evidence: String, remedy: String) -> Finding {
    Finding {
        kind,
        index: Some((index.oid, index.name.clone())),
        table: index.table.clone(),
        object: index.name.to_string(),
        bytes: Some(bytes),
        evidence,
        remedy,
        numbers: Numbers::default(),
    }
}

/// Those that are invalid although nobody builds them.
fn broken(catalog: &Catalog) -> Vec<Finding> {
    let mut parts: BTreeMap<u32, Vec<&Index>> = BTreeMap::new();
    for index in &catalog.indexes {
        if let Some(parent) = index.parent {
            parts.entry(parent).or_default().push(index);
        }
    }
    let parts = |index: &Index| parts.get(&index.oid).map(Vec::as_slice).unwrap_or_default();
    let broken = catalog.indexes.iter().filter(|index| !index.is_valid && !index.is_built);
    broken
        .filter_map(|index| if index.is_partitioned { incomplete(index, parts(index)) } else { Some(invalid(index)) })
        .collect()
}

/// The index of a partitioned table is valid when each partition has one that is attached and valid. Until then somebody
/// is about to make them, one by one.
fn incomplete(index: &Index, parts: &[&Index]) -> Option<Finding> {
    let attached = i64::try_from(parts.len()).unwrap_or(i64::MAX);
    if attached < index.partitions || !parts.iter().all(|part| part.is_valid) {
        return None;
    }
    // An index that became valid after it was attached: to attach it again makes PostgreSQL look.
    let again = parts.last().map(|part| format!("ALTER INDEX {} ATTACH PARTITION {};", index.name, part.name));
    Some(about(
        index,
        Kind::Invalid,
        parts.iter().map(|part| part.bytes).sum(),
        "all its partitions have a valid one, and it is still marked invalid".to_owned(),
        again.unwrap_or_else(|| dropping(index)),
    ))
}

fn invalid(index: &Index) -> Finding {
    let name = index.name.name.raw().trim_end_matches(|c: char| c.is_ascii_digit());
    let costs = "it costs writes and helps nobody";
    let (evidence, remedy) = if name.ends_with("_ccnew") {
        (format!("left over by a REINDEX CONCURRENTLY that did not end: {costs}"), dropping(index))
    } else if name.ends_with("_ccold") {
        (format!("replaced by a REINDEX CONCURRENTLY that did not come to drop it: {costs}"), dropping(index))
    } else if !index.is_live {
        ("a DROP INDEX CONCURRENTLY of it did not end".to_owned(), dropping(index))
    } else if index.is_unique {
        let why =
            format!("its build did not end, maybe for rows of the same value: {costs}, nor does it forbid anything");
        (why, format!("{}REINDEX INDEX CONCURRENTLY {};", repeated(index), index.name))
    } else {
        (format!("its build did not end: {costs}"), format!("REINDEX INDEX CONCURRENTLY {};", index.name))
    };
    about(index, Kind::Invalid, index.bytes, evidence, remedy)
}

/// How to find what a unique index would not take.
fn repeated(index: &Index) -> String {
    if index.names.is_empty() {
        return "-- Rows of the same value would stop it again.\n".to_owned();
    }
    let names: Vec<String> = index.names.iter().map(|name| Ident::new(name.as_str()).to_string()).collect();
    let names = names.join(", ");
    let some = if index.is_strict { String::new() } else { format!(" WHERE ({names}) IS NOT NULL") };
    let of = if index.condition.is_empty() { "" } else { " (of the rows that meet its condition)" };
    format!(
        "-- Rows of the same value would stop it again{of}:\n\
         -- SELECT {names}, count(*) FROM {}{some} GROUP BY {names} HAVING count(*) > 1;\n",
        index.table
    )
}

/// Those that do the work of another one of the same table, and that one.
fn doubles(catalog: &Catalog, trees: &Trees, limits: &Limits) -> Vec<(Finding, u32)> {
    let mut by_table: BTreeMap<u32, Vec<&Index>> = BTreeMap::new();
    for index in catalog.indexes.iter().filter(|index| index.is_valid) {
        by_table.entry(index.table_oid).or_default().push(index);
    }
    let mut findings = Vec::new();
    for indexes in by_table.values().filter(|indexes| indexes.len() > 1) {
        for (at, index) in indexes.iter().enumerate() {
            let bytes = trees.index(index).bytes;
            // One of a partition that belongs to its table's goes with that only.
            if index.is_needed || index.parent.is_some() || bytes < limits.min_bytes {
                continue;
            }
            // Of two that are the same, the one that is worth less goes, or the later one.
            let same = indexes.iter().enumerate().filter(|(other_at, other)| {
                *other_at != at && is_same(index, other) && (worth(other), at) > (worth(index), *other_at)
            });
            let same = same.max_by_key(|(other_at, other)| (worth(other), Reverse(*other_at)));
            let (kind, other) = match same {
                Some((_, other)) => (Kind::Duplicate, other),
                None => match indexes.iter().find(|other| other.oid != index.oid && begins(index, other)) {
                    Some(other) => (Kind::Redundant, other),
                    None => continue,
                },
            };
            let evidence = match kind {
                Kind::Duplicate => format!("the same as {}{}", other.name, more(other)),
                _ => format!("{} begins with the same columns", other.name),
            };
            findings.push((about(index, kind, bytes, evidence, dropping(index)), other.oid));
        }
    }
    findings
}

/// What an index is there for besides being read.
fn worth(index: &Index) -> (bool, bool, bool, bool) {
    (index.is_needed || index.parent.is_some(), index.is_unique, index.is_strict, index.is_clustered)
}

/// The same in words.
fn more(index: &Index) -> &'static str {
    match worth(index) {
        (true, ..) if !index.is_needed => ", which is a part of the index of the whole table",
        (true, ..) => ", which a constraint or the replica identity needs",
        (_, true, ..) => ", which is UNIQUE",
        (.., true) => ", which CLUSTER goes by",
        _ => "",
    }
}

/// Whether another index does all that this one does, with the same columns.
fn is_same(index: &Index, other: &Index) -> bool {
    index.method == other.method
        && index.keys == other.keys
        && index.columns == other.columns
        && index.ways == other.ways
        && index.expressions == other.expressions
        && index.condition == other.condition
        && (!index.is_unique || other.is_unique && (!index.is_strict || other.is_strict))
}

/// Whether this one's keys are the first of a wider one's. A unique one forbids what the wider one allows, columns
/// that are only included are there for reads of the index alone, and CLUSTER goes by one index.
fn begins(index: &Index, other: &Index) -> bool {
    index.method == "btree"
        && other.method == "btree"
        && !index.is_unique
        && !index.is_clustered
        && index.expressions.is_empty()
        && index.columns.len() == index.keys
        && index.condition == other.condition
        && other.keys > index.keys
        && other.columns.starts_with(&index.columns)
        && other.ways.starts_with(&index.ways)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
