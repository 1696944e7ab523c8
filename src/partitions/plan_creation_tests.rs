//! Which partitions are made.

use super::{World, months, world};

const MONTHS: &str = "every: month, ahead: 2";

#[test]
fn an_empty_table_gets_now_and_what_is_ahead() {
    world(MONTHS, "", "2025-05-15").plans(
        "create 2025-05-01 .. 2025-06-01
         create 2025-06-01 .. 2025-07-01
         create 2025-07-01 .. 2025-08-01",
    );
}

#[test]
fn second_run_is_a_no_op() {
    world(MONTHS, &months(2025, 5, 7), "2025-05-15").plans("nothing");
    // Until the month is over, to the microsecond.
    world(MONTHS, &months(2025, 5, 7), "2025-05-31T23:59:59.999999Z").plans("nothing");
    world(MONTHS, &months(2025, 5, 7), "2025-06-01").plans("create 2025-08-01 .. 2025-09-01");
}

#[test]
fn ahead_of_nothing_is_the_current_period() {
    world("every: month, ahead: 0", "", "2025-05-15").plans("create 2025-05-01 .. 2025-06-01");
}

#[test]
fn ahead_never_makes_none() {
    world("every: month, ahead: never", "", "2025-05-15").plans("nothing");
}

#[test]
fn ahead_by_time_reaches_the_end_of_the_period() {
    world("every: month, ahead: 45 days", "", "2025-05-15").plans(
        "create 2025-05-01 .. 2025-06-01
         create 2025-06-01 .. 2025-07-01",
    );
    // On the line itself nothing more is needed.
    world("every: month, ahead: 1 month", "", "2025-05-01").plans("create 2025-05-01 .. 2025-06-01");
}

#[test]
fn wide_partition_is_coverage() {
    let year = "y2025 2025-01-01 .. 2026-01-01";
    world(MONTHS, year, "2025-05-15").plans("nothing");
    world(MONTHS, year, "2025-11-10").plans("create 2026-01-01 .. 2026-02-01");
}

#[test]
fn gap_in_the_middle_is_filled() {
    let around = "a 2025-05-01 .. 2025-06-01\nb 2025-07-01 .. 2025-08-01";
    world(MONTHS, around, "2025-05-15").plans("create 2025-06-01 .. 2025-07-01");
}

#[test]
fn a_gap_in_the_past_is_left() {
    let before = format!("a 2024-01-01 .. 2024-02-01\n{}", months(2025, 5, 7));
    world(MONTHS, &before, "2025-05-15").plans("nothing");
}

#[test]
fn a_partial_hole_is_asked_about() {
    let world = world(MONTHS, "a 2025-05-01 .. 2025-06-10", "2025-05-15");
    world.plans("create 2025-07-01 .. 2025-08-01\nattention misaligned");
    let asked = world.attention();
    assert!(asked.message.contains("2025-06-10 00:00:00+00 to 2025-07-01 00:00:00+00"), "{asked:?}");
    assert!(asked.hint.is_some_and(|hint| hint.contains("on_misaligned: bridge")));
}

#[test]
fn a_partial_hole_is_bridged_where_that_is_said() {
    let bridged = "every: month, ahead: 2, on_misaligned: bridge";
    world(bridged, "a 2025-05-01 .. 2025-06-10", "2025-05-15").plans(
        "create 2025-06-10 .. 2025-07-01 short
         create 2025-07-01 .. 2025-08-01",
    );
    // Several holes in one period.
    world(bridged, "a 2025-06-05 .. 2025-06-10\nb 2025-06-20 .. 2025-06-25\nc 2025-07-01 .. MAXVALUE", "2025-05-15")
        .plans(
            "create 2025-05-01 .. 2025-06-01
             create 2025-06-01 .. 2025-06-05 short
             create 2025-06-10 .. 2025-06-20 short
             create 2025-06-25 .. 2025-07-01 short",
        );
}

#[test]
fn drifted_zone_is_bridged() {
    let entry = "every: month, ahead: 1, on_misaligned: bridge, timezone: America/Sao_Paulo";
    world(entry, "a 2025-05-01 .. 2025-06-01", "2025-05-15").plans(
        "create 2025-05-31 21:00:00-03 .. 2025-06-01 00:00:00-03 short
         create 2025-06-01 00:00:00-03 .. 2025-07-01 00:00:00-03",
    );
}

#[test]
fn leap_day() {
    world("every: day, ahead: 2", "", "2024-02-28").plans(
        "create 2024-02-28 .. 2024-02-29
         create 2024-02-29 .. 2024-03-01
         create 2024-03-01 .. 2024-03-02",
    );
    world("every: day, ahead: 1", "", "2100-02-28").plans(
        "create 2100-02-28 .. 2100-03-01
         create 2100-03-01 .. 2100-03-02",
    );
}

#[test]
fn iso_week_53() {
    world("every: week, ahead: 1", "", "2020-12-30").plans(
        "create 2020-12-28 .. 2021-01-04
         create 2021-01-04 .. 2021-01-11",
    );
}

#[test]
fn quarters_over_the_end_of_a_year() {
    world("every: quarter, ahead: 1", "", "2025-11-10").plans(
        "create 2025-10-01 .. 2026-01-01
         create 2026-01-01 .. 2026-04-01",
    );
}

#[test]
fn several_units_from_an_origin() {
    world("every: 15 days, origin: 2025-01-10, ahead: 1", "", "2025-01-30").plans(
        "create 2025-01-25 .. 2025-02-09
         create 2025-02-09 .. 2025-02-24",
    );
    world("every: 2 months, origin: 2025-02-01, ahead: 1", "", "2025-01-30").plans(
        "create 2024-12-01 .. 2025-02-01
         create 2025-02-01 .. 2025-04-01",
    );
}

#[test]
fn a_clock_put_forward_leaves_no_hour_out() {
    world("every: hour, ahead: 2, timezone: Europe/Berlin", "", "2025-03-30T00:30:00Z").plans(
        "create 2025-03-30 01:00:00+01 .. 2025-03-30 03:00:00+02
         create 2025-03-30 03:00:00+02 .. 2025-03-30 04:00:00+02
         create 2025-03-30 04:00:00+02 .. 2025-03-30 05:00:00+02",
    );
}

#[test]
fn a_clock_put_back_makes_no_hour_twice() {
    world("every: hour, ahead: 2, timezone: Europe/Berlin", "", "2025-10-26T00:30:00Z").plans(
        "create 2025-10-26 02:00:00+02 .. 2025-10-26 02:00:00+01
         create 2025-10-26 02:00:00+01 .. 2025-10-26 03:00:00+01
         create 2025-10-26 03:00:00+01 .. 2025-10-26 04:00:00+01",
    );
}

#[test]
fn days_of_23_and_25_hours() {
    world("every: day, ahead: 0, timezone: Europe/Berlin", "", "2025-03-30T12:00:00Z")
        .plans("create 2025-03-30 00:00:00+01 .. 2025-03-31 00:00:00+02");
    world("every: day, ahead: 0, timezone: Europe/Berlin", "", "2025-10-26T12:00:00Z")
        .plans("create 2025-10-26 00:00:00+02 .. 2025-10-27 00:00:00+01");
}

#[test]
fn a_midnight_that_never_was() {
    world("every: day, ahead: 1, timezone: America/Sao_Paulo", "", "2018-11-03T12:00:00Z").plans(
        "create 2018-11-03 00:00:00-03 .. 2018-11-04 01:00:00-02
         create 2018-11-04 01:00:00-02 .. 2018-11-05 00:00:00-02",
    );
}

#[test]
fn a_day_that_never_was() {
    world("every: day, ahead: 1, timezone: Pacific/Apia", "", "2011-12-30T00:00:00Z").plans(
        "create 2011-12-29 00:00:00-10 .. 2011-12-31 00:00:00+14
         create 2011-12-31 00:00:00+14 .. 2012-01-01 00:00:00+14",
    );
}

#[test]
fn from_fills_what_is_missing_behind() {
    world("every: month, ahead: 0, from: 2025-02-10", "a 2025-03-01 .. 2025-04-01", "2025-04-15").plans(
        "create 2025-02-01 .. 2025-03-01
         create 2025-04-01 .. 2025-05-01",
    );
    // A day that is still to come changes nothing.
    world("every: month, ahead: 0, from: 2026-01-01", "", "2025-04-15").plans("create 2025-04-01 .. 2025-05-01");
}

#[test]
fn nothing_is_made_that_has_expired() {
    let entry = "every: month, ahead: 0, from: 2024-01-01, keep: 2 months, expire: drop";
    world(entry, "", "2025-04-15").plans(
        "create 2025-02-01 .. 2025-03-01
         create 2025-03-01 .. 2025-04-01
         create 2025-04-01 .. 2025-05-01",
    );
    world(entry, &months(2025, 2, 4), "2025-04-15").plans("nothing");
    let exact =
        "every: month, ahead: 0, from: 2025-02-01, keep: 2 months, exact: true, expire: drop, on_misaligned: bridge";
    world(exact, "a 2025-02-10 .. 2025-05-01", "2025-04-15").plans("nothing");
    world(exact, "a 2025-02-20 .. 2025-05-01", "2025-04-15").plans("create 2025-02-01 .. 2025-02-20 short");
}

#[test]
fn a_stray_partition_far_ahead_is_left() {
    let stray = format!("{}stray 2031-01-01 .. 2032-01-01", months(2025, 5, 7));
    world(MONTHS, &stray, "2025-05-15").plans("nothing");
    world(MONTHS, &stray, "2025-06-15").plans("create 2025-08-01 .. 2025-09-01");
}

#[test]
fn an_open_end_is_coverage() {
    world(MONTHS, "all MINVALUE .. MAXVALUE", "2025-05-15").plans("nothing");
    world(MONTHS, "future 2025-06-01 .. MAXVALUE", "2025-05-15").plans("create 2025-05-01 .. 2025-06-01");
}

#[test]
fn a_default_partition_is_no_coverage() {
    world("every: month, ahead: 0, default_partition: allow", "d DEFAULT", "2025-05-15")
        .plans("create 2025-05-01 .. 2025-06-01");
}

#[test]
fn a_default_partition_is_made_where_it_is_required() {
    let entry = "every: month, ahead: 0, default_partition: require";
    world(entry, "", "2025-05-15").plans("create 2025-05-01 .. 2025-06-01\ncreate DEFAULT");
    world(entry, "a 2025-05-01 .. 2025-06-01\nd DEFAULT", "2025-05-15").plans("nothing");
}

#[test]
fn what_is_partitioned_itself_or_elsewhere_is_coverage() {
    let around = "a 2025-05-01 .. 2025-06-01 (partitioned)\nb 2025-06-01 .. 2025-07-01 (foreign)";
    world(MONTHS, around, "2025-05-15").plans("create 2025-07-01 .. 2025-08-01");
}

#[test]
fn a_pending_detach_is_ended_first_and_occupies_its_range() {
    let pending = "a 2025-05-01 .. 2025-06-01 (pending)\nb 2025-06-01 .. 2025-08-01";
    world(MONTHS, pending, "2025-05-15").plans("finish a");
}

#[test]
fn lock_budget_refuses() {
    let mut world = world("every: month, ahead: 2", &months(2025, 1, 5), "2025-05-15");
    // Seven partitions with their one index are 14 locks.
    world.lock_slots = 29;
    let shown = world.shown();
    assert!(shown.starts_with("create 2025-06-01 .. 2025-07-01\ncreate 2025-07-01 .. 2025-08-01\nnote "), "{shown}");
    world.lock_slots = 28;
    world.plans("attention lock_budget");
    world.lock_slots = 0;
    world.plans("attention lock_budget");
}

#[test]
fn a_horizon_beyond_what_the_key_can_hold_is_said() {
    World::of("bigint", "codec: epoch_ns, every: year, ahead: 300 years", "", "2025-05-15").plans("attention horizon");
}

#[test]
fn create_lets_nothing_go_and_drop_makes_nothing() {
    let entry = "every: month, ahead: 1, keep: 3 months, expire: drop";
    world(entry, &months(2025, 1, 5), "2025-05-15")
        .wish(|wish| wish.expire = false)
        .plans("create 2025-06-01 .. 2025-07-01");
    world(entry, &months(2025, 1, 5), "2025-05-15").wish(|wish| wish.create = false).plans("drop m1");
}
