//! Each kind of key: positions of moments and of wall clocks, and back; clocks that are changed.

use chrono_tz::America::Sao_Paulo;
use chrono_tz::Europe::Berlin;
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

fn axis(codec: Codec, zone: Tz) -> Axis {
    Axis { codec, zone }
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn wall(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

#[test]
fn a_moment_on_each_axis_and_back() {
    let moment = utc("2025-01-01T02:00:00Z");
    let micros = 1_735_696_800_000_000;
    // In Sao Paulo it is still 23:00 on the last day of the year.
    for (codec, at, back) in [
        (Codec::Date, 20_088, "2024-12-31T03:00:00Z"),
        (Codec::Timestamp, micros - 3 * 3_600_000_000, "2025-01-01T02:00:00Z"),
        (Codec::Timestamptz, micros, "2025-01-01T02:00:00Z"),
        (Codec::Epoch(EpochUnit::Seconds), micros / 1_000_000, "2025-01-01T02:00:00Z"),
        (Codec::Epoch(EpochUnit::Milliseconds), micros / 1000, "2025-01-01T02:00:00Z"),
        (Codec::Epoch(EpochUnit::Microseconds), micros, "2025-01-01T02:00:00Z"),
        (Codec::Epoch(EpochUnit::Nanoseconds), micros * 1000, "2025-01-01T02:00:00Z"),
        (Codec::UuidV7, ((micros / 1000) << 80) + i128::MIN, "2025-01-01T02:00:00Z"),
        (Codec::Snowflake { epoch_ms: 1_288_834_974_657 }, 446_861_825_343 << 22, "2025-01-01T02:00:00Z"),
    ] {
        let axis = axis(codec, Sao_Paulo);
        assert_eq!(axis.of_instant(moment), Some(at), "{codec:?}");
        assert_eq!(axis.instant(at), Some(utc(back)), "{codec:?}");
    }
    assert_eq!(axis(Codec::Number, Sao_Paulo).of_instant(moment), None);
    assert_eq!(axis(Codec::Number, Sao_Paulo).instant(1), None);
}

#[test]
fn a_moment_between_two_positions_is_the_later_one() {
    let moment = utc("2025-01-01T00:00:00.000000001Z");
    let seconds = axis(Codec::Epoch(EpochUnit::Seconds), Berlin);
    assert_eq!(seconds.of_instant(moment), Some(1_735_689_601));
    assert_eq!(axis(Codec::Timestamptz, Berlin).of_instant(moment), Some(1_735_689_600_000_001));
    assert_eq!(axis(Codec::Timestamp, Berlin).of_instant(moment), Some(1_735_693_200_000_001));
    // A day is what it falls on.
    assert_eq!(axis(Codec::Date, Berlin).of_instant(moment), Some(20_089));
}

#[test]
fn beyond_the_ends_of_an_axis_there_is_nothing() {
    let old = utc("1969-12-31T23:59:59Z");
    assert_eq!(axis(Codec::UuidV7, Tz::UTC).of_instant(old), None);
    assert_eq!(axis(Codec::UuidV7, Tz::UTC).of_instant(utc("+10900-01-01T00:00:00Z")), None);
    assert_eq!(axis(Codec::Epoch(EpochUnit::Seconds), Tz::UTC).of_instant(old), Some(-1));
    assert_eq!(axis(Codec::Epoch(EpochUnit::Nanoseconds), Tz::UTC).of_instant(utc("2300-01-01T00:00:00Z")), None);
    for codec in [Codec::Date, Codec::Timestamp, Codec::Timestamptz] {
        let axis = axis(codec, Tz::UTC);
        assert!(axis.of_wall(wall("-4713-11-24T00:00:00")).is_some(), "{codec:?}");
        assert_eq!(axis.of_wall(wall("-4713-11-23T23:00:00")), None, "{codec:?}");
        for end in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            let _ = axis.of_wall(end);
        }
        for end in [i128::MIN, i128::MAX, i128::from(i64::MIN), i128::from(i64::MAX)] {
            let _ = (axis.wall(end), axis.instant(end), axis.shown_again(end));
        }
    }
}

#[test]
fn a_wall_time_that_never_happens_is_the_first_moment_after_the_gap() {
    for (zone, shown, moment) in [
        // Midnight of the day on which summer time began.
        ("America/Sao_Paulo", "2018-11-04T00:00:00", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T00:59:59.999999", "2018-11-04T03:00:00Z"),
        ("Europe/Berlin", "2025-03-30T02:30:00", "2025-03-30T01:00:00Z"),
        ("Australia/Lord_Howe", "2025-10-05T02:15:00", "2025-10-04T15:30:00Z"),
        // A whole day that was not.
        ("Pacific/Apia", "2011-12-30T00:00:00", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-30T23:59:00", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00Z"),
        ("Asia/Beirut", "2024-03-31T00:00:00", "2024-03-30T22:00:00Z"),
    ] {
        let axis = axis(Codec::Timestamptz, zone.parse().unwrap());
        let at = axis.of_wall(wall(shown)).unwrap();
        assert_eq!(axis.instant(at), Some(utc(moment)), "{zone} {shown}");
    }
}

#[test]
fn a_wall_time_that_happens_twice_is_the_earlier_one() {
    for (zone, shown, moment, minutes) in [
        ("America/Sao_Paulo", "2018-02-17T23:30:00", "2018-02-18T01:30:00Z", 60),
        ("Europe/Berlin", "2025-10-26T02:30:00", "2025-10-26T00:30:00Z", 60),
        ("Australia/Lord_Howe", "2025-04-06T01:45:00", "2025-04-05T14:45:00Z", 30),
    ] {
        let axis = axis(Codec::Timestamptz, zone.parse().unwrap());
        let at = axis.of_wall(wall(shown)).unwrap();
        assert_eq!(axis.instant(at), Some(utc(moment)), "{zone} {shown}");
        assert!(!axis.shown_again(at) && axis.shown_again(at + minutes * 60_000_000), "{zone} {shown}");
    }
}

#[test]
fn a_wall_clock_key_has_every_time_of_a_day_once() {
    let axis = axis(Codec::Timestamp, Sao_Paulo);
    let at = axis.of_wall(wall("2018-11-04T00:00:00")).unwrap();
    assert_eq!(axis.wall(at), Some(wall("2018-11-04T00:00:00")));
    assert_eq!(axis.instant(at), Some(utc("2018-11-04T03:00:00Z")));
    assert!(!axis.shown_again(at));
}

proptest! {
    #[test]
    fn what_a_position_shows_leads_back_to_it_or_before(seconds in -5_000_000_000i64..8_000_000_000, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
        let axis = axis(Codec::Epoch(EpochUnit::Seconds), chrono_tz::TZ_VARIANTS[zone]);
        let at = i128::from(seconds);
        let back = axis.of_wall(axis.wall(at).unwrap()).unwrap();
        prop_assert_eq!(back < at, axis.shown_again(at));
        prop_assert!(back <= at);
        prop_assert_eq!(axis.wall(back), axis.wall(at));
    }

    #[test]
    fn uuids_keep_their_order(one: u128, other: u128) {
        prop_assert_eq!(one.cmp(&other), Codec::of_uuid(one).cmp(&Codec::of_uuid(other)));
        prop_assert_eq!(Codec::to_uuid(Codec::of_uuid(one)), one);
    }

    #[test]
    fn no_position_is_too_far(at: i128, codec in 0..9usize) {
        let codec = [
            Codec::Date,
            Codec::Timestamp,
            Codec::Timestamptz,
            Codec::Epoch(EpochUnit::Seconds),
            Codec::Epoch(EpochUnit::Nanoseconds),
            Codec::Number,
            Codec::UuidV7,
            Codec::Snowflake { epoch_ms: i64::MAX },
            Codec::Snowflake { epoch_ms: i64::MIN },
        ][codec];
        let axis = axis(codec, Berlin);
        let _ = (axis.instant(at), axis.wall(at), axis.literal(at), axis.shown_again(at));
    }
}
