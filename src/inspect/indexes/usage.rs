//! Indexes that queries do without, and tables whose queries might want one: what is counted. Pure.

use std::collections::BTreeMap;

use super::judge::{Finding, Kind, Limits, Numbers, about, dropping};
use super::read::{Catalog, Index};
use super::tree::{Sum, Trees};

const DAY: f64 = 86_400.0;
/// Fewer writes to a table cost nothing that is worth a word.
const LEAST_WRITES: i64 = 10_000;
/// An index that is written so many times for each use is rarely used.
const WRITES_A_USE: i64 = 1_000;
/// A table that was read whole less often, in all or in a day, lacks nothing: backups and reports do that.
const LEAST_READS: i64 = 100;
const LEAST_READS_A_DAY: f64 = 10.0;

/// Those that no query used, or few for what they cost.
pub(super) fn little<'a>(
    catalog: &'a Catalog,
    trees: &'a Trees,
    elsewhere: &'a [BTreeMap<String, i64>],
    limits: &'a Limits,
) -> impl Iterator<Item = Finding> + 'a {
    let judged = |index: &&Index| index.parent.is_none() && index.is_valid && !index.is_unique && !index.is_needed;
    catalog.indexes.iter().filter(judged).filter_map(|index| {
        let sum = trees.index(index);
        // One that another server does not have may be used there under another name.
        let there: Vec<i64> =
            elsewhere.iter().map(|uses| uses.get(&index.name.to_string()).copied()).collect::<Option<_>>()?;
        let scans = there.iter().fold(sum.scans, |all, scans| all.saturating_add(*scans));
        let days = catalog.counted_seconds / DAY;
        let (kind, evidence) = if sum.bytes < limits.min_bytes {
            return None;
        } else if scans == 0 {
            (
                Kind::Unused,
                format!("never used since {}, in {days:.0} days of counting", catalog.since.format("%Y-%m-%d")),
            )
        } else if sum.writes >= LEAST_WRITES && sum.writes / WRITES_A_USE >= scans {
            let last = sum.last_scan.map(|at| format!(", last {}", at.format("%Y-%m-%d %H:%M UTC")));
            let last = last.unwrap_or_default();
            let times = if scans == 1 { "once".to_owned() } else { format!("{scans} times") };
            (Kind::RarelyUsed, format!("used {times} for {} writes in {days:.0} days of counting{last}", sum.writes))
        } else {
            return None;
        };
        let numbers =
            Numbers { scans: Some(scans), last_scan: sum.last_scan, writes: Some(sum.writes), ..Numbers::default() };
        Some(Finding { numbers, ..about(index, kind, sum.bytes, evidence, dropping(index)) })
    })
}

/// Tables that queries read whole again and again.
pub(super) fn missing(catalog: &Catalog, trees: &Trees, limits: &Limits) -> Vec<Finding> {
    let days = catalog.counted_seconds / DAY;
    let roots = catalog.tables.iter().filter(|table| table.parent.is_none());
    let found = roots.filter_map(|table| {
        let Sum { bytes, scans, rows, rows_read, .. } = trees.table(table.oid);
        let whole = rows_read.checked_div(rows)?;
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        let often = whole >= LEAST_READS && whole as f64 >= LEAST_READS_A_DAY * days;
        if rows < limits.min_rows || !often {
            return None;
        }
        Some(Finding {
            kind: Kind::Missing,
            index: None,
            table: table.name.clone(),
            object: table.name.to_string(),
            bytes: Some(bytes),
            evidence: format!(
                "a hint, no verdict: {scans} sequential scans read {rows_read} rows in {days:.1} days, ~{whole} times all \
                 ~{rows}"
            ),
            remedy: format!("-- which queries read {} so: dbctl slow-queries --sort io", table.name),
            numbers: Numbers {
                scans: Some(scans),
                rows_read: Some(rows_read),
                rows: Some(rows),
                ..Numbers::default()
            },
        })
    });
    found.collect()
}
