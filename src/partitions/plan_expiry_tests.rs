//! Which partitions leave, and what keeps them.

use super::{World, change_hash, months, world};

const KEEP: &str = "every: month, ahead: 0, keep: 3 months, expire: drop, rails: { max_drop_fraction: 100% }";

/// Months from January 2025 to May, on a day of May: January has expired.
fn five_months() -> World {
    world(KEEP, &months(2025, 1, 5), "2025-05-15")
}

#[test]
fn what_has_expired_leaves() {
    five_months().plans("drop m1");
    world(KEEP, &months(2024, 12, 17), "2025-05-15").plans("drop m12\ndrop m13");
}

#[test]
fn the_cutoff_is_a_line_of_the_grid() {
    // Kept on the last moment of April, gone with the first one of May.
    world(KEEP, &months(2025, 1, 5), "2025-04-30T23:59:59.999999Z").plans("nothing");
    world(KEEP, &months(2025, 1, 5), "2025-05-01").plans("drop m1");
}

#[test]
fn an_exact_cutoff_is_not_rounded() {
    let parts = "a 2025-01-15 .. 2025-02-10\nb 2025-02-10 .. 2025-02-20\nc 2025-02-20 .. 2025-06-01";
    let entry = |exact: &str| format!("{KEEP}, exact: {exact}");
    world(&entry("false"), parts, "2025-05-15").plans("nothing");
    world(&entry("true"), parts, "2025-05-15").plans("drop a");
}

#[test]
fn wide_partition_is_not_dropped_early() {
    let parts = format!("wide 2024-01-01 .. 2025-03-01\n{}", months(2025, 3, 5));
    world(KEEP, &parts, "2025-05-31").plans("nothing");
    world(KEEP, &parts, "2025-06-01").plans("create 2025-06-01 .. 2025-07-01\ndrop wide");
}

#[test]
fn look_alike_names_do_not_matter() {
    let parts = "t_2019_01 2025-05-01 .. 2025-06-01\nt_2099_01 2025-01-01 .. 2025-02-01\n\
                 t_2025_01 2025-02-01 .. 2025-05-01\n0_lookup 2025-06-01 .. 2025-07-01";
    world(KEEP, parts, "2025-05-15").plans("drop t_2099_01");
}

#[test]
fn minvalue_lower_expires() {
    let parts = format!("old MINVALUE .. 2025-02-01\n{}", months(2025, 2, 5));
    world(KEEP, &parts, "2025-05-15").plans("drop old");
    world(KEEP, &parts, "2025-04-15").plans("nothing");
}

#[test]
fn maxvalue_never_expires() {
    world(KEEP, "all MINVALUE .. MAXVALUE", "2099-05-15").plans("nothing");
    world(KEEP, "new 2001-01-01 .. MAXVALUE", "2099-05-15").plans("nothing");
}

#[test]
fn infinity_is_maxvalue() {
    world(KEEP, "old -infinity .. 2025-02-01\nnew 2025-02-01 .. infinity", "2099-05-15").plans("drop old");
    world(KEEP, "new 2001-01-01 .. infinity", "2099-05-15").plans("nothing");
}

#[test]
fn month_end_in_february() {
    let entry = "every: day, ahead: 0, keep: 1 month, exact: true, expire: drop, rails: { max_drop_fraction: 100% }";
    let parts = "a 2025-02-27 .. 2025-02-28\nb 2025-02-28 .. 2025-03-01\nc 2025-03-01 .. 2025-04-05";
    // A month before the 29th, 30th and 31st of March is the 28th of February.
    for day in ["2025-03-28", "2025-03-29", "2025-03-31"] {
        world(entry, parts, day).plans("drop a");
    }
    world(entry, parts, "2025-04-01").plans("drop a\ndrop b");
}

#[test]
fn a_year_before_a_leap_day() {
    let entry = "every: day, ahead: 0, keep: 1 year, exact: true, expire: drop, rails: { max_drop_fraction: 100% }";
    let parts = "a 2023-02-27 .. 2023-02-28\nb 2023-02-28 .. 2023-03-01\nc 2024-02-01 .. 2024-03-05";
    world(entry, parts, "2024-02-29").plans("drop a");
    world(entry, parts, "2024-03-01").plans("drop a\ndrop b");
}

#[test]
fn a_drifted_zone_waits_for_the_last_hour() {
    let parts = "a 2025-01-01 03:00:00+00 .. 2025-02-01 03:00:00+00\nb 2025-02-01 03:00:00+00 .. MAXVALUE";
    world(KEEP, parts, "2025-05-31").plans("nothing");
    world(KEEP, parts, "2025-06-01").plans("drop a");
    let sao_paulo = format!("{KEEP}, timezone: America/Sao_Paulo");
    world(&sao_paulo, parts, "2025-05-01T02:59:59Z").plans("nothing");
    world(&sao_paulo, parts, "2025-05-01T03:00:00Z").plans("drop a");
}

#[test]
fn a_clock_that_was_put_back_does_not_cut_early() {
    let entry = "every: hour, ahead: 0, keep: 24 hours, exact: true, expire: drop, timezone: Europe/Berlin";
    let parts = "a 2025-10-25 23:00:00+00 .. 2025-10-26 00:00:00+00\nb 2025-10-26 00:00:00+00 .. 2025-10-26 01:00:00+00\n\
                 c 2025-10-26 01:00:00+00 .. MAXVALUE";
    // A day before 02:30 is 02:30, which that clock has shown twice: the first time counts.
    world(entry, parts, "2025-10-27T01:30:00Z").plans("drop a");
    world(entry, parts, "2025-10-27T02:00:00Z")
        .plans("keep a: max_drop_fraction\nkeep b: max_drop_fraction\nattention max_drop_fraction");
}

#[test]
fn a_clock_that_was_put_forward_does_not_cut_early() {
    let entry = "every: hour, ahead: 0, keep: 24 hours, exact: true, expire: drop, timezone: Europe/Berlin";
    let parts = "a 2025-03-30 00:00:00+00 .. 2025-03-30 01:00:00+00\nb 2025-03-30 01:00:00+00 .. MAXVALUE";
    // A day before 02:30 never was: nothing before 03:00 is there to be kept.
    world(entry, parts, "2025-03-31T00:30:00Z").plans("drop a");
    world(entry, parts, "2025-03-30T23:59:00Z").plans("nothing");
}

#[test]
fn a_server_whose_clock_went_back_lets_nothing_go() {
    five_months().plans("drop m1");
    world(KEEP, &months(2025, 1, 5), "2025-02-15").plans("nothing");
    world(KEEP, &months(2025, 1, 5), "1999-02-15").plans("create 1999-02-01 .. 1999-03-01");
}

#[test]
fn last_partition_is_kept() {
    let entry = KEEP.replace("ahead: 0", "ahead: never");
    world(&entry, "only 2024-01-01 .. 2024-02-01", "2025-05-15")
        .plans("keep only: last_partition\nattention last_partition");
    world(&entry, &months(2024, 1, 3), "2025-05-15").plans(
        "keep m1: last_partition
         keep m2: last_partition
         keep m3: last_partition
         attention last_partition",
    );
    world(&entry, &months(2025, 1, 2), "2025-05-15").plans("drop m1");
}

#[test]
fn nothing_leaves_while_nothing_takes_new_rows() {
    let parts = months(2025, 1, 4);
    world(KEEP, &parts, "2025-05-15")
        .wish(|wish| wish.create = false)
        .plans("keep m1: last_partition\nattention last_partition");
    world(KEEP, &parts, "2025-05-15").plans("create 2025-05-01 .. 2025-06-01\ndrop m1");
}

#[test]
fn a_pending_detach_is_no_more_among_them() {
    let parts = format!("x 2024-11-01 .. 2024-12-01 (pending)\n{}", months(2025, 1, 5));
    world(KEEP, &parts, "2025-05-15").plans("finish x\ndrop m1");
}

#[test]
fn hold_keeps() {
    let held = "keep m1: hold\nattention hold";
    five_months().hold("public.t", "2025-01-10", "2025-01-11").plans(held);
    five_months().hold("public.t", "", "").plans(held);
    five_months().hold("public.t", "2025-01-31", "").plans(held);
    five_months().hold("public.t", "", "2025-01-02").plans(held);
    let asked = five_months().hold("public.t", "", "").attention();
    assert!(asked.message.contains("held by H1: a request"), "{asked:?}");
}

#[test]
fn hold_of_other_days_or_tables_does_not() {
    five_months().hold("public.t", "2025-02-01", "").plans("drop m1");
    five_months().hold("public.t", "", "2025-01-01").plans("drop m1");
    five_months().hold("public.u", "", "").plans("drop m1");
    five_months().hold("public.t?", "", "").plans("drop m1");
}

#[test]
fn hold_by_glob() {
    for glob in ["*.t", "public.*", "*", "?ublic.?"] {
        five_months().hold(glob, "", "").plans("keep m1: hold\nattention hold");
    }
}

#[test]
fn hold_days_are_of_the_tables_zone() {
    let parts = "a 2025-01-01 .. 2025-02-01 02:00:00+00\nb 2025-02-01 02:00:00+00 .. MAXVALUE";
    let in_zone = |zone: &str| world(&format!("{KEEP}, timezone: {zone}"), parts, "2025-06-15");
    // At 02:00 in UTC it is still January in Sao Paulo.
    in_zone("UTC").hold("*", "2025-02-01", "").plans("keep a: hold\nattention hold");
    in_zone("America/Sao_Paulo").hold("*", "2025-02-01", "").plans("drop a");
}

#[test]
fn held_ones_do_not_keep_the_others() {
    world(KEEP, &months(2024, 12, 17), "2025-05-15")
        .hold("*", "2024-12-24", "2024-12-25")
        .plans("drop m13\nkeep m12: hold\nattention hold");
}

#[test]
fn protect_by_name() {
    for glob in ["m1", "m?", "public.m*", "*1"] {
        let entry = KEEP.replace("rails: {", &format!("rails: {{ protect: ['{glob}'],"));
        world(&entry, &months(2025, 1, 5), "2025-05-15").plans("keep m1: protected by the policy");
    }
    let entry = KEEP.replace("rails: {", "rails: { protect: [m2, other.m1],");
    world(&entry, &months(2025, 1, 5), "2025-05-15").plans("drop m1");
}

#[test]
fn protect_by_days() {
    let protecting = |days: &str| KEEP.replace("rails: {", &format!("rails: {{ protect: [{{ {days} }}],"));
    for days in ["from: 2025-01-31, to: 2025-02-01", "to: 2025-01-02", "from: 2024-01-01"] {
        world(&protecting(days), &months(2025, 1, 5), "2025-05-15").plans("keep m1: protected by the policy");
    }
    for days in ["from: 2025-02-01", "to: 2025-01-01"] {
        world(&protecting(days), &months(2025, 1, 5), "2025-05-15").plans("drop m1");
    }
}

#[test]
fn max_drops_stops_all() {
    let parts = months(2024, 10, 17);
    world(KEEP, &parts, "2025-05-15").plans(
        "keep m10: max_drops
         keep m11: max_drops
         keep m12: max_drops
         keep m13: max_drops
         attention max_drops",
    );
    let asked = world(KEEP, &parts, "2025-05-15").attention();
    assert!(asked.hint.is_some_and(|hint| hint.contains("--max-drops 4")));
    world(KEEP, &parts, "2025-05-15")
        .wish(|wish| wish.max_drops = Some(4))
        .plans("drop m10\ndrop m11\ndrop m12\ndrop m13");
    world(KEEP, &parts, "2025-05-15").wish(|wish| wish.max_drops = Some(0)).plans(
        "keep m10: max_drops
         keep m11: max_drops
         keep m12: max_drops
         keep m13: max_drops
         attention max_drops",
    );
}

#[test]
fn fraction_stops_all() {
    let entry = KEEP.replace("100%", "25%");
    // Two of seven are more than a quarter, two of eight are not.
    world(&entry, &months(2024, 12, 18), "2025-05-15").plans(
        "keep m12: max_drop_fraction
         keep m13: max_drop_fraction
         attention max_drop_fraction",
    );
    world(&entry, &months(2024, 12, 19), "2025-05-15").plans("drop m12\ndrop m13");
    world(&entry, &months(2024, 12, 18), "2025-05-15").wish(|w| w.max_drops = Some(2)).plans("drop m12\ndrop m13");
}

#[test]
fn one_may_always_go() {
    let entry = KEEP.replace("100%", "0%");
    world(&entry, "a 2025-01-01 .. 2025-02-01\nb 2025-05-01 .. 2025-06-01", "2025-05-15").plans("drop a");
}

#[test]
fn unarmed() {
    five_months().recorded(None).plans("keep m1: unarmed\nattention unarmed");
    // Nothing that could leave, nothing to ask.
    world(KEEP, &months(2025, 2, 5), "2025-05-15").recorded(None).plans("nothing");
}

#[test]
fn armed_is_recorded_once() {
    five_months().recorded(None).wish(|wish| wish.arm = true).plans("drop m1\nrecord");
    five_months().wish(|wish| wish.arm = true).plans("drop m1");
    world(KEEP, &months(2025, 2, 5), "2025-05-15").recorded(None).wish(|wish| wish.arm = true).plans("record");
}

#[test]
fn leave_for_one_run_arms_none_after_it() {
    five_months().recorded(None).wish(|wish| wish.once = true).plans("drop m1");
}

#[test]
fn shorter_retention_asks() {
    for was in ["4 months", "123 days", "1 year"] {
        let asked = five_months().recorded(Some((was, "drop")));
        asked.plans("keep m1: policy_change\nattention policy_change");
        asked.wish(|wish| wish.arm = true).plans("keep m1: policy_change\nattention policy_change");
    }
    five_months()
        .recorded(Some(("4 months", "drop")))
        .wish(|wish| wish.once = true)
        .plans("keep m1: policy_change\nattention policy_change");
}

#[test]
fn longer_does_not() {
    five_months().recorded(Some(("2 months", "drop"))).plans("drop m1\nrecord");
    // Also where nothing leaves: whoever shortens it again is asked again.
    world(KEEP, &months(2025, 2, 5), "2025-05-15").recorded(Some(("2 months", "drop"))).plans("record");
}

#[test]
fn what_was_recorded_and_is_not_understood_asks() {
    five_months().recorded(Some(("a while", "drop"))).plans("keep m1: policy_change\nattention policy_change");
}

#[test]
fn harsher_expire_asks() {
    for was in ["detach", "move to old", "archive cold, then detach", "archive cold, then drop"] {
        five_months().recorded(Some(("3 months", was))).plans("keep m1: policy_change\nattention policy_change");
    }
    let archive = KEEP.replace("expire: drop", "expire: { archive: cold, then: drop }");
    world(&archive, &months(2025, 1, 5), "2025-05-15")
        .recorded(Some(("3 months", "detach")))
        .plans("keep m1: policy_change\nattention policy_change");
    let detach = KEEP.replace("expire: drop", "expire: detach");
    world(&detach, &months(2025, 1, 5), "2025-05-15").recorded(Some(("3 months", "drop"))).plans("detach m1\nrecord");
}

#[test]
fn accept_needs_the_right_hash() {
    let world = five_months().recorded(Some(("4 months", "drop")));
    let entry = &world.policy.tables[0];
    let hash = change_hash(entry, entry.keep.unwrap());
    assert!(world.attention().hint.is_some_and(|hint| hint.ends_with(&format!("--accept-policy-change {hash}"))));
    let accepted = |hash: &str| {
        let hash = hash.to_owned();
        five_months().recorded(Some(("4 months", "drop"))).wish(|wish| wish.accept = Some(hash))
    };
    accepted(&hash).plans("drop m1\nrecord");
    accepted("00000000").plans("keep m1: policy_change\nattention policy_change");
    accepted("").plans("keep m1: policy_change\nattention policy_change");
    // Another retention than was read about.
    let shorter = KEEP.replace("3 months", "2 months");
    super::world(&shorter, &months(2025, 1, 5), "2025-05-15")
        .recorded(Some(("4 months", "drop")))
        .wish(|wish| wish.accept = Some(hash))
        .plans("keep m1: policy_change\nkeep m2: policy_change\nattention policy_change");
}

#[test]
fn what_dbctl_may_not_read_is_unknown_and_not_armed() {
    let mut world = five_months().wish(|wish| (wish.arm, wish.once) = (true, true));
    world.unreadable = true;
    world.recorded = None;
    assert!(world.shown().starts_with("keep m1: state_unreadable\n"), "{}", world.shown());
}

#[test]
fn what_is_no_table_stays() {
    let parts = format!(
        "sub 2024-11-01 .. 2024-12-01 (partitioned)\nfar 2024-12-01 .. 2025-01-01 (foreign)\n{}",
        months(2025, 1, 5)
    );
    world(KEEP, &parts, "2025-05-15").plans(
        "drop m1
         keep sub: not_a_table
         keep far: not_a_table
         attention not_a_table
         attention not_a_table",
    );
}

#[test]
fn keep_for_ever() {
    let parts = months(2001, 1, 12 * 25);
    world("every: month, ahead: 0", &parts, "2025-05-15").plans("nothing");
    world("every: month, ahead: 0", &parts, "2025-05-15").wish(|wish| wish.arm = true).plans("nothing");
}

#[test]
fn a_default_partition_never_leaves() {
    world(&format!("{KEEP}, default_partition: allow"), &format!("d DEFAULT\n{}", months(2025, 1, 5)), "2025-05-15")
        .plans("drop m1");
}

#[test]
fn keep_of_next_to_no_time_leaves_the_present() {
    let entry = KEEP.replace("3 months", "1 microsecond").replace("every: month", "every: day");
    let parts = "a 2025-05-14 .. 2025-05-15\nb 2025-05-15 .. 2025-05-16";
    world(&entry, parts, "2025-05-15T23:00:00Z").plans("drop a");
    world(&format!("{entry}, exact: true"), parts, "2025-05-15T23:00:00Z").plans("drop a");
}
