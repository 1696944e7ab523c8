//! Indexes as the catalog has them, what an earlier run left in the journal, and what a build would have to wait
//! for. Does not know what will be decided with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::preflight::{self, Preflight};
use crate::config::connection::Connection;
use crate::error::{Failure, Result};
use crate::ident::TableName;
use crate::inspect::Eye;
use crate::maintain::room;
use crate::pg::{Query, Row, Server, ServerError, Session};

/// Thousands of files are asked for their size.
const LIMIT: Duration = Duration::from_secs(10);

/// What is there.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The server.
    pub server: Server,
    /// The schemas of names without one, in order.
    pub path: Vec<String>,
    /// Every index but those of temporary tables.
    pub indexes: Vec<Index>,
    /// Why an index sorts otherwise than it was built, by its oid.
    pub changed: BTreeMap<u32, String>,
    /// What a build would wait for.
    pub waits: Vec<Wait>,
    /// Replication slots that nobody reads from: they keep all WAL.
    pub slots: Vec<String>,
    /// How standbys and the disk are.
    pub preflight: Preflight,
    /// What the journal tells.
    pub told: Told,
    /// Sizes are those of the last VACUUM, for a lock was in the way.
    pub estimated: bool,
}

/// What the journal tells of runs that did not come to their end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The last of them.
    pub unfinished: Option<Unfinished>,
    /// What runs have begun and never said how it ended.
    pub begun: Vec<Listed>,
    /// The names of their steps, of all of them.
    pub begun_steps: BTreeSet<String>,
}

/// How the indexes are when all is done.
#[derive(Debug, Clone)]
pub struct Now {
    /// Every index but those of temporary tables.
    pub indexes: Vec<Index>,
    /// What runs have begun and never said how it ended, where anything is left.
    pub begun: Vec<Listed>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its oid.
    pub oid: u32,
    /// Its file: another one after it was built anew.
    pub filenode: u32,
    /// Its name.
    pub name: TableName,
    /// What it is an index of: a table, or the TOAST table of one.
    pub heap_oid: u32,
    /// Its table, or the one that owns its TOAST table.
    pub table: TableName,
    /// Its table and the partitioned ones above it, by oid.
    pub tables: Vec<u32>,
    /// Itself and the indexes of the partitioned tables above.
    pub indexes: Vec<u32>,
    /// It is one of a partitioned table, and holds nothing itself.
    pub is_partitioned: bool,
    /// It is one of a TOAST table.
    pub is_toast: bool,
    /// It is one of the system's.
    pub is_system: bool,
    /// It is that of an exclusion constraint.
    pub is_exclusion: bool,
    /// Queries can use it.
    pub is_valid: bool,
    /// Somebody builds or drops it now.
    pub is_held: bool,
    /// The role is one with its owner.
    pub owns: bool,
    /// The role may build it anew.
    pub may: bool,
    /// The folder of its tablespace, where that is not with the data.
    pub place: Option<String>,
    /// Its size.
    pub bytes: u64,
}

/// Somebody that REINDEX CONCURRENTLY waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// `session` or `prepared transaction`.
    pub kind: String,
    /// Its pid or name.
    pub name: String,
    /// Since so many seconds, where that is known.
    pub seconds: Option<f64>,
    /// The SQL that ends it.
    pub remedy: String,
}

/// An index as a run has met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Its oid.
    pub oid: u32,
    /// Its file.
    pub filenode: u32,
}

/// What a run had before it that has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The run.
    pub run: i64,
    /// Its indexes, in order.
    pub indexes: Vec<Listed>,
}

/// An index in the list of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// As it was met.
    pub mark: Mark,
    /// Its name.
    pub name: TableName,
    /// What it is an index of.
    pub heap: u32,
}

impl Index {
    /// As it is now.
    pub fn mark(&self) -> Mark {
        Mark { oid: self.oid, filenode: self.filenode }
    }

    /// What a REINDEX CONCURRENTLY that did not end has left: a copy, or the old one.
    pub fn leftover(&self) -> Option<Leftover> {
        if self.is_valid {
            return None;
        }
        let name = self.name.name.raw().trim_end_matches(|c: char| c.is_ascii_digit());
        match name {
            name if name.ends_with("_ccnew") => Some(Leftover::Copy),
            name if name.ends_with("_ccold") => Some(Leftover::Replaced),
            _ => None,
        }
    }
}

/// What is left of a REINDEX CONCURRENTLY that did not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// A copy that was not built to its end: the index itself is as it was.
    Copy,
    /// The old one, whose place the new one has taken.
    Replaced,
}

impl Leftover {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Leftover::Copy => "a copy that was not built to its end; the index itself is as it was",
            Leftover::Replaced => "the old one; the new one has taken its place",
        }
    }
}

/// Looks once; at collations where they are asked for. A lock that comes between makes all sizes estimates.
///
/// # Errors
/// The server's.
pub async fn read(eye: &Eye, server: &Server, connection: &Connection, collations: bool) -> Result<Catalog> {
    // A look has a search path of its own.
    let path = eye.session().rows(&Query::REINDEX_PATH, &[]).await.map_err(|e| e.explain("cannot read the path"))?;
    let seen = match look(eye, server, collations, false).await {
        Err((_, true)) => look(eye, server, collations, true).await,
        seen => seen,
    };
    let mut catalog = seen.map_err(|(failure, _)| failure)?;
    if room::is_here(connection) {
        catalog.preflight.measure(catalog.indexes.iter().filter_map(|index| index.place.as_deref()));
    }
    catalog.path = path.first().map(|row| row.try_get("schemas")).transpose()?.unwrap_or_default();
    Ok(catalog)
}

/// Looks once more, at the indexes alone. Their sizes are those that their builds have noted; only where something is
/// left that is to be told, all are measured.
///
/// # Errors
/// The server's.
pub async fn now(eye: &Eye) -> Result<Now> {
    let cannot = |e: ServerError| e.explain("cannot read indexes");
    let look = async |estimated: bool| {
        let rows =
            eye.look(LIMIT, async |session| session.rows(&Query::REINDEX_INDEXES, &[&estimated]).await.map_err(cannot));
        rows.await?.iter().map(index).collect::<Result<Vec<Index>>>()
    };
    let indexes = look(true).await?;
    if !indexes.iter().any(|index| index.leftover().is_some()) {
        return Ok(Now { indexes, begun: Vec::new() });
    }
    let server = Server::read(eye.session()).await?;
    let begun = eye.look(LIMIT, async |session| told(session, &server).await.map_err(cannot)?).await?.begun;
    // A lock that comes between leaves the sizes that were noted.
    Ok(Now { indexes: look(false).await.unwrap_or(indexes), begun })
}

/// The second of an error says whether a lock was in the way.
async fn look(eye: &Eye, server: &Server, collations: bool, estimated: bool) -> Result<Catalog, (Failure, bool)> {
    let mut locked = false;
    let seen = eye.look(LIMIT, async |session| {
        let mut explain = |e: ServerError| {
            locked = e.is_transient();
            e.explain("cannot read indexes")
        };
        let indexes = session.rows(&Query::REINDEX_INDEXES, &[&estimated]).await.map_err(&mut explain)?;
        let indexes = indexes.iter().map(index).collect::<Result<Vec<Index>>>()?;
        let mut of_database: Option<String> = None;
        if collations && server.major >= 15 {
            let rows = session.rows(&Query::VITAL_COLLATIONS_15, &[]).await.map_err(&mut explain)?;
            if let Some(row) = rows.first() {
                let (recorded, actual): (Option<String>, Option<String>) =
                    (row.try_get("recorded")?, row.try_get("actual")?);
                let (recorded, actual) = (recorded.unwrap_or_default(), actual.unwrap_or_default());
                of_database = Some(format!("the database's collation was of version {recorded} and is now {actual}"));
            }
        }
        let mut changed = BTreeMap::new();
        if collations {
            for row in session.rows(&Query::REINDEX_COLLATIONS, &[&of_database]).await.map_err(&mut explain)? {
                changed.insert(row.try_get("oid")?, row.try_get("why")?);
            }
        }
        let preflight = preflight::read(session).await.map_err(&mut explain)?;
        let waits = session.rows(&Query::ACTIVITY_HORIZON, &[]).await.map_err(&mut explain)?;
        let told = told(session, server).await.map_err(&mut explain)??;
        let mut seen = Catalog {
            server: server.clone(),
            path: Vec::new(),
            indexes,
            changed,
            waits: Vec::new(),
            slots: Vec::new(),
            preflight,
            told,
            estimated,
        };
        for row in &waits {
            let database: Option<String> = row.try_get("database")?;
            let kind: String = row.try_get("kind")?;
            // Slots and standbys keep row versions, and no build.
            if database.is_some_and(|it| it == server.database) && ["session", "prepared transaction"].contains(&&*kind)
            {
                seen.waits.push(wait(row)?);
            }
        }
        for row in session.rows(&Query::REPLICATION_SLOTS, &[]).await.map_err(&mut explain)? {
            if !row.try_get::<_, bool>("active")? {
                seen.slots.push(row.try_get::<_, Option<String>>("name")?.unwrap_or_default());
            }
        }
        Ok(seen)
    });
    seen.await.map_err(|failure| (failure, locked && !estimated))
}

/// Whether the journal tells what it told for this catalog: no other run has begun or ended since.
///
/// # Errors
/// The server's.
pub async fn is_undisturbed(eye: &Eye, catalog: &Catalog) -> Result<bool> {
    if !(catalog.server.has_state && catalog.server.reads_state) {
        return Ok(false);
    }
    let now = eye.look(LIMIT, async |session| {
        told(session, &catalog.server).await.map_err(|e| e.explain("cannot read the journal"))?
    });
    Ok(now.await? == catalog.told)
}

/// Nothing where there is no journal, or none that the role may read.
async fn told(session: &Session, server: &Server) -> std::result::Result<Result<Told>, ServerError> {
    if !(server.has_state && server.reads_state) {
        return Ok(Ok(Told::default()));
    }
    let (last, begun) =
        tokio::join!(session.rows(&Query::REINDEX_UNFINISHED, &[]), session.rows(&Query::REINDEX_BEGUN, &[]));
    let (last, begun) = (last?, begun?);
    let tell = || {
        let mut told = Told { unfinished: last.first().map(unfinished).transpose()?, ..Told::default() };
        for row in &begun {
            let subject: String = row.try_get("subject")?;
            told.begun.extend(list(row)?.into_iter().find(|listed| listed.mark.step() == subject));
            told.begun_steps.insert(subject);
        }
        Ok(told)
    };
    Ok(tell())
}

impl Mark {
    /// The name of its step in the journal.
    pub fn step(self) -> String {
        format!("reindex:{}:{}", self.oid, self.filenode)
    }
}

fn index(row: &Row) -> Result<Index> {
    let name = |schema: &str, name: &str| -> Result<TableName> {
        Ok(TableName::new(row.try_get::<_, String>(schema)?, row.try_get::<_, String>(name)?))
    };
    let bytes: Option<i64> = row.try_get("bytes")?;
    Ok(Index {
        oid: row.try_get("oid")?,
        filenode: row.try_get("filenode")?,
        name: name("schema", "name")?,
        heap_oid: row.try_get("heap_oid")?,
        table: name("table_schema", "table_name")?,
        tables: row.try_get::<_, Option<Vec<u32>>>("tables")?.unwrap_or_default(),
        indexes: row.try_get::<_, Option<Vec<u32>>>("indexes")?.unwrap_or_default(),
        is_partitioned: row.try_get("is_partitioned")?,
        is_toast: row.try_get("is_toast")?,
        is_system: row.try_get("is_system")?,
        is_exclusion: row.try_get("is_exclusion")?,
        is_valid: row.try_get("is_valid")?,
        is_held: row.try_get("is_held")?,
        owns: row.try_get("owns")?,
        may: row.try_get::<_, Option<bool>>("may")?.unwrap_or_default(),
        place: row.try_get("place")?,
        bytes: bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
    })
}

fn wait(row: &Row) -> Result<Wait> {
    Ok(Wait {
        kind: row.try_get("kind")?,
        name: row.try_get::<_, Option<String>>("name")?.unwrap_or_default(),
        seconds: row.try_get("seconds")?,
        remedy: row.try_get::<_, Option<String>>("remedy")?.unwrap_or_default(),
    })
}

fn unfinished(row: &Row) -> Result<Unfinished> {
    Ok(Unfinished { run: row.try_get("run")?, indexes: list(row)? })
}

fn list(row: &Row) -> Result<Vec<Listed>> {
    let Some(text) = row.try_get::<_, Option<String>>("indexes")? else { return Ok(Vec::new()) };
    let rows: Vec<(u32, u32, u32, String, String)> = serde_json::from_str(&text)?;
    let listed = rows.into_iter().map(|(oid, filenode, heap, schema, name)| Listed {
        mark: Mark { oid, filenode },
        name: TableName::new(schema, name),
        heap,
    });
    Ok(listed.collect())
}

/// The list as the journal keeps it.
///
/// # Errors
/// None that is known.
pub fn written(indexes: &[Listed]) -> Result<String> {
    let rows: Vec<(u32, u32, u32, &str, &str)> = indexes
        .iter()
        .map(|listed| {
            let Listed { mark, name, heap } = listed;
            (mark.oid, mark.filenode, *heap, name.schema.raw(), name.name.raw())
        })
        .collect();
    Ok(serde_json::to_string(&rows)?)
}
