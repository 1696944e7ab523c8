//! What stands in the body of a DO block: its statements, as far as they are not put together while
//! it runs.

use std::ops::Range;

use super::super::phrase::Phrase;
use super::{Act, Statement, read};

/// Words that a statement of SQL inside of PL/pgSQL can begin with.
const VERBS: &[&str] = &[
    "ALTER", "CREATE", "DROP", "TRUNCATE", "UPDATE", "DELETE", "INSERT", "LOCK", "REINDEX", "CLUSTER", "REFRESH",
    "VACUUM", "GRANT", "MERGE", "SET",
];
/// Words of PL/pgSQL behind which a statement begins.
const OPENERS: &[&str] = &[";", "BEGIN", "THEN", "ELSE", "LOOP"];

/// Reads the block whose body is the dollar-quoted or quoted word at these bytes.
pub(super) fn read_block(text: &str, body: Range<usize>) -> Act {
    let inner = inside(text, body);
    let phrase = Phrase::of(text, inner);
    let (mut found, mut dynamic, mut commits) = (Vec::new(), None, None);
    let mut at = 0;
    while at < phrase.len() {
        let begins = at == 0 || phrase.is_one(at - 1, OPENERS);
        if begins && phrase.is(at, "EXECUTE") {
            let end = end(&phrase, at);
            match literal(&phrase, text, at, end) {
                Some(statement) => found.push(statement),
                None if is_harmless(&phrase, at + 1) => {}
                None => dynamic = dynamic.or(Some(phrase.part(at, end).span())),
            }
            at = end;
        } else if begins && phrase.is_one(at, &["COMMIT", "ROLLBACK"]) {
            commits = commits.or(Some(phrase.place(at)));
        } else if begins && phrase.is_one(at, VERBS) {
            let end = end(&phrase, at);
            let span = phrase.part(at, end).span();
            found.push(Statement { act: read(text, span.clone()), span });
            at = end;
        }
        at += 1;
    }
    Act::Do { body: found, dynamic, commits }
}

/// The semicolon that ends the statement at `at`.
fn end(phrase: &Phrase<'_>, at: usize) -> usize {
    phrase.find(at, ";").unwrap_or(phrase.len())
}

/// `EXECUTE 'one literal'` is as good as the statement itself.
fn literal(phrase: &Phrase<'_>, text: &str, at: usize, end: usize) -> Option<Statement> {
    if end != at + 2 || !phrase.get(at + 1).starts_with(['\'', '$']) {
        return None;
    }
    let inner = inside(text, phrase.place(at + 1));
    // A doubled quote would stand for one: only texts that mean themselves are read.
    if text.get(inner.clone())?.contains('\'') && phrase.get(at + 1).starts_with('\'') {
        return None;
    }
    let span = Phrase::of(text, inner).span();
    Some(Statement { act: read(text, span.clone()), span })
}

/// `EXECUTE format('GRANT …` and others that take no lock worth a word, whatever is put in.
fn is_harmless(phrase: &Phrase<'_>, at: usize) -> bool {
    let at = phrase.skip(at, "pg_catalog .");
    let at = if phrase.are(at, "format (") { at + 2 } else { at };
    let head = phrase.get(at).trim_start_matches('\'').trim_start().to_ascii_uppercase();
    phrase.get(at).starts_with('\'') && HARMLESS.iter().any(|words| head.starts_with(words))
}

/// How such statements begin.
const HARMLESS: &[&str] = &[
    "GRANT ",
    "REVOKE ",
    "COMMENT ON ",
    "CREATE ROLE ",
    "CREATE SCHEMA ",
    "CREATE EXTENSION ",
    "CREATE TYPE ",
    "CREATE OR REPLACE FUNCTION ",
    "CREATE OR REPLACE VIEW ",
    "ALTER ROLE ",
    "ALTER DATABASE ",
    "ALTER FUNCTION ",
    "ALTER DEFAULT PRIVILEGES ",
    "SET LOCAL ",
    "SELECT ",
];

/// The bytes between the quotes.
fn inside(text: &str, word: Range<usize>) -> Range<usize> {
    let written = text.get(word.clone()).unwrap_or_default();
    let quote = match written.strip_prefix('$').and_then(|rest| rest.find('$')) {
        Some(tag) => tag + 2,
        None => 1,
    };
    let start = (word.start + quote).min(word.end);
    start..word.end.saturating_sub(quote).max(start)
}
