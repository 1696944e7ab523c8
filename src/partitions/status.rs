//! How a table stands: how far its partitions reach, what has expired and why it stays, what is on its
//! way out. A pure function of what was read.

use chrono::{DateTime, TimeDelta, Utc};

use super::observe::DefaultRows;
use super::observe::{Estimate, Known, Observed, Unknown};
use super::plan::{self, Ground, Stay};
use super::read::{Leaving, Snapshot};
use super::set::{Member, Set};
use super::work::Found;
use crate::ident::TableName;
use crate::policy::calendar::Grid;
use crate::policy::key::{Codec, Edge};
use crate::policy::{Ahead, Keep, TablePolicy};

/// How a table stands.
#[derive(Debug, Clone)]
pub struct TableStatus {
    /// The table.
    pub table: TableName,
    /// Partitions with a range; those that are being detached are not among them.
    pub members: Vec<MemberStatus>,
    /// Rows, estimated, of those that have an estimate; nothing where none has.
    pub rows: Option<i64>,
    /// Bytes, estimated; likewise.
    pub bytes: Option<u64>,
    /// Partitions without an estimate: no VACUUM or ANALYZE has seen them yet.
    pub unmeasured: usize,
    /// How far they reach.
    pub runway: Runway,
    /// When the next partition will expire.
    pub next_expiry: Option<DateTime<Utc>>,
    /// The DEFAULT partition and its rows.
    pub default: Option<(TableName, Known<DefaultRows>)>,
    /// Detaches that were begun and not ended.
    pub pending: Vec<TableName>,
    /// Partitions may leave: somebody has said so; unknown where schema dbctl may not be read.
    pub armed: Option<bool>,
}

/// A partition.
#[derive(Debug, Clone)]
pub struct MemberStatus {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// Its lower bound as a person reads it.
    pub from: String,
    /// Its upper bound.
    pub to: String,
    /// Its size.
    pub size: Estimate,
    /// Where it stands.
    pub standing: Standing,
}

/// Where a partition stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has expired and leaves with the next run that may.
    Expired,
    /// It has expired and is held, by which hold.
    Held(String),
    /// It has expired and stays, for this reason.
    Protected(String),
    /// Behind us, and not expired.
    Past,
    /// Now lies in it.
    Current,
    /// Before us.
    Future,
}

impl Standing {
    /// In a word.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::Expired => "expired",
            Standing::Held(_) => "held",
            Standing::Protected(_) => "protected",
            Standing::Past => "past",
            Standing::Current => "current",
            Standing::Future => "future",
        }
    }
}

/// How far the partitions reach from now on without a gap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Runway {
    /// Until where; nothing where now itself has none.
    pub covered: Option<Edge>,
    /// The moment of it.
    pub until: Option<DateTime<Utc>>,
    /// How long that is, in seconds, or in values of a key without a meaning in time; infinite where
    /// MAXVALUE is the end.
    pub length: f64,
    /// How much the policy wants ahead, alike; nothing where it wants none.
    pub ahead: Option<f64>,
    /// A period, alike.
    pub period: f64,
    /// The lengths are seconds.
    pub is_time: bool,
}

impl Runway {
    /// The share of what the policy wants ahead.
    pub fn ratio(&self) -> Option<f64> {
        self.ahead.filter(|ahead| *ahead > 0.0).map(|ahead| self.length / ahead)
    }

    /// The length, where it is time that ends.
    pub fn seconds(&self) -> Option<f64> {
        (self.is_time && self.length.is_finite()).then_some(self.length)
    }
}

/// How a table stands.
pub fn of(found: &Found<'_>, ground: &Ground<'_>, observed: &Observed) -> TableStatus {
    let set = &found.set;
    let size = |oid: u32| observed.estimates.get(&oid).copied().unwrap_or_default();
    let members: Vec<MemberStatus> = set
        .members
        .iter()
        .map(|member| MemberStatus {
            oid: member.partition.oid,
            name: member.partition.name.clone(),
            from: set.bound_text(member.range.lower()),
            to: set.bound_text(member.range.upper()),
            size: size(member.partition.oid),
            standing: standing(set, member, found.plan.cutoff, ground),
        })
        .collect();
    let sizes: Vec<Estimate> = members
        .iter()
        .map(|member| member.size)
        .chain(set.default.map(|default| size(default.oid)))
        .chain(set.pending.iter().map(|pending| size(pending.partition.oid)))
        .collect();
    TableStatus {
        table: set.policy.table.clone(),
        rows: sizes.iter().filter_map(|size| size.rows).reduce(|a, b| a.saturating_add(b)),
        bytes: sizes.iter().filter_map(|size| size.bytes).reduce(u64::saturating_add),
        unmeasured: sizes.iter().filter(|size| size.bytes.is_none()).count(),
        members,
        runway: runway(set, found.plan.covered),
        next_expiry: next_expiry(set, found.plan.cutoff),
        default: set.default.map(|default| {
            let unread = || Err(Unknown { why: "it was not read".to_owned(), hint: None });
            (default.name.clone(), observed.defaults.get(&default.oid).cloned().unwrap_or_else(unread))
        }),
        pending: set.pending.iter().map(|member| member.partition.name.clone()).collect(),
        armed: (!ground.state_unreadable).then_some(ground.recorded.is_some()),
    }
}

impl TableStatus {
    /// How many partitions stand there.
    pub fn count(&self, standing: &str) -> usize {
        self.members.iter().filter(|member| member.standing.word() == standing).count()
    }
}

fn standing(set: &Set<'_>, member: &Member<'_>, cutoff: Option<i128>, ground: &Ground<'_>) -> Standing {
    if cutoff.is_some_and(|cutoff| member.range.upper() <= Edge::At(cutoff)) {
        return match plan::stays(set, member, ground) {
            None => Standing::Expired,
            Some(Stay::Kept(why)) => Standing::Protected(why),
            Some(Stay::Attention(attention)) => match plan::held(set, member.range, ground.holds) {
                Some(hold) => Standing::Held(hold.id.clone()),
                None => Standing::Protected(attention.message),
            },
        };
    }
    if member.range.contains(set.now) {
        Standing::Current
    } else if member.range.upper() <= Edge::At(set.now) {
        Standing::Past
    } else {
        Standing::Future
    }
}

fn runway(set: &Set<'_>, covered: Option<Edge>) -> Runway {
    let grid = &set.grid;
    let length = match covered {
        None | Some(Edge::Min) => 0.0,
        Some(Edge::Max) => f64::INFINITY,
        Some(Edge::At(at)) => distance(grid, set.now, at),
    };
    let period = grid.floor(set.now).zip(grid.next(set.now)).map_or(0.0, |(from, to)| distance(grid, from, to));
    Runway {
        covered,
        until: covered.and_then(|edge| set.moment(edge)),
        length,
        ahead: ahead(set),
        period,
        is_time: grid.axis.codec != Codec::Number,
    }
}

/// How much the policy wants ahead of the current period, or of now.
fn ahead(set: &Set<'_>) -> Option<f64> {
    let grid = &set.grid;
    match set.policy.ahead {
        Ahead::Never => None,
        Ahead::Periods(_) => Some(distance(grid, grid.next(set.now)?, grid.horizon(set.now, set.policy.ahead)?)),
        Ahead::For(span) => {
            let until = grid.axis.of_wall(span.after(grid.axis.wall(set.now)?)?)?;
            Some(distance(grid, set.now, until))
        }
    }
}

/// Between two positions: seconds, or values.
fn distance(grid: &Grid, from: i128, to: i128) -> f64 {
    if grid.axis.codec == Codec::Number {
        return (to - from) as f64;
    }
    let moments = grid.axis.instant(from).zip(grid.axis.instant(to));
    moments.map_or(f64::INFINITY, |(from, to)| seconds(to - from))
}

/// A span of time in seconds.
pub fn seconds(delta: TimeDelta) -> f64 {
    delta.num_milliseconds() as f64 / 1e3
}

/// When the first partition that has not expired will.
fn next_expiry(set: &Set<'_>, cutoff: Option<i128>) -> Option<DateTime<Utc>> {
    let (Some(Keep::Time(keep)), Some(cutoff)) = (set.policy.keep, cutoff) else { return None };
    let uppers = set.members.iter().filter_map(|member| match member.range.upper() {
        Edge::At(at) if at > cutoff => Some(at),
        _ => None,
    });
    let grid = &set.grid;
    let upper = uppers.min()?;
    let line = if set.policy.exact { upper } else { grid.ceil(upper)? };
    let mut wall = keep.after(grid.axis.wall(line)?)?;
    // 31 January and a month later: the way back may end a few days earlier.
    for _ in 0..5 {
        let at = grid.axis.of_wall(wall)?;
        if grid.cutoff(at, Keep::Time(keep), set.policy.exact)? >= upper {
            return grid.axis.instant(at);
        }
        wall = wall.checked_add_days(chrono::Days::new(1))?;
    }
    grid.axis.instant(grid.axis.of_wall(wall)?)
}

/// What a table's partitions are judged by.
pub fn ground<'a>(snapshot: &'a Snapshot, entry: &TablePolicy, holds: &'a [crate::policy::Hold]) -> Ground<'a> {
    Ground {
        recorded: snapshot.state.recorded.get(&plan::raw(&entry.table)),
        state_unreadable: snapshot.state.unreadable,
        holds,
        lock_slots: snapshot.lock_slots,
    }
}

/// Whether a row of schema dbctl is of a partition that has not arrived.
pub fn is_open(row: &Leaving) -> bool {
    matches!(row.state.as_str(), "leaving" | "exported" | "detached" | "frozen" | "aside")
}
