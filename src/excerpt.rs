//! Source lines with a caret: how a place in a user's file is shown.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Lines longer than this are cut around the caret: a 50 MB INSERT is one line.
const LONGEST: usize = 160;

/// The line that holds character `at` (from 0), with a caret under it.
pub fn at_char(origin: &str, text: &str, at: usize, label: &str) -> String {
    let start = text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    at_bytes(origin, text, start..start, label)
}

/// The lines that hold the bytes `span`, with carets under them.
pub fn at_bytes(origin: &str, text: &str, span: Range<usize>, label: &str) -> String {
    let start = floor(text, span.start.min(text.len()));
    let line_start = text.get(..start).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    let line_end = text.get(start..).and_then(|t| t.find('\n')).map_or(text.len(), |i| start + i);
    let line_number = text.get(..line_start).map_or(1, |t| t.matches('\n').count() + 1);
    let cut_start = floor(text, line_start.max(start.saturating_sub(LONGEST / 2)));
    let cut_end = floor(text, line_end.min(cut_start + LONGEST));
    let line = text.get(cut_start..cut_end).unwrap_or_default();
    let column = text.get(line_start..start).map_or(1, |t| t.chars().count() + 1);
    let from = start - cut_start;
    let word =
        line.get(from..).map_or(0, |rest| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()));
    let to = if span.end > span.start { span.end.saturating_sub(cut_start).min(line.len()) } else { from + word };
    let place = format!("{origin}:{line_number}:{column}");
    let rendered = of_line(origin, line_number, line, from..floor(line, to.max(from)), label);
    // The renderer's own header counts columns from the cut; the place says it right.
    let body = rendered.lines().skip(1).collect::<Vec<_>>().join("\n");
    format!(" --> {place}\n{body}")
}

/// One line, given with its number and perhaps masked, with carets under the bytes `span` of it.
pub fn of_line(origin: &str, number: usize, line: &str, span: Range<usize>, label: &str) -> String {
    let annotation = AnnotationKind::Primary.span(span).label(label);
    let snippet = Snippet::source(line).path(origin).line_start(number).annotation(annotation);
    Renderer::plain().render(&[Group::with_level(Level::ERROR).element(snippet)])
}

fn floor(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_word_and_the_place_counts_from_one() {
        insta::assert_snapshot!(at_char("V1__a.sql", "SELECT 1;\nSELECT né, nope FROM t;\n", 21, "no such column"), @r"
         --> V1__a.sql:2:12
          |
        2 | SELECT né, nope FROM t;
          |            ^^^^ no such column
        ");
    }

    #[test]
    fn a_place_past_the_end_is_the_end() {
        insta::assert_snapshot!(at_char("V1__a.sql", "SELECT", 99, "syntax error at end of input"), @r"
         --> V1__a.sql:1:7
          |
        1 | SELECT
          |       ^ syntax error at end of input
        ");
    }

    #[test]
    fn a_very_long_line_is_cut() {
        let text = format!("INSERT INTO t VALUES {} boom", "(1),".repeat(10_000));
        let shown = at_char("V1__a.sql", &text, text.chars().count() - 4, "here");
        assert!(shown.len() < 600, "{shown}");
        assert!(shown.contains("boom"));
    }

    proptest::proptest! {
        #[test]
        fn no_place_in_any_text_panics(text in "[a-z é€\\n\\r\\t\\x00-\\x1f🦀]{0,300}", from in 0usize..400, length in 0usize..400) {
            let _ = at_char("V1__a.sql", &text, from, "here");
            let _ = at_bytes("V1__a.sql", &text, from..from + length, "here");
        }
    }
}
