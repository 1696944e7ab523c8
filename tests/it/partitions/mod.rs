//! The lifecycle of partitions on real servers.

mod agree;
mod bounds;
mod names;
mod years;
