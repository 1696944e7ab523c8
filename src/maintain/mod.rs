//! Maintenance of tables and indexes: what is worth it (read, then decided), and how it is done by a
//! crew of sessions within limits ([`crate::steps::crew`]). Knows no terminal.

pub mod refresh;
pub mod schedule;
pub mod vacuum;
