//! Which statements matter: the wish, the order, the shares. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::measure::{Measure, Measures};
use super::read::{Counts, Entry, Key, Text};

/// What statements are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Execution time in all.
    Total,
    /// Execution time a call.
    Mean,
    /// The longest execution.
    Max,
    /// How often.
    Calls,
    /// Time of reading and writing, and blocks where that is not measured.
    Io,
    /// WAL.
    Wal,
    /// Temporary files.
    Temp,
    /// Time of planning.
    Plan,
    /// Time of compiling.
    Jit,
}

/// Which statements are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The order.
    pub sort: Sort,
    /// How many; 0 is all.
    pub limit: usize,
    /// Executed at least so often.
    pub min_calls: u32,
    /// Only those of the database that is looked from.
    pub this_database: bool,
    /// Texts without values.
    pub redact: bool,
}

impl Sort {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Sort::Total => "total",
            Sort::Mean => "mean",
            Sort::Max => "max",
            Sort::Calls => "calls",
            Sort::Io => "io",
            Sort::Wal => "wal",
            Sort::Temp => "temp",
            Sort::Plan => "plan",
            Sort::Jit => "jit",
        }
    }

    /// What the view must count for it.
    pub fn needs(self) -> Measure {
        match self {
            Sort::Total | Sort::Mean => Measure::Total,
            Sort::Max => Measure::Max,
            Sort::Calls => Measure::Calls,
            Sort::Io => Measure::IoRead,
            Sort::Wal => Measure::Wal,
            Sort::Temp => Measure::TempWritten,
            Sort::Plan => Measure::Plan,
            Sort::Jit => Measure::Jit,
        }
    }

    /// What it sorts by; what decides between equals.
    fn of(self, measures: &Measures) -> (f64, f64) {
        let total = measures.of(Measure::Total);
        match self {
            Sort::Total => (total, measures.of(Measure::Calls)),
            Sort::Mean => (measures.mean().unwrap_or_default(), total),
            Sort::Max => (measures.of(Measure::Max), total),
            Sort::Calls => (measures.of(Measure::Calls), total),
            Sort::Io => (measures.io().unwrap_or_default(), measures.of(Measure::Read) + measures.of(Measure::Written)),
            Sort::Wal => (measures.of(Measure::Wal), total),
            Sort::Temp => (measures.of(Measure::TempRead) + measures.of(Measure::TempWritten), total),
            Sort::Plan => (measures.of(Measure::Plan), total),
            Sort::Jit => (measures.of(Measure::Jit), total),
        }
    }

    /// A mean and a maximum have no whole.
    fn adds_up(self) -> bool {
        !matches!(self, Sort::Mean | Sort::Max)
    }
}

/// The statements that are wanted, in order, and what they are part of.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// The wanted ones.
    pub top: Vec<Ranked>,
    /// How many there are in all.
    pub statements: usize,
    /// All together.
    pub whole: Measures,
    /// How many the role that looks may not see.
    pub hidden: usize,
    /// Their execution time.
    pub hidden_seconds: f64,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// The counts.
    pub entry: Entry,
    /// Of the execution time of all.
    pub share: Option<f64>,
    /// Of all of what is sorted by.
    pub sort_share: Option<f64>,
    /// The words; none where the statement went meanwhile.
    pub text: Text,
}

/// More than are wanted, as some may turn out to be our own.
const SPARE: usize = 60;

/// Ranks; the words are still to be fetched.
pub fn rank(counts: &Counts, wish: &Wish, dbid: i64) -> Ranking {
    let all: Vec<&Entry> =
        counts.entries.iter().filter(|entry| !wish.this_database || entry.key.dbid == dbid).collect();
    let whole = all.iter().fold(Measures::default(), |sum, entry| sum.with(&entry.measures, |a, b| a + b));
    let hidden: Vec<&&Entry> = all.iter().filter(|entry| entry.key.queryid.is_none()).collect();
    let enough =
        |entry: &&&Entry| entry.key.queryid.is_some() && entry.measures.of(Measure::Calls) >= f64::from(wish.min_calls);
    let mut wanted: Vec<&&Entry> = all.iter().filter(enough).collect();
    wanted.retain(|entry| wish.sort.of(&entry.measures) > (0.0, 0.0));
    if !matches!(wish.sort, Sort::Io | Sort::Total) {
        wanted.retain(|entry| wish.sort.of(&entry.measures).0 > 0.0);
    }
    wanted.sort_by(|a, b| {
        let (a_by, b_by) = (wish.sort.of(&a.measures), wish.sort.of(&b.measures));
        b_by.0.total_cmp(&a_by.0).then(b_by.1.total_cmp(&a_by.1)).then(a.key.cmp(&b.key))
    });
    if wish.limit > 0 {
        wanted.truncate(wish.limit + SPARE);
    }
    let part = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    let (total, sorted) = (whole.of(Measure::Total), wish.sort.of(&whole).0);
    let ranked = |entry: &&&Entry| Ranked {
        share: part(entry.measures.of(Measure::Total), total),
        sort_share: part(wish.sort.of(&entry.measures).0, sorted).filter(|_| wish.sort.adds_up()),
        entry: (**entry).clone(),
        text: Text::default(),
    };
    let top = wanted.iter().map(ranked).collect();
    let hidden_seconds = hidden.iter().map(|entry| entry.measures.of(Measure::Total)).fold(0.0, |all, one| all + one);
    Ranking { top, statements: all.len(), hidden: hidden.len(), hidden_seconds, whole }
}

impl Ranking {
    /// Whose words are to be fetched.
    pub fn keys(&self) -> Vec<Key> {
        self.top.iter().map(|ranked| ranked.entry.key).collect::<BTreeSet<Key>>().into_iter().collect()
    }

    /// Puts the words in; our own looks are left out.
    pub fn say(&mut self, mut texts: BTreeMap<Key, Text>, wish: &Wish) {
        for ranked in &mut self.top {
            ranked.text = texts.remove(&ranked.entry.key).unwrap_or_default();
        }
        self.top.retain(|ranked| !ranked.text.is_own);
        if wish.limit > 0 {
            self.top.truncate(wish.limit);
        }
        if wish.redact {
            for ranked in &mut self.top {
                ranked.text.query = ranked.text.query.as_deref().map(crate::inspect::redact::redact);
            }
        }
    }
}
