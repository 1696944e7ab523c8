//! `partitions status` and `partitions check` on real servers: every finding is provoked and named;
//! locks, missing rights, standbys and hostile names are told, and never taken for order.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use dbctl::pg::sandbox::Options;
use serde_json::Value;

use crate::harness::{Database, Run, dbctl, eventually, majors, private_server, run, standby};

const POLICY: &str = "version: 1\ndefaults: {timezone: UTC, rails: {max_drops: 9, max_drop_fraction: 100%}}\ntables:\n";
const MONTHS: &str = "  public.t: {key: k, every: month, ahead: 3, keep: 2 months, expire: drop}\n";

/// A database with a policy.
struct Case {
    db: Database,
    folder: tempfile::TempDir,
}

impl Case {
    fn at(db: Database, tables: &str) -> Case {
        let folder = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let case = Case { db, folder };
        case.policy(tables);
        case
    }

    /// Table t by month, its partitions made.
    fn months() -> Case {
        let case = Case::at(Database::new(), MONTHS);
        case.db.sql("CREATE TABLE t (id bigint, k timestamptz NOT NULL, PRIMARY KEY (id, k)) PARTITION BY RANGE (k)");
        case.partitions(&["create"]).expect_code(0);
        case
    }

    fn policy(&self, tables: &str) {
        std::fs::write(self.file("partitions.yaml"), format!("{POLICY}{tables}")).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn partitions(&self, args: &[&str]) -> Run {
        self.partitions_at(&self.db.url(), args)
    }

    fn partitions_at(&self, url: &str, args: &[&str]) -> Run {
        let mut command = dbctl(&["partitions"]);
        command.args(args).current_dir(self.folder.path()).env("DATABASE_URL", url);
        run(&mut command)
    }

    fn json(&self, args: &[&str]) -> Value {
        self.json_at(&self.db.url(), args)
    }

    fn json_at(&self, url: &str, args: &[&str]) -> Value {
        let run = self.partitions_at(url, &[args, &["--format", "json"]].concat());
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }

    /// `LEVEL check` of each finding.
    fn findings(&self) -> Vec<String> {
        words(&self.json(&["check"]))
    }

    /// The message of a finding.
    fn message(&self, id: &str) -> String {
        let found = self.json(&["check"]);
        let finding = found["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id);
        finding.unwrap_or_else(|| panic!("no {id} in {found}"))["message"].as_str().unwrap().to_owned()
    }
}

fn words(check: &Value) -> Vec<String> {
    let word = |finding: &Value| format!("{} {}", finding["level"].as_str().unwrap(), finding["id"].as_str().unwrap());
    check["findings"].as_array().unwrap().iter().map(word).collect()
}

#[test]
fn an_empty_table_is_critical_and_a_made_one_in_order() {
    for major in majors() {
        let case = Case::at(Database::on(major), MONTHS);
        case.db.sql("CREATE TABLE t (k timestamptz NOT NULL) PARTITION BY RANGE (k)");
        assert_eq!(case.findings(), ["CRIT runway"]);
        case.partitions(&["check"]).expect_code(2);
        let line = case.partitions(&["check", "--nagios"]).expect_code(2).stdout;
        assert!(line.starts_with("PARTITIONS CRITICAL - 1 critical: public.t: the current period"), "{line}");
        case.partitions(&["create"]).expect_code(0);
        assert_eq!(case.findings(), [""; 0]);
        assert!(case.partitions(&["check"]).expect_code(0).stdout.contains("everything is in order"));
        let line = case.partitions(&["check", "--nagios"]).expect_code(0).stdout;
        assert!(line.starts_with("PARTITIONS OK - ") && line.contains("'public.t runway'="), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}

#[test]
fn holes_and_bounds_off_the_grid() {
    let case = Case::months();
    case.db.sql(
        "DO $$ DECLARE p text; BEGIN SELECT inhrelid::regclass INTO p FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid \
         WHERE inhparent = 't'::regclass AND c.relkind = 'r' ORDER BY relname OFFSET 2 LIMIT 1; EXECUTE 'DROP TABLE ' || p; END $$",
    );
    assert_eq!(case.findings()[0], "CRIT gaps");
    case.partitions(&["create"]).expect_code(0);
    case.db.sql("CREATE TABLE old PARTITION OF t FOR VALUES FROM ('2001-02-03 00:00+00') TO ('2001-03-01 00:00+00')");
    let found = case.findings();
    for expected in ["WARN armed", "WARN expired_overdue", "WARN gaps", "WARN misaligned"] {
        assert!(found.iter().any(|found| found == expected), "{expected}: {found:?}");
    }
    assert!(case.message("misaligned").contains("public.old"), "{}", case.message("misaligned"));
    case.partitions(&["hold", "add", "CASE-1", "--table", "public.*", "--reason", "asked"]).expect_code(0);
    let found = case.findings();
    assert!(found.contains(&"OK hold".to_owned()) && !found.contains(&"WARN expired_overdue".to_owned()), "{found:?}");
}

#[test]
fn rows_in_a_default_partition_are_counted_and_the_windows_they_block_named() {
    let case = Case::months();
    case.db.sql("CREATE TABLE t_default PARTITION OF t DEFAULT");
    assert_eq!(case.findings(), ["WARN default_partition"]);
    case.db.sql("INSERT INTO t SELECT n, '2001-01-01 00:00+00'::timestamptz + n * interval '1 day' FROM generate_series(1, 5) AS n");
    assert_eq!(case.findings(), ["CRIT default_rows", "WARN default_partition"]);
    let message = case.message("default_rows");
    assert!(
        message.contains("5 rows") && message.contains("2001-01-02") && message.contains("2001-01-06"),
        "{message}"
    );
    case.db.sql(
        "DO $$ DECLARE p text; BEGIN SELECT inhrelid::regclass INTO p FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid \
         WHERE inhparent = 't'::regclass AND relname <> 't_default' ORDER BY relname DESC LIMIT 1; EXECUTE 'DROP TABLE ' || p; END $$; \
         INSERT INTO t VALUES (9, date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '3 months 5 days')",
    );
    let message = case.message("default_rows");
    assert!(message.contains("1 of them keep the partition") && message.contains("from being made"), "{message}");
    let status = case.json(&["status"]);
    assert_eq!(status["tables"][0]["default_rows"], 6, "{status}");
    let said = case.partitions(&["status"]).expect_code(0).stdout;
    assert!(said.contains("DEFAULT") && said.contains("6 rows"), "{said}");
}

#[test]
fn a_lock_makes_its_part_unknown_and_keeps_nothing_else_from_being_answered() {
    let case = Case::months();
    case.db.sql("CREATE TABLE t_default PARTITION OF t DEFAULT; INSERT INTO t VALUES (1, '2001-01-01')");
    let holder = case.db.session();
    holder.begin();
    holder.sql("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    assert_eq!(case.findings(), ["UNKNOWN default_rows", "WARN default_partition"]);
    let line = case.partitions(&["check", "--nagios"]).expect_code(3).stdout;
    assert!(line.starts_with("PARTITIONS UNKNOWN - ") && line.contains("a lock on public.t_default"), "{line}");
    let status = case.json(&["status", "public.t"]);
    assert!(status["tables"][0]["default_rows"].is_null(), "{status}");
    assert_eq!(status["partitions"].as_array().unwrap().len(), 5, "{status}");
    holder.rollback();
    assert_eq!(case.findings(), ["CRIT default_rows", "WARN default_partition"]);
}

#[test]
fn a_partition_that_differs_from_its_table_is_named_with_its_differences() {
    for major in majors() {
        let case = Case::at(Database::on(major), MONTHS);
        let db = &case.db;
        db.sql(
            "CREATE TABLE t (id bigint, k timestamptz NOT NULL, PRIMARY KEY (id, k)) PARTITION BY RANGE (k); \
             CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
             CREATE TRIGGER watch BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        );
        case.partitions(&["create"]).expect_code(0);
        let one = db.one("SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 't'::regclass");
        assert_eq!(case.findings(), [""; 0]);
        db.sql("GRANT SELECT ON t TO pg_monitor");
        assert_eq!(case.findings(), ["OK parity"], "{major}");
        case.partitions(&["check"]).expect_code(0);
        db.sql(&format!(
            "GRANT SELECT ON {one} TO pg_monitor; GRANT UPDATE (id) ON {one} TO PUBLIC; ALTER TABLE {one} OWNER TO pg_monitor; \
             ALTER TABLE {one} ENABLE ROW LEVEL SECURITY, REPLICA IDENTITY FULL, DISABLE TRIGGER watch; CREATE INDEX odd ON {one} (id); \
             CREATE INDEX lacks ON ONLY t (k)"
        ));
        let message = case.message("parity");
        for word in [
            "owner",
            "more grants",
            "row level security",
            "replica identity",
            "disabled trigger watch",
            "extra index odd",
            "missing index lacks",
        ] {
            assert!(message.contains(word), "{major}: {word}: {message}");
        }
        let findings = case.findings();
        assert!(findings.contains(&"WARN parity".to_owned()), "{findings:?}");
    }
}

#[test]
fn a_pending_detach_is_told_and_rotate_ends_it() {
    let case = Case::months();
    let one = case.db.one("SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 't'::regclass");
    let reader = case.db.session();
    reader.begin();
    reader.sql(&format!("SELECT FROM {one}"));
    let detacher = case.db.session();
    detacher.sql("SET statement_timeout = '300ms'");
    detacher.try_sql(&format!("ALTER TABLE t DETACH PARTITION {one} CONCURRENTLY")).unwrap_err();
    reader.rollback();
    let found = case.findings();
    assert!(found.contains(&"WARN pending_detach".to_owned()), "{found:?}");
    let status = case.json(&["status", "public.t"]);
    assert_eq!(status["tables"][0]["pending_detach"][0], format!("public.{one}"), "{status}");
    let states: Vec<&str> =
        status["partitions"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["current", "future", "future", "pending"]);
}

#[test]
fn what_waits_its_end_orphans_and_a_run_that_comes_no_more() {
    let case = Case::months();
    case.db.sql(
        "CREATE TABLE old1 PARTITION OF t FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-02-01 00:00+00'); \
         CREATE TABLE old2 PARTITION OF t FOR VALUES FROM ('2001-02-01 00:00+00') TO ('2001-03-01 00:00+00')",
    );
    case.partitions(&["rotate", "--arm", "--yes"]).expect_code(0);
    assert_eq!(case.findings(), [""; 0]);
    let status = case.json(&["status"]);
    assert_eq!((&status["tables"][0]["aside"], &status["tables"][0]["armed"]), (&2.into(), &true.into()), "{status}");
    assert_eq!(status["last_run_outcome"], "done");
    let shown = case.partitions(&["status"]).expect_code(0).stdout;
    assert!(shown.contains("in its grace") && shown.lines().all(|line| line.chars().count() <= 80), "{shown}");

    case.db.sql("UPDATE dbctl.partition SET drop_after = now() - interval '3 days' WHERE partition = 'public.old1'");
    assert_eq!(case.findings(), ["WARN grace_overdue"]);
    case.db
        .sql("UPDATE dbctl.partition SET state = 'detached', mode = 'archive', changed_at = now() - interval '2 days'");
    assert_eq!(case.findings(), ["WARN archive"]);
    case.db.sql("UPDATE dbctl.partition SET mode = 'drop'");
    assert_eq!(case.findings(), ["WARN leaving"]);
    case.db.sql(
        "DELETE FROM dbctl.partition WHERE partition = 'public.old1'; UPDATE dbctl.partition SET changed_at = now()",
    );
    assert_eq!(case.findings(), ["WARN orphans"]);
    case.db.sql("DO $$ BEGIN EXECUTE (SELECT string_agg('DROP TABLE ' || oid::regclass, ';') FROM pg_class WHERE relnamespace = 'dbctl_trash'::regnamespace AND relkind = 'r'); END $$");
    assert_eq!(case.findings(), ["WARN orphans"]);
    assert!(case.message("orphans").contains("public.old2"), "{}", case.message("orphans"));
    case.db.sql("DELETE FROM dbctl.partition; UPDATE dbctl.run SET started_at = now() - interval '9 days', finished_at = now() - interval '9 days'");
    assert_eq!(case.findings(), [""; 0], "nothing has been due");
    case.db.sql("DO $$ BEGIN EXECUTE 'DROP TABLE ' || (SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 't'::regclass); END $$");
    let found = case.findings();
    assert!(found.contains(&"WARN last_success".to_owned()), "{found:?}");
}

#[test]
fn a_role_without_rights_learns_what_is_unknown_and_which_grants_it_needs() {
    let case = Case::months();
    let role = format!("{}_low", case.db.name());
    case.db.sql(&format!("CREATE ROLE {role} LOGIN; CREATE TABLE t_default PARTITION OF t DEFAULT"));
    case.partitions(&["hold", "add", "X", "--table", "public.other", "--reason", "makes schema dbctl"]).expect_code(4);
    let url = case.db.url_as(&role);
    let mut found = case.json_at(&url, &["check"]);
    assert_eq!(words(&found), ["UNKNOWN state", "UNKNOWN armed", "UNKNOWN default_rows", "WARN default_partition"]);
    case.partitions_at(&url, &["check"]).expect_code(2);
    case.partitions_at(&url, &["check", "--nagios"]).expect_code(3);
    let status = case.json_at(&url, &["status"]);
    assert!(status["tables"][0]["armed"].is_null() && status["tables"][0]["partitions"] == 4, "{status}");
    // Rights on some of its tables are as good as none.
    case.db.sql(&format!("GRANT USAGE ON SCHEMA dbctl TO {role}; GRANT SELECT ON dbctl.migration TO {role}"));
    assert_eq!(words(&case.json_at(&url, &["check"]))[0], "UNKNOWN state");
    for _ in 0..2 {
        for finding in found["findings"].as_array().unwrap() {
            if let Some(grant) = finding["hint"].as_str().filter(|hint| hint.starts_with("GRANT ")) {
                case.db.sql(grant);
            }
        }
        found = case.json_at(&url, &["check"]);
    }
    assert_eq!(words(&found), ["WARN default_partition", "OK parity"], "{found}");
    case.db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_standby_answers_as_its_primary_does() {
    let server = private_server(&Options::default());
    let case = Case::at(Database::at(&server), MONTHS);
    case.db.sql("CREATE TABLE t (k timestamptz NOT NULL) PARTITION BY RANGE (k)");
    case.partitions(&["create"]).expect_code(0);
    assert_eq!(case.findings(), [""; 0]);
    case.db.sql("CREATE TABLE t_default PARTITION OF t DEFAULT; INSERT INTO t VALUES ('2001-01-01')");
    let copy = standby(&server);
    eventually("the standby answers", || copy.session(case.db.name()).is_ok());
    let url = copy.url(case.db.name());
    let found = case.json_at(&url, &["check"]);
    assert_eq!(words(&found), ["CRIT default_rows", "WARN default_partition"]);
    assert_eq!(found["findings"], case.json(&["check"])["findings"]);
    let status = case.json_at(&url, &["status"]);
    assert_eq!(status["tables"][0]["default_rows"], 1);
}

#[test]
fn hostile_names_are_quoted_escaped_and_kept_on_one_line() {
    let case = Case::at(Database::new(), "");
    let name = "we\"ird=|'x";
    case.policy("  '\"Sch ema\".\"we\"\"ird=|''x\"': {key: 'k\"y', every: month, ahead: 3, keep: 2 months, expire: drop, default_partition: allow}\n");
    case.db.sql(
        "CREATE SCHEMA \"Sch ema\"; CREATE TABLE \"Sch ema\".\"we\"\"ird=|'x\" (\"k\"\"y\" timestamptz NOT NULL) PARTITION BY RANGE (\"k\"\"y\"); \
         CREATE TABLE \"Sch ema\".\"def\nault\" PARTITION OF \"Sch ema\".\"we\"\"ird=|'x\" DEFAULT; \
         INSERT INTO \"Sch ema\".\"we\"\"ird=|'x\" VALUES ('2001-01-01')",
    );
    case.partitions(&["create"]).expect_code(0);
    assert_eq!(case.findings(), ["CRIT default_rows"]);
    let metrics = case.file("m.prom");
    let line = case.partitions(&["check", "--nagios", "--metrics", metrics.to_str().unwrap()]).expect_code(2).stdout;
    assert_eq!((line.lines().count(), line.matches('|').count()), (1, 1), "{line}");
    assert!(line.contains("'Sch ema.we\"ird_/''x runway'="), "{line}");
    let text = std::fs::read_to_string(&metrics).unwrap();
    let label = format!("table=\"Sch ema.{}\"", name.replace('"', "\\\""));
    assert!(text.contains(&label), "{text}");
    assert!(case.partitions(&["status"]).expect_code(0).stdout.contains("def\\nault"));
}

#[test]
fn a_key_without_a_meaning_in_time_spoils_only_its_own_table() {
    let case = Case::at(Database::new(), "");
    case.policy(&format!("{MONTHS}  public.n: {{key: id, every: 100, ahead: 3}}\n"));
    case.db.sql(
        "CREATE TABLE t (k timestamptz NOT NULL) PARTITION BY RANGE (k); CREATE TABLE n (id bigint) PARTITION BY RANGE (id)",
    );
    case.partitions(&["create"]).expect_code(0);
    assert_eq!(case.findings(), [""; 0]);
    case.db.sql("INSERT INTO n SELECT generate_series(1, 270)");
    assert_eq!(case.findings(), ["WARN runway"]);
    let holder = case.db.session();
    holder.begin();
    holder.sql("LOCK TABLE n IN ACCESS EXCLUSIVE MODE");
    let found = case.json(&["check"]);
    assert_eq!(words(&found), ["UNKNOWN bounds"], "{found}");
    let status = case.partitions(&["status"]).expect_code(5);
    assert!(status.stdout.contains("public.t") && status.stdout.contains("UNKNOWN"), "{}", status.stdout);
}

#[test]
fn metrics_are_well_formed_and_rotate_notes_its_success_without_writing_to_the_database() {
    let case = Case::months();
    let file = case.file("dbctl.prom");
    let path = file.to_str().unwrap();
    case.partitions(&["rotate", "--metrics", path]).expect_code(0);
    let read = || std::fs::read_to_string(&file).unwrap();
    let text = read();
    let mut declared: Option<String> = None;
    let mut names = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest.split(' ').nth(1), Some("gauge"));
            declared = rest.split(' ').next().map(str::to_owned);
            names.extend(declared.clone());
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(series.split('{').next().map(str::to_owned), declared, "{line}");
            assert!(series.ends_with('}') && series.contains(&format!("{{database=\"{}\"", case.db.name())), "{line}");
            assert!(value == "+Inf" || value.parse::<f64>().is_ok(), "{line}");
        }
    }
    for wanted in [
        "runway_seconds",
        "runway_ratio",
        "partitions",
        "default_rows",
        "expired_overdue",
        "pending_detach",
        "aside",
        "findings",
        "last_success_timestamp_seconds",
        "check_timestamp_seconds",
    ] {
        assert!(names.contains(&format!("dbctl_partitions_{wanted}")), "{wanted}: {text}");
    }
    let success = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("dbctl_partitions_last_success_timestamp_seconds{"));
        line.map(str::to_owned)
    };
    let noted = success(&text);
    assert!(noted.is_some());
    // A check afterwards keeps it: the run had nothing to do, so the database knows of none.
    case.partitions(&["check", "--metrics", path]).expect_code(0);
    assert_eq!(success(&read()), noted);
    let left: Vec<_> = std::fs::read_dir(case.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn what_cannot_be_looked_at_is_unknown_for_a_plugin_and_an_error_for_others() {
    let case = Case::months();
    case.policy("  public.t: {key: other, every: month}\n");
    let run = case.partitions(&["check"]).expect_code(65);
    assert!(run.stdout.contains("UNKNOWN") && run.stdout.contains("partitioned by k, not by other"), "{}", run.stdout);
    case.partitions(&["status"]).expect_code(65);
    case.partitions(&["check", "--nagios"]).expect_code(3);
    case.policy("  public.t: {key: k}\n");
    case.partitions(&["check"]).expect_code(65);
    let line = case.partitions(&["check", "--nagios"]).expect_code(3).stdout;
    assert!(line.starts_with("PARTITIONS UNKNOWN - ") && line.lines().count() == 1, "{line}");
    case.policy(MONTHS);
    let nowhere = "postgresql://x@127.0.0.1:1/x";
    case.partitions_at(nowhere, &["check"]).expect_code(69);
    assert!(
        case.partitions_at(nowhere, &["check", "--nagios"]).expect_code(3).stdout.starts_with("PARTITIONS UNKNOWN")
    );
}
