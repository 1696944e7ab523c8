//! From a policy and a snapshot to each table's work: which entries are meant, what each table needs,
//! what its new partitions are called, and the steps of it all as they will be sent.

use std::collections::{BTreeMap, BTreeSet};

use super::aside;
use super::ddl::{Frame, Named, Route, aside_sql};
use super::departure::{self, Stage, Terms};
use super::details::{self, Details};
use super::plan::{self, Candidate, Ground, TablePlan, Wish};
use super::read::{self, Leaving, Snapshot};
use super::set::Set;
use super::state;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{Query, Session};
use crate::policy::key::{Edge, Range};
use crate::policy::naming::Template;
use crate::policy::{Expire, Hold, Policy, TablePolicy};
use crate::steps::Step;

/// A table's work, or why it cannot be done.
pub struct TableWork<'a> {
    /// The entry of the policy.
    pub entry: &'a TablePolicy,
    /// What is to be done.
    pub found: Result<Found<'a>>,
}

/// What is to be done for a table.
pub struct Found<'a> {
    /// The table.
    pub set: Set<'a>,
    /// What it needs.
    pub plan: TablePlan,
    /// Its partitions on their way out, oldest first.
    pub leaving: Vec<&'a Leaving>,
    /// What new partitions take over; read only where there is work.
    pub details: Details,
    /// Names of the partitions to be made, beside `plan.create`.
    pub names: Vec<TableName>,
    /// Rows and bytes of those that leave, estimated; by oid.
    pub sizes: BTreeMap<u32, (Option<i64>, Option<i64>)>,
}

/// The tables that a run is about: those of every database, and those of the systems it holds.
pub fn wanted<'p>(policy: &'p Policy, system: Option<&str>, only: &[TableName]) -> Vec<&'p TablePolicy> {
    let asked = |entry: &&TablePolicy| only.is_empty() || only.contains(&entry.table);
    let fits = |entry: &&TablePolicy| system.is_none() || entry.system.is_none() || entry.system.as_deref() == system;
    policy.tables.iter().filter(asked).filter(fits).collect()
}

/// Of these entries, those for the systems that the database holds.
///
/// # Errors
/// Refused where none is left.
pub fn here<'p>(
    entries: Vec<&'p TablePolicy>,
    snapshot: &Snapshot,
    system: Option<&str>,
    rows: bool,
) -> Result<Vec<&'p TablePolicy>> {
    let holds = |name: &str| match system {
        Some(system) => system == name,
        None => snapshot.systems.as_ref().is_some_and(|systems| systems.iter().any(|s| s == name)),
    };
    let all = entries.len();
    let here: Vec<&TablePolicy> = entries.into_iter().filter(|e| e.system.as_deref().is_none_or(holds)).collect();
    // A system that the policy has nothing for is in order. One that cannot be told is not.
    let told = system.is_some() || snapshot.systems.as_ref().is_some_and(|systems| !systems.is_empty());
    if here.is_empty() && all > 0 && !rows && !told {
        let what = match &snapshot.systems {
            Some(_) => "dbctl has migrated no embedded system here",
            None => "schema dbctl may not be read, so its system is UNKNOWN",
        };
        let message = format!("no entry of the policy is for database {}: {what}", snapshot.server.database);
        return Err(Failure::new(Kind::Refused, message)
            .hint("say which system it is: --system NAME; entries at the top of the policy are for every database"));
    }
    Ok(here)
}

/// Plans every table. Reads, beyond the snapshot, only what tables with work need.
///
/// # Errors
/// The server's; what is wrong with one table stays with it.
pub async fn assemble<'a>(
    session: &Session,
    policy: &'a Policy,
    entries: &[&'a TablePolicy],
    snapshot: &'a Snapshot,
    holds: &[Hold],
    wish: &Wish,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<TableWork<'a>>> {
    let mut works: Vec<TableWork<'a>> = Vec::new();
    for entry in entries {
        let found = find(policy, entry, snapshot, holds, wish, now);
        works.push(TableWork { entry, found });
    }
    for found in works.iter_mut().filter_map(|work| work.found.as_mut().ok()) {
        look_into_default(session, found).await?;
    }
    let busy: Vec<u32> =
        works.iter().filter_map(|w| w.found.as_ref().ok()).filter(|f| f.has_work()).map(|f| f.plan.oid).collect();
    let mut read = details::read(session, &busy).await?;
    for found in works.iter_mut().filter_map(|work| work.found.as_mut().ok()) {
        if let Some(details) = read.remove(&found.plan.oid) {
            found.details = details;
        }
    }
    look_at_referrers(session, &mut works).await?;
    let leaving = works.iter().filter_map(|work| work.found.as_ref().ok()).flat_map(|found| &found.plan.expire);
    let oids: Vec<u32> = leaving.map(|partition| partition.oid).collect();
    let sizes = read::estimates(session, &oids).await?;
    for found in works.iter_mut().filter_map(|work| work.found.as_mut().ok()) {
        found.sizes = found.plan.expire.iter().filter_map(|p| Some((p.oid, *sizes.get(&p.oid)?))).collect();
        if !found.plan.create.is_empty() && !found.details.publications.is_empty() {
            found.plan.notes.push(format!(
                "{}: publications name single partitions of it ({}): new ones are not among them",
                found.plan.table,
                found.details.publications.join(", ")
            ));
        }
    }
    name(session, &mut works).await?;
    Ok(works)
}

/// A partition that rows of other tables point into stays: the server would not let it go either.
async fn look_at_referrers(session: &Session, works: &mut [TableWork<'_>]) -> Result<()> {
    let referenced = |found: &&Found<'_>| !found.plan.expire.is_empty() && !found.details.referenced_by.is_empty();
    let found = works.iter().filter_map(|work| work.found.as_ref().ok()).filter(referenced);
    let tables: Vec<u32> = found.map(|found| found.plan.oid).collect();
    let referrers = read::referrers(session, &tables).await?;
    for found in works.iter_mut().filter_map(|work| work.found.as_mut().ok()) {
        let Some(by) = referrers.get(&found.plan.oid) else { continue };
        for partition in std::mem::take(&mut found.plan.expire) {
            let pointing = match read::pointed_to(session, &partition.name, by).await? {
                // What could not be told in time, the server tells.
                None => None,
                Some(answers) => by.iter().zip(answers).find(|(_, points)| *points).map(|(by, _)| by),
            };
            let Some(by) = pointing else {
                found.plan.expire.push(partition);
                continue;
            };
            let message =
                format!("{} has expired, and rows of {} still point into it ({})", partition.name, by.table, by.name);
            let hint = Some(format!("let those rows go first, then it follows with the next run: see {}", by.table));
            found.plan.kept.push(plan::Kept { partition, why: message.clone() });
            found.plan.attentions.push(plan::Attention { id: "referenced", message, hint });
        }
    }
    Ok(())
}

/// Rows in the DEFAULT partition keep a partition for them from being made. The others are made.
async fn look_into_default(session: &Session, found: &mut Found<'_>) -> Result<()> {
    let Some(default) = found.set.default.filter(|_| !found.plan.create.is_empty()) else { return Ok(()) };
    let (set, key, name) = (&found.set, &found.set.policy.key, &default.name);
    let ends =
        |creation: &plan::Creation| (set.bound_sql(creation.range.lower()), set.bound_sql(creation.range.upper()));
    let ranges: Vec<(String, String)> = found.plan.create.iter().map(ends).collect();
    let table = found.plan.table.to_string();
    let Some(blocked) = read::rows_in_default(session, name, key, &ranges).await? else {
        let note = format!("{table}: whether {name} has rows in the way of new partitions is UNKNOWN");
        found.plan.notes.push(note);
        return Ok(());
    };
    let mut blocked = blocked.into_iter();
    let mut first = None;
    let mut count = 0;
    found.plan.create.retain(|creation| {
        let is_blocked = blocked.next().unwrap_or(false);
        if is_blocked {
            count += 1;
            first.get_or_insert(creation.range);
        }
        !is_blocked
    });
    if let Some(first) = first {
        let more = if count > 1 { format!(", and of {} more periods", count - 1) } else { String::new() };
        let message = format!(
            "{table}: rows of {} to {}{more} lie in its DEFAULT partition, so no partition can be made for them",
            found.set.bound_text(first.lower()),
            found.set.bound_text(first.upper())
        );
        let hint = Some(format!("dbctl partitions default promote {table}, or default drain {table}"));
        found.plan.attentions.push(plan::Attention { id: "default_rows", message, hint });
    }
    Ok(())
}

/// Looks at one table: reads nothing.
///
/// # Errors
/// Invalid where the policy does not fit; failed where a bound cannot be read.
pub fn find<'a>(
    policy: &Policy,
    entry: &'a TablePolicy,
    snapshot: &'a Snapshot,
    holds: &[Hold],
    wish: &Wish,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Found<'a>> {
    let Some(table) = snapshot.tables.get(&entry.table) else {
        let message = format!("{} does not exist in database {}", entry.table, snapshot.server.database);
        return Err(policy.refuse(&entry.at, message, Some("create the table, or remove the entry".to_owned())));
    };
    let set = Set::of(policy, entry, table, now)?;
    let key = plan::raw(&entry.table);
    let ground = Ground {
        recorded: snapshot.state.recorded.get(&key),
        state_unreadable: snapshot.state.unreadable,
        holds,
        lock_slots: snapshot.lock_slots,
    };
    let plan = plan::plan(&set, &ground, wish);
    let leaving =
        if wish.expire { snapshot.state.leaving.iter().filter(|row| row.parent == key).collect() } else { Vec::new() };
    let mut found =
        Found { set, plan, leaving, details: Details::default(), names: Vec::new(), sizes: BTreeMap::new() };
    // Holds and longer retentions that came after a partition has left count for it too.
    let due: Vec<&Leaving> = found.leaving.iter().copied().filter(|row| found.is_on_its_way(row)).collect();
    for row in due {
        if let Some(attention) = aside::stays(&found.set, row, holds, found.plan.cutoff) {
            found.leaving.retain(|other| other.id != row.id);
            found.plan.attentions.push(attention);
        }
    }
    Ok(found)
}

impl Found<'_> {
    /// Whether anything is to be done, waiting not counted.
    pub fn has_work(&self) -> bool {
        let plan = &self.plan;
        !plan.finalize.is_empty()
            || !plan.create.is_empty()
            || plan.make_default
            || !plan.expire.is_empty()
            || plan.record
            || self.leaving.iter().any(|row| self.is_due(row))
    }

    /// Whether a partition that is on its way out has something to be done.
    pub fn is_due(&self, row: &Leaving) -> bool {
        row.hooks_due || self.is_on_its_way(row)
    }

    /// Whether it is somewhere from where it shall go on.
    fn is_on_its_way(&self, row: &Leaving) -> bool {
        let attached = self.whereabouts(row) == departure::Whereabouts::Attached;
        // While it is attached the plan decides, not what an earlier run had begun.
        !attached && self.stage(row) != Stage::Wait && self.stage(row) != Stage::Done
    }

    /// The next thing to do with a partition that is on its way out.
    pub fn stage(&self, row: &Leaving) -> Stage {
        let terms = self.terms(row.drop_after, self.route());
        departure::next(&terms, departure::State::of(&row.state), self.whereabouts(row))
    }

    /// Where a partition that is on its way out is now; one whose detach is pending is out as soon as
    /// that has been ended, which a run does first.
    pub fn whereabouts(&self, row: &Leaving) -> departure::Whereabouts {
        match (&row.now, row.parent_now) {
            (Some(_), Some(parent)) if parent == self.plan.oid && row.pending => departure::Whereabouts::Detached,
            (Some(_), Some(parent)) if parent == self.plan.oid => departure::Whereabouts::Attached,
            (Some(_), None) => departure::Whereabouts::Detached,
            _ => departure::Whereabouts::Gone,
        }
    }

    fn route(&self) -> Route {
        let d = &self.details;
        if self.set.table.default.is_some() || !d.references_to.is_empty() || !d.referenced_by.is_empty() {
            Route::Briefly
        } else {
            Route::Concurrently
        }
    }

    /// What decides how a partition leaves.
    pub fn terms(&self, drop_after: Option<chrono::DateTime<chrono::Utc>>, route: Route) -> Terms<'_> {
        Terms {
            entry: self.set.policy,
            route,
            is_referenced: !self.details.referenced_by.is_empty(),
            drop_after,
            now: self.now(),
        }
    }

    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.set.moment_now
    }

    /// What a partition that has left held.
    ///
    /// # Errors
    /// Failed where schema dbctl says something that is no bound.
    pub fn range_of(&self, row: &Leaving) -> Result<Range> {
        let axis = &self.set.grid.axis;
        let edge = |text: &str| match text {
            "MINVALUE" => Ok(Edge::Min),
            "MAXVALUE" => Ok(Edge::Max),
            literal => axis.parse(literal),
        };
        let range = match (edge(&row.lower), edge(&row.upper)) {
            (Ok(lower), Ok(upper)) => Range::new(lower, upper),
            _ => None,
        };
        range.ok_or_else(|| {
            let says = format!("schema dbctl says that {} held {} to {}", row.partition, row.lower, row.upper);
            Failure::new(Kind::Failed, says)
        })
    }

    /// What a partition that has left was called while it was attached. Schemas with a dot in their name
    /// are told by the table's own.
    pub fn name_of(&self, row: &Leaving) -> TableName {
        let schema = self.set.policy.table.schema.raw();
        match row.partition.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.')) {
            Some(name) => TableName::new(schema, name),
            None => {
                let (schema, name) = row.partition.split_once('.').unwrap_or(("", &row.partition));
                TableName::new(schema, name)
            }
        }
    }

    /// The steps that make partitions, as many in a transaction as may be.
    pub fn creations(&self, frame: &Frame<'_>) -> Vec<Step> {
        let mut named: Vec<Named> = self
            .plan
            .create
            .iter()
            .zip(&self.names)
            .map(|(creation, name)| Named { name: name.clone(), bound: frame.bound(creation.range) })
            .collect();
        if self.plan.make_default
            && let Some(name) = self.names.get(self.plan.create.len())
        {
            named.push(Named { name: name.clone(), bound: "DEFAULT".to_owned() });
        }
        named.chunks(frame.batch().max(1)).map(|batch| frame.create(batch)).collect()
    }

    /// Everything as steps, as an undisturbed run takes them; exports as words.
    pub fn preview(&self, frame: &Frame<'_>) -> Vec<Preview> {
        let mut shown: Vec<Preview> = self.plan.finalize.iter().map(|p| Preview::Step(frame.finalize(p))).collect();
        shown.extend(self.creations(frame).into_iter().map(Preview::Step));
        let stages = departure::all(&self.terms(None, frame.route()));
        for partition in &self.plan.expire {
            let mut place = partition.name.clone();
            for stage in &stages {
                shown.extend(stage_steps(frame, partition, &mut place, *stage));
            }
        }
        for row in self.leaving.iter().filter(|row| self.is_due(row)) {
            if let (Some(place), Stage::Drop) = (&row.now, self.stage(row)) {
                shown.push(Preview::Step(frame.drop_detached(place, row.oid)));
            }
        }
        shown
    }
}

/// A part of a plan, for showing.
pub enum Preview {
    /// A step.
    Step(Step),
    /// Something that is not SQL.
    Words(String),
}

/// The steps of one stage; `place` follows the partition.
fn stage_steps(frame: &Frame<'_>, partition: &Candidate, place: &mut TableName, stage: Stage) -> Vec<Preview> {
    let entry = frame.set.policy;
    let mode = departure::mode(&entry.expire);
    let steps = match stage {
        Stage::Export => {
            let archive = match &entry.expire {
                Expire::Archive { archive, .. } => archive.as_str(),
                _ => "",
            };
            return vec![Preview::Words(format!("export {} to archive {archive} and read it back", partition.name))];
        }
        Stage::Rehash => {
            return vec![Preview::Words(format!("compare the rows of {} with the export", partition.name))];
        }
        Stage::Announce => vec![frame.announce(partition, mode)],
        Stage::DetachConcurrently => vec![frame.detach_concurrently(partition)],
        Stage::DetachBriefly => vec![frame.detach_briefly_for(partition, place)],
        Stage::AttachElsewhere => frame.attach_elsewhere_for(partition, place, true),
        Stage::DropAttached => vec![frame.drop_attached(partition, mode)],
        Stage::PutAside => {
            let step = frame.put_aside(place, partition.oid);
            *place = aside_sql(place, partition.oid).1;
            vec![step]
        }
        Stage::Drop => vec![frame.drop_detached(place, partition.oid)],
        Stage::Move => vec![frame.move_away(place, partition.oid)],
        Stage::Keep => vec![frame.keep(partition.oid, place)],
        Stage::Wait | Stage::NoteGone | Stage::Done => Vec::new(),
    };
    steps.into_iter().map(Preview::Step).collect()
}

/// Gives every partition that is to be made a name that nothing has.
async fn name(session: &Session, works: &mut [TableWork<'_>]) -> Result<()> {
    // Of each its table's work, its schema, its name, and a second name for where that is taken.
    let mut open: Vec<(usize, String, String, String)> = Vec::new();
    for (index, work) in works.iter().enumerate() {
        let Ok(found) = &work.found else { continue };
        let (entry, axis) = (found.set.policy, &found.set.grid.axis);
        let template = entry.name.clone().unwrap_or_else(|| Template::of(entry.every));
        let (schema, table) = (entry.table.schema.raw(), entry.table.name.raw());
        for creation in &found.plan.create {
            let exact = template.exact_name(table, creation.range, axis);
            open.push((index, schema.to_owned(), template.name(table, creation.range, axis), exact));
        }
        if found.plan.make_default {
            let name = cut(table, "_default");
            open.push((index, schema.to_owned(), name.clone(), name));
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let mut given: BTreeSet<(String, String)> = BTreeSet::new();
    let mut names: BTreeMap<usize, TableName> = BTreeMap::new();
    let mut round = 1_u32;
    while names.len() < open.len() {
        let wish = |base: &str, exact: &str| match round {
            1 => base.to_owned(),
            2 => exact.to_owned(),
            _ => cut(exact, &format!("_{round}")),
        };
        let asked: Vec<(usize, String, String)> = (0..open.len())
            .filter(|n| !names.contains_key(n))
            .filter_map(|n| open.get(n).map(|(_, schema, base, exact)| (n, schema.clone(), wish(base, exact))))
            .collect();
        let schemas: Vec<&str> = asked.iter().map(|(_, schema, _)| schema.as_str()).collect();
        let bases: Vec<&str> = asked.iter().map(|(_, _, base)| base.as_str()).collect();
        let rows = session
            .rows(&Query::NAMES_TAKEN, &[&schemas, &bases])
            .await
            .map_err(|e| e.explain("cannot ask which names are taken"))?;
        let mut taken = BTreeSet::new();
        for row in &rows {
            taken.insert((row.try_get::<_, String>(0)?, row.try_get::<_, String>(1)?));
        }
        for (n, schema, base) in asked {
            if !taken.contains(&(schema.clone(), base.clone())) && given.insert((schema.clone(), base.clone())) {
                names.insert(n, TableName::new(schema, base));
            }
        }
        round += 1;
        if round > 50 {
            return Err(Failure::new(Kind::Refused, "no names are free for new partitions")
                .hint("give the table a template of its own: name: \"{table}_p{from:%Y%m%d}\""));
        }
    }
    for (n, (index, ..)) in open.iter().enumerate() {
        if let (Some(Ok(found)), Some(name)) = (works.get_mut(*index).map(|w| w.found.as_mut()), names.remove(&n)) {
            found.names.push(name);
        }
    }
    Ok(())
}

/// `base` with a suffix, in 63 bytes.
pub fn cut(base: &str, suffix: &str) -> String {
    let mut base = base.to_owned();
    while base.len() + suffix.len() > 63 {
        base.pop();
    }
    base + suffix
}

/// The retention that is recorded before partitions leave.
pub fn record(entry: &TablePolicy) -> Option<String> {
    entry.keep.map(|keep| state::record(&entry.table, &plan::recorded(entry, keep)))
}
