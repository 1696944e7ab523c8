//! `dbctl schema snapshot` and `show` as a user runs them.

use super::Place;
use crate::harness::{Database, Run, dbctl, run, writes_no_row};

fn schema(place: &Place, arguments: &[&str]) -> Run {
    let mut all = vec!["schema"];
    all.extend(arguments);
    let url = place.db.url();
    all.extend(["--database-url", &url]);
    run(&mut dbctl(&all))
}

#[test]
fn a_snapshot_goes_to_standard_output_or_a_file_and_reads_back() {
    let place = Place::filled(16);
    let folder = tempfile::tempdir().unwrap();
    let text = schema(&place, &["snapshot"]).expect_code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&json["kind"], &json["version"], &json["server_major"]),
        (&"schema.snapshot".into(), &1.into(), &16.into())
    );
    let ids: Vec<&str> = json["objects"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"table:app.customers/column:balance"), "{ids:?}");
    for name in ["s.json", "s.yaml"] {
        let file = folder.path().join(name);
        let said = schema(&place, &["snapshot", "-o", file.to_str().unwrap()]).expect_code(0).stdout;
        assert!(said.contains(json["fingerprint"].as_str().unwrap()), "{said}");
        assert_eq!(dbctl::schema::file::read(&file).unwrap(), place.capture());
    }
    let missing = folder.path().join("no/such/folder.json");
    let refused = schema(&place, &["snapshot", "-o", missing.to_str().unwrap()]).expect_code(1).stderr;
    assert!(refused.contains("cannot write"), "{refused}");
}

#[test]
fn an_object_is_shown_by_id_or_name_and_near_names_are_proposed() {
    let place = Place::filled(16);
    let shown = schema(&place, &["show", "app.customers"]).expect_code(0).stdout;
    for part in ["table:app.customers", "who buys", "GENERATED", "balance", "customers_name_idx"] {
        let part = if part == "GENERATED" { "by default" } else { part };
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    for name in ["customers", "table:app.customers", "app.total", "function:app.total(integer, integer)"] {
        schema(&place, &["show", name]).expect_code(0);
    }
    let several = schema(&place, &["show", "note"]).expect_code(0).stdout;
    assert!(several.contains("table:app.customers/column:note"), "{several}");
    let near = schema(&place, &["show", "customer"]).expect_code(0).stdout;
    assert!(near.contains("column:customer"), "{near}");
    let none = schema(&place, &["show", "app.custom"]).expect_code(64).stderr;
    assert!(none.contains("did you mean") && none.contains("app.customers"), "{none}");
}

#[test]
fn a_table_that_somebody_locks_is_no_reason_to_wait_for_ever() {
    let place = Place::filled(16);
    let holder = place.db.session();
    holder.sql("BEGIN; LOCK TABLE app.customers IN ACCESS EXCLUSIVE MODE");
    let run = schema(&place, &["snapshot"]).expect_code(3);
    assert!(run.stderr.contains("lock"), "{}", run.stderr);
    holder.sql("ROLLBACK");
    schema(&place, &["snapshot"]).expect_code(0);
}

#[test]
fn a_snapshot_writes_nothing() {
    let place = Place::filled(16);
    place.db.sql("CREATE TABLE app.many (id integer)");
    writes_no_row(&place.db, || {
        schema(&place, &["snapshot"]).expect_code(0);
    });
}

#[test]
fn a_partitioned_table_is_shown_with_its_partitions() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE t (a int, b text) PARTITION BY RANGE (a); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
         CREATE TABLE t_rest PARTITION OF t DEFAULT",
    );
    let shown = run(dbctl(&["schema", "show", "t"]).env("DATABASE_URL", db.url())).expect_code(0).stdout;
    for part in ["public.t_1", "FROM (0) TO (10)", "public.t_rest", "DEFAULT"] {
        assert!(shown.contains(part), "{shown}");
    }
}
