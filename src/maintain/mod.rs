//! Maintenance: what chooses, explains, finishes and cleans up.

pub mod refresh;
pub mod reindex;
