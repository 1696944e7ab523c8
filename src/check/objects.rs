//! What checks of single objects measure: indexes, sequences, migrations, partitions. Pure.

use super::measure::{Measured, number, part, some};
use super::scene::{Indexes, Reach, Scene};
use crate::bloat;
use crate::inspect::indexes::{Finding, Kind};
use crate::inspect::vitals::Part;

/// Smaller ones cost nothing that is worth a word, used or not.
const LEAST_UNUSED: u64 = 1 << 20;

/// Percent from which a table or index is bloated, and much so.
const BLOATED: f64 = 30.0;
const VERY_BLOATED: f64 = 50.0;
/// Bytes of what nothing is known of that are worth a word, however low the threshold is.
const LEAST_UNKNOWN: f64 = 10_485_760.0;

/// No more than this of a kind, the largest.
const MOST: usize = 500;

fn found(indexes: &Indexes, kind: Kind) -> impl Iterator<Item = &Finding> {
    indexes.found.iter().filter(move |finding| finding.kind == kind).take(MOST)
}

#[expect(clippy::cast_precision_loss, reason = "a size")]
fn size(finding: &Finding) -> f64 {
    finding.bytes.unwrap_or_default() as f64
}

pub(super) fn invalid_index(scene: &Scene) -> Part<Measured> {
    let mut measured = Measured::fine("every index is valid");
    for finding in found(part(&scene.indexes)?, Kind::Invalid) {
        let object = &finding.object;
        let said = format!("index {object} of {} is invalid: {}", finding.table, finding.evidence);
        measured.add("invalid", Some(object), 1.0, said);
        measured.fix(&finding.remedy);
    }
    Ok(measured)
}

pub(super) fn duplicate_index(scene: &Scene) -> Part<Measured> {
    let mut measured = Measured::fine("no index does the work of another one");
    for finding in found(part(&scene.indexes)?, Kind::Duplicate) {
        let object = &finding.object;
        measured.add("size", Some(object), size(finding), format!("index {object} is {}", finding.evidence));
        measured.fix(&finding.remedy);
    }
    Ok(measured)
}

pub(super) fn unused_index(scene: &Scene) -> Part<Measured> {
    let indexes = part(&scene.indexes)?;
    if indexes.standby {
        return Ok(Measured::fine("its primary knows which indexes are unused"));
    }
    let mut measured = Measured::fine("every index that costs something is used");
    let unused: Vec<&Finding> = found(indexes, Kind::Unused)
        .filter(|finding| finding.bytes.is_some_and(|bytes| bytes >= LEAST_UNUSED))
        .collect();
    let days = |seconds: f64| seconds / 86_400.0;
    if !unused.is_empty() && indexes.counted_seconds < scene.unused_after {
        return Err(format!(
            "{} not used so far, and uses are counted for {:.1} of {:.0} days only",
            some(unused.len(), "index was", "indexes were"),
            days(indexes.counted_seconds),
            days(scene.unused_after)
        ));
    }
    let elsewhere = if indexes.standbys > 0 { " (by queries here; those of standbys are not counted)" } else { "" };
    for finding in unused {
        let object = &finding.object;
        let said = format!("index {object} was {}{elsewhere}", finding.evidence);
        measured.add("age", Some(object), indexes.counted_seconds, said);
        measured.fix(&finding.remedy);
    }
    Ok(measured)
}

pub(super) fn fk_without_index(scene: &Scene) -> Part<Measured> {
    let mut measured = Measured::fine("every foreign key of a large table has an index");
    for finding in found(part(&scene.indexes)?, Kind::ForeignKey) {
        let (object, rows) = (&finding.object, finding.numbers.rows.unwrap_or_default());
        let said = format!("foreign key {object} has no index, and its table has {rows} rows");
        measured.add("rows", Some(object), number(rows), said);
        measured.fix(&finding.remedy);
    }
    Ok(measured)
}

pub(super) fn bloat(scene: &Scene) -> Part<Measured> {
    let look = part(&scene.bloat)?;
    let mut measured = Measured::fine("no table and no index would give much back");
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let gib = |bytes: u64| bytes as f64 / 1_073_741_824.0;
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let is_enough = |bytes: u64| bytes as f64 >= scene.bloated_from.max(LEAST_UNKNOWN);
    let untold = look.estimates.iter().filter(|one| {
        let modelled = matches!(one.kind, bloat::Kind::Table | bloat::Kind::MaterializedView);
        let unsure = one.confidence < bloat::Confidence::Medium
            && !one.grows
            && one.percent().is_some_and(|percent| percent >= BLOATED)
            && one.reclaimable().is_some_and(is_enough);
        unsure || modelled && one.expected.is_none() && is_enough(one.bytes)
    });
    let untold = untold.count();
    measured.unknown = (untold > 0)
        .then(|| format!("of {} nothing or little is known: see dbctl bloat", some(untold, "object", "objects")));
    let sure = look.estimates.iter().filter(|one| one.confidence >= bloat::Confidence::Medium && !one.grows);
    let mut found: Vec<(u64, f64, &bloat::Estimate)> = sure
        .filter_map(|one| Some((one.reclaimable()?, one.percent()?, one)))
        .filter(|(_, percent, _)| *percent >= BLOATED)
        .collect();
    found.sort_by_key(|(bytes, _, one)| (std::cmp::Reverse(*bytes), one.oid));
    for (bytes, percent, one) in found.into_iter().take(MOST) {
        #[expect(clippy::cast_precision_loss, reason = "a size")]
        let value = bytes as f64;
        // Not half of it is no emergency, however large it is.
        let value = if percent < VERY_BLOATED { value.min(10_737_418_240.0) } else { value };
        let (name, what) = (one.name.to_string(), one.kind.name());
        let said = format!("{what} {name} would give back {percent:.0} %, {:.2} GB", gib(bytes));
        measured.add("size", Some(&name), value, said);
        measured.fix(one.remedy().0);
    }
    Ok(measured)
}

pub(super) fn sequences(scene: &Scene) -> Part<Measured> {
    let all = part(&scene.sequences)?;
    let mut found = Measured::fine("no sequence is near its end");
    let unread = all.iter().filter(|s| !s.readable).count();
    found.unknown = (unread > 0).then(|| {
        format!(
            "{} cannot be read: locked, or for want of GRANT SELECT ON ALL SEQUENCES IN SCHEMA … TO this role",
            some(unread, "sequence", "sequences")
        )
    });
    for s in all.iter().filter(|s| !s.cycles) {
        let Some(used) = s.used_percent else { continue };
        let fills = s.fills.as_ref().map_or(String::new(), |fills| format!(", which fills {fills},"));
        found.add(
            "used",
            Some(&s.sequence),
            used,
            format!("{}{fills} has used {used:.1} % of its numbers", s.sequence),
        );
    }
    Ok(found)
}

pub(super) fn pending_migrations(scene: &Scene) -> Part<Measured> {
    let migrations = part(&scene.brought.migrations)?;
    if let Some(other) = &migrations.other_system {
        return Err(format!("the history there is that of {other}: what is pending cannot be told"));
    }
    let mut measured = Measured::fine("every migration is applied");
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let (pending, contradictions) = (migrations.pending as f64, migrations.contradictions as f64);
    let said = some(migrations.pending, "migration is pending", "migrations are pending");
    measured.add("pending", None, pending, said);
    let said = some(
        migrations.contradictions,
        "applied migration is not as its file has it",
        "applied migrations are not as their files have them",
    );
    measured.add("contradictions", None, contradictions, said);
    measured.fix("dbctl migrate status");
    Ok(measured)
}

pub(super) fn partitions(scene: &Scene) -> Part<Measured> {
    let mut measured = Measured::fine("no table of the policy wants partitions ahead");
    let mut unknown = Vec::new();
    for runway in part(&scene.brought.runways)? {
        let table = Some(runway.table.as_str());
        match &runway.reach {
            Ok(Reach::Seconds(seconds)) => {
                let said = format!("the partitions of {} reach {:.1} days ahead", runway.table, seconds / 86_400.0);
                measured.add("runway", table, *seconds, said);
            }
            Ok(Reach::Share(share)) => {
                let said = format!("the partitions of {} reach {share:.0} % of what is wanted ahead", runway.table);
                measured.add("share", table, *share, said);
            }
            Err(why) => unknown.push(why.clone()),
        }
    }
    if !measured.values.is_empty() {
        measured.fine = "the partitions of every table reach far enough".to_owned();
    }
    measured.unknown = (!unknown.is_empty()).then(|| unknown.join("; "));
    Ok(measured)
}
