//! Compares a set of migrations with a database's history: every finding at once, as values. Pure.

use super::history::Row;
use super::read::Snapshot;
use super::source::{File, MigrationSet};
use super::words;

/// The state of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// In the history with this very text.
    Applied,
    /// In the set only.
    Pending,
    /// In the set only, although a later version is applied.
    OutOfOrder,
    /// In the history with another text.
    Divergent(Difference),
    /// In the history only.
    Missing,
    /// Its history row cannot be read.
    Damaged(String),
}

/// How an applied text differs from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Only its line ends or a final newline.
    LineEnds,
    /// Only comments or white space.
    CommentsOrSpace,
    /// Only its name.
    Name,
    /// Something that may matter, as far as can be known.
    Content,
}

impl Difference {
    /// What a person reads.
    pub fn describe(self) -> &'static str {
        match self {
            Difference::LineEnds => "only line ends differ",
            Difference::CommentsOrSpace => "only comments or white space differ",
            Difference::Name => "only its name differs",
            Difference::Content => "its statements differ from what was applied",
        }
    }
}

impl State {
    /// The stable name that scripts match.
    pub fn id(&self) -> &'static str {
        match self {
            State::Applied => "applied",
            State::Pending => "pending",
            State::OutOfOrder => "out_of_order",
            State::Divergent(_) => "divergent",
            State::Missing => "missing",
            State::Damaged(_) => "damaged",
        }
    }
}

/// One version as both sides see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version.
    pub version: i64,
    /// Its state.
    pub state: State,
    /// The file, unless missing.
    pub file: Option<File>,
    /// The history row, unless pending.
    pub row: Option<Row>,
}

/// All versions, and what concerns the database as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// By version.
    pub entries: Vec<Entry>,
    /// The embedded system whose history this is, when it is not the one asked for.
    pub other_system: Option<String>,
    /// What is wrong with the history as a table: a line each.
    pub faults: Vec<String>,
}

impl Assessment {
    /// Entries that would be applied, in order.
    pub fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| matches!(e.state, State::Pending | State::OutOfOrder))
    }

    /// Entries that stand in the way of applying anything.
    pub fn obstacles(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| matches!(e.state, State::Divergent(_) | State::Missing | State::Damaged(_)))
    }
}

/// Compares.
pub fn assess(set: &MigrationSet, snapshot: &Snapshot) -> Assessment {
    let rows: &[Row] = snapshot.history.as_ref().map_or(&[], |h| &h.rows);
    let newest = rows.last().map(|row| row.version);
    let mut entries: Vec<Entry> = Vec::with_capacity(set.files.len().max(rows.len()));
    let (mut files, mut applied) = (set.files.iter().peekable(), rows.iter().peekable());
    loop {
        let entry = match (files.peek(), applied.peek()) {
            (None, None) => break,
            (Some(file), row) if row.is_none_or(|row| file.identity.version < row.version) => {
                let late = newest.is_some_and(|newest| file.identity.version < newest) && !file.identity.unordered;
                let state = if late { State::OutOfOrder } else { State::Pending };
                Entry { version: file.identity.version, state, file: files.next().cloned(), row: None }
            }
            (Some(file), Some(row)) if file.identity.version == row.version => Entry {
                version: row.version,
                state: both(file, row, snapshot),
                file: files.next().cloned(),
                row: applied.next().cloned(),
            },
            (_, Some(row)) => {
                Entry { version: row.version, state: State::Missing, file: None, row: applied.next().cloned() }
            }
            (Some(_), None) => break,
        };
        entries.push(entry);
    }
    let faults = snapshot.history.as_ref().map_or_else(Vec::new, |history| history.faults.clone());
    Assessment { other_system: other_system(set, snapshot, &entries), entries, faults }
}

fn both(file: &File, row: &Row, snapshot: &Snapshot) -> State {
    let Some(checksum) = row.checksum() else { return State::Damaged(row.damage().unwrap_or_default()) };
    if file.identity.matches(checksum) {
        // refinery compares the name too.
        let applied = if row.name == file.identity.name { State::Applied } else { State::Divergent(Difference::Name) };
        return row.damage().map_or(applied, State::Damaged);
    }
    State::Divergent(difference(file, row, checksum, snapshot))
}

fn difference(file: &File, row: &Row, checksum: u64, snapshot: &Snapshot) -> Difference {
    let same = |stem: &str, text: &str| {
        super::history::Identity::of(stem, text).is_ok_and(|identity| identity.matches(checksum))
    };
    if row.name != file.identity.name && same(&format!("V{}__{}", row.version, row.name), &file.sql) {
        return Difference::Name;
    }
    let unix = file.sql.replace("\r\n", "\n");
    let trimmed = unix.trim_end_matches('\n');
    let variants = [
        unix.clone(),
        unix.replace('\n', "\r\n"),
        trimmed.to_owned(),
        format!("{trimmed}\n"),
        format!("{trimmed}\n\n"),
    ];
    if variants.iter().any(|text| same(&file.stem, text)) {
        return Difference::LineEnds;
    }
    let noted = snapshot.noted.as_ref().and_then(|noted| noted.get(&row.version));
    if noted.is_some_and(|noted| noted.normal_form == words::normal_form(&file.sql)) {
        return Difference::CommentsOrSpace;
    }
    Difference::Content
}

/// A database of another system: by what dbctl noted, else by the names in the history.
fn other_system(set: &MigrationSet, snapshot: &Snapshot, entries: &[Entry]) -> Option<String> {
    let own = set.system()?;
    let noted = snapshot.noted.as_ref().and_then(|noted| noted.values().find_map(|n| n.system.clone()));
    if let Some(noted) = noted {
        return (noted != own).then_some(noted);
    }
    let rows: Vec<&Row> = entries.iter().filter_map(|e| e.row.as_ref()).collect();
    let first = rows.first()?;
    if set.files.iter().any(|f| f.identity.version == first.version && f.identity.name == first.name) {
        return None;
    }
    super::embedded::SYSTEMS.iter().filter(|s| s.name != own).find_map(|other| {
        let stems = other.migrations();
        let holds = |row: &&Row| stems.iter().any(|(stem, _)| stem.ends_with(&format!("__{}", row.name)));
        rows.iter().all(holds).then(|| other.name.to_owned())
    })
}

#[cfg(test)]
mod tests;
