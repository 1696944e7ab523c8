//! A stretch of calendar time as a policy writes it: `12 months`, `90 days`, `P1Y6M`. Months and
//! years follow the calendar, with the end of a month clamped. Pure.

use chrono::{Days, Months, NaiveDateTime, TimeDelta};

/// Months, days and less. Subtracted and added in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Years count as twelve.
    pub months: u32,
    /// Weeks count as seven.
    pub days: u32,
    /// Hours and less, in microseconds.
    pub micros: u64,
}

impl Span {
    /// Whether it is no time at all.
    pub fn is_zero(self) -> bool {
        self == Span::default()
    }

    /// That much before a moment of a wall clock; nothing beyond the calendar's ends.
    pub fn before(self, moment: NaiveDateTime) -> Option<NaiveDateTime> {
        moment
            .checked_sub_months(Months::new(self.months))?
            .checked_sub_days(Days::new(u64::from(self.days)))?
            .checked_sub_signed(self.rest()?)
    }

    /// That much after a moment of a wall clock; nothing beyond the calendar's ends.
    pub fn after(self, moment: NaiveDateTime) -> Option<NaiveDateTime> {
        moment
            .checked_add_months(Months::new(self.months))?
            .checked_add_days(Days::new(u64::from(self.days)))?
            .checked_add_signed(self.rest()?)
    }

    /// For comparing two spans where no calendar is at hand: a month counts as 365.2425 / 12 days.
    pub fn about_days(self) -> f64 {
        f64::from(self.months) * 30.436_875 + f64::from(self.days) + self.micros as f64 / 86_400e6
    }

    fn rest(self) -> Option<TimeDelta> {
        Some(TimeDelta::microseconds(i64::try_from(self.micros).ok()?))
    }
}
