//! `dbctl indexes`: which are unused, which do the work of another, which are invalid, which foreign keys have none.

mod judge;
mod read;
mod view;

pub use judge::{Finding, Kind, Limits, judge};
pub use read::{Catalog, ForeignKey, Index, definitions, read, uses_elsewhere};
pub use view::{Wish, view};
