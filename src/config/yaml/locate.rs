//! Where in the text a place is. serde_yaml gives positions only with errors, so an error is raised
//! at the place and its position taken: exact, because the parser itself says it.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Place;

/// A line and a column, counted from 1, the column and the length in characters.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub line: usize,
    pub column: usize,
    pub length: usize,
}

/// The key or the value at a place, if the text has it.
pub(super) fn find(text: &str, place: &Place) -> Option<Spot> {
    let seed = Locate { path: &place.path, at_key: place.at_key };
    let error = seed.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    let at = error.location()?;
    Some(sized(text, at.line(), at.column(), place.at_key))
}

/// How far the word at this position reaches.
fn sized(text: &str, line: usize, column: usize, is_key: bool) -> Spot {
    let source = text.lines().nth(line - 1).unwrap_or_default();
    let rest: Vec<char> = source.chars().skip(column - 1).collect();
    let quoted = |quote: char| rest.iter().skip(1).position(|c| *c == quote).map(|end| end + 2);
    let plain = || {
        let ends = |i: usize| match rest[i] {
            ':' => is_key && rest.get(i + 1).is_none_or(|next| next.is_whitespace()),
            '#' => i > 0 && rest[i - 1].is_whitespace(),
            ',' | '}' | ']' => true,
            _ => false,
        };
        let end = (0..rest.len()).find(|i| ends(*i)).unwrap_or(rest.len());
        end - rest[..end].iter().rev().take_while(|c| c.is_whitespace()).count()
    };
    let length = match rest.first() {
        Some(quote @ ('"' | '\'')) => quoted(*quote).unwrap_or(rest.len()),
        _ => plain(),
    };
    Spot { line, column, length: length.max(1) }
}

/// Walks down a path and stops with an error at its end.
struct Locate<'p> {
    path: &'p [usize],
    at_key: bool,
}

impl<'de> DeserializeSeed<'de> for Locate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            // Any value of an impossible type is refused, with its position.
            return deserializer.deserialize_any(Here);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Locate<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or a map")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((index, path)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        for _ in 0..*index {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Locate { path, ..self })?;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((index, path)) = self.path.split_first() else { return Err(A::Error::custom("here")) };
        for _ in 0..*index {
            entries.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if self.at_key && path.is_empty() {
            entries.next_key_seed(Locate { path, ..self })?;
            return Ok(());
        }
        entries.next_key::<IgnoredAny>()?;
        entries.next_value_seed(Locate { path, ..self })
    }
}

/// Refuses whatever it meets.
struct Here;

impl<'de> Visitor<'de> for Here {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}
