//! The lines that schema dbctl keeps of partitions on their way out, as SQL that a step carries along
//! in its own transaction. Pure.

use super::plan::{Candidate, raw};
use super::read::Recorded;
use super::set::Set;
use crate::ident::{Literal, TableName};

/// Our run, found by the backend that executes the line.
const RUN: &str = "(SELECT pg_catalog.max(id) FROM dbctl.run WHERE backend_pid = pg_catalog.pg_backend_pid())";

/// Rows of partitions that are on their way; those behind it have arrived.
const OPEN: &str = "state IN ('leaving', 'exported', 'detached', 'frozen', 'aside')";

/// A partition begins to leave, and has come as far as `state`. `columns` are set besides, as SQL.
pub fn begin(set: &Set<'_>, partition: &Candidate, mode: &str, state: &str, columns: &[(&str, String)]) -> String {
    let name = Literal(&raw(&partition.name)).to_string();
    // The step may have dropped it before this line: its row in pg_class is not asked for.
    format!(
        "INSERT INTO dbctl.partition (parent, parent_oid, partition, oid, relfilenode, lower, upper, mode, state)\n\
         SELECT {}, {}, {}, {oid}, (SELECT c.relfilenode FROM pg_catalog.pg_class AS c WHERE c.oid = {oid}), {}, {}, {}, 'leaving'\n\
         WHERE NOT EXISTS (SELECT FROM dbctl.partition AS p WHERE p.oid = {oid} AND p.partition = {name} AND p.{OPEN});\n{}",
        Literal(&raw(&set.policy.table)),
        set.table.oid,
        name,
        Literal(&set.bound_text(partition.range.lower())),
        Literal(&set.bound_text(partition.range.upper())),
        Literal(mode),
        advance(partition.oid, state, columns),
        oid = partition.oid,
    )
}

/// It has come further. Of several rows with its oid, which a database restored from a dump may have, the
/// newest is meant. `columns` are set besides, as SQL.
pub fn advance(oid: u32, state: &str, columns: &[(&str, String)]) -> String {
    let besides: String = columns.iter().map(|(column, value)| format!(", {column} = {value}")).collect();
    format!(
        "UPDATE dbctl.partition SET state = {}, run = {RUN}, changed_at = pg_catalog.clock_timestamp(){besides}\n\
         WHERE id = (SELECT pg_catalog.max(p.id) FROM dbctl.partition AS p WHERE p.oid = {oid} AND p.{OPEN});",
        Literal(state)
    )
}

/// Where it is now.
pub fn place(name: &TableName) -> (&'static str, String) {
    ("place", Literal(&raw(name)).to_string())
}

/// The retention under which partitions leave from now on.
pub fn record(table: &TableName, recorded: &Recorded) -> String {
    format!(
        "INSERT INTO dbctl.partition_policy (parent, keep, expire) VALUES ({}, {}, {})\n\
         ON CONFLICT (parent) DO UPDATE SET keep = excluded.keep, expire = excluded.expire;",
        Literal(&raw(table)),
        Literal(&recorded.keep),
        Literal(&recorded.expire)
    )
}

/// What belongs to the rows that are gone has been seen to.
pub fn hooks_done(parent: &TableName) -> String {
    format!("UPDATE dbctl.partition SET hooks_due = false WHERE hooks_due AND parent = {};", Literal(&raw(parent)))
}

/// It was brought back: whatever was noted of it is past.
pub fn recalled(oid: u32) -> String {
    format!(
        "UPDATE dbctl.partition SET state = 'undone', hooks_due = false, run = {RUN}, changed_at = pg_catalog.clock_timestamp()\n\
         WHERE oid = {oid} AND state NOT IN ('undone', 'restored');"
    )
}

/// A partition that had left and was dropped is there again, from its archive.
pub fn restored(partition: &str, oid: u32) -> String {
    format!(
        "UPDATE dbctl.partition SET state = 'restored', hooks_due = false, run = {RUN}, changed_at = pg_catalog.clock_timestamp()\n\
         WHERE oid = {oid} AND partition = {} AND state = 'dropped';",
        Literal(partition)
    )
}
