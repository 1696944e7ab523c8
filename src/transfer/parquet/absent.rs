//! What a program without Parquet says.

use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

use super::kind::Kind;
use crate::error::{self, Failure, Result};
use crate::transfer::columns::Column;
use crate::transfer::format::Compression;

/// Whether it can be written and read.
///
/// # Errors
/// Usage, always.
pub fn built_in() -> Result<()> {
    Err(absent())
}

fn absent() -> Failure {
    Failure::new(error::Kind::Usage, "this dbctl was built without Parquet")
        .hint("build it with: cargo install --path . --features parquet")
        .hint("or take --as ndjson, csv, copy or binary")
}

/// Rows on their way into a file: never.
pub struct Sheet(Infallible);

impl Sheet {
    /// Begins a file.
    ///
    /// # Errors
    /// Usage, always.
    pub fn begin(_: &[Column], _: &[Kind], _: Compression) -> Result<Sheet> {
        Err(absent())
    }

    /// Takes a piece.
    pub fn take(&mut self, _: &[u8], _: &mut BytesMut) -> Result<()> {
        match self.0 {}
    }

    /// Ends the file.
    pub fn finish(self, _: &mut BytesMut) -> Result<u64> {
        match self.0 {}
    }
}

/// A file that is read: never.
pub struct Opened(Infallible);

impl Opened {
    /// Opens a file.
    ///
    /// # Errors
    /// Usage, always.
    pub fn open(_: std::fs::File, _: &str) -> Result<Opened> {
        Err(absent())
    }

    /// The names of its columns.
    pub fn names(&self) -> Vec<String> {
        match self.0 {}
    }

    /// Its rows.
    pub fn rows(self, _: &[(usize, bool)]) -> mpsc::Receiver<Result<Bytes>> {
        match self.0 {}
    }
}
