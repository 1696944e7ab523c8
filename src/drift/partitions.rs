//! Partitions under a policy come and go: their being there is no drift, their shape is. A partition that
//! nobody expects by name is measured by its expected siblings, where there are any, else by its table.
//! Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::compare::{Difference, What, Whole};
use super::names::{normal, outermost, parts};
use crate::ident::Ident;
use crate::policy::{DefaultRule, Expire, Policy, TablePolicy, Then};
use crate::schema::{Id, Kind, Object, Property, Value};

/// The partitioned tables whose partitions a policy keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Managed {
    tables: BTreeMap<String, Rule>,
}

/// What is known of a table's partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    default: DefaultRule,
    stays_detached: bool,
    storage: Vec<String>,
    unique: Vec<Vec<Ident>>,
}

impl Managed {
    /// The tables of a policy. Entries for an embedded system count where it is one of `systems`, or where
    /// nothing is known of them.
    pub fn of(policy: &Policy, systems: Option<&[String]>) -> Managed {
        let counts = |table: &&TablePolicy| match (&table.system, systems) {
            (Some(system), Some(systems)) => systems.contains(system),
            _ => true,
        };
        let mut managed = Managed::default();
        for table in policy.tables.iter().filter(counts) {
            managed.tables.insert(normal(&table.table.to_string()), Rule::of(table));
            // What arrives there comes and goes as well; an entry of its own says more.
            if let Expire::Attach { parent } = &table.expire {
                managed.tables.entry(normal(&parent.to_string())).or_insert_with(|| Rule::of(table));
            }
        }
        managed
    }

    /// Both together; what the first says of a table stands.
    #[must_use]
    pub fn or(mut self, other: Managed) -> Managed {
        for (table, rule) in other.tables {
            self.tables.entry(table).or_insert(rule);
        }
        self
    }

    /// How many tables.
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// Whether all partitions are compared one by one.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
}

impl Rule {
    fn of(table: &TablePolicy) -> Rule {
        let mut storage: Vec<String> = table.storage.iter().map(|(name, value)| format!("{name}={value}")).collect();
        storage.sort();
        Rule {
            default: table.default_partition,
            stays_detached: matches!(table.expire, Expire::Detach | Expire::Archive { then: Then::Detach, .. }),
            storage,
            unique: table.child_unique.clone(),
        }
    }
}

/// What is settled before the sides are compared by id.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// What is wrong with the shape of partitions.
    pub differences: Vec<Difference>,
    /// Partitions that are on one side only, as the policy has it.
    pub passed_over: usize,
    expected: HashSet<Id>,
    actual: HashSet<Id>,
}

impl Folded {
    /// Whether an object of the expected side is settled.
    pub fn covers_expected(&self, id: &Id) -> bool {
        !self.expected.is_empty() && self.expected.contains(&outermost(id))
    }

    /// Whether an object of the database is settled.
    pub fn covers_actual(&self, id: &Id) -> bool {
        !self.actual.is_empty() && self.actual.contains(&outermost(id))
    }
}

/// One side's tables, and the partitions among them that a policy keeps.
struct Side<'a> {
    tables: HashMap<&'a Id, &'a Object>,
    parts: HashMap<Id, Vec<&'a Object>>,
    partitions: BTreeMap<&'a Id, Partition<'a>>,
}

#[derive(Clone)]
struct Partition<'a> {
    object: &'a Object,
    parent: String,
    rule: &'a Rule,
}

impl Partition<'_> {
    fn is_default(&self) -> bool {
        text(self.object, Property::Bound) == Some("DEFAULT")
    }
}

fn text(object: &Object, property: Property) -> Option<&str> {
    match object.get(property) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

impl<'a> Side<'a> {
    fn of(objects: &[&'a Object], managed: &'a Managed) -> Side<'a> {
        let is_table = |object: &&&'a Object| matches!(object.id.kind, Kind::Table | Kind::ForeignTable);
        let tables: HashMap<&Id, &Object> = objects.iter().filter(is_table).map(|table| (&table.id, *table)).collect();
        // The catalog quotes keywords, which ids leave bare.
        let parent_of = |table: &Object| text(table, Property::PartitionOf).map(normal);
        let parents: HashMap<&str, String> =
            tables.values().filter_map(|table| Some((&*table.id.name, parent_of(table)?))).collect();
        let mut partitions = BTreeMap::new();
        for object in tables.values() {
            let Some(parent) = parent_of(object) else { continue };
            // Partitions of a partition belong to the table at the top; there are few levels.
            let line = std::iter::successors(Some(parent.as_str()), |name| parents.get(name).map(String::as_str));
            let rule = line.take(16).find_map(|name| managed.tables.get(name));
            if let Some(rule) = rule {
                partitions.insert(&object.id, Partition { object, parent, rule });
            }
        }
        let mut parts: HashMap<Id, Vec<&Object>> = HashMap::new();
        for object in objects.iter().filter(|object| object.id.parent.is_some()) {
            let table = outermost(&object.id);
            if partitions.contains_key(&table) {
                parts.entry(table).or_default().push(object);
            }
        }
        Side { tables, parts, partitions }
    }

    fn parts(&self, id: &Id) -> &[&'a Object] {
        self.parts.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Settles the partitions of managed tables that are on one side only.
pub(super) fn fold(expected: &[&Object], actual: &[&Object], managed: &Managed) -> Folded {
    let mut folded = Folded::default();
    if managed.is_empty() {
        return folded;
    }
    let (expected, actual) = (Side::of(expected, managed), Side::of(actual, managed));
    for (id, partition) in &expected.partitions {
        if actual.partitions.contains_key(id)
            || (partition.is_default() && partition.rule.default == DefaultRule::Require)
        {
            continue;
        }
        if actual.tables.contains_key(*id) && partition.rule.stays_detached {
            folded.actual.insert((*id).clone());
        }
        folded.expected.insert((*id).clone());
        folded.passed_over += 1;
    }
    for (id, partition) in &actual.partitions {
        let is_expected = expected.tables.contains_key(*id);
        if is_expected || (partition.is_default() && partition.rule.default == DefaultRule::Forbid) {
            continue;
        }
        folded.actual.insert((*id).clone());
        folded.passed_over += 1;
        folded.differences.extend(measured(partition, &expected, &actual));
    }
    folded
}

/// What a partition nobody expects by name should have been like.
fn measured(partition: &Partition<'_>, expected: &Side<'_>, actual: &Side<'_>) -> Vec<Difference> {
    let siblings: Vec<&Partition<'_>> = expected
        .partitions
        .values()
        .filter(|sibling| sibling.parent == partition.parent && !sibling.is_default())
        .collect();
    let parent = Id { parent: None, kind: Kind::Table, name: partition.parent.as_str().into() };
    let parent = expected.tables.get(&parent).or_else(|| actual.tables.get(&parent)).copied();
    let mut differences = properties(partition, &siblings, parent);
    differences.extend(own_parts(partition, &siblings, expected, actual));
    differences
}

/// What a partition has of its own whoever its siblings are.
const OF_ITS_OWN: [Property; 4] = [Property::PartitionOf, Property::Bound, Property::Comment, Property::Lacks];
/// What a partition may take over from its table.
const OF_ITS_TABLE: [Property; 9] = [
    Property::Owner,
    Property::Privileges,
    Property::RowSecurity,
    Property::ForceRowSecurity,
    Property::ReplicaIdentity,
    Property::Tablespace,
    Property::Persistence,
    Property::AccessMethod,
    Property::SecurityLabels,
];

fn properties(partition: &Partition<'_>, siblings: &[&Partition<'_>], parent: Option<&Object>) -> Vec<Difference> {
    let object = partition.object;
    let mut differences = Vec::new();
    let mut tell = |property: Property, expected: Option<&Value>| {
        let actual = object.get(property).cloned();
        let what = What::Changed { property, expected: expected.cloned(), actual };
        differences.push(Difference { id: object.id.clone(), what });
    };
    for property in Property::ALL.iter().copied().filter(|property| !OF_ITS_OWN.contains(property)) {
        let is = object.get(property);
        let usual = most_common(siblings.iter().map(|sibling| sibling.object.get(property)));
        let of_table = parent.and_then(|parent| parent.get(property));
        let fits = match usual {
            Some(usual) => is == usual,
            None => is.is_none() && !OF_ITS_TABLE.contains(&property),
        } || (OF_ITS_TABLE.contains(&property) && is == of_table)
            || (property == Property::Options && is_storage(is, &partition.rule.storage));
        if !fits {
            tell(property, usual.unwrap_or(if OF_ITS_TABLE.contains(&property) { of_table } else { None }));
        }
    }
    if object.get(Property::Lacks).is_some() {
        tell(Property::Lacks, None);
    }
    differences
}

fn is_storage(options: Option<&Value>, storage: &[String]) -> bool {
    match options {
        Some(Value::List(options)) => {
            let mut options: Vec<&str> = options.iter().map(AsRef::as_ref).collect();
            options.sort_unstable();
            options == storage
        }
        _ => storage.is_empty(),
    }
}

/// What most have; of two that are as common, the one met first.
fn most_common<T: PartialEq>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counted: Vec<(T, usize)> = Vec::new();
    for value in values {
        match counted.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counted.push((value, 1)),
        }
    }
    counted.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(value, _)| value)
}

/// Columns, constraints, indexes and triggers that a partition has and its siblings have not, and the reverse.
fn own_parts(
    partition: &Partition<'_>,
    siblings: &[&Partition<'_>],
    expected: &Side<'_>,
    actual: &Side<'_>,
) -> Vec<Difference> {
    let usual = most_common(siblings.iter().map(|sibling| {
        let mut likenesses: Vec<String> =
            expected.parts(&sibling.object.id).iter().map(|part| likeness(part, sibling.object)).collect();
        likenesses.sort();
        likenesses
    }));
    let mut due = usual.unwrap_or_default();
    let mut differences = Vec::new();
    for part in actual.parts(&partition.object.id) {
        let likeness = likeness(part, partition.object);
        if let Some(at) = due.iter().position(|known| *known == likeness) {
            due.remove(at);
        } else if !is_wanted_unique(part, partition.rule) {
            let whole = Whole { object: (*part).clone(), parts: BTreeMap::new() };
            differences.push(Difference { id: part.id.clone(), what: What::Extra(whole) });
        }
    }
    for likeness in due {
        let found = siblings.iter().find_map(|sibling| {
            let parts = expected.parts(&sibling.object.id).iter();
            parts.copied().find(|part| self::likeness(part, sibling.object) == likeness).map(|part| (*sibling, part))
        });
        let Some((sibling, part)) = found else { continue };
        let object = transplanted(part, sibling.object, partition.object);
        let whole = Whole { object, parts: BTreeMap::new() };
        differences.push(Difference { id: whole.object.id.clone(), what: What::Missing(whole) });
    }
    differences
}

fn bare(table: &Object) -> String {
    parts(&table.id.name).pop().unwrap_or_default()
}

/// A part as it would look on any partition: without its name, its partition's name, and the literals of
/// a CHECK, which repeats bounds.
fn likeness(part: &Object, partition: &Object) -> String {
    let mut likeness = part.id.kind.word().to_owned();
    let own = parts(&part.id.name).pop().unwrap_or_default();
    for (property, value) in part.properties.iter().filter(|(property, _)| **property != Property::Comment) {
        let mut value = value.to_string().replace(own.as_str(), "*").replace(&bare(partition), "*");
        if part.id.kind == Kind::Check {
            value = without_literals(&value);
        }
        likeness.push_str(&format!("\n{}={value}", property.word()));
    }
    // Of a column the name is all there is to it.
    if matches!(part.id.kind, Kind::Column | Kind::Trigger | Kind::Policy) {
        likeness.push_str(&format!("\n{own}"));
    }
    likeness
}

fn without_literals(text: &str) -> String {
    text.split('\'').step_by(2).collect::<Vec<_>>().join("?")
}

fn transplanted(part: &Object, from: &Object, to: &Object) -> Object {
    let (old, new) = (bare(from), bare(to));
    let renamed = |text: &str| -> Box<str> { text.replace(&old, &new).into() };
    let properties = part.properties.iter().map(|(property, value)| {
        let value = match value {
            Value::Text(text) => Value::Text(renamed(text)),
            Value::List(texts) => Value::List(texts.iter().map(|text| renamed(text)).collect()),
            value => value.clone(),
        };
        (*property, value)
    });
    let parent = Some(to.id.to_string().into());
    Object { id: Id { parent, kind: part.id.kind, name: renamed(&part.id.name) }, properties: properties.collect() }
}

/// A unique index that the policy asks for on each partition.
fn is_wanted_unique(part: &Object, rule: &Rule) -> bool {
    let Some(definition) = text(part, Property::Definition) else { return false };
    matches!(part.id.kind, Kind::Unique | Kind::Index | Kind::PrimaryKey)
        && rule.unique.iter().any(|columns| {
            let list = columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            definition.to_uppercase().contains("UNIQUE") && definition.contains(&format!("({list})"))
        })
}

#[cfg(test)]
#[path = "partitions_tests.rs"]
mod tests;
