//! `dbctl locks` and `dbctl activity` on real servers.

mod acting;
mod activity;
mod indexes;
mod kept;
mod locked;
mod many;
mod places;
mod scenes;
mod sizes;
mod statements;
mod vitals;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Database, Run, Session, Waiting, dbctl, eventually, run};

/// What `dbctl` with these arguments says as JSON.
fn json(url: &str, args: &[&str]) -> Value {
    let ended = said(url, &[args, &["--format", "json"]].concat()).expect_code(0);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn said(url: &str, args: &[&str]) -> Run {
    run(dbctl(args).env("DATABASE_URL", url))
}

/// Sessions that run a statement each, which will wait; given back once all of them wait.
fn waiters(db: &Database, count: usize, sql: impl Fn(usize) -> String) -> Vec<(Session, Waiting)> {
    let before = waiting(db);
    let mut all = Vec::new();
    for number in 0..count {
        let session = db.session();
        let statement = session.start(&sql(number));
        // One after the other, so that who stands where in a queue is known.
        eventually("it waits", || waiting(db) == before + number + 1);
        all.push((session, statement));
    }
    all
}

/// How many backends of this database wait for a lock.
fn waiting(db: &Database) -> usize {
    let sql = "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
               WHERE NOT l.granted AND a.datname = current_database()";
    db.one(sql).parse().unwrap()
}

/// Who waits for whom, as the server says it.
fn truth(db: &Database) -> BTreeSet<(i64, i64)> {
    let rows = db.sql(
        "SELECT DISTINCT a.pid, b.pid FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) AS b (pid) \
         WHERE a.datname = current_database()",
    );
    let number = |cell: &Option<String>| cell.as_deref().unwrap().parse().unwrap();
    rows.iter().map(|row| (number(&row[0]), number(&row[1]))).collect()
}

/// The same as an answer says it.
fn edges(answer: &Value) -> BTreeSet<(i64, i64)> {
    let mut edges = BTreeSet::new();
    for session in answer["sessions"].as_array().unwrap() {
        for key in ["held_by", "queued_behind"] {
            let blockers = session[key].as_array().unwrap().iter();
            edges.extend(blockers.map(|blocker| (session["pid"].as_i64().unwrap(), blocker.as_i64().unwrap())));
        }
    }
    edges
}

fn roots(answer: &Value) -> Vec<i64> {
    answer["roots"].as_array().unwrap().iter().map(|root| root["pid"].as_i64().unwrap()).collect()
}

/// Every pid below a node, those that are only counted included.
fn below(node: &Value) -> BTreeSet<i64> {
    let mut all: BTreeSet<i64> =
        node["more_pids"].as_array().unwrap().iter().map(|pid| pid.as_i64().unwrap()).collect();
    assert_eq!(all.len() as i64, node["more"].as_i64().unwrap());
    for waiter in node["waiters"].as_array().unwrap() {
        all.insert(waiter["pid"].as_i64().unwrap());
        all.extend(below(waiter));
    }
    all
}

/// The picture for people, within 80 columns.
fn picture(url: &str) -> String {
    let text = said(url, &["locks"]).expect_code(0).stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}
