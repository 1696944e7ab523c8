//! By what a scratch database is known for one, so that what a killed run left behind can be dropped
//! and nothing else ever is. Pure.

use sha2::{Digest, Sha256};

const PREFIX: &str = "dbctl_scratch_";
/// Younger ones may belong to a run that is at work without being connected just now.
const STALE_AFTER_SECONDS: i64 = 24 * 60 * 60;
const COMMENT: &str = "scratch database of dbctl, dropped when its run ends";

/// A scratch database's name and what else marks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// `dbctl_scratch_<seconds since 1970>_<16 hex digits>`.
    pub(super) name: String,
}

/// A database whose name begins as ours do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) connection_limit: i32,
    pub(super) comment: Option<String>,
    pub(super) owned: bool,
    pub(super) in_use: bool,
}

impl Mark {
    /// A new one; `now` is the server's clock.
    pub(super) fn new(now: i64, random: u64) -> Mark {
        Mark { name: format!("{PREFIX}{now}_{random:016x}") }
    }

    /// CREATE DATABASE sets it together with the name, so that no kill can come between the two: a
    /// connection limit of more than half a billion, which nobody chooses, derived from the name.
    pub(super) fn connection_limit(&self) -> i32 {
        let digest = Sha256::digest(self.name.as_bytes());
        let number = digest.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        (1 << 29) + (number & 0x1fff_ffff).cast_signed()
    }

    /// What the database says of itself to those who find it.
    pub(super) fn comment(&self) -> String {
        format!("{COMMENT}; mark {}", self.connection_limit())
    }
}

impl Found {
    /// Whether a run that was killed left this: its name has our very form and is old enough, and the
    /// database itself carries the mark that belongs to that name. One that somebody else has
    /// commented, owns or uses is not ours.
    pub(super) fn is_stale(&self, now: i64) -> bool {
        let Some(made) = made_at(&self.name) else { return false };
        let mark = Mark { name: self.name.clone() };
        // A run killed right after CREATE DATABASE has not commented yet.
        let ours = self.comment.as_ref().is_none_or(|comment| *comment == mark.comment());
        ours && self.connection_limit == mark.connection_limit()
            && self.owned
            && !self.in_use
            && now.saturating_sub(made) > STALE_AFTER_SECONDS
    }
}

fn made_at(name: &str) -> Option<i64> {
    let (made, random) = name.strip_prefix(PREFIX)?.split_once('_')?;
    let digits = made.len() >= 10 && made.bytes().all(|b| b.is_ascii_digit());
    let hex = random.len() == 16 && random.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    made.parse().ok().filter(|_| digits && hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn left(age: i64) -> Found {
        let mark = Mark::new(NOW - age, 0xabc);
        Found {
            connection_limit: mark.connection_limit(),
            comment: Some(mark.comment()),
            name: mark.name,
            owned: true,
            in_use: false,
        }
    }

    #[test]
    fn only_what_is_marked_old_ours_and_unused_is_stale() {
        let day = STALE_AFTER_SECONDS;
        assert!(left(day + 1).is_stale(NOW));
        assert!(Found { comment: None, ..left(day + 1) }.is_stale(NOW));
        for kept in [
            left(day - 1),
            Found { in_use: true, ..left(day + 1) },
            Found { owned: false, ..left(day + 1) },
            Found { connection_limit: -1, ..left(day + 1) },
            Found { comment: Some("keep".into()), ..left(day + 1) },
            Found { name: Mark::new(NOW - day - 1, 0xdef).name, ..left(day + 1) },
            Found { name: format!("{PREFIX}1700000000_mine"), ..left(day + 1) },
            Found { name: format!("{PREFIX}prod"), ..left(day + 1) },
        ] {
            assert!(!kept.is_stale(NOW), "{kept:?}");
        }
    }

    #[test]
    fn a_copy_or_a_renamed_database_does_not_carry_the_mark_of_its_new_name() {
        let (one, other) = (Mark::new(NOW, 1), Mark::new(NOW, 2));
        assert_ne!(one.connection_limit(), other.connection_limit());
        assert!(one.connection_limit() >= 1 << 29 && one.name.len() < 63);
    }
}
