//! Six scenes of waiting: the right root, no edge that is not there, none that is missing, few lines.

use super::*;
use crate::harness::{majors, private_server};
use dbctl::pg::sandbox::Options;

/// On a server of its own: the answer is about all databases of one.
fn scene(play: impl Fn(&Database)) {
    for major in majors() {
        let server = private_server(&Options {
            major: Some(major),
            settings: vec![("max_prepared_transactions".to_owned(), "5".to_owned())],
            ..Options::default()
        });
        let db = Database::at(&server);
        db.sql("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)");
        play(&db);
    }
}

/// One root keeps all of these waiting.
fn one_root(db: &Database, root: i64, all: &[(Session, Waiting)]) -> Value {
    let answer = json(&db.url(), &["locks"]);
    assert_eq!(roots(&answer), [root]);
    assert_eq!(edges(&answer), truth(db));
    let pids: BTreeSet<i64> = all.iter().map(|(session, _)| i64::from(session.pid())).collect();
    assert_eq!(below(&answer["roots"][0]), pids);
    assert_eq!(answer["waiting"], all.len());
    assert_eq!(answer["roots"][0]["victims"], all.len());
    let text = picture(&db.url());
    assert!(text.lines().count() <= 10, "{text}");
    answer
}

#[test]
fn an_idle_reader_an_alter_table_and_readers_behind_it() {
    scene(|db| {
        let reader = db.session();
        reader.sql("BEGIN; SELECT * FROM t");
        let mut all = waiters(db, 1, |_| "ALTER TABLE t ADD c int".to_owned());
        let alter = i64::from(all[0].0.pid());
        all.extend(waiters(db, 49, |_| "SELECT * FROM t".to_owned()));
        let answer = one_root(db, reader.pid().into(), &all);
        let root = &answer["roots"][0];
        assert_eq!(root["state"], "idle in transaction");
        assert_eq!(root["victims_direct"], 1);
        let second = &root["waiters"][0];
        assert_eq!((second["pid"].as_i64().unwrap(), second["blocked_hard"].as_bool()), (alter, Some(true)));
        assert_eq!(second["object"], "public.t");
        assert_eq!(second["more"], 47);
        assert_eq!(second["waiters"][0]["blocked_hard"], false);
        assert!(picture(&db.url()).contains("… and 47 more wait for the same"));
        reader.rollback();
    });
}

#[test]
fn readers_behind_an_exclusive_lock_stand_side_by_side() {
    scene(|db| {
        let holder = db.session();
        holder.sql("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let all = waiters(db, 50, |_| "SELECT * FROM t".to_owned());
        let answer = one_root(db, holder.pid().into(), &all);
        assert_eq!(answer["roots"][0]["holds_mode"], "AccessExclusiveLock");
        assert_eq!(answer["roots"][0]["victims_direct"], 50);
        holder.rollback();
    });
}

#[test]
fn fifty_updates_of_one_row_are_one_queue() {
    scene(|db| {
        let holder = db.session();
        holder.sql("BEGIN; UPDATE t SET n = 1");
        let all = waiters(db, 50, |_| "UPDATE t SET n = n + 1 WHERE id = 1".to_owned());
        assert_eq!(truth(db).len(), 1226);
        one_root(db, holder.pid().into(), &all);
        holder.rollback();
    });
}

#[test]
fn readers_are_not_in_the_way_of_an_index() {
    scene(|db| {
        let readers: Vec<Session> = (0..25).map(|_| db.session()).collect();
        readers.iter().for_each(|session| drop(session.sql("BEGIN; SELECT * FROM t")));
        let writers: Vec<Session> = (0..25).map(|_| db.session()).collect();
        for (number, session) in writers.iter().enumerate() {
            session.sql(&format!("BEGIN; INSERT INTO t VALUES ({}, 0)", number + 10));
        }
        let all = waiters(db, 1, |_| "CREATE INDEX i ON t (n)".to_owned());
        let answer = json(&db.url(), &["locks"]);
        let found: BTreeSet<i64> = roots(&answer).into_iter().collect();
        assert_eq!(found, writers.iter().map(|session| i64::from(session.pid())).collect());
        assert_eq!(edges(&answer), truth(db));
        for root in answer["roots"].as_array().unwrap() {
            assert_eq!(root["waiters"][0]["pid"].as_i64(), Some(all[0].0.pid().into()));
        }
        let text = picture(&db.url());
        assert!(text.lines().count() <= 10 && text.contains("… and 24 more in the way of the same"), "{text}");
        writers.iter().for_each(Session::rollback);
    });
}

#[test]
fn a_prepared_transaction_is_named_with_what_ends_it() {
    scene(|db| {
        db.sql("BEGIN; UPDATE t SET n = 1; PREPARE TRANSACTION 'it''s me'");
        let all = waiters(db, 5, |_| "UPDATE t SET n = n + 1 WHERE id = 1".to_owned());
        let answer = one_root(db, 0, &all);
        assert_eq!(answer["roots"][0]["gid"], "it's me");
        assert_eq!(answer["roots"][0]["remedy"], "ROLLBACK PREPARED 'it''s me'");
        assert!(picture(&db.url()).contains("ROLLBACK PREPARED 'it''s me';"));
        // Those that wait for it hold the horizon as far back, and are not the ones to end.
        assert_eq!(json(&db.url(), &["activity"])["horizon"][0]["name"], "it's me");
        let refused = said(&db.url(), &["locks", "terminate", "--root", "--yes"]).expect_code(4);
        assert!(refused.stderr.contains("ROLLBACK PREPARED 'it''s me';"), "{}", refused.stderr);
        db.sql("ROLLBACK PREPARED 'it''s me'");
        all.into_iter().for_each(|(_, statement)| drop(statement.wait().unwrap()));
    });
}

#[test]
fn ten_wait_for_an_advisory_lock() {
    scene(|db| {
        let holder = db.session();
        holder.sql("SELECT pg_advisory_lock(7)");
        let all = waiters(db, 10, |_| "SELECT pg_advisory_lock(7)".to_owned());
        assert_eq!(truth(db).len(), 55);
        one_root(db, holder.pid().into(), &all);
        assert!(picture(&db.url()).contains("advisory lock (7)"));
    });
}
