//! How it is told: formats, exit codes, what is ignored, several targets, few rights, a pool.

use dbctl::pg::sandbox::Options;

use super::*;
use crate::harness::{Database, Pooler, private_server};

#[test]
fn formats_exit_codes_ignore_targets_and_rights() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    let folder = folder();
    let at = |yaml: &str, args: &[&str]| check(&db.url(), folder.path(), yaml, args);
    db.sql("CREATE TABLE \"Odd | 'name'\" (a serial)");
    db.sql("INSERT INTO \"Odd | 'name'\" SELECT generate_series(1, 2)");
    db.sql("SELECT setval('public.\"Odd | ''name''_a_seq\"', 2000000000)");
    let sequences = ["--only", "sequences"];

    at("", &sequences).expect_code(2);
    at("checks: {sequences: {crit: off}}\n", &sequences).expect_code(1);
    at("checks: {sequences: {warn: 99%, crit: 99%}}\n", &sequences).expect_code(0);
    at("checks: {sequences: {override: [{object: '*Odd*', warn: off, crit: 99}]}}\n", &sequences).expect_code(0);
    let ignore = |until: &str| {
        format!("checks: {{ignore: [{{check: sequences, object: '*Odd*', reason: it is known, until: {until}}}]}}\n")
    };
    let ignored = at(&ignore("2999-01-01"), &sequences).expect_code(0);
    assert!(ignored.stdout.contains("is ignored: it is known"), "{}", ignored.stdout);
    let told = |format: &str| at(&ignore("2999-01-01"), &[&sequences[..], &["--format", format]].concat()).stdout;
    assert!(told("nagios").contains("in order; 1 finding is ignored |"), "{}", told("nagios"));
    assert!(told("junit").contains("is ignored: it is known"), "{}", told("junit"));
    let expired = at(&ignore("2020-01-01"), &sequences).expect_code(2);
    assert!(expired.stdout.contains("was ignored until 2020-01-01"), "{}", expired.stdout);
    assert!(expired.stdout.lines().all(|line| line.chars().count() <= 80), "{}", expired.stdout);
    // One that is over does not undo another one that is in force, whichever stands first.
    let rule = |until: &str| format!("{{check: sequences, reason: it is known, until: {until}}}");
    for both in [["2020-01-01", "2999-01-01"], ["2999-01-01", "2020-01-01"]] {
        let yaml = format!("checks: {{ignore: [{}, {}]}}\n", rule(both[0]), rule(both[1]));
        at(&yaml, &sequences).expect_code(0);
    }
    at("checks: {sequences: off}\n", &[]).stdout.contains("sequences").then(|| panic!("it is off"));

    let wrong = at("checks:\n  sequnces: {warn: 1}\n", &[]).expect_code(65);
    assert!(wrong.stderr.contains("dbctl.yaml:2") && wrong.stderr.contains("'sequences'"), "{}", wrong.stderr);
    at("", &["--only", "sequnces"]).expect_code(64);
    let nothing = at("", &["--only", "sequences", "--skip", "sequences"]).expect_code(64);
    assert!(nothing.stderr.contains("nothing would be checked"), "{}", nothing.stderr);
    let inverted = at("checks:\n  sequences: {warn: 90, crit: 80}\n", &[]).expect_code(65);
    assert!(inverted.stderr.contains("dbctl.yaml:2") && inverted.stderr.contains("below warn"), "{}", inverted.stderr);

    let line = at("", &["--only", "sequences", "--format", "nagios"]).expect_code(2).stdout;
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with("DBCTL CRITICAL - CRIT sequences: public."), "{line}");
    assert!(line.contains(" | 'sequences.used'=93.13") && line.contains("%;70;90;0"), "{line}");
    assert_eq!(line.matches('|').count(), 1, "{line}");

    let out = folder.path().join("dbctl.prom");
    let file = ["--only", "sequences", "--format", "prometheus", "--out", out.to_str().unwrap()];
    assert_eq!(at("", &file).expect_code(2).stdout, "");
    let text = std::fs::read_to_string(&out).unwrap();
    let database = db.name();
    assert!(text.contains(&format!("dbctl_check_status{{database=\"{database}\",check=\"sequences\"}} 2\n")), "{text}");
    assert!(
        text.contains("dbctl_last_run_timestamp_seconds{") && text.contains("dbctl_check_series_dropped{"),
        "{text}"
    );
    // Each sample is a name, labels and a number, without a time.
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (labels, value) = line.rsplit_once("} ").unwrap();
        assert!(labels.starts_with("dbctl_") && value.parse::<f64>().is_ok(), "{line}");
    }
    // 1 would be a warning of the server's.
    let nowhere = ["--only", "sequences", "--out", "/nowhere/at/all"];
    let failed = at("", &nowhere).expect_code(3);
    assert!(failed.stderr.contains("/nowhere/at/all"), "{}", failed.stderr);
    let junit = at("", &["--only", "sequences", "--format", "junit"]).expect_code(2).stdout;
    assert!(junit.contains("tests=\"2\" failures=\"1\"") && junit.contains("name=\"conn\"/>"), "{junit}");

    let targets = format!(
        "targets:\n  good: {{url: '{}'}}\n  gone: {{url: 'postgresql://postgres@/x?host=/nowhere'}}\n",
        db.url()
    );
    let both = at(&targets, &["--all-targets", "--only", "pending_restart", "--format", "json"]).expect_code(2);
    let answer = json(&both);
    assert_eq!(
        (&answer["level"], &answer["crit"], &answer["unknown"], &answer["ok"]),
        (&"CRIT".into(), &1.into(), &1.into(), &2.into())
    );
    at(&targets, &["--target", "good", "--only", "pending_restart"]).expect_code(0);
    // What is wrong with one target's own words keeps no other from being looked at.
    let targets = format!(
        "targets:\n  unset: {{url: '${{DBCTL_NOT_SET_AT_ALL}}'}}\n  odd: {{url: 'postgresql://h/x?sslmode=maybe'}}\n  good: {{url: '{}'}}\n",
        db.url()
    );
    let all = json(&at(&targets, &["--all-targets", "--only", "pending_restart", "--format", "json"]).expect_code(3));
    let levels: Vec<(&str, &str)> = all["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["target"].as_str().unwrap(), row["level"].as_str().unwrap()))
        .collect();
    for target in ["unset", "odd"] {
        assert_eq!(levels.iter().filter(|found| **found == (target, "UNKNOWN")).count(), 2, "{all}");
    }
    assert_eq!(levels.iter().filter(|found| **found == ("good", "OK")).count(), 2, "{all}");
    assert!(all.to_string().contains("DBCTL_NOT_SET_AT_ALL") && all.to_string().contains("maybe"), "{all}");
    at(&targets, &["--target", "unset", "--only", "pending_restart"]).expect_code(65);

    db.sql("CREATE ROLE check_monitor LOGIN IN ROLE pg_monitor; CREATE ROLE check_nobody LOGIN");
    let blind = check(
        &db.url_as("check_nobody"),
        folder.path(),
        "",
        &["--only", "sequences,disk,long_query", "--format", "json"],
    );
    let blind = json(&blind.expect_code(3));
    for (id, words) in [("sequences", "cannot be read"), ("disk", "GRANT pg_monitor")] {
        let (level, message) = verdict(&blind, id);
        assert!(level == "UNKNOWN" && message.contains(words), "{id}: {level} {message}");
    }
    let seen = json(&check(
        &db.url_as("check_monitor"),
        folder.path(),
        "",
        &["--only", "disk,long_query", "--format", "json"],
    ));
    assert_ne!(verdict(&seen, "disk").0, "UNKNOWN", "{seen}");
    assert_eq!(verdict(&seen, "long_query").0, "OK", "{seen}");

    // Who watches rollbacks must not make any.
    let rolled_back = || db.one("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()");
    let before = rolled_back();
    at("", &["--skip", "fsync"]);
    assert_eq!(rolled_back(), before);

    // Beside a locked table, and through a pool of transactions.
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE \"Odd | 'name'\" IN ACCESS EXCLUSIVE MODE");
    at("", &sequences).expect_code(2);
    if let Some(pooler) = Pooler::start(&server, "transaction", &[]) {
        check(&pooler.url(db.name()), folder.path(), "", &sequences).expect_code(2);
    }
}
