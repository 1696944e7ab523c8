//! Maintenance: what chooses, explains, finishes and cleans up.

pub mod reindex;
