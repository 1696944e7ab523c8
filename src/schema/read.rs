//! The catalog's rows as objects: one query a family, whatever the number of tables, all sent at
//! once. A column of an answer is a property of the object. Does not decide.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::fold::{as_printed_since_16, fold};
use super::model::{Id, Kind, Object, Origin, Property, Snapshot, Value, bare};
use crate::error::{Failure, Kind as FailureKind, Result};
use crate::pg::{Cell, Query, Row, Server, Session, cells};

/// No single query over a catalog takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// How an unreadable part begins whose objects are known, and not what is in them.
pub const UNSEEN: &str = "the options of";

/// Every family.
const QUERIES: [&Query; 23] = [
    &Query::SCHEMA_DATABASE,
    &Query::SCHEMA_DEFAULT_PRIVILEGES,
    &Query::SCHEMA_EXTENSIONS,
    &Query::SCHEMA_SCHEMAS,
    &Query::SCHEMA_LANGUAGES,
    &Query::SCHEMA_COLLATIONS,
    &Query::SCHEMA_TYPES,
    &Query::SCHEMA_CASTS,
    &Query::SCHEMA_OPERATORS,
    &Query::SCHEMA_FUNCTIONS,
    &Query::SCHEMA_SEQUENCES,
    &Query::SCHEMA_RELATIONS,
    &Query::SCHEMA_COLUMNS,
    &Query::SCHEMA_CONSTRAINTS,
    &Query::SCHEMA_INDEXES,
    &Query::SCHEMA_TRIGGERS,
    &Query::SCHEMA_RULES,
    &Query::SCHEMA_POLICIES,
    &Query::SCHEMA_STATISTICS,
    &Query::SCHEMA_TEXT_SEARCH,
    &Query::SCHEMA_FOREIGN,
    &Query::SCHEMA_SUBSCRIPTIONS,
    &Query::SCHEMA_EVENT_TRIGGERS,
];

/// Looks again after what a DDL of somebody else's has pulled away under a look.
const AGAIN: u32 = 5;

/// Reads the whole schema in one read-only transaction. While somebody holds a lock that the server's own printing
/// of a definition waits for, it looks again until `patience` is over.
///
/// # Errors
/// The server's; deferred when the lock is still held, naming it and who has it.
pub async fn capture(session: &Session, server: &Server, patience: Duration) -> Result<Snapshot> {
    let began = Instant::now();
    let mut pulled = 0;
    loop {
        session.begin_reading(LIMIT).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
        let read = read(session, server).await;
        session.end_reading().await.map_err(|e| e.explain("cannot end the read-only transaction"))?;
        match read {
            Err(failure) if failure.what() == FailureKind::Deferred && began.elapsed() >= patience => {
                return Err(locked(session, failure).await);
            }
            Err(failure) if failure.what() == FailureKind::Deferred => {}
            Err(failure) if is_pulled_away(&failure) && pulled < AGAIN => pulled += 1,
            Err(failure) if is_pulled_away(&failure) => {
                return Err(failure.hint("somebody changes the schema all the time: run again when that is over"));
            }
            read => return read,
        }
    }
}

/// Reads the whole schema in the transaction that is open: one of [`Session::begin_reading`], or one whose
/// search_path is empty.
///
/// # Errors
/// The server's; deferred when a lock is in the way.
pub async fn capture_within(session: &Session, server: &Server) -> Result<Snapshot> {
    read(session, server).await
}

/// Definitions are printed as the catalog is now, not as it was when the transaction began.
fn is_pulled_away(failure: &Failure) -> bool {
    let says = |message: &String| {
        message.contains("cache lookup failed") || message.contains("could not open relation with OID")
    };
    failure.messages().iter().any(says)
}

/// Adds who is in the way. What cannot be told is left out.
async fn locked(session: &Session, failure: Failure) -> Failure {
    let rows = session.rows(&Query::LOCKED_RELATIONS, &[]).await.unwrap_or_default();
    let holder = |row: &Row| -> Option<String> {
        let (relation, pid): (String, i32) = (row.try_get("relation").ok()?, row.try_get("pid").ok()?);
        let role: Option<String> = row.try_get("role").ok()?;
        let application: Option<String> = row.try_get("application").ok()?;
        let who = [role, application.filter(|name| !name.is_empty())].into_iter().flatten().collect::<Vec<_>>();
        Some(format!("{relation} is held exclusively by {pid} ({})", who.join(", ")))
    };
    rows.iter()
        .filter_map(holder)
        .fold(failure, Failure::note)
        .hint("'dbctl locks' shows who waits for whom; run again, or wait longer with --lock-patience 10min")
}

async fn read(session: &Session, server: &Server) -> Result<Snapshot> {
    let publications = if server.major >= 15 { &Query::SCHEMA_PUBLICATIONS_15 } else { &Query::SCHEMA_PUBLICATIONS };
    // The next question is under way while an answer is read; no answer is kept longer than that.
    let asked = QUERIES.into_iter().chain([publications]).map(|query| async move {
        let rows = session
            .rows(query, &[])
            .await
            .map_err(|e| e.explain(format!("cannot read the schema ({})", query.name)))?;
        let objects = rows.iter().map(object).collect::<Result<Vec<Object>>>();
        objects.map_err(|failure| failure.context(format!("cannot read {}.sql", query.name)))
    });
    let mut objects: Vec<Object> = futures_util::future::try_join_all(asked).await?.into_iter().flatten().collect();
    if server.major < 16 {
        objects.iter_mut().for_each(as_printed_since_16);
    }
    let mut unreadable = Vec::new();
    let hidden = objects.iter().filter(|o| o.id.kind == Kind::UserMapping && o.properties.is_empty()).count();
    if hidden > 0 && !is_superuser(session).await? {
        unreadable.push(format!("{UNSEEN} {hidden} user mappings: role {} may not see them", server.role));
    }
    let origin = Origin { database: server.database.clone(), major: server.major, unreadable };
    Ok(Snapshot::new(origin, objects))
}

async fn is_superuser(session: &Session) -> Result<bool> {
    let rows = session
        .rows_of("SELECT pg_catalog.current_setting('is_superuser') = 'on'")
        .await
        .map_err(|e| e.explain("cannot ask for the role's rights"))?;
    Ok(rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or(false))
}

/// The columns that make an id; all others are properties.
#[derive(Default)]
struct Name<'a> {
    of_kind: Option<&'a str>,
    of_schema: Option<&'a str>,
    of_name: Option<&'a str>,
    kind: Option<&'a str>,
    in_schema: Option<&'a str>,
    name: Option<&'a str>,
    signature: Option<&'a str>,
}

fn object(row: &Row) -> Result<Object> {
    let mut name = Name::default();
    let mut properties = BTreeMap::new();
    for cell in cells(row) {
        let (column, cell) = cell.map_err(|e| e.explain("a value of a type that is not expected"))?;
        let place = match column {
            "of_kind" => Some(&mut name.of_kind),
            "of_schema" => Some(&mut name.of_schema),
            "of_name" => Some(&mut name.of_name),
            "kind" => Some(&mut name.kind),
            "in_schema" => Some(&mut name.in_schema),
            "name" => Some(&mut name.name),
            "signature" => Some(&mut name.signature),
            _ => None,
        };
        if let Some(place) = place {
            if let Cell::Text(text) = cell {
                *place = Some(text);
            }
            continue;
        }
        let property = Property::of_word(column)
            .ok_or_else(|| Failure::new(FailureKind::Failed, format!("{column} is no known property")))?;
        let value = match cell {
            Cell::Null => continue,
            Cell::Bool(yes) => Value::Bool(yes),
            Cell::Int(number) => Value::Int(number),
            Cell::Text(text) => Value::Text(text.into()),
            Cell::List(parts) => Value::List(parts.into_iter().map(Into::into).collect()),
        };
        properties.insert(property, value);
    }
    let raw = name.name.unwrap_or_default();
    let mut object = Object { id: name.id()?, properties };
    fold(&mut object, raw, name.of_schema.zip(name.of_name));
    Ok(object)
}

impl Name<'_> {
    fn id(&self) -> Result<Id> {
        let kind = |word: &str| {
            Kind::of_word(word).ok_or_else(|| Failure::new(FailureKind::Failed, format!("{word} is no known kind")))
        };
        let full = |schema: Option<&str>, name: Option<&str>, signature: Option<&str>| {
            let mut full = String::new();
            if let Some(schema) = schema {
                full.push_str(&bare(schema));
                full.push('.');
            }
            full.push_str(&name.map(bare).unwrap_or_default());
            full.push_str(signature.unwrap_or_default());
            full.into_boxed_str()
        };
        let parent = match self.of_kind {
            Some(word) => {
                let id = Id { parent: None, kind: kind(word)?, name: full(self.of_schema, self.of_name, None) };
                Some(id.to_string().into_boxed_str())
            }
            None => None,
        };
        Ok(Id {
            parent,
            kind: kind(self.kind.unwrap_or_default())?,
            name: full(self.in_schema, self.name, self.signature),
        })
    }
}
