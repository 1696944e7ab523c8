//! Runs one check on a database and leaves nothing behind.

use super::check::{Check, Race, Script};
use crate::config::connection::Connection;
use crate::error::{Kind, Result};
use crate::migrate::embedded::Part;
use crate::pg::{Interrupt, ServerError, Session};
use crate::steps::Timeouts;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) file: &'static str,
    pub(super) promise: &'static str,
    /// Why the promise does not hold; none when it does.
    pub(super) broken: Option<String>,
}

/// Runs it.
///
/// # Errors
/// Only when nothing can be said: the connection is lost, or a signal came.
pub(super) async fn run(
    session: &Session,
    connection: &Connection,
    file: &'static Part,
    timeouts: Timeouts,
    interrupt: &Interrupt,
) -> Result<Verified> {
    let check = Check::read(file.text);
    let broken = match check.script {
        Script::RolledBack(text) => rolled_back(session, text, timeouts).await,
        Script::Race(race) => raced(session, connection, &race, timeouts, interrupt).await?,
    };
    interrupt.check()?;
    match broken {
        Some(error) if error.is_lost() => Err(error.explain(format!("cannot run the check {}", file.name))),
        Some(error) if error.code() == Some("42501") && error.message().contains("set role") => {
            let failure = error.explain(format!("cannot run the check {}", file.name)).kind(Kind::NotPermitted);
            Err(failure.hint(
                "checks of row level security change roles: run verify as a superuser or as a member of those roles",
            ))
        }
        broken => Ok(Verified { file: file.name, promise: check.promise, broken: broken.map(|e| e.message()) }),
    }
}

async fn rolled_back(session: &Session, text: &str, timeouts: Timeouts) -> Option<ServerError> {
    let done = async {
        session.send(&begin(timeouts)).await?;
        session.send(text).await
    };
    let broken = done.await.err();
    // Also what a check declared and the role it took end here.
    session.send("ROLLBACK").await.err().or(broken)
}

/// `before`, then `each` in several sessions at once, then `after`, and `cleanup` in any case.
async fn raced(
    session: &Session,
    connection: &Connection,
    race: &Race<'_>,
    timeouts: Timeouts,
    interrupt: &Interrupt,
) -> Result<Option<ServerError>> {
    let mut runners = Vec::new();
    for _ in 0..race.sessions {
        runners.push(Session::open(connection, "systems verify", interrupt).await?);
    }
    let result = async {
        committed(session, race.before, timeouts).await?;
        let running: Vec<_> = runners.iter().map(|runner| committed(runner, race.each, timeouts)).collect();
        for ran in together(running).await {
            ran?;
        }
        committed(session, race.after, timeouts).await
    };
    let broken = result.await.err();
    Ok(committed(session, race.cleanup, timeouts).await.err().or(broken))
}

async fn committed(session: &Session, text: &str, timeouts: Timeouts) -> Result<(), ServerError> {
    session.send(&begin(timeouts)).await?;
    match session.send(text).await {
        Ok(()) => session.send("COMMIT").await,
        Err(error) => {
            // The first error is the one that tells.
            let _ = session.send("ROLLBACK").await;
            Err(error)
        }
    }
}

/// Drives all futures at once, on this thread.
async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, output) in &mut pinned {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    pinned.into_iter().filter_map(|(_, output)| output).collect()
}

fn begin(timeouts: Timeouts) -> String {
    format!(
        "BEGIN; SET LOCAL lock_timeout = '{}ms'; SET LOCAL statement_timeout = '{}ms'; SET LOCAL TimeZone = 'UTC'",
        timeouts.lock.as_millis(),
        timeouts.statement.as_millis()
    )
}
