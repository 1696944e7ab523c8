//! `dbctl refresh`: materialized views filled anew, those that others read first; while everybody reads on where the
//! server can do that, and why not where it cannot.

mod plan;
mod read;
mod run;
mod view;

pub use plan::Wish;
pub use run::{Answer, Request, refresh};
