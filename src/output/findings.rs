//! Findings in the forms that other programs show them in: SARIF for code scanning, JUnit for test
//! reports, workflow commands for GitHub, code quality for GitLab. Knows no rule and no database.

use serde_json::{Value as Json, json};

use super::human::visible;

/// What a command found, with the rules that it looked by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// What looked, for example `migrate lint`.
    pub by: &'static str,
    /// The rules that it can find by, sorted by id: those that found nothing too, as JUnit's passed tests.
    pub rules: Vec<Rule>,
    /// What was found, in the order a person reads it.
    pub found: Vec<Finding>,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Stable, for example `adding-required-field`.
    pub id: String,
    /// One sentence.
    pub summary: String,
}

/// How bad a finding is; the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Note,
    /// Should be looked at.
    Warning,
    /// Should not pass.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The id of its rule.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// What is wrong, in a sentence or more.
    pub message: String,
    /// What to do: text or SQL.
    pub help: Option<String>,
    /// Where in a file.
    pub place: Option<Place>,
    /// Which object of a database, as a stable id.
    pub object: Option<String>,
    /// The same for the same finding of tomorrow, wherever its lines have moved to.
    pub fingerprint: String,
}

/// A place in a file. Lines and columns count from 1, the end is behind the last character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Path as the user wrote it.
    pub file: String,
    /// First line.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column in characters.
    pub end_column: usize,
}

impl Level {
    /// Every spelling, mildest first.
    pub const NAMES: [&'static str; 3] = ["note", "warning", "error"];

    /// `note`, `warning`, `error`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        match text {
            "note" => Ok(Level::Note),
            "warning" => Ok(Level::Warning),
            "error" => Ok(Level::Error),
            _ => Err(format!("'{}' is not one of {}", visible(text), Level::NAMES.join(", "))),
        }
    }
}

impl Findings {
    /// The worst level found.
    pub fn worst(&self) -> Option<Level> {
        self.found.iter().map(|finding| finding.level).max()
    }
}

/// SARIF 2.1.0, as code scanning reads it.
pub(super) fn sarif(findings: &Findings) -> String {
    let rules = findings.rules.iter().map(|rule| json!({"id": rule.id, "shortDescription": {"text": rule.summary}}));
    let results = findings.found.iter().map(|finding| {
        let mut location = json!({});
        if let Some(place) = &finding.place {
            location["physicalLocation"] = json!({
                "artifactLocation": {"uri": uri(&place.file)},
                "region": {
                    "startLine": place.line,
                    "startColumn": place.column,
                    "endLine": place.end_line,
                    "endColumn": place.end_column,
                },
            });
        }
        if let Some(object) = &finding.object {
            location["logicalLocations"] = json!([{"fullyQualifiedName": object}]);
        }
        json!({
            "ruleId": finding.rule,
            "level": finding.level.name(),
            "message": {"text": said(finding)},
            "locations": [location],
            "partialFingerprints": {"dbctl/v1": finding.fingerprint},
        })
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "dbctl",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<Json>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<Json>>(),
        }],
    });
    format!("{log:#}\n")
}

/// JUnit: a test case a rule, failed where it found something above a note.
pub(super) fn junit(findings: &Findings) -> String {
    let mut cases = String::new();
    let mut failures = 0;
    for rule in &findings.rules {
        let found: Vec<&Finding> = findings.found.iter().filter(|finding| finding.rule == rule.id).collect();
        let name = format!("classname=\"dbctl.{}\" name=\"{}\"", xml(findings.by), xml(&rule.id));
        let told = |finding: &&Finding| format!("{}{}", whereabouts(finding), said(finding));
        if found.is_empty() {
            cases.push_str(&format!("  <testcase {name}/>\n"));
            continue;
        }
        if found.iter().all(|finding| finding.level == Level::Note) {
            let notes: Vec<String> = found.iter().map(told).collect();
            let notes = xml(&notes.join("\n"));
            cases.push_str(&format!("  <testcase {name}>\n    <system-out>{notes}</system-out>\n  </testcase>\n"));
            continue;
        }
        failures += 1;
        let texts: Vec<String> = found.iter().map(told).collect();
        cases.push_str(&format!(
            "  <testcase {name}>\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n",
            xml(&format!("{}: {} found", rule.summary, found.len())),
            xml(&texts.join("\n")),
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dbctl {}\" tests=\"{}\" failures=\"{failures}\">\n{cases}</testsuite>\n",
        xml(findings.by),
        findings.rules.len(),
    )
}

/// Workflow commands: annotations on the lines of a pull request.
pub(super) fn github(findings: &Findings) -> String {
    let mut lines = String::new();
    for finding in &findings.found {
        let command = match finding.level {
            Level::Note => "notice",
            level => level.name(),
        };
        let mut properties = Vec::new();
        if let Some(place) = &finding.place {
            properties.push(format!("file={}", github_property(&place.file)));
            properties.push(format!("line={},endLine={}", place.line, place.end_line));
            properties.push(format!("col={},endColumn={}", place.column, place.end_column));
        }
        properties.push(format!("title={}", github_property(&finding.rule)));
        let object = finding.object.as_ref().map_or(String::new(), |object| format!("{object}: "));
        let message = github_text(&format!("{object}{}", said(finding)));
        lines.push_str(&format!("::{command} {}::{message}\n", properties.join(",")));
    }
    lines
}

/// GitLab's code quality report.
pub(super) fn gitlab(findings: &Findings) -> String {
    let list: Vec<Json> = findings
        .found
        .iter()
        .map(|finding| {
            let severity = match finding.level {
                Level::Note => "info",
                Level::Warning => "minor",
                Level::Error => "major",
            };
            // GitLab shows nothing without a place: an object of a database stands in for a file.
            let (path, line) = match (&finding.place, &finding.object) {
                (Some(place), _) => (place.file.clone(), place.line),
                (None, Some(object)) => (object.clone(), 1),
                (None, None) => (findings.by.to_owned(), 1),
            };
            json!({
                "description": said(finding),
                "check_name": finding.rule,
                "fingerprint": finding.fingerprint,
                "severity": severity,
                "location": {"path": path, "lines": {"begin": line}},
            })
        })
        .collect();
    format!("{:#}\n", Json::Array(list))
}

/// A path as a reference of RFC 3986.
fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

fn said(finding: &Finding) -> String {
    match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    }
}

fn whereabouts(finding: &Finding) -> String {
    match (&finding.place, &finding.object) {
        (Some(place), _) => format!("{}:{}:{}: ", place.file, place.line, place.column),
        (None, Some(object)) => format!("{object}: "),
        (None, None) => String::new(),
    }
}

/// Text inside of XML; characters that XML 1.0 has no place for become U+FFFD.
fn xml(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
        out
    })
}

fn github_text(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn github_property(text: &str) -> String {
    github_text(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        let rule = |id: &str| Rule { id: id.to_owned(), summary: format!("about {id}") };
        let found = Finding {
            rule: "bad".to_owned(),
            level: Level::Error,
            message: "locks \"t\" & waits, 100%".to_owned(),
            help: Some("ALTER TABLE t;".to_owned()),
            place: Some(Place { file: "a,b.sql".to_owned(), line: 2, column: 3, end_line: 2, end_column: 9 }),
            object: None,
            fingerprint: "f1".to_owned(),
        };
        let note = Finding {
            rule: "odd".to_owned(),
            level: Level::Note,
            message: "differs".to_owned(),
            help: None,
            place: None,
            object: Some("table:app.t".to_owned()),
            fingerprint: "f2".to_owned(),
        };
        Findings { by: "migrate lint", rules: vec![rule("bad"), rule("odd")], found: vec![found, note] }
    }

    #[test]
    fn workflow_commands_escape_what_would_end_them() {
        insta::assert_snapshot!(github(&findings()), @r#"
        ::error file=a%2Cb.sql,line=2,endLine=2,col=3,endColumn=9,title=bad::locks "t" & waits, 100%25%0AALTER TABLE t;
        ::notice title=odd::table:app.t: differs
        "#);
    }

    #[test]
    fn a_rule_is_a_test_case_and_a_note_fails_none() {
        insta::assert_snapshot!(junit(&findings()), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite name="dbctl migrate lint" tests="2" failures="1">
          <testcase classname="dbctl.migrate lint" name="bad">
            <failure message="about bad: 1 found">a,b.sql:2:3: locks &quot;t&quot; &amp; waits, 100%
        ALTER TABLE t;</failure>
          </testcase>
          <testcase classname="dbctl.migrate lint" name="odd">
            <system-out>table:app.t: differs</system-out>
          </testcase>
        </testsuite>
        "#);
    }

    #[test]
    fn sarif_and_code_quality_are_json_with_level_place_and_fingerprint() {
        let log: Json = serde_json::from_str(&sarif(&findings())).unwrap();
        let results = &log["runs"][0]["results"];
        assert_eq!(results[0]["level"], "error");
        assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startColumn"], 3);
        assert_eq!(results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a,b.sql");
        assert_eq!(uri("über 100%/a:b.sql"), "%C3%BCber%20100%25/a%3Ab.sql");
        assert_eq!(results[1]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "table:app.t");
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][1]["id"], "odd");
        let quality: Json = serde_json::from_str(&gitlab(&findings())).unwrap();
        assert_eq!(quality[0]["severity"], "major");
        assert_eq!(quality[1]["location"]["path"], "table:app.t");
        assert_eq!(quality[1]["fingerprint"], "f2");
    }

    #[test]
    fn levels_are_ordered_and_spelt() {
        assert_eq!(findings().worst(), Some(Level::Error));
        assert!(Level::NAMES.iter().map(|name| name.parse::<Level>().unwrap()).is_sorted());
        assert!("fatal".parse::<Level>().is_err());
    }
}
