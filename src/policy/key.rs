//! The axis that a table is partitioned along: what a bound's literal means as a position, and how a
//! position is written as a literal. Pure.

/// How a key's values stand for time, or for a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// `date`: positions are days since 1970-01-01, of a wall clock.
    Date,
    /// `timestamp`: microseconds since 1970-01-01 of a wall clock.
    Timestamp,
    /// `timestamptz`: microseconds since 1970-01-01 UTC.
    Timestamptz,
    /// Integers that count from 1970-01-01 UTC.
    Epoch(EpochUnit),
    /// Integers without a meaning in time.
    Number,
    /// `uuid` version 7: positions are all 128 bits, in order; time is the upper 48 in milliseconds.
    UuidV7,
    /// `bigint` with milliseconds since an epoch above 22 bits.
    Snowflake {
        /// Milliseconds from 1970-01-01 UTC to the epoch.
        epoch_ms: i64,
    },
}

/// What an integer epoch counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the units of these names")]
pub enum EpochUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// MINVALUE, and `-infinity`.
    Min,
    /// A position on the axis, in the codec's own unit.
    At(i128),
    /// MAXVALUE, and `infinity`.
    Max,
}

/// From the lower edge, which is in it, to the upper one, which is not. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    lower: Edge,
    upper: Edge,
}

impl Range {
    /// Nothing when it would be empty.
    pub fn new(lower: Edge, upper: Edge) -> Option<Range> {
        (lower < upper).then_some(Range { lower, upper })
    }

    /// The first position in it.
    pub fn lower(self) -> Edge {
        self.lower
    }

    /// The first position behind it.
    pub fn upper(self) -> Edge {
        self.upper
    }

    /// Whether a position lies in it.
    pub fn contains(self, at: i128) -> bool {
        self.lower <= Edge::At(at) && Edge::At(at) < self.upper
    }

    /// Whether the two share a position.
    pub fn overlaps(self, other: Range) -> bool {
        self.lower < other.upper && other.lower < self.upper
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_never_empty_and_half_open() {
        assert_eq!(Range::new(Edge::At(1), Edge::At(1)), None);
        assert_eq!(Range::new(Edge::Max, Edge::Max), None);
        assert_eq!(Range::new(Edge::At(2), Edge::At(1)), None);
        let range = Range::new(Edge::At(1), Edge::At(3)).unwrap();
        assert!(!range.contains(0) && range.contains(1) && range.contains(2) && !range.contains(3));
        let open = Range::new(Edge::Min, Edge::Max).unwrap();
        assert!(open.contains(i128::MIN) && open.contains(i128::MAX) && open.overlaps(range));
    }

    #[test]
    fn neighbours_do_not_overlap() {
        let range = |lower, upper| Range::new(Edge::At(lower), Edge::At(upper)).unwrap();
        assert!(!range(0, 10).overlaps(range(10, 20)) && !range(10, 20).overlaps(range(0, 10)));
        assert!(range(0, 11).overlaps(range(10, 20)) && range(12, 13).overlaps(range(10, 20)));
    }
}
