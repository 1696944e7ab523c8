//! Partitions that wait for the end of their grace, and what came to be said meanwhile.

use super::*;
use crate::partitions::plan::tests::{World, time, world};

const ENTRY: &str = "every: month, ahead: 0, keep: 3 months, expire: drop";

/// January 2025, put aside in May.
fn january() -> Leaving {
    Leaving {
        id: 7,
        parent: "public.t".to_owned(),
        parent_oid: 1,
        partition: "public.m1".to_owned(),
        oid: 101,
        lower: "2025-01-01 00:00:00+00".to_owned(),
        upper: "2025-02-01 00:00:00+00".to_owned(),
        mode: "drop".to_owned(),
        state: "aside".to_owned(),
        place: Some("dbctl_trash.p101_m1".to_owned()),
        uri: None,
        rows: None,
        content_hash: None,
        manifest: None,
        drop_after: Some(time("2025-05-22")),
        hooks_due: false,
        changed_at: time("2025-05-15"),
        now: Some(TableName::new("dbctl_trash", "p101_m1")),
        parent_now: None,
        pending: false,
    }
}

fn stopped(world: &World, row: &Leaving) -> Option<&'static str> {
    stays(&world.set(), row, &world.holds, world.plan().cutoff).map(|attention| attention.id)
}

fn may(entry: &str) -> World {
    world(entry, "a 2025-02-01 .. 2025-07-01", "2025-05-30")
}

#[test]
fn what_has_expired_and_nobody_holds_goes_on() {
    assert_eq!(stopped(&may(ENTRY), &january()), None);
    // Before it was put aside it has its own name.
    let detached =
        Leaving { state: "detached".to_owned(), place: None, now: Some(TableName::new("public", "m1")), ..january() };
    assert_eq!(stopped(&may(ENTRY), &detached), None);
    let open = Leaving { lower: "MINVALUE".to_owned(), ..january() };
    assert_eq!(stopped(&may(ENTRY), &open), None);
}

#[test]
fn a_hold_that_came_later_counts() {
    assert_eq!(stopped(&may(ENTRY).hold("*", "2025-01-31", "2025-02-01"), &january()), Some("hold"));
    assert_eq!(stopped(&may(ENTRY).hold("*", "2025-02-01", ""), &january()), None);
}

#[test]
fn a_retention_that_became_longer_counts() {
    for entry in [ENTRY.replace("3 months", "5 months"), "every: month, ahead: 0".to_owned()] {
        assert_eq!(stopped(&may(&entry), &january()), Some("not_expired"), "{entry}");
    }
    assert_eq!(stopped(&may(&format!("{ENTRY}, rails: {{ protect: [m1] }}")), &january()), Some("not_expired"));
}

#[test]
fn an_oid_that_is_another_table_now_is_left_alone() {
    let world = may(ENTRY);
    let innocent = Leaving { now: Some(TableName::new("public", "customer")), ..january() };
    assert_eq!(stopped(&world, &innocent), Some("other_table"));
    // Noted as detached under its own name, and somebody has moved it: theirs now.
    let moved = Leaving { place: None, ..january() };
    assert_eq!(stopped(&world, &moved), Some("other_table"));
    let gone = Leaving { now: None, ..january() };
    assert_eq!(stopped(&world, &gone), None);
}

#[test]
fn bounds_that_cannot_be_read_leave_it_alone() {
    let odd = Leaving { upper: "soon".to_owned(), ..january() };
    assert_eq!(stopped(&may(ENTRY), &odd), Some("other_table"));
}
