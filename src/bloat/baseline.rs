//! Bytes a row of what no model knows (GIN, GiST, BRIN, hash, long values), as they were once: the smallest that was
//! ever seen of a file. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judge::as_u64;
use super::{Confidence, Estimate, Kind, Method};

/// By the file of an index or TOAST table.
pub type Baselines = BTreeMap<String, Baseline>;

/// The best of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Bytes a row.
    pub bytes: f64,
    /// Seconds since 1970 when that was.
    pub at: f64,
    /// When it was first seen it had just been built: another file was there before.
    pub is_built: bool,
}

/// Where an index or TOAST table is kept; its file is another one after each build.
fn key(oid: u32, file: i64) -> String {
    format!("{oid}/{file}")
}

/// What is kept from now on.
#[must_use]
pub fn learn(known: &Baselines, seen: &[Estimate], now: f64) -> Baselines {
    let of = |oid: u32| format!("{oid}/");
    // What somebody holds was not seen, and what is gone is forgotten.
    let kept = |key: &String| seen.iter().any(|one| one.is_held && key.starts_with(&of(one.oid)));
    let mut next: Baselines = known.iter().filter(|(key, _)| kept(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    for one in seen.iter().filter(|one| wants(one)) {
        let Some(bytes) = per_row(one.bytes, one.rows) else { continue };
        let best = match known.get(&key(one.oid, one.file)) {
            Some(before) if before.bytes <= bytes => before.clone(),
            Some(before) => Baseline { bytes, at: now, ..before.clone() },
            None => Baseline { bytes, at: now, is_built: known.keys().any(|key| key.starts_with(&of(one.oid))) },
        };
        next.insert(key(one.oid, one.file), best);
    }
    next
}

/// Tells by what was kept before, and by what is kept from now on of files that are new.
pub fn compare(seen: &mut [Estimate], known: &Baselines, next: &Baselines) {
    for one in seen.iter_mut().filter(|one| wants(one)) {
        let key = key(one.oid, one.file);
        let baseline = next.get(&key).filter(|baseline| baseline.is_built || known.contains_key(&key));
        let Some((baseline, now)) = baseline.zip(per_row(one.bytes, one.rows)) else { continue };
        one.method = Method::Baseline;
        one.expected = Some(as_u64(baseline.bytes.min(now) * one.rows.unwrap_or_default()));
        (one.confidence, one.reasons) = (Confidence::Medium, Vec::new());
        if !baseline.is_built {
            one.doubt(Confidence::Low, "its smallest size so far need not be that after a build");
        }
    }
}

/// Whether no model tells it.
fn wants(one: &Estimate) -> bool {
    !one.is_held && (one.kind == Kind::Toast || (one.kind == Kind::Index && one.method_name != "btree"))
}

/// So many that the metapage counts for little.
#[expect(clippy::cast_precision_loss, reason = "sizes")]
fn per_row(bytes: u64, rows: Option<f64>) -> Option<f64> {
    rows.filter(|rows| *rows >= 1_000.0).map(|rows| bytes as f64 / rows)
}
