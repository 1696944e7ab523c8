//! SIGINT and SIGTERM: remembered, and turned into real cancel requests on the server.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::connect::Cancel;
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;

/// How often a cancel is repeated: one that reaches a backend between two statements is lost.
const REPEAT: Duration = Duration::from_millis(250);

/// The run's knowledge of signals. Clones share it.
#[derive(Clone, Default)]
pub struct Interrupt {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// 0: none; otherwise the signal's number.
    signal: AtomicU8,
    arrived: Notify,
    cancels: Mutex<Vec<Cancel>>,
    /// What is put right before a second signal ends the process.
    last: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Interrupt {
    /// Starts to listen, on the current runtime. A second signal ends the process at once.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen() -> Result<Interrupt> {
        let interrupt = Interrupt::default();
        let (mut int, mut term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut hangup = signal(SignalKind::hangup())?;
        let listening = interrupt.clone();
        tokio::spawn(async move {
            loop {
                let number = tokio::select! {
                    _ = int.recv() => 2,
                    _ = term.recv() => 15,
                    _ = hangup.recv() => 15,
                };
                if listening.shared.signal.swap(number, Ordering::SeqCst) != 0 {
                    let outcome = if number == 2 { Outcome::Interrupted } else { Outcome::Terminated };
                    if let Some(last) = &*listening.shared.last.lock().unwrap_or_else(PoisonError::into_inner) {
                        last();
                    }
                    std::process::exit(i32::from(outcome.code()));
                }
                listening.shared.arrived.notify_waiters();
                let cancelling = listening.clone();
                std::thread::spawn(move || cancelling.cancel_all());
            }
        });
        Ok(interrupt)
    }

    /// What a second signal does before it ends the process at once: nothing is dropped then.
    pub fn before_exit(&self, last: impl Fn() + Send + 'static) {
        *self.shared.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(last));
    }

    /// Fails once a signal has arrived.
    ///
    /// # Errors
    /// Interrupted or terminated.
    pub fn check(&self) -> Result<()> {
        self.failure().map_or(Ok(()), Err)
    }

    /// Resolves when a signal has arrived.
    pub async fn wait(&self) -> Failure {
        loop {
            let arrived = self.shared.arrived.notified();
            if let Some(failure) = self.failure() {
                return failure;
            }
            arrived.await;
        }
    }

    /// Sleeps, but not past a signal.
    ///
    /// # Errors
    /// Interrupted or terminated.
    pub async fn sleep(&self, duration: Duration) -> Result<()> {
        tokio::select! {
            () = tokio::time::sleep(duration) => self.check(),
            failure = self.wait() => Err(failure),
        }
    }

    /// What a failure comes to: once a signal has arrived, its cancel is what made anything fail.
    pub fn overrule(&self, failure: Failure) -> Failure {
        match self.failure() {
            Some(signal) if !matches!(failure.what(), Kind::Interrupted | Kind::Terminated) => {
                signal.note(failure.messages().join(": "))
            }
            _ => failure,
        }
    }

    /// From now on a signal cancels this connection's statement.
    pub fn watch(&self, cancel: &Cancel) {
        self.shared.cancels.lock().unwrap_or_else(PoisonError::into_inner).push(cancel.clone());
    }

    fn failure(&self) -> Option<Failure> {
        match self.shared.signal.load(Ordering::SeqCst) {
            0 => None,
            2 => Some(Failure::new(Kind::Interrupted, "interrupted")),
            _ => Some(Failure::new(Kind::Terminated, "terminated")),
        }
    }

    /// On a thread and runtime of its own: the run's may be busy.
    fn cancel_all(&self) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            loop {
                let cancels = self.shared.cancels.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for cancel in cancels {
                    // The server may be gone already; the run ends either way.
                    let _ = tokio::time::timeout(REPEAT, cancel.send()).await;
                }
                tokio::time::sleep(REPEAT).await;
            }
        });
    }
}
