//! One table: the server's statement, or pg_repack listened to. That it is done is seen by the table's file, which is
//! another one then, not by what a program says.

use std::time::{Duration, Instant};

use super::plan::{Program, Task, Way, arguments};
use super::program::{Heard, Running};
use super::{Request, clean, read};
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::pg::{Interrupt, Notice};
use crate::steps::apply::Executor;
use crate::steps::batch::Frame;
use crate::steps::events::{Blocker, Event, Events};
use crate::steps::{LockMode, Pauses, Plan, Timeouts};

/// How long pg_repack may take to stop after a signal to us.
const GRACE: Duration = Duration::from_millis(600);
/// How long it may take to stop and clean up where nobody is in a hurry.
const LEISURE: Duration = Duration::from_secs(5);

/// What became of a table.
#[derive(Debug)]
pub enum End {
    /// It is written anew.
    Done,
    /// A lock, or the end of old transactions, was not to be had: who was in the way.
    Locked(String, Vec<Blocker>),
    /// It failed.
    Failed(Failure),
    /// The budget had run out.
    NotBegun,
}

/// Writes one table anew.
///
/// # Errors
/// What ends the run: interrupted, the connection is lost.
pub async fn once(
    executor: &mut Executor,
    request: &Request,
    way: &Way,
    task: &Task,
    interrupt: &Interrupt,
    events: &mut dyn Events,
) -> Result<End> {
    let began = Instant::now();
    let frame = frame(task);
    let end = match way {
        Way::Native => natively(executor, request, task, events).await,
        Way::Program { program, as_owner } => {
            let detail = [("program", way.line(task, &request.wish, request.lock_patience))];
            executor.begin_job(&frame, &detail).await?;
            by_program(executor, request, (program, *as_owner), task, interrupt, events).await
        }
    };
    let end = match end {
        Err(failure) if is_over(&interrupt.check(), &failure) => {
            return Err(executor.fail_job(&frame, failure, &[]).await);
        }
        Err(failure) => End::Failed(executor.fail_job(&frame, failure, &[]).await),
        Ok(end) => end,
    };
    let is_new = read::table(executor.session(), task.oid).await?.is_some_and(|now| now.file != task.file);
    Ok(match end {
        End::Done if !is_new => End::Failed(Failure::new(
            Kind::Failed,
            format!("{} has not been written anew: its file is the one that it was", task.table),
        )),
        // What failed afterwards is worth a word, and no more.
        End::Failed(failure) if is_new => {
            let message = format!("{} is written anew, but: {}", task.table, failure.messages().join(": "));
            events.event(Event::Attention { message: &message, hint: None });
            End::Done
        }
        End::Done => {
            if matches!(way, Way::Program { .. }) {
                let seconds = format!("{:.3}", began.elapsed().as_secs_f64());
                executor.end_job(&frame, &[("seconds", seconds)]).await?;
            }
            End::Done
        }
        end => end,
    })
}

fn is_over(checked: &Result<()>, failure: &Failure) -> bool {
    checked.is_err() || matches!(failure.what(), Kind::Interrupted | Kind::Terminated | Kind::Unreachable)
}

async fn natively(executor: &mut Executor, request: &Request, task: &Task, events: &mut dyn Events) -> Result<End> {
    let server = executor.server().clone();
    let steps = vec![task.step(&server, request.timeouts)];
    match executor.perform(&Plan { steps }, events).await {
        Ok(_) => Ok(End::Done),
        Err(failure) if failure.what() == Kind::Deferred => Ok(End::Locked(failure.messages().join(": "), Vec::new())),
        Err(failure) => Err(failure),
    }
}

async fn by_program(
    executor: &mut Executor,
    request: &Request,
    (program, as_owner): (&Program, bool),
    task: &Task,
    interrupt: &Interrupt,
    events: &mut dyn Events,
) -> Result<End> {
    let title = format!("repack {}", task.table);
    let arguments = arguments(task, &request.wish, request.lock_patience, as_owner);
    let connection = child_connection(executor, request);
    let mut running = Running::start(program, &arguments, &connection)?;
    let mut said = Said::default();
    let end = loop {
        let heard = tokio::select! {
            heard = running.next() => heard?,
            failure = interrupt.wait() => {
                let cleaned = running.stop(GRACE).await;
                let hint = "what pg_repack had made is removed by the next run, or by: dbctl repack --clean";
                return Err(if cleaned { failure } else { failure.hint(hint) });
            }
        };
        match heard {
            Heard::Line(line) => said.hear(&line, &title, events),
            Heard::Ended(status) => break Some(status),
        }
        if said.waits_since.is_some_and(|since| since.elapsed() > request.lock_patience) {
            running.stop(LEISURE).await;
            break None;
        }
    };
    drop(running);
    let Some(status) = end else {
        clean::after(executor, request, task.oid, events).await;
        let why = format!(
            "{}; they did not end within {} s (see --lock-patience)",
            said.waits_for,
            request.lock_patience.as_secs_f64()
        );
        return Ok(End::Locked(why, Vec::new()));
    };
    if said.timed_out {
        let blockers = executor.holders(&task.table, LockMode::AccessExclusive).await;
        clean::after(executor, request, task.oid, events).await;
        return Ok(End::Locked("its lock was not to be had".to_owned(), blockers));
    }
    if !status.success() {
        clean::after(executor, request, task.oid, events).await;
        return Err(said.failure(&program.path.display().to_string(), &status.to_string()));
    }
    Ok(End::Done)
}

/// As this run connects, to the host that answered; no setting of the role or the database stands in its way, and the
/// server sees within a second that it is gone.
fn child_connection(executor: &Executor, request: &Request) -> Connection {
    let mut connection = request.connection.with_host(executor.session().host());
    let mut options = connection.options.take().unwrap_or_default();
    for setting in [
        "statement_timeout=0",
        "lock_timeout=0",
        "idle_in_transaction_session_timeout=0",
        "default_transaction_read_only=off",
    ] {
        options.push_str(&format!(" -c {setting}"));
    }
    if executor.server().watches_clients {
        options.push_str(" -c client_connection_check_interval=1s");
    }
    connection.options = Some(options.trim_start().to_owned());
    connection.application_name = Some("dbctl:repack".to_owned());
    connection
}

fn frame(task: &Task) -> Frame {
    Frame {
        subject: format!("repack:{}", task.table),
        title: format!("repack {}", task.table),
        settings: Vec::new(),
        timeouts: Timeouts { lock: Duration::ZERO, statement: Duration::ZERO },
        patience: Duration::ZERO,
        pauses: (Pauses::default().first, Pauses::default().longest),
    }
}

/// What pg_repack has said that matters.
#[derive(Debug, Default)]
struct Said {
    errors: Vec<String>,
    in_error: bool,
    timed_out: bool,
    waits_since: Option<Instant>,
    waits_for: String,
}

impl Said {
    fn hear(&mut self, line: &str, title: &str, events: &mut dyn Events) {
        let (level, text) = line.split_once(": ").unwrap_or(("", line));
        let known = ["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "FATAL", "PANIC", "DETAIL", "HINT", "LOG"];
        let level = if known.contains(&level) { level } else { "" };
        if level.is_empty() {
            // A message of the server goes on in the next line.
            if let Some(last) = self.errors.last_mut().filter(|_| self.in_error) {
                last.push_str(&format!("; {}", line.trim()));
            }
            return;
        }
        self.in_error = matches!(level, "ERROR" | "FATAL" | "PANIC" | "DETAIL" | "HINT");
        if let Some(since) = text.strip_prefix("Waiting for ").filter(|_| level == "NOTICE") {
            let pid = since.rsplit(": ").next().unwrap_or_default();
            self.waits_for = format!("it waits for transactions that are older than it, the first of pid {pid}");
            self.waits_since.get_or_insert_with(Instant::now);
            events.event(Event::Progress { title, phase: &self.waits_for, done: 0, total: 0 });
            return;
        }
        if level == "DEBUG" {
            if let Some(phase) = text.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----")) {
                self.waits_since = None;
                events.event(Event::Progress { title, phase, done: 0, total: 0 });
            }
            return;
        }
        self.timed_out |= level == "WARNING" && text.starts_with("timed out, do not cancel");
        if level == "WARNING" {
            let (severity, code, message) = ("WARNING".to_owned(), "01000".to_owned(), text.to_owned());
            events.event(Event::Notice { title, notice: &Notice { severity, code, message } });
        }
        if self.in_error {
            self.errors.push(text.to_owned());
        }
    }

    fn failure(&self, program: &str, status: &str) -> Failure {
        let failure = Failure::new(Kind::Failed, format!("{program} ended with {status}"));
        self.errors.iter().fold(failure, |failure, line| failure.note(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::events::Silent;

    #[test]
    fn what_pg_repack_says_is_told_apart() {
        let mut said = Said::default();
        for line in
            ["INFO: repacking table \"public.t\"", "NOTICE: Waiting for 1 transactions to finish. First PID: 4711"]
        {
            said.hear(line, "t", &mut Silent);
        }
        assert!(said.waits_since.is_some() && said.waits_for.ends_with("of pid 4711"), "{said:?}");
        said.hear("DEBUG: ---- copy tuples ----", "t", &mut Silent);
        assert!(said.waits_since.is_none() && !said.timed_out);
        said.hear("WARNING: timed out, do not cancel conflicting backends", "t", &mut Silent);
        assert!(said.timed_out && said.errors.is_empty());
        for line in ["ERROR: query failed: ERROR:  no", "LINE 1: SELECT", "DETAIL: query was: SELECT", "DEBUG: x", "y"]
        {
            said.hear(line, "t", &mut Silent);
        }
        assert_eq!(said.errors, ["query failed: ERROR:  no; LINE 1: SELECT", "query was: SELECT"]);
    }
}
