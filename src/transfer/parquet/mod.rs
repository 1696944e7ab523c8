//! Files of columns: rows of COPY's binary form become row groups of Parquet, and rows of a Parquet file the text of
//! COPY. A value that Parquet cannot hold exactly is written as its text. Where the program was built without it, it
//! says so. Knows no server and no store.

mod kind;

#[cfg(not(feature = "parquet"))]
mod absent;
#[cfg(feature = "parquet")]
mod read;
#[cfg(feature = "parquet")]
mod write;

#[cfg(not(feature = "parquet"))]
pub use absent::{Opened, Sheet, built_in};
pub use kind::Kind;
#[cfg(feature = "parquet")]
pub use read::Opened;
#[cfg(feature = "parquet")]
pub use write::{Sheet, built_in};
