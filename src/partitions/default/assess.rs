//! What stands in the way of work on a DEFAULT partition, and the ground that its plans stand on. Pure.

use super::read::{Contents, Default, Snapshot};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::partitions::coverage::Coverage;
use crate::partitions::workbench::Work;
use crate::policy::TablePolicy;
use crate::policy::bounds;
use crate::policy::calendar::Grid;
use crate::policy::key::{Codec, Edge, Range};

/// What every plan looks at.
pub struct Ground<'a> {
    /// The table.
    pub snapshot: &'a Snapshot,
    /// Its policy.
    pub policy: &'a TablePolicy,
    /// Its grid.
    pub grid: Grid,
    /// Its DEFAULT partition.
    pub default: &'a Default,
    /// What lies in there.
    pub contents: &'a Contents,
    /// What the other partitions hold.
    pub coverage: Coverage,
    /// Now, on the axis; nothing for plain numbers.
    pub now: Option<i128>,
}

/// The grid of a partitioned table under its policy, and the type of its key.
///
/// # Errors
/// Invalid where table and policy do not fit; refused where it is not partitioned by ranges of one
/// column.
pub fn grid(snapshot: &Snapshot, policy: &TablePolicy) -> Result<(Grid, String)> {
    let (table, set) = (&snapshot.table, &snapshot.set);
    if set.strategy.as_deref() != Some("r") {
        return Err(Failure::new(Kind::Refused, format!("{table} is not partitioned by RANGE")));
    }
    let key = match set.key.as_deref() {
        Some([Some(column)]) => column,
        _ => return Err(Failure::new(Kind::Refused, format!("{table} is not partitioned by one plain column"))),
    };
    if key != policy.key.raw() {
        return Err(Failure::new(
            Kind::Invalid,
            format!("{table} is partitioned by {}, the policy says {}", Ident::new(key), policy.key),
        ));
    }
    let kind = snapshot.columns.iter().find(|c| c.name == *key).map_or("", |c| c.kind.as_str());
    let grid = crate::partitions::adopt::plan::grid(policy, kind)
        .map_err(|why| Failure::new(Kind::Invalid, format!("{table}: {why}")))?;
    Ok((grid, kind.to_owned()))
}

impl<'a> Ground<'a> {
    /// Where the plans stand; fails for what none of them can work with.
    ///
    /// # Errors
    /// Refused.
    pub fn of(
        snapshot: &'a Snapshot,
        policy: &'a TablePolicy,
        grid: Grid,
        default: &'a Default,
        contents: &'a Contents,
    ) -> Result<Ground<'a>> {
        let (table, name) = (&snapshot.table, &default.name);
        if default.facts.kind != "r" {
            return Err(Failure::new(
                Kind::Refused,
                format!("{name} is not a plain table: it is partitioned itself or foreign"),
            ));
        }
        if !snapshot.set.inbound.is_empty() {
            let list = snapshot.set.inbound.join(", ");
            return Err(Failure::new(
                Kind::Refused,
                format!("rows of {name} may be referenced, and would leave their table for a moment: {list}"),
            )
            .hint(format!("drop the foreign keys that lead to {table}, run this, and add them again")));
        }
        let mut ranges = Vec::new();
        for partition in snapshot.set.partitions.iter().filter(|p| p.bound != "DEFAULT") {
            let range = bounds::parse(&partition.bound).and_then(|bound| bounds::range(&bound, &grid.axis));
            ranges.push(
                range.map_err(|why| Failure::new(Kind::Refused, format!("partition {}: {why}", partition.name)))?,
            );
        }
        let micros = (snapshot.facts.now * 1e6) as i64;
        let now = chrono::DateTime::from_timestamp_micros(micros).filter(|_| grid.axis.codec != Codec::Number);
        Ok(Ground {
            snapshot,
            policy,
            grid,
            default,
            contents,
            coverage: Coverage::of(ranges),
            now: now.and_then(|now| grid.axis.of_instant(now)),
        })
    }

    /// Steps on this table.
    pub fn work(&self, command: &'static str) -> Work<'a> {
        Work {
            server: &self.snapshot.server,
            family: format!("default:{}:", self.default.facts.oid),
            command,
            lock: self.policy.lock.timeout,
        }
    }

    /// A name in the schema of the partitioned table.
    pub fn name(&self, name: &str) -> TableName {
        TableName { schema: self.snapshot.table.schema.clone(), name: Ident::new(name) }
    }

    /// The type of the key.
    pub fn key_type(&self) -> &str {
        self.snapshot.columns.iter().find(|c| c.name == self.policy.key.raw()).map_or("", |c| c.kind.as_str())
    }

    /// The hole between the other partitions that a position lies in.
    pub fn hole(&self, at: i128) -> Option<Range> {
        let whole = Range::new(Edge::Min, Edge::Max)?;
        self.coverage.gaps(whole).into_iter().find(|gap| gap.contains(at))
    }

    /// `FROM (…) TO (…)`.
    pub fn bound(lower: &str, upper: &str) -> String {
        let (lower, upper) = (crate::ident::Literal(lower), crate::ident::Literal(upper));
        format!("FOR VALUES FROM ({lower}) TO ({upper})")
    }

    /// `key IS NOT NULL AND key >= … AND key < …`: from which the server concludes the bounds.
    pub fn condition(&self, lower: &str, upper: &str) -> String {
        let (key, kind) = (&self.policy.key, self.key_type());
        let (lower, upper) = (crate::ident::Literal(lower), crate::ident::Literal(upper));
        format!("{key} IS NOT NULL AND {key} >= {lower}::{kind} AND {key} < {upper}::{kind}")
    }
}

/// Both ends of a range as literals; nothing for an open one.
pub fn literals(grid: &Grid, range: Range) -> Option<(String, String)> {
    match (range.lower(), range.upper()) {
        (Edge::At(lower), Edge::At(upper)) => Some((grid.axis.literal(lower), grid.axis.literal(upper))),
        _ => None,
    }
}
