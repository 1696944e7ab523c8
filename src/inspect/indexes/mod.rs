//! `dbctl indexes`: which are unused, which do the work of another, which are invalid, which foreign keys have none.

mod judge;
mod read;
mod view;

pub use judge::{Finding, Kind, Limits, judge, uses};
pub use read::{Catalog, ForeignKey, Index, definitions, read};
pub use view::{Wish, view};
