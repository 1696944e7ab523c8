//! What pgstattuple finds in the pages, turned into what would be there if they were written anew. Reads, within a time.

use std::time::{Duration, Instant};

use super::judge::{as_f64, as_u64};
use super::read::Look;
use super::{Confidence, Estimate, Kind, Method};
use crate::error::Result;
use crate::inspect::Eye;
use crate::pg::{Interrupt, Row};

/// How closely is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// By the catalog alone.
    Fast,
    /// Into the pages where the catalog is not enough.
    #[default]
    Auto,
    /// Into all pages.
    Exact,
}

/// What looking into pages came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// So many were looked into.
    pub measured: usize,
    /// Of so many bytes.
    pub bytes: u64,
    /// For so many no time was left.
    pub left: usize,
    /// So many could not be: the first reason.
    pub failed: Vec<String>,
}

/// Looks into the pages of what `wanted` says, the largest first, until the time is over.
///
/// # Errors
/// When the connection is lost, or a signal came.
pub async fn measure(
    eye: &Eye,
    look: &mut Look,
    mode: Mode,
    budget: Duration,
    interrupt: &Interrupt,
    wanted: impl Fn(&Estimate) -> bool,
) -> Result<Measured> {
    let mut outcome = Measured::default();
    let Some(extension) = &look.extension else { return Ok(outcome) };
    let schema = &extension.schema;
    let chosen = |one: &Estimate| {
        let doubtful = mode == Mode::Exact || one.confidence == Confidence::Low;
        let possible = one.kind != Kind::Index || one.method_name == "btree";
        doubtful && possible && one.bytes > 0 && !one.is_held && wanted(one)
    };
    let mut order: Vec<usize> =
        (0..look.estimates.len()).filter(|at| look.estimates.get(*at).is_some_and(&chosen)).collect();
    order.sort_by_key(|at| std::cmp::Reverse(look.estimates.get(*at).map_or(0, |one| one.bytes)));
    let started = Instant::now();
    for at in order {
        let Some(estimate) = look.estimates.get_mut(at) else { continue };
        interrupt.check()?;
        let left = budget.saturating_sub(started.elapsed());
        if left < Duration::from_millis(1) {
            outcome.left += 1;
            continue;
        }
        let oid = estimate.oid;
        let (sql, method) = match (estimate.kind, mode) {
            (Kind::Index, _) => (
                format!(
                    "SELECT leaf_pages, internal_pages, avg_leaf_density, leaf_fragmentation \
                     FROM {schema}.pgstatindex({oid}::pg_catalog.oid::pg_catalog.regclass)"
                ),
                Method::Leaves,
            ),
            (_, Mode::Exact) => (
                format!(
                    "SELECT table_len, tuple_count, tuple_len FROM {schema}.pgstattuple({oid}::pg_catalog.oid::pg_catalog.regclass)"
                ),
                Method::Exact,
            ),
            _ => (
                format!(
                    "SELECT table_len, approx_tuple_count AS tuple_count, approx_tuple_len::int8 AS tuple_len, scanned_percent \
                     FROM {schema}.pgstattuple_approx({oid}::pg_catalog.oid::pg_catalog.regclass)"
                ),
                Method::Approximate,
            ),
        };
        let found = eye
            .look(left, async |session| session.rows_of(&sql).await.map_err(|e| e.explain("cannot look into pages")));
        match found.await {
            Ok(rows) => {
                if let Some(row) = rows.first() {
                    packed(estimate, row, method)?;
                }
                outcome.measured += 1;
                outcome.bytes += estimate.bytes;
            }
            Err(failure) if eye.session().is_closed() => return Err(failure),
            Err(failure) => {
                interrupt.check()?;
                outcome.failed.push(format!("{}: {}", estimate.name, failure.messages().join(": ")));
            }
        }
    }
    Ok(outcome)
}

fn packed(estimate: &mut Estimate, row: &Row, method: Method) -> Result<()> {
    if method == Method::Leaves {
        let (leaves, inner): (i64, i64) = (row.try_get("leaf_pages")?, row.try_get("internal_pages")?);
        let density: f64 = row.try_get("avg_leaf_density")?;
        // Of an index without entries the density is not a number.
        let density = if density.is_finite() { density } else { 0.0 };
        let number = |pages: i64| as_f64(u64::try_from(pages).unwrap_or_default());
        let full = (number(leaves) * density / estimate.fillfactor.clamp(10.0, 100.0)).ceil().max(1.0);
        let above = (full * number(inner) / number(leaves).max(1.0)).ceil();
        let leaves = as_u64((full + above + 1.0) * as_f64(estimate.block)).min(estimate.bytes);
        // Lists of rows that grew one by one are built anew as one.
        let model = estimate.expected.filter(|_| estimate.folds && estimate.confidence >= Confidence::Medium);
        estimate.expected = Some(model.map_or(leaves, |model| model.min(leaves)));
    } else {
        let (rows, lengths): (i64, i64) = (row.try_get("tuple_count")?, row.try_get("tuple_len")?);
        let number = |count: i64| as_f64(u64::try_from(count).unwrap_or_default());
        let Some(heap) = &estimate.heap else { return Ok(()) };
        let layout = heap.row().filter(|_| heap.has_dropped() || heap.has_missing());
        let expected = match layout {
            // Rows as they are have what is gone, and lack what came.
            Some(row) => heap.bytes(number(rows), row),
            None if method == Method::Approximate => {
                // Of pages that all see the length is all that is not free.
                let unseen = 1.0 - row.try_get::<_, f64>("scanned_percent")?.clamp(0.0, 100.0) / 100.0;
                heap.approximately(number(rows), number(lengths), unseen, as_f64(estimate.bytes))
            }
            None => heap.packed(number(rows), number(lengths)),
        };
        estimate.bytes =
            row.try_get::<_, i64>("table_len").ok().and_then(|b| u64::try_from(b).ok()).unwrap_or(estimate.bytes);
        estimate.rows = Some(number(rows));
        let larger = as_u64(expected) > estimate.bytes;
        estimate.grows = larger && heap.has_missing();
        estimate.expected = Some(as_u64(expected));
        if heap.has_dropped() && layout.is_none() {
            (estimate.method, estimate.confidence) = (method, Confidence::Low);
            estimate.reasons = vec!["a column was dropped, and the statistics of the others are not known".to_owned()];
            return Ok(());
        }
    }
    (estimate.method, estimate.confidence) = (method, Confidence::High);
    estimate.reasons.clear();
    if estimate.grows {
        estimate.reasons.push("writing it anew would make it LARGER".to_owned());
    }
    if method == Method::Approximate {
        estimate.doubt(Confidence::Medium, "rows on pages that all see were not read");
    }
    Ok(())
}
