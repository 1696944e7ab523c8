//! Positions, moments and wall clocks: how the three follow from each other for each kind of key, also
//! where a clock is put forward or back. Pure.

use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::super::key::{Codec, EpochUnit};
use super::civil::FIRST_DAY;

/// An axis with its zone: positions, moments, wall clocks and literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// How values stand for time.
    pub codec: Codec,
    /// The zone of the policy.
    pub zone: Tz,
}

/// Microseconds of a day.
pub(super) const DAY: i128 = 86_400_000_000;

/// No zone's clock has ever been further from UTC.
const FURTHEST_OFFSET: i64 = 16 * 3600;

impl Axis {
    /// The position of a moment: the first whose time is not before it, for `date` the day that it falls
    /// on. Nothing for numbers, and beyond the ends of the axis.
    pub fn of_instant(&self, moment: DateTime<Utc>) -> Option<i128> {
        match self.codec {
            Codec::Date | Codec::Timestamp => self.of_wall(shown(moment, self.zone)?),
            Codec::Timestamptz => after_first_day(ceil(nanos(moment), 1000)),
            Codec::Epoch(unit) => within_bigint(ceil(nanos(moment), unit.nanos())),
            Codec::Number => None,
            Codec::UuidV7 => {
                let millis = u64::try_from(ceil(nanos(moment), 1_000_000)).ok()?;
                (millis < 1 << 48).then(|| Codec::of_uuid(u128::from(millis) << 80))
            }
            Codec::Snowflake { epoch_ms } => {
                within_bigint((ceil(nanos(moment), 1_000_000) - i128::from(epoch_ms)) << 22)
            }
        }
    }

    /// The moment of a position, rounded down to microseconds.
    pub fn instant(&self, at: i128) -> Option<DateTime<Utc>> {
        let micros = match self.codec {
            Codec::Date | Codec::Timestamp => return first_shown(self.wall(at)?, self.zone),
            Codec::Timestamptz => at,
            Codec::Epoch(unit) => at.checked_mul(unit.nanos())?.div_euclid(1000),
            Codec::Number => return None,
            Codec::UuidV7 => i128::try_from(Codec::to_uuid(at) >> 80).ok()? * 1000,
            Codec::Snowflake { epoch_ms } => ((at >> 22) + i128::from(epoch_ms)).checked_mul(1000)?,
        };
        DateTime::from_timestamp_micros(i64::try_from(micros).ok()?)
    }

    /// The position at which the zone's wall clock first shows this or, where it never does, the first
    /// after it; for `date` the day.
    pub fn of_wall(&self, wall: NaiveDateTime) -> Option<i128> {
        match self.codec {
            Codec::Date => {
                let day = wall.date().to_epoch_days();
                (i64::from(day) >= FIRST_DAY).then_some(i128::from(day))
            }
            Codec::Timestamp => after_first_day(ceil(nanos(wall.and_utc()), 1000)),
            Codec::Number => None,
            _ => self.of_instant(first_shown(wall, self.zone)?),
        }
    }

    /// What the zone's wall clock shows at a position.
    pub fn wall(&self, at: i128) -> Option<NaiveDateTime> {
        match self.codec {
            Codec::Date => Some(NaiveDate::from_epoch_days(i32::try_from(at).ok()?)?.and_time(NaiveTime::MIN)),
            Codec::Timestamp => Some(DateTime::from_timestamp_micros(i64::try_from(at).ok()?)?.naive_utc()),
            _ => shown(self.instant(at)?, self.zone),
        }
    }

    /// Whether the zone's clock shows at this position what it has shown before: it was put back.
    pub fn shown_again(&self, at: i128) -> bool {
        match self.codec {
            Codec::Date | Codec::Timestamp => false,
            _ => self.wall(at).and_then(|wall| first_shown(wall, self.zone)) < self.instant(at),
        }
    }

    /// Whether positions are of a wall clock, whatever the zone.
    pub(super) fn is_wall(&self) -> bool {
        matches!(self.codec, Codec::Date | Codec::Timestamp)
    }
}

impl Codec {
    /// The position of a uuid: all bits in order, the smallest uuid at the lowest number.
    pub(super) fn of_uuid(uuid: u128) -> i128 {
        (uuid ^ 1 << 127).cast_signed()
    }

    pub(super) fn to_uuid(at: i128) -> u128 {
        at.cast_unsigned() ^ 1 << 127
    }
}

impl EpochUnit {
    fn nanos(self) -> i128 {
        match self {
            EpochUnit::Seconds => 1_000_000_000,
            EpochUnit::Milliseconds => 1_000_000,
            EpochUnit::Microseconds => 1000,
            EpochUnit::Nanoseconds => 1,
        }
    }
}

/// What the zone's clock shows; nothing beyond the calendar's ends.
pub(super) fn shown(moment: DateTime<Utc>, zone: Tz) -> Option<NaiveDateTime> {
    let utc = moment.naive_utc();
    utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix())
}

/// The first moment at which the zone's clock shows this time or a later one.
fn first_shown(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(moment) => Some(moment.to_utc()),
        MappedLocalTime::Ambiguous(one, other) => Some(one.min(other).to_utc()),
        MappedLocalTime::None => after_gap(wall, zone),
    }
}

/// The moment at which the clock was put forward over this time: by halving, as chrono-tz does not tell.
fn after_gap(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let seconds = wall.and_utc().timestamp();
    let (mut before, mut after) = (seconds - FURTHEST_OFFSET - 1, seconds + FURTHEST_OFFSET + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if shown(DateTime::from_timestamp(middle, 0)?, zone)? < wall {
            before = middle;
        } else {
            after = middle;
        }
    }
    DateTime::from_timestamp(after, 0)
}

fn nanos(moment: DateTime<Utc>) -> i128 {
    i128::from(moment.timestamp()) * 1_000_000_000 + i128::from(moment.timestamp_subsec_nanos())
}

fn ceil(value: i128, unit: i128) -> i128 {
    value.div_euclid(unit) + i128::from(value.rem_euclid(unit) != 0)
}

fn after_first_day(micros: i128) -> Option<i128> {
    (micros >= i128::from(FIRST_DAY) * DAY).then_some(micros)
}

fn within_bigint(at: i128) -> Option<i128> {
    i64::try_from(at).ok().map(i128::from)
}

#[cfg(test)]
#[path = "axis_tests.rs"]
mod tests;
