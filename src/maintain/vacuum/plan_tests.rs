//! What is due, as tables of snapshots and plans.

use std::collections::BTreeMap;

use super::Wish;
use super::plan::{VacuumPlan, plan};
use super::read::{Holder, Snapshot, Standing};
use super::view::hazard;
use crate::ident::TableName;
use crate::maintain::repack::Gain;

fn calm(oid: u32, name: &str) -> Standing {
    Standing {
        oid,
        table: TableName::new("public", name),
        parent: false,
        part_of: None,
        tuples: 1000.0,
        uncounted: false,
        bytes: 8192,
        enabled: true,
        dead: 0,
        dead_most: 250.0,
        toast_dead: 0,
        toast_dead_most: 50.0,
        inserted: 0,
        inserted_most: Some(1200.0),
        modified: 0,
        modified_most: 150.0,
        xid_age: Some(1000),
        mxid_age: Some(0),
        xid_most: 200_000_000,
        mxid_most: 400_000_000,
        pages: 10,
        visible_pages: 10,
        unanalyzed: false,
        vacuumed_seconds: Some(60.0),
        vacuumed_by: None,
        catalog: false,
        permitted: true,
    }
}

fn snapshot(tables: Vec<Standing>) -> Snapshot {
    Snapshot {
        major: 18,
        role: "Some one".to_owned(),
        xid_most: 200_000_000,
        failsafe: 1_600_000_000,
        tables,
        ..Snapshot::default()
    }
}

fn of(tables: Vec<Standing>) -> VacuumPlan {
    plan(&snapshot(tables), &Wish { jobs: 1, ..Wish::default() })
}

/// Each task as SQL with its settings and reasons.
fn lines(plan: &VacuumPlan) -> Vec<String> {
    plan.all().map(|task| format!("{}: {}", task.sql, task.reasons.join("; "))).collect()
}

#[test]
fn each_threshold_is_a_reason_of_its_own() {
    let sql = "VACUUM (SKIP_LOCKED) ONLY public.t";
    for (change, told) in [
        (Standing { dead: 251, ..calm(1, "t") }, Some(format!("{sql}: 251 dead rows, due at 250"))),
        (Standing { dead: 250, ..calm(1, "t") }, None),
        (
            Standing { inserted: 1201, ..calm(1, "t") },
            Some(format!("{sql}: 1201 rows inserted since the last vacuum, due at 1200")),
        ),
        (Standing { inserted: 9999, inserted_most: None, ..calm(1, "t") }, None),
        (
            Standing { toast_dead: 51, ..calm(1, "t") },
            Some("VACUUM (SKIP_LOCKED, PROCESS_MAIN FALSE) ONLY public.t: 51 dead rows in TOAST, due at 50".to_owned()),
        ),
        (
            Standing { mxid_age: Some(320_000_000), ..calm(1, "t") },
            Some(format!("{sql}: its oldest multixact is 320000000 old, autovacuum forces it at 400000000")),
        ),
        (
            Standing { pages: 2000, visible_pages: 200, dead: 3, ..calm(1, "t") },
            Some(format!("{sql}: only 10 % of its pages are all-visible: index-only scans read the table")),
        ),
        (
            Standing { modified: 151, ..calm(1, "t") },
            Some("ANALYZE (SKIP_LOCKED) ONLY public.t: 151 rows changed since the last analyze, due at 150".to_owned()),
        ),
        (
            Standing { modified: 5, uncounted: true, unanalyzed: true, ..calm(1, "t") },
            Some("ANALYZE (SKIP_LOCKED) ONLY public.t: never analyzed".to_owned()),
        ),
    ] {
        assert_eq!(lines(&of(vec![change])), told.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn old_transaction_numbers_come_first_and_are_read_whole() {
    let big = Standing { dead: 300, bytes: 1 << 30, ..calm(1, "big") };
    let old = Standing { xid_age: Some(200_000_001), ..calm(2, "old") };
    let aging = Standing { xid_age: Some(160_000_000), ..calm(3, "aging") };
    let plan = of(vec![big, old, aging]);
    let names: Vec<&str> = plan.tasks.iter().map(|task| task.table.name.raw()).collect();
    assert_eq!(names, ["old", "big", "aging"]);
    assert_eq!(plan.tasks[0].settings[0], ("vacuum_freeze_table_age", "0".to_owned()));
    assert!(plan.tasks[1].settings.is_empty());
}

#[test]
fn a_parent_is_analyzed_for_its_leaves_and_before_18_they_with_it() {
    let parent = Standing { parent: true, tuples: 1000.0, ..calm(1, "p") };
    let middle = Standing { parent: true, part_of: Some(1), tuples: 1000.0, ..calm(2, "m") };
    let leaf = Standing { part_of: Some(2), modified: 200, ..calm(3, "leaf") };
    let mut seen = snapshot(vec![parent, middle, leaf]);
    let wish = Wish { jobs: 1, ..Wish::default() };
    let stale = "statistics are stale: 200 rows of its partitions changed";
    assert_eq!(
        lines(&plan(&seen, &wish)),
        [
            "ANALYZE (SKIP_LOCKED) ONLY public.leaf: 200 rows changed since the last analyze, due at 150".to_owned(),
            format!("ANALYZE (SKIP_LOCKED) ONLY public.m: {stale}"),
            format!("ANALYZE (SKIP_LOCKED) ONLY public.p: {stale}"),
        ]
    );
    seen.major = 17;
    assert_eq!(
        lines(&plan(&seen, &wish)),
        [format!("ANALYZE (SKIP_LOCKED) public.m: {stale}"), format!("ANALYZE (SKIP_LOCKED) public.p: {stale}"),]
    );
}

#[test]
fn what_would_be_in_vain_or_is_not_ours_is_left_alone_with_its_reason() {
    let due = |oid, name: &str| Standing { dead: 300, ..calm(oid, name) };
    let mut seen = snapshot(vec![
        due(1, "kept"),
        Standing { vacuumed_seconds: None, ..due(2, "never") },
        Standing { permitted: false, ..due(3, "theirs") },
        Standing { permitted: false, catalog: true, ..due(4, "catalog") },
        Standing { vacuumed_by: Some(77), ..due(5, "busy") },
    ]);
    seen.holders = vec![Holder { what: "session 9".into(), age: 5, seconds: Some(120.0), remedy: "SELECT 1".into() }];
    let plan = plan(&seen, &Wish { jobs: 2, ..Wish::default() });
    assert_eq!(lines(&plan), ["VACUUM (SKIP_LOCKED, PARALLEL 0) ONLY public.never: 300 dead rows, due at 250"]);
    let skipped: Vec<(&str, &str)> =
        plan.skipped.iter().map(|s| (s.table.name.raw(), s.why.split(':').next().unwrap())).collect();
    assert_eq!(
        skipped,
        [
            ("busy", "pid 77 vacuums it now"),
            ("kept", "its dead rows are kept by session 9"),
            ("theirs", "not permitted")
        ]
    );
}

#[test]
fn several_vacuums_leave_the_database_to_one_statement_at_the_end() {
    let dead = |oid, name| Standing { dead: 300, ..calm(oid, name) };
    let (one, two) = (of(vec![dead(1, "a")]), of(vec![dead(1, "a"), dead(2, "b")]));
    assert_eq!((one.closing, two.closing), (None, Some("VACUUM (ONLY_DATABASE_STATS)")));
    assert!(two.tasks.iter().all(|task| task.sql.contains("SKIP_DATABASE_STATS")), "{:?}", lines(&two));
    let old = plan(&Snapshot { major: 15, ..snapshot(vec![dead(1, "a"), dead(2, "b")]) }, &Wish::default());
    assert_eq!(old.closing, None, "15 knows no such options");
}

#[test]
fn statistics_are_not_analyzed_whatever_their_counters_say() {
    let table = TableName::new("pg_catalog", "pg_statistic");
    let statistics = Standing { table, modified: 9999, catalog: true, ..calm(1, "t") };
    assert!(of(vec![statistics.clone()]).is_empty(), "ANALYZE would leave them as they are, again and again");
    let dead = Standing { dead: 251, ..statistics };
    assert_eq!(of(vec![dead]).tasks[0].what, "vacuum");
}

#[test]
fn a_rewrite_without_room_beside_it_or_for_nothing_is_left_alone_and_others_are_told_what_they_give() {
    let wish = Wish { tables: vec![TableName::new("public", "t")], full: true, jobs: 1, ..Wish::default() };
    let plan = plan(&snapshot(vec![Standing { bytes: 5_000_000, ..calm(1, "t") }]), &wish);
    let gain = Gain {
        bytes: 4_000_000,
        reclaimable: Some(3_000_000),
        index_bytes: 1_000_000,
        confidence: "high",
        ..Gain::default()
    };
    let forced = |gain: Gain, free: u64, force: bool| {
        let mut plan = plan.clone();
        plan.weigh(&BTreeMap::from([(1, gain)]), &BTreeMap::from([(1, free)]), force);
        plan
    };
    let weighed = |gain: Gain, free: u64| forced(gain, free, false);
    let told = |plan: &VacuumPlan| hazard(&plan.tasks[0], &plan.tasks[0].hazards[0]);
    let full = weighed(gain.clone(), 4_999_999);
    assert!(full.tasks.is_empty() && full.skipped[0].counts, "{full:?}");
    assert_eq!(full.skipped[0].why, "the new beside the old takes up to 6 MB, and only 4 MB are free");
    let good = told(&weighed(gain.clone(), 9_000_000));
    assert!(
        good.contains("of 9 MB that are free") && good.ends_with("gives back 3.0 MB, 60 % (confidence high)"),
        "{good}"
    );
    let little = Gain { reclaimable: Some(100_000), ..gain.clone() };
    let left = weighed(little.clone(), 9_000_000);
    assert!(left.tasks.is_empty() && left.skipped[0].counts, "{left:?}");
    assert!(left.skipped[0].why.starts_with("by estimate a rewrite gives back 2 %"), "{left:?}");
    assert!(weighed(Gain { grows: true, ..gain.clone() }, 9_000_000).tasks.is_empty(), "larger afterwards");
    let unsure = weighed(Gain { is_doubtful: true, ..little.clone() }, 9_000_000);
    assert_eq!(unsure.tasks.len(), 1, "what is not sure refuses nothing");
    assert!(weighed(Gain { reclaimable: Some(500_000), ..gain.clone() }, 9_000_000).skipped.is_empty(), "a tenth");
    let little = told(&forced(little, 9_000_000, true));
    assert!(little.ends_with("2 % (confidence high): hardly worth it"), "{little}");
    assert!(told(&forced(Gain { grows: true, ..gain.clone() }, 9_000_000, true)).contains("LARGER"));
    assert!(forced(gain, 4_999_999, true).tasks.is_empty(), "no force makes room");
    assert!(told(&plan).contains("does not tell how much there is; what it would give back is not known"));
}
