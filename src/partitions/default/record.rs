//! What has been decided about a DEFAULT partition, as it is kept in `dbctl.adoption` until it is
//! done: a rerun goes on with it. Pure.

use serde::{Deserialize, Serialize};

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Record {
    /// It is becoming a range partition.
    Promote(Promotion),
    /// Its rows are being copied into range partitions.
    Drain(Draining),
}

/// A DEFAULT partition that becomes a range partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// The CHECK that proves the bounds.
    pub check: String,
    /// The lower bound, a literal.
    pub lower: String,
    /// The upper bound, a literal.
    pub upper: String,
}

/// A DEFAULT partition whose rows are copied into others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draining {
    /// The partitioned table that collects the copies.
    pub stage: String,
    /// Its oid, once it is made.
    #[serde(default)]
    pub stage_oid: Option<i64>,
    /// The stage's own DEFAULT partition, which becomes the table's.
    pub rest: String,
    /// What the old DEFAULT partition will be called.
    pub drained: String,
    /// The partitions that it makes.
    pub windows: Vec<Target>,
    /// Changes are logged.
    #[serde(default)]
    pub logged: bool,
    /// Every row that was there before is in the log.
    #[serde(default)]
    pub seeded: bool,
    /// The oids of the new partitions, in order and the rest last, once they have left the stage.
    #[serde(default)]
    pub apart: Option<Vec<i64>>,
}

/// One partition that a drain makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The lower bound, a literal.
    pub lower: String,
    /// The upper bound, a literal.
    pub upper: String,
}
