//! Which indexes are built anew, in which order and why; which are not, and why not. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::read::{Catalog, Index, Leftover, Listed, Mark};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::pg::Server;
use crate::steps::guard::Reindexed;
use crate::steps::{Guard, Hazard, Lane, LockMode, Statement, Step, TableLock, Timeouts, is_copy};

/// An index is built anew for its bloat from this share on.
const BLOATED: f64 = 0.30;
/// And where it gives back as much.
const WORTHWHILE: u64 = 10 << 20;
/// All indexes of a table are built by one statement where together they are no larger: it waits once for all of them.
const SMALL: u64 = 16 << 20;

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Every index.
    pub all: bool,
    /// Those of these tables, of their partitions and of their TOAST tables.
    pub tables: Vec<String>,
    /// These, or those of the partitions.
    pub indexes: Vec<String>,
    /// Those of the tables of these schemas.
    pub schemas: Vec<String>,
    /// Those that queries cannot use.
    pub invalid: bool,
    /// Those that sort by a collation of another version.
    pub collation_changed: bool,
    /// Those of a run that has not come to its end.
    pub resume: bool,
    /// Without CONCURRENTLY.
    pub offline: bool,
}

/// How bloated an index is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bloat {
    /// Which share of it a build would give back.
    pub share: f64,
    /// How much that is.
    pub bytes: u64,
    /// The estimate may be far off.
    pub is_doubtful: bool,
}

/// What will be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Smallest first.
    pub tasks: Vec<Task>,
    /// What was asked for and is not done.
    pub skipped: Vec<Skipped>,
    /// What REINDEX CONCURRENTLY has left; that of others is only told.
    pub leftovers: Vec<Left>,
    /// What an earlier run has begun and not ended: what that left is removed first.
    pub unsettled: Vec<Task>,
    /// The run that is gone on with.
    pub resumes: Option<i64>,
    /// Of that run, so many are done.
    pub done_before: usize,
}

/// What a REINDEX CONCURRENTLY has left.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    /// As the catalog has it.
    pub index: Index,
    /// Which of the two it is.
    pub what: Leftover,
    /// The journal tells of the run that has left it, and that it could not be removed yet.
    pub is_ours: bool,
}

/// An index that will be built anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its oid and file before.
    pub mark: Mark,
    /// Its name.
    pub index: TableName,
    /// Its table, or the one that owns its TOAST table.
    pub table: TableName,
    /// What it is an index of.
    pub heap: u32,
    /// Its size before.
    pub bytes: u64,
    /// Its size after, where it can be estimated.
    pub expected: Option<u64>,
    /// Why.
    pub why: String,
    /// With all others of its table, by one statement.
    pub with_table: bool,
}

/// An index that will not be built anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    /// The index.
    pub index: TableName,
    /// Its table.
    pub table: TableName,
    /// Why not.
    pub why: String,
    /// It can never be built by this role, or CONCURRENTLY.
    pub is_never: bool,
}

impl Plan {
    /// How many indexes somebody should see to: those that were named, and those that a lock or a right was missing for.
    pub fn neglected(&self, wish: &Wish) -> usize {
        let named = !(wish.indexes.is_empty() && wish.tables.is_empty());
        self.skipped.iter().filter(|skipped| named || !skipped.is_never).count()
    }
}

impl Wish {
    /// Nothing says which: bloat decides.
    pub fn is_open(&self) -> bool {
        !self.selects() && !self.resume
    }

    fn selects(&self) -> bool {
        self.all
            || self.invalid
            || self.collation_changed
            || !(self.tables.is_empty() && self.indexes.is_empty() && self.schemas.is_empty())
    }
}

/// Decides. `bloat` is how bloated each index is, by its oid, where that was estimated.
///
/// # Errors
/// Refused on a standby, with a server that would corrupt indexes, and for what the system owns; usage for what is not
/// there.
pub fn plan(catalog: &Catalog, wish: &Wish, bloat: Option<&BTreeMap<u32, Bloat>>) -> Result<Plan> {
    refuse(&catalog.server, wish)?;
    catalog.preflight.refuse_unconfirmed()?;
    let mut chosen: BTreeMap<u32, String> = BTreeMap::new();
    if wish.selects() {
        select(catalog, wish, &mut chosen)?;
    } else if !wish.resume {
        let Some(bloat) = bloat else {
            return Err(Failure::new(Kind::Usage, "nothing says which indexes: their bloat is not estimated yet").hint(
                "say which: --all, --schema NAME, --table NAME, --index NAME, --invalid, --collation-changed or --resume",
            ));
        };
        for index in &catalog.indexes {
            if let Some(why) = bloat.get(&index.oid).and_then(bloated) {
                chosen.insert(index.oid, why);
            }
        }
    }
    let mut plan = Plan { leftovers: leftovers(&catalog.indexes, &catalog.told.begun), ..Plan::default() };
    if let Some(unfinished) = catalog.told.unfinished.as_ref().filter(|_| wish.resume) {
        let pending: BTreeSet<Mark> =
            catalog.indexes.iter().filter(|i| i.leftover().is_none()).map(Index::mark).collect();
        let left = |mark: &Mark| pending.contains(mark);
        let marks: Vec<Mark> = unfinished.indexes.iter().map(|listed| listed.mark).collect();
        plan.resumes = Some(unfinished.run);
        plan.done_before = marks.iter().filter(|mark| !left(mark)).count();
        let again: BTreeSet<u32> = marks.into_iter().filter(left).map(|mark| mark.oid).collect();
        if wish.selects() {
            chosen.retain(|oid, _| again.contains(oid));
        } else {
            let why = format!("run {} did not come to it", unfinished.run);
            chosen.extend(again.into_iter().map(|oid| (oid, why.clone())));
        }
    }
    for index in &catalog.indexes {
        let leftover = index.leftover().is_some();
        if index.is_partitioned && !index.is_valid && !index.is_system && wish.invalid {
            plan.skipped.push(Skipped {
                index: index.name.clone(),
                table: index.table.clone(),
                why: "one of a partitioned table: it is valid once each partition has a valid one of it, see ALTER \
                      INDEX … ATTACH PARTITION"
                    .to_owned(),
                is_never: true,
            });
        }
        let Some(why) = chosen.get(&index.oid).filter(|_| !index.is_partitioned && !leftover) else { continue };
        let expected = bloat.and_then(|b| b.get(&index.oid)).map(|b| index.bytes.saturating_sub(b.bytes));
        let full = full(index, expected, catalog);
        let is_never = full.is_none() && !index.is_held && (index.may || index.is_toast && index.owns);
        match obstacle(index, wish, &catalog.server).or(full) {
            Some(why) => {
                plan.skipped.push(Skipped { index: index.name.clone(), table: index.table.clone(), why, is_never });
            }
            None => plan.tasks.push(Task {
                mark: index.mark(),
                index: index.name.clone(),
                table: index.table.clone(),
                heap: index.heap_oid,
                bytes: index.bytes,
                expected,
                why: why.clone(),
                with_table: false,
            }),
        }
    }
    gather(catalog, wish, &mut plan.tasks);
    // Those that are built together stand together.
    let mut sums: BTreeMap<TableName, u64> = BTreeMap::new();
    for task in plan.tasks.iter().filter(|task| task.with_table) {
        *sums.entry(task.table.clone()).or_default() += task.bytes;
    }
    plan.tasks.sort_by_cached_key(|task| {
        let together = sums.get(&task.table).filter(|_| task.with_table);
        let table = together.map(|_| task.table.clone());
        (together.copied().unwrap_or(task.bytes), table, task.bytes, task.index.clone())
    });
    let again: BTreeSet<Mark> = plan.tasks.iter().map(|task| task.mark).collect();
    let begun = catalog.told.begun.iter().filter(|begun| !again.contains(&begun.mark));
    plan.unsettled = begun.map(|begun| looked_at(begun, catalog)).collect();
    Ok(plan)
}

/// Says which indexes one REINDEX TABLE builds: all that the table and its TOAST table have, and no others. What an
/// earlier run has begun is built by itself, for it is by itself that it is looked at; of an invalid index the
/// statement leaves its hands.
fn gather(catalog: &Catalog, wish: &Wish, tasks: &mut [Task]) {
    if wish.offline {
        return;
    }
    // How many each table has, and how many bytes, and whether any of them is against it.
    let mut tables: BTreeMap<&TableName, (usize, u64, bool)> = BTreeMap::new();
    for index in catalog.indexes.iter().filter(|index| !index.is_partitioned) {
        let (count, bytes, apart) = tables.entry(&index.table).or_default();
        *count += 1;
        *bytes += index.bytes;
        *apart |= !index.is_valid || catalog.told.begun.iter().any(|begun| begun.heap == index.heap_oid);
    }
    let mut chosen: BTreeMap<TableName, usize> = BTreeMap::new();
    for task in tasks.iter() {
        *chosen.entry(task.table.clone()).or_default() += 1;
    }
    for task in tasks {
        let of = tables.get(&task.table);
        let (count, bytes, apart) = of.copied().unwrap_or((0, 0, true));
        task.with_table = !apart && count > 1 && bytes <= SMALL && chosen.get(&task.table) == Some(&count);
    }
}

/// What REINDEX CONCURRENTLY has left that nobody works on.
pub fn leftovers(indexes: &[Index], begun: &[Listed]) -> Vec<Left> {
    let is_ours = |index: &Index| {
        let is_copy = |of: &Listed| is_copy(index.name.name.raw(), of.name.name.raw());
        begun.iter().any(|begun| begun.heap == index.heap_oid && is_copy(begun))
    };
    let left = indexes.iter().filter(|index| !index.is_held && !index.is_system);
    left.filter_map(|index| Some(Left { index: index.clone(), what: index.leftover()?, is_ours: is_ours(index) }))
        .collect()
}

fn refuse(server: &Server, wish: &Wish) -> Result<()> {
    if server.in_recovery {
        return Err(Failure::new(Kind::Refused, "this server is a standby: its indexes are those of its primary")
            .hint("connect to the primary: what is built anew there comes here by replication"));
    }
    if !wish.offline && corrupts(&server.version) {
        return Err(Failure::new(
            Kind::Refused,
            format!("PostgreSQL {} can corrupt an index that is built CONCURRENTLY", server.version),
        )
        .hint("update the server to 14.4 or later first; or --offline, which locks each table out while it builds"));
    }
    Ok(())
}

/// CREATE INDEX and REINDEX CONCURRENTLY of 14.0 to 14.3 may miss rows (release notes of 14.4).
fn corrupts(version: &str) -> bool {
    let number = version.split_whitespace().next().unwrap_or_default();
    matches!(number, "14.0" | "14.1" | "14.2" | "14.3")
}

fn bloated(bloat: &Bloat) -> Option<String> {
    let worthwhile = bloat.share >= BLOATED && bloat.bytes >= WORTHWHILE && !bloat.is_doubtful;
    worthwhile.then(|| format!("{:.0} % bloat", bloat.share * 100.0))
}

/// What the flags name. The first that names an index is why.
fn select(catalog: &Catalog, wish: &Wish, chosen: &mut BTreeMap<u32, String>) -> Result<()> {
    let indexes = &catalog.indexes;
    let mut choose = |index: &Index, why: &str| {
        chosen.entry(index.oid).or_insert_with(|| why.to_owned());
    };
    for asked in &wish.indexes {
        let whole = indexes.iter().filter(|index| index.leftover().is_none());
        let named = whole.filter_map(|index| Some((rank(&index.name, &catalog.path, asked)?, index)));
        let named = named.min_by_key(|(rank, _)| *rank).map(|(_, index)| index);
        let Some(named) = named else {
            let left = indexes.iter().find(|index| rank(&index.name, &catalog.path, asked).is_some());
            if let Some((index, left)) = left.and_then(|index| Some((index, index.leftover()?))) {
                return Err(Failure::new(Kind::Refused, format!("index {}: {}", index.name, left.words()))
                    .hint(format!("if nobody builds it now: DROP INDEX CONCURRENTLY {};", index.name)));
            }
            return Err(Failure::new(Kind::Usage, format!("there is no index {asked}"))
                .hint("as psql takes it: schema.name, with \"quotes\" where it has capitals or odd letters"));
        };
        refuse_system(named.is_system, &format!("index {}", named.name))?;
        for index in indexes.iter().filter(|index| index.indexes.contains(&named.oid)) {
            choose(index, "named");
        }
    }
    for asked in &wish.tables {
        let named = indexes.iter().filter_map(|index| Some((rank(&index.table, &catalog.path, asked)?, index)));
        let named = named.min_by_key(|(rank, _)| *rank).map(|(_, index)| index);
        let Some(named) = named else {
            return Err(Failure::new(Kind::Usage, format!("there is no table {asked} with an index"))
                .hint("as psql takes it: schema.name, with \"quotes\" where it has capitals or odd letters"));
        };
        refuse_system(named.is_system, &format!("table {}", named.table))?;
        let oid = named.tables.first();
        for index in indexes.iter().filter(|index| oid.is_some_and(|oid| index.tables.contains(oid))) {
            choose(index, "its table is named");
        }
    }
    for asked in &wish.schemas {
        let of = |index: &&Index| index.table.schema.raw() == asked || index.table.schema.to_string() == *asked;
        refuse_system(asked == "pg_catalog" || asked == "pg_toast", &format!("schema {asked}"))?;
        if !indexes.iter().any(|index| of(&index)) {
            return Err(Failure::new(Kind::Usage, format!("there is no table with an index in schema {asked}")));
        }
        for index in indexes.iter().filter(of).filter(|index| !index.is_system) {
            choose(index, "its schema is named");
        }
    }
    for index in indexes.iter().filter(|index| !index.is_system) {
        if wish.invalid && !index.is_valid {
            choose(index, "invalid: queries do not use it");
        }
        if let Some(why) = catalog.changed.get(&index.oid).filter(|_| wish.collation_changed) {
            choose(index, why);
        }
        if wish.all {
            choose(index, "all are meant");
        }
    }
    Ok(())
}

fn refuse_system(is_system: bool, what: &str) -> Result<()> {
    if !is_system {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        format!(
            "{what} is the system's: it cannot be built anew CONCURRENTLY, and every session waits while it is locked"
        ),
    )
    .hint("where it must be, while nobody works: REINDEX SYSTEM, or REINDEX TABLE of the catalog"))
}

/// Whether a name is meant, as SQL or as the catalog spells it; one without a schema is that of the first schema in
/// the path.
fn rank(name: &TableName, path: &[String], asked: &str) -> Option<usize> {
    let (schema, raw) = (name.schema.raw(), name.name.raw());
    let of_raw = asked.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.'));
    let whole = asked == name.to_string() || of_raw.is_some_and(|rest| rest == raw || rest == name.name.to_string());
    if whole {
        return Some(0);
    }
    let bare = asked == raw || asked == name.name.to_string() || asked == format!("\"{}\"", raw.replace('"', "\"\""));
    path.iter().position(|in_path| bare && in_path == schema).map(|at| at + 1)
}

/// The disk that does not hold the new one beside the old.
fn full(index: &Index, expected: Option<u64>, catalog: &Catalog) -> Option<String> {
    let (needed, free) = (expected.unwrap_or(index.bytes), *catalog.preflight.free.get(&index.place)?);
    (free < needed).then(|| {
        format!("the new one takes up to {} MB, and only {} MB of disk are free", needed / 1_000_000, free / 1_000_000)
    })
}

fn obstacle(index: &Index, wish: &Wish, server: &Server) -> Option<String> {
    if !(index.may || index.is_toast && index.owns) && server.major >= 17 {
        let (table, role) = (&index.table, Ident::new(server.role.as_str()));
        return Some(format!("the role is not its owner: GRANT MAINTAIN ON {table} TO {role};"));
    }
    let why = if index.is_held {
        Some("another session builds or drops it, or vacuums it, now")
    } else if !index.may && index.is_toast && index.owns {
        Some(
            "an index of a TOAST table can be named only with USAGE on schema pg_toast: as superuser, or by REINDEX TABLE",
        )
    } else if !index.may {
        Some("the role is not its owner")
    } else if index.is_exclusion && !wish.offline {
        Some("the index of an exclusion constraint cannot be built CONCURRENTLY: see --offline")
    } else if index.is_toast && !index.is_valid && !wish.offline {
        Some("an invalid index of a TOAST table cannot be built CONCURRENTLY: see --offline")
    } else {
        None
    };
    why.map(str::to_owned)
}

/// What is only looked at: how it ended, and what it left.
fn looked_at(listed: &Listed, catalog: &Catalog) -> Task {
    let beside = catalog.indexes.iter().find(|index| index.heap_oid == listed.heap);
    Task {
        mark: listed.mark,
        index: listed.name.clone(),
        table: beside.map_or_else(|| listed.name.clone(), |index| index.table.clone()),
        heap: listed.heap,
        bytes: 0,
        expected: None,
        why: "begun by a run that did not say how it ended".to_owned(),
        with_table: false,
    }
}

impl Task {
    /// The SQL.
    pub fn sql(&self, offline: bool) -> String {
        let how = if offline { "" } else { "CONCURRENTLY " };
        match self.with_table {
            true => format!("REINDEX TABLE {how}{}", self.table),
            false => format!("REINDEX INDEX {how}{}", self.index),
        }
    }

    /// What is done, for people.
    pub fn title(&self) -> String {
        match self.with_table {
            true => format!("reindex table {}", self.table),
            false => format!("reindex {}", self.index),
        }
    }

    /// What is done, for the executor, with the others that the same statement builds.
    pub fn step(&self, others: &[Task], server: &Server, timeouts: Timeouts, offline: bool) -> Step {
        let sql: Arc<str> = Arc::from(self.sql(offline));
        let lock = if offline { LockMode::Share } else { LockMode::ShareUpdateExclusive };
        let locks = vec![TableLock { table: self.table.to_string(), mode: lock }];
        let mut statement = Statement { locks, ..Statement::whole(Arc::clone(&sql)) };
        if offline {
            let what = format!("{sql}: nobody writes to {}, nor reads by this index, while it is built", self.table);
            statement.hazards = vec![Hazard::Rewrites(what)];
        } else {
            statement.atomic = false;
            let all = std::iter::once(self).chain(others);
            statement.guard = Guard::ReindexOf(all.map(Task::reindexed).collect());
        }
        Step {
            id: self.mark.step(),
            title: self.title(),
            file: sql.to_string(),
            file_text: sql,
            why: self.why.clone(),
            lane: if offline { Lane::Transaction } else { Lane::Statements },
            settings: server.step_settings("reindex"),
            timeouts,
            statements: vec![statement],
            record: Vec::new(),
        }
    }

    fn reindexed(&self) -> Reindexed {
        Reindexed { subject: self.mark.step(), index: self.index.clone(), oid: self.mark.oid, heap: self.heap }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
