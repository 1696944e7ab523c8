//! Grids: where periods begin and end on a table's axis, in a time zone, and what follows for how far
//! ahead partitions are made and from where on rows are expired. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::key::{Codec, Edge};
use super::policy::{Ahead, Keep};

/// The width of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// So many units of time.
    Time {
        /// Of what.
        unit: Unit,
        /// How many; at least 1.
        count: u32,
        /// A day on which a period begins; nothing is 1970-01-01, for weeks the Monday after it.
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
    /// From Monday (ISO 8601).
    Week,
    Month,
    Quarter,
    Year,
}

/// An axis with its zone: positions, moments, wall clocks and literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// How values stand for time.
    pub codec: Codec,
    /// The zone of the policy.
    pub zone: Tz,
}

/// An axis cut into periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The axis.
    pub axis: Axis,
    every: Every,
}

impl Axis {
    /// The position of a moment: the first whose time is not before it. Nothing for numbers, and beyond
    /// the ends of the axis.
    pub fn of_instant(&self, moment: DateTime<Utc>) -> Option<i128> {
        let _ = moment;
        None
    }

    /// The moment of a position, rounded down to microseconds.
    pub fn instant(&self, at: i128) -> Option<DateTime<Utc>> {
        let _ = at;
        None
    }

    /// The position at which the zone's wall clock first shows this or, where it never does, the first after it.
    pub fn of_wall(&self, wall: NaiveDateTime) -> Option<i128> {
        let _ = wall;
        None
    }

    /// What the zone's wall clock shows at a position.
    pub fn wall(&self, at: i128) -> Option<NaiveDateTime> {
        let _ = at;
        None
    }

    /// Reads the literal of a bound as the server prints it with TimeZone UTC and DateStyle ISO.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&self, literal: &str) -> Result<Edge, String> {
        Err(literal.to_owned())
    }

    /// A position as the text of a literal that any session reads the same: timestamptz with its offset.
    pub fn literal(&self, at: i128) -> String {
        at.to_string()
    }
}

impl Grid {
    /// An axis with a grid that fits it.
    ///
    /// # Errors
    /// Why it does not: hours on a `date` key, a calendar on plain numbers.
    pub fn new(axis: Axis, every: Every) -> Result<Grid, String> {
        Ok(Grid { axis, every })
    }

    /// The grid line at or before a position.
    pub fn floor(&self, at: i128) -> Option<i128> {
        let _ = (at, self.every);
        None
    }

    /// The first grid line after a position.
    pub fn next(&self, at: i128) -> Option<i128> {
        let _ = at;
        None
    }

    /// Until where partitions shall be there: `now` is a position. Nothing for [`Ahead::Never`].
    pub fn horizon(&self, now: i128, ahead: Ahead) -> Option<i128> {
        let _ = (now, ahead);
        None
    }

    /// What lies before it is expired; rounded down to the grid unless `exact`.
    pub fn cutoff(&self, now: i128, keep: Keep, exact: bool) -> Option<i128> {
        let _ = (now, keep, exact);
        None
    }
}
