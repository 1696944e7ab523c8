//! Columns: added, changed, renamed and dropped.

use std::ops::Range;

use super::types::{self, Change, Value};
use super::{Context, actions, made_name};
use crate::ident::Ident;
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Action, Column, Generated, Statement};
use crate::output::Level;
use crate::steps::LockMode;
use crate::steps::guard::Name;

pub(super) static REQUIRED: Rule = Rule {
    id: "column-without-default",
    level: Level::Error,
    finds: "ADD COLUMN … NOT NULL without a DEFAULT.",
    danger: "It fails on a table with rows; on an empty one, every INSERT of code that does not know the column fails.",
    lock: "ACCESS EXCLUSIVE on the table: brief, since it fails.",
    safe: "ALTER TABLE app.orders ADD COLUMN state text NOT NULL DEFAULT 'new';\n-- a constant DEFAULT is kept in the catalog: no row is written",
    bad: "ALTER TABLE app.orders ADD COLUMN state text NOT NULL;",
    good: "ALTER TABLE app.orders ADD COLUMN state text NOT NULL DEFAULT 'new';",
    squawk: &["adding-required-field", "adding-not-nullable-field"],
    ..RULE
};

pub(super) static VOLATILE: Rule = Rule {
    id: "volatile-default",
    level: Level::Error,
    grows: true,
    finds: "ADD COLUMN with a DEFAULT that is another value for each row.",
    danger: "The whole table is written again while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "ALTER TABLE app.orders ADD COLUMN token uuid;\nALTER TABLE app.orders ALTER COLUMN token SET DEFAULT gen_random_uuid();\n\
           -- then fill old rows in batches, outside of migrations:\nUPDATE app.orders SET token = gen_random_uuid() WHERE id BETWEEN 1 AND 10000 AND token IS NULL;",
    bad: "ALTER TABLE app.orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
    good: "ALTER TABLE app.orders ADD COLUMN added timestamptz NOT NULL DEFAULT now();",
    squawk: &["adding-field-with-default"],
    ..RULE
};

pub(super) static DOMAIN: Rule = Rule {
    id: "constrained-domain-column",
    level: Level::Error,
    grows: true,
    finds: "ADD COLUMN of a domain with a CHECK or NOT NULL, as far as the files before say so.",
    danger: "Even without a DEFAULT, the whole table is written again while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "ALTER TABLE app.users ADD COLUMN mail text;\n\
           ALTER TABLE app.users ADD CONSTRAINT users_mail_check CHECK (mail LIKE '%@%') NOT VALID;\n\
           -- in a second file:\nALTER TABLE app.users VALIDATE CONSTRAINT users_mail_check;",
    bad: "CREATE DOMAIN app.email AS text CHECK (VALUE LIKE '%@%');\nALTER TABLE app.users ADD COLUMN mail app.email;",
    good: "CREATE DOMAIN app.email AS text;\nALTER TABLE app.users ADD COLUMN mail app.email;",
    ..RULE
};

pub(super) static STORED: Rule = Rule {
    id: "generated-column-stored",
    level: Level::Error,
    grows: true,
    finds: "ADD COLUMN … GENERATED ALWAYS AS (…) STORED, or a new expression of such a column.",
    danger: "The whole table is written again while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    servers: "every supported major, 14 to 18; from 18 on there are VIRTUAL columns, which write nothing",
    safe: "-- from 18 on\nALTER TABLE app.orders ADD COLUMN gross numeric GENERATED ALWAYS AS (net * 1.2) VIRTUAL;\n\
           -- before: a plain column, a trigger that keeps it, and old rows filled in batches",
    bad: "ALTER TABLE app.orders ADD COLUMN gross numeric GENERATED ALWAYS AS (net * 1.2) STORED;",
    good: "CREATE TABLE app.orders (net numeric, gross numeric GENERATED ALWAYS AS (net * 1.2) STORED);",
    squawk: &["adding-field-with-default", "ban-alter-generated-expression"],
    ..RULE
};

pub(super) static IDENTITY: Rule = Rule {
    id: "identity-column-added",
    level: Level::Error,
    grows: true,
    finds: "ADD COLUMN of a serial type or as IDENTITY.",
    danger: "Every row gets a number: the whole table is written again while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "ALTER TABLE app.orders ADD COLUMN number bigint;\nCREATE SEQUENCE app.orders_number_seq OWNED BY app.orders.number;\n\
           ALTER TABLE app.orders ALTER COLUMN number SET DEFAULT nextval('app.orders_number_seq');\n-- then fill old rows in batches",
    bad: "ALTER TABLE app.orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;",
    good: "CREATE TABLE app.orders (number bigint GENERATED ALWAYS AS IDENTITY);",
    squawk: &["adding-serial-primary-key-field"],
    ..RULE
};

pub(super) static COLUMN_KEY: Rule = Rule {
    id: "column-with-key",
    level: Level::Error,
    grows: true,
    finds: "ADD COLUMN … UNIQUE, PRIMARY KEY, CHECK, or REFERENCES with a DEFAULT.",
    danger: "The index is built, or every row is checked, while nobody can read or write the table.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "ALTER TABLE app.users ADD COLUMN email text;\n-- in a file of its own\n\
           CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON app.users (email);\n-- then\n\
           ALTER TABLE app.users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;",
    bad: "ALTER TABLE app.users ADD COLUMN email text UNIQUE;",
    good: "ALTER TABLE app.users ADD COLUMN email text;",
    squawk: &["disallowed-unique-constraint", "adding-foreign-key-constraint"],
    ..RULE
};

pub(super) static COLUMN_REFERENCES: Rule = Rule {
    id: "column-references",
    level: Level::Note,
    finds: "ADD COLUMN … REFERENCES on a table that others use.",
    danger: "No row is read, for the column is NULL everywhere; but the other table's writers wait for the lock and for this file.",
    lock: "ACCESS EXCLUSIVE on the table and SHARE ROW EXCLUSIVE on the one it points to: brief, and until the file commits.",
    safe: "ALTER TABLE app.orders ADD COLUMN customer_id bigint;\n-- in a second file\n\
           ALTER TABLE app.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES app.customers (id) NOT VALID;",
    bad: "ALTER TABLE app.orders ADD COLUMN customer_id bigint REFERENCES app.customers (id);",
    good: "ALTER TABLE app.orders ADD COLUMN customer_id bigint;",
    squawk: &["adding-foreign-key-constraint"],
    ..RULE
};

pub(super) static RETYPE: Rule = Rule {
    id: "column-type-change",
    level: Level::Error,
    grows: true,
    finds: "ALTER COLUMN … TYPE that is not known to leave the rows as they are.",
    danger: "The whole table and its indexes are written again while nobody can read or write it, and code that expects the old type breaks.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    servers: "every supported major, 14 to 18; free are: a wider varchar, varchar to text, a wider numeric of the same scale, timestamps of a higher precision",
    safe: "-- beside the old column, and swapped later:\nALTER TABLE app.orders ADD COLUMN id_new bigint;\n\
           -- a trigger that keeps it, old rows filled in batches, then the names swapped in one short file",
    bad: "ALTER TABLE app.orders ALTER COLUMN id TYPE bigint;",
    good: "CREATE TABLE app.orders (note varchar(20));\nALTER TABLE app.orders ALTER COLUMN note TYPE varchar(40);",
    squawk: &["changing-column-type"],
    ..RULE
};

pub(super) static RENAME: Rule = Rule {
    id: "rename-column",
    finds: "RENAME COLUMN on a table that others use.",
    danger: "Code that runs while it is deployed knows one of the two names and fails with the other.",
    lock: "ACCESS EXCLUSIVE on the table: brief.",
    safe: "-- add the new column, write both, fill old rows, read the new one; in a later release:\nALTER TABLE app.orders DROP COLUMN old_name;",
    bad: "ALTER TABLE app.orders RENAME COLUMN day TO ordered_on;",
    good: "ALTER TABLE app.orders ADD COLUMN ordered_on date;",
    squawk: &["renaming-column"],
    ..RULE
};

pub(super) static DROP: Rule = Rule {
    id: "drop-column",
    finds: "DROP COLUMN on a table that others use.",
    danger: "Its values are gone, and code that still names the column, or lists all of them, fails.",
    lock: "ACCESS EXCLUSIVE on the table: brief.",
    safe: "-- first release: code no longer names the column; second release, said on purpose:\n\
           -- dbctl-ignore drop-column: nothing has read it since release 41\nALTER TABLE app.orders DROP COLUMN note;",
    bad: "ALTER TABLE app.orders DROP COLUMN note;",
    good: "ALTER TABLE app.orders ALTER COLUMN note DROP DEFAULT;",
    squawk: &["ban-drop-column"],
    ..RULE
};

pub(super) static DROP_NOT_NULL: Rule = Rule {
    id: "drop-not-null",
    level: Level::Note,
    finds: "DROP NOT NULL on a table that others use.",
    danger: "Code that reads the column may not expect NULL.",
    lock: "ACCESS EXCLUSIVE on the table: brief.",
    safe: "-- once all readers know NULL:\nALTER TABLE app.orders ALTER COLUMN note DROP NOT NULL;",
    bad: "ALTER TABLE app.orders ALTER COLUMN note DROP NOT NULL;",
    good: "ALTER TABLE app.orders ALTER COLUMN note DROP DEFAULT;",
    squawk: &["ban-drop-not-null"],
    ..RULE
};

pub(super) const RULES: &[&Rule] = &[
    &REQUIRED,
    &VOLATILE,
    &DOMAIN,
    &STORED,
    &IDENTITY,
    &COLUMN_KEY,
    &COLUMN_REFERENCES,
    &RETYPE,
    &RENAME,
    &DROP,
    &DROP_NOT_NULL,
];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    let Act::AlterTable(alter) = &statement.act else { return };
    let table = &alter.table;
    for (span, action) in actions(context, alter) {
        let locked = |rule: &'static Rule, danger: String| {
            Found::new(rule, span, danger).locks(LockMode::AccessExclusive, table)
        };
        match action {
            Action::AddColumn { column, .. } => added(context, table, column, found),
            Action::Retype { column, to, using } => retyped(context, span, table, column, (to, using.as_deref()), found),
            Action::SetExpression { column } => found.push(
                locked(&STORED, format!("{table} is written again while nobody can use it"))
                    .fix(format!("-- add a column beside {column}, fill it in batches, and swap the names")),
            ),
            Action::RenameColumn { from, to } => found.push(
                locked(&RENAME, format!("code that knows {from} fails from now on, code that knows {to} until now")).fix(format!(
                    "ALTER TABLE {table} ADD COLUMN {to} …;\n-- write both, fill old rows, read {to}; in a later release:\n\
                     ALTER TABLE {table} DROP COLUMN {from};"
                )),
            ),
            Action::DropColumn { name, .. } => found.push(
                locked(&DROP, format!("the values of {name} are gone, and code that still names it fails")).fix(format!(
                    "-- once no code names it:\n-- dbctl-ignore {}: nothing reads {name} since release …\n\
                     ALTER TABLE {table} DROP COLUMN {name};",
                    DROP.id
                )),
            ),
            Action::DropNotNull { column } => found.push(
                locked(&DROP_NOT_NULL, format!("code that reads {column} may not expect NULL"))
                    .fix(format!("-- once all readers know NULL:\nALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;")),
            ),
            _ => {}
        }
    }
}

fn added(context: &Context<'_>, table: &Name, column: &Column, found: &mut Vec<Found>) {
    let (span, name, kind) = (&column.span, &column.name, column.data_type.as_str());
    let locked =
        |rule: &'static Rule, danger: String| Found::new(rule, span, danger).locks(LockMode::AccessExclusive, table);
    let rewrites = || format!("{table} is written again, row by row, while nobody can use it");
    let rest = |default: &str| {
        format!(
            "ALTER TABLE {table} ADD COLUMN {name} {kind};\nALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default};\n\
             -- then fill old rows in batches, outside of migrations:\n\
             UPDATE {table} SET {name} = {default} WHERE {name} IS NULL AND …;"
        )
    };
    if column.identity {
        let kind = match kind.trim_start_matches("pg_catalog.") {
            "serial" | "serial4" => "integer",
            "bigserial" | "serial8" => "bigint",
            "smallserial" | "serial2" => "smallint",
            other => other,
        };
        let sequence = Name { schema: table.schema.clone(), name: made_name(table, &[name.raw()], "seq") };
        found.push(locked(&IDENTITY, rewrites()).fix(format!(
            "ALTER TABLE {table} ADD COLUMN {name} {kind};\nCREATE SEQUENCE {sequence} OWNED BY {table}.{name};\n\
             ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT nextval('{sequence}');\n-- then fill old rows in batches"
        )));
    } else if column.generated == Some(Generated::Stored) {
        found.push(locked(&STORED, rewrites()).fix(if context.lowest_server >= 18 {
            format!("ALTER TABLE {table} ADD COLUMN {};", column.written.replace("STORED", "VIRTUAL").replace("stored", "VIRTUAL"))
        } else {
            format!(
                "ALTER TABLE {table} ADD COLUMN {name} {kind};\n-- a trigger that keeps it, then old rows filled in batches; from 18 on: VIRTUAL"
            )
        }));
    } else if context.known.is_constrained_domain(kind) {
        found.push(locked(&DOMAIN, format!("domain {kind} has a constraint: {}", rewrites())).fix(format!(
            "-- the domain's own data type instead, and what it demands as a CHECK … NOT VALID:\nALTER TABLE {table} ADD COLUMN {name} …;"
        )));
    } else if let Some(default) = &column.default {
        match types::value(default, context.known) {
            Value::One => {}
            Value::Many(function) => found.push(
                locked(&VOLATILE, format!("{function}() is another value for each row: {}", rewrites()))
                    .fix(rest(default)),
            ),
            Value::Unknown(function) => found.push(
                locked(&VOLATILE, format!("unless {function}() is STABLE or IMMUTABLE, {}", rewrites()))
                    .level(Level::Warning)
                    .fix(rest(default)),
            ),
        }
    }
    let filled = column.default.as_deref().is_some_and(|default| !default.eq_ignore_ascii_case("null"));
    if column.not_null && !filled && !column.identity && column.generated.is_none() {
        found.push(
            locked(&REQUIRED, format!("{name} would be NULL in every row of {table}: it fails unless the table is empty"))
                .fix(format!(
                    "ALTER TABLE {table} ADD COLUMN {name} {kind} NOT NULL DEFAULT …;\n-- or without NOT NULL, filled in batches, and NOT NULL by a validated CHECK"
                )),
        );
    }
    keys(table, column, found);
}

fn keys(table: &Name, column: &Column, found: &mut Vec<Found>) {
    let (span, name, kind) = (&column.span, &column.name, column.data_type.as_str());
    let locked =
        |rule: &'static Rule, danger: String| Found::new(rule, span, danger).locks(LockMode::AccessExclusive, table);
    let add = format!("ALTER TABLE {table} ADD COLUMN {name} {kind};");
    if column.unique || column.primary_key {
        let (ending, what) = if column.primary_key { ("pkey", "PRIMARY KEY") } else { ("key", "UNIQUE") };
        let words: &[&str] = &[name.raw()];
        let index = made_name(table, if column.primary_key { &[] } else { words }, ending);
        found
            .push(locked(&COLUMN_KEY, format!("the index of {name} is built while nobody can use {table}")).fix(format!(
            "{add}\n-- in a file of its own\nCREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} ({name});\n-- then\n\
                 ALTER TABLE {table} ADD CONSTRAINT {index} {what} USING INDEX {index};"
        )));
    }
    if let Some(check) = &column.check {
        let constraint = made_name(table, &[name.raw()], "check");
        found.push(
            locked(&COLUMN_KEY, format!("every row of {table} is read for the CHECK while nobody can use it")).fix(format!(
                "{add}\nALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({check}) NOT VALID;\n-- in a second file\n\
                 ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};"
            )),
        );
    }
    if let Some(references) = &column.references {
        let constraint = made_name(table, &[name.raw()], "fkey");
        let filled = column.default.as_deref().is_some_and(|default| !default.eq_ignore_ascii_case("null"));
        let (rule, danger) = if filled {
            (&COLUMN_KEY, format!("every row of {table} is looked up in {references} while nobody can use it"))
        } else {
            (&COLUMN_REFERENCES, format!("writers of {references} wait for this file to commit"))
        };
        found.push(locked(rule, danger).also_locks(LockMode::ShareRowExclusive, references).fix(format!(
            "{add}\n-- in a second file\nALTER TABLE {table} ADD CONSTRAINT {constraint} FOREIGN KEY ({name}) REFERENCES {references} NOT VALID;\n\
             -- in a third\nALTER TABLE {table} VALIDATE CONSTRAINT {constraint};"
        )));
    }
}

fn retyped(
    context: &Context<'_>,
    span: &Range<usize>,
    table: &Name,
    column: &Ident,
    (to, using): (&str, Option<&str>),
    found: &mut Vec<Found>,
) {
    let from =
        context.known.column(table, column).map(|facts| facts.data_type.as_str()).filter(|from| !from.is_empty());
    let computed = using.is_some_and(|using| !types::plain_using(using, column.raw()));
    let change = if computed { Change::Rewrites } else { types::change(from, to) };
    let was = from.map_or(String::new(), |from| format!(" from {from}"));
    let (danger, level) = match change {
        Change::Free => return,
        Change::Rewrites => {
            (format!("{column}{was} to {to}: {table} is written again while nobody can use it"), Level::Error)
        }
        Change::FreeFromText => (
            format!(
                "{column} to {to} is free where it is a varchar or text now; from others, {table} is written again"
            ),
            Level::Note,
        ),
        Change::FreeIfWider => (
            format!(
                "{column} to {to} is free only where it widens; else {table} is read or written while nobody can use it"
            ),
            Level::Warning,
        ),
    };
    let (new, old) = (Ident::new(format!("{}_new", column.raw())), Ident::new(format!("{}_old", column.raw())));
    found.push(
        Found::new(&RETYPE, span, danger).locks(LockMode::AccessExclusive, table).level(level).fix(format!(
            "ALTER TABLE {table} ADD COLUMN {new} {to};\n-- a trigger that keeps it, old rows filled in batches; then in one short file:\n\
             ALTER TABLE {table} RENAME COLUMN {column} TO {old};\nALTER TABLE {table} RENAME COLUMN {new} TO {column};"
        )),
    );
}
