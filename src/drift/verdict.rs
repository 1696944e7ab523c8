//! Which differences fail a run, and how it ends. Pure.

use std::str::FromStr;

use super::Report;
use super::compare::Direction;
use crate::outcome::Outcome;
use crate::output::visible;

/// The differences that fail a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailOn(Vec<Direction>);

/// One word of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the flag")]
pub enum FailWord {
    Extra,
    Missing,
    Changed,
    Any,
    Never,
}

/// How a comparison ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No difference that counts.
    InSync,
    /// Differences that count.
    Drift,
    /// None, but a part could not be looked at.
    Unknown,
}

impl Default for FailOn {
    fn default() -> FailOn {
        FailOn(Direction::ALL.to_vec())
    }
}

impl FailOn {
    /// Of the words given; none is any.
    pub fn of(words: &[FailWord]) -> FailOn {
        if words.is_empty() {
            return FailOn::default();
        }
        let mut directions: Vec<Direction> = words.iter().flat_map(|word| word.directions()).copied().collect();
        directions.sort();
        directions.dedup();
        FailOn(directions)
    }

    /// Whether a difference fails the run.
    pub fn counts(&self, direction: Direction) -> bool {
        self.0.contains(&direction)
    }
}

impl FailWord {
    /// Every spelling.
    pub const NAMES: [&'static str; 5] = ["extra", "missing", "changed", "any", "never"];

    fn directions(self) -> &'static [Direction] {
        match self {
            FailWord::Extra => &[Direction::Extra],
            FailWord::Missing => &[Direction::Missing],
            FailWord::Changed => &[Direction::Changed, Direction::Renamed],
            FailWord::Any => &Direction::ALL,
            FailWord::Never => &[],
        }
    }
}

impl FromStr for FailWord {
    type Err = String;

    fn from_str(text: &str) -> Result<FailWord, String> {
        Ok(match text {
            "extra" => FailWord::Extra,
            "missing" => FailWord::Missing,
            "changed" => FailWord::Changed,
            "any" => FailWord::Any,
            "never" => FailWord::Never,
            _ => return Err(format!("'{}' is not one of {}", visible(text), FailWord::NAMES.join(", "))),
        })
    }
}

impl Verdict {
    /// How the run ends.
    pub fn outcome(self) -> Outcome {
        match self {
            Verdict::InSync => Outcome::Done,
            Verdict::Drift => Outcome::Findings,
            Verdict::Unknown => Outcome::Failed,
        }
    }
}

impl Report {
    /// How it ended: what was found counts before what could not be told.
    pub fn verdict(&self) -> Verdict {
        if self.found.iter().any(|(difference, _)| self.fail_on.counts(difference.direction())) {
            Verdict::Drift
        } else if self.unknown.is_empty() {
            Verdict::InSync
        } else {
            Verdict::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_which_differences_count() {
        let of = |words: &[&str]| FailOn::of(&words.iter().map(|word| word.parse().unwrap()).collect::<Vec<_>>());
        assert_eq!(of(&[]), of(&["any"]));
        assert!(of(&["changed"]).counts(Direction::Renamed) && !of(&["changed"]).counts(Direction::Extra));
        assert!(of(&["extra", "missing"]).counts(Direction::Missing));
        assert!(Direction::ALL.iter().all(|direction| !of(&["never"]).counts(*direction)));
        assert!("all".parse::<FailWord>().is_err());
    }
}
