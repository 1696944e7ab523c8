//! What the parser stumbles over, said once a line and in words of the file, not of the parser. Pure.

use std::ops::Range;

use crate::migrate::script::{Survey, Why};

/// The places where PostgreSQL would stop reading, each with a sentence.
pub(super) fn errors(text: &str, survey: &Survey) -> Vec<(Range<usize>, String)> {
    // Behind a COPY from the client stand its rows, and what is wrong is told at the COPY.
    let rows =
        survey.refusals.iter().filter(|refusal| refusal.why == Why::Client).map(|refusal| refusal.range.end).min();
    let mut told: Vec<(Range<usize>, String)> = Vec::new();
    let mut last = None;
    for (range, message) in &survey.errors {
        if rows.is_some_and(|rows| range.start >= rows) {
            continue;
        }
        let before = text.get(..range.start).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        if last == Some(line) {
            continue;
        }
        last = Some(line);
        let rest = text.get(line..).unwrap_or_default().lines().next().unwrap_or_default();
        let word: String = text.get(range.clone()).unwrap_or_default().chars().take(40).collect();
        let open = message.starts_with("Missing trailing");
        let message = if rest.trim_start().starts_with('\\') {
            let command = rest.split_whitespace().next().unwrap_or_default();
            format!("{command} is a command of psql, and a migration is SQL only")
        } else if word.starts_with('`') {
            "PostgreSQL would not read this: names are quoted with \", not with `".to_owned()
        } else if message.starts_with("expected command") && !word.trim().is_empty() {
            format!("PostgreSQL would not read this: no statement begins with {word}")
        } else {
            format!("PostgreSQL would not read this: {message}")
        };
        told.push((range.clone(), message));
        if open {
            // All that follows stands inside of it.
            break;
        }
    }
    told
}
