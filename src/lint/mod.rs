//! `migrate lint`: what a migration does to those who use the database meanwhile, before it is run.
//! Needs no server; with a database, its tables' real sizes, columns and constraints count.
//!
//! A file becomes statements ([`statement`]), these meet what is known of their objects ([`known`]) and the
//! rules ([`rules`]); comments keep findings back ([`ignore`]).

mod baseline;
mod check;
mod found;
mod ignore;
mod known;
mod phrase;
mod read;
mod rule;
mod rules;
mod since;
mod statement;
mod syntax;
mod view;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod rule_tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

pub use rule::{Rule, all, named};

use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::migrate::source::{File, MigrationSet, Origin};
use crate::migrate::{self, Answer, words};
use crate::outcome::Outcome;
use crate::output::Level;
use crate::pg::{Interrupt, Session};
use check::{Judgement, Placed};
use found::Found;
use known::Known;

/// The oldest major that dbctl supports.
const OLDEST_SERVER: u32 = 14;

/// What is looked at, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Only files that git says were added or changed since this revision; they are one change.
    pub since: Option<String>,
    /// The files are one change: what one of them creates, nobody uses when the next runs.
    pub one_change: bool,
    /// With a database: also files that it has already.
    pub all: bool,
    /// Known findings.
    pub baseline: Option<PathBuf>,
    /// Where today's findings are written as known.
    pub write_baseline: Option<PathBuf>,
    /// From which level on there are findings for the exit code; none is error.
    pub fail_on: Option<Level>,
    /// The oldest major that is meant; none is the embedded system's own, else the oldest supported.
    pub min_server: Option<u32>,
    /// Rules with another level than their own, the later one wins.
    pub levels: Vec<RuleLevel>,
}

/// `RULE=off|note|warning|error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleLevel {
    /// The rule's id, or squawk's name for it.
    pub rule: String,
    /// None switches it off.
    pub level: Option<Level>,
}

impl FromStr for RuleLevel {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<RuleLevel, String> {
        let (rule, level) = text.split_once('=').ok_or("write it like drop-column=off")?;
        let level = match level {
            "off" => None,
            level => Some(level.parse().map_err(|_| format!("'{level}' is not one of off, note, warning, error"))?),
        };
        let rule = named(rule).map_err(|failure| failure.messages().join(": "))?;
        Ok(RuleLevel { rule: rule.id.to_owned(), level })
    }
}

/// The migrations, as any verb of `migrate` names them.
#[derive(Debug, Clone)]
pub struct Request {
    /// The files.
    pub origin: Origin,
    /// Parts of an embedded system that are left out.
    pub without: Vec<String>,
    /// How they are looked at.
    pub wish: Wish,
    /// A person reads the answer.
    pub for_people: bool,
}

/// What was found in a set.
struct Report {
    files: usize,
    found: Vec<Told>,
    ignored: usize,
    known: usize,
    notes: Vec<String>,
}

/// A finding with its file.
struct Told {
    label: String,
    text: Arc<str>,
    /// Where its lines begin, in bytes.
    lines: Arc<[usize]>,
    placed: Placed,
}

/// Looks at the files alone.
///
/// # Errors
/// Usage for a revision or system that there is not, invalid for files that cannot be read.
pub fn offline(request: &Request) -> Result<Answer> {
    let set = load(request)?;
    let chosen = chosen(request, &set)?;
    judge(request, &set, &chosen, None, Known::default())
}

/// Looks at the files that a database does not have yet, with what it says of the objects they name.
/// Reads only.
///
/// # Errors
/// As [`offline`], and the server's.
pub async fn with_database(request: &Request, connection: &Connection, interrupt: &Interrupt) -> Result<Answer> {
    let set = load(request)?;
    let mut chosen = chosen(request, &set)?;
    let session = Session::open(connection, "migrate lint", interrupt).await?;
    let pending = migrate::pending(&session, &set).await?;
    if !request.wish.all {
        chosen.retain(|version| pending.contains(version));
    }
    let names: BTreeSet<String> = set
        .files
        .iter()
        .filter(|file| chosen.contains(&file.identity.version))
        .flat_map(|file| idents(&file.sql))
        .collect();
    let known = read::known(&session, &names.into_iter().collect::<Vec<_>>()).await?;
    judge(request, &set, &chosen, Some(&pending), known)
}

/// The page of one rule.
///
/// # Errors
/// Usage for a rule that there is not.
pub fn explain(id: &str) -> Result<Answer> {
    Ok((Outcome::Done, view::page(named(id)?)))
}

/// The list of the rules.
pub fn list() -> Answer {
    (Outcome::Done, view::rules(&all()))
}

fn load(request: &Request) -> Result<MigrationSet> {
    let set = MigrationSet::load(&request.origin)?.without(&request.without)?;
    // What cannot be read cannot be judged.
    let unreadable: Vec<_> = set.problems.iter().filter(|problem| problem.id == "unreadable").collect();
    let Some((first, others)) = unreadable.split_first() else { return Ok(set) };
    let failure = Failure::new(Kind::Invalid, format!("{}: {}", first.label, first.message));
    Err(others
        .iter()
        .fold(failure, |failure, problem| failure.note(format!("also {}: {}", problem.label, problem.message))))
}

/// The versions that are meant.
fn chosen(request: &Request, set: &MigrationSet) -> Result<BTreeSet<i64>> {
    let all = set.files.iter().map(|file| file.identity.version);
    let Some(revision) = &request.wish.since else { return Ok(all.collect()) };
    let Origin::Folder(folder) = &request.origin else {
        return Err(Failure::new(Kind::Usage, "--since asks git about a folder, and an embedded system is none")
            .hint("say --dir FOLDER"));
    };
    let changed = since::changed(folder, revision)?;
    let is_changed =
        |file: &&File| std::path::Path::new(&file.label).canonicalize().is_ok_and(|path| changed.contains(&path));
    Ok(set.files.iter().filter(is_changed).map(|file| file.identity.version).collect())
}

/// The names that a text can mean.
fn idents(text: &str) -> BTreeSet<String> {
    words::tokens(text).filter_map(|word| words::ident(text.get(word)?)).map(|ident| ident.raw().to_owned()).collect()
}

fn judge(
    request: &Request,
    set: &MigrationSet,
    chosen: &BTreeSet<i64>,
    pending: Option<&BTreeSet<i64>>,
    mut known: Known,
) -> Result<Answer> {
    let wish = &request.wish;
    let baseline = wish.baseline.as_deref().map(baseline::Baseline::read).transpose()?.unwrap_or_default();
    let mut levels = BTreeMap::new();
    for wanted in &wish.levels {
        levels.insert(named(&wanted.rule)?.id, wanted.level);
    }
    let of_system = set.system().and_then(|name| migrate::embedded::System::named(name).ok());
    let lowest_server = wish.min_server.or(of_system.map(|system| system.lowest_major)).unwrap_or(OLDEST_SERVER);
    let judgement = Judgement { lowest_server, levels };
    // An embedded system is applied as a whole, and so is what waits for a database.
    let one_change = wish.one_change || wish.since.is_some() || pending.is_some() || set.system().is_some();
    let mut report =
        Report { files: 0, found: misnamed(set, wish, &judgement), ignored: 0, known: 0, notes: Vec::new() };
    let of_database = known.of_database;
    for (number, file) in set.files.iter().enumerate() {
        let version = file.identity.version;
        known.file = number;
        // What the database has says more than the files it came from.
        known.of_database = of_database && pending.is_some_and(|pending| pending.contains(&version));
        if !chosen.contains(&version) {
            if !of_database {
                check::learn(&file.label, &file.sql, &mut known);
            }
            continue;
        }
        let verdict = check::judge(&file.label, &file.stem, &file.sql, &judgement, &mut known);
        if one_change {
            known.change.insert(number);
        }
        report.files += 1;
        report.ignored += verdict.ignored;
        let lines: Arc<[usize]> =
            std::iter::once(0).chain(file.sql.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let told = |placed| Told { label: file.label.clone(), text: file.sql.clone(), lines: lines.clone(), placed };
        report.found.extend(verdict.found.into_iter().map(told));
    }
    finish(request, set, &baseline, report)
}

/// Names of files that dbctl passes over, which would be applied by nobody.
fn misnamed(set: &MigrationSet, wish: &Wish, judgement: &Judgement) -> Vec<Told> {
    let rule = &rules::files::REFUSED;
    if wish.since.is_some() || judgement.levels.get(rule.id) == Some(&None) {
        return Vec::new();
    }
    let told = |problem: &migrate::source::Problem| {
        let mut found = Found::new(rule, &(0..0), problem.message.clone());
        found.level = judgement.levels.get(rule.id).copied().flatten().unwrap_or(found.level);
        let fingerprint = words::normal_form(&format!("{} {}", rule.id, problem.label)).chars().take(32).collect();
        Told {
            label: problem.label.clone(),
            text: "".into(),
            lines: Arc::new([0]),
            placed: Placed { found, fingerprint },
        }
    };
    set.problems.iter().map(told).collect()
}

fn finish(request: &Request, set: &MigrationSet, baseline: &baseline::Baseline, mut report: Report) -> Result<Answer> {
    let wish = &request.wish;
    let entry = |told: &Told| baseline::Entry {
        file: stem(&told.label).to_owned(),
        rule: told.placed.found.rule.id.to_owned(),
        fingerprint: told.placed.fingerprint.clone(),
    };
    if let Some(path) = &wish.write_baseline {
        baseline::write(path, report.found.iter().map(entry).collect())?;
        report.known = report.found.len();
        report.notes.push(format!("{} findings are known from now on: --baseline {}", report.known, path.display()));
        report.found.clear();
    }
    let fingerprints: Vec<String> = report.found.iter().map(|told| told.placed.fingerprint.clone()).collect();
    if wish.baseline.is_some() && wish.write_baseline.is_none() {
        let before = report.found.len();
        report.found.retain(|told| !baseline.has(&told.placed.fingerprint));
        report.known = before - report.found.len();
        let files: Vec<&str> = set.files.iter().map(|file| file.stem.as_str()).collect();
        // Files that were not looked at say nothing about their entries.
        if wish.since.is_none() {
            for entry in baseline.stale(&fingerprints, &files) {
                report.notes.push(format!(
                    "the baseline knows {} in {}, which is no longer found: write it anew",
                    entry.rule, entry.file
                ));
            }
        }
    }
    let worst = report.found.iter().map(|told| told.placed.found.level).max();
    let outcome = if worst >= Some(wish.fail_on.unwrap_or(Level::Error)) { Outcome::Findings } else { Outcome::Done };
    Ok((outcome, view::report(&set.origin, &report, request.for_people)))
}

/// A file's name, wherever its folder is.
fn stem(label: &str) -> &str {
    let name = label.rsplit('/').next().unwrap_or(label);
    name.strip_suffix(".sql").unwrap_or(name)
}
