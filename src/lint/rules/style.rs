//! Choices that are regretted later: types, names. Notes, or switched off.

use super::Context;
use crate::ident::Ident;
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Action, Column, Statement};
use crate::output::Level;

pub(super) static JSON: Rule = Rule {
    id: "json-column",
    finds: "A column of type json.",
    danger: "json has no equality: SELECT DISTINCT, GROUP BY and UNION of its rows fail, and it is parsed at each look.",
    lock: "none",
    safe: "CREATE TABLE app.events (payload jsonb);",
    bad: "CREATE TABLE app.events (payload json);",
    good: "CREATE TABLE app.events (payload jsonb);",
    ..RULE
};

pub(super) static TIMESTAMP: Rule = Rule {
    id: "timestamp-without-time-zone",
    level: Level::Note,
    finds: "A column of type timestamp, which has no time zone.",
    danger: "What moment it means depends on who reads it; now() stored in it is the session's local time.",
    lock: "none",
    safe: "CREATE TABLE app.events (at timestamptz NOT NULL);",
    bad: "CREATE TABLE app.events (at timestamp NOT NULL);",
    good: "CREATE TABLE app.events (at timestamptz NOT NULL);",
    squawk: &["prefer-timestamp-tz", "prefer-timestamptz"],
    ..RULE
};

pub(super) static CHAR: Rule = Rule {
    id: "char-column",
    level: Level::Note,
    finds: "A column of type char(n).",
    danger: "It is filled with blanks that some comparisons see and others do not, and saves no space.",
    lock: "none",
    safe: "CREATE TABLE app.countries (code text CHECK (length(code) = 2));",
    bad: "CREATE TABLE app.countries (code char(2));",
    good: "CREATE TABLE app.countries (code text CHECK (length(code) = 2));",
    squawk: &["ban-char-field"],
    ..RULE
};

pub(super) static MONEY: Rule = Rule {
    id: "money-column",
    level: Level::Note,
    finds: "A column of type money.",
    danger: "Its digits and its sign follow lc_monetary of the session.",
    lock: "none",
    safe: "CREATE TABLE app.prices (amount numeric(12,2));",
    bad: "CREATE TABLE app.prices (amount money);",
    good: "CREATE TABLE app.prices (amount numeric(12,2));",
    ..RULE
};

pub(super) static NARROW_KEY: Rule = Rule {
    id: "narrow-key",
    level: Level::Note,
    finds: "A primary key of type integer or smallint, or serial.",
    danger: "At 2,147,483,647 every INSERT fails, and the change to bigint then rewrites the table in the outage.",
    lock: "none",
    safe: "CREATE TABLE app.events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
    bad: "CREATE TABLE app.events (id serial PRIMARY KEY);",
    good: "CREATE TABLE app.events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
    squawk: &["prefer-bigint-over-int", "prefer-bigint-over-smallint"],
    ..RULE
};

pub(super) static SERIAL: Rule = Rule {
    id: "serial-column",
    off: true,
    level: Level::Note,
    finds: "A column of a serial type.",
    danger: "Its sequence is an object of its own, with rights of its own, and INSERT may give any number.",
    lock: "none",
    safe: "CREATE TABLE app.events (id bigint GENERATED ALWAYS AS IDENTITY);",
    bad: "CREATE TABLE app.events (id bigserial);",
    good: "CREATE TABLE app.events (id bigint GENERATED ALWAYS AS IDENTITY);",
    squawk: &["prefer-identity"],
    ..RULE
};

pub(super) static VARCHAR: Rule = Rule {
    id: "varchar-limit",
    off: true,
    level: Level::Note,
    finds: "A column of type varchar(n).",
    danger: "The limit is a rule that only ALTER TABLE changes; a CHECK on text is changed without it.",
    lock: "none",
    safe: "CREATE TABLE app.users (name text CHECK (length(name) <= 80));",
    bad: "CREATE TABLE app.users (name varchar(80));",
    good: "CREATE TABLE app.users (name text CHECK (length(name) <= 80));",
    squawk: &["prefer-text-field"],
    ..RULE
};

pub(super) static SCHEMALESS: Rule = Rule {
    id: "table-without-schema",
    off: true,
    level: Level::Note,
    finds: "CREATE TABLE without a schema in its name.",
    danger: "Where it lands depends on the search_path of whoever runs it.",
    lock: "none",
    safe: "CREATE TABLE app.events (id bigint);",
    bad: "CREATE TABLE events (id bigint);",
    good: "CREATE TABLE app.events (id bigint);",
    squawk: &["require-table-schema"],
    ..RULE
};

pub(super) static ENUM_ORDER: Rule = Rule {
    id: "enum-value-unplaced",
    off: true,
    level: Level::Note,
    finds: "ALTER TYPE … ADD VALUE without BEFORE or AFTER.",
    danger: "It sorts behind all others, and cannot be moved.",
    lock: "none",
    safe: "ALTER TYPE app.state ADD VALUE 'paused' AFTER 'open';",
    bad: "ALTER TYPE app.state ADD VALUE 'paused';",
    good: "ALTER TYPE app.state ADD VALUE 'paused' AFTER 'open';",
    squawk: &["require-enum-value-ordering", "ban-add-enum-value"],
    ..RULE
};

pub(super) static DOMAIN: Rule = Rule {
    id: "domain-with-constraint",
    off: true,
    level: Level::Note,
    finds: "CREATE DOMAIN with a constraint.",
    danger: "To change it later, every table with a column of the domain is read.",
    lock: "none",
    safe: "CREATE DOMAIN app.email AS text;",
    bad: "CREATE DOMAIN app.email AS text CHECK (VALUE LIKE '%@%');",
    good: "CREATE DOMAIN app.email AS text;",
    squawk: &["ban-create-domain-with-constraint"],
    ..RULE
};

pub(super) static LONG: Rule = Rule {
    id: "identifier-too-long",
    finds: "A new name of more than 63 bytes.",
    danger: "PostgreSQL cuts it and says no more than a NOTICE: two long names may become the same one.",
    lock: "none",
    safe: "CREATE TABLE app.customer_orders (id bigint);",
    bad: "CREATE TABLE app.a_name_that_is_much_longer_than_the_sixty_three_bytes_that_postgresql_keeps (id bigint);",
    good: "CREATE TABLE app.customer_orders (id bigint);",
    squawk: &["identifier-too-long"],
    ..RULE
};

pub(super) const RULES: &[&Rule] =
    &[&JSON, &TIMESTAMP, &CHAR, &MONEY, &NARROW_KEY, &SERIAL, &VARCHAR, &SCHEMALESS, &ENUM_ORDER, &DOMAIN, &LONG];

pub(super) fn check(_: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    let mut name = |name: &Ident| {
        if name.raw().len() > 63 {
            let mut end = 63;
            while !name.raw().is_char_boundary(end) {
                end -= 1;
            }
            let short = Ident::new(name.raw().get(..end).unwrap_or_default());
            found.push(
                Found::new(&LONG, &statement.span, format!("PostgreSQL makes {short} of it"))
                    .fix(format!("-- a name of at most 63 bytes, for example {short}")),
            );
        }
    };
    match &statement.act {
        Act::CreateTable(create) => {
            name(&create.table.name);
            create.columns.iter().for_each(|column| name(&column.name));
            create.constraints.iter().filter_map(|constraint| constraint.name.as_ref()).for_each(&mut name);
            if create.table.schema.is_none() && !create.temporary {
                let danger = format!("where {} lands depends on the search_path of whoever runs it", create.table);
                found.push(
                    Found::new(&SCHEMALESS, &create.name_span, danger)
                        .fix(format!("CREATE TABLE <schema>.{} (…);", create.table)),
                );
            }
            let key: Vec<&Ident> = create
                .constraints
                .iter()
                .find_map(|constraint| match &constraint.kind {
                    crate::lint::statement::Sort::Primary { columns, .. } => Some(columns.iter().collect()),
                    _ => None,
                })
                .unwrap_or_default();
            for it in create.columns.iter().filter(|_| !create.temporary) {
                column(it, it.primary_key || key == [&it.name], found);
            }
        }
        Act::AlterTable(alter) => {
            for (_, action) in &alter.actions {
                match action {
                    Action::AddColumn { column: it, .. } => name(&it.name),
                    Action::AddConstraint(constraint) => constraint.name.iter().for_each(&mut name),
                    _ => {}
                }
            }
            for (_, action) in &alter.actions {
                match action {
                    Action::AddColumn { column: it, .. } => column(it, it.primary_key, found),
                    Action::Retype { column: of, to, .. }
                        if to.starts_with("timestamp") && !to.contains("tz") && !to.contains("with time") =>
                    {
                        let danger = format!("what moment {of} means depends on who reads it");
                        found.push(Found::new(&TIMESTAMP, &statement.span, danger).fix(format!("{of} timestamptz")));
                    }
                    Action::Retype { column: of, to, .. } if to == "json" => {
                        found.push(
                            Found::new(
                                &JSON,
                                &statement.span,
                                format!("{of} would have no equality: DISTINCT and GROUP BY fail"),
                            )
                            .fix("jsonb"),
                        );
                    }
                    _ => {}
                }
            }
        }
        Act::CreateIndex(index) => index.index.iter().for_each(|index| name(&index.name)),
        Act::AddEnumValue { name, value, placed: false } => found.push(
            Found::new(&ENUM_ORDER, &statement.span, format!("'{value}' sorts behind all others, and cannot be moved"))
                .fix(format!("ALTER TYPE {name} ADD VALUE '{value}' AFTER '…';")),
        ),
        Act::CreateDomain { name, constrained: true } => found.push(
            Found::new(
                &DOMAIN,
                &statement.span,
                format!("to change it later, every table with a column of {name} is read"),
            )
            .fix("-- a CHECK on the table"),
        ),
        _ => {}
    }
}

fn column(column: &Column, key: bool, found: &mut Vec<Found>) {
    let name = &column.name;
    let kind = column.data_type.trim_start_matches("pg_catalog.");
    let head = kind.split(['(', ' ', '[']).next().unwrap_or_default();
    let mut push = |rule: &'static Rule, danger: String, better: &str| {
        found.push(Found::new(rule, &column.type_span, danger).fix(format!("{name} {better}")));
    };
    match head {
        "json" => push(&JSON, format!("{name} has no equality: DISTINCT and GROUP BY of its rows fail"), "jsonb"),
        "timestamp" if !kind.contains("with time zone") => {
            push(&TIMESTAMP, format!("what moment {name} means depends on who reads it"), "timestamptz");
        }
        "char" | "character" | "bpchar" if !kind.contains("varying") => {
            push(&CHAR, format!("{name} is filled with blanks that some comparisons see"), "text");
        }
        "money" => push(&MONEY, format!("the digits of {name} follow lc_monetary of the session"), "numeric(12,2)"),
        "varchar" | "character" if kind.contains('(') => {
            push(&VARCHAR, format!("only ALTER TABLE changes the limit of {name}"), "text");
        }
        _ => {}
    }
    let narrow = ["int", "integer", "int4", "smallint", "int2", "serial", "serial4", "smallserial", "serial2"];
    if key && narrow.contains(&head) {
        let to = if column.identity { "bigint GENERATED ALWAYS AS IDENTITY" } else { "bigint" };
        push(&NARROW_KEY, format!("when {name} runs out of numbers, every INSERT fails"), to);
    }
    if head.contains("serial") {
        push(&SERIAL, format!("the sequence of {name} is an object of its own"), "bigint GENERATED ALWAYS AS IDENTITY");
    }
}
