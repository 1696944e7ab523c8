//! The shipped partitions.yaml against the systems as their migrations make them: same keys, same
//! partitions ahead, same storage parameters, columns that are there, and SQL that runs.

use std::path::Path;

use dbctl::config::env::Env;
use dbctl::ident::{Literal, TableName};
use dbctl::policy::{Ahead, Keep, Mask, Policy, RowAction, RowJob, TablePolicy, file};

use crate::harness::{Database, dbctl, run};

fn policy() -> Policy {
    file::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml"), &Env::default())
        .unwrap_or_else(|failure| panic!("{failure}"))
}

fn columns(database: &Database, table: &TableName) -> Vec<String> {
    let sql = format!(
        "SELECT attname FROM pg_attribute WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped",
        Literal(&table.to_string())
    );
    database.sql(&sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
}

fn agrees(database: &Database, entry: &TablePolicy) {
    let table = entry.table.to_string();
    let name = Literal(&table);
    let key = database.one(&format!("SELECT pg_get_partkeydef({name}::regclass)"));
    assert_eq!(key, format!("RANGE ({})", entry.key), "{table}");
    let made = match entry.ahead {
        Ahead::Never => 0,
        Ahead::Periods(periods) => periods + 1,
        Ahead::For(span) => span.days + 1,
    };
    let children =
        format!("FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = inhrelid WHERE inhparent = {name}::regclass");
    assert_eq!(database.one(&format!("SELECT count(*) {children}")), made.to_string(), "{table}");
    let mut storage: Vec<String> = entry.storage.iter().map(|(name, value)| format!("{name}={value}")).collect();
    storage.sort();
    let sorted = "SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) AS o";
    for row in database.sql(&format!("SELECT DISTINCT array_to_string(({sorted}), ' ') {children}")) {
        assert_eq!(row[0].clone().unwrap_or_default(), storage.join(" "), "{table}");
    }
}

/// `after_expire` ends: it returns 0 at last.
fn ends(database: &Database, entry: &TablePolicy) {
    let Some(Keep::Time(keep)) = entry.keep else { panic!("{}", entry.table) };
    let cutoff = database.one(&format!("SELECT date_trunc('month', now() - interval '{keep}')"));
    for sql in &entry.after_expire {
        let sql = sql.replace("{cutoff}", &Literal(&cutoff).to_string());
        let rounds = (0..10).take_while(|_| database.one(&sql) != "0").count();
        assert!(rounds < 10, "{sql}");
    }
}

fn fits(database: &Database, job: &RowJob) {
    let columns_of = columns(database, &job.table);
    let has = |column: &str| assert!(columns_of.iter().any(|known| known == column), "{}: no {column}", job.name);
    let age = job.age.as_ref().map(|age| format!("{} < now() - interval '{}'", age.column, age.over));
    let both: Vec<String> = age.into_iter().chain(job.condition.clone()).collect();
    let condition = if both.is_empty() { "true".to_owned() } else { both.join(" AND ") };
    database.sql(&format!("SELECT count(*) FROM {} WHERE {condition}", job.table));
    match &job.action {
        RowAction::Move { to } => {
            let there = columns(database, to);
            assert!(columns_of.iter().all(|column| there.contains(column)), "{}: {there:?}", job.name);
        }
        RowAction::Anonymise { set } => {
            for (column, mask) in set {
                has(column.raw());
                assert_eq!(*mask, Mask::Null, "the trigger of the table takes no other");
            }
        }
        RowAction::Delete | RowAction::Keep => {}
    }
}

fn system(name: &str, tables: usize, jobs: usize) -> Database {
    let database = Database::new();
    run(dbctl(&["migrate", "up", "--system", name]).env("DATABASE_URL", database.url())).expect_code(0);
    let policy = policy();
    let of = |system: &Option<String>| system.as_deref() == Some(name);
    let entries: Vec<&TablePolicy> = policy.tables.iter().filter(|entry| of(&entry.system)).collect();
    let rows: Vec<&RowJob> = policy.rows.iter().filter(|job| of(&job.system)).collect();
    assert_eq!((entries.len(), rows.len()), (tables, jobs));
    for entry in entries {
        agrees(&database, entry);
        ends(&database, entry);
    }
    for job in rows {
        fits(&database, job);
    }
    database
}

#[test]
fn bridge_is_as_its_policy_says() {
    system("bridge", 3, 1);
}

#[test]
fn consultor_is_as_its_policy_says() {
    let database = system("consultor", 0, 4);
    // What the jobs do to the audit trail, and what its trigger lets them do.
    database.sql(
        "INSERT INTO audit_logs (action, ip_address, created_at) VALUES ('old', '10.1.2.3', now() - interval '6 years'), \
         ('young', '10.1.2.3', now() - interval '1 year')",
    );
    database.sql("UPDATE audit_logs SET ip_address = NULL");
    assert!(database.try_sql("UPDATE audit_logs SET ip_address = '10.1.2.0'").is_err());
    database.sql("DELETE FROM audit_logs WHERE action = 'old'");
    assert!(database.try_sql("DELETE FROM audit_logs").is_err());
}

#[test]
fn fsm_is_as_its_policy_says() {
    let database = system("fsm", 5, 0);
    let refused = database.try_sql("UPDATE audit.audit_log SET ip_address = NULL");
    assert!(refused.is_ok(), "no row, no trigger");
    database.sql("INSERT INTO audit.audit_log (table_name, record_id, action) VALUES ('t', '1', 'INSERT')");
    assert_eq!(database.try_sql("UPDATE audit.audit_log SET ip_address = NULL").unwrap_err().code, "42501");
}

#[test]
fn chat_is_as_its_policy_says() {
    system("chat", 2, 0);
}
