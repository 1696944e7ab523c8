//! Constraints: what the server reads to believe them, and under which lock.

use std::ops::Range;

use super::{Context, actions, list, made_name, name_of_columns};
use crate::ident::Ident;
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Action, Constraint, Sort, Statement};
use crate::output::Level;
use crate::steps::guard::Name;
use crate::steps::{Lane, LockMode};

pub(super) static FOREIGN_KEY: Rule = Rule {
    id: "foreign-key-validates",
    level: Level::Error,
    grows: true,
    finds: "A foreign key added without NOT VALID to a table that others use.",
    danger: "Every row is looked up in the other table while nobody can write to either of them.",
    lock: "SHARE ROW EXCLUSIVE on both tables: blocks writes to both until the file commits.",
    safe: "ALTER TABLE app.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES app.customers (id) NOT VALID;\n\
           -- in a second file, which lets reads and writes go on:\nALTER TABLE app.orders VALIDATE CONSTRAINT orders_customer_fkey;",
    bad: "ALTER TABLE app.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES app.customers (id);",
    good: "ALTER TABLE app.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES app.customers (id) NOT VALID;",
    squawk: &["adding-foreign-key-constraint"],
    ..RULE
};

pub(super) static CHECK: Rule = Rule {
    id: "check-validates",
    level: Level::Error,
    grows: true,
    finds: "A CHECK added without NOT VALID to a table that others use.",
    danger: "Every row is read while nobody can read or write the table.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n\
           -- in a second file, under SHARE UPDATE EXCLUSIVE:\nALTER TABLE app.orders VALIDATE CONSTRAINT orders_total_check;",
    bad: "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0);",
    good: "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;",
    squawk: &["constraint-missing-not-valid"],
    ..RULE
};

pub(super) static VALIDATE: Rule = Rule {
    id: "validate-in-same-transaction",
    level: Level::Error,
    grows: true,
    finds: "VALIDATE CONSTRAINT in the transaction that added the constraint NOT VALID, or that holds another strong lock on the table.",
    danger: "The lock of the statement before is held until the end: the scan happens under it, as if NOT VALID had not been said.",
    lock: "That of ADD CONSTRAINT (ACCESS EXCLUSIVE for CHECK, SHARE ROW EXCLUSIVE for a foreign key) during the whole scan.",
    safe: "-- V7__orders_total.sql\nALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n\
           -- V8__orders_total_valid.sql\nALTER TABLE app.orders VALIDATE CONSTRAINT orders_total_check;",
    bad: "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n\
          ALTER TABLE app.orders VALIDATE CONSTRAINT orders_total_check;",
    good: "ALTER TABLE app.orders VALIDATE CONSTRAINT orders_total_check;",
    squawk: &["constraint-missing-not-valid"],
    ..RULE
};

pub(super) static UNIQUE: Rule = Rule {
    id: "unique-builds-index",
    level: Level::Error,
    grows: true,
    finds: "A UNIQUE constraint added without USING INDEX to a table that others use.",
    danger: "Its index is built while nobody can read or write the table.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "-- in a file of its own\nCREATE UNIQUE INDEX CONCURRENTLY users_email_key ON app.users (email);\n\
           -- then\nALTER TABLE app.users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;",
    bad: "ALTER TABLE app.users ADD CONSTRAINT users_email_key UNIQUE (email);",
    good: "ALTER TABLE app.users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;",
    squawk: &["disallowed-unique-constraint"],
    ..RULE
};

pub(super) static PRIMARY: Rule = Rule {
    id: "primary-key-builds-index",
    level: Level::Error,
    grows: true,
    finds: "A PRIMARY KEY added without USING INDEX to a table that others use.",
    danger: "Its index is built, and its columns are read for NULL, while nobody can read or write the table.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "-- in a file of its own\nCREATE UNIQUE INDEX CONCURRENTLY orders_pkey ON app.orders (id);\n\
           -- then; where id may be NULL, make it NOT NULL by a validated CHECK before\n\
           ALTER TABLE app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey;",
    bad: "ALTER TABLE app.orders ADD PRIMARY KEY (id);",
    good: "ALTER TABLE app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey;",
    squawk: &["adding-serial-primary-key-field"],
    ..RULE
};

pub(super) static EXCLUSION: Rule = Rule {
    id: "exclusion-builds-index",
    level: Level::Error,
    grows: true,
    finds: "An exclusion constraint added to a table that others use.",
    danger: "Its index is built while nobody can read or write the table, and there is no concurrent way.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "-- there is no way without the lock: create the table with it, or announce a pause\n\
           CREATE TABLE app.bookings (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));",
    bad: "ALTER TABLE app.bookings ADD EXCLUDE USING gist (room WITH =, during WITH &&);",
    good: "CREATE TABLE app.bookings (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));",
    ..RULE
};

pub(super) static SET_NOT_NULL: Rule = Rule {
    id: "set-not-null",
    level: Level::Error,
    grows: true,
    finds: "SET NOT NULL on a column that no validated CHECK proves to be filled.",
    danger: "Every row is read while nobody can read or write the table; on large tables that is the outage.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    servers: "every supported major, 14 to 18; 18 knows ADD CONSTRAINT … NOT NULL column NOT VALID besides",
    safe: "ALTER TABLE app.orders ADD CONSTRAINT orders_day_filled CHECK (day IS NOT NULL) NOT VALID;\n\
           -- in a second file\nALTER TABLE app.orders VALIDATE CONSTRAINT orders_day_filled;\n\
           -- in a third file: the CHECK proves it, nothing is read\n\
           ALTER TABLE app.orders ALTER COLUMN day SET NOT NULL;\nALTER TABLE app.orders DROP CONSTRAINT orders_day_filled;",
    bad: "ALTER TABLE app.orders ALTER COLUMN day SET NOT NULL;",
    good: "CREATE TABLE app.orders (day date);\nALTER TABLE app.orders ALTER COLUMN day SET NOT NULL;",
    squawk: &["adding-not-nullable-field", "ban-new-write-restriction"],
    ..RULE
};

pub(super) static DROP_CONSTRAINT: Rule = Rule {
    id: "drop-constraint",
    level: Level::Note,
    finds: "DROP CONSTRAINT.",
    danger: "What it kept out can come in from now on; of a key, foreign keys and ON CONFLICT that lean on it break.",
    lock: "ACCESS EXCLUSIVE on the table, and on the other table of a foreign key: brief.",
    safe: "-- say why it is no longer needed:\n-- dbctl-ignore drop-constraint: replaced by orders_total_positive\n\
           ALTER TABLE app.orders DROP CONSTRAINT orders_total_check;",
    bad: "ALTER TABLE app.orders DROP CONSTRAINT orders_total_check;",
    good: "ALTER TABLE app.orders ADD CONSTRAINT a CHECK (a > 0) NOT VALID;",
    squawk: &["ban-drop-constraint"],
    ..RULE
};

pub(super) static DOMAIN: Rule = Rule {
    id: "domain-constraint-validates",
    finds: "A constraint added to a domain without NOT VALID, or SET NOT NULL of a domain.",
    danger: "Every table that has a column of the domain is read whole.",
    lock: "SHARE on each of these tables: blocks writes to them until the file commits.",
    safe: "ALTER DOMAIN app.email ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%') NOT VALID;\n-- in a second file\n\
           ALTER DOMAIN app.email VALIDATE CONSTRAINT has_at;",
    bad: "ALTER DOMAIN app.email ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%');",
    good: "ALTER DOMAIN app.email ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%') NOT VALID;",
    squawk: &["ban-alter-domain-with-add-constraint"],
    ..RULE
};

pub(super) const RULES: &[&Rule] =
    &[&FOREIGN_KEY, &CHECK, &VALIDATE, &UNIQUE, &PRIMARY, &EXCLUSION, &SET_NOT_NULL, &DROP_CONSTRAINT, &DOMAIN];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    match &statement.act {
        Act::AlterTable(alter) => {
            for (span, action) in actions(context, alter) {
                match action {
                    Action::AddConstraint(constraint) => added(context, &alter.table, constraint, found),
                    Action::ValidateConstraint { name } => validated(context, span, &alter.table, name, found),
                    Action::SetNotNull { column } => not_null(context, span, &alter.table, column, found),
                    Action::DropConstraint { name, .. } => {
                        // What this very change added may go again.
                        let file = context.known.file;
                        let own = context.known.table(&alter.table).is_some_and(|table| {
                            table
                                .checks
                                .iter()
                                .any(|check| check.name.as_ref() == Some(name) && check.file == Some(file))
                        });
                        // A CHECK that has served SET NOT NULL has done its work.
                        let scaffold = context.known.table(&alter.table).is_some_and(|table| {
                            table.checks.iter().any(|check| {
                                check.name.as_ref() == Some(name)
                                    && check.is_check
                                    && table.columns.iter().any(|(column, facts)| {
                                        facts.not_null && crate::lint::known::says_not_null(&check.expression, column)
                                    })
                            })
                        });
                        let key = name.raw().ends_with("_pkey");
                        if !own && !scaffold {
                            let also =
                                if key { ", and loses what replication and ON CONFLICT know its rows by" } else { "" };
                            let danger = format!("without {name}, {} takes rows that it kept out{also}", alter.table);
                            found.push(
                                Found::new(&DROP_CONSTRAINT, span, danger)
                                    .level(if key { Level::Warning } else { Level::Note })
                                    .locks(LockMode::AccessExclusive, &alter.table)
                                    .fix(format!("-- dbctl-ignore {}: why it is no longer needed", DROP_CONSTRAINT.id)),
                            );
                        }
                    }
                    _ => {}
                }
            }
        }
        Act::DomainConstraint { name, not_null, not_valid: false, constraint, written }
            if !context.known.is_new_object("domain", name) =>
        {
            let danger = format!("every table with a column of {name} is read while its writers wait");
            let constraint = constraint.clone().unwrap_or_else(|| made_name(name, &[], "check"));
            let demand = if *not_null { "CHECK (VALUE IS NOT NULL)" } else { written.as_str() };
            let mut it = Found::new(&DOMAIN, &statement.span, danger).fix(format!(
                "ALTER DOMAIN {name} ADD CONSTRAINT {constraint} {demand} NOT VALID;\n-- in a second file:\n\
                 ALTER DOMAIN {name} VALIDATE CONSTRAINT {constraint};"
            ));
            it.lock = Some(format!("SHARE on each table with a column of {name}: blocks every write; reads go on"));
            found.push(it);
        }
        _ => {}
    }
}

fn added(context: &Context<'_>, table: &Name, constraint: &Constraint, found: &mut Vec<Found>) {
    let span = &constraint.span;
    if constraint.not_valid || constraint.not_enforced {
        return;
    }
    let named = |ending: &str, columns: &[Ident]| {
        constraint.name.clone().unwrap_or_else(|| name_of_columns(table, columns, ending))
    };
    let in_two = |name: &Ident| {
        format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {} NOT VALID;\n-- in a second file:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};",
            constraint.written
        )
    };
    let by_index = |name: &Ident, columns: &[Ident], kind: &str| {
        format!(
            "-- in a file of its own\nCREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({});\n-- then\n\
             ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name};",
            list(columns)
        )
    };
    found.push(match &constraint.kind {
        Sort::Foreign { columns, references } => {
            let name = named("fkey", columns);
            let danger = format!("every row of {table} is looked up in {references} while writes to both wait");
            Found::new(&FOREIGN_KEY, span, danger)
                .locks(LockMode::ShareRowExclusive, table)
                .also_locks(LockMode::ShareRowExclusive, references)
                .fix(in_two(&name))
        }
        Sort::Check { expression } => {
            let columns = context.known.table(table).map(|t| t.columns.keys().cloned().collect::<Vec<_>>());
            let column = columns.unwrap_or_default().into_iter().find(|c| expression.contains(c.raw()));
            let danger = format!("every row of {table} is read while nobody can use it");
            Found::new(&CHECK, span, danger)
                .locks(LockMode::AccessExclusive, table)
                .fix(in_two(&named("check", &column.into_iter().collect::<Vec<_>>())))
        }
        Sort::Unique { columns, using_index: false, temporal, .. } => {
            let name = named("key", columns);
            let it = Found::new(&UNIQUE, span, format!("an index is built while nobody can use {table}"))
                .locks(LockMode::AccessExclusive, table);
            if *temporal {
                it.fix("-- there is no concurrent way: announce a pause")
            } else {
                it.fix(by_index(&name, columns, "UNIQUE"))
            }
        }
        Sort::Primary { columns, using_index: false, .. } => {
            let name = named("pkey", &[]);
            Found::new(&PRIMARY, span, format!("an index is built while nobody can use {table}"))
                .locks(LockMode::AccessExclusive, table)
                .fix(by_index(&name, columns, "PRIMARY KEY"))
        }
        Sort::Exclude => Found::new(&EXCLUSION, span, format!("an index is built while nobody can use {table}"))
            .locks(LockMode::AccessExclusive, table)
            .fix("-- there is no concurrent way: create the table with it, or announce a pause"),
        Sort::NotNull { column } => return not_null(context, span, table, column, found),
        Sort::Unique { .. } | Sort::Primary { .. } => return,
    });
}

fn validated(context: &Context<'_>, span: &Range<usize>, table: &Name, name: &Ident, found: &mut Vec<Found>) {
    if context.lane == Lane::Statements {
        return;
    }
    let added_here = context.seen.unvalidated.iter().any(|(on, added)| on.name == table.name && added == name);
    let held = context.seen.held.iter().filter(|(on, mode)| on.name == table.name && *mode >= LockMode::Share);
    let Some(mode) = held.map(|(_, mode)| *mode).max() else { return };
    let taker = if added_here { format!("adding {name}") } else { "an earlier statement of the file".to_owned() };
    let danger = format!("the lock that {taker} took is held while every row of {table} is read");
    found.push(
        Found::new(&VALIDATE, span, danger)
            .locks(mode, table)
            .fix(format!("-- in a file after this one:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};")),
    );
}

fn not_null(context: &Context<'_>, span: &Range<usize>, table: &Name, column: &Ident, found: &mut Vec<Found>) {
    if context.known.proves_not_null(table, column) {
        return;
    }
    let check = made_name(table, &[column.raw()], "not_null");
    let validate = format!("-- in a second file:\nALTER TABLE {table} VALIDATE CONSTRAINT {check};");
    let fix = if context.lowest_server >= 18 {
        format!("ALTER TABLE {table} ADD CONSTRAINT {check} NOT NULL {column} NOT VALID;\n{validate}")
    } else {
        format!(
            "ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID;\n{validate}\n-- in a third file:\n\
             ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {table} DROP CONSTRAINT {check};"
        )
    };
    let danger = format!("every row of {table} is read for a NULL in {column} while nobody can use it");
    found.push(Found::new(&SET_NOT_NULL, span, danger).locks(LockMode::AccessExclusive, table).fix(fix));
}
