//! The journal of many small pieces of work: what has ended is kept for a second and written together,
//! and what takes longer is named as begun. Each line bears the time of what it tells.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::apply::Executor;
use super::{journal, telling};
use crate::error::Result;
use crate::ident::Literal;
use crate::pg::Lease;

/// How long a line waits for others.
const PAGE: Duration = Duration::from_secs(1);
/// So many names are in one line at most.
const NAMES: usize = 500;

/// The lines of one run, written by nobody but it.
pub struct Ledger {
    lease: Arc<Lease>,
    role: String,
    /// None where no journal is kept.
    run: Option<i64>,
    lines: RefCell<Vec<Line>>,
    /// When each began, and whether a line says so.
    at_work: RefCell<BTreeMap<String, (Instant, bool)>>,
}

#[derive(Debug, Clone)]
struct Line {
    at: Instant,
    subject: String,
    state: &'static str,
    /// A JSON object or NULL, as SQL.
    detail: String,
}

impl Executor {
    /// The journal of the run, once it is open.
    pub fn ledger(&self) -> Ledger {
        Ledger {
            lease: Arc::clone(&self.lease),
            role: self.server.role.clone(),
            run: self.run,
            lines: RefCell::default(),
            at_work: RefCell::default(),
        }
    }
}

impl Ledger {
    /// Writes what is about to be begun, at once: whatever kills the run, these are the things it was about.
    ///
    /// # Errors
    /// The server's.
    pub async fn announce(&self, subject: &str, names: &[String]) -> Result<()> {
        for names in names.chunks(NAMES) {
            let names: Vec<String> = names.iter().map(|name| Literal(name).to_string()).collect();
            let detail = format!("pg_catalog.jsonb_build_object('tables', ARRAY[{}]::text[])", names.join(", "));
            self.line(subject, "started", detail);
        }
        self.write().await
    }

    /// A piece begins.
    pub fn begin(&self, subject: &str) {
        self.at_work.borrow_mut().insert(subject.to_owned(), (Instant::now(), false));
    }

    /// It is done, or has failed: with names and values.
    pub fn end(&self, subject: &str, state: &'static str, detail: &[(&str, String)]) {
        self.at_work.borrow_mut().remove(subject);
        let object: serde_json::Map<String, serde_json::Value> =
            detail.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        let object = serde_json::Value::Object(object).to_string();
        self.line(subject, state, format!("{}::jsonb", Literal(&object)));
    }

    /// Nothing came of it: worth a line only where one says that it had begun.
    pub fn leave(&self, subject: &str, why: &str) {
        let was = self.at_work.borrow_mut().remove(subject);
        if was.is_some_and(|(_, told)| told) {
            self.end(subject, "failed", &[("message", why.to_owned())]);
        }
    }

    /// Writes once a second, until `over`. What cannot be written is tried again with the next.
    pub async fn keep(&self, over: &Notify) {
        loop {
            tokio::select! {
                () = over.notified() => return,
                () = tokio::time::sleep(PAGE) => {}
            }
            // The last write tells.
            let _ = self.write().await;
        }
    }

    /// Writes what has ended, and what has begun and goes on.
    ///
    /// # Errors
    /// The server's; the lines are kept.
    pub async fn write(&self) -> Result<()> {
        let Some(run) = self.run else { return Ok(()) };
        let mut lines = self.lines.take();
        let ended = lines.len();
        for (subject, (at, told)) in self.at_work.borrow_mut().iter_mut().filter(|(_, (_, told))| !told) {
            *told = true;
            lines.push(Line { at: *at, subject: subject.clone(), state: "started", detail: "NULL::jsonb".to_owned() });
        }
        if lines.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        let rows: Vec<String> = lines.iter().map(|line| line.sql(run, now)).collect();
        let written = telling::explain_journal(journal::write(self.lease.session(), &rows).await, &self.role);
        if written.is_err() {
            for line in lines.drain(ended..) {
                if let Some((_, told)) = self.at_work.borrow_mut().get_mut(&line.subject) {
                    *told = false;
                }
            }
            self.lines.borrow_mut().splice(0..0, lines);
        }
        written
    }

    fn line(&self, subject: &str, state: &'static str, detail: String) {
        self.lines.borrow_mut().push(Line { at: Instant::now(), subject: subject.to_owned(), state, detail });
    }
}

impl Line {
    /// One row of [`journal::write`].
    fn sql(&self, run: i64, now: Instant) -> String {
        format!(
            "({run}, pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => {:.3}), {}, {}, {})",
            now.saturating_duration_since(self.at).as_secs_f64(),
            Literal(&self.subject),
            Literal(self.state),
            self.detail
        )
    }
}
