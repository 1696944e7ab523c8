//! Rows: changed, deleted, or hidden by a migration.

use super::Context;
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Statement};
use crate::output::Level;
use crate::steps::LockMode;
use crate::steps::guard::Name;

pub(super) static TRUNCATE: Rule = Rule {
    id: "truncate",
    level: Level::Error,
    finds: "TRUNCATE of a table that others use.",
    danger: "All rows are gone at once, with CASCADE also those of every table that points to it, and DELETE triggers do not run.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "-- in batches, outside of migrations\nDELETE FROM app.events WHERE at < '2024-01-01' AND id BETWEEN 1 AND 10000;",
    bad: "TRUNCATE app.events;",
    good: "CREATE TEMP TABLE batch (id bigint);\nTRUNCATE batch;",
    squawk: &["ban-truncate-cascade"],
    ..RULE
};

pub(super) static UPDATE_ALL: Rule = Rule {
    id: "update-without-where",
    level: Level::Error,
    grows: true,
    finds: "UPDATE without WHERE on a table that others use.",
    danger: "Every row is written again in one transaction: the table doubles, WAL floods the standbys, and all writers of these rows wait.",
    lock: "ROW EXCLUSIVE on the table and a lock on every row: blocks every other writer of them until the file commits.",
    safe: "-- in batches, each its own transaction, outside of migrations\nUPDATE app.orders SET state = 'new' WHERE id BETWEEN 1 AND 10000 AND state IS NULL;",
    bad: "UPDATE app.orders SET state = 'new';",
    good: "UPDATE app.settings SET value = 'on' WHERE name = 'billing';",
    ..RULE
};

pub(super) static DELETE_ALL: Rule = Rule {
    id: "delete-without-where",
    level: Level::Error,
    grows: true,
    finds: "DELETE without WHERE on a table that others use.",
    danger: "All rows go, one by one, in one transaction, and every writer of them waits.",
    lock: "ROW EXCLUSIVE on the table and a lock on every row: blocks every other writer of them until the file commits.",
    safe: "DELETE FROM app.sessions WHERE ended < now() - interval '30 days' AND id BETWEEN 1 AND 10000;",
    bad: "DELETE FROM app.sessions;",
    good: "DELETE FROM app.settings WHERE name = 'old_flag';",
    ..RULE
};

pub(super) static BACKFILL: Rule = Rule {
    id: "rows-changed-under-lock",
    grows: true,
    finds: "UPDATE, DELETE or INSERT … SELECT in a file that already holds a lock on a table in use.",
    danger: "However long the rows take, everybody who wants the locked table waits for them.",
    lock: "That of the statement before, for as long as the rows take.",
    safe: "-- V7: the table\nALTER TABLE app.orders ADD COLUMN state text;\n-- outside of migrations, in batches: the rows\n\
           UPDATE app.orders SET state = 'new' WHERE id BETWEEN 1 AND 10000 AND state IS NULL;",
    bad: "ALTER TABLE app.orders ADD COLUMN state text;\nUPDATE app.orders SET state = 'new' WHERE state IS NULL;",
    good: "ALTER TABLE app.orders ADD COLUMN state text NOT NULL DEFAULT 'new';",
    ..RULE
};

pub(super) static TWICE: Rule = Rule {
    id: "column-assigned-twice",
    level: Level::Error,
    finds: "UPDATE that assigns one column twice.",
    danger: "PostgreSQL refuses it: the migration fails where it is run.",
    lock: "none: it fails at once",
    safe: "UPDATE app.orders SET state = 'new' WHERE id = 1;",
    bad: "UPDATE app.orders SET state = 'a', state = 'b' WHERE id = 1;",
    good: "UPDATE app.orders SET state = 'b', note = 'a' WHERE id = 1;",
    squawk: &["ban-duplicate-column-assignments"],
    ..RULE
};

pub(super) const RULES: &[&Rule] = &[&TRUNCATE, &UPDATE_ALL, &DELETE_ALL, &BACKFILL, &TWICE];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    let span = &statement.span;
    match &statement.act {
        Act::Truncate { tables, cascade } => {
            for table in tables.iter().filter(|table| context.in_use(table)) {
                let others = if *cascade { ", and of every table that points to it," } else { "" };
                found.push(
                    Found::new(&TRUNCATE, span, format!("all rows of {table}{others} are gone at once"))
                        .locks(LockMode::AccessExclusive, table)
                        .fix(format!("-- in batches, outside of migrations\nDELETE FROM {table} WHERE …;")),
                );
            }
        }
        Act::Update { table, filtered, assigned } if context.in_use(table) => {
            let twice =
                assigned.iter().enumerate().find(|(at, column)| assigned.iter().take(*at).any(|c| c == *column));
            if let Some((_, column)) = twice {
                found.push(
                    Found::new(&TWICE, span, format!("PostgreSQL refuses to assign {column} twice")).about(table),
                );
            }
            if *filtered {
                under_lock(context, statement, table, found);
            } else {
                let columns = assigned.iter().map(|c| format!("{c} = …")).collect::<Vec<_>>().join(", ");
                found.push(
                    Found::new(&UPDATE_ALL, span, format!("every row of {table} is written again in one transaction"))
                        .locks_rows(table)
                        .fix(format!("-- in batches, each its own transaction, outside of migrations\nUPDATE {table} SET {columns} WHERE id BETWEEN … AND …;")),
                );
            }
        }
        Act::Delete { table, filtered } if context.in_use(table) => {
            if *filtered {
                under_lock(context, statement, table, found);
            } else {
                found.push(
                    Found::new(&DELETE_ALL, span, format!("all rows of {table} go, in one transaction"))
                        .locks_rows(table)
                        .fix(format!(
                            "-- in batches, outside of migrations\nDELETE FROM {table} WHERE id BETWEEN … AND …;"
                        )),
                );
            }
        }
        Act::Insert { table, from_query: true } => under_lock(context, statement, table, found),
        _ => {}
    }
}

fn under_lock(context: &Context<'_>, statement: &Statement, table: &Name, found: &mut Vec<Found>) {
    let Some((locked, mode)) = context.held() else { return };
    let mut it = Found::new(
        &BACKFILL,
        &statement.span,
        format!("{locked} stays locked for as long as the rows of {table} take"),
    )
    .about(table);
    it.lock = Some(format!("{mode} on {locked}, until the file commits: blocks {}", crate::lint::found::whom(*mode)));
    found.push(it.fix("-- in a file of its own, or better in batches outside of migrations"));
}
