//! Bloat as an answer.

use std::collections::BTreeMap;

use super::exact::{Measured, Mode};
use super::read::Look;
use super::{Confidence, Estimate};
use crate::output::chart::Bar;
use crate::output::{Column, Document, Table, Value};

/// Percent from which something is worth a remedy.
const WORTH: f64 = 20.0;
/// Bytes from which it is.
pub(super) const LEAST: u64 = 256 << 10;
/// Remedies that a person is shown.
const SHOWN: usize = 5;

/// What is shown.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Only what is at least so large.
    pub min_bytes: u64,
    /// Only tables of these schemas; all where none is named.
    pub schemas: Vec<String>,
    /// By what they are sorted.
    pub sort: Sort,
    /// So many; all where nothing is said.
    pub limit: Option<usize>,
}

/// By what rows are sorted, the largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the words of the flag")]
pub enum Sort {
    #[default]
    Reclaimable,
    Percent,
    Size,
    Name,
}

impl Wish {
    /// Whether it is shown.
    pub fn shows(&self, one: &Estimate) -> bool {
        let of_schema = self.schemas.iter().any(|schema| schema == one.table.schema.raw());
        one.bytes >= self.min_bytes && (self.schemas.is_empty() || of_schema)
    }
}

/// The document.
pub fn view(look: &Look, mode: Mode, measured: &Measured, wish: &Wish) -> Document {
    let mut shown: Vec<&Estimate> = look.estimates.iter().filter(|one| wish.shows(one)).collect();
    let key = |one: &Estimate| match wish.sort {
        Sort::Reclaimable => one.reclaimable().map(as_i64),
        Sort::Percent => one.percent().map(|percent| rounded(percent * 1_000.0)),
        Sort::Size => Some(as_i64(one.bytes)),
        Sort::Name => None,
    };
    shown.sort_by(|a, b| key(b).cmp(&key(a)).then_with(|| a.name.to_string().cmp(&b.name.to_string())));
    let unknown: Vec<&&Estimate> = shown.iter().filter(|one| one.expected.is_none()).collect();
    let mut document = Document::new("bloat", 1)
        .fact("database", "database", look.database.as_str())
        .fact("relations", "tables and indexes", shown.len())
        .fact("size_bytes", "size", Value::Bytes(sum(&shown, |one| Some(one.bytes))))
        .fact("reclaimable_bytes", "reclaimable", Value::Bytes(sum(&shown, sure)))
        .machine("unsure_bytes", Value::Bytes(sum(&shown, unsure)))
        .machine("unknown", unknown.len())
        .machine("mode", mode.name())
        .machine("measured", measured.measured)
        .machine("measured_bytes", Value::Bytes(measured.bytes));
    let columns = vec![
        Column::new("name", "name"),
        Column::new("type", "type"),
        Column::machine("table"),
        Column::new("size_bytes", "size"),
        Column::machine("expected_bytes"),
        Column::new("reclaimable_bytes", "reclaimable"),
        Column::new("reclaimable_percent", "%"),
        Column::machine("dead_bytes"),
        Column::machine("grows"),
        Column::machine("method"),
        Column::new("confidence", "sure"),
        Column::machine("reasons"),
        Column::machine("remedy"),
        Column::machine("command"),
        Column::machine("lock"),
    ];
    let mut table = Table::new("bloat", "Nothing is that large: see --min-size.", columns);
    for one in shown.iter().take(wish.limit.unwrap_or(usize::MAX)) {
        let (remedy, lock) = one.remedy();
        let reclaims = one.reclaimable().is_some_and(|bytes| bytes > 0) && !one.grows;
        table.push(vec![
            one.name.to_string().into(),
            one.kind.name().into(),
            one.table.to_string().into(),
            Value::Bytes(one.bytes),
            one.expected.map_or(Value::Unknown, Value::Bytes),
            one.reclaimable().map_or(Value::Unknown, Value::Bytes),
            one.percent().map_or(Value::Unknown, |percent| Value::Int(rounded(percent))),
            Value::Bytes(one.dead),
            one.grows.into(),
            one.method.name().into(),
            one.confidence.name().into(),
            Value::List(one.reasons.clone()),
            if reclaims { remedy.into() } else { Value::None },
            one.command().filter(|_| reclaims).into(),
            if reclaims { lock.into() } else { Value::None },
        ]);
    }
    document = document.table(table).table(partitions(&shown));
    document = document.text("remedies", remedies(&shown));
    notes(document, look, mode, measured, &shown, wish)
}

/// Partitions summed at the topmost table.
fn partitions(shown: &[&Estimate]) -> Table {
    let columns = vec![
        Column::new("partitioned_table", "partitioned table"),
        Column::new("parts", "parts"),
        Column::new("size_bytes", "size"),
        Column::new("reclaimable_bytes", "reclaimable"),
        Column::new("worst", "worst"),
        Column::machine("unknown"),
    ];
    let mut table = Table::new("partitioned", "", columns);
    let mut trees: BTreeMap<String, Vec<&Estimate>> = BTreeMap::new();
    for one in shown {
        if let Some(root) = &one.root {
            trees.entry(root.to_string()).or_default().push(one);
        }
    }
    let mut trees: Vec<_> = trees.into_iter().collect();
    trees.sort_by_key(|(name, parts)| (std::cmp::Reverse(sum(parts, sure)), name.clone()));
    for (name, parts) in trees {
        let worst = parts.iter().max_by_key(|one| one.reclaimable());
        table.push(vec![
            name.into(),
            parts.len().into(),
            Value::Bytes(sum(&parts, |one| Some(one.bytes))),
            Value::Bytes(sum(&parts, sure)),
            worst.map(|one| one.name.to_string()).into(),
            parts.iter().filter(|one| one.expected.is_none()).count().into(),
        ]);
    }
    table
}

/// What is worth it, and what would do it.
fn remedies(shown: &[&Estimate]) -> String {
    let worth = |one: &&&Estimate| {
        let sure = one.confidence >= Confidence::Medium && !one.grows;
        sure && one.reclaimable().is_some_and(|bytes| bytes >= LEAST)
            && one.percent().is_some_and(|percent| percent >= WORTH)
    };
    let mut text = String::new();
    let mut told: Vec<String> = Vec::new();
    for one in shown.iter().filter(worth) {
        let (sql, lock) = one.remedy();
        if told.contains(&sql) || told.len() == SHOWN {
            continue;
        }
        match one.command() {
            Some(command) => text.push_str(&format!("{command}\n  # {sql}; lock: {lock}\n")),
            None => text.push_str(&format!("{sql};\n  -- lock: {lock}\n")),
        }
        told.push(sql);
    }
    text
}

fn notes(
    mut document: Document,
    look: &Look,
    mode: Mode,
    measured: &Measured,
    shown: &[&Estimate],
    wish: &Wish,
) -> Document {
    if let Some(limit) = wish.limit.filter(|limit| *limit < shown.len()) {
        document = document.note(format!("{} more: --limit 0 shows them", shown.len() - limit));
    }
    let smaller =
        look.estimates.iter().filter(|one| one.bytes < wish.min_bytes && one.bytes > 0).count() + look.smaller;
    if smaller > 0 {
        document = document.note(format!("{smaller} tables and indexes are smaller than --min-size"));
    }
    if let Some(why) = &look.estimated {
        document = document.note(format!("every size is that of the last VACUUM or ANALYZE: {why}"));
    }
    if look.is_blind && look.without_statistics > 0 {
        document = document.note(
            "pg_stats shows this role no statistics of columns: what has texts is UNKNOWN or measured; \
             pg_read_all_data would see them",
        );
    }
    let unsure: Vec<&&Estimate> = shown.iter().filter(|one| one.confidence == Confidence::Low).collect();
    if !unsure.is_empty() && look.extension.is_none() && mode != Mode::Fast {
        document = document.note(format!(
            "{} are unsure and could not be measured: pgstattuple is not here; CREATE EXTENSION pgstattuple",
            unsure.len()
        ));
    }
    for one in unsure.iter().take(SHOWN) {
        if let Some(why) = one.reasons.first() {
            document = document.note(format!("{}: {why}", one.name));
        }
    }
    for one in shown.iter().filter(|one| one.grows).take(SHOWN) {
        document = document.note(format!(
            "{}: VACUUM FULL would make it LARGER: a column was added with a default that older rows do not have yet",
            one.name
        ));
    }
    if measured.left > 0 {
        document = document.note(format!("for {} no time was left to look into them: see --budget", measured.left));
    }
    if let Some(first) = measured.failed.first() {
        let more = measured.failed.len() - 1;
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        document = document.note(format!("{first}{more}"));
    }
    document
}

/// What would give back the most as bars of a picture, each as a share of the first.
#[expect(clippy::cast_precision_loss, reason = "sizes")]
pub fn bars(estimates: &[Estimate], most: usize) -> Vec<Bar> {
    let known = estimates.iter().filter(|one| one.confidence >= Confidence::Medium && !one.grows);
    let mut worst: Vec<(u64, &Estimate)> =
        known.filter_map(|one| Some((one.reclaimable().filter(|bytes| *bytes > 0)?, one))).collect();
    worst.sort_by_key(|(bytes, one)| (std::cmp::Reverse(*bytes), one.name.to_string()));
    worst.truncate(most);
    let largest = worst.first().map_or(1, |(bytes, _)| *bytes);
    let bar = |(bytes, one): (u64, &Estimate)| Bar {
        label: format!("{}, {:.0} % of its size", one.name, one.percent().unwrap_or_default()),
        share: bytes as f64 / largest as f64,
        value: Value::Bytes(bytes),
        level: None,
    };
    worst.into_iter().map(bar).collect()
}

fn sum(of: &[&Estimate], part: impl Fn(&Estimate) -> Option<u64>) -> u64 {
    of.iter().filter_map(|one| part(one)).fold(0, u64::saturating_add)
}

fn sure(one: &Estimate) -> Option<u64> {
    one.reclaimable().filter(|_| one.confidence >= Confidence::Medium)
}

fn unsure(one: &Estimate) -> Option<u64> {
    one.reclaimable().filter(|_| one.confidence == Confidence::Low)
}

fn as_i64(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a percentage")]
fn rounded(percent: f64) -> i64 {
    percent.round() as i64
}

impl Mode {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Fast => "fast",
            Mode::Auto => "auto",
            Mode::Exact => "exact",
        }
    }
}
