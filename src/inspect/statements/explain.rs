//! How the server would run a statement of which only the words without values are known. It is not executed: PREPARE
//! and EXPLAIN in a look, whose transaction is read-only. Planning does evaluate functions that are said to be IMMUTABLE,
//! with the rights of whoever plans: statements of other roles are planned only where that is wanted.

use super::read::{Key, LIMIT, Setup, Text, body};
use crate::error::Result;
use crate::inspect::Eye;
use crate::inspect::redact::redact;
use crate::output::{Column, Document, Table, Value};
use crate::pg::{Query, ServerError, Session};

/// What a role's statement calls, planning may run.
const FOREIGN: &str = "another role ran it, and planning it may run that role's code with the rights of this one: \
                       connect as that role, or say --trust";

/// From here on the server plans without values by itself, partitions included.
const GENERIC_PLAN: i64 = 160_000;

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    key: Key,
    text: Text,
    /// Under which search_path.
    path: Option<String>,
    /// The plan, or why there is none.
    plan: Result<Vec<String>, String>,
}

/// Plans a statement as its role would.
///
/// # Errors
/// The server's, except those about the statement.
pub async fn explain(eye: &Eye, setup: &Setup, key: Key, text: Text, trust: bool) -> Result<Explained> {
    let query = match obstacle(setup, key, &text) {
        Ok(query) => query.to_owned(),
        Err(why) => return Ok(Explained { key, text, path: None, plan: Err(why) }),
    };
    let (path, plan) = eye
        .look(LIMIT, async |session| {
            let (path, is_trusted) = path(session, key).await?;
            if !is_trusted && !trust {
                return Ok((path, Err(FOREIGN.to_owned())));
            }
            let cannot = |e: ServerError| e.explain("cannot prepare to explain");
            session
                .rows_with("SELECT pg_catalog.set_config('search_path', $1, true)", &[&path])
                .await
                .map_err(cannot)?;
            session.rows_of("SAVEPOINT dbctl_explain").await.map_err(cannot)?;
            let plan = match plan(session, &query, setup.server >= GENERIC_PLAN).await {
                Ok(plan) => Ok(plan),
                Err(error) => {
                    session.rows_of("ROLLBACK TO SAVEPOINT dbctl_explain").await.map_err(cannot)?;
                    Err(reason(&error))
                }
            };
            // It outlives the transaction, and a pool would hand it to somebody else.
            if !session.rows(&Query::STATEMENTS_PREPARED, &[]).await.map_err(cannot)?.is_empty() {
                session.rows_of("DEALLOCATE dbctl_explained").await.map_err(cannot)?;
            }
            Ok((path, plan))
        })
        .await?;
    Ok(Explained { key, text, path: Some(path), plan })
}

/// The words, or why they cannot be planned here.
fn obstacle<'a>(setup: &Setup, key: Key, text: &'a Text) -> Result<&'a str, String> {
    if key.dbid != setup.dbid {
        let there = text.database.as_deref().map_or_else(|| format!("of OID {}", key.dbid), str::to_owned);
        return Err(format!("it was run in database {there}: connect there"));
    }
    let query = match text.query.as_deref() {
        None => return Err("its words are gone: it made room for others meanwhile".to_owned()),
        Some("<insufficient privilege>") => {
            return Err("its words may not be seen: GRANT pg_read_all_stats to this role".to_owned());
        }
        Some(query) => query,
    };
    if has_plan(query) {
        Ok(query)
    } else {
        Err(format!("{} has no plan: only statements that read or write rows have one", word(query)))
    }
}

fn word(query: &str) -> String {
    body(query).chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase()
}

/// Whether it is a statement that the server plans at all; one that begins with a parenthesis is.
pub fn has_plan(query: &str) -> bool {
    let planned = ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE", ""];
    planned.contains(&word(query).as_str())
}

/// The search_path of the statement's role, and whether that role may do all that this one may.
async fn path(session: &Session, key: Key) -> Result<(String, bool)> {
    let oid = |number: i64| u32::try_from(number).unwrap_or_default();
    let rows = session.rows(&Query::STATEMENTS_PATH, &[&oid(key.userid), &oid(key.dbid)]).await;
    let rows = rows.map_err(|e| e.explain("cannot see the search_path of the statement's role"))?;
    let Some(row) = rows.first() else { return Ok((String::new(), false)) };
    let (path, role): (Option<String>, Option<String>) = (row.try_get("path")?, row.try_get("role")?);
    // The role itself is not here to be the user.
    let path = path.unwrap_or_default().replace("\"$user\"", &role.unwrap_or_default());
    Ok((path, row.try_get("is_trusted")?))
}

/// PREPARE comes first on every version: it takes one statement and no more, whatever its words are, which
/// matters where they were read under other settings than these.
async fn plan(session: &Session, query: &str, generic: bool) -> Result<Vec<String>, ServerError> {
    session.rows_of(&format!("PREPARE dbctl_explained AS {query}")).await?;
    if generic {
        return session.lines_of(&format!("EXPLAIN (GENERIC_PLAN) {query}")).await;
    }
    let rows = session.rows(&Query::STATEMENTS_PREPARED, &[]).await?;
    let count = rows.first().and_then(|row| row.try_get::<_, i64>("parameters").ok()).unwrap_or_default();
    session.rows_of("SET LOCAL plan_cache_mode = force_generic_plan").await?;
    // NULL as a value would leave partitions out that every other value needs.
    session.rows_of("SET LOCAL enable_partition_pruning = off").await?;
    let values = vec!["NULL"; usize::try_from(count).unwrap_or_default()].join(", ");
    let values = if values.is_empty() { String::new() } else { format!("({values})") };
    session.lines_of(&format!("EXPLAIN EXECUTE dbctl_explained{values}")).await
}

fn reason(error: &ServerError) -> String {
    if error.is_transient() {
        return "somebody holds a table of it: see 'dbctl locks'".to_owned();
    }
    if error.is_cancelled() {
        return "planning took longer than is given to it, or was cancelled".to_owned();
    }
    format!("the server cannot plan it from its words alone: {}", error.message())
}

/// The statement and its plan.
pub fn explained(setup: &Setup, all: &[Explained], hide: bool) -> Document {
    let mut document = Document::new("slow_queries.plan", 1).fact("database", "database", setup.database.as_str());
    let columns = ["queryid", "database", "role", "search_path", "query", "plan", "reason"].map(Column::machine);
    let mut table = Table::new("plans", "There is no such statement.", columns.to_vec());
    let mut text = String::new();
    for one in all {
        let query = one.text.query.as_deref().map(|query| if hide { redact(query) } else { query.to_owned() });
        let (plan, reason) = match &one.plan {
            Ok(lines) => (Value::Text(lines.join("\n")), Value::None),
            Err(why) => (Value::Unknown, Value::Text(why.clone())),
        };
        text.push_str(&told(one, query.as_deref()));
        table.push(vec![
            one.key.queryid.map(|id| id.to_string()).into(),
            one.text.database.clone().into(),
            one.text.role.clone().into(),
            one.path.clone().into(),
            query.into(),
            plan,
            reason,
        ]);
    }
    document = document.table(table).text("text", text.trim_end());
    if all.iter().any(|one| one.plan.is_err()) {
        document =
            document.note("planning needs the rights that running needs, USAGE on the schemas of the search_path too");
    }
    document.note("planned without values: with them the server may choose another plan; no statement was executed")
}

fn told(one: &Explained, query: Option<&str>) -> String {
    let id = one.key.queryid.map_or_else(|| "UNKNOWN".to_owned(), |id| id.to_string());
    let mut text = format!(
        "statement {id} of {} in {}\n",
        one.text.role.as_deref().unwrap_or("UNKNOWN"),
        one.text.database.as_deref().unwrap_or("UNKNOWN")
    );
    if let Some(path) = &one.path {
        text.push_str(&format!("search_path: {path}\n"));
    }
    let plan = match &one.plan {
        Ok(lines) => lines.join("\n"),
        Err(why) => format!("UNKNOWN: {why}"),
    };
    format!("{text}\n{}\n\n{plan}\n\n\n", query.unwrap_or("UNKNOWN"))
}
