//! The forms that other programs read.

use super::{Folder, json};
use serde_json::Value;

fn folder() -> Folder {
    Folder::with(&[("V1__a.sql", "SELECT 1;\n  TRUNCATE app.\"Or,ders\";\nALTER TABLE app.b DROP COLUMN c;\n")])
}

#[test]
fn sarif_names_rule_place_and_fingerprint() {
    let log = json(&folder().lint(&["--format", "sarif"]).expect_code(2));
    let run = &log["runs"][0];
    let result = &run["results"][0];
    assert_eq!(
        (&log["version"], &result["ruleId"], &result["level"]),
        (&"2.1.0".into(), &"truncate".into(), &"error".into())
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "migrations/V1__a.sql");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&2.into(), &3.into()));
    assert!(result["partialFingerprints"].as_object().is_some_and(|map| !map.is_empty()));
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
    }
}

#[test]
fn junit_github_gitlab_json_and_text() {
    let folder = folder();
    let junit = folder.lint(&["--format", "junit"]).expect_code(2).stdout;
    assert!(junit.starts_with("<?xml") && junit.contains("name=\"truncate\">\n    <failure"), "{junit}");
    assert!(junit.contains("name=\"vacuum-full\"/>"), "{junit}");
    let github = folder.lint(&["--format", "github"]).expect_code(2).stdout;
    assert!(github.starts_with("::error file=migrations/V1__a.sql,line=2,endLine=2,col=3,"), "{github}");
    assert_eq!(github.lines().count(), 2, "{github}");
    let gitlab = json(&folder.lint(&["--format", "gitlab"]).expect_code(2));
    let severities: Vec<&Value> = gitlab.as_array().unwrap().iter().map(|it| &it["severity"]).collect();
    assert_eq!(severities, ["major", "minor"]);
    let text = folder.lint(&["--format", "text"]).expect_code(2).stdout;
    assert_eq!(text, folder.lint(&["--format", "table"]).expect_code(2).stdout);
    let document = json(&folder.lint(&["--format", "json"]).expect_code(2));
    assert_eq!((&document["kind"], &document["version"]), (&"migrate.lint".into(), &1.into()));
    assert_eq!(document["findings"][0]["table"], "app.\"Or,ders\"");
    for form in ["yaml", "csv", "ndjson", "markdown"] {
        assert!(folder.lint(&["--format", form]).expect_code(2).stdout.contains("truncate"), "{form}");
    }
    crate::lint::decent(&mut crate::harness::dbctl(&["migrate", "lint", "--rules", "--format", "sarif"]))
        .expect_code(64);
}
