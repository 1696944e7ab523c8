//! The rules, a file a family. Each looks at one statement, with what is known before it, and says
//! what it finds. Pure.

pub(super) mod columns;
pub(super) mod constraints;
pub(super) mod database;
pub(super) mod files;
pub(super) mod indexes;
pub(super) mod objects;
pub(super) mod rows;
pub(super) mod security;
pub(super) mod servers;
pub(super) mod style;
pub(super) mod tables;
pub(super) mod types;

use std::ops::Range;

use super::found::Found;
use super::known::Known;
use super::rule::Rule;
use super::statement::{Action, AlterTable, Statement};
use crate::ident::Ident;
use crate::steps::guard::Name;
use crate::steps::{Lane, LockMode};

/// The families.
pub(super) const FAMILIES: &[&[&Rule]] = &[
    columns::RULES,
    constraints::RULES,
    database::RULES,
    files::RULES,
    indexes::RULES,
    objects::RULES,
    rows::RULES,
    security::RULES,
    servers::RULES,
    style::RULES,
    tables::RULES,
];

/// What a rule may look at besides the statement.
pub(super) struct Context<'a> {
    pub(super) text: &'a str,
    pub(super) known: &'a Known,
    pub(super) lane: Lane,
    pub(super) lowest_server: u32,
    pub(super) seen: &'a Seen,
}

/// What the statements of the file before this one did.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Locks on tables that others use, that are held until the file commits.
    pub(super) held: Vec<(Name, LockMode)>,
    /// Constraints added NOT VALID.
    pub(super) unvalidated: Vec<(Name, Ident)>,
    /// Values added to types that were there before: type, value, place.
    pub(super) enum_values: Vec<(Name, String)>,
    /// What the whole file creates: kind in capitals, name, place.
    pub(super) made: Vec<(&'static str, Ident, usize)>,
    /// The tables for which the file makes a policy, before or after.
    pub(super) with_policy: Vec<Name>,
    /// Whether it was said that the file holds too many.
    pub(super) many_told: bool,
}

impl Context<'_> {
    /// Whether others may be using the table.
    pub(super) fn in_use(&self, table: &Name) -> bool {
        !self.known.is_new(table)
    }

    /// The strongest lock that an earlier statement of the file still holds.
    pub(super) fn held(&self) -> Option<&(Name, LockMode)> {
        if self.lane == Lane::Statements {
            return None;
        }
        self.seen.held.iter().filter(|(_, mode)| *mode >= LockMode::Share).max_by_key(|(_, mode)| *mode)
    }
}

/// All that the rules find in a statement.
pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    indexes::check(context, statement, found);
    constraints::check(context, statement, found);
    columns::check(context, statement, found);
    tables::check(context, statement, found);
    rows::check(context, statement, found);
    objects::check(context, statement, found);
    security::check(context, statement, found);
    servers::check(context, statement, found);
    style::check(context, statement, found);
    database::check(context, statement, found);
}

/// The actions of ALTER TABLE on a table that others may be using.
pub(super) fn actions<'a>(
    context: &Context<'_>,
    alter: &'a AlterTable,
) -> impl Iterator<Item = &'a (Range<usize>, Action)> {
    let in_use = context.in_use(&alter.table) && !alter.foreign;
    alter.actions.iter().filter(move |_| in_use)
}

/// Names as a list in SQL.
pub(super) fn list(names: &[Ident]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A name that PostgreSQL would give, made of a table and words.
pub(super) fn made_name(table: &Name, words: &[&str], ending: &str) -> Ident {
    let mut name = table.name.raw().to_owned();
    for word in words {
        name.push('_');
        name.push_str(word);
    }
    let mut end = 62_usize.saturating_sub(ending.len()).min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    Ident::new(format!("{name}_{ending}"))
}

/// The same for columns.
pub(super) fn name_of_columns(table: &Name, columns: &[Ident], ending: &str) -> Ident {
    made_name(table, &columns.iter().map(Ident::raw).collect::<Vec<_>>(), ending)
}
