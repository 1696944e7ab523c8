//! One file: split, read statement by statement, judged by every rule with what is known before. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

use super::found::Found;
use super::ignore::Ignores;
use super::known::Known;
use super::phrase::Phrase;
use super::rules::files::{CONTROL, MIXED, REFUSED, SYNTAX};
use super::rules::{self, Context, Seen};
use super::statement::{self, Act, Action, Statement};
use super::syntax;
use crate::ident::Ident;
use crate::migrate::script::{self, Piece, Survey, Why};
use crate::migrate::words;
use crate::output::Level;
use crate::steps::guard::Name;
use crate::steps::{Lane, LockMode};

/// A table below this many bytes is not worth a word.
const QUIET: u64 = 10 << 20;
/// From this many bytes on, what reads or writes a whole table is an outage.
const LARGE: u64 = 1 << 30;
/// Which further locks a file holds changes no finding.
const MOST_HELD: usize = 64;
/// One mistake makes the parser stumble more than once.
const MOST_SYNTAX_ERRORS: usize = 3;

/// How files are judged.
#[derive(Debug, Clone)]
pub(super) struct Judgement {
    /// The oldest major that is meant.
    pub(super) lowest_server: u32,
    /// Rules with another level than their own; none switches one off.
    pub(super) levels: BTreeMap<&'static str, Option<Level>>,
}

/// A finding with its place in a file.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) found: Found,
    /// The same wherever its lines have moved to.
    pub(super) fingerprint: String,
}

/// What a look at a file gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    pub(super) found: Vec<Placed>,
    /// How many findings were kept back by comments.
    pub(super) ignored: usize,
}

/// Takes in what a file does without judging it.
pub(super) fn learn(label: &str, text: &str, known: &mut Known) {
    for piece in script::survey(label, text).pieces {
        known.learn(&statement::read(text, piece.range));
    }
}

/// Judges a file, and takes in what it does.
pub(super) fn judge(label: &str, stem: &str, text: &str, judgement: &Judgement, known: &mut Known) -> Verdict {
    let survey = script::survey(label, text);
    let mut found: Vec<(Range<usize>, Found)> = Vec::new();
    whole(text, &survey, &mut found);
    let lane = survey.lane.unwrap_or(Lane::Transaction);
    let statement =
        |piece: &Piece| Statement { span: piece.range.clone(), act: statement::read(text, piece.range.clone()) };
    let statements: Vec<Statement> = survey.pieces.iter().map(statement).collect();
    let with_policy = statements.iter().filter_map(|statement| match &statement.act {
        Act::CreatePolicy { table, .. } => Some(table.clone()),
        _ => None,
    });
    let mut seen = Seen {
        made: statements.iter().filter_map(made).collect(),
        with_policy: with_policy.collect(),
        ..Seen::default()
    };
    for (piece, statement) in survey.pieces.iter().zip(&statements) {
        remember_names(statement, known, &mut seen);
        one(text, lane, judgement, (statement, statement), (known, &mut seen), &mut found);
        remember_locks(statement, piece, known, &mut seen);
        let context = Context { text, known, lane, lowest_server: judgement.lowest_server, seen: &seen };
        if let Some(many) = rules::tables::many(&context, &statement.span) {
            seen.many_told = true;
            found.push((statement.span.clone(), many));
        }
        known.learn(&statement.act);
    }
    finish(stem, text, judgement, known, found)
}

/// What a statement creates that another may have dropped before.
fn made(statement: &Statement) -> Option<(&'static str, Ident, usize)> {
    let (kind, name) = match &statement.act {
        Act::CreateView { view, materialized: false, .. } => ("VIEW", &view.name),
        Act::CreateView { view, .. } => ("MATERIALIZED VIEW", &view.name),
        Act::CreateFunction(function) if function.procedure => ("PROCEDURE", &function.name.name),
        Act::CreateFunction(function) => ("FUNCTION", &function.name.name),
        Act::CreateTrigger { trigger, .. } => ("TRIGGER", &trigger.name),
        Act::CreatePolicy { policy, .. } => ("POLICY", policy),
        Act::CreateType { name } => ("TYPE", &name.name),
        Act::CreateDomain { name, .. } => ("DOMAIN", &name.name),
        Act::CreateSequence { name } => ("SEQUENCE", &name.name),
        _ => return None,
    };
    Some((kind, name.clone(), statement.span.start))
}

/// What is wrong with the file as a whole.
fn whole(text: &str, survey: &Survey, found: &mut Vec<(Range<usize>, Found)>) {
    for (range, message) in syntax::errors(text, survey).into_iter().take(MOST_SYNTAX_ERRORS) {
        found.push((range.clone(), Found::new(&SYNTAX, &range, message)));
    }
    for refusal in &survey.refusals {
        let rule = match refusal.why {
            Why::Control => &CONTROL,
            Why::Mixed => &MIXED,
            Why::Bytes | Why::Directive | Why::Client | Why::Nameless => &REFUSED,
            // The syntax error is told already.
            Why::Unsplit => continue,
        };
        let messages = refusal.failure.messages();
        let what = messages.first().map_or("", |message| message.split_once(": ").map_or(message, |(_, what)| what));
        let hints = refusal.failure.hints().join("\n");
        let it = Found::new(rule, &refusal.range, format!("dbctl refuses the file: it {what}"));
        found.push((refusal.range.clone(), if hints.is_empty() { it } else { it.fix(hints) }));
    }
}

/// Judges a statement, and those inside of a block, which are places of the outer one.
fn one(
    text: &str,
    lane: Lane,
    judgement: &Judgement,
    (statement, outer): (&Statement, &Statement),
    (known, seen): (&mut Known, &mut Seen),
    found: &mut Vec<(Range<usize>, Found)>,
) {
    // A block that asks which server it runs on knows what it does.
    let asks = text.get(outer.span.clone()).is_some_and(|text| text.contains("server_version"));
    let lowest_server = if asks { u32::MAX } else { judgement.lowest_server };
    let context = Context { text, known, lane, lowest_server, seen };
    let mut of_statement = Vec::new();
    rules::check(&context, statement, &mut of_statement);
    found.extend(of_statement.into_iter().map(|it| (outer.span.clone(), it)));
    if let Act::Do { body, .. } = &statement.act {
        for inner in body {
            if let Some(what) = refuses_block(&inner.act) {
                let it =
                    Found::new(&MIXED, &inner.span, format!("{what} refuses a DO block: it fails where it is run"));
                found.push((outer.span.clone(), it.fix("-- outside of the block, in a file of its own")));
            }
            remember_names(inner, known, seen);
            one(text, lane, judgement, (inner, outer), (known, seen), found);
            // What a block makes, its next statement finds.
            known.learn(&inner.act);
        }
    }
}

/// What cannot run inside of a block, which is inside of a transaction.
fn refuses_block(act: &Act) -> Option<&'static str> {
    Some(match act {
        Act::CreateIndex(index) if index.concurrently => "CREATE INDEX CONCURRENTLY",
        Act::Drop(drop) if drop.concurrently => "DROP INDEX CONCURRENTLY",
        Act::Drop(drop) if drop.kind == "DATABASE" => "DROP DATABASE",
        Act::Reindex { concurrently: true, .. } => "REINDEX CONCURRENTLY",
        Act::VacuumFull { .. } => "VACUUM",
        Act::AlterSystem { .. } => "ALTER SYSTEM",
        Act::AlterTable(alter) => {
            let detaches = |action: &Action| matches!(action, Action::Detach { concurrently: true, .. });
            return alter
                .actions
                .iter()
                .any(|(_, action)| detaches(action))
                .then_some("DETACH PARTITION … CONCURRENTLY");
        }
        _ => return None,
    })
}

fn remember_names(statement: &Statement, known: &Known, seen: &mut Seen) {
    match &statement.act {
        Act::AlterTable(alter) => {
            for (_, action) in &alter.actions {
                if let Action::AddConstraint(constraint) = action
                    && constraint.not_valid
                    && let Some(name) = &constraint.name
                {
                    seen.unvalidated.push((alter.table.clone(), name.clone()));
                }
            }
        }
        // Of a type that this very transaction made, values may be used at once.
        Act::AddEnumValue { name, value, .. } => {
            let own = known.object("type", name).is_some_and(|object| object.born == Some(known.file));
            if !own {
                seen.enum_values.push((name.clone(), value.clone()));
            }
        }
        _ => {}
    }
}

fn remember_locks(statement: &Statement, piece: &Piece, known: &Known, seen: &mut Seen) {
    // What is dropped is not waited for again, and an index is not the table.
    if matches!(&statement.act, Act::Drop(drop) if drop.kind == "INDEX")
        || matches!(statement.act, Act::Move { kind: "index", .. } | Act::Rename { kind: "index", .. })
    {
        return;
    }
    for lock in piece.effects.locks.iter().filter(|lock| lock.mode >= LockMode::Share) {
        let phrase = Phrase::of(&lock.table, 0..lock.table.len());
        if let Some((name, _)) = phrase.name(0)
            && !known.is_new(&name)
            && !is_created(&statement.act, &name)
            && seen.held.len() < MOST_HELD
            && !seen.held.contains(&(name.clone(), lock.mode))
        {
            seen.held.push((name, lock.mode));
        }
    }
}

/// The table itself, and those that a new one points to: the lock on them is taken and kept, but nearly every new
/// table has some.
fn is_created(act: &Act, name: &Name) -> bool {
    matches!(act, Act::CreateTable(create) if create.partition_of.as_ref() != Some(name))
}

fn finish(stem: &str, text: &str, judgement: &Judgement, known: &Known, found: Vec<(Range<usize>, Found)>) -> Verdict {
    let mut ignores = Ignores::of(text);
    let mut verdict = Verdict::default();
    let mut twins: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<(Range<usize>, Found)> = Vec::new();
    for (statement, it) in found {
        let Some(mut it) = weighed(it, known) else { continue };
        match judgement.levels.get(it.rule.id) {
            Some(None) => continue,
            Some(Some(level)) => it.level = *level,
            None if it.rule.off => continue,
            None => {}
        }
        if ignores.cover(it.rule, &it.span, &statement) {
            verdict.ignored += 1;
        } else {
            kept.push((statement, it));
        }
    }
    for it in ignores.complaints() {
        match judgement.levels.get(it.rule.id) {
            Some(None) => {}
            Some(Some(level)) => kept.push((it.span.clone(), it.level(*level))),
            None => kept.push((it.span.clone(), it)),
        }
    }
    kept.sort_by(|(_, a), (_, b)| {
        (a.span.start, std::cmp::Reverse(a.level), a.rule.id).cmp(&(
            b.span.start,
            std::cmp::Reverse(b.level),
            b.rule.id,
        ))
    });
    for (statement, found) in kept {
        let said = text.get(statement.clone()).unwrap_or_default();
        let part = text.get(found.span.clone()).unwrap_or_default();
        let same = words::normal_form(&format!("{stem}; {}; {said}; {part}", found.rule.id));
        let twin = twins.entry(same.clone()).or_default();
        *twin += 1;
        let short = same.get(..32).unwrap_or(&same);
        let fingerprint = if *twin > 1 { format!("{short}-{twin}") } else { short.to_owned() };
        verdict.found.push(Placed { found, fingerprint });
    }
    verdict
}

/// A finding with the weight of the real table: of a tiny one nothing is said.
fn weighed(mut found: Found, known: &Known) -> Option<Found> {
    let real = found.table.as_ref().and_then(|table| known.table(table)).and_then(|table| table.real.as_ref());
    let Some(real) = real else { return Some(found) };
    if found.rule.id == "column-without-default" && real.bytes == 0 {
        return None;
    }
    if !found.rule.grows {
        return Some(found);
    }
    if real.bytes < QUIET {
        return None;
    }
    found.level = if real.bytes >= LARGE { Level::Error } else { Level::Warning };
    found.danger.push_str(&format!(" ({}: {}, about {} rows)", real.name, bytes(real.bytes), real.rows));
    Some(found)
}

fn bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if value < 10.0 && unit != "B" { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}
