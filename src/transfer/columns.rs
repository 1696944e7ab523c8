//! What the catalog says of the columns that travel. Reads.

use super::format::Form;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::pg::{Query, Session};

/// A relation with its columns.
pub struct Relation {
    /// The letter of its kind in `pg_class`.
    pub kind: String,
    /// Row security would leave rows out for this role.
    pub secured: bool,
    /// All columns in their order.
    pub columns: Vec<Column>,
}

/// A column of a table, or of what a query gives.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type, for people and for comparison.
    pub kind: String,
    /// How its values stand in JSON.
    pub form: Form,
    /// Declared so.
    pub not_null: bool,
    /// The server computes it.
    pub generated: bool,
    /// It is of the primary key.
    pub key: bool,
    /// What it is where nothing is said: SQL.
    pub default: Option<String>,
    /// The sequence that belongs to it.
    pub sequence: Option<String>,
}

/// The search path that was in force before names were to be told in full.
pub struct Path(String);

impl Path {
    /// Inside of the caller's transaction: names in texts (types, defaults, values of regclass) are the
    /// same whoever asks.
    ///
    /// # Errors
    /// The server's.
    pub async fn of_the_catalog(session: &Session) -> Result<Path> {
        let rows = session.rows_of("SELECT pg_catalog.current_setting('search_path')").await;
        let rows = rows.map_err(|e| e.explain("cannot read the search path"))?;
        let own = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        set(session, "pg_catalog").await.map(|()| Path(own))
    }

    /// Puts it back.
    ///
    /// # Errors
    /// The server's.
    pub async fn put_back(self, session: &Session) -> Result<()> {
        set(session, &self.0).await
    }
}

async fn set(session: &Session, path: &str) -> Result<()> {
    let set = session.rows_with("SELECT pg_catalog.set_config('search_path', $1, true)", &[path]).await;
    set.map(drop).map_err(|e| e.explain("cannot set the search path"))
}

/// Reads a relation's columns; none where there is no such relation.
///
/// # Errors
/// The server's.
pub async fn of_relation(session: &Session, table: &TableName) -> Result<Option<Relation>> {
    let doing = format!("cannot look at {table}");
    let path = Path::of_the_catalog(session).await?;
    let rows = session.rows(&Query::TRANSFER_COLUMNS, &[&table.schema.raw(), &table.name.raw()]).await;
    let rows = rows.map_err(|e| e.explain(doing))?;
    path.put_back(session).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (kind, secured) = (first.try_get("kind")?, first.try_get("secured")?);
    let oids: Vec<u32> = rows.iter().map(|row| row.try_get("type_oid")).collect::<Result<_, _>>()?;
    let forms = forms(session, &oids).await?;
    let mut columns = Vec::new();
    for (row, form) in rows.iter().zip(forms) {
        columns.push(Column {
            name: Ident::new(row.try_get::<_, String>("name")?),
            kind: row.try_get("type")?,
            form,
            not_null: row.try_get("not_null")?,
            generated: row.try_get("generated")?,
            key: row.try_get("key")?,
            default: row.try_get("default_value")?,
            sequence: row.try_get("sequence")?,
        });
    }
    Ok(Some(Relation { kind, secured, columns }))
}

/// The columns of a query, which is not run.
///
/// # Errors
/// The server's; refused, when two columns have one name.
pub async fn of_query(session: &Session, query: &str) -> Result<Vec<Column>> {
    let one = format!("SELECT q.* FROM (VALUES (1)) AS one (row) LEFT JOIN (\n{query}\n) AS q ON false");
    let rows = session.rows_of(&one).await.map_err(|e| e.explain("cannot read the query"))?;
    let found: Vec<(String, u32)> = rows
        .first()
        .map(|row| row.columns().iter().map(|column| (column.name().to_owned(), column.type_().oid())).collect())
        .unwrap_or_default();
    for (index, (name, _)) in found.iter().enumerate() {
        if found.iter().take(index).any(|(earlier, _)| earlier == name) {
            return Err(Failure::new(Kind::Refused, format!("the query gives two columns named {name}"))
                .hint("name each column: … AS other_name"));
        }
    }
    let oids: Vec<u32> = found.iter().map(|(_, oid)| *oid).collect();
    let forms = forms(session, &oids).await?;
    let kinds: Vec<String> = oids.iter().map(|oid| format!("pg_catalog.format_type({oid}, NULL)")).collect();
    let path = Path::of_the_catalog(session).await?;
    let named = session.rows_of(&format!("SELECT ARRAY[{}]::text[]", kinds.join(", "))).await;
    let named = named.map_err(|e| e.explain("cannot name the query's types"))?;
    path.put_back(session).await?;
    let kinds: Vec<String> = named.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    Ok(found
        .into_iter()
        .zip(kinds)
        .zip(forms)
        .map(|(((name, _), kind), form)| Column {
            name: Ident::new(name),
            kind,
            form,
            not_null: false,
            generated: false,
            key: false,
            default: None,
            sequence: None,
        })
        .collect())
}

/// How the values of types stand in JSON, in the order of the types.
async fn forms(session: &Session, oids: &[u32]) -> Result<Vec<Form>> {
    let rows = session.rows(&Query::TRANSFER_TYPES, &[&oids]).await;
    let rows = rows.map_err(|e| e.explain("cannot look at the types of the columns"))?;
    let mut known = Vec::new();
    for row in &rows {
        known.push((row.try_get::<_, u32>("oid")?, Form::of(row.try_get("form")?)));
    }
    let of = |oid: &u32| known.iter().find(|(there, _)| there == oid).map_or(Form::Text, |(_, form)| *form);
    Ok(oids.iter().map(of).collect())
}
