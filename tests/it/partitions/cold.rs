//! Archives before drops, and ways back: what the file has become decides, not what it was.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::{Case, RAILS};
use crate::harness::{Database, S3, eventually, majors, run, spawn};

const ARCHIVE: &str = "expire: { archive: cold, then: drop }";
const GRACE: &str = "rails: { max_drops: 10, max_drop_fraction: 100%, grace: 7 days }";

/// Two partitions have been archived and wait for the end of their grace.
fn aside(db: Database) -> Case {
    let case = Case::with_months(db, &format!("{ARCHIVE}, {GRACE}"));
    case.db.sql(
        "INSERT INTO t SELECT n, (SELECT min(at) FROM t) + n * interval '1 minute' FROM generate_series(100, 999) AS n",
    );
    case.rotate().expect_code(0);
    assert_eq!(case.left(), "public.old_5 archive aside, public.old_4 archive aside");
    case
}

fn file(case: &Case, partition: &str) -> PathBuf {
    PathBuf::from(case.file("cold")).join(format!("t/{partition}.csv.zst"))
}

fn grace_ends(case: &Case) {
    case.db.sql("UPDATE dbctl.partition SET drop_after = now() - interval '1 minute'");
}

/// All rows, in any order, as one text.
fn rows(case: &Case) -> String {
    case.db.one("SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM t")
}

#[test]
fn what_was_archived_and_dropped_comes_back_as_it_was() {
    for major in majors() {
        let case = Case::with_months(Database::on(major), &format!("{ARCHIVE}, {RAILS}"));
        case.db.sql("INSERT INTO t SELECT n, (SELECT min(at) FROM t) + n * interval '1 minute' FROM generate_series(100, 999) AS n");
        let before = rows(&case);
        case.rotate().expect_code(0);
        assert_eq!(case.left(), "public.old_5 archive dropped, public.old_4 archive dropped");
        for name in ["old_5.csv.zst", "old_5.csv.zst.json", "old_4.csv.zst", "old_4.csv.zst.json"] {
            let mode = PathBuf::from(case.file("cold")).join("t").join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        for name in ["old_5", "public.old_4"] {
            case.partitions(&["restore", name]).expect_code(0);
        }
        assert_eq!(rows(&case), before, "on {major}");
        // Back is back: there is nothing to be restored any more.
        let again = case.partitions(&["restore", "old_5"]).expect_code(4);
        assert!(again.stderr.contains("old_5"), "{}", again.stderr);
        assert_eq!(case.count("pg_constraint WHERE conname = 'dbctl_bounds'"), "0");
        // They have expired all the same, and a second archive does not lie over the first.
        case.partitions(&["rotate"]).expect_code(0);
        assert!(file(&case, "old_5-2").exists() && file(&case, "old_5").exists());
        let from_file = file(&case, "old_5");
        case.partitions(&["restore", "--file", from_file.to_str().unwrap()]).expect_code(0);
        assert_ne!(case.count("old_5"), "0");
    }
}

#[test]
fn a_byte_that_has_changed_keeps_the_table() {
    let case = aside(Database::new());
    grace_ends(&case);
    let file = file(&case, "old_5");
    let good = std::fs::read(&file).unwrap();
    for at in [0, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&file, &bad).unwrap();
        let kept = case.partitions(&["rotate"]).expect_code(4);
        assert!(kept.stderr.contains("not what its manifest says"), "{}", kept.stderr);
        assert!(case.left().starts_with("public.old_5 archive aside"), "{}", case.left());
        assert_eq!(case.count("pg_class WHERE relname ~ '^p[0-9]+_old_5$'"), "1");
    }
    std::fs::write(&file, &good).unwrap();
    case.partitions(&["rotate"]).expect_code(0);
    assert_eq!(case.left(), "public.old_5 archive dropped, public.old_4 archive dropped");
}

#[test]
fn a_file_that_is_gone_keeps_the_table_and_undo_brings_it_back() {
    let case = aside(Database::new());
    let count = case.count("t");
    grace_ends(&case);
    std::fs::remove_file(file(&case, "old_5")).unwrap();
    let kept = case.partitions(&["rotate"]);
    assert!(kept.code == 4 || kept.code == 5, "{}: {}", kept.code, kept.stderr);
    assert!(kept.stderr.contains("old_5"), "{}", kept.stderr);
    case.partitions(&["undo", "public.old_5"]).expect_code(0);
    assert_eq!(case.count("t").parse::<u32>().unwrap(), count.parse::<u32>().unwrap() + 901);
    // And it is exported anew when it leaves again.
    case.partitions(&["rotate"]).expect_code(0);
    assert!(file(&case, "old_5").exists());
}

#[test]
fn rows_that_came_after_the_export_are_in_the_archive() {
    let reference = "CREATE TABLE o (id bigint PRIMARY KEY); INSERT INTO o SELECT generate_series(0, 9); ALTER TABLE t ADD \
                     FOREIGN KEY (id) REFERENCES o";
    let case = Case::with_months(Database::new(), &format!("{ARCHIVE}, {RAILS}"));
    case.db.sql(reference);
    // The export goes on beside a reader, the detach waits for it.
    let reader = case.db.session();
    reader.sql("BEGIN; SELECT FROM t");
    let running = spawn(&mut case.command(&["rotate", "--arm"]));
    eventually("the first is exported", || file(&case, "old_5").exists());
    eventually("and that is noted", || {
        case.db.one("SELECT to_regclass('dbctl.partition') IS NOT NULL") == "t" && case.left().contains("exported")
    });
    case.db.sql("INSERT INTO t SELECT 9, min(at) FROM t");
    reader.rollback();
    running.wait().expect_code(0);
    assert_eq!(case.count("t WHERE id = 9"), "0");
    case.partitions(&["restore", "old_5"]).expect_code(0);
    assert_eq!(case.count("t WHERE id = 9"), "1");
}

#[test]
fn whatever_left_comes_back_by_its_name() {
    for (mode, rails) in
        [("drop", GRACE), ("detach", RAILS), ("{ move: shelf }", RAILS), ("{ attach: shelf.all }", RAILS)]
    {
        let case = Case::with_months(Database::new(), &format!("expire: {mode}, {rails}"));
        case.db.sql("CREATE SCHEMA shelf; CREATE TABLE shelf.all (LIKE t) PARTITION BY RANGE (at)");
        let (children, before) = (case.children("t"), rows(&case));
        case.rotate().expect_code(0);
        assert_eq!(case.count("t"), "4", "{mode}");
        let unknown = case.partitions(&["undo", "old_3"]).expect_code(4);
        assert!(unknown.stderr.contains("old_3"), "{}", unknown.stderr);
        case.partitions(&["undo", "old_5", "public.old_4"]).expect_code(0);
        assert_eq!(rows(&case), before, "{mode}");
        assert!(case.children("t").starts_with(&children), "{mode}: {}", case.children("t"));
        // Twice is once.
        case.partitions(&["undo", "old_5"]).expect_code(4);
        case.partitions(&["rotate"]).expect_code(0);
        assert_eq!(case.count("t"), "4", "{mode}: it has expired all the same");
    }
}

#[test]
fn an_archive_may_lie_in_a_bucket() {
    let Some(s3) = S3::start() else { return };
    let case = Case::with_months(Database::new(), &format!("{ARCHIVE}, {RAILS}"));
    let entry = format!("  public.t: {{ key: at, every: month, ahead: 1, keep: 3 months, {ARCHIVE}, {RAILS} }}\n");
    case.policy_to(&format!("{}/{{table}}/{{partition}}.csv.zst", s3.url()), &entry);
    let before = rows(&case);
    let with = |args: &[&str]| {
        let mut command = case.command(args);
        run(command.envs(s3.variables()))
    };
    with(&["rotate", "--arm"]).expect_code(0);
    assert_eq!(case.left(), "public.old_5 archive dropped, public.old_4 archive dropped");
    for name in ["old_5", "old_4"] {
        with(&["restore", name]).expect_code(0);
    }
    assert_eq!(rows(&case), before);
}
