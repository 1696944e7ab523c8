//! Decisions as steps: the exact SQL from the templates in `sql/partitions`, the locks it takes on
//! which table, and how long it may wait. Pure; accepts only quoted names and literals.

use std::fmt::Display;
use std::time::Duration;

use super::details::Details;
use super::plan::{Candidate, raw};
use super::set::Set;
use super::state;
use crate::ident::{Literal, TableName};
use crate::pg::Server;
use crate::policy::{Expire, LockPolicy};
use crate::steps::guard::Name;
use crate::steps::{Guard, Hazard, Lane, LockMode, Statement, Step, TableLock, Timeouts};

const CREATE: &str = include_str!("../../sql/partitions/create.sql");
const FINALIZE: &str = include_str!("../../sql/partitions/finalize.sql");
const DETACH_CONCURRENTLY: &str = include_str!("../../sql/partitions/detach_concurrently.sql");
const DETACH: &str = include_str!("../../sql/partitions/detach.sql");
const DROP: &str = include_str!("../../sql/partitions/drop.sql");
const PUT_ASIDE: &str = include_str!("../../sql/partitions/put_aside.sql");
const MOVE: &str = include_str!("../../sql/partitions/move.sql");
const PROVE_BOUNDS: &str = include_str!("../../sql/partitions/prove_bounds.sql");
const VALIDATE_BOUNDS: &str = include_str!("../../sql/partitions/validate_bounds.sql");
const RECALL: &str = include_str!("../../sql/partitions/recall.sql");
const ATTACH_ELSEWHERE: &str = include_str!("../../sql/partitions/attach_elsewhere.sql");

/// Where detached partitions wait for the end of their grace.
pub const TRASH: &str = "dbctl_trash";

/// Creations of a table without foreign keys and without a DEFAULT partition share a transaction, up
/// to this many: what they lock keeps nobody waiting.
pub const BATCH: usize = 30;

/// How a partition leaves its table, by whom that keeps waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// DETACH CONCURRENTLY: nobody waits. Not where there is a DEFAULT partition (the server refuses),
    /// nor where foreign keys would lock other tables while it waits for old transactions.
    Concurrently,
    /// DETACH in a transaction, for moments and with retries.
    Briefly,
}

/// What all steps of a table share.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The server.
    pub server: &'a Server,
    /// The table.
    pub set: &'a Set<'a>,
    /// What new partitions take over, and whom foreign keys lock.
    pub details: &'a Details,
}

/// A new partition with its name.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its name.
    pub name: TableName,
    /// `FOR VALUES …` or `DEFAULT`.
    pub bound: String,
}

/// Where a partition is that is brought back.
#[derive(Debug, Clone, Copy)]
pub struct Recall<'a> {
    /// The relation now.
    pub place: &'a TableName,
    /// The table that it is a partition of now.
    pub from: Option<&'a TableName>,
}

/// Fills a template. Its leading comment is for those who read `sql/`.
fn fill(template: &str, slots: &[(&str, &dyn Display)]) -> String {
    let start = template.lines().take_while(|line| line.starts_with("-- ")).map(|line| line.len() + 1).sum();
    let mut rest = template.get(start..).unwrap_or_default();
    let mut sql = String::with_capacity(rest.len() + 64);
    // One pass: what was filled in is not looked at again.
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        sql.push_str(before);
        let slot = slots.iter().find(|(name, _)| {
            from.get(1..).and_then(|from| from.strip_prefix(name)).is_some_and(|from| from.starts_with('}'))
        });
        match slot {
            Some((name, value)) => {
                sql.push_str(&value.to_string());
                rest = from.get(name.len() + 2..).unwrap_or_default();
            }
            None => {
                sql.push('{');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    sql.push_str(rest);
    sql.trim_end().to_owned()
}

impl<'a> Frame<'a> {
    /// The frame of a table's work.
    pub fn of(server: &'a Server, found: &'a super::work::Found<'_>) -> Frame<'a> {
        Frame { server, set: &found.set, details: &found.details }
    }
}

impl Frame<'_> {
    fn parent(&self) -> &TableName {
        &self.set.policy.table
    }

    fn lock(&self) -> &LockPolicy {
        &self.set.policy.lock
    }

    /// The route that keeps the fewest waiting.
    pub fn route(&self) -> Route {
        let d = self.details;
        if self.set.table.default.is_some() || !d.references_to.is_empty() || !d.referenced_by.is_empty() {
            Route::Briefly
        } else {
            Route::Concurrently
        }
    }

    /// How many creations may share a transaction.
    pub fn batch(&self) -> usize {
        match self.route() {
            Route::Concurrently => BATCH,
            Route::Briefly => 1,
        }
    }

    /// `FOR VALUES FROM (…) TO (…)`.
    pub fn bound(&self, range: crate::policy::key::Range) -> String {
        format!("FOR VALUES FROM ({}) TO ({})", self.set.bound_sql(range.lower()), self.set.bound_sql(range.upper()))
    }

    /// Makes partitions in one transaction.
    pub fn create(&self, new: &[Named]) -> Step {
        let d = self.details;
        let statements = new.iter().map(|named| {
            let storage = d.storage(&self.set.policy.storage, self.set.policy.clone);
            let properties: String = d
                .properties(&named.name, self.parent(), self.set.policy.clone)
                .iter()
                .map(|sql| format!("{sql};\n"))
                .collect();
            let slots: [(&str, &dyn Display); 5] = [
                ("parent", self.parent()),
                ("partition", &named.name),
                ("storage", &storage),
                ("properties", &properties),
                ("bound", &named.bound),
            ];
            let mut sql = fill(CREATE, &slots);
            for sql_after in
                d.after_attach(&named.name, self.parent(), &self.set.policy.child_unique, self.set.policy.clone)
            {
                sql.push('\n');
                sql.push_str(&sql_after);
                sql.push(';');
            }
            sql
        });
        let sql = statements.collect::<Vec<_>>().join("\n\n");
        let mut locks = vec![lock(self.parent(), LockMode::ShareUpdateExclusive)];
        locks.extend(self.default_lock());
        locks.extend(d.foreign().map(|table| TableLock { table: table.clone(), mode: LockMode::ShareRowExclusive }));
        let title = match new {
            [one] => format!("make {}", one.name),
            many => format!("make {} partitions of {}", many.len(), self.parent()),
        };
        let id = new.first().map_or_else(String::new, |first| first.bound.clone());
        self.step("create", &id, title, "ahead of its rows", sql, locks, Vec::new())
    }

    /// Ends a pending detach.
    pub fn finalize(&self, partition: &Candidate) -> Step {
        let sql = fill(FINALIZE, &[("parent", self.parent()), ("partition", &partition.name)]);
        let mut locks =
            vec![lock(self.parent(), LockMode::ShareUpdateExclusive), lock(&partition.name, LockMode::AccessExclusive)];
        locks.extend(self.details.foreign().map(|t| TableLock { table: t.clone(), mode: LockMode::ShareRowExclusive }));
        let title = format!("finish the detach of {}", partition.name);
        self.step(
            "finalize",
            &partition.oid.to_string(),
            title,
            "a concurrent detach was begun and not ended",
            sql,
            locks,
            Vec::new(),
        )
    }

    /// Says that a partition is about to leave: what a killed run has begun is then known.
    pub fn announce(&self, partition: &Candidate, mode: &str) -> Step {
        let record = vec![state::begin(self.set, partition, mode, "leaving", &[])];
        self.note("leave", partition.oid, format!("note that {} leaves", partition.name), record)
    }

    /// Notes where a partition has come, and changes nothing else.
    pub fn note(&self, what: &str, oid: u32, title: String, record: Vec<String>) -> Step {
        let mut step = self.step(what, &oid.to_string(), title, "expired", String::new(), Vec::new(), record);
        step.statements.clear();
        step
    }

    /// It stays detached where it is.
    pub fn keep(&self, oid: u32, place: &TableName) -> Step {
        let record = vec![state::advance(oid, "kept", &self.arrived(Some(place)))];
        self.note("keep", oid, format!("note that {place} stays detached"), record)
    }

    /// Somebody else has dropped it.
    pub fn note_gone(&self, oid: u32, name: &str) -> Step {
        let record = vec![state::advance(oid, "dropped", &self.arrived(None))];
        self.note("gone", oid, format!("note that {name} is gone"), record)
    }

    /// The columns of a partition that has arrived.
    fn arrived(&self, place: Option<&TableName>) -> Vec<(&'static str, String)> {
        let hooks = ("hooks_due", (!self.set.policy.after_expire.is_empty()).to_string());
        let place = place.map_or(("place", "NULL".to_owned()), state::place);
        vec![place, hooks]
    }

    /// DETACH CONCURRENTLY.
    pub fn detach_concurrently(&self, partition: &Candidate) -> Step {
        let sql = fill(DETACH_CONCURRENTLY, &[("parent", self.parent()), ("partition", &partition.name)]);
        let locks =
            vec![lock(self.parent(), LockMode::ShareUpdateExclusive), lock(&partition.name, LockMode::AccessExclusive)];
        let record = vec![state::advance(partition.oid, "detached", &[])];
        let title = format!("detach {}", partition.name);
        let mut step = self.step("detach", &partition.oid.to_string(), title, "expired", sql, locks, record);
        step.lane = Lane::Statements;
        // Nobody waits behind it, so it may wait for old transactions; a short lock_timeout would only
        // leave it pending.
        step.timeouts.lock = self.lock().detach_wait;
        for statement in &mut step.statements {
            statement.atomic = false;
            statement.guard = Guard::Detach { parent: name(self.parent()), partition: name(&partition.name) };
        }
        step
    }

    /// DETACH in a transaction, and in it what follows.
    pub fn detach_briefly(&self, partition: &Candidate, then: Option<String>, record: Vec<String>) -> Step {
        let slots: [(&str, &dyn Display); 3] =
            [("parent", self.parent()), ("partition", &partition.name), ("oid", &partition.oid)];
        let mut sql = fill(DETACH, &slots);
        if let Some(then) = then {
            sql.push('\n');
            sql.push_str(&then);
        }
        self.step(
            "detach",
            &partition.oid.to_string(),
            format!("detach {}", partition.name),
            "expired",
            sql,
            self.detach_locks(partition),
            record,
        )
    }

    /// DETACH in a transaction with what the policy wants done besides; `place` follows the partition.
    pub fn detach_briefly_for(&self, partition: &Candidate, place: &mut TableName) -> Step {
        let mode = super::departure::mode(&self.set.policy.expire);
        let begin =
            |state: &str, columns: &[(&str, String)]| vec![state::begin(self.set, partition, mode, state, columns)];
        match &self.set.policy.expire {
            Expire::Archive { .. } => self.detach_briefly(partition, None, begin("detached", &[])),
            Expire::Drop if !self.set.policy.rails.grace.is_zero() => {
                let (sql, aside) = aside_sql(place, partition.oid);
                let record = begin("aside", &self.aside_columns(&aside));
                *place = aside;
                self.detach_briefly(partition, Some(sql), record)
            }
            Expire::Drop => {
                let sql = fill(DROP, &[("partition", place), ("oid", &partition.oid)]);
                let mut step = self.detach_briefly(partition, Some(sql), begin("dropped", &self.arrived(None)));
                for statement in &mut step.statements {
                    statement.hazards.push(Hazard::Destroys(format!("DROP TABLE {place}")));
                }
                step
            }
            Expire::Move { schema } => {
                let sql = fill(MOVE, &[("partition", place), ("schema", schema)]);
                *place = TableName { schema: schema.clone(), name: place.name.clone() };
                let record = begin("moved", &self.arrived(Some(place)));
                self.detach_briefly(partition, Some(sql), record)
            }
            Expire::Detach | Expire::Attach { .. } => {
                self.detach_briefly(partition, None, begin("kept", &self.arrived(Some(place))))
            }
        }
    }

    /// Moves a detached partition to the policy's schema.
    pub fn move_away(&self, place: &TableName, oid: u32) -> Step {
        let schema = match &self.set.policy.expire {
            Expire::Move { schema } => schema.clone(),
            _ => place.schema.clone(),
        };
        let sql = fill(MOVE, &[("partition", place), ("schema", &schema)]);
        let there = TableName { schema, name: place.name.clone() };
        let record = vec![state::advance(oid, "moved", &self.arrived(Some(&there)))];
        let locks = vec![lock(place, LockMode::AccessExclusive)];
        self.step(
            "move",
            &oid.to_string(),
            format!("move {place} to schema {}", there.schema),
            "expired",
            sql,
            locks,
            record,
        )
    }

    /// The steps that make an expired partition one of another table: its bounds are proven first, so
    /// that the move itself reads nothing.
    pub fn attach_elsewhere_for(&self, partition: &Candidate, place: &TableName, attached: bool) -> Vec<Step> {
        let Expire::Attach { parent } = &self.set.policy.expire else { return Vec::new() };
        let here = Candidate { name: place.clone(), ..partition.clone() };
        let mut steps = Vec::from(self.prove_bounds(&here));
        let attach = fill(
            ATTACH_ELSEWHERE,
            &[("parent", parent), ("partition", place), ("bound", &self.bound(partition.range))],
        );
        let attach = format!("{attach}{}", self.details.revokes(place));
        let record = vec![state::begin(self.set, partition, "attach", "attached", &self.arrived(Some(place)))];
        let mut step = if attached {
            self.detach_briefly(&here, Some(attach), record)
        } else {
            let locks = vec![lock(place, LockMode::AccessExclusive)];
            self.step("attach", &partition.oid.to_string(), String::new(), "expired", attach, locks, record)
        };
        step.title = format!("attach {place} to {parent}");
        for statement in &mut step.statements {
            statement.locks.push(lock(parent, LockMode::ShareUpdateExclusive));
        }
        steps.push(step);
        steps
    }

    fn detach_locks(&self, partition: &Candidate) -> Vec<TableLock> {
        let mut locks =
            vec![lock(self.parent(), LockMode::AccessExclusive), lock(&partition.name, LockMode::AccessExclusive)];
        locks.extend(self.default_lock());
        locks.extend(
            self.details
                .references_to
                .iter()
                .map(|t| TableLock { table: t.clone(), mode: LockMode::ShareRowExclusive }),
        );
        locks.extend(
            self.details.referenced_by.iter().map(|t| TableLock { table: t.clone(), mode: LockMode::AccessExclusive }),
        );
        locks
    }

    /// DROP of a partition that is still attached: the tables that its foreign keys point to are not
    /// locked, which a drop after a detach would do.
    pub fn drop_attached(&self, partition: &Candidate, mode: &str) -> Step {
        let mut locks =
            vec![lock(self.parent(), LockMode::AccessExclusive), lock(&partition.name, LockMode::AccessExclusive)];
        locks.extend(self.default_lock());
        let record = vec![state::begin(self.set, partition, mode, "dropped", &self.arrived(None))];
        self.drop_step(&partition.name, partition.oid, locks, record)
    }

    /// DROP of a partition that was detached.
    pub fn drop_detached(&self, place: &TableName, oid: u32) -> Step {
        let mut locks = vec![lock(place, LockMode::AccessExclusive)];
        locks.extend(
            self.details.references_to.iter().map(|t| TableLock { table: t.clone(), mode: LockMode::AccessExclusive }),
        );
        self.drop_step(place, oid, locks, vec![state::advance(oid, "dropped", &self.arrived(None))])
    }

    fn drop_step(&self, place: &TableName, oid: u32, locks: Vec<TableLock>, record: Vec<String>) -> Step {
        let sql = fill(DROP, &[("partition", place), ("oid", &oid)]);
        let mut step = self.step("drop", &oid.to_string(), format!("drop {place}"), "expired", sql, locks, record);
        for statement in &mut step.statements {
            statement.hazards.push(Hazard::Destroys(format!("DROP TABLE {place}")));
        }
        step
    }

    /// Moves a detached partition to the schema of those that wait for their end.
    pub fn put_aside(&self, place: &TableName, oid: u32) -> Step {
        let (sql, aside) = aside_sql(place, oid);
        let locks = vec![lock(place, LockMode::AccessExclusive)];
        let record = vec![state::advance(oid, "aside", &self.aside_columns(&aside))];
        self.step(
            "aside",
            &oid.to_string(),
            format!("put {place} aside"),
            "expired; kept for the grace",
            sql,
            locks,
            record,
        )
    }

    /// The columns that say where it waits, and until when.
    pub fn aside_columns(&self, aside: &TableName) -> Vec<(&'static str, String)> {
        let grace = self.set.policy.rails.grace;
        let until = format!(
            "pg_catalog.clock_timestamp() + pg_catalog.make_interval(months => {}, days => {}, secs => {})",
            grace.months,
            grace.days,
            grace.micros as f64 / 1e6
        );
        vec![state::place(aside), ("drop_after", until)]
    }

    /// The two steps that prove a partition's bounds by a constraint.
    pub fn prove_bounds(&self, partition: &Candidate) -> [Step; 2] {
        let condition = self.condition(partition.range);
        let prove = fill(PROVE_BOUNDS, &[("partition", &partition.name), ("condition", &condition)]);
        let validate = fill(VALIDATE_BOUNDS, &[("partition", &partition.name)]);
        let oid = partition.oid.to_string();
        [
            self.step(
                "prove",
                &oid,
                format!("state the bounds of {}", partition.name),
                "attaching it elsewhere then scans nothing under a lock",
                prove,
                vec![lock(&partition.name, LockMode::AccessExclusive)],
                Vec::new(),
            ),
            self.step(
                "validate",
                &oid,
                format!("check the bounds of {}", partition.name),
                "reads it once, with nobody waiting",
                validate,
                vec![lock(&partition.name, LockMode::ShareUpdateExclusive)],
                Vec::new(),
            ),
        ]
    }

    /// The steps that bring a partition back under the name it had.
    pub fn recall(&self, partition: &Candidate, recall: &Recall<'_>) -> Vec<Step> {
        let here = Candidate { name: recall.place.clone(), ..partition.clone() };
        let mut steps = Vec::from(self.prove_bounds(&here));
        let mut sql = String::new();
        let mut locks =
            vec![lock(self.parent(), LockMode::ShareUpdateExclusive), lock(recall.place, LockMode::AccessExclusive)];
        if let Some(from) = recall.from {
            sql.push_str(&fill(DETACH, &[("parent", from), ("partition", recall.place), ("oid", &partition.oid)]));
            sql.push('\n');
            locks.push(lock(from, LockMode::AccessExclusive));
        }
        // Where it waits its name is unlike any other, so it moves first and is renamed then.
        let moved = TableName { schema: partition.name.schema.clone(), name: recall.place.name.clone() };
        if recall.place.schema != moved.schema {
            sql.push_str(&fill(MOVE, &[("partition", recall.place), ("schema", &moved.schema)]));
            sql.push('\n');
        }
        if moved.name != partition.name.name {
            sql.push_str(&format!("ALTER TABLE {moved} RENAME TO {};\n", partition.name.name));
        }
        let quoted = partition.name.to_string();
        let literal = Literal(&quoted);
        sql.push_str(&fill(RECALL, &[("literal", &literal)]));
        sql.push('\n');
        let bound = self.bound(partition.range);
        let slots: [(&str, &dyn Display); 3] =
            [("parent", self.parent()), ("partition", &partition.name), ("bound", &bound)];
        sql.push_str(&fill(ATTACH_ELSEWHERE, &slots));
        locks.extend(self.default_lock());
        locks.extend(self.details.foreign().map(|t| TableLock { table: t.clone(), mode: LockMode::ShareRowExclusive }));
        let record = vec![state::recalled(partition.oid)];
        let title = format!("bring {} back", partition.name);
        steps.push(self.step("undo", &partition.oid.to_string(), title, "asked for", sql, locks, record));
        steps
    }

    /// Makes a table as a manifest says, and attaches it: what is filled in between is checked against
    /// the bounds as it comes, so that attaching reads nothing.
    pub fn restore(&self, name: &TableName, range: crate::policy::key::Range, table: &str, checks: &[String]) -> Step {
        let mut made = format!("{table};\n");
        for check in checks {
            made.push_str(check);
            made.push('\n');
        }
        made.push_str(&format!("ALTER TABLE {name} ADD CONSTRAINT dbctl_bounds CHECK ({});", self.condition(range)));
        let clone = self.set.policy.clone;
        for sql in self.details.properties(name, self.parent(), clone) {
            made.push_str(&format!("\n{sql};"));
        }
        let bound = self.bound(range);
        let slots: [(&str, &dyn Display); 3] = [("parent", self.parent()), ("partition", name), ("bound", &bound)];
        let attach = fill(ATTACH_ELSEWHERE, &slots);
        let mut locks = vec![lock(self.parent(), LockMode::ShareUpdateExclusive)];
        locks.extend(self.default_lock());
        locks.extend(self.details.foreign().map(|t| TableLock { table: t.clone(), mode: LockMode::ShareRowExclusive }));
        let id = self.bound(range);
        let mut step = self.step("restore", &id, format!("restore {name}"), "asked for", made, locks, Vec::new());
        step.statements.push(Statement::whole(attach.into()));
        step
    }

    /// The bounds as a condition on the key.
    fn condition(&self, range: crate::policy::key::Range) -> String {
        use crate::policy::key::Edge;
        let key = &self.set.policy.key;
        let mut parts = vec![format!("{key} IS NOT NULL")];
        if range.lower() != Edge::Min {
            parts.push(format!("{key} >= {}", self.set.bound_sql(range.lower())));
        }
        if range.upper() != Edge::Max {
            parts.push(format!("{key} < {}", self.set.bound_sql(range.upper())));
        }
        parts.join(" AND ")
    }

    fn default_lock(&self) -> Option<TableLock> {
        self.set.default.map(|default| lock(&default.name, LockMode::AccessExclusive))
    }

    #[expect(clippy::too_many_arguments, reason = "each is said once, here")]
    fn step(
        &self,
        what: &str,
        which: &str,
        title: String,
        why: &str,
        sql: String,
        locks: Vec<TableLock>,
        record: Vec<String>,
    ) -> Step {
        let statement = Statement { locks, ..Statement::whole(sql.into()) };
        Step {
            id: format!("partitions {}:{what} {which}", raw(self.parent())),
            title,
            file: format!("dbctl's template {what}.sql"),
            file_text: std::sync::Arc::clone(&statement.sql),
            why: why.to_owned(),
            lane: Lane::Transaction,
            settings: self.server.step_settings("partitions"),
            timeouts: Timeouts { lock: self.lock().timeout, statement: Duration::ZERO },
            statements: vec![statement],
            record,
        }
    }
}

/// The SQL that puts a table aside, and where it is then. Its oid keeps names apart.
pub fn aside_sql(place: &TableName, oid: u32) -> (String, TableName) {
    let mut name = format!("p{oid}_{}", place.name.raw());
    while name.len() > 63 {
        name.pop();
    }
    let aside = TableName::new(TRASH, name);
    let renamed = TableName { schema: place.schema.clone(), name: aside.name.clone() };
    let quoted = place.to_string();
    let literal = Literal(&quoted);
    let slots: [(&str, &dyn Display); 4] =
        [("partition", place), ("literal", &literal), ("aside", &aside.name), ("renamed", &renamed)];
    let sql = fill(PUT_ASIDE, &slots);
    (sql, aside)
}

fn lock(table: &TableName, mode: LockMode) -> TableLock {
    TableLock { table: table.to_string(), mode }
}

fn name(table: &TableName) -> Name {
    Name { schema: Some(table.schema.clone()), name: table.name.clone() }
}
