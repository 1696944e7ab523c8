//! The shape of a query's plan: which indexes it uses, by the names that the migrations gave them,
//! and which tables it reads whole. Knows no system.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::{Database, Session};

/// A table of fewer rows may be read whole: for it the planner is right to.
const MANY: f64 = 1_500.0;

/// A query of a system's document, and what the document built for it.
pub struct Query {
    /// What it is for.
    pub what: &'static str,
    /// As an application would send it, with values that there are.
    pub sql: &'static str,
    /// All of them are used; `a|b` means either.
    pub indexes: &'static [&'static str],
    /// Node types that would show the index to be used in vain, such as `Sort`.
    pub never: &'static [&'static str],
    /// Said before it in the same transaction: role and identity.
    pub first: &'static str,
    /// Big tables that may be read whole all the same.
    pub whole: &'static [&'static str],
}

/// A query without anything special.
pub const fn query(what: &'static str, sql: &'static str, indexes: &'static [&'static str]) -> Query {
    Query { what, sql, indexes, never: &[], first: "", whole: &[] }
}

/// A query that the index answers in the wanted order: nothing is sorted.
pub const fn ordered(what: &'static str, sql: &'static str, indexes: &'static [&'static str]) -> Query {
    Query { what, sql, indexes, never: &["Sort", "Incremental Sort"], first: "", whole: &[] }
}

/// A statement whose triggers or functions run queries of their own, which EXPLAIN does not show:
/// which indexes were used is asked of the server's counters.
pub struct Call {
    /// What it is for.
    pub what: &'static str,
    /// Run and rolled back.
    pub sql: &'static str,
    /// Each was used at least once.
    pub indexes: &'static [&'static str],
    /// Said before it in the same transaction.
    pub first: &'static str,
    /// Big tables that may be read whole all the same.
    pub whole: &'static [&'static str],
}

/// A call without anything special.
pub const fn call(what: &'static str, sql: &'static str, indexes: &'static [&'static str]) -> Call {
    Call { what, sql, indexes, first: "", whole: &[] }
}

/// What the catalog knows about the names in a plan.
pub struct Names {
    /// An index, by its name, to the index of the partitioned table that it is a part of, or itself.
    root: BTreeMap<String, String>,
    /// Rows of a table, as ANALYZE found.
    rows: BTreeMap<String, f64>,
}

impl Names {
    pub fn read(database: &Database) -> Names {
        let text = |row: &[Option<String>], at: usize| row[at].clone().unwrap();
        let roots = database.sql(
            "SELECT c.relname, r.relname FROM pg_class AS c JOIN pg_class AS r ON r.oid = COALESCE(pg_partition_root(c.oid), c.oid) \
             WHERE c.relkind IN ('i', 'I')",
        );
        let rows = database.sql("SELECT relname, reltuples FROM pg_class WHERE relkind IN ('r', 'm')");
        Names {
            root: roots.iter().map(|row| (text(row, 0), text(row, 1))).collect(),
            rows: rows.iter().map(|row| (text(row, 0), text(row, 1).parse().unwrap())).collect(),
        }
    }
}

/// What is wrong with the query's plan, in words; nothing when it is as intended.
pub fn objections(database: &Database, names: &Names, query: &Query) -> Option<String> {
    let session = database.session();
    session.begin();
    session.sql(query.first);
    let text = session.one(&format!("EXPLAIN (FORMAT JSON) {}", query.sql));
    session.rollback();
    let plan: Value = serde_json::from_str(&text).unwrap();
    let mut shape = Shape::default();
    shape.take(&plan[0]["Plan"], names, 1);
    let mut wrong = Vec::new();
    for wanted in query.indexes {
        if !wanted.split('|').any(|index| shape.indexes.contains(index)) {
            wrong.push(format!("does not use {wanted}"));
        }
    }
    let read_whole = shape.read_whole.iter().filter(|table| !query.whole.contains(&table.as_str()));
    wrong.extend(read_whole.map(|table| format!("reads {table} whole")));
    wrong.extend(query.never.iter().filter(|node| shape.nodes.contains(**node)).map(|node| format!("has a {node}")));
    (!wrong.is_empty()).then(|| format!("{}: {}\n{}\n{}", query.what, wrong.join(", "), query.sql, shape.outline))
}

#[derive(Default)]
struct Shape {
    indexes: BTreeSet<String>,
    read_whole: BTreeSet<String>,
    nodes: BTreeSet<String>,
    /// A line for each node, for the reader of a failure.
    outline: String,
}

impl Shape {
    fn take(&mut self, node: &Value, names: &Names, depth: usize) {
        let kind = node["Node Type"].as_str().unwrap_or_default();
        self.nodes.insert(kind.to_owned());
        let parts =
            ["Index Name", "Relation Name", "Index Cond", "Filter"].map(|key| node[key].as_str().unwrap_or_default());
        let line = format!("{:width$}{kind} {} cost {}\n", "", parts.join(" "), node["Total Cost"], width = depth * 2);
        self.outline.push_str(&line);
        if let Some(index) = node["Index Name"].as_str() {
            self.indexes.insert(names.root.get(index).map_or(index, String::as_str).to_owned());
        }
        if let (true, Some(table)) = (kind.ends_with("Seq Scan"), node["Relation Name"].as_str())
            && names.rows.get(table).is_none_or(|rows| *rows >= MANY)
        {
            self.read_whole.insert(table.to_owned());
        }
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.take(child, names, depth + 1);
        }
    }
}

/// What is wrong with what the call did, in words.
pub fn call_objections(database: &Database, call: &Call) -> Option<String> {
    let session = database.session();
    session.begin();
    session.sql(call.first);
    session.sql(call.sql);
    let whole = read_whole(&session).into_iter().filter(|table| !call.whole.contains(&table.as_str()));
    let whole: Vec<String> = whole.collect();
    let unused: Vec<String> = call
        .indexes
        .iter()
        .filter(|index| scans_of(&session, index) == 0)
        .map(|i| format!("does not use {i}"))
        .collect();
    session.rollback();
    let wrong: Vec<String> =
        unused.into_iter().chain(whole.into_iter().map(|table| format!("reads {table} whole"))).collect();
    (!wrong.is_empty()).then(|| format!("{}: {}\n{}", call.what, wrong.join(", "), call.sql))
}

/// Scans of the index, or of the indexes of its partitions, in this transaction.
fn scans_of(session: &Session, index: &str) -> i64 {
    let sql = format!(
        "SELECT COALESCE(sum(pg_stat_get_xact_numscans(i.relid)), 0)::BIGINT FROM pg_partition_tree('{index}'::REGCLASS) AS i WHERE i.isleaf \
         UNION ALL SELECT pg_stat_get_xact_numscans('{index}'::REGCLASS) ORDER BY 1 DESC LIMIT 1"
    );
    session.one(&sql).parse().unwrap()
}

/// Big tables that this transaction has read whole.
fn read_whole(session: &Session) -> Vec<String> {
    let sql = format!(
        "SELECT s.relname FROM pg_stat_xact_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid \
         WHERE s.seq_tup_read >= c.reltuples AND c.reltuples >= {MANY} ORDER BY 1"
    );
    session.sql(&sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
}
