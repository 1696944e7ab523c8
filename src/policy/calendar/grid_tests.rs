//! Named situations: lines, horizons and cutoffs.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::super::super::key::EpochUnit;
use super::super::super::span::Span;
use super::*;

fn time(unit: Unit, count: u32, origin: Option<&str>) -> Every {
    Every::Time { unit, count, origin: origin.map(|day| day.parse().unwrap()) }
}

fn grid(codec: Codec, zone: &str, every: Every) -> Grid {
    Grid::new(Axis { codec, zone: zone.parse::<Tz>().unwrap() }, every).unwrap()
}

fn zoned(zone: &str, every: Every) -> Grid {
    grid(Codec::Timestamptz, zone, every)
}

fn months(months: u32) -> Span {
    Span { months, ..Span::default() }
}

fn days(days: u32) -> Span {
    Span { days, ..Span::default() }
}

impl Grid {
    fn at(&self, text: &str) -> i128 {
        self.axis.of_instant(text.parse().unwrap()).unwrap()
    }

    fn text(&self, at: i128) -> String {
        self.axis.literal(at).replace(" 00:00:00", "")
    }

    /// The line before a moment and so many after it.
    fn lines(&self, from: &str, count: usize) -> Vec<String> {
        let floor = self.floor(self.at(from)).unwrap();
        std::iter::successors(Some(floor), |line| self.next(*line)).take(count).map(|line| self.text(line)).collect()
    }

    fn cut(&self, now: &str, keep: Span, exact: bool) -> String {
        self.text(self.cutoff(self.at(now), Keep::Time(keep), exact).unwrap())
    }

    fn ahead(&self, now: &str, ahead: Ahead) -> String {
        self.text(self.horizon(self.at(now), ahead).unwrap())
    }
}

#[test]
fn months_in_the_zone_of_the_policy() {
    let grid = zoned("America/Sao_Paulo", time(Unit::Month, 1, None));
    // Still January there.
    assert_eq!(grid.lines("2025-02-01T02:59:59Z", 3), ["2025-01-01-03", "2025-02-01-03", "2025-03-01-03"]);
    assert_eq!(grid.lines("2025-02-01T03:00:00Z", 2), ["2025-02-01-03", "2025-03-01-03"]);
    assert_eq!(grid.ceil(grid.at("2025-02-01T03:00:00Z")), Some(grid.at("2025-02-01T03:00:00Z")));
}

#[test]
fn leap_day() {
    let grid = grid(Codec::Date, "UTC", time(Unit::Day, 1, None));
    assert_eq!(grid.lines("2024-02-28T12:00:00Z", 3), ["2024-02-28", "2024-02-29", "2024-03-01"]);
    assert_eq!(grid.lines("2100-02-28T12:00:00Z", 2), ["2100-02-28", "2100-03-01"]);
    assert_eq!(grid.cut("2024-02-29T12:00:00Z", months(12), false), "2023-02-28");
    assert_eq!(grid.cut("2024-02-29T12:00:00Z", months(48), false), "2020-02-29");
}

#[test]
fn iso_week_53() {
    let grid = grid(Codec::Date, "UTC", time(Unit::Week, 1, None));
    assert_eq!(grid.lines("2020-12-31T00:00:00Z", 3), ["2020-12-28", "2021-01-04", "2021-01-11"]);
    assert_eq!(grid.lines("1969-12-31T00:00:00Z", 2), ["1969-12-29", "1970-01-05"]);
}

#[test]
fn weeks_that_begin_where_the_origin_says() {
    let two = zoned("UTC", time(Unit::Week, 2, None));
    assert_eq!(two.lines("1970-01-20T00:00:00Z", 2), ["1970-01-19+00", "1970-02-02+00"]);
    let sundays = zoned("UTC", time(Unit::Week, 1, Some("2025-01-05")));
    assert_eq!(sundays.lines("2024-12-31T00:00:00Z", 2), ["2024-12-29+00", "2025-01-05+00"]);
}

#[test]
fn quarter() {
    let grid = zoned("Europe/Berlin", time(Unit::Quarter, 1, None));
    assert_eq!(grid.lines("2025-03-31T21:59:59Z", 3), ["2025-01-01+01", "2025-04-01+02", "2025-07-01+02"]);
    assert_eq!(grid.lines("2025-03-31T22:00:00Z", 1), ["2025-04-01+02"]);
}

#[test]
fn three_months_with_an_origin() {
    let grid = zoned("UTC", time(Unit::Month, 3, Some("2024-02-01")));
    assert_eq!(grid.lines("2024-01-31T00:00:00Z", 3), ["2023-11-01+00", "2024-02-01+00", "2024-05-01+00"]);
    assert_eq!(grid.lines("1999-12-31T00:00:00Z", 2), ["1999-11-01+00", "2000-02-01+00"]);
}

#[test]
fn months_that_begin_late_in_the_month() {
    let mid = zoned("UTC", time(Unit::Month, 1, Some("2024-01-15")));
    assert_eq!(mid.lines("2025-03-14T23:00:00Z", 2), ["2025-02-15+00", "2025-03-15+00"]);
    let last = zoned("UTC", time(Unit::Month, 1, Some("2024-01-31")));
    assert_eq!(last.lines("2025-02-27T00:00:00Z", 3), ["2025-01-31+00", "2025-02-28+00", "2025-03-31+00"]);
}

#[test]
fn fifteen_days_with_an_origin() {
    let grid = grid(Codec::Date, "UTC", time(Unit::Day, 15, Some("2024-02-20")));
    assert_eq!(grid.lines("2024-02-25T00:00:00Z", 3), ["2024-02-20", "2024-03-06", "2024-03-21"]);
    assert_eq!(grid.lines("2024-02-19T00:00:00Z", 2), ["2024-02-05", "2024-02-20"]);
}

#[test]
fn years_and_two_years() {
    assert_eq!(
        zoned("UTC", time(Unit::Year, 1, None)).lines("2024-12-31T23:00:00Z", 2),
        ["2024-01-01+00", "2025-01-01+00"]
    );
    assert_eq!(
        zoned("UTC", time(Unit::Year, 2, None)).lines("2025-06-01T00:00:00Z", 2),
        ["2024-01-01+00", "2026-01-01+00"]
    );
    let fiscal = zoned("UTC", time(Unit::Year, 1, Some("2020-04-01")));
    assert_eq!(fiscal.lines("2025-03-31T00:00:00Z", 2), ["2024-04-01+00", "2025-04-01+00"]);
}

#[test]
fn dst_spring_and_autumn_by_hour() {
    let berlin = zoned("Europe/Berlin", time(Unit::Hour, 1, None));
    assert_eq!(
        berlin.lines("2025-03-30T00:30:00Z", 3),
        ["2025-03-30 01:00:00+01", "2025-03-30 03:00:00+02", "2025-03-30 04:00:00+02"]
    );
    assert_eq!(
        berlin.lines("2025-10-25T23:30:00Z", 4),
        ["2025-10-26 01:00:00+02", "2025-10-26 02:00:00+02", "2025-10-26 02:00:00+01", "2025-10-26 03:00:00+01"]
    );
    // Put forward by half an hour: the hours go on from where they were.
    let lord_howe = zoned("Australia/Lord_Howe", time(Unit::Hour, 1, None));
    assert_eq!(
        lord_howe.lines("2025-04-05T14:10:00Z", 3),
        ["2025-04-06 01:00:00+11", "2025-04-06 01:30:00+10:30", "2025-04-06 02:30:00+10:30"]
    );
    // A wall clock key has all 24, once.
    let wall = grid(Codec::Timestamp, "Europe/Berlin", time(Unit::Hour, 1, None));
    assert_eq!(
        wall.lines("2025-03-30T00:30:00Z", 3),
        ["2025-03-30 01:00:00", "2025-03-30 02:00:00", "2025-03-30 03:00:00"]
    );
}

#[test]
fn several_hours_are_counted_from_midnight() {
    let kathmandu = zoned("Asia/Kathmandu", time(Unit::Hour, 6, None));
    assert_eq!(
        kathmandu.lines("2025-06-01T00:00:00Z", 3),
        ["2025-06-01+05:45", "2025-06-01 06:00:00+05:45", "2025-06-01 12:00:00+05:45"]
    );
    let with_origin = grid(Codec::Timestamp, "UTC", time(Unit::Hour, 36, Some("2025-01-01")));
    assert_eq!(with_origin.lines("2025-01-02T13:00:00Z", 2), ["2025-01-02 12:00:00", "2025-01-04"]);
    assert_eq!(with_origin.lines("2024-12-31T13:00:00Z", 2), ["2024-12-30 12:00:00", "2025-01-01"]);
}

#[test]
fn midnight_that_does_not_exist() {
    let grid = zoned("America/Sao_Paulo", time(Unit::Day, 1, None));
    assert_eq!(grid.lines("2018-11-03T12:00:00Z", 3), ["2018-11-03-03", "2018-11-04 01:00:00-02", "2018-11-05-02"]);
    // A microsecond before it is still the day before.
    let line = grid.at("2018-11-04T03:00:00Z");
    assert_eq!(grid.floor(line), Some(line));
    assert_eq!(grid.next(line - 1), Some(line));
    assert_eq!(grid.text(grid.floor(line - 1).unwrap()), "2018-11-03-03");
}

#[test]
fn a_day_of_25_hours() {
    let grid = zoned("America/Sao_Paulo", time(Unit::Day, 1, None));
    assert_eq!(grid.lines("2018-02-18T02:30:00Z", 2), ["2018-02-17-02", "2018-02-18-03"]);
}

#[test]
fn a_clock_put_back_over_midnight_does_not_reopen_the_day() {
    // At 00:01 it was 23:01 again; the day had begun a minute before.
    let grid = zoned("America/St_Johns", time(Unit::Day, 1, None));
    let line = grid.at("2010-11-07T02:30:00Z");
    let again = grid.at("2010-11-07T03:00:00Z");
    assert_eq!(grid.text(line), "2010-11-07-02:30");
    assert_eq!(grid.text(again), "2010-11-06 23:30:00-03:30");
    assert_eq!(grid.floor(again), Some(line));
    assert_eq!(grid.text(grid.next(again).unwrap()), "2010-11-08-03:30");
}

#[test]
fn a_day_that_a_zone_skipped() {
    let grid = zoned("Pacific/Apia", time(Unit::Day, 1, None));
    assert_eq!(grid.lines("2011-12-30T09:00:00Z", 3), ["2011-12-29-10", "2011-12-31+14", "2012-01-01+14"]);
    assert_eq!(grid.ahead("2011-12-30T09:00:00Z", Ahead::Periods(1)), "2012-01-01+14");
    let dates = super::super::Grid { axis: Axis { codec: Codec::Date, ..grid.axis }, ..grid };
    assert_eq!(dates.lines("2011-12-30T09:00:00Z", 3), ["2011-12-29", "2011-12-30", "2011-12-31"]);
}

#[test]
fn keys_that_are_not_of_a_time_type() {
    let month = time(Unit::Month, 1, None);
    for (codec, line, next) in [
        (Codec::Epoch(EpochUnit::Seconds), "1735700400", "1738378800"),
        (Codec::Epoch(EpochUnit::Nanoseconds), "1735700400000000000", "1738378800000000000"),
        (Codec::UuidV7, "01941fce-4780-0000-0000-000000000000", "0194bf73-6b80-0000-0000-000000000000"),
        (Codec::Snowflake { epoch_ms: 1_735_700_400_000 }, "0", "11234023833600000"),
    ] {
        let grid = grid(codec, "America/Sao_Paulo", month);
        let at = grid.at("2025-01-20T00:00:00Z");
        assert_eq!(grid.axis.literal(grid.floor(at).unwrap()), line, "{codec:?}");
        assert_eq!(grid.axis.literal(grid.next(at).unwrap()), next, "{codec:?}");
        assert_eq!(grid.floor(grid.next(at).unwrap() - 1), grid.floor(at));
    }
}

#[test]
fn plain_numbers() {
    let grid = grid(Codec::Number, "UTC", Every::Values(1000));
    for (at, floor, next) in [(0, 0, 1000), (999, 0, 1000), (1000, 1000, 2000), (-1, -1000, 0), (-1000, -1000, 0)] {
        assert_eq!((grid.floor(at), grid.next(at)), (Some(floor), Some(next)), "{at}");
    }
    assert_eq!(grid.horizon(1500, Ahead::Periods(2)), Some(4000));
    assert_eq!(grid.horizon(1500, Ahead::For(days(1))), None);
    assert_eq!(grid.cutoff(12_345, Keep::Values(5000), false), Some(7000));
    assert_eq!(grid.cutoff(12_345, Keep::Values(5000), true), Some(7345));
    assert_eq!(grid.cutoff(12_345, Keep::Time(days(1)), false), None);
    assert_eq!((grid.next(i128::MAX), grid.floor(i128::MIN)), (None, None));
}

#[test]
fn horizons() {
    let grid = zoned("UTC", time(Unit::Month, 1, None));
    let now = "2025-11-25T12:00:00Z";
    assert_eq!(grid.horizon(grid.at(now), Ahead::Never), None);
    assert_eq!(grid.ahead(now, Ahead::Periods(0)), "2025-12-01+00");
    assert_eq!(grid.ahead(now, Ahead::Periods(3)), "2026-03-01+00");
    assert_eq!(grid.ahead(now, Ahead::For(days(5))), "2025-12-01+00");
    assert_eq!(grid.ahead(now, Ahead::For(days(6))), "2026-01-01+00");
    // The current period is made in any case, also when it is only beginning.
    assert_eq!(grid.ahead("2025-12-01T00:00:00Z", Ahead::For(Span::default())), "2026-01-01+00");
    assert_eq!(grid.ahead("2025-12-01T00:00:00Z", Ahead::For(months(1))), "2026-01-01+00");
    assert_eq!(grid.ahead("2025-12-01T00:00:00Z", Ahead::Periods(1)), "2026-02-01+00");
}

#[test]
fn a_horizon_within_a_day_covers_that_day() {
    let dates = grid(Codec::Date, "UTC", time(Unit::Day, 1, None));
    let hours = Span { micros: 30 * 3_600_000_000, ..Span::default() };
    // Late on the 25th, 30 hours reach into the 27th, and so do two days.
    assert_eq!(dates.ahead("2025-11-25T20:00:00Z", Ahead::For(hours)), "2025-11-28");
    assert_eq!(dates.ahead("2025-11-25T20:00:00Z", Ahead::For(days(2))), "2025-11-28");
    assert_eq!(dates.ahead("2025-11-25T00:00:00Z", Ahead::For(Span::default())), "2025-11-26");
}

#[test]
fn month_end_clamped() {
    let grid = zoned("America/Sao_Paulo", time(Unit::Day, 1, None));
    assert_eq!(grid.cut("2025-03-31T15:00:00Z", months(1), false), "2025-02-28-03");
    assert_eq!(grid.cut("2025-03-31T15:00:00Z", months(1), true), "2025-02-28 12:00:00-03");
    assert_eq!(grid.cut("2024-03-31T15:00:00Z", months(1), false), "2024-02-29-03");
    assert_eq!(grid.cut("2025-03-31T15:00:00Z", days(31), false), "2025-02-28-03");
}

#[test]
fn a_cutoff_is_rounded_down_to_the_grid() {
    let grid = zoned("UTC", time(Unit::Month, 1, None));
    assert_eq!(grid.cut("2025-11-25T12:00:00Z", months(12), false), "2024-11-01+00");
    assert_eq!(grid.cut("2025-11-25T12:00:00Z", months(12), true), "2024-11-25 12:00:00+00");
    assert_eq!(grid.cut("2025-11-01T00:00:00Z", months(12), false), "2024-11-01+00");
    assert_eq!(grid.cut("2025-10-31T23:59:59Z", months(12), false), "2024-10-01+00");
}

#[test]
fn a_cutoff_in_the_zone_across_dst() {
    // Midday less half a year is midday, and an hour more or less in between.
    let grid = zoned("Europe/Berlin", time(Unit::Day, 1, None));
    assert_eq!(grid.cut("2025-09-25T10:00:00Z", months(6), true), "2025-03-25 12:00:00+01");
    // A cutoff that falls into the gap of spring is behind it.
    assert_eq!(grid.cut("2025-04-30T00:30:00Z", months(1), true), "2025-03-30 03:00:00+02");
}

#[test]
fn a_grid_that_does_not_fit_its_axis() {
    let new = |codec, every| Grid::new(Axis { codec, zone: Tz::UTC }, every).map(|_| ()).unwrap_err();
    let hour = time(Unit::Hour, 6, None);
    assert_eq!(new(Codec::Date, hour), "a date key has no hours: it cannot be cut every 6 hours; use day or more");
    assert!(new(Codec::Number, time(Unit::Month, 1, None)).contains("cannot be cut every month; give a number"));
    assert!(new(Codec::Timestamptz, Every::Values(10)).contains("give a unit of time"));
    assert!(new(Codec::Number, Every::Values(0)).contains("use 1 or more"));
    assert!(new(Codec::Date, time(Unit::Day, 0, None)).contains("use 1 or more"));
    assert!(Grid::new(Axis { codec: Codec::UuidV7, zone: Tz::UTC }, hour).is_ok());
}

#[test]
fn the_ends_of_the_calendar_are_none() {
    for unit in [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year] {
        for count in [1, 1000, u32::MAX] {
            for codec in [Codec::Timestamp, Codec::Timestamptz, Codec::UuidV7, Codec::Epoch(EpochUnit::Nanoseconds)] {
                let grid = grid(codec, "Asia/Tokyo", time(unit, count, Some("2000-02-29")));
                let ends = [i128::MIN, i128::from(i64::MIN), -1, 0, 1, i128::from(i64::MAX), i128::MAX];
                for at in ends {
                    assert!(grid.floor(at).is_none_or(|line| line <= at));
                    assert!(grid.next(at).is_none_or(|line| line > at));
                    let _ = grid.horizon(at, Ahead::For(months(u32::MAX)));
                    let _ = grid.cutoff(at, Keep::Time(days(u32::MAX)), false);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn every_position_lies_in_one_period(
        seconds in -4_000_000_000i64..9_000_000_000,
        zone in 0..chrono_tz::TZ_VARIANTS.len(),
        unit in 0..6usize,
        count in 1u32..40,
        origin in proptest::option::of(-20_000i32..40_000),
        codec in 0..5usize,
    ) {
        let unit = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year][unit];
        let codec = [
            Codec::Timestamptz,
            Codec::Timestamp,
            if unit == Unit::Hour { Codec::Timestamp } else { Codec::Date },
            Codec::Epoch(EpochUnit::Seconds),
            Codec::Epoch(EpochUnit::Milliseconds),
        ][codec];
        let zone = chrono_tz::TZ_VARIANTS[zone];
        let origin = origin.map(|day| NaiveDate::from_epoch_days(day).unwrap());
        let grid = Grid::new(Axis { codec, zone }, Every::Time { unit, count, origin }).unwrap();
        let at = grid.axis.of_instant(DateTime::from_timestamp(seconds, 0).unwrap()).unwrap();
        let (line, next) = (grid.floor(at).unwrap(), grid.next(at).unwrap());
        prop_assert!(line <= at && at < next);
        prop_assert_eq!((grid.floor(line), grid.next(line)), (Some(line), Some(next)));
        prop_assert_eq!((grid.floor(next), grid.floor(next - 1)), (Some(next), Some(line)));
        prop_assert_eq!((grid.ceil(line), grid.ceil(next - 1)), (Some(line), Some(if next - 1 == line { line } else { next })));
        // Where a period begins on the origin, it begins on its day.
        if let Some(origin) = origin {
            let first = grid.axis.of_wall(origin.and_time(NaiveTime::MIN)).unwrap();
            prop_assert_eq!(grid.floor(first), Some(first));
        }
    }

    #[test]
    fn a_cutoff_never_takes_what_is_kept(seconds in 1_500_000_000i64..2_300_000_000, days in 0u32..2000, months in 0u32..60) {
        let keep = Span { months, days, micros: 0 };
        let mut last = None;
        for unit in [Unit::Day, Unit::Month, Unit::Quarter] {
            let grid = zoned("America/Sao_Paulo", time(unit, 1, None));
            let now = i128::from(seconds) * 1_000_000;
            let exact = grid.cutoff(now, Keep::Time(keep), true).unwrap();
            let rounded = grid.cutoff(now, Keep::Time(keep), false).unwrap();
            prop_assert!(rounded <= exact && exact <= now);
            prop_assert_eq!(grid.floor(exact), Some(rounded));
            // A coarser grid keeps more.
            prop_assert!(last.is_none_or(|last| rounded <= last));
            last = Some(rounded);
        }
    }
}
