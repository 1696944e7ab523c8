//! A database's whole schema as values: read in one read-only transaction, kept in a file, shown.

pub mod model;

pub use model::{Id, Kind, Object, Property, Snapshot, Value};
