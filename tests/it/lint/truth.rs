//! What the pages of the rules claim, against a server: the locks of the bad examples, and that every safe way runs.

use dbctl::lint::{Rule, all};

use super::{Folder, json};
use crate::harness::{Database, Session};

/// Everything that the examples name.
const TABLES: &str = "
    CREATE EXTENSION btree_gist;
    CREATE SCHEMA app;
    CREATE TABLE app.customers (id bigint PRIMARY KEY);
    CREATE TABLE app.shops (id bigint PRIMARY KEY);
    CREATE TYPE app.state AS ENUM ('open');
    CREATE TABLE app.orders (id integer NOT NULL, customer_id bigint, shop_id bigint, day date, total numeric, net numeric,
        note varchar(20), state text, a int, tenant text, old_name text);
    INSERT INTO app.orders VALUES (1, NULL, NULL, current_date, 1, 1, 'n', 'new', 1, 't', 'o');
    CREATE UNIQUE INDEX orders_pkey ON app.orders (id);
    CREATE INDEX orders_old_idx ON app.orders (note);
    CREATE INDEX orders_day_idx ON app.orders (day);
    CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER orders_audit BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
    CREATE TABLE app.carts (id bigint);
    CREATE TABLE app.a (q int);
    CREATE TABLE app.b (q int);
    CREATE TABLE app.c (q int);
    CREATE TABLE app.bookings (room int, during tstzrange);
    CREATE TABLE app.events (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE app.events_2020 PARTITION OF app.events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE app.events_2026 (id bigint, at timestamptz NOT NULL);
    CREATE UNLOGGED TABLE app.staging (id bigint);
    CREATE TABLE app.queue (id bigint);
    CREATE TABLE app.users (id bigint, email text);
    CREATE TABLE app.sessions (id bigint, ended timestamptz);
    CREATE TABLE app.settings (name text, value text);
    CREATE TABLE app.stock (id bigint PRIMARY KEY, amount int);
    CREATE TABLE app.delivered (id bigint, amount int);
    CREATE MATERIALIZED VIEW app.daily AS SELECT DISTINCT day FROM app.orders;
    CREATE VIEW app.report AS SELECT 1 AS a;
    CREATE TYPE app.address AS (street text);
    CREATE DOMAIN app.email AS text;
    CREATE TABLE app.mails (mail app.email);
    CREATE FUNCTION app.total(bigint) RETURNS numeric LANGUAGE sql AS 'SELECT 0';
    CREATE TABLE app.foreign_owned (id bigint);
    CREATE TABLE public.orders (id bigint);";

/// What an example takes for granted besides.
const BEFORE: &[(&str, &str)] = &[
    (
        "validate-in-same-transaction/good",
        "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID",
    ),
    ("drop-constraint/bad", "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID"),
    ("drop-constraint/safe", "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID"),
    ("refresh-not-concurrent/good", "CREATE UNIQUE INDEX daily_key ON app.daily (day)"),
    ("refresh-not-concurrent/fix", "CREATE UNIQUE INDEX daily_key ON app.daily (day)"),
    ("unique-builds-index/good", "CREATE UNIQUE INDEX users_email_key ON app.users (email)"),
    (
        "validate-in-same-transaction/fix",
        "ALTER TABLE app.orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID",
    ),
    (
        "concurrent-index-on-partitioned/safe",
        "ALTER TABLE app.events ATTACH PARTITION app.events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    ),
    ("domain-with-constraint/safe", "DROP TABLE app.mails"),
    ("table-missing/bad", "CREATE TABLE app.invoices (id bigint)"),
];

/// Of the whole server, or nothing that could run.
const NOT_RUN: &[&str] = &["alter-system", "transaction-control", "mixed-transaction-modes", "name-taken"];

/// What makes way for that which an example creates.
fn way(example: &str) -> Vec<String> {
    let mut way = Vec::new();
    let words: Vec<&str> = example.split_whitespace().map(|word| word.trim_matches(&['(', ';', ','][..])).collect();
    for (at, word) in words.iter().enumerate() {
        let next = |skip: usize| words.get(at + skip).copied().unwrap_or_default();
        let drop = match (*word, next(1)) {
            ("CREATE", "TABLE") => format!("DROP TABLE IF EXISTS {} CASCADE", next(2)),
            ("CREATE", "DOMAIN") => format!("DROP DOMAIN IF EXISTS {} CASCADE", next(2)),
            ("INDEX", "CONCURRENTLY") if at > 0 && ["CREATE", "UNIQUE"].contains(&words[at - 1]) => {
                format!("DROP INDEX IF EXISTS app.{}", if next(2) == "IF" { next(5) } else { next(2) })
            }
            ("ADD", "COLUMN") if at > 1 => {
                format!("ALTER TABLE IF EXISTS {} DROP COLUMN IF EXISTS {}", words[at - 1], next(2))
            }
            _ => continue,
        };
        way.push(drop);
    }
    way
}

/// What has to be done before an example can run.
fn before(rule: &Rule, which: &str, text: &str) -> Vec<String> {
    let name = format!("{}/{which}", rule.id);
    let granted = BEFORE.iter().filter(|(of, _)| *of == name).map(|(_, sql)| (*sql).to_owned());
    way(text).into_iter().chain(granted).collect()
}

fn prepared() -> Database {
    let db = Database::new();
    db.sql(TABLES);
    db
}

/// Examples speak of a role and a tablespace of their own.
fn placed(example: &str) -> String {
    example.replace("TO reporting", "TO CURRENT_USER").replace(" fast", " pg_default")
}

fn statements(text: &str) -> Vec<String> {
    let code = |line: &&str| !line.trim_start().starts_with("--");
    let code: String = text.lines().filter(code).collect::<Vec<_>>().join("\n");
    code.split(";\n").map(|part| part.trim_end_matches(';').to_owned()).filter(|part| !part.trim().is_empty()).collect()
}

fn refuses_transaction(text: &str) -> bool {
    text.contains("CONCURRENTLY") || text.contains("VACUUM")
}

/// Runs an example as it is meant, statement by statement; what the server said against it.
fn run_example(session: &Session, rule: &Rule, which: &str, text: &str) -> Option<String> {
    let text = placed(text);
    let alone = refuses_transaction(&text).then(prepared);
    let own = alone.as_ref().map(Database::session);
    let session = own.as_ref().unwrap_or(session);
    if alone.is_none() {
        session.begin();
    }
    for sql in before(rule, which, &text) {
        session.sql(&sql);
    }
    let failed = statements(&text).iter().find_map(|sql| {
        let refused = session.try_sql(sql).err()?;
        Some(format!("{}/{which}: {refused}\n  {sql}", rule.id))
    });
    if alone.is_none() {
        session.rollback();
    }
    failed
}

/// `MODE on TABLE: …; MODE on TABLE: …` as the catalog spells it.
fn claimed(lock: &str) -> Vec<(String, String)> {
    let one = |part: &str| {
        let (mode, rest) = part.split_once(" on ")?;
        let table = rest.split([':', ',']).next()?;
        let known = mode.chars().all(|c| c.is_ascii_uppercase() || c == ' ') && !table.contains(' ');
        let word = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
        known.then(|| (table.to_owned(), mode.split(' ').map(word).collect::<String>() + "Lock"))
    };
    lock.split("; ").filter_map(one).collect()
}

#[test]
fn the_locks_that_are_named_are_taken_and_no_stronger_ones_and_every_safe_way_runs() {
    let db = prepared();
    let shared = db.session();
    let strength = "ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', \
                    'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']";
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for rule in all().into_iter().filter(|rule| !NOT_RUN.contains(&rule.id)) {
        wrong.extend(run_example(&shared, rule, "safe", rule.safe));
        wrong.extend(run_example(&shared, rule, "good", rule.good));
        let folder = Folder::with(&[("V1__a.sql", &format!("{}\n", rule.bad))]);
        let document = json(&folder.lint(&["--format", "json", "--rule", &format!("{}=error", rule.id)]));
        for finding in document["findings"].as_array().unwrap().iter().filter(|found| found["rule"] == rule.id) {
            let fix = finding["safe"].as_str().unwrap_or_default();
            let whole = !fix.contains(['…', '<']) && !fix.contains("/*") && !rule.bad.contains("CREATE ");
            if whole && rule.id != "file-refused" {
                wrong.extend(run_example(&shared, rule, "fix", fix));
            }
            let claims = claimed(finding["lock"].as_str().unwrap_or_default());
            if claims.is_empty() || refuses_transaction(rule.bad) {
                continue;
            }
            // Locks that making way takes are none of the example's.
            let before = before(rule, "bad", rule.bad);
            let own = (!before.is_empty()).then(prepared);
            let of_own = own.as_ref().map(Database::session);
            let session = of_own.as_ref().unwrap_or(&shared);
            before.iter().for_each(|sql| drop(session.sql(sql)));
            session.begin();
            // A dropped table is no longer there to be asked for.
            let oids: Vec<String> = claims
                .iter()
                .map(|(table, _)| session.one(&format!("SELECT pg_catalog.to_regclass('{table}')::pg_catalog.oid")))
                .collect();
            let failed = statements(&placed(rule.bad)).iter().find_map(|sql| session.try_sql(sql).err());
            match failed {
                // What fails at once has no lock to look at.
                Some(_) if rule.lock.contains("fails") => {}
                Some(failed) => wrong.push(format!("{}/bad: {failed}", rule.id)),
                None => {
                    for ((table, mode), oid) in claims.iter().zip(&oids) {
                        let strongest = session.one(&format!(
                            "SELECT mode FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND relation = {oid} \
                             ORDER BY pg_catalog.array_position({strength}, mode) DESC LIMIT 1"
                        ));
                        compared += 1;
                        if strongest != *mode {
                            wrong.push(format!("{}: {table} is held in {strongest}, not in {mode}", rule.id));
                        }
                    }
                }
            }
            session.rollback();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 25, "{compared}");
}
