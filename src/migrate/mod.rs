//! Migrations: status, plan, up, down, repair, new, systems. The page of verbs; each verb's work is
//! in a file beside it. Reads and plans like everybody; changes go through [`Executor`] only.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

pub mod assess;
pub(crate) mod effects;
pub mod embedded;
pub mod history;
pub mod new;
pub mod plan;
mod reach;
pub mod read;
pub mod replay;
pub(crate) mod script;
pub mod source;
mod view;
pub(crate) mod words;

pub use plan::{Limits, Wish};
pub use source::Origin;

use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::Literal;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Interrupt, Server, Session};
pub use crate::steps::Means;
use crate::steps::apply::{Executor, Order};
use crate::steps::gate::{self, Rails};
use crate::steps::{Pauses, Plan};
use assess::Assessment;
use read::Snapshot;
use source::MigrationSet;

/// What every verb on a database needs.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// The migrations.
    pub origin: Origin,
    /// Parts of them that are left out.
    pub without: Vec<String>,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long all attempts for a lock may take together.
    pub lock_patience: Duration,
    /// Stop after the plan.
    pub dry_run: bool,
    /// What protects the target.
    pub rails: Rails,
}

/// What a verb answers.
pub type Answer = (Outcome, Document);

/// What was read and found.
struct Findings {
    set: MigrationSet,
    snapshot: Snapshot,
    assessment: Assessment,
}

impl Findings {
    fn of(set: MigrationSet, snapshot: Snapshot) -> Findings {
        let assessment = assess::assess(&set, &snapshot);
        Findings { set, snapshot, assessment }
    }
}

/// Shows every version's state. Reads only; needs SELECT on the history, nothing more. With
/// `exit_code`, pending or contradicting versions are findings.
///
/// # Errors
/// Unreachable, not permitted, or a set that cannot be read.
pub async fn status(request: &Request, exit_code: bool, brief: bool, interrupt: &Interrupt) -> Result<Answer> {
    let (_session, findings) = look(request, Files::Any, interrupt).await?;
    let clean = findings.assessment.entries.iter().all(|e| e.state == assess::State::Applied)
        && findings.set.problems.is_empty()
        && findings.assessment.other_system.is_none()
        && findings.assessment.faults.is_empty()
        && findings.snapshot.half_done.is_empty();
    let outcome = if exit_code && !clean { Outcome::Findings } else { Outcome::Done };
    Ok((
        outcome,
        view::status(&request.connection.label(), &findings.set, &findings.snapshot, &findings.assessment, brief),
    ))
}

/// Shows the steps that [`up`] would take, with their exact SQL.
///
/// # Errors
/// As [`up`], without its effects.
pub async fn plan(request: &Request, wish: &Wish, exit_code: bool, interrupt: &Interrupt) -> Result<Answer> {
    let (_session, found) = look(request, Files::Sound, interrupt).await?;
    let plan = plan::up(&found.set, &found.snapshot, &found.assessment, wish)?;
    let outcome = if exit_code && !plan.is_empty() { Outcome::Findings } else { Outcome::Done };
    Ok((outcome, view::plan(&request.connection.label(), &found.set, &found.snapshot, &plan)))
}

/// Applies what is pending.
///
/// # Errors
/// Every way in which a migration can fail; what was applied before stays and is named.
pub async fn up(request: &Request, wish: &Wish, means: &mut Means<'_>) -> Result<Answer> {
    change(request, "migrate", means, |found| plan::up(&found.set, &found.snapshot, &found.assessment, wish)).await
}

/// Takes versions above `to` back.
///
/// # Errors
/// Refused without a rollback for each of them, or without consent.
pub async fn down(request: &Request, to: i64, limits: Limits, means: &mut Means<'_>) -> Result<Answer> {
    let rollbacks = source::rollbacks(&request.origin)?;
    change(request, "migrate down", means, |found| {
        plan::down(&found.set, &rollbacks, &found.snapshot, &found.assessment, to, limits)
    })
    .await
}

/// Makes the history say of one version what its file says, and journals why.
///
/// # Errors
/// Refused when there is nothing to repair.
pub async fn repair(
    request: &Request,
    version: i64,
    reason: &str,
    limits: Limits,
    means: &mut Means<'_>,
) -> Result<Answer> {
    change(request, "migrate repair", means, |found| {
        let mut plan = plan::repair(&found.set, &found.snapshot, &found.assessment, version, limits)?;
        let old = found.assessment.entries.iter().find(|e| e.version == version).and_then(|e| e.row.as_ref());
        for step in &mut plan.steps {
            step.record.push(format!(
                "INSERT INTO dbctl.journal (run, subject, state, detail)\nSELECT id, {}, 'repaired', \
                 pg_catalog.jsonb_build_object('reason', {}::text, 'old_name', {}::text, 'old_checksum', {}::text) FROM dbctl.run \
                 WHERE backend_pid = pg_catalog.pg_backend_pid() ORDER BY id DESC LIMIT 1;",
                Literal(&step.id),
                Literal(reason),
                Literal(old.map_or("", |row| &row.name)),
                Literal(old.map_or("", |row| &row.checksum)),
            ));
        }
        Ok(plan)
    })
    .await
}

/// Lists the embedded systems.
pub fn systems() -> Answer {
    (Outcome::Done, view::systems(embedded::SYSTEMS))
}

/// Writes a new, empty migration.
///
/// # Errors
/// Usage for a name without words; refused when the file exists.
pub fn create(folder: PathBuf, name: &str, with_rollback: bool, now: chrono::DateTime<chrono::Utc>) -> Result<Answer> {
    let files = new::create(&folder, name, with_rollback, now)?;
    Ok((Outcome::Done, view::created(&files)))
}

/// How a database stands to its migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The server.
    pub server: Server,
    /// Versions to be applied.
    pub pending: usize,
    /// Versions whose history contradicts the files.
    pub contradictions: usize,
    /// The system whose history it is, when it is another.
    pub other_system: Option<String>,
}

/// Reads how a database stands to its migrations.
///
/// # Errors
/// Usage for an unknown system or part, invalid for files that cannot be read; the server's.
pub async fn standing(session: &Session, origin: &Origin, without: &[String]) -> Result<Standing> {
    let set = MigrationSet::load(origin)?.without(without)?;
    set.refuse_problems()?;
    let found = read_findings(session, set).await?;
    Ok(Standing {
        pending: found.assessment.pending().count(),
        contradictions: found.assessment.obstacles().count(),
        other_system: found.assessment.other_system,
        server: found.snapshot.server,
    })
}

/// The versions of a set that a database does not have, read in one read-only transaction.
///
/// # Errors
/// Not permitted when the history may not be read.
pub async fn pending(session: &Session, set: &MigrationSet) -> Result<BTreeSet<i64>> {
    let snapshot = read::snapshot(session).await?;
    Ok(assess::assess(set, &snapshot).pending().map(|entry| entry.version).collect())
}

/// Which sets a verb takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    /// Any: it tells what is wrong with them.
    Any,
    /// Those without a problem.
    Sound,
}

/// Reads the files while the server is asked: neither needs the other, and they take about as long.
async fn look(request: &Request, files: Files, interrupt: &Interrupt) -> Result<(Session, Findings)> {
    let (origin, without) = (request.origin.clone(), request.without.clone());
    let mut reading = tokio::task::spawn_blocking(move || {
        let set = MigrationSet::load(&origin)?.without(&without)?;
        if files == Files::Sound {
            set.refuse_problems()?;
        }
        Ok::<_, Failure>(set)
    });
    let asking = async {
        let session = Session::open(&request.connection, "migrate", interrupt).await?;
        let snapshot = read::snapshot(&session).await?;
        Ok::<_, Failure>((session, snapshot))
    };
    tokio::pin!(asking);
    // Unusable files are told before an unusable server, whichever is known first.
    let (set, asked) = tokio::select! {
        set = &mut reading => (set??, asking.await),
        asked = &mut asking => {
            let set = tokio::select! {
                set = &mut reading => set??,
                failure = interrupt.wait() => return Err(failure),
            };
            (set, asked)
        }
    };
    let (session, snapshot) = asked?;
    Ok((session, Findings::of(set, snapshot)))
}

async fn read_findings(session: &Session, set: MigrationSet) -> Result<Findings> {
    Ok(Findings::of(set, read::snapshot(session).await?))
}

/// The way of every verb that changes: look, plan, gate; take the lease, look and plan again,
/// because another run may have worked meanwhile; apply.
async fn change(
    request: &Request,
    command: &str,
    means: &mut Means<'_>,
    decide: impl Fn(&Findings) -> Result<Plan>,
) -> Result<Answer> {
    let label = request.connection.label();
    let (session, found) = look(request, Files::Sound, means.interrupt).await?;
    refuse_old_server(&found)?;
    let first = decide(&found)?;
    if request.dry_run {
        return Ok((Outcome::Done, view::plan(&label, &found.set, &found.snapshot, &first)));
    }
    if first.is_empty() {
        return Ok((Outcome::Done, view::applied(&label, &found.set, &found.snapshot, &[])));
    }
    gate::pass(&first, &request.rails, means.confirm)?;
    let order = Order {
        command: command.to_owned(),
        lease: history::lease(),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience,
        pauses: Pauses::default(),
    };
    let before = found.snapshot.clone();
    let mut executor =
        Executor::begin(session, found.snapshot.server, &request.connection, order, means.interrupt, means.events)
            .await?;
    let found = read_findings(executor.session(), found.set).await?;
    // Reading large files again would double the work for the same plan.
    let plan = if found.snapshot == before { first } else { decide_again(&found, &first, &decide, request, means)? };
    if !plan.is_empty() {
        executor.open_journal().await?;
        let notes = plan::adopt_notes(&found.set, &found.snapshot, &found.assessment);
        if !notes.is_empty() {
            executor.note(&notes.join("\n")).await?;
        }
    }
    let applied = executor.apply(&plan, means.events).await?;
    Ok((Outcome::Done, view::applied(&label, &found.set, &found.snapshot, &applied)))
}

/// Another run worked while this one waited: what is left to do has changed.
fn decide_again(
    found: &Findings,
    first: &Plan,
    decide: &impl Fn(&Findings) -> Result<Plan>,
    request: &Request,
    means: &mut Means<'_>,
) -> Result<Plan> {
    let plan = decide(found)?;
    if plan.destructions().iter().any(|d| !first.destructions().contains(d)) {
        gate::pass(&plan, &request.rails, means.confirm)?;
    }
    Ok(plan)
}

fn refuse_old_server(found: &Findings) -> Result<()> {
    let Some(system) = found.set.system().and_then(|name| embedded::System::named(name).ok()) else { return Ok(()) };
    if found.snapshot.server.major >= system.lowest_major {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        format!(
            "system {} needs PostgreSQL {}; this is {}",
            system.name, system.lowest_major, found.snapshot.server.version
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn unusable_files_are_told_before_an_unusable_server() {
        let empty = tempfile::tempdir().unwrap();
        let request = |origin: &str| Request {
            connection: Connection::over_socket(empty.path(), 1, "nobody", "nothing"),
            origin: Origin::Folder(empty.path().join(origin)),
            without: Vec::new(),
            lock_wait: Duration::ZERO,
            lock_patience: Duration::ZERO,
            dry_run: true,
            rails: Rails { protected: None, target_named: false, yes: true, interactive: false, always_ask: false },
        };
        for (origin, kind) in [("missing", Kind::Invalid), ("", Kind::Unreachable)] {
            let looked = look(&request(origin), Files::Sound, &Interrupt::default()).await;
            assert_eq!(looked.err().map(|failure| failure.what()), Some(kind), "{origin}");
        }
    }
}
