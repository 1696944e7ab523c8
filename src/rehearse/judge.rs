//! What was seen, as the lines of a change ticket, and what of it is more than was allowed. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ident::Ident;
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
    /// Its number in the step, from 0.
    pub(super) statement: usize,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) sql: String,
    /// On relations that were there before the run, strongest first.
    pub(super) locks: Vec<TableLock>,
    pub(super) how: How,
    /// Tables and indexes with a new file, and its bytes.
    pub(super) rewritten: Vec<(String, u64)>,
    /// Indexes that were built, and their bytes.
    pub(super) built: Vec<(String, u64)>,
    /// Tables that TRUNCATE emptied.
    pub(super) emptied: Vec<String>,
    /// Tables that were read from end to end, and the rows read of them; none where that is not known.
    pub(super) scanned: Option<Vec<(String, Option<i64>)>>,
    pub(super) rows_written: Option<i64>,
    pub(super) took: Duration,
    /// Waiting for a lock is part of that.
    pub(super) waited: bool,
    /// The end of its transaction, where it is the last one in it.
    pub(super) commit: Option<Duration>,
    /// It may have held more: it runs code that catches exceptions.
    pub(super) may_be_more: bool,
    /// What made-up rows broke: whether real ones do is not known.
    pub(super) doubt: Option<String>,
    /// There were no made-up rows any more.
    pub(super) unfilled: bool,
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

    /// Why it may have held more than what is known.
    pub(super) fn unseen(&self) -> Option<&'static str> {
        match self.how {
            _ if self.failed => None,
            How::Unknown => Some("its locks were too short to be seen"),
            _ if self.may_be_more => {
                Some("it runs code that catches exceptions, and what that locked and let go was not seen")
            }
            _ => None,
        }
    }
}

/// How the locks are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Asked in the transaction that held them.
    Held,
    /// Seen from another session while the statement ran.
    Sampled,
    /// Too short to be seen, or seen weaker: what the documentation says of such a statement.
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
    let (row, column) = position(&step.file_text, at);
    let known = || seen.touched.iter().filter_map(|(oid, touched)| Some((before.get(oid)?, touched)));
    let truncates = begins_with(&seen.sql, "TRUNCATE");
    let mut locks: Vec<(bool, TableLock)> = known().filter_map(|(relation, touched)| lock(relation, touched)).collect();
    // The old index is locked at the end, when nobody uses it any more: that is what CONCURRENTLY waits for.
    if seen.alone && seen.sql.to_uppercase().contains("CONCURRENTLY") {
        locks.retain(|(index, _)| !index);
    }
    let documented = statement.filter(|_| seen.alone).map_or(&[] as &[TableLock], |s| &s.locks);
    let stronger = add_documented(&mut locks, documented, before);
    // A table stands before its indexes.
    locks.sort_by(|(a_index, a), (b_index, b)| (b.mode, a_index, &a.table).cmp(&(a.mode, b_index, &b.table)));
    let locks: Vec<TableLock> = locks.into_iter().map(|(_, lock)| lock).collect();
    let how = match (seen.alone, locks.is_empty()) {
        (false, _) => How::Held,
        (true, true) => How::Unknown,
        (true, false) if stronger => How::Documented,
        (true, false) => How::Sampled,
    };
    let replaced = |oid: i64| seen.touched.get(&oid).is_some_and(|touched| touched.new_file.is_some());
    let new_files = known()
        // The indexes and the TOAST table of a rewritten table go without saying.
        .filter(|(relation, _)| relation.kind != "t" && !replaced(relation.of))
        .filter_map(|(relation, touched)| Some((name(relation), touched.new_file?)));
    let (rewritten, emptied) = if truncates {
        (Vec::new(), new_files.map(|(name, _)| name).collect())
    } else {
        (new_files.collect(), Vec::new())
    };
    let built = seen.built.iter().filter(|index| before.contains_key(&index.of));
    let table = |relation: &Relation| matches!(relation.kind.as_str(), "r" | "m" | "p");
    let counted = !seen.failed && known().all(|(relation, touched)| !table(relation) || touched.scans.is_some());
    let scanned = known()
        // An emptied table is read to make its indexes anew: of no rows.
        .filter(|(relation, touched)| table(relation) && touched.scans > Some(0) && !truncates)
        .map(|(relation, touched)| (name(relation), touched.rows_read))
        .collect();
    let written: Vec<i64> = seen.touched.values().filter_map(|touched| touched.rows_written).collect();
    Line {
        step: step.title.clone(),
        statement: seen.statement,
        file: step.file.clone(),
        line: row,
        column,
        sql: one_line(&seen.sql),
        locks,
        how,
        rewritten,
        built: built.map(|index| (name(index), index.bytes.unwrap_or(0))).collect(),
        emptied,
        scanned: counted.then_some(scanned),
        rows_written: (!seen.alone && !seen.failed).then(|| written.iter().sum()),
        took: seen.took,
        waited: seen.waited,
        commit: seen.commit,
        may_be_more: seen.catches && !seen.failed,
        doubt: None,
        unfilled: false,
        held: seen.took + seen.commit.unwrap_or_default(),
        wal: seen.wal,
        failed: seen.failed,
    }
}

/// What the documentation says of a statement, added to what was seen of it: a lock may have been too
/// short. Whether any is stronger than what was seen.
fn add_documented(locks: &mut Vec<(bool, TableLock)>, documented: &[TableLock], before: &Relations) -> bool {
    let mut stronger = false;
    for lock in documented {
        let called = |relation: &&Relation| lock.table == name(relation) || lock.table == plain(relation);
        let relation = before.values().find(called);
        let table = relation.map(|relation| before.get(&relation.of).unwrap_or(relation));
        let table = table.map_or_else(|| lock.table.clone(), name);
        match locks.iter_mut().find(|(_, known)| known.table == table) {
            Some((_, known)) if known.mode >= lock.mode => {}
            Some((_, known)) => (known.mode, stronger) = (lock.mode, true),
            None => {
                locks.push((false, TableLock { table, mode: lock.mode }));
                stronger = true;
            }
        }
    }
    stronger
}

/// Without its schema.
fn plain(relation: &Relation) -> String {
    Ident::new(relation.name.as_str()).to_string()
}

/// Whether a statement begins with a keyword, behind comments.
fn begins_with(sql: &str, keyword: &str) -> bool {
    let line = one_line(sql);
    line.split([' ', '(', ';']).next().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
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
        if let Some(max) = limits.max_lock.filter(|max| *max < LockMode::AccessExclusive)
            && let Some(why) = line.unseen()
        {
            let message = format!("{why}, so that 'at most {max}' is not shown to hold: {}", shortened(&line.sql, 120));
            found.push(Excess { rule: "max-lock", place: place.clone(), message });
        }
        let Some(max) = limits.max_duration else { continue };
        let times = [("took", Some(line.took)), ("the end of its transaction took", line.commit)];
        for (what, time) in times.into_iter().filter_map(|(what, time)| Some((what, time?))).filter(|(_, t)| *t > max) {
            let waited = if line.waited { ", waiting for a lock included" } else { "" };
            let message = format!(
                "{what} {} on the copy{waited}; at most {} is allowed: {}",
                seconds(time),
                seconds(max),
                shortened(&line.sql, 120)
            );
            found.push(Excess { rule: "max-duration", place: place.clone(), message });
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
    if time < Duration::from_millis(10) {
        format!("{:.1} ms", time.as_secs_f64() * 1000.0)
    } else if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
