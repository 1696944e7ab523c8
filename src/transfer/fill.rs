//! JSON lines that the server has become rows of the stage; where one does not, its line and key are
//! found by halves.

use super::columns::Column;
use super::failure;
use super::format::Form;
use super::import::STAGE;
use super::lines::Lines;
use crate::error::Result;
use crate::ident::{Ident, Literal};
use crate::pg::{ServerError, Session};

/// The table of lines.
pub const LINES: &str = "dbctl_import_lines";

/// Makes the table of lines.
pub fn create() -> String {
    format!("CREATE TEMPORARY TABLE {LINES} (line bigint, doc json) ON COMMIT DROP")
}

/// Fills the stage.
///
/// # Errors
/// Invalid, naming line and column.
pub async fn fill(session: &Session, file: &str, columns: &[Column], lines: &Lines) -> Result<()> {
    if columns.is_empty() {
        let sql = format!("INSERT INTO pg_temp.{STAGE} SELECT FROM pg_temp.{LINES}");
        return session.rows_of(&sql).await.map(drop).map_err(|e| e.explain(format!("cannot read {file}")));
    }
    let names: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
    let values: Vec<String> = columns.iter().map(|column| value(column, lines)).collect();
    let sql = format!(
        "INSERT INTO pg_temp.{STAGE} ({}) SELECT {} FROM pg_temp.{LINES} AS l \
         CROSS JOIN LATERAL pg_catalog.json_populate_record(NULL::pg_temp.{STAGE}, l.doc) AS r",
        names.join(", "),
        values.join(", ")
    );
    session.send("SAVEPOINT filling").await.map_err(|e| e.explain("cannot set a savepoint"))?;
    match session.rows_of(&sql).await {
        Ok(_) => Ok(()),
        Err(error) if failure::is_of_data(&error) => Err(find(session, file, columns, &error).await?),
        Err(error) => Err(error.explain(format!("cannot read {file}"))),
    }
}

/// A column's value from the line `l` and the record `r` that the server made of it.
fn value(column: &Column, lines: &Lines) -> String {
    let (name, key) = (&column.name, Literal(column.name.raw()).to_string());
    let value = match column.form {
        Form::Json | Form::Jsonb => {
            let kind = if column.form == Form::Json { "json" } else { "jsonb" };
            let inner = format!("(l.doc -> {key} ->> '$json')");
            format!(
                "CASE WHEN pg_catalog.strpos(l.doc::pg_catalog.text, '$json') = 0 THEN r.{name} \
                 WHEN pg_catalog.json_typeof(l.doc -> {key}) IS DISTINCT FROM 'object' THEN r.{name} \
                 WHEN {inner} IS NULL THEN r.{name} \
                 WHEN (SELECT pg_catalog.count(*) FROM pg_catalog.json_object_keys(l.doc -> {key})) = 1 \
                 THEN {inner}::pg_catalog.{kind} ELSE r.{name} END"
            )
        }
        _ => format!("r.{name}"),
    };
    match &column.default {
        Some(default) if lines.with(column.name.raw()) < lines.rows => {
            format!("CASE WHEN (l.doc -> {key}) IS NULL THEN {default} ELSE {value} END")
        }
        _ => value,
    }
}

/// Finds the first line that the server does not take, and the key.
async fn find(session: &Session, file: &str, columns: &[Column], first: &ServerError) -> Result<crate::error::Failure> {
    let range = format!("SELECT pg_catalog.min(l.line), pg_catalog.max(l.line) FROM pg_temp.{LINES} AS l");
    back(session).await?;
    let rows = session.rows_of(&range).await.map_err(|e| e.explain("cannot look for the line"))?;
    let (mut low, mut high): (i64, i64) = match rows.first() {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (0, 0),
    };
    while low < high {
        let middle = low + (high - low) / 2;
        let sql = format!(
            "SELECT pg_catalog.count((r.*)::pg_catalog.text) FROM pg_temp.{LINES} AS l CROSS JOIN LATERAL \
             pg_catalog.json_populate_record(NULL::pg_temp.{STAGE}, l.doc) AS r WHERE l.line BETWEEN {low} AND {middle}"
        );
        match session.rows_of(&sql).await {
            Ok(_) => low = middle + 1,
            Err(error) if failure::is_of_data(&error) => high = middle,
            Err(error) => return Err(error.explain("cannot look for the line")),
        }
        back(session).await?;
    }
    for column in columns {
        let key = Literal(column.name.raw()).to_string();
        let sql = format!(
            "SELECT pg_catalog.json_populate_record(NULL::pg_temp.{STAGE}, pg_catalog.json_build_object({key}, l.doc -> \
             {key}))::pg_catalog.text FROM pg_temp.{LINES} AS l WHERE l.line = {low}"
        );
        if let Err(error) = session.rows_of(&sql).await {
            return Ok(told(&error, file, low, Some(&column.name)));
        }
    }
    Ok(told(first, file, low, None))
}

fn told(error: &ServerError, file: &str, line: i64, column: Option<&Ident>) -> crate::error::Failure {
    let column = column.map_or(String::new(), |column| format!(", column {column}"));
    failure::data_kind(error.explain("the server does not take the value"))
        .note("nothing was stored")
        .context(format!("{file}, line {line}{column}"))
}

async fn back(session: &Session) -> Result<()> {
    session.send("ROLLBACK TO SAVEPOINT filling").await.map_err(|e| e.explain("cannot go back to the savepoint"))
}
