//! Compares the schema that should be with the one that is. Pure: both are values, read elsewhere.

use std::collections::BTreeMap;

use super::names::{is_automatic, outermost, without_name};
use super::partitions::{self, Managed};
use crate::schema::{Id, Kind, Object, Property, Snapshot, UNSEEN, Value};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The object: as it should be called, or as it is called where nobody expects it.
    pub id: Id,
    /// How it differs.
    pub what: What,
}

/// How an object differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// In the database, not expected.
    Extra(Whole),
    /// Expected, not in the database.
    Missing(Whole),
    /// In both, with another property.
    Changed {
        /// The property.
        property: Property,
        /// As it should be; nothing is the usual value.
        expected: Option<Value>,
        /// As it is.
        actual: Option<Value>,
    },
    /// In both, with another name that somebody chose.
    Renamed {
        /// As it is called now.
        to: Box<str>,
    },
}

/// A whole object of one side, whose parts are counted and not told one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The object.
    pub object: Object,
    /// Its parts by kind.
    pub parts: BTreeMap<Kind, usize>,
}

/// What a difference is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of What")]
pub enum Direction {
    Extra,
    Missing,
    Changed,
    Renamed,
}

impl Direction {
    /// All of them.
    pub const ALL: [Direction; 4] = [Direction::Extra, Direction::Missing, Direction::Changed, Direction::Renamed];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Extra => "extra",
            Direction::Missing => "missing",
            Direction::Changed => "changed",
            Direction::Renamed => "renamed",
        }
    }

    /// What stands in front of it in a listing.
    pub fn mark(self) -> char {
        match self {
            Direction::Extra => '+',
            Direction::Missing => '-',
            Direction::Changed | Direction::Renamed => '~',
        }
    }
}

impl Difference {
    /// What it is, in one word.
    pub fn direction(&self) -> Direction {
        match &self.what {
            What::Extra(_) => Direction::Extra,
            What::Missing(_) => Direction::Missing,
            What::Changed { .. } => Direction::Changed,
            What::Renamed { .. } => Direction::Renamed,
        }
    }

    /// The property, where one differs.
    pub fn property(&self) -> Option<Property> {
        match &self.what {
            What::Changed { property, .. } => Some(*property),
            _ => None,
        }
    }

    /// The stable id: `table:app.t/column:a#default`.
    pub fn stable_id(&self) -> String {
        match &self.what {
            What::Changed { property, .. } => format!("{}#{}", self.id, property.word()),
            What::Renamed { .. } => format!("{}#name", self.id),
            What::Extra(_) | What::Missing(_) => self.id.to_string(),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// The differences, by outermost object, object and property.
    pub differences: Vec<Difference>,
    /// Partitions whose being there or not the policy decides.
    pub passed_over: usize,
    /// What else could not be read on either side.
    pub unknown: Vec<String>,
    /// Objects of which one side may not see what is in them: neither in sync nor drift.
    pub unseen: Vec<Id>,
    /// How many are seen by neither.
    pub unseen_by_both: usize,
}

/// Compares. What dbctl keeps in a database for itself is no part of it.
pub fn compare(expected: &Snapshot, actual: &Snapshot, managed: &Managed) -> Comparison {
    let keep = |snapshot| -> Vec<&Object> { kept(snapshot).collect() };
    let (left, right) = (keep(expected), keep(actual));
    let folded = partitions::fold(&left, &right, managed);
    let left = left.into_iter().filter(|object| !folded.covers_expected(&object.id));
    let right = right.into_iter().filter(|object| !folded.covers_actual(&object.id));
    let Merged { both, mut missing, mut extra } = merge(left, right);
    let mut differences = folded.differences;
    let hidden = |object: &Object, of: &Snapshot| is_hidden(object) && !of.origin.unreadable.is_empty();
    let (mut unseen, mut unseen_by_both) = (Vec::new(), 0);
    for (one, other) in both {
        match (hidden(one, expected), hidden(other, actual)) {
            (false, false) => differences.extend(changed(one, other)),
            (true, true) => unseen_by_both += 1,
            _ => unseen.push(one.id.clone()),
        }
    }
    differences.extend(renamed(&mut missing, &mut extra));
    differences.extend(partial(&mut missing, expected, actual, |object| changed(object, &bare_of(object)).collect()));
    differences.extend(partial(&mut extra, actual, expected, |object| changed(&bare_of(object), object).collect()));
    differences
        .extend(wholes(missing).map(|whole| Difference { id: whole.object.id.clone(), what: What::Missing(whole) }));
    differences.extend(wholes(extra).map(|whole| Difference { id: whole.object.id.clone(), what: What::Extra(whole) }));
    sort(&mut differences);
    let unread = |side: &str, snapshot: &Snapshot| -> Vec<String> {
        let others = snapshot.origin.unreadable.iter().filter(|what| !what.starts_with(UNSEEN));
        others.map(|what| format!("{side}: {what}")).collect()
    };
    let unknown = [unread("database", actual), unread("expected", expected)].concat();
    Comparison { differences, passed_over: folded.passed_over, unknown, unseen, unseen_by_both }
}

/// Takes out what is on the other side too, where nothing is said of it: of a partition's or a view's column, a
/// partition's trigger and the language that each database has, only what is unusual is an object.
fn partial(
    objects: &mut Vec<&Object>,
    here: &Snapshot,
    there: &Snapshot,
    told: impl Fn(&Object) -> Vec<Difference>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    objects.retain(|object| {
        let is_partial = match object.id.kind {
            Kind::Language => &*object.id.name == "plpgsql",
            Kind::Column | Kind::Trigger => is_part_of_less(object, here) && is_part_of_less(object, there),
            _ => false,
        };
        let mut differs = if is_partial { told(object) } else { Vec::new() };
        differs.retain(|difference| difference.property().is_some_and(|property| may_differ(object.id.kind, property)));
        // An enabled trigger of a partition is unusual where that of its table is disabled.
        let keep = differs.is_empty() && (!is_partial || object.id.kind == Kind::Trigger);
        differences.extend(differs);
        keep
    });
    differences
}

/// What is there in any case is the same on both sides.
fn may_differ(kind: Kind, property: Property) -> bool {
    match kind {
        Kind::Language => matches!(property, Property::Owner | Property::Privileges),
        Kind::Column => property != Property::Type,
        _ => true,
    }
}

fn is_part_of_less(object: &Object, of: &Snapshot) -> bool {
    let outer = outermost(&object.id);
    of.object(&outer).is_some_and(|outer| match object.id.kind {
        Kind::Trigger => outer.get(Property::PartitionOf).is_some() && object.get(Property::Definition).is_none(),
        _ => matches!(outer.id.kind, Kind::View | Kind::MaterializedView) || outer.get(Property::PartitionOf).is_some(),
    })
}

/// The same object with nothing unusual.
fn bare_of(object: &Object) -> Object {
    Object { properties: BTreeMap::new(), ..object.clone() }
}

/// A user mapping is there for everybody to see, but not what is in it.
fn is_hidden(object: &Object) -> bool {
    object.id.kind == Kind::UserMapping && object.properties.is_empty()
}

fn sort(differences: &mut [Difference]) {
    differences
        .sort_by_cached_key(|difference| (outermost(&difference.id), difference.id.clone(), difference.property()));
}

/// Without the schemas and the history that dbctl keeps.
fn kept(snapshot: &Snapshot) -> impl Iterator<Item = &Object> {
    snapshot.objects.iter().filter(|object| {
        let Some(parent) = &object.id.parent else { return !is_own(object.id.kind, &object.id.name) };
        let (kind, name) = parent.split_once(':').unwrap_or_default();
        let name = name.split('/').next().unwrap_or_default();
        Kind::of_word(kind).is_none_or(|kind| !is_own(kind, name))
    })
}

fn is_own(kind: Kind, name: &str) -> bool {
    let of_schema = |schema: &str| name.strip_prefix(schema).is_some_and(|rest| rest.starts_with('.'));
    match kind {
        Kind::Schema => matches!(name, "dbctl" | "dbctl_trash"),
        Kind::Table if name.ends_with(".refinery_schema_history") => true,
        _ => of_schema("dbctl") || of_schema("dbctl_trash"),
    }
}

struct Merged<'a> {
    both: Vec<(&'a Object, &'a Object)>,
    missing: Vec<&'a Object>,
    extra: Vec<&'a Object>,
}

/// Both sides are sorted by id.
fn merge<'a>(expected: impl Iterator<Item = &'a Object>, actual: impl Iterator<Item = &'a Object>) -> Merged<'a> {
    let (mut expected, mut actual) = (expected.peekable(), actual.peekable());
    let mut merged = Merged { both: Vec::new(), missing: Vec::new(), extra: Vec::new() };
    loop {
        let order = match (expected.peek(), actual.peek()) {
            (None, None) => return merged,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.id.cmp(&right.id),
        };
        if order.is_eq() {
            merged.both.extend(expected.next().zip(actual.next()));
        } else if order.is_lt() {
            merged.missing.extend(expected.next());
        } else {
            merged.extra.extend(actual.next());
        }
    }
}

/// The properties in which two objects of one id differ.
pub(super) fn changed<'a>(expected: &'a Object, actual: &'a Object) -> impl Iterator<Item = Difference> + 'a {
    let of_both = expected.properties.keys();
    let of_actual = actual.properties.keys().filter(|property| !expected.properties.contains_key(property));
    of_both.chain(of_actual).filter_map(|property| {
        let (before, now) = (expected.get(*property), actual.get(*property));
        (before != now).then(|| Difference {
            id: expected.id.clone(),
            what: What::Changed { property: *property, expected: before.cloned(), actual: now.cloned() },
        })
    })
}

/// What is missing under one name and there under another: nothing to tell where PostgreSQL chose both, one
/// finding where somebody chose one.
fn renamed<'a>(missing: &mut Vec<&'a Object>, extra: &mut Vec<&'a Object>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut left_over: BTreeMap<(&str, Kind), Vec<&'a Object>> = BTreeMap::new();
    let mut others = Vec::new();
    for object in extra.drain(..) {
        match place(object) {
            Some(place) => left_over.entry(place).or_default().push(object),
            None => others.push(object),
        }
    }
    missing.retain(|gone| {
        let Some(candidates) = place(gone).and_then(|place| left_over.get_mut(&place)) else { return true };
        let Some(at) = candidates.iter().position(|there| is_alike(gone, there)) else { return true };
        let there = candidates.remove(at);
        if !chosen_by_the_server(gone) || !chosen_by_the_server(there) {
            let what = What::Renamed { to: there.id.name.clone() };
            found.push(Difference { id: gone.id.clone(), what });
        }
        false
    });
    extra.extend(others);
    extra.extend(left_over.into_values().flatten());
    extra.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// Where to look for the same object under another name: kinds whose definition tells them apart.
fn place(object: &Object) -> Option<(&str, Kind)> {
    let parent = object.id.parent.as_deref()?;
    let by_definition = matches!(
        object.id.kind,
        Kind::PrimaryKey
            | Kind::Unique
            | Kind::Exclusion
            | Kind::Check
            | Kind::ForeignKey
            | Kind::Index
            | Kind::Trigger
            | Kind::Statistics
    );
    (by_definition && !object.properties.is_empty()).then_some((parent, object.id.kind))
}

/// The same but for the name.
pub(super) fn is_alike(one: &Object, other: &Object) -> bool {
    one.properties.len() == other.properties.len()
        && one.properties.iter().zip(&other.properties).all(|((property, value), (other_property, other_value))| {
            property == other_property
                && (value == other_value
                    || nameless(one, value)
                        .is_some_and(|text| nameless(other, other_value).is_some_and(|other| text == other)))
        })
}

/// Of statistics the definition has the name in it; a column of a constraint may be called as that is.
fn nameless(object: &Object, value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if object.id.kind == Kind::Statistics => Some(without_name(text, &object.id.name)),
        _ => None,
    }
}

fn chosen_by_the_server(object: &Object) -> bool {
    match object.get(Property::Definition) {
        Some(Value::Text(definition)) => is_automatic(&object.id, definition),
        _ => false,
    }
}

/// Whole objects, with their parts counted.
fn wholes(objects: Vec<&Object>) -> impl Iterator<Item = Whole> {
    let mut wholes: BTreeMap<String, Whole> = BTreeMap::new();
    let mut within: BTreeMap<String, String> = BTreeMap::new();
    for object in objects {
        let id = object.id.to_string();
        let outer = object.id.parent.as_deref().and_then(|parent| within.get(parent).cloned());
        match outer.as_ref().and_then(|outer| wholes.get_mut(outer)) {
            Some(whole) => *whole.parts.entry(object.id.kind).or_default() += 1,
            None => drop(wholes.insert(id.clone(), Whole { object: object.clone(), parts: BTreeMap::new() })),
        }
        within.insert(id.clone(), outer.unwrap_or(id));
    }
    wholes.into_values()
}

#[cfg(test)]
#[path = "compare_tests.rs"]
pub(in crate::drift) mod tests;
