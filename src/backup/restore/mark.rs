//! What a database says of itself while it is restored, and what one says that was swapped out: its comment, which
//! goes wherever it goes and survives every kill. A name alone tells nothing; between CREATE DATABASE and its comment
//! the connection limit is what tells. Pure.

use chrono::{NaiveDateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::plan;

const WORD: &str = "dbctl restore: ";
/// The word and the form of the time in the name of a database that is being made.
pub const BUILDING: &str = "restore";
const STAMP: &str = "%Y%m%d%H%M%S%3f";

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
    /// What of the backup it holds; none in one of an earlier dbctl, which did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Wanted>,
}

/// What of a backup was wanted: all of it where nothing is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Tables, as they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Schemas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemas: Vec<String>,
}

impl Mark {
    /// As COMMENT ON DATABASE takes it.
    ///
    /// # Errors
    /// None in practice.
    pub fn text(&self) -> crate::error::Result<String> {
        Ok(format!("{WORD}{}", serde_json::to_string(self)?))
    }

    /// Whether it holds just that, with every row.
    pub fn holds(&self, backup: &str, wanted: &Wanted) -> bool {
        let state = matches!(self.state, State::Proven | State::Ready);
        state && self.backup == backup && self.wanted.as_ref() == Some(wanted)
    }

    /// Of a comment; none where it is anybody else's.
    pub fn read(comment: Option<&str>) -> Option<Mark> {
        serde_json::from_str(comment?.strip_prefix(WORD)?).ok()
    }

    /// Of a database that a run was killed at before it could comment on it: what CREATE DATABASE itself said.
    pub fn newborn(name: &str, limit: i32, target: &str) -> Option<Mark> {
        let (_, stamp) = name.rsplit_once('_')?;
        let at = NaiveDateTime::parse_from_str(stamp, STAMP).ok()?.and_utc();
        let ours = plan::aside(target, BUILDING, stamp) == name && newborn_limit(name, target) == limit;
        ours.then(|| Mark {
            state: State::Building,
            backup: String::new(),
            target: target.to_owned(),
            at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
            comment: None,
            wanted: None,
        })
    }

    /// What of the backup it holds, in words.
    pub fn held(&self) -> String {
        let Some(Wanted { tables, schemas }) = &self.wanted else { return "what it does not say".to_owned() };
        if tables.is_empty() && schemas.is_empty() {
            return "all of it".to_owned();
        }
        let flags = tables.iter().map(|name| format!("--table {name}"));
        let flags = flags.chain(schemas.iter().map(|name| format!("--schema {name}")));
        format!("only {}: say the same", flags.collect::<Vec<_>>().join(" "))
    }

    /// The same, further on.
    #[must_use]
    pub fn moved_to(&self, state: State) -> Mark {
        Mark { state, ..self.clone() }
    }
}

/// CREATE DATABASE sets it together with the name, so that no kill can come between the two: a connection limit of more
/// than half a billion, which nobody chooses, derived from the name and from whose it is to be.
pub fn newborn_limit(name: &str, target: &str) -> i32 {
    let digest = Sha256::new().chain_update(name).chain_update([0]).chain_update(target).finalize();
    let number = digest.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    (1 << 29) + (number & 0x1fff_ffff).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newborn_is_known_by_its_name_its_limit_and_whose_it_is() {
        let stamp = "20261127174532977";
        for target in ["shop", "shop_restore", &"ä".repeat(31)] {
            let name = plan::aside(target, BUILDING, stamp);
            let limit = newborn_limit(&name, target);
            let mark = Mark::newborn(&name, limit, target).unwrap();
            assert_eq!((mark.state, mark.at.as_str()), (State::Building, "2026-11-27T17:45:32.977Z"));
            assert!(limit >= 1 << 29);
            for (name, limit, target) in [
                (name.as_str(), -1, target),
                (&name, limit, "other"),
                (&name.replace("977", "978"), limit, target),
                ("shop_restore_mine", limit, target),
            ] {
                assert_eq!(Mark::newborn(name, limit, target), None, "{name}");
            }
        }
    }

    #[test]
    fn only_our_own_comments_are_marks() {
        let mark = Mark {
            state: State::Proven,
            backup: "b".into(),
            target: "Shop \"1\"".into(),
            at: "2026-11-27T01:02:03Z".into(),
            comment: Some("it's".into()),
            wanted: Some(Wanted { tables: vec!["public.t".into()], schemas: Vec::new() }),
        };
        assert_eq!(Mark::read(Some(&mark.text().unwrap())), Some(mark));
        for other in [None, Some(""), Some("dbctl restore: "), Some("the shop"), Some("dbctl restore: {}")] {
            assert_eq!(Mark::read(other), None, "{other:?}");
        }
    }
}
