//! Decides the steps that turn a plain table into a partitioned one in place. Nothing is copied: the
//! table becomes the first partition, from MINVALUE to a grid line ahead of now. Pure.
//!
//! The order keeps what others notice short. Unique indexes that lack the key are built first, which
//! takes long and disturbs nobody. The partitioned table is prepared under a name of its own, with
//! everything it needs. Only then comes the CHECK that proves the bounds, which refuses rows beyond
//! the upper one until the exchange: the bound lies at least a day ahead, in whole periods. The
//! exchange itself is one transaction of catalog changes ([`super::swap`]).

use std::collections::BTreeSet;

use super::assess::{self, Fate};
use super::definition;
use super::read::{Index, Newest, Subject};
use super::record::{IndexNames, Record};
use super::{shell, swap};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::likeness::{free_name, suffixed};
use crate::partitions::workbench::{Work, assert_empty, lock};
use crate::policy::TablePolicy;
use crate::policy::calendar::{Axis, Every, Grid};
use crate::policy::key::{Codec, Edge};
use crate::steps::guard::Name;
use crate::steps::{Guard, LockMode, Plan, Step, journal};

/// A day: the least time between now and the bound that the CHECK enforces meanwhile.
const MARGIN: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// What is going to be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Up to the exchange.
    pub prepare: Plan,
    /// The exchange, and what follows it.
    pub exchange: Plan,
    /// What will be different afterwards.
    pub notes: Vec<String>,
    /// About how long each step takes, in seconds, by its id.
    pub estimates: Vec<(String, f64)>,
}

impl Course {
    /// Both plans as one.
    pub fn whole(&self) -> Plan {
        Plan { steps: self.prepare.steps.iter().chain(&self.exchange.steps).cloned().collect() }
    }
}

/// What every part of the plan looks at.
pub(super) struct Ground<'a> {
    pub(super) subject: &'a Subject,
    pub(super) policy: &'a TablePolicy,
    pub(super) grid: Grid,
    pub(super) record: Record,
    pub(super) upper: i128,
    pub(super) now: i128,
}

/// The grid of a policy over a column of this type.
///
/// # Errors
/// What does not fit.
pub fn grid(policy: &TablePolicy, column_type: &str) -> Result<Grid, String> {
    let codec = match (policy.codec, column_type.split('(').next().unwrap_or_default().trim()) {
        (Some(codec), _) => codec,
        (None, "date") => Codec::Date,
        (None, kind) if kind.starts_with("timestamp") && column_type.ends_with("with time zone") => Codec::Timestamptz,
        (None, kind) if kind.starts_with("timestamp") => Codec::Timestamp,
        (None, "smallint" | "integer" | "bigint") if matches!(policy.every, Every::Values(_)) => Codec::Number,
        (None, "uuid") => Codec::UuidV7,
        (None, other) => return Err(format!("a key of type {other} needs a codec")),
    };
    Grid::new(Axis { codec, zone: policy.timezone }, policy.every)
}

/// Decides.
///
/// # Errors
/// Refused with every obstacle named; invalid where key and policy do not fit.
pub fn plan(subject: &Subject, policy: &TablePolicy) -> Result<Course> {
    if subject.facts.kind == "p" {
        return adopted(subject, policy);
    }
    let obstacles = assess::obstacles(subject, policy);
    if !obstacles.is_empty() {
        return Err(assess::refuse(subject, &obstacles));
    }
    let column = subject.columns.iter().find(|c| c.name == policy.key.raw());
    let kind = column.map_or("", |c| c.kind.as_str());
    let grid = grid(policy, kind).map_err(|why| Failure::new(Kind::Invalid, format!("{}: {why}", subject.table)))?;
    let now = position_of_now(subject, &grid)?;
    let newest = newest(subject, policy, &grid)?;
    let print = fingerprint(subject);
    let fits = |record: &Record| match grid.axis.parse(&record.upper) {
        Ok(Edge::At(upper))
            if upper > now && newest.is_none_or(|newest| newest < upper) && record.fingerprint == print =>
        {
            Some(upper)
        }
        _ => None,
    };
    let begun = subject.begun.as_ref().filter(|begun| !begun.swapped).map(|begun| &begun.record);
    let (record, upper, stale) = match begun.map(|record| (record, fits(record))) {
        Some((record, Some(upper))) => (record.clone(), upper, false),
        old => {
            let upper = upper(&grid, now, newest).ok_or_else(|| beyond(subject))?;
            (
                decide(subject, policy, &grid.axis.literal(upper), print, old.map(|(record, _)| record)),
                upper,
                old.is_some(),
            )
        }
    };
    let ground = Ground { subject, policy, grid, record, upper, now };
    ground.course(begun.is_some(), stale)
}

/// The table is partitioned already: all that may be left is its statistics.
fn adopted(subject: &Subject, policy: &TablePolicy) -> Result<Course> {
    let Some(begun) = subject.begun.as_ref().filter(|begun| begun.swapped) else {
        return Ok(Course::default());
    };
    let step = swap::statistics(&work(subject, policy, begun.relation), subject, begun.relation);
    Ok(Course { exchange: Plan { steps: vec![step] }, ..Course::default() })
}

/// Takes back what an adoption has done before its exchange.
///
/// # Errors
/// Refused when there is nothing to take back, or the exchange is done.
pub fn abort(subject: &Subject, policy: &TablePolicy) -> Result<Plan> {
    let Some(begun) = subject.begun.as_ref().filter(|begun| !begun.swapped && subject.facts.kind == "r") else {
        return Err(Failure::new(Kind::Refused, format!("no adoption of {} is under way", subject.table))
            .hint("after the exchange a table stays partitioned: there is nothing left to take back"));
    };
    let work = work(subject, policy, begun.relation);
    let mut steps = Vec::new();
    steps.extend(undo(&work, subject, &begun.record, "taken back with --abort"));
    for names in &begun.record.indexes {
        let built = subject.indexes.iter().find(|index| index.name == names.history);
        if built.is_some() {
            steps.push(drop_index(&work, subject, &names.history));
        }
    }
    let sql = format!(
        "UPDATE dbctl.adoption SET state = 'aborted', changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        begun.relation
    );
    let mut last = work.transaction(
        "aborted",
        format!("{}: as it was", subject.table),
        "nothing of the adoption is left",
        &[sql],
        vec![],
    );
    // An index build that was begun before is not ours any more.
    last.record.push(journal::step_line(&format!("{}all", work.family), "undone"));
    steps.push(last);
    Ok(Plan { steps })
}

pub(super) fn work<'a>(subject: &'a Subject, policy: &TablePolicy, relation: i64) -> Work<'a> {
    Work {
        server: &subject.server,
        family: format!("adopt:{relation}:"),
        command: "partitions adopt",
        lock: policy.lock.timeout,
    }
}

fn position_of_now(subject: &Subject, grid: &Grid) -> Result<i128> {
    let micros = (subject.facts.now * 1e6) as i64;
    let moment = chrono::DateTime::from_timestamp_micros(micros);
    if grid.axis.codec == Codec::Number {
        return Ok(0);
    }
    moment.and_then(|moment| grid.axis.of_instant(moment)).ok_or_else(|| beyond(subject))
}

fn newest(subject: &Subject, policy: &TablePolicy, grid: &Grid) -> Result<Option<i128>> {
    let Newest::Some(text) = &subject.newest else { return Ok(None) };
    match grid.axis.parse(text) {
        Ok(Edge::At(at)) => Ok(Some(at)),
        Ok(Edge::Min) => Ok(None),
        Ok(Edge::Max) => Err(Failure::new(
            Kind::Refused,
            format!("{} has rows whose {} is infinity: no grid line lies behind them", subject.table, policy.key),
        )
        .hint(format!("SELECT * FROM {} WHERE {} = 'infinity';", subject.table, policy.key))),
        Err(why) => Err(Failure::new(Kind::Failed, format!("cannot read the newest {} '{text}': {why}", policy.key))),
    }
}

/// The first grid line a day or more ahead, and behind the newest row.
fn upper(grid: &Grid, now: i128, newest: Option<i128>) -> Option<i128> {
    let ahead = match grid.axis.codec {
        Codec::Number => grid.next(newest?.max(0)),
        _ => grid.axis.instant(now).and_then(|now| grid.axis.of_instant(now + MARGIN)),
    };
    grid.next(ahead?.max(newest.unwrap_or(i128::MIN)))
}

fn beyond(subject: &Subject) -> Failure {
    Failure::new(Kind::Refused, format!("no grid line can be told for the rows of {}", subject.table))
        .hint("an empty table with a plain number for its key is better created partitioned; else see the newest key")
}

/// A hash of everything that the shell and the exchange take over. What the adoption itself adds is
/// left out.
pub fn fingerprint(subject: &Subject) -> String {
    let record = subject.begun.as_ref().map(|begun| &begun.record);
    let ours = |index: &&Index| !record.is_some_and(|r| r.indexes.iter().any(|n| n.history == index.name));
    let indexes: Vec<&Index> = subject.indexes.iter().filter(ours).collect();
    let constraints: Vec<_> =
        subject.constraints.iter().filter(|c| record.is_none_or(|record| record.check != c.name)).collect();
    let facts = &subject.facts;
    journal::hash(&format!(
        "{:?}",
        (
            (&facts.owner, &facts.tablespace, &facts.options, &facts.toast_options, &facts.comment),
            (facts.row_security, facts.force_row_security, &facts.replica_identity),
            (&subject.columns, indexes, constraints, &subject.actions, &subject.grants, &subject.bound),
        )
    ))
}

fn decide(subject: &Subject, policy: &TablePolicy, upper: &str, fingerprint: String, old: Option<&Record>) -> Record {
    let mut taken: BTreeSet<String> = subject.facts.names.iter().cloned().collect();
    if let Some(old) = old {
        taken.retain(|name| *name != old.shell);
        for names in &old.indexes {
            // Built ones are used again; those on the shell go with it.
            taken.retain(|name| *name != names.history && *name != names.shell);
        }
    }
    let table = subject.table.name.raw();
    let mut free = |suffix: &str, stem: &str| free_name(&suffixed(stem, suffix), &mut taken);
    let (history, shell) = (free("_history", table), free("_dbctl_shell", table));
    let ours = |index: &&Index| !old.is_some_and(|old| old.indexes.iter().any(|names| names.history == index.name));
    let kept = |index: &&Index| assess::fate(index, policy) != Fate::Stays;
    let indexes = subject.indexes.iter().filter(ours).filter(kept);
    Record {
        history,
        shell,
        shell_oid: None,
        check: free_check(subject, old),
        upper: upper.to_owned(),
        indexes: indexes
            .map(|index| IndexNames {
                name: index.name.clone(),
                history: free("_history", &index.name),
                shell: free("_dbctl_shell", &index.name),
            })
            .collect(),
        sequence: free("_dbctl_sequence", table),
        fingerprint,
    }
}

fn free_check(subject: &Subject, old: Option<&Record>) -> String {
    if let Some(old) = old {
        return old.check.clone();
    }
    let mut names: BTreeSet<String> = subject.constraints.iter().map(|c| c.name.clone()).collect();
    free_name("dbctl_adopt_range", &mut names)
}

impl Ground<'_> {
    pub(super) fn table(&self, name: &str) -> TableName {
        TableName { schema: self.subject.table.schema.clone(), name: Ident::new(name) }
    }

    pub(super) fn key_type(&self) -> &str {
        self.subject.columns.iter().find(|c| c.name == self.policy.key.raw()).map_or("", |c| c.kind.as_str())
    }

    pub(super) fn work(&self) -> Work<'_> {
        work(self.subject, self.policy, self.subject.facts.oid)
    }

    fn course(&self, begun: bool, stale: bool) -> Result<Course> {
        let mut steps = Vec::new();
        if stale && let Some(old) = &self.subject.begun {
            let why = "the table or the time has moved on since the adoption began";
            steps.extend(undo(&self.work(), self.subject, &old.record, why));
        }
        if !begun || stale {
            steps.push(self.begin()?);
        }
        for index in self.subject.indexes.iter().filter(|index| assess::fate(index, self.policy) == Fate::Gains) {
            steps.extend(self.build(index)?);
        }
        let has_shell = !stale && self.record.shell_oid.is_some() && self.record.shell_oid == self.subject.shell;
        if !has_shell {
            steps.extend(shell::steps(self)?);
        }
        let check = self.subject.constraints.iter().find(|c| !stale && c.name == self.record.check);
        if check.is_none() {
            steps.push(self.add_check());
        }
        if check.is_none_or(|check| !check.valid) {
            steps.push(self.validate());
        }
        let exchange = Plan { steps: swap::steps(self)? };
        let mut notes = assess::changes(self.subject, self.policy);
        notes.push(format!(
            "from its CHECK until the exchange the table refuses rows with {} >= {}",
            self.policy.key, self.record.upper
        ));
        let mut course = Course { prepare: Plan { steps }, exchange, notes, estimates: Vec::new() };
        course.estimates = course.whole().steps.iter().map(|step| (step.id.clone(), self.estimate(step))).collect();
        Ok(course)
    }

    /// Measured with 5 million rows of a 2-core machine: 0.13 us a row for VALIDATE, 0.5 us for a unique
    /// index of two columns.
    fn estimate(&self, step: &Step) -> f64 {
        let rows = self.subject.facts.rows as f64;
        if step.id.ends_with(":validate") {
            rows * 0.13e-6
        } else if step.id.contains(":index ") {
            rows * 0.5e-6
        } else {
            0.01
        }
    }

    fn begin(&self) -> Result<Step> {
        let table = &self.subject.table;
        let record = serde_json::to_string(&self.record)?;
        let sql = format!(
            "INSERT INTO dbctl.adoption (relation, table_name, plan, state) VALUES ({}, {}, {}, 'begun')\nON CONFLICT (relation) \
             DO UPDATE SET table_name = excluded.table_name, plan = excluded.plan, state = 'begun', \
             changed_at = pg_catalog.clock_timestamp();",
            self.subject.facts.oid,
            Literal(&table.to_string()),
            Literal(&record)
        );
        Ok(self.work().transaction(
            "begin",
            format!("{table}: note what is decided"),
            "a rerun goes on with the same names and bounds",
            &[sql],
            vec![],
        ))
    }

    /// The unique index that has the key; nothing when it is there.
    fn build(&self, index: &Index) -> Result<Option<Step>> {
        let names = self.names(index)?;
        if self.subject.indexes.iter().any(|built| built.name == names.history && built.valid) {
            return Ok(None);
        }
        let table = &self.subject.table;
        let tail = definition::index_tail(&index.definition)
            .and_then(|tail| definition::with_column(tail, &self.policy.key))
            .ok_or_else(|| odd(&index.definition))?;
        let name = Ident::new(names.history.as_str());
        let sql = format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {tail}");
        let guard = Guard::IndexBuild {
            index: Name { schema: Some(table.schema.clone()), name: name.clone() },
            table: Name { schema: Some(table.schema.clone()), name: table.name.clone() },
        };
        let mut step = self.work().alone(
            &format!("index {}", names.history),
            format!("{table}: unique index {name} with {}", self.policy.key),
            "what is unique in a partitioned table must have its key",
            sql,
            guard,
            vec![lock(table, LockMode::ShareUpdateExclusive)],
        );
        if let (Some(space), Some(statement)) = (&index.tablespace, step.statements.first_mut()) {
            statement.prelude.push(format!("SET default_tablespace = {}", Literal(space)));
        }
        Ok(Some(step))
    }

    pub(super) fn names(&self, index: &Index) -> Result<&IndexNames> {
        self.record
            .index(&index.name)
            .ok_or_else(|| Failure::new(Kind::Failed, format!("index {} is not in the plan", index.name)))
    }

    fn add_check(&self) -> Step {
        let (table, key) = (&self.subject.table, &self.policy.key);
        let sql = format!(
            "ALTER TABLE {table} ADD CONSTRAINT {} CHECK ({key} IS NOT NULL AND {key} < {}::{}) NOT VALID;",
            Ident::new(self.record.check.as_str()),
            Literal(&self.record.upper),
            self.key_type()
        );
        self.work().transaction(
            "check",
            format!("{table}: CHECK of the bounds, not validated"),
            "once it is validated, the exchange need not look at a row",
            &[sql],
            vec![lock(table, LockMode::AccessExclusive)],
        )
    }

    fn validate(&self) -> Step {
        let table = &self.subject.table;
        let sql = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {};", Ident::new(self.record.check.as_str()));
        self.work().transaction(
            "validate",
            format!("{table}: validate the CHECK"),
            "reads every row; nobody who reads or writes waits",
            &[sql],
            vec![lock(table, LockMode::ShareUpdateExclusive)],
        )
    }
}

/// Removes the CHECK and the shell, the latter by the oid that was noted and only while it is empty.
fn undo(work: &Work<'_>, subject: &Subject, record: &Record, why: &str) -> Vec<Step> {
    let table = &subject.table;
    let mut steps = Vec::new();
    if subject.constraints.iter().any(|c| c.name == record.check && c.kind == "c") {
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT {};", Ident::new(record.check.as_str()));
        let title = format!("{table}: drop the CHECK of the bounds");
        steps.push(work.transaction("drop check", title, why, &[sql], vec![lock(table, LockMode::AccessExclusive)]));
    }
    if record.shell_oid.is_some() && record.shell_oid == subject.shell {
        let shell = TableName { schema: table.schema.clone(), name: Ident::new(record.shell.as_str()) };
        let sql = [
            format!("LOCK TABLE {shell} IN ACCESS EXCLUSIVE MODE;"),
            assert_empty(&shell),
            format!("DROP TABLE {shell};"),
            format!(
                "UPDATE dbctl.adoption SET plan = plan - 'shell_oid', changed_at = pg_catalog.clock_timestamp() \
                 WHERE relation = {};",
                subject.facts.oid
            ),
        ];
        let mut locks = vec![lock(&shell, LockMode::AccessExclusive)];
        locks.extend(referenced(subject).map(|other| lock(other, LockMode::AccessExclusive)));
        let title = format!("{table}: drop the empty {shell} and its partitions");
        steps.push(work.transaction("drop shell", title, why, &sql, locks));
    }
    steps
}

fn drop_index(work: &Work<'_>, subject: &Subject, name: &str) -> Step {
    let index = TableName { schema: subject.table.schema.clone(), name: Ident::new(name) };
    let guard = Guard::IndexDrop { index: Name { schema: Some(index.schema.clone()), name: index.name.clone() } };
    work.alone(
        &format!("drop index {name}"),
        format!("{}: drop index {}", subject.table, index.name),
        "it was built for the adoption",
        format!("DROP INDEX CONCURRENTLY IF EXISTS {index}"),
        guard,
        vec![lock(&subject.table, LockMode::ShareUpdateExclusive)],
    )
}

/// Tables that the table's foreign keys lead to, other than itself.
pub(super) fn referenced(subject: &Subject) -> impl Iterator<Item = &str> {
    let own = subject.facts.shown.as_str();
    let others: BTreeSet<&str> =
        subject.constraints.iter().filter(|c| c.kind == "f").filter_map(|c| c.other.as_deref()).collect();
    others.into_iter().filter(move |other| *other != own)
}

pub(super) fn odd(definition: &str) -> Failure {
    Failure::new(Kind::Failed, format!("cannot read the definition that the server printed: {definition}"))
}
