//! Tables that fail beside tables that do not, plans that do not hold any more, others at work, locks
//! in the way, rights that are missing.

use super::{Case, RAILS};
use crate::harness::{Database, Pooler, eventually, majors, private_server, run, spawn, standby};
use dbctl::pg::sandbox::Options;

fn entry(table: &str, more: &str) -> String {
    format!("  public.{table}: {{ key: at, every: month, ahead: 1, keep: 3 months, expire: drop, {RAILS}{more} }}\n")
}

/// `t` and `u` beside each other.
fn two(db: Database) -> Case {
    let case = Case::with_months(db, "expire: drop");
    case.db.sql("CREATE TABLE u (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at)");
    case.fill("u");
    case.policy(&(entry("t", "") + &entry("u", "")));
    case
}

#[test]
fn rows_that_refer_to_it_keep_it_and_others_are_done() {
    for major in majors() {
        let case = two(Database::on(major));
        case.db.sql(
            "ALTER TABLE t ADD PRIMARY KEY (id, at); CREATE TABLE r (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES t); \
             INSERT INTO r SELECT id, at FROM old_5",
        );
        let ended = case.partitions(&["rotate", "--arm", "--format", "json"]).expect_code(4);
        assert!(ended.stdout.contains("r_id_at_fkey"), "{}", ended.stdout);
        assert_eq!((case.count("t"), case.count("u")), ("5".to_owned(), "4".to_owned()));
        case.db.sql("DELETE FROM r");
        case.partitions(&["rotate"]).expect_code(0);
        assert_eq!(case.count("t"), "4");
    }
}

#[test]
fn an_entry_that_does_not_fit_is_65_and_the_rest_is_done() {
    let case = two(Database::new());
    case.policy(&(entry("t", "").replace("key: at", "key: id") + &entry("gone", "") + &entry("u", "")));
    let ended = case.rotate().expect_code(65);
    assert!(ended.stderr.contains("key: at") && ended.stderr.contains("gone"), "{}", ended.stderr);
    assert_eq!((case.count("t"), case.count("u")), ("6".to_owned(), "4".to_owned()));
}

#[test]
fn a_saved_plan_is_applied_exactly() {
    let case = two(Database::new());
    let plan = case.file("plan.json");
    case.partitions(&["drop", "--arm", "public.u"]).expect_code(0);
    case.policy(&(entry("t", "")));
    case.db.sql("INSERT INTO dbctl.partition_policy (parent, keep, expire) VALUES ('public.t', '3 months', 'drop')");
    case.partitions(&["plan", "--out", &plan]).expect_code(0);
    case.partitions(&["drop", "--plan", &plan]).expect_code(0);
    assert_eq!(case.count("t"), "4");
    // Once is once.
    let again = case.partitions(&["drop", "--plan", &plan]).expect_code(4);
    assert!(again.stderr.contains("does not hold any more"), "{}", again.stderr);
}

#[test]
fn a_saved_plan_is_refused_once_the_world_has_moved() {
    for moved in [
        "ALTER TABLE old_5 RENAME TO older",
        "ALTER TABLE t DETACH PARTITION old_4",
        "CREATE TABLE x (LIKE old_5); INSERT INTO x SELECT * FROM old_5; DROP TABLE old_5; ALTER TABLE x RENAME TO old_5; ALTER TABLE t ATTACH PARTITION old_5 FOR VALUES FROM (MINVALUE) TO ('2020-01-01')",
        "INSERT INTO dbctl.hold (id, tables, reason) VALUES ('H', '{*}', 'a request')",
        "UPDATE dbctl.partition_policy SET keep = '9 months'",
    ] {
        let case = Case::with_months(Database::new(), &format!("expire: drop, {RAILS}"));
        case.policy(&entry("t", "").replace("3 months", "30 years"));
        case.partitions(&["rotate", "--arm"]).expect_code(0);
        case.policy(&entry("t", ""));
        case.db.sql("UPDATE dbctl.partition_policy SET keep = '3 months'; UPDATE t SET at = at WHERE false");
        let plan = case.file("plan.json");
        case.partitions(&["plan", "--out", &plan]).expect_code(0);
        if moved.starts_with("CREATE") {
            case.db.sql("DELETE FROM old_5");
        }
        case.db.sql(moved);
        let before = case.children("t");
        let ended = case.partitions(&["drop", "--plan", &plan]).expect_code(4);
        assert!(ended.stderr.contains("does not hold any more"), "{moved}: {}", ended.stderr);
        assert_eq!(case.children("t"), before, "{moved}");
    }
    let case = Case::with_months(Database::new(), &format!("expire: drop, {RAILS}"));
    let plan = case.file("plan.json");
    case.partitions(&["plan", "--out", &plan]);
    case.policy(&entry("t", ", exact: true"));
    case.partitions(&["drop", "--plan", &plan]).expect_code(4);
    std::fs::write(&plan, "{}").unwrap();
    case.partitions(&["drop", "--plan", &plan]).expect_code(65);
}

#[test]
fn of_two_at_once_one_works() {
    for major in majors() {
        let case = Case::with_months(Database::on(major), &format!("expire: drop, {RAILS}"));
        let blocker = case.db.session();
        blocker.sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let first = spawn(&mut case.command(&["rotate", "--arm"]));
        eventually("the first has the lease", || {
            case.db.one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") != "0"
        });
        case.partitions(&["rotate", "--arm"]).expect_code(6);
        case.partitions(&["rotate", "--arm", "--ok-if-locked"]).expect_code(0);
        blocker.rollback();
        first.wait().expect_code(0);
        assert_eq!(case.count("t"), "4");
    }
}

#[test]
fn whoever_is_in_the_way_is_named_and_the_others_are_done() {
    for (lock, code) in
        [("LOCK TABLE t IN ACCESS EXCLUSIVE MODE", 3), ("INSERT INTO t VALUES (9, now())", 0), ("SELECT * FROM t", 0)]
    {
        let case = two(Database::new());
        let blocker = case.db.session();
        blocker.sql(&format!("BEGIN; {lock}"));
        let ended = case.partitions(&["create", "--lock-patience", "1s"]).expect_code(code);
        if code == 3 {
            let pid = blocker.pid().to_string();
            assert!(ended.stderr.contains(&pid) && ended.stderr.contains("LOCK TABLE t"), "{}", ended.stderr);
            assert_eq!(case.children("t").split(' ').count(), 6);
        }
        assert_eq!(case.children("u").split(' ').count(), 7, "{lock}");
        blocker.rollback();
        case.partitions(&["create"]).expect_code(0);
        assert_eq!(case.children("t").split(' ').count(), 7, "{lock}");
    }
}

#[test]
fn a_reader_of_an_expired_partition_defers_it() {
    for major in majors() {
        let case = two(Database::on(major));
        let text = std::fs::read_to_string(case.file("partitions.yaml")).unwrap();
        std::fs::write(
            case.file("partitions.yaml"),
            text.replace("timezone: UTC", "timezone: UTC, lock: { detach_wait: 1s }"),
        )
        .unwrap();
        let reader = case.db.session();
        reader.sql("BEGIN; SELECT count(*) FROM old_5");
        let ended = case.partitions(&["rotate", "--arm", "--lock-patience", "1s"]).expect_code(3);
        assert!(ended.stderr.contains(&reader.pid().to_string()), "{}", ended.stderr);
        assert_eq!(case.count("u"), "4");
        reader.rollback();
        case.partitions(&["rotate"]).expect_code(0);
        assert_eq!(case.count("t"), "4");
        assert!(!case.children("t").contains("pending"));
        assert_eq!(case.count("dbctl.partition WHERE state <> 'dropped'"), "0");
    }
}

#[test]
fn a_standby_is_left_to_its_primary() {
    for major in majors() {
        let server = private_server(&Options { major: Some(major), ..Options::default() });
        let case = Case::with_months(Database::at(&server), &format!("expire: drop, {RAILS}"));
        let copy = standby(&server);
        eventually("the standby answers", || copy.session(case.db.name()).is_ok());
        let ended = run(&mut case.command_at(&copy.url(case.db.name()), &["rotate", "--arm"])).expect_code(0);
        assert!(ended.stdout.contains("standby"), "{}", ended.stdout);
        assert_eq!(case.count("t"), "6");
    }
}

#[test]
fn a_role_without_rights_is_told_and_changes_nothing() {
    let case = Case::with_months(Database::new(), &format!("expire: drop, {RAILS}"));
    let role = format!("low_{}", case.db.name());
    case.db.sql(&format!("CREATE ROLE {role} LOGIN"));
    let ended = run(&mut case.command_at(&case.db.url_as(&role), &["rotate", "--arm"]));
    assert!([5, 77].contains(&ended.code), "{}: {}", ended.code, ended.stderr);
    assert!(ended.stderr.contains("GRANT"), "{}", ended.stderr);
    assert_eq!(case.count("t"), "6");
    // Looking needs no rights.
    run(&mut case.command_at(&case.db.url_as(&role), &["plan"]));
    case.db.sql(&format!("DROP ROLE {role}"));
}

#[test]
fn a_transaction_pooler_is_refused() {
    let server = private_server(&Options::default());
    let Some(pooler) = Pooler::start(&server, "transaction", &[]) else { return };
    let case = Case::with_months(Database::at(&server), &format!("expire: drop, {RAILS}"));
    let ended = run(&mut case.command_at(&pooler.url(case.db.name()), &["rotate", "--arm"])).expect_code(4);
    assert!(ended.stderr.contains("pooler in transaction mode"), "{}", ended.stderr);
    assert_eq!(case.children("t").split(' ').count(), 6);
}

#[test]
fn one_that_fails_of_many_stops_none() {
    let case = Case::new(Database::new());
    let mut policy = String::new();
    for n in 0..100 {
        case.db.sql(&format!("CREATE TABLE many_{n} (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)"));
        // What no table can have.
        let storage = if n == 7 { ", storage: { fillfactor: 5 }" } else { "" };
        policy.push_str(&format!("  public.many_{n}: {{ key: at, every: month, ahead: 0{storage} }}\n"));
    }
    case.policy(&policy);
    // Rows of the month are in the way of its partition, which is a matter for a person.
    case.db.sql("CREATE TABLE d PARTITION OF many_8 DEFAULT; INSERT INTO many_8 VALUES (1, now())");
    let ended = case.partitions(&["rotate"]).expect_code(5);
    assert!(ended.stderr.contains("many_7") && ended.stdout.contains("many_8"), "{}", ended.stderr);
    // Of 100 one has failed, and one has its DEFAULT partition only.
    assert_eq!(case.count("pg_inherits WHERE inhparent::regclass::text LIKE 'many%'"), "99");
    assert_eq!(case.count("many_8"), "1");
}

#[test]
fn names_that_are_swapped_while_it_waits_let_no_other_go() {
    for grace in ["0 days", "7 days"] {
        let rails = RAILS.replace("0 days", grace);
        let case = Case::with_months(Database::new(), &format!("default_partition: allow, expire: drop, {rails}"));
        case.db.sql("CREATE TABLE d PARTITION OF t DEFAULT");
        case.partitions(&["create"]).expect_code(0);
        let blocker = case.db.session();
        blocker.sql("BEGIN; LOCK TABLE ONLY t IN ACCESS SHARE MODE");
        let child = spawn(&mut case.command(&["rotate", "--arm"]));
        eventually("it has begun", || {
            case.db.one("SELECT to_regclass('dbctl.partition_policy') IS NOT NULL") == "t"
                && case.count("dbctl.partition_policy") == "1"
        });
        case.db.sql(
            "BEGIN; ALTER TABLE old_5 RENAME TO x; ALTER TABLE this RENAME TO old_5; ALTER TABLE x RENAME TO this; COMMIT",
        );
        blocker.rollback();
        let ended = child.wait();
        assert!([1, 5].contains(&ended.code), "{}: {}", ended.code, ended.stderr);
        assert!(ended.stderr.contains("another table has come to have the name"), "{}", ended.stderr);
        assert!(case.children("t").contains("old_5"), "{}", case.children("t"));
        assert_eq!(case.count("t"), "6");
        // The next one looks anew.
        case.partitions(&["rotate"]).expect_code(0);
        assert_eq!(case.count("t"), "4");
        assert_eq!(case.count("old_5"), "1");
    }
}
