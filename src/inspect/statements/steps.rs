//! What is missing for statements to be counted, and what runs at this moment.

use super::read::{LIMIT, Setup};
use crate::error::Result;
use crate::inspect::Eye;
use crate::pg::{Query, Row};

/// The steps that are missing, each as a sentence with the SQL.
#[derive(Debug, Clone)]
pub struct Steps(pub Vec<String>);

/// A statement that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Where.
    pub database: Option<String>,
    /// Whose.
    pub role: Option<String>,
    /// Its text; none where it may not be seen.
    pub query: Option<String>,
    /// How long it has run at most.
    pub seconds: f64,
    /// In how many looks it was met.
    pub looks: usize,
}

/// Which steps are missing.
///
/// # Errors
/// The server's.
pub async fn steps(eye: &Eye, setup: &Setup) -> Result<Steps> {
    let rows = eye.look(LIMIT, async |session| {
        session.rows(&Query::STATEMENTS_STEPS, &[]).await.map_err(|e| e.explain("cannot see what is installed"))
    });
    let rows = rows.await?;
    let (installed, preloaded, pending): (bool, Option<String>, Option<bool>) = match rows.first() {
        Some(row) => (row.try_get("installed")?, row.try_get("preloaded")?, row.try_get("pending")?),
        None => (false, None, None),
    };
    let mut steps = Vec::new();
    if !installed {
        steps.push("its files are not on the server: install the package with PostgreSQL's contrib modules".to_owned());
    }
    if !setup.is_loaded() {
        let listed = preloaded.as_deref().unwrap_or_default();
        match pending {
            Some(true) => {
                steps.push("shared_preload_libraries was changed, and the server was not restarted since".to_owned())
            }
            _ if listed.contains("pg_stat_statements") => {
                steps.push("shared_preload_libraries names it: restart the server".to_owned());
            }
            _ => {
                let all = if listed.is_empty() { String::new() } else { format!("{listed}, ") };
                steps.push(format!(
                    "the server does not load it: ALTER SYSTEM SET shared_preload_libraries = '{all}pg_stat_statements'; then restart the server"
                ));
            }
        }
    }
    if setup.extension.is_none() {
        steps.push(format!(
            "database {} does not have it: CREATE EXTENSION pg_stat_statements",
            crate::ident::Ident::new(setup.database.as_str())
        ));
    }
    Ok(Steps(steps))
}

/// Adds what runs now to what was met before.
///
/// # Errors
/// The server's.
pub async fn running(eye: &Eye, met: &mut Vec<Running>) -> Result<()> {
    let rows = eye.look(LIMIT, async |session| {
        session.rows(&Query::STATEMENTS_ACTIVE, &[]).await.map_err(|e| e.explain("cannot see what runs"))
    });
    for row in &rows.await? {
        let now = one(row)?;
        let same = |other: &&mut Running| {
            (&other.database, &other.role, &other.query) == (&now.database, &now.role, &now.query)
        };
        match met.iter_mut().find(same) {
            Some(known) => {
                known.looks += 1;
                known.seconds = known.seconds.max(now.seconds);
            }
            None => met.push(now),
        }
    }
    met.sort_by(|a, b| b.looks.cmp(&a.looks).then(b.seconds.total_cmp(&a.seconds)));
    Ok(())
}

fn one(row: &Row) -> Result<Running> {
    let (query, hidden): (Option<String>, bool) = (row.try_get("query")?, row.try_get("hidden")?);
    let seconds: Option<f64> = row.try_get("seconds")?;
    Ok(Running {
        database: row.try_get("database")?,
        role: row.try_get("role")?,
        query: query.filter(|_| !hidden),
        seconds: seconds.unwrap_or_default(),
        looks: 1,
    })
}
