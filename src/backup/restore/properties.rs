//! What hangs on the database itself, and the roles that it names.

use std::collections::BTreeMap;

use super::prepare::Prepared;
use super::{Roles, plan};
use crate::backup::manifest::Database;
use crate::config::connection::Connection;
use crate::error::Result;
use crate::ident::Ident;
use crate::pg::{Interrupt, Query, Session};

/// Makes the roles that are missing, without login: they are to stay, or until what they own is given away.
pub(super) async fn make_roles(prepared: &Prepared, roles: Roles) -> Result<()> {
    if roles == Roles::Refuse {
        return Ok(());
    }
    for role in &prepared.missing_roles {
        let create = format!("CREATE ROLE {} NOLOGIN", Ident::new(role.as_str()));
        prepared.admin.send(&create).await.map_err(|e| e.explain(format!("cannot create role {role}")))?;
    }
    Ok(())
}

/// Drops them again after a failure, where they were not to stay. One that owns something by now does stay.
pub(super) async fn drop_roles(prepared: &Prepared, roles: Roles) {
    if roles == Roles::Skip {
        for role in &prepared.missing_roles {
            // What cannot be dropped has no login and does no harm.
            let _ = prepared.admin.send(&format!("DROP ROLE IF EXISTS {}", Ident::new(role.as_str()))).await;
        }
    }
}

/// Sessions that make definitions and indexes wait for no disk, since nothing counts before the last commit, and get
/// what memory the server has for indexes.
pub(super) fn for_building(connection: &Connection, prepared: &Prepared, jobs: usize) -> Connection {
    let memory = plan::index_memory(prepared.shared_buffers, prepared.maintenance_memory, jobs) >> 10;
    let mut connection = connection.clone();
    let options = connection.options.take().unwrap_or_default();
    let more = format!("-c maintenance_work_mem={memory}kB -c synchronous_commit=off -c statement_timeout=0");
    connection.options = Some(format!("{options} {more}").trim_start().to_owned());
    connection
}

/// Owner, grants, settings, limit: those of the living database, where one is replaced, else those of the backup.
pub(super) async fn carry_over(
    prepared: &Prepared,
    living: Option<&Database>,
    name: &str,
    connection: &Connection,
    roles: Roles,
) -> Result<()> {
    let admin = &prepared.admin;
    let gone = |role: &str| roles == Roles::Skip && prepared.missing_roles.iter().any(|missing| missing == role);
    if roles == Roles::Skip && !prepared.missing_roles.is_empty() {
        let session = Session::open(connection, "restore", &Interrupt::default()).await?;
        for role in &prepared.missing_roles {
            let role = Ident::new(role.as_str());
            let give = format!("REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}");
            session.send(&give).await.map_err(|e| e.explain(format!("cannot give away what role {role} owns")))?;
        }
    }
    let database = living.unwrap_or(&prepared.work.manifest.database);
    let target = Ident::new(name);
    let mut statements = Vec::new();
    if let Some(acl) = &database.acl {
        let rows = admin.rows(&Query::RESTORE_ACL, &[&known(acl, &gone)]).await;
        let mut grants: BTreeMap<(Option<String>, bool), Vec<String>> = BTreeMap::new();
        for row in rows.map_err(|e| e.explain("cannot read the grants of the database"))? {
            let key = (row.try_get("grantee")?, row.try_get("grantable")?);
            grants.entry(key).or_default().push(row.try_get("privilege")?);
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
    let settings = database.settings.iter().filter(|setting| !setting.role.as_deref().is_some_and(gone));
    statements.extend(settings.map(|setting| plan::set(name, setting)));
    if !gone(&database.owner) {
        statements.push(format!("ALTER DATABASE {target} OWNER TO {}", Ident::new(database.owner.as_str())));
    }
    for statement in statements {
        admin
            .send(&statement)
            .await
            .map_err(|e| e.explain(format!("cannot set what hangs on the database: {statement}")))?;
    }
    Ok(())
}

/// `aclitem`s of roles that are there: `role=privileges/grantor`.
fn known<'a>(acl: &'a [String], gone: &impl Fn(&str) -> bool) -> Vec<&'a str> {
    let names = |item: &&String| {
        let (grantee, rest) = item.split_once('=').unwrap_or_default();
        let grantor = rest.split_once('/').map_or("", |(_, grantor)| grantor);
        !gone(grantee.trim_matches('"')) && !gone(grantor.trim_matches('"'))
    };
    acl.iter().filter(names).map(String::as_str).collect()
}
