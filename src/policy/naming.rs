//! What partitions are called. Cosmetic: bounds decide everything else. Pure.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{Datelike, NaiveDate, NaiveDateTime};
use sha2::{Digest, Sha256};

use super::calendar::{Axis, Every, Unit};
use super::key::{Edge, Range};

/// PostgreSQL cuts longer names, and two may become one.
const LONGEST: usize = 63;

/// `{table}_{from:%Y_%m}`: pieces of text and what fills them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Table,
    /// `{from:…}`, with a format of strftime.
    From(String),
    /// `{to:…}`
    To(String),
    /// The number of the quarter that the range begins in.
    Quarter,
    Lower,
    Upper,
    /// `b` in the hour that a clock shows for the second time.
    Again,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            pieces.extend((!before.is_empty()).then(|| Piece::Text(before.to_owned())));
            let Some((inside, after)) = from.strip_prefix('{').and_then(|from| from.split_once('}')) else {
                return Err(format!("'{text}' has a brace without its counterpart"));
            };
            pieces.push(piece(inside)?);
            rest = after;
        }
        pieces.extend((!rest.is_empty()).then(|| Piece::Text(rest.to_owned())));
        if text.chars().any(char::is_control) {
            return Err("a name cannot hold control characters".to_owned());
        }
        let differs = |piece: &Piece| matches!(piece, Piece::From(_) | Piece::To(_) | Piece::Lower | Piece::Upper);
        if !pieces.iter().any(differs) {
            return Err(format!("'{text}' names all partitions the same: use {{from:%Y_%m_%d}} or {{lower}}"));
        }
        Ok(Template { pieces })
    }

    /// The grid's own way to name: `_YYYY_MM` for months.
    pub fn of(every: Every) -> Template {
        let from = |format: &str| Piece::From(format.to_owned());
        let text = |text: &str| Piece::Text(text.to_owned());
        let tail = match every {
            Every::Values(_) => vec![text("_"), Piece::Lower],
            Every::Time { unit: Unit::Hour, .. } => vec![from("_%Y_%m_%d_%H"), Piece::Again],
            Every::Time { unit: Unit::Day, .. } => vec![from("_%Y_%m_%d")],
            Every::Time { unit: Unit::Week, .. } => vec![from("_%G_w%V")],
            Every::Time { unit: Unit::Month, .. } => vec![from("_%Y_%m")],
            Every::Time { unit: Unit::Quarter, .. } => vec![from("_%Y_q"), Piece::Quarter],
            Every::Time { unit: Unit::Year, .. } => vec![from("_%Y")],
        };
        Template { pieces: [vec![Piece::Table], tail].concat() }
    }

    /// A name of at most 63 bytes; a longer one is cut and ends in a hash of the whole. An end that is
    /// open is `min` or `max`.
    pub fn name(&self, table: &str, range: Range, axis: &Axis) -> String {
        shortened(self.filled(table, range, axis))
    }

    /// The name with the exact lower end behind it, for when the other is taken: a range that is not a
    /// whole period, between others that are.
    pub fn exact_name(&self, table: &str, range: Range, axis: &Axis) -> String {
        let mut name = self.filled(table, range, axis) + "_";
        edge_by(&mut name, range.lower(), axis, "%d_%H%M%S");
        shortened(name)
    }

    fn filled(&self, table: &str, range: Range, axis: &Axis) -> String {
        let mut name = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Table => name.push_str(table),
                Piece::From(format) => edge_by(&mut name, range.lower(), axis, format),
                Piece::To(format) => edge_by(&mut name, range.upper(), axis, format),
                Piece::Quarter => {
                    if let Some(wall) = wall(range.lower(), axis) {
                        let _ = write!(name, "{}", wall.month0() / 3 + 1);
                    }
                }
                Piece::Lower => position(&mut name, range.lower()),
                Piece::Upper => position(&mut name, range.upper()),
                Piece::Again => {
                    let again = matches!(range.lower(), Edge::At(at) if axis.shown_again(at));
                    name.push_str(if again { "b" } else { "" });
                }
            }
        }
        name
    }
}

fn piece(inside: &str) -> Result<Piece, String> {
    match inside.split_once(':') {
        Some(("from", format)) => Ok(Piece::From(checked(format)?)),
        Some(("to", format)) => Ok(Piece::To(checked(format)?)),
        None if inside == "table" => Ok(Piece::Table),
        None if inside == "quarter" => Ok(Piece::Quarter),
        None if inside == "lower" => Ok(Piece::Lower),
        None if inside == "upper" => Ok(Piece::Upper),
        None if inside == "from" || inside == "to" => {
            Err(format!("{{{inside}}} needs a format: {{{inside}:%Y_%m_%d}}"))
        }
        _ => Err(format!(
            "{{{inside}}} is unknown: there are {{table}}, {{from:%Y_%m}}, {{to:%Y_%m}}, {{quarter}}, {{lower}}, {{upper}}"
        )),
    }
}

/// A format of strftime that says something of a wall clock; chrono would panic on others.
fn checked(format: &str) -> Result<String, String> {
    let not = |why: &str| format!("'{format}' is not a format of a time: {why}");
    if StrftimeItems::new(format).any(|item| item == Item::Error) {
        return Err(not("see strftime, such as %Y, %m, %d, %H, %G, %V"));
    }
    let sample = NaiveDate::from_ymd_opt(2024, 2, 29).and_then(|day| day.and_hms_opt(13, 14, 15));
    let Some(sample) = sample.and_then(|sample| written(sample, format)) else {
        return Err(not("a bound's time has no zone"));
    };
    if sample.is_empty() || sample.chars().any(char::is_control) {
        return Err(not("it must leave something that can be read"));
    }
    Ok(format.to_owned())
}

fn written(wall: NaiveDateTime, format: &str) -> Option<String> {
    let mut text = String::new();
    write!(text, "{}", wall.format(format)).ok()?;
    Some(text)
}

fn wall(edge: Edge, axis: &Axis) -> Option<NaiveDateTime> {
    match edge {
        Edge::At(at) => axis.wall(at),
        Edge::Min | Edge::Max => None,
    }
}

/// An end by a format. What the format begins with (`_` of `_%Y`) stays where there is no time.
fn edge_by(name: &mut String, edge: Edge, axis: &Axis, format: &str) {
    match wall(edge, axis).and_then(|wall| written(wall, format)) {
        Some(text) => name.push_str(&text),
        None => {
            name.push_str(format.split('%').next().unwrap_or_default());
            position(name, edge);
        }
    }
}

fn position(name: &mut String, edge: Edge) {
    match edge {
        Edge::Min => name.push_str("min"),
        Edge::At(at) => {
            let _ = write!(name, "{at}");
        }
        Edge::Max => name.push_str("max"),
    }
}

fn shortened(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let hash = Sha256::digest(name.as_bytes());
    let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}_{hash}", &name[..name.floor_char_boundary(LONGEST - 1 - hash.len())])
}

#[cfg(test)]
#[path = "naming_tests.rs"]
mod tests;
