//! From what the catalog knows to estimates, and how sure they are. Pure.

use std::collections::BTreeMap;

use super::btree::Btree;
use super::heap::{self, Heap};
use super::layout::Column;
use super::read::Extension;
use super::{Confidence, Estimate, Kind, Method};
use crate::ident::TableName;

/// Two estimates that are further apart, in percent of the size, contradict each other.
const APART: f64 = 10.0;
/// So much of a table may have changed since ANALYZE.
const CHANGED: f64 = 0.1;

/// What was read.
#[derive(Debug, Clone)]
pub(super) struct Catalog {
    pub database: String,
    pub is_standby: bool,
    pub sees_all: bool,
    pub smaller: usize,
    pub extension: Option<Extension>,
    pub tables: Vec<TableFacts>,
    pub indexes: Vec<IndexFacts>,
}

/// A table, a TOAST table, a materialized view, or the name of a partitioned table.
#[derive(Debug, Clone)]
pub(super) struct TableFacts {
    pub oid: u32,
    pub name: TableName,
    pub kind: String,
    pub parent: Option<u32>,
    pub owner: Option<u32>,
    pub file: i64,
    pub bytes: u64,
    pub is_held: bool,
    pub block: u64,
    pub pages: u64,
    pub rows: f64,
    pub live: u64,
    pub dead: u64,
    pub changed: u64,
    pub is_analyzed: bool,
    pub fillfactor: f64,
    pub has_toast: bool,
    pub columns: Vec<Column>,
}

/// An index.
#[derive(Debug, Clone)]
pub(super) struct IndexFacts {
    pub oid: u32,
    pub table_oid: u32,
    pub name: TableName,
    pub method: String,
    pub file: i64,
    pub bytes: u64,
    pub is_held: bool,
    pub pages: u64,
    pub rows: f64,
    pub fillfactor: f64,
    pub is_partial: bool,
    pub is_valid: bool,
    pub folds: bool,
    pub columns: Vec<Column>,
}

/// What is thought of everything.
pub(super) fn judge(catalog: &Catalog) -> Vec<Estimate> {
    let by_oid: BTreeMap<u32, &TableFacts> = catalog.tables.iter().map(|table| (table.oid, table)).collect();
    let mut all = Vec::new();
    for facts in catalog.tables.iter().filter(|table| table.kind != "p") {
        let table = facts.owner.and_then(|owner| by_oid.get(&owner)).copied().unwrap_or(facts);
        all.push(of_table(catalog, facts, table, root(&by_oid, table)));
    }
    for facts in &catalog.indexes {
        let Some(table) = by_oid.get(&facts.table_oid).copied() else { continue };
        let owner = table.owner.and_then(|owner| by_oid.get(&owner)).copied().unwrap_or(table);
        all.push(of_index(catalog, facts, table, owner, root(&by_oid, owner)));
    }
    all
}

fn root(by_oid: &BTreeMap<u32, &TableFacts>, table: &TableFacts) -> Option<TableName> {
    let mut root = table;
    // A catalog has no rings, a damaged one may.
    for _ in 0..by_oid.len() {
        match root.parent.and_then(|parent| by_oid.get(&parent)) {
            Some(parent) => root = parent,
            None => break,
        }
    }
    (root.oid != table.oid).then(|| root.name.clone())
}

fn of_table(catalog: &Catalog, facts: &TableFacts, table: &TableFacts, root: Option<TableName>) -> Estimate {
    let heap = Heap {
        columns: facts.columns.clone(),
        block: as_f64(facts.block),
        fillfactor: facts.fillfactor,
        has_toast: facts.has_toast,
    };
    let kind = match facts.kind.as_str() {
        "t" => Kind::Toast,
        "m" => Kind::MaterializedView,
        _ => Kind::Table,
    };
    let rows = Rows::of(catalog, facts, facts.rows, facts.pages, facts.bytes);
    let mut estimate = Estimate {
        oid: facts.oid,
        name: facts.name.clone(),
        kind,
        table_oid: table.oid,
        table: table.name.clone(),
        root,
        bytes: facts.bytes,
        expected: None,
        dead: 0,
        rows: rows.best(),
        method: Method::Layout,
        confidence: Confidence::High,
        reasons: Vec::new(),
        grows: false,
        is_held: facts.is_held,
        file: facts.file,
        heap: None,
        method_name: "heap".to_owned(),
        block: facts.block,
        fillfactor: facts.fillfactor,
        folds: false,
    };
    if facts.bytes == 0 {
        estimate.expected = Some(0);
        return estimate;
    }
    if kind == Kind::Toast {
        let block = heap.block;
        estimate.dead = dead(facts, |rows| heap::chunks(rows, block));
        estimate.heap = Some(heap);
        if rows.best().is_some() {
            estimate.method = Method::Chunks;
            rows.apply(&mut estimate, |rows| heap::chunks(rows, block));
            estimate.doubt(Confidence::Low, "how long values are is not kept: at least so much can be reclaimed");
        } else {
            estimate.unknown("its rows were never counted");
        }
        held(&mut estimate);
        return estimate;
    }
    match heap.row() {
        None => {
            let why = if catalog.sees_all {
                "it was never analyzed"
            } else {
                "pg_stats shows this role no statistics of its columns, or it was never analyzed"
            };
            estimate.unknown(why);
        }
        Some(_) if rows.best().is_none() => estimate.unknown("its rows were never counted: it was never analyzed"),
        Some(row) => {
            estimate.dead = dead(facts, |rows| heap.bytes(rows, row));
            rows.apply(&mut estimate, |rows| heap.bytes(rows, row));
            if heap.has_missing() {
                estimate.doubt(Confidence::Medium, "a column was added with a default that older rows do not have yet");
            }
            if heap.has_dropped() {
                estimate.doubt(Confidence::Medium, "a column was dropped: what older rows have in it can be reclaimed");
            }
            grows(&mut estimate, heap.has_missing());
        }
    }
    estimate.heap = Some(heap);
    held(&mut estimate);
    estimate
}

fn of_index(
    catalog: &Catalog,
    facts: &IndexFacts,
    table: &TableFacts,
    owner: &TableFacts,
    root: Option<TableName>,
) -> Estimate {
    // An index that nobody counted has as many entries as its table has rows.
    let counted = if facts.rows <= 0.0 && !facts.is_partial { table.rows } else { facts.rows };
    let mut rows = Rows::of(catalog, table, counted, facts.pages, facts.bytes);
    if facts.is_partial {
        (rows.live, rows.why) = (None, None);
    } else if table.rows > 0.0 && table.bytes == table.pages * table.block {
        rows.catalog = Some(table.rows);
    }
    let mut estimate = Estimate {
        oid: facts.oid,
        name: facts.name.clone(),
        kind: Kind::Index,
        table_oid: owner.oid,
        table: owner.name.clone(),
        root,
        bytes: facts.bytes,
        expected: None,
        dead: 0,
        rows: rows.best(),
        method: Method::Keys,
        confidence: Confidence::High,
        reasons: Vec::new(),
        grows: false,
        is_held: facts.is_held,
        file: facts.file,
        heap: None,
        method_name: facts.method.clone(),
        block: table.block,
        fillfactor: facts.fillfactor,
        folds: facts.folds,
    };
    if facts.method != "btree" {
        let why =
            format!("no size after a build is known of this {}: that of now is kept to compare with", facts.method);
        estimate.unknown(why);
        held(&mut estimate);
        return estimate;
    }
    let mut columns = facts.columns.clone();
    if table.kind == "t" {
        columns.iter_mut().for_each(|column| column.is_not_null = true);
    }
    for (column, known) in columns.iter_mut().zip(facts.columns.iter()) {
        // Fixed and never analyzed: as if it were all there.
        column.is_not_null |= known.length > 0 && known.statistics.is_none();
    }
    let btree = Btree { columns, block: as_f64(table.block), fillfactor: facts.fillfactor, folds: facts.folds };
    match btree.bytes(1.0) {
        None => estimate.unknown(if catalog.sees_all {
            "its columns were never analyzed"
        } else {
            "pg_stats shows this role no statistics of its columns, or they were never analyzed"
        }),
        Some(_) if rows.best().is_none() => estimate.unknown("its rows were never counted: it was never analyzed"),
        Some(_) => {
            rows.apply(&mut estimate, |rows| btree.bytes(rows).unwrap_or_default());
            if facts.folds && facts.columns.iter().any(|column| column.statistics.is_none()) {
                estimate.doubt(Confidence::Low, "how often its keys repeat is not known");
            }
            let dependent = rows.best().and_then(|rows| btree.bytes_if_dependent(rows));
            if let Some((expected, dependent)) = estimate.expected.zip(dependent)
                && facts.folds
                && facts.columns.len() > 1
            {
                let apart = share(as_f64(expected) - dependent, facts.bytes);
                if apart > APART {
                    estimate.doubt(Confidence::Low, "its columns may depend on each other: keys may repeat more often");
                } else if apart > APART / 4.0 {
                    estimate.doubt(Confidence::Medium, "its columns may depend on each other");
                }
            }
            if facts.is_partial {
                estimate.doubt(Confidence::Medium, "it has a condition, and statistics are those of all rows");
            }
            if !facts.is_valid {
                estimate.doubt(Confidence::Low, "it is invalid");
            }
            grows(&mut estimate, false);
        }
    }
    held(&mut estimate);
    estimate
}

/// Rows as the catalog counted them, and as changes were counted since.
struct Rows {
    catalog: Option<f64>,
    live: Option<f64>,
    /// The latter is the newer.
    is_stale: bool,
    why: Option<&'static str>,
}

impl Rows {
    fn of(catalog: &Catalog, table: &TableFacts, counted: f64, pages: u64, bytes: u64) -> Rows {
        let counted = (counted >= 0.0 && (counted > 0.0 || pages > 0)).then(|| {
            // What came later is as dense as what was there.
            let now = bytes / table.block.max(1);
            if pages > 0 && now > pages { counted * as_f64(now) / as_f64(pages) } else { counted }
        });
        // Nothing at all was counted since the statistics were reset; a standby counts nothing.
        let uncounted = catalog.is_standby || (table.live == 0 && table.dead == 0 && !table.is_analyzed);
        let live = (!uncounted).then(|| as_f64(table.live));
        let is_stale = as_f64(table.changed) > CHANGED * counted.unwrap_or(0.0).max(as_f64(table.live));
        let why = match (catalog.is_standby, uncounted) {
            (true, _) => Some("a standby counts no changes"),
            (false, true) => Some("nothing was counted since its statistics were reset"),
            (false, false) => None,
        };
        Rows { catalog: counted, live, is_stale, why }
    }

    fn best(&self) -> Option<f64> {
        if self.is_stale { self.live.or(self.catalog) } else { self.catalog.or(self.live) }
    }

    /// Both estimates, the better one of them told, and doubts where they do not agree.
    fn apply(&self, estimate: &mut Estimate, bytes: impl Fn(f64) -> f64) {
        let Some(best) = self.best() else { return };
        estimate.expected = Some(as_u64(bytes(best)));
        if let Some(why) = self.why {
            estimate.doubt(Confidence::Medium, why);
        }
        if self.is_stale {
            estimate.doubt(Confidence::Low, "more than a tenth of its rows has changed since ANALYZE");
        }
        let apart = self.catalog.zip(self.live).map(|(catalog, live)| {
            let (catalog, live) = (bytes(catalog), bytes(live));
            share((catalog - live).abs(), estimate.bytes)
        });
        if apart.is_some_and(|apart| apart > APART) {
            let live = self.live.unwrap_or_default();
            let counted = self.catalog.unwrap_or_default();
            estimate.doubt(
                Confidence::Low,
                format!("the catalog has {counted:.0} rows and the counted changes make it {live:.0}"),
            );
        }
    }
}

fn grows(estimate: &mut Estimate, has_missing: bool) {
    let Some(expected) = estimate.expected else { return };
    let more = share(as_f64(expected) - as_f64(estimate.bytes), estimate.bytes);
    if more > APART && has_missing {
        estimate.grows = true;
        estimate.doubt(Confidence::Medium, "writing it anew would make it LARGER");
    } else if more > APART && estimate.bytes > 16 * estimate.block {
        estimate.doubt(Confidence::Low, "it is smaller than its rows should be: statistics do not fit");
    }
}

fn held(estimate: &mut Estimate) {
    if estimate.is_held {
        estimate
            .doubt(Confidence::Low, "somebody holds it exclusively: its size is that of the last VACUUM or ANALYZE");
    }
}

fn dead(facts: &TableFacts, bytes: impl Fn(f64) -> f64) -> u64 {
    if facts.dead == 0 { 0 } else { as_u64(bytes(as_f64(facts.dead))).min(facts.bytes) }
}

/// Percent of a size.
fn share(bytes: f64, of: u64) -> f64 {
    100.0 * bytes / as_f64(of.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts of rows")]
pub(super) fn as_f64(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub(super) fn as_u64(number: f64) -> u64 {
    number.max(0.0) as u64
}
