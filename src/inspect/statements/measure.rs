//! What is measured of a statement, and which columns say it: those that the view really has decide,
//! so any version of pg_stat_statements will do. Pure; writes the one SELECT over the view's function.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ident::Ident;
use crate::output::Value;

/// One measure of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Executions.
    Calls,
    /// Execution time.
    Total,
    /// The longest execution.
    Max,
    /// Rows returned or changed.
    Rows,
    /// Found in shared and local buffers.
    Hit,
    /// Read into them.
    Read,
    /// Dirtied in them.
    Dirtied,
    /// Written from them.
    Written,
    /// Read from temporary files.
    TempRead,
    /// Written to temporary files.
    TempWritten,
    /// Time of reading blocks.
    IoRead,
    /// Time of writing blocks.
    IoWrite,
    /// Plans made.
    Plans,
    /// Time of planning.
    Plan,
    /// WAL records.
    WalRecords,
    /// Full pages in WAL.
    WalFullPages,
    /// WAL.
    Wal,
    /// Time of compiling.
    Jit,
}

/// What the numbers of the server are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Count,
    Millis,
    Blocks,
    Bytes,
}

/// Terms are added up; of a term the first column that is there counts, for they were renamed.
type Terms = &'static [&'static [&'static str]];

/// All measures, their keys for programs, and their columns in all versions.
const ALL: [(Measure, &str, Unit, Terms); 18] = [
    (Measure::Calls, "calls", Unit::Count, &[&["calls"]]),
    (Measure::Total, "total_seconds", Unit::Millis, &[&["total_exec_time", "total_time"]]),
    (Measure::Max, "max_seconds", Unit::Millis, &[&["max_exec_time", "max_time"]]),
    (Measure::Rows, "rows", Unit::Count, &[&["rows"]]),
    (Measure::Hit, "hit_bytes", Unit::Blocks, &[&["shared_blks_hit"], &["local_blks_hit"]]),
    (Measure::Read, "read_bytes", Unit::Blocks, &[&["shared_blks_read"], &["local_blks_read"]]),
    (Measure::Dirtied, "dirtied_bytes", Unit::Blocks, &[&["shared_blks_dirtied"], &["local_blks_dirtied"]]),
    (Measure::Written, "written_bytes", Unit::Blocks, &[&["shared_blks_written"], &["local_blks_written"]]),
    (Measure::TempRead, "temp_read_bytes", Unit::Blocks, &[&["temp_blks_read"]]),
    (Measure::TempWritten, "temp_written_bytes", Unit::Blocks, &[&["temp_blks_written"]]),
    (
        Measure::IoRead,
        "io_read_seconds",
        Unit::Millis,
        &[&["shared_blk_read_time", "blk_read_time"], &["local_blk_read_time"], &["temp_blk_read_time"]],
    ),
    (
        Measure::IoWrite,
        "io_write_seconds",
        Unit::Millis,
        &[&["shared_blk_write_time", "blk_write_time"], &["local_blk_write_time"], &["temp_blk_write_time"]],
    ),
    (Measure::Plans, "plans", Unit::Count, &[&["plans"]]),
    (Measure::Plan, "plan_seconds", Unit::Millis, &[&["total_plan_time"]]),
    (Measure::WalRecords, "wal_records", Unit::Count, &[&["wal_records"]]),
    (Measure::WalFullPages, "wal_full_pages", Unit::Count, &[&["wal_fpi"]]),
    (Measure::Wal, "wal_bytes", Unit::Bytes, &[&["wal_bytes"]]),
    (
        Measure::Jit,
        "jit_seconds",
        Unit::Millis,
        // Deforming is a part of generation.
        &[&["jit_generation_time"], &["jit_inlining_time"], &["jit_optimization_time"], &["jit_emission_time"]],
    ),
];

impl Measure {
    /// All measures with their keys.
    pub fn all() -> impl Iterator<Item = (Measure, &'static str)> {
        ALL.iter().map(|(measure, key, ..)| (*measure, *key))
    }

    /// Whether a version with these columns has it.
    pub fn is_in(self, columns: &BTreeSet<String>) -> bool {
        ALL.iter()
            .any(|(measure, .., terms)| *measure == self && terms.iter().any(|term| column(term, columns).is_some()))
    }
}

/// The measures of one statement: seconds, bytes, counts. None where the version does not have one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures(Vec<Option<f64>>);

impl Measures {
    /// From numbers as the server gives them, in the order of the SELECT.
    pub fn of_server(numbers: Vec<Option<f64>>, block_size: f64) -> Measures {
        let scale = |(number, (_, _, unit, _)): (Option<f64>, &(Measure, &str, Unit, Terms))| {
            number.map(|number| match unit {
                Unit::Count | Unit::Bytes => number,
                Unit::Millis => number / 1000.0,
                Unit::Blocks => number * block_size,
            })
        };
        Measures(numbers.into_iter().zip(&ALL).map(scale).collect())
    }

    /// One of them.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        self.0.get(measure as usize).copied().flatten()
    }

    /// The same, nothing being 0.
    pub fn of(&self, measure: Measure) -> f64 {
        self.get(measure).unwrap_or_default()
    }

    /// Sets one.
    pub fn set(&mut self, measure: Measure, value: Option<f64>) {
        if let Some(place) = self.0.get_mut(measure as usize) {
            *place = value;
        }
    }

    /// One by one with another.
    pub fn with(&self, other: &Measures, what: impl Fn(f64, f64) -> f64) -> Measures {
        if self.0.is_empty() {
            return other.clone();
        }
        let pairs = self.0.iter().enumerate().map(|(at, mine)| (*mine, other.0.get(at).copied().flatten()));
        Measures(pairs.map(|pair| pair.0.zip(pair.1).map(|(mine, theirs)| what(mine, theirs))).collect())
    }

    /// As a value with its unit.
    pub fn value(&self, measure: Measure) -> Value {
        let Some(number) = self.get(measure) else { return Value::None };
        match ALL.iter().find(|(other, ..)| *other == measure).map(|(_, _, unit, _)| unit) {
            Some(Unit::Millis) => Value::Seconds(number),
            Some(Unit::Blocks | Unit::Bytes) => Value::Bytes(whole(number).unsigned_abs()),
            Some(Unit::Count) | None => Value::Int(whole(number)),
        }
    }

    /// Seconds an execution; none where nothing was executed.
    pub fn mean(&self) -> Option<f64> {
        self.get(Measure::Total).zip(self.get(Measure::Calls)).filter(|(_, calls)| *calls > 0.0).map(|(t, c)| t / c)
    }

    /// Blocks found in buffers, of all that were asked for.
    pub fn hit_ratio(&self) -> Option<f64> {
        let (hit, read) = (self.of(Measure::Hit), self.of(Measure::Read));
        (hit + read > 0.0).then(|| hit / (hit + read))
    }

    /// Time of reading and writing blocks.
    pub fn io(&self) -> Option<f64> {
        self.get(Measure::IoRead).zip(self.get(Measure::IoWrite)).map(|(read, write)| read + write)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; counts are below 2^53")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

fn column<'a>(term: &'a [&'static str], columns: &BTreeSet<String>) -> Option<&'a &'static str> {
    term.iter().find(|name| columns.contains(**name))
}

/// The SELECT of keys and measures over a view with these columns, texts left where they are.
pub fn select(schema: &Ident, columns: &BTreeSet<String>) -> String {
    let has = |name: &str, there: &str, otherwise: &str| {
        if columns.contains(name) { there.to_owned() } else { otherwise.to_owned() }
    };
    let mut list = vec![
        "s.userid::pg_catalog.int8 AS userid".to_owned(),
        "s.dbid::pg_catalog.int8 AS dbid".to_owned(),
        "s.queryid AS queryid".to_owned(),
        format!("{} AS toplevel", has("toplevel", "s.toplevel", "true")),
        format!(
            "{} AS since",
            has(
                "stats_since",
                "pg_catalog.date_part('epoch', s.stats_since)::pg_catalog.float8",
                "NULL::pg_catalog.float8"
            )
        ),
    ];
    for (_, key, _, terms) in &ALL {
        let terms: Vec<String> = terms
            .iter()
            .filter_map(|term| column(term, columns))
            .map(|name| format!("s.{}::pg_catalog.float8", Ident::new(*name)))
            .collect();
        let sum = if terms.is_empty() { "NULL::pg_catalog.float8".to_owned() } else { terms.join(" + ") };
        list.push(format!("{sum} AS {key}"));
    }
    format!("SELECT {} FROM {schema}.pg_stat_statements(false) AS s", list.join(", "))
}

/// The SELECT of the texts and names of these statements.
pub fn select_texts(schema: &Ident, columns: &BTreeSet<String>, queryids: &[i64]) -> String {
    let toplevel = if columns.contains("toplevel") { "s.toplevel" } else { "true" };
    let ids: Vec<String> = queryids.iter().map(i64::to_string).collect();
    format!(
        "SELECT s.userid::pg_catalog.int8 AS userid, s.dbid::pg_catalog.int8 AS dbid, s.queryid AS queryid, \
         {toplevel} AS toplevel, s.query AS query, pg_catalog.pg_get_userbyid(s.userid)::pg_catalog.text AS role, \
         d.datname::pg_catalog.text AS database FROM {schema}.pg_stat_statements(true) AS s \
         LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid \
         WHERE s.queryid = ANY ('{{{}}}'::pg_catalog.int8[])",
        ids.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_that_are_there_decide() {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>();
        let old = select(&Ident::new("public"), &columns(&["total_time", "blk_read_time", "calls"]));
        assert!(old.contains("s.total_time::pg_catalog.float8 AS total_seconds"), "{old}");
        assert!(old.contains("true AS toplevel") && old.contains("NULL::pg_catalog.float8 AS wal_bytes"), "{old}");
        let new = columns(&["total_exec_time", "shared_blk_read_time", "local_blk_read_time", "toplevel"]);
        let sql = select(&Ident::new("Odd \"x"), &new);
        assert!(sql.contains("s.shared_blk_read_time::pg_catalog.float8 + s.local_blk_read_time"), "{sql}");
        assert!(sql.contains("FROM \"Odd \"\"x\".pg_stat_statements(false)"), "{sql}");
        assert!(Measure::IoRead.is_in(&new) && !Measure::Jit.is_in(&new));
        for (at, (measure, _)) in Measure::all().enumerate() {
            assert_eq!(measure as usize, at);
        }
    }
}
