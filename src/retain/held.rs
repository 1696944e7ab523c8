//! Which rows legal holds keep from a job. Pure.

use super::clock::Clock;
use crate::ident::{Ident, TableName};
use crate::policy::{DayRange, Hold, glob};
use chrono_tz::Tz;

/// The holds that name a table.
pub(super) fn over<'a>(holds: &'a [Hold], table: &TableName) -> Vec<&'a Hold> {
    let name = format!("{}.{}", table.schema.raw(), table.name.raw());
    holds.iter().filter(|hold| hold.tables.iter().any(|pattern| glob::matches(pattern, &name))).collect()
}

/// The condition that a row is not held, with `column` as SQL. `Err` when every row is: a hold
/// without an end, or days beyond the calendar.
pub(super) fn spared(column: &str, clock: Clock, zone: Tz, days: DayRange) -> Result<String, ()> {
    let edge = |day| clock.day(day, zone).map(|moment| clock.literal(moment)).ok_or(());
    match (days.from.map(edge).transpose()?, days.to.map(edge).transpose()?) {
        (Some(from), Some(to)) => Ok(format!("NOT ({column} >= {from} AND {column} < {to})")),
        (Some(from), None) => Ok(format!("{column} < {from}")),
        (None, Some(to)) => Ok(format!("{column} >= {to}")),
        (None, None) => Err(()),
    }
}

/// A column as a batch names it: with its table, so that nothing else of this name is meant.
pub(super) fn column(table: &TableName, name: &Ident) -> String {
    format!("{}.{name}", table.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_zone_and_open_ends_stay_open() {
        let day = |day| chrono::NaiveDate::from_ymd_opt(2025, 1, day);
        let range = |from, to| DayRange { from, to };
        let zone: Tz = "America/Sao_Paulo".parse().unwrap();
        assert_eq!(
            spared("t.at", Clock::Timestamptz, zone, range(day(1), day(2))).unwrap(),
            "NOT (t.at >= TIMESTAMPTZ '2025-01-01 03:00:00+00' AND t.at < TIMESTAMPTZ '2025-01-02 03:00:00+00')"
        );
        assert_eq!(spared("t.at", Clock::Date, zone, range(None, day(2))).unwrap(), "t.at >= DATE '2025-01-02'");
        assert_eq!(spared("t.at", Clock::Date, zone, range(day(2), None)).unwrap(), "t.at < DATE '2025-01-02'");
        assert!(spared("t.at", Clock::Date, zone, range(None, None)).is_err());
    }
}
