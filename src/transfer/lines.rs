//! The lines of NDJSON: each one object, its keys columns of the table; then a line of CSV with its
//! number, which the server reads as it is. Knows no server.

use std::collections::HashMap;
use std::fmt;

use bytes::BytesMut;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::error::{Failure, Kind, Result};

/// No value of PostgreSQL is longer.
const LONGEST: usize = 1 << 30;

/// Lines as they come.
pub struct Lines {
    file: String,
    table: String,
    /// Columns, how many lines have each, and the last line that did.
    columns: HashMap<String, Seen>,
    rest: BytesMut,
    /// How far `rest` was searched for its end.
    searched: usize,
    line: u64,
    /// Lines with an object.
    pub rows: u64,
}

#[derive(Default, Clone, Copy)]
struct Seen {
    rows: u64,
    last: u64,
    generated: bool,
}

impl Lines {
    /// Lines of a file for these columns of a table; those that the server generates are not to be said.
    pub fn new<'a>(file: &str, table: &str, columns: impl Iterator<Item = (&'a str, bool)>) -> Lines {
        let columns = columns.map(|(name, generated)| (name.to_owned(), Seen { generated, ..Seen::default() }));
        Lines {
            file: file.to_owned(),
            table: table.to_owned(),
            columns: columns.collect(),
            rest: BytesMut::new(),
            searched: 0,
            line: 0,
            rows: 0,
        }
    }

    /// Takes a piece, cut anywhere; puts CSV for the lines that are whole into `out`.
    ///
    /// # Errors
    /// Invalid, naming line and place: no object, another key, a key twice.
    pub fn take(&mut self, piece: &[u8], out: &mut BytesMut) -> Result<()> {
        self.rest.extend_from_slice(piece);
        while let Some(at) = self.rest.get(self.searched..).and_then(|new| new.iter().position(|byte| *byte == b'\n')) {
            let line = self.rest.split_to(self.searched + at + 1);
            self.searched = 0;
            self.add(line.trim_ascii(), out)?;
        }
        self.searched = self.rest.len();
        if self.searched > LONGEST {
            return Err(self.wrong("is longer than a value can be (1 GB)"));
        }
        Ok(())
    }

    /// Takes the last line where no newline ends it.
    ///
    /// # Errors
    /// As [`Lines::take`].
    pub fn finish(&mut self, out: &mut BytesMut) -> Result<()> {
        let last = self.rest.split();
        if last.is_empty() { Ok(()) } else { self.add(last.trim_ascii(), out) }
    }

    /// How many lines have this key.
    pub fn with(&self, column: &str) -> u64 {
        self.columns.get(column).map_or(0, |seen| seen.rows)
    }

    fn add(&mut self, line: &[u8], out: &mut BytesMut) -> Result<()> {
        self.line += 1;
        if line.is_empty() {
            return Ok(());
        }
        let line = if self.line == 1 { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line) } else { line };
        if let Err(error) = std::str::from_utf8(line) {
            return Err(self.wrong(&format!("is not UTF-8 at byte {}", error.valid_up_to() + 1)));
        }
        let mut reader = serde_json::Deserializer::from_slice(line);
        let number = self.line;
        let read = Keys { columns: &mut self.columns, table: &self.table, line: number }.deserialize(&mut reader);
        if let Err(error) = read.and_then(|()| reader.end()) {
            let column = error.column();
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or(&what);
            let message = format!("{}, line {number}, column {column}: {what}", self.file);
            return Err(Failure::new(Kind::Invalid, message)
                .note("nothing was stored")
                .hint("NDJSON is one object a line, its keys the table's columns; --columns a,b takes only those"));
        }
        self.rows += 1;
        out.extend_from_slice(number.to_string().as_bytes());
        out.extend_from_slice(b",\"");
        for part in line.split_inclusive(|byte| *byte == b'"') {
            out.extend_from_slice(part);
            if part.ends_with(b"\"") {
                out.extend_from_slice(b"\"");
            }
        }
        out.extend_from_slice(b"\"\n");
        Ok(())
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::new(Kind::Invalid, format!("{}, line {} {what}", self.file, self.line.max(1)))
            .note("nothing was stored")
    }
}

/// Reads the keys of one object, and that all of it is JSON.
struct Keys<'a> {
    columns: &'a mut HashMap<String, Seen>,
    table: &'a str,
    line: u64,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        use serde::de::Error as _;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            let Some(seen) = self.columns.get_mut(key.as_ref()) else {
                return Err(A::Error::custom(format!("{} has no column for the key {key:?}", self.table)));
            };
            if seen.generated {
                return Err(A::Error::custom(format!("the server generates {key:?} of {}", self.table)));
            }
            if seen.last == self.line {
                return Err(A::Error::custom(format!("the key {key:?} stands there twice")));
            }
            (seen.rows, seen.last) = (seen.rows + 1, self.line);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        Lines::new("f.ndjson", "public.t", [("a", false), ("b\"c", false), ("g", true)].into_iter())
    }

    #[test]
    fn lines_become_csv_however_they_are_cut() {
        let text = "{\"a\": 1}\r\n\n{\"b\\\"c\":\"x\\\"\\n\",\"a\":null}";
        for cut in 1..=text.len() {
            let (mut lines, mut out) = (lines(), BytesMut::new());
            text.as_bytes().chunks(cut).for_each(|piece| lines.take(piece, &mut out).unwrap());
            lines.finish(&mut out).unwrap();
            assert_eq!(
                out, "1,\"{\"\"a\"\": 1}\"\n3,\"{\"\"b\\\"\"c\"\":\"\"x\\\"\"\\n\"\",\"\"a\"\":null}\"\n",
                "{cut}"
            );
            assert_eq!((lines.rows, lines.with("a"), lines.with("b\"c"), lines.with("g")), (2, 2, 1, 0));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, told) in [
            ("{}\n{\"x\":1}\n", "line 2, column 4: public.t has no column for the key \"x\""),
            ("{\"a\":1,\"a\":2}\n", "line 1, column 10: the key \"a\" stands there twice"),
            ("{\"g\":1}\n", "the server generates \"g\""),
            ("[1]\n", "line 1"),
            ("{\"a\":1} x\n", "line 1, column 9: trailing characters"),
            ("\n{\"a\":\n", "line 2"),
        ] {
            let failure = lines().take(text.as_bytes(), &mut BytesMut::new()).unwrap_err();
            assert!(failure.to_string().contains(told), "{failure}");
        }
        let failure = lines().take(b"{\"a\":\"\xff\"}\n", &mut BytesMut::new()).unwrap_err();
        assert!(failure.to_string().contains("line 1 is not UTF-8 at byte 7"), "{failure}");
    }
}
