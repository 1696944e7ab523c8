//! `dbctl doctor`: which of PostgreSQL's programs are on this machine, and whether they fit the server.

use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::Result;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::programs::{Installed, Program};
use crate::pg::sandbox::binaries;
use crate::pg::{Interrupt, Server, Session};

/// What each program is for.
fn purpose(program: Program) -> &'static str {
    match program {
        Program::PgDump => "backup create",
        Program::PgRestore => "restore, backup verify",
        Program::PgDumpall => "roles in backups",
        Program::PgAmcheck => "backup drill",
        Program::Psql => "by hand",
    }
}

/// Looks, and says what is missing and which package has it.
///
/// # Errors
/// Interrupted. A server that does not answer is a note.
pub async fn examine(connection: &Connection, env: &Env, interrupt: &Interrupt) -> Result<(Outcome, Document)> {
    let server = match Session::open(connection, "doctor", interrupt).await {
        Ok(session) => Server::read(&session).await,
        Err(failure) => Err(failure),
    };
    interrupt.check()?;
    let mut table = Table {
        key: "programs",
        columns: vec![
            Column::new("program", "program"),
            Column::new("version", "version"),
            Column::new("purpose", "for"),
            Column::new("path", "path"),
            Column::machine("others"),
        ],
        rows: Vec::new(),
        empty: "no program of PostgreSQL was found",
    };
    let (mut notes, mut outcome) = (Vec::new(), Outcome::Done);
    for program in Program::ALL {
        let found = program.find(env);
        let chosen = match &server {
            Ok(server) => program.pick(server.major, env),
            // Nobody says what is wanted: the newest can do most.
            Err(_) => program.pick(found.first().map_or(0, |newest| newest.major), env),
        };
        table.rows.push(row(program, chosen.as_ref().ok(), &found));
        if let (Ok(chosen), Ok(server)) = (&chosen, &server)
            && let Some((message, hint)) = chosen.behind(server)
        {
            // It works: no finding.
            notes.push(format!("{message}; {hint}"));
        }
        if let Err(failure) = chosen {
            outcome = Outcome::Findings;
            notes.push(failure.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; "));
        }
    }
    let servers: Vec<String> = binaries::find_in(env).iter().map(|found| found.version.clone()).collect();
    let document = Document::new("doctor", 1);
    let mut document = match &server {
        Ok(server) => document.fact("server", "server", server.version.as_str()),
        Err(_) => document.fact("server", "server", Value::Unknown),
    }
    .fact("sandbox_servers", "sandboxes", Value::List(servers))
    .table(table);
    if let Err(failure) = server {
        let why = failure.messages().join(": ");
        document =
            document.note(format!("the newest programs are shown, because the server could not be asked: {why}"));
    }
    Ok((outcome, notes.into_iter().fold(document, Document::note)))
}

fn row(program: Program, chosen: Option<&Installed>, found: &[Installed]) -> Vec<Value> {
    let others = found.iter().filter(|installed| chosen.is_none_or(|chosen| chosen.path != installed.path));
    let text = |text: Option<String>| text.map_or(Value::Text("missing".to_owned()), Value::Text);
    vec![
        Value::Text(program.name().to_owned()),
        text(chosen.map(|chosen| chosen.version.clone())),
        Value::Text(purpose(program).to_owned()),
        chosen.map_or(Value::None, |chosen| Value::Text(chosen.path.display().to_string())),
        Value::List(others.map(|other| format!("{} ({})", other.path.display(), other.version)).collect()),
    ]
}
