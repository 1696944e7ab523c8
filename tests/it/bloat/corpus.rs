//! A corpus of 80 tables and 140 indexes: what the catalog and the pages tell against what is left afterwards.

use std::collections::BTreeMap;

use dbctl::pg::sandbox::Options;

use super::shapes::{BUILT, GROWN, HEAPS, make};
use super::*;
use crate::harness::{Session, eventually, majors, private_server};

const STATES: [(&str, f64); 4] = [("s0", 0.0), ("s20", 0.2), ("s50", 0.5), ("s90", 0.9)];

/// How far answers are from what was left, in points.
struct Errors(Vec<(String, f64, bool)>);

impl Errors {
    fn of(answer: &Value, truth: &BTreeMap<String, (i64, i64)>, counts: impl Fn(&str) -> bool) -> Errors {
        let mut errors = Vec::new();
        for (name, (before, after)) in truth.iter().filter(|(name, _)| counts(name)) {
            let told = row(answer, name);
            let bytes = |key: &str| told[key].as_f64().unwrap_or_else(|| panic!("{told}"));
            let percent = 100.0 * bytes("reclaimable_bytes") / bytes("size_bytes");
            let is = 100.0 * (*before - *after).max(0) as f64 / *before as f64;
            errors.push((
                format!("{name}: {percent:.1} is {is:.1} {told}"),
                (percent - is).abs(),
                told["confidence"] != "high",
            ));
        }
        errors.sort_by(|a, b| b.1.total_cmp(&a.1));
        Errors(errors)
    }

    fn mean(&self) -> f64 {
        self.0.iter().map(|one| one.1).sum::<f64>() / self.0.len() as f64
    }

    fn within(&self, points: f64) -> f64 {
        self.0.iter().filter(|one| one.1 <= points).count() as f64 / self.0.len() as f64
    }

    fn worst(&self, flagged: bool) -> f64 {
        self.0.iter().filter(|one| flagged || !one.2).map(|one| one.1).fold(0.0, f64::max)
    }

    fn tell(&self, what: &str) -> String {
        let worst: Vec<&str> = self.0.iter().take(12).map(|one| one.0.as_str()).collect();
        let (five, number) = (100.0 * self.within(5.0), self.0.len());
        format!(
            "{what}: {number} cases, mean {:.2}, within 5: {five:.0} %, worst {:.1}\n  {}",
            self.mean(),
            self.worst(true),
            worst.join("\n  ")
        )
    }
}

/// Something in each state, two at a time.
fn each(db: &Database, work: impl Fn(&Session, &str, f64) + Sync) {
    for pair in STATES.chunks(2) {
        std::thread::scope(|scope| {
            for (schema, share) in pair {
                let (session, work) = (db.session(), &work);
                scope.spawn(move || work(&session, schema, *share));
            }
        });
    }
}

#[test]
fn what_is_told_is_what_is_left_after_everything_was_written_anew() {
    majors().into_iter().for_each(corpus_on);
}

fn corpus_on(major: u32) {
    let settings =
        [("autovacuum", "off"), ("wal_level", "minimal"), ("max_wal_senders", "0"), ("max_wal_size", "256MB")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let server = private_server(&Options { major: Some(major), settings, ..Options::default() });
    let db = Database::at(&server);
    db.sql("CREATE EXTENSION pgstattuple");
    let tables = || HEAPS.iter().map(|shape| shape.0).chain(["keyed"]);
    each(&db, |session, schema, share| {
        session.sql("SELECT setseed(0.5)");
        make(schema).iter().for_each(|statement| drop(session.sql(statement)));
        tables().for_each(|table| drop(session.sql(&format!("DELETE FROM {table} WHERE random() < {share}"))));
    });
    // What they counted is counted, and nobody needs the deleted rows any more.
    let others =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    eventually("only one is left", || db.one(others) == "0");
    for (schema, _) in STATES {
        tables().for_each(|table| drop(db.sql(&format!("VACUUM ANALYZE {schema}.{table}"))));
    }
    let sizes = |what: &str| -> BTreeMap<String, i64> {
        let rows = db.sql(&format!(
            "SELECT n.nspname || '.' || c.relname, pg_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname LIKE 's%0' AND c.relkind IN ({what})"
        ));
        rows.iter().map(|row| (row[0].clone().unwrap(), row[1].as_deref().unwrap().parse().unwrap())).collect()
    };
    let before = sizes("'r', 'i'");
    let everything = ["--min-size", "0", "--limit", "0"];
    let fast = json(&db.url(), &[&everything[..], &["--mode", "fast"]].concat());
    let exact = json(&db.url(), &[&everything[..], &["--exact", "--budget", "5m"]].concat());
    each(&db, |session, schema, _| {
        tables().for_each(|table| drop(session.sql(&format!("VACUUM FULL {schema}.{table}"))));
    });
    let after = sizes("'r', 'i'");
    let truth: BTreeMap<String, (i64, i64)> =
        before.iter().map(|(name, bytes)| (name.clone(), (*bytes, after[name]))).collect();
    let is_index = |name: &str| {
        let name = name.split_once('.').unwrap().1;
        GROWN.iter().chain(&BUILT).any(|index| index.0 == name)
    };
    let is_heap = |name: &str| !is_index(name) && !name.ends_with(".keyed");
    let (heaps, indexes) = (Errors::of(&fast, &truth, is_heap), Errors::of(&fast, &truth, is_index));
    let (exact_heaps, exact_indexes) = (Errors::of(&exact, &truth, is_heap), Errors::of(&exact, &truth, is_index));
    let said = [
        heaps.tell("heaps"),
        indexes.tell("indexes"),
        exact_heaps.tell("exact heaps"),
        exact_indexes.tell("exact indexes"),
    ];
    let said = format!("PostgreSQL {major}: {}", said.join("\n"));
    assert!(heaps.0.len() >= 80 && indexes.0.len() >= 130, "{said}");
    for fast in [&heaps, &indexes] {
        assert!(fast.mean() <= 1.5 && fast.within(5.0) >= 0.95 && fast.worst(false) <= 15.0, "{said}");
    }
    assert!(exact_heaps.worst(true) <= 2.0, "{said}");
    assert!(exact_indexes.mean() <= 2.0 && exact_indexes.within(5.0) >= 0.95, "{said}");
}
