//! Partitioned tables: leaf by leaf, young ones not at all, closed ones once.

use dbctl::outcome::Outcome;
use dbctl::policy::RowJob;
use dbctl::retain::{Count, Path};

use super::*;

/// Three months that are over, the current one's successor far away, and a DEFAULT.
fn months() -> Database {
    let db = Database::new();
    db.sql(
        "CREATE TABLE t (id bigint, at timestamptz NOT NULL, ip inet) PARTITION BY RANGE (at);
         CREATE TABLE p1 PARTITION OF t FOR VALUES FROM ('2025-01-01+00') TO ('2025-02-01+00');
         CREATE TABLE p2 PARTITION OF t FOR VALUES FROM ('2025-02-01+00') TO ('2025-03-01+00');
         CREATE TABLE p3 PARTITION OF t FOR VALUES FROM ('2025-03-01+00') TO ('2025-04-01+00');
         CREATE TABLE future PARTITION OF t FOR VALUES FROM ('2030-01-01+00') TO (MAXVALUE);
         CREATE TABLE other PARTITION OF t DEFAULT;
         INSERT INTO t SELECT i, timestamptz '2025-01-01+00' + i * interval '1 hour', '10.1.2.3' FROM generate_series(0, 2159) AS i;
         INSERT INTO t VALUES (-1, '2024-01-01+00', '10.1.2.3'), (-2, '2031-01-01+00', '10.1.2.3');
         CREATE INDEX ON p1 (at);",
    );
    db
}

fn once() -> RowJob {
    RowJob { once_per_partition: true, ..anonymise(&[("ip", PREFIX)]) }
}

fn at(db: &Database, job: RowJob) -> Case {
    // 30 days before it is 15 March: the third month is open, the first two are closed.
    Case { now: "2025-04-14T00:00:00Z".parse().unwrap(), ..Case::new(db, job) }
}

#[test]
fn leaves_are_worked_through_each_by_its_own_way() {
    let db = months();
    let case = at(&db, job());
    let plan = case.plan();
    let paths: Vec<_> = plan.visits.iter().map(|v| (v.leaf.name.raw(), v.path)).collect();
    assert_eq!(paths, [("other", Path::Blocks), ("p1", Path::Index), ("p2", Path::Blocks), ("p3", Path::Blocks)]);
    assert_eq!((plan.left_alone, plan.rows), (1, Count::Exact(31 * 24 + 28 * 24 + 14 * 24 + 1)));
    let report = case.run();
    assert_eq!((report.rows, report.outcome()), (31 * 24 + 28 * 24 + 14 * 24 + 1, Outcome::Done));
    assert_eq!(db.one("SELECT min(at) FROM t WHERE id >= 0"), db.one("SELECT timestamptz '2025-03-15+00'"));
}

#[test]
fn closed_partitions_are_visited_once() {
    let db = months();
    let case = at(&db, once());
    let report = case.run();
    assert_eq!((report.rows, report.closed), (31 * 24 + 28 * 24 + 14 * 24 + 1, 2));
    assert_eq!(
        db.one("SELECT string_agg(relation::oid::regclass::text, ' ' ORDER BY relation) FROM dbctl.row_job"),
        "p1 p2"
    );
    // A late row in a closed partition is not looked for any more.
    db.sql("INSERT INTO t VALUES (-3, '2025-01-05+00', '10.9.9.9'), (-4, '2025-03-02+00', '10.9.9.9')");
    let again = case.run();
    assert_eq!((again.rows, again.closed), (1, 0));
    assert_eq!(case.plan().visits.len(), 2);
    let runs = db.one("SELECT count(*) FROM dbctl.run");
    assert_eq!(case.run().rows, 0);
    assert_eq!(db.one("SELECT count(*) FROM dbctl.run"), runs);
    // Another mask is another visit.
    let coarser =
        at(&db, RowJob { once_per_partition: true, ..anonymise(&[("ip", Mask::IpPrefix { v4: 16, v6: 48 })]) });
    assert_eq!(coarser.run().rows, 31 * 24 + 28 * 24 + 14 * 24 + 3);
}

#[test]
fn held_and_locked_partitions_stay_open() {
    let db = months();
    let holds = vec![hold("public.p1", Some((2025, 1, 10)), Some((2025, 1, 20)))];
    let held = Case { holds, ..at(&db, once()) };
    let other = db.session();
    other.begin();
    other.sql("SELECT FROM p2 LIMIT 1 FOR UPDATE");
    let report = held.run();
    assert_eq!((report.closed, report.left, report.outcome()), (0, Count::Exact(1), Outcome::Deferred));
    other.rollback();
    assert_eq!((held.run().rows, held.run().rows), (1, 0));
    assert_eq!(db.one("SELECT count(*) FROM p1 WHERE ip = '10.1.2.3'"), "240");
    assert_eq!(at(&db, once()).run().rows, 240);
    assert_eq!(db.one("SELECT count(*) FROM dbctl.row_job"), "2");
}
