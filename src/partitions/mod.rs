//! The lifecycle of partitions and the retention of rows, driven by a policy file.

pub mod adopt;
pub mod bounds;
pub mod calendar;
pub mod coverage;
pub mod default;
pub mod key;
pub mod likeness;
pub mod listing;
mod means;
pub mod naming;
pub mod policy;
pub mod span;
pub mod work;

pub use means::{Answer, Means};
