//! What was found, as an answer: grouped by object for people, a row a difference for programs, findings
//! for code review. Knows no server.

use sha2::{Digest, Sha256};
use similar::TextDiff;

use super::Report;
use super::compare::{Difference, Direction, What, Whole};
use super::ignore::full_name;
use super::names::outermost;
use super::verdict::Verdict;
use crate::output::{Column, Document, Finding, Findings, Level, Rule, Table, Value as Cell};
use crate::schema::{Id, Kind, Property, Value};

/// Text that fits 80 columns behind its indentation and label.
const WIDTH: usize = 64;

/// The answer. For people (`brief`) differences are a text, for programs a table.
pub fn report(report: &Report, brief: bool) -> Document {
    let count = |direction| report.found.iter().filter(|(found, _)| found.direction() == direction).count();
    let verdict = report.verdict();
    let mut document = Document::new("drift", 1).fact("database", "database", report.database.as_str()).fact(
        "expected",
        "expected",
        report.expected.as_str(),
    );
    if brief {
        let counts: Vec<String> = Direction::ALL
            .iter()
            .map(|direction| (count(*direction), direction.word()))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let found = match (counts.is_empty(), verdict) {
            (true, Verdict::Unknown) => Cell::Unknown,
            (true, _) => "in sync".into(),
            (false, _) => counts.join(", ").into(),
        };
        document = document.fact("drift", "drift", found);
        if !report.pending.is_empty() {
            document = document.fact("pending", "pending", Cell::List(report.pending.clone()));
        }
        document = document.text("differences", text(&report.found));
    } else {
        let in_sync = match (report.found.is_empty(), report.unknown.is_empty()) {
            (false, _) => false.into(),
            (true, true) => true.into(),
            (true, false) => Cell::Unknown,
        };
        document = document
            .fact("in_sync", "in sync", in_sync)
            .fact("extra", "extra", count(Direction::Extra))
            .fact("missing", "missing", count(Direction::Missing))
            .fact("changed", "changed", count(Direction::Changed))
            .fact("renamed", "renamed", count(Direction::Renamed))
            .fact("partitions_passed_over", "partitions passed over", report.passed_over)
            .fact("pending", "pending", Cell::List(report.pending.clone()))
            .fact("unknown", "unknown", Cell::List(report.unknown.clone()))
            .table(table(&report.found))
            .table(rules(report));
    }
    for note in notes(report) {
        document = document.note(note);
    }
    document.findings = Some(findings(report));
    document
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = report.unknown.iter().map(|what| format!("UNKNOWN: {what}")).collect();
    if !report.pending.is_empty() {
        notes.push(format!(
            "{} pending: 'dbctl migrate' applies them; they are no drift",
            migrations(report.pending.len())
        ));
    }
    if report.passed_over > 0 {
        notes.push(format!(
            "partitions that come and go by policy, on one side only: {}; --partitions exact compares them",
            report.passed_over
        ));
    }
    for applied in &report.ignored {
        let rule = &applied.rule;
        let kind = rule.kind.map_or("*", Kind::word);
        let property = rule.property.map(|property| format!("#{}", property.word())).unwrap_or_default();
        let what = format!("{kind}:{}{property} ({})", rule.name, rule.origin);
        notes.push(match applied.count {
            0 => format!("the rule {what} matched nothing: is it still needed?"),
            count => format!("{count} ignored by {what}: {}", rule.reason),
        });
    }
    notes.extend(report.notes.iter().cloned());
    notes
}

fn migrations(count: usize) -> String {
    if count == 1 { "1 migration is".to_owned() } else { format!("{count} migrations are") }
}

/// `materialized view`.
fn words(word: &str) -> String {
    word.replace('_', " ")
}

fn text(found: &[(Difference, Option<String>)]) -> String {
    let mut text = String::new();
    let mut group: Option<Id> = None;
    for (difference, repair) in found {
        let outer = outermost(&difference.id);
        if group.as_ref() != Some(&outer) {
            if group.is_some() {
                text.push('\n');
            }
            text.push_str(&format!("{} {}\n", words(outer.kind.word()), outer.name));
            group = Some(outer);
        }
        let direction = difference.direction();
        text.push_str(&format!("  {} {}{}\n", direction.mark(), direction.word(), subject(difference)));
        if let What::Changed { expected, actual, .. } = &difference.what {
            text.push_str(&change(expected.as_ref(), actual.as_ref()));
        }
        if let Some(contents) = contents(difference) {
            text.push_str(&indented("", &wrapped(&contents.to_string())));
        }
        if let Some(repair) = repair {
            text.push_str(&indented("repair: ", repair));
        }
    }
    text
}

/// What is in a whole object that is nothing but that.
fn contents(difference: &Difference) -> Option<&Value> {
    let (What::Extra(whole) | What::Missing(whole)) = &difference.what else { return None };
    match whole.object.id.kind {
        Kind::RoleSetting => whole.object.get(Property::Settings),
        Kind::DefaultPrivileges => whole.object.get(Property::Privileges),
        _ => None,
    }
}

/// What of the object that the group is of.
fn subject(difference: &Difference) -> String {
    let part = match difference.id.parent {
        Some(_) => format!(" {} {}", words(difference.id.kind.word()), difference.id.name),
        None => String::new(),
    };
    match &difference.what {
        What::Extra(whole) | What::Missing(whole) => format!("{part}{}", with_parts(whole)),
        What::Changed { property, .. } if part.is_empty() => format!(" {}", words(property.word())),
        What::Changed { property, .. } => format!("{part}: {}", words(property.word())),
        What::Renamed { to } => format!("{part}: now {to}"),
    }
}

fn with_parts(whole: &Whole) -> String {
    let parts: Vec<String> =
        whole.parts.iter().map(|(kind, count)| format!("{count} {}", plural(*kind, *count))).collect();
    if parts.is_empty() { String::new() } else { format!(", with {}", parts.join(", ")) }
}

fn plural(kind: Kind, count: usize) -> String {
    let word = words(kind.word());
    let stem = word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match (count, stem) {
        (1, _) => word,
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) if word.ends_with(['x', 's', 'h']) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// Short values under each other, long ones as a unified diff.
fn change(expected: Option<&Value>, actual: Option<&Value>) -> String {
    let (before, now) = (shown(expected), shown(actual));
    let is_long = |text: &str| text.contains('\n');
    if is_long(&before) || is_long(&now) {
        let mut text = "      - expected, + in the database\n".to_owned();
        for line in diff(&before, &now).lines() {
            text.push_str(format!("      {line}").trim_end());
            text.push('\n');
        }
        return text;
    }
    indented("expected: ", &wrapped(&before)) + &indented("actual:   ", &wrapped(&now))
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "(the usual)".to_owned(),
        Some(value) => match value.to_string() {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text,
        },
    }
}

fn diff(before: &str, now: &str) -> String {
    let (before, now) = (format!("{}\n", before.trim_end()), format!("{}\n", now.trim_end()));
    TextDiff::from_lines(&before, &now).unified_diff().context_radius(2).missing_newline_hint(false).to_string()
}

/// Lines behind a label, the further ones under the first.
fn indented(label: &str, text: &str) -> String {
    let mut lines = text.lines();
    let mut out = format!("      {label}{}\n", lines.next().unwrap_or_default());
    for line in lines {
        out.push_str(&format!("      {}{line}\n", " ".repeat(label.len())));
    }
    out
}

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { continue };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

fn table(found: &[(Difference, Option<String>)]) -> Table {
    let columns = vec![
        Column::new("id", "id"),
        Column::new("direction", "direction"),
        Column::new("object_kind", "kind"),
        Column::new("object", "object"),
        Column::new("property", "property"),
        Column::new("expected", "expected"),
        Column::new("actual", "actual"),
        Column::machine("parts"),
        Column::machine("repair"),
    ];
    let mut table = Table::new("differences", "in sync", columns);
    for (difference, repair) in found {
        let (expected, actual, parts) = match &difference.what {
            What::Changed { expected, actual, .. } => (cell(expected.as_ref()), cell(actual.as_ref()), Cell::None),
            What::Renamed { to } => {
                (Cell::Text(difference.id.name.to_string()), Cell::Text(to.to_string()), Cell::None)
            }
            What::Extra(whole) | What::Missing(whole) => {
                let parts = whole.parts.iter().map(|(kind, count)| format!("{count} {}", plural(*kind, *count)));
                let parts = Cell::List(parts.collect());
                match difference.direction() {
                    Direction::Extra => (Cell::None, cell(contents(difference)), parts),
                    _ => (cell(contents(difference)), Cell::None, parts),
                }
            }
        };
        table.push(vec![
            difference.stable_id().into(),
            difference.direction().word().into(),
            difference.id.kind.word().into(),
            full_name(&difference.id).into(),
            difference.property().map(|property| property.word()).into(),
            expected,
            actual,
            parts,
            repair.clone().into(),
        ]);
    }
    table
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        None => Cell::None,
        Some(Value::Bool(yes)) => Cell::Bool(*yes),
        Some(Value::Int(number)) => Cell::Int(*number),
        Some(Value::Text(text)) => Cell::Text(text.to_string()),
        Some(Value::List(items)) => Cell::List(items.iter().map(ToString::to_string).collect()),
    }
}

fn rules(report: &Report) -> Table {
    let columns = vec![
        Column::new("object_kind", "kind"),
        Column::new("name", "name"),
        Column::new("property", "property"),
        Column::new("ignored", "ignored"),
        Column::new("reason", "reason"),
        Column::new("origin", "from"),
    ];
    let mut table = Table::new("ignore_rules", "no rules", columns);
    for applied in &report.ignored {
        let rule = &applied.rule;
        table.push(vec![
            rule.kind.map_or("*", Kind::word).into(),
            rule.name.as_str().into(),
            rule.property.map(|property| property.word()).into(),
            applied.count.into(),
            rule.reason.as_str().into(),
            rule.origin.as_str().into(),
        ]);
    }
    table
}

const UNKNOWN: &str = "drift/unknown";

fn findings(report: &Report) -> Findings {
    let mut rules: Vec<Rule> = Kind::ALL
        .iter()
        .map(|kind| Rule { id: format!("drift/{}", kind.word()), summary: format!("{} as expected", plural(*kind, 2)) })
        .collect();
    rules.push(Rule { id: UNKNOWN.to_owned(), summary: "everything could be looked at".to_owned() });
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    let differences = report.found.iter().map(|(difference, repair)| Finding {
        rule: format!("drift/{}", difference.id.kind.word()),
        level: if report.fail_on.counts(difference.direction()) { Level::Error } else { Level::Warning },
        message: sentence(difference),
        help: repair.clone(),
        place: None,
        object: Some(difference.id.to_string()),
        fingerprint: fingerprint(difference.direction().word(), &difference.stable_id()),
    });
    let unknown = report.unknown.iter().map(|what| Finding {
        rule: UNKNOWN.to_owned(),
        level: Level::Error,
        message: format!("could not be told: {what}"),
        help: None,
        place: None,
        object: None,
        fingerprint: fingerprint("unknown", what),
    });
    Findings { by: "drift", rules, found: differences.chain(unknown).collect() }
}

fn fingerprint(direction: &str, id: &str) -> String {
    let digest = Sha256::digest(format!("{direction} {id}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn sentence(difference: &Difference) -> String {
    let what = format!("{} {}", words(difference.id.kind.word()), full_name(&difference.id));
    match &difference.what {
        What::Extra(whole) => format!("{what} is in the database and not expected{}", with_parts(whole)),
        What::Missing(whole) => format!("{what} is expected and not in the database{}", with_parts(whole)),
        What::Renamed { to } => format!("{what} is called {to} in the database"),
        What::Changed { property, expected, actual } => {
            let (before, now) = (shown(expected.as_ref()), shown(actual.as_ref()));
            let property = words(property.word());
            if before.contains('\n') || now.contains('\n') {
                format!("{what}: {property} differs\n{}", diff(&before, &now).trim_end())
            } else {
                format!("{what}: {property} is {now}, expected {before}")
            }
        }
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
