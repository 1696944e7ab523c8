//! Tells a transaction pooler from a real session. Behind one, advisory locks and settings land on
//! a server connection that others get next, so mutating commands refuse it.

use super::session::Session;
use crate::error::{Failure, Kind, Result};

/// How often a pool gets the chance to mix the two sessions up. With all its connections in demand
/// it hands out whichever is free next, so that each round that looks direct is a coin's toss.
const ROUNDS: usize = 12;

/// Refuses when the two sessions, both open, do not each keep a backend of their own. Neither
/// session is left in a transaction or with a changed setting.
///
/// # Errors
/// Refused behind a transaction (or statement) pooler; the server's errors.
pub async fn refuse_transaction_pooler(one: &Session, other: &Session) -> Result<()> {
    // An idle pool hands the same server connection to both.
    let (first, second) = tokio::join!(pid(one), pid(other));
    let (first, second) = (first?, second?);
    // Whoever shares backends out cannot give a client the number of one: a cancel would hit somebody else.
    let (given, beside) = tokio::join!(one.given_pid(), other.given_pid());
    if first != second && given == Some(first) && beside == Some(second) {
        return Ok(());
    }
    if first == second || pid(one).await? != first || pid(other).await? != second {
        return Err(refusal());
    }
    // A busy pool may not: hold one connection in a transaction, so that the order of the idle
    // ones changes, and ask again.
    explain(one.send("BEGIN READ ONLY").await)?;
    let held = pid(one).await;
    let beside = pid(other).await;
    explain(one.send("COMMIT").await)?;
    let pids = [held?, pid(one).await?, pid(one).await?];
    let others = [beside?, pid(other).await?, pid(other).await?];
    if pids.iter().any(|pid| *pid != first) || others.iter().any(|pid| *pid != second) {
        return Err(refusal());
    }
    for _ in 0..ROUNDS {
        let (one, other) = tokio::join!(pid(one), pid(other));
        if one? != first || other? != second {
            return Err(refusal());
        }
    }
    Ok(())
}

async fn pid(session: &Session) -> Result<i32> {
    let rows = session
        .rows_of("SELECT pg_catalog.pg_backend_pid()")
        .await
        .map_err(|e| e.explain("cannot ask for the backend's pid"))?;
    rows.first()
        .ok_or_else(|| Failure::new(Kind::Failed, "the server did not say the backend's pid"))?
        .try_get(0)
        .map_err(Failure::from)
}

fn explain(sent: Result<(), super::ServerError>) -> Result<()> {
    sent.map_err(|e| e.explain("cannot tell whether a transaction pooler is in between"))
}

fn refusal() -> Failure {
    Failure::new(
        Kind::Refused,
        "a pooler in transaction mode is between dbctl and the server: the run lease and the timeouts would land on \
         connections that other clients share",
    )
    .hint(WAY_OUT)
}

/// What to do about a pooler.
pub(super) const WAY_OUT: &str =
    "use the server's own port, or a pool in session mode (for dbctl.yaml: put that address into the target's url)";
