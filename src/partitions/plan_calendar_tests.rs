//! A calendar of the tests' own: periods and spans reckoned on the wall clock by plain arithmetic, so
//! that a mistake in the program's is not repeated.

use super::*;

/// The width of a period.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    Hours(i64),
    Days(i64),
    Weeks(i64),
    Months(i64),
    Quarters(i64),
    Years(i64),
}

/// How a zone's wall clock and positions go together.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub zone: Tz,
}

impl Cut {
    pub fn random(rng: &mut Rng, hours: bool) -> Cut {
        let count = if rng.u8(..3) == 0 { rng.i64(2..5) } else { 1 };
        match rng.u8(..12) {
            0 if hours => Cut::Hours(count),
            1..=3 => Cut::Days(count),
            4 => Cut::Weeks(count),
            5 => Cut::Quarters(1),
            6 => Cut::Years(1),
            _ => Cut::Months(count),
        }
    }

    pub fn is_hours(self) -> bool {
        matches!(self, Cut::Hours(_))
    }

    pub fn words(self) -> String {
        match self {
            Cut::Hours(count) => format!("{count} hours"),
            Cut::Days(count) => format!("{count} days"),
            Cut::Weeks(count) => format!("{count} weeks"),
            Cut::Months(count) => format!("{count} months"),
            Cut::Quarters(count) => format!("{count} quarters"),
            Cut::Years(count) => format!("{count} years"),
        }
    }

    /// At least 1.
    pub fn about_days(self) -> u32 {
        let days = match self {
            Cut::Hours(_) => 1,
            Cut::Days(count) => count,
            Cut::Weeks(count) => count * 7,
            Cut::Months(count) => count * 30,
            Cut::Quarters(count) => count * 91,
            Cut::Years(count) => count * 365,
        };
        u32::try_from(days).unwrap()
    }

    /// Where the period of this moment begins.
    pub fn floor(self, wall: NaiveDateTime, origin: Option<NaiveDate>) -> NaiveDateTime {
        self.line(wall, origin, 0)
    }

    /// Where the period begins that is so many after the one of this moment.
    pub fn line(self, wall: NaiveDateTime, origin: Option<NaiveDate>, further: i64) -> NaiveDateTime {
        let first = |year, day| NaiveDate::from_ymd_opt(year, 1, day).unwrap();
        let by_days = |count: i64, origin: NaiveDate| {
            let days = wall.date().signed_duration_since(origin).num_days();
            (origin + TimeDelta::days((days.div_euclid(count) + further) * count)).and_time(NaiveTime::MIN)
        };
        let by_months = |count: i64| {
            let origin = origin.unwrap_or(first(1970, 1));
            // Origins here are never later in their month than every month is long.
            let mut months = (i64::from(wall.year()) - i64::from(origin.year())) * 12 + i64::from(wall.month())
                - i64::from(origin.month());
            if wall.day() < origin.day() {
                months -= 1;
            }
            let months = (months.div_euclid(count) + further) * count + i64::from(origin.month0());
            let year = origin.year() + i32::try_from(months.div_euclid(12)).unwrap();
            let month = u32::try_from(months.rem_euclid(12)).unwrap() + 1;
            NaiveDate::from_ymd_opt(year, month, origin.day()).unwrap().and_time(NaiveTime::MIN)
        };
        match self {
            // Zones whose offset is no whole hour have other lines: reckoned only where it matters not.
            Cut::Hours(count) => {
                let hour = wall.date().and_hms_opt(wall.hour(), 0, 0).unwrap();
                hour - TimeDelta::hours(count) + TimeDelta::hours(further * count)
            }
            Cut::Days(count) => by_days(count, origin.unwrap_or(first(1970, 1))),
            Cut::Weeks(count) => by_days(count * 7, origin.unwrap_or(first(1970, 5))),
            Cut::Months(count) => by_months(count),
            Cut::Quarters(count) => by_months(count * 3),
            Cut::Years(count) => by_months(count * 12),
        }
    }
}

/// So much before a moment; the end of a month is its last day.
pub(super) fn before(wall: NaiveDateTime, months: u32, days: u32, hours: u32) -> NaiveDateTime {
    let month = wall.year() * 12 + i32::try_from(wall.month0()).unwrap() - i32::try_from(months).unwrap();
    let (year, month) = (month.div_euclid(12), u32::try_from(month.rem_euclid(12)).unwrap() + 1);
    let day = (1..=wall.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap();
    day.and_time(wall.time()) - TimeDelta::days(i64::from(days)) - TimeDelta::hours(i64::from(hours))
}

impl Clock {
    /// What the clock shows at a position.
    pub fn wall(self, axis: Axis, at: i128) -> Option<NaiveDateTime> {
        match axis.codec {
            Codec::Date => Some(
                NaiveDate::from_ymd_opt(1970, 1, 1)?.and_time(NaiveTime::MIN)
                    + TimeDelta::days(i64::try_from(at).ok()?),
            ),
            Codec::Timestamp => Some(DateTime::from_timestamp_micros(i64::try_from(at).ok()?)?.naive_utc()),
            _ => Some(axis.instant(at)?.with_timezone(&self.zone).naive_local()),
        }
    }

    /// What it shows now; a `date` key has no hours.
    pub fn now(self, axis: Axis, now: DateTime<Utc>) -> NaiveDateTime {
        let wall = now.with_timezone(&self.zone).naive_local();
        if axis.codec == Codec::Date { wall.date().and_time(NaiveTime::MIN) } else { wall }
    }

    /// The first moment at which the clock shows this time or a later one.
    fn moment(self, wall: NaiveDateTime) -> DateTime<Utc> {
        use chrono::TimeZone;
        let mut at = wall;
        loop {
            if let Some(moment) = self.zone.from_local_datetime(&at).earliest() {
                return moment.to_utc();
            }
            at += TimeDelta::minutes(30)
                - TimeDelta::seconds(i64::from(at.second()))
                - TimeDelta::minutes(i64::from(at.minute() % 30));
        }
    }

    pub fn line_before(
        self,
        axis: Axis,
        at: DateTime<Utc>,
        cut: &Cut,
        origin: Option<NaiveDate>,
    ) -> Option<DateTime<Utc>> {
        let line = cut.floor(self.now(axis, at), origin);
        Some(self.moment(line))
    }

    pub fn line_after(
        self,
        axis: Axis,
        at: DateTime<Utc>,
        cut: &Cut,
        origin: Option<NaiveDate>,
        count: u32,
    ) -> DateTime<Utc> {
        let line = cut.line(self.now(axis, at), origin, i64::from(count) + i64::from(cut.is_hours()));
        self.moment(line).max(at + TimeDelta::minutes(1))
    }
}
