//! How partitions leave: by every mode and every route, and what is left alone.

use super::{Case, RAILS};
use crate::harness::{Database, majors};

/// What makes a run take the other routes.
const TIES: [(&str, &str); 4] = [
    ("nothing", ""),
    (
        "a foreign key",
        "CREATE TABLE o (id bigint PRIMARY KEY); INSERT INTO o SELECT generate_series(0, 5); ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES o",
    ),
    ("a default partition", "CREATE TABLE d PARTITION OF t DEFAULT"),
    (
        "a table that refers to it",
        "ALTER TABLE t ADD PRIMARY KEY (id, at); CREATE TABLE r (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES t)",
    ),
];

#[test]
fn every_mode_by_every_route() {
    for major in majors() {
        for (tie, sql) in TIES {
            for (mode, more, state) in [
                ("drop", RAILS, "drop dropped"),
                ("drop", "rails: { max_drop_fraction: 100%, grace: 7 days }", "drop aside"),
                ("detach", RAILS, "detach kept"),
                ("{ move: shelf }", RAILS, "move moved"),
                ("{ attach: shelf.all }", RAILS, "attach attached"),
            ] {
                let what = format!("{major}: {mode} with {tie}, {more}");
                let case = Case::with_months(
                    Database::on(major),
                    &format!("default_partition: allow, expire: {mode}, {more}"),
                );
                case.db.sql("CREATE SCHEMA shelf; CREATE TABLE shelf.all (LIKE t) PARTITION BY RANGE (at)");
                case.db.sql(sql);
                let ended = case.rotate();
                assert_eq!(ended.code, 0, "{what}\n{}\n{}", ended.stdout, ended.stderr);
                assert_eq!(case.left(), format!("public.old_5 {state}, public.old_4 {state}"), "{what}");
                assert_eq!(case.count("t"), "4", "{what}");
                let place = match state {
                    "drop aside" => "nspname = 'dbctl_trash' AND relname ~ '^p[0-9]+_old_[45]$'",
                    "detach kept" => "nspname = 'public' AND relname IN ('old_5', 'old_4') AND NOT relispartition",
                    "move moved" => "nspname = 'shelf' AND relname IN ('old_5', 'old_4') AND NOT relispartition",
                    "attach attached" => "relname IN ('old_5', 'old_4') AND relispartition",
                    _ => "relname IN ('old_5', 'old_4')",
                };
                let places =
                    case.count(&format!("pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE {place}"));
                assert_eq!(places, if state == "drop dropped" { "0" } else { "2" }, "{what}");
                if state == "attach attached" {
                    assert_eq!(case.count("shelf.all"), "2", "{what}");
                    assert_eq!(case.count("pg_constraint WHERE conname = 'dbctl_bounds'"), "0", "{what}");
                }
                case.partitions(&["rotate"]).expect_code(0);
                assert_eq!(case.left(), format!("public.old_5 {state}, public.old_4 {state}"), "{what}");
            }
        }
    }
}

fn put_aside() -> Case {
    let case = Case::with_months(Database::new(), "expire: drop, rails: { max_drop_fraction: 100%, grace: 7 days }");
    case.rotate().expect_code(0);
    case.db.sql("CREATE TABLE dbctl_trash.orphan (a int)");
    case
}

fn grace_ends(case: &Case) {
    case.db.sql("UPDATE dbctl.partition SET drop_after = now() - interval '1 minute'");
}

#[test]
fn after_the_grace_it_is_dropped_and_orphans_are_left() {
    let case = put_aside();
    assert_eq!(case.count("pg_class WHERE relnamespace = 'dbctl_trash'::regnamespace"), "3");
    case.partitions(&["rotate"]).expect_code(0);
    assert_eq!(case.count("pg_class WHERE relnamespace = 'dbctl_trash'::regnamespace"), "3");
    grace_ends(&case);
    case.partitions(&["rotate"]).expect_code(0);
    assert_eq!(case.left(), "public.old_5 drop dropped, public.old_4 drop dropped");
    assert_eq!(
        case.db.one("SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'dbctl_trash'::regnamespace"),
        "orphan"
    );
}

#[test]
fn a_hold_that_came_in_the_grace_keeps_it() {
    let case = put_aside();
    grace_ends(&case);
    case.db.sql("INSERT INTO dbctl.hold (id, tables, reason) VALUES ('CASE-1', '{public.*}', 'a request')");
    let ended = case.partitions(&["rotate"]).expect_code(4);
    assert!(ended.stderr.contains("CASE-1"), "{}", ended.stderr);
    assert_eq!(case.left(), "public.old_5 drop aside, public.old_4 drop aside");
    case.db.sql("UPDATE dbctl.hold SET lifted_at = now()");
    case.partitions(&["rotate"]).expect_code(0);
    assert_eq!(case.left(), "public.old_5 drop dropped, public.old_4 drop dropped");
}

/// After a restore from a dump every table has another oid, and dbctl's notes have the old ones.
#[test]
fn an_oid_that_means_another_table_now_is_left_alone() {
    let case = put_aside();
    grace_ends(&case);
    case.db.sql("CREATE TABLE customer (id int); INSERT INTO customer VALUES (1)");
    case.db.sql("UPDATE dbctl.partition SET oid = 'customer'::regclass WHERE partition = 'public.old_5'");
    let ended = case.partitions(&["rotate"]).expect_code(4);
    assert!(ended.stderr.contains("customer"), "{}", ended.stderr);
    assert_eq!(case.count("customer"), "1");
    assert_eq!(case.left(), "public.old_5 drop aside, public.old_4 drop dropped");
}

#[test]
fn look_alike_tables_are_untouched() {
    let case = Case::with_months(Database::new(), &format!("expire: drop, {RAILS}"));
    let names = ["t_0_lookup", "t_1on1_notes", "t_2019_migration_map", "t_2019_01"];
    for name in names {
        case.db.sql(&format!("CREATE TABLE {name} (LIKE t); INSERT INTO {name} VALUES (1, '2019-01-02')"));
    }
    case.rotate().expect_code(0);
    assert_eq!(case.children("t").split(' ').count(), 5);
    for name in names {
        assert_eq!(case.count(name), "1");
    }
}

#[test]
fn a_pending_detach_is_ended_first() {
    for major in majors() {
        let case = Case::with_months(Database::on(major), &format!("expire: drop, {RAILS}"));
        let reader = case.db.session();
        reader.sql("BEGIN; SELECT FROM old_5");
        let detacher = case.db.session();
        let waiting = detacher.start("ALTER TABLE t DETACH PARTITION old_5 CONCURRENTLY");
        crate::harness::eventually("the detach is pending", || case.children("t").contains("pending"));
        detacher.cancel();
        assert!(waiting.wait().is_err());
        reader.rollback();
        case.rotate().expect_code(0);
        assert!(
            !case.children("t").contains("old_5") && !case.children("t").contains("old_4"),
            "{}",
            case.children("t")
        );
        // Not dbctl's: it was somebody else who has let it go.
        assert_eq!(case.count("old_5"), "1");
        case.partitions(&["rotate"]).expect_code(0);
    }
}

#[test]
fn a_view_on_a_partition_keeps_it_and_is_named() {
    let case = Case::with_months(Database::new(), &format!("expire: drop, {RAILS}"));
    case.db.sql("CREATE VIEW v AS SELECT * FROM old_5");
    let ended = case.rotate();
    assert!([1, 5].contains(&ended.code), "{}\n{}", ended.code, ended.stderr);
    assert!(ended.stderr.contains("view v"), "{}", ended.stderr);
    assert_eq!(case.count("v"), "1");
    case.db.sql("DROP VIEW v");
    case.partitions(&["rotate"]).expect_code(0);
    assert_eq!(case.left(), "public.old_5 drop dropped, public.old_4 drop dropped");
}

#[test]
fn a_note_of_another_partition_with_its_oid_is_not_taken_for_its_own() {
    for grace in ["0 days", "7 days"] {
        let rails = RAILS.replace("0 days", grace);
        let case = Case::with_months(Database::new(), &format!("expire: drop, {rails}"));
        case.policy(&format!("  public.t: {{ key: at, every: month, keep: 30 years, expire: drop, {rails} }}\n"));
        case.rotate().expect_code(0);
        case.db.sql(
            "INSERT INTO dbctl.partition (parent, parent_oid, partition, oid, lower, upper, mode, state, place, drop_after)
             VALUES ('public.t', 1, 'public.stranger', 'old_5'::regclass, 'MINVALUE', '2001-01-01 00:00:00+00', 'drop', 'aside',
             'dbctl_trash.p1_stranger', now() - interval '1 day'); UPDATE dbctl.partition_policy SET keep = '3 months'",
        );
        case.policy(&format!("  public.t: {{ key: at, every: month, keep: 3 months, expire: drop, {rails} }}\n"));
        case.partitions(&["rotate"]).expect_code(0);
        let state = if grace == "0 days" { "dropped" } else { "aside" };
        let expected = format!("public.stranger drop aside, public.old_5 drop {state}, public.old_4 drop {state}");
        assert_eq!(case.left(), expected);
        assert_eq!(case.count("t"), "4");
    }
}
