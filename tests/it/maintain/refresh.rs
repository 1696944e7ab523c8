//! Materialized views: order, CONCURRENTLY and why not, locks, rights.

use super::*;
use crate::harness::majors;

fn view<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let rows = answer["views"].as_array().unwrap();
    rows.iter().find(|row| row["view"] == name).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

#[test]
fn views_are_refreshed_after_those_that_they_read_and_beside_their_readers_where_possible() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(
            "CREATE TABLE t (a int);
             CREATE MATERIALIZED VIEW z AS SELECT count(*) AS n FROM t; CREATE UNIQUE INDEX ON z (n);
             CREATE VIEW between AS SELECT n + 1 AS n FROM z;
             CREATE MATERIALIZED VIEW a AS SELECT n FROM between; CREATE UNIQUE INDEX ON a (n) WHERE n > 0;
             CREATE MATERIALIZED VIEW \"Odd \"\" view\" AS SELECT 1 AS one WITH NO DATA;
             INSERT INTO t VALUES (1), (2)",
        );
        let reader = db.session();
        reader.sql("BEGIN; SELECT * FROM z");
        let plan = answer(&db.url(), &["refresh", "--dry-run"], 0);
        let order: Vec<&str> = plan["views"].as_array().unwrap().iter().map(|v| v["view"].as_str().unwrap()).collect();
        assert_eq!(order, ["public.\"Odd \"\" view\"", "public.z", "public.a"], "{major}");
        let done = answer(&db.url(), &["refresh"], 0);
        assert_eq!(view(&done, "public.z")["concurrently"], true, "{done}");
        assert_eq!(view(&done, "public.a")["concurrently"], false, "{done}");
        assert!(done["notes"].to_string().contains("no unique index on plain columns"), "{done}");
        assert!(done["notes"].to_string().contains("it has no rows yet"), "{done}");
        assert_eq!(db.one("SELECT n FROM a"), "3", "{major}");
        reader.commit();
    }
}

#[test]
fn a_view_that_somebody_holds_is_deferred_with_the_blocker_and_the_others_are_done() {
    let db = Database::new();
    db.sql(
        "CREATE MATERIALIZED VIEW held AS SELECT 1 AS a; CREATE MATERIALIZED VIEW free AS SELECT now() AS at;
         CREATE UNIQUE INDEX ON free (at)",
    );
    let reader = db.session();
    reader.sql("BEGIN; SELECT * FROM held");
    let before = db.one("SELECT at FROM free");
    let args = ["refresh", "--lock-timeout", "50ms", "--lock-patience", "500ms"];
    let deferred = answer(&db.url(), &args, 3);
    assert_eq!(view(&deferred, "public.held")["outcome"], "locked");
    let detail = view(&deferred, "public.held")["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("pid {}", reader.pid())), "{detail}");
    assert_ne!(db.one("SELECT at FROM free"), before);
    reader.commit();
    answer(&db.url(), &["refresh", "held"], 0);
    let missing = run(&mut on(&db.url(), &["refresh", "nowhere.v"])).expect_code(64);
    assert!(missing.stderr.contains("there is no materialized view nowhere.v"), "{}", missing.stderr);
    let role = format!("reader_of_{}", db.name());
    db.sql(&format!("CREATE ROLE {role} LOGIN"));
    answer(&db.url_as(&role), &["refresh"], 77);
    db.sql(&format!("DROP ROLE {role}"));
}
