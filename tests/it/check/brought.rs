//! Migrations and partitions as checks, under the thresholds that there are: only for targets that name them.

use super::*;
use crate::harness::Database;

#[test]
fn pending_migrations_of_a_target_that_names_some() {
    let db = Database::new();
    let folder = folder();
    let yaml = |migrations: &str| format!("targets:\n  it: {{url: '{}'{migrations}}}\n", db.url());
    let at = |url: &str, migrations: &str, args: &[&str]| {
        let yaml = yaml(migrations).replace(&db.url(), url);
        let args = [args, &["--target", "it", "--format", "json"]].concat();
        json(&check(&db.url(), folder.path(), &yaml, &args))
    };
    let (named, only) = (", migrations: sql", ["--only", "pending_migrations"]);
    let of = |answer: &Value| verdict(answer, "pending_migrations");
    std::fs::create_dir(folder.path().join("sql")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join("sql").join(name), text).unwrap();
    write("V1__a.sql", "CREATE TABLE a (id int);");
    write("V2__b.sql", "CREATE TABLE b (id int);");
    assert_eq!(of(&at(&db.url(), named, &only)), ("WARN".to_owned(), "2 migrations are pending".to_owned()));
    let mut up = dbctl(&["migrate", "up", "--dir", "sql"]);
    run(up.env("DATABASE_URL", db.url()).current_dir(folder.path())).expect_code(0);
    assert_eq!(of(&at(&db.url(), named, &[])).0, "OK");
    write("V2__b.sql", "CREATE TABLE b (id bigint);");
    let (level, message) = of(&at(&db.url(), named, &only));
    assert!(level == "WARN" && message.starts_with("1 applied migration is not as"), "{level} {message}");

    // Not told where nothing is named, but for who asks.
    let bare = at(&db.url(), "", &[]);
    let told = |id: &str| bare["checks"].as_array().unwrap().iter().any(|row| row["check"] == id);
    assert!(told("sequences") && !told("pending_migrations") && !told("partitions"), "{bare:#}");
    let (level, message) = of(&at(&db.url(), "", &only));
    assert!(level == "UNKNOWN" && message.contains("'system:' or 'migrations:'"), "{level} {message}");

    db.sql("DROP ROLE IF EXISTS check_stranger; CREATE ROLE check_stranger LOGIN");
    let (level, message) = of(&at(&db.url_as("check_stranger"), named, &only));
    assert!(level == "UNKNOWN" && message.contains("may not read"), "{level} {message}");
    let (level, message) = of(&at(&db.url(), ", migrations: nowhere", &only));
    assert!(level == "UNKNOWN" && message.contains("nowhere"), "{level} {message}");
    // A lock on the history is waited for a little, and no check hangs.
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE refinery_schema_history IN ACCESS EXCLUSIVE MODE");
    assert_eq!(of(&at(&db.url(), named, &only)).0, "UNKNOWN");
    let (level, message) = of(&at(&db.url(), ", system: chat", &only));
    assert!(level == "UNKNOWN", "{level} {message}");
}

#[test]
fn partitions_of_a_policy_that_is_named() {
    let db = Database::new();
    let folder = folder();
    let at = |args: &[&str]| {
        let yaml = "checks: {partitions: {policy: policy.yaml}}\n";
        let args = [args, &["--only", "partitions", "--format", "json"]].concat();
        let answer = json(&check(&db.url(), folder.path(), yaml, &args));
        (verdict(&answer, "partitions"), answer)
    };
    let entry = "every: day, ahead: 9, keep: 30 days, expire: drop}";
    let policy = |more: &str| {
        let text =
            format!("version: 1\ndefaults: {{timezone: UTC}}\ntables:\n  public.events: {{key: at, {entry}\n{more}");
        std::fs::write(folder.path().join("policy.yaml"), text).unwrap();
    };
    policy("");
    db.sql("SET TimeZone = 'UTC'; CREATE TABLE events (at timestamptz NOT NULL) PARTITION BY RANGE (at)");
    let reach = |days: u32| {
        db.sql(&format!(
            "SET TimeZone = 'UTC'; DO $$ BEGIN DROP TABLE IF EXISTS part; EXECUTE format('CREATE TABLE part PARTITION OF events FOR \
             VALUES FROM (%L) TO (%L)', current_date - 1, current_date + {days}); END $$"
        ));
        at(&[]).0
    };
    assert_eq!(at(&[]).0.0, "CRIT", "now itself has none");
    for (days, level) in [(1, "CRIT"), (3, "WARN"), (5, "OK")] {
        let (found, message) = reach(days);
        assert_eq!(found, level, "{days}: {message}");
    }
    let (_, answer) = at(&[]);
    let value = &answer["values"][0];
    assert_eq!((&value["metric"], &value["object"]), (&"runway".into(), &"public.events".into()), "{answer}");
    let seconds = value["value"].as_f64().unwrap();
    assert!((4.0 * 86_400.0 - 1.0..=5.0 * 86_400.0).contains(&seconds), "{seconds}");

    policy(&format!(
        "  public.numbers: {{key: id, every: 100, ahead: 400, expire: drop, keep: 1000}}\n  public.gone: {{key: at, {entry}\n"
    ));
    let (level, message) = at(&[]).0;
    assert!(level == "UNKNOWN" && message.contains("public.gone"), "{level} {message}");
    policy("not: yaml: at all");
    assert_eq!(at(&[]).0.0, "UNKNOWN");
}
