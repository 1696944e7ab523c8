//! What a database says of itself while it is restored, and what one says that was swapped out: its comment, which
//! goes wherever it goes and survives every kill. A name alone tells nothing. Pure.

use serde::{Deserialize, Serialize};

const WORD: &str = "dbctl restore: ";

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being filled: good for nothing yet.
    Building,
    /// Every row is in and proven; indexes and constraints are under way. `--resume` goes on here.
    Proven,
    /// Whole, and about to take its name.
    Ready,
    /// Was swapped out and is kept.
    Kept,
    /// Was kept, and is about to take its name again.
    Returning,
}

/// The comment of a database that a restore made or put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How far it is.
    pub state: State,
    /// The backup.
    pub backup: String,
    /// The name that it is to have, or had.
    pub target: String,
    /// Since when it is what it is, at UTC.
    pub at: String,
    /// The comment that belongs to it; put back with its name.
    pub comment: Option<String>,
}

impl Mark {
    /// As COMMENT ON DATABASE takes it.
    ///
    /// # Errors
    /// None in practice.
    pub fn text(&self) -> crate::error::Result<String> {
        Ok(format!("{WORD}{}", serde_json::to_string(self)?))
    }

    /// Of a comment; none where it is anybody else's.
    pub fn read(comment: Option<&str>) -> Option<Mark> {
        serde_json::from_str(comment?.strip_prefix(WORD)?).ok()
    }

    /// The same, further on.
    #[must_use]
    pub fn moved_to(&self, state: State) -> Mark {
        Mark { state, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_comments_are_marks() {
        let mark = Mark {
            state: State::Proven,
            backup: "b".into(),
            target: "Shop \"1\"".into(),
            at: "2026-11-27T01:02:03Z".into(),
            comment: Some("it's".into()),
        };
        assert_eq!(Mark::read(Some(&mark.text().unwrap())), Some(mark));
        for other in [None, Some(""), Some("dbctl restore: "), Some("the shop"), Some("dbctl restore: {}")] {
            assert_eq!(Mark::read(other), None, "{other:?}");
        }
    }
}
