//! What a new partition takes over from its table, and whom its foreign keys lock.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::pg::{Query, Session};
use crate::policy::Clones;

/// What a new partition takes over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Details {
    /// The table's owner.
    pub owner: String,
    /// We act as that role already.
    pub is_ours: bool,
    /// Row level security is on.
    pub row_security: bool,
    /// Also for the owner.
    pub force_row_security: bool,
    /// `d`, `n`, `f`, `i`.
    pub replica_identity: String,
    /// The index that is the replica identity.
    pub replica_index: Option<String>,
    /// The table's tablespace.
    pub tablespace: Option<String>,
    /// Storage parameters of the newest partition, `name=value`.
    pub sibling_options: Vec<String>,
    /// Rights of others.
    pub grants: Vec<Grant>,
    /// Who would get rights on any new table of ours; nothing is PUBLIC.
    pub default_grantees: Vec<Option<String>>,
    /// Tables that its foreign keys point to, quoted.
    pub references_to: Vec<String>,
    /// Tables whose foreign keys point to it, quoted.
    pub referenced_by: Vec<String>,
    /// Publications that name single partitions.
    pub publications: Vec<String>,
}

/// A right of somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Grant {
    privilege: String,
    /// Nothing is PUBLIC.
    grantee: Option<String>,
    grantable: bool,
    column: Option<String>,
}

/// Reads the details of tables, by oid.
///
/// # Errors
/// The server's.
pub async fn read(session: &Session, oids: &[u32]) -> Result<BTreeMap<u32, Details>> {
    if oids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = session
        .rows(&Query::PARTITION_DETAILS, &[&oids])
        .await
        .map_err(|e| e.explain("cannot read what new partitions take over"))?;
    let mut details = BTreeMap::new();
    for row in &rows {
        let grants: Option<&str> = row.try_get("grants")?;
        let list = |column: &str| -> Result<Vec<String>> {
            row.try_get::<_, Option<Vec<String>>>(column).map(Option::unwrap_or_default).map_err(Failure::from)
        };
        let found = Details {
            owner: row.try_get("owner")?,
            is_ours: row.try_get("is_ours")?,
            row_security: row.try_get("row_security")?,
            force_row_security: row.try_get("force_row_security")?,
            replica_identity: row.try_get("replica_identity")?,
            replica_index: row.try_get("replica_identity_index")?,
            tablespace: row.try_get("tablespace")?,
            sibling_options: list("sibling_options")?,
            grants: grants.map(serde_json::from_str).transpose()?.unwrap_or_default(),
            default_grantees: row.try_get::<_, Option<Vec<Option<String>>>>("default_grantees")?.unwrap_or_default(),
            references_to: list("references_to")?,
            referenced_by: list("referenced_by")?,
            publications: list("publications_of_partitions")?,
        };
        details.insert(row.try_get("oid")?, found);
    }
    Ok(details)
}

impl Details {
    /// The tables that foreign keys lock, either way.
    pub fn foreign(&self) -> impl Iterator<Item = &String> {
        self.references_to.iter().chain(&self.referenced_by)
    }

    /// ` WITH (…) TABLESPACE …` of a new partition. What the policy says goes before what its newest
    /// sibling has.
    pub fn storage(&self, wanted: &[(String, String)], clone: Clones) -> String {
        let mut options: Vec<(String, String)> = wanted.to_vec();
        if clone.reloptions {
            for option in &self.sibling_options {
                if let Some((name, value)) = option.split_once('=')
                    && !options.iter().any(|(known, _)| known == name)
                {
                    options.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        let mut sql = String::new();
        if !options.is_empty() {
            let list: Vec<String> =
                options.iter().map(|(name, value)| format!("{} = {}", option(name), Literal(value))).collect();
            sql.push_str(&format!(" WITH ({})", list.join(", ")));
        }
        if clone.tablespace
            && let Some(tablespace) = &self.tablespace
        {
            sql.push_str(&format!(" TABLESPACE {}", Ident::new(tablespace.as_str())));
        }
        sql
    }

    /// The statements that give a new table what LIKE does not copy.
    pub fn properties(&self, partition: &TableName, parent: &TableName, clone: Clones) -> Vec<String> {
        let _ = parent;
        let mut sql = Vec::new();
        if clone.grants {
            for grantee in &self.default_grantees {
                sql.push(format!("REVOKE ALL ON TABLE {partition} FROM {}", role(grantee.as_deref())));
            }
            for grant in &self.grants {
                let columns = grant.column.as_deref().map_or(String::new(), |c| format!(" ({})", Ident::new(c)));
                let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
                sql.push(format!(
                    "GRANT {}{columns} ON TABLE {partition} TO {}{option}",
                    grant.privilege,
                    role(grant.grantee.as_deref())
                ));
            }
        }
        if clone.row_security && self.row_security {
            // The table's policies hold for what goes through it. Straight into the partition: nobody.
            sql.push(format!("ALTER TABLE {partition} ENABLE ROW LEVEL SECURITY"));
            if self.force_row_security {
                sql.push(format!("ALTER TABLE {partition} FORCE ROW LEVEL SECURITY"));
            }
        }
        if clone.replica_identity {
            match self.replica_identity.as_str() {
                "f" => sql.push(format!("ALTER TABLE {partition} REPLICA IDENTITY FULL")),
                "n" => sql.push(format!("ALTER TABLE {partition} REPLICA IDENTITY NOTHING")),
                _ => {}
            }
        }
        // Last: rights are given by who has made the table.
        if clone.owner && !self.owner.is_empty() && !self.is_ours {
            sql.push(format!("ALTER TABLE {partition} OWNER TO {}", Ident::new(self.owner.as_str())));
        }
        sql
    }

    /// What takes the rights on its old table from a partition that becomes one of another.
    pub fn revokes(&self, partition: &TableName) -> String {
        let grantees: BTreeSet<String> = self.grants.iter().map(|grant| role(grant.grantee.as_deref())).collect();
        grantees.iter().map(|grantee| format!("\nREVOKE ALL ON TABLE {partition} FROM {grantee};")).collect()
    }

    /// The statements that need the partition to be attached: its indexes have their parents then.
    pub fn after_attach(
        &self,
        partition: &TableName,
        parent: &TableName,
        child_unique: &[Vec<Ident>],
        clone: Clones,
    ) -> Vec<String> {
        let _ = parent;
        let mut sql: Vec<String> = child_unique
            .iter()
            .map(|columns| {
                let columns = columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                format!("CREATE UNIQUE INDEX ON {partition} ({columns})")
            })
            .collect();
        if let Some(index) =
            self.replica_index.as_ref().filter(|_| clone.replica_identity && self.replica_identity == "i")
        {
            let (index, partition) = (Literal(index).to_string(), partition.to_string());
            let table = Literal(&partition);
            sql.push(format!(
                "DO $$\nBEGIN\n    EXECUTE (\n        SELECT pg_catalog.format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', {table}, c.relname)\n        \
                 FROM pg_catalog.pg_inherits AS i\n        INNER JOIN pg_catalog.pg_index AS x ON x.indexrelid = i.inhrelid\n        \
                 INNER JOIN pg_catalog.pg_class AS c ON c.oid = x.indexrelid\n        WHERE i.inhparent = {index}::pg_catalog.regclass AND \
                 x.indrelid = {table}::pg_catalog.regclass\n    );\nEND;\n$$"
            ));
        }
        sql
    }
}

fn role(name: Option<&str>) -> String {
    name.map_or_else(|| "PUBLIC".to_owned(), |name| Ident::new(name).to_string())
}

/// `toast.autovacuum_enabled` is two names.
fn option(name: &str) -> String {
    match name.split_once('.') {
        Some((namespace, name)) => format!("{}.{}", Ident::new(namespace), Ident::new(name)),
        None => Ident::new(name).to_string(),
    }
}
