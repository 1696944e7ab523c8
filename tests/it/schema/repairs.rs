//! The SQL that `drift` hints at, run: it is SQL, and where it is there for every difference of a change, the
//! schema is as it was.

use dbctl::drift::compare::compare;
use dbctl::drift::partitions::Managed;
use dbctl::drift::repair::repair;

use super::matrix::CHANGES;
use super::{Place, differences};
use crate::harness::majors;

#[test]
fn every_repair_is_sql_and_brings_back_what_was() {
    let major = *majors().iter().max().unwrap();
    let place = Place::filled(major);
    let mut before = place.capture();
    let (mut wrong, mut whole) = (Vec::new(), 0);
    for change in CHANGES.iter().filter(|change| change.since <= major) {
        place.run(change.sql);
        let after = place.capture();
        let found = compare(&before, &after, &Managed::default()).differences;
        let repairs: Vec<Option<String>> = found.iter().map(|difference| repair(difference, &before)).collect();
        // What is a comment to be read first is run here as well.
        let sql: Vec<String> = repairs.iter().flatten().map(|sql| uncommented(sql)).collect();
        let sql = sql.join("\n");
        let is_whole = repairs.iter().all(Option::is_some) && !repairs.is_empty();
        if !is_whole {
            let tried = place.db.try_sql(&format!("BEGIN; {} ROLLBACK", sql.replace(" CONCURRENTLY", "")));
            let _ = place.db.try_sql("ROLLBACK");
            // What else depends on it is for whoever looks first.
            let failed = tried.err().filter(|error| error.code != "2BP01");
            wrong.extend(failed.map(|error| format!("{}\n  not SQL: {sql}\n  {error:?}", change.sql)));
            before = after;
            continue;
        }
        whole += 1;
        let mut failed = None;
        for statement in sql.split_inclusive(";\n").filter(|statement| !statement.trim().is_empty()) {
            failed = failed.or(place.db.try_sql(statement).err().map(|error| format!("{statement}\n  {error:?}")));
        }
        let mut left = differences(&before, &place.capture());
        // A new object has the default privileges of its schema as well, which are not its own.
        left.retain(|line| !(change.sql.starts_with("DROP ") && line.ends_with("#privileges")));
        if let Some(failed) = &failed {
            wrong.push(format!("{}\n  failed: {failed}", change.sql));
        } else if !left.is_empty() {
            wrong.push(format!("{}\n  {sql}\n  leaves {left:?}", change.sql));
        }
        if failed.is_none() && left.is_empty() {
            place.run(change.sql);
        }
        before = place.capture();
    }
    assert!(wrong.is_empty(), "{} of {whole}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(whole >= 80, "only {whole} changes can be repaired");
}

fn uncommented(sql: &str) -> String {
    let line = |line: &str| match line.strip_prefix("-- ").and_then(|comment| comment.split_once(": ")) {
        Some((_, sql)) => sql.to_owned(),
        None => line.to_owned(),
    };
    sql.lines().map(line).collect::<Vec<_>>().join("\n")
}
