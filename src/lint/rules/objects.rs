//! Objects other than tables: dropped, renamed, changed in their type; and blocks that hide what they do.

use super::Context;
use crate::ident::Ident;
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Statement};
use crate::output::Level;
use crate::steps::Lane;

pub(super) static CASCADE: Rule = Rule {
    id: "drop-cascade",
    level: Level::Error,
    finds: "DROP … CASCADE, or a column or constraint dropped with CASCADE.",
    danger: "What depends on it goes along unnamed: views, foreign keys, columns of that type.",
    lock: "ACCESS EXCLUSIVE on all that goes: blocks every read and write of it.",
    safe: "-- name what depends on it, in the order in which it goes\nDROP VIEW app.report;\nDROP FUNCTION app.total(bigint);",
    bad: "DROP TYPE app.state CASCADE;",
    good: "ALTER TABLE app.orders ADD COLUMN state text;",
    squawk: &["ban-truncate-cascade"],
    ..RULE
};

pub(super) static DROP: Rule = Rule {
    id: "drop-object",
    finds: "DROP of a view, sequence, type, domain, extension or publication that was there before.",
    danger: "Code that still names it fails; of a sequence, the position is gone.",
    lock: "ACCESS EXCLUSIVE on what is dropped: blocks its readers.",
    safe: "-- a release after the last use, said on purpose:\n-- dbctl-ignore drop-object: unused since release 41\nDROP VIEW app.report;",
    bad: "DROP VIEW app.report;",
    good: "CREATE VIEW app.draft AS SELECT 1 AS a;\nDROP VIEW app.draft;",
    squawk: &["ban-drop-view", "ban-drop-type", "ban-drop-sequence", "ban-drop-domain", "ban-drop-extension"],
    ..RULE
};

pub(super) static DROP_CODE: Rule = Rule {
    id: "drop-code",
    level: Level::Note,
    finds: "DROP of a function, procedure, trigger, policy or rule that was there before.",
    danger: "What it did is no longer done, and code that calls it fails.",
    lock: "of a trigger, policy or rule: ACCESS EXCLUSIVE on its table, brief",
    safe: "-- where it is replaced, in the same file:\nCREATE OR REPLACE FUNCTION app.total(bigint) RETURNS numeric LANGUAGE sql RETURN 0;",
    bad: "DROP FUNCTION app.total(bigint);",
    good: "CREATE OR REPLACE FUNCTION app.total(bigint) RETURNS numeric LANGUAGE sql AS 'SELECT 0';",
    squawk: &["ban-drop-function", "ban-drop-trigger", "ban-drop-policy"],
    ..RULE
};

pub(super) static DROP_SCHEMA: Rule = Rule {
    id: "drop-schema",
    level: Level::Error,
    finds: "DROP SCHEMA, DROP DATABASE, DROP TABLESPACE, DROP OWNED.",
    danger: "Everything in it is gone.",
    lock: "ACCESS EXCLUSIVE on all that is in it.",
    safe: "-- the tables by name, each with its own reason\nDROP TABLE app.carts;",
    bad: "DROP SCHEMA app;",
    good: "CREATE SCHEMA scratch;\nDROP SCHEMA scratch;",
    squawk: &["ban-drop-schema", "ban-drop-database"],
    ..RULE
};

pub(super) static RENAME: Rule = Rule {
    id: "rename-object",
    finds: "RENAME of a view, function, sequence, type, domain or schema that others use, or of a part of one.",
    danger: "Code that runs while it is deployed knows one of the two names and fails with the other.",
    lock: "brief",
    safe: "-- both names for as long as both releases run\nCREATE VIEW app.summary AS SELECT * FROM app.report;",
    bad: "ALTER VIEW app.report RENAME TO summary;",
    good: "ALTER INDEX app.orders_day_idx RENAME TO orders_day_key;",
    squawk: &["renaming-object"],
    ..RULE
};

pub(super) static ENUM_USED: Rule = Rule {
    id: "enum-value-used-at-once",
    level: Level::Error,
    finds: "A value of ALTER TYPE … ADD VALUE used in the same transaction.",
    danger: "PostgreSQL refuses it (\"must be committed before they can be used\"): the migration fails where it is run.",
    lock: "none: it fails at once",
    safe: "-- V7\nALTER TYPE app.state ADD VALUE 'archived';\n-- V8\nUPDATE app.orders SET state = 'archived' WHERE id = 1;",
    bad: "ALTER TYPE app.state ADD VALUE 'archived';\nUPDATE app.orders SET state = 'archived' WHERE id = 1;",
    good: "ALTER TYPE app.state ADD VALUE 'archived';",
    ..RULE
};

pub(super) static ATTRIBUTE: Rule = Rule {
    id: "type-attribute-change",
    level: Level::Error,
    finds: "ALTER TYPE … DROP ATTRIBUTE or ALTER ATTRIBUTE.",
    danger: "The values of a dropped attribute are gone from every column of the type; another data type is refused while a column has the type, \
             and with CASCADE, tables made OF it are written again.",
    lock: "ACCESS EXCLUSIVE on the type, and with CASCADE on every table made OF it.",
    safe: "ALTER TYPE app.address ADD ATTRIBUTE country text;",
    bad: "ALTER TYPE app.address DROP ATTRIBUTE country CASCADE;",
    good: "ALTER TYPE app.address ADD ATTRIBUTE country text;",
    squawk: &["ban-add-composite-attribute"],
    ..RULE
};

pub(super) static BLOCK: Rule = Rule {
    id: "do-block-hides",
    finds: "A DO block that runs SQL put together by EXECUTE, or that commits.",
    danger: "What it locks and how long nobody can say from the file, and after half of it a rerun does not know where it was.",
    lock: "unknown",
    safe: "-- the statements themselves, or SELECT format(…) reviewed and pasted\nALTER TABLE app.orders ADD COLUMN note text;",
    bad: "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN note text', 'orders'); END $$;",
    good: "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'app') THEN RAISE NOTICE 'no role app'; END IF; END $$;",
    ..RULE
};

pub(super) const RULES: &[&Rule] =
    &[&CASCADE, &DROP, &DROP_CODE, &DROP_SCHEMA, &RENAME, &ENUM_USED, &ATTRIBUTE, &BLOCK];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    let span = &statement.span;
    match &statement.act {
        Act::Drop(drop) => {
            if drop.cascade {
                let names = drop.names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let young =
                    |name| context.known.is_new(name) || context.known.is_new_object(&drop.kind.to_lowercase(), name);
                if drop.names.is_empty() || !drop.names.iter().all(young) {
                    let danger = format!("whatever depends on {names} goes along without being named");
                    found.push(Found::new(&CASCADE, span, danger).fix(format!(
                        "-- name what depends on it first; to see it: BEGIN; DROP {} {names}; ROLLBACK;\nDROP {} {names};",
                        drop.kind, drop.kind
                    )));
                }
            }
            dropped(context, statement, drop, found);
        }
        Act::AlterTable(alter) if context.in_use(&alter.table) => {
            for (span, action) in &alter.actions {
                use crate::lint::statement::Action::{DropColumn, DropConstraint};
                if let DropColumn { name, cascade: true } | DropConstraint { name, cascade: true } = action {
                    let danger = format!("whatever depends on {name} goes along without being named");
                    found.push(Found::new(&CASCADE, span, danger).about(&alter.table).fix(format!(
                            "-- drop the views and foreign keys that lean on {name} by name, then without CASCADE:\n\
                         ALTER TABLE {} {};",
                            alter.table,
                            context
                                .text
                                .get(span.clone())
                                .unwrap_or_default()
                                .replace(" CASCADE", "")
                                .replace(" cascade", "")
                        )));
                }
            }
        }
        Act::Rename { kind, name, to } if *kind != "index" && !context.known.is_new_object(kind, name) => {
            let danger = format!("code that knows {kind} {name} fails from now on, code that knows {to} until now");
            found.push(Found::new(&RENAME, span, danger).fix("-- keep both for as long as both releases run"));
        }
        Act::RenamePart { kind, name, part, to }
            if !context.known.is_new_object(kind, name) && !context.known.is_new(name) =>
        {
            let danger =
                format!("code that knows {part} of {kind} {name} fails from now on, code that knows {to} until now");
            found.push(
                Found::new(&RENAME, span, danger)
                    .fix("-- add the new one beside it, and let go of the old one in a later release"),
            );
        }
        Act::DropAttribute { name, attribute } | Act::AlterAttribute { name, attribute }
            if !context.known.is_new_object("type", name) =>
        {
            let danger = if matches!(statement.act, Act::DropAttribute { .. }) {
                format!("the values of {attribute} are gone from every column of type {name}")
            } else {
                format!("it fails while a column of any table has type {name}, and writes tables made OF {name} again")
            };
            found.push(Found::new(&ATTRIBUTE, span, danger).fix(format!("ALTER TYPE {name} ADD ATTRIBUTE …;")));
        }
        Act::Do { dynamic, commits, .. } => {
            if let Some(place) = dynamic.as_ref().or(commits.as_ref()) {
                let danger = if dynamic.is_some() {
                    "the statement is put together while it runs: nobody can say what it locks"
                } else {
                    "a block that commits cannot be taken back as a whole, and a rerun does not know where it was"
                };
                found.push(
                    Found::new(&BLOCK, place, danger).fix("-- the statements themselves, without a block around them"),
                );
            }
        }
        _ => {}
    }
    enum_used(context, statement, found);
}

fn dropped(
    context: &Context<'_>,
    statement: &Statement,
    drop: &crate::lint::statement::Dropped,
    found: &mut Vec<Found>,
) {
    let span = &statement.span;
    let kind = drop.kind.to_lowercase();
    let written = context.text.get(span.clone()).unwrap_or_default();
    let comment = |rule: &Rule| {
        format!("-- once nothing names it:\n-- dbctl-ignore {}: unused since release …\n{written};", rule.id)
    };
    match drop.kind.as_str() {
        "SCHEMA" | "DATABASE" | "TABLESPACE" | "OWNED BY" => {
            for name in drop.names.iter().filter(|name| !context.known.is_new_object("schema", name)) {
                found.push(
                    Found::new(&DROP_SCHEMA, span, format!("everything in {kind} {name} is gone"))
                        .fix("-- the objects by name, each with its own reason"),
                );
            }
        }
        "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" | "TYPE" | "DOMAIN" | "EXTENSION" | "FOREIGN TABLE"
        | "PUBLICATION" | "SUBSCRIPTION" => {
            for name in drop
                .names
                .iter()
                .filter(|name| !context.known.is_new_object(&kind, name) && !context.known.is_new(name))
            {
                // Made again in the same file, it is replaced.
                let replaced = remade(context, span.start, &drop.kind, &name.name);
                if !replaced {
                    found.push(
                        Found::new(&DROP, span, format!("code that still names {kind} {name} fails"))
                            .fix(comment(&DROP)),
                    );
                }
            }
        }
        "FUNCTION" | "PROCEDURE" | "ROUTINE" | "TRIGGER" | "POLICY" | "RULE" | "AGGREGATE" => {
            for name in &drop.names {
                let young =
                    context.known.is_new_object(&kind, name) || drop.on.as_ref().is_some_and(|on| !context.in_use(on));
                let replaced = remade(context, span.start, &drop.kind, &name.name);
                if !young && !replaced {
                    found.push(
                        Found::new(&DROP_CODE, span, format!("what {kind} {name} did is no longer done"))
                            .fix(comment(&DROP_CODE)),
                    );
                }
            }
        }
        _ => {}
    }
}

/// Whether a later statement of the file creates an object of this kind and name.
fn remade(context: &Context<'_>, after: usize, kind: &str, name: &Ident) -> bool {
    context.seen.made.iter().any(|(made, called, at)| *made == kind && called == name && *at > after)
}

fn enum_used(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    if context.lane == Lane::Statements || matches!(statement.act, Act::AddEnumValue { .. } | Act::CreateFunction(_)) {
        return;
    }
    for (name, value) in &context.seen.enum_values {
        let text = context.text.get(statement.span.clone()).unwrap_or_default();
        let literal = format!("'{value}'");
        if let Some(at) = text.find(&literal) {
            let start = statement.span.start + at;
            let danger = format!("'{value}' of {name} can be used only after this file has committed");
            found.push(
                Found::new(&ENUM_USED, &(start..start + literal.len()), danger)
                    .fix(format!("-- alone in a file before this one\nALTER TYPE {name} ADD VALUE '{value}';")),
            );
        }
    }
}
