//! Rows made up for a rehearsal: what tables allow, as many as wanted, and a word where not.

use serde_json::Value;

use super::{Case, line};
use crate::harness::{Database, majors};

const TABLES: &str = "
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE customers (
    id uuid PRIMARY KEY, email varchar(60) NOT NULL UNIQUE, code char(8) NOT NULL UNIQUE, mood mood NOT NULL,
    state text NOT NULL CHECK (state IN ('new', 'old')), rating smallint NOT NULL CHECK (rating BETWEEN 1 AND 5),
    tags text[] NOT NULL, extra jsonb NOT NULL, age positive NOT NULL, share numeric(3, 2) NOT NULL, ip inet,
    name text NOT NULL CHECK (char_length(name) >= 12), born date, at timestamptz NOT NULL, until timestamptz NOT NULL,
    CHECK (until > at)
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id uuid NOT NULL REFERENCES customers, parent_id bigint REFERENCES orders,
    total numeric(10, 2) NOT NULL, twice numeric GENERATED ALWAYS AS (total * 2) STORED
);
CREATE TABLE marks (customer_id uuid REFERENCES customers, order_id bigint REFERENCES orders, PRIMARY KEY (customer_id, order_id));
CREATE TABLE events (id bigserial, at timestamptz NOT NULL, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE regions (region text NOT NULL, n int) PARTITION BY LIST (region);
CREATE TABLE regions_eu PARTITION OF regions FOR VALUES IN ('eu', 'uk');
CREATE TABLE defaults (id bigserial PRIMARY KEY, at timestamptz DEFAULT now());
CREATE TABLE odd (a int NOT NULL CHECK (a * a = 49 AND a < 0));
CREATE TABLE strange (a xml NOT NULL);
CREATE TABLE seeded (id int PRIMARY KEY);
INSERT INTO seeded SELECT generate_series(1, 30);
CREATE TABLE chicken (id int PRIMARY KEY, egg int NOT NULL);
CREATE TABLE egg (id int PRIMARY KEY, chicken int NOT NULL REFERENCES chicken);
ALTER TABLE chicken ADD FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
";

fn filled<'a>(document: &'a Value, table: &str) -> &'a Value {
    let rows = document["filled"].as_array().unwrap();
    rows.iter().find(|row| row["table"] == format!("public.{table}")).unwrap_or_else(|| panic!("{table}: {document:#}"))
}

#[test]
fn rows_suit_the_tables_and_what_cannot_be_filled_is_told() {
    for major in majors() {
        let case = Case::on(
            Database::on(major),
            TABLES,
            &["ALTER TABLE orders ADD CHECK (total >= 0);", "CREATE INDEX ON events (at);"],
        );
        let document = case.json(&["--fill", "400", "--rows", "orders=1500"], 0);
        for table in ["customers", "marks", "events", "regions", "defaults", "seeded"] {
            assert_eq!(filled(&document, table)["rows"], 400, "{major}: {:#}", filled(&document, table));
            assert!(filled(&document, table)["reason"].is_null());
        }
        assert_eq!(filled(&document, "orders")["rows"], 1500, "{major}");
        for (table, reason) in [
            ("odd", "violates check constraint"),
            ("strange", "no values are known for a xml"),
            ("chicken", "circle"),
            ("egg", "circle"),
        ] {
            let one = filled(&document, table);
            assert_eq!((&one["rows"], &one["wanted"]), (&0.into(), &400.into()), "{one:#}");
            assert!(one["reason"].as_str().unwrap().contains(reason), "{one:#}");
        }
        // The rows are there when the migrations run.
        assert!(line(&document, "ALTER TABLE orders")["scanned_rows"].as_i64() >= Some(1500), "{major}: {document:#}");
        assert_eq!(line(&document, "CREATE INDEX")["scanned_rows"], 400);
        // And nothing of it is in the target.
        assert_eq!(case.db.one("SELECT count(*) FROM orders"), "0");
    }
}

#[test]
fn as_many_rows_as_the_target_has_counted_up_to_the_most() {
    let case = Case::with(
        "CREATE TABLE small (id bigserial PRIMARY KEY, a int); CREATE TABLE large (a int); CREATE TABLE uncounted (a int);",
        &["ALTER TABLE large ALTER a TYPE bigint;"],
    );
    case.db.sql("INSERT INTO small (a) SELECT generate_series(1, 120); INSERT INTO large SELECT generate_series(1, 40000); ANALYZE small, large");
    let document = case.json(&["--fill", "like-target", "--fill-max", "10000"], 0);
    assert_eq!(filled(&document, "small")["rows"], 120);
    assert_eq!(
        (&filled(&document, "large")["rows"], &filled(&document, "large")["wanted"]),
        (&10_000.into(), &10_000.into())
    );
    let unknown = filled(&document, "uncounted");
    assert!(unknown["wanted"].is_null() && unknown["reason"].as_str().unwrap().contains("ANALYZE"), "{unknown:#}");
    let expected = &document["expected"][0];
    assert_eq!((&expected["relation"], &expected["target_rows"]), (&"public.large".into(), &40_000.into()));
    assert!(expected["target_bytes"].as_i64() > expected["bytes"].as_i64());
    // Ten thousand narrow rows are too few to measure by.
    assert!(expected["expected_seconds"].is_null() && expected["confidence"].as_str().unwrap().starts_with("none"));
    let more = case.json(&["--rows", "large=40000"], 0);
    assert!(more["expected"][0]["expected_seconds"].is_f64(), "{more:#}");
    case.rehearse(&["--rows", "nowhere=1"], 64);
    case.rehearse(&["--fill", "many"], 64);
    case.rehearse(&["--rows", "large"], 64);
}

#[test]
fn what_only_made_up_rows_break_is_no_failure_of_the_migration() {
    let tables = "
        CREATE TABLE customers (id bigint PRIMARY KEY, state text DEFAULT 'new', extra xml, age int NOT NULL);
        CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);";
    let case = Case::with(tables, &["ALTER TABLE orders ADD note text;", "", "ALTER TABLE customers ADD c int;"]);
    for (good, code) in [
        ("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;", "23503"),
        ("ALTER TABLE customers ADD UNIQUE (state);", "23505"),
        ("ALTER TABLE customers ALTER extra SET NOT NULL;", "23502"),
        ("ALTER TABLE customers ADD CHECK (age < 0);", "23514"),
        ("ALTER TABLE customers ALTER state DROP DEFAULT, ALTER state TYPE int USING state::int;", "22P02"),
    ] {
        case.file(3, &format!("SELECT 1;\n{good}"));
        let document = case.json(&["--fill", "100"], 0);
        assert!(
            document["findings"].is_null() && document["result"].as_str().unwrap().contains("UNKNOWN"),
            "{document:#}"
        );
        let broken = line(&document, good.trim_end_matches(';'));
        let why = broken["unknown"].as_str().unwrap_or_else(|| panic!("{broken:#}"));
        assert!(why.contains("made-up rows break it; real ones may not") && why.contains(code), "{why}");
        assert_eq!((&broken["failed"], &broken["without_made_up_rows"]), (&false.into(), &true.into()));
        assert_eq!(broken["lock_mode"].as_str().map(|mode| mode.contains("EXCLUSIVE")), Some(true), "{broken:#}");
        // What came before it had rows, what comes after it ran as well.
        assert_eq!(line(&document, "ADD note")["without_made_up_rows"], false);
        assert_eq!(line(&document, "ADD c int")["lock_mode"], "ACCESS EXCLUSIVE");
        assert_eq!(filled(&document, "orders")["rows"], 100);
    }
    let shown = case.rehearse(&["--fill", "100"], 0).stdout;
    assert!(shown.contains("made-up rows break V3 (real ones may not)"), "{shown}");
    // A failure that comes later is one, and so is one that needs no made-up rows.
    case.file(4, "ALTER TABLE nowhere ADD c int;");
    let later = case.json(&["--fill", "100"], 2);
    assert!(later["findings"][0]["place"].as_str().unwrap().contains("V4__step.sql:1:"), "{later:#}");
    assert!(line(&later, "state::int")["unknown"].is_string(), "{later:#}");
    case.file(
        3,
        "INSERT INTO orders VALUES (-1, -1);\nALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;",
    );
    let real = case.json(&["--fill", "100"], 2);
    assert!(real["findings"][0]["message"].as_str().unwrap().contains("23503"), "{real:#}");
    assert!(super::statements(&real).iter().all(|line| line["unknown"].is_null()), "{real:#}");
    assert_eq!(line(&real, "FOREIGN KEY")["failed"], true);
}
