//! Missing rights, missing databases, databases that do not take writes.

use super::{Case, PASSWORD, Role, decent, said, with_password};

/// The GRANTs that a message proposes, as they stand there.
fn grants(stderr: &str) -> Vec<String> {
    let from = |line: &str| line.find("GRANT ").map(|at| line[at..].to_owned());
    stderr.lines().filter(|line| line.starts_with("hint: ")).filter_map(from).collect()
}

#[test]
fn following_the_hints_of_a_role_without_rights_ends_in_an_applied_set() {
    let case = Case::with(&[
        ("V1__a.sql", "CREATE TABLE a (id int);"),
        ("V2__see.sql", "CREATE VIEW v AS SELECT * FROM theirs.orders;"),
    ]);
    case.db.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE SCHEMA theirs; CREATE TABLE theirs.orders (id int); GRANT SELECT ON theirs.orders TO PUBLIC");
    let app = Role::new(&case.db, "App \"x", "");
    let encoded = app.name.replace(' ', "%20").replace('"', "%22");
    let mut asked = Vec::new();
    for _ in 0..6 {
        let run = case.migrate_as(&encoded, &["up"]);
        if run.code == 0 {
            break;
        }
        let run = run.expect_code(77);
        let proposed = grants(&run.stderr);
        assert!(!proposed.is_empty(), "no GRANT in:\n{}", run.stderr);
        for grant in proposed {
            case.db.sql(&grant);
            asked.push(grant);
        }
    }
    let run = case.migrate_as(&encoded, &["status", "--exit-code"]);
    assert_eq!(run.code, 0, "{asked:#?}\n{}{}", run.stdout, run.stderr);
    let text = asked.join("\n");
    for right in ["CREATE ON DATABASE", "CREATE ON SCHEMA public", "ON SCHEMA theirs"] {
        assert!(text.contains(right), "{right} was not asked for: {text}");
    }
}

#[test]
fn a_second_role_learns_what_it_needs_of_the_first_one_s_history_and_journal() {
    let case = Case::with(&[("V1__a.sql", "CREATE TABLE a (id int);")]);
    case.up();
    case.file("V2__b.sql", "CREATE TABLE b (id int);");
    let second = Role::new(&case.db, "second", "");
    case.db.sql(&format!("GRANT USAGE, CREATE ON SCHEMA public TO {}", second.name));
    for _ in 0..6 {
        let run = case.migrate_as(&second.name, &["up"]);
        if run.code == 0 {
            break;
        }
        let run = run.expect_code(77);
        let proposed = grants(&run.stderr);
        assert!(!proposed.is_empty(), "no GRANT in:\n{}", run.stderr);
        for grant in proposed {
            case.db.sql(&grant);
        }
    }
    case.migrate_as(&second.name, &["status", "--exit-code"]).expect_code(0);
    assert_eq!(case.db.one("SELECT tableowner FROM pg_tables WHERE tablename = 'b'"), second.name);
}

#[test]
fn what_only_an_owner_may_do_names_the_owner_s_object() {
    let case = Case::with(&[("V1__alter.sql", "ALTER TABLE theirs ADD COLUMN x int;")]);
    case.db.sql("CREATE TABLE theirs (id int)");
    let app = Role::new(&case.db, "app", "");
    case.db.sql(&format!(
        "GRANT CREATE ON DATABASE {} TO {1}; GRANT ALL ON SCHEMA public TO {1}",
        case.db.name(),
        app.name
    ));
    let run = case.migrate_as(&app.name, &["up"]).expect_code(77);
    said(run, &["must be owner of table theirs (SQLSTATE 42501)", "V1__alter.sql", "hint: "]);
}

#[test]
fn a_database_or_role_that_is_not_there_is_unreachable_or_not_permitted() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    let url = case.db.url().replacen(case.db.name(), "no_such_database", 1);
    let run = decent(case.command(&["status"]).env("DATABASE_URL", with_password(&url))).expect_code(69);
    said(run, &["no_such_database"]);
    let run = case.migrate_as("no_such_role", &["status"]);
    assert!([69, 77].contains(&run.code), "{}", run.stderr);
    said(run, &["no_such_role"]);
    let gone = "postgresql://postgres@127.0.0.1:1/x?connect_timeout=2";
    decent(case.command(&["status"]).env("DATABASE_URL", with_password(gone))).expect_code(69);
}

#[test]
fn a_read_only_database_is_left_alone_and_the_way_out_is_named() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    case.db.sql(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", case.db.name()));
    case.refuses(&["up"], 4, &["default_transaction_read_only is on", "ALTER DATABASE", case.db.name()]);
    case.migrate(&["plan"]).expect_code(0);
    let role = Role::new(&case.db, "reading", "SUPERUSER");
    case.db.sql(&format!(
        "ALTER DATABASE {} RESET default_transaction_read_only; ALTER ROLE {} SET default_transaction_read_only = on",
        case.db.name(),
        role.name
    ));
    case.up();
    case.file("V2__b.sql", "SELECT 2;");
    let run = case.migrate_as(&role.name, &["up"]).expect_code(4);
    said(run, &["default_transaction_read_only is on"]);
}

#[test]
fn no_way_to_write_a_connection_string_lets_a_password_out() {
    let case = Case::with(&[("V1__a.sql", "SELECT 1;")]);
    for conninfo in [
        "postgresql://u:{}@127.0.0.1:1/db",
        "postgresql://u:{}@[bad/db",
        "postgresql://u:{}@h:99999999/db",
        "postgresql://u:{}@127.0.0.1:1/db?nope=1",
        "postgresql://u@127.0.0.1:1/db?password={}&sslmode=maybe",
        "postgresql://u@127.0.0.1:1/db?password={}%zz",
        "postgres://u:{}@",
        "host=127.0.0.1 port=1 user=u password={}",
        "host=127.0.0.1 port=1 user=u password='{}",
        "password={} bogus=1",
        "host = 127.0.0.1 port = x password = '{}'",
        "host=127.0.0.1 port=1 user=u sslpassword={} password={}",
    ] {
        let conninfo = conninfo.replace("{}", PASSWORD);
        for flag in [true, false] {
            let mut command = case.command(&["status", "-v"]);
            if flag {
                command.args(["--database-url", &conninfo]);
            } else {
                command.env("DATABASE_URL", &conninfo);
            }
            let run = decent(&mut command);
            assert!([64, 65, 69, 77].contains(&run.code), "{}: {}", run.code, run.stderr);
        }
    }
    let mut command = case.command(&["status", "-v"]);
    command.env_remove("DATABASE_URL").env("PGHOST", "127.0.0.1").env("PGPORT", "1").env("PGPASSWORD", PASSWORD);
    decent(&mut command).expect_code(69);
}

#[test]
fn a_schema_dbctl_made_for_the_role_spares_it_the_right_to_create_schemas() {
    let case = Case::with(&[
        ("V1__a.sql", "CREATE TABLE a (id int);"),
        ("V2__i.sql", "CREATE INDEX CONCURRENTLY i ON a (id);"),
    ]);
    let app = Role::new(&case.db, "app", "");
    case.db.sql(&format!("GRANT USAGE, CREATE ON SCHEMA public TO {}", app.name));
    let refused = case.migrate_as(&app.name, &["up"]).expect_code(77);
    let other_way =
        refused.stderr.lines().find_map(|line| line.find("CREATE SCHEMA dbctl AUTHORIZATION").map(|at| &line[at..]));
    case.db.sql(other_way.unwrap_or_else(|| panic!("{}", refused.stderr)));
    case.migrate_as(&app.name, &["up"]).expect_code(0);
    assert_eq!(case.states(), "1:applied 2:applied");
}
