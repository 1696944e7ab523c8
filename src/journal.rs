//! `dbctl journal`: what the last runs did to a database. Reads only.

use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};
use crate::pg::{Interrupt, Query, Row, Server, Session};

/// Shows the last runs, newest first, or the steps of one of them.
///
/// # Errors
/// Unreachable; not permitted without SELECT on schema dbctl.
pub async fn show(
    connection: &Connection,
    run: Option<i64>,
    limit: i64,
    interrupt: &Interrupt,
) -> Result<(Outcome, Document)> {
    let session = Session::open(connection, "journal", interrupt).await?;
    let server = Server::read(&session).await?;
    if server.has_state && !server.reads_state {
        return Err(Failure::new(Kind::NotPermitted, format!("role {} may not read schema dbctl", server.role)).hint(
            "let its owner run: GRANT USAGE ON SCHEMA dbctl TO …; GRANT SELECT ON ALL TABLES IN SCHEMA dbctl TO …",
        ));
    }
    let mut table = match run {
        None => Table::new("runs", "dbctl never changed this database", runs_columns()),
        Some(_) => Table::new("steps", "no such run, or it did nothing", steps_columns()),
    };
    if server.has_state {
        let rows = match &run {
            None => session.rows(&Query::RUNS, &[&limit]).await,
            Some(run) => session.rows(&Query::RUN_STEPS, &[run]).await,
        };
        for row in rows.map_err(|e| e.explain("cannot read the journal"))? {
            table.push(if run.is_none() { run_row(&row)? } else { step_row(&row)? });
        }
    }
    let document = Document::new("journal", 1).fact("database", "database", connection.label()).table(table);
    Ok((Outcome::Done, document))
}

fn runs_columns() -> Vec<Column> {
    vec![
        Column::new("run", "run"),
        Column::new("command", "command"),
        Column::new("started_at", "started"),
        Column::new("seconds", "took"),
        Column::new("outcome", "outcome"),
        Column::new("steps", "steps"),
        Column::new("role", "role"),
        Column::machine("detail"),
    ]
}

fn run_row(row: &Row) -> Result<Vec<Value>> {
    let seconds: Option<f64> = row.try_get("seconds")?;
    Ok(vec![
        Value::Int(row.try_get("id")?),
        Value::Text(row.try_get("command")?),
        Value::Time(row.try_get("started_at")?),
        seconds.map_or(Value::None, Value::Seconds),
        Value::Text(row.try_get("outcome")?),
        Value::Int(row.try_get("steps")?),
        Value::Text(row.try_get("role")?),
        row.try_get::<_, Option<String>>("detail")?.into(),
    ])
}

fn steps_columns() -> Vec<Column> {
    vec![
        Column::new("at", "at"),
        Column::new("subject", "subject"),
        Column::new("statement", "statement"),
        Column::new("state", "state"),
        Column::machine("detail"),
    ]
}

fn step_row(row: &Row) -> Result<Vec<Value>> {
    let statement: Option<i32> = row.try_get("statement")?;
    Ok(vec![
        Value::Time(row.try_get("at")?),
        Value::Text(row.try_get("subject")?),
        statement.map(|index| i64::from(index) + 1).into(),
        Value::Text(row.try_get("state")?),
        row.try_get::<_, Option<String>>("detail")?.into(),
    ])
}
