//! What the executor tells the journal beside the lines of a step: how a step failed, how the run ended.
//! Does not know what the steps do.

use super::apply::Executor;
use super::journal;
use super::plan::Step;
use crate::error::{Failure, Kind, Result};
use crate::ident::Ident;
use crate::pg::{Server, ServerError};

impl Executor {
    /// The journal's word on a failure is a courtesy: the failure itself is what matters.
    pub(super) async fn note_failure(&self, step: &Step, statement: Option<usize>, error: &ServerError) {
        if let Some(run) = self.run {
            let subjects = step.subjects(statement);
            let _ = journal::failed(self.lease.session(), run, &subjects, statement, &error.message()).await;
        }
    }

    /// Writes into the journal how the run ended, and waits until what it did is on disk. A courtesy: the outcome itself
    /// is what matters.
    pub async fn close(&self, outcome: &str, detail: &str) {
        if let Some(run) = self.run {
            let _ = journal::close_run(self.lease.session(), run, outcome, detail, self.unflushed.get()).await;
        }
    }

    /// The same for a run that ends with a failure.
    pub async fn close_failed(&self, failure: &Failure) {
        let outcome = match failure.what() {
            Kind::Interrupted | Kind::Terminated => "interrupted",
            Kind::Deferred => "deferred",
            _ => "failed",
        };
        self.close(outcome, &failure.messages().join(": ")).await;
    }
}

/// The lease's connection also keeps the journal of runs: nobody's lock on that holds a run for long.
/// When the server crashes, that journal may lose its last second; what proves a step done is
/// written in the step's own transaction.
pub(super) fn beside_settings(server: &Server) -> String {
    let mut sql = String::from("SET synchronous_commit = off;\nSET lock_timeout = '1s';");
    if server.watches_clients {
        sql.push_str("\nSET client_connection_check_interval = '1s';");
    }
    sql
}

pub(super) fn explain_journal(sent: std::result::Result<(), ServerError>, role: &str) -> Result<()> {
    sent.map_err(|e| {
        let failure = e.explain("cannot keep dbctl's journal (schema dbctl)");
        match failure.what() {
            Kind::NotPermitted => failure.hint(format!(
                "or, where schema dbctl does not exist, make it for this role: CREATE SCHEMA dbctl AUTHORIZATION {};",
                Ident::new(role)
            )),
            _ => failure,
        }
    })
}
