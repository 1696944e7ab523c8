//! What is judged of each table. Pure.

use super::{Finding, Level, Scene};
use crate::error::{Failure, Kind};
use crate::ident::TableName;
use crate::partitions::coverage::Coverage;
use crate::partitions::observe::{DefaultRows, Drift, Known, Looked};
use crate::partitions::set::Set;
use crate::partitions::status::{Runway, Standing, TableStatus};
use crate::partitions::work::Found;
use crate::policy::key::{Codec, Edge, Range};
use crate::policy::{Ahead, Clones, DefaultRule, Misaligned, Runway as Shares, TablePolicy};

/// How many checks a table has: runway, gaps, misaligned, default_rows, default_partition,
/// expired_overdue, armed, hold, pending_detach, parity, lock_budget, policy.
pub const CHECKS: usize = 12;

/// A daily run may be a little late before anybody is told.
const SLACK_SECONDS: f64 = 26.0 * 3600.0;

/// Partitions that are named one by one.
const NAMED: usize = 3;

pub fn findings(scene: &Scene<'_>, looked: &Looked<'_>, status: Option<&TableStatus>) -> Vec<Finding> {
    let (found, status) = match (&looked.found, status) {
        (Ok(found), Some(status)) => (found, status),
        (Err(failure), _) => return vec![unfit(looked.entry, failure)],
        (Ok(_), None) => return Vec::new(),
    };
    let mut findings = Vec::new();
    findings.extend(runway(found, status));
    findings.extend(gaps(&found.set));
    findings.extend(misaligned(&found.set));
    findings.extend(default_partition(found, status));
    findings.extend(expired_overdue(found, status));
    findings.extend(held(status));
    findings.extend(pending(status));
    findings.extend(parity(scene, found));
    findings.extend(lock_budget(scene, found));
    findings.extend(attentions(found));
    findings
}

/// The policy does not fit the table, or the table cannot be understood.
fn unfit(entry: &TablePolicy, failure: &Failure) -> Finding {
    let id = if failure.what() == Kind::Invalid { "policy" } else { "bounds" };
    let message = format!("{}: {}", entry.table, failure.messages().join(": "));
    let finding = Finding::new(id, Level::Unknown, Some(&entry.table), message);
    Finding { hint: failure.hints().first().cloned(), ..finding }
}

/// At which lengths of the runway check warns and is critical. Never below one period, but a run that
/// is a little late is no finding; where a single period is all that is wanted, the critical share is
/// taken as it is.
pub fn limits(runway: &Runway, shares: Shares) -> Option<(f64, f64)> {
    let ahead = runway.ahead?;
    let slack = if runway.is_time { SLACK_SECONDS.min(ahead / 4.0) } else { ahead / 4.0 };
    let most = (ahead - slack).max(0.0);
    let least = if ahead > runway.period * 1.5 { runway.period } else { 0.0 };
    let warn = (shares.warn * ahead).max(runway.period).min(most);
    let crit = (shares.crit * ahead).max(least).min(warn);
    Some((warn, crit))
}

fn runway(found: &Found<'_>, status: &TableStatus) -> Option<Finding> {
    let (set, runway, table) = (&found.set, &status.runway, &status.table);
    let (warn, crit) = limits(runway, set.policy.runway)?;
    let make = "dbctl partitions create";
    if runway.covered.is_none() {
        let what = match &status.default {
            Some((default, _)) => format!("rows go to {default}"),
            None => "rows of now are refused".to_owned(),
        };
        let message = format!("{table}: the current period has no partition: {what}");
        return Some(Finding::new("runway", Level::Crit, Some(table), message).hint(make));
    }
    let level = if runway.length < crit {
        Level::Crit
    } else if runway.length < warn {
        Level::Warn
    } else {
        return None;
    };
    let until = runway.covered.map_or_else(String::new, |edge| set.bound_text(edge));
    let share =
        runway.ratio().map_or_else(String::new, |ratio| format!(", {:.0} % of what is wanted ahead", ratio * 100.0));
    let message = format!("{table}: partitions reach until {until} only: {}{share}", length(runway));
    Some(Finding::new("runway", level, Some(table), message).hint(make))
}

fn length(runway: &Runway) -> String {
    if !runway.is_time {
        return format!("{:.0} values more", runway.length);
    }
    let hours = runway.length / 3600.0;
    if hours >= 48.0 { format!("{:.0} days more", hours / 24.0) } else { format!("{hours:.0} hours more") }
}

/// Holes between partitions: those that rows may still fall into are worse.
fn gaps(set: &Set<'_>) -> Vec<Finding> {
    let table = &set.policy.table;
    // Nothing is made there: rows arrive by whole partitions.
    if set.policy.ahead == Ahead::Never {
        return Vec::new();
    }
    let covered = set.coverage();
    let ends =
        covered.ranges().first().map(|first| first.lower()).zip(covered.ranges().last().map(|last| last.upper()));
    let Some(all) = ends.and_then(|(from, to)| Range::new(from, to)) else { return Vec::new() };
    // A detach that was begun occupies its range: that is another finding.
    let occupied = Coverage::of(set.members.iter().chain(&set.pending).map(|member| member.range));
    let ahead = |gap: &Range| gap.upper() > Edge::At(set.now);
    // That now itself has none is another finding too.
    let open: Vec<Range> = occupied.gaps(all).into_iter().filter(|gap| !gap.contains(set.now)).collect();
    let (future, past): (Vec<Range>, Vec<Range>) = open.into_iter().partition(ahead);
    let finding = |level, gaps: &[Range], what: &str| {
        let first = gaps.first()?;
        let (from, to) = (set.bound_text(first.lower()), set.bound_text(first.upper()));
        let message = format!("{table}: {from} to {to} has no partition{}: {what}", and_more(gaps.len(), "such holes"));
        Some(Finding::new("gaps", level, Some(table), message))
    };
    let future = finding(Level::Crit, &future, "rows of then are refused, or go to the DEFAULT partition");
    let past = finding(Level::Warn, &past, "late rows are refused, or go to the DEFAULT partition");
    let fill = |finding: Finding| finding.hint("dbctl partitions create");
    let back_fill = |finding: Finding| finding.hint("the policy's 'from: DAY' fills holes of the past");
    future.map(fill).into_iter().chain(past.map(back_fill)).collect()
}

fn and_more(count: usize, what: &str) -> String {
    if count > 1 { format!(", and {} more {what}", count - 1) } else { String::new() }
}

/// Bounds that are no lines of the grid.
fn misaligned(set: &Set<'_>) -> Option<Finding> {
    let table = &set.policy.table;
    let off = |edge: Edge| matches!(edge, Edge::At(at) if set.grid.floor(at) != Some(at));
    let names: Vec<&TableName> = set
        .members
        .iter()
        .filter(|member| off(member.range.lower()) || off(member.range.upper()))
        .map(|member| &member.partition.name)
        .collect();
    let shown = first_names(names.iter().copied())?;
    let grid = set.grid.every();
    let message = format!("{table}: bounds are not lines of the grid (every {grid}): {shown}");
    let (level, hint) = match set.policy.on_misaligned {
        Misaligned::Bridge => (Level::Ok, "short partitions bridge to the grid, as the policy says"),
        Misaligned::Error => {
            (Level::Warn, "is 'timezone' the one they were made in? 'on_misaligned: bridge' fills the holes")
        }
    };
    Some(Finding::new("misaligned", level, Some(table), message).hint(hint))
}

/// The first few names, and how many more.
fn first_names<'n>(names: impl ExactSizeIterator<Item = &'n TableName>) -> Option<String> {
    let more = names.len().saturating_sub(NAMED);
    let shown: Vec<String> = names.take(NAMED).map(ToString::to_string).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!shown.is_empty()).then(|| shown.join(", ") + &rest)
}

fn default_partition(found: &Found<'_>, status: &TableStatus) -> Vec<Finding> {
    let (set, table) = (&found.set, &status.table);
    let Some((name, rows)) = &status.default else {
        let wanted = set.policy.default_partition == DefaultRule::Require;
        let message = format!("{table}: the policy requires a DEFAULT partition, and there is none");
        let missing = Finding::new("default_partition", Level::Warn, Some(table), message);
        return if wanted { vec![missing.hint("dbctl partitions create")] } else { Vec::new() };
    };
    let mut findings = Vec::new();
    if set.policy.default_partition == DefaultRule::Forbid {
        let message = format!("{table}: {name} is a DEFAULT partition, and the policy forbids one");
        let hint = "move its rows out, and drop it: dbctl partitions default; or 'default_partition: allow'";
        findings.push(Finding::new("default_partition", Level::Warn, Some(table), message).hint(hint));
    }
    findings.extend(default_rows(set, name, rows));
    findings
}

fn default_rows(set: &Set<'_>, name: &TableName, rows: &Known<DefaultRows>) -> Option<Finding> {
    let table = &set.policy.table;
    let counted = match rows {
        Ok(DefaultRows { rows: Some(0), .. }) => return None,
        Ok(counted) => counted,
        Err(unknown) => {
            let what = format!("{table}: whether the DEFAULT partition {name} holds rows is");
            return Some(Finding::unknown("default_rows", Some(table), &what, unknown));
        }
    };
    let mut message = match counted.rows {
        Some(rows) => format!("{table}: {rows} rows are in the DEFAULT partition {name}"),
        None => format!("{table}: rows are in the DEFAULT partition {name}, more than could be counted in 5 s"),
    };
    if let (Some(oldest), Some(newest)) = (&counted.oldest, &counted.newest) {
        message.push_str(&format!(", from {oldest} to {newest}"));
    }
    if let Some((window, rows)) = counted.blocked.first() {
        let (from, to) = (set.bound_text(window.lower()), set.bound_text(window.upper()));
        let more = and_more(counted.blocked.len(), "partitions");
        message.push_str(&format!("; {rows} of them keep the partition {from} to {to} from being made{more}"));
    }
    let hint = format!("dbctl partitions default promote {table}, or drain");
    Some(Finding::new("default_rows", Level::Crit, Some(table), message).hint(hint))
}

/// Expired for more than two periods, and nothing says that it should stay.
fn expired_overdue(found: &Found<'_>, status: &TableStatus) -> Option<Finding> {
    let (set, table) = (&found.set, &status.table);
    let names = overdue(set, found.plan.cutoff?, status);
    let shown = first_names(names.iter().copied())?;
    let message = format!("{table}: expired more than two periods ago, and still attached: {shown}");
    Some(Finding::new("expired_overdue", Level::Warn, Some(table), message).hint("see why: dbctl partitions plan"))
}

/// Partitions that should have left long ago.
pub fn overdue<'s>(set: &Set<'_>, cutoff: i128, status: &'s TableStatus) -> Vec<&'s TableName> {
    let before = |line: i128| set.grid.floor(line.checked_sub(1)?);
    let Some(limit) = before(cutoff).and_then(before) else { return Vec::new() };
    let members = set.members.iter().zip(&status.members);
    let late = members
        .filter(|(member, stands)| stands.standing == Standing::Expired && member.range.upper() <= Edge::At(limit));
    late.map(|(_, stands)| &stands.name).collect()
}

fn held(status: &TableStatus) -> Option<Finding> {
    let table = &status.table;
    let held: Vec<(&TableName, &String)> = status
        .members
        .iter()
        .filter_map(|member| match &member.standing {
            Standing::Held(id) => Some((&member.name, id)),
            _ => None,
        })
        .collect();
    let shown = first_names(held.iter().map(|(name, _)| *name))?;
    let mut ids: Vec<&str> = held.iter().map(|(_, id)| id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let message = format!("{table}: expired, and held by {}: {shown}", ids.join(", "));
    Some(Finding::new("hold", Level::Ok, Some(table), message))
}

fn pending(status: &TableStatus) -> Option<Finding> {
    let table = &status.table;
    let shown = first_names(status.pending.iter())?;
    let message = format!("{table}: a detach was begun and not ended, so rows of its range are refused: {shown}");
    Some(Finding::new("pending_detach", Level::Warn, Some(table), message).hint("dbctl partitions rotate"))
}

/// Partitions that differ from their table in what they should share. Fewer rights than the table's
/// keep nobody from what goes through it.
fn parity(scene: &Scene<'_>, found: &Found<'_>) -> Vec<Finding> {
    let entry = found.set.policy;
    let drift = match &scene.observed.drift {
        Ok(drift) => drift.get(&found.set.table.oid).map(Vec::as_slice).unwrap_or_default(),
        Err(unknown) => {
            let what = format!("{}: whether partitions are like their table is", entry.table);
            return vec![Finding::unknown("parity", Some(&entry.table), &what, unknown)];
        }
    };
    let counted = drift.iter().filter(|one| counts(one, entry.clone, !entry.child_unique.is_empty()));
    let (fewer, odd): (Vec<&Drift>, Vec<&Drift>) = counted.partition(|one| one.aspect == "fewer grants");
    let finding = |level, shown: Option<String>, what: &str| {
        let message = format!("{}: {what}: {}", entry.table, shown?);
        Some(Finding::new("parity", level, Some(&entry.table), message))
    };
    let odd = finding(Level::Warn, differing(&odd), "partitions differ from their table");
    let fewer = finding(Level::Ok, differing(&fewer), "what is granted on the table is not granted on its partitions");
    odd.into_iter().chain(fewer).collect()
}

/// The first few partitions, each with its differences, and how many more.
fn differing(drift: &[&Drift]) -> Option<String> {
    let mut partitions: Vec<(&TableName, Vec<String>)> = Vec::new();
    for one in drift {
        let words = one.detail.as_ref().map_or_else(|| one.aspect.clone(), |detail| format!("{} {detail}", one.aspect));
        match partitions.iter_mut().find(|(name, _)| **name == one.partition) {
            Some((_, known)) => known.push(words),
            None => partitions.push((&one.partition, vec![words])),
        }
    }
    let shown = partitions.iter().take(NAMED).map(|(name, words)| format!("{name} ({})", words.join(", ")));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = partitions.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!partitions.is_empty()).then(|| shown + &rest)
}

/// What the policy does not clone may differ.
fn counts(drift: &Drift, clone: Clones, child_unique: bool) -> bool {
    match drift.aspect.as_str() {
        "owner" => clone.owner,
        "fewer grants" | "more grants" => clone.grants,
        "replica identity" => clone.replica_identity,
        "row level security" => clone.row_security,
        "extra unique index" => !child_unique,
        _ => true,
    }
}

/// Locks that one query over all partitions takes, as a share of what there is room for.
fn lock_budget(scene: &Scene<'_>, found: &Found<'_>) -> Option<Finding> {
    let table = &found.set.policy.table;
    let partitions = (found.set.table.partitions.len() + found.plan.create.len()) as u64;
    let locks = partitions * (1 + found.set.table.indexes);
    let share = 100 * locks / scene.snapshot.lock_slots.max(1);
    let level = match share {
        50.. => Level::Crit,
        25.. => Level::Warn,
        _ => return None,
    };
    let message = format!(
        "{table}: a query over all of its {partitions} partitions takes {locks} locks, {share} % of what the server has room for"
    );
    let hint = "a wider 'every', a shorter 'ahead', or a larger max_locks_per_transaction";
    Some(Finding::new("lock_budget", level, Some(table), message).hint(hint))
}

/// What a run would stop at. What is said better elsewhere is left out.
fn attentions(found: &Found<'_>) -> Vec<Finding> {
    let table = &found.set.policy.table;
    let mut findings: Vec<Finding> = Vec::new();
    for attention in &found.plan.attentions {
        let (id, level) = match attention.id {
            "hold" | "lock_budget" => continue,
            "unarmed" => ("armed", Level::Warn),
            "state_unreadable" => ("armed", Level::Unknown),
            "horizon" => ("runway", Level::Warn),
            "misaligned" => ("misaligned", Level::Warn),
            id => (id, Level::Warn),
        };
        if findings.iter().any(|known| known.id == id) {
            continue;
        }
        let finding = Finding::new(id, level, Some(table), attention.message.clone());
        findings.push(Finding { hint: attention.hint.clone(), ..finding });
    }
    findings
}

/// A key without a meaning in time has no clock that work could be overdue by.
pub fn has_clock(found: &Found<'_>) -> bool {
    found.set.grid.axis.codec != Codec::Number
}
