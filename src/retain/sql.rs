//! The statements of a batch, as text: what a plan prints is what is sent. `$1` is the most rows, `$2`
//! where the batch begins, `$3` where it ends, `$4` and on the keys of hashes. Pure.

use super::clock::Clock;
use crate::ident::{Ident, TableName};

/// The first parameter that is the key of a hash.
pub(super) const FIRST_SECRET: usize = 4;

/// What is done with the rows that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    Delete,
    /// To a table, these columns.
    Move(TableName, Vec<Ident>),
    /// `column = value`, separated by commas.
    Set(String),
}

/// A leaf as a batch sees it: its rows under the name of the job's table, for the sake of the
/// policy's condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ground<'a> {
    pub leaf: &'a TableName,
    pub table: &'a TableName,
    /// The rows that are due.
    pub due: &'a str,
}

impl Ground<'_> {
    fn from(&self) -> String {
        format!("FROM ONLY {} AS {}\n    WHERE {}", self.leaf, self.table.name, self.due)
    }

    /// Rows in the order of their age: `bound` is the age of the youngest that was found.
    pub(super) fn by_index(&self, deed: &Deed, age: &Ident, clock: Clock) -> String {
        let age = format!("{}.{age}", self.table.name);
        let cast = clock.cast();
        format!(
            "WITH batch AS MATERIALIZED (\n    SELECT {table}.ctid AS at, {age} AS age\n    {from}\n        \
             AND {age} >= $2::text::{cast}\n    ORDER BY {age}\n    LIMIT $1::text::bigint\n    FOR UPDATE SKIP LOCKED\n), \
             {deed}\nSELECT {counts},\n    (SELECT pg_catalog.max(age)::text FROM batch) AS bound,\n    0::bigint AS blocks",
            table = self.table.name,
            from = self.from(),
            deed = self.deed(deed),
            counts = counts(deed),
        )
    }

    /// Rows in the order in which they lie: `bound` is the last place that was found, `blocks` the size of
    /// the table.
    pub(super) fn by_blocks(&self, deed: &Deed) -> String {
        let table = &self.table.name;
        format!(
            "WITH batch AS MATERIALIZED (\n    SELECT {table}.ctid AS at\n    {from}\n        AND {table}.ctid > $2::text::tid AND \
             {table}.ctid < $3::text::tid\n    LIMIT $1::text::bigint\n    FOR UPDATE SKIP LOCKED\n), {deed}\nSELECT \
             {counts},\n    (SELECT at::text FROM batch ORDER BY at DESC LIMIT 1) AS bound,\n    \
             pg_catalog.pg_relation_size({leaf}) / pg_catalog.current_setting('block_size')::bigint AS blocks",
            from = self.from(),
            deed = self.deed(deed),
            counts = counts(deed),
            leaf = regclass(self.leaf),
        )
    }

    fn deed(&self, deed: &Deed) -> String {
        let leaf = self.leaf;
        let found = "WHERE ctid = ANY (ARRAY(SELECT at FROM batch))";
        match deed {
            Deed::Delete => format!("done AS (\n    DELETE FROM ONLY {leaf}\n    {found}\n    RETURNING 1\n)"),
            Deed::Set(set) => {
                let table = &self.table.name;
                let found = found.replace("ctid", &format!("{table}.ctid"));
                format!("done AS (\n    UPDATE ONLY {leaf} AS {table}\n    SET {set}\n    {found}\n    RETURNING 1\n)")
            }
            Deed::Move(to, columns) => {
                let columns = columns.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ");
                format!(
                    "gone AS (\n    DELETE FROM ONLY {leaf}\n    {found}\n    RETURNING {columns}\n), done AS (\n    INSERT INTO \
                     {to} ({columns}) OVERRIDING SYSTEM VALUE\n    SELECT {columns} FROM gone\n    RETURNING 1\n)"
                )
            }
        }
    }

    /// How many are due.
    pub(super) fn count(&self) -> String {
        format!("SELECT pg_catalog.count(*) AS rows\n    {}", self.from())
    }

    /// The rows themselves, for the planner's estimate.
    pub(super) fn rows(&self) -> String {
        format!("SELECT 1\n    {}", self.from())
    }
}

/// Where rows are moved, a trigger of the target may swallow some: then everything is undone.
fn counts(deed: &Deed) -> String {
    let picked = "(SELECT pg_catalog.count(*) FROM batch) AS picked";
    let done = "(SELECT pg_catalog.count(*) FROM done)";
    match deed {
        Deed::Delete | Deed::Set(_) => format!("{picked},\n    {done} AS done"),
        Deed::Move(to, _) => {
            let gone = "(SELECT pg_catalog.count(*) FROM gone)";
            let complaint = crate::ident::Literal(&format!(" rows did not arrive in {to}")).to_string();
            format!(
                "{picked},\n    CASE WHEN {gone} = {done} THEN {done}\n        ELSE (({gone} - \
                 {done})::text || {complaint})::bigint END AS done"
            )
        }
    }
}

fn regclass(table: &TableName) -> String {
    format!("{}::regclass", crate::ident::Literal(&table.to_string()))
}
