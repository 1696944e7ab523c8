//! Maintenance of tables and indexes: what is worth it (read, then decided), and how it is done within limits by
//! one session or a crew of them ([`crate::steps::crew`]). Knows no terminal.

pub mod refresh;
pub mod reindex;
pub mod repack;
pub mod room;
pub mod schedule;
pub mod vacuum;
