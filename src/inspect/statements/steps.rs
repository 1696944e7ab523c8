//! What is missing for statements to be counted, and what runs at this moment.

use super::read::{LIMIT, Setup};
use crate::error::Result;
use crate::ident::{Ident, Literal};
use crate::inspect::Eye;
use crate::inspect::redact::without_passwords;
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
        steps.push(match (pending, preloaded.as_deref()) {
            (Some(true), _) => {
                "shared_preload_libraries was changed, and the server was not restarted since".to_owned()
            }
            (_, Some(listed)) if libraries(listed).contains(&"pg_stat_statements") => {
                "shared_preload_libraries names it: restart the server".to_owned()
            }
            (_, Some(listed)) => format!(
                "the server does not load it: ALTER SYSTEM SET shared_preload_libraries = {}; then restart the server",
                with_it(listed)
            ),
            // SQL that leaves out what is loaded now would take it away.
            (_, None) => {
                "the server does not load it: add it to shared_preload_libraries, whose libraries only a role \
                 with pg_read_all_settings may see, and restart the server"
                    .to_owned()
            }
        });
    }
    match &setup.extension {
        None => steps.push(format!(
            "database {} does not have it: CREATE EXTENSION pg_stat_statements",
            Ident::new(setup.database.as_str())
        )),
        Some(extension) if !extension.may_use => steps.push(format!(
            "this role may not use its schema: GRANT USAGE ON SCHEMA {} TO {}",
            extension.schema,
            Ident::new(setup.role.as_str())
        )),
        Some(_) => {}
    }
    Ok(Steps(steps))
}

fn libraries(listed: &str) -> Vec<&str> {
    listed.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty()).collect()
}

/// Each library is a literal of its own: several in one would be taken for the name of one, and the server would
/// not start again.
fn with_it(listed: &str) -> String {
    let all = libraries(listed).into_iter().chain(["pg_stat_statements"]);
    all.map(|name| Literal(name).to_string()).collect::<Vec<_>>().join(", ")
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
        query: query.filter(|_| !hidden).map(without_passwords),
        seconds: seconds.unwrap_or_default(),
        looks: 1,
    })
}
