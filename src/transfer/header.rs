//! The first line of a CSV file, which names its columns: COPY reads by place and would store them in each other's.
//! Pure.

use crate::error::{Failure, Kind, Result};

/// A longer first line is none.
const LONGEST: usize = 1 << 20;

/// The first line on its way.
pub struct Header {
    file: String,
    /// The columns that are read into, in their order.
    columns: Vec<String>,
    /// They were said by hand: then other names are meant so.
    by_hand: bool,
    begun: Vec<u8>,
    quoted: bool,
    over: bool,
}

impl Header {
    /// Of a file that is read into these columns, which somebody has `by_hand` given their order.
    pub fn new(file: &str, columns: impl Iterator<Item = String>, by_hand: bool) -> Header {
        let columns = columns.collect();
        Header { file: file.to_owned(), columns, by_hand, begun: Vec::new(), quoted: false, over: false }
    }

    /// Takes the next piece of the file.
    ///
    /// # Errors
    /// Refused, when the names are not those of the columns.
    pub fn take(&mut self, piece: &[u8]) -> Result<()> {
        if self.over {
            return Ok(());
        }
        for (at, byte) in piece.iter().enumerate() {
            self.quoted ^= *byte == b'"';
            if *byte == b'\n' && !self.quoted {
                self.begun.extend_from_slice(&piece[..at]);
                return self.end();
            }
        }
        self.begun.extend_from_slice(piece);
        if self.begun.len() > LONGEST {
            return Err(Failure::new(Kind::Refused, format!("{} has no first line that names its columns", self.file)));
        }
        Ok(())
    }

    /// The file has ended, or its first line.
    ///
    /// # Errors
    /// As [`Header::take`]; refused, too, when there is no line at all.
    pub fn end(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.over, true) {
            return Ok(());
        }
        let line = self.begun.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.begun);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
        let read = reader.records().next().transpose();
        let names: Vec<String> = match read {
            Ok(Some(record)) => record.iter().map(str::to_owned).collect(),
            _ if self.columns.is_empty() => return Ok(()),
            _ => return Err(Failure::new(Kind::Refused, format!("{} has no line that names its columns", self.file))),
        };
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        if names == self.columns || (self.by_hand && sorted(&names) != sorted(&self.columns)) {
            return Ok(());
        }
        let (found, wanted) = (names.join(","), self.columns.join(","));
        let failure = Failure::new(Kind::Refused, format!("{} names its columns in another way", self.file))
            .note(format!("the file: {found}"))
            .note(format!("read into: {wanted}"));
        Err(failure.hint(format!("--columns {found}   (the table's columns in the order of the file)")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str, columns: &[&str], by_hand: bool) -> Vec<bool> {
        let cuts = [1, 3, 1000].into_iter();
        cuts.map(|cut| {
            let mut header = Header::new("f.csv", columns.iter().map(|name| (*name).to_owned()), by_hand);
            text.as_bytes().chunks(cut).try_for_each(|piece| header.take(piece)).and_then(|()| header.end()).is_ok()
        })
        .collect()
    }

    #[test]
    fn names_must_be_those_of_the_columns_unless_others_are_meant() {
        for (text, columns, by_hand, fits) in [
            ("a,b\n1,2\n", &["a", "b"][..], false, true),
            ("b,a\n1,2\n", &["a", "b"], false, false),
            ("b,a\n1,2\n", &["a", "b"], true, false),
            ("x,y\n1,2\n", &["a", "b"], true, true),
            ("x,y\n1,2\n", &["a", "b"], false, false),
            ("a\n1\n", &["a", "b"], false, false),
            ("\u{feff}\"a\nb\",\"c\"\"d\"\r\n1,2\n", &["a\nb", "c\"d"], false, true),
            ("a,b", &["a", "b"], false, true),
            ("", &["a"], false, false),
            ("", &[], false, true),
        ] {
            assert_eq!(taken(text, columns, by_hand), [fits; 3], "{text:?} {columns:?} {by_hand}");
        }
    }
}
