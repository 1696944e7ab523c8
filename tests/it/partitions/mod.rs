//! The lifecycle of partitions on real servers.

mod bounds;
mod check;
mod names;
