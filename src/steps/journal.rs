//! The journal in schema `dbctl`: which run did what, and how far a statement outside a
//! transaction came. Lines are plain SQL without parameters, so that a plan can print them.

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::ident::Literal;
use crate::pg::{Query, ServerError, Session};

/// Creates the schema and its tables where they are missing. Idempotent.
pub const BOOTSTRAP: &str = include_str!("../../sql/state/dbctl.sql");

/// What the journal knows of one statement of a step that is not closed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Index of the statement in its step.
    pub statement: usize,
    /// SHA-256 of the text that was sent.
    pub sql_hash: String,
    /// How far it came.
    pub state: State,
    /// Oids of invalid indexes that existed when it began.
    pub invalid_before: Vec<u32>,
}

/// How far a statement came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Begun; whether it ended is unknown.
    Started,
    /// Done.
    Finished,
    /// Failed, and what it left was removed.
    Failed,
}

/// SHA-256 of a statement's text, in hex.
pub fn hash(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The line that says a whole step is done. The run is found by the backend that executes it.
pub fn step_line(subject: &str, state: &str) -> String {
    format!(
        "INSERT INTO dbctl.journal (run, subject, state)\n\
         SELECT id, {}, {} FROM dbctl.run WHERE backend_pid = pg_catalog.pg_backend_pid() ORDER BY id DESC LIMIT 1;",
        Literal(subject),
        Literal(state)
    )
}

/// The line that says where one statement of a step stands.
pub fn statement_line(subject: &str, index: usize, sql: &str, state: &str) -> String {
    let detail = if state == "started" {
        ", (SELECT pg_catalog.jsonb_agg(indexrelid::bigint) FROM pg_catalog.pg_index WHERE NOT indisvalid)"
    } else {
        ", NULL::jsonb"
    };
    format!(
        "INSERT INTO dbctl.journal (run, subject, statement, sql_hash, state, detail)\n\
         SELECT id, {}, {index}, {}, {}{detail} FROM dbctl.run WHERE backend_pid = pg_catalog.pg_backend_pid() \
         ORDER BY id DESC LIMIT 1;",
        Literal(subject),
        Literal(&hash(sql)),
        Literal(state)
    )
}

/// The lines that say where one statement stands that is about several subjects, in one INSERT. Nobody waits until
/// they are on disk: whatever the statement commits after "started" goes there after it, and of one whose end is not
/// known it is looked at what it did.
pub fn subject_lines(subjects: &[&str], index: usize, sql: &str, states: &[Line]) -> String {
    let rows = subjects.iter().flat_map(|subject| {
        states.iter().map(move |line| match line {
            Line::Statement(state) => format!("({}, {index}, {})", Literal(subject), Literal(state)),
            Line::Step(state) => format!("({}, NULL, {})", Literal(subject), Literal(state)),
        })
    });
    let detail = if states.contains(&Line::Statement("started")) {
        "(SELECT pg_catalog.jsonb_agg(indexrelid::bigint) FROM pg_catalog.pg_index WHERE NOT indisvalid)"
    } else {
        "NULL::jsonb"
    };
    format!(
        "SET LOCAL synchronous_commit = off;\n\
         INSERT INTO dbctl.journal (run, subject, statement, sql_hash, state, detail)\n\
         SELECT r.id, s.subject, s.statement::integer, {}, s.state, {detail}\n\
         FROM (SELECT id FROM dbctl.run WHERE backend_pid = pg_catalog.pg_backend_pid() ORDER BY id DESC LIMIT 1) AS r,\n\
         (VALUES {}) AS s (subject, statement, state);",
        Literal(&hash(sql)),
        rows.collect::<Vec<_>>().join(", ")
    )
}

/// What a line of the journal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// How far one statement of a step came.
    Statement(&'static str),
    /// How far the step came.
    Step(&'static str),
}

/// The line with which a person says how a statement ended that began and never said so.
pub fn settle(subject: &str, index: usize, state: &str) -> String {
    format!(
        "INSERT INTO dbctl.journal (run, subject, statement, sql_hash, state) SELECT run, subject, statement, sql_hash, {} \
         FROM dbctl.journal WHERE subject = {} AND statement = {index} ORDER BY id DESC LIMIT 1;",
        Literal(state),
        Literal(subject)
    )
}

/// What is known of the statements of an unfinished step, by index. What was done before the step's
/// history was made, or before a version of it was taken back, may be gone and is forgotten: steps of
/// one history share what stands before the last colon of their ids.
///
/// # Errors
/// The server's, when the journal cannot be read.
pub async fn attempts(session: &Session, subject: &str) -> Result<Vec<Attempt>> {
    let family = subject.rfind(':').and_then(|colon| subject.get(..=colon)).unwrap_or(subject);
    let rows = session
        .rows(&Query::JOURNAL_ATTEMPTS, &[&subject, &family])
        .await
        .map_err(|e| e.explain("cannot read the journal dbctl.journal"))?;
    rows.iter()
        .map(|row| {
            let statement: i32 = row.try_get("statement")?;
            let oids: Vec<i64> = row.try_get("invalid_before")?;
            Ok(Attempt {
                statement: usize::try_from(statement)?,
                sql_hash: row.try_get("sql_hash")?,
                state: match row.try_get("state")? {
                    "finished" => State::Finished,
                    "failed" => State::Failed,
                    _ => State::Started,
                },
                invalid_before: oids.into_iter().filter_map(|oid| u32::try_from(oid).ok()).collect(),
            })
        })
        .collect()
}

/// Opens a run; returns its id.
///
/// # Errors
/// The server's.
pub async fn open_run(session: &Session, command: &str, backend_pid: i32) -> Result<i64> {
    let sql = format!(
        "INSERT INTO dbctl.run (command, backend_pid, dbctl_version) VALUES ({}, {backend_pid}, {}) RETURNING id",
        Literal(command),
        Literal(env!("CARGO_PKG_VERSION"))
    );
    let rows = session.rows_of(&sql).await.map_err(|e| e.explain("cannot write the journal dbctl.run"))?;
    rows.first().ok_or_else(|| anyhow::anyhow!("the server returned no id"))?.try_get("id").map_err(Into::into)
}

/// Closes a run with its outcome; where that is asked for, once everything before it is on disk.
///
/// # Errors
/// The server's.
pub async fn close_run(session: &Session, run: i64, outcome: &str, detail: &str, durably: bool) -> Result<()> {
    // What one commit waits for is all that was written before it, by whomever.
    let (begin, end) =
        if durably { ("BEGIN READ WRITE;\nSET LOCAL synchronous_commit = local;\n", ";\nCOMMIT;") } else { ("", "") };
    let sql = format!(
        "{begin}UPDATE dbctl.run SET finished_at = pg_catalog.clock_timestamp(), outcome = {}, detail = NULLIF({}, '') \
         WHERE id = {run}{end}",
        Literal(outcome),
        Literal(detail)
    );
    session.send(&sql).await.map_err(|e| e.explain("cannot close the journal dbctl.run"))
}

/// Writes lines that stand for themselves, each a row of run, time, subject, state and detail.
///
/// # Errors
/// The server's.
pub async fn write(session: &Session, rows: &[String]) -> std::result::Result<(), ServerError> {
    let columns = "run, at, subject, state, detail";
    session.send(&format!("INSERT INTO dbctl.journal ({columns}) VALUES\n{};", rows.join(",\n"))).await
}

/// Says that a step, or one statement of it, failed and left nothing behind.
///
/// # Errors
/// The server's.
pub async fn failed(
    session: &Session,
    run: i64,
    subjects: &[&str],
    statement: Option<usize>,
    message: &str,
) -> Result<()> {
    let index = statement.map_or("NULL".to_owned(), |i| i.to_string());
    let row = |subject: &&str| {
        let (subject, message) = (Literal(subject), Literal(message));
        format!("({run}, {subject}, {index}, 'failed', pg_catalog.jsonb_build_object('message', {message}::text))")
    };
    let rows: Vec<String> = subjects.iter().map(row).collect();
    let sql = format!("INSERT INTO dbctl.journal (run, subject, statement, state, detail) VALUES {}", rows.join(", "));
    session.send(&sql).await.map_err(|e| e.explain("cannot write the journal dbctl.journal"))
}
