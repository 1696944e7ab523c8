//! What in a migration reaches beyond its database: roles, databases, tablespaces, settings and
//! subscriptions belong to the whole server, so that trying it in a scratch database beside the live one
//! would not be a trial. Pure.

mod code;

use std::ops::Range;

use super::script;
use super::source::MigrationSet;
use super::words;
use crate::error::{Failure, Kind, Result};
use crate::excerpt;
use code::{Reach, Sort};

/// Versions that are to be tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried<'a> {
    /// Which.
    pub(super) versions: &'a [i64],
    /// The live database has them. Of embedded systems it is known that their code leaves a role as it is then.
    pub(super) applied: bool,
}

/// A place where a version reaches beyond the database.
#[derive(Debug)]
pub(super) struct Beyond<'a> {
    label: &'a str,
    text: &'a str,
    range: Range<usize>,
    what: &'static str,
    surely: bool,
}

/// The first place where one of these versions does, or may: code is taken to be able to do whatever it is not
/// seen not to.
///
/// # Errors
/// Invalid files.
pub(super) fn first<'a>(set: &'a MigrationSet, tried: Tried<'_>) -> Result<Option<Beyond<'a>>> {
    let known = tried.applied && set.system().is_some();
    let routines = if known { Vec::new() } else { routines(set)? };
    for file in tried.versions.iter().filter_map(|version| set.file(*version)) {
        let script = script::read(&file.label, &file.sql)?;
        let beyond = |range: Range<usize>, reach: Reach| {
            Some(Beyond { label: &file.label, text: &file.sql, range, what: reach.what, surely: reach.surely })
        };
        if !script.sound && !known {
            let what = "is not understood, and may change things";
            return Ok(beyond(0..file.sql.len().min(1), Reach { what, surely: false }));
        }
        for piece in &script.pieces {
            let Some(text) = file.sql.get(piece.range.clone()) else { continue };
            let Sort::Run(own) = code::sort(text) else { continue };
            let called = || {
                let (_, what) = code::mentions(text, &routines)?;
                Some(Reach { what, surely: false })
            };
            match own.or_else(called) {
                Some(reach) if reach.surely || !known => return Ok(beyond(piece.range.clone(), reach)),
                _ => {}
            }
        }
    }
    Ok(None)
}

/// Routines and foreign tables that the set makes, and that may reach beyond the database when they are called: also those that call
/// such a one.
fn routines(set: &MigrationSet) -> Result<Vec<(String, &'static str)>> {
    let mut harmless: Vec<(String, &str)> = Vec::new();
    let mut found: Vec<(String, &'static str)> = Vec::new();
    for file in &set.files {
        for piece in &script::read(&file.label, &file.sql)?.pieces {
            let Some(text) = file.sql.get(piece.range.clone()) else { continue };
            match code::sort(text) {
                Sort::Routine { name, may: Some(what) } => found.push((name, what)),
                Sort::Foreign(names) => {
                    found.extend(names.into_iter().map(|name| (name, "uses a foreign table")));
                }
                Sort::Routine { name, may: None } => harmless.push((name, text)),
                _ => {}
            }
        }
    }
    loop {
        let calls = harmless.iter().position(|(_, text)| code::mentions(text, &found).is_some());
        let Some((name, text)) = calls.map(|at| harmless.swap_remove(at)) else { return Ok(found) };
        let what = code::mentions(text, &found).map_or("may do more", |(_, what)| *what);
        found.push((name, what));
    }
}

impl Beyond<'_> {
    /// In words: `V1__a.sql changes roles of the whole server`.
    pub(super) fn says(&self) -> String {
        let file = self.label.rsplit('/').next().unwrap_or(self.label);
        if self.surely || self.what.starts_with("may") {
            format!("{file} {} of the whole server", self.what)
        } else {
            format!("{file} {}, which may reach beyond its database", self.what)
        }
    }

    /// Why it is not tried beside the live database.
    pub(super) fn refusal(&self) -> Failure {
        let excerpt = if self.surely { "reaches beyond the database" } else { "may reach beyond the database" };
        Failure::new(Kind::Refused, format!("{}: a scratch database there does not keep that apart", self.says()))
            .excerpt(excerpt::at_bytes(self.label, self.text, self.range.clone(), excerpt))
            .hint("try it on a private server instead: --sandbox, or another one: --scratch-url URL")
    }
}

/// The roles that the set makes by name, in plain statements or inside of a body.
pub(super) fn made_roles(set: &MigrationSet) -> Vec<String> {
    set.files.iter().flat_map(|file| named_after_create(&file.sql)).collect()
}

fn named_after_create(sql: &str) -> Vec<String> {
    let line = words::one_line(sql);
    let words: Vec<&str> = line.split_whitespace().collect();
    let role = |three: &[&str]| {
        let [verb, kind, name] = three else { return None };
        let makes = verb.to_uppercase().ends_with("CREATE")
            && ["ROLE", "USER", "GROUP"].iter().any(|word| kind.eq_ignore_ascii_case(word));
        let name = name.trim_end_matches([';', '\'', ',', ')']);
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        makes.then(|| quoted.map_or_else(|| name.to_lowercase(), str::to_owned))
    };
    words.windows(3).filter_map(role).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_a_file_makes_are_known_by_name() {
        let sql = "-- CREATE ROLE not_me\nCREATE USER \"AppX\"; DO $$ BEGIN\n EXECUTE 'create role Reader'; END $$; CREATE TABLE t (a int)";
        assert_eq!(named_after_create(sql), ["AppX", "reader"]);
    }
}
