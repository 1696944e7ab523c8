//! What lies beside a file: what an import is held to. Versioned, with a sum of itself.

use serde::{Deserialize, Serialize};

use crate::archive::store::{PRIVATE, Store};
use crate::archive::{ContentHash, summed};
use crate::error::Result;

/// The version that this dbctl writes.
pub const VERSION: u32 = 1;
/// More is no sidecar of ours.
const LIMIT: u64 = 16 << 20;

/// The sidecar of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sidecar {
    /// [`VERSION`].
    pub version: u32,
    /// `ndjson`, `csv`, `copy`, `binary`, `parquet`.
    pub format: String,
    /// Where the rows come from.
    pub origin: Origin,
    /// The columns in the file's order.
    pub columns: Vec<Column>,
    /// How many rows.
    pub rows: u64,
    /// What the rows come to, in whatever order; none for queries, which may give other rows twice.
    pub content_hash: Option<ContentHash>,
    /// The file.
    pub file: File,
    /// The transaction's time, UTC.
    pub at: String,
    /// `pg_current_snapshot()`: files with the same one are of one moment.
    pub snapshot: String,
    /// As the server spells it.
    pub server_version: String,
    /// The version of the extension vector, where there is one.
    pub vector_version: Option<String>,
    /// Who wrote it.
    pub dbctl_version: String,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The database.
    pub database: String,
    /// `schema.table`, quoted where needed; none for a query.
    pub table: Option<String>,
    /// The query.
    pub query: Option<String>,
    /// The condition on the table's rows.
    pub condition: Option<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as PostgreSQL spells it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Declared so.
    pub not_null: bool,
}

/// The file's sizes and sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its sha256.
    pub sha256: String,
    /// The size of its text.
    pub plain_bytes: u64,
    /// The sha256 of its text.
    pub plain_sha256: String,
    /// `none`, `zstd-3`.
    pub compression: String,
    /// Who may open it; nobody in particular when empty.
    pub recipients: Vec<String>,
}

impl Sidecar {
    /// Where the sidecar of a file lies.
    pub fn path_of(path: &str) -> String {
        format!("{path}.json")
    }

    /// Reads the sidecar of a file; none where there is none.
    ///
    /// # Errors
    /// Refused, when it was changed; the store's.
    pub async fn read(store: &Store, path: &str) -> Result<Option<Sidecar>> {
        let path = Sidecar::path_of(path);
        let Some(text) = store.read_small(&path, LIMIT).await? else { return Ok(None) };
        summed::parse(&text, &format!("the sidecar {}", store.url_of(&path)), VERSION).map(Some)
    }

    /// Writes it beside its file.
    ///
    /// # Errors
    /// The store's.
    pub async fn write(&self, store: &Store, path: &str) -> Result<()> {
        store.put_small(&Sidecar::path_of(path), summed::to_json(self)?.into(), PRIVATE).await
    }
}
