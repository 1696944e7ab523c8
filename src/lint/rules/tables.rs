//! Whole tables: rewritten, moved, renamed, dropped, attached and detached.

use std::ops::Range;

use super::{Context, actions};
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Action, CreateTable, Destination, Statement};
use crate::output::Level;
use crate::steps::guard::Name;
use crate::steps::{Lane, LockMode};

pub(super) static RENAME: Rule = Rule {
    id: "rename-table",
    finds: "RENAME of a table that others use, or its move to another schema.",
    danger: "Code that runs while it is deployed knows one of the two names and fails with the other.",
    lock: "ACCESS EXCLUSIVE on the table: brief.",
    safe: "-- both names for as long as both releases run: a view under the new one\nCREATE VIEW app.purchases AS TABLE app.orders;",
    bad: "ALTER TABLE app.orders RENAME TO purchases;",
    good: "CREATE VIEW app.purchases AS TABLE app.orders;",
    squawk: &["renaming-table", "ban-set-schema"],
    ..RULE
};

pub(super) static DROP: Rule = Rule {
    id: "drop-table",
    finds: "DROP TABLE of a table that was there before.",
    danger: "Its rows are gone, and code that still names it fails.",
    lock: "ACCESS EXCLUSIVE on the table and on those that its foreign keys point to: blocks every read and write.",
    safe: "-- a release earlier, so that somebody can object:\nALTER TABLE app.carts RENAME TO carts_unused;\n\
           -- then, said on purpose:\n-- dbctl-ignore drop-table: unused since release 41, in the backup of that day\nDROP TABLE app.carts_unused;",
    bad: "DROP TABLE IF EXISTS app.carts;",
    good: "CREATE TABLE app.scratch (a int);\nDROP TABLE app.scratch;",
    squawk: &["ban-drop-table"],
    ..RULE
};

pub(super) static VACUUM_FULL: Rule = Rule {
    id: "vacuum-full",
    level: Level::Error,
    grows: true,
    finds: "VACUUM FULL.",
    danger: "The table and all its indexes are written again while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write.",
    safe: "VACUUM (ANALYZE) app.orders;\n-- where space must go back to the system: dbctl vacuum --full --table app.orders, or pg_repack",
    bad: "VACUUM FULL app.orders;",
    good: "VACUUM (ANALYZE) app.orders;",
    squawk: &["prefer-repack"],
    ..RULE
};

pub(super) static CLUSTER: Rule = Rule {
    id: "cluster",
    level: Level::Error,
    grows: true,
    finds: "CLUSTER, or REPACK without CONCURRENTLY.",
    danger: "The table and all its indexes are written again while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write.",
    safe: "-- to keep an order for later: CLUSTER ON alone takes a light lock; to write it now, pg_repack\nALTER TABLE app.orders CLUSTER ON orders_day_idx;",
    bad: "CLUSTER app.orders USING orders_day_idx;",
    good: "ALTER TABLE app.orders CLUSTER ON orders_day_idx;",
    squawk: &["prefer-repack"],
    ..RULE
};

pub(super) static REFRESH: Rule = Rule {
    id: "refresh-not-concurrent",
    finds: "REFRESH MATERIALIZED VIEW without CONCURRENTLY.",
    danger: "Nobody can read the view while its query runs.",
    lock: "ACCESS EXCLUSIVE on the view: blocks every read until the file commits.",
    safe: "-- it wants a UNIQUE index over all rows\nCREATE UNIQUE INDEX CONCURRENTLY daily_key ON app.daily (day);\n\
           -- then\nREFRESH MATERIALIZED VIEW CONCURRENTLY app.daily;",
    bad: "REFRESH MATERIALIZED VIEW app.daily;",
    good: "REFRESH MATERIALIZED VIEW CONCURRENTLY app.daily;",
    ..RULE
};

pub(super) static ATTACH: Rule = Rule {
    id: "attach-partition-scans",
    grows: true,
    finds: "ATTACH PARTITION of a table without a validated CHECK that its bound follows from.",
    danger: "The partition is read whole under its lock; where there is a DEFAULT partition, that one as well.",
    lock: "SHARE UPDATE EXCLUSIVE on the parent, ACCESS EXCLUSIVE on the partition and on a DEFAULT partition: blocks every read and write of these.",
    safe: "ALTER TABLE app.events_2026 ADD CONSTRAINT bound CHECK (at >= '2026-01-01' AND at < '2027-01-01') NOT VALID;\n\
           -- in a second file\nALTER TABLE app.events_2026 VALIDATE CONSTRAINT bound;\n-- in a third\n\
           ALTER TABLE app.events ATTACH PARTITION app.events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
    bad: "ALTER TABLE app.events ATTACH PARTITION app.events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
    good: "CREATE TABLE app.events_2026 (LIKE app.events INCLUDING ALL);\n\
           ALTER TABLE app.events ATTACH PARTITION app.events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
    ..RULE
};

pub(super) static PARTITION_OF: Rule = Rule {
    id: "create-partition-locks-parent",
    finds: "CREATE TABLE … PARTITION OF a table that others use.",
    danger: "Every query on the whole partitioned table waits for it, and where there is a DEFAULT partition, for a scan of that.",
    lock: "ACCESS EXCLUSIVE on the parent: blocks every read and write of all partitions until the file commits.",
    safe: "CREATE TABLE app.events_2027 (LIKE app.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);\n\
           ALTER TABLE app.events ATTACH PARTITION app.events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');\n\
           -- or leave it to: dbctl partitions create",
    bad: "CREATE TABLE app.events_2027 PARTITION OF app.events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
    good: "CREATE TABLE app.events (at timestamptz NOT NULL) PARTITION BY RANGE (at);\n\
           CREATE TABLE app.events_2027 PARTITION OF app.events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');",
    ..RULE
};

pub(super) static DETACH: Rule = Rule {
    id: "detach-partition-not-concurrent",
    finds: "DETACH PARTITION without CONCURRENTLY.",
    danger: "Every query on the whole partitioned table waits for it, and it waits for every query that is under way.",
    lock: "ACCESS EXCLUSIVE on the parent and the partition: blocks every read and write of all partitions.",
    servers: "from 14 on there is CONCURRENTLY; not where there is a DEFAULT partition",
    safe: "-- in a file of its own; or leave it to: dbctl partitions drop\nALTER TABLE app.events DETACH PARTITION app.events_2020 CONCURRENTLY;",
    bad: "ALTER TABLE app.events DETACH PARTITION app.events_2020;",
    good: "ALTER TABLE app.events DETACH PARTITION app.events_2020 CONCURRENTLY;",
    squawk: &["require-concurrent-partition-detach", "ban-detach-inheritance"],
    ..RULE
};

pub(super) static REWRITE: Rule = Rule {
    id: "table-rewrite",
    level: Level::Error,
    grows: true,
    finds: "SET LOGGED, SET UNLOGGED, SET ACCESS METHOD.",
    danger: "The whole table is written again while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "-- create the table as it should be, fill it in batches, and swap the names\nCREATE TABLE app.orders_new (LIKE app.orders INCLUDING ALL);",
    bad: "ALTER TABLE app.staging SET LOGGED;",
    good: "CREATE TABLE app.orders_new (LIKE app.orders INCLUDING ALL);",
    ..RULE
};

pub(super) static TABLESPACE: Rule = Rule {
    id: "set-tablespace",
    level: Level::Error,
    grows: true,
    finds: "SET TABLESPACE of a table, an index or a materialized view.",
    danger: "Every block is copied while nobody can read or write it.",
    lock: "ACCESS EXCLUSIVE on what is moved: blocks every read and write until the file commits.",
    safe: "-- an index, without blocking\nREINDEX (CONCURRENTLY, TABLESPACE fast) INDEX app.orders_day_idx;\n-- a table: pg_repack --tablespace, or an announced pause",
    bad: "ALTER TABLE app.orders SET TABLESPACE fast;",
    good: "REINDEX (CONCURRENTLY, TABLESPACE fast) INDEX app.orders_day_idx;",
    ..RULE
};

pub(super) static UNLOGGED: Rule = Rule {
    id: "unlogged-table",
    level: Level::Note,
    finds: "CREATE UNLOGGED TABLE.",
    danger: "Its rows are gone after a crash, and standbys and physical backups do not have them.",
    lock: "none",
    safe: "CREATE TABLE app.jobs (id bigint PRIMARY KEY);",
    bad: "CREATE UNLOGGED TABLE app.jobs (id bigint PRIMARY KEY);",
    good: "CREATE TABLE app.jobs (id bigint PRIMARY KEY);",
    ..RULE
};

pub(super) static AUTOVACUUM: Rule = Rule {
    id: "autovacuum-disabled",
    finds: "autovacuum_enabled = false.",
    danger: "Dead rows stay, the table bloats, statistics grow old, until the server vacuums it by force against wraparound.",
    lock: "SHARE UPDATE EXCLUSIVE on the table: brief, reads and writes go on.",
    safe: "ALTER TABLE app.queue SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);",
    bad: "ALTER TABLE app.queue SET (autovacuum_enabled = false);",
    good: "ALTER TABLE app.queue SET (autovacuum_vacuum_scale_factor = 0.01);",
    ..RULE
};

pub(super) static REPLICA: Rule = Rule {
    id: "replica-identity-full",
    finds: "REPLICA IDENTITY FULL or NOTHING.",
    danger: "With FULL, every UPDATE and DELETE writes the whole old row to the WAL, and subscribers look for it by reading the table; \
             with NOTHING, a published table refuses them.",
    lock: "ACCESS EXCLUSIVE on the table: brief.",
    safe: "ALTER TABLE app.orders REPLICA IDENTITY USING INDEX orders_pkey;",
    bad: "ALTER TABLE app.orders REPLICA IDENTITY FULL;",
    good: "ALTER TABLE app.orders REPLICA IDENTITY USING INDEX orders_pkey;",
    squawk: &["ban-replica-identity"],
    ..RULE
};

pub(super) static TRIGGER: Rule = Rule {
    id: "create-trigger",
    finds: "CREATE TRIGGER on a table that others use.",
    danger: "It waits for every writer and all later ones queue behind it; from then on it runs for every row of every statement.",
    lock: "SHARE ROW EXCLUSIVE on the table: blocks writes until the file commits.",
    safe: "-- alone in its file, so that the lock is let go at once; said on purpose:\n\
           -- dbctl-ignore create-trigger: one assignment a row, alone in its file\n\
           CREATE TRIGGER orders_touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();",
    bad: "CREATE TRIGGER orders_touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();",
    good: "CREATE TABLE app.orders (id bigint);\n\
           CREATE TRIGGER orders_touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();",
    ..RULE
};

pub(super) static CREATE_RULE: Rule = Rule {
    id: "create-rule",
    finds: "CREATE RULE on a table that others use.",
    danger: "It rewrites every later statement on the table: volatile expressions run twice, RETURNING and counts change. A trigger does what is meant.",
    lock: "ACCESS EXCLUSIVE on the table: blocks every read and write until the file commits.",
    safe: "-- a trigger sees each row once; INSTEAD rules belong to views\n\
           CREATE TRIGGER orders_touch BEFORE DELETE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();",
    bad: "CREATE RULE orders_keep AS ON DELETE TO app.orders DO INSTEAD NOTHING;",
    good: "CREATE VIEW app.draft AS SELECT 1 AS a;\nCREATE RULE draft_keep AS ON DELETE TO app.draft DO INSTEAD NOTHING;",
    ..RULE
};

pub(super) static LOCK_TABLE: Rule = Rule {
    id: "lock-table",
    finds: "LOCK TABLE in a mode that keeps writers or readers waiting.",
    danger: "It holds the lock until the whole file has committed, however short the work that needs it.",
    lock: "the one that it names (ACCESS EXCLUSIVE without a mode): blocks writes, or reads and writes.",
    safe: "-- take no more than is needed, next to what needs it\nLOCK TABLE app.orders IN ROW EXCLUSIVE MODE;",
    bad: "LOCK TABLE app.orders;",
    good: "LOCK TABLE app.orders IN ROW EXCLUSIVE MODE;",
    ..RULE
};

pub(super) static MANY: Rule = Rule {
    id: "many-tables-locked",
    finds: "A file that locks three or more tables that others use, all of them until it commits.",
    danger: "The first stays locked while the last is waited for, and whoever takes them in another order makes a deadlock.",
    lock: "All of them together, until the file commits.",
    safe: "-- a file for each table\nALTER TABLE app.a ADD COLUMN x int;",
    bad: "ALTER TABLE app.a ADD COLUMN x int;\nALTER TABLE app.b ADD COLUMN x int;\nALTER TABLE app.c ADD COLUMN x int;",
    good: "ALTER TABLE app.a ADD COLUMN x int;\nALTER TABLE app.a ADD COLUMN y int;\nALTER TABLE app.a ADD COLUMN z int;",
    ..RULE
};

/// How many tables a file may hold at once.
const MOST: usize = 2;

pub(super) const RULES: &[&Rule] = &[
    &RENAME,
    &DROP,
    &VACUUM_FULL,
    &CLUSTER,
    &REFRESH,
    &ATTACH,
    &PARTITION_OF,
    &DETACH,
    &REWRITE,
    &TABLESPACE,
    &UNLOGGED,
    &AUTOVACUUM,
    &REPLICA,
    &TRIGGER,
    &CREATE_RULE,
    &LOCK_TABLE,
    &MANY,
];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    let span = &statement.span;
    let exclusive = |rule: &'static Rule, table: &Name, danger: String| {
        Found::new(rule, span, danger).locks(LockMode::AccessExclusive, table)
    };
    let rewritten = |table: &Name| format!("{table} is written again while nobody can use it");
    match &statement.act {
        Act::AlterTable(alter) => {
            for (span, action) in actions(context, alter) {
                altered(context, span, &alter.table, action, found);
            }
        }
        Act::CreateTable(create) => created(context, span, create, found),
        Act::Drop(drop) if drop.kind == "TABLE" => {
            for table in drop.names.iter().filter(|table| context.in_use(table)) {
                found.push(
                    exclusive(
                        &DROP,
                        table,
                        format!("the rows of {table} are gone, and code that still names it fails"),
                    )
                    .fix(format!(
                        "-- once nothing names it:\n-- dbctl-ignore {}: unused since release …\nDROP TABLE {table};",
                        DROP.id
                    )),
                );
            }
        }
        Act::VacuumFull { tables } if tables.is_empty() => {
            let mut it = Found::new(
                &VACUUM_FULL,
                span,
                "every table of the database is written again, each while nobody can use it",
            );
            it.lock = Some("ACCESS EXCLUSIVE on each table in turn: blocks every read and write".to_owned());
            found.push(it.fix("VACUUM (ANALYZE);"));
        }
        Act::VacuumFull { tables } => {
            for table in tables {
                found.push(exclusive(&VACUUM_FULL, table, rewritten(table)).fix(format!("VACUUM (ANALYZE) {table};")));
            }
        }
        Act::Cluster { table } => match table {
            Some(table) if context.in_use(table) => found.push(
                exclusive(&CLUSTER, table, rewritten(table))
                    .fix(format!("-- pg_repack --table {table}, or an announced pause")),
            ),
            Some(_) => {}
            None => {
                found.push(Found::new(&CLUSTER, span, "every clustered table is written again while nobody can use it"))
            }
        },
        Act::Refresh { view, concurrently: false } if context.in_use(view) => found.push(
            exclusive(&REFRESH, view, format!("nobody can read {view} while its query runs"))
                .fix(format!("REFRESH MATERIALIZED VIEW CONCURRENTLY {view};")),
        ),
        Act::Lock { tables, mode } if *mode >= LockMode::Share => {
            for table in tables.iter().filter(|table| context.in_use(table)) {
                found.push(
                    Found::new(&LOCK_TABLE, span, format!("{table} stays locked until the whole file has committed"))
                        .locks(*mode, table)
                        .fix(format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE;")),
                );
            }
        }
        Act::CreateTrigger { table, instead: false, .. }
            if context.in_use(table) && !context.known.is_new_object("view", table) =>
        {
            found.push(
                Found::new(
                    &TRIGGER,
                    span,
                    format!("it waits for every writer of {table}, and runs for their rows from then on"),
                )
                .locks(LockMode::ShareRowExclusive, table)
                .fix(format!(
                    "-- alone in its file:\n{};",
                    context.text.get(span.clone()).unwrap_or_default().trim_end_matches(';')
                )),
            )
        }
        Act::CreateRule { table, instead }
            if context.in_use(table) && context.known.object("view", table).is_none() =>
        {
            let does = if *instead { "something else happens" } else { "more happens" };
            found.push(
                exclusive(&CREATE_RULE, table, format!("{does} at every later statement of its kind on {table}"))
                    .fix(format!("CREATE TRIGGER … ON {table} FOR EACH ROW EXECUTE FUNCTION …();")),
            );
        }
        Act::Move { kind, name, into } => moved(context, span, kind, name, into, found),
        _ => {}
    }
}

fn altered(context: &Context<'_>, span: &Range<usize>, table: &Name, action: &Action, found: &mut Vec<Found>) {
    let exclusive =
        |rule: &'static Rule, danger: String| Found::new(rule, span, danger).locks(LockMode::AccessExclusive, table);
    let rewritten = || format!("{table} is written again while nobody can use it");
    let swap = || {
        format!("CREATE TABLE {table}_new (LIKE {table} INCLUDING ALL);\n-- filled in batches, then the names swapped")
    };
    found.push(match action {
        Action::RenameTable { to } => {
            exclusive(&RENAME, format!("code that knows {table} fails from now on, code that knows {to} until now"))
                .fix(format!("CREATE VIEW {} AS TABLE {table};", Name { schema: table.schema.clone(), name: to.clone() }))
        }
        Action::SetSchema { to } => {
            let new = Name { schema: Some(to.clone()), name: table.name.clone() };
            exclusive(&RENAME, format!("code that knows {table} fails from now on")).fix(format!("CREATE VIEW {new} AS TABLE {table};"))
        }
        Action::SetLogged | Action::SetUnlogged | Action::SetAccessMethod => exclusive(&REWRITE, rewritten()).fix(swap()),
        Action::SetTablespace { to } => exclusive(&TABLESPACE, format!("every block of {table} is copied while nobody can use it"))
            .fix(format!("-- pg_repack --table {table} --tablespace {to}, or an announced pause")),
        Action::SetOptions { text } if turns_autovacuum_off(text) => {
            Found::new(&AUTOVACUUM, span, format!("dead rows of {table} stay until the server vacuums it against wraparound"))
                .locks(LockMode::ShareUpdateExclusive, table)
                .fix(format!("ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01);"))
        }
        Action::ReplicaIdentity { nothing: true, .. } => {
            exclusive(&REPLICA, format!("once {table} is published, every UPDATE and DELETE on it fails"))
                .fix(format!("ALTER TABLE {table} REPLICA IDENTITY DEFAULT;"))
        }
        Action::ReplicaIdentity { full: true, .. } => {
            exclusive(&REPLICA, format!("every UPDATE and DELETE on {table} writes its whole old row to the WAL"))
                .fix(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {};", super::made_name(table, &[], "pkey")))
        }
        Action::Attach { partition, default, bound } => return attached(context, span, table, (partition, *default, bound), found),
        Action::Detach { partition, concurrently: false, finalize: false } => {
            let it = exclusive(&DETACH, format!("every query on {table}, on all its partitions, waits"))
                .also_locks(LockMode::AccessExclusive, partition);
            if context.known.table(table).is_some_and(|table| table.has_default_partition) {
                it.fix("-- CONCURRENTLY is refused beside a DEFAULT partition: a short lock_timeout, and again until it succeeds")
            } else {
                it.fix(format!("-- in a file of its own\nALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY;"))
            }
        }
        _ => return,
    });
}

fn turns_autovacuum_off(text: &str) -> bool {
    let bare: String = text.to_lowercase().chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
    ["autovacuum_enabled=false", "autovacuum_enabled=off", "autovacuum_enabled=0", "autovacuum_enabled=no"]
        .iter()
        .any(|off| bare.contains(off))
}

fn attached(
    context: &Context<'_>,
    span: &Range<usize>,
    parent: &Name,
    (partition, default, bound): (&Name, bool, &str),
    found: &mut Vec<Found>,
) {
    let scans_default = !default && context.known.table(parent).is_some_and(|table| table.has_default_partition);
    let proven = context.known.table(partition).is_some_and(|table| {
        let values: Vec<&str> = bound.split('\'').skip(1).step_by(2).collect();
        let numbers: Vec<&str> = bound
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| word.chars().next().is_some_and(|c| c.is_ascii_digit()))
            .collect();
        let marks = if values.is_empty() { numbers } else { values };
        table.checks.iter().any(|check| {
            check.valid
                && check.is_check
                && !marks.is_empty()
                && marks.iter().all(|mark| check.expression.contains(mark))
        })
    });
    if !scans_default && (proven || !context.in_use(partition)) {
        return;
    }
    let danger = if scans_default {
        format!("the DEFAULT partition of {parent} is read whole while nobody can use it")
    } else {
        format!("{partition} is read whole while nobody can use it, for no validated CHECK says what its bound says")
    };
    found.push(
        Found::new(&ATTACH, span, danger)
            .about(partition)
            .locks(LockMode::ShareUpdateExclusive, parent)
            .also_locks(LockMode::AccessExclusive, partition)
            .fix(format!(
                "ALTER TABLE {partition} ADD CONSTRAINT bound CHECK (/* what follows from: {bound} */) NOT VALID;\n-- in a second file\n\
                 ALTER TABLE {partition} VALIDATE CONSTRAINT bound;\n-- in a third: the ATTACH"
            )),
    );
}

fn created(context: &Context<'_>, span: &Range<usize>, create: &CreateTable, found: &mut Vec<Found>) {
    let table = &create.table;
    if create.unlogged && !create.temporary {
        let danger = format!("the rows of {table} are gone after a crash, and no standby or physical backup has them");
        found.push(
            Found::new(&UNLOGGED, &create.name_span, danger).about(table).fix(format!("CREATE TABLE {table} (…);")),
        );
    }
    let Some(parent) = &create.partition_of else { return };
    if !context.in_use(parent) {
        return;
    }
    let bound = context.text.get(span.clone()).and_then(|text| {
        let at = text.to_ascii_uppercase().find("FOR VALUES")?;
        text.get(at..)
    });
    found.push(
        Found::new(&PARTITION_OF, span, format!("every query on {parent}, on all its partitions, waits until the file commits"))
            .locks(LockMode::AccessExclusive, parent)
            .fix(format!(
                "CREATE TABLE {table} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);\nALTER TABLE {parent} ATTACH PARTITION {table} {};",
                bound.unwrap_or("DEFAULT").trim_end_matches(';')
            )),
    );
}

fn moved(
    context: &Context<'_>,
    span: &Range<usize>,
    kind: &str,
    name: &Name,
    into: &Destination,
    found: &mut Vec<Found>,
) {
    match into {
        Destination::Tablespace(to) => {
            if kind == "index" && context.known.is_new_object("index", name) {
                return;
            }
            let mut it = Found::new(
                &TABLESPACE,
                span,
                format!("every block of {kind} {name} is copied while nobody can use it"),
            );
            it.lock = Some(format!("ACCESS EXCLUSIVE on {name}: blocks every read and write of it"));
            found.push(it.fix(if kind == "index" {
                format!("-- in a file of its own\nREINDEX (CONCURRENTLY, TABLESPACE {to}) INDEX {name};")
            } else {
                "-- pg_repack, or an announced pause".to_owned()
            }));
        }
        Destination::Schema(to) if kind != "index" && !context.known.is_new_object(kind, name) => {
            found.push(
                Found::new(&RENAME, span, format!("code that knows {kind} {name} fails from now on"))
                    .fix(format!("-- leave it where it is until no code names it, or make another in {to}")),
            );
        }
        Destination::Schema(_) => {}
    }
}

/// After each statement: whether the file now holds more tables than it should.
pub(in crate::lint) fn many(context: &Context<'_>, span: &Range<usize>) -> Option<Found> {
    if context.lane == Lane::Statements || context.seen.many_told {
        return None;
    }
    let mut tables: Vec<&Name> = Vec::new();
    for (table, mode) in &context.seen.held {
        if *mode >= LockMode::ShareRowExclusive && !tables.iter().any(|known| known.name == table.name) {
            tables.push(table);
        }
    }
    if tables.len() <= MOST {
        return None;
    }
    let names = tables.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (last, first) = names.split_last()?;
    let mut it = Found::new(
        &MANY,
        span,
        format!(
            "{} stay locked while {last} is waited for, and whoever takes them in another order makes a deadlock",
            first.join(", ")
        ),
    );
    it.lock = Some(format!("on {} together, until the file commits", names.join(", ")));
    Some(it.fix("-- a file for each table"))
}
