//! Waits as a document: a tree of lines within 80 columns for people, nested objects for programs. Pure.

use std::time::Duration;

use super::forest::{Forest, Tree, Who, grow, held};
use super::sample::{Lock, Sample};
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Node, Table, Tree as Drawn, Value, visible};

const WIDTH: usize = 80;

/// From when on a wait is a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `--warn`.
    pub warn: Duration,
    /// `--crit`.
    pub crit: Duration,
}

impl Limits {
    /// The same, if they can be met one after the other.
    ///
    /// # Errors
    /// Usage, when what is critical is no finding.
    pub fn checked(self) -> Result<Limits> {
        if self.warn <= self.crit {
            return Ok(self);
        }
        let (warn, crit) = (self.warn.as_secs_f64(), self.crit.as_secs_f64());
        Err(Failure::new(Kind::Usage, format!("--crit ({crit} s) is below --warn ({warn} s)"))
            .hint("say both, --crit the longer one"))
    }
}

/// The document, and the outcome where waits above the limits are findings.
pub fn view(sample: &Sample, limits: Limits) -> (Outcome, Document) {
    let forest = grow(sample);
    let longest = forest.wanted.values().filter_map(|at| sample.locks[*at].wait_seconds).fold(0.0, f64::max);
    let (level, outcome) = match longest {
        waited if waited > limits.crit.as_secs_f64() => ("crit", Outcome::Findings),
        waited if waited > limits.warn.as_secs_f64() => ("warn", Outcome::Findings),
        _ => ("ok", Outcome::Done),
    };
    let hidden = sample.backends.iter().filter(|backend| backend.hidden).count();
    let mut document = Document::new("locks", 1)
        .machine("at", sample.at)
        .machine("waiting", forest.blockers.len())
        .machine("root_count", forest.roots.len())
        .machine("longest_wait_seconds", Value::Seconds(longest))
        .machine("level", level)
        .machine("hidden", hidden)
        .tree(Drawn {
            key: "roots",
            below: "waiters",
            nodes: forest.roots.iter().map(|tree| node(sample, &forest, tree, None)).collect(),
            text: lines(sample, &forest, longest),
            flat: flat(sample, &forest),
        });
    for ring in &forest.rings {
        let names: Vec<String> = ring.iter().map(|who| name(sample, *who)).collect();
        document = document.note(format!(
            "{} wait for each other: a deadlock, which the server ends after deadlock_timeout",
            names.join(", ")
        ));
    }
    if hidden > 0 && !forest.blockers.is_empty() {
        document = document.note(format!(
            "{hidden} sessions of other roles are UNKNOWN but for their locks; to see them: GRANT pg_monitor TO this role"
        ));
    }
    for unknown in &sample.unknown {
        document = document.note(unknown.clone());
    }
    (outcome, document)
}

/// `4711`, or the name of a prepared transaction.
pub fn name(sample: &Sample, who: Who) -> String {
    match who {
        Who::Session(pid) => pid.to_string(),
        Who::Prepared(number) => match sample.prepared(number) {
            Some(prepared) => format!("prepared transaction '{}'", prepared.gid),
            None => "an unknown prepared transaction".to_owned(),
        },
    }
}

fn lines(sample: &Sample, forest: &Forest, longest: f64) -> String {
    if forest.blockers.is_empty() {
        return "Nobody waits for a lock.".to_owned();
    }
    let (waiting, roots) = (forest.blockers.len(), forest.roots.len());
    let mut text = format!(
        "{waiting} session{} behind {roots} that {} not wait; the longest wait: {}\n",
        if waiting == 1 { " waits" } else { "s wait" },
        if roots == 1 { "does" } else { "do" },
        age(longest),
    );
    let mut rest: &[Tree] = &forest.roots;
    while let [tree, others @ ..] = rest {
        let below = |tree: &Tree| tree.waiters.iter().map(|waiter| waiter.who).collect::<Vec<_>>();
        let alike =
            others.iter().take_while(|other| other.waiters.iter().all(|w| w.repeated) && below(other) == below(tree));
        let alike = alike.count();
        draw(sample, forest, tree, "", &mut text);
        if alike > 0 {
            let pids: Vec<String> = others[..alike].iter().map(|other| name(sample, other.who)).collect();
            line(&mut text, &format!("… and {alike} more in the way of the same: {}", pids.join(", ")));
        }
        rest = &others[alike..];
    }
    text
}

fn draw(sample: &Sample, forest: &Forest, tree: &Tree, indent: &str, text: &mut String) {
    if tree.repeated {
        return line(text, &format!("{indent}{}: waits here too, see above", name(sample, tree.who)));
    }
    let doing = if let Some(lock) = wanted(sample, forest, tree.who) {
        let waited = lock.wait_seconds.map_or(String::new(), |seconds| format!(" for {}", age(seconds)));
        Some(format!("waits{waited} for {} on {}", short(&lock.mode), sample.thing(lock)))
    } else {
        holding(sample, forest, tree).map(|lock| format!("holds {} on {}", short(&lock.mode), sample.thing(lock)))
    };
    let mut words = vec![name(sample, tree.who)];
    let (direct, total) = forest.victims(tree.who);
    match tree.who {
        Who::Session(pid) => {
            let backend = sample.backend(pid);
            let kept = |field: fn(&crate::inspect::backend::Backend) -> Option<String>| backend.and_then(field);
            words.extend(kept(|b| b.role.clone()));
            words.extend(kept(|b| b.application.clone()));
            words.extend(kept(|b| b.client.clone()));
            match backend {
                Some(backend) if backend.hidden => words.push("state UNKNOWN".to_owned()),
                Some(backend) => {
                    words.extend(backend.state.clone().or_else(|| backend.backend_type.clone()));
                    words.extend(backend.transaction_seconds.map(age));
                }
                None => words.push("gone meanwhile".to_owned()),
            }
        }
        Who::Prepared(number) => {
            words.extend(sample.prepared(number).and_then(|prepared| prepared.role.clone()));
            words.extend(sample.prepared(number).and_then(|prepared| prepared.seconds).map(age));
            let database = sample.prepared(number).and_then(|prepared| prepared.database.as_deref());
            words.push(format!("in {}", database.unwrap_or("an UNKNOWN database")));
            words.extend(doing.clone());
        }
    }
    let victims = match (direct, total) {
        (_, 0) => String::new(),
        (direct, total) if direct == total => format!(" · blocks {total}"),
        (direct, total) => format!(" · blocks {direct}, {total} in all"),
    };
    let room = WIDTH.saturating_sub(indent.chars().count() + victims.chars().count());
    line(text, &format!("{indent}{}{victims}", cut(&visible(&words.join("  ")), room)));
    match tree.who {
        Who::Session(_) => {
            let mut second: Vec<String> = doing.into_iter().collect();
            second.extend(query(sample, tree.who));
            if !second.is_empty() {
                line(text, &format!("{indent}  {}", second.join(": ")));
            }
        }
        Who::Prepared(number) => {
            // To be pasted: never cut.
            let remedy = sample.prepared(number).map(|prepared| visible(&format!("{};", prepared.remedy)));
            text.extend(remedy.map(|remedy| format!("{indent}  {remedy}\n")));
        }
    }
    let below = format!("{indent}   ");
    for waiter in &tree.waiters {
        draw(sample, forest, waiter, &below, text);
        if !waiter.more.is_empty() {
            line(text, &format!("{below}… and {} more wait for the same", waiter.more.len()));
        }
    }
}

fn wanted<'a>(sample: &'a Sample, forest: &Forest, who: Who) -> Option<&'a Lock> {
    forest.wanted.get(&who).map(|at| &sample.locks[*at])
}

/// The lock by which a root keeps the first of its waiters.
fn holding<'a>(sample: &'a Sample, forest: &Forest, tree: &Tree) -> Option<&'a Lock> {
    tree.waiters
        .iter()
        .filter_map(|waiter| wanted(sample, forest, waiter.who))
        .find_map(|lock| held(sample, tree.who, lock))
}

fn query(sample: &Sample, who: Who) -> Option<String> {
    let Who::Session(pid) = who else { return None };
    let query = sample.backend(pid)?.query.as_deref()?;
    Some(query.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn line(text: &mut String, line: &str) {
    text.push_str(&cut(&visible(line), WIDTH));
    text.push('\n');
}

/// At most so many characters.
pub fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

fn short(mode: &str) -> &str {
    mode.strip_suffix("Lock").unwrap_or(mode)
}

/// `3.2 s`, `4 min`, `3 h 2 min`.
pub fn age(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..60 => format!("{:.1} s", seconds.max(0.0)),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86400, whole % 86400 / 3600),
    }
}

fn number(who: Who) -> i64 {
    match who {
        Who::Session(pid) => pid.into(),
        Who::Prepared(_) => 0,
    }
}

fn fields(sample: &Sample, forest: &Forest, who: Who) -> Vec<(&'static str, Value)> {
    let backend = match who {
        Who::Session(pid) => sample.backend(pid).cloned().unwrap_or_default(),
        Who::Prepared(_) => Default::default(),
    };
    let prepared = match who {
        Who::Prepared(number) => sample.prepared(number),
        Who::Session(_) => None,
    };
    let seconds = |value: Option<f64>| value.map_or(Value::None, Value::Seconds);
    let lock = wanted(sample, forest, who);
    let blockers = |kept: fn(bool) -> bool| {
        let all = forest.blockers.get(&who).into_iter().flatten();
        Value::Ints(all.filter(|(_, holds)| kept(**holds)).map(|(who, _)| number(*who)).collect())
    };
    let (direct, total) = forest.victims(who);
    vec![
        ("pid", number(who).into()),
        ("gid", prepared.map(|prepared| prepared.gid.clone()).into()),
        ("role", backend.role.or(prepared.and_then(|p| p.role.clone())).into()),
        ("database", backend.database.or(prepared.and_then(|p| p.database.clone())).into()),
        ("application", backend.application.into()),
        ("client", backend.client.into()),
        ("backend_type", backend.backend_type.into()),
        ("state", if backend.hidden { Value::Unknown } else { backend.state.into() }),
        ("transaction_seconds", seconds(backend.transaction_seconds.or(prepared.and_then(|p| p.seconds)))),
        ("wait_seconds", seconds(lock.and_then(|lock| lock.wait_seconds.or(backend.state_seconds)))),
        ("mode", lock.map(|lock| lock.mode.clone()).into()),
        ("object", lock.map(|lock| sample.thing(lock)).into()),
        ("held_by", blockers(|holds| holds)),
        ("queued_behind", blockers(|holds| !holds)),
        ("victims_direct", direct.into()),
        ("victims", total.into()),
        ("query", if backend.hidden { Value::Unknown } else { backend.query.into() }),
        ("remedy", prepared.map(|prepared| prepared.remedy.clone()).into()),
    ]
}

fn node(sample: &Sample, forest: &Forest, tree: &Tree, above: Option<Who>) -> Node {
    let mut fields = fields(sample, forest, tree.who);
    let holds = above.and_then(|above| forest.blockers.get(&tree.who)?.get(&above)).copied();
    let holding = holding(sample, forest, tree);
    fields.push(("holds_mode", holding.map(|lock| lock.mode.clone()).into()));
    fields.push(("holds_object", holding.map(|lock| sample.thing(lock)).into()));
    fields.push(("blocked_hard", holds.into()));
    fields.push(("repeated", tree.repeated.into()));
    let more: Vec<i64> = tree.waiters.iter().flat_map(|waiter| &waiter.more).map(|who| number(*who)).collect();
    fields.push(("more", more.len().into()));
    fields.push(("more_pids", Value::Ints(more)));
    let below = tree.waiters.iter().map(|waiter| node(sample, forest, waiter, Some(tree.who))).collect();
    Node { fields, below }
}

fn flat(sample: &Sample, forest: &Forest) -> Table {
    let mut all: Vec<Who> = forest.tops();
    all.extend(forest.blockers.keys().filter(|who| !forest.tops().contains(who)));
    let rows: Vec<Vec<(&'static str, Value)>> = all.iter().map(|who| fields(sample, forest, *who)).collect();
    let keys = fields(sample, forest, Who::Prepared(-1));
    let columns = keys.iter().map(|(key, _)| Column::new(key, key)).collect();
    let mut table = Table::new("sessions", "Nobody waits for a lock.", columns);
    for row in rows {
        table.push(row.into_iter().map(|(_, value)| value).collect());
    }
    table
}
