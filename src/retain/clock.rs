//! Moments in the terms of a column: what a wall clock's time is for a `date`, a `timestamp` and a
//! `timestamptz`, and how SQL writes it. Pure.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::policy::span::Span;

/// The types of columns that say how old a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Days of a wall clock.
    Date,
    /// A wall clock.
    Timestamp,
    /// Moments.
    Timestamptz,
}

impl Clock {
    /// By the name of the type.
    pub(super) fn of(kind: &str) -> Option<Clock> {
        match kind {
            "date" => Some(Clock::Date),
            "timestamp without time zone" => Some(Clock::Timestamp),
            "timestamp with time zone" => Some(Clock::Timestamptz),
            _ => None,
        }
    }

    /// As a cast spells it.
    pub(super) fn cast(self) -> &'static str {
        match self {
            Clock::Date => "date",
            Clock::Timestamp => "timestamp",
            Clock::Timestamptz => "timestamptz",
        }
    }

    /// What lies before it is older than the span. Nothing beyond the calendar's beginning: nothing is
    /// that old.
    pub(super) fn cutoff(self, now: DateTime<Utc>, over: Span, zone: Tz) -> Option<NaiveDateTime> {
        let wall = over.before(now.with_timezone(&zone).naive_local())?;
        self.column_time(wall, zone).filter(|moment| *moment >= first_year())
    }

    /// A wall clock's time in the column's own terms. Of two moments that the clock shows, the first; one
    /// that it skips is the moment at which it skips.
    pub(super) fn column_time(self, wall: NaiveDateTime, zone: Tz) -> Option<NaiveDateTime> {
        match self {
            Clock::Date => Some(wall.date().and_time(NaiveTime::MIN)),
            Clock::Timestamp => Some(wall),
            Clock::Timestamptz => instant(wall, zone).map(|moment| moment.naive_utc()),
        }
    }

    /// The beginning of a day in the column's own terms.
    pub(super) fn day(self, day: NaiveDate, zone: Tz) -> Option<NaiveDateTime> {
        self.column_time(day.and_time(NaiveTime::MIN), zone)
    }

    /// As SQL writes it, whatever the session's settings are.
    pub(super) fn literal(self, moment: NaiveDateTime) -> String {
        match self {
            Clock::Date => format!("DATE '{}'", moment.format("%Y-%m-%d")),
            Clock::Timestamp => format!("TIMESTAMP '{}'", moment.format("%Y-%m-%d %H:%M:%S%.f")),
            Clock::Timestamptz => format!("TIMESTAMPTZ '{}+00'", moment.format("%Y-%m-%d %H:%M:%S%.f")),
        }
    }

    /// Reads what the server prints with DateStyle ISO; nothing for the infinities and before the year 1.
    pub(super) fn parse(self, text: &str) -> Option<NaiveDateTime> {
        match self {
            Clock::Date => Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN)),
            Clock::Timestamp => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok(),
            Clock::Timestamptz => {
                Some(DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()?.with_timezone(&Utc).naive_utc())
            }
        }
    }
}

fn first_year() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or(NaiveDate::MIN).and_time(NaiveTime::MIN)
}

fn instant(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    // The longest time that a clock ever skipped is a day (Samoa, 2011); clocks change on the minute.
    let mut wall = wall;
    for _ in 0..=25 * 60 {
        if let Some(moment) = zone.from_local_datetime(&wall).earliest() {
            return Some(moment.with_timezone(&Utc));
        }
        wall = wall.with_second_zero()?.checked_add_signed(TimeDelta::minutes(1))?;
    }
    None
}

/// A time without its seconds.
trait Minutes: Sized {
    fn with_second_zero(self) -> Option<Self>;
}

impl Minutes for NaiveDateTime {
    fn with_second_zero(self) -> Option<NaiveDateTime> {
        use chrono::Timelike;
        self.with_second(0)?.with_nanosecond(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Span = Span { months: 1, days: 0, micros: 0 };

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[track_caller]
    fn cutoff(clock: Clock, now: &str, over: Span, zone: &str) -> String {
        clock.literal(clock.cutoff(at(now), over, zone.parse().unwrap()).unwrap())
    }

    #[test]
    fn the_calendar_of_the_zone_decides_and_the_type_how_it_is_written() {
        let now = "2026-03-31T02:30:00Z";
        let zone = "America/Sao_Paulo";
        assert_eq!(cutoff(Clock::Timestamptz, now, MONTH, zone), "TIMESTAMPTZ '2026-03-01 02:30:00+00'");
        assert_eq!(cutoff(Clock::Timestamp, now, MONTH, zone), "TIMESTAMP '2026-02-28 23:30:00'");
        assert_eq!(cutoff(Clock::Date, now, MONTH, zone), "DATE '2026-02-28'");
        assert_eq!(cutoff(Clock::Date, now, MONTH, "UTC"), "DATE '2026-02-28'");
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_moment_at_which_it_skips() {
        let day = Span { months: 0, days: 1, micros: 0 };
        // 2026-03-29 02:30 does not exist in Berlin: the clock goes from 02:00 to 03:00 at 01:00 UTC.
        let cut = cutoff(Clock::Timestamptz, "2026-03-30T00:30:00Z", day, "Europe/Berlin");
        assert_eq!(cut, "TIMESTAMPTZ '2026-03-29 01:00:00+00'");
        // 2025-10-26 02:30 is there twice: the first is the earlier, which takes fewer rows.
        let cut = cutoff(Clock::Timestamptz, "2025-10-27T01:30:00Z", day, "Europe/Berlin");
        assert_eq!(cut, "TIMESTAMPTZ '2025-10-26 00:30:00+00'");
        // Samoa had no 30 December 2011.
        let cut = cutoff(Clock::Timestamptz, "2011-12-31T03:00:00Z", day, "Pacific/Apia");
        assert_eq!(cut, "TIMESTAMPTZ '2011-12-30 10:00:00+00'");
    }

    #[test]
    fn nothing_is_older_than_the_calendar() {
        let ages = Span { months: 12 * 3000, days: 0, micros: 0 };
        assert_eq!(Clock::Date.cutoff(at("2026-01-01T00:00:00Z"), ages, Tz::UTC), None);
        let ages = Span { months: u32::MAX, days: 0, micros: 0 };
        assert_eq!(Clock::Timestamptz.cutoff(at("2026-01-01T00:00:00Z"), ages, Tz::UTC), None);
    }

    #[test]
    fn what_is_written_reads_back() {
        let moment = at("2026-02-03T04:05:06.000789Z").naive_utc();
        assert_eq!(Clock::Timestamptz.parse("2026-02-03 04:05:06.000789+00"), Some(moment));
        assert_eq!(Clock::Timestamptz.parse("2026-02-03 01:05:06.000789-03"), Some(moment));
        assert_eq!(Clock::Timestamp.parse("2026-02-03 04:05:06.000789"), Some(moment));
        assert_eq!(Clock::Date.parse("2026-02-03"), moment.date().and_hms_opt(0, 0, 0));
        assert_eq!(Clock::Date.parse("infinity"), None);
    }
}
