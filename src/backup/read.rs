//! What a database holds, read in the snapshot of a backup. Does not decide.

use super::manifest::{Database, Extension, Migrations, Sequence, Setting};
use super::rows::Form;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Literal, TableName};
use crate::pg::{Query, Row, Session};

/// How many sequences are asked for at once.
const SEQUENCES: usize = 200;

/// The database and its moment.
#[derive(Debug)]
pub struct Moment {
    /// The database.
    pub database: Database,
    /// The server's time of the snapshot, at UTC.
    pub at: String,
    /// The tablespaces that tables and indexes name.
    pub tablespaces: Vec<String>,
    /// Whether the server is a standby.
    pub standby: bool,
    /// Whether its pages have checksums.
    pub data_checksums: bool,
    /// How many large objects there are.
    pub large_objects: u64,
    /// How many of them the role may not read.
    pub closed_large_objects: u64,
    /// What tells the cluster from any other; none where the role may not ask.
    pub system_identifier: Option<String>,
}

/// A relation that may have rows of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// By which it is known.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// A foreign table: its rows are somewhere else.
    pub foreign: bool,
    /// Not in the WAL.
    pub unlogged: bool,
    /// Bytes on the server, an estimate until it is locked.
    pub heap_bytes: u64,
    /// Pages of its main fork; 0 until it is locked.
    pub pages: u64,
    /// The columns that COPY reads.
    pub columns: Vec<String>,
    /// How it writes them.
    pub form: Form,
    /// An extension's condition for the rows that are its user's, with WHERE.
    pub condition: Option<String>,
    /// Row security would leave rows out.
    pub hides_rows: bool,
    /// The role may read it.
    pub may_read: bool,
    /// The partitioned table through which the rows must go in again.
    pub root: Option<TableName>,
}

/// Reads the database itself. In the snapshot.
///
/// # Errors
/// The server's.
pub async fn moment(session: &Session) -> Result<Moment> {
    let doing = "cannot read the database's own settings";
    let rows = session.rows(&Query::BACKUP_DATABASE, &[]).await.map_err(|e| e.explain(doing))?;
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, doing))?;
    let settings = session.rows(&Query::BACKUP_SETTINGS, &[]).await.map_err(|e| e.explain(doing))?;
    let setting = |row: &Row| {
        Ok(Setting { role: row.try_get("role")?, name: row.try_get("name")?, value: row.try_get("value")? })
    };
    let database = Database {
        name: row.try_get("name")?,
        oid: row.try_get("oid")?,
        encoding: row.try_get("encoding")?,
        collate: row.try_get("collate")?,
        ctype: row.try_get("ctype")?,
        locale_provider: row.try_get("locale_provider")?,
        locale: row.try_get("locale")?,
        icu_rules: row.try_get("icu_rules")?,
        collation_version: row.try_get("collation_version")?,
        tablespace: row.try_get("tablespace")?,
        owner: row.try_get("owner")?,
        comment: row.try_get("comment")?,
        connection_limit: row.try_get("connection_limit")?,
        acl: row.try_get("acl")?,
        settings: settings.iter().map(setting).collect::<Result<_>>()?,
        bytes: u64::try_from(row.try_get::<_, i64>("bytes")?)?,
    };
    Ok(Moment {
        database,
        at: row.try_get("at")?,
        tablespaces: row.try_get("tablespaces")?,
        standby: row.try_get("standby")?,
        data_checksums: row.try_get("data_checksums")?,
        large_objects: u64::try_from(row.try_get::<_, i64>("large_objects")?)?,
        closed_large_objects: u64::try_from(row.try_get::<_, i64>("closed_large_objects")?)?,
        system_identifier: None,
    })
}

/// What tells the cluster from any other; none where the role may not ask. Outside of a transaction that
/// goes on: the server's refusal ends it.
pub async fn system_identifier(session: &Session) -> Option<String> {
    let asked = session.rows_of("SELECT system_identifier::TEXT FROM pg_catalog.pg_control_system()").await;
    asked.ok()?.first()?.try_get(0).ok()
}

/// Every relation that may have rows of its own.
///
/// # Errors
/// The server's.
pub async fn relations(session: &Session) -> Result<Vec<Relation>> {
    let rows = session.rows(&Query::BACKUP_TABLES, &[]).await.map_err(|e| e.explain("cannot list the tables"))?;
    let relation = |row: &Row| {
        let name = |schema: &str, name: &str| -> Result<Option<TableName>> {
            let (schema, name): (Option<String>, Option<String>) = (row.try_get(schema)?, row.try_get(name)?);
            Ok(schema.zip(name).map(|(schema, name)| TableName::new(schema, name)))
        };
        let (kind, persistence): (String, String) = (row.try_get("kind")?, row.try_get("persistence")?);
        Ok(Relation {
            oid: row.try_get("oid")?,
            name: TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?),
            foreign: kind == "f",
            unlogged: persistence == "u",
            heap_bytes: u64::try_from(row.try_get::<_, i64>("heap_bytes")?.max(0))?,
            pages: 0,
            columns: row.try_get("columns")?,
            form: form(row)?,
            condition: row.try_get("condition")?,
            hides_rows: row.try_get("hides_rows")?,
            may_read: row.try_get("may_read")?,
            root: name("root_schema", "root_name")?,
        })
    };
    rows.iter().map(relation).collect()
}

/// Binary where all columns are of types that send themselves alike everywhere.
fn form(row: &Row) -> Result<Form> {
    if !row.try_get::<_, bool>("are_portable")? {
        return Ok(Form::Text);
    }
    let are_arrays: Vec<bool> = row.try_get("are_arrays")?;
    let arrays = (0_u16..).zip(are_arrays).filter_map(|(column, is_array)| is_array.then_some(column));
    Ok(Form::Binary { arrays: arrays.collect() })
}

/// The partitioned tables that these relations are partitions of.
///
/// # Errors
/// The server's.
pub async fn ancestors(session: &Session, relations: &[Relation]) -> Result<Vec<TableName>> {
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let rows = session.rows(&Query::BACKUP_ANCESTORS, &[&oids]).await;
    let rows = rows.map_err(|e| e.explain("cannot list the partitioned tables"))?;
    let name = |row: &Row| Ok(TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?));
    rows.iter().map(name).collect()
}

/// Where the sequences are. Of the moment when they are asked: never behind the snapshot.
///
/// # Errors
/// The server's; not permitted, naming those that the role may not read.
pub async fn sequences(session: &Session) -> Result<Vec<Sequence>> {
    let rows = session.rows(&Query::BACKUP_SEQUENCES, &[]).await.map_err(|e| e.explain("cannot list the sequences"))?;
    let (mut names, mut closed) = (Vec::new(), Vec::new());
    for row in &rows {
        let name = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
        if row.try_get("may_read")? { names.push(name) } else { closed.push(name.to_string()) }
    }
    if !closed.is_empty() {
        return Err(Failure::new(Kind::NotPermitted, format!("sequences that may not be read: {}", closed.join(", ")))
            .hint(format!("GRANT SELECT ON SEQUENCE {} TO …; or GRANT pg_read_all_data TO …", closed.join(", "))));
    }
    let mut found = Vec::new();
    for some in names.chunks(SEQUENCES) {
        let asked: Vec<String> = some
            .iter()
            .enumerate()
            .map(|(at, name)| format!("SELECT {at} AS at, s.last_value, s.is_called FROM {name} AS s"))
            .collect();
        let rows = session.rows_of(&asked.join(" UNION ALL ")).await;
        for row in rows.map_err(|e| e.explain("cannot read the sequences"))? {
            let name = &some[usize::try_from(row.try_get::<_, i32>("at")?)?];
            found.push(Sequence {
                schema: name.schema.raw().to_owned(),
                name: name.name.raw().to_owned(),
                last_value: row.try_get("last_value")?,
                is_called: row.try_get("is_called")?,
            });
        }
    }
    Ok(found)
}

/// Materialized views that hold rows, in the order in which they can be refreshed; quoted.
///
/// # Errors
/// The server's.
pub async fn materialized_views(session: &Session) -> Result<Vec<String>> {
    names(session, &Query::BACKUP_VIEWS, "cannot list the materialized views").await
}

/// The roles that the database names.
///
/// # Errors
/// The server's.
pub async fn roles(session: &Session) -> Result<Vec<String>> {
    names(session, &Query::BACKUP_ROLES, "cannot list the roles").await
}

async fn names(session: &Session, query: &Query, doing: &'static str) -> Result<Vec<String>> {
    let rows = session.rows(query, &[]).await.map_err(|e| e.explain(doing))?;
    rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
}

/// The extensions in use.
///
/// # Errors
/// The server's.
pub async fn extensions(session: &Session) -> Result<Vec<Extension>> {
    let rows = session.rows(&Query::BACKUP_EXTENSIONS, &[]).await;
    let extension = |row: &Row| {
        Ok(Extension { name: row.try_get("name")?, version: row.try_get("version")?, schema: row.try_get("schema")? })
    };
    rows.map_err(|e| e.explain("cannot list the extensions"))?.iter().map(extension).collect()
}

/// How far the migrations of refinery are.
///
/// # Errors
/// The server's.
pub async fn migrations(session: &Session) -> Result<Vec<Migrations>> {
    let doing = "cannot read the history of migrations";
    let mut found = Vec::new();
    for row in session.rows(&Query::BACKUP_HISTORIES, &[]).await.map_err(|e| e.explain(doing))? {
        let table = TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?);
        let last = format!(
            "SELECT h.version::INT8 AS version, h.name::TEXT AS name, pg_catalog.count(*) OVER () AS applied \
             FROM {table} AS h ORDER BY h.version DESC LIMIT 1"
        );
        if let Some(row) = session.rows_of(&last).await.map_err(|e| e.explain(doing))?.first() {
            found.push(Migrations {
                table: table.to_string(),
                version: row.try_get("version")?,
                name: row.try_get("name")?,
                applied: u64::try_from(row.try_get::<_, i64>("applied")?)?,
            });
        }
    }
    Ok(found)
}

/// Sizes and pages, once the relations are locked.
///
/// # Errors
/// The server's.
pub async fn measure(session: &Session, relations: &mut [Relation]) -> Result<()> {
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let rows =
        session.rows(&Query::BACKUP_SIZES, &[&oids]).await.map_err(|e| e.explain("cannot measure the tables"))?;
    let mut sizes = std::collections::BTreeMap::new();
    for row in &rows {
        let (oid, bytes, pages): (u32, Option<i64>, Option<i64>) =
            (row.try_get("oid")?, row.try_get("bytes")?, row.try_get("pages")?);
        sizes.insert(oid, (bytes.unwrap_or_default(), pages.unwrap_or_default()));
    }
    for relation in relations {
        if let Some((bytes, pages)) = sizes.get(&relation.oid) {
            relation.heap_bytes = u64::try_from(*bytes).unwrap_or_default();
            relation.pages = u64::try_from(*pages).unwrap_or_default();
        }
    }
    Ok(())
}

/// SQL that puts the sequences where they were.
pub fn sequences_sql(sequences: &[Sequence]) -> String {
    let line = |sequence: &Sequence| {
        let name = TableName::new(sequence.schema.as_str(), sequence.name.as_str()).to_string();
        let (value, called) = (sequence.last_value, sequence.is_called);
        format!("SELECT pg_catalog.setval({}, {value}, {called});\n", Literal(&name))
    };
    sequences.iter().map(line).collect()
}
