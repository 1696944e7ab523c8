//! Foreign keys of a part of a database: which can be made, where not all rows are wanted, and which look into tables
//! that are left out. Pure.

use crate::backup::manifest::{Manifest, Table};
use crate::error::{self, Failure, Result};
use crate::ident::{Ident, ShellWord, TableName};
use crate::schema::{Id, Kind, Object, Property, Snapshot, Value};

/// How deep partitions lie in one another, at most.
const DEEPEST: usize = 64;

/// A foreign key as the schema has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The table that has it: schema and name.
    pub table: (String, String),
    /// Its name.
    pub name: String,
    /// The table that it looks into.
    pub references: (String, String),
}

/// All foreign keys.
pub fn foreign_keys(snapshot: &Snapshot) -> Vec<ForeignKey> {
    let key = |object: &Object| {
        let table = Id::parse(object.id.parent.as_deref()?)?;
        let Some(Value::Text(definition)) = object.get(Property::Definition) else { return None };
        let (_, after) = definition.split_once(" REFERENCES ")?;
        Some(ForeignKey { table: split(&table.name)?, name: unquoted(&object.id.name), references: split(after)? })
    };
    snapshot.objects.iter().filter(|object| object.id.kind == Kind::ForeignKey).filter_map(key).collect()
}

impl ForeignKey {
    /// As it is told: `app.orders: orders_customer_fkey, into app.customers`.
    pub fn told(&self) -> String {
        let name = |(schema, name): &(String, String)| TableName::new(schema.as_str(), name.as_str());
        format!("{}: {}, into {}", name(&self.table), Ident::new(self.name.as_str()), name(&self.references))
    }

    /// Whether a line of `pg_restore --list` is about it: itself, or what is said of it.
    pub fn is_in(&self, line: &str) -> bool {
        let ((schema, table), name) = (&self.table, &self.name);
        line.contains(&format!(" FK CONSTRAINT {schema} {table} {name} "))
            || line.contains(&format!(" COMMENT {schema} CONSTRAINT {name} ON {table} "))
    }
}

/// Those of these names.
///
/// # Errors
/// Usage, naming what no foreign key is called.
pub fn skipped(names: &[String], snapshot: &Snapshot) -> Result<Vec<ForeignKey>> {
    let all = foreign_keys(snapshot);
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|key| key.name == **name)) {
        let message = format!("--skip-foreign-key {unknown}: the backup holds no foreign key of that name");
        return Err(Failure::new(error::Kind::Usage, message));
    }
    Ok(all.into_iter().filter(|key| names.contains(&key.name)).collect())
}

/// What pg_restore says where rows violate a foreign key, with the way on: as the rows are proven, they did so where
/// they were backed up.
pub fn explained(failure: Failure) -> Failure {
    let told = failure.to_string();
    let name = told.lines().find_map(|line| {
        let (_, after) = line.split_once("violates foreign key constraint \"")?;
        Some(after.rsplit_once('"')?.0)
    });
    let Some(name) = name else { return failure };
    let skip =
        format!("the same command with --resume --skip-foreign-key {} leaves it out and goes on", ShellWord(name));
    failure
        .note("the rows are those that were backed up: where they were written, triggers did not look at them")
        .hint(skip)
}

/// A note on each that is not made.
pub fn notes(told: &[String]) -> Vec<String> {
    told.iter().map(|key| format!("foreign key not made: {key}")).collect()
}

/// The foreign keys of these tables.
pub fn of(wanted: &[&Table], snapshot: &Snapshot) -> Vec<ForeignKey> {
    let lines: Vec<Vec<&Object>> = wanted.iter().map(|table| lineage(table, snapshot)).collect();
    let all = foreign_keys(snapshot).into_iter();
    all.filter(|key| lines.iter().flatten().any(|object| named_so(&object.id.name, &key.table.0, &key.table.1)))
        .collect()
}

/// Those that cannot be made, because not all rows of the table that they look into are wanted, or in the backup.
pub fn left_out(wanted: &[&Table], manifest: &Manifest, snapshot: &Snapshot) -> Vec<ForeignKey> {
    let is_wanted = |table: &Table| wanted.iter().any(|other| std::ptr::eq(*other, table));
    let lines: Vec<(bool, Vec<&Object>)> =
        manifest.tables.iter().map(|table| (is_wanted(table), lineage(table, snapshot))).collect();
    let covered = |(schema, name): &(String, String)| {
        let mut parts =
            lines.iter().filter(|(_, line)| line.iter().any(|object| named_so(&object.id.name, schema, name)));
        let first = parts.next();
        first.is_some_and(|(wanted, _)| *wanted) && parts.all(|(wanted, _)| *wanted)
    };
    of(wanted, snapshot).into_iter().filter(|key| !covered(&key.references)).collect()
}

/// A table and those that it is a partition of, the innermost first; none, where the schema does not know it.
pub fn lineage<'a>(table: &Table, snapshot: &'a Snapshot) -> Vec<&'a Object> {
    let named = |schema: &str, name: &str| {
        let is_it = |object: &&Object| {
            object.id.kind == Kind::Table && object.id.parent.is_none() && named_so(&object.id.name, schema, name)
        };
        snapshot.objects.iter().find(is_it)
    };
    let mut line = Vec::new();
    let mut at = named(&table.schema, &table.name);
    while let Some(object) = at {
        line.push(object);
        at = match object.get(Property::PartitionOf) {
            Some(Value::Text(parent)) if line.len() < DEEPEST => {
                split(parent).and_then(|(schema, name)| named(&schema, &name))
            }
            _ => None,
        };
    }
    line
}

fn named_so(text: &str, schema: &str, name: &str) -> bool {
    split(text).is_some_and(|(a, b)| a == schema && b == name)
}

/// `app."Odd.Name"(id)` -> `app`, `Odd.Name`.
pub fn split(text: &str) -> Option<(String, String)> {
    let (first, rest) = word(text)?;
    let (second, _) = word(rest.strip_prefix('.')?)?;
    Some((first, second))
}

/// A name as the catalog has it.
pub fn unquoted(text: &str) -> String {
    word(text).map_or_else(|| text.to_owned(), |(word, _)| word)
}

/// The identifier that a text begins with, and the rest.
pub fn word(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', '(', ' ']).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let (mut word, mut rest) = (String::new(), quoted);
    loop {
        let (part, after) = rest.split_once('"')?;
        word.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                word.push('"');
                rest = more;
            }
            None => return Some((word, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_quoted() {
        for (text, schema, name) in [
            ("public.t", "public", "t"),
            ("app.\"Odd.\"\"Name\"(id)", "app", "Odd.\"Name"),
            ("\"A b\".c (x)", "A b", "c"),
        ] {
            assert_eq!(split(text), Some((schema.to_owned(), name.to_owned())), "{text}");
        }
        assert_eq!(split("alone"), None);
    }
}
