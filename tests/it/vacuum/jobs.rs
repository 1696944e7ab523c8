//! Jobs of dbctl.yaml: run by name, under the flags that are given, and printed for those who keep the time.

use super::*;

/// A folder with this dbctl.yaml.
fn folder(yaml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dbctl.yaml"), yaml).unwrap();
    folder
}

fn here(folder: &tempfile::TempDir, args: &[&str]) -> Command {
    let mut command = dbctl(args);
    command.current_dir(folder.path());
    command
}

#[test]
fn a_job_runs_by_its_name_on_its_target_under_the_flags_that_are_given() {
    let (db, other) = (Database::new(), Database::new());
    for db in [&db, &other] {
        db.sql(
            "CREATE TABLE contact_mappings (a int); CREATE TABLE \"Odd name\" (a int);
             CREATE MATERIALIZED VIEW consultant_metrics AS SELECT 1 AS one",
        );
    }
    let folder = folder(&format!(
        "targets:\n  bridge: {{url: '{}'}}\n  other: {{url: '{}'}}\nmaintain:\n  weekly-vacuum:\n    run: vacuum --table contact_mappings --table '\"Odd \
         name\"' --analyze\n    schedule: 0 3 * * 0\n    target: bridge\n  metrics:\n    run: refresh consultant_metrics --target \
         other\n    schedule: '*/5 * * * *'\n  by-hand:\n    run: vacuum\n",
        db.url(),
        other.url()
    ));
    let json = |args: &[&str], code: i32| -> Value {
        let run = run(here(&folder, args).args(["--format", "json"])).expect_code(code);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let plan = json(&["maintain", "run", "weekly-vacuum", "--dry-run"], 0);
    assert_eq!(plan["target"], "bridge");
    assert_eq!(tables(&plan, "tasks"), ["public.\"Odd name\"", "public.contact_mappings"]);
    assert_eq!(tables(&json(&["maintain", "run", "weekly-vacuum"], 0), "tables").len(), 2);
    assert_eq!(
        db.one("SELECT count(*) FROM pg_class WHERE reltuples = 0 AND relname IN ('contact_mappings', 'Odd name')"),
        "2"
    );
    assert_eq!(json(&["maintain", "run", "weekly-vacuum", "--target", "other", "--dry-run"], 0)["target"], "other");
    assert_eq!(json(&["maintain", "run", "metrics"], 0)["target"], "other");
    assert_eq!(json(&["maintain", "list"], 0)["jobs"].as_array().unwrap().len(), 3);
    let unknown = run(&mut here(&folder, &["maintain", "run", "nothing"])).expect_code(64);
    assert!(unknown.stderr.contains("its jobs: weekly-vacuum, metrics, by-hand"), "{}", unknown.stderr);

    let lines = |how: &str| json(&["schedule", "print", how], 0)["lines"].as_str().unwrap().to_owned();
    let cron = lines("--cron");
    assert_eq!(cron.lines().count(), 2, "{cron}");
    let command = cron.lines().next().unwrap().strip_prefix("0 3 * * 0 ").unwrap();
    let ran = run(Command::new("/bin/sh").args(["-c", command]).current_dir("/")).expect_code(0);
    assert!(ran.stdout.is_empty() && ran.stderr.is_empty(), "cron would send a mail: {}{}", ran.stdout, ran.stderr);
    assert!(lines("--systemd").contains("OnCalendar=Sun *-*-* 03:00:00"));
    assert!(lines("--pg-cron").contains("'VACUUM (ANALYZE) contact_mappings'"));
}

#[test]
fn what_is_wrong_in_a_job_is_told_with_its_line() {
    let folder = folder(
        "targets:\n  a: {url: 'postgresql://h/d'}\nmaintain:\n  one: {run: vacuum, schedule: 0 25 * * *}\n  two: {schedule: '@daily'}\n  \
         three: {run: vacuum, target: b}\n  fo/ur: {run: vacuum}\n  five: {run: maintain run one}\n",
    );
    let wrong = run(&mut here(&folder, &["maintain", "list"])).expect_code(65).stderr;
    for told in [
        "'25' is not within 0 to 23",
        "does not say what to run",
        "no target of that name",
        "not a name for a job",
        "cannot run jobs",
    ] {
        assert!(wrong.contains(told), "{told}: {wrong}");
    }
}
