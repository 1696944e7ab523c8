//! `dbctl indexes`: which are invalid, which do the work of another, which are used little or not at all, which
//! foreign keys have none, which tables might want one. `dbctl check` judges by the same.

mod judge;
mod keys;
mod read;
mod tree;
mod usage;
mod view;

pub use judge::{Finding, Kind, Limits, by_size, judge, uses};
pub use read::{Catalog, ForeignKey, Index, LIMIT, Table, definitions, measure, missing, read};
pub use view::{Wish, view};
