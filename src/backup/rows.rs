//! How rows lie in a file, and what they come to in whatever order they lie: the SipHash-1-3 of each row's bytes, 128
//! bits, summed modulo 2^128. A lost, doubled, swapped or changed value changes it. Pure.
//!
//! In text a row is a line: COPY writes a line feed within a value as `\n`. In binary it is a count of fields and each
//! field with its length, all in network order, between a head of 19 bytes and an end of two.

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::error::{Failure, Kind, Result};
use crate::ident::Literal;

/// How COPY writes a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Form {
    /// As text, in the encoding of the database.
    #[default]
    Text,
    /// As the server's types send themselves, which takes the server 0.7 of the time or, for arrays of numbers, an eighth.
    /// Only where all columns are of types that do so alike on all majors and platforms, in UTF8.
    Binary {
        /// Which of the columns, counted from 0, are arrays.
        arrays: Vec<u16>,
    },
}

impl Form {
    /// Whether it is what readers take it for when nothing is said.
    pub fn is_text(&self) -> bool {
        *self == Form::Text
    }

    /// What COPY must be told; `encoding` is the database's.
    pub fn options(&self, encoding: &str) -> String {
        match self {
            // In the encoding of the database nothing is converted, and nothing can be lost.
            Form::Text => format!("ENCODING {}", Literal(encoding)),
            Form::Binary { .. } => "FORMAT binary".to_owned(),
        }
    }

    /// How a file of it ends.
    pub fn ending(&self) -> &'static str {
        match self {
            Form::Text => "copy",
            Form::Binary { .. } => "bin",
        }
    }
}

/// A sum under way.
#[derive(Debug, Default, Clone)]
pub struct RowSum {
    sum: u128,
    rows: u64,
    form: Form,
    /// The beginning of what has not ended yet: a row, or the head of a binary file.
    begun: Vec<u8>,
    place: Place,
}

/// Where in a binary file.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Head,
    Rows,
    /// Behind the end, where nothing may follow.
    End,
    /// It is no such file.
    Lost,
}

/// How a binary file begins: a signature that any conversion would spoil, no flags, nothing more in the head.
const HEAD: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Where an array says whether it has NULLs: each element says so too, and an array that lost its last NULL may still
/// claim to have some until it is written anew.
const FLAGS: std::ops::Range<usize> = 4..8;

impl RowSum {
    /// Of rows that lie so.
    pub fn new(form: &Form) -> RowSum {
        RowSum { form: form.clone(), ..RowSum::default() }
    }

    /// Takes a piece of a file, cut anywhere.
    pub fn add(&mut self, piece: &[u8]) {
        if self.begun.is_empty() {
            let taken = self.take(piece);
            self.begun.extend_from_slice(&piece[taken..]);
        } else {
            let mut begun = std::mem::take(&mut self.begun);
            begun.extend_from_slice(piece);
            let taken = self.take(&begun);
            begun.drain(..taken);
            self.begun = begun;
        }
    }

    /// Takes the rows that end here; gives how many bytes that were.
    fn take(&mut self, piece: &[u8]) -> usize {
        match &self.form {
            Form::Text => self.lines(piece),
            Form::Binary { .. } => self.tuples(piece),
        }
    }

    fn lines(&mut self, piece: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(end) = memchr::memchr(b'\n', &piece[taken..]) {
            self.row(|hasher, _| hasher.write(&piece[taken..taken + end]));
            taken += end + 1;
        }
        taken
    }

    fn tuples(&mut self, piece: &[u8]) -> usize {
        let mut taken = 0;
        loop {
            let rest = &piece[taken..];
            match self.place {
                Place::Head if rest.len() < HEAD.len() => return taken,
                Place::Head => {
                    self.place = if rest.starts_with(HEAD) { Place::Rows } else { Place::Lost };
                    taken += HEAD.len();
                }
                Place::Rows => match Tuple::at(rest) {
                    Tuple::Cut => return taken,
                    Tuple::Long(length) => {
                        self.row(|hasher, form| hash_tuple(hasher, &rest[..length], form));
                        taken += length;
                    }
                    Tuple::End => {
                        self.place = Place::End;
                        taken += 2;
                    }
                    Tuple::None => self.place = Place::Lost,
                },
                Place::End if rest.is_empty() => return taken,
                Place::End => self.place = Place::Lost,
                Place::Lost => return piece.len(),
            }
        }
    }

    fn row(&mut self, hash: impl Fn(&mut SipHasher13, &Form)) {
        let mut hasher = SipHasher13::new();
        hash(&mut hasher, &self.form);
        self.sum = self.sum.wrapping_add(hasher.finish128().as_u128());
        self.rows += 1;
    }

    /// Says whether all that was taken were whole rows, to the end.
    ///
    /// # Errors
    /// Refused, when it breaks off or is something else.
    pub fn ended(&self) -> Result<()> {
        let whole = match self.form {
            Form::Text => true,
            Form::Binary { .. } => self.place == Place::End,
        };
        if whole && self.begun.is_empty() {
            return Ok(());
        }
        let what = if self.place == Place::Lost { "are not in COPY's binary format" } else { "break off" };
        Err(Failure::new(Kind::Refused, format!("the rows {what} after row {}", self.rows)))
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
        Ok(RowSum { sum, rows, ..RowSum::default() })
    }
}

/// What comes next in a binary file.
enum Tuple {
    /// A row of so many bytes.
    Long(usize),
    /// It is not all there yet.
    Cut,
    /// The end.
    End,
    /// Nothing that COPY writes.
    None,
}

impl Tuple {
    fn at(bytes: &[u8]) -> Tuple {
        let Some(count) = bytes.first_chunk().copied().map(i16::from_be_bytes) else { return Tuple::Cut };
        if count < 0 {
            return if count == -1 { Tuple::End } else { Tuple::None };
        }
        let mut length = size_of::<i16>();
        for _ in 0..count {
            let Some(field) = field(bytes, length) else { return Tuple::Cut };
            match field {
                Field::Null(next) | Field::Value { next, .. } => length = next,
                Field::None => return Tuple::None,
            }
        }
        if length <= bytes.len() { Tuple::Long(length) } else { Tuple::Cut }
    }
}

enum Field {
    Null(usize),
    Value { from: usize, next: usize },
    None,
}

/// The field that begins there; none where its length is not there yet.
fn field(bytes: &[u8], at: usize) -> Option<Field> {
    let length = i32::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    let from = at + size_of::<i32>();
    Some(match usize::try_from(length) {
        Ok(length) => Field::Value { from, next: from + length },
        Err(_) if length == -1 => Field::Null(from),
        Err(_) => Field::None,
    })
}

/// A whole tuple, arrays without their flags.
fn hash_tuple(hasher: &mut SipHasher13, tuple: &[u8], form: &Form) {
    let arrays = match form {
        Form::Binary { arrays } => arrays.as_slice(),
        Form::Text => &[],
    };
    let (mut hashed, mut at, mut column) = (0, size_of::<i16>(), 0_u16);
    for array in arrays {
        let mut found = None;
        while column <= *array {
            found = match field(tuple, at) {
                Some(Field::Value { from, next }) => {
                    at = next;
                    Some(from..next)
                }
                Some(Field::Null(next)) => {
                    at = next;
                    None
                }
                Some(Field::None) | None => return hasher.write(&tuple[hashed..]),
            };
            column += 1;
        }
        if let Some(value) = found.filter(|value| value.len() >= FLAGS.end) {
            hasher.write(&tuple[hashed..value.start + FLAGS.start]);
            hashed = value.start + FLAGS.end;
        }
    }
    hasher.write(&tuple[hashed..]);
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
        let mut cut = RowSum::default();
        cut.add(b"1\n2");
        assert!(cut.ended().is_err());
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

    fn tuple(fields: &[Option<&[u8]>]) -> Vec<u8> {
        let mut tuple = i16::try_from(fields.len()).unwrap().to_be_bytes().to_vec();
        for field in fields {
            let length = field.map_or(-1, |field| i32::try_from(field.len()).unwrap());
            tuple.extend(length.to_be_bytes());
            tuple.extend(field.unwrap_or_default());
        }
        tuple
    }

    fn file(tuples: &[Vec<u8>]) -> Vec<u8> {
        [HEAD.to_vec(), tuples.concat(), (-1_i16).to_be_bytes().to_vec()].concat()
    }

    fn of(file: &[u8], cut: usize, arrays: &[u16]) -> RowSum {
        let mut sum = RowSum::new(&Form::Binary { arrays: arrays.to_vec() });
        file.chunks(cut).for_each(|piece| sum.add(piece));
        sum
    }

    fn same(one: &RowSum, other: &RowSum) -> bool {
        (one.rows(), one.content()) == (other.rows(), other.content())
    }

    #[test]
    fn in_binary_too() {
        let rows = [tuple(&[Some(b"one"), None]), tuple(&[Some(b""), Some(b"\n")]), tuple(&[None, None])];
        let turned = [rows[2].clone(), rows[0].clone(), rows[1].clone()];
        let whole = of(&file(&rows), 1000, &[]);
        whole.ended().unwrap();
        assert_eq!(whole.rows(), 3);
        for cut in 1..40 {
            let (cut, turned) = (of(&file(&rows), cut, &[]), of(&file(&turned), cut, &[]));
            cut.ended().unwrap();
            assert!(same(&cut, &whole) && same(&turned, &whole));
        }
        let swapped = [tuple(&[None, Some(b"one")]), rows[1].clone(), rows[2].clone()];
        assert!(!same(&of(&file(&swapped), 7, &[]), &whole));
    }

    #[test]
    fn a_binary_file_that_is_none_is_told_wherever_it_breaks() {
        let whole = file(&[tuple(&[Some(b"one"), None]), tuple(&[Some(b"two"), None])]);
        for end in 0..whole.len() {
            assert!(of(&whole[..end], 5, &[]).ended().is_err(), "{end}");
        }
        let more = [whole.as_slice(), b"x"].concat();
        let mut spoilt = [whole.clone(), whole.clone(), more, file(&[vec![0x80, 0]])];
        spoilt[0][3] = b'c';
        // The length of the first field: -2.
        spoilt[1][21..25].copy_from_slice(&(-2_i32).to_be_bytes());
        for spoilt in spoilt {
            for cut in [1, 7, 100] {
                assert!(of(&spoilt, cut, &[0]).ended().is_err(), "{spoilt:?}");
            }
        }
    }

    #[test]
    fn whether_an_array_claims_to_have_nulls_is_no_part_of_it() {
        let array = |flags: u8, last: u8| {
            let head = [0, 0, 0, 1, 0, 0, 0, flags, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1];
            [head.as_slice(), &[0, 0, 0, 4, 0, 0, 0, last]].concat()
        };
        let row = |flags, last| file(&[tuple(&[Some(b"1234567890"), None, Some(&array(flags, last)), Some(b"z")])]);
        let sum = |file: &[u8], arrays: &[u16]| of(file, 3, arrays);
        for arrays in [&[2_u16][..], &[1, 2]] {
            assert!(same(&sum(&row(0, 7), arrays), &sum(&row(1, 7), arrays)));
            assert!(!same(&sum(&row(0, 7), arrays), &sum(&row(0, 8), arrays)));
        }
        assert!(!same(&sum(&row(0, 7), &[0]), &sum(&row(1, 7), &[0])));
    }
}
