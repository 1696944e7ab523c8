//! Drift: is a schema what it should be? Reads both sides, compares (pure), tells. Never writes to the
//! database that it looks at.

pub mod compare;
pub mod ignore;
mod names;
pub mod partitions;
pub mod repair;
