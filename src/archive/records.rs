//! Counts the records of a CSV text that comes in pieces. Newlines inside of quotes end nothing.

/// The count so far.
#[derive(Debug, Default)]
pub struct Records {
    ended: u64,
    quoted: bool,
    /// Bytes have come since the last end of a record.
    open: bool,
}

impl Records {
    /// Takes the next piece, cut anywhere. A doubled quote closes and opens again.
    pub fn add(&mut self, piece: &[u8]) {
        let (mut ended, mut quoted) = (0, self.quoted);
        for byte in piece {
            quoted ^= *byte == b'"';
            ended += u64::from(!quoted && *byte == b'\n');
        }
        (self.ended, self.quoted) = (self.ended + ended, quoted);
        if let Some(last) = piece.last() {
            self.open = quoted || *last != b'\n';
        }
    }

    /// How many records there are, the header among them.
    pub fn total(&self) -> u64 {
        self.ended + u64::from(self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, cut: usize) -> u64 {
        let mut records = Records::default();
        text.as_bytes().chunks(cut).for_each(|piece| records.add(piece));
        records.total()
    }

    #[test]
    fn only_newlines_outside_of_quotes_end_a_record() {
        for (text, records) in [
            ("", 0),
            ("a\n", 1),
            ("\n", 1),
            ("a\n1\n2", 3),
            ("a,b\n\"1\n\n\",\"x\"\n", 2),
            ("a\n\"he said \"\"\n\"\" and left\"\n\"\"\n", 3),
            ("a\n\"\r\n\"\n", 2),
        ] {
            for cut in 1..=text.len().max(1) {
                assert_eq!(count(text, cut), records, "{text:?} in pieces of {cut}");
            }
        }
    }
}
