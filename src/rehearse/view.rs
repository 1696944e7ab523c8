//! A rehearsal as the table of a change ticket. Knows reports and columns, not terminals.

use std::time::Duration;

use super::fill::Filled;
use super::judge::{Excess, How, Limits, Line, blocks, bytes, seconds, shortened};
use super::{Reached, Report};
use crate::output::{Column, Document, Table, Value};
use crate::steps::TableLock;

/// A commit that took so long did something.
const WORTH_TELLING: Duration = Duration::from_millis(50);
/// So many bytes say something of the time that they take.
const MEASURABLE: u64 = 1 << 20;
/// Of the text of a statement a person sees this much.
const SHOWN: usize = 90;

fn head(label: &str, target: &Reached) -> Document {
    Document::new("migrate.rehearse", 1)
        .fact("database", "database", label)
        .fact("source", "migrations", target.set.origin.to_string())
        .fact("applied", "applied", target.applied.len())
}

pub(super) fn nothing(label: &str, target: &Reached) -> Document {
    head(label, target)
        .fact("pending", "pending", 0_usize)
        .fact("result", "result", "nothing to rehearse")
        .table(statements(&[]))
}

pub(super) fn report(label: &str, report: &Report, lines: &[Line], excesses: &[Excess], limits: &Limits) -> Document {
    let total: f64 = lines.iter().map(|line| (line.took + line.commit.unwrap_or_default()).as_secs_f64()).sum();
    let wal: Option<u64> = lines.iter().filter(|line| !line.failed).map(|line| line.wal).sum();
    let rewrites: usize = lines.iter().map(|line| line.rewritten.len()).sum();
    // Bytes below nothing have no unit of their own.
    let grew = if report.grown.is_some_and(|bytes| bytes < 0) { "grew by (bytes)" } else { "grew by" };
    let mut document = head(label, &report.target)
        .fact("pending", "tried", report.versions.len())
        .fact("stage", "tried on", report.stage.as_str())
        .fact("server", "server", format!("PostgreSQL {}", report.server))
        .fact("rows", "rows", report.rows.as_str())
        .fact("result", "result", result(report, excesses))
        .fact("strongest_lock", "strongest lock", strongest_lock(lines))
        .fact("rewrites", "rewrites", rewrites)
        .fact("total_seconds", "took", Value::Seconds(total))
        .fact("total_wal_bytes", "WAL", wal.map_or(Value::Unknown, Value::Bytes))
        .fact("grown_bytes", grew, report.grown.map_or(Value::Unknown, signed))
        .fact("temporary_bytes", "temporary files", report.temporary.map_or(Value::Unknown, signed));
    if let Some(max) = limits.max_lock {
        document = document.fact("max_lock", "lock at most", max.sql());
    }
    if let Some(max) = limits.max_duration {
        document = document.fact("max_duration_seconds", "statement at most", Value::Seconds(max.as_secs_f64()));
    }
    if let Some(failure) = &report.failure {
        document = document.text("failure", failure.to_string());
    }
    if !excesses.is_empty() || report.failure.is_some() {
        document = document.table(findings(report, lines, excesses));
    }
    document = document.table(statements(lines));
    if !report.filled.is_empty() {
        document = document.table(filled(&report.filled));
    }
    let expected = expected(report, lines);
    if !expected.rows.is_empty() {
        document = document.table(expected);
    }
    for note in notes(report, lines) {
        document = document.note(note);
    }
    document
}

/// None of them says little where some could not be seen.
fn strongest_lock(lines: &[Line]) -> Value {
    match lines.iter().filter_map(|line| line.locks.first()).rev().max_by_key(|lock| lock.mode) {
        Some(lock) => lock.to_string().into(),
        None if lines.iter().any(|line| line.failed || line.unseen().is_some()) => Value::Unknown,
        None => "none".into(),
    }
}

fn signed(bytes: i64) -> Value {
    u64::try_from(bytes).map_or(Value::Int(bytes), Value::Bytes)
}

fn result(report: &Report, excesses: &[Excess]) -> String {
    match (&report.failure, excesses.len()) {
        (Some(_), _) => "fails".to_owned(),
        (None, 0) if report.broken.is_some() => "passes, but made-up rows break it: with real ones UNKNOWN".to_owned(),
        (None, 0) => "passes".to_owned(),
        (None, 1) => "not within the limits, in 1 place".to_owned(),
        (None, count) => format!("not within the limits, in {count} places"),
    }
}

fn findings(report: &Report, lines: &[Line], excesses: &[Excess]) -> Table {
    let columns = vec![Column::new("rule", "rule"), Column::new("place", "where"), Column::new("message", "what")];
    let mut table = Table::new("findings", "", columns);
    if let Some(failure) = &report.failure {
        // What fails at the commit fails behind the last statement.
        let place = lines.iter().find(|line| line.failed).or(lines.last()).map(Line::place);
        let place = failure.place().map(str::to_owned).or(place);
        let message = super::told(failure);
        table.push(vec!["fails".into(), place.into(), message.into()]);
    }
    for excess in excesses {
        table.push(vec![excess.rule.into(), excess.place.as_str().into(), excess.message.as_str().into()]);
    }
    table
}

fn statements(lines: &[Line]) -> Table {
    let mut table = Table::new(
        "statements",
        "no statement was run",
        vec![
            Column::new("version", "version"),
            Column::new("statement", "statement"),
            Column::new("lock", "strongest lock, what it blocks"),
            Column::new("work", "work"),
            Column::new("seconds", "took"),
            Column::new("wal_bytes", "WAL"),
            Column::machine("sql"),
            Column::machine("migration"),
            Column::machine("file"),
            Column::machine("line"),
            Column::machine("column"),
            Column::machine("lock_mode"),
            Column::machine("lock_relation"),
            Column::machine("held_seconds"),
            Column::machine("blocks"),
            Column::machine("locks"),
            Column::machine("locks_known_by"),
            Column::machine("rewritten"),
            Column::machine("rewritten_bytes"),
            Column::machine("scanned"),
            Column::machine("scanned_rows"),
            Column::machine("rows_written"),
            Column::machine("failed"),
            Column::machine("built"),
            Column::machine("emptied"),
            Column::machine("waited"),
            Column::machine("commit_seconds"),
            Column::machine("may_have_held_more"),
            Column::machine("without_made_up_rows"),
            Column::machine("unknown"),
        ],
    );
    for line in lines {
        table.push(row(line));
    }
    table
}

fn row(line: &Line) -> Vec<Value> {
    let strongest = line.locks.first();
    let names = |named: &[(String, u64)]| Value::List(named.iter().map(|(name, _)| name.clone()).collect());
    let scanned_rows =
        line.scanned.as_ref().and_then(|tables| tables.iter().map(|(_, rows)| *rows).sum::<Option<i64>>());
    let scanned = line.scanned.as_ref();
    vec![
        version(&line.step).into(),
        shortened(&line.sql, SHOWN).into(),
        lock(line),
        work(line),
        Value::Seconds(line.took.as_secs_f64()),
        line.wal.map_or(Value::Unknown, Value::Bytes),
        line.sql.as_str().into(),
        line.step.as_str().into(),
        line.file.as_str().into(),
        line.line.into(),
        line.column.into(),
        strongest.map(|lock| lock.mode.sql()).into(),
        strongest.map(|lock| lock.table.clone()).into(),
        strongest.map_or(Value::None, |_| Value::Seconds(line.held.as_secs_f64())),
        if line.failed || (strongest.is_none() && line.unseen().is_some()) {
            Value::Unknown
        } else {
            strongest.map_or("nothing", |lock| blocks(lock.mode)).into()
        },
        Value::List(line.locks.iter().map(TableLock::to_string).collect()),
        line.how.id().into(),
        names(&line.rewritten),
        Value::Bytes(line.rewritten.iter().map(|(_, bytes)| bytes).sum()),
        scanned.map_or(Value::Unknown, |tables| Value::List(tables.iter().map(|(name, _)| name.clone()).collect())),
        scanned_rows.map_or(Value::Unknown, Value::Int),
        line.rows_written.map_or(Value::Unknown, Value::Int),
        line.failed.into(),
        names(&line.built),
        Value::List(line.emptied.clone()),
        line.waited.into(),
        line.commit.map_or(Value::None, |time| Value::Seconds(time.as_secs_f64())),
        (line.unseen().is_some()).into(),
        line.unfilled.into(),
        line.doubt.clone().into(),
    ]
}

/// What was made up. A table that is not as wanted says why, and its times say little.
fn filled(filled: &[Filled]) -> Table {
    let columns = vec![
        Column::new("table", "table"),
        Column::new("rows", "rows"),
        Column::new("wanted", "wanted"),
        Column::new("reason", "why it has not what was wanted"),
    ];
    let mut table = Table::new("filled", "", columns);
    let count =
        |rows: Option<u64>| rows.map_or(Value::Unknown, |rows| Value::Int(i64::try_from(rows).unwrap_or(i64::MAX)));
    for one in filled {
        table.push(vec![one.table.as_str().into(), count(one.rows), count(one.wanted), one.reason.clone().into()]);
    }
    table
}

/// What a rewrite or a whole read would take with the target's bytes: as far as it grows with them.
fn expected(report: &Report, lines: &[Line]) -> Table {
    let columns = vec![
        Column::new("version", "version"),
        Column::new("relation", "table"),
        Column::new("bytes", "size here"),
        Column::new("target_bytes", "in the target"),
        Column::new("seconds", "took here"),
        Column::new("expected_seconds", "expected"),
        Column::new("confidence", "confidence"),
        Column::machine("target_rows"),
    ];
    let mut table = Table::new("expected", "", columns);
    for line in lines.iter().filter(|line| !line.failed) {
        let read = line.scanned.iter().flatten().map(|(name, _)| name);
        let mut names: Vec<&String> = line.rewritten.iter().map(|(name, _)| name).chain(read).collect();
        names.sort();
        names.dedup();
        for name in names {
            let Some((_, estimate)) = report.estimates.iter().find(|(table, _)| table.to_string() == *name) else {
                continue;
            };
            let before = if line.unfilled { &report.plain_before } else { &report.before };
            let here = before.values().find(|relation| relation.name().to_string() == *name);
            let here = here.and_then(|relation| relation.bytes);
            let there = u64::try_from(estimate.bytes).unwrap_or(0);
            let guess = guess(line.took.as_secs_f64(), here.unwrap_or(0), there);
            if there < MEASURABLE && guess.is_none() {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "an estimate; saturates")]
            let rows = estimate.rows.map_or(Value::Unknown, |rows| Value::Int(rows as i64));
            table.push(vec![
                version(&line.step).into(),
                name.as_str().into(),
                here.map_or(Value::Unknown, Value::Bytes),
                Value::Bytes(there),
                Value::Seconds(line.took.as_secs_f64()),
                guess.map_or(Value::Unknown, |(seconds, _)| Value::Seconds(seconds)),
                guess.map_or("none: too few rows here", |(_, confidence)| confidence).into(),
                rows,
            ]);
        }
    }
    table
}

/// In proportion to the bytes, as long as there are enough of them here to measure anything.
fn guess(took: f64, here: u64, there: u64) -> Option<(f64, &'static str)> {
    if there <= here + here / 10 {
        return Some((took, "good: as large here"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let ratio = there as f64 / here as f64;
    match (here, ratio) {
        (MEASURABLE.., ..10.0) => Some((took * ratio, "fair: in proportion")),
        (MEASURABLE.., _) => Some((took * ratio, "low: much larger there")),
        _ => None,
    }
}

/// `V0002` of `V0002__words`.
fn version(step: &str) -> &str {
    step.split_once("__").map_or(step, |(version, _)| version)
}

fn lock(line: &Line) -> Value {
    if line.failed {
        return Value::Unknown;
    }
    let Some(first) = line.locks.first() else {
        return match line.how {
            _ if line.unseen().is_some() => Value::Unknown,
            How::Held => "no other".into(),
            How::Sampled | How::Documented | How::Unknown => "none".into(),
        };
    };
    let others = line.locks.iter().filter(|lock| lock.mode == first.mode).count() - 1;
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    let known = if line.how == How::Documented { " (by the documentation)" } else { "" };
    let held = if line.held > line.took { format!(", held {}", seconds(line.held)) } else { String::new() };
    let unseen = if line.unseen().is_some() { "; may have held more" } else { "" };
    format!("{first}{more}: {}{held}{known}{unseen}", blocks(first.mode)).into()
}

fn work(line: &Line) -> Value {
    if line.failed {
        return Value::List(vec!["fails".to_owned()]);
    }
    let mut work = Vec::new();
    for (name, size) in &line.rewritten {
        work.push(format!("rewrites {name}, {}", bytes(*size)));
    }
    work.extend(line.built.iter().map(|(name, size)| format!("builds {name}, {}", bytes(*size))));
    work.extend(line.emptied.iter().map(|name| format!("empties {name}")));
    match &line.scanned {
        Some(scanned) => work.extend(scanned.iter().map(|(name, rows)| match rows {
            Some(rows) => format!("reads {name}, {rows} rows"),
            None => format!("reads {name} whole"),
        })),
        None => work.push("reads: UNKNOWN".to_owned()),
    }
    if let Some(rows) = line.rows_written.filter(|rows| *rows > 0) {
        work.push(format!("writes {rows} rows"));
    }
    if line.waited {
        work.push("waited for a lock: that is in its time".to_owned());
    }
    if let Some(time) = line.commit.filter(|time| *time >= WORTH_TELLING) {
        work.push(format!("the commit after it took {}", seconds(time)));
    }
    if let Some(doubt) = &line.doubt {
        work.push(format!("UNKNOWN with rows: {doubt}"));
    }
    Value::List(work)
}

fn notes(report: &Report, lines: &[Line]) -> Vec<String> {
    let mut notes = vec![
        "locks are those on what was there before these migrations; what they make themselves keeps nobody waiting"
            .to_owned(),
        "times and sizes are the copy's, with the rows that it has: rewrites and reads take longer with more of them"
            .to_owned(),
    ];
    if report.shared {
        notes.push("WAL is counted for the whole server: where others work on it, theirs is included".to_owned());
    }
    if lines.iter().any(|line| matches!(line.how, How::Sampled | How::Documented)) {
        notes.push(
            "outside of a transaction locks are seen from another session: very short ones may be missed".to_owned(),
        );
    }
    if lines.iter().any(|line| line.may_be_more) {
        notes.push(
            "code that catches exceptions lets go of what it locked before one: such a statement may have held more"
                .to_owned(),
        );
    }
    if let Some(broken) = &report.broken {
        notes.push(format!(
            "made-up rows break {} (real ones may not): it and what follows ran once more on a copy without them",
            version(&broken.step)
        ));
    }
    if lines.iter().any(|line| line.scanned.is_none() && !line.failed) {
        notes.push("what a statement outside of a transaction reads is UNKNOWN before PostgreSQL 15".to_owned());
    }
    notes.extend(report.notes.iter().cloned());
    notes
}
