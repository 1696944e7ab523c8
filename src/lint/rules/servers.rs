//! What the oldest server that is meant does not know.

use super::Context;
use crate::lint::found::Found;
use crate::lint::phrase::Phrase;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Action, Generated, Sort, Statement};
use crate::output::Level;

pub(super) static NEWER: Rule = Rule {
    id: "needs-newer-server",
    level: Level::Error,
    finds: "SQL that the oldest server meant (--min-server, 14 by default) does not know.",
    danger: "The migration fails there, perhaps with half of the set applied.",
    lock: "none: it fails at once",
    servers: "14 to 18; say --min-server 17 where no server is older",
    safe: "-- say which server is the oldest: dbctl migrate lint --min-server 15, or write it for that one\n\
           INSERT INTO app.stock (id, amount) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount;",
    bad: "MERGE INTO app.stock s USING app.delivered d ON s.id = d.id WHEN MATCHED THEN UPDATE SET amount = s.amount + d.amount;",
    good: "INSERT INTO app.stock (id, amount) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount;",
    ..RULE
};

pub(super) const RULES: &[&Rule] = &[&NEWER];

/// Words that no older server has, anywhere in a statement.
const WORDS: &[(&str, u32)] = &[
    ("NULLS NOT DISTINCT", 15),
    ("security_invoker", 15),
    ("SET ACCESS METHOD", 15),
    ("FOR TABLES IN SCHEMA", 15),
    ("DELETE SET NULL (", 15),
    ("DELETE SET DEFAULT (", 15),
    ("regexp_count (", 15),
    ("regexp_like (", 15),
    ("regexp_substr (", 15),
    ("regexp_instr (", 15),
    ("IS JSON", 16),
    ("IS NOT JSON", 16),
    ("JSON_ARRAYAGG (", 16),
    ("JSON_OBJECTAGG (", 16),
    ("pg_input_is_valid (", 16),
    ("array_shuffle (", 16),
    ("array_sample (", 16),
    ("any_value (", 16),
    ("random_normal (", 16),
    ("JSON_TABLE (", 17),
    ("JSON_EXISTS (", 17),
    ("JSON_QUERY (", 17),
    ("JSON_VALUE (", 17),
    ("JSON_SCALAR (", 17),
    ("AT LOCAL", 17),
    ("MERGE PARTITIONS", 19),
    ("SPLIT PARTITION", 19),
    ("SET EXPRESSION", 17),
    ("WITHOUT OVERLAPS", 18),
    ("uuidv7 (", 18),
    ("uuidv4 (", 18),
    ("NOT ENFORCED", 18),
    ("casefold (", 18),
    ("array_sort (", 18),
    ("array_reverse (", 18),
];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    if matches!(statement.act, Act::Do { .. }) {
        return;
    }
    let lowest = context.lowest_server;
    if lowest >= 19 {
        return;
    }
    let phrase = Phrase::of(context.text, statement.span.clone());
    let mut needs = |what: &str, major: u32| {
        if major > lowest {
            let danger = format!("{what} is known from {major} on; the oldest server meant is {lowest}");
            found.push(
                Found::new(&NEWER, &statement.span, danger)
                    .fix(format!("-- for {lowest}, write it without {what}; or say --min-server {major}")),
            );
        }
    };
    if phrase.is(0, "MERGE") {
        needs(
            if phrase.has("RETURNING") { "MERGE … RETURNING" } else { "MERGE" },
            if phrase.has("RETURNING") { 17 } else { 15 },
        );
    }
    if phrase.is(0, "GRANT") {
        let on = phrase.find(1, "ON").unwrap_or(0);
        if (1..on).any(|at| phrase.is(at, "MAINTAIN")) {
            needs("GRANT MAINTAIN", 17);
        }
        let of_role = phrase.has("WITH INHERIT") || phrase.has("WITH SET");
        if on == 0 && of_role {
            needs("GRANT … WITH INHERIT or SET", 16);
        }
    }
    if phrase.is_one(0, &["INSERT", "UPDATE", "DELETE", "MERGE", "WITH"])
        && let Some(returning) = phrase.find(0, "RETURNING")
        && (returning..phrase.len())
            .any(|at| phrase.is_one(at, &["OLD", "NEW"]) && phrase.is(at + 1, ".") && !phrase.is(at - 1, "."))
    {
        needs("OLD or NEW in RETURNING", 18);
    }
    if phrase.is(0, "REPACK") {
        needs("REPACK", 19);
    }
    // Words in capitals are keywords or functions: strings and quoted names are words of their own.
    for (words, major) in WORDS {
        let head = words.split(' ').next().unwrap_or_default();
        if *major > lowest
            && (0..phrase.len()).any(|at| phrase.is(at, head) && phrase.are(at, words) && !is_own(context, &phrase, at))
        {
            needs(words.trim_end_matches(" ("), *major);
        }
    }
    let Act::AlterTable(alter) = &statement.act else {
        if let Act::CreateTable(create) = &statement.act
            && create
                .columns
                .iter()
                .any(|column| matches!(column.generated, Some(Generated::Virtual | Generated::Unsaid)))
        {
            needs("a VIRTUAL column", 18);
        }
        return;
    };
    for (_, action) in &alter.actions {
        match action {
            Action::AddColumn { column, .. }
                if matches!(column.generated, Some(Generated::Virtual | Generated::Unsaid)) =>
            {
                needs("a VIRTUAL column", 18);
            }
            Action::Detach { concurrently: true, .. } | Action::Detach { finalize: true, .. } => {
                needs("DETACH PARTITION … CONCURRENTLY", 14);
            }
            Action::AddConstraint(constraint) if matches!(constraint.kind, Sort::NotNull { .. }) => {
                needs("ADD CONSTRAINT … NOT NULL", 18);
            }
            _ => {}
        }
    }
}

/// A function of the same name that is somebody's own: in a schema of theirs, or made by these files.
fn is_own(context: &Context<'_>, phrase: &Phrase<'_>, at: usize) -> bool {
    let qualified = at > 1 && phrase.is(at - 1, ".") && !phrase.is(at - 2, "pg_catalog");
    let made = phrase.name(at).is_some_and(|(name, _)| context.known.object("function", &name).is_some());
    qualified || made || phrase.is(0, "CREATE") && at > 0 && phrase.is_one(at - 1, &["FUNCTION"])
}
