//! The lifecycle of partitions on real servers.

mod agree;
mod bounds;
mod check;
mod names;
mod years;
