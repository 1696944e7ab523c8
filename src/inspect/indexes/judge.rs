//! What is wrong with the indexes of a database, with evidence and the SQL to run. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Catalog, ForeignKey, Index};
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
}

impl Kind {
    /// All of them, the worst first.
    pub const ALL: [Kind; 5] = [Kind::Invalid, Kind::Duplicate, Kind::Redundant, Kind::ForeignKey, Kind::Unused];
    /// Their words.
    pub const NAMES: [&'static str; 5] = ["invalid", "duplicate", "redundant", "foreign-key", "unused"];

    /// The word.
    pub fn name(self) -> &'static str {
        Kind::NAMES[Kind::ALL.iter().position(|kind| *kind == self).unwrap_or_default()]
    }
}

/// From where on something is a finding.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Uses must have been counted for so long for an index to be called unused.
    pub min_seconds: f64,
    /// Smaller indexes are not told, unless they are invalid.
    pub min_bytes: u64,
    /// Foreign keys of smaller tables are not told.
    pub min_rows: i64,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The index; nothing for a foreign key without one.
    pub index: Option<(u32, TableName)>,
    /// Its table.
    pub table: TableName,
    /// What its removal would free; nothing where that is not the point.
    pub bytes: Option<u64>,
    /// Why, in a sentence.
    pub evidence: String,
    /// The SQL to run.
    pub remedy: String,
}

/// How often each index was used, partitions with that of their table, by name.
pub fn uses(catalog: &Catalog) -> BTreeMap<String, i64> {
    let trees = Trees::of(catalog);
    catalog.indexes.iter().map(|index| (index.name.to_string(), trees.scans(index))).collect()
}

/// Judges; the worst first, then the largest. `elsewhere` are the uses on each other server: an index that one of
/// them does not have is not told as unused.
pub fn judge(catalog: &Catalog, elsewhere: &[BTreeMap<String, i64>], limits: &Limits) -> Vec<Finding> {
    let trees = Trees::of(catalog);
    let mut findings = Vec::new();
    // Both what is told already and what takes its place: neither is unused then.
    let mut gone: BTreeSet<u32> = BTreeSet::new();
    for index in catalog.indexes.iter().filter(|index| !index.is_valid && !index.is_built) {
        findings.push(invalid(index));
        gone.insert(index.oid);
    }
    for (finding, keeper) in doubles(catalog, &trees, limits) {
        gone.extend(finding.index.as_ref().map(|(oid, _)| *oid));
        gone.insert(keeper);
        findings.push(finding);
    }
    let covering = |key: &ForeignKey| {
        catalog.indexes.iter().filter(|index| covers(index, key)).map(|index| index.oid).collect::<Vec<u32>>()
    };
    // The only index that a foreign key has is there for what is deleted in the other table.
    gone.extend(catalog.foreign_keys.iter().flat_map(covering));
    findings.extend(catalog.foreign_keys.iter().filter(|key| key.rows >= limits.min_rows).filter_map(|key| {
        if !covering(key).is_empty() {
            return None;
        }
        let columns: Vec<String> = key.names.iter().map(|name| Ident::new(name.as_str()).to_string()).collect();
        // Of a partitioned table there is no other way in one statement.
        let (how, blocks) =
            if key.is_partitioned { ("", " -- blocks writes while it builds") } else { (" CONCURRENTLY", "") };
        Some(Finding {
            kind: Kind::ForeignKey,
            index: None,
            table: key.table.clone(),
            bytes: None,
            evidence: format!(
                "{} has none: each DELETE in the other table reads ~{} rows here",
                Ident::new(key.name.as_str()),
                key.rows
            ),
            remedy: format!("CREATE INDEX{how} ON {} ({});{blocks}", key.table, columns.join(", ")),
        })
    }));
    if catalog.counted_seconds >= limits.min_seconds {
        findings.extend(
            unused(catalog, &trees, elsewhere, limits)
                .filter(|finding| finding.index.as_ref().is_none_or(|(oid, _)| !gone.contains(oid))),
        );
    }
    findings.sort_by(|a, b| a.kind.cmp(&b.kind).then(b.bytes.cmp(&a.bytes)).then_with(|| a.evidence.cmp(&b.evidence)));
    findings
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

/// Indexes of partitions, summed at that of their table.
struct Trees {
    bytes: BTreeMap<u32, u64>,
    scans: BTreeMap<u32, i64>,
}

impl Trees {
    fn of(catalog: &Catalog) -> Trees {
        let parents: BTreeMap<u32, Option<u32>> =
            catalog.indexes.iter().map(|index| (index.oid, index.parent)).collect();
        let mut trees = Trees { bytes: BTreeMap::new(), scans: BTreeMap::new() };
        for index in &catalog.indexes {
            let mut at = Some(index.oid);
            for _ in 0..=parents.len() {
                let Some(oid) = at else { break };
                let bytes = trees.bytes.entry(oid).or_default();
                *bytes = bytes.saturating_add(index.bytes);
                let scans = trees.scans.entry(oid).or_default();
                *scans = scans.saturating_add(index.scans);
                at = parents.get(&oid).copied().flatten();
            }
        }
        trees
    }

    fn bytes(&self, index: &Index) -> u64 {
        self.bytes.get(&index.oid).copied().unwrap_or_default()
    }

    fn scans(&self, index: &Index) -> i64 {
        self.scans.get(&index.oid).copied().unwrap_or_default()
    }
}

fn dropping(index: &Index) -> String {
    // PostgreSQL drops the index of a partitioned table with a lock only.
    if index.is_partitioned {
        return format!("DROP INDEX {}; -- holds the table exclusively for a moment", index.name);
    }
    format!("DROP INDEX CONCURRENTLY {};", index.name)
}

fn invalid(index: &Index) -> Finding {
    let name = index.name.name.raw();
    let is_leftover =
        ["_ccnew", "_ccold"].iter().any(|end| name.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(end));
    let (evidence, remedy) = if index.is_partitioned {
        ("a partition has no index attached to it".to_owned(), format!("-- attach what is missing to {}", index.name))
    } else if is_leftover {
        (
            "left over by a REINDEX CONCURRENTLY that did not end: it costs writes and helps nobody".to_owned(),
            dropping(index),
        )
    } else {
        (
            "its build did not end: it costs writes and helps nobody".to_owned(),
            format!("REINDEX INDEX CONCURRENTLY {};", index.name),
        )
    };
    Finding {
        kind: Kind::Invalid,
        index: Some((index.oid, index.name.clone())),
        table: index.table.clone(),
        bytes: Some(index.bytes),
        evidence,
        remedy,
    }
}

/// Those that do the work of another one of the same table, and that one.
fn doubles(catalog: &Catalog, trees: &Trees, limits: &Limits) -> Vec<(Finding, u32)> {
    let mut by_table: BTreeMap<u32, Vec<&Index>> = BTreeMap::new();
    for index in catalog.indexes.iter().filter(|index| index.is_valid && index.parent.is_none()) {
        by_table.entry(index.table_oid).or_default().push(index);
    }
    let mut findings = Vec::new();
    for indexes in by_table.values() {
        for (at, index) in indexes.iter().enumerate() {
            if index.is_needed || trees.bytes(index) < limits.min_bytes {
                continue;
            }
            // Of two that are the same, the later one goes, or the one that nothing needs.
            let same = indexes.iter().enumerate().find(|(other_at, other)| {
                *other_at != at && is_same(index, other) && (other.is_needed || *other_at < at)
            });
            let (kind, other) = match same {
                Some((_, other)) => (Kind::Duplicate, other),
                None => match indexes.iter().find(|other| other.oid != index.oid && begins(index, other)) {
                    Some(other) => (Kind::Redundant, other),
                    None => continue,
                },
            };
            let evidence = match kind {
                Kind::Duplicate => format!("the same as {}", other.name),
                _ => format!("{} begins with the same columns", other.name),
            };
            let finding = Finding {
                kind,
                index: Some((index.oid, index.name.clone())),
                table: index.table.clone(),
                bytes: Some(trees.bytes(index)),
                evidence,
                remedy: dropping(index),
            };
            findings.push((finding, other.oid));
        }
    }
    findings
}

/// Whether another index does all that this one does, with the same columns.
fn is_same(index: &Index, other: &Index) -> bool {
    index.method == other.method
        && index.keys == other.keys
        && index.columns == other.columns
        && index.ways == other.ways
        && index.expressions == other.expressions
        && index.condition == other.condition
        && (!index.is_unique || other.is_unique)
}

/// Whether this one's keys are the first of a wider one's. A unique one forbids what the wider one allows, and
/// columns that are only included are there for reads of the index alone.
fn begins(index: &Index, other: &Index) -> bool {
    index.method == "btree"
        && other.method == "btree"
        && !index.is_unique
        && index.expressions.is_empty()
        && index.columns.len() == index.keys
        && index.condition == other.condition
        && other.keys > index.keys
        && other.columns.starts_with(&index.columns)
        && other.ways.starts_with(&index.ways)
}

fn unused<'a>(
    catalog: &'a Catalog,
    trees: &'a Trees,
    elsewhere: &'a [BTreeMap<String, i64>],
    limits: &'a Limits,
) -> impl Iterator<Item = Finding> + 'a {
    let never = |index: &&Index| {
        index.parent.is_none()
            && index.is_valid
            && !index.is_unique
            && !index.is_needed
            && trees.scans(index) == 0
            && trees.bytes(index) >= limits.min_bytes
            && elsewhere.iter().all(|uses| uses.get(&index.name.to_string()) == Some(&0))
    };
    catalog.indexes.iter().filter(never).map(|index| Finding {
        kind: Kind::Unused,
        index: Some((index.oid, index.name.clone())),
        table: index.table.clone(),
        bytes: Some(trees.bytes(index)),
        evidence: format!("never used in {:.0} days of counting", catalog.counted_seconds / 86_400.0),
        remedy: dropping(index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(oid: u32, name: &str, columns: &[i64]) -> Index {
        Index {
            oid,
            table_oid: 1,
            parent: None,
            table: TableName::new("app", "t"),
            name: TableName::new("app", name),
            is_partitioned: false,
            method: "btree".to_owned(),
            is_unique: false,
            is_needed: false,
            is_valid: true,
            is_built: false,
            keys: columns.len(),
            columns: columns.to_vec(),
            ways: columns.iter().map(|_| "1 0 0".to_owned()).collect(),
            expressions: String::new(),
            condition: String::new(),
            bytes: 1000,
            scans: 5,
            rows: 10,
        }
    }

    fn told(indexes: Vec<Index>) -> Vec<String> {
        let catalog = Catalog { counted_seconds: 1e9, indexes, ..Catalog::default() };
        let limits = Limits { min_seconds: 1.0, min_bytes: 0, min_rows: 0 };
        let findings = judge(&catalog, &[], &limits);
        findings.iter().map(|f| format!("{} {}", f.kind.name(), f.index.as_ref().unwrap().1.name.raw())).collect()
    }

    #[test]
    fn of_two_the_same_the_one_that_nothing_needs_goes() {
        let needed = Index { is_needed: true, is_unique: true, ..index(2, "key", &[1]) };
        assert_eq!(told(vec![index(1, "a", &[1]), needed.clone()]), ["duplicate a"]);
        assert_eq!(told(vec![index(1, "a", &[1]), index(2, "b", &[1])]), ["duplicate b"]);
        // What takes the place of another is not unused, whoever of them was used.
        let idle = Index { scans: 0, ..index(1, "a", &[1]) };
        assert_eq!(told(vec![idle, index(2, "b", &[1])]), ["duplicate b"]);
        let unique = Index { is_unique: true, ..index(3, "u", &[1]) };
        assert_eq!(told(vec![index(1, "a", &[1]), unique]), [""; 0], "the unique one is not the plain one's double");
    }

    #[test]
    fn the_beginning_of_a_wider_one_is_redundant_unless_it_does_more() {
        let wide = || index(9, "wide", &[1, 2]);
        assert_eq!(told(vec![index(1, "a", &[1]), wide()]), ["redundant a"]);
        for more in [
            Index { is_unique: true, ..index(1, "a", &[1]) },
            Index { is_needed: true, ..index(1, "a", &[1]) },
            Index { condition: "x".to_owned(), ..index(1, "a", &[1]) },
            Index { keys: 1, columns: vec![1, 3], ..index(1, "a", &[1]) },
            Index { ways: vec!["2 0 0".to_owned()], ..index(1, "a", &[1]) },
            Index { method: "hash".to_owned(), ..index(1, "a", &[1]) },
            index(1, "a", &[2]),
        ] {
            assert_eq!(told(vec![more, wide()]), [""; 0]);
        }
    }

    #[test]
    fn what_a_foreign_key_or_another_server_needs_is_not_unused() {
        let idle = |oid, name| Index { scans: 0, ..index(oid, name, &[i64::from(oid)]) };
        let catalog = |foreign_keys| Catalog {
            counted_seconds: 1e9,
            indexes: vec![idle(1, "a"), idle(2, "b")],
            foreign_keys,
            ..Catalog::default()
        };
        let key = ForeignKey {
            table_oid: 1,
            table: TableName::new("app", "t"),
            name: "k".to_owned(),
            columns: vec![1],
            names: vec!["x".to_owned()],
            is_partitioned: false,
            rows: 10,
        };
        let limits = Limits { min_seconds: 1.0, min_bytes: 0, min_rows: 0 };
        let names = |found: Vec<Finding>| {
            found.into_iter().map(|f| f.index.unwrap().1.name.raw().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(judge(&catalog(vec![key]), &[], &limits)), ["b"]);
        let there = |uses: &[(&str, i64)]| {
            uses.iter().map(|(name, scans)| (format!("app.{name}"), *scans)).collect::<BTreeMap<_, _>>()
        };
        let all = [there(&[("a", 0), ("b", 7)]), there(&[("a", 0), ("b", 0)])];
        assert_eq!(names(judge(&catalog(vec![]), &all, &limits)), ["a"]);
        // A server without the index says nothing of its use.
        assert_eq!(names(judge(&catalog(vec![]), &[there(&[("b", 0)])], &limits)), ["b"]);
    }

    #[test]
    fn what_is_never_used_is_unused_only_with_all_its_partitions() {
        let never = |oid, name| Index { scans: 0, ..index(oid, name, &[i64::from(oid)]) };
        let parent = Index { is_partitioned: true, bytes: 0, ..never(1, "tree") };
        let leaf = |oid, scans| Index { parent: Some(1), scans, table_oid: oid, ..never(oid, "leaf") };
        assert_eq!(told(vec![parent.clone(), leaf(2, 0), leaf(3, 0)]), ["unused tree"]);
        assert_eq!(told(vec![parent, leaf(2, 0), leaf(3, 7)]), [""; 0]);
        assert_eq!(told(vec![Index { is_needed: true, ..never(4, "key") }]), [""; 0]);
        assert_eq!(told(vec![Index { is_valid: false, ..never(5, "broken_ccnew1") }]), ["invalid broken_ccnew1"]);
        assert_eq!(told(vec![Index { is_valid: false, is_built: true, ..never(5, "now") }]), [""; 0]);
    }
}
