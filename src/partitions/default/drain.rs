//! Drains a DEFAULT partition whose rows lie in several holes: every window gets a partition of its
//! own. Pure.
//!
//! A row must never be hidden from readers, and the server attaches a partition only when the DEFAULT
//! one has no row for it: rows can therefore not be moved window by window in batches. So they are
//! copied while everybody works, and then one exchange replaces the whole DEFAULT partition:
//!
//! 1. a partitioned table of its own, the stage, gets a partition for each window, and one for the rest;
//! 2. triggers log the primary key of every row that changes in the DEFAULT partition;
//! 3. the log is filled with the keys of all rows that were there before;
//! 4. in batches, the rows of logged keys are taken over as they are now, and their log entries go; what
//!    is logged twice is taken over twice, so that order does not matter and any end can be gone on from;
//! 5. when little is left, the partitions leave the stage, and it goes;
//! 6. the exchange locks the DEFAULT partition, takes the last entries over, detaches it, and attaches
//!    the new partitions, the rest as the new DEFAULT partition.
//!
//! The old DEFAULT partition is left, detached, with all its rows: whoever has looked drops it.

use std::collections::BTreeSet;

use super::assess::{Ground, literals};
use super::log::{function, log, seed, untie};
use super::plan::{Course, begin, likeness, locks, options, waits};
use super::record::{Draining, Record, Target};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::likeness::{free_name, suffixed};
use crate::partitions::workbench::lock;
use crate::policy::DefaultRule;
use crate::policy::key::Range;
use crate::policy::naming::Template;
use crate::steps::{LockMode, Plan, Step};

pub(super) const COMMAND: &str = "partitions default drain";
/// The CHECK of each new partition; it goes with the exchange.
const CHECK: &str = "dbctl_drain_range";

/// The steps before the batches, and the exchange after them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// Before the batches.
    pub prepare: Course,
    /// After them.
    pub exchange: Plan,
    /// One batch: `$1` is how many log entries it takes; it answers with how many are left.
    pub batch: String,
}

/// Decides.
///
/// # Errors
/// Refused where rows cannot be told apart, or there are too many windows.
pub fn drain(ground: &Ground<'_>) -> Result<Draft> {
    let name = &ground.default.name;
    if let Some(Record::Promote(_)) = &ground.default.begun {
        return Err(Failure::new(Kind::Refused, format!("{name} is being promoted"))
            .hint("let it end: dbctl partitions default promote …"));
    }
    let begun = match &ground.default.begun {
        Some(Record::Drain(draining)) => Some(draining),
        _ => None,
    };
    if begun.is_none() && ground.contents.ends.is_none() {
        return Ok(Draft::default());
    }
    let key = primary_key(ground)?;
    let mut steps = Vec::new();
    let fits = begun.filter(|begun| fits(ground, begun));
    if begun.is_some() && fits.is_none() {
        steps.push(clear(ground, begun));
    }
    let draining = match fits {
        Some(draining) => draining.clone(),
        None => decide(ground, begun)?,
    };
    if fits.is_none() {
        steps.push(stage(ground, &draining)?);
    }
    if !draining.logged {
        steps.push(log(ground, &draining, &key));
    }
    if !draining.seeded {
        steps.push(seed(ground, &key));
    }
    let mut notes = vec![
        format!(
            "{name} is left as {} when the exchange is done, with all its rows: look, then drop it",
            Ident::new(draining.drained.as_str())
        ),
        format!("until then its rows need their disk space twice, and TRUNCATE of {name} is refused"),
    ];
    if ground.contents.nulls || ground.contents.infinite {
        notes.push("rows without a window (NULL, infinity) stay in the DEFAULT partition".to_owned());
    }
    Ok(Draft {
        prepare: Course { plan: Plan { steps }, notes },
        batch: format!(
            "SELECT {}($1::integer) AS remaining",
            function(ground, if draining.apart.is_some() { "last" } else { "take" })
        ),
        exchange: Plan { steps: part(ground, &draining).into_iter().chain([exchange(ground, &draining)]).collect() },
    })
}

fn primary_key(ground: &Ground<'_>) -> Result<Vec<Ident>> {
    let found = ground.default.indexes.iter().find(|index| index.primary);
    found.map(|index| index.columns.iter().map(|c| Ident::new(c.as_str())).collect()).ok_or_else(|| {
        Failure::new(
            Kind::Refused,
            format!("{} has no primary key: its rows cannot be told apart", ground.default.name),
        )
        .hint("add one, or promote it where its rows lie in one hole: dbctl partitions default promote …")
    })
}

/// Whether what was begun can be gone on with: somebody may have made a partition in a window.
fn fits(ground: &Ground<'_>, begun: &Draining) -> bool {
    let free = |target: &Target| {
        let edges = (ground.grid.axis.parse(&target.lower), ground.grid.axis.parse(&target.upper));
        let (Ok(lower), Ok(upper)) = edges else { return false };
        Range::new(lower, upper).is_some_and(|range| !ground.coverage.touches(range))
    };
    begun.stage_oid.is_some() && begun.windows.iter().all(free)
}

fn decide(ground: &Ground<'_>, old: Option<&Draining>) -> Result<Draining> {
    let (table, name) = (ground.snapshot.table.name.raw(), ground.default.name.name.raw());
    if ground.contents.more {
        return Err(Failure::new(
            Kind::Refused,
            format!("{} has rows in more than {} windows", ground.default.name, ground.contents.windows.len()),
        )
        .hint("a wider grid, or promote it where its rows lie in one hole"));
    }
    let mut taken: BTreeSet<String> = ground.snapshot.facts.names.iter().cloned().collect();
    for free in old.iter().flat_map(|old| old.windows.iter().map(|w| &w.name).chain([&old.stage, &old.rest])) {
        taken.remove(free);
    }
    let template = ground.policy.name.clone().unwrap_or_else(|| Template::of(ground.policy.every));
    let mut windows = Vec::new();
    for (window, _) in &ground.contents.windows {
        // What of the window no partition holds; more than one piece where partitions lie off the grid.
        for piece in ground.coverage.gaps(*window) {
            if let Some((lower, upper)) = literals(&ground.grid, piece) {
                let name = free_name(&template.name(table, piece, &ground.grid.axis), &mut taken);
                windows.push(Target { name, lower, upper });
            }
        }
    }
    Ok(Draining {
        stage: free_name(&suffixed(table, "_dbctl_stage"), &mut taken),
        stage_oid: None,
        rest: free_name(name, &mut taken),
        drained: free_name(&suffixed(name, "_drained"), &mut taken),
        windows,
        logged: false,
        seeded: false,
        apart: None,
    })
}

pub(super) fn note(ground: &Ground<'_>, what: &str, value: &str) -> String {
    format!(
        "UPDATE dbctl.adoption SET plan = pg_catalog.jsonb_set(plan, '{{{what}}}', {value}), \
         changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        ground.default.facts.oid
    )
}

fn stage(ground: &Ground<'_>, draining: &Draining) -> Result<Step> {
    let (table, stage) = (&ground.snapshot.table, ground.name(&draining.stage));
    let key = &ground.policy.key;
    let mut sql = vec![
        begin(ground, &Record::Drain(draining.clone()))?,
        format!(
            "CREATE TABLE {stage} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS) PARTITION BY RANGE ({key});"
        ),
    ];
    for target in &draining.windows {
        let name = ground.name(&target.name);
        let bound = Ground::bound(&target.lower, &target.upper);
        sql.push(format!("CREATE TABLE {name} PARTITION OF {stage} {bound}{};", options(ground)));
        // The exchange need not look at its rows then.
        sql.push(format!(
            "ALTER TABLE {name} ADD CONSTRAINT {CHECK} CHECK ({});",
            ground.condition(&target.lower, &target.upper)
        ));
        sql.extend(dress(ground, &name));
    }
    let rest = ground.name(&draining.rest);
    sql.push(format!("CREATE TABLE {rest} PARTITION OF {stage} DEFAULT{};", options(ground)));
    sql.extend(dress(ground, &rest));
    let oid = format!(
        "pg_catalog.to_jsonb({}::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8)",
        Literal(&stage.to_string())
    );
    sql.push(note(ground, "stage_oid", &oid));
    let mut locks = vec![lock(table, LockMode::AccessShare)];
    locks.extend(ground.snapshot.set.outbound.iter().map(|key| lock(&key.table, LockMode::ShareRowExclusive)));
    Ok(ground.work(COMMAND).transaction(
        "stage",
        format!("{table}: prepare {} partitions in {stage}", draining.windows.len()),
        "empty tables that nobody knows yet",
        &sql,
        locks,
    ))
}

/// Foreign keys are checked for each row that is copied, not for all of them in the exchange.
fn dress(ground: &Ground<'_>, table: &TableName) -> Vec<String> {
    let mut sql = likeness(ground, table);
    for key in &ground.snapshot.set.outbound {
        sql.push(format!("ALTER TABLE {table} ADD CONSTRAINT {} {};", Ident::new(key.name.as_str()), key.definition));
    }
    sql
}

/// Takes the partitions out of the stage, which is nobody's business: the exchange is shorter by that.
fn part(ground: &Ground<'_>, draining: &Draining) -> Option<Step> {
    if draining.apart.is_some() {
        return None;
    }
    let stage = ground.name(&draining.stage);
    let parts: Vec<TableName> = parts(draining).map(|name| ground.name(name)).collect();
    let mut sql: Vec<String> =
        parts.iter().map(|part| format!("ALTER TABLE {stage} DETACH PARTITION {part};")).collect();
    sql.push(format!("DROP TABLE {stage};"));
    let oids: Vec<String> = parts
        .iter()
        .map(|part| format!("{}::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8", Literal(&part.to_string())))
        .collect();
    sql.push(note(ground, "apart", &format!("pg_catalog.to_jsonb(ARRAY[{}])", oids.join(", "))));
    Some(ground.work(COMMAND).transaction(
        "part",
        format!("{}: {} partitions leave {stage}", ground.snapshot.table, draining.windows.len()),
        "nobody knows them yet; what is done now is not done under a lock",
        &sql,
        vec![],
    ))
}

/// All partitions of the stage, the rest last.
fn parts(draining: &Draining) -> impl Iterator<Item = &str> {
    draining.windows.iter().map(|target| target.name.as_str()).chain([draining.rest.as_str()])
}

fn exchange(ground: &Ground<'_>, draining: &Draining) -> Step {
    let (table, name) = (&ground.snapshot.table, &ground.default.name);
    let rest = ground.name(&draining.rest);
    let mut sql = waits(ground);
    // Everything, however much has come since the last batch.
    sql.push(format!("SELECT {}(2147483647);", function(ground, "last")));
    sql.push(format!("ALTER TABLE {table} DETACH PARTITION {name};"));
    sql.extend(untie(ground));
    sql.push(format!("ALTER TABLE {name} RENAME TO {};", Ident::new(draining.drained.as_str())));
    for target in &draining.windows {
        let part = ground.name(&target.name);
        sql.push(format!(
            "ALTER TABLE {table} ATTACH PARTITION {part} {};",
            Ground::bound(&target.lower, &target.upper)
        ));
        sql.push(format!("ALTER TABLE {part} DROP CONSTRAINT {CHECK};"));
    }
    let attach = [
        format!("ALTER TABLE {rest} RENAME TO {};", name.name),
        format!("ALTER TABLE {table} ATTACH PARTITION {} DEFAULT;", ground.name(name.name.raw())),
    ];
    if ground.policy.default_partition == DefaultRule::Forbid {
        // Rows without a window need a place all the same.
        let body = format!(
            "BEGIN IF EXISTS (SELECT FROM {rest}) THEN {} ELSE DROP TABLE {rest}; END IF; END",
            attach.join(" ")
        );
        sql.push(format!("DO {};", Literal(&body)));
    } else {
        sql.extend(attach);
    }
    let mut step = ground.work(COMMAND).transaction(
        "exchange",
        format!("{table}: {} partitions take the place of {name}", draining.windows.len()),
        "takes over what has changed since the last batch, then changes the catalog only",
        &sql,
        locks(ground),
    );
    step.record.push(format!(
        "UPDATE dbctl.adoption SET state = 'done', changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        ground.default.facts.oid
    ));
    step
}

/// Removes what was begun, by the oid that was noted: the stage has copies only.
fn clear(ground: &Ground<'_>, begun: Option<&Draining>) -> Step {
    let name = &ground.default.name;
    let mut sql = untie(ground);
    let mut copies: Vec<(TableName, i64)> = Vec::new();
    if let Some(begun) = begun {
        copies.extend(begun.stage_oid.map(|oid| (ground.name(&begun.stage), oid)));
        let apart = begun.apart.iter().flatten().copied();
        copies.extend(parts(begun).map(|name| ground.name(name)).zip(apart));
    }
    for (copy, oid) in copies {
        let body = format!(
            "BEGIN IF pg_catalog.to_regclass({}) = {oid}::pg_catalog.oid THEN DROP TABLE {copy}; END IF; END",
            Literal(&copy.to_string())
        );
        sql.push(format!("DO {};", Literal(&body)));
    }
    ground.work(COMMAND).transaction(
        "clear",
        format!("{name}: remove the copies of a drain that does not fit any more"),
        "a partition was made where one of its windows is; all rows are still in the DEFAULT partition",
        &sql,
        vec![lock(name, LockMode::AccessExclusive)],
    )
}
