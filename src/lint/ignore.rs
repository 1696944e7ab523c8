//! `-- dbctl-ignore rule: reason` and `-- dbctl-ignore-file rule: reason`. Pure.

use std::ops::Range;

use super::found::Found;
use super::rule::{self, Rule};
use super::rules::files::{IGNORE_REASON, IGNORE_UNUSED};

/// The comments of a file.
pub(super) struct Ignores<'a> {
    text: &'a str,
    comments: Vec<Comment>,
}

struct Comment {
    /// Its bytes.
    span: Range<usize>,
    rules: Vec<(String, bool)>,
    reason: bool,
    reach: Reach,
}

/// Which findings it keeps back.
enum Reach {
    File,
    /// Those of the statement, or the part of one, that begins on this line.
    Begins(usize),
    /// Those of statements that have a part on this line.
    Touches(usize),
}

const MARK: &str = "-- dbctl-ignore";

impl<'a> Ignores<'a> {
    /// Reads a file's comments.
    pub(super) fn of(text: &'a str) -> Ignores<'a> {
        let mut comments = Vec::new();
        if !text.contains(MARK) {
            return Ignores { text, comments };
        }
        let lines: Vec<&str> = text.split('\n').collect();
        let mut start = 0;
        for (number, line) in lines.iter().enumerate() {
            if let Some(at) = line.find(MARK) {
                let own_line = line.get(..at).unwrap_or_default().trim().is_empty();
                let rest = line.get(at + MARK.len()..).unwrap_or_default();
                let (rest, whole) = match rest.strip_prefix("-file") {
                    Some(rest) => (rest, true),
                    None => (rest, false),
                };
                let (names, reason) = rest.split_once(':').unwrap_or((rest, ""));
                let next = || {
                    let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("--");
                    lines.iter().skip(number + 1).position(code).map_or(number, |skipped| number + 1 + skipped)
                };
                let reach = match (whole, own_line) {
                    (true, _) => Reach::File,
                    (false, true) => Reach::Begins(next()),
                    (false, false) => Reach::Touches(number),
                };
                comments.push(Comment {
                    span: start + at..start + line.trim_end().len(),
                    rules: names.split(',').map(|name| (name.trim().to_owned(), false)).collect(),
                    reason: !reason.trim().is_empty(),
                    reach,
                });
            }
            start += line.len() + 1;
        }
        Ignores { text, comments }
    }

    /// Whether a comment keeps a finding of this rule back.
    pub(super) fn cover(&mut self, rule: &Rule, span: &Range<usize>, statement: &Range<usize>) -> bool {
        if self.comments.is_empty() {
            return false;
        }
        let line = |at: usize| self.text.get(..at).map_or(0, |before| before.matches('\n').count());
        let (begins, statement_begins) = (line(span.start), line(statement.start));
        let ends = line(statement.end.saturating_sub(1).max(statement.start));
        let mut covered = false;
        for comment in &mut self.comments {
            let reaches = match comment.reach {
                Reach::File => true,
                Reach::Begins(at) => at == begins || at == statement_begins,
                Reach::Touches(at) => (statement_begins..=ends).contains(&at),
            };
            if !reaches {
                continue;
            }
            for (name, used) in &mut comment.rules {
                if name == rule.id || rule.squawk.contains(&name.as_str()) {
                    *used = true;
                    covered |= comment.reason;
                }
            }
        }
        covered
    }

    /// What is wrong with the comments themselves.
    pub(super) fn complaints(&self) -> Vec<Found> {
        let mut found = Vec::new();
        for comment in &self.comments {
            for (name, used) in &comment.rules {
                let known = rule::named(name);
                if name.is_empty() || known.is_err() {
                    let hint = known.err().map(|failure| failure.hints().join("; ")).unwrap_or_default();
                    found.push(
                        Found::new(&IGNORE_UNUSED, &comment.span, format!("there is no rule '{name}'"))
                            .fix(if name.is_empty() { "-- dbctl-ignore <rule>: <reason>".to_owned() } else { hint }),
                    );
                } else if !comment.reason {
                    found.push(
                        Found::new(&IGNORE_REASON, &comment.span, format!("without a reason, {name} is not ignored"))
                            .fix(format!("-- dbctl-ignore {name}: why it is safe here")),
                    );
                } else if !used {
                    found.push(
                        Found::new(&IGNORE_UNUSED, &comment.span, format!("nothing here is found by {name}"))
                            .fix("-- delete the comment"),
                    );
                }
            }
        }
        found
    }
}
