//! A part of a file as the words that mean something, each with its place. What statements are read
//! off. Pure.

use std::ops::Range;

use crate::ident::Ident;
use crate::migrate::words;
use crate::steps::guard::Name;

/// Words of a statement, or of a part of one.
#[derive(Debug, Clone)]
pub(super) struct Phrase<'a> {
    text: &'a str,
    words: Vec<Range<usize>>,
}

impl<'a> Phrase<'a> {
    /// The words that stand in these bytes of a file.
    pub(super) fn of(text: &'a str, range: Range<usize>) -> Phrase<'a> {
        let start = range.start;
        let part = text.get(range).unwrap_or_default();
        Phrase { text, words: words::tokens(part).map(|word| word.start + start..word.end + start).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The word at `at`.
    pub(super) fn get(&self, at: usize) -> &'a str {
        self.words.get(at).and_then(|word| self.text.get(word.clone())).unwrap_or_default()
    }

    /// Whether the word at `at` is this keyword.
    pub(super) fn is(&self, at: usize, keyword: &str) -> bool {
        self.get(at).eq_ignore_ascii_case(keyword)
    }

    /// Whether the words from `at` on are these, parted by spaces.
    pub(super) fn are(&self, at: usize, keywords: &str) -> bool {
        keywords.split(' ').enumerate().all(|(i, keyword)| self.is(at + i, keyword))
    }

    /// Whether the word at `at` is one of these.
    pub(super) fn is_one(&self, at: usize, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(at, keyword))
    }

    /// Behind these words where they stand, else `at`.
    pub(super) fn skip(&self, at: usize, keywords: &str) -> usize {
        if self.are(at, keywords) { at + keywords.split(' ').count() } else { at }
    }

    /// Where these words stand outside of parentheses, from `from` on.
    pub(super) fn find(&self, from: usize, keywords: &str) -> Option<usize> {
        let mut at = from;
        while at < self.len() {
            if self.are(at, keywords) {
                return Some(at);
            }
            at = if self.is(at, "(") { self.close(at) + 1 } else { at + 1 };
        }
        None
    }

    /// Whether these words stand outside of parentheses.
    pub(super) fn has(&self, keywords: &str) -> bool {
        self.find(0, keywords).is_some()
    }

    /// Whether these words stand anywhere.
    pub(super) fn holds(&self, keywords: &str) -> bool {
        (0..self.len()).any(|at| self.are(at, keywords))
    }

    /// The parenthesis that closes the one at `at`; the last word where none does.
    pub(super) fn close(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        for i in at..self.len() {
            match self.get(i) {
                "(" | "[" => depth += 1,
                ")" | "]" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return i;
                    }
                }
                _ => {}
            }
        }
        self.len().saturating_sub(1)
    }

    /// The words from `from` up to `to`.
    pub(super) fn part(&self, from: usize, to: usize) -> Phrase<'a> {
        let to = to.min(self.len());
        Phrase { text: self.text, words: self.words.get(from.min(to)..to).unwrap_or_default().to_vec() }
    }

    /// The words between the parenthesis at `at` and its counterpart, and the place behind.
    pub(super) fn inside(&self, at: usize) -> Option<(Phrase<'a>, usize)> {
        if !self.is(at, "(") {
            return None;
        }
        let close = self.close(at);
        Some((self.part(at + 1, close), close + 1))
    }

    /// The parts between commas that stand outside of parentheses.
    pub(super) fn list(&self) -> Vec<Phrase<'a>> {
        let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
        while at < self.len() {
            match self.get(at) {
                "(" | "[" => at = self.close(at),
                "," => {
                    parts.push(self.part(from, at));
                    from = at + 1;
                }
                _ => {}
            }
            at += 1;
        }
        if from < self.len() {
            parts.push(self.part(from, self.len()));
        }
        parts
    }

    /// The possibly qualified name at `at`, and where it ends.
    pub(super) fn name(&self, at: usize) -> Option<(Name, usize)> {
        let mut parts = vec![words::ident(self.get(at))?];
        let mut end = at + 1;
        while self.is(end, ".") {
            parts.push(words::ident(self.get(end + 1))?);
            end += 2;
        }
        let name = parts.pop()?;
        Some((Name { schema: parts.pop(), name }, end))
    }

    /// The names of a comma-separated list, from `at` on, and where it ends.
    pub(super) fn names(&self, mut at: usize) -> (Vec<Name>, usize) {
        let mut names = Vec::new();
        loop {
            at = self.skip(at, "ONLY");
            let Some((name, end)) = self.name(at) else { return (names, at) };
            names.push(name);
            at = self.skip(end, "*");
            if !self.is(at, ",") {
                return (names, at);
            }
            at += 1;
        }
    }

    /// The identifier at `at`.
    pub(super) fn ident(&self, at: usize) -> Option<Ident> {
        words::ident(self.get(at))
    }

    /// The identifiers of a list.
    pub(super) fn idents(&self) -> Vec<Ident> {
        self.list().iter().filter_map(|part| part.ident(0)).collect()
    }

    /// Its bytes in the file.
    pub(super) fn span(&self) -> Range<usize> {
        match (self.words.first(), self.words.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// The bytes of one word.
    pub(super) fn place(&self, at: usize) -> Range<usize> {
        self.words.get(at).cloned().unwrap_or(0..0)
    }

    /// As it is written, comments too.
    pub(super) fn written(&self) -> &'a str {
        self.text.get(self.span()).unwrap_or_default()
    }

    /// The words on one line, in lower case outside of quotes.
    pub(super) fn plain(&self) -> String {
        let mut line = String::new();
        for at in 0..self.len() {
            let word = self.get(at);
            let before = if at == 0 { "" } else { self.get(at - 1) };
            let tight = matches!(word, "," | ")" | "." | ";" | "]" | "[")
                || matches!(before, "(" | "." | "[" | ":")
                || (word == "("
                    && !matches!(
                        before.to_ascii_lowercase().as_str(),
                        "in" | "as" | "," | "and" | "or" | "not" | "check" | "using"
                    ))
                || word == ":";
            if at > 0 && !tight {
                line.push(' ');
            }
            if word.starts_with(['\'', '"', '$']) {
                line.push_str(word)
            } else {
                line.push_str(&word.to_ascii_lowercase())
            }
        }
        line
    }
}
