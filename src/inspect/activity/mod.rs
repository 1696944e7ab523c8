//! `dbctl activity`: sessions, long transactions, what idle ones hold, and who holds the xmin horizon.

mod read;
mod view;

pub use read::{Holder, Seen, holders, read};
pub use view::view;
