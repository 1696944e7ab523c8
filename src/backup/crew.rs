//! Several jobs at one queue, each on a thread with a runtime of its own: what one of them tells the others, and
//! what becomes of all. Knows nothing of what they do.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;

use crate::error::{Failure, Kind, Result};

const STOPPED: &str = "stopped, because another part of the run failed";

/// What a job says that ended because another one failed.
pub fn stopped() -> Failure {
    Failure::new(Kind::Failed, STOPPED)
}

/// Whether a failure is only that of another job.
pub fn is_stopped(failure: &Failure) -> bool {
    failure.messages().iter().any(|message| message == STOPPED)
}

/// Works on this thread, with a runtime of its own; a failure stops the others.
///
/// # Errors
/// Those of the work.
pub fn work<T>(stop: &AtomicBool, work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    if done.is_err() {
        stop.store(true, Ordering::SeqCst);
    }
    runtime.shutdown_background();
    done
}

/// Waits for all of them: what they did, together.
///
/// # Errors
/// The first that is news; whoever was only stopped has none.
pub async fn gather<T>(jobs: Vec<JoinHandle<Result<Vec<T>>>>) -> Result<Vec<T>> {
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for job in jobs {
        match job.await.map_err(Failure::from).and_then(|done| done) {
            Ok(done) => all.extend(done),
            Err(failure) => failures.push(failure),
        }
    }
    match failures.iter().position(|failure| !is_stopped(failure)).or(failures.len().checked_sub(1)) {
        Some(first) => Err(failures.swap_remove(first)),
        None => Ok(all),
    }
}
