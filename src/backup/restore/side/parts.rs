//! What a table of a schema of its own gets once its rows are in: defaults, keys, checks, indexes, identities. And what
//! it does not get, because that would hang on, or act on, what is living: each with its reason and, where it has one,
//! the statement. Pure.

use std::collections::BTreeSet;

use super::plan::hanging;
use super::said::{constraint, create_sequence, drawn_from, ident, identity_options, index, owner, set_number, text};
use crate::backup::manifest::{Sequence, Table};
use crate::backup::restore::keys::{lineage, split, unquoted};
use crate::ident::{Ident, Literal, TableName};
use crate::schema::{Kind as Sort, Object, Property, Snapshot, Value};

/// PostgreSQL cuts longer names, so that they are not those of what they were made from.
const LONGEST_NAME: usize = 63;

/// Something that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `index orders_note of rescued.orders`.
    pub what: String,
    /// What makes it, all of it or nothing.
    pub sql: String,
}

/// Something that is not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotMade {
    /// As [`Part::what`].
    pub what: String,
    /// Why not.
    pub reason: String,
    /// What would make it; none, where what the backup has of it names the living table.
    pub sql: Option<String>,
}

/// A sequence that belongs to a column, in the new schema; its number is that of the backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its new name.
    pub name: TableName,
    /// CREATE SEQUENCE, and its number.
    pub create: Vec<String>,
    /// Its old name.
    from: (String, String),
    /// The columns that draw from it: those of several partitions, one of any other table.
    users: Vec<(TableName, String)>,
}

/// What is gathered over all tables.
pub struct Gathered<'a> {
    snapshot: &'a Snapshot,
    numbers: &'a [Sequence],
    schema: &'a str,
    /// The names of relations that are given.
    taken: BTreeSet<String>,
    pub sequences: Vec<Own>,
}

/// What one table gets and does not get.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub made: Vec<Part>,
    pub not_made: Vec<NotMade>,
}

/// One table under its old and its new name.
struct Of<'a> {
    name: TableName,
    line: &'a [&'a Object],
    ids: Vec<String>,
}

impl<'a> Gathered<'a> {
    pub fn new(snapshot: &'a Snapshot, numbers: &'a [Sequence], schema: &'a str, tables: &[&Table]) -> Gathered<'a> {
        let taken = tables.iter().map(|table| table.name.clone()).collect();
        Gathered { snapshot, numbers, schema, taken, sequences: Vec::new() }
    }

    /// What hangs on a table.
    pub fn of(&mut self, table: &Table) -> Parts {
        let line = lineage(table, self.snapshot);
        let ids = line.iter().map(|object| object.id.to_string()).collect();
        let of = Of { name: TableName::new(self.schema, table.name.as_str()), line: &line, ids };
        let mut found = Parts::default();
        let columns = columns(&of.ids, self.snapshot);
        for column in &columns {
            self.default(&of, column, &mut found);
        }
        self.constraints(&of, &mut found);
        self.indexes(&of, &mut found);
        for column in &columns {
            self.identity(&of, column, &mut found);
        }
        self.living(&of, &mut found);
        found
    }

    fn default(&mut self, of: &Of<'_>, column: &Object, found: &mut Parts) {
        if column.get(Property::Validated) == Some(&Value::Bool(false)) && is_not_null(column) {
            let what = format!("NOT NULL of column {} of {}", column.id.name, of.name);
            let sql = format!("ALTER TABLE {} ADD NOT NULL {} NOT VALID", of.name, ident(column));
            found.made.push(Part { what, sql });
        }
        let Some(default) = text(column, Property::Default) else { return };
        let what = format!("default of column {} of {}", column.id.name, of.name);
        let set = |expression: &str| {
            format!("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {expression}", of.name, ident(column))
        };
        if let Some(name) = self.own_sequence(of, column, default) {
            let next = format!("nextval({}::regclass)", Literal(&name.to_string()));
            found.made.push(Part { what, sql: set(&next) });
        } else if default.contains("nextval(") {
            let reason = "it draws numbers from a sequence of what is living".to_owned();
            found.not_made.push(NotMade { what, reason, sql: Some(set(default)) });
        } else {
            found.made.push(Part { what, sql: set(default) });
        }
    }

    /// The new name of the sequence that a column owns and draws from.
    fn own_sequence(&mut self, of: &Of<'_>, column: &Object, default: &str) -> Option<TableName> {
        let from = drawn_from(default)?;
        let is_it =
            |object: &&Object| object.id.kind == Sort::Sequence && split(&object.id.name).as_ref() == Some(&from);
        let sequence = self.snapshot.objects.iter().find(is_it)?;
        let (owner, owning) = owner(text(sequence, Property::OwnedBy)?)?;
        let owned = owning == unquoted(&column.id.name)
            && of.line.iter().any(|object| split(&object.id.name).is_some_and(|name| name == owner));
        if !owned {
            return None;
        }
        let user = (of.name.clone(), unquoted(&column.id.name));
        if let Some(known) = self.sequences.iter_mut().find(|known| known.from == from) {
            known.users.push(user);
            return Some(known.name.clone());
        }
        let other = format!("{}_{}_seq", of.name.name.raw(), user.1);
        let name = [from.1.clone(), other].into_iter().find(|name| name.len() <= LONGEST_NAME && self.take(name))?;
        let name = TableName::new(self.schema, name);
        let mut create = vec![create_sequence(&name, sequence)];
        create.extend(self.number(&from).map(|number| set_number(&Literal(&name.to_string()).to_string(), number)));
        self.sequences.push(Own { name: name.clone(), create, from, users: vec![user] });
        Some(name)
    }

    fn identity(&self, of: &Of<'_>, column: &Object, found: &mut Parts) {
        let Some(identity) = text(column, Property::Identity) else { return };
        let options = text(column, Property::IdentityOptions).and_then(identity_options);
        let options = options.map(|options| format!(" ({options})")).unwrap_or_default();
        let (table, name) = (&of.name, unquoted(&column.id.name));
        let mut sql = format!(
            "ALTER TABLE {table} ALTER COLUMN {} ADD GENERATED {} AS IDENTITY{options}",
            ident(column),
            identity.to_uppercase()
        );
        let sequence =
            format!("pg_catalog.pg_get_serial_sequence({}, {})", Literal(&table.to_string()), Literal(&name));
        // The backup names its sequence as PostgreSQL does, unless somebody has renamed one of the two.
        let number = of.line.iter().rev().find_map(|object| {
            let (schema, table) = split(&object.id.name)?;
            let from = (schema, format!("{table}_{name}_seq"));
            let is_another =
                |object: &Object| object.id.kind == Sort::Sequence && split(&object.id.name).as_ref() == Some(&from);
            if self.snapshot.objects.iter().any(is_another) { None } else { self.number(&from) }
        });
        if let Some(number) = number {
            sql.push_str(&format!("; {}", set_number(&sequence, number)));
        }
        sql.push_str(&format!(
            "; SELECT pg_catalog.setval(s.name::REGCLASS, m.largest) FROM {sequence} AS s (name), \
             (SELECT pg_catalog.max({})::BIGINT AS largest FROM {table}) AS m, pg_catalog.pg_sequence AS q \
             WHERE q.seqrelid = s.name::REGCLASS AND q.seqincrement > 0 AND m.largest BETWEEN q.seqmin AND q.seqmax \
             AND (pg_catalog.pg_sequence_last_value(q.seqrelid) >= m.largest) IS NOT TRUE",
            ident(column)
        ));
        found.made.push(Part { what: format!("identity of column {} of {table}", column.id.name), sql });
    }

    fn constraints(&mut self, of: &Of<'_>, found: &mut Parts) {
        let mut done = BTreeSet::new();
        for sort in [Sort::PrimaryKey, Sort::Unique, Sort::Exclusion, Sort::Check] {
            for object in hanging(self.snapshot, &of.ids, sort) {
                let (Some(definition), name) = (constraint(object), unquoted(&object.id.name)) else { continue };
                if !done.insert(name.clone()) {
                    continue;
                }
                // The names of checks are a table's own, those of others belong to their index.
                let named = sort == Sort::Check || (is_own(of, object) && self.take(&name));
                let named = if named { format!("CONSTRAINT {} ", Ident::new(name)) } else { String::new() };
                found.made.push(Part {
                    what: format!("{} {} of {}", sort.word().replace('_', " "), object.id.name, of.name),
                    sql: format!("ALTER TABLE {} ADD {named}{definition}", of.name),
                });
            }
        }
    }

    fn indexes(&mut self, of: &Of<'_>, found: &mut Parts) {
        for object in hanging(self.snapshot, &of.ids, Sort::Index) {
            let what = format!("index {} of {}", object.id.name, of.name);
            let name = unquoted(&object.id.name);
            let name = (is_own(of, object) && self.take(&name)).then(|| format!("{} ", Ident::new(name)));
            let options = match object.get(Property::Options) {
                Some(Value::List(options)) => &options[..],
                _ => &[],
            };
            let definition = text(object, Property::Definition);
            let sql = definition
                .and_then(|definition| index(definition, options, name.as_deref().unwrap_or_default(), &of.name));
            let reason = match &sql {
                None => "the backup does not say what it is like".to_owned(),
                Some(_) if object.get(Property::Valid) == Some(&Value::Bool(false)) => "it was invalid".to_owned(),
                Some(sql) => {
                    found.made.push(Part { what, sql: sql.clone() });
                    continue;
                }
            };
            found.not_made.push(NotMade { what, reason, sql });
        }
    }

    /// What looks into, or acts on, what is living.
    fn living(&self, of: &Of<'_>, found: &mut Parts) {
        for object in hanging(self.snapshot, &of.ids, Sort::ForeignKey) {
            let definition = constraint(object);
            let into = definition
                .as_deref()
                .and_then(|text| text.split_once(" REFERENCES "))
                .and_then(|(_, into)| split(into));
            let into = into.map_or_else(String::new, |(schema, name)| TableName::new(schema, name).to_string());
            let name = Ident::new(unquoted(&object.id.name));
            found.not_made.push(NotMade {
                what: format!("foreign key {} of {}", object.id.name, of.name),
                reason: format!("it looks into {into} as that is now"),
                sql: definition.map(|text| format!("ALTER TABLE {} ADD CONSTRAINT {name} {text}", of.name)),
            });
        }
        for sort in [Sort::Trigger, Sort::ConstraintTrigger, Sort::Rule, Sort::Policy] {
            for object in hanging(self.snapshot, &of.ids, sort) {
                found.not_made.push(NotMade {
                    what: format!("{} {} of {}", sort.word().replace('_', " "), object.id.name, of.name),
                    reason: "it is for who works with the living table".to_owned(),
                    sql: None,
                });
            }
        }
    }

    fn take(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_owned())
    }

    fn number(&self, from: &(String, String)) -> Option<&'a Sequence> {
        self.numbers.iter().find(|number| (&number.schema, &number.name) == (&from.0, &from.1))
    }
}

impl Own {
    /// It goes with the column that draws from it; where several do, it stays as long as they do.
    pub fn owned_by(&self) -> Option<Part> {
        let [(table, column)] = &self.users[..] else { return None };
        Some(Part {
            what: format!("owner of sequence {}", self.name),
            sql: format!("ALTER SEQUENCE {} OWNED BY {table}.{}", self.name, Ident::new(column.as_str())),
        })
    }
}

/// The columns of a table, each as the innermost that says something of it has it.
fn columns<'a>(ids: &'a [String], snapshot: &'a Snapshot) -> Vec<&'a Object> {
    let mut columns: Vec<&Object> = Vec::new();
    for column in hanging(snapshot, ids, Sort::Column) {
        if !columns.iter().any(|known| known.id.name == column.id.name) {
            columns.push(column);
        }
    }
    columns
}

/// Whether NOT NULL is said of a column, however old rows are.
pub fn is_not_null(column: &Object) -> bool {
    column.get(Property::NotNull) == Some(&Value::Bool(true))
}

fn is_own(of: &Of<'_>, object: &Object) -> bool {
    object.id.parent.as_deref().is_some_and(|parent| of.ids.first().is_some_and(|own| own == parent))
}
