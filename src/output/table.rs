//! The answer for a person: aligned facts, tables under a rule, plain spaces that copy well into a
//! ticket. Knows comfy-table; decides nothing about what is shown.

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, TableStyle, Width};

use super::human::{is_quantity, visible_lines, words};
use super::{Document, Section, Style, Table, Value};

/// Between two columns.
const GAP: u16 = 2;
/// Text columns are not wrapped below this: a table that would need it is printed as records.
const NARROWEST_TEXT: u16 = 12;

/// The width of the terminal that standard output is, if it is one.
pub(super) fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

/// The whole answer, with a line break at its end.
pub(super) fn render(document: &Document, style: &Style) -> String {
    let mut parts = Vec::new();
    if !document.facts.is_empty() {
        let facts = document.facts.iter().map(|fact| (format!("{}:", fact.label), words(&fact.value)));
        parts.push(pairs(&facts.collect::<Vec<_>>(), style));
    }
    for section in &document.sections {
        match section {
            Section::Table(table) if !table.is_for_people() => {}
            Section::Table(table) if table.rows.is_empty() => parts.push(paragraph(table.empty, style)),
            Section::Table(table) => parts.push(grid(table, style).unwrap_or_else(|| records(table, style))),
            Section::Machine { .. } => {}
            Section::Tree(tree) if tree.text.is_empty() => {}
            Section::Tree(tree) => parts.push(with_line_end(visible_lines(&tree.text))),
            Section::Text { text, .. } if text.is_empty() => {}
            Section::Text { text, .. } => parts.push(with_line_end(visible_lines(text))),
        }
    }
    if !document.notes.is_empty() {
        parts.push(document.notes.iter().map(|note| labelled("note:", &super::visible(note), style)).collect());
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// A table with headings over a rule, or nothing when its columns cannot fit side by side.
fn grid(table: &Table, style: &Style) -> Option<String> {
    let shown: Vec<usize> = (0..table.columns.len()).filter(|i| !table.columns[*i].machine_only).collect();
    let headings: Vec<String> = shown.iter().map(|i| table.columns[*i].heading.to_owned()).collect();
    let cell = |row: &[Value], i: usize| row.get(i).map(words).unwrap_or_default();
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| shown.iter().map(|i| cell(row, *i)).collect()).collect();
    let right: Vec<bool> = shown.iter().map(|i| is_right_aligned(table, *i)).collect();

    let natural: Vec<u16> = std::iter::once(&headings).chain(&rows).fold(vec![1; shown.len()], |widest, row| {
        widest.iter().zip(row).map(|(widest, text)| (*widest).max(text_width(text))).collect()
    });
    let least: Vec<u16> = (0..shown.len()).map(|i| if right[i] { natural[i] } else { least_width(&rows, i) }).collect();
    let widths = fit(&natural, &least, style.width)?;

    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(usize::from(*width))).collect();
    let mut text = draw(&[headings], &widths, &right, style, Some(Attribute::Bold));
    text.push_str(&rule.join(&" ".repeat(usize::from(GAP))));
    text.push('\n');
    text.push_str(&draw(&rows, &widths, &right, style, None));
    Some(text)
}

/// A record a row, for tables with more columns than the width can hold.
fn records(table: &Table, style: &Style) -> String {
    let record = |row: &Vec<Value>| {
        let columns = table.columns.iter().zip(row).filter(|(column, _)| !column.machine_only);
        pairs(&columns.map(|(column, value)| (format!("{}:", column.heading), words(value))).collect::<Vec<_>>(), style)
    };
    table.rows.iter().map(record).collect::<Vec<_>>().join("\n")
}

/// Labels and values, the values aligned under each other.
fn pairs(pairs: &[(String, String)], style: &Style) -> String {
    let widest =
        |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| text_width(text)).max().unwrap_or(1).max(1);
    let labels = widest(&mut pairs.iter().map(|(label, _)| label)).min(style.width / 2 - GAP);
    let values = widest(&mut pairs.iter().map(|(_, value)| value)).min(style.width - labels - GAP);
    let rows: Vec<Vec<String>> = pairs.iter().map(|(label, value)| vec![label.clone(), value.clone()]).collect();
    draw(&rows, &[labels, values], &[false, false], style, None)
}

/// `note: …`, its further lines indented.
fn labelled(label: &str, text: &str, style: &Style) -> String {
    let width = text_width(label);
    let rows = [vec![label.to_owned(), text.to_owned()]];
    let rest = style.width - width - 1;
    draw_with_gap(&rows, &[width, text_width(text).clamp(1, rest)], &[false, false], style, None, 1)
}

fn paragraph(text: &str, style: &Style) -> String {
    let rows = [vec![text.to_owned()]];
    draw(&rows, &[text_width(text).clamp(1, style.width)], &[false], style, None)
}

fn draw(rows: &[Vec<String>], widths: &[u16], right: &[bool], style: &Style, attribute: Option<Attribute>) -> String {
    draw_with_gap(rows, widths, right, style, attribute, GAP)
}

/// Lines of cells, each cell wrapped to its column's width, without trailing spaces.
fn draw_with_gap(
    rows: &[Vec<String>],
    widths: &[u16],
    right: &[bool],
    style: &Style,
    attribute: Option<Attribute>,
    gap: u16,
) -> String {
    let mut table = comfy_table::Table::new();
    table.force_no_tty().load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(style.width);
    if style.color {
        table.enforce_styling().style_text_only();
    }
    for row in rows {
        table.add_row(row.iter().map(|text| {
            let cell = Cell::new(text);
            let cell = match attribute {
                Some(attribute) if style.color => cell.add_attribute(attribute),
                _ => cell,
            };
            if style.color && text == "UNKNOWN" { cell.fg(comfy_table::Color::Yellow) } else { cell }
        }));
    }
    for (i, width) in widths.iter().enumerate() {
        let Some(column) = table.column_mut(i) else { continue };
        let padding = if i + 1 < widths.len() { gap } else { 0 };
        column.set_padding((0, padding));
        // comfy-table counts the padding as part of an absolute width.
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width + padding)));
        column.set_cell_alignment(if right[i] { CellAlignment::Right } else { CellAlignment::Left });
    }
    table.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// The columns' widths in a line of `width` characters: what they need, or the widest text columns cut
/// to one common width. Nothing when that would go below `least`.
fn fit(natural: &[u16], least: &[u16], width: u16) -> Option<Vec<u16>> {
    let gaps = u32::from(GAP) * u32::try_from(natural.len().saturating_sub(1)).ok()?;
    let room = u32::from(width).checked_sub(gaps)?;
    let cut_to = |cap: u16| natural.iter().zip(least).map(move |(natural, least)| (*natural).min(cap).max(*least));
    let needs = |cap: u16| cut_to(cap).map(u32::from).sum::<u32>();
    let cap = if needs(u16::MAX) <= room { u16::MAX } else { (1..width).rev().find(|cap| needs(*cap) <= room)? };
    Some(cut_to(cap).collect())
}

/// How far a text column may be narrowed: to its longest word when that is short.
fn least_width(rows: &[Vec<String>], column: usize) -> u16 {
    let words = rows.iter().filter_map(|row| row.get(column)).flat_map(|text| text.split(' '));
    words.map(text_width).max().unwrap_or(1).clamp(1, NARROWEST_TEXT)
}

fn is_right_aligned(table: &Table, column: usize) -> bool {
    let mut values = table.rows.iter().filter_map(|row| row.get(column));
    let said = |value: &&Value| !matches!(value, Value::None | Value::Unknown);
    values.clone().any(|value| said(&value)) && values.all(|value| !said(&value) || is_quantity(value))
}

/// How many cells of a terminal a text takes, as comfy-table measures it.
fn text_width(text: &str) -> u16 {
    if text.is_ascii() {
        return u16::try_from(text.len()).unwrap_or(u16::MAX);
    }
    let mut table = comfy_table::Table::new();
    table.force_no_tty().add_row([text]);
    table.column_max_content_widths().first().copied().unwrap_or(0)
}

fn with_line_end(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
