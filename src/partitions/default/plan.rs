//! Promotes a DEFAULT partition: it becomes the range partition of the hole that its rows lie in, and a
//! new, empty one takes its place. No row is read under a lock: a CHECK, validated online, proves the
//! bounds. Pure.
//!
//! While that CHECK is there, the DEFAULT partition refuses rows outside of the bounds. They therefore
//! include the period of now, where the hole has room for it, and the CHECK goes as soon as anything
//! fails. Rows in more than one hole are `drain`'s work.

use std::collections::BTreeSet;

use super::assess::{Ground, literals};
use super::record::{Promotion, Record};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::likeness::{free_name, replica_identity, with_options};
use crate::partitions::workbench::lock;
use crate::policy::DefaultRule;
use crate::policy::key::{Edge, Range};
use crate::policy::naming::Template;
use crate::steps::{LockMode, Plan, Step, TableLock};

const COMMAND: &str = "partitions default promote";
/// The CHECK must not refuse what arrives when a period has just begun.
const SOON: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// What is going to be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// The steps.
    pub plan: Plan,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Decides.
///
/// # Errors
/// Refused where the rows do not lie in one hole.
pub fn promote(ground: &Ground<'_>) -> Result<Course> {
    let name = &ground.default.name;
    if let Some(Record::Drain(_)) = &ground.default.begun {
        return Err(Failure::new(Kind::Refused, format!("{name} is being drained"))
            .hint("let it end: dbctl partitions default drain …"));
    }
    if ground.contents.is_empty() && ground.default.begun.is_none() {
        return Ok(Course::default());
    }
    let range = range(ground)?;
    let (lower, upper) = literals(&ground.grid, range).ok_or_else(|| beyond(ground))?;
    let begun = match &ground.default.begun {
        Some(Record::Promote(promotion)) => Some(promotion),
        _ => None,
    };
    let check = |name: &str| ground.default.constraints.iter().find(|c| c.name == name && c.kind == "c");
    let fits = begun.filter(|begun| begun.lower == lower && begun.upper == upper && check(&begun.check).is_some());
    let mut steps = Vec::new();
    if begun.is_some() && fits.is_none() {
        steps.extend(undo(ground).steps);
    }
    let promotion = fits.cloned().unwrap_or_else(|| decide(ground, lower, upper));
    if fits.is_none() {
        steps.push(add_check(ground, &promotion)?);
    }
    if fits.is_none_or(|begun| check(&begun.check).is_none_or(|check| !check.valid)) {
        steps.push(validate(ground, &promotion));
    }
    let becomes = becomes(ground, range);
    steps.push(exchange(ground, &promotion, &becomes));
    let mut notes = vec![format!(
        "from the CHECK until the exchange {name} refuses rows outside of {} to {}; if rows of other times keep coming in, \
         drain it instead",
        promotion.lower, promotion.upper
    )];
    if ground.policy.default_partition == DefaultRule::Forbid {
        notes.push(format!(
            "the policy forbids a DEFAULT partition: afterwards {} has none, and refuses rows that no partition is for",
            ground.snapshot.table
        ));
    }
    Ok(Course { plan: Plan { steps }, notes })
}

/// Removes the CHECK of a promotion that was begun.
pub fn undo(ground: &Ground<'_>) -> Plan {
    let Some(Record::Promote(promotion)) = &ground.default.begun else { return Plan::default() };
    let name = &ground.default.name;
    let mut sql = Vec::new();
    if ground.default.constraints.iter().any(|c| c.name == promotion.check && c.kind == "c") {
        sql.push(format!("ALTER TABLE {name} DROP CONSTRAINT {};", Ident::new(promotion.check.as_str())));
    }
    sql.push(format!(
        "UPDATE dbctl.adoption SET state = 'aborted', changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        ground.default.facts.oid
    ));
    let step = ground.work(COMMAND).transaction(
        "drop check",
        format!("{name}: drop the CHECK of bounds"),
        "it refuses rows for a promotion that did not come about with these bounds",
        &sql,
        vec![lock(name, LockMode::AccessExclusive)],
    );
    Plan { steps: vec![step] }
}

/// From the grid line before the oldest row to the one behind the newest, and behind now where the
/// hole reaches there.
fn range(ground: &Ground<'_>) -> Result<Range> {
    let (name, contents) = (&ground.default.name, ground.contents);
    let refuse = |what: String| Failure::new(Kind::Refused, format!("{name} cannot be promoted: {what}"));
    if contents.nulls {
        return Err(refuse(format!("it has rows whose {} is NULL, which belong to no range", ground.policy.key))
            .hint(format!("SELECT * FROM {name} WHERE {} IS NULL;", ground.policy.key)));
    }
    if contents.infinite {
        return Err(refuse("it has rows at infinity".to_owned()).hint("drain it: they stay in the DEFAULT partition"));
    }
    // Begun, and emptied since: the CHECK alone is left.
    let (oldest, newest) = match (contents.ends, ground.now) {
        (Some(ends), _) => ends,
        (None, Some(now)) => (now, now),
        (None, None) => return Err(refuse("it has no rows any more".to_owned())),
    };
    let hole = ground.hole(oldest).ok_or_else(|| refuse("its oldest row lies where a partition is".to_owned()))?;
    if !hole.contains(newest) {
        return Err(refuse(format!(
            "between its rows of {} and {} there are other partitions",
            ground.grid.axis.literal(oldest),
            ground.grid.axis.literal(newest)
        ))
        .hint("drain it: every window gets a partition of its own"));
    }
    let mut upper = ground.grid.next(newest).ok_or_else(|| beyond(ground))?;
    let soon = ground
        .now
        .and_then(|now| ground.grid.axis.instant(now))
        .and_then(|now| ground.grid.axis.of_instant(now + SOON));
    if let (Some(now), Some(soon)) = (ground.now, soon)
        && hole.contains(now)
    {
        upper = upper.max(ground.grid.next(soon).unwrap_or(upper));
    }
    let lower = ground.grid.floor(oldest).ok_or_else(|| beyond(ground))?;
    Range::new(Edge::At(lower).max(hole.lower()), Edge::At(upper).min(hole.upper())).ok_or_else(|| beyond(ground))
}

fn beyond(ground: &Ground<'_>) -> Failure {
    Failure::new(Kind::Refused, format!("no grid line can be told for the rows of {}", ground.default.name))
}

fn decide(ground: &Ground<'_>, lower: String, upper: String) -> Promotion {
    let mut names: BTreeSet<String> = ground.default.constraints.iter().map(|c| c.name.clone()).collect();
    if let Some(Record::Promote(old)) = &ground.default.begun {
        names.remove(&old.check);
    }
    Promotion { check: free_name("dbctl_promote_range", &mut names), lower, upper }
}

fn add_check(ground: &Ground<'_>, promotion: &Promotion) -> Result<Step> {
    let name = &ground.default.name;
    let sql = [
        format!(
            "ALTER TABLE {name} ADD CONSTRAINT {} CHECK ({}) NOT VALID;",
            Ident::new(promotion.check.as_str()),
            ground.condition(&promotion.lower, &promotion.upper)
        ),
        begin(ground, &Record::Promote(promotion.clone()))?,
    ];
    Ok(ground.work(COMMAND).transaction(
        "check",
        format!("{name}: CHECK of the bounds, not validated"),
        "once it is validated, the exchange need not look at a row",
        &sql,
        vec![lock(name, LockMode::AccessExclusive)],
    ))
}

/// Notes what is begun.
pub fn begin(ground: &Ground<'_>, record: &Record) -> Result<String> {
    Ok(format!(
        "INSERT INTO dbctl.adoption (relation, table_name, plan, state) VALUES ({}, {}, {}, 'begun')\nON CONFLICT (relation) DO \
         UPDATE SET table_name = excluded.table_name, plan = excluded.plan, state = 'begun', \
         changed_at = pg_catalog.clock_timestamp();",
        ground.default.facts.oid,
        Literal(&ground.default.name.to_string()),
        Literal(&serde_json::to_string(record)?)
    ))
}

fn validate(ground: &Ground<'_>, promotion: &Promotion) -> Step {
    let name = &ground.default.name;
    ground.work(COMMAND).transaction(
        "validate",
        format!("{name}: validate the CHECK"),
        "reads every row; nobody who reads or writes waits",
        &[format!("ALTER TABLE {name} VALIDATE CONSTRAINT {};", Ident::new(promotion.check.as_str()))],
        vec![lock(name, LockMode::ShareUpdateExclusive)],
    )
}

/// What the old DEFAULT partition is called as a range.
fn becomes(ground: &Ground<'_>, range: Range) -> TableName {
    let template = ground.policy.name.clone().unwrap_or_else(|| Template::of(ground.policy.every));
    let name = template.name(ground.snapshot.table.name.raw(), range, &ground.grid.axis);
    let mut taken: BTreeSet<String> = ground.default.facts.names.iter().cloned().collect();
    TableName { schema: ground.default.name.schema.clone(), name: Ident::new(free_name(&name, &mut taken)) }
}

fn exchange(ground: &Ground<'_>, promotion: &Promotion, becomes: &TableName) -> Step {
    let (table, name) = (&ground.snapshot.table, &ground.default.name);
    let mut sql = waits(ground);
    sql.push(format!("ALTER TABLE {table} DETACH PARTITION {name};"));
    sql.push(format!("ALTER TABLE {name} RENAME TO {};", becomes.name));
    let bound = Ground::bound(&promotion.lower, &promotion.upper);
    sql.push(format!("ALTER TABLE {table} ATTACH PARTITION {becomes} {bound};"));
    sql.push(format!("ALTER TABLE {becomes} DROP CONSTRAINT {};", Ident::new(promotion.check.as_str())));
    if ground.policy.default_partition != DefaultRule::Forbid {
        sql.push(format!("CREATE TABLE {name} PARTITION OF {table} DEFAULT{};", options(ground)));
        sql.extend(likeness(ground, name));
    }
    let mut step = ground.work(COMMAND).transaction(
        "exchange",
        format!("{table}: {name} becomes {becomes}"),
        "changes the catalog only",
        &sql,
        locks(ground),
    );
    step.record.push(format!(
        "UPDATE dbctl.adoption SET state = 'done', changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        ground.default.facts.oid
    ));
    step
}

/// All that is waited for comes first: whoever is locked out already waits for work alone.
pub fn waits(ground: &Ground<'_>) -> Vec<String> {
    let mut sql = vec![
        format!("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE;", ground.snapshot.table),
        format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE;", ground.default.name),
    ];
    sql.extend(referenced(ground).map(|other| format!("LOCK TABLE {other} IN ACCESS EXCLUSIVE MODE;")));
    sql
}

/// The locks of an exchange.
pub fn locks(ground: &Ground<'_>) -> Vec<TableLock> {
    let mut locks = vec![
        lock(&ground.snapshot.table, LockMode::AccessExclusive),
        lock(&ground.default.name, LockMode::AccessExclusive),
    ];
    locks.extend(referenced(ground).map(|other| lock(other, LockMode::AccessExclusive)));
    locks
}

fn referenced<'a>(ground: &Ground<'a>) -> impl Iterator<Item = &'a str> {
    let own = ground.snapshot.facts.shown.as_str();
    let others: BTreeSet<&str> = ground.snapshot.set.outbound.iter().map(|key| key.table.as_str()).collect();
    others.into_iter().filter(move |other| *other != own)
}

/// Storage parameters as the DEFAULT partition has them.
pub fn options(ground: &Ground<'_>) -> String {
    let facts = &ground.default.facts;
    with_options(&facts.options, &facts.toast_options, &ground.policy.storage)
}

/// Owner, rights, row security and replica identity as the DEFAULT partition (or its table) has them.
pub fn likeness(ground: &Ground<'_>, table: &TableName) -> Vec<String> {
    let facts = &ground.default.facts;
    let mut sql = vec![format!("ALTER TABLE {table} OWNER TO {};", Ident::new(facts.owner.as_str()))];
    sql.extend(ground.default.grants.statements(&table.to_string(), &facts.owner));
    if let Some(identity) = replica_identity(&facts.replica_identity) {
        sql.push(format!("ALTER TABLE {table} REPLICA IDENTITY {identity};"));
    }
    // The table's policies hold for what goes through it. Straight into the partition: nobody but its owner.
    if ground.snapshot.facts.row_security || facts.row_security {
        sql.push(format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"));
    }
    sql
}
