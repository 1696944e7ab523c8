//! `dbctl reindex`: indexes built anew while everybody works on, smallest first, one of a table at a time. What a
//! killed run has left is found by the journal and removed; what others left is told.

mod board;
mod plan;
mod preflight;
mod read;
mod run;
mod view;
mod work;

pub use plan::{Bloat, Wish};
pub use run::{Answer, Request, reindex};
