//! An answer as a part of a page. Text from a server cannot become markup.

use maud::{Markup, html};

use super::human::{is_quantity, visible, visible_lines, words};
use super::{Document, Section, Table, Value};

/// Rows of a table that a page shows; the rest is counted.
const ROWS: usize = 50;

/// Facts, tables, texts and notes of an answer.
pub fn html(document: &Document) -> Markup {
    html! {
        @if !document.facts.is_empty() {
            dl {
                @for fact in document.facts.iter().filter(|fact| fact.value != Value::None) {
                    div { dt { (fact.label) } dd class=[(fact.value == Value::Unknown).then_some("unknown")] { (words(&fact.value)) } }
                }
            }
        }
        @for section in &document.sections {
            @match section {
                Section::Table(table) => (grid(table)),
                Section::Tree(tree) => pre { (visible_lines(tree.text.trim_end())) },
                Section::Text { text, .. } => pre { (visible_lines(text.trim_end())) },
                Section::Machine { .. } => {},
            }
        }
        @for note in &document.notes {
            p.note { (visible(note)) }
        }
    }
}

fn grid(table: &Table) -> Markup {
    let shown: Vec<usize> = (0..table.columns.len()).filter(|at| !table.columns[*at].machine_only).collect();
    let is_right = |at: usize| {
        table.rows.iter().all(|row| row.get(at).is_some_and(|cell| is_quantity(cell) || *cell == Value::None))
    };
    let class = |at: usize| if is_right(at) { "right" } else { "left" };
    html! {
        @if shown.is_empty() {
            // For machines only.
        } @else if table.rows.is_empty() {
            p { (table.empty) }
        } @else {
            div.scroll {
                table {
                    thead { tr { @for at in &shown { th class=(class(*at)) { (table.columns[*at].heading) } } } }
                    tbody {
                        @for row in table.rows.iter().take(ROWS) {
                            tr {
                                @for at in &shown {
                                    @let cell = row.get(*at).unwrap_or(&Value::None);
                                    td class=(class(*at)) { span class=[(*cell == Value::Unknown).then_some("unknown")] { (words(cell)) } }
                                }
                            }
                        }
                    }
                }
            }
            @if table.rows.len() > ROWS {
                p.note { "… and " (table.rows.len() - ROWS) " more" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Column;

    #[test]
    fn everything_of_an_answer_stands_there_and_nothing_becomes_markup() {
        let mut table = Table::new(
            "rows",
            "none",
            vec![Column::new("name", "name"), Column::new("n", "n"), Column::machine("oid")],
        );
        for _ in 0..=ROWS {
            table.push(vec!["<b>".into(), Value::Int(7), Value::Int(4711)]);
        }
        let mut machines = Table::new("machines", "nothing for them", vec![Column::machine("oid")]);
        (0..ROWS + 9).for_each(|_| machines.push(vec![Value::Int(4711)]));
        let document = Document::new("k", 1)
            .fact("f", "a fact", Value::Unknown)
            .table(table)
            .table(machines)
            .note("not <i>read</i>");
        let page = html(&document).into_string();
        assert!(page.contains("<dt>a fact</dt>") && page.contains("UNKNOWN"), "{page}");
        assert!(page.contains("&lt;b&gt;") && !page.contains("<b>") && !page.contains("<i>"), "{page}");
        assert!(page.contains("<td class=\"right\"><span>7</span></td>") && !page.contains("4711"), "{page}");
        assert!(page.contains("… and 1 more") && !page.contains("… and 9 more"), "{page}");
    }
}
