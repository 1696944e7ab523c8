//! Plans as tables of (job, snapshot, holds, now), and the planner against a plain model of rows.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::ident::Ident;
use crate::policy::bounds::{Bound, Datum};
use crate::policy::span::Span;
use crate::policy::{Age, At, Batch, DayRange, LockPolicy, Pace};
use crate::retain::snapshot::{Column, Index, Leaf, Readings, Rights};

fn job() -> RowJob {
    RowJob {
        name: "old".into(),
        table: TableName::new("public", "t"),
        system: None,
        age: Some(Age { column: Ident::new("at"), over: Span { months: 1, days: 0, micros: 0 } }),
        condition: None,
        action: RowAction::Delete,
        batch: Batch { target: Duration::from_millis(30), max_rows: 5000 },
        pace: Pace { max_replica_lag: None, max_slot_wal: None, window: None, budget: None },
        vacuum: None,
        once_per_partition: true,
        timezone: "America/Sao_Paulo".parse().unwrap(),
        lock: LockPolicy {
            timeout: Duration::from_millis(50),
            patience: Duration::from_secs(1),
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_millis(200),
            detach_wait: Duration::from_secs(1),
        },
        at: At::default(),
    }
}

fn column(name: &str, kind: &str) -> Column {
    Column {
        name: name.into(),
        kind: kind.into(),
        base: kind.into(),
        max_length: None,
        not_null: false,
        generated: false,
        has_default: false,
    }
}

fn leaf(oid: u32, bound: Option<Bound>, indexed: bool) -> Leaf {
    let index = Index { name: "i".into(), columns: vec!["at".into()], unique: false, ordered: true };
    Leaf {
        oid,
        name: TableName::new("public", format!("p{oid}")),
        kind: 'r',
        bound,
        rows: 1000.0,
        bytes: 100_000,
        indexes: if indexed { vec![index] } else { vec![] },
    }
}

fn snapshot(leaves: Vec<Leaf>, kind: &str) -> JobSnapshot {
    JobSnapshot {
        oid: Some(1),
        kind: 'p',
        row_security: false,
        role: "clerk".into(),
        rights: Rights { usage: true, select: true, insert: true, update: true, delete: true },
        partition_key: vec!["at".into()],
        due: leaves.iter().map(|leaf| (leaf.oid, Count::Exact(10))).collect(),
        leaves,
        columns: vec![column("at", kind), column("ip", "inet")],
        triggers: vec![],
        children: vec![],
        target: None,
        done: std::collections::BTreeMap::new(),
        not_addresses: vec![],
        readings: Readings::default(),
    }
}

fn range(lower: &str, upper: &str) -> Option<Bound> {
    let datum = |text: &str| match text {
        "MIN" => Datum::Min,
        "MAX" => Datum::Max,
        text => Datum::Literal(text.into()),
    };
    Some(Bound::Range { lower: vec![datum(lower)], upper: vec![datum(upper)] })
}

fn now() -> DateTime<Utc> {
    "2026-03-31T02:30:00Z".parse().unwrap()
}

#[test]
fn a_batch_is_one_statement_with_its_bounds_as_parameters() {
    let plan = plan(&job(), &snapshot(vec![leaf(1, None, true), leaf(2, None, false)], "date"), &[], now()).unwrap();
    insta::assert_snapshot!(plan.batches().join("\n\n"), @r"
    WITH batch AS MATERIALIZED (
        SELECT t.ctid AS at, t.at AS age
        FROM ONLY public.p1 AS t
        WHERE t.at < DATE '2026-02-28'
            AND t.at >= $2::text::date
        ORDER BY t.at
        LIMIT $1::text::bigint
        FOR UPDATE SKIP LOCKED
    ), done AS (
        DELETE FROM ONLY public.p1
        WHERE ctid = ANY (ARRAY(SELECT at FROM batch))
        RETURNING 1
    )
    SELECT (SELECT pg_catalog.count(*) FROM batch) AS picked,
        (SELECT pg_catalog.count(*) FROM done) AS done,
        (SELECT pg_catalog.max(age)::text FROM batch) AS bound,
        0::bigint AS blocks

    WITH batch AS MATERIALIZED (
        SELECT t.ctid AS at
        FROM ONLY public.p2 AS t
        WHERE t.at < DATE '2026-02-28'
            AND t.ctid > $2::text::tid AND t.ctid < $3::text::tid
        LIMIT $1::text::bigint
        FOR UPDATE SKIP LOCKED
    ), done AS (
        DELETE FROM ONLY public.p2
        WHERE ctid = ANY (ARRAY(SELECT at FROM batch))
        RETURNING 1
    )
    SELECT (SELECT pg_catalog.count(*) FROM batch) AS picked,
        (SELECT pg_catalog.count(*) FROM done) AS done,
        (SELECT at::text FROM batch ORDER BY at DESC LIMIT 1) AS bound,
        pg_catalog.pg_relation_size('public.p2'::regclass) / pg_catalog.current_setting('block_size')::bigint AS blocks
    ");
}

#[test]
fn leaves_are_young_open_closed_or_done() {
    let leaves = || {
        vec![
            leaf(1, range("MIN", "2026-01-01"), false),
            leaf(2, range("2026-01-01", "2026-02-28"), false),
            leaf(3, range("2026-02-01", "2026-03-01"), false),
            leaf(4, range("2026-02-28", "2026-03-28"), false),
            leaf(5, range("2026-05-01", "MAX"), false),
            leaf(6, Some(Bound::Default), false),
            leaf(7, None, false),
        ]
    };
    let shown = |plan: &JobPlan| {
        let visit = |v: &Visit| format!("{}{}", v.oid, if v.closes.is_some() { "!" } else { "" });
        plan.visits.iter().map(visit).collect::<Vec<_>>().join(" ")
    };
    // The cutoff is 28 February: a month before the 30th of March in Sao Paulo.
    let first = plan(&job(), &snapshot(leaves(), "date"), &[], now()).unwrap();
    assert_eq!((shown(&first).as_str(), first.left_alone), ("1! 2! 3 6 7", 2));
    let mut later = snapshot(leaves(), "date");
    later.done = first.visits.iter().filter_map(|v| Some((v.oid, v.closes.clone()?))).collect();
    assert_eq!(shown(&plan(&job(), &later, &[], now()).unwrap()), "3 6 7");
    // Another job, other bounds, another key: the old marks do not count.
    let other = RowJob { condition: Some("true".into()), ..job() };
    assert_eq!(shown(&plan(&other, &later, &[], now()).unwrap()), "1! 2! 3 6 7");
    let mut keyed = later.clone();
    keyed.partition_key = vec!["id".into()];
    assert_eq!(shown(&plan(&job(), &keyed, &[], now()).unwrap()), "1 2 3 4 5 6 7");
    assert_eq!(shown(&plan(&RowJob { once_per_partition: false, ..job() }, &later, &[], now()).unwrap()), "1 2 3 6 7");
}

#[test]
fn costs_are_there_for_every_action_and_changing_costs_more() {
    let cost =
        |action| plan(&RowJob { action, ..job() }, &snapshot(vec![leaf(1, None, true)], "date"), &[], now()).unwrap();
    let deleted = cost(RowAction::Delete);
    let set = vec![(Ident::new("ip"), Mask::Null)];
    let changed = cost(RowAction::Anonymise { set });
    assert_eq!(deleted.dead_bytes, Some(1000));
    assert!(changed.wal_bytes > deleted.wal_bytes.map(|wal| wal * 4), "{changed:?}");
    assert!(deleted.notes.iter().any(|note| note.contains("does not shrink")));
}

fn drawn(document: &crate::output::Document) -> String {
    let mut out = Vec::new();
    let style = crate::output::Style { color: false, width: 80 };
    crate::output::render(document, crate::output::Format::Table, &style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn plans_and_reports_fit_a_narrow_terminal_and_keep_raw_numbers_for_machines() {
    let table = TableName::new("public", "webhook_events");
    let mut snapshot = snapshot(vec![leaf(1, None, true)], "date");
    snapshot.rights.delete = false;
    let plan = plan(&RowJob { name: "webhook-events".into(), table, ..job() }, &snapshot, &[], now()).unwrap();
    let tables = drawn(&crate::retain::view::plan("db", std::slice::from_ref(&plan)));
    let (tables, sql) = tables.split_once("-- webhook-events: $1 most rows").unwrap();
    assert!(tables.lines().all(|line| line.chars().count() <= 80), "{tables}");
    assert!(sql.contains(plan.batches()[0]) && tables.contains("GRANT DELETE"), "{tables}");
    let report = crate::retain::JobReport::of(&plan);
    let document = crate::retain::view::report("db", &[report]);
    let text = drawn(&document);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let mut json = Vec::new();
    let style = crate::output::Style { color: false, width: 80 };
    crate::output::render(&document, crate::output::Format::Json, &style, &mut json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&json["kind"], &json["rows"][0]["left_rows"]), (&"partitions.rows".into(), &10.into()));
    assert_eq!(json["rows"][0]["took_seconds"], 0.0);
}

/// A hold as the test's model has it: from, to, whether it is on the table.
type Held = (Option<u16>, Option<u16>, bool);

fn day(number: u16) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 1).unwrap() + TimeDelta::days(i64::from(number))
}

/// Reads the conditions that a plan writes, on one row of age `at`: `AND` of comparisons with literals.
fn holds_true(due: &str, at: NaiveDateTime) -> bool {
    due.split("AND ")
        .fold((true, None::<bool>, String::new()), |(all, open, _), part| {
            let part = part.trim();
            let negated = part.starts_with("NOT (");
            let part = part.trim_start_matches("NOT (").trim_end_matches(')');
            let (column, rest) = part.split_once(' ').unwrap();
            assert_eq!(column, "t.at");
            let (operator, literal) = rest.split_once(' ').unwrap();
            let text = literal.split('\'').nth(1).unwrap();
            let text = text.trim_end_matches("+00");
            let value = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
                .or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_hms_opt(0, 0, 0).unwrap()))
                .unwrap();
            let holds = if operator == "<" { at < value } else { at >= value };
            match (negated, open) {
                // The first half of NOT (a AND b).
                (true, _) => (all, Some(holds), String::new()),
                (false, Some(first)) => (all && !(first && holds), None, String::new()),
                (false, None) => (all && holds, None, String::new()),
            }
        })
        .0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever the holds, the leaves and the moment: exactly the rows that are old enough and not held
    /// are due, and each in the leaf that it lies in.
    #[test]
    fn exactly_what_is_old_and_not_held_is_due(
        now in 0_i64..(400 * 24 * 60),
        months in 0_u32..5,
        days in 0_u32..40,
        holds in prop::collection::vec((prop::option::of(0_u16..400), prop::option::of(0_u16..400), any::<bool>()), 0..4),
        width in 5_u16..90,
        rows in prop::collection::vec(0_i64..(400 * 24 * 60), 1..40),
        once in any::<bool>(),
        kind in prop::sample::select(vec!["date", "timestamp without time zone", "timestamp with time zone"]),
    ) {
        let start = day(0).and_hms_opt(0, 0, 0).unwrap();
        let zone: chrono_tz::Tz = "America/Sao_Paulo".parse().unwrap();
        // Sao Paulo has had no summer time since 2019: three hours, the model's only knowledge of zones.
        let now = (start + TimeDelta::minutes(now) + TimeDelta::hours(3)).and_utc();
        let wall_now = now.naive_utc() - TimeDelta::hours(3);
        let over = Span { months, days, micros: 0 };
        let cutoff = wall_now.checked_sub_months(chrono::Months::new(months)).unwrap() - TimeDelta::days(i64::from(days));
        let job = RowJob {
            age: Some(Age { column: Ident::new("at"), over }), once_per_partition: once, timezone: zone, ..job()
        };
        let utc = kind == "timestamp with time zone";
        let edge = |number: u16| {
            let wall = day(number).and_hms_opt(0, 0, 0).unwrap();
            match kind {
                "date" => wall.format("%Y-%m-%d").to_string(),
                _ if utc => (wall + TimeDelta::hours(3)).format("%Y-%m-%d %H:%M:%S+00").to_string(),
                _ => wall.format("%Y-%m-%d %H:%M:%S").to_string(),
            }
        };
        let edges: Vec<u16> = (0..=400 / width + 1).map(|number| number * width).collect();
        let leaves: Vec<Leaf> = edges.windows(2).enumerate()
            .map(|(at, pair)| leaf(u32::try_from(at).unwrap() + 1, range(&edge(pair[0]), &edge(pair[1])), at % 2 == 0))
            .collect();
        let model: Vec<Held> = holds;
        let holds: Vec<Hold> = model.iter().map(|(from, to, ours)| Hold {
            id: "h".into(),
            system: None,
            tables: vec![if *ours { "public.*".into() } else { "other.*".into() }],
            days: DayRange { from: from.map(day), to: to.map(day) },
            reason: String::new(),
        }).collect();
        let plan = plan(&job, &snapshot(leaves, kind), &holds, now).unwrap();
        prop_assert!(!plan.is_blocked(), "{:?}", plan.attention);
        for minutes in rows {
            let wall = start + TimeDelta::minutes(minutes);
            let wall = if kind == "date" { wall.date().and_hms_opt(0, 0, 0).unwrap() } else { wall };
            let cutoff = if kind == "date" { cutoff.date().and_hms_opt(0, 0, 0).unwrap() } else { cutoff };
            let held = model.iter().any(|(from, to, ours)| {
                *ours && from.is_none_or(|from| wall.date() >= day(from)) && to.is_none_or(|to| wall.date() < day(to))
            });
            let expected = wall < cutoff && !held;
            let number = (wall.date() - day(0)).num_days() / i64::from(width) + 1;
            let here = plan.visits.iter().find(|visit| i64::from(visit.oid) == number);
            let stored = if utc { wall + TimeDelta::hours(3) } else { wall };
            let found = here.is_some_and(|visit| holds_true(visit.estimate.split_once("WHERE ").unwrap().1, stored));
            prop_assert_eq!(found, expected, "{} of {:?} at {}", stored, here.map(|visit| &visit.estimate), now);
            // What is visited for good can hold nothing that becomes due later.
            if let Some(visit) = here.filter(|visit| visit.closes.is_some()) {
                prop_assert!(wall < cutoff, "{:?}", visit.closes);
            }
        }
    }
}
