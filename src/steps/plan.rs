//! A plan is a list of steps; a step is the SQL to run, why, and what it does to others. The only
//! place that renders the SQL around a statement (SET lines, bookkeeping): what a plan prints and
//! what the executor sends is this one rendering.

use std::sync::Arc;
use std::time::Duration;

use super::guard::Guard;
use super::hazard::{Hazard, TableLock};
use super::journal::Line;
use crate::ident::Literal;

/// What a run is going to do, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps. An empty plan is "nothing to do".
    pub steps: Vec<Step>,
}

/// One unit of work with its own name in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Stable identity in the journal: the same work has the same id in every run.
    pub id: String,
    /// What a person reads: `V0004 activity_mappings`.
    pub title: String,
    /// Where the SQL comes from, for error messages: a path or `bridge/V0004__x.sql`.
    pub file: String,
    /// The whole text of that file, for carets in error messages.
    pub file_text: Arc<str>,
    /// Why it is done.
    pub why: String,
    /// Inside one transaction, or statement by statement.
    pub lane: Lane,
    /// Set for the duration of the step, in order; values are plain text.
    pub settings: Vec<(&'static str, String)>,
    /// How long it may wait and run.
    pub timeouts: Timeouts,
    /// The work.
    pub statements: Vec<Statement>,
    /// Bookkeeping that belongs to the work: in its transaction, or in the last statement's.
    pub record: Vec<String>,
}

/// How a step reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// All statements in one transaction: everything or nothing.
    Transaction,
    /// Each statement on its own, each recorded when finished.
    Statements,
}

/// One statement, or a whole file in the transaction lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text, byte for byte as it is sent.
    pub sql: Arc<str>,
    /// Where the text begins in its file, counted in characters from 0.
    pub offset: usize,
    /// Where the statements in the text begin in its file, counted in characters from 0; empty where
    /// that is not known.
    pub starts: Vec<usize>,
    /// Settings of the file's own that come before it (only in the statement lane).
    pub prelude: Vec<String>,
    /// Whether it may run inside a transaction (only asked in the statement lane).
    pub atomic: bool,
    /// How a rerun recognises a half-done attempt.
    pub guard: Guard,
    /// Locks on tables that exist before the step.
    pub locks: Vec<TableLock>,
    /// What deserves a second look.
    pub hazards: Vec<Hazard>,
}

impl Statement {
    /// A whole file, for the transaction lane.
    pub fn whole(sql: Arc<str>) -> Statement {
        Statement {
            sql,
            offset: 0,
            starts: Vec::new(),
            prelude: Vec::new(),
            atomic: true,
            guard: Guard::Rerun,
            locks: Vec::new(),
            hazards: Vec::new(),
        }
    }

    /// Cut where its statements begin; what stands between two belongs to the first of them.
    fn apart(&self) -> Vec<Statement> {
        let cuts: Vec<(usize, usize)> = self.cuts();
        let ends = cuts.iter().skip(1).map(|(byte, _)| *byte).chain([self.sql.len()]);
        let texts = cuts.iter().zip(ends).filter_map(|((byte, at), end)| Some((self.sql.get(*byte..end)?, *at)));
        let apart = texts.enumerate().map(|(index, (sql, offset))| Statement {
            sql: Arc::from(sql),
            offset,
            starts: self.starts.get(index).copied().into_iter().collect(),
            // Whose they are is not known here; as a whole they are the step's.
            locks: if index == 0 { self.locks.clone() } else { Vec::new() },
            hazards: if index == 0 { self.hazards.clone() } else { Vec::new() },
            ..self.clone()
        });
        apart.collect()
    }

    /// Where the pieces begin: byte of the text and character of the file.
    fn cuts(&self) -> Vec<(usize, usize)> {
        let mut cuts = vec![(0, self.offset)];
        let mut starts = self.starts.iter().skip(1).peekable();
        for (at, (byte, _)) in self.sql.char_indices().enumerate() {
            if starts.next_if(|start| **start == self.offset + at).is_some() {
                cuts.push((byte, self.offset + at));
            }
        }
        cuts
    }
}

/// Time limits of a step. Zero means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// One attempt to get a lock.
    pub lock: Duration,
    /// One statement.
    pub statement: Duration,
}

/// One round trip: what the server receives as a single simple query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is for.
    pub role: Role,
    /// The text.
    pub sql: Arc<str>,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Opens the transaction or prepares the session.
    Open,
    /// The journal's word that a statement outside a transaction begins.
    Started(usize),
    /// The work itself: the index into [`Step::statements`].
    Work(usize),
    /// Bookkeeping, and the commit.
    Close,
}

impl Step {
    /// Every message of the step, in order, as the executor sends them on an undisturbed run.
    pub fn messages(&self) -> Vec<Message> {
        match self.lane {
            Lane::Transaction => self.transaction(0..self.statements.len(), true),
            Lane::Statements => (0..self.statements.len()).flat_map(|i| self.statement_messages(i)).collect(),
        }
    }

    /// The messages of one statement in the statement lane.
    pub fn statement_messages(&self, index: usize) -> Vec<Message> {
        let last = index + 1 == self.statements.len();
        if self.statements.get(index).is_some_and(|s| s.atomic) {
            return self.transaction(index..index + 1, last);
        }
        let mut messages = vec![
            Message { role: Role::Open, sql: self.session_settings(index).into() },
            Message { role: Role::Started(index), sql: self.started(index).into() },
        ];
        if let Some(statement) = self.statements.get(index) {
            messages.push(Message { role: Role::Work(index), sql: Arc::clone(&statement.sql) });
        }
        messages.push(Message { role: Role::Close, sql: self.close(index, last).into() });
        messages
    }

    /// What closes a step in the statement lane whose statements were all finished by earlier runs.
    pub fn close_finished(&self) -> Vec<Message> {
        let all = self.statements.len();
        self.transaction(all..all, true)
    }

    /// What closes statement `index` once it is known to be done. Its lock_timeout is its own: the
    /// statement may have had none.
    pub fn close(&self, index: usize, last: bool) -> String {
        let mut sql =
            format!("BEGIN READ WRITE;\nSET LOCAL lock_timeout = {};\n", Literal(&milliseconds(self.timeouts.lock)));
        if let Some(lines) = self.finished_lines(index) {
            return sql + &lines + "\nCOMMIT;";
        }
        sql.push_str(&format!("{OURSELVES}\n{}", self.journal_line(index, "finished")));
        if last {
            sql.push('\n');
            sql.push_str(&self.bookkeeping());
        }
        sql.push_str("\nCOMMIT;");
        if last {
            sql.push_str(FORGET);
        }
        sql
    }

    /// The same step with each statement of its transaction as a message of its own, so that something
    /// can be asked between them: together they are the same text, and mean the same.
    #[must_use]
    pub fn apart(&self) -> Step {
        let statements = match self.lane {
            Lane::Transaction => self.statements.iter().flat_map(Statement::apart).collect(),
            Lane::Statements => self.statements.clone(),
        };
        Step { statements, ..self.clone() }
    }

    /// All hazards of the step.
    pub fn hazards(&self) -> impl Iterator<Item = &Hazard> {
        self.statements.iter().flat_map(|s| &s.hazards)
    }

    /// The strongest lock on each table, sorted by table.
    pub fn locks(&self) -> Vec<TableLock> {
        let mut locks: Vec<TableLock> = Vec::new();
        for lock in self.statements.iter().flat_map(|s| &s.locks) {
            match locks.iter_mut().find(|l| l.table == lock.table) {
                Some(known) => known.mode = known.mode.max(lock.mode),
                None => locks.push(lock.clone()),
            }
        }
        locks.sort();
        locks
    }

    fn transaction(&self, range: std::ops::Range<usize>, last: bool) -> Vec<Message> {
        let mut messages = vec![Message { role: Role::Open, sql: self.transaction_settings(range.clone()).into() }];
        for i in range.clone() {
            if let Some(statement) = self.statements.get(i) {
                messages.push(Message { role: Role::Work(i), sql: Arc::clone(&statement.sql) });
            }
        }
        // Deferred constraints now, as the file's own role and as its failure. Then the file's role and
        // user are undone: the bookkeeping is ours.
        let mut close = format!("SET CONSTRAINTS ALL IMMEDIATE;\n{OURSELVES}\n");
        if self.lane == Lane::Statements {
            for i in range {
                close.push_str(&self.journal_line(i, "finished"));
                close.push('\n');
            }
        }
        if last {
            close.push_str(&self.bookkeeping());
            close.push('\n');
        }
        close.push_str("COMMIT;");
        if last {
            close.push_str(FORGET);
        }
        messages.push(Message { role: Role::Close, sql: close.into() });
        messages
    }

    /// SET LOCAL is lost on rollback, so every attempt sends it again. In the statement lane the
    /// file's own settings may have made transactions read-only, which the bookkeeping cannot be.
    fn transaction_settings(&self, range: std::ops::Range<usize>) -> String {
        let settings = self.settings(self.timeouts.lock, Scope::Transaction);
        let begin = if self.lane == Lane::Statements { "BEGIN READ WRITE;" } else { "BEGIN;" };
        format!("{begin}{settings}{}", self.prelude(range.start))
    }

    /// The journal's word, whatever role or user the file has set for the statement that follows.
    fn started(&self, index: usize) -> String {
        if self.is_reindex(index) {
            return format!("BEGIN READ WRITE;\n{}\nCOMMIT;", self.reindex_lines(index, &[Line::Statement("started")]));
        }
        let line = self.journal_line(index, "started");
        format!(
            "BEGIN READ WRITE;\nSET LOCAL SESSION AUTHORIZATION DEFAULT;\nSET LOCAL role TO DEFAULT;\n{line}\nCOMMIT;"
        )
    }

    fn prelude(&self, index: usize) -> String {
        let prelude = self.statements.get(index).map_or(&[] as &[String], |s| &s.prelude);
        prelude.iter().map(|set| format!("\n{set};")).collect()
    }

    /// Outside a transaction there is no SET LOCAL. Index builds get no lock_timeout: it would also
    /// count waits for old snapshots of unrelated tables and leave an invalid index.
    fn session_settings(&self, index: usize) -> String {
        let waits = self.statements.get(index).is_some_and(|s| s.guard.waits_alone());
        let lock = if waits { Duration::ZERO } else { self.timeouts.lock };
        format!("RESET ALL;\n{OURSELVES}{}{}", self.settings(lock, Scope::Session), self.prelude(index))
    }

    fn settings(&self, lock: Duration, scope: Scope) -> String {
        let limits =
            [("lock_timeout", milliseconds(lock)), ("statement_timeout", milliseconds(self.timeouts.statement))];
        let mut sql = String::new();
        for (name, value) in limits.iter().chain(&self.settings) {
            let value = Literal(value);
            // search_path is a list: as one literal it would be one odd name.
            sql.push_str(&match (*name, scope) {
                ("search_path", scope) => {
                    let local = scope == Scope::Transaction;
                    format!("\nSELECT pg_catalog.set_config('search_path', {value}, {local});")
                }
                (name, Scope::Transaction) => format!("\nSET LOCAL {name} = {value};"),
                (name, Scope::Session) => format!("\nSET {name} = {value};"),
            });
        }
        sql
    }

    fn bookkeeping(&self) -> String {
        let mut lines = self.record.clone();
        lines.push(super::journal::step_line(&self.id, "applied"));
        lines.join("\n")
    }

    /// Whether a statement builds known indexes anew: such a step has no other, no role or user of its own and no file.
    /// What it sets for the session may stay for the next one like it.
    pub fn is_reindex(&self, index: usize) -> bool {
        self.statements.get(index).is_some_and(|statement| !statement.guard.reindexed().is_empty())
    }

    /// Commits without waiting until that is on disk: the end of its run waits for all of it. A server that crashes
    /// before takes commits back from the last one on, and leaves what a kill would have left.
    #[must_use]
    pub fn flushed_at_the_end(mut self) -> Step {
        self.settings.push((UNFLUSHED.0, UNFLUSHED.1.to_owned()));
        self
    }

    /// Whether it is [`Step::flushed_at_the_end`].
    pub fn leaves_unflushed(&self) -> bool {
        self.settings.iter().any(|(name, value)| (*name, value.as_str()) == UNFLUSHED)
    }

    /// Whose lines in the journal tell of a statement.
    pub fn subjects(&self, index: Option<usize>) -> Vec<&str> {
        let statement = index.and_then(|index| self.statements.get(index));
        let reindexed = statement.map_or(&[][..], |statement| statement.guard.reindexed());
        match reindexed {
            [] => vec![&self.id],
            indexes => indexes.iter().map(|index| index.subject.as_str()).collect(),
        }
    }

    /// What the journal is told of indexes that are built anew, in a transaction.
    pub(super) fn finished_lines(&self, index: usize) -> Option<String> {
        let lines = [Line::Statement("finished"), Line::Step("applied")];
        self.is_reindex(index).then(|| self.reindex_lines(index, &lines))
    }

    fn reindex_lines(&self, index: usize, lines: &[Line]) -> String {
        let statement = self.statements.get(index).map_or("", |s| &s.sql);
        super::journal::subject_lines(&self.subjects(Some(index)), index, statement, lines)
    }

    fn journal_line(&self, index: usize, state: &str) -> String {
        let statement = self.statements.get(index).map_or("", |s| &s.sql);
        super::journal::statement_line(&self.id, index, statement, state)
    }
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// All hazards that destroy data, with the title of their step.
    pub fn destructions(&self) -> Vec<(String, String)> {
        self.steps
            .iter()
            .flat_map(|step| {
                step.hazards().filter_map(|h| match h {
                    Hazard::Destroys(what) => Some((step.title.clone(), what.clone())),
                    Hazard::Rewrites(_) | Hazard::Opaque(_) => None,
                })
            })
            .collect()
    }
}

const UNFLUSHED: (&str, &str) = ("synchronous_commit", "off");

/// Back to the user and role of the connection, which RESET ALL leaves as they are.
const OURSELVES: &str = "RESET SESSION AUTHORIZATION;\nRESET ROLE;";

/// After the commit: what a file has set is not for the next. Before the next BEGIN, because RESET
/// ALL in the same message would come too late for the defaults of transactions.
const FORGET: &str = "\nRESET ALL;";

/// How long a SET lasts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Transaction,
    Session,
}

fn milliseconds(limit: Duration) -> String {
    format!("{}ms", limit.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_taken_apart_is_the_same_text() {
        let sql = "-- größer\nCREATE TABLE é (a int);\n-- next\nSELECT 1; SELECT 2;\n";
        let starts = ["CREATE", "SELECT 1", "SELECT 2"].map(|word| sql[..sql.find(word).unwrap()].chars().count());
        let whole = Statement { starts: starts.to_vec(), ..Statement::whole(sql.into()) };
        let apart = whole.apart();
        assert_eq!(apart.iter().map(|s| &*s.sql).collect::<String>(), sql);
        assert_eq!(apart.iter().map(|s| s.offset).collect::<Vec<_>>(), [0, starts[1], starts[2]]);
        assert!(
            apart[0].sql.ends_with("-- next\n") && &*apart[1].sql == "SELECT 1; " && apart[2].starts == [starts[2]]
        );
        let unsplit = Statement::whole(sql.into()).apart();
        assert_eq!((unsplit.len(), &*unsplit[0].sql), (1, sql));
    }
}
