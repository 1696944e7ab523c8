//! What an adoption has decided, as it is kept in `dbctl.adoption`: a rerun goes on with the same
//! names and bounds, and takes nothing for its own because of a name alone. Pure.

use serde::{Deserialize, Serialize};

/// The decisions of one adoption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What the plain table will be called as a partition.
    pub history: String,
    /// What the partitioned table is called until it takes the table's name.
    pub shell: String,
    /// The shell's oid, once it is made.
    #[serde(default)]
    pub shell_oid: Option<i64>,
    /// The CHECK that proves the bounds.
    pub check: String,
    /// The upper bound of the history partition, as a literal.
    pub upper: String,
    /// Indexes: what each is called now, on the history partition, and on the shell until the exchange.
    pub indexes: Vec<IndexNames>,
    /// What the identity sequence is called for the blink between two tables.
    pub sequence: String,
    /// A hash of the table as it was.
    pub fingerprint: String,
}

/// The names of one index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexNames {
    /// On the plain table before, and on the partitioned one afterwards.
    pub name: String,
    /// On the history partition.
    pub history: String,
    /// On the shell.
    pub shell: String,
}

impl Record {
    /// The names of an index.
    pub fn index(&self, name: &str) -> Option<&IndexNames> {
        self.indexes.iter().find(|index| index.name == name)
    }
}
