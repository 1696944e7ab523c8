//! What stands in a job's way is said before anything is done, with what helps.

use dbctl::error::Kind;
use dbctl::outcome::Outcome;
use dbctl::policy::{Age, RowAction, RowJob};
use dbctl::retain::Count;

use super::*;

#[track_caller]
fn blocked(case: &Case) {
    let report = case.run();
    assert_eq!((report.rows, report.outcome()), (0, Outcome::Refused));
}

/// 100 rows, of which 50 are due, and a child with this clause.
fn with_child(clause: &str) -> Database {
    let db = table(100, true);
    db.sql(&format!(
        "CREATE TABLE child (id int, t_id bigint REFERENCES t {clause}); INSERT INTO child SELECT i, i FROM generate_series(1, 10) AS i"
    ));
    db
}

#[test]
fn rows_that_are_pointed_at_are_named_and_stay() {
    for clause in ["", "ON DELETE RESTRICT"] {
        let db = with_child(clause);
        let case = Case::new(&db, job());
        case.warns("! 5 rows of public.child point at rows that are due (child_t_id_fkey");
        case.warns("public.child has no index on (t_id)");
        blocked(&case);
        db.sql("CREATE INDEX ON child (t_id); DELETE FROM child WHERE t_id % 2 = 0");
        assert_eq!(case.attention(), Vec::<String>::new());
        assert_eq!(case.run().rows, 50);
    }
}

#[test]
fn cascades_are_listed_and_done() {
    let db = with_child("ON DELETE CASCADE");
    let case = Case::new(&db, job());
    case.warns("every batch also reaches into public.child (child_t_id_fkey, ON DELETE CASCADE): 5 rows");
    assert_eq!(case.plan().children[0].rows, Count::Exact(5));
    // A hold on the child counts although the job does not name it.
    let held = Case { holds: vec![hold("public.child", None, None)], ..Case::new(&db, job()) };
    held.warns("! hold H-1 covers public.child");
    blocked(&held);
    assert_eq!(case.run().rows, 50);
    assert_eq!(db.one("SELECT count(*) FROM child"), "5");
    let db = with_child("ON DELETE SET NULL");
    assert_eq!(Case::new(&db, job()).run().rows, 50);
    assert_eq!(db.one("SELECT count(*) FROM child WHERE t_id IS NULL"), "5");
}

#[test]
fn missing_rights_come_with_their_grant() {
    let db = table(100, true);
    let role = format!("clerk_{}", db.name());
    db.sql(&format!(
        "CREATE ROLE {role} LOGIN; GRANT SELECT, DELETE ON t TO {role}; CREATE SCHEMA dbctl AUTHORIZATION {role}"
    ));
    let case = Case { url: db.url_as(&role), ..Case::new(&db, job()) };
    case.warns(&format!("! role {role} lacks UPDATE on public.t"));
    let advice = case.plan().attention[0].advice.clone().unwrap();
    assert_eq!(advice, format!("GRANT UPDATE ON public.t TO {role};"));
    blocked(&case);
    db.sql(&advice);
    assert_eq!(case.run().rows, 50);
    db.sql("ALTER TABLE t ENABLE ROW LEVEL SECURITY");
    case.warns("! row security may hide rows of public.t");
    blocked(&case);
    db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_trigger_that_refuses_is_told() {
    let db = table(100, true);
    db.sql(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.id > 50 THEN RETURN NULL; END IF; RETURN OLD; END $$;
         CREATE TRIGGER keep BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION keep();",
    );
    let case = Case::new(&db, job());
    assert!(
        case.plan()
            .notes
            .iter()
            .any(|note| note.contains("trigger keep (keep) runs before every row, and it can refuse"))
    );
    let report = case.run();
    assert_eq!((report.rows, report.kept, report.outcome()), (25, 25, Outcome::Refused));
    assert!(
        report.attention.iter().any(|a| a.message == "a trigger on public.t kept 25 rows as they are"),
        "{report:?}"
    );
    db.sql(
        "CREATE OR REPLACE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$",
    );
    let failure = case.try_run().0.unwrap_err().to_string();
    assert!(failure.contains("append only") && failure.contains("was rolled back"), "{failure}");
    assert_eq!(db.one("SELECT count(*) FROM t"), "75");
}

#[test]
fn what_does_not_fit_the_table_is_told() {
    let db = table(10, true);
    let job = job();
    let age = |column: &str| Some(Age { column: Ident::new(column), over: days(30) });
    let case = |job| Case::new(&db, job);
    case(RowJob { age: age("id"), ..job.clone() }).warns("! column id is bigint: it does not say how old a row is");
    case(RowJob { age: None, ..job.clone() }).warns("! it has neither an age nor a condition");
    case(anonymise(&[("id", PREFIX)])).warns("! column id is bigint: ip_prefix needs inet, cidr or text");
    case(anonymise(&[("at", Mask::Null)])).warns("! column at says where or how old a row is");
    case(anonymise(&[("id", Mask::Null)])).warns("! column id is NOT NULL");
    let held = RowJob { age: None, condition: Some("id > 5".into()), ..job.clone() };
    Case { holds: vec![hold("*", None, None)], ..case(held) }.warns("! hold H-1 covers public.t");
    for (column, words) in [("no", "table public.t has no column no"), ("note", "column note is text")] {
        match case(RowJob { age: age(column), ..job.clone() }).try_plan() {
            Ok(plan) => assert!(plan.attention[0].message.contains(words), "{plan:?}"),
            Err(failure) => {
                assert!(failure.what() == Kind::Invalid && failure.to_string().contains(words), "{failure}");
            }
        }
    }
    let invalid = |job| {
        let failure = case(job).try_plan().unwrap_err();
        assert_eq!(failure.what(), Kind::Invalid, "{failure}");
        failure.to_string()
    };
    assert!(
        invalid(RowJob { table: TableName::new("public", "none"), ..job.clone() }).contains("no table public.none")
    );
    assert!(invalid(RowJob { condition: Some("nope = 1".into()), ..job.clone() }).contains("\"nope\" does not exist"));
    db.sql("CREATE VIEW v AS SELECT * FROM t");
    case(RowJob { table: TableName::new("public", "v"), ..job.clone() }).warns("! public.v is not a table");
}

#[test]
fn a_target_must_have_the_columns() {
    let db = table(10, true);
    db.sql(
        "CREATE TABLE a (id bigint, at timestamptz); CREATE TABLE b (id bigint, at timestamp, note text);
            CREATE TABLE c (LIKE t, more int NOT NULL)",
    );
    let to = |name: &str| {
        let action = RowAction::Move { to: TableName::new("public", name) };
        Case::new(&db, RowJob { action, ..job() })
    };
    to("a").warns("! table public.a has no column note text");
    to("b").warns("! column at of table public.b is timestamp without time zone, not timestamp with time zone");
    to("c").warns("! column more of table public.c is NOT NULL and would stay empty");
    to("none").warns("! there is no table public.none");
    blocked(&to("a"));
}
