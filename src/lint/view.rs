//! Findings, rules and their pages as answers. Knows columns, not terminals.

use super::check::Placed;
use super::rule::Rule;
use super::{Report, Told};
use crate::excerpt;
use crate::migrate::source::Origin;
use crate::output::{self, Column, Document, Finding, Findings, Level, Place, Table};

/// The answer about a set.
pub(super) fn report(origin: &Origin, report: &Report, for_people: bool) -> Document {
    let count = |level| report.found.iter().filter(|told| told.placed.found.level == level).count();
    let mut document = Document::new("migrate.lint", 1)
        .fact("migrations", "migrations", origin.to_string())
        .fact("files", "files looked at", report.files)
        .fact("errors", "errors", count(Level::Error))
        .fact("warnings", "warnings", count(Level::Warning))
        .fact("notes_found", "notes", count(Level::Note))
        .fact("ignored", "ignored by comments", report.ignored)
        .fact("known", "known by the baseline", report.known);
    document = if for_people {
        let shown: Vec<String> = report.found.iter().map(shown).collect();
        let text = if shown.is_empty() { "nothing found".to_owned() } else { shown.join("\n\n") };
        document.text("report", text)
    } else {
        document.table(table(report))
    };
    document.notes.clone_from(&report.notes);
    let rules =
        super::all().into_iter().map(|rule| output::Rule { id: rule.id.to_owned(), summary: rule.finds.to_owned() });
    let found = report.found.iter().map(finding).collect();
    document.findings = Some(Findings { by: "migrate lint", rules: rules.collect(), found });
    document
}

/// One finding as a person reads it.
fn shown(told: &Told) -> String {
    let found = &told.placed.found;
    let mut text = format!("{}[{}]: {}\n", found.level.name(), found.rule.id, found.danger);
    if told.text.is_empty() {
        text.push_str(&format!(" --> {}\n", told.label));
    } else if found.rule.secret {
        let place = place(told);
        text.push_str(&format!(" --> {}:{}:{}\n", told.label, place.line, place.column));
    } else {
        let drawn = excerpt::at_bytes(&told.label, &told.text, found.span.clone(), "");
        for line in drawn.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    if let Some(lock) = &found.lock {
        text.push_str(&format!("  lock: {lock}\n"));
    }
    if let Some(fix) = &found.fix {
        text.push_str("  safe:\n");
        for line in fix.lines() {
            text.push_str(format!("    {line}").trim_end());
            text.push('\n');
        }
    }
    text.push_str(&format!("  more: dbctl migrate lint --explain {}", found.rule.id));
    text
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(
        "findings",
        "nothing found",
        vec![
            Column::new("level", "level"),
            Column::new("rule", "rule"),
            Column::new("file", "file"),
            Column::new("line", "line"),
            Column::new("column", "column"),
            Column::new("end_line", "end line"),
            Column::new("end_column", "end column"),
            Column::new("message", "what"),
            Column::new("lock", "lock"),
            Column::new("safe", "the safe way"),
            Column::new("table", "table"),
            Column::new("fingerprint", "fingerprint"),
        ],
    );
    for told in &report.found {
        let (found, place) = (&told.placed.found, place(told));
        table.push(vec![
            found.level.name().into(),
            found.rule.id.into(),
            place.file.into(),
            place.line.into(),
            place.column.into(),
            place.end_line.into(),
            place.end_column.into(),
            found.danger.as_str().into(),
            found.lock.clone().into(),
            found.fix.clone().into(),
            found.table.as_ref().map(ToString::to_string).into(),
            told.placed.fingerprint.as_str().into(),
        ]);
    }
    table
}

fn finding(told: &Told) -> Finding {
    let Placed { found, fingerprint, .. } = &told.placed;
    let message = match &found.lock {
        Some(lock) => format!("{}\nlock: {lock}", found.danger),
        None => found.danger.clone(),
    };
    Finding {
        rule: found.rule.id.to_owned(),
        level: found.level,
        message,
        help: found.fix.clone(),
        place: Some(place(told)),
        object: None,
        fingerprint: fingerprint.clone(),
    }
}

/// Lines and columns of a finding, from 1.
fn place(told: &Told) -> Place {
    let at = |byte: usize| {
        let mut byte = byte.min(told.text.len());
        while !told.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = told.lines.partition_point(|start| *start <= byte).max(1);
        let start = told.lines.get(line - 1).copied().unwrap_or(0);
        (line, told.text.get(start..byte).unwrap_or_default().chars().count() + 1)
    };
    let span = &told.placed.found.span;
    let ((line, column), (end_line, end_column)) = (at(span.start), at(span.end.max(span.start)));
    Place { file: told.label.clone(), line, column, end_line, end_column }
}

/// The list of the rules.
pub(super) fn rules(all: &[&'static Rule]) -> Document {
    let mut table = Table::new(
        "rules",
        "no rules",
        vec![
            Column::new("rule", "rule"),
            Column::new("level", "level"),
            Column::new("finds", "finds"),
            Column::machine("needs_database"),
            Column::machine("squawk"),
        ],
    );
    for rule in all {
        table.push(vec![
            rule.id.into(),
            rule.default_level().into(),
            rule.finds.into(),
            rule.needs_database.into(),
            output::Value::List(rule.squawk.iter().map(|name| (*name).to_owned()).collect()),
        ]);
    }
    Document::new("migrate.lint.rules", 1).table(table).note("one page each: dbctl migrate lint --explain RULE")
}

/// The page of a rule.
pub(super) fn page(rule: &Rule) -> Document {
    Document::new("migrate.lint.rule", 1).text("page", rule.page())
}
