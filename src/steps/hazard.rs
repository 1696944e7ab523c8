//! What a statement does to those who use the database meanwhile: the lock it takes on which
//! table, and what is lost or slow. Pure values.

use std::fmt;

/// A table lock mode, weakest first (PostgreSQL documentation, 13.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockMode {
    /// SELECT.
    AccessShare,
    /// SELECT FOR UPDATE.
    RowShare,
    /// INSERT, UPDATE, DELETE.
    RowExclusive,
    /// VACUUM, CREATE INDEX CONCURRENTLY, VALIDATE CONSTRAINT.
    ShareUpdateExclusive,
    /// CREATE INDEX.
    Share,
    /// CREATE TRIGGER, ADD FOREIGN KEY.
    ShareRowExclusive,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Most of ALTER TABLE, DROP, TRUNCATE.
    AccessExclusive,
}

impl LockMode {
    /// The mode as `LOCK TABLE` spells it.
    pub fn sql(self) -> &'static str {
        match self {
            LockMode::AccessShare => "ACCESS SHARE",
            LockMode::RowShare => "ROW SHARE",
            LockMode::RowExclusive => "ROW EXCLUSIVE",
            LockMode::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            LockMode::Share => "SHARE",
            LockMode::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            LockMode::Exclusive => "EXCLUSIVE",
            LockMode::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The mode as `pg_locks` spells it: `AccessShareLock`.
    pub fn of_catalog(text: &str) -> Option<LockMode> {
        Some(match text {
            "AccessShareLock" => LockMode::AccessShare,
            "RowShareLock" => LockMode::RowShare,
            "RowExclusiveLock" => LockMode::RowExclusive,
            "ShareUpdateExclusiveLock" => LockMode::ShareUpdateExclusive,
            "ShareLock" => LockMode::Share,
            "ShareRowExclusiveLock" => LockMode::ShareRowExclusive,
            "ExclusiveLock" => LockMode::Exclusive,
            "AccessExclusiveLock" => LockMode::AccessExclusive,
            _ => return None,
        })
    }

    /// The mode as people write it: `ACCESS EXCLUSIVE`, `access-exclusive`, `AccessExclusiveLock`.
    pub fn named(text: &str) -> Option<LockMode> {
        let plain = |text: &str| text.replace([' ', '-', '_'], "").to_ascii_lowercase();
        let wanted = plain(text);
        let wanted = wanted.strip_suffix("lock").unwrap_or(&wanted);
        LockMode::ALL.into_iter().find(|mode| plain(mode.sql()) == wanted)
    }

    /// Every mode, weakest first.
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::Share,
        LockMode::ShareRowExclusive,
        LockMode::Exclusive,
        LockMode::AccessExclusive,
    ];

    /// Whether both cannot be held at once by two sessions (PostgreSQL documentation, table 13.2).
    pub fn conflicts_with(self, other: LockMode) -> bool {
        use LockMode::{AccessExclusive, AccessShare, Exclusive, RowExclusive, RowShare, Share, ShareUpdateExclusive};
        let (weaker, stronger) = (self.min(other), self.max(other));
        match weaker {
            AccessShare => stronger == AccessExclusive,
            RowShare => stronger >= Exclusive,
            RowExclusive => stronger >= Share,
            Share => stronger != Share,
            ShareUpdateExclusive | LockMode::ShareRowExclusive | Exclusive | AccessExclusive => true,
        }
    }

    /// Whom the lock keeps waiting.
    pub fn blocks(self) -> &'static str {
        match self {
            LockMode::AccessShare | LockMode::RowShare | LockMode::RowExclusive => "no reads or writes",
            LockMode::ShareUpdateExclusive => "other schema changes",
            LockMode::Share | LockMode::ShareRowExclusive | LockMode::Exclusive => "writes",
            LockMode::AccessExclusive => "reads and writes",
        }
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sql())
    }
}

/// A lock that a statement takes on a table that others may be using.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableLock {
    /// The table as the statement names it.
    pub table: String,
    /// The mode.
    pub mode: LockMode,
}

impl fmt::Display for TableLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.mode, self.table)
    }
}

/// Something that deserves a second look before it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hazard {
    /// Data is gone afterwards: `DROP TABLE orders`.
    Destroys(String),
    /// The table is rewritten or read whole under its lock: `ALTER COLUMN a TYPE`.
    Rewrites(String),
    /// What it locks cannot be told from its text: `DO`, `CALL`, a function call.
    Opaque(String),
}

impl Hazard {
    /// The stable name that scripts match.
    pub fn id(&self) -> &'static str {
        match self {
            Hazard::Destroys(_) => "destroys",
            Hazard::Rewrites(_) => "rewrites",
            Hazard::Opaque(_) => "opaque",
        }
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hazard::Destroys(what) => write!(f, "destroys data: {what}"),
            Hazard::Rewrites(what) => write!(f, "may rewrite or scan the table: {what}"),
            Hazard::Opaque(what) => write!(f, "locks unknown: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LockMode;

    #[test]
    fn modes_have_the_names_that_people_write() {
        for mode in LockMode::ALL {
            assert_eq!(LockMode::named(mode.sql()), Some(mode));
        }
        for text in ["access-exclusive", "AccessExclusiveLock", "ACCESS EXCLUSIVE", "access_exclusive"] {
            assert_eq!(LockMode::named(text), Some(LockMode::AccessExclusive), "{text}");
        }
        assert_eq!(LockMode::named("exclusively"), None);
    }

    #[test]
    fn modes_conflict_as_the_documentation_says() {
        let modes = LockMode::ALL;
        let rows: Vec<String> = modes
            .iter()
            .map(|a| modes.iter().map(|b| if a.conflicts_with(*b) { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(
            rows,
            [
                "".to_owned() + ".......#",
                "......##".into(),
                "....####".into(),
                "...#####".into(),
                "..##.###".into(),
                "..######".into(),
                ".#######".into(),
                "########".into()
            ]
        );
    }
}
