//! What tables of a backup look like in a schema of their own, and the statements that begin and end them. Pure.

use super::parts::{Gathered, NotMade, Own, Part, is_not_null};
use crate::backup::manifest::{Manifest, Sequence, Table};
use crate::backup::restore::keys::{lineage, unquoted};
use crate::backup::restore::mark::Mark;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::schema::{Kind as Sort, Object, Property, Snapshot, Value};

/// A table as it is made beside.
#[derive(Debug)]
pub struct Side {
    /// It and its rows, under its new name.
    pub table: Table,
    /// CREATE TABLE.
    pub create: String,
    /// What it gets once its rows are in.
    pub parts: Vec<Part>,
    /// What it does not get.
    pub not_made: Vec<NotMade>,
}

/// All tables, and what they draw their numbers from.
#[derive(Debug)]
pub struct Sides {
    /// The tables.
    pub tables: Vec<Side>,
    /// The sequences of their columns.
    pub sequences: Vec<Own>,
}

impl Sides {
    /// What is made once the rows are in.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let of_tables = self.tables.iter().flat_map(|side| side.parts.iter().cloned());
        of_tables.chain(self.sequences.iter().filter_map(Own::owned_by))
    }

    /// What is not made, whatever the server says.
    pub fn not_made(&self) -> impl Iterator<Item = &NotMade> {
        self.tables.iter().flat_map(|side| &side.not_made)
    }
}

/// What is in the way in the schema, or was left there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The schema is there.
    pub there: bool,
    /// A killed run made it.
    pub made: bool,
    /// Tables that a killed run left.
    pub left: Vec<String>,
    /// Sequences that it left.
    pub left_sequences: Vec<String>,
    /// What is anybody's.
    pub others: Vec<String>,
}

/// The tables as they are made in `schema`.
///
/// # Errors
/// Usage, when two would have one name; refused, when the backup does not describe one of them.
pub fn sides(wanted: &[&Table], numbers: &[Sequence], snapshot: &Snapshot, schema: &str) -> Result<Sides> {
    let mut gathered = Gathered::new(snapshot, numbers, schema, wanted);
    let mut sides: Vec<Side> = Vec::new();
    for table in wanted {
        if let Some(same) = sides.iter().position(|side| side.table.name == table.name) {
            let message =
                format!("{} and {} would both be {}", wanted[same].table_name(), table.table_name(), table.name);
            return Err(Failure::new(Kind::Usage, message).hint("one after the other, each into a schema of its own"));
        }
        sides.push(side(table, snapshot, schema, &mut gathered)?);
    }
    Ok(Sides { tables: sides, sequences: gathered.sequences })
}

fn side(table: &Table, snapshot: &Snapshot, schema: &str, gathered: &mut Gathered<'_>) -> Result<Side> {
    let line: Vec<String> = lineage(table, snapshot).iter().map(|object| object.id.to_string()).collect();
    let undescribed = |what: &str| {
        let message = format!("the backup does not say of which type {}.{what} is", table.table_name());
        Failure::new(Kind::Refused, message).hint("an extension's own table? restore it beside: --to-database NAME")
    };
    let mut columns = Vec::new();
    let generated = hanging(snapshot, &line, Sort::Column).filter(|column| column.get(Property::Generated).is_some());
    let generated: Vec<String> = generated.map(|column| unquoted(&column.id.name)).collect();
    let mut done: Vec<&String> = Vec::new();
    for name in table.columns.iter().chain(&generated) {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        let mut said = hanging(snapshot, &line, Sort::Column).filter(|column| unquoted(&column.id.name) == *name);
        let column = said.next().ok_or_else(|| undescribed(name))?;
        let text = |property| match column.get(property) {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let mut words =
            format!("{} {}", Ident::new(name.as_str()), text(Property::Type).ok_or_else(|| undescribed(name))?);
        if let Some(collation) = text(Property::Collation) {
            words.push_str(&format!(" COLLATE {collation}"));
        }
        if is_not_null(column) && column.get(Property::Validated) != Some(&Value::Bool(false)) {
            words.push_str(" NOT NULL");
        }
        if let Some((how, expression)) = text(Property::Generated).as_deref().and_then(|text| text.split_once(' ')) {
            words.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {}", how.to_uppercase()));
        }
        columns.push(words);
    }
    let name = TableName::new(schema, table.name.as_str());
    let parts = gathered.of(table);
    Ok(Side {
        create: format!("CREATE TABLE {name} ({})", columns.join(", ")),
        parts: parts.made,
        not_made: parts.not_made,
        table: Table { schema: schema.to_owned(), root: None, condition: None, ..table.clone() },
    })
}

/// What hangs on a table and on those that it is a partition of, the innermost first.
pub fn hanging<'a>(snapshot: &'a Snapshot, line: &'a [String], sort: Sort) -> impl Iterator<Item = &'a Object> {
    let of = move |parent: &'a String| {
        snapshot
            .objects
            .iter()
            .filter(move |object| object.id.kind == sort && object.id.parent.as_deref() == Some(parent))
    };
    line.iter().flat_map(of)
}

/// What makes the schema and its tables, in one transaction; what a killed run left goes first.
///
/// # Errors
/// None in practice.
pub fn make(schema: &str, found: &Found, sides: &Sides, mark: &Mark) -> Result<Vec<String>> {
    let (name, about) = (Ident::new(schema), mark.text()?);
    let mut statements = drop_all(schema, &found.left, &found.left_sequences);
    if !found.there {
        statements.push(format!("CREATE SCHEMA {name}"));
        statements.push(format!("COMMENT ON SCHEMA {name} IS {}", Literal(&about)));
    }
    for side in &sides.tables {
        statements.push(side.create.clone());
        statements.push(format!("COMMENT ON TABLE {} IS {}", side.table.table_name(), Literal(&about)));
    }
    for sequence in &sides.sequences {
        statements.extend(sequence.create.iter().cloned());
        statements.push(format!("COMMENT ON SEQUENCE {} IS {}", sequence.name, Literal(&about)));
    }
    Ok(statements)
}

/// What takes it away again.
pub fn unmake(schema: &str, found: &Found, sides: &Sides) -> Vec<String> {
    let names: Vec<String> = sides.tables.iter().map(|side| side.table.name.clone()).collect();
    let sequences: Vec<String> = sides.sequences.iter().map(|own| own.name.name.raw().to_owned()).collect();
    let mut statements = drop_all(schema, &names, &sequences);
    if !found.there || found.made {
        statements.push(format!("DROP SCHEMA {}", Ident::new(schema)));
    }
    statements
}

/// What says that it is whole.
pub fn finish(schema: &str, found: &Found, sides: &Sides, manifest: &Manifest) -> Vec<String> {
    let comment = |side: &Side| format!("COMMENT ON TABLE {} IS NULL", side.table.table_name());
    let mut statements: Vec<String> = sides.tables.iter().map(comment).collect();
    statements.extend(sides.sequences.iter().map(|own| format!("COMMENT ON SEQUENCE {} IS NULL", own.name)));
    if !found.there || found.made {
        let about = format!("tables of database {} as of {}", manifest.database.name, manifest.times.snapshot);
        statements.push(format!("COMMENT ON SCHEMA {} IS {}", Ident::new(schema), Literal(&about)));
    }
    statements
}

/// Tables first: they draw from the sequences, and take with them those that they own.
fn drop_all(schema: &str, tables: &[String], sequences: &[String]) -> Vec<String> {
    let all = |what: &'static str, names: &[String]| -> Vec<String> {
        names.iter().map(|name| format!("DROP {what} {}", TableName::new(schema, name.as_str()))).collect()
    };
    [all("TABLE", tables), all("SEQUENCE IF EXISTS", sequences)].concat()
}
