//! A statement as its tokens without comments and white space: enough to tell what sort of
//! statement it is and which names it carries. Pure.

use std::ops::Range;

use sha2::{Digest, Sha256};
use squawk_lexer::{TokenKind, tokenize};

use crate::excerpt::masked;
use crate::ident::Ident;
use crate::steps::guard::Name;

/// The tokens of a text that mean something, as byte ranges.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    tokenize(text).filter_map(move |token| {
        let range = at..at + token.len as usize;
        at = range.end;
        let trivia = matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Eof
        );
        (!trivia).then_some(range)
    })
}

/// SHA-256 over the tokens: equal for texts that differ only in comments, white space and line
/// ends outside of strings.
pub(crate) fn normal_form(text: &str) -> String {
    let mut digest = Sha256::new();
    for token in tokens(text) {
        let token = text.get(token).unwrap_or_default();
        // A dollar-quoted body is one token; its line ends follow the checkout.
        digest.update(token.replace("\r\n", "\n").as_bytes());
        digest.update([0]);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A statement on one line: without comments, passwords, and the semicolon at its end.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut end = 0;
    for token in tokens(text) {
        if token.start > end && !line.is_empty() {
            line.push(' ');
        }
        let words = text.get(token.clone()).unwrap_or_default().split_whitespace();
        line.push_str(&words.collect::<Vec<_>>().join(" "));
        end = token.end;
    }
    masked(line.trim_end_matches([';', ' '])).into_owned()
}

/// What stands in quotes or between dollars: each text that may be code.
pub(super) fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens(text).filter_map(|range| text.get(range)) {
        if let Some(rest) = token.strip_prefix('$') {
            let Some((tag, _)) = rest.split_once('$') else { continue };
            let fence = tag.len() + 2;
            found.extend(token.get(fence..token.len().saturating_sub(fence)).map(str::to_owned));
        } else if let Some(from) = token.find('\'').filter(|_| !token.starts_with('"')) {
            let inner = token.get(from + 1..token.len().saturating_sub(1)).unwrap_or_default();
            found.push(inner.replace("''", "'").replace("\\'", "'"));
        }
    }
    found
}

/// The words of one statement.
pub(in crate::migrate) struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    pub(super) fn of(statement: &'a str) -> Words<'a> {
        Words(tokens(statement).filter_map(|range| statement.get(range)).collect())
    }

    /// Whether the words at `at` are these keywords.
    pub(super) fn are(&self, at: usize, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(i, keyword)| self.is(at + i, keyword))
    }

    /// Whether the word at `at` is this keyword.
    pub(super) fn is(&self, at: usize, keyword: &str) -> bool {
        self.get(at).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    /// The word at `at`.
    pub(super) fn get(&self, at: usize) -> Option<&'a str> {
        self.0.get(at).copied()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where these keywords stand next to each other, from `from` on.
    pub(super) fn find(&self, from: usize, keywords: &[&str]) -> Option<usize> {
        (from..self.0.len()).find(|at| self.are(*at, keywords))
    }

    /// Skips the keywords where they stand.
    pub(super) fn skip(&self, at: usize, keywords: &[&str]) -> usize {
        if self.are(at, keywords) { at + keywords.len() } else { at }
    }

    /// The possibly qualified name at `at`, and where it ends. Of `db.schema.table` the last two.
    pub(super) fn name(&self, at: usize) -> Option<(Name, usize)> {
        let mut parts = vec![ident(self.get(at)?)?];
        let mut end = at + 1;
        while self.is(end, ".") {
            parts.push(ident(self.get(end + 1)?)?);
            end += 2;
        }
        let name = parts.pop()?;
        Some((Name { schema: parts.pop(), name }, end))
    }

    /// The encoding that `SET client_encoding` or `SET NAMES` chooses.
    pub(super) fn client_encoding(&self) -> Option<&'a str> {
        if !self.is(0, "SET") {
            return None;
        }
        let at = self.skip(self.skip(1, &["SESSION"]), &["LOCAL"]);
        let value = match at {
            at if self.is(at, "NAMES") => at + 1,
            at if self.is(at, "client_encoding") => at + 2,
            _ => return None,
        };
        Some(self.get(value)?.trim_matches('\''))
    }

    /// The words from `from` on, at most `most`, as one line.
    pub(super) fn line(&self, from: usize, most: usize) -> String {
        let shown = self.0.iter().skip(from).take(most).copied().collect::<Vec<_>>().join(" ");
        let shown = masked(&shown.replace(" . ", ".").replace(" ;", "")).into_owned();
        if self.0.len() > from + most { format!("{shown} …") } else { shown }
    }
}

/// An identifier as the catalog stores it: quoted as written, unquoted folded to lower case.
pub(crate) fn ident(word: &str) -> Option<Ident> {
    if let Some(quoted) = word.strip_prefix('"') {
        return Some(Ident::new(quoted.strip_suffix('"')?.replace("\"\"", "\"")));
    }
    let first = word.chars().next()?;
    (first.is_alphabetic() || first == '_').then(|| Ident::new(word.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_form_forgets_comments_and_space_but_not_strings() {
        let same = ["SELECT 'a  b', 1; -- x", "SELECT\r\n  'a  b' /* y /* nested */ */, 1;\n", "SELECT'a  b',1;"];
        assert!(same.windows(2).all(|pair| normal_form(pair[0]) == normal_form(pair[1])));
        assert_ne!(normal_form("SELECT 'a  b'"), normal_form("SELECT 'a b'"));
        assert_ne!(normal_form("SELECT ab"), normal_form("SELECT a b"));
        assert_eq!(normal_form("DO $$\r\nBEGIN\r\nEND$$"), normal_form("DO $$\nBEGIN\nEND$$"));
    }

    #[test]
    fn one_line_has_no_comments() {
        let text = "ALTER TABLE t -- why\n    ALTER a TYPE bigint, /* x */ADD b int;\n-- the next one";
        assert_eq!(one_line(text), "ALTER TABLE t ALTER a TYPE bigint, ADD b int");
    }

    #[test]
    fn names_are_read_as_the_catalog_has_them() {
        let words = Words::of("DROP TABLE App.\"My \"\"Table\"\"\" /* c */ , x");
        let (name, end) = words.name(2).unwrap();
        assert_eq!(name.schema.unwrap().raw(), "app");
        assert_eq!(name.name.raw(), "My \"Table\"");
        assert!(words.is(end, ","));
    }
}
