//! With a database: its real tables decide, and nothing is written.

use super::{Folder, decent, found, json};
use crate::harness::{Database, majors, private_server};
use dbctl::pg::sandbox::Options;

/// A large table (more than 10 MiB), a small and an empty one.
const TABLES: &str = "
    CREATE SCHEMA app;
    CREATE TABLE app.large (id bigint PRIMARY KEY, customer_id bigint, day date, name varchar(20), body text);
    ALTER TABLE app.large ALTER COLUMN body SET STORAGE PLAIN;
    INSERT INTO app.large SELECT g, g, current_date, 'n', pg_catalog.repeat('x', 1000) FROM generate_series(1, 14000) AS g;
    ANALYZE app.large;
    CREATE TABLE app.small AS SELECT g AS id FROM generate_series(1, 10) AS g;
    CREATE TABLE app.customers (id bigint PRIMARY KEY);
    CREATE TABLE app.empty (id bigint);";

struct Case {
    db: Database,
    folder: Folder,
}

impl Case {
    fn on(db: Database, files: &[(&str, &str)]) -> Case {
        db.sql(TABLES);
        Case { db, folder: Folder::with(files) }
    }

    fn lint(&self, url: &str, args: &[&str]) -> Vec<String> {
        let mut command = self.folder.command(args);
        let run = decent(command.args(["--format", "json", "--database-url", url]));
        assert!(run.code == 0 || run.code == 2, "{}", run.stderr);
        found(&json(&run))
    }
}

#[test]
fn the_size_of_the_table_decides_on_every_major() {
    for major in majors() {
        let case = Case::on(
            Database::on(major),
            &[
                ("V1__large.sql", "CREATE INDEX a ON app.large (day);"),
                ("V2__small.sql", "CREATE INDEX b ON app.small (id);"),
                (
                    "V3__empty.sql",
                    "CREATE INDEX c ON app.empty (id);\nALTER TABLE app.empty ADD COLUMN x int NOT NULL;",
                ),
            ],
        );
        let url = case.db.url();
        assert_eq!(case.lint(&url, &[]), ["index-not-concurrent@V1__large:1"], "{major}");
        assert_eq!(
            case.folder.found(&[]),
            ["V1__large:1", "V2__small:1", "V3__empty:1"]
                .map(|place| format!("index-not-concurrent@{place}"))
                .into_iter()
                .chain(["column-without-default@V3__empty:2".to_owned()])
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_held_table_is_judged_by_its_last_known_size_without_waiting() {
    let case = Case::on(
        Database::new(),
        &[("V1__a.sql", "CREATE INDEX a ON app.large (day);"), ("V2__b.sql", "CREATE INDEX b ON app.parts (a);")],
    );
    case.db.sql(
        "CREATE TABLE app.parts (a int) PARTITION BY RANGE (a);
         CREATE TABLE app.parts_1 PARTITION OF app.parts FOR VALUES FROM (1) TO (9);
         ALTER TABLE app.large ADD CONSTRAINT named CHECK (name <> '')",
    );
    let holder = case.db.session();
    holder.begin();
    holder.sql("LOCK TABLE app.large, app.parts, app.parts_1");
    let url = case.db.url();
    assert_eq!(case.lint(&url, &["--statement-timeout", "20s"]), ["index-not-concurrent@V1__a:1"]);
    // It came back while the lock was held.
    assert!(!holder.is_closed());
    holder.rollback();
}

#[test]
fn a_validated_check_and_a_wider_type_are_free() {
    let case = Case::on(
        Database::new(),
        &[
            ("V1__null.sql", "ALTER TABLE app.large ALTER COLUMN customer_id SET NOT NULL;"),
            ("V2__wider.sql", "ALTER TABLE app.large ALTER COLUMN name TYPE varchar(40);"),
            ("V3__text.sql", "ALTER TABLE app.large ALTER COLUMN name TYPE text;"),
            ("V4__narrower.sql", "ALTER TABLE app.large ALTER COLUMN name TYPE varchar(10);"),
        ],
    );
    let url = case.db.url();
    assert_eq!(case.lint(&url, &[]), ["set-not-null@V1__null:1", "column-type-change@V4__narrower:1"]);
    case.db.sql("ALTER TABLE app.large ADD CONSTRAINT filled CHECK (customer_id IS NOT NULL) NOT VALID");
    assert!(case.lint(&url, &[]).contains(&"set-not-null@V1__null:1".to_owned()), "not validated yet");
    case.db.sql("ALTER TABLE app.large VALIDATE CONSTRAINT filled");
    assert_eq!(case.lint(&url, &[]), ["column-type-change@V4__narrower:1"]);
}

#[test]
fn names_that_are_taken_tables_that_are_not_there_and_keys_without_an_index() {
    let case = Case::on(
        Database::new(),
        &[
            ("V1__taken.sql", "CREATE TABLE app.small (id bigint);\nALTER TABLE app.large ADD COLUMN day date;"),
            ("V2__missing.sql", "ALTER TABLE app.nowhere ADD COLUMN a int;"),
            (
                "V3__key.sql",
                "ALTER TABLE app.large ADD CONSTRAINT k FOREIGN KEY (customer_id) REFERENCES app.customers NOT VALID;",
            ),
        ],
    );
    let url = case.db.url();
    assert_eq!(
        case.lint(&url, &[]),
        [
            "name-taken@V1__taken:1",
            "name-taken@V1__taken:2",
            "table-missing@V2__missing:1",
            "foreign-key-without-index@V3__key:1"
        ]
    );
    case.db.sql("CREATE INDEX large_customer ON app.large (customer_id, day)");
    assert!(!case.lint(&url, &[]).iter().any(|it| it.starts_with("foreign-key-without-index")));
}

#[test]
fn the_same_name_in_another_schema_is_in_nobodys_way() {
    let case = Case::on(
        Database::new(),
        &[
            ("V1__table.sql", "CREATE TABLE large (id bigint PRIMARY KEY);"),
            ("V2__index.sql", "CREATE INDEX CONCURRENTLY elsewhere ON app.large (name);"),
        ],
    );
    case.db.sql("CREATE SCHEMA other; CREATE TABLE other.t (a int); CREATE INDEX elsewhere ON other.t (a)");
    assert!(case.lint(&case.db.url(), &[]).is_empty());
    case.db.sql("CREATE TABLE public.large (id bigint); CREATE INDEX elsewhere ON app.large (name)");
    assert_eq!(case.lint(&case.db.url(), &[]), ["name-taken@V1__table:1", "name-taken@V2__index:1"]);
}

#[test]
fn only_pending_files_are_looked_at_unless_all_are_asked_for() {
    let case = Case::on(
        Database::new(),
        &[
            ("V1__large.sql", "CREATE INDEX a ON app.large (day);"),
            ("V2__next.sql", "CREATE INDEX b ON app.large (name);"),
        ],
    );
    let url = case.db.url();
    let mut up = crate::harness::dbctl(&["migrate", "up", "--to", "1", "--dir", "migrations", "--database-url", &url]);
    decent(up.current_dir(case.folder.path())).expect_code(0);
    assert_eq!(case.lint(&url, &[]), ["index-not-concurrent@V2__next:1"]);
    assert_eq!(case.lint(&url, &["--all"]), ["index-not-concurrent@V1__large:1", "index-not-concurrent@V2__next:1"]);
}

#[test]
fn an_invalid_index_that_would_be_kept_is_an_error() {
    let case = Case::on(
        Database::new(),
        &[("V1__index.sql", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS twice ON app.small (id);")],
    );
    case.db.sql("INSERT INTO app.small VALUES (1)");
    assert!(case.db.try_sql("CREATE UNIQUE INDEX CONCURRENTLY twice ON app.small (id)").is_err());
    let run = decent(case.folder.command(&["--database-url", &case.db.url()]).env("NO_COLOR", "1")).expect_code(2);
    assert!(run.stdout.contains("twice exists and is invalid"), "{}", run.stdout);
    assert!(run.stdout.contains("DROP INDEX CONCURRENTLY twice;"), "{}", run.stdout);
}

#[test]
fn a_role_that_is_not_the_owner_is_told_and_can_look_without_any_right_to_write() {
    let options = Options { settings: vec![("autovacuum".to_owned(), "off".to_owned())], ..Options::default() };
    let server = private_server(&options);
    let case = Case::on(Database::at(&server), &[("V1__a.sql", "ALTER TABLE app.large ADD COLUMN note text;")]);
    case.db.sql("CREATE ROLE looker LOGIN; ALTER ROLE looker SET default_transaction_read_only = on");
    let url = case.db.url_as("looker");
    let next = || case.db.one("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())");
    let before = next();
    assert_eq!(case.lint(&url, &[]), ["not-the-owner@V1__a:1"]);
    assert!(case.lint(&case.db.url(), &[]).is_empty());
    // Who writes takes the number of a transaction; nobody did.
    assert_eq!(next(), before);
    assert_eq!(case.db.one("SELECT count(*)::text FROM pg_catalog.pg_namespace WHERE nspname = 'dbctl'"), "0");
}
