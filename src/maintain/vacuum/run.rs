//! Look, plan, gate; take the lease, look and plan again; the crew; look once more for the report.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::Notify;

use super::brake::Brake;
use super::plan::{self, Task, VacuumPlan};
use super::progress::{self, Both};
use super::read::{self, After, Look, Sizes};
use super::view;
use super::work::{Attempt, AttemptEnd, Manner};
use super::{Answer, Request, Wish, advice};
use crate::error::{Failure, Kind, Result};
use crate::maintain::room;
use crate::pg::{Server, Session};
use crate::steps::apply::{Executor, Order};
use crate::steps::crew::{Crew, End, Pace, Piece};
use crate::steps::events::Events;
use crate::steps::gate::{self, Rails};
use crate::steps::ledger::Ledger;
use crate::steps::{Means, Pauses};

/// What a run did.
#[derive(Debug)]
pub struct Report {
    /// What it meant to do.
    pub plan: VacuumPlan,
    /// How each task ended, in the order of [`VacuumPlan::all`].
    pub ends: Vec<End<Attempt>>,
    /// How the tables stand now.
    pub after: BTreeMap<u32, After>,
    /// How large they were.
    pub sizes_before: Sizes,
    /// How large they are.
    pub sizes_after: Sizes,
    /// `maintenance_work_mem`.
    pub memory: String,
    /// Tables whose indexes were gone through more than once.
    pub crowded: BTreeSet<u32>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why the journal does not tell all of it.
    pub unwritten: Option<Failure>,
}

/// Vacuums and analyzes what is due, or shows it.
///
/// # Errors
/// Refused on a standby; busy; interrupted, with what is done; what concerns one table is in the answer.
pub async fn run(request: &Request, means: &mut Means<'_>) -> Result<Answer> {
    let session = Session::open(&request.connection, "vacuum", means.interrupt).await?;
    let (server, mut snapshot) = read::first(&session, restless(&request.wish)).await?;
    if server.in_recovery {
        return Err(Failure::new(
            Kind::Refused,
            "this server is a standby: it gets the vacuum of its primary through the WAL",
        )
        .hint("run it on the primary, for example with several hosts and target_session_attrs=read-write"));
    }
    if request.wish.advice {
        return Ok(advice::advise(request, &server, &snapshot));
    }
    let mut plan = plan::plan(&snapshot, &request.wish);
    refuse(&plan, request, &server)?;
    if request.dry_run || request.wish.full {
        let sizes = read::sizes(&session, &oids(&plan)).await?;
        plan.measure(&sizes);
        if request.wish.full {
            weigh(&mut plan, request, &session).await?;
        }
        if request.dry_run {
            return Ok(view::plan(request, &server, &plan, &sizes));
        }
        refuse_idle_rewrite(&plan)?;
    }
    if plan.is_empty() {
        return Ok(view::plan(request, &server, &plan, &Sizes::new()));
    }
    pass(&plan, request, means)?;
    let order = Order {
        command: "vacuum".to_owned(),
        lease: "vacuum".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience,
        pauses: Pauses::default(),
    };
    let mut executor =
        Executor::begin(session, server.clone(), &request.connection, order, means.interrupt, means.events).await?;
    let mut notes = Vec::new();
    open_journal(&mut executor, &mut notes).await?;
    let mut crew = Crew::muster(executor, request.wish.jobs, &request.connection, means.events).await?;
    if crew.lead().waited() {
        // Another run may have worked meanwhile.
        let look = Look { only: Some(&plan.concerned(&snapshot)), restless: None };
        snapshot = read::look(crew.lead().session(), server.major, look).await?;
        plan = plan::plan(&snapshot, &request.wish);
    }
    let ledger = crew.lead().ledger();
    let names: Vec<String> = plan.all().map(|task| task.table.to_string()).collect();
    let did = oids(&plan);
    // Each on a connection of its own, of which there are two: opening thousands of files takes its time.
    let lease = crew.lead().lease();
    let (some, others) = did.split_at(did.len() / 2);
    let beside = async { (ledger.announce("vacuum", &names).await, read::sizes(lease.session(), others).await) };
    let (sizes, (announced, further)) = tokio::join!(read::sizes(crew.lead().session(), some), beside);
    let mut sizes_before = sizes?;
    sizes_before.extend(further?);
    plan.measure(&sizes_before);
    if request.wish.full {
        weigh(&mut plan, request, crew.lead().session()).await?;
    }
    match announced {
        // Kept, and written with what comes next.
        Err(failure) if failure.what() == Kind::Deferred => {}
        Err(failure) => {
            crew.lead().close_failed(&failure).await;
            return Err(failure);
        }
        Ok(()) => {}
    }
    let brake = Brake::new(request.wish.max_lag);
    if let Err(failure) = brake.look(crew.lead()).await {
        crew.lead().close_failed(&failure).await;
        return Err(failure);
    }
    let (ends, crowded) = everything(&mut crew, &plan, request, (&ledger, &brake), means).await;
    let memory = snapshot.memory;
    let mut report = Report { ends, sizes_before, memory, crowded, notes, ..Report::nothing(plan) };
    let (after, written) = tokio::join!(read::after(crew.lead().session(), &did), ledger.write());
    report.unwritten = written.err();
    if let Err(failure) = means.interrupt.check() {
        crew.close("interrupted", "").await;
        return Err(failure.done(report.done()));
    }
    report.after = after?;
    report.sizes_after = measured(&report, crew.lead().session(), request.wish.full).await?;
    let answer = view::done(request, &server, &report);
    crew.close(if answer.0 == crate::outcome::Outcome::Done { "done" } else { "partial" }, "").await;
    Ok(answer)
}

/// How large the tables are now: measured again where a file of rows has become shorter or was written anew, for
/// nothing else that a vacuum does makes one smaller.
async fn measured(report: &Report, session: &Session, rewritten: bool) -> Result<Sizes> {
    let mut sizes = report.sizes_before.clone();
    let shorter = |oid: &u32| {
        let (before, after) = (report.sizes_before.get(oid), report.after.get(oid));
        before.zip(after).is_none_or(|(before, after)| after.row_bytes < before.row_bytes)
    };
    let again: Vec<u32> = oids(&report.plan).into_iter().filter(|oid| rewritten || shorter(oid)).collect();
    for oid in &again {
        sizes.remove(oid);
    }
    sizes.extend(read::sizes(session, &again).await?);
    Ok(sizes)
}

/// What a rewrite gives, and whether there is room for it.
async fn weigh(plan: &mut VacuumPlan, request: &Request, session: &Session) -> Result<()> {
    let mut free = BTreeMap::new();
    if room::is_here(&request.connection) {
        let places = read::places(session, &oids(plan)).await?;
        free.extend(places.iter().filter_map(|(oid, place)| Some((*oid, room::free_bytes(place)?))));
    }
    plan.weigh(&request.gains, &free, request.wish.force);
    Ok(())
}

/// Tables at rest matter to nobody who has not named them; an age of its own may be due from.
fn restless(wish: &Wish) -> Option<i64> {
    (wish.tables.is_empty() && !wish.advice).then(|| wish.freeze_before.unwrap_or(i64::MAX))
}

fn oids(plan: &VacuumPlan) -> Vec<u32> {
    plan.all().map(|task| task.oid).collect()
}

impl Report {
    /// Of a run with nothing to do.
    pub fn nothing(plan: VacuumPlan) -> Report {
        Report {
            plan,
            ends: Vec::new(),
            after: BTreeMap::new(),
            sizes_before: Sizes::new(),
            sizes_after: Sizes::new(),
            memory: String::new(),
            crowded: BTreeSet::new(),
            notes: Vec::new(),
            unwritten: None,
        }
    }

    /// What is done, a line each.
    fn done(&self) -> Vec<String> {
        let done = |end: &End<Attempt>| matches!(end, End::Ended(Attempt { end: AttemptEnd::Done, .. }));
        let lines = self.plan.all().zip(&self.ends).filter(|(_, end)| done(end));
        lines.map(|(task, _)| format!("{} {}", task.what, task.table)).collect()
    }
}

/// The tables, then their parents' statistics, then what concerns the database as a whole.
async fn everything(
    crew: &mut Crew,
    plan: &VacuumPlan,
    request: &Request,
    (ledger, brake): (&Ledger, &Brake),
    means: &mut Means<'_>,
) -> (Vec<End<Attempt>>, BTreeSet<u32>) {
    let manner = Manner::new(request, ledger, brake);
    let began = std::time::Instant::now();
    let crowded = RefCell::new(BTreeSet::new());
    let (pids, lease, over) = (crew.pids(), crew.lead().lease(), Notify::new());
    let told: &mut dyn Events = means.events;
    let events = RefCell::new(told);
    let work = async {
        let mut ends = Vec::new();
        for tasks in [&plan.tasks, &plan.parents] {
            let pieces: Vec<Piece<&Task>> = tasks.iter().map(piece).collect();
            let budget = request.wish.budget.map(|budget| budget.saturating_sub(began.elapsed()));
            let pace = Pace { budget, patience: request.lock_patience, pauses: Pauses::default() };
            let mut told = Both(&events);
            let work = async |executor: &mut Executor, piece: &Piece<&Task>, events: &mut dyn Events| {
                manner.attempt(executor, piece, events).await
            };
            ends.extend(crew.work(&pieces, pace, &mut told, work).await);
        }
        if let Some(sql) = plan.closing {
            // A courtesy: the next VACUUM of any table does the same.
            let _ = manner.close(crew.lead(), sql, &mut Both(&events)).await;
        }
        ends
    };
    let onlooker = progress::look_on(&lease, &pids, plan, &events, &crowded);
    let watched = async {
        let ends = tokio::select! {
            ends = work => ends,
            () = onlooker => Vec::new(),
        };
        over.notify_one();
        ends
    };
    // What is being written is not given up when the work ends.
    let (ends, ()) = tokio::join!(watched, ledger.keep(&over));
    (ends, crowded.into_inner())
}

fn piece(task: &Task) -> Piece<&Task> {
    Piece { about: task.oid, title: format!("{} {}", task.what, task.table), work: task }
}

/// The journal is dbctl's, not the tables': who may vacuum a table may do it where dbctl may not write.
async fn open_journal(executor: &mut Executor, notes: &mut Vec<String>) -> Result<()> {
    match executor.open_journal().await {
        Ok(()) => Ok(()),
        Err(failure) if failure.what() == Kind::NotPermitted => {
            executor.note("ROLLBACK").await?;
            notes.push("this role may not write dbctl's journal (schema dbctl): the run is not in it".to_owned());
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// What cannot be meant.
fn refuse(plan: &VacuumPlan, request: &Request, server: &Server) -> Result<()> {
    if let Some(missing) = plan.missing.first() {
        return Err(Failure::new(Kind::Usage, format!("there is no table {missing} in database {}", server.database))
            .hint("views, foreign and temporary tables cannot be vacuumed; a name without schema means public"));
    }
    if request.wish.buffer_usage_limit.is_some() && server.major < 16 {
        return Err(Failure::new(
            Kind::Usage,
            format!("--buffer-usage-limit needs PostgreSQL 16, this is {}", server.version),
        ));
    }
    Ok(())
}

/// Nothing of what was named would be rewritten: who asked for it is not told that all is well.
fn refuse_idle_rewrite(plan: &VacuumPlan) -> Result<()> {
    let counted: Vec<&plan::Skipped> = plan.skipped.iter().filter(|skipped| skipped.counts).collect();
    if !plan.is_empty() || counted.is_empty() {
        return Ok(());
    }
    let failure = Failure::new(Kind::Refused, "none of the tables is rewritten; nothing was changed");
    Err(counted.iter().fold(failure, |failure, skipped| failure.note(format!("{}: {}", skipped.table, skipped.why))))
}

/// A rewrite is asked about.
fn pass(plan: &VacuumPlan, request: &Request, means: &mut Means<'_>) -> Result<()> {
    let because: Vec<String> = plan
        .all()
        .flat_map(|task| task.hazards.iter().map(move |hazard| (task, hazard)))
        .map(|(task, hazard)| view::hazard(task, hazard))
        .collect();
    if because.is_empty() {
        return Ok(());
    }
    gate::consent(because, &Rails { always_ask: true, ..request.rails.clone() }, means.confirm)
}
