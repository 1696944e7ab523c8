//! The rows of a DEFAULT partition get partitions of their own: none is lost, none is hidden, and
//! those who write meanwhile hardly notice.

use std::time::Duration;

use dbctl::error::Failure;
use dbctl::ident::TableName;
use dbctl::partitions::default::{DefaultRequest, drain, promote};
use dbctl::partitions::{Answer, Means};
use dbctl::policy::DefaultRule;

use super::kit::{Told, Writer, connection, killed_at, policy, rails, roles, table_policy, verb};
use crate::harness::{Database, eventually, majors};

fn request(db: &Database) -> DefaultRequest {
    let table = TableName::new("public", "logs");
    let mut entry = table_policy(&table, "at");
    entry.default_partition = DefaultRule::Allow;
    DefaultRequest {
        connection: connection(db),
        policy: policy(vec![entry]),
        table,
        dry_run: false,
        rails: rails(),
        lock_wait: Duration::from_secs(20),
        lock_patience: None,
    }
}

fn promoting(request: &DefaultRequest) -> impl AsyncFnOnce(&mut Means<'_>) -> Result<Answer, Failure> {
    async move |means: &mut Means<'_>| promote(request, means).await
}

fn draining(request: &DefaultRequest) -> impl AsyncFnOnce(&mut Means<'_>) -> Result<Answer, Failure> {
    async move |means: &mut Means<'_>| drain(request, means).await
}

fn done((answer, told): (Result<Answer, Failure>, Told)) -> Told {
    answer.unwrap_or_else(|failure| panic!("{failure}"));
    told
}

fn refused((answer, _): (Result<Answer, Failure>, Told)) -> String {
    answer.map(|_| ()).unwrap_err().to_string()
}

/// January is there, then nothing but the default; `rows` an hour apart from `from` on.
fn logs(db: &Database, from: &str, rows: u32) {
    roles(db);
    db.sql(&format!(
        "CREATE TABLE kinds (kind int PRIMARY KEY); INSERT INTO kinds SELECT generate_series(0, 9);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := coalesce(NEW.touched, 0) + 1; RETURN NEW; END $$;
        CREATE TABLE logs (
            id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now(), kind int REFERENCES kinds,
            body text, touched int, twice int GENERATED ALWAYS AS (kind * 2) STORED, PRIMARY KEY (id, at)
        ) PARTITION BY RANGE (at);
        CREATE INDEX ON logs (at); CREATE UNIQUE INDEX ON logs (body, at);
        CREATE TABLE logs_2026_01 PARTITION OF logs FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
        CREATE TABLE logs_default PARTITION OF logs DEFAULT WITH (fillfactor = 80);
        CREATE TRIGGER touches BEFORE INSERT ON logs FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER TABLE logs OWNER TO ado_keeper; ALTER TABLE logs_default OWNER TO ado_keeper;
        GRANT SELECT ON logs_default TO ado_reader;
        INSERT INTO logs (at, kind, body) SELECT '{from}'::timestamptz + i * interval '1 hour', i % 10, 'b' || i FROM generate_series(0, {rows} - 1) AS i"
    ));
}

fn content(db: &Database, condition: &str) -> String {
    db.one(&format!(
        "SELECT count(*) || ' ' || coalesce(sum(hashtextextended(logs::text, 0)::numeric), 0) FROM logs WHERE {condition}"
    ))
}

fn bounds(db: &Database) -> Vec<String> {
    let sql = "SELECT inhrelid::regclass || ' ' || pg_get_expr(relpartbound, oid) FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'logs'::regclass ORDER BY 1";
    db.session_with(|config| {
        config.options("-c TimeZone=UTC");
    })
    .sql(sql)
    .into_iter()
    .map(|row| row[0].clone().unwrap())
    .collect()
}

const JANUARY: &str = "logs_2026_01 FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')";

/// Nothing of dbctl's own is left in sight.
fn nothing_is_left(db: &Database) {
    assert_eq!(db.one("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'dbctl%'"), "0");
    assert_eq!(db.one("SELECT count(*) FROM pg_class WHERE relname LIKE '%dbctl%' OR relname LIKE 'drain%'"), "0");
    assert_eq!(db.one("SELECT count(*) FROM pg_proc WHERE proname LIKE 'drain%'"), "0");
    assert_eq!(db.one("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'dbctl%'"), "0");
}

#[test]
fn promoted_with_writers_no_row_is_lost_or_hidden() {
    for major in majors() {
        let db = Database::on(major);
        logs(&db, "2026-03-05", 2000);
        db.sql("INSERT INTO logs (kind, body) VALUES (1, 'now')");
        let before = content(&db, "body LIKE 'b%'");
        let writer = Writer::start(&db, |n| format!("INSERT INTO logs (kind, body) VALUES ({n} % 10, 'w{n}')"));
        let counting = Writer::start(&db, |_| {
            "DO $$ BEGIN IF (SELECT count(*) FROM logs WHERE body LIKE 'b%') <> 2000 THEN RAISE 'hidden'; END IF; END $$".to_owned()
        });
        eventually("somebody writes", || writer.so_far() > 10);
        let told = done(verb(promoting(&request(&db))));
        let until = writer.so_far() + 10;
        eventually("writers go on", || writer.so_far() > until);
        let (written, worst, errors) = writer.stop();
        eprintln!("{major}: promote: worst insert {worst:?}; {:?}", told.applied);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(counting.stop().2, Vec::<String>::new());
        assert_eq!(content(&db, "body LIKE 'b%'"), before);
        assert_eq!(db.one("SELECT count(*) FROM logs WHERE body LIKE 'w%'"), written.to_string());
        // The hole is open at its end: the new default takes what comes later.
        assert_eq!(db.one("SELECT count(*) FROM ONLY logs_default"), "0");
        assert_eq!(bounds(&db).len(), 3);
        assert!(
            bounds(&db).contains(&JANUARY.to_owned()) && bounds(&db).contains(&"logs_default DEFAULT".to_owned()),
            "{:?}",
            bounds(&db)
        );
        assert_eq!(
            db.one("SELECT relowner::regrole || ' ' || array_to_string(reloptions, ',') || ' ' || has_table_privilege('ado_reader', oid, 'SELECT')
                FROM pg_class WHERE relname = 'logs_default'"),
            "ado_keeper fillfactor=80 true"
        );
        nothing_is_left(&db);
        // Again: nothing to do.
        let runs = db.one("SELECT count(*) FROM dbctl.run");
        done(verb(promoting(&request(&db))));
        done(verb(draining(&request(&db))));
        assert_eq!(db.one("SELECT count(*) FROM dbctl.run"), runs);
    }
}

#[test]
fn a_promoted_partition_ends_where_its_neighbours_begin() {
    let db = Database::new();
    logs(&db, "2026-03-05", 10);
    db.sql("CREATE TABLE odd PARTITION OF logs FOR VALUES FROM ('2026-03-20 00:00+00') TO ('2026-04-20 00:00+00')");
    let mut wish = request(&db);
    wish.policy.tables[0].default_partition = DefaultRule::Forbid;
    done(verb(promoting(&wish)));
    let found = bounds(&db);
    assert!(
        found.iter().any(|b| b.ends_with("FROM ('2026-03-01 00:00:00+00') TO ('2026-03-20 00:00:00+00')")),
        "{found:?}"
    );
    assert!(!found.iter().any(|b| b.ends_with("DEFAULT")), "{found:?}");
    assert_eq!(db.one("SELECT count(*) FROM logs"), "10");
}

#[test]
fn what_cannot_be_promoted_is_said_with_a_way_out() {
    let db = Database::new();
    logs(&db, "2026-03-05", 10);
    db.sql(
        "CREATE TABLE m6 PARTITION OF logs FOR VALUES FROM ('2026-06-01 00:00+00') TO ('2026-07-01 00:00+00');
        INSERT INTO logs (at) VALUES ('2026-08-01')",
    );
    let text = refused(verb(promoting(&request(&db))));
    assert!(text.contains("there are other partitions") && text.contains("drain"), "{text}");
    db.sql("CREATE TABLE child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES logs)");
    for text in [refused(verb(promoting(&request(&db)))), refused(verb(draining(&request(&db))))] {
        assert!(text.contains("child (child_id_at_fkey)"), "{text}");
    }
    db.sql("DROP TABLE child, logs, kinds");
    db.sql(
        "CREATE TABLE logs (at timestamptz) PARTITION BY RANGE (at); CREATE TABLE d PARTITION OF logs DEFAULT;
        INSERT INTO logs VALUES (NULL), ('2026-01-01')",
    );
    let text = refused(verb(promoting(&request(&db))));
    assert!(text.contains("whose at is NULL"), "{text}");
    let text = refused(verb(draining(&request(&db))));
    assert!(text.contains("has no primary key"), "{text}");
    db.sql("DELETE FROM logs WHERE at IS NULL; INSERT INTO logs VALUES ('infinity')");
    let text = refused(verb(promoting(&request(&db))));
    assert!(text.contains("rows at infinity"), "{text}");
    assert_eq!(db.one("SELECT to_regnamespace('dbctl') IS NULL"), "t");
}

#[test]
fn a_promotion_that_fails_leaves_no_check_behind() {
    let db = Database::new();
    logs(&db, "2026-03-05", 10);
    let reader = db.session();
    reader.begin();
    reader.sql("SELECT count(*) FROM kinds");
    let mut wish = request(&db);
    wish.lock_patience = Some(Duration::from_millis(300));
    // The exchange wants the table that the foreign key leads to.
    let text = refused(verb(promoting(&wish)));
    assert!(text.contains(&format!("pid {}", reader.pid())), "{text}");
    nothing_is_left(&db);
    reader.commit();
    done(verb(promoting(&wish)));
    assert_eq!(bounds(&db).len(), 3);
}

#[test]
fn drained_with_writers_no_row_is_lost_or_hidden() {
    for major in majors() {
        let db = Database::on(major);
        logs(&db, "2026-03-05", 3000);
        db.sql(
            "CREATE TABLE m4 (LIKE logs INCLUDING ALL EXCLUDING IDENTITY);
            DELETE FROM logs WHERE at >= '2026-04-01' AND at < '2026-05-01';
            ALTER TABLE logs ATTACH PARTITION m4 FOR VALUES FROM ('2026-04-01 00:00+00') TO ('2026-05-01 00:00+00');
            INSERT INTO logs (at, body) VALUES ('infinity', 'end');
            UPDATE logs SET body = 'x' || body WHERE id % 7 = 0",
        );
        let rows = db.one("SELECT count(*) FROM logs");
        let before = content(&db, "at < '2026-04-01'");
        let inserts = Writer::start(&db, |n| {
            format!("INSERT INTO logs (at, kind, body) VALUES ('2026-0{}-10', {n} % 10, 'w{n}')", 5 + n % 4)
        });
        // Rows change, change their window, leave and come back under a value that another one had.
        let changes = Writer::start(&db, |n| {
            let id = n * 3 % 2000;
            match n % 4 {
                0 => format!("UPDATE logs SET body = body || '+' WHERE id = {id} AND at >= '2026-05-01'"),
                1 => format!("UPDATE logs SET at = at + interval '31 days' WHERE id = {id} AND at >= '2026-05-01' AND at < '2026-07-01'"),
                2 => format!("WITH gone AS (DELETE FROM logs WHERE id = {id} AND at >= '2026-05-01' RETURNING *) \
                    INSERT INTO logs (id, at, kind, body, touched) OVERRIDING SYSTEM VALUE SELECT id, at, kind, body, 0 FROM gone"),
                _ => "DO $$ BEGIN IF (SELECT count(*) FROM logs WHERE at < '2026-04-01') <> 648 THEN RAISE 'hidden'; END IF; END $$".to_owned(),
            }
        });
        assert_eq!(db.one("SELECT count(*) FROM logs WHERE at < '2026-04-01'"), "648");
        eventually("somebody writes", || inserts.so_far() > 10 && changes.so_far() > 10);
        let told = done(verb(draining(&request(&db))));
        let (until, other) = (inserts.so_far() + 10, changes.so_far() + 10);
        eventually("writers go on", || inserts.so_far() > until && changes.so_far() > other);
        let (written, worst, errors) = inserts.stop();
        assert_eq!((errors, changes.stop().2), (Vec::<String>::new(), Vec::new()), "{major}");
        eprintln!("{major}: drain: worst insert {worst:?}; {:?}", told.applied);
        let all: u64 = rows.parse::<u64>().unwrap() + written;
        assert_eq!(db.one("SELECT count(*) FROM logs"), all.to_string(), "{major}");
        assert_eq!(content(&db, "at < '2026-04-01'"), before, "{major}");
        assert_eq!(db.one("SELECT string_agg(body, ',') FROM logs_default WHERE at = 'infinity'"), "end");
        // From March to July, and what the writers opened in August where it was not there yet.
        let found = bounds(&db);
        for month in [
            "'2026-03-01 00:00:00+00') TO ('2026-04-01",
            "'2026-05-01 00:00:00+00') TO ('2026-06-01",
            "'2026-07-01 00:00:00+00') TO ('2026-08-01",
        ] {
            assert!(found.iter().any(|b| b.contains(month)), "{month} is not in {found:?}");
        }
        assert!(found.contains(&"logs_default DEFAULT".to_owned()), "{found:?}");
        assert_ne!(db.one("SELECT count(*) FROM logs_default_drained"), "0");
        assert_eq!(db.one("SELECT count(*) FROM pg_index i JOIN pg_inherits h ON inhrelid = indrelid WHERE inhparent = 'logs'::regclass AND NOT EXISTS (SELECT FROM pg_inherits x WHERE x.inhrelid = indexrelid)"), "0");
        nothing_is_left(&db);
    }
}

#[test]
fn killed_at_any_step_promote_and_drain_go_on() {
    for drains in [false, true] {
        for step in 0.. {
            let db = Database::new();
            logs(&db, "2026-03-05", 2000);
            let before = content(&db, "true");
            let wish = request(&db);
            let ended = if drains { killed_at(step, draining(&wish)) } else { killed_at(step, promoting(&wish)) };
            if let Some(ended) = ended {
                ended.unwrap();
                assert!(step >= 3, "only {step} steps were cut");
                break;
            }
            let again = if drains { verb(draining(&wish)) } else { verb(promoting(&wish)) };
            done(again);
            assert_eq!(content(&db, "true"), before, "killed at {step}");
            assert_eq!(db.one("SELECT count(*) FROM logs_default"), "0", "killed at {step}");
            nothing_is_left(&db);
        }
    }
}

#[test]
fn a_drain_whose_window_was_taken_begins_anew() {
    let db = Database::new();
    logs(&db, "2026-03-05", 2000);
    let wish = request(&db);
    assert!(killed_at(3, draining(&wish)).is_none());
    eventually("the killed run has ended", || {
        db.one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"
    });
    let text = refused(verb(promoting(&wish)));
    assert!(text.contains("is being drained"), "{text}");
    assert!(db.try_sql("TRUNCATE logs_default").unwrap_err().message.contains("is being drained"));
    db.sql(
        "DELETE FROM logs WHERE at >= '2026-04-01' AND at < '2026-05-01';
        CREATE TABLE mine PARTITION OF logs FOR VALUES FROM ('2026-04-01 00:00+00') TO ('2026-05-01 00:00+00')",
    );
    let before = content(&db, "true");
    done(verb(draining(&wish)));
    assert_eq!(content(&db, "true"), before);
    assert_eq!(db.one("SELECT count(*) FROM logs_default"), "0");
    nothing_is_left(&db);
}

#[test]
fn a_dry_run_shows_the_windows_and_changes_nothing() {
    let db = Database::new();
    logs(&db, "2026-03-05", 2000);
    let mut wish = request(&db);
    wish.dry_run = true;
    for answer in [verb(promoting(&wish)), verb(draining(&wish))] {
        let text = format!("{:?}", answer.0.unwrap().1);
        assert!(text.contains("Int(648)") && text.contains("2026-03-01"), "{text}");
    }
    assert_eq!(db.one("SELECT to_regnamespace('dbctl') IS NULL"), "t");
}
