//! The answer for a ticket: GitHub tables with the words a person reads. Text from a server cannot
//! break out of its cell or become markup.

use super::human::{is_quantity, visible, visible_lines, words};
use super::{Document, Section, Table, Value};

/// The whole answer.
pub(super) fn render(document: &Document) -> String {
    let mut parts = Vec::new();
    if !document.facts.is_empty() {
        let fact = |fact: &super::Fact| format!("- **{}:** {}\n", inline(fact.label), inline(&words(&fact.value)));
        parts.push(document.facts.iter().map(fact).collect());
    }
    for section in &document.sections {
        parts.push(match section {
            Section::Table(table) if !table.is_for_people() => continue,
            Section::Table(table) if table.rows.is_empty() => format!("{}\n", inline(table.empty)),
            Section::Table(table) => grid(table),
            Section::Machine { .. } => continue,
            Section::Tree(tree) => fenced(&tree.text),
            Section::Text { text, .. } => fenced(text),
        });
    }
    if !document.notes.is_empty() {
        parts.push(document.notes.iter().map(|note| format!("> note: {}\n", inline(&visible(note)))).collect());
    }
    parts.join("\n")
}

fn grid(table: &Table) -> String {
    let shown: Vec<usize> = (0..table.columns.len()).filter(|i| !table.columns[*i].machine_only).collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(shown.iter().map(|i| inline(table.columns[*i].heading)).collect());
    let is_right =
        |i: &usize| table.rows.iter().all(|row| row.get(*i).is_some_and(|v| is_quantity(v) || *v == Value::None));
    text += &line(shown.iter().map(|i| if is_right(i) { "---:" } else { "---" }.to_owned()).collect());
    for row in &table.rows {
        text += &line(shown.iter().map(|i| row.get(*i).map(|v| inline(&words(v))).unwrap_or_default()).collect());
    }
    text
}

/// Text of one line with everything escaped that GitHub would read as markup. An underscore inside a
/// word is none.
fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let in_word = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '|' | '`' | '*' | '[' | ']' | '~' => escaped.extend(['\\', c]),
            '_' if !in_word => escaped.push_str("\\_"),
            c => escaped.push(c),
        }
        before = c;
    }
    escaped
}

/// A block whose fence is longer than any in the text.
fn fenced(text: &str) -> String {
    let text = visible_lines(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}
