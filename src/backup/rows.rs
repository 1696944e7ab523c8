//! What rows come to, in whatever order they lie: the SipHash-1-3 of each row's COPY text, 128 bits,
//! summed modulo 2^128. A lost, doubled, swapped or changed value changes it. Rows are counted by the line
//! feeds of the text, which COPY writes as `\n` wherever they belong to a value. Pure.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::error::{Failure, Kind, Result};

/// A sum under way.
#[derive(Debug, Default, Clone)]
pub struct RowSum {
    sum: u128,
    rows: u64,
    /// The beginning of a row whose end has not come yet.
    begun: Vec<u8>,
}

impl RowSum {
    /// Takes a piece of COPY text, cut anywhere.
    pub fn add(&mut self, mut piece: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (row, rest) = piece.split_at(end);
            if self.begun.is_empty() {
                self.row(row);
            } else {
                let mut begun = std::mem::take(&mut self.begun);
                begun.extend_from_slice(row);
                self.row(&begun);
                begun.clear();
                self.begun = begun;
            }
            piece = &rest[1..];
        }
        self.begun.extend_from_slice(piece);
    }

    fn row(&mut self, row: &[u8]) {
        let mut hasher = SipHasher13::new();
        hasher.write(row);
        self.sum = self.sum.wrapping_add(hasher.finish128().as_u128());
        self.rows += 1;
    }

    /// Adds the rows of another sum.
    pub fn join(&mut self, other: &RowSum) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.rows += other.rows;
    }

    /// How many rows have ended.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What they come to, as manifests write it.
    pub fn content(&self) -> String {
        format!("{:032x}", self.sum)
    }

    /// Reads what manifests write.
    ///
    /// # Errors
    /// Refused, when it is no such sum.
    pub fn parse(rows: u64, content: &str) -> Result<RowSum> {
        let sum = u128::from_str_radix(content, 16).ok().filter(|_| content.len() == 32);
        let sum = sum.ok_or_else(|| Failure::new(Kind::Refused, format!("'{content}' is no sum of rows")))?;
        Ok(RowSum { sum, rows, begun: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(text: &str, cut: usize) -> (u64, String) {
        let mut sum = RowSum::default();
        text.as_bytes().chunks(cut).for_each(|piece| sum.add(piece));
        (sum.rows(), sum.content())
    }

    #[test]
    fn order_and_cuts_do_not_matter_and_everything_else_does() {
        let whole = sum("1\ta\n2\tb\n\n\\N\t\\n\n", 1000);
        assert_eq!(whole.0, 4);
        for cut in 1..10 {
            assert_eq!(sum("1\ta\n2\tb\n\n\\N\t\\n\n", cut), whole);
            assert_eq!(sum("\n2\tb\n\\N\t\\n\n1\ta\n", cut), whole);
        }
        for other in ["1\tb\n2\ta\n\n\\N\t\\n\n", "1\ta\n2\tb\n\n", "1\ta\n1\ta\n2\tb\n\n\\N\t\\n\n"] {
            assert_ne!(sum(other, 3), whole, "{other:?}");
        }
    }

    #[test]
    fn sums_of_parts_are_the_sum() {
        let (mut one, mut other, mut whole) = (RowSum::default(), RowSum::default(), RowSum::default());
        one.add(b"a\nb\n");
        other.add(b"c\n");
        whole.add(b"c\na\nb\n");
        one.join(&other);
        assert_eq!((one.rows(), one.content()), (whole.rows(), whole.content()));
        let read = RowSum::parse(3, &whole.content()).unwrap();
        assert_eq!(read.content(), whole.content());
        assert!(RowSum::parse(1, "12").is_err());
    }
}
