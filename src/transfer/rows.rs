//! Rows out of COPY's binary form, as it comes in pieces: no escape to undo, and no value is held longer than its row.

use std::ops::Range;

use bytes::{Buf as _, BytesMut};

use crate::error::{Failure, Kind, Result};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, length of the extension, which is none.
const HEADER: usize = 19;

/// What has come and not yet gone.
#[derive(Default)]
pub struct Tuples {
    buffer: BytesMut,
    begun: bool,
    ranges: Vec<Option<Range<usize>>>,
    /// How many rows.
    pub count: u64,
}

/// The values of a row.
pub struct Fields<'a> {
    bytes: &'a [u8],
    ranges: &'a [Option<Range<usize>>],
}

impl Fields<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// The bytes of one; none is NULL.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        self.bytes.get(self.ranges.get(at)?.clone()?)
    }
}

impl Tuples {
    /// Takes a piece; hands on the rows that are whole.
    ///
    /// # Errors
    /// Failed, when it is not what the server sends; what `row` says.
    pub fn take(&mut self, piece: &[u8], mut row: impl FnMut(&Fields<'_>) -> Result<()>) -> Result<()> {
        self.buffer.extend_from_slice(piece);
        if !self.begun {
            if self.buffer.len() < HEADER {
                return Ok(());
            }
            if !self.buffer.starts_with(SIGNATURE) {
                return Err(odd());
            }
            self.buffer.advance(HEADER);
            self.begun = true;
        }
        let mut begin = 0;
        while let Some(end) = self.find(begin)? {
            row(&Fields { bytes: &self.buffer, ranges: &self.ranges })?;
            self.count += 1;
            begin = end;
        }
        self.buffer.advance(begin);
        Ok(())
    }

    /// Finds the values of the row that begins there; where it ends, if it is whole.
    fn find(&mut self, begin: usize) -> Result<Option<usize>> {
        self.ranges.clear();
        let Some(fields) = self.number::<2>(begin) else { return Ok(None) };
        // The end of all rows.
        if fields == -1 {
            return Ok(None);
        }
        let mut at = begin + 2;
        for _ in 0..usize::try_from(fields).map_err(|_| odd())? {
            let Some(length) = self.number::<4>(at) else { return Ok(None) };
            at += 4;
            if length == -1 {
                self.ranges.push(None);
                continue;
            }
            let end = at + usize::try_from(length).map_err(|_| odd())?;
            self.ranges.push(Some(at..end));
            at = end;
        }
        Ok((at <= self.buffer.len()).then_some(at))
    }

    /// Whether the end of the rows has come.
    pub fn ended(&self) -> bool {
        self.begun && self.buffer.as_ref() == [0xff, 0xff]
    }

    fn number<const N: usize>(&self, at: usize) -> Option<i64> {
        let bytes = self.buffer.get(at..at + N)?;
        let first = i64::from(bytes.first()?.cast_signed());
        Some(bytes.iter().skip(1).fold(first, |number, byte| (number << 8) | i64::from(*byte)))
    }
}

/// Rows of one text each.
#[derive(Default)]
pub struct Rows(Tuples);

impl Rows {
    /// Takes a piece; puts the rows that are whole behind each other into `lines`, a newline after each.
    ///
    /// # Errors
    /// Failed, when it is not what the server sends.
    pub fn take(&mut self, piece: &[u8], lines: &mut BytesMut) -> Result<()> {
        self.0.take(piece, |fields| {
            let line = fields.get(0).filter(|_| fields.count() == 1).ok_or_else(odd)?;
            lines.extend_from_slice(line);
            lines.extend_from_slice(b"\n");
            Ok(())
        })
    }

    /// How many rows.
    pub fn count(&self) -> u64 {
        self.0.count
    }

    /// Whether the end of the rows has come.
    pub fn ended(&self) -> bool {
        self.0.ended()
    }
}

fn odd() -> Failure {
    Failure::new(Kind::Failed, "the server sends rows in a form that dbctl does not know")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_however_the_pieces_are_cut() {
        let mut sent = [SIGNATURE, &[0; 8]].concat();
        for text in ["{\"a\":1}", "", "{\"b\":\"\\\\\"}"] {
            sent.extend_from_slice(&1_i16.to_be_bytes());
            sent.extend_from_slice(&i32::try_from(text.len()).unwrap().to_be_bytes());
            sent.extend_from_slice(text.as_bytes());
        }
        sent.extend_from_slice(&(-1_i16).to_be_bytes());
        for cut in 1..=sent.len() {
            let (mut rows, mut lines) = (Rows::default(), BytesMut::new());
            sent.chunks(cut).for_each(|piece| rows.take(piece, &mut lines).unwrap());
            assert_eq!(lines, "{\"a\":1}\n\n{\"b\":\"\\\\\"}\n", "{cut}");
            assert!(rows.ended() && rows.count() == 3);
        }
        let (mut tuples, mut seen) = (Tuples::default(), Vec::new());
        let two = [SIGNATURE, &[0; 8], &[0, 2, 0, 0, 0, 1, b'x', 0xff, 0xff, 0xff, 0xff], &[0xff, 0xff]].concat();
        let keep = |fields: &Fields<'_>| {
            seen.push((fields.count(), fields.get(0).map(<[u8]>::to_vec), fields.get(1).map(<[u8]>::to_vec)));
            Ok(())
        };
        tuples.take(&two, keep).unwrap();
        assert_eq!(seen, [(2, Some(b"x".to_vec()), None)]);
        assert!(tuples.ended());
        assert!(Rows::default().take(b"not what a server would send", &mut BytesMut::new()).is_err());
    }
}
