//! What was seen, as the lines of a change ticket, and what of it is more than was allowed. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::migrate::replay::one_line;
use crate::steps::observe::{Observation, Relation, Relations, Touched};
use crate::steps::{LockMode, Plan, Step, TableLock};

/// The file of steps that are dbctl's own.
const OURS: &str = "dbctl";

/// What may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// The strongest lock on a table that was there before.
    pub max_lock: Option<LockMode>,
    /// The longest statement.
    pub max_duration: Option<Duration>,
}

/// One statement of a migration, and what it did.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) step: String,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) sql: String,
    /// On relations that were there before the run, strongest first.
    pub(super) locks: Vec<TableLock>,
    pub(super) how: How,
    /// Tables and indexes with a new file, and its bytes.
    pub(super) rewritten: Vec<(String, u64)>,
    /// Tables that were read from end to end, and the rows read of them; none where that is not known.
    pub(super) scanned: Option<Vec<(String, Option<i64>)>>,
    pub(super) rows_written: Option<i64>,
    pub(super) took: Duration,
    /// How long its locks were held: to the end of its transaction.
    pub(super) held: Duration,
    pub(super) wal: Option<u64>,
    pub(super) failed: bool,
}

impl Line {
    /// `file:line:column`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How the locks are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Asked in the transaction that held them.
    Held,
    /// Seen from another session while the statement ran.
    Sampled,
    /// Too short to be seen: what the documentation says of such a statement.
    Documented,
    /// Not at all.
    Unknown,
}

impl How {
    pub(super) fn id(self) -> &'static str {
        match self {
            How::Held => "held",
            How::Sampled => "sampled",
            How::Documented => "documented",
            How::Unknown => "unknown",
        }
    }
}

/// More than was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excess {
    pub(super) rule: &'static str,
    pub(super) place: String,
    pub(super) message: String,
}

/// The lines, in the order in which they ran. `before` is what there was before the run.
pub(super) fn lines(plan: &Plan, seen: &[Observation], before: &Relations) -> Vec<Line> {
    // The history table is not a migration.
    let steps = plan.steps.iter().filter(|step| step.file != OURS).map(|step| (step.title.as_str(), step));
    let steps: BTreeMap<&str, &Step> = steps.collect();
    let mut lines: Vec<Line> =
        seen.iter().filter_map(|one| Some(line(steps.get(one.title.as_str())?, one, before))).collect();
    let mut later: Option<(String, Duration)> = None;
    for line in lines.iter_mut().rev().filter(|line| line.how == How::Held) {
        if let Some((_, held)) = later.take().filter(|(step, _)| *step == line.step) {
            line.held += held;
        }
        later = Some((line.step.clone(), line.held));
    }
    lines
}

fn line(step: &Step, seen: &Observation, before: &Relations) -> Line {
    let statement = step.statements.get(seen.statement);
    let at = statement.map_or(0, |s| s.starts.first().copied().unwrap_or(s.offset));
    let (line, column) = position(&step.file_text, at);
    let known = || seen.touched.iter().filter_map(|(oid, touched)| Some((before.get(oid)?, touched)));
    let mut locks: Vec<(bool, TableLock)> = known().filter_map(|(relation, touched)| lock(relation, touched)).collect();
    // The old index is locked at the end, when nobody uses it any more: that is what CONCURRENTLY waits for.
    if seen.alone && seen.sql.to_uppercase().contains("CONCURRENTLY") {
        locks.retain(|(index, _)| !index);
    }
    // A table stands before its indexes.
    locks.sort_by(|(a_index, a), (b_index, b)| (b.mode, a_index, &a.table).cmp(&(a.mode, b_index, &b.table)));
    let mut locks: Vec<TableLock> = locks.into_iter().map(|(_, lock)| lock).collect();
    let documented = statement.map_or(&[] as &[TableLock], |s| &s.locks);
    let how = match (seen.alone, locks.is_empty()) {
        (false, _) => How::Held,
        (true, false) => How::Sampled,
        (true, true) if !documented.is_empty() => How::Documented,
        (true, true) => How::Unknown,
    };
    if how == How::Documented {
        locks = documented.to_vec();
        locks.sort_by_key(|lock| std::cmp::Reverse(lock.mode));
    }
    let replaced = |oid: i64| seen.touched.get(&oid).is_some_and(|touched| touched.new_file.is_some());
    let rewritten = known()
        // The indexes and the TOAST table of a rewritten table go without saying.
        .filter(|(relation, _)| relation.kind != "t" && !replaced(relation.of))
        .filter_map(|(relation, touched)| Some((name(relation), touched.new_file?)))
        .collect();
    let table = |relation: &Relation| matches!(relation.kind.as_str(), "r" | "m" | "p");
    let counted = !seen.failed && known().all(|(relation, touched)| !table(relation) || touched.scans.is_some());
    let scanned = known()
        .filter(|(relation, touched)| table(relation) && touched.scans > Some(0))
        .map(|(relation, touched)| (name(relation), touched.rows_read))
        .collect();
    let written: Vec<i64> = seen.touched.values().filter_map(|touched| touched.rows_written).collect();
    Line {
        step: step.title.clone(),
        file: step.file.clone(),
        line,
        column,
        sql: one_line(&seen.sql),
        locks,
        how,
        rewritten,
        scanned: counted.then_some(scanned),
        rows_written: (!seen.alone && !seen.failed).then(|| written.iter().sum()),
        took: seen.took,
        held: seen.took,
        wal: seen.wal,
        failed: seen.failed,
    }
}

/// A lock and whether it is on an index, which counts for itself: it keeps everybody waiting who would
/// plan with the index.
fn lock(relation: &Relation, touched: &Touched) -> Option<(bool, TableLock)> {
    let mode = touched.lock.filter(|mode| *mode > LockMode::AccessShare)?;
    Some((matches!(relation.kind.as_str(), "i" | "I"), TableLock { table: name(relation), mode }))
}

fn name(relation: &Relation) -> String {
    relation.name().to_string()
}

/// Line and column from 1 of a character.
fn position(text: &str, at: usize) -> (usize, usize) {
    text.chars().take(at).fold((1, 1), |(line, column), c| if c == '\n' { (line + 1, 1) } else { (line, column + 1) })
}

/// What goes beyond the limits, a finding each.
pub(super) fn excesses(lines: &[Line], limits: &Limits) -> Vec<Excess> {
    let mut found = Vec::new();
    for line in lines.iter().filter(|line| !line.failed) {
        let place = line.place();
        if let (Some(max), Some(lock)) = (limits.max_lock, line.locks.first())
            && lock.mode > max
        {
            let message = format!(
                "takes {lock}, which blocks {}; at most {max} is allowed: {}",
                blocks(lock.mode),
                shortened(&line.sql, 120)
            );
            found.push(Excess { rule: "max-lock", place: place.clone(), message });
        }
        if let Some(max) = limits.max_lock
            && line.how == How::Unknown
        {
            let message = format!(
                "its locks were too short to be seen, so that 'at most {max}' is not shown to hold: {}",
                shortened(&line.sql, 120)
            );
            found.push(Excess { rule: "max-lock", place: place.clone(), message });
        }
        if let Some(max) = limits.max_duration
            && line.took > max
        {
            let message = format!(
                "took {} on the copy; at most {} is allowed: {}",
                seconds(line.took),
                seconds(max),
                shortened(&line.sql, 120)
            );
            found.push(Excess { rule: "max-duration", place, message });
        }
    }
    found
}

/// Whom a lock keeps waiting, in words.
pub(super) fn blocks(mode: LockMode) -> &'static str {
    if mode < LockMode::ShareUpdateExclusive { "nothing" } else { mode.blocks() }
}

/// The beginning of a text.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    format!("{} …", text.chars().take(most).collect::<String>().trim_end())
}

/// A size as a person reads it.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} kB", bytes >> 10),
        _ => format!("{} MB", bytes >> 20),
    }
}

pub(super) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
