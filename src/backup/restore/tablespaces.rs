//! Where on the server's disks a restored database and its tables lie.

use crate::backup::manifest::Manifest;
use crate::config::connection::Connection;
use crate::error::Result;
use crate::ident::Ident;
use crate::pg::{Interrupt, Session};

/// What of a backup's tablespaces the server has.
#[derive(Debug, Default)]
pub struct Tablespaces {
    /// That of the new database: of the living one that it replaces, else as it was; none is the server's default.
    pub of_database: Option<String>,
    /// Those that tables or indexes name and that are not here.
    pub missing: Vec<String>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// Looks for them; `target` is the database that is replaced or made.
///
/// # Errors
/// The server's.
pub async fn look(admin: &Session, manifest: &Manifest, target: &str) -> Result<Tablespaces> {
    let sql = "SELECT t.spcname::TEXT AS name, pg_catalog.has_tablespace_privilege(t.oid, 'CREATE') AS may_create, \
               d.datname IS NOT NULL AS has_living \
               FROM pg_catalog.pg_tablespace AS t \
               LEFT JOIN pg_catalog.pg_database AS d ON d.dattablespace = t.oid AND d.datname = $1";
    let rows = admin.rows_with(sql, &[target]).await.map_err(|e| e.explain("cannot look for tablespaces"))?;
    let (mut there, mut living) = (Vec::new(), None);
    for row in &rows {
        let name: String = row.try_get("name")?;
        if row.try_get("has_living")? {
            living = Some(name.clone());
        }
        there.push((name, row.try_get::<_, bool>("may_create")?));
    }
    let has = |name: &String| there.iter().any(|(there, _)| there == name);
    let missing: Vec<String> = manifest.tablespaces.iter().filter(|name| !has(name)).cloned().collect();
    let mut notes = Vec::new();
    if !missing.is_empty() {
        notes.push(format!("without tablespaces, since these are not here: {}", missing.join(", ")));
    }
    let wanted = living.or_else(|| manifest.database.tablespace.clone()).filter(|name| name != "pg_default");
    let of_database =
        wanted.clone().filter(|name| there.iter().any(|(there, may_create)| there == name && *may_create));
    if let Some(name) = wanted.filter(|_| of_database.is_none()) {
        notes.push(format!(
            "the database goes to the server's default tablespace: {name} is not here, or not for this role"
        ));
    }
    Ok(Tablespaces { of_database, missing, notes })
}

/// Makes those of a backup in a private server, each in the server's own folder. What it cannot make is told by the
/// restore.
///
/// # Errors
/// The server's, when it cannot be reached.
pub async fn imitate(connection: &Connection, manifest: &Manifest, interrupt: &Interrupt) -> Result<()> {
    let session = Session::open(connection, "drill", interrupt).await?;
    // Not known to the first minor releases of 14.
    let _ = session.send("SET allow_in_place_tablespaces = on").await;
    for name in manifest.tablespaces.iter().chain(&manifest.database.tablespace) {
        let _ = session.send(&format!("CREATE TABLESPACE {} LOCATION ''", Ident::new(name.as_str()))).await;
    }
    Ok(())
}
