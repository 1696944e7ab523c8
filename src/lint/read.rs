//! What a database says of the objects that files name: one read-only snapshot, four questions sent
//! together. Writes nothing, does not decide.

use std::time::Duration;

use super::known::{Check, Facts, Known, Object, Real, Table};
use crate::error::Result;
use crate::ident::Ident;
use crate::pg::{Query, Session};
use crate::steps::guard::Name;

const CATALOG: Duration = Duration::from_secs(30);

/// Everything that is known of relations with these names.
///
/// # Errors
/// The server's.
pub(super) async fn known(session: &Session, names: &[String]) -> Result<Known> {
    session.begin_reading(CATALOG).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
    let read = read(session, names).await;
    session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    read
}

async fn read(session: &Session, names: &[String]) -> Result<Known> {
    let params: &[&(dyn crate::pg::ToSql + Sync)] = &[&names];
    let (tables, columns, constraints, indexes) = tokio::join!(
        session.rows(&Query::LINT_TABLES, params),
        session.rows(&Query::LINT_COLUMNS, params),
        session.rows(&Query::LINT_CONSTRAINTS, params),
        session.rows(&Query::LINT_INDEXES, params),
    );
    let mut known = Known::of_database();
    for row in &tables.map_err(|e| e.explain("cannot read which tables there are"))? {
        let schema: String = row.try_get("schema")?;
        let name: String = row.try_get("name")?;
        let kind: String = row.try_get("kind")?;
        let visible: bool = row.try_get("visible")?;
        known.role = row.try_get("role")?;
        let named = Name { schema: Some(Ident::new(schema)), name: Ident::new(name) };
        let object = match kind.as_str() {
            "v" => Some("view"),
            "m" => Some("materialized view"),
            "S" => Some("sequence"),
            _ => None,
        };
        if let Some(kind) = object {
            let schema = named.schema.clone();
            known.add_object(&named, Object { kind, schema, born: None, visible, invalid: false, table: None });
        }
        if matches!(kind.as_str(), "v" | "S") {
            continue;
        }
        let real = Real {
            name: named.to_string(),
            rows: row.try_get("rows")?,
            bytes: u64::try_from(row.try_get::<_, i64>("bytes")?).unwrap_or(0),
            owner: row.try_get("owner")?,
            owned: row.try_get("owned")?,
            visible,
        };
        let table = Table {
            schema: named.schema.clone(),
            partitioned: row.try_get("partitioned")?,
            has_default_partition: row.try_get("has_default")?,
            has_policy: row.try_get("has_policy")?,
            real: Some(real),
            ..Table::default()
        };
        known.add_table(&named, table);
    }
    let named = |row: &crate::pg::Row| -> Result<Name> {
        Ok(Name {
            schema: Some(Ident::new(row.try_get::<_, String>("schema")?)),
            name: Ident::new(row.try_get::<_, String>("name")?),
        })
    };
    for row in &columns.map_err(|e| e.explain("cannot read columns"))? {
        let facts = Facts { data_type: row.try_get("data_type")?, not_null: row.try_get("not_null")? };
        if let Some(table) = known.table_mut(&named(row)?) {
            table.columns.insert(Ident::new(row.try_get::<_, String>("column_name")?), facts);
        }
    }
    for row in &constraints.map_err(|e| e.explain("cannot read constraints"))? {
        let check = Check {
            name: Some(Ident::new(row.try_get::<_, String>("constraint_name")?)),
            expression: row.try_get::<_, Option<String>>("expression")?.unwrap_or_default(),
            valid: row.try_get("valid")?,
            file: None,
            is_check: true,
        };
        if let Some(table) = known.table_mut(&named(row)?) {
            table.checks.push(check);
        }
    }
    for row in &indexes.map_err(|e| e.explain("cannot read indexes"))? {
        let on = named(row)?;
        let index = Name { schema: on.schema.clone(), name: Ident::new(row.try_get::<_, String>("index_name")?) };
        let valid: bool = row.try_get("valid")?;
        let schema = index.schema.clone();
        known.add_object(
            &index,
            Object { kind: "index", schema, born: None, visible: true, invalid: !valid, table: Some(on.clone()) },
        );
        if valid
            && row.try_get("whole")?
            && let Some(table) = known.table_mut(&on)
        {
            let columns: Vec<String> = row.try_get("columns")?;
            table.indexes.push(columns.into_iter().map(Ident::new).collect());
        }
    }
    Ok(known)
}
