//! CREATE, object by object.

use super::super::phrase::Phrase;
use super::column::{column, constraint, is_constraint};
use super::{Act, CreateFunction, CreateIndex, CreateTable};

/// Reads `CREATE …`.
pub(super) fn read(p: &Phrase<'_>) -> Option<Act> {
    let replace = p.are(1, "OR REPLACE");
    let mut at = p.skip(1, "OR REPLACE");
    let (mut temporary, mut unlogged, mut unique) = (false, false, false);
    while let word @ ("GLOBAL" | "LOCAL" | "TEMP" | "TEMPORARY" | "UNLOGGED" | "UNIQUE" | "RECURSIVE" | "CONSTRAINT") =
        p.get(at).to_ascii_uppercase().as_str()
    {
        temporary |= word.starts_with("TEMP");
        unlogged |= word == "UNLOGGED";
        unique |= word == "UNIQUE";
        at += 1;
    }
    let next = at + 1;
    Some(match p.get(at).to_ascii_uppercase().as_str() {
        "TABLE" => table(p, next, temporary, unlogged)?,
        "FOREIGN" if p.is(next, "TABLE") => table(p, next + 1, true, false)?,
        "INDEX" => index(p, next, unique)?,
        "TRIGGER" => {
            let (trigger, end) = p.name(next)?;
            let on = p.find(end, "ON")?;
            Act::CreateTrigger { trigger, table: p.name(on + 1)?.0, instead: p.find(end, "INSTEAD OF").is_some() }
        }
        "FUNCTION" | "PROCEDURE" => function(p, next, p.is(at, "PROCEDURE"))?,
        "VIEW" => Act::CreateView { view: p.name(p.skip(next, "IF NOT EXISTS"))?.0, materialized: false, replace },
        "MATERIALIZED" => {
            Act::CreateView { view: p.name(p.skip(next + 1, "IF NOT EXISTS"))?.0, materialized: true, replace }
        }
        "POLICY" => Act::CreatePolicy { policy: p.ident(next)?, table: p.name(p.find(next, "ON")? + 1)?.0 },
        "TYPE" => Act::CreateType { name: p.name(next)?.0 },
        "DOMAIN" => {
            let (name, end) = p.name(next)?;
            let constrained = p.find(end, "CHECK").is_some() || p.find(end, "NOT NULL").is_some();
            Act::CreateDomain { name, constrained }
        }
        "RULE" => {
            let to = p.find(next, "TO")?;
            Act::CreateRule { table: p.name(to + 1)?.0, instead: p.has("INSTEAD") }
        }
        "SCHEMA" => {
            let at = p.skip(next, "IF NOT EXISTS");
            Act::CreateSchema { name: p.ident(p.skip(at, "AUTHORIZATION")) }
        }
        "SEQUENCE" => Act::CreateSequence { name: p.name(p.skip(next, "IF NOT EXISTS"))?.0 },
        _ => Act::Other,
    })
}

fn table(p: &Phrase<'_>, at: usize, temporary: bool, unlogged: bool) -> Option<Act> {
    let behind = p.skip(at, "IF NOT EXISTS");
    let (table, end) = p.name(behind)?;
    let name_span = p.part(behind, end).span();
    let partition_of = if p.are(end, "PARTITION OF") { p.name(end + 2) } else { None };
    let list = p.find(end, "(").filter(|_| partition_of.is_none());
    let body = partition_of.as_ref().map_or(end, |(_, end)| *end);
    let (mut columns, mut constraints) = (Vec::new(), Vec::new());
    if let Some((inner, _)) = list.filter(|list| *list == end).and_then(|list| p.inside(list)) {
        for part in inner.list() {
            if is_constraint(&part) {
                constraints.extend(constraint(&part));
            } else if !part.is(0, "LIKE") {
                columns.extend(column(&part));
            }
        }
    }
    Some(Act::CreateTable(CreateTable {
        table,
        temporary,
        unlogged,
        if_not_exists: behind > at,
        columns,
        constraints,
        default_partition: partition_of.is_some() && p.find(body, "DEFAULT").is_some(),
        partition_of: partition_of.map(|(name, _)| name),
        partitioned: p.find(body, "PARTITION BY").is_some(),
        name_span,
    }))
}

fn index(p: &Phrase<'_>, at: usize, unique: bool) -> Option<Act> {
    let concurrently = p.is(at, "CONCURRENTLY");
    let at = p.skip(at, "CONCURRENTLY");
    let behind = p.skip(at, "IF NOT EXISTS");
    let index = if p.is(behind, "ON") { None } else { p.name(behind).map(|(name, _)| name) };
    let on = p.find(behind, "ON")?;
    let only = p.is(on + 1, "ONLY");
    let (table, end) = p.name(p.skip(on + 1, "ONLY"))?;
    let list = p.find(end, "(");
    let columns = list.and_then(|at| p.inside(at)).map(|(list, _)| list.idents()).unwrap_or_default();
    Some(Act::CreateIndex(CreateIndex {
        index,
        table,
        unique,
        concurrently,
        if_not_exists: behind > at,
        only,
        columns,
        partial: p.find(end, "WHERE").is_some(),
        written: p.part(on, p.len()).written().to_owned(),
    }))
}

fn function(p: &Phrase<'_>, at: usize, procedure: bool) -> Option<Act> {
    let (name, end) = p.name(at)?;
    Some(Act::CreateFunction(CreateFunction {
        name,
        definer: p.find(end, "SECURITY DEFINER").is_some(),
        pins_search_path: p.find(end, "SET search_path").is_some() || p.find(end, "SET \"search_path\"").is_some(),
        steady: p.find(end, "IMMUTABLE").is_some() || p.find(end, "STABLE").is_some(),
        procedure,
    }))
}
