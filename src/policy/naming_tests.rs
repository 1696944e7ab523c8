//! Names by template and by grid.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use proptest::prelude::*;

use super::super::calendar::Grid;
use super::super::key::Codec;
use super::*;

fn axis(codec: Codec, zone: &str) -> Axis {
    Axis { codec, zone: zone.parse::<Tz>().unwrap() }
}

fn every(unit: Unit, count: u32) -> Every {
    Every::Time { unit, count, origin: None }
}

fn range(lower: i128, upper: i128) -> Range {
    Range::new(Edge::At(lower), Edge::At(upper)).unwrap()
}

/// The period that a moment lies in.
fn period(axis: Axis, every: Every, moment: &str) -> Range {
    let grid = Grid::new(axis, every).unwrap();
    let at = axis.of_instant(moment.parse().unwrap()).unwrap();
    range(grid.floor(at).unwrap(), grid.next(at).unwrap())
}

fn named(template: &str, range: Range, axis: &Axis) -> String {
    Template::parse(template).unwrap().name("t", range, axis)
}

#[test]
fn each_grid_names_in_its_own_way() {
    let axis = axis(Codec::Timestamptz, "America/Sao_Paulo");
    for (unit, count, name) in [
        (Unit::Hour, 1, "t_2024_12_31_23"),
        (Unit::Day, 1, "t_2024_12_31"),
        (Unit::Week, 1, "t_2025_w01"),
        (Unit::Month, 1, "t_2024_12"),
        (Unit::Month, 3, "t_2024_10"),
        (Unit::Quarter, 1, "t_2024_q4"),
        (Unit::Quarter, 2, "t_2024_q3"),
        (Unit::Year, 1, "t_2024"),
    ] {
        let every = every(unit, count);
        // In the zone of the policy it is still the old year.
        let range = period(axis, every, "2025-01-01T02:30:00Z");
        assert_eq!(Template::of(every).name("t", range, &axis), name);
    }
    let number = self::axis(Codec::Number, "UTC");
    assert_eq!(Template::of(Every::Values(1000)).name("t", range(3000, 4000), &number), "t_3000");
    assert_eq!(Template::of(Every::Values(1000)).name("t", range(-1000, 0), &number), "t_-1000");
}

#[test]
fn iso_week_53_has_the_year_of_its_thursday() {
    let (axis, week) = (axis(Codec::Date, "UTC"), every(Unit::Week, 1));
    assert_eq!(Template::of(week).name("t", period(axis, week, "2021-01-03T00:00:00Z"), &axis), "t_2020_w53");
}

#[test]
fn the_hour_that_is_shown_twice_has_two_names() {
    let (axis, hour) = (axis(Codec::Timestamptz, "Europe/Berlin"), every(Unit::Hour, 1));
    for (moment, name) in [
        ("2025-10-26T00:30:00Z", "t_2025_10_26_02"),
        ("2025-10-26T01:30:00Z", "t_2025_10_26_02b"),
        ("2025-10-26T02:30:00Z", "t_2025_10_26_03"),
    ] {
        assert_eq!(Template::of(hour).name("t", period(axis, hour, moment), &axis), name);
    }
}

#[test]
fn neighbours_never_have_the_same_name() {
    for zone in ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"] {
        for (unit, count) in [
            (Unit::Hour, 1),
            (Unit::Hour, 5),
            (Unit::Day, 10),
            (Unit::Week, 2),
            (Unit::Month, 5),
            (Unit::Quarter, 3),
            (Unit::Year, 2),
        ] {
            let (axis, every) = (axis(Codec::Timestamptz, zone), every(unit, count));
            let grid = Grid::new(axis, every).unwrap();
            let mut lower = grid.floor(1_735_689_600_000_000).unwrap();
            let mut names = BTreeSet::new();
            // For hours a whole year, with both changes of the clock.
            for _ in 0..if unit == Unit::Hour { 8800 / count } else { 300 } {
                let Some(upper) = grid.next(lower) else { break };
                let name = Template::of(every).name("t", range(lower, upper), &axis);
                assert!(names.insert(name.clone()), "{zone} {every}: {name} twice");
                lower = upper;
            }
        }
    }
}

#[test]
fn templates() {
    let axis = axis(Codec::Timestamptz, "UTC");
    let range = period(axis, every(Unit::Quarter, 1), "2025-05-05T00:00:00Z");
    for (template, name) in [
        ("{table}_{from:%Y}_q{quarter}", "t_2025_q2"),
        ("{from:%Y_%m}_to_{to:%m}_{table}", "2025_04_to_07_t"),
        ("{table}_p{from:%Y%m%d}", "t_p20250401"),
        ("{table}{lower}_{upper}", "t1743465600000000_1751328000000000"),
        ("é {from:%y%%}", "é 25%"),
    ] {
        assert_eq!(named(template, range, &axis), name);
    }
}

#[test]
fn templates_that_cannot_name() {
    for (template, message) in [
        ("{table", "a brace without its counterpart"),
        ("table}", "a brace without its counterpart"),
        ("{table}_{form:%Y}", "{form:%Y} is unknown: there are {table}, {from:%Y_%m}"),
        ("{table:x}_{from:%Y}", "{table:x} is unknown"),
        ("{from}", "{from} needs a format: {from:%Y_%m_%d}"),
        ("{table}_{from:%Q}", "'%Q' is not a format of a time: see strftime"),
        ("{table}_{from:%}", "'%' is not a format"),
        ("{table}_{from:%z}", "a bound's time has no zone"),
        ("{table}_{to:%Z %s %+}", "a bound's time has no zone"),
        ("{table}_{from:}", "something that can be read"),
        ("{table}_{from:%n}", "something that can be read"),
        ("{table}_{from:%Y}\0", "control characters"),
        ("{table}_{quarter}", "names all partitions the same: use {from:%Y_%m_%d} or {lower}"),
        ("", "names all partitions the same"),
    ] {
        let found = Template::parse(template).unwrap_err();
        assert!(found.contains(message), "{template}: {found}");
    }
}

#[test]
fn open_ends_have_a_name() {
    let axis = axis(Codec::Timestamptz, "UTC");
    let old = Range::new(Edge::Min, Edge::At(0)).unwrap();
    let new = Range::new(Edge::At(0), Edge::Max).unwrap();
    assert_eq!(Template::of(every(Unit::Month, 1)).name("t", old, &axis), "t_min");
    assert_eq!(Template::of(every(Unit::Month, 1)).exact_name("t", old, &axis), "t_min_min");
    assert_eq!(named("{table}_{from:%Y}_q{quarter}", old, &axis), "t_min_q");
    assert_eq!(named("{from:%Y}_{to:%Y_%m}", new, &axis), "1970_max");
    assert_eq!(named("{lower}_{upper}", Range::new(Edge::Min, Edge::Max).unwrap(), &axis), "min_max");
    // Beyond the calendar that formats are made with.
    assert_eq!(named("{from:%Y}", range(9_223_000_000_000_000_000, i128::MAX), &axis), "9223000000000000000");
}

#[test]
fn a_range_that_is_not_a_period_gets_its_lower_end_behind_the_name() {
    let axis = axis(Codec::Timestamptz, "UTC");
    let at = |text: &str| axis.of_instant(text.parse().unwrap()).unwrap();
    let part = range(at("2025-01-15T03:00:00Z"), at("2025-02-01T00:00:00Z"));
    assert_eq!(Template::of(every(Unit::Month, 1)).exact_name("t", part, &axis), "t_2025_01_15_030000");
    let number = self::axis(Codec::Number, "UTC");
    assert_eq!(Template::of(Every::Values(10)).exact_name("t", range(5, 10), &number), "t_5_5");
}

#[test]
fn a_long_name_is_cut_between_characters() {
    let axis = axis(Codec::Timestamptz, "UTC");
    let month = Template::of(every(Unit::Month, 1));
    let (january, june) = (range(0, 2_678_400_000_000), range(13_046_400_000_000, 15_638_400_000_000));
    let fits = "x".repeat(55);
    assert_eq!(month.name(&fits, january, &axis), format!("{fits}_1970_01"));
    for table in ["x".repeat(63), "é".repeat(31), "x".repeat(53) + "éé", "𝄞".repeat(15)] {
        let (one, other) = (month.name(&table, january, &axis), month.name(&table, june, &axis));
        assert!(one.len() <= 63 && one.len() >= 60, "{one}");
        assert_ne!(one, other);
        assert_eq!(one, month.name(&table, january, &axis));
        let (start, hash) = one.rsplit_once('_').unwrap();
        assert!(table.starts_with(start) && hash.len() == 8, "{one}");
    }
}

proptest! {
    #[test]
    fn no_template_is_too_strange(text in ".*", format in "(%[-_0]?[a-zA-Z%:.#+]|[ _{}a-z]){0,6}", table in ".*", lower: i128, upper: i128) {
        for text in [text.clone(), format!("{{from:{text}}}"), format!("{{to:{format}}}"), format!("{{lower}}{text}")] {
            let Ok(template) = Template::parse(&text) else { continue };
            for codec in [Codec::Date, Codec::Timestamptz, Codec::Number, Codec::UuidV7] {
                for edges in [(Edge::Min, Edge::Max), (Edge::At(lower), Edge::Max), (Edge::At(lower), Edge::At(upper)), (Edge::At(0), Edge::At(1))] {
                    let Some(range) = Range::new(edges.0, edges.1) else { continue };
                    let axis = axis(codec, "Europe/Berlin");
                    prop_assert!(template.name(&table, range, &axis).len() <= 63);
                    prop_assert!(template.exact_name(&table, range, &axis).len() <= 63);
                }
            }
        }
    }
}
