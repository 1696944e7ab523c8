//! Grids: where periods begin and end on a table's axis, in a time zone, and what follows for how far
//! ahead partitions are made and from where on rows are expired. Pure.

mod axis;
mod civil;
mod grid;
mod literal;

use std::fmt;

use chrono::NaiveDate;

pub use axis::Axis;
pub use grid::Grid;

/// The width of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// So many units of time.
    Time {
        /// Of what.
        unit: Unit,
        /// How many; at least 1.
        count: u32,
        /// A day on which a period begins. Nothing is 1970-01-01, for weeks the Monday after it, and for
        /// hours 2020-01-01: many zones have had another offset in between, and the lines of hours stay
        /// where the first one was put.
        origin: Option<NaiveDate>,
    },
    /// So many values of a key without a meaning in time; at least 1.
    Values(u64),
}

/// A unit of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the units of these names")]
pub enum Unit {
    Hour,
    Day,
    /// From Monday (ISO 8601), unless the origin is another day.
    Week,
    Month,
    Quarter,
    Year,
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Every::Time { unit, count: 1, .. } => write!(f, "{unit}"),
            Every::Time { unit, count, .. } => write!(f, "{count} {unit}s"),
            Every::Values(count) => write!(f, "{count}"),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::Hour => "hour",
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Quarter => "quarter",
            Unit::Year => "year",
        })
    }
}
