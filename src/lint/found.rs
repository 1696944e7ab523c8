//! One finding, as the rules make it. Pure.

use std::ops::Range;

use super::rule::Rule;
use crate::output::Level;
use crate::steps::LockMode;
use crate::steps::guard::Name;

/// What a rule found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) rule: &'static Rule,
    pub(super) level: Level,
    /// Its bytes in the file.
    pub(super) span: Range<usize>,
    /// One sentence.
    pub(super) danger: String,
    /// The lock and whom it blocks.
    pub(super) lock: Option<String>,
    /// SQL, or words.
    pub(super) fix: Option<String>,
    /// The table that it is about.
    pub(super) table: Option<Name>,
}

impl Found {
    pub(super) fn new(rule: &'static Rule, span: &Range<usize>, danger: impl Into<String>) -> Found {
        Found { rule, level: rule.level, span: span.clone(), danger: danger.into(), lock: None, fix: None, table: None }
    }

    /// The table that it is about, locked like this.
    pub(super) fn locks(mut self, mode: LockMode, table: &Name) -> Found {
        self.lock = Some(format!("{mode} on {table}: blocks {}", whom(mode)));
        self.table.get_or_insert_with(|| table.clone());
        self
    }

    /// The table that it is about, and every row of it.
    pub(super) fn locks_rows(mut self, table: &Name) -> Found {
        let mode = LockMode::RowExclusive;
        self.lock =
            Some(format!("{mode} on {table}, and every row of it: blocks whoever writes to these rows; reads go on"));
        self.about(table)
    }

    /// Another table that is locked as well.
    pub(super) fn also_locks(mut self, mode: LockMode, table: &Name) -> Found {
        let also = format!("{mode} on {table}: blocks {}", whom(mode));
        self.lock = Some(self.lock.map_or(also.clone(), |lock| format!("{lock}; {also}")));
        self
    }

    /// The table that it is about, without a lock worth a word.
    pub(super) fn about(mut self, table: &Name) -> Found {
        self.table = Some(table.clone());
        self
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Found {
        self.fix = Some(fix.into());
        self
    }

    pub(super) fn level(mut self, level: Level) -> Found {
        self.level = level;
        self
    }
}

/// Whom a lock keeps waiting, as a person says it.
pub(super) fn whom(mode: LockMode) -> &'static str {
    match mode {
        LockMode::AccessExclusive => "every read and write, and queues those that come after",
        LockMode::Exclusive | LockMode::ShareRowExclusive | LockMode::Share => "every write; reads go on",
        LockMode::ShareUpdateExclusive => "VACUUM and other schema changes; reads and writes go on",
        LockMode::RowExclusive | LockMode::RowShare | LockMode::AccessShare => "no reads or writes of other rows",
    }
}
