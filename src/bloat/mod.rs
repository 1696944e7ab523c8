//! `dbctl bloat`: how much of tables, TOAST tables and indexes would be gone if they were written anew, how sure that
//! is and why, and what would do it. Reads only.
//!
//! [`read`] takes the catalog's statistics and models what would be there (`heap`, `btree`, both over `layout`; `judge`
//! says how sure that is); [`measure`] looks into the pages with pgstattuple.

mod baseline;
mod btree;
mod exact;
mod heap;
mod judge;
mod kept;
mod layout;
mod read;
mod view;

pub use baseline::{Baselines, compare, learn};
pub use exact::{Measured, Mode, measure};
pub use kept::keeper;
pub use read::{Extension, LIMIT, Look, read};
pub use view::{Sort, Wish, bars, view};

use crate::ident::TableName;

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A table or a partition.
    Table,
    /// A materialized view.
    MaterializedView,
    /// Long values of a table.
    Toast,
    /// An index.
    Index,
}

/// How expected bytes were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Rows laid out by the statistics of their columns.
    Layout,
    /// Keys laid out by the statistics of their columns.
    Keys,
    /// Whole chunks of long values: at least so much is too much.
    Chunks,
    /// Bytes a row as they were once.
    Baseline,
    /// Rows found by pgstattuple, packed.
    Exact,
    /// Rows as pgstattuple_approx counts them, packed.
    Approximate,
    /// Leaves found by pgstatindex, packed.
    Leaves,
    /// Not at all.
    Unknown,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of the answer")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// What is thought of one table, TOAST table or index.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// What it is.
    pub kind: Kind,
    /// The oid of the table that it belongs to; itself for a table.
    pub table_oid: u32,
    /// The table that it belongs to.
    pub table: TableName,
    /// The topmost table that this is a partition of.
    pub root: Option<TableName>,
    /// Its size.
    pub bytes: u64,
    /// What it would take if it were written anew; nothing where that is not known.
    pub expected: Option<u64>,
    /// Bytes of rows that are dead and that VACUUM would make room of.
    pub dead: u64,
    /// Rows, as far as they were counted.
    pub rows: Option<f64>,
    /// How that was told.
    pub method: Method,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why not surer, as sentences without a full stop.
    pub reasons: Vec<String>,
    /// Writing it anew would make it larger.
    pub grows: bool,
    /// Somebody holds it: the size is that of the last VACUUM or ANALYZE.
    pub is_held: bool,
    pub(crate) file: i64,
    pub(crate) heap: Option<heap::Heap>,
    pub(crate) method_name: String,
    pub(crate) block: u64,
    pub(crate) fillfactor: f64,
    pub(crate) folds: bool,
}

impl Estimate {
    /// Bytes that writing it anew would give back.
    pub fn reclaimable(&self) -> Option<u64> {
        self.expected.map(|expected| self.bytes.saturating_sub(expected))
    }

    /// The same as percent of its size.
    #[expect(clippy::cast_precision_loss, reason = "sizes")]
    pub fn percent(&self) -> Option<f64> {
        let reclaimable = self.reclaimable()?;
        Some(if self.bytes == 0 { 0.0 } else { 100.0 * reclaimable as f64 / self.bytes as f64 })
    }

    /// The statement that would give it back, and the lock that it takes.
    pub fn remedy(&self) -> (String, &'static str) {
        match self.kind {
            Kind::Index if self.name.schema.raw() == "pg_catalog" => {
                (format!("REINDEX INDEX {}", self.name), "ACCESS EXCLUSIVE on the index, SHARE on the table")
            }
            Kind::Index => (format!("REINDEX INDEX CONCURRENTLY {}", self.name), "SHARE UPDATE EXCLUSIVE"),
            Kind::Table | Kind::MaterializedView | Kind::Toast => {
                (format!("VACUUM (FULL, ANALYZE) {}", self.table), "ACCESS EXCLUSIVE")
            }
        }
    }

    /// The command line of dbctl that does the same within limits; nothing where there is none.
    pub fn command(&self) -> Option<String> {
        let of_server = |name: &TableName| ["pg_catalog", "pg_toast"].contains(&name.schema.raw());
        match self.kind {
            Kind::Index if of_server(&self.name) => None,
            Kind::Index => Some(format!("dbctl reindex --index {}", word(&self.name))),
            _ if of_server(&self.table) => None,
            _ => Some(format!("dbctl vacuum --full --table {}", word(&self.table))),
        }
    }

    /// Takes a step down, and says why.
    pub(crate) fn doubt(&mut self, confidence: Confidence, why: impl Into<String>) {
        self.confidence = self.confidence.min(confidence);
        self.reasons.push(why.into());
    }

    /// It is not known how large it should be.
    pub(crate) fn unknown(&mut self, why: impl Into<String>) {
        (self.expected, self.method) = (None, Method::Unknown);
        self.doubt(Confidence::Low, why);
    }
}

/// A name as a word of a shell's line.
fn word(name: &TableName) -> String {
    let name = name.to_string();
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
    if is_plain { name } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

impl Method {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Method::Layout => "layout",
            Method::Keys => "keys",
            Method::Chunks => "chunks",
            Method::Baseline => "baseline",
            Method::Exact => "pgstattuple",
            Method::Approximate => "pgstattuple_approx",
            Method::Leaves => "pgstatindex",
            Method::Unknown => "unknown",
        }
    }
}

impl Confidence {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

impl Kind {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Table => "table",
            Kind::MaterializedView => "materialized view",
            Kind::Toast => "toast",
            Kind::Index => "index",
        }
    }
}
