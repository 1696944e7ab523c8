//! Ends what is in the way: sends `pg_cancel_backend` and `pg_terminate_backend`, nothing else, and
//! looks whether the waiters really went. Whom, is decided in `choose`, before anything is sent.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::forest::{Forest, Who, grow};
use super::sample::Sample;
use super::view::{age, name};
use crate::error::{Failure, Kind, Result};
use crate::inspect::Eye;
use crate::inspect::backend::Backend;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::{Interrupt, Query};

/// How long the effect is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(100);

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Ends the statement.
    Cancel,
    /// Ends the session.
    Terminate,
}

/// What `--state` may say; one idle in a transaction may also be so after an error.
pub const STATES: [&str; 5] = ["active", "idle", "idle-in-transaction", "fastpath-function-call", "disabled"];

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What is sent.
    pub deed: Deed,
    /// To whom; the roots where `root` says so.
    pub pids: Vec<i32>,
    /// To those who keep others waiting and do not wait themselves.
    pub root: bool,
    /// Of the roots only those whose transaction is older.
    pub older_than: Option<Duration>,
    /// Of the roots only those in this of the [`STATES`].
    pub state: Option<String>,
    /// Also to those that are refused otherwise.
    pub force: bool,
}

/// Who is meant and why it is refused, if it is.
#[derive(Debug, Clone)]
pub struct Target {
    backend: Backend,
    refused: Option<String>,
    waiting: BTreeSet<Who>,
    after: Option<usize>,
    gone: bool,
}

impl Deed {
    fn function(self) -> &'static str {
        match self {
            Deed::Cancel => "pg_cancel_backend",
            Deed::Terminate => "pg_terminate_backend",
        }
    }
}

/// Looks, decides, asks, sends, and looks again.
///
/// # Errors
/// Not permitted, refused, the server's.
pub async fn act(
    eye: &Eye,
    wish: &Wish,
    go: impl FnOnce(&[String]) -> bool,
    dry_run: bool,
    interrupt: &Interrupt,
    say: &mut dyn FnMut(&str),
) -> Result<(Outcome, Document)> {
    let sample = super::read(eye, &wish.pids).await?;
    let forest = grow(&sample);
    let mut targets = choose(eye, wish, &sample, &forest).await?;
    if targets.iter().any(|target| target.refused.is_some()) || targets.is_empty() || dry_run {
        let refused = targets.iter().any(|target| target.refused.is_some());
        let outcome = if refused { Outcome::Refused } else { Outcome::Done };
        return Ok((outcome, view(wish, &sample, &targets, false)));
    }
    let plan: Vec<String> = targets.iter().map(|target| describe(wish.deed, target)).collect();
    if !go(&plan) {
        let document = view(wish, &sample, &targets, false).note("nothing was sent: say --yes");
        return Ok((Outcome::Refused, document));
    }
    for target in &targets {
        if send(eye, wish.deed, &target.backend).await? {
            say(&format!("sent {}", describe(wish.deed, target)));
        } else {
            say(&format!("{} is gone already: nothing was sent", target.backend.pid));
        }
    }
    let begun = Instant::now();
    let mut after;
    loop {
        after = super::read(eye, &targets.iter().map(|target| target.backend.pid).collect::<Vec<_>>()).await?;
        let now = grow(&after);
        for target in &mut targets {
            let still = target.waiting.iter().filter(|waiter| blocked_by(&now, **waiter, target.backend.pid)).count();
            target.after = Some(still);
            target.gone = still == 0 && is_done(wish.deed, &target.backend, &after);
        }
        if targets.iter().all(|target| target.gone) || begun.elapsed() > PATIENCE {
            break;
        }
        interrupt.sleep(PAUSE).await?;
    }
    let outcome = if targets.iter().all(|target| target.gone) { Outcome::Done } else { Outcome::Failed };
    let mut document = view(wish, &sample, &targets, true);
    if outcome != Outcome::Done && wish.deed == Deed::Cancel {
        document = document.note("what a cancel does not move, 'dbctl locks terminate' ends");
    }
    let left = grow(&after);
    let still: Vec<Who> =
        targets.iter().flat_map(|t| &t.waiting).copied().filter(|w| left.blockers.contains_key(w)).collect();
    if !still.is_empty() {
        let next: BTreeSet<String> =
            still.iter().flat_map(|w| left.reduced[w].iter()).map(|who| name(&after, *who)).collect();
        let next: Vec<String> = next.into_iter().take(5).collect();
        document = document.note(format!("{} of the waiters still wait, now for {}", still.len(), next.join(", ")));
    }
    Ok((outcome, document))
}

/// Whether somebody waits for this backend, directly or behind others.
fn blocked_by(forest: &Forest, waiter: Who, pid: i32) -> bool {
    let (mut open, mut seen) = (vec![waiter], BTreeSet::new());
    while let Some(who) = open.pop() {
        for blocker in forest.blockers.get(&who).into_iter().flat_map(|blockers| blockers.keys()) {
            if *blocker == Who::Session(pid) {
                return true;
            }
            if seen.insert(*blocker) {
                open.push(*blocker);
            }
        }
    }
    false
}

/// A cancelled statement is over; a terminated session is not there any more.
fn is_done(deed: Deed, before: &Backend, after: &Sample) -> bool {
    let Some(now) = after.backend(before.pid).filter(|now| now.started == before.started) else { return true };
    match deed {
        Deed::Terminate => false,
        Deed::Cancel => {
            // Its client may have sent the next one already.
            let next = now.query_seconds.zip(before.query_seconds).is_some_and(|(now, before)| now < before);
            before.state.as_deref() == Some("active") && (next || now.state.as_deref() != Some("active"))
        }
    }
}

async fn choose(eye: &Eye, wish: &Wish, sample: &Sample, forest: &Forest) -> Result<Vec<Target>> {
    let pids: Vec<i32> = if wish.root { roots(wish, sample, forest)? } else { wish.pids.clone() };
    let rows = eye.session().rows(&Query::BACKEND_RIGHTS, &[&pids]).await;
    let rows = rows.map_err(|e| e.explain("cannot see whose sessions these are"))?;
    let mut targets = Vec::new();
    for pid in pids {
        let waiting = |forest: &Forest| {
            forest.blockers.keys().copied().filter(|waiter| blocked_by(forest, *waiter, pid)).collect()
        };
        let Some(backend) = sample.backend(pid).cloned() else {
            let backend = Backend { pid, ..Backend::default() };
            let refused = Some("there is no such session, or it is this one".to_owned());
            targets.push(Target { backend, refused, waiting: BTreeSet::new(), after: None, gone: false });
            continue;
        };
        let row = rows.iter().find(|row| row.try_get::<_, i32>("pid").is_ok_and(|found| found == pid));
        let flag = |name| row.and_then(|row| row.try_get::<_, bool>(name).ok()).unwrap_or_default();
        let refused = refusal(wish, &backend, flag("superuser"), flag("replication"));
        targets.push(Target { backend, refused, waiting: waiting(forest), after: None, gone: false });
    }
    Ok(targets)
}

fn roots(wish: &Wish, sample: &Sample, forest: &Forest) -> Result<Vec<i32>> {
    let mut pids = Vec::new();
    for who in forest.tops() {
        let Who::Session(pid) = who else {
            let remedy = match who {
                Who::Prepared(number) => sample.prepared(number).map(|prepared| prepared.remedy.clone()),
                Who::Session(_) => None,
            };
            let failure =
                Failure::new(Kind::Refused, format!("{} is in the way: it has no session", name(sample, who)));
            return Err(remedy.into_iter().fold(failure, |failure, remedy| failure.hint(format!("{remedy};"))));
        };
        let backend = sample.backend(pid);
        let old =
            |least: Duration| backend.and_then(|b| b.transaction_seconds).is_some_and(|age| age >= least.as_secs_f64());
        let state = |wanted: &String| {
            backend
                .and_then(|b| b.state.as_deref())
                .is_some_and(|state| state.trim_end_matches(" (aborted)").replace(' ', "-") == *wanted)
        };
        // Whether one that cannot be seen is meant is not known: it is refused, not passed over.
        let unknown = backend.is_none_or(|b| b.hidden);
        if unknown || wish.older_than.is_none_or(old) && wish.state.as_ref().is_none_or(state) {
            pids.push(pid);
        }
    }
    Ok(pids)
}

fn refusal(wish: &Wish, backend: &Backend, superuser: bool, replication: bool) -> Option<String> {
    if backend.hidden || backend.started.is_none() {
        return Some("which session this is cannot be checked: GRANT pg_read_all_stats TO this role".to_owned());
    }
    let kind = backend.backend_type.as_deref().unwrap_or_default();
    if !["client backend", "walsender", "autovacuum worker", "parallel worker"].contains(&kind) {
        let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
        return Some(format!("{article} {kind} is no session that can be ended"));
    }
    if wish.force {
        return None;
    }
    if wish.deed == Deed::Cancel && backend.is_idle_in_transaction() {
        return Some(format!(
            "it is idle in a transaction: a cancel does nothing to it; use 'dbctl locks terminate {}'",
            backend.pid
        ));
    }
    let query = backend.query.as_deref().unwrap_or_default();
    let why = if superuser {
        "a superuser's session"
    } else if replication {
        "replication"
    } else if backend.application.as_deref().is_some_and(|name| name.starts_with("dbctl:")) {
        "a run of dbctl"
    } else if kind == "autovacuum worker" && query.contains("(to prevent wraparound)") {
        "an autovacuum that prevents wraparound"
    } else {
        return None;
    };
    Some(format!("{why}: say --force"))
}

/// Only to the very session that was looked at: a pid may be somebody else's by now.
async fn send(eye: &Eye, deed: Deed, backend: &Backend) -> Result<bool> {
    let sql = format!(
        "SELECT pg_catalog.{}(a.pid) AS sent FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = $1::text::int4 AND \
         pg_catalog.date_part('epoch', a.backend_start)::float8::text = $2::text",
        deed.function()
    );
    let started = backend.started.clone().unwrap_or_default();
    let rows = eye.session().rows_with(&sql, &[&backend.pid.to_string(), &started]).await.map_err(|error| {
        let failure = error.explain(format!("cannot send {} to {}", deed.function(), backend.pid));
        match error.code() {
            Some("42501") => failure.kind(Kind::NotPermitted).hint(
                "for the sessions of other roles: GRANT pg_signal_backend TO this role; those of superusers are theirs",
            ),
            _ => failure,
        }
    })?;
    Ok(rows.first().map(|row| row.try_get("sent")).transpose()?.unwrap_or_default())
}

fn describe(deed: Deed, target: &Target) -> String {
    let backend = &target.backend;
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{}({}): {} {} {} {}, {} wait for it",
        deed.function(),
        backend.pid,
        word(&backend.role),
        word(&backend.application),
        word(&backend.state),
        backend.transaction_seconds.map(age).unwrap_or_default(),
        target.waiting.len(),
    )
}

fn view(wish: &Wish, sample: &Sample, targets: &[Target], sent: bool) -> Document {
    let columns = vec![
        Column::new("pid", "pid"),
        Column::new("role", "role"),
        Column::new("application", "application"),
        Column::new("state", "state"),
        Column::new("transaction_seconds", "transaction"),
        Column::new("waiters_before", "waiters"),
        Column::new("waiters_after", "after"),
        Column::new("result", "result"),
        Column::machine("reason"),
    ];
    let mut table = Table::new("targets", "No session is meant.", columns);
    let mut document = Document::new("locks.act", 1)
        .machine("deed", wish.deed.function())
        .machine("at", sample.at)
        .machine("sent", sent);
    for target in targets {
        let result = match (&target.refused, sent, target.gone) {
            (Some(_), _, _) => "refused",
            (None, false, _) => "not sent",
            (None, true, true) => "gone",
            (None, true, false) => "still there",
        };
        if let Some(refused) = &target.refused {
            document = document.note(format!("{}: {refused}", target.backend.pid));
        }
        let backend = &target.backend;
        table.push(vec![
            i64::from(backend.pid).into(),
            backend.role.clone().into(),
            backend.application.clone().into(),
            backend.state.clone().into(),
            backend.transaction_seconds.map_or(Value::None, Value::Seconds),
            target.waiting.len().into(),
            target.after.into(),
            result.into(),
            target.refused.clone().into(),
        ]);
    }
    document.table(table)
}
