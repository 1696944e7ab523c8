//! Source lines with a caret: how a place in a user's file is shown.

use std::borrow::Cow;
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
    let column = text.get(line_start..start).map_or(1, |t| t.chars().count() + 1);
    // From here on bytes count from the beginning of the masked line.
    let line = masked(text.get(line_start..line_end).unwrap_or_default());
    let at = |byte: usize| floor(&line, masked(text.get(line_start..byte).unwrap_or_default()).len().min(line.len()));
    let (start, end) = (at(start), at(floor(text, span.end.min(line_end))));
    let cut_start = floor(&line, start.saturating_sub(LONGEST / 2));
    let cut_end = floor(&line, line.len().min(cut_start + LONGEST));
    let line = line.get(cut_start..cut_end).unwrap_or_default();
    let from = start - cut_start;
    let word =
        line.get(from..).map_or(0, |rest| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()));
    let to = if end > start { (end - cut_start).min(line.len()) } else { from + word };
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

/// SQL with `'****'` for every literal that stands behind the word PASSWORD, as roles and user mappings
/// have it: what is printed ends up in logs and tickets.
pub fn masked(text: &str) -> Cow<'_, str> {
    const WORD: &str = "password";
    let lower = text.to_ascii_lowercase();
    let mut shown = String::new();
    let mut done = 0;
    for (at, _) in lower.match_indices(WORD) {
        let behind = text.get(at + WORD.len()..).unwrap_or_default();
        let literal = behind.trim_start();
        let literal =
            literal.strip_prefix(['e', 'E', 'n', 'N']).filter(|rest| rest.starts_with('\'')).unwrap_or(literal);
        let (true, Some(opening)) = (at >= done, opening(literal)) else { continue };
        let begin = text.len() - literal.len();
        let body = literal.get(opening.len()..).unwrap_or_default();
        let end = closing(body, opening).map_or(text.len(), |end| begin + opening.len() + end);
        shown.push_str(text.get(done..begin).unwrap_or_default());
        shown.push_str("'****'");
        done = end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(shown)
}

/// What a literal begins and ends with: a quote, or `$tag$`.
fn opening(literal: &str) -> Option<&str> {
    let tag = literal.strip_prefix('$').and_then(|rest| rest.split_once('$'));
    let tag = tag.map(|(tag, _)| tag).filter(|tag| tag.chars().all(|c| c.is_alphanumeric() || c == '_'));
    match tag {
        Some(tag) => literal.get(..tag.len() + 2),
        None => literal.strip_prefix('\'').and_then(|_| literal.get(..1)),
    }
}

/// Where the literal ends of which this is the body. A quote of its own is doubled or escaped.
fn closing(body: &str, opening: &str) -> Option<usize> {
    if opening != "'" {
        return body.find(opening).map(|at| at + opening.len());
    }
    let mut before = None;
    let mut quotes = body.char_indices().peekable();
    while let Some((at, c)) = quotes.next() {
        let doubled = c == '\'' && quotes.next_if(|(_, next)| *next == '\'').is_some();
        if c == '\'' && !doubled && before != Some('\\') {
            return Some(at + 1);
        }
        before = Some(c);
    }
    None
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
    fn passwords_are_not_shown() {
        for (text, shown) in [
            ("ALTER ROLE a PASSWORD 'it''s', b 'c'", "ALTER ROLE a PASSWORD '****', b 'c'"),
            ("CREATE ROLE a LOGIN password\nE'x\\'y' CREATEDB", "CREATE ROLE a LOGIN password\nE'****' CREATEDB"),
            ("ALTER USER a PASSWORD $x$p'q$x$;", "ALTER USER a PASSWORD '****';"),
            ("OPTIONS (user 'u', password 'é')", "OPTIONS (user 'u', password '****')"),
            ("PASSWORD 'unended", "PASSWORD '****'"),
            ("SELECT password, 'x' FROM password_log", "SELECT password, 'x' FROM password_log"),
            ("ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD NULL"),
        ] {
            assert_eq!(masked(text), shown);
        }
        insta::assert_snapshot!(at_char("V1__a.sql", "ALTER ROLE a PASSWORD 'secret' NOPE;", 31, "syntax error"), @r"
         --> V1__a.sql:1:32
          |
        1 | ALTER ROLE a PASSWORD '****' NOPE;
          |                              ^^^^ syntax error
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
