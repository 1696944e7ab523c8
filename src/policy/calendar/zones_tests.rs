//! Every zone of the IANA database from 2020 to 2040: lines rise, and there is no hole between them.
//! Zones whose clocks agree all that time are walked once.

use std::collections::BTreeMap;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::super::axis::shown;
use super::*;

const WEEK: i64 = 7 * 86_400;

fn seconds(year: i32) -> i64 {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_time(NaiveTime::MIN).and_utc().timestamp()
}

fn offset(zone: Tz, at: i64) -> i32 {
    zone.offset_from_utc_datetime(&DateTime::from_timestamp(at, 0).unwrap().naive_utc()).fix().local_minus_utc()
}

/// When a zone's clock is changed, to the second.
fn changes(zone: Tz) -> Vec<i64> {
    let mut found = Vec::new();
    for week in (seconds(2020)..seconds(2041)).step_by(usize::try_from(WEEK).unwrap()) {
        let (mut before, mut after) = (week, week + WEEK);
        if offset(zone, before) == offset(zone, after) {
            continue;
        }
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if offset(zone, middle) == offset(zone, before) {
                before = middle;
            } else {
                after = middle;
            }
        }
        found.push(after);
    }
    found
}

/// One of all zones that show the same, with its changes.
fn zones() -> Vec<(Tz, Vec<i64>)> {
    let mut different = BTreeMap::new();
    for zone in TZ_VARIANTS {
        let changes = changes(zone);
        let offsets: Vec<i32> = [seconds(2020)].iter().chain(&changes).map(|at| offset(zone, *at)).collect();
        different.entry((changes, offsets)).or_insert(zone);
    }
    assert!(different.len() > 60, "{}", different.len());
    different.into_iter().map(|((changes, _), zone)| (zone, changes)).collect()
}

fn grid(zone: Tz, unit: Unit, count: u32) -> Grid {
    let axis = Axis { codec: Codec::Timestamptz, zone };
    Grid::new(axis, Every::Time { unit, count, origin: None }).unwrap()
}

/// Walks from one second to another and returns how many lines there were.
fn walk(grid: &Grid, from: i64, to: i64) -> usize {
    let place = || format!("{grid:?} from {from}");
    let mut line = grid.floor(i128::from(from) * 1_000_000).unwrap();
    assert!(line <= i128::from(from) * 1_000_000, "{}", place());
    let mut lines = 0;
    while line < i128::from(to) * 1_000_000 {
        let next = grid.next(line).unwrap();
        assert!(next > line, "{}", place());
        assert_eq!(grid.floor(next), Some(next), "{}", place());
        let within = line + (next - line) / 2;
        for at in [line, within, next - 1] {
            assert_eq!((grid.floor(at), grid.next(at)), (Some(line), Some(next)), "{} at {at}", place());
        }
        line = next;
        lines += 1;
    }
    lines
}

#[test]
fn days_in_every_zone() {
    for (zone, changes) in zones() {
        // Every position of the days around a change; below, the lines of all days.
        for change in &changes {
            walk(&grid(zone, Unit::Day, 1), change - 2 * 86_400, change + 2 * 86_400);
        }
        let grid = grid(zone, Unit::Day, 1);
        let (mut line, end) = (grid.floor(i128::from(seconds(2020)) * 1_000_000).unwrap(), seconds(2041));
        let mut days = 0;
        while line < i128::from(end) * 1_000_000 {
            let next = grid.next(line).unwrap();
            // Antarctica/Casey has moved by 3 hours at once.
            let width = (next - line) / 1_000_000;
            assert!((75_600..=97_200).contains(&width), "{zone} {line}: a day of {width} s");
            line = next;
            days += 1;
        }
        assert!((7671..=7672).contains(&days), "{zone}: {days} days");
    }
}

#[test]
fn weeks_months_quarters_and_years_in_every_zone() {
    for (zone, _) in zones() {
        for (unit, count, lines) in [
            (Unit::Week, 1, 1096),
            (Unit::Month, 1, 252),
            (Unit::Month, 5, 51),
            (Unit::Quarter, 1, 84),
            (Unit::Year, 1, 21),
        ] {
            let found = walk(&grid(zone, unit, count), seconds(2020), seconds(2041));
            assert!((lines..=lines + 1).contains(&found), "{zone} {unit}: {found}");
        }
    }
}

#[test]
fn hours_around_each_change_in_every_zone() {
    for (zone, changes) in zones() {
        for change in changes {
            for count in [1, 6] {
                let grid = grid(zone, Unit::Hour, count);
                walk(&grid, change - 30 * 3600, change + 30 * 3600);
                let line = grid.floor(i128::from(change) * 1_000_000).unwrap();
                assert_eq!(grid.next(line), Some(line + i128::from(count) * 3_600_000_000), "{zone} {change}");
            }
        }
    }
}

#[test]
fn a_line_is_where_the_clock_first_shows_the_day() {
    for (zone, changes) in zones() {
        for change in changes {
            let grid = grid(zone, Unit::Day, 1);
            for line in [
                grid.floor(i128::from(change) * 1_000_000).unwrap(),
                grid.next(i128::from(change) * 1_000_000).unwrap(),
            ] {
                let day = shown(grid.axis.instant(line).unwrap(), zone).unwrap().date();
                for earlier in (1..4000).step_by(7) {
                    let before = grid.axis.instant(line - earlier * 60_000_000 / 7).unwrap();
                    assert!(shown(before, zone).unwrap().date() < day, "{zone} {before}");
                }
            }
        }
    }
}
