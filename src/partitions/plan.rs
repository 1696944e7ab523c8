//! What a table needs: partitions to make, partitions that have expired, and what stands against
//! either. A pure function of policy, catalog, state and the time.

use chrono::{DateTime, NaiveTime, Utc};
use sha2::{Digest, Sha256};

use super::coverage::Coverage;
use super::read::{PartitionKind, Recorded};
use super::set::{Member, Set};
use crate::ident::TableName;
use crate::policy::calendar::Axis;
use crate::policy::key::{Edge, Range};
use crate::policy::span::Span;
use crate::policy::{Ahead, DayRange, DefaultRule, Expire, Hold, Keep, Misaligned, Protect, TablePolicy, Then, glob};

/// More partitions than this are never made in one run for one table: a policy that asks for more is
/// a mistake more often than a wish.
const MOST_CREATED: usize = 20_000;

/// What one run may do, and what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Partitions are made.
    pub create: bool,
    /// Expired ones leave.
    pub expire: bool,
    /// `--arm`: partitions of this table may leave from now on.
    pub arm: bool,
    /// `drop --yes`: they may in this run, armed or not.
    pub once: bool,
    /// `--accept-policy-change HASH`.
    pub accept: Option<String>,
    /// `--max-drops N`: instead of the policy's rails.
    pub max_drops: Option<u32>,
}

/// What a table needs.
#[derive(Debug, Clone, PartialEq)]
pub struct TablePlan {
    /// The table.
    pub table: TableName,
    /// Its oid.
    pub oid: u32,
    /// Pending detaches that must be ended first.
    pub finalize: Vec<Candidate>,
    /// Partitions to be made, in order.
    pub create: Vec<Creation>,
    /// A DEFAULT partition is to be made.
    pub make_default: bool,
    /// Partitions that leave now, oldest first.
    pub expire: Vec<Candidate>,
    /// Expired ones that stay, and why.
    pub kept: Vec<Kept>,
    /// The retention is to be recorded as armed.
    pub record: bool,
    /// What a person must look at.
    pub attentions: Vec<Attention>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// What lies before it is expired.
    pub cutoff: Option<i128>,
    /// Until where partitions should reach.
    pub horizon: Option<i128>,
    /// Until where they reach from now on without a gap; nothing when now itself has none.
    pub covered: Option<Edge>,
}

/// A partition that something will happen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// What it holds.
    pub range: Range,
}

/// A partition to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// What it will hold.
    pub range: Range,
    /// Less than a period of the grid.
    pub short: bool,
}

/// An expired partition that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The partition.
    pub partition: Candidate,
    /// Why.
    pub why: String,
}

/// Something that a person must look at: the run ends with exit code 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// Stable name for scripts.
    pub id: &'static str,
    /// What.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What the plan needs besides the set.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The retention under which partitions were last let go.
    pub recorded: Option<&'a Recorded>,
    /// Schema dbctl may not be read.
    pub state_unreadable: bool,
    /// Holds of the policy and of the database.
    pub holds: &'a [Hold],
    /// Locks that all sessions together may hold.
    pub lock_slots: u64,
}

/// Plans one table.
pub fn plan(set: &Set<'_>, ground: &Ground<'_>, wish: &Wish) -> TablePlan {
    let entry = set.policy;
    let coverage = set.coverage();
    let candidate = |member: &Member<'_>| Candidate {
        oid: member.partition.oid,
        name: member.partition.name.clone(),
        range: member.range,
    };
    let mut plan = TablePlan {
        table: entry.table.clone(),
        oid: set.table.oid,
        finalize: set.pending.iter().map(candidate).collect(),
        create: Vec::new(),
        make_default: false,
        expire: Vec::new(),
        kept: Vec::new(),
        record: false,
        attentions: Vec::new(),
        notes: Vec::new(),
        cutoff: entry.keep.and_then(|keep| set.grid.cutoff(set.now, keep, entry.exact)),
        horizon: set.grid.horizon(set.now, entry.ahead),
        covered: coverage.until(set.now),
    };
    if wish.create {
        plan_creation(set, ground, &mut plan);
    }
    if wish.expire {
        plan_expiry(set, ground, wish, &mut plan);
    }
    plan
}

fn plan_creation(set: &Set<'_>, ground: &Ground<'_>, plan: &mut TablePlan) {
    let entry = set.policy;
    plan.make_default = entry.default_partition == DefaultRule::Require && set.default.is_none();
    let Some(horizon) = plan.horizon else {
        if entry.ahead != Ahead::Never {
            plan.attentions.push(Attention {
                id: "horizon",
                message: format!("{}: 'ahead' reaches beyond what the key can hold", entry.table),
                hint: None,
            });
        }
        return;
    };
    let today = set.grid.floor(set.now);
    let from = entry.from.and_then(|day| set.grid.axis.of_wall(day.and_time(NaiveTime::MIN)));
    // Nothing is made that has expired.
    let kept = plan.cutoff.and_then(|cutoff| set.grid.floor(cutoff));
    let from = from.and_then(|at| set.grid.floor(at)).map(|at| at.max(kept.unwrap_or(at)));
    let Some(start) = [today, from].into_iter().flatten().min() else { return };
    // A pending detach still occupies its range.
    let occupied = Coverage::of(set.members.iter().chain(&set.pending).map(|member| member.range));
    let mut line = start;
    let mut short = Vec::new();
    while line < horizon && plan.create.len() < MOST_CREATED {
        let Some(next) = set.grid.next(line) else { break };
        if let Some(period) = Range::new(Edge::At(line), Edge::At(next)) {
            for gap in occupied.gaps(period) {
                if plan.cutoff.is_some_and(|cutoff| gap.upper() <= Edge::At(cutoff)) {
                    continue;
                }
                let whole = gap == period;
                if whole || entry.on_misaligned == Misaligned::Bridge {
                    plan.create.push(Creation { range: gap, short: !whole });
                } else {
                    short.push(gap);
                }
            }
        }
        line = next;
    }
    if let Some(first) = short.first() {
        plan.attentions.push(Attention {
            id: "misaligned",
            message: format!(
                "{}: {} to {} has no partition and is less than a period of the grid{}",
                entry.table,
                set.bound_text(first.lower()),
                set.bound_text(first.upper()),
                match short.len() {
                    1 => String::new(),
                    more => format!(", and {} more such holes", more - 1),
                }
            ),
            hint: Some("let a short partition fill it with 'on_misaligned: bridge'".to_owned()),
        });
    }
    guard_locks(set, ground, plan);
}

/// A query without a usable condition on the key locks every partition and its indexes: more than half
/// of the lock table for one such query is an outage in waiting.
fn guard_locks(set: &Set<'_>, ground: &Ground<'_>, plan: &mut TablePlan) {
    let partitions = (set.members.len() + plan.create.len()) as u64;
    let locks = partitions * (1 + set.table.indexes);
    let share = 100 * locks / ground.lock_slots.max(1);
    let says = format!(
        "{}: a query over all of its {partitions} partitions takes {locks} locks, {share} % of what this server has room for",
        plan.table
    );
    let hint = "a wider 'every', a shorter 'ahead', or a larger max_locks_per_transaction".to_owned();
    if share >= 50 && !plan.create.is_empty() {
        plan.create.clear();
        plan.attentions.push(Attention {
            id: "lock_budget",
            message: format!("{says}: none are added"),
            hint: Some(hint),
        });
    } else if share >= 25 {
        plan.notes.push(format!("{says}: {hint}"));
    }
}

fn plan_expiry(set: &Set<'_>, ground: &Ground<'_>, wish: &Wish, plan: &mut TablePlan) {
    let entry = set.policy;
    let (Some(keep), Some(cutoff)) = (entry.keep, plan.cutoff) else { return };
    plan.record = wish.arm && ground.recorded.is_none();
    // What was allowed is remembered as it is now, so that less asks again, whenever that comes.
    let changed = ground.recorded.is_some_and(|known| *known != recorded(entry, keep));
    if changed && unarmed(set, ground, wish, keep, 0).is_none() {
        plan.record = true;
    }
    if ground.state_unreadable {
        plan.attentions.push(Attention {
            id: "state_unreadable",
            message: format!("{}: schema dbctl may not be read: what waits and what is held is UNKNOWN", entry.table),
            hint: Some(
                "let the owner of schema dbctl run: GRANT USAGE ON SCHEMA dbctl TO …; GRANT SELECT ON ALL TABLES IN SCHEMA dbctl TO …"
                    .to_owned(),
            ),
        });
    }
    for pending in set.pending.iter().filter(|member| member.range.upper() > Edge::At(cutoff)) {
        let (name, range) = (&pending.partition.name, pending.range);
        plan.attentions.push(Attention {
            id: "detached_early",
            message: format!("a detach of {name} was begun by hand, and has to be ended; its rows have not expired"),
            hint: Some(format!(
                "if it was not meant: ALTER TABLE {} ATTACH PARTITION {name} FOR VALUES FROM ({}) TO ({});",
                entry.table,
                set.bound_sql(range.lower()),
                set.bound_sql(range.upper())
            )),
        });
    }
    let expired: Vec<&Member<'_>> = set.members.iter().filter(|m| m.range.upper() <= Edge::At(cutoff)).collect();
    let mut leave = Vec::new();
    for member in &expired {
        let partition =
            Candidate { oid: member.partition.oid, name: member.partition.name.clone(), range: member.range };
        match stays(set, member, ground) {
            Some(Stay::Kept(why)) => plan.kept.push(Kept { partition, why }),
            Some(Stay::Attention(attention)) => {
                plan.kept.push(Kept { partition, why: attention.message.clone() });
                plan.attentions.push(attention);
            }
            None => leave.push(partition),
        }
    }
    if leave.is_empty() {
        return;
    }
    let stop = rail(set, ground, wish, plan, leave.len(), keep);
    if let Some(attention) = stop {
        let why = attention.message.clone();
        plan.kept.extend(leave.into_iter().map(|partition| Kept { partition, why: why.clone() }));
        plan.attentions.push(attention);
        return;
    }
    plan.expire = leave;
}

/// Why an expired partition stays.
pub enum Stay {
    /// It is meant to.
    Kept(String),
    /// Somebody should know.
    Attention(Attention),
}

/// Whether an expired partition stays, whatever else happens to its table.
pub fn stays(set: &Set<'_>, member: &Member<'_>, ground: &Ground<'_>) -> Option<Stay> {
    let name = &member.partition.name;
    if member.range.contains(set.now) {
        return Some(Stay::Kept("it holds the present".to_owned()));
    }
    if protected(set, name, member.range) {
        return Some(Stay::Kept("protected by the policy".to_owned()));
    }
    if let Some(hold) = held(set, member.range, ground.holds) {
        return Some(Stay::Attention(held_back(&name.to_string(), hold)));
    }
    let what = match member.partition.kind {
        PartitionKind::Table => return None,
        PartitionKind::Partitioned => "is partitioned itself",
        PartitionKind::Foreign => "is a foreign table",
    };
    Some(Stay::Attention(Attention {
        id: "not_a_table",
        message: format!("{name} has expired, but it {what}: dbctl leaves it alone"),
        hint: None,
    }))
}

/// Whether the policy says that a partition never leaves.
pub fn protected(set: &Set<'_>, name: &TableName, range: Range) -> bool {
    set.policy.rails.protect.iter().any(|protect| match protect {
        Protect::Named(pattern) => glob::matches(pattern, name.name.raw()) || glob::matches(pattern, &raw(name)),
        Protect::Days(days) => touches(&set.grid.axis, *days, range),
    })
}

/// What is told of an expired partition that a hold keeps.
pub fn held_back(name: &str, hold: &Hold) -> Attention {
    Attention {
        id: "hold",
        message: format!("{name} has expired and is held by {}: {}", hold.id, hold.reason),
        hint: Some(format!(
            "when the hold has ended: dbctl partitions hold lift {}, or its entry in the policy",
            hold.id
        )),
    }
}

/// The hold that keeps rows of this range.
pub fn held<'h>(set: &Set<'_>, range: Range, holds: &'h [Hold]) -> Option<&'h Hold> {
    let table = raw(&set.policy.table);
    holds.iter().find(|hold| {
        hold.tables.iter().any(|pattern| glob::matches(pattern, &table)) && touches(&set.grid.axis, hold.days, range)
    })
}

/// Whether a range touches these days. An axis without time has no days: it is touched.
fn touches(axis: &Axis, days: DayRange, range: Range) -> bool {
    let edge = |day: Option<chrono::NaiveDate>, open: Edge| match day {
        None => Some(open),
        Some(day) => axis.of_wall(day.and_time(NaiveTime::MIN)).map(Edge::At),
    };
    match (edge(days.from, Edge::Min), edge(days.to, Edge::Max)) {
        (Some(from), Some(to)) => Range::new(from, to).is_some_and(|held| held.overlaps(range)),
        _ => true,
    }
}

/// What stops all of a table's expiry.
fn rail(
    set: &Set<'_>,
    ground: &Ground<'_>,
    wish: &Wish,
    plan: &TablePlan,
    leaving: usize,
    keep: Keep,
) -> Option<Attention> {
    let entry = set.policy;
    let table = &entry.table;
    let attention = |id, message: String, hint: String| Some(Attention { id, message, hint: Some(hint) });
    if ground.state_unreadable {
        return attention(
            "state_unreadable",
            format!("{table}: schema dbctl may not be read, so it is UNKNOWN whether its partitions were allowed to leave"),
            "let the owner of schema dbctl run: GRANT USAGE ON SCHEMA dbctl TO …; GRANT SELECT ON ALL TABLES IN SCHEMA dbctl TO …"
                .to_owned(),
        );
    }
    if let Some(attention) = unarmed(set, ground, wish, keep, leaving) {
        return Some(attention);
    }
    let max = wish.max_drops.unwrap_or(entry.rails.max_drops);
    if leaving as u64 > u64::from(max) {
        return attention(
            "max_drops",
            format!("{table}: {leaving} partitions have expired, and at most {max} may leave in one run: none does"),
            format!(
                "look at 'dbctl partitions plan {table}'; if it is right: dbctl partitions rotate {table} --max-drops {leaving}"
            ),
        );
    }
    let all = set.members.len();
    let share = leaving as f64 / all.max(1) as f64;
    if leaving > 1 && wish.max_drops.is_none() && share > entry.rails.max_drop_fraction {
        return attention(
            "max_drop_fraction",
            format!(
                "{table}: {leaving} of its {all} partitions have expired, more than {:.0} % of them: none leaves",
                entry.rails.max_drop_fraction * 100.0
            ),
            format!(
                "look at 'dbctl partitions plan'; if it is right: --max-drops {leaving}, or rails.max_drop_fraction"
            ),
        );
    }
    let stays = set.members.iter().filter(|m| plan.cutoff.is_none_or(|cutoff| m.range.upper() > Edge::At(cutoff)));
    let newest = stays.map(|m| m.range.upper()).chain(plan.create.iter().map(|c| c.range.upper())).max();
    if newest.is_none_or(|upper| upper <= Edge::At(set.now)) && entry.ahead != Ahead::Never {
        return attention(
            "last_partition",
            format!("{table}: no partition would be left that takes new rows: none leaves"),
            "make new ones first: dbctl partitions create".to_owned(),
        );
    }
    if newest.is_none() && leaving == all {
        return attention(
            "last_partition",
            format!("{table}: its last partition has expired, and stays"),
            "drop the table by hand if it is not needed any more".to_owned(),
        );
    }
    None
}

/// Nothing leaves before somebody has said so once, and again when less is to be kept.
fn unarmed(set: &Set<'_>, ground: &Ground<'_>, wish: &Wish, keep: Keep, leaving: usize) -> Option<Attention> {
    let entry = set.policy;
    let table = &entry.table;
    let Some(known) = ground.recorded else {
        return (!wish.arm && !wish.once).then(|| Attention {
            id: "unarmed",
            message: format!(
                "{table}: {leaving} partitions have expired; none ever left by this policy, so none does now"
            ),
            hint: Some(format!(
                "look at 'dbctl partitions plan {table}', then once: dbctl partitions rotate {table} --arm"
            )),
        });
    };
    let now = recorded(entry, keep);
    if *known == now {
        return None;
    }
    let was = parse_keep(&known.keep).and_then(|keep| set.grid.cutoff(set.now, keep, entry.exact));
    let is = set.grid.cutoff(set.now, keep, entry.exact);
    let shorter = match (was, is) {
        (Some(was), Some(is)) => is > was,
        _ => known.keep != now.keep,
    };
    let harsher = harshness(&now.expire) > harshness(&known.expire);
    let hash = change_hash(entry, keep);
    if !(shorter || harsher) || wish.accept.as_deref() == Some(hash.as_str()) {
        return None;
    }
    Some(Attention {
        id: "policy_change",
        message: format!(
            "{table}: the policy now says keep {}, {}; partitions last left under keep {}, {}: none leaves",
            now.keep, now.expire, known.keep, known.expire
        ),
        hint: Some(format!("if that is meant: --accept-policy-change {hash}")),
    })
}

/// What is recorded when partitions leave.
pub fn recorded(entry: &TablePolicy, keep: Keep) -> Recorded {
    Recorded { keep: keep_words(keep), expire: expire_words(&entry.expire) }
}

/// A retention in words that are read back.
pub fn keep_words(keep: Keep) -> String {
    match keep {
        Keep::Time(span) => span.to_string(),
        Keep::Values(values) => format!("{values} values"),
    }
}

fn parse_keep(words: &str) -> Option<Keep> {
    match words.strip_suffix(" values") {
        Some(values) => values.parse().ok().map(Keep::Values),
        None => Span::parse(words).ok().map(Keep::Time),
    }
}

/// An expiry in words.
pub fn expire_words(expire: &Expire) -> String {
    match expire {
        Expire::Drop => "drop".to_owned(),
        Expire::Detach => "detach".to_owned(),
        Expire::Move { schema } => format!("move to {schema}"),
        Expire::Attach { parent } => format!("attach to {parent}"),
        Expire::Archive { archive, then: Then::Drop } => format!("archive {archive}, then drop"),
        Expire::Archive { archive, then: Then::Detach } => format!("archive {archive}, then detach"),
    }
}

/// 0 leaves the rows in the database, 1 in an archive, 2 nowhere.
fn harshness(words: &str) -> u8 {
    match words {
        "drop" => 2,
        archive if archive.ends_with("then drop") => 1,
        _ => 0,
    }
}

/// Names a policy change, so that nobody accepts another one than was read.
fn change_hash(entry: &TablePolicy, keep: Keep) -> String {
    let text = format!("{}\n{}\n{}", raw(&entry.table), keep_words(keep), expire_words(&entry.expire));
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// `schema.table`, unquoted: what globs match and schema dbctl keeps.
pub fn raw(name: &TableName) -> String {
    format!("{}.{}", name.schema.raw(), name.name.raw())
}

/// Whether a partition that was put aside may be dropped now.
pub fn grace_is_over(drop_after: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    drop_after.is_some_and(|after| after <= now)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
pub(in crate::partitions) mod tests;
