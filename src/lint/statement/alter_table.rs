//! ALTER TABLE, action by action.

use super::super::phrase::Phrase;
use super::column::{column, constraint, is_constraint, type_end};
use super::{Act, Action, AlterTable};

/// Reads `ALTER [FOREIGN] TABLE`; `at` is the word behind TABLE.
pub(super) fn read(phrase: &Phrase<'_>, at: usize, foreign: bool) -> Option<Act> {
    let at = phrase.skip(at, "IF EXISTS");
    let (table, end) = phrase.name(phrase.skip(at, "ONLY"))?;
    let end = phrase.skip(end, "*");
    let actions = phrase.part(end, phrase.len()).list().iter().map(|part| (part.span(), action(part))).collect();
    Some(Act::AlterTable(AlterTable { table, foreign, actions }))
}

fn action(p: &Phrase<'_>) -> Action {
    let cascade = p.has("CASCADE");
    known(p, cascade).unwrap_or(Action::Other)
}

fn known(p: &Phrase<'_>, cascade: bool) -> Option<Action> {
    Some(match p.get(0).to_ascii_uppercase().as_str() {
        "ADD" => {
            let rest = p.part(1, p.len());
            if is_constraint(&rest) {
                return constraint(&rest).map(Action::AddConstraint);
            }
            let at = p.skip(1, "COLUMN");
            let behind = p.skip(at, "IF NOT EXISTS");
            Action::AddColumn { column: column(&p.part(behind, p.len()))?, if_not_exists: behind > at }
        }
        "DROP" if p.is(1, "CONSTRAINT") => Action::DropConstraint { name: p.ident(p.skip(2, "IF EXISTS"))?, cascade },
        "DROP" => Action::DropColumn { name: p.ident(p.skip(p.skip(1, "COLUMN"), "IF EXISTS"))?, cascade },
        "VALIDATE" => Action::ValidateConstraint { name: p.ident(2)? },
        "ALTER" if p.is(1, "CONSTRAINT") => Action::Other,
        "ALTER" => alter_column(p)?,
        "ATTACH" => {
            let (partition, end) = p.name(2)?;
            let bound = p.part(end, p.len());
            Action::Attach { partition, default: bound.is(0, "DEFAULT"), bound: bound.plain() }
        }
        "DETACH" => {
            let (partition, end) = p.name(2)?;
            Action::Detach { partition, concurrently: p.is(end, "CONCURRENTLY"), finalize: p.is(end, "FINALIZE") }
        }
        "RENAME" if p.is(1, "TO") => Action::RenameTable { to: p.ident(2)? },
        "RENAME" if p.is(1, "CONSTRAINT") => Action::RenameConstraint,
        "RENAME" => {
            let at = p.skip(1, "COLUMN");
            Action::RenameColumn { from: p.ident(at)?, to: p.ident(at + 2)? }
        }
        "SET" if p.is(1, "(") => Action::SetOptions { text: p.inside(1)?.0.plain() },
        "SET" => match p.get(1).to_ascii_uppercase().as_str() {
            "SCHEMA" => Action::SetSchema { to: p.ident(2)? },
            "LOGGED" => Action::SetLogged,
            "UNLOGGED" => Action::SetUnlogged,
            "TABLESPACE" => Action::SetTablespace { to: p.ident(2)? },
            "ACCESS" => Action::SetAccessMethod,
            _ => Action::Other,
        },
        "DISABLE" if p.is(1, "TRIGGER") => Action::DisableTrigger { which: p.part(2, p.len()).written().to_owned() },
        "DISABLE" if p.are(1, "ROW LEVEL") => Action::RowSecurity { on: false },
        "ENABLE" if p.are(1, "ROW LEVEL") => Action::RowSecurity { on: true },
        "NO" if p.is(1, "FORCE") => Action::NoForceRowSecurity,
        "REPLICA" => Action::ReplicaIdentity { full: p.is(2, "FULL"), nothing: p.is(2, "NOTHING") },
        _ => Action::Other,
    })
}

fn alter_column(p: &Phrase<'_>) -> Option<Action> {
    let at = p.skip(1, "COLUMN");
    let column = p.ident(at)?;
    let verb = at + 1;
    let kind = if p.are(verb, "SET DATA") { verb + 2 } else { verb };
    if p.is(kind, "TYPE") {
        let end = type_end(p, kind + 1);
        let using = p.find(end, "USING").map(|at| p.part(at + 1, p.len()).plain());
        return Some(Action::Retype { column, to: p.part(kind + 1, end).plain(), using });
    }
    Some(if p.are(verb, "SET NOT NULL") {
        Action::SetNotNull { column }
    } else if p.are(verb, "DROP NOT NULL") {
        Action::DropNotNull { column }
    } else if p.are(verb, "SET EXPRESSION") {
        Action::SetExpression { column }
    } else {
        Action::Other
    })
}
