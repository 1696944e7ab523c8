//! A database that dbctl works on, and which of them a run means. Pure.

use std::path::PathBuf;

use super::file::DriftCheck;
use super::{Secret, mask_conninfo, nearest};
use crate::error::{Failure, Kind, Result};
use crate::output::visible;

/// One database to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name in the config file; none for a database given by URL or by the PG* variables.
    pub name: Option<String>,
    /// URL or keyword string; none connects as psql does without arguments. Secret because it may hold a
    /// password: [`Target::shown`] is for the eye.
    pub conninfo: Option<Secret>,
    /// The embedded migrations that belong here.
    pub system: Option<String>,
    /// The folder with the migrations that belong here; at most one of `system` and this is given.
    pub migrations: Option<PathBuf>,
    /// What the server is to its replication.
    pub role: Role,
    /// Groups it belongs to.
    pub tags: Vec<String>,
    /// Whether its name must be typed before anything is destroyed.
    pub protected: bool,
    /// What `dbctl migrate` does about drift there, where that is not as for all targets.
    pub drift_check: Option<DriftCheck>,
}

/// What a server is to its replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Takes writes.
    #[default]
    Primary,
    /// Follows a primary.
    Replica,
}

impl Role {
    /// Every spelling.
    pub const NAMES: [&'static str; 2] = ["primary", "replica"];

    /// The spelling in the config file.
    pub fn name(self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Replica => "replica",
        }
    }
}

impl Target {
    /// A database without a name in the config file.
    pub fn unnamed(conninfo: Option<Secret>) -> Target {
        let (name, system, migrations, drift_check) = (None, None, None, None);
        let (role, tags) = (Role::Primary, Vec::new());
        Target { name, conninfo, system, migrations, role, tags, protected: false, drift_check }
    }

    /// The connection string with its passwords masked.
    pub fn shown(&self) -> Option<String> {
        self.conninfo.as_ref().map(|conninfo| mask_conninfo(conninfo.reveal()))
    }
}

/// Which targets a run means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `--target`, repeated.
    pub names: Vec<String>,
    /// `--tag`, repeated: targets with any of them.
    pub tags: Vec<String>,
    /// `--all-targets`.
    pub all: bool,
}

impl Wanted {
    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.tags.is_empty() && !self.all
    }
}

/// As flags: `--target dev --tag eu`; empty when nothing is wanted.
impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.names.iter().map(|name| format!("--target {name}"));
        let tags = self.tags.iter().map(|tag| format!("--tag {tag}"));
        let all = self.all.then(|| "--all-targets".to_owned());
        f.write_str(&names.chain(tags).chain(all).collect::<Vec<_>>().join(" "))
    }
}

/// The positions of the wanted targets among the known ones, given as (name, tags): names in the order
/// asked for, then those that a tag or `all` adds in the file's order; each once. A name or a tag that
/// nobody has is a usage error that lists what there is.
pub(super) fn choose(wanted: &Wanted, known: &[(&str, &[String])]) -> Result<Vec<usize>> {
    let mut chosen: Vec<usize> = Vec::new();
    for name in &wanted.names {
        let found = known.iter().position(|(known, _)| known == name);
        let index = found.ok_or_else(|| unknown("target", name, known.iter().map(|(name, _)| *name).collect()))?;
        chosen.push(index);
    }
    for tag in &wanted.tags {
        if !known.iter().any(|(_, tags)| tags.contains(tag)) {
            let mut tags: Vec<&str> = known.iter().flat_map(|(_, tags)| tags.iter().map(String::as_str)).collect();
            tags.sort_unstable();
            tags.dedup();
            return Err(unknown("tag", tag, tags));
        }
    }
    let is_wanted = |tags: &[String]| wanted.all || tags.iter().any(|tag| wanted.tags.contains(tag));
    chosen.extend((0..known.len()).filter(|index| is_wanted(known[*index].1)));
    let mut seen = Vec::new();
    chosen.retain(|index| {
        !seen.contains(index) && {
            seen.push(*index);
            true
        }
    });
    if chosen.is_empty() {
        return Err(Failure::new(Kind::Usage, "the config file has no targets")
            .hint("'dbctl init' writes a sample, 'dbctl config show' says which file is read"));
    }
    Ok(chosen)
}

fn unknown(what: &str, name: &str, known: Vec<&str>) -> Failure {
    let failure = Failure::new(Kind::Usage, format!("no {what} is named '{}'", visible(name)));
    let failure = match nearest(name, known.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean --{what} {near}?")),
        None => failure,
    };
    match known.as_slice() {
        [] => failure.hint(format!("the config file has no {what}s; 'dbctl config show' says which file is read")),
        known => failure.hint(format!("known: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(names: &[&str], tags: &[&str], all: bool) -> Result<Vec<usize>> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (eu, shop) = (owned(&["eu"]), owned(&["eu", "shop"]));
        let wanted = Wanted { names: owned(names), tags: owned(tags), all };
        choose(&wanted, &[("dev", &[]), ("prod", &eu), ("shop", &shop)])
    }

    #[test]
    fn names_keep_their_order_and_nothing_comes_twice() {
        assert_eq!(picked(&["shop", "dev", "shop"], &[], false).unwrap(), [2, 0]);
        assert_eq!(picked(&["shop"], &["eu"], false).unwrap(), [2, 1]);
        assert_eq!(picked(&[], &["shop"], false).unwrap(), [2]);
        assert_eq!(picked(&["prod"], &[], true).unwrap(), [1, 0, 2]);
    }

    #[test]
    fn what_nobody_has_is_named_with_what_there_is() {
        let empty = choose(&Wanted { names: vec!["dev".into()], ..Wanted::default() }, &[]).unwrap_err();
        let none = choose(&Wanted { all: true, ..Wanted::default() }, &[]).unwrap_err();
        let failures = [
            picked(&["prdo"], &[], false).unwrap_err(),
            picked(&["banana\u{1b}"], &[], false).unwrap_err(),
            picked(&[], &["us"], false).unwrap_err(),
            empty,
            none,
        ];
        assert!(failures.iter().all(|failure| failure.what() == Kind::Usage));
        insta::assert_snapshot!(failures.map(|failure| failure.to_string()).join("\n\n"), @r"
        error: no target is named 'prdo'
        hint: did you mean --target prod?
        hint: known: dev, prod, shop

        error: no target is named 'banana\x1b'
        hint: known: dev, prod, shop

        error: no tag is named 'us'
        hint: known: eu, shop

        error: no target is named 'dev'
        hint: the config file has no targets; 'dbctl config show' says which file is read

        error: the config file has no targets
        hint: 'dbctl init' writes a sample, 'dbctl config show' says which file is read
        ");
    }
}
