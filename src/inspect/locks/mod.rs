//! `dbctl locks`: who waits for whom, from the sessions that do not wait themselves down to the last
//! waiter; watched, kept in a file, shown again; and what is in the way ended.

pub mod act;
pub mod forest;
pub mod history;
mod read;
mod sample;
mod view;

pub use read::read;
pub use sample::{Lock, Prepared, Sample};
pub use view::{Limits, view};
