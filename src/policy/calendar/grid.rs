//! An axis cut into periods: the lines before and after a position, the horizon and the cutoff. Pure.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::super::key::Codec;
use super::super::{Ahead, Keep};
use super::{Axis, Every, Unit};

/// An axis cut into periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The axis.
    pub axis: Axis,
    every: Every,
}

/// How the starts of periods follow from the first one.
#[derive(Clone, Copy)]
enum Step {
    Hours(i64),
    Days(i64),
    Months(i64),
}

/// In microseconds.
const HOUR: i64 = 3_600_000_000;

impl Grid {
    /// An axis with a grid that fits it.
    ///
    /// # Errors
    /// Why it does not: hours on a `date` key, a calendar on plain numbers.
    pub fn new(axis: Axis, every: Every) -> Result<Grid, String> {
        match (every, axis.codec) {
            (Every::Values(0) | Every::Time { count: 0, .. }, _) => {
                return Err("a period cannot have no width: use 1 or more".to_owned());
            }
            (Every::Time { unit: Unit::Hour, .. }, Codec::Date) => {
                return Err(format!("a date key has no hours: it cannot be cut every {every}; use day or more"));
            }
            (Every::Time { .. }, Codec::Number) => {
                return Err(format!(
                    "the key is a plain number without a meaning in time and cannot be cut every {every}; \
                     give a number of values, or say with codec how it stands for time"
                ));
            }
            (Every::Values(_), codec) if codec != Codec::Number => {
                return Err(format!(
                    "the key stands for time and cannot be cut every {every} values; give a unit of time, such as month"
                ));
            }
            _ => {}
        }
        Ok(Grid { axis, every })
    }

    /// The width of a period.
    pub fn every(&self) -> Every {
        self.every
    }

    /// The grid line at or before a position.
    pub fn floor(&self, at: i128) -> Option<i128> {
        match self.every {
            Every::Values(width) => at.checked_sub(at.rem_euclid(i128::from(width))),
            Every::Time { .. } => self.line(self.period(at)?),
        }
    }

    /// The first grid line after a position.
    pub fn next(&self, at: i128) -> Option<i128> {
        match self.every {
            Every::Values(width) => self.floor(at)?.checked_add(i128::from(width)),
            Every::Time { .. } => {
                // A day that a zone has skipped has no width: its two lines are one.
                let first = self.period(at)?.checked_add(1)?;
                (first..).map_while(|period| self.line(period)).find(|line| *line > at)
            }
        }
    }

    /// The grid line at or after a position.
    pub fn ceil(&self, at: i128) -> Option<i128> {
        if self.floor(at) == Some(at) { Some(at) } else { self.next(at) }
    }

    /// Until where partitions shall be there: `now` is a position. The end of the current period is the
    /// least. Nothing for [`Ahead::Never`].
    pub fn horizon(&self, now: i128, ahead: Ahead) -> Option<i128> {
        let end = self.next(now)?;
        match ahead {
            Ahead::Never => None,
            Ahead::Periods(count) => (0..count).try_fold(end, |line, _| self.next(line)),
            Ahead::For(span) => {
                // A day does not say what time of it is now: it may be its last moment.
                let is_date = self.axis.codec == Codec::Date;
                let wall = span.after(self.axis.wall(now + i128::from(is_date))?)?;
                let at = self.axis.of_wall(wall)?;
                // A day that is reached in part must be there.
                let within_day = is_date && wall.time() != NaiveTime::MIN;
                Some(end.max(self.ceil(at + i128::from(within_day))?))
            }
        }
    }

    /// What lies before it is expired; rounded down to the grid unless `exact`.
    pub fn cutoff(&self, now: i128, keep: Keep, exact: bool) -> Option<i128> {
        let at = match (keep, self.every) {
            (Keep::Time(span), Every::Time { .. }) => self.axis.of_wall(span.before(self.axis.wall(now)?)?)?,
            (Keep::Values(count), Every::Values(_)) => now.checked_sub(i128::from(count))?,
            _ => return None,
        };
        if exact { Some(at) } else { self.floor(at) }
    }

    /// The number of the period that a position lies in, the first one after the origin being 0.
    fn period(&self, at: i128) -> Option<i64> {
        let (origin, step) = self.steps()?;
        let mut period = match step {
            Step::Hours(hours) if !self.axis.is_wall() => {
                let micros = self.axis.instant(at)?.timestamp_micros().checked_sub(self.anchor(origin)?)?;
                micros.div_euclid(hours.checked_mul(HOUR)?)
            }
            Step::Hours(hours) => {
                let time = self.axis.wall(at)?.signed_duration_since(origin.and_time(NaiveTime::MIN));
                time.num_microseconds()?.div_euclid(hours.checked_mul(HOUR)?)
            }
            Step::Days(days) => self.axis.wall(at)?.date().signed_duration_since(origin).num_days().div_euclid(days),
            Step::Months(months) => {
                let day = self.axis.wall(at)?.date();
                let years = i64::from(day.year()) - i64::from(origin.year());
                (years * 12 + i64::from(day.month()) - i64::from(origin.month())).div_euclid(months)
            }
        };
        // A month that begins on a later day than the first; a clock that was put back over midnight.
        while self.line(period)? > at {
            period = period.checked_sub(1)?;
        }
        while self.line(period + 1).is_some_and(|line| line <= at) {
            period += 1;
        }
        Some(period)
    }

    /// Where a period begins.
    fn line(&self, period: i64) -> Option<i128> {
        let (origin, step) = self.steps()?;
        if let (Step::Hours(hours), false) = (step, self.axis.is_wall()) {
            let micros = period.checked_mul(hours)?.checked_mul(HOUR)?.checked_add(self.anchor(origin)?)?;
            return self.axis.of_instant(DateTime::from_timestamp_micros(micros)?);
        }
        self.axis.of_wall(start(origin, step, period)?)
    }

    /// The origin's midnight, in microseconds: hours are counted from it in absolute time, so that none is
    /// left out or there twice when a clock is changed.
    fn anchor(&self, origin: NaiveDate) -> Option<i64> {
        let instants = Axis { codec: Codec::Timestamptz, zone: self.axis.zone };
        i64::try_from(instants.of_wall(origin.and_time(NaiveTime::MIN))?).ok()
    }

    fn steps(&self) -> Option<(NaiveDate, Step)> {
        let Every::Time { unit, count, origin } = self.every else { return None };
        let count = i64::from(count);
        let (year, day, step) = match unit {
            Unit::Hour => (2020, 1, Step::Hours(count)),
            Unit::Day => (1970, 1, Step::Days(count)),
            Unit::Week => (1970, 5, Step::Days(count * 7)),
            Unit::Month => (1970, 1, Step::Months(count)),
            Unit::Quarter => (1970, 1, Step::Months(count * 3)),
            Unit::Year => (1970, 1, Step::Months(count * 12)),
        };
        Some((origin.or_else(|| NaiveDate::from_ymd_opt(year, 1, day))?, step))
    }
}

/// What the wall clock shows where a period begins.
fn start(origin: NaiveDate, step: Step, period: i64) -> Option<NaiveDateTime> {
    let day = match step {
        Step::Hours(hours) => {
            let hours = TimeDelta::try_hours(period.checked_mul(hours)?)?;
            return origin.and_time(NaiveTime::MIN).checked_add_signed(hours);
        }
        Step::Days(days) => {
            let days = period.checked_mul(days)?;
            let width = Days::new(days.unsigned_abs());
            if days < 0 { origin.checked_sub_days(width) } else { origin.checked_add_days(width) }
        }
        Step::Months(months) => {
            let months = period.checked_mul(months)?;
            let width = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
            if months < 0 { origin.checked_sub_months(width) } else { origin.checked_add_months(width) }
        }
    };
    Some(day?.and_time(NaiveTime::MIN))
}

#[cfg(test)]
#[path = "grid_tests.rs"]
mod tests;
#[cfg(test)]
#[path = "zones_tests.rs"]
mod zones;
