//! Rows out into files that other programs read, and back in: NDJSON, CSV, COPY's own two forms, and Parquet where it
//! was built in.
//! Knows tables, files and formats; knows no policy, no backups and no terminal.
//!
//! A file is whole when it lies under its name. Beside it lies `<name>.json`, with the columns, the
//! number of rows and the sums that an import is held to.

mod columns;
pub mod export;
mod failure;
mod fill;
mod format;
mod header;
pub mod import;
mod lines;
mod parquet;
mod place;
mod rows;
mod sidecar;
mod source;
mod view;

pub use format::{Compression, Format};
