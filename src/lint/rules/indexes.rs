//! Indexes: built, dropped and rebuilt while others work.

use super::{Context, name_of_columns};
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, CreateIndex, Statement};
use crate::output::Level;
use crate::steps::LockMode;

pub(super) static NOT_CONCURRENT: Rule = Rule {
    id: "index-not-concurrent",
    level: Level::Error,
    grows: true,
    finds: "CREATE INDEX without CONCURRENTLY on a table that others use.",
    danger: "The whole table is read and sorted while nobody can write to it: minutes on a large one.",
    lock: "SHARE on the table: blocks INSERT, UPDATE and DELETE until the file commits; reads go on.",
    safe: "-- in a file of its own: dbctl then runs it outside of a transaction\nCREATE INDEX CONCURRENTLY orders_customer_idx ON app.orders (customer_id);\n\
           -- on a partitioned table: ON ONLY the parent, CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION",
    bad: "CREATE INDEX orders_customer_idx ON app.orders (customer_id);",
    good: "CREATE INDEX CONCURRENTLY orders_customer_idx ON app.orders (customer_id);",
    squawk: &["require-concurrent-index-creation"],
    ..RULE
};

pub(super) static DROP_NOT_CONCURRENT: Rule = Rule {
    id: "drop-index-not-concurrent",
    finds: "DROP INDEX without CONCURRENTLY on a table that others use.",
    danger: "It is quick once it has the lock, but while it waits behind one long query, everybody else queues behind it.",
    lock: "ACCESS EXCLUSIVE on the table of the index: blocks every read and write.",
    safe: "-- in a file of its own\nDROP INDEX CONCURRENTLY IF EXISTS app.orders_old_idx;",
    bad: "DROP INDEX app.orders_old_idx;",
    good: "DROP INDEX CONCURRENTLY IF EXISTS app.orders_old_idx;",
    squawk: &["require-concurrent-index-deletion", "ban-drop-index"],
    ..RULE
};

pub(super) static REINDEX: Rule = Rule {
    id: "reindex-not-concurrent",
    level: Level::Error,
    finds: "REINDEX without CONCURRENTLY.",
    danger: "Writes wait for as long as the build takes, and so do the reads that would use the index.",
    lock: "SHARE on the table and ACCESS EXCLUSIVE on the index: blocks writes, and reads that plan with the index.",
    safe: "-- in a file of its own; or: dbctl reindex\nREINDEX INDEX CONCURRENTLY app.orders_pkey;",
    bad: "REINDEX TABLE app.orders;",
    good: "REINDEX TABLE CONCURRENTLY app.orders;",
    squawk: &["require-concurrent-reindex"],
    ..RULE
};

pub(super) static IF_NOT_EXISTS: Rule = Rule {
    id: "concurrent-index-if-not-exists",
    level: Level::Note,
    finds: "CREATE INDEX CONCURRENTLY IF NOT EXISTS.",
    danger: "IF NOT EXISTS is content with an invalid index that a failed build left behind: it slows writes and serves no query. \
             dbctl looks for such leftovers of its own runs and clears them; other programs do not.",
    lock: "none while it is skipped",
    safe: "-- without IF NOT EXISTS, a leftover is told; to see them: SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid\n\
           CREATE INDEX CONCURRENTLY orders_day_idx ON app.orders (day);",
    bad: "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_day_idx ON app.orders (day);",
    good: "CREATE INDEX CONCURRENTLY orders_day_idx ON app.orders (day);",
    ..RULE
};

pub(super) static PARTITIONED: Rule = Rule {
    id: "concurrent-index-on-partitioned",
    level: Level::Error,
    finds: "CREATE INDEX CONCURRENTLY on a table that is known to be partitioned.",
    danger: "PostgreSQL refuses it: the migration fails where it is run.",
    lock: "none: it fails at once",
    safe: "CREATE INDEX events_at_idx ON ONLY app.events (at);\n\
           -- for each partition, in files of their own:\nCREATE INDEX CONCURRENTLY events_2026_at_idx ON app.events_2026 (at);\n\
           -- at last:\nALTER INDEX app.events_at_idx ATTACH PARTITION app.events_2026_at_idx;",
    bad: "-- dbctl: no-transaction\nCREATE TABLE app.events (at timestamptz NOT NULL) PARTITION BY RANGE (at);\n\
          CREATE INDEX CONCURRENTLY events_at_idx ON app.events (at);",
    good: "CREATE TABLE app.events (at timestamptz NOT NULL) PARTITION BY RANGE (at);\nCREATE INDEX events_at_idx ON app.events (at);",
    ..RULE
};

pub(super) const RULES: &[&Rule] = &[&NOT_CONCURRENT, &DROP_NOT_CONCURRENT, &REINDEX, &IF_NOT_EXISTS, &PARTITIONED];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    let span = &statement.span;
    match &statement.act {
        Act::CreateIndex(index) => create(context, statement, index, found),
        Act::Drop(drop) if drop.kind == "INDEX" && !drop.concurrently => {
            for name in &drop.names {
                let object = context.known.object("index", name);
                let table = object.and_then(|object| object.table.clone());
                if context.known.is_new_object("index", name) || table.as_ref().is_some_and(|t| !context.in_use(t)) {
                    continue;
                }
                let mut it = Found::new(
                    &DROP_NOT_CONCURRENT,
                    span,
                    format!("DROP INDEX {name} waits for every query on its table, and all later ones queue behind it"),
                );
                it = match &table {
                    Some(table) => it.locks(LockMode::AccessExclusive, table),
                    None => Found {
                        lock: Some(
                            "ACCESS EXCLUSIVE on the table of the index: blocks every read and write".to_owned(),
                        ),
                        ..it
                    },
                };
                let exists = if drop.if_exists { "IF EXISTS " } else { "" };
                found.push(it.fix(format!("-- in a file of its own\nDROP INDEX CONCURRENTLY {exists}{name};")));
            }
        }
        Act::Reindex { what, name, concurrently: false } => {
            if what == "TABLE" && name.as_ref().is_some_and(|name| !context.in_use(name)) {
                return;
            }
            let shown = name.as_ref().map_or(String::new(), |name| format!(" {name}"));
            let mut it =
                Found::new(&REINDEX, span, format!("REINDEX {what}{shown} keeps writers waiting until it is built"));
            it.lock = Some(format!(
                "SHARE on the table{}, ACCESS EXCLUSIVE on its indexes: blocks writes, and reads that plan with them",
                if what == "TABLE" { shown.as_str() } else { "" }
            ));
            if what == "TABLE" {
                it.table.clone_from(name);
            }
            found.push(it.fix(if what == "SYSTEM" {
                "-- there is no concurrent way for catalogs: announce a pause".to_owned()
            } else {
                format!("-- in a file of its own\nREINDEX {what} CONCURRENTLY{shown};")
            }));
        }
        _ => {}
    }
}

fn create(context: &Context<'_>, statement: &Statement, index: &CreateIndex, found: &mut Vec<Found>) {
    let (span, table) = (&statement.span, &index.table);
    let partitioned = context.known.table(table).is_some_and(|table| table.partitioned);
    let unique = if index.unique { "UNIQUE " } else { "" };
    let name = match &index.index {
        Some(name) => name.to_string(),
        None => name_of_columns(table, &index.columns, "idx").to_string(),
    };
    if index.concurrently {
        if partitioned && !index.only {
            let danger = format!("{table} is partitioned: PostgreSQL refuses to build its indexes concurrently");
            found.push(Found::new(&PARTITIONED, span, danger).about(table).fix(by_partition(&name, unique, index)));
        }
        if let (true, Some(name)) = (index.if_not_exists, &index.index) {
            let leftover = context.known.index_of(name, table).is_some_and(|object| object.invalid);
            let (danger, level) = if leftover {
                (format!("{name} exists and is invalid: IF NOT EXISTS would leave it so"), Level::Error)
            } else {
                (
                    format!("IF NOT EXISTS is content with an invalid {name} that a failed build left behind"),
                    Level::Note,
                )
            };
            let fix = if leftover {
                format!("DROP INDEX CONCURRENTLY {name};\nCREATE {unique}INDEX CONCURRENTLY {name} {};", index.written)
            } else {
                format!("CREATE {unique}INDEX CONCURRENTLY {name} {};", index.written)
            };
            found.push(Found::new(&IF_NOT_EXISTS, span, danger).about(table).level(level).fix(fix));
        }
        return;
    }
    // On the parent alone it is an entry in the catalog.
    if !context.in_use(table) || index.only {
        return;
    }
    let fix = if partitioned {
        by_partition(&name, unique, index)
    } else {
        format!("-- in a file of its own\nCREATE {unique}INDEX CONCURRENTLY {name} {};", index.written)
    };
    found.push(
        Found::new(&NOT_CONCURRENT, span, format!("nobody can write to {table} while the index is built"))
            .locks(LockMode::Share, table)
            .fix(fix),
    );
}

fn by_partition(name: &str, unique: &str, index: &CreateIndex) -> String {
    let table = &index.table;
    let list = index.written.find('(').and_then(|at| index.written.get(at..)).unwrap_or("(…)");
    format!(
        "CREATE {unique}INDEX {name} ON ONLY {table} {list};\n-- for each partition, in files of their own:\n\
         CREATE {unique}INDEX CONCURRENTLY <partition>_idx ON <partition> {list};\n-- at last:\n\
         ALTER INDEX {name} ATTACH PARTITION <partition>_idx;"
    )
}
