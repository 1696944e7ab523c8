//! What a backup is: everything that is said of it in `manifest.json`. JSON that people and tools can
//! read, with a sum of itself; without it a backup does not exist. Pure.

use serde::{Deserialize, Serialize};

use super::rows::Form;
pub use crate::archive::manifest::File;
use crate::archive::summed;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;

/// The version that is written. 1 had rows as text alone.
pub const VERSION: u32 = 2;
/// The same of what is kept beside manifests: proofs, pins, attempts.
pub const RECORD_VERSION: u32 = 1;

/// One database at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this form.
    pub version: u32,
    /// The name of its folder: [`Id`].
    pub id: String,
    /// What was read.
    pub database: Database,
    /// From where.
    pub server: Server,
    /// By which programs: dbctl and pg_dump. A pg_restore of an older major cannot read the schema.
    pub programs: Programs,
    /// When.
    pub times: Times,
    /// What was wanted; all of it unless something is named.
    pub scope: Scope,
    /// What was there and is not in the backup, with the reason.
    pub left_out: Vec<LeftOut>,
    /// The extensions that must be installable where it is restored.
    pub extensions: Vec<Extension>,
    /// The roles that owners, grants, policies and settings name: they must be there, or be mapped or skipped.
    pub roles: Vec<String>,
    /// The tablespaces that tables and indexes name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tablespaces: Vec<String>,
    /// How far the migrations of refinery were, table by table of history.
    pub migrations: Vec<Migrations>,
    /// The sum over the schema as `dbctl schema snapshot` reads it.
    pub schema_fingerprint: String,
    /// The tables with rows of their own, in the order of their names.
    pub tables: Vec<Table>,
    /// Where each sequence was.
    pub sequences: Vec<Sequence>,
    /// Materialized views that held rows, in the order in which they are to be refreshed; quoted.
    pub materialized_views: Vec<String>,
    /// How many large objects the schema file holds.
    pub large_objects: u64,
    /// What the globals file holds of the roles.
    pub globals: Globals,
    /// The public keys it was encrypted to (age, X25519); none where it is plain. Under a passphrase the one
    /// key is the backup's own, and lies beside it, encrypted: [`Role::Key`].
    pub recipients: Vec<String>,
    /// Every file but this one.
    pub files: Vec<Part>,
}

/// A database and what hangs on its name: all of it has to be made again where it is restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// By which it is known whatever it is called.
    pub oid: u32,
    /// `UTF8`.
    pub encoding: String,
    /// LC_COLLATE.
    pub collate: String,
    /// LC_CTYPE.
    pub ctype: String,
    /// `libc`, `icu` or `builtin`.
    pub locale_provider: String,
    /// The locale of ICU or of the builtin provider.
    pub locale: Option<String>,
    /// The rules of ICU.
    pub icu_rules: Option<String>,
    /// The version of the collation as the server recorded it.
    pub collation_version: Option<String>,
    /// The tablespace of whatever names none; none is pg_default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<String>,
    /// Who owns it.
    pub owner: String,
    /// Its comment.
    pub comment: Option<String>,
    /// How many connections it takes; -1 is any number.
    pub connection_limit: i32,
    /// Its grants as `pg_database.datacl` spells them; none means the usual.
    pub acl: Option<Vec<String>>,
    /// `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
    pub settings: Vec<Setting>,
    /// Its size in bytes when it was read.
    pub bytes: u64,
}

/// A setting that a database carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The role it is for; none is every role.
    pub role: Option<String>,
    /// Its name.
    pub name: String,
    /// Its value as the catalog holds it.
    pub value: String,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// As it spells its version.
    pub version: String,
    /// The major version.
    pub major: u32,
    /// What tells its cluster from any other; none where the role may not ask.
    pub system_identifier: Option<String>,
    /// Whether it was a standby.
    pub standby: bool,
    /// Whether its pages have checksums.
    pub data_checksums: bool,
}

/// The programs that wrote a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    /// dbctl's version.
    pub dbctl: String,
    /// pg_dump's version as it prints it: `18.1`.
    pub pg_dump: String,
    /// Its major.
    pub pg_dump_major: u32,
}

/// Moments at UTC, RFC 3339 with milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The run began.
    pub begun: String,
    /// The server's time of the snapshot: the backup is the database of this moment.
    pub snapshot: String,
    /// Everything was written.
    pub finished: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// What a backup was asked to hold. Patterns as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Only these tables.
    pub tables: Vec<String>,
    /// Only these schemas.
    pub schemas: Vec<String>,
    /// None of these tables' rows.
    pub exclude: Vec<String>,
}

impl Scope {
    /// Everything was wanted.
    pub fn is_whole(&self) -> bool {
        *self == Scope::default()
    }
}

/// Something that is not in the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name, quoted.
    pub name: String,
    /// Why: `foreign table`, `excluded`, `temporary`…
    pub why: String,
}

/// An extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The version in use.
    pub version: String,
    /// The schema that it lies in.
    pub schema: String,
}

/// A history of refinery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migrations {
    /// The table that holds it, quoted.
    pub table: String,
    /// The last version applied.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// How many were applied.
    pub applied: u64,
}

/// A table whose rows the backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The schema.
    pub schema: String,
    /// The table.
    pub name: String,
    /// The columns in the order of the data files; generated ones are left out.
    pub columns: Vec<String>,
    /// How the rows lie in the files.
    #[serde(default, skip_serializing_if = "Form::is_text")]
    pub form: Form,
    /// The rows of an extension's configuration table that are its user's: a condition as the extension gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The partitioned table that its rows must go in through: hashes of some types differ from server to
    /// server. Which of its partitions a row is in then need not be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// How many rows.
    pub rows: u64,
    /// What they come to in whatever order they lie: see [`super::rows`].
    pub content: String,
    /// Bytes of what COPY writes.
    pub plain_bytes: u64,
    /// Bytes of the table on the server, indexes left out.
    pub heap_bytes: u64,
    /// The files, in no order; a table without rows has none.
    pub chunks: Vec<Chunk>,
}

/// A partitioned table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The schema.
    pub schema: String,
    /// The table.
    pub name: String,
}

/// A file with rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its path among [`Manifest::files`].
    pub path: String,
    /// How many rows.
    pub rows: u64,
    /// What they come to.
    pub content: String,
}

/// Where a sequence was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The schema.
    pub schema: String,
    /// The sequence.
    pub name: String,
    /// Its last value.
    pub last_value: i64,
    /// Whether that value was handed out.
    pub is_called: bool,
}

/// What is known of the roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Globals {
    /// Roles with their passwords, tablespaces.
    WithPasswords,
    /// The role may not read passwords: they have to be set again after a loss of the server.
    WithoutPasswords,
    /// Nothing.
    Absent,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An archive of pg_dump in its custom form: every definition, and the large objects; no rows.
    Schema,
    /// Rows as COPY writes them: see [`Table::form`].
    Rows,
    /// SQL that puts the sequences where they were.
    Sequences,
    /// SQL of pg_dumpall.
    Globals,
    /// What a person needs to restore without dbctl: plain text and scripts of psql.
    Recipe,
    /// The identity that opens the other files, itself encrypted with the passphrase: `age -d` opens it.
    Key,
    /// The schema as values: what `dbctl drift --snapshot` reads.
    SchemaValues,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub role: Role,
    /// Its path below the backup's folder, sizes and sums.
    #[serde(flatten)]
    pub file: File,
}

impl Part {
    /// Whether it lies there as it is: neither compressed nor encrypted as the others.
    pub fn is_bare(&self) -> bool {
        matches!(self.role, Role::Key | Role::Recipe)
    }
}

impl Table {
    /// Schema and name.
    pub fn table_name(&self) -> TableName {
        TableName::new(self.schema.as_str(), self.name.as_str())
    }
}

impl Manifest {
    /// Pretty JSON with its own sum.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_json(&self) -> Result<String> {
        summed::to_json(self)
    }

    /// Reads what [`Manifest::to_json`] wrote.
    ///
    /// # Errors
    /// Refused, when anything in it was changed; invalid, when it is of a later version.
    pub fn parse(text: &[u8], name: &str) -> Result<Manifest> {
        summed::parse(text, &format!("the manifest {name}"), VERSION)
    }

    /// The only file of a role.
    ///
    /// # Errors
    /// Refused, when the manifest names none: it was not written by dbctl then.
    pub fn file(&self, role: Role) -> Result<&File> {
        let found = self.files.iter().find(|part| part.role == role).map(|part| &part.file);
        found.ok_or_else(|| {
            Failure::new(Kind::Refused, format!("the manifest of backup {} names no file of {role:?}", self.id))
        })
    }

    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Bytes as they are stored, without the manifest.
    pub fn stored_bytes(&self) -> u64 {
        self.files.iter().map(|part| part.file.bytes).sum()
    }

    /// Bytes before they were compressed.
    pub fn plain_bytes(&self) -> u64 {
        self.files.iter().map(|part| part.file.plain_bytes).sum()
    }

    /// Whether it takes a key to open it.
    pub fn is_encrypted(&self) -> bool {
        !self.recipients.is_empty()
    }
}

/// The name of a backup: its beginning at UTC and four random letters, so that names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    /// `20261127T004830Z-3f9a` of a moment and a random number.
    pub fn new(at: chrono::DateTime<chrono::Utc>, random: u16) -> Id {
        Id(format!("{}-{random:04x}", at.format("%Y%m%dT%H%M%SZ")))
    }

    /// Reads one; none where the text is no name of a backup.
    pub fn parse(text: &str) -> Option<Id> {
        let (time, random) = text.split_once('-')?;
        let random_fits = random.len() == 4 && random.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let time_fits = chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").is_ok() && time.len() == 16;
        (random_fits && time_fits).then(|| Id(text.to_owned()))
    }

    /// When it was begun.
    pub fn at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        let time = self.0.split_once('-')?.0;
        Some(chrono::NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok()?.and_utc())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_time() {
        let at = chrono::DateTime::parse_from_rfc3339("2026-11-27T00:48:30Z").unwrap().to_utc();
        let id = Id::new(at, 0x3f9a);
        assert_eq!(id.as_str(), "20261127T004830Z-3f9a");
        assert_eq!(Id::parse(id.as_str()).and_then(|id| id.at()), Some(at));
        for odd in ["", "latest", "20261127T004830Z", "20261127T004830Z-3F9A", "20261327T004830Z-3f9a", "../x-3f9a"] {
            assert_eq!(Id::parse(odd), None, "{odd}");
        }
    }
}
