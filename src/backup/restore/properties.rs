//! What hangs on the database itself, and the roles that it names.

use std::collections::BTreeMap;

use super::plan;
use super::prepare::Prepared;
use super::roles::{self, Fate, Missing};
use super::swap::APPLICATION;
use crate::backup::manifest::{Database, Setting};
use crate::config::connection::Connection;
use crate::error::Result;
use crate::ident::Ident;
use crate::pg::Query;

/// Sessions that make definitions and indexes wait for no disk, since nothing counts before the last commit, and get
/// what memory the server has for indexes. Where the jobs keep each other busy, none of them has helpers: what those
/// hand to each other goes through files, which is work that one job alone does not have.
pub(super) fn for_building(connection: &Connection, prepared: &Prepared, jobs: usize) -> Connection {
    let memory = plan::index_memory(prepared.shared_buffers, prepared.maintenance_memory, jobs) >> 10;
    let mut connection = connection.clone();
    let options = connection.options.take().unwrap_or_default();
    let mut more = format!("-c maintenance_work_mem={memory}kB -c synchronous_commit=off -c statement_timeout=0");
    let sizes = || prepared.work.manifest.tables.iter().map(|table| table.plain_bytes);
    if jobs > 1 && plan::is_fair_share(sizes().max().unwrap_or_default(), sizes().sum(), jobs) {
        more.push_str(" -c max_parallel_maintenance_workers=0");
    }
    if prepared.logs_in_as_superuser {
        // So long an index waits for autovacuum, which then gives way.
        more.push_str(" -c deadlock_timeout=10ms");
    }
    connection.options = Some(format!("{options} {more}").trim_start().to_owned());
    // What a killed run leaves at work is known by it.
    connection.application_name = Some(APPLICATION.to_owned());
    connection
}

/// Owner, grants, settings, limit: those of the living database, where one is replaced, else those of the backup.
pub(super) async fn carry_over(
    prepared: &Prepared,
    living: Option<&Database>,
    name: &str,
    connection: &Connection,
) -> Result<()> {
    let admin = &prepared.admin;
    // Whom a role that is missing becomes; nobody, where it is skipped.
    let becomes = |role: &str| match prepared.missing_roles.iter().find(|missing| missing.name == role) {
        Some(Missing { fate: Fate::Skipped, .. }) => None,
        Some(Missing { fate: Fate::Mapped(new), .. }) => Some(new.clone()),
        _ => Some(role.to_owned()),
    };
    let database = living.unwrap_or(&prepared.work.manifest.database);
    let target = Ident::new(name);
    let mut statements = Vec::new();
    if let Some(acl) = &database.acl {
        // While the stand-ins are there.
        let rows = admin.rows(&Query::RESTORE_ACL, &[acl]).await;
        let mut grants: BTreeMap<(Option<String>, bool), Vec<String>> = BTreeMap::new();
        for row in rows.map_err(|e| e.explain("cannot read the grants of the database"))? {
            let grantee: Option<String> = row.try_get("grantee")?;
            let Some(grantee) = grantee.map_or(Some(None), |role| becomes(&role).map(Some)) else { continue };
            grants.entry((grantee, row.try_get("grantable")?)).or_default().push(row.try_get("privilege")?);
        }
        for ((grantee, grantable), privileges) in grants {
            let grantee = grantee.map_or("PUBLIC".to_owned(), |role| Ident::new(role).to_string());
            let option = if grantable { " WITH GRANT OPTION" } else { "" };
            statements.push(format!("GRANT {} ON DATABASE {target} TO {grantee}{option}", privileges.join(", ")));
        }
    } else {
        statements.push(format!("GRANT CONNECT, TEMPORARY ON DATABASE {target} TO PUBLIC"));
    }
    statements.push(format!("ALTER DATABASE {target} CONNECTION LIMIT {}", database.connection_limit));
    for setting in database.settings.iter().filter(|setting| !prepared.unknown_settings.contains(&setting.name)) {
        let role = setting.role.as_deref();
        if let Some(role) = role.map_or(Some(None), |role| becomes(role).map(Some)) {
            statements.push(plan::set(name, &Setting { role, ..setting.clone() }));
        }
    }
    if let Some(owner) = becomes(&database.owner) {
        statements.push(format!("ALTER DATABASE {target} OWNER TO {}", Ident::new(owner)));
    }
    for statement in statements {
        admin
            .send(&statement)
            .await
            .map_err(|e| e.explain(format!("cannot set what hangs on the database: {statement}")))?;
    }
    roles::give_away(prepared, connection).await
}
