//! Which backups stay: by rules that are counted per database, and by what no rule may take away. Pure: the
//! clock is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;

/// How many are kept of what. All zero and none keeps nothing by a rule, which nobody can mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    /// The newest so many.
    pub last: usize,
    /// The newest of each of so many days that have any.
    pub daily: usize,
    /// Of so many ISO weeks.
    pub weekly: usize,
    /// Of so many months.
    pub monthly: usize,
    /// Of so many years.
    pub yearly: usize,
    /// All that are no older than this.
    pub within: Option<Duration>,
}

impl Keep {
    /// Whether no rule would keep anything.
    pub fn is_empty(&self) -> bool {
        *self == Keep::default()
    }
}

/// A backup as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub id: String,
    /// Of which database.
    pub database: String,
    /// What it is counted among: the cluster, the database and what of it. Two databases of one name, or a part
    /// and the whole, never push each other out.
    pub group: String,
    /// All of the database: only such a one stands for it.
    pub whole: bool,
    /// The moment that it is of.
    pub at: DateTime<Utc>,
    /// Whether it can be trusted: its manifest is whole, and the last proof, if there is one, was good.
    pub good: bool,
    /// Whether verify or a drill found it damaged, and nothing beside it says that this was tampered with.
    pub found_bad: bool,
    /// The highest level that was proven.
    pub proven: Option<u8>,
    /// It was pinned.
    pub pinned: bool,
}

/// Why a backup stays; nothing is said of one that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No database is left without its newest good backup.
    Newest,
    /// Nor without the newest whose files were proven (level 2 or more).
    NewestProven,
    /// Nor without the newest that was restored (level 3 or more).
    NewestRestored,
    /// Somebody said so.
    Pinned,
    /// It is younger than what is looked at.
    Young,
    /// Something is wrong with it: a person decides.
    Damaged,
    /// It is damaged, and no other backup of the same is proven: some of it may be all that is left.
    MaybeLast,
    /// By `last`.
    Last,
    /// By `daily`.
    Daily,
    /// By `weekly`.
    Weekly,
    /// By `monthly`.
    Monthly,
    /// By `yearly`.
    Yearly,
    /// By `within`.
    Within,
}

impl Reason {
    /// As people and programs read it.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Newest => "newest",
            Reason::NewestProven => "newest proven",
            Reason::NewestRestored => "newest restored",
            Reason::Pinned => "pinned",
            Reason::Young => "young",
            Reason::Damaged => "damaged",
            Reason::MaybeLast => "damaged, and no other is proven",
            Reason::Last => "last",
            Reason::Daily => "daily",
            Reason::Weekly => "weekly",
            Reason::Monthly => "monthly",
            Reason::Yearly => "yearly",
            Reason::Within => "within",
        }
    }
}

/// The moment and the place from which days are counted, and how young is too young.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Now.
    pub now: DateTime<Utc>,
    /// Where a day begins.
    pub zone: Tz,
    /// What is younger than this is left alone.
    pub min_age: Duration,
}

/// For each backup, in the order given, why it stays; an empty list is one that goes.
pub fn decide(backups: &[Candidate], keep: &Keep, clock: &Clock) -> Vec<BTreeSet<Reason>> {
    let mut reasons = vec![BTreeSet::new(); backups.len()];
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, backup) in backups.iter().enumerate() {
        if backup.pinned {
            reasons[index].insert(Reason::Pinned);
        }
        let age = age(clock.now, backup.at);
        if age.is_none_or(|age| age < clock.min_age) {
            reasons[index].insert(Reason::Young);
        }
        if backup.good && age.is_none() {
            // Of a clock that was wrong: it stays, and takes no other's place.
            continue;
        }
        if backup.good {
            groups.entry(&backup.group).or_default().push(index);
        } else {
            // It never counts as one of those that a rule keeps.
            reasons[index].insert(Reason::Damaged);
        }
    }
    for mut of_one in groups.into_values() {
        of_one.sort_by_key(|&index| std::cmp::Reverse((backups[index].at, &backups[index].id)));
        let newest =
            |at_least: u8| of_one.iter().find(|&&index| backups[index].proven.is_some_and(|level| level >= at_least));
        for (found, reason) in
            [(of_one.first(), Reason::Newest), (newest(2), Reason::NewestProven), (newest(3), Reason::NewestRestored)]
        {
            if let Some(&index) = found {
                reasons[index].insert(reason);
            }
        }
        for &index in of_one.iter().take(keep.last) {
            reasons[index].insert(Reason::Last);
        }
        if let Some(within) = keep.within {
            for &index in &of_one {
                if age(clock.now, backups[index].at).is_none_or(|age| age <= within) {
                    reasons[index].insert(Reason::Within);
                }
            }
        }
        for (count, reason, bucket) in periods(keep) {
            let mut seen = BTreeSet::new();
            for &index in &of_one {
                let of = bucket(backups[index].at.with_timezone(&clock.zone));
                if seen.len() < count && seen.insert(of) {
                    reasons[index].insert(reason);
                }
            }
        }
    }
    reasons
}

/// Lets those go that were found damaged, where a backup of the same was proven (level 2 or more) and is good. What
/// is pinned or young stays all the same.
pub fn condemn(backups: &[Candidate], reasons: &mut [BTreeSet<Reason>]) {
    for (backup, reasons) in backups.iter().zip(reasons) {
        if backup.good || !backup.found_bad || !reasons.remove(&Reason::Damaged) {
            continue;
        }
        if !backups.iter().any(|other| other.group == backup.group && is_proven(other)) {
            reasons.insert(Reason::MaybeLast);
        }
    }
}

/// Whether each kind of backup of a database has one that is proven: then one more of which nothing can be read any
/// more is missed by nobody.
pub fn is_covered(backups: &[Candidate], database: &str) -> bool {
    let of: Vec<&Candidate> = backups.iter().filter(|backup| backup.database == database).collect();
    let groups: BTreeSet<&str> = of.iter().map(|backup| backup.group.as_str()).collect();
    let proven = |group: &str| of.iter().any(|backup| backup.group == group && is_proven(backup));
    of.iter().any(|backup| backup.whole && is_proven(backup)) && groups.into_iter().all(proven)
}

fn is_proven(backup: &Candidate) -> bool {
    backup.good && backup.proven.is_some_and(|level| level >= 2)
}

type Bucket = fn(DateTime<Tz>) -> (i32, u32);

fn periods(keep: &Keep) -> [(usize, Reason, Bucket); 4] {
    [
        (keep.daily, Reason::Daily, |at| (at.year(), at.ordinal())),
        (keep.weekly, Reason::Weekly, |at| (at.iso_week().year(), at.iso_week().week())),
        (keep.monthly, Reason::Monthly, |at| (at.year(), at.month())),
        (keep.yearly, Reason::Yearly, |at| (at.year(), 0)),
    ]
}

/// None for what is of a later moment: a clock is wrong then.
fn age(now: DateTime<Utc>, at: DateTime<Utc>) -> Option<Duration> {
    (now - at).to_std().ok()
}

/// How late the newest good backup of a database is, when it is: older than was allowed, or than twice the usual
/// time between two.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    /// The database.
    pub database: String,
    /// How old its newest good backup is; none where there is none.
    pub age: Option<Duration>,
    /// What was allowed or usual.
    pub limit: Duration,
}

/// The databases whose backups have stopped succeeding. Without `max_age` the usual time is that between two
/// `successes`, which pruning does not thin out; below three of them there is none.
pub fn late(
    backups: &[Candidate],
    successes: &[(String, DateTime<Utc>)],
    max_age: Option<Duration>,
    now: DateTime<Utc>,
) -> Vec<Late> {
    let mut by_database: BTreeMap<&str, Vec<DateTime<Utc>>> = BTreeMap::new();
    for backup in backups.iter().filter(|backup| backup.whole) {
        let all = by_database.entry(&backup.database).or_default();
        // What is of a later moment says nothing of how long ago the last one was.
        if backup.good && backup.at <= now {
            all.push(backup.at);
        }
    }
    let mut late = Vec::new();
    for (database, mut times) in by_database {
        let age = times.iter().max().map(|at| age(now, *at).unwrap_or_default());
        times.extend(successes.iter().filter(|(name, _)| name == database).map(|(_, at)| *at));
        times.sort_unstable();
        // The backup itself and the word of its run are minutes apart.
        times.dedup_by(|later, first| (*later - *first).num_minutes() < SAME);
        let Some(limit) = max_age.or_else(|| usual(&times).map(|gap| 2 * gap)) else { continue };
        if age.is_none_or(|age| age > limit) {
            late.push(Late { database: database.to_owned(), age, limit });
        }
    }
    late
}

/// Within so many minutes two moments are of one run.
const SAME: i64 = 5;

/// The median time between two of the last ten.
fn usual(times: &[DateTime<Utc>]) -> Option<Duration> {
    let recent = &times[times.len().saturating_sub(10)..];
    let mut gaps: Vec<Duration> = recent.windows(2).filter_map(|two| (two[1] - two[0]).to_std().ok()).collect();
    gaps.sort_unstable();
    if gaps.len() < 2 { None } else { gaps.get(gaps.len() / 2).copied() }
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
