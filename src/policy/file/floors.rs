//! Whether what is let go has been kept for as long as the floors ask: online and archive together.
//! Pure.

use super::super::glob::matches;
use super::super::{At, Expire, Floor, Keep, Policy, RowAction, RowJob, TablePolicy, Then};
use crate::config::yaml::Finding;
use crate::ident::TableName;
use crate::policy::span::Span;

/// Tables may hand rows on to each other in a circle.
const DEEPEST: u8 = 8;

/// How long the rows of a table are there at least, wherever they are.
enum Kept {
    ForEver,
    For(Span),
    /// Counted in values, which cannot be compared with time.
    Values(u64),
    /// Rows of any age are taken.
    NotAtAll,
}

/// Every entry that lets rows go before a floor allows it: the index of its file, and what is wrong.
pub fn broken(policy: &Policy) -> Vec<(usize, Finding)> {
    let tables = policy.tables.iter().map(|entry| (&entry.table, &entry.system, of_table(policy, entry, 0), &entry.at));
    let jobs = policy.rows.iter().map(|job| (&job.table, &job.system, of_job(policy, job, 0), &job.at));
    let mut findings = Vec::new();
    for (is_table, (table, system, kept, at)) in tables.map(|entry| (true, entry)).chain(jobs.map(|job| (false, job))) {
        let name = format!("{}.{}", table.schema.raw(), table.name.raw());
        let asks = |floor: &&Floor| {
            share_a_database(&floor.system, system) && floor.tables.iter().any(|glob| matches(glob, &name))
        };
        // The highest of them says it all.
        let floors = policy.floors.iter().filter(asks).filter(|floor| falls_short(&kept, floor.at_least));
        let highest = floors.max_by(|a, b| a.at_least.about_days().total_cmp(&b.at_least.about_days()));
        findings.extend(highest.map(|floor| (at.file, finding(at, &kept, floor, is_table))));
    }
    findings
}

fn falls_short(kept: &Kept, at_least: Span) -> bool {
    match kept {
        Kept::ForEver => false,
        Kept::For(span) => span.about_days() < at_least.about_days(),
        Kept::Values(_) | Kept::NotAtAll => true,
    }
}

fn finding(at: &At, kept: &Kept, floor: &Floor, is_table: bool) -> Finding {
    let kept = match kept {
        Kept::ForEver => "for ever".to_owned(),
        Kept::For(span) => format!("for {span}"),
        Kept::Values(values) => format!("for {values} values of the key, which is no time"),
        Kept::NotAtAll => "for no time at all".to_owned(),
    };
    let at_least = floor.at_least;
    let advice = if is_table {
        format!("keep: {at_least}, or expire: {{archive: NAME, then: drop}} with an archive that keeps the rest")
    } else {
        format!("age: {{over: {at_least}}}, or action: {{move: SCHEMA.TABLE}}")
    };
    Finding {
        place: at.place.clone(),
        part: None,
        message: format!("{}: rows are kept {kept}, but {} asks for {at_least}", at.name, floor.at.name),
        advice: Some(advice),
    }
}

/// Whether there may be a database in which both entries apply.
pub fn share_a_database(one: &Option<String>, other: &Option<String>) -> bool {
    one.is_none() || other.is_none() || one == other
}

fn of_table(policy: &Policy, entry: &TablePolicy, depth: u8) -> Kept {
    let online = match entry.keep {
        None => return Kept::ForEver,
        Some(Keep::Time(span)) => Kept::For(span),
        Some(Keep::Values(values)) => Kept::Values(values),
    };
    match &entry.expire {
        Expire::Drop => online,
        // The rows are in the database still.
        Expire::Detach | Expire::Move { .. } | Expire::Archive { then: Then::Detach, .. } => Kept::ForEver,
        Expire::Attach { parent } => in_table(policy, parent, &entry.system, depth),
        Expire::Archive { archive, then: Then::Drop } => {
            match (online, policy.archives.get(archive).map(|archive| archive.keep)) {
                (_, Some(None)) => Kept::ForEver,
                (Kept::For(online), Some(Some(cold))) => Kept::For(Span {
                    months: online.months.saturating_add(cold.months),
                    days: online.days.saturating_add(cold.days),
                    micros: online.micros.saturating_add(cold.micros),
                }),
                (online, _) => online,
            }
        }
    }
}

fn of_job(policy: &Policy, job: &RowJob, depth: u8) -> Kept {
    match &job.action {
        RowAction::Keep | RowAction::Anonymise { .. } => Kept::ForEver,
        RowAction::Delete => job.age.as_ref().map_or(Kept::NotAtAll, |age| Kept::For(age.over)),
        RowAction::Move { to } => in_table(policy, to, &job.system, depth),
    }
}

/// What happens to rows that were handed on to a table: whatever lets them go first.
fn in_table(policy: &Policy, table: &TableName, system: &Option<String>, depth: u8) -> Kept {
    if depth >= DEEPEST {
        return Kept::ForEver;
    }
    let tables = policy.tables.iter().filter(|entry| entry.table == *table && share_a_database(&entry.system, system));
    let jobs = policy.rows.iter().filter(|job| job.table == *table && share_a_database(&job.system, system));
    let kept = tables.map(|entry| of_table(policy, entry, depth + 1));
    let kept = kept.chain(jobs.map(|job| of_job(policy, job, depth + 1)));
    let days = |kept: &Kept| match kept {
        Kept::ForEver => f64::INFINITY,
        Kept::For(span) => span.about_days(),
        Kept::Values(_) | Kept::NotAtAll => 0.0,
    };
    kept.min_by(|a, b| days(a).total_cmp(&days(b))).unwrap_or(Kept::ForEver)
}
