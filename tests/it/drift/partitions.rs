//! Partitions under a policy: their being there does not count, their shape does.

use super::*;

const EVENTS: (&str, &str) = (
    "V1__events.sql",
    "CREATE SCHEMA app;
     CREATE TABLE app.events (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
     CREATE TABLE app.events_2026_01 PARTITION OF app.events FOR VALUES FROM ('2026-01-01Z') TO ('2026-02-01Z');",
);
const POLICY: &str = "version: 1\ntables:\n  app.events: {key: at, every: month, ahead: 3, keep: 12 months, expire: drop, timezone: UTC}\n";

fn case() -> (Case, String) {
    let case = Case::with(&[EVENTS]);
    let policy = case.write("partitions.yaml", POLICY);
    (case, policy)
}

fn months(case: &Case) {
    case.db.sql(
        "DROP TABLE app.events_2026_01;
         CREATE TABLE app.events_2026_02 PARTITION OF app.events FOR VALUES FROM ('2026-02-01Z') TO ('2026-03-01Z');
         CREATE TABLE app.events_2026_03 PARTITION OF app.events FOR VALUES FROM ('2026-03-01Z') TO ('2026-04-01Z');",
    );
}

#[test]
fn partitions_that_come_and_go_are_no_drift() {
    let (case, policy) = case();
    months(&case);
    assert_eq!(case.found(&["--policy", &policy]), [""; 0]);
    assert_eq!(json(&case.drift(&["--policy", &policy, "--format", "json"]))["partitions_passed_over"], 3);
    let exact = case.found(&["--policy", &policy, "--partitions", "exact"]);
    assert_eq!(exact.len(), 3, "{exact:?}");
    assert_eq!(exact, case.found(&[]), "without a policy nobody says that they may");
}

#[test]
fn one_without_an_index_of_its_table_is_told() {
    let (case, policy) = case();
    months(&case);
    case.file(
        "V2__index.sql",
        "CREATE INDEX events_id ON ONLY app.events (id);
         DO $$ BEGIN
             IF to_regclass('app.events_2026_01') IS NOT NULL THEN
                 CREATE INDEX events_2026_01_id ON app.events_2026_01 (id);
                 ALTER INDEX app.events_id ATTACH PARTITION app.events_2026_01_id;
             END IF;
         END $$;",
    );
    case.migrate();
    let ids = case.found(&["--policy", &policy]);
    for month in ["02", "03"] {
        assert!(ids.contains(&format!("changed table:app.events_2026_{month}#lacks")), "{ids:?}");
    }
    let told = case.drift(&["--policy", &policy]).expect_code(2);
    assert!(told.stdout.contains("ATTACH PARTITION app.events_2026_02_events_id"), "{}", told.stdout);
}

#[test]
fn another_owner_other_rights_and_parts_of_its_own_are_told() {
    let (case, policy) = case();
    months(&case);
    case.db.sql(
        "GRANT SELECT ON app.events_2026_02 TO PUBLIC;
         ALTER TABLE app.events_2026_02 ENABLE ROW LEVEL SECURITY;
         ALTER TABLE app.events_2026_03 ALTER COLUMN id SET NOT NULL;
         ALTER TABLE app.events_2026_03 SET (fillfactor = 50);",
    );
    assert_eq!(
        case.found(&["--policy", &policy]),
        [
            "changed table:app.events_2026_02#row_security",
            "changed table:app.events_2026_02#privileges",
            "changed table:app.events_2026_03#options",
            "extra table:app.events_2026_03/column:id",
        ]
    );
}

#[test]
fn a_default_partition_is_told_where_the_policy_forbids_it() {
    let (case, policy) = case();
    case.db.sql("CREATE TABLE app.events_default PARTITION OF app.events DEFAULT");
    assert_eq!(case.found(&["--policy", &policy]), ["extra table:app.events_default"]);
    let allowed =
        case.write("allowed.yaml", &POLICY.replace("timezone: UTC", "timezone: UTC, default_partition: allow"));
    assert_eq!(case.found(&["--policy", &allowed]), [""; 0]);
}
