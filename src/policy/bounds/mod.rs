//! Reads what `pg_get_expr(relpartbound, 0)` prints: the only source of truth about what a partition
//! holds. Pure.
//!
//! The server prints values as literals without their types (`get_range_partbound_string` in
//! `ruleutils.c`); casts, types in front and collations are read as well, so that a bound somebody wrote
//! by hand is understood too. Backslashes in plain quotes stand for themselves: the session has
//! `standard_conforming_strings` on, as every server by default.

mod words;

use super::calendar::Axis;
use super::key::{Edge, Range};
use words::{Word, words};

/// The bound of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// DEFAULT.
    Default,
    /// FROM (…) TO (…), a datum for each key column.
    Range {
        /// The first that is in it.
        lower: Vec<Datum>,
        /// The first behind it.
        upper: Vec<Datum>,
    },
    /// IN (…).
    List,
    /// WITH (modulus …, remainder …).
    Hash,
}

/// One value of a range's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    /// MINVALUE.
    Min,
    /// MAXVALUE.
    Max,
    /// A literal, unquoted; without the type that may follow it.
    Literal(String),
}

/// Reads a bound.
///
/// # Errors
/// Where it is not what PostgreSQL prints.
pub fn parse(text: &str) -> Result<Bound, String> {
    let wrong = |what: String| format!("not the bound of a partition: {text}: {what}");
    let mut reader = Reader { words: words(text).map_err(wrong)?, at: 0 };
    let bound = reader.bound().map_err(wrong)?;
    match reader.words.get(reader.at) {
        None => Ok(bound),
        Some(more) => Err(wrong(format!("nothing more was expected at {more}"))),
    }
}

/// What a partition with one key column holds.
///
/// # Errors
/// Why it is not a range on this axis.
pub fn range(bound: &Bound, axis: &Axis) -> Result<Range, String> {
    let (lower, upper) = match bound {
        Bound::Range { lower, upper } => (lower, upper),
        Bound::Default => return Err("the DEFAULT partition has no range".to_owned()),
        Bound::List => return Err("the partition holds a list of values, not a range".to_owned()),
        Bound::Hash => return Err("the partition holds a share of hashes, not a range".to_owned()),
    };
    let ([lower], [upper]) = (lower.as_slice(), upper.as_slice()) else {
        return Err(format!("the partition has a range over {} columns; one is understood", lower.len()));
    };
    let (lower, upper) = (edge(lower, axis)?, edge(upper, axis)?);
    Range::new(lower, upper).ok_or_else(|| match lower {
        Edge::At(at) => format!("there is nothing from {} on in the partition's range", axis.literal(at)),
        _ => "the partition's range holds nothing but infinity".to_owned(),
    })
}

fn edge(datum: &Datum, axis: &Axis) -> Result<Edge, String> {
    match datum {
        Datum::Min => Ok(Edge::Min),
        Datum::Max => Ok(Edge::Max),
        Datum::Literal(literal) => axis.parse(literal),
    }
}

struct Reader {
    words: Vec<Word>,
    at: usize,
}

impl Reader {
    fn bound(&mut self) -> Result<Bound, String> {
        if self.keyword("DEFAULT") {
            return Ok(Bound::Default);
        }
        self.word("FOR")?;
        self.word("VALUES")?;
        if self.keyword("FROM") {
            let lower = self.list()?;
            self.word("TO")?;
            let upper = self.list()?;
            if lower.len() != upper.len() {
                return Err(format!("{} values at its lower end, {} at its upper", lower.len(), upper.len()));
            }
            return Ok(Bound::Range { lower, upper });
        }
        if self.keyword("IN") {
            return self.list().map(|_| Bound::List);
        }
        if self.keyword("WITH") {
            self.hash()?;
            return Ok(Bound::Hash);
        }
        Err(self.expected("FROM, IN or WITH"))
    }

    fn hash(&mut self) -> Result<(), String> {
        self.mark('(')?;
        self.word("modulus")?;
        self.number()?;
        self.mark(',')?;
        self.word("remainder")?;
        self.number()?;
        self.mark(')')
    }

    fn list(&mut self) -> Result<Vec<Datum>, String> {
        self.mark('(')?;
        let mut data = Vec::new();
        loop {
            data.push(self.datum()?);
            if self.is_mark(')') {
                return Ok(data);
            }
            if !self.is_mark(',') {
                return Err(self.expected(", or )"));
            }
        }
    }

    fn datum(&mut self) -> Result<Datum, String> {
        for (keyword, datum) in [("MINVALUE", Datum::Min), ("MAXVALUE", Datum::Max)] {
            if self.keyword(keyword) {
                return Ok(datum);
            }
        }
        let mut open = 0_usize;
        while self.is_mark('(') {
            open += 1;
        }
        let literal = self.literal()?;
        self.suffixes()?;
        for _ in 0..open {
            self.mark(')')?;
            self.suffixes()?;
        }
        Ok(Datum::Literal(literal))
    }

    /// `'x'`, `-5`, `TRUE`, and `DATE 'x'` with the words of a type in front.
    fn literal(&mut self) -> Result<String, String> {
        let sign = match self.words.get(self.at) {
            Some(Word::Mark(sign @ ('-' | '+'))) => Some(*sign),
            _ => None,
        };
        if let Some(sign) = sign {
            self.at += 1;
            let number = self.number()?;
            return Ok(if sign == '-' { format!("-{number}") } else { number });
        }
        if matches!(self.words.get(self.at), Some(Word::Number(_))) {
            return self.number();
        }
        for (keyword, literal) in [("TRUE", "true"), ("FALSE", "false"), ("NULL", "NULL")] {
            if self.keyword(keyword) {
                return Ok(literal.to_owned());
            }
        }
        if matches!(self.words.get(self.at), Some(Word::Name(_))) {
            self.type_name()?;
        }
        match self.words.get(self.at) {
            Some(Word::Quoted(text)) => {
                self.at += 1;
                Ok(text.clone())
            }
            _ => Err(self.expected("a value")),
        }
    }

    /// Casts and a collation.
    fn suffixes(&mut self) -> Result<(), String> {
        loop {
            if matches!(self.words.get(self.at), Some(Word::Cast)) {
                self.at += 1;
                self.type_name()?;
            } else if self.keyword("COLLATE") {
                self.type_name()?;
            } else {
                return Ok(());
            }
        }
    }

    /// `text`, `timestamp(3) with time zone`, `app."Kind"[]`.
    fn type_name(&mut self) -> Result<(), String> {
        if !matches!(self.words.get(self.at), Some(Word::Name(_))) {
            return Err(self.expected("the name of a type"));
        }
        loop {
            match self.words.get(self.at) {
                Some(Word::Name(name)) if name.eq_ignore_ascii_case("COLLATE") => return Ok(()),
                Some(Word::Name(_) | Word::Mark('.' | '[' | ']')) => self.at += 1,
                Some(Word::Mark('(')) => {
                    self.at += 1;
                    self.number()?;
                    if self.is_mark(',') {
                        self.number()?;
                    }
                    self.mark(')')?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn number(&mut self) -> Result<String, String> {
        match self.words.get(self.at) {
            Some(Word::Number(number)) => {
                self.at += 1;
                Ok(number.clone())
            }
            _ => Err(self.expected("a number")),
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.words.get(self.at), Some(Word::Name(name)) if name.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, keyword: &str) -> Result<(), String> {
        if self.keyword(keyword) { Ok(()) } else { Err(self.expected(keyword)) }
    }

    fn is_mark(&mut self, mark: char) -> bool {
        let found = self.words.get(self.at) == Some(&Word::Mark(mark));
        self.at += usize::from(found);
        found
    }

    fn mark(&mut self, mark: char) -> Result<(), String> {
        if self.is_mark(mark) { Ok(()) } else { Err(self.expected(&mark.to_string())) }
    }

    fn expected(&self, what: &str) -> String {
        match self.words.get(self.at) {
            Some(word) => format!("{what} was expected at {word}"),
            None => format!("it ends where {what} was expected"),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
