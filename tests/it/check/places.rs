//! Where all checks are made from: with no table there, through a pool, beside a held table, with few rights.

use std::collections::BTreeMap;

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{Database, Pooler, private_server};

#[test]
fn every_check_answers_wherever_it_is_made_from() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    let folder = folder();
    let has_checksums = db.one("SHOW data_checksums") == "on";
    // A rate needs two runs at one place.
    let levels = |url: &str| {
        let all = ["--format", "json"];
        check(url, folder.path(), "", &all);
        let answer = json(&check(url, folder.path(), "", &all));
        let rows = answer["checks"].as_array().unwrap().clone();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        rows.iter()
            .map(|row| (text(row, "check"), (text(row, "level"), text(row, "message"))))
            .collect::<BTreeMap<_, _>>()
    };
    let unknown = |all: &BTreeMap<String, (String, String)>| {
        let unknown = all.iter().filter(|(id, (level, _))| level == "UNKNOWN" && (has_checksums || *id != "checksums"));
        unknown.map(|(id, (_, message))| format!("{id}: {message}")).collect::<Vec<String>>()
    };
    let bare = levels(&db.url());
    assert_eq!(unknown(&bare), [""; 0], "no table is there");
    assert!(bare.len() >= 28, "{bare:?}");

    db.sql("CREATE TABLE held (id serial PRIMARY KEY, a int); CREATE INDEX twin ON held (id)");
    db.sql("INSERT INTO held (a) SELECT generate_series(1, 10); ANALYZE held");
    let told = |levels: &BTreeMap<String, (String, String)>, id: &str| levels[id].0.clone();
    if let Some(pooler) = Pooler::start(&server, "transaction", &[]) {
        let pooled = levels(&pooler.url(db.name()));
        assert_eq!(unknown(&pooled), [""; 0], "through a pool");
        assert_eq!(told(&pooled, "duplicate_index"), "WARN");
        std::fs::create_dir(folder.path().join("sql")).unwrap();
        std::fs::write(folder.path().join("sql/V1__a.sql"), "CREATE TABLE a (id int);").unwrap();
        let yaml = format!("targets: {{pool: {{url: '{}', migrations: sql}}}}\n", pooler.url(db.name()));
        let args = ["--target", "pool", "--only", "pending_migrations", "--format", "json"];
        let pending = json(&check("", folder.path(), &yaml, &args));
        assert_eq!(verdict(&pending, "pending_migrations").0, "WARN", "{pending}");
        let mut config: tokio_postgres::Config = pooler.url(db.name()).parse().unwrap();
        let client = crate::harness::Session::open(config.application_name("next client").clone()).unwrap();
        assert_eq!(client.one("SELECT current_setting('lock_timeout') || current_setting('statement_timeout')"), "00");
    }
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE; ALTER TABLE held ALTER a TYPE bigint");
    let beside = levels(&db.url());
    assert_eq!(told(&beside, "duplicate_index"), "WARN");
    // The sequence belongs to the table and is held as well: that it cannot be read is said.
    assert!(unknown(&beside).iter().all(|one| one.starts_with("sequences: ")), "{beside:?}");
    drop(holder);

    db.sql("CREATE ROLE check_plain LOGIN");
    let busy = db.session();
    busy.sql("BEGIN; SELECT txid_current()");
    let plain = levels(&db.url_as("check_plain"));
    let blind = unknown(&plain);
    assert!(blind.iter().all(|one| one.contains("GRANT ")), "each says what would help: {blind:?}");
    for id in ["disk", "long_query", "idle_in_transaction", "xmin_horizon", "sequences"] {
        assert!(blind.iter().any(|one| one.starts_with(&format!("{id}: "))), "{id} in {blind:?}");
    }
    assert_eq!(told(&plain, "duplicate_index"), "WARN");
}
