//! Whole files: what dbctl would refuse to run, and comments to this very linter.

use crate::lint::rule::{RULE, Rule};
use crate::output::Level;

pub(in crate::lint) static SYNTAX: Rule = Rule {
    id: "syntax-error",
    level: Level::Error,
    finds: "Text that is no SQL of PostgreSQL.",
    danger: "The migration fails where it is run; what stands behind the place may not have been looked at.",
    lock: "none: it fails at once",
    safe: "CREATE TABLE app.orders (id bigint);",
    bad: "CREATE TABLE app.orders (id bigint;",
    good: "CREATE TABLE app.orders (id bigint);",
    ..RULE
};

pub(in crate::lint) static CONTROL: Rule = Rule {
    id: "transaction-control",
    level: Level::Error,
    finds: "BEGIN, COMMIT, ROLLBACK in a migration.",
    danger: "Half of the file could stay without a row in the history; dbctl refuses the file.",
    lock: "none: it is refused",
    safe: "-- dbctl runs the file in one transaction by itself; statements that refuse one: -- dbctl: no-transaction\n\
           ALTER TABLE app.orders ADD COLUMN note text;",
    bad: "BEGIN;\nALTER TABLE app.orders ADD COLUMN note text;\nCOMMIT;",
    good: "ALTER TABLE app.orders ADD COLUMN note text;",
    squawk: &["transaction-nesting", "ban-uncommitted-transaction"],
    ..RULE
};

pub(in crate::lint) static MIXED: Rule = Rule {
    id: "mixed-transaction-modes",
    level: Level::Error,
    finds: "Statements that refuse a transaction beside others that want one, or inside of a DO block.",
    danger: "No transaction can hold the file; dbctl refuses it.",
    lock: "none: it is refused",
    safe: "-- V7\nALTER TABLE app.orders ADD COLUMN day date;\n-- V8\nCREATE INDEX CONCURRENTLY orders_day_idx ON app.orders (day);",
    bad: "ALTER TABLE app.orders ADD COLUMN day date;\nCREATE INDEX CONCURRENTLY orders_day_idx ON app.orders (day);",
    good: "CREATE INDEX CONCURRENTLY orders_day_idx ON app.orders (day);",
    squawk: &["ban-concurrent-index-creation-in-transaction"],
    ..RULE
};

pub(in crate::lint) static REFUSED: Rule = Rule {
    id: "file-refused",
    level: Level::Error,
    finds: "A file that dbctl refuses for another reason: odd bytes, no statement, an unknown directive, COPY from a client, a wrong name.",
    danger: "Nothing of the set is applied until it is mended.",
    lock: "none: it is refused",
    safe: "-- dbctl: no-transaction\nVACUUM (ANALYZE) app.orders;",
    bad: "-- dbctl: no-transactoin\nVACUUM (ANALYZE) app.orders;",
    good: "-- dbctl: no-transaction\nVACUUM (ANALYZE) app.orders;",
    ..RULE
};

pub(in crate::lint) static IGNORE_UNUSED: Rule = Rule {
    id: "ignore-unused",
    finds: "A dbctl-ignore that keeps nothing from being found, or names no rule.",
    danger: "It would hide tomorrow's finding, for a reason that was about another one.",
    lock: "none",
    safe: "-- dbctl-ignore drop-column: nothing has read it since release 41\nALTER TABLE app.orders DROP COLUMN note;",
    bad: "-- dbctl-ignore drop-table: not there\nALTER TABLE app.orders ADD COLUMN note text;",
    good: "-- dbctl-ignore drop-column: nothing has read it since release 41\nALTER TABLE app.orders DROP COLUMN note;",
    squawk: &["unused-ignore"],
    ..RULE
};

pub(in crate::lint) static IGNORE_REASON: Rule = Rule {
    id: "ignore-without-reason",
    level: Level::Error,
    finds: "A dbctl-ignore without a reason.",
    danger: "Who reads it later cannot tell whether it still holds; it hides nothing until it has one.",
    lock: "none",
    safe: "-- dbctl-ignore drop-column: nothing has read it since release 41\nALTER TABLE app.orders DROP COLUMN note;",
    bad: "-- dbctl-ignore drop-column\nALTER TABLE app.orders DROP COLUMN note;",
    good: "-- dbctl-ignore drop-column: nothing has read it since release 41\nALTER TABLE app.orders DROP COLUMN note;",
    ..RULE
};

pub(super) const RULES: &[&Rule] = &[&SYNTAX, &CONTROL, &MIXED, &REFUSED, &IGNORE_UNUSED, &IGNORE_REASON];
