//! `dbctl sizes`: how large databases and tables are, partition trees as one, and by how much they have grown.

mod growth;
mod read;
mod tree;
mod view;

pub use growth::{Before, before, last, save};
pub use read::{Part, Seen, read};
pub use tree::{Sized, Sort, parts, trees};
pub use view::{Wish, pieces, view};
