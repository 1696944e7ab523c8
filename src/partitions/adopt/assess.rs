//! Whether a plain table can become the first partition of a new table of its name without losing
//! anything: each obstacle with its way out, and what will be different afterwards. Pure.

use super::read::{Index, Subject};
use crate::error::{Failure, Kind};
use crate::ident::Ident;
use crate::policy::TablePolicy;

/// Why a table is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What stands in the way.
    pub what: String,
    /// What to do about it.
    pub way_out: String,
}

/// What becomes of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The partitioned table gets one like it, and it becomes that one's part.
    Joins,
    /// It is unique without the key: one with the key is built and takes its place.
    Gains,
    /// It stays the history partition's own; new partitions get one like it.
    Stays,
}

/// What becomes of an index.
pub fn fate(index: &Index, policy: &TablePolicy) -> Fate {
    if !index.unique || index.columns.iter().any(|column| column == policy.key.raw()) {
        return Fate::Joins;
    }
    let named = |columns: &Vec<Ident>| {
        columns.len() == index.columns.len() && columns.iter().all(|c| index.columns.iter().any(|i| i == c.raw()))
    };
    if !index.primary && policy.child_unique.iter().any(named) { Fate::Stays } else { Fate::Gains }
}

/// Everything that stands in the way.
pub fn obstacles(subject: &Subject, policy: &TablePolicy) -> Vec<Obstacle> {
    let mut found = Found { table: subject.table.to_string(), list: Vec::new() };
    of_table(subject, &mut found);
    of_key(subject, policy, &mut found);
    of_indexes(subject, &mut found);
    of_constraints(subject, &mut found);
    of_actions(subject, &mut found);
    of_bound(subject, &mut found);
    found.list
}

/// What will be different afterwards, a line each.
pub fn changes(subject: &Subject, policy: &TablePolicy) -> Vec<String> {
    let key = &policy.key;
    let mut notes = Vec::new();
    for index in &subject.indexes {
        let columns = index.columns.join(", ");
        match fate(index, policy) {
            Fate::Gains if index.primary => notes.push(format!(
                "the primary key ({columns}) becomes ({columns}, {key}): ({columns}) alone is not unique any more by the \
                 server's word, and ON CONFLICT ({columns}) must name both"
            )),
            Fate::Gains => notes.push(format!(
                "{} on ({columns}) becomes unique with {key}: one value may then stand under two keys",
                index.name
            )),
            Fate::Stays => notes.push(format!("{} on ({columns}) is unique within each partition only", index.name)),
            Fate::Joins => {}
        }
    }
    if subject.newest == super::read::Newest::Unknown {
        notes.push(format!(
            "the newest {key} is UNKNOWN (no index leads to it within 10 s): rows beyond the bound would stop the VALIDATE"
        ));
    }
    if !subject.bound.views.is_empty() {
        let names: Vec<&str> = subject.bound.views.iter().map(|view| view.name.as_str()).collect();
        notes.push(format!("views are said again for the new table, rights and all: {}", names.join(", ")));
    }
    notes
}

/// One failure that names all obstacles.
pub fn refuse(subject: &Subject, obstacles: &[Obstacle]) -> Failure {
    let failure =
        Failure::new(Kind::Refused, format!("{} cannot be adopted as it is; nothing was changed", subject.table));
    let failure = obstacles.iter().fold(failure, |failure, o| failure.note(&o.what));
    obstacles.iter().fold(failure, |failure, o| failure.hint(&o.way_out))
}

struct Found {
    table: String,
    list: Vec<Obstacle>,
}

impl Found {
    fn add(&mut self, stands: bool, what: impl Into<String>, way_out: impl Into<String>) {
        if stands {
            self.list.push(Obstacle { what: what.into(), way_out: way_out.into() });
        }
    }
}

fn of_table(subject: &Subject, found: &mut Found) {
    let (facts, table) = (&subject.facts, found.table.clone());
    found.add(facts.kind != "r", format!("{table} is not a plain table"), "only plain tables are adopted");
    found.add(
        facts.partition,
        format!("{table} is itself a partition"),
        "adopt its partitioned table's place instead: DETACH it first",
    );
    found.add(
        facts.inherits && !facts.partition && facts.kind == "r",
        format!("{table} takes part in inheritance"),
        format!("end it first: ALTER TABLE child NO INHERIT {table};"),
    );
    found.add(facts.typed, format!("{table} is OF a type"), format!("ALTER TABLE {table} NOT OF;"));
    if let Some(extension) = &facts.extension {
        let extension = Ident::new(extension.as_str());
        found.add(
            true,
            format!("{table} belongs to extension {extension}"),
            format!("ALTER EXTENSION {extension} DROP TABLE {table}; or leave it to its extension"),
        );
    }
    found.add(
        facts.persistence != "p",
        format!("{table} is temporary or unlogged"),
        format!("ALTER TABLE {table} SET LOGGED; (it is written anew under its lock)"),
    );
    found.add(
        facts.access_method.as_deref().is_some_and(|method| method != "heap"),
        format!("{table} is kept by another access method than heap"),
        "partitions of other access methods are not made",
    );
    found.add(facts.labelled, format!("{table} has a security label"), "it cannot be carried over: remove it first");
    found.add(
        facts.replica_identity == "i",
        format!("the replica identity of {table} is an index, which new partitions could not take over"),
        format!("ALTER TABLE {table} REPLICA IDENTITY DEFAULT; or FULL"),
    );
}

fn of_key(subject: &Subject, policy: &TablePolicy, found: &mut Found) {
    let (key, table) = (&policy.key, found.table.clone());
    let Some(column) = subject.columns.iter().find(|c| c.name == key.raw()) else {
        found.add(true, format!("{table} has no column {key}"), "correct 'key' in the policy");
        return;
    };
    found.add(
        !column.generated.is_empty(),
        format!("{key} is a generated column"),
        "PostgreSQL does not partition by generated columns: choose another key",
    );
    found.add(
        subject.nulls == Some(true),
        format!("{table} has rows whose {key} is NULL: they would belong to no partition"),
        format!("UPDATE {table} SET {key} = … WHERE {key} IS NULL; (or delete them)"),
    );
}

fn of_indexes(subject: &Subject, found: &mut Found) {
    let record = subject.begun.as_ref().map(|begun| &begun.record);
    for index in &subject.indexes {
        let name = Ident::new(index.name.as_str());
        let ours = record.is_some_and(|record| record.indexes.iter().any(|names| names.history == index.name));
        let qualified = format!("{}.{name}", subject.table.schema);
        found.add(
            !index.valid && !ours,
            format!("index {qualified} is invalid"),
            format!("REINDEX INDEX CONCURRENTLY {qualified}; or drop it"),
        );
        found.add(
            index.exclusion,
            format!("{qualified} is an exclusion constraint, which would hold within each partition only"),
            format!("ALTER TABLE {} DROP CONSTRAINT {name};", subject.table),
        );
    }
}

fn of_constraints(subject: &Subject, found: &mut Found) {
    let table = found.table.clone();
    let ours = subject.begun.as_ref().map(|begun| begun.record.check.as_str());
    for constraint in subject.constraints.iter().filter(|c| Some(c.name.as_str()) != ours) {
        let name = Ident::new(constraint.name.as_str());
        if constraint.inbound == Some(true) {
            let other = &constraint.table;
            found.add(
                true,
                format!("{other} has a foreign key to {table} ({name}), which would go on leading to the history alone"),
                format!(
                    "drop it, adopt, and let it refer to the composite key: ALTER TABLE {other} DROP CONSTRAINT {name}; \
                     afterwards: ALTER TABLE {other} ADD CONSTRAINT {name} FOREIGN KEY (…, …) REFERENCES {table} (…, {key});",
                    key = "the key"
                ),
            );
            found.add(
                true,
                format!("(or what {name} ensures is left to a trigger)"),
                format!("or a trigger on {other} that looks the row up, in place of {name}"),
            );
            continue;
        }
        found.add(
            !constraint.valid || !constraint.enforced,
            format!("constraint {name} is not validated"),
            format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"),
        );
        found.add(
            constraint.no_inherit && constraint.kind != "f",
            format!("constraint {name} is NO INHERIT, which partitioned tables cannot have"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}; (and add it without NO INHERIT)"),
        );
    }
}

fn of_actions(subject: &Subject, found: &mut Found) {
    let table = found.table.clone();
    for rule in &subject.actions.rules {
        let rule = Ident::new(rule.as_str());
        found.add(
            true,
            format!("{table} has rule {rule}, which would act on the history alone"),
            format!("DROP RULE {rule} ON {table}; and say it again after the adoption"),
        );
    }
    for trigger in subject.actions.triggers.iter().filter(|t| t.by_row && t.transition) {
        let name = Ident::new(trigger.name.as_str());
        found.add(
            true,
            format!("row trigger {name} has transition tables, which partitioned tables cannot have"),
            format!("DROP TRIGGER {name} ON {table}; or make it a statement trigger"),
        );
    }
}

fn of_bound(subject: &Subject, found: &mut Found) {
    let table = found.table.clone();
    for view in subject.bound.views.iter().filter(|view| view.by_key) {
        found.add(
            true,
            format!("view {} groups by the primary key of {table}", view.name),
            format!(
                "name all columns in its GROUP BY, or drop it and say it again after the adoption: DROP VIEW {};",
                view.name
            ),
        );
    }
    for other in &subject.bound.others {
        found.add(
            true,
            format!("{other} is bound to {table} itself and would see the history alone"),
            format!("free {table} of {other}; it can be made again after the adoption"),
        );
    }
    for publication in &subject.bound.publications {
        let name = Ident::new(publication.name.as_str());
        found.add(
            !publication.via_root,
            format!("publication {name} would send changes under the partitions' names, which subscribers do not have"),
            format!("ALTER PUBLICATION {name} SET (publish_via_partition_root = true);"),
        );
        found.add(
            publication.filtered,
            format!("publication {name} sends only some rows or columns of {table}"),
            format!("ALTER PUBLICATION {name} DROP TABLE {table}; and add it again after the adoption"),
        );
    }
}
