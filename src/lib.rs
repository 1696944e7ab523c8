//! dbctl: change schemas, keep partitions, maintain, diagnose, back up and restore PostgreSQL.
//!
//! One direction of flow:
//!
//! ```text
//! argv + env + files -> Request -> Session -> Snapshot -> plan(policy, snapshot, now) -> gate -> apply -> Outcome
//!                                                                                  \-> view -> Document -> renderer
//! ```

pub mod config;
pub mod error;
pub mod ident;
pub mod outcome;
pub mod output;
pub mod pg;
pub mod sandbox;
