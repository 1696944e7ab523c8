//! The answer of a command as plain values: facts and tables whose columns know their unit.
//! Views build it; renderers (table, json, csv, …) draw it. Knows nothing of terminals or servers.

use chrono::{DateTime, Utc};

use super::findings::Findings;

/// One answer. Becomes `{"kind": …, "version": …, <facts>, <sections>}` as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Stable name of the shape, for example `migrate.status`.
    pub kind: &'static str,
    /// Version of the shape: raised only when a script could break.
    pub version: u32,
    /// Single values, in the order a person reads them.
    pub facts: Vec<Fact>,
    /// Tables and texts below the facts.
    pub sections: Vec<Section>,
    /// What a person should know besides: unreadable parts, advice. Printed after the tables,
    /// a list named `notes` in JSON.
    pub notes: Vec<String>,
    /// The same as findings, where the answer is one: for SARIF and the like, not part of JSON.
    pub findings: Option<Findings>,
    /// The same for monitoring, where the answer is a check.
    pub monitoring: Option<Monitoring>,
}

/// A check's answer as monitoring reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    /// One line.
    pub nagios: String,
    /// Metrics.
    pub prometheus: String,
}

/// One named value.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Key in machine formats, snake_case; `kind`, `version` and `notes` are taken.
    pub key: &'static str,
    /// What a person reads.
    pub label: &'static str,
    /// The value.
    pub value: Value,
}

/// A part below the facts.
#[derive(Debug, Clone, PartialEq)]
pub enum Section {
    /// Rows under headings.
    Table(Table),
    /// Things below things.
    Tree(Tree),
    /// A value for machine formats only.
    Machine {
        /// Key in machine formats.
        key: &'static str,
        /// The value.
        value: Value,
    },
    /// Text shown as it is, such as the SQL of a plan; a string in JSON.
    Text {
        /// Key in machine formats.
        key: &'static str,
        /// The text.
        text: String,
    },
}

/// Things below things: nested objects for programs, lines for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Key in machine formats, plural.
    pub key: &'static str,
    /// Key of what is below a node.
    pub below: &'static str,
    /// The topmost.
    pub nodes: Vec<Node>,
    /// What a person reads.
    pub text: String,
    /// The same without nesting, in full: a list in JSON, and the rows of csv and ndjson.
    pub flat: Table,
}

/// One thing and what is below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Keys and values.
    pub fields: Vec<(&'static str, Value)>,
    /// What is below.
    pub below: Vec<Node>,
}

/// Rows under headings.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Key in machine formats, plural.
    pub key: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
    /// As many values a row as there are columns.
    pub rows: Vec<Vec<Value>>,
    /// What a person reads when there is no row.
    pub empty: &'static str,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Key in machine formats, snake_case, with the unit where there is one (`size_bytes`); `kind` is taken.
    pub key: &'static str,
    /// What a person reads.
    pub heading: &'static str,
    /// Left out of the human table (machine formats keep it): detail that does not fit 80 columns.
    pub machine_only: bool,
}

/// A value with its unit. Machine formats print raw numbers (bytes, seconds), the human table
/// prints `1.2 GB`, `3 min`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not applicable: empty cell, `null`.
    None,
    /// Could not be determined: `UNKNOWN` for a person, `null` in JSON.
    Unknown,
    /// Text.
    Text(String),
    /// A count or an id.
    Int(i64),
    /// A plain number.
    Float(f64),
    /// A size in bytes.
    Bytes(u64),
    /// A duration in seconds.
    Seconds(f64),
    /// A point in time.
    Time(DateTime<Utc>),
    /// Yes or no.
    Bool(bool),
    /// Several short texts.
    List(Vec<String>),
    /// Several numbers.
    Ints(Vec<i64>),
}

impl Document {
    /// An empty document of this shape.
    pub fn new(kind: &'static str, version: u32) -> Document {
        Document {
            kind,
            version,
            facts: Vec::new(),
            sections: Vec::new(),
            notes: Vec::new(),
            findings: None,
            monitoring: None,
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, key: &'static str, label: &'static str, value: impl Into<Value>) -> Document {
        self.facts.push(Fact { key, label, value: value.into() });
        self
    }

    /// Adds a table.
    #[must_use]
    pub fn table(mut self, table: Table) -> Document {
        self.sections.push(Section::Table(table));
        self
    }

    /// Adds a tree.
    #[must_use]
    pub fn tree(mut self, tree: Tree) -> Document {
        self.sections.push(Section::Tree(tree));
        self
    }

    /// Adds a value for machine formats only.
    #[must_use]
    pub fn machine(mut self, key: &'static str, value: impl Into<Value>) -> Document {
        self.sections.push(Section::Machine { key, value: value.into() });
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, key: &'static str, text: impl Into<String>) -> Document {
        self.sections.push(Section::Text { key, text: text.into() });
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Document {
        self.notes.push(note.into());
        self
    }
}

impl Table {
    /// An empty table; `empty` is what a person reads when it stays so.
    pub fn new(key: &'static str, empty: &'static str, columns: Vec<Column>) -> Table {
        Table { key, columns, rows: Vec::new(), empty }
    }

    /// Whether a person has anything to see in it.
    pub(super) fn is_for_people(&self) -> bool {
        self.columns.iter().any(|column| !column.machine_only) && !(self.rows.is_empty() && self.empty.is_empty())
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }
}

impl Column {
    /// A column that everyone sees.
    pub fn new(key: &'static str, heading: &'static str) -> Column {
        Column { key, heading, machine_only: false }
    }

    /// A column for machine formats only.
    pub fn machine(key: &'static str) -> Column {
        Column { key, heading: key, machine_only: true }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(count: i64) -> Value {
        Value::Int(count)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Value {
        Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Value {
        Value::Bool(yes)
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(at: DateTime<Utc>) -> Value {
        Value::Time(at)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::None, Into::into)
    }
}
