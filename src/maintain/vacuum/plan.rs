//! Which tables are due, why, in which order, and with which SQL. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Wish;
use super::read::{Holder, Sizes, Snapshot, Standing};
use crate::ident::{Ident, TableName};
use crate::maintain::repack::Gain;
use crate::steps::Hazard;

/// What will be done, and what will not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VacuumPlan {
    /// The most urgent first, then the biggest.
    pub tasks: Vec<Task>,
    /// Partitioned tables whose own statistics are due: after the tasks.
    pub parents: Vec<Task>,
    /// What is due and is not done.
    pub skipped: Vec<Skipped>,
    /// What is sent when all is done: for the database as a whole, once and not for every table.
    pub closing: Option<&'static str>,
    /// Named, and not there.
    pub missing: Vec<TableName>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// One statement on one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The table.
    pub table: TableName,
    /// Its OID.
    pub oid: u32,
    /// `vacuum`, `vacuum, analyze`, `analyze`, …
    pub what: &'static str,
    /// Why.
    pub reasons: Vec<String>,
    /// As it is sent.
    pub sql: String,
    /// Set before it, values as plain text.
    pub settings: Vec<(&'static str, String)>,
    /// How it stood.
    pub before: Standing,
    /// What deserves a second look.
    pub hazards: Vec<Hazard>,
    /// Of a rewrite: what it would give back, by estimate.
    pub gain: Option<Gain>,
    /// Of a rewrite: the bytes that are free where the table lies.
    pub free: Option<u64>,
    urgent: bool,
}

/// A table that is due and is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The table.
    pub table: TableName,
    /// Its OID.
    pub oid: u32,
    /// Why it is left alone.
    pub why: String,
    /// The reader must do something about it.
    pub counts: bool,
}

/// A share of the limit of ages, from which on a table is due: before autovacuum does it at an hour of its own.
const AGE_SHARE: f64 = 0.8;
/// Below this many pages the visibility map does not matter.
const MAP_PAGES: i64 = 1000;
/// A smaller share of all-visible pages is worth a VACUUM where nothing changed lately.
const MAP_SHARE: f64 = 0.5;

/// ANALYZE leaves it alone, whatever its counters say.
const STATISTICS: &str = "pg_statistic";
/// As vacuumdb ends, too.
const DATABASE_STATS: &str = "VACUUM (ONLY_DATABASE_STATS)";

/// Each run writes a few rows there: that alone is no reason for the next.
const OURS: &str = "dbctl";

/// What is due.
#[derive(Debug, Default)]
struct Due {
    vacuum: Vec<String>,
    analyze: Vec<String>,
    /// All of the vacuum's reasons are dead rows, whose removal a horizon prevents.
    dead_only: bool,
    toast_only: bool,
    aged: bool,
    freeze: bool,
    urgent: bool,
}

/// Decides.
pub fn plan(snapshot: &Snapshot, wish: &Wish) -> VacuumPlan {
    let mut plan = VacuumPlan::default();
    let named = named(snapshot, wish, &mut plan);
    let by_hand = !wish.tables.is_empty();
    let parents = due_parents(snapshot, named.as_ref());
    // Before 18 ANALYZE of a partitioned table goes through its partitions as well.
    let covered: BTreeSet<u32> = if snapshot.major < 18 {
        snapshot.tables.iter().filter(|t| above(snapshot, t).any(|p| parents.contains_key(&p))).map(|t| t.oid).collect()
    } else {
        BTreeSet::new()
    };
    let mut chosen = Vec::new();
    for table in snapshot.tables.iter().filter(|t| !t.parent) {
        if named.as_ref().is_some_and(|named| !named.contains(&table.oid)) {
            continue;
        }
        let mut due = due(table, snapshot, wish);
        if by_hand && due.vacuum.is_empty() {
            due.vacuum.push("asked for".to_owned());
            due.toast_only = false;
        }
        if wish.analyze && is_analyzable(table) && !due.vacuum.is_empty() && due.analyze.is_empty() {
            due.analyze.push("asked for".to_owned());
        }
        if covered.contains(&table.oid) {
            due.analyze.clear();
        }
        if due.vacuum.is_empty() && due.analyze.is_empty() {
            continue;
        }
        match reason_to_skip(table, &due, snapshot, by_hand) {
            Some(skipped) if skipped.why.is_empty() => {}
            Some(skipped) => plan.skipped.push(skipped),
            None => chosen.push((table, due)),
        }
    }
    // Since 16: each VACUUM would go through all of pg_class for the oldest transaction of the database.
    let together = snapshot.major >= 16 && chosen.iter().filter(|(_, due)| !due.vacuum.is_empty()).count() > 1;
    plan.closing = together.then_some(DATABASE_STATS);
    plan.tasks.extend(chosen.into_iter().map(|(table, due)| task(table, due, together, snapshot, wish)));
    for table in snapshot.tables.iter().filter(|t| t.parent) {
        let Some(reason) = parents.get(&table.oid) else { continue };
        let due = Due { analyze: vec![reason.clone()], ..Due::default() };
        match reason_to_skip(table, &due, snapshot, by_hand) {
            Some(skipped) => plan.skipped.push(skipped),
            None => plan.parents.push(task(table, due, false, snapshot, wish)),
        }
    }
    plan.order();
    plan.parents.sort_by(|a, b| a.table.cmp(&b.table));
    plan.skipped.sort_by(|a, b| a.table.cmp(&b.table));
    plan.notes.extend(notes(snapshot));
    plan
}

/// A smaller share of a table is not given back by keeping everybody out, unless that is insisted on.
const LEAST: f64 = 0.1;

impl VacuumPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.parents.is_empty()
    }

    /// Takes these sizes for those that the catalog estimates, and puts the biggest first.
    pub fn measure(&mut self, sizes: &Sizes) {
        for task in self.tasks.iter_mut().chain(&mut self.parents) {
            if let Some(bytes) = sizes.get(&task.oid).and_then(|size| i64::try_from(size.bytes).ok()) {
                task.before.bytes = bytes;
            }
        }
        self.order();
    }

    /// What rewrites would give back, and the bytes that are free where each table lies: what has no room beside it for
    /// the new one is left alone.
    pub fn weigh(&mut self, gains: &BTreeMap<u32, Gain>, free: &BTreeMap<u32, u64>, force: bool) {
        let mut kept = Vec::new();
        for mut task in std::mem::take(&mut self.tasks) {
            if task.hazards.is_empty() {
                kept.push(task);
                continue;
            }
            task.gain = gains.get(&task.oid).cloned();
            task.free = free.get(&task.oid).copied();
            let bytes = u64::try_from(task.before.bytes).unwrap_or_default();
            let full = task.free.filter(|free| *free < bytes).map(|free| {
                format!(
                    "the new beside the old takes up to {} MB, and only {} MB are free",
                    bytes / 1_000_000 + 1,
                    free / 1_000_000
                )
            });
            let idle = task.gain.as_ref().and_then(idle).filter(|_| !force);
            match full.or(idle) {
                Some(why) => {
                    self.skipped.push(Skipped { why, table: task.table, oid: task.oid, counts: true });
                }
                None => kept.push(task),
            }
        }
        self.tasks = kept;
        self.skipped.sort_by(|a, b| a.table.cmp(&b.table));
    }

    fn order(&mut self) {
        self.tasks.sort_by(|a, b| {
            b.urgent.cmp(&a.urgent).then(b.before.bytes.cmp(&a.before.bytes)).then(a.table.cmp(&b.table))
        });
    }

    /// The tables whose standing decided this plan: to look again before it is carried out.
    pub fn concerned(&self, snapshot: &Snapshot) -> Vec<u32> {
        let parents: BTreeSet<u32> = self.parents.iter().map(|task| task.oid).collect();
        let mut oids: BTreeSet<u32> = self.all().map(|task| task.oid).collect();
        oids.extend(self.skipped.iter().map(|skipped| skipped.oid));
        let below = |table: &&Standing| above(snapshot, table).any(|parent| parents.contains(&parent));
        // Partitions by way of which a leaf belongs to its table are among those below it.
        oids.extend(snapshot.tables.iter().filter(below).map(|table| table.oid));
        oids.into_iter().collect()
    }

    /// All tasks, in the order in which they are begun.
    pub fn all(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().chain(&self.parents)
    }
}

/// Why a rewrite is for nothing, where an estimate that can be relied on says so.
fn idle(gain: &Gain) -> Option<String> {
    if gain.is_doubtful {
        return None;
    }
    if gain.grows {
        return Some("by estimate it would be larger afterwards: --force rewrites it all the same".to_owned());
    }
    let share = gain.share().filter(|share| *share < LEAST)?;
    Some(format!(
        "by estimate a rewrite gives back {:.0} %, for which everybody is kept out: --force does it all the same",
        share * 100.0
    ))
}

/// The tables that are named, and the partitions below them.
fn named(snapshot: &Snapshot, wish: &Wish, plan: &mut VacuumPlan) -> Option<BTreeSet<u32>> {
    if wish.tables.is_empty() {
        return None;
    }
    let mut named = BTreeSet::new();
    for name in &wish.tables {
        match snapshot.tables.iter().find(|t| t.table == *name) {
            Some(table) => {
                named.insert(table.oid);
                named.extend(
                    snapshot.tables.iter().filter(|t| above(snapshot, t).any(|p| p == table.oid)).map(|t| t.oid),
                );
            }
            None => plan.missing.push(name.clone()),
        }
    }
    Some(named)
}

/// The partitioned tables above one, the nearest first.
fn above<'a>(snapshot: &'a Snapshot, table: &Standing) -> impl Iterator<Item = u32> + 'a {
    let find =
        |oid: u32| snapshot.tables.binary_search_by_key(&oid, |t| t.oid).ok().and_then(|at| snapshot.tables.get(at));
    std::iter::successors(table.part_of, move |oid| find(*oid).and_then(|t| t.part_of))
}

/// Autovacuum never analyzes partitioned tables themselves.
fn due_parents(snapshot: &Snapshot, named: Option<&BTreeSet<u32>>) -> BTreeMap<u32, String> {
    let mut sums: BTreeMap<u32, (f64, i64)> = BTreeMap::new();
    for leaf in snapshot.tables.iter().filter(|t| !t.parent) {
        for parent in above(snapshot, leaf) {
            let sum = sums.entry(parent).or_default();
            *sum = (sum.0 + leaf.tuples, sum.1 + leaf.modified);
        }
    }
    let mut due = BTreeMap::new();
    for parent in snapshot.tables.iter().filter(|t| t.parent) {
        let (tuples, modified) = sums.get(&parent.oid).copied().unwrap_or_default();
        let reason = if named.is_some_and(|named| named.contains(&parent.oid)) {
            "asked for".to_owned()
        } else if named.is_some() || (tuples < 1.0 && modified == 0) {
            continue;
        } else if parent.uncounted {
            "never analyzed, and autovacuum does not".to_owned()
        } else if modified as f64 >= parent.modified_most {
            format!("statistics are stale: {modified} rows of its partitions changed")
        } else if (tuples - parent.tuples).abs() >= parent.modified_most {
            format!("statistics are stale: of {:.0} rows, its partitions have {tuples:.0} now", parent.tuples)
        } else {
            continue;
        };
        due.insert(parent.oid, reason);
    }
    due
}

fn due(table: &Standing, snapshot: &Snapshot, wish: &Wish) -> Due {
    let mut due = Due::default();
    let (heap, toast) = (table.dead as f64 > table.dead_most, table.toast_dead as f64 > table.toast_dead_most);
    if heap {
        due.vacuum.push(format!("{} dead rows, due at {:.0}", table.dead, table.dead_most));
    }
    if toast {
        due.vacuum.push(format!("{} dead rows in TOAST, due at {:.0}", table.toast_dead, table.toast_dead_most));
    }
    due.dead_only = !due.vacuum.is_empty();
    due.toast_only = toast && !heap;
    let dead = due.vacuum.len();
    if let Some(most) = table.inserted_most.filter(|most| table.inserted as f64 > *most) {
        due.vacuum.push(format!("{} rows inserted since the last vacuum, due at {most:.0}", table.inserted));
    }
    for (age, most, what) in
        [(table.xid_age, table.xid_most, "transaction"), (table.mxid_age, table.mxid_most, "multixact")]
    {
        let Some(age) = age else { continue };
        if age as f64 >= most as f64 * AGE_SHARE {
            due.vacuum.push(format!("its oldest {what} is {age} old, autovacuum forces it at {most}"));
            due.aged = true;
            due.urgent |= age >= most || age >= snapshot.failsafe;
        }
    }
    if let (Some(before), Some(age)) = (wish.freeze_before, table.xid_age)
        && age > before
    {
        due.vacuum.push(format!("its oldest transaction is {age} old, to be frozen before {before}"));
        due.freeze = true;
    }
    if due.vacuum.is_empty() && table.pages >= MAP_PAGES && table.dead > 0 {
        let share = table.visible_pages as f64 / table.pages as f64;
        if share < MAP_SHARE {
            due.vacuum.push(format!(
                "only {:.0} % of its pages are all-visible: index-only scans read the table",
                share * 100.0
            ));
        }
    }
    if due.vacuum.len() > dead {
        (due.dead_only, due.toast_only) = (false, false);
    }
    if !is_analyzable(table) {
        return due;
    }
    if table.modified as f64 > table.modified_most {
        due.analyze
            .push(format!("{} rows changed since the last analyze, due at {:.0}", table.modified, table.modified_most));
    } else if table.unanalyzed && table.uncounted && table.modified > 0 && table.table.schema.raw() != OURS {
        due.analyze.push("never analyzed".to_owned());
    }
    due
}

fn is_analyzable(table: &Standing) -> bool {
    !(table.catalog && table.table.name.raw() == STATISTICS)
}

/// Nothing to say is a table that is nobody's business here.
fn reason_to_skip(table: &Standing, due: &Due, snapshot: &Snapshot, by_hand: bool) -> Option<Skipped> {
    let skipped = |why: String, counts| Some(Skipped { table: table.table.clone(), oid: table.oid, why, counts });
    if !table.permitted {
        let grant = if snapshot.major >= 17 {
            let role = Ident::new(snapshot.role.as_str());
            format!("its owner may allow it: GRANT MAINTAIN ON {} TO {role}", table.table)
        } else {
            "only its owner and the owner of the database may do it".to_owned()
        };
        // The catalog is the superuser's.
        return skipped(
            if table.catalog && !by_hand { String::new() } else { format!("not permitted: {grant}") },
            true,
        );
    }
    if let Some(pid) = table.vacuumed_by {
        return skipped(format!("pid {pid} vacuums it now"), false);
    }
    if due.dead_only && due.analyze.is_empty() && !by_hand {
        // What became dead before the holder began, the last vacuum has removed; what became dead
        // since, no vacuum can.
        let useless = |holder: &&Holder| {
            holder.seconds.zip(table.vacuumed_seconds).is_some_and(|(held, vacuumed)| held > vacuumed)
        };
        if let Some(holder) = snapshot.holders.iter().find(useless) {
            return skipped(
                format!("its dead rows are kept by {}: end it first ({})", holder.what, holder.remedy),
                true,
            );
        }
    }
    None
}

/// `together` with others, after which [`DATABASE_STATS`] is sent.
fn task(table: &Standing, due: Due, together: bool, snapshot: &Snapshot, wish: &Wish) -> Task {
    let (vacuum, analyze) = (!due.vacuum.is_empty(), !due.analyze.is_empty());
    let only = if snapshot.major >= 18 { "ONLY " } else { "" };
    let buffers = wish.buffer_usage_limit.as_ref().filter(|_| snapshot.major >= 16 && !wish.full);
    let buffers =
        buffers.map(|limit| format!("BUFFER_USAGE_LIMIT {}", crate::ident::Literal(limit).to_string().trim_start()));
    let mut settings = Vec::new();
    let mut options: Vec<String> = vec!["SKIP_LOCKED".to_owned()];
    if vacuum && together {
        options.push("SKIP_DATABASE_STATS".to_owned());
    }
    if vacuum && wish.full {
        options.insert(0, "FULL".to_owned());
    } else if vacuum {
        if due.freeze {
            options.push("FREEZE".to_owned());
        } else if due.aged {
            // Reads every page that is not frozen, and rewrites none that is not old.
            settings.push(("vacuum_freeze_table_age", "0".to_owned()));
            settings.push(("vacuum_multixact_freeze_table_age", "0".to_owned()));
        }
        if due.toast_only && snapshot.major >= 16 && !analyze {
            options.push("PROCESS_MAIN FALSE".to_owned());
        }
        if snapshot.standbys > 0 {
            options.push("TRUNCATE FALSE".to_owned());
        }
        if wish.jobs > 1 {
            options.push("PARALLEL 0".to_owned());
        }
    }
    if vacuum && analyze {
        options.push("ANALYZE".to_owned());
    }
    options.extend(buffers);
    if let Some(delay) = wish.cost_delay {
        settings.push(("vacuum_cost_delay", format!("{}ms", delay.as_secs_f64() * 1000.0)));
    }
    if let Some(limit) = wish.cost_limit {
        settings.push(("vacuum_cost_limit", limit.to_string()));
    }
    let word = if vacuum { "VACUUM" } else { "ANALYZE" };
    let hazards = if vacuum && wish.full {
        vec![Hazard::Rewrites(format!(
            "{} and its indexes, under ACCESS EXCLUSIVE: nobody reads it meanwhile",
            table.table
        ))]
    } else {
        Vec::new()
    };
    Task {
        table: table.table.clone(),
        oid: table.oid,
        what: match (vacuum, wish.full, due.freeze, analyze) {
            (true, true, _, false) => "vacuum full",
            (true, true, _, true) => "vacuum full, analyze",
            (true, false, true, false) => "freeze",
            (true, false, true, true) => "freeze, analyze",
            (true, false, false, false) => "vacuum",
            (true, false, false, true) => "vacuum, analyze",
            (false, ..) => "analyze",
        },
        reasons: due.vacuum.into_iter().chain(due.analyze).collect(),
        sql: format!("{word} ({}) {only}{}", options.join(", "), table.table),
        settings,
        before: table.clone(),
        hazards,
        gain: None,
        free: None,
        urgent: due.urgent,
    }
}

/// Older than this, a holder is worth a line.
const OLD_HOLDER: f64 = 3600.0;

fn notes(snapshot: &Snapshot) -> Vec<String> {
    let old = snapshot.holders.iter().filter(|h| h.seconds.is_some_and(|s| s > OLD_HOLDER) || h.age > 10_000_000);
    old.take(3)
        .map(|h| format!("{} keeps what became dead in the last {} transactions: {}", h.what, h.age, h.remedy))
        .collect()
}
