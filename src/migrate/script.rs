//! A migration's text as statements, and how they reach the server: all in one transaction, or one
//! by one. Split by squawk's parser, so that dollar quotes, nested comments and BEGIN ATOMIC
//! bodies stay whole. Pure.

use std::ops::Range;

use squawk_syntax::SourceFile;
use squawk_syntax::ast::AstNode;

use super::effects::{self, Effects, Transactions};
use super::words;
use crate::error::{Failure, Kind, Result};
use crate::excerpt;
use crate::steps::Lane;

/// Larger files are not split: they run as one transaction, and what stands in them is not told.
const SPLIT_UP_TO: usize = 8 << 20;
/// What nests deeper is not split either: the parser calls itself for each level, and a stack has an end.
const DEEPEST: usize = 200;

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Script {
    pub(super) lane: Lane,
    pub(super) pieces: Vec<Piece>,
    /// False where the parser stumbled: its pieces may not be the server's.
    pub(super) sound: bool,
}

impl Script {
    /// Where each piece begins in the file's text, in characters from 0.
    pub(super) fn starts(&self, text: &str) -> Vec<usize> {
        let (mut byte, mut characters) = (0, 0);
        let mut starts = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            characters += text.get(byte..piece.range.start).map_or(0, |between| between.chars().count());
            byte = piece.range.start;
            starts.push(characters);
        }
        starts
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// Its bytes in the file, without the semicolon.
    pub(crate) range: Range<usize>,
    pub(crate) effects: Effects,
}

/// What a file holds, and everything that keeps it from being run.
pub(crate) struct Survey {
    pub(crate) pieces: Vec<Piece>,
    /// How it would run; none where that cannot be told.
    pub(crate) lane: Option<Lane>,
    /// Where the parser stumbled: bytes and message.
    pub(crate) errors: Vec<(Range<usize>, String)>,
    /// Reasons to refuse it, most important first.
    pub(crate) refusals: Vec<Refusal>,
    /// False where the parser was not asked.
    split: bool,
}

/// One reason to refuse a file.
pub(crate) struct Refusal {
    pub(crate) why: Why,
    /// Its bytes in the file.
    pub(crate) range: Range<usize>,
    pub(crate) failure: Failure,
}

/// What sort of reason it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Bytes that no migration should have, or no statement.
    Bytes,
    /// An unknown directive, or one that asks for what cannot be.
    Directive,
    /// BEGIN, COMMIT and the like.
    Control,
    /// What only a client can do.
    Client,
    /// Statements that do not mix.
    Mixed,
    /// Not split, where it must be.
    Unsplit,
    /// A concurrent build of an index without a name.
    Nameless,
}

/// Reads a file's text.
///
/// # Errors
/// Invalid: bytes that no migration should have, BEGIN or COMMIT, statements that do not mix.
pub(super) fn read(file: &str, text: &str) -> Result<Script> {
    let survey = survey(file, text);
    if let Some(refusal) = survey.refusals.into_iter().next() {
        return Err(refusal.failure);
    }
    let sound = survey.errors.is_empty() && survey.split;
    Ok(Script { lane: survey.lane.unwrap_or(Lane::Transaction), pieces: survey.pieces, sound })
}

/// Looks at a file's text: nothing that is wrong with it ends the look.
pub(crate) fn survey(file: &str, text: &str) -> Survey {
    let mut refusals = Vec::new();
    let mut refused = |why: Why, range: Range<usize>, failure: Failure| refusals.push(Refusal { why, range, failure });
    if let Some((range, failure)) = odd_bytes(file, text) {
        refused(Why::Bytes, range, failure);
    }
    let no_transaction = no_transaction_header(file, text).unwrap_or_else(|failure| {
        refused(Why::Directive, 0..0, failure);
        false
    });
    let large = text.len() > SPLIT_UP_TO;
    let whole = large || nesting(text) > DEEPEST;
    if whole && no_transaction {
        let what = if large {
            "a file without transaction must be split into statements and is too large for it (8 MB)"
        } else {
            "a file without transaction must be split into statements and nests too deep for it"
        };
        refused(Why::Directive, 0..0, invalid(file, what));
    }
    let (pieces, errors) = if whole { (pieces_of_large(text), Vec::new()) } else { pieces_of(text) };
    for piece in &pieces {
        if let Err(failure) = refuse_control(file, text, piece) {
            refused(Why::Control, piece.range.clone(), failure);
        }
        if let Err(failure) = refuse_client(file, text, piece) {
            refused(Why::Client, piece.range.clone(), failure);
        }
    }
    let lane =
        lane(file, text, &pieces, no_transaction).map_err(|refusal| refused(Why::Mixed, refusal.0, refusal.1)).ok();
    if lane == Some(Lane::Statements) && !whole {
        if let Some((range, message)) = errors.first() {
            let failure = invalid(file, "cannot be split into statements, which a file without transaction needs")
                .excerpt(excerpt::at_bytes(file, text, range.clone(), message));
            refused(Why::Unsplit, range.clone(), failure);
        }
        if let Some(piece) = pieces.iter().find(|p| p.effects.nameless_index) {
            let what = "CREATE INDEX CONCURRENTLY needs a name: a rerun after a crash could not tell the half-built index from others";
            let failure =
                invalid(file, what).excerpt(excerpt::at_bytes(file, text, piece.range.clone(), "name this index"));
            refused(Why::Nameless, piece.range.clone(), failure);
        }
    }
    Survey { pieces, lane, errors, refusals, split: !whole }
}

/// How deep a text nests: parentheses, CASE, and signs in front of signs.
fn nesting(text: &str) -> usize {
    let (mut depth, mut run, mut deepest) = (0_usize, 0_usize, 0);
    for token in words::tokens(text) {
        let word = text.get(token).unwrap_or_default();
        match word {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            ";" => depth = 0,
            word if word.eq_ignore_ascii_case("CASE") => depth += 1,
            word if word.eq_ignore_ascii_case("END") => depth = depth.saturating_sub(1),
            _ => {}
        }
        let prefix = matches!(word, "-" | "+" | "~" | "@") || word.eq_ignore_ascii_case("NOT");
        run = if prefix { run + 1 } else { 0 };
        deepest = deepest.max(depth + run);
    }
    deepest
}

/// The statements, and where the parser stumbled.
fn pieces_of(text: &str) -> (Vec<Piece>, Vec<(Range<usize>, String)>) {
    let parsed = SourceFile::parse(text);
    let pieces = parsed
        .tree()
        .stmts()
        .filter_map(|statement| {
            let range: Range<usize> = statement.syntax().text_range().into();
            let inner: Vec<Range<usize>> = words::tokens(text.get(range.clone())?).collect();
            let (first, last) = (
                inner.first()?,
                inner.iter().rev().find(|t| text.get(range.start + t.start..range.start + t.end) != Some(";"))?,
            );
            let range = range.start + first.start..range.start + last.end;
            Some(Piece { effects: effects::of(text.get(range.clone())?), range })
        })
        .collect();
    let errors = parsed.errors().iter().map(|error| (error.range().into(), error.message().to_owned())).collect();
    (pieces, errors)
}

/// The statements of a file that is too large for the parser, told apart by their semicolons; those
/// of BEGIN ATOMIC bodies belong to their statement. Enough to see what they do, not to send them one
/// by one.
fn pieces_of_large(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = |range: Range<usize>| {
        let effects = text.get(range.clone()).map(effects::of);
        pieces.extend(effects.map(|effects| Piece { range, effects }));
    };
    let (mut start, mut end, mut depth, mut after_begin) = (None, 0, 0_usize, false);
    for token in words::tokens(text) {
        let word = text.get(token.clone()).unwrap_or_default();
        if word == ";" && depth == 0 {
            if let Some(start) = start.take() {
                piece(start..end);
            }
            continue;
        }
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if (after_begin && is("ATOMIC")) || (depth > 0 && is("CASE")) {
            depth += 1;
        } else if depth > 0 && is("END") {
            depth -= 1;
        }
        after_begin = is("BEGIN");
        start.get_or_insert(token.start);
        end = token.end;
    }
    if let Some(start) = start {
        piece(start..end);
    }
    pieces
}

/// Bytes that make a file mean something else elsewhere.
fn odd_bytes(file: &str, text: &str) -> Option<(Range<usize>, Failure)> {
    if text.starts_with('\u{feff}') {
        let failure = invalid(file, "begins with a byte order mark, which PostgreSQL takes for a syntax error")
            .hint(format!("remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' {file}"));
        return Some((0..0, failure));
    }
    if let Some(at) = text.find('\0') {
        return Some((at..at, invalid(file, &format!("holds a NUL byte at byte {at}, which no SQL text may"))));
    }
    if let Some(at) = text.find("\r\n") {
        let line = text.get(..at).map_or(1, |t| t.matches('\n').count() + 1);
        let failure = invalid(
            file,
            &format!("has Windows line ends (line {line}): the same file checked out elsewhere would count as changed"),
        )
        .hint(format!("sed -i 's/\\r$//' {file}, and keep it so with a line '*.sql text eol=lf' in .gitattributes"));
        return Some((at..at, failure));
    }
    if words::tokens(text).all(|token| text.get(token) == Some(";")) {
        let failure = invalid(file, "is empty: no statement in it")
            .hint("write the statement, or delete the file while nobody has applied it");
        return Some((0..0, failure));
    }
    None
}

/// `-- dbctl: no-transaction` before the first statement.
fn no_transaction_header(file: &str, text: &str) -> Result<bool> {
    let mut found = false;
    for line in text.lines().take_while(|line| line.trim().is_empty() || line.trim_start().starts_with("--")) {
        let Some(directive) = line.trim_start().trim_start_matches('-').trim().strip_prefix("dbctl:") else { continue };
        match directive.trim() {
            "no-transaction" => found = true,
            known if known.starts_with("part ") || known.starts_with("needs PostgreSQL ") => {}
            other => {
                return Err(invalid(file, &format!("unknown directive '-- dbctl: {other}'"))
                    .hint("the one there is: -- dbctl: no-transaction"));
            }
        }
    }
    Ok(found)
}

fn refuse_control(file: &str, text: &str, piece: &Piece) -> Result<()> {
    if piece.effects.transactions != Transactions::Controls {
        return Ok(());
    }
    Err(invalid(file, "begins or ends a transaction itself: half of it could stay without a history row")
        .excerpt(excerpt::at_bytes(
            file,
            text,
            piece.range.clone(),
            "remove this: dbctl runs the file in one transaction",
        ))
        .hint("for statements that refuse a transaction begin the file with: -- dbctl: no-transaction"))
}

/// What needs a client to send or take data, or makes the rest of the text mean something else.
fn refuse_client(file: &str, text: &str, piece: &Piece) -> Result<()> {
    let words = words::Words::of(text.get(piece.range.clone()).unwrap_or_default());
    let place = |label| excerpt::at_bytes(file, text, piece.range.clone(), label);
    if words.is(0, "COPY")
        && (words.find(1, &["FROM", "STDIN"]).is_some() || words.find(1, &["TO", "STDOUT"]).is_some())
    {
        return Err(invalid(file, "holds a COPY from or to the client, which a migration does not have")
            .excerpt(place("needs a client such as psql"))
            .hint("write the rows as INSERT; 'pg_dump --inserts' does it for a dump"));
    }
    if let Some(encoding) = words.client_encoding()
        && !["utf8", "utf-8", "unicode", "default"].contains(&encoding.to_lowercase().as_str())
    {
        return Err(invalid(file, "sets client_encoding: files of migrations are UTF-8, whatever the database is")
            .excerpt(place("remove this"))
            .hint(format!("convert the file: iconv -f {encoding} -t UTF-8")));
    }
    Ok(())
}

fn lane(file: &str, text: &str, pieces: &[Piece], no_transaction: bool) -> Result<Lane, Box<(Range<usize>, Failure)>> {
    let work = || pieces.iter().filter(|p| p.effects.transactions != Transactions::Sets);
    let refuses = |p: &&Piece| p.effects.transactions == Transactions::Refuses;
    let Some(first) = work().find(refuses) else {
        return Ok(if no_transaction { Lane::Statements } else { Lane::Transaction });
    };
    if no_transaction || work().all(|p| refuses(&p)) {
        return Ok(Lane::Statements);
    }
    let failure = invalid(file, "mixes statements that refuse a transaction with statements that want one")
        .excerpt(excerpt::at_bytes(file, text, first.range.clone(), "refuses a transaction"))
        .hint(proposed_split(file, text, pieces))
        .hint("or begin the file with '-- dbctl: no-transaction': every statement then commits on its own");
    Err(Box::new((first.range.clone(), failure)))
}

/// Runs of neighbours of one sort, each a file of its own.
fn proposed_split(file: &str, text: &str, pieces: &[Piece]) -> String {
    let line = |at: usize| text.get(..at).map_or(1, |t| t.matches('\n').count() + 1);
    let mut runs: Vec<(bool, usize, usize)> = Vec::new();
    for piece in pieces {
        let alone = piece.effects.transactions == Transactions::Refuses;
        let (from, to) = (line(piece.range.start), line(piece.range.end));
        match runs.last_mut() {
            Some((sort, _, end)) if *sort == alone => *end = to,
            _ => runs.push((alone, from, to)),
        }
    }
    let parts = runs.iter().map(|(alone, from, to)| {
        let lines = if from == to { format!("line {from}") } else { format!("lines {from}-{to}") };
        format!("{lines}{}", if *alone { " (without transaction)" } else { "" })
    });
    format!("split {file} into {} files, in this order: {}", runs.len(), parts.collect::<Vec<_>>().join("; "))
}

fn invalid(file: &str, what: &str) -> Failure {
    Failure::new(Kind::Invalid, format!("{file}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        read("V1__a.sql", text).unwrap().pieces.iter().map(|p| &text[p.range.clone()]).collect()
    }

    fn refusal(text: &str) -> String {
        read("V1__a.sql", text).unwrap_err().to_string()
    }

    #[test]
    fn bodies_stay_whole() {
        let text = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END;\n\
                    /* a; /* b; */ c; */ DO $x$ BEGIN PERFORM 1; END $x$; SELECT ';' -- ;\n;";
        assert_eq!(texts(text).len(), 3);
    }

    #[test]
    fn statements_that_refuse_a_transaction_choose_their_lane() {
        for alone in [
            "CREATE INDEX CONCURRENTLY i ON t (a);",
            "SET statement_timeout = 0; CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY s.t (a)",
            "DROP INDEX CONCURRENTLY i;",
            "REINDEX TABLE CONCURRENTLY t; REINDEX (VERBOSE) SCHEMA s;",
            "VACUUM (ANALYZE) t; VACUUM;",
            "CREATE DATABASE x; ALTER SYSTEM SET work_mem = '1MB'; DROP TABLESPACE y;",
            "ALTER TABLE p DETACH PARTITION c CONCURRENTLY",
        ] {
            assert_eq!(read("V1__a.sql", alone).unwrap().lane, Lane::Statements, "{alone}");
        }
        for together in [
            "CREATE INDEX i ON t (a); ALTER TYPE e ADD VALUE 'x';",
            "ALTER TABLE p DETACH PARTITION c; REINDEX TABLE t;",
            "SAVEPOINT a; ROLLBACK TO SAVEPOINT a; SET search_path = x;",
        ] {
            assert_eq!(read("V1__a.sql", together).unwrap().lane, Lane::Transaction, "{together}");
        }
        assert_eq!(read("V1__a.sql", "-- hi\n\n-- dbctl: no-transaction\nSELECT 1;").unwrap().lane, Lane::Statements);
    }

    #[test]
    fn large_files_are_looked_into_as_well() {
        let body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;\n";
        let filler = format!("-- {}\n", "x".repeat(200)).repeat(SPLIT_UP_TO / 200);
        let read = |text: &str| read("V1__a.sql", &format!("{text}\n{filler}"));
        let script = read(&format!("{body}DROP TABLE t; SELECT 1")).unwrap();
        assert_eq!((script.lane, script.pieces.len()), (Lane::Transaction, 3));
        assert!(script.pieces[1].effects.hazards.iter().any(|hazard| hazard.id() == "destroys"));
        for refused in ["DROP TABLE t; COMMIT; SELECT 1/0", "COPY t FROM STDIN", "VACUUM; SELECT 1"] {
            assert_eq!(read(refused).unwrap_err().what(), Kind::Invalid, "{refused}");
        }
    }

    #[test]
    fn what_nests_too_deep_for_the_parser_is_not_given_to_it() {
        for deep in ["(".repeat(50_000), "NOT ".repeat(50_000), "- ".repeat(50_000), "CASE WHEN ".repeat(50_000)] {
            let script = read("V1__a.sql", &format!("DROP TABLE t; SELECT {deep}1")).unwrap();
            assert!(!script.sound);
        }
        let script = read("V1__a.sql", &format!("SELECT {}1{}; SELECT 2", "(".repeat(150), ")".repeat(150))).unwrap();
        assert!(script.sound && script.pieces.len() == 2);
    }

    #[test]
    fn a_mixed_file_is_refused_with_a_split() {
        insta::assert_snapshot!(
            refusal("CREATE TABLE t (a int);\nCREATE INDEX CONCURRENTLY i ON t (a);\nINSERT INTO t VALUES (1);\n"), @r"
        error: V1__a.sql: mixes statements that refuse a transaction with statements that want one
         --> V1__a.sql:2:1
          |
        2 | CREATE INDEX CONCURRENTLY i ON t (a);
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ refuses a transaction
        hint: split V1__a.sql into 3 files, in this order: line 1; line 2 (without transaction); line 3
        hint: or begin the file with '-- dbctl: no-transaction': every statement then commits on its own
        ");
    }

    #[test]
    fn transaction_control_is_refused_with_its_place() {
        for text in ["BEGIN; SELECT 1;", "SELECT 1; COMMIT;", "START TRANSACTION;", "ROLLBACK;", "END"] {
            assert!(refusal(text).contains("begins or ends a transaction"), "{text}");
        }
        insta::assert_snapshot!(refusal("CREATE TABLE t ();\nCOMMIT;\n"), @r"
        error: V1__a.sql: begins or ends a transaction itself: half of it could stay without a history row
         --> V1__a.sql:2:1
          |
        2 | COMMIT;
          | ^^^^^^ remove this: dbctl runs the file in one transaction
        hint: for statements that refuse a transaction begin the file with: -- dbctl: no-transaction
        ");
    }

    #[test]
    fn odd_bytes_are_refused() {
        assert!(refusal("\u{feff}SELECT 1").contains("byte order mark"));
        assert!(refusal("SELECT 1;\0").contains("NUL"));
        assert!(refusal("SELECT 1;\r\nSELECT 2;\r\n").contains("Windows line ends (line 1)"));
        assert!(refusal("-- nothing\n").contains("is empty"));
        assert!(refusal("-- dbctl: no-transactoin\nVACUUM;").contains("unknown directive"));
        assert!(refusal("CREATE INDEX CONCURRENTLY ON t (a)").contains("needs a name"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = read("V1__a.sql", &text);
        }

        #[test]
        fn no_sql_like_text_panics(parts in proptest::collection::vec(proptest::sample::select(vec![
            "CREATE", "INDEX", "CONCURRENTLY", "ON", "t", "(", ")", ";", "$$", "'", "\"", "/*", "*/", "--", "\n", "ALTER", "TABLE",
            "DROP", "BEGIN", "ATOMIC", "END", ".", ",", "ADD", "COLUMN", "TYPE", "DETACH", "PARTITION", "E'", "\\", "é",
        ]), 0..40)) {
            let _ = read("V1__a.sql", &parts.join(" "));
        }
    }
}
