//! What is judged of the database: clocks, schema dbctl, what is on its way out, the last run. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, Level, Scene};
use crate::ident::TableName;
use crate::partitions::plan::raw;
use crate::partitions::read::Leaving;
use crate::partitions::status::is_open;
use crate::partitions::work::Found;

/// How many checks there are: state, system, clock, last_success, grace_overdue, orphans, archive, leaving.
pub const CHECKS: usize = 8;

/// Clocks further apart than this are not trusted: a run refuses to work.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// How long work may be due: a daily run, and some.
pub const DUE: TimeDelta = TimeDelta::hours(26);

pub fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(state(scene));
    findings.extend(system(scene));
    findings.extend(clock(scene));
    findings.extend(last_success(scene));
    findings.extend(grace_overdue(scene));
    findings.extend(orphans(scene));
    findings.extend(stuck(scene));
    findings
}

fn state(scene: &Scene<'_>) -> Option<Finding> {
    if !scene.snapshot.state.unreadable {
        return None;
    }
    let message = "schema dbctl may not be read: holds, what was armed, what waits for its end, archives and the last \
                   run are UNKNOWN";
    let role = crate::ident::Ident::new(scene.snapshot.server.role.as_str());
    let hint = format!("GRANT USAGE ON SCHEMA dbctl TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA dbctl TO {role}");
    Some(Finding::new("state", Level::Unknown, None, message.to_owned()).hint(hint))
}

/// Entries for a system apply or do not: that must be known.
fn system(scene: &Scene<'_>) -> Option<Finding> {
    if scene.system.is_some() || scene.snapshot.systems.is_some() {
        return None;
    }
    let entries = scene.policy.tables.iter().filter(|entry| entry.system.is_some()).count();
    let message = format!("whether {entries} entries for embedded systems apply to this database is UNKNOWN");
    (entries > 0).then(|| Finding::new("system", Level::Unknown, None, message).hint("say which it is: --system NAME"))
}

fn clock(scene: &Scene<'_>) -> Option<Finding> {
    let seconds = scene.skew.num_seconds();
    (scene.skew.abs() > SKEW).then(|| {
        let message = format!("the clocks of server and client differ by {} s: no run works so", seconds.abs());
        Finding::new("clock", Level::Warn, None, message).hint("set the clocks right")
    })
}

/// The dead man's switch. A run that finds nothing to do writes nothing, so it is not the age of the
/// last one that counts: work that has been due for longer than a day, and no run that ended well since.
fn last_success(scene: &Scene<'_>) -> Option<Finding> {
    let run = match &scene.observed.last_run {
        Ok(run) => run.as_ref()?,
        // Schema dbctl as a whole is another finding.
        Err(_) if scene.snapshot.state.unreadable => return None,
        Err(unknown) => return Some(Finding::unknown("last_success", None, "when a run last ended well is", unknown)),
    };
    if run.good_at.is_some_and(|at| at > scene.now - DUE) {
        return None;
    }
    let earlier = scene.now - DUE;
    let due: Vec<&TableName> = scene
        .looked
        .iter()
        .filter(|looked| looked.earlier.as_ref().is_some_and(|found| was_due(found, earlier)))
        .map(|looked| &looked.entry.table)
        .collect();
    let first = due.first()?;
    let since = run.good_at.map_or_else(
        || "no 'partitions rotate' has ended well so far".to_owned(),
        |at| format!("no 'partitions rotate' has ended well since {}", time(at)),
    );
    let more = if due.len() > 1 { format!(" and {} more tables", due.len() - 1) } else { String::new() };
    let message = format!("{since}, and work on {first}{more} has been due for more than {} hours", DUE.num_hours());
    Some(Finding::new("last_success", Level::Warn, None, message).hint("does its cron line run? dbctl journal"))
}

/// Whether there was something to do then, by the partitions that are there now.
fn was_due(found: &Found<'_>, then: DateTime<Utc>) -> bool {
    super::table::has_clock(found)
        && (!found.plan.create.is_empty()
            || !found.plan.expire.is_empty()
            || found.leaving.iter().any(|row| row.changed_at < then && found.is_due(row)))
}

fn grace_overdue(scene: &Scene<'_>) -> Option<Finding> {
    let limit = scene.now - TimeDelta::days(2);
    let late = open_rows(scene)
        .filter(|row| row.state == "aside" && row.now.is_some() && row.drop_after.is_some_and(|after| after < limit));
    let shown = names(&late.map(|row| row.partition.clone()).collect::<Vec<_>>())?;
    let message = format!("their grace has been over for more than two days, and they are still there: {shown}");
    Some(Finding::new("grace_overdue", Level::Warn, None, message).hint("dbctl partitions rotate"))
}

fn open_rows<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = &'s Leaving> {
    scene.snapshot.state.leaving.iter().filter(|row| is_open(row) && asked(scene, row))
}

/// Whether a row is of a table that was asked about.
fn asked(scene: &Scene<'_>, row: &Leaving) -> bool {
    scene.only.is_empty() || scene.only.iter().any(|table| raw(table) == row.parent)
}

/// What dbctl does not know of, and what it knows of and is not there.
fn orphans(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let finding = |message: String, hint: &str| Finding::new("orphans", Level::Warn, None, message).hint(hint);
    let rows = &scene.snapshot.state.leaving;
    match &scene.observed.trash {
        Err(unknown) => findings.push(Finding::unknown("orphans", None, "what lies in schema dbctl_trash is", unknown)),
        // Whose they are cannot be told, and that schema dbctl may not be read is a finding already.
        Ok(_) if scene.snapshot.state.unreadable => {}
        Ok(trash) => {
            let strangers = trash.iter().filter(|(oid, _)| !rows.iter().any(|row| row.oid == *oid));
            if let Some(shown) = names(&strangers.map(|(_, name)| name.to_string()).collect::<Vec<_>>()) {
                let message = format!("dbctl does not know what these are, and leaves them: {shown}");
                findings.push(finding(message, "look at them, and move or drop them by hand"));
            }
        }
    }
    let gone = open_rows(scene).filter(|row| row.now.is_none()).map(|row| row.partition.clone());
    if let Some(shown) = names(&gone.collect::<Vec<_>>()) {
        let message = format!("noted as on their way out, and gone: {shown}");
        findings.push(finding(message, "the next 'dbctl partitions rotate' notes it"));
    }
    let nobodys = open_rows(scene).filter(|row| row.now.is_some() && !is_of_policy(scene, row));
    if let Some(shown) = names(&nobodys.map(|row| row.partition.clone()).collect::<Vec<_>>()) {
        let message = format!("on their way out of tables that the policy does not name any more: {shown}");
        findings.push(finding(message, "bring the entry back, or see to them by hand"));
    }
    findings
}

fn is_of_policy(scene: &Scene<'_>, row: &Leaving) -> bool {
    scene.policy.tables.iter().any(|entry| raw(&entry.table) == row.parent)
}

/// Partitions that have been on their way for more than a day.
fn stuck(scene: &Scene<'_>) -> Vec<Finding> {
    let limit = scene.now - TimeDelta::days(1);
    let late = |archive: bool| {
        let rows = open_rows(scene).filter(|row| row.state != "aside" && row.now.is_some() && row.changed_at < limit);
        let shown = rows
            .filter(|row| (row.mode == "archive") == archive)
            .map(|row| format!("{} ({})", row.partition, row.state));
        names(&shown.collect::<Vec<_>>())
    };
    let finding =
        |id, message: String| Finding::new(id, Level::Warn, None, message).hint("dbctl partitions rotate says why");
    let archive = late(true).map(|shown| finding("archive", format!("archived in part for more than a day: {shown}")));
    let other = late(false).map(|shown| finding("leaving", format!("on their way out for more than a day: {shown}")));
    archive.into_iter().chain(other).collect()
}

/// The first few, and how many more.
fn names(names: &[String]) -> Option<String> {
    let more = names.len().saturating_sub(3);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| shown + &rest)
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}
