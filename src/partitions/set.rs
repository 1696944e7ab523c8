//! A partitioned table seen through its policy: its grid, and what each partition holds as a range on
//! one axis. Pure.

use chrono::{DateTime, Utc};

use super::coverage::Coverage;
use super::read::{Partition, PartitionKind, Table, TableKind};
use crate::error::{Failure, Result};
use crate::ident::TableName;
use crate::policy::bounds::{self, Bound};
use crate::policy::calendar::{Axis, Every, Grid};
use crate::policy::key::{Codec, Edge, Range};
use crate::policy::{Policy, TablePolicy};

/// A table's partitions on its axis.
#[derive(Debug, Clone)]
pub struct Set<'a> {
    /// What the policy wants.
    pub policy: &'a TablePolicy,
    /// What the catalog says.
    pub table: &'a Table,
    /// The axis and its periods.
    pub grid: Grid,
    /// Now.
    pub moment_now: DateTime<Utc>,
    /// Now, as a position.
    pub now: i128,
    /// Partitions with a range, in its order; those whose detach is pending are not among them.
    pub members: Vec<Member<'a>>,
    /// Partitions whose concurrent detach was begun and not ended.
    pub pending: Vec<Member<'a>>,
    /// The DEFAULT partition.
    pub default: Option<&'a Partition>,
}

/// A partition with its range.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The partition.
    pub partition: &'a Partition,
    /// What it holds.
    pub range: Range,
}

impl<'a> Set<'a> {
    /// Puts a table and its policy together.
    ///
    /// # Errors
    /// Invalid, at the entry's place, where the policy does not fit the table; failed where a bound
    /// cannot be read.
    pub fn of(policy: &Policy, entry: &'a TablePolicy, table: &'a Table, now: DateTime<Utc>) -> Result<Set<'a>> {
        let refuse = |message: String, advice: Option<String>| policy.refuse(&entry.at, message, advice);
        let (key, key_type) = match &table.kind {
            TableKind::Range { key, key_type, .. } => (key, key_type),
            TableKind::Other(what) => {
                let advice = match *what {
                    "a plain table" => {
                        format!(
                            "make it partitioned with 'dbctl partitions adopt {}', or remove the entry",
                            entry.table
                        )
                    }
                    _ => "dbctl keeps tables that are partitioned by range of one column: remove the entry".to_owned(),
                };
                return Err(refuse(format!("{} is {what}", entry.table), Some(advice)));
            }
        };
        if entry.key.raw() != key {
            let message = format!("key: {} is partitioned by {key}, not by {}", entry.table, entry.key.raw());
            return Err(refuse(message, Some(format!("write 'key: {key}'"))));
        }
        let codec = codec(entry, key_type).map_err(|(message, advice)| refuse(message, Some(advice)))?;
        let axis = Axis { codec, zone: entry.timezone };
        let grid = Grid::new(axis, entry.every).map_err(|why| refuse(format!("every: {why}"), None))?;
        let mut set = Set {
            policy: entry,
            table,
            grid,
            moment_now: now,
            now: 0,
            members: Vec::new(),
            pending: Vec::new(),
            default: None,
        };
        for partition in &table.partitions {
            let bound = partition.bound.as_ref().map_err(|why| unreadable(&partition.name, why))?;
            if *bound == Bound::Default {
                set.default = Some(partition);
                continue;
            }
            let range = bounds::range(bound, &axis).map_err(|why| unreadable(&partition.name, &why))?;
            let member = Member { partition, range };
            if partition.pending { set.pending.push(member) } else { set.members.push(member) }
        }
        set.members.sort_by_key(|member| member.range);
        set.now = set.position_of(now)?;
        Ok(set)
    }

    /// A moment as a position; for keys without time the largest value that is there.
    fn position_of(&self, now: DateTime<Utc>) -> Result<i128> {
        let axis = &self.grid.axis;
        if axis.codec != Codec::Number {
            return axis.of_instant(now).ok_or_else(|| {
                Failure::new(
                    crate::error::Kind::Failed,
                    format!("{}: {now} is beyond the key's values", self.table.name),
                )
            });
        }
        let largest = self.table.largest.as_deref().map(|text| axis.parse(text)).transpose();
        match largest.map_err(|why| unreadable(&self.table.name, &why))? {
            Some(Edge::At(at)) => Ok(at),
            // An empty table begins where its first partition does.
            _ => Ok(self.members.iter().find_map(|member| at(member.range.lower())).unwrap_or(0)),
        }
    }

    /// What its partitions cover, pending ones not.
    pub fn coverage(&self) -> Coverage {
        Coverage::of(self.members.iter().map(|member| member.range))
    }

    /// An edge as a bound is written in SQL.
    pub fn bound_sql(&self, edge: Edge) -> String {
        match edge {
            Edge::Min => "MINVALUE".to_owned(),
            Edge::Max => "MAXVALUE".to_owned(),
            Edge::At(at) => crate::ident::Literal(&self.grid.axis.literal(at)).to_string(),
        }
    }

    /// An edge as a person reads it.
    pub fn bound_text(&self, edge: Edge) -> String {
        match edge {
            Edge::Min => "MINVALUE".to_owned(),
            Edge::Max => "MAXVALUE".to_owned(),
            Edge::At(at) => self.grid.axis.literal(at),
        }
    }

    /// The moment that an edge stands for.
    pub fn moment(&self, edge: Edge) -> Option<DateTime<Utc>> {
        at(edge).and_then(|at| self.grid.axis.instant(at))
    }

    /// Whether a plain table may be dropped or exported: not what is partitioned itself or elsewhere.
    pub fn is_plain(member: &Member<'_>) -> bool {
        member.partition.kind == PartitionKind::Table
    }
}

fn at(edge: Edge) -> Option<i128> {
    match edge {
        Edge::At(at) => Some(at),
        Edge::Min | Edge::Max => None,
    }
}

/// How the column's values stand for time: the type says it, or the policy does.
fn codec(entry: &TablePolicy, key_type: &str) -> std::result::Result<Codec, (String, String)> {
    let by_type = match key_type {
        "date" => Some(Codec::Date),
        "timestamp without time zone" => Some(Codec::Timestamp),
        "timestamp with time zone" => Some(Codec::Timestamptz),
        _ => None,
    };
    let integer = matches!(key_type, "smallint" | "integer" | "bigint" | "numeric");
    let column = entry.key.raw();
    match (by_type, entry.codec) {
        (Some(codec), None) => Ok(codec),
        (Some(_), Some(_)) => {
            let message = format!("codec: {column} is of type {key_type}, which says by itself what it means");
            Err((message, "remove the key".to_owned()))
        }
        (None, Some(codec @ (Codec::Epoch(_) | Codec::Snowflake { .. }))) if integer => Ok(codec),
        (None, Some(codec @ Codec::UuidV7)) if key_type == "uuid" => Ok(codec),
        (None, None) if integer && matches!(entry.every, Every::Values(_)) => Ok(Codec::Number),
        (None, None) if integer => {
            let message = format!("codec: {column} is of type {key_type}: what do its numbers count?");
            Err((
                message,
                "codec: epoch_s, epoch_ms, epoch_us, epoch_ns or snowflake; or a number for 'every'".to_owned(),
            ))
        }
        (None, None) if key_type == "uuid" => Err((
            format!("codec: {column} is of type uuid; only version 7 is in the order of time"),
            "write 'codec: uuidv7' if all its values are of version 7".to_owned(),
        )),
        (None, Some(_)) => {
            let message = format!("codec: it does not fit {column}, which is of type {key_type}");
            Err((message, "epoch_… and snowflake read integers, uuidv7 reads uuid".to_owned()))
        }
        (None, None) => Err((
            format!("key: {column} is of type {key_type}, which dbctl cannot keep partitions by"),
            "date, timestamp, timestamptz, integers and uuid version 7 can".to_owned(),
        )),
    }
}

fn unreadable(name: &TableName, why: &str) -> Failure {
    Failure::new(crate::error::Kind::Failed, format!("the bounds of {name} cannot be read: {why}"))
}
