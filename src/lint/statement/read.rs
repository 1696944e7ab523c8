//! From a statement's words to what it does.

use std::ops::Range;

use super::super::phrase::Phrase;
use super::{Act, Destination, Dropped, alter_table, block, create};
use crate::ident::Ident;
use crate::steps::LockMode;

/// Reads the statement in these bytes of a file.
pub(in super::super) fn read(text: &str, range: Range<usize>) -> Act {
    let phrase = Phrase::of(text, range);
    let end = phrase.find(0, ";").unwrap_or(phrase.len());
    let phrase = if phrase.is(0, "CREATE") { phrase } else { phrase.part(0, end) };
    known(text, &phrase).unwrap_or(Act::Other)
}

fn known(text: &str, p: &Phrase<'_>) -> Option<Act> {
    if let Some(of) = with_password(p) {
        return Some(Act::Password { of });
    }
    Some(match p.get(0).to_ascii_uppercase().as_str() {
        "ALTER" => alter(p)?,
        "CREATE" => create::read(p)?,
        "DROP" => drop(p)?,
        "REINDEX" => reindex(p),
        "TRUNCATE" => Act::Truncate { tables: p.names(p.skip(1, "TABLE")).0, cascade: p.has("CASCADE") },
        "VACUUM" => vacuum(p)?,
        "CLUSTER" | "REPACK" => {
            let at = p.inside(1).map_or(1, |(_, end)| end);
            let table = p.name(p.skip(at, "VERBOSE")).map(|(name, _)| name);
            if p.is(0, "REPACK") && p.holds("CONCURRENTLY") {
                return None;
            }
            Act::Cluster { table }
        }
        "REFRESH" => {
            let at = p.skip(3, "CONCURRENTLY");
            Act::Refresh { view: p.name(at)?.0, concurrently: at > 3 }
        }
        "LOCK" => {
            let (tables, end) = p.names(p.skip(1, "TABLE"));
            Act::Lock { tables, mode: lock_mode(p, end) }
        }
        "WITH" => with(p)?,
        "UPDATE" | "DELETE" | "INSERT" | "MERGE" => change(p, 0)?,
        "EXPLAIN" if p.holds("ANALYZE") => {
            change(p, (1..p.len()).find(|at| p.is_one(*at, &["UPDATE", "DELETE", "INSERT"]))?)?
        }
        "DO" => {
            let body = (1..p.len()).find(|at| p.get(*at).starts_with(['$', '\'']) && !p.is(at - 1, "LANGUAGE"))?;
            block::read_block(text, p.place(body))
        }
        "COPY" => copy(p)?,
        "SET" => set(p)?,
        "SELECT" => set_config(p)?,
        "GRANT" | "REVOKE" => Act::Grant {
            privileges: p.part(1, p.find(1, "ON").unwrap_or(p.len())).plain(),
            on: p
                .find(1, "ON")
                .map(|on| {
                    p.part(on + 1, p.find(on, "TO").or(p.find(on, "FROM")).unwrap_or(p.len())).written().to_owned()
                })
                .unwrap_or_default(),
            to_public: p.find(1, "TO").is_some_and(|to| (to..p.len()).any(|at| p.is(at, "PUBLIC"))),
            revoke: p.is(0, "REVOKE"),
        },
        _ => Act::Other,
    })
}

/// `CREATE ROLE app PASSWORD 'secret'`, and user mappings and subscriptions that hold one.
fn with_password(p: &Phrase<'_>) -> Option<String> {
    if !p.is_one(0, &["CREATE", "ALTER"]) {
        return None;
    }
    let literal = |at: usize| p.get(at).starts_with(['\'', 'E', 'e', '$']) && p.get(at).contains(['\'', '$']);
    let subject = |at: usize| p.name(at).map_or_else(String::new, |(name, _)| name.to_string());
    if p.are(1, "USER MAPPING") || p.is(1, "SERVER") {
        let options = p.find(2, "OPTIONS")?;
        let holds = (options..p.len()).any(|at| p.is(at, "PASSWORD") && literal(at + 1));
        return holds.then(|| "a user mapping".to_owned());
    }
    if p.is(1, "SUBSCRIPTION") {
        let at = p.find(2, "CONNECTION")? + 1;
        let text = p.get(at).to_ascii_lowercase();
        let in_url = text.split_once("://").is_some_and(|(_, rest)| {
            rest.split('@').next().is_some_and(|user| rest.contains('@') && user.contains(':'))
        });
        return (text.contains("password") || in_url).then(|| format!("subscription {}", subject(2)));
    }
    if !p.is_one(1, &["ROLE", "USER", "GROUP"]) {
        return None;
    }
    (2..p.len()).any(|at| p.is(at, "PASSWORD") && literal(at + 1)).then(|| format!("role {}", subject(2)))
}

fn copy(p: &Phrase<'_>) -> Option<Act> {
    let at = ["FROM", "TO"].iter().filter_map(|word| p.find(1, word)).min()? + 1;
    let program = p.is(at, "PROGRAM");
    (program || p.get(at).starts_with('\'')).then_some(Act::CopyServer { program })
}

fn alter(p: &Phrase<'_>) -> Option<Act> {
    match p.get(1).to_ascii_uppercase().as_str() {
        "TABLE" if p.are(2, "ALL IN") => {
            let to = p.find(2, "SET TABLESPACE")?;
            let name = p.name(5)?.0;
            Some(Act::Move { kind: "all tables in", name, into: Destination::Tablespace(p.ident(to + 2)?) })
        }
        "TABLE" => alter_table::read(p, 2, false),
        "FOREIGN" if p.is(2, "TABLE") => alter_table::read(p, 3, true),
        "INDEX" => moved(p, "index", 2),
        "MATERIALIZED" => moved(p, "materialized view", 3),
        "VIEW" => moved(p, "view", 2),
        "SEQUENCE" => moved(p, "sequence", 2),
        "FUNCTION" => moved(p, "function", 2),
        "PROCEDURE" => moved(p, "procedure", 2),
        "AGGREGATE" => moved(p, "aggregate", 2),
        "ROUTINE" => moved(p, "routine", 2),
        "EXTENSION" => moved(p, "extension", 2),
        "SCHEMA" => moved(p, "schema", 2),
        "TYPE" => alter_type(p),
        "DOMAIN" => alter_domain(p),
        "SYSTEM" => Some(Act::AlterSystem { what: p.part(2, p.len()).written().to_owned() }),
        _ => None,
    }
}

fn moved(p: &Phrase<'_>, kind: &'static str, at: usize) -> Option<Act> {
    let (name, end) = p.name(p.skip(at, "IF EXISTS"))?;
    if let Some(to) = p.find(end, "RENAME TO") {
        return Some(Act::Rename { kind, name, to: p.ident(to + 2)? });
    }
    for part in ["COLUMN", "ATTRIBUTE", "VALUE"] {
        if let Some(at) = p.find(end, &format!("RENAME {part}")) {
            let to = p.get(at + 4).trim_matches('\'').to_owned();
            return Some(Act::RenamePart { kind, name, part: p.get(at + 2).trim_matches('\'').to_owned(), to });
        }
    }
    if let Some(to) = p.find(end, "SET SCHEMA") {
        return Some(Act::Move { kind, name, into: Destination::Schema(p.ident(to + 2)?) });
    }
    let to = p.find(end, "SET TABLESPACE")?;
    Some(Act::Move { kind, name, into: Destination::Tablespace(p.ident(to + 2)?) })
}

fn alter_type(p: &Phrase<'_>) -> Option<Act> {
    let (name, end) = p.name(2)?;
    if p.are(end, "ADD VALUE") {
        let at = p.skip(end + 2, "IF NOT EXISTS");
        let value = p.get(at).trim_matches('\'').to_owned();
        return Some(Act::AddEnumValue { name, value, placed: p.is_one(at + 1, &["BEFORE", "AFTER"]) });
    }
    if p.are(end, "DROP ATTRIBUTE") {
        return Some(Act::DropAttribute { name, attribute: p.ident(p.skip(end + 2, "IF EXISTS"))? });
    }
    if p.are(end, "ALTER ATTRIBUTE") {
        return Some(Act::AlterAttribute { name, attribute: p.ident(end + 2)? });
    }
    moved(p, "type", 2)
}

fn alter_domain(p: &Phrase<'_>) -> Option<Act> {
    let (name, end) = p.name(2)?;
    if p.are(end, "SET NOT NULL") {
        let written = String::from("NOT NULL");
        return Some(Act::DomainConstraint { name, not_null: true, not_valid: false, constraint: None, written });
    }
    if p.is(end, "ADD") {
        return Some(Act::DomainConstraint {
            name,
            not_null: p.find(end, "NOT NULL").is_some(),
            not_valid: p.find(end, "NOT VALID").is_some(),
            constraint: if p.is(end + 1, "CONSTRAINT") { p.ident(end + 2) } else { None },
            written: p.part(if p.is(end + 1, "CONSTRAINT") { end + 3 } else { end + 1 }, p.len()).written().to_owned(),
        });
    }
    moved(p, "domain", 2)
}

fn drop(p: &Phrase<'_>) -> Option<Act> {
    let mut at = 2;
    let mut kind = p.get(1).to_ascii_uppercase();
    if p.is_one(1, &["MATERIALIZED", "FOREIGN", "EVENT", "ACCESS", "OWNED"]) {
        kind = format!("{kind} {}", p.get(2).to_ascii_uppercase());
        at = 3;
    }
    let concurrently = p.is(at, "CONCURRENTLY");
    at = p.skip(at, "CONCURRENTLY");
    let if_exists = p.are(at, "IF EXISTS");
    at = p.skip(at, "IF EXISTS");
    let mut names = Vec::new();
    while let Some((name, end)) = p.name(at) {
        names.push(name);
        let end = if p.is(end, "(") { p.close(end) + 1 } else { end };
        if !p.is(end, ",") {
            break;
        }
        at = end + 1;
    }
    let on = p.find(2, "ON").and_then(|on| p.name(on + 1)).map(|(name, _)| name);
    Some(Act::Drop(Dropped { kind, names, on, cascade: p.has("CASCADE"), concurrently, if_exists }))
}

fn reindex(p: &Phrase<'_>) -> Act {
    let (options, at) = p.inside(1).map_or((None, 1), |(options, end)| (Some(options), end));
    let concurrently = p.is(at + 1, "CONCURRENTLY")
        || options
            .is_some_and(|o| o.holds("CONCURRENTLY") && !o.holds("CONCURRENTLY FALSE") && !o.holds("CONCURRENTLY OFF"));
    Act::Reindex {
        what: p.get(at).to_ascii_uppercase(),
        name: p.name(p.skip(at + 1, "CONCURRENTLY")).map(|(name, _)| name),
        concurrently,
    }
}

fn vacuum(p: &Phrase<'_>) -> Option<Act> {
    let (full, mut at) = match p.inside(1) {
        Some((options, end)) => {
            (options.holds("FULL") && !options.holds("FULL FALSE") && !options.holds("FULL OFF"), end)
        }
        None => (p.is(1, "FULL"), 1),
    };
    if !full {
        return None;
    }
    while p.is_one(at, &["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {
        at += 1;
    }
    Some(Act::VacuumFull { tables: p.names(at).0 })
}

/// `WITH … UPDATE`: a part of the list that changes all rows of a table, else what the last part does.
fn with(p: &Phrase<'_>) -> Option<Act> {
    let inner = (1..p.len())
        .filter(|at| p.is(at - 1, "(") && p.is_one(*at, &["UPDATE", "DELETE"]))
        .filter_map(|at| change(&p.part(at, p.close(at - 1)), 0))
        .collect::<Vec<_>>();
    let all = |act: &&Act| matches!(act, Act::Update { filtered: false, .. } | Act::Delete { filtered: false, .. });
    if let Some(act) = inner.iter().find(all) {
        return Some(act.clone());
    }
    let verbs = ["UPDATE", "DELETE", "INSERT"];
    let outer = (1..p.len()).find(|at| p.is_one(*at, &verbs) && outside(p, *at)).and_then(|at| change(p, at));
    outer.or_else(|| inner.into_iter().next())
}

/// Whether the word stands outside of all parentheses.
fn outside(p: &Phrase<'_>, at: usize) -> bool {
    let mut i = 0;
    while i < at {
        i = if p.is(i, "(") { p.close(i) + 1 } else { i + 1 };
    }
    i == at
}

fn change(p: &Phrase<'_>, at: usize) -> Option<Act> {
    Some(match p.get(at).to_ascii_uppercase().as_str() {
        "UPDATE" => {
            let (table, end) = p.name(p.skip(at + 1, "ONLY"))?;
            let set = p.find(end, "SET")?;
            let stop = ["FROM", "WHERE", "RETURNING"].iter().filter_map(|word| p.find(set, word)).min();
            let list = p.part(set + 1, stop.unwrap_or(p.len())).list();
            // Elements of arrays and fields may be assigned one by one.
            let assigned = list.iter().filter(|part| part.is(1, "=")).filter_map(|part| part.ident(0)).collect();
            Act::Update { table, filtered: is_filtered(p, set), assigned }
        }
        "DELETE" => {
            let (table, end) = p.name(p.skip(p.skip(at + 1, "FROM"), "ONLY"))?;
            Act::Delete { table, filtered: is_filtered(p, end) }
        }
        "INSERT" => {
            let (table, end) = p.name(p.skip(at + 1, "INTO"))?;
            let query = p.find(end, "SELECT").is_some_and(|select| p.find(select, "FROM").is_some());
            Act::Insert { table, from_query: query && p.find(end, "VALUES").is_none() }
        }
        _ => return None,
    })
}

/// Whether a WHERE leaves rows out: `WHERE true` and `WHERE 1 = 1` do not.
fn is_filtered(p: &Phrase<'_>, from: usize) -> bool {
    p.find(from, "WHERE").is_some_and(|at| {
        let end = p.find(at, "RETURNING").unwrap_or(p.len());
        !matches!(p.part(at + 1, end).plain().as_str(), "true" | "1 = 1")
    })
}

fn lock_mode(p: &Phrase<'_>, from: usize) -> LockMode {
    let Some(at) = p.find(from, "IN") else { return LockMode::AccessExclusive };
    [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::ShareRowExclusive,
        LockMode::Share,
        LockMode::Exclusive,
    ]
    .into_iter()
    .find(|mode| p.are(at + 1, mode.sql()))
    .unwrap_or(LockMode::AccessExclusive)
}

fn set(p: &Phrase<'_>) -> Option<Act> {
    let local = p.is(1, "LOCAL");
    let at = p.skip(p.skip(1, "LOCAL"), "SESSION");
    let name = p.ident(at)?;
    let value = if p.is_one(at + 1, &["TO", "="]) { at + 2 } else { at + 1 };
    Some(Act::Set { name: name.raw().to_owned(), value: p.part(value, p.len()).plain(), local })
}

/// `SELECT pg_catalog.set_config('search_path', '', false)`, as dumps have it.
fn set_config(p: &Phrase<'_>) -> Option<Act> {
    let at = p.skip(p.skip(1, "pg_catalog"), ".");
    if !p.is(at, "set_config") {
        return None;
    }
    let list = p.inside(at + 1)?.0.list();
    let [name, value, local] = list.as_slice() else { return None };
    Some(Act::Set {
        name: Ident::new(name.get(0).trim_matches('\'')).raw().to_owned(),
        value: value.plain(),
        local: local.is(0, "true"),
    })
}
