//! The one text of each row out of COPY's binary form, as it comes in pieces: no escape to undo, and
//! no value is held longer than its row.

use bytes::{Buf as _, BytesMut};

use crate::error::{Failure, Kind, Result};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, length of the extension, which is none.
const HEADER: usize = 19;

/// What has come and not yet gone.
#[derive(Default)]
pub struct Rows {
    buffer: BytesMut,
    begun: bool,
    /// How many rows.
    pub count: u64,
}

impl Rows {
    /// Takes a piece; puts the rows that are whole behind each other into `lines`, a newline after each.
    ///
    /// # Errors
    /// Failed, when it is not what the server sends.
    pub fn take(&mut self, piece: &[u8], lines: &mut BytesMut) -> Result<()> {
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
        while let (Some(fields), Some(length)) = (self.number::<2>(0), self.number::<4>(2)) {
            let length = usize::try_from(length).map_err(|_| odd())?;
            if fields != 1 {
                return Err(odd());
            }
            if self.buffer.len() < 6 + length {
                break;
            }
            self.buffer.advance(6);
            lines.extend_from_slice(&self.buffer.split_to(length));
            lines.extend_from_slice(b"\n");
            self.count += 1;
        }
        Ok(())
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
            assert!(rows.ended() && rows.count == 3);
        }
        assert!(Rows::default().take(b"not what a server would send", &mut BytesMut::new()).is_err());
    }
}
