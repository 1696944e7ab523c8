//! A table becomes a file: one snapshot, hashed by the server and copied through sha256, zstd and
//! age into the store. The manifest is written before the file gets its name.

use bytes::BytesMut;
use futures_util::TryStreamExt as _;

use super::describe::{self, Description};
use super::hash::{self, ContentHash};
use super::keys::Recipients;
use super::manifest::{self, Copy, Ddl, File, Manifest, Partition, Table};
use super::seal::{Plain, Seal};
use super::settings;
use super::store::{self, Create, PRIVATE, Store, Stored, Writer};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::pg::Session;

/// How many bytes of rows come together before they are compressed.
const PIECE: usize = 128 << 10;

/// How a table is written.
#[derive(Debug, Clone)]
pub struct Options {
    /// Of zstd: 1 to 19 and more.
    pub level: i32,
    /// Who may open it; none leaves it plain.
    pub recipients: Recipients,
    /// Permissions of file and manifest in a folder.
    pub mode: u32,
    /// What the caller knows of it as a partition; for the manifest.
    pub partition: Option<Partition>,
    /// The sha256 of the file that may be replaced: one that the caller knows to be its own.
    pub replaces: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options { level: 3, recipients: Recipients::default(), mode: PRIVATE, partition: None, replaces: None }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// As it lies beside the file.
    pub manifest: Manifest,
    /// Where the file lies, in full.
    pub url: String,
}

/// Writes a table's own rows to `path`. `progress` hears the number of rows so far.
///
/// # Errors
/// Refused for what is no plain table, or when another file lies there; the server's; the store's.
/// Nothing looks finished then.
pub async fn export(
    session: &Session,
    table: &TableName,
    store: &Store,
    path: &str,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Exported> {
    // All of these fail before anything is written, where they must.
    store::check(path)?;
    let seal = Seal::new(options.level, &options.recipients)?;
    stray_manifest(store, path, table).await?;
    let create = Create { mode: options.mode, replaces: options.replaces.clone() };
    let mut writer = store.create(path, &create).await?;
    let written = match read_all(session, table, seal, &mut writer, progress).await {
        Ok((description, content_hash, plain)) => {
            let manifest = assemble(table, path, options, description, content_hash, plain, writer.stored());
            // A manifest may not come to speak of somebody else's file.
            match writer.check(store, path).await {
                Ok(()) => manifest.write(store, options.mode).await.map(|()| manifest),
                Err(failure) => Err(failure),
            }
        }
        Err(failure) => Err(failure),
    };
    match written {
        Ok(manifest) => {
            writer.finish(store, path).await?;
            Ok(Exported { manifest, url: store.url_of(path) })
        }
        Err(failure) => Err(match writer.abort().await {
            Ok(()) => failure,
            Err(left) => failure.note(left.messages().join(": ")),
        }),
    }
}

/// A manifest without a file, or with ours, may be overwritten; one of another table may not.
async fn stray_manifest(store: &Store, path: &str, table: &TableName) -> Result<()> {
    let there = Manifest::read(store, path).await;
    let whose = match there {
        Ok(None) => return Ok(()),
        Ok(Some(manifest)) if manifest.table.table_name() == *table => return Ok(()),
        Ok(Some(manifest)) => format!("it speaks of {}", manifest.table.table_name()),
        Err(failure) if failure.what() == Kind::Refused || failure.what() == Kind::Invalid => {
            failure.messages().join(": ")
        }
        Err(failure) => return Err(failure),
    };
    let url = store.url_of(&Manifest::path_of(path));
    Err(Failure::new(Kind::Refused, format!("another manifest lies at {url}: {whose}"))
        .hint("move it away, or write to another path"))
}

/// The whole of the work in one transaction, which is over when this returns.
async fn read_all(
    session: &Session,
    table: &TableName,
    seal: Seal,
    writer: &mut Writer,
    progress: &mut dyn FnMut(u64),
) -> Result<(Description, ContentHash, Plain)> {
    let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}", settings::for_reading());
    let begun = session.send(&begin).await.map_err(|e| e.explain("cannot begin a read-only transaction"));
    let read = match begun {
        Ok(()) => read_within(session, table, seal, writer, progress).await,
        Err(failure) => Err(failure),
    };
    let mut ended = session.send("ROLLBACK").await;
    if ended.as_ref().is_err_and(|error| error.is_cancelled()) {
        // The cancel of an abandoned COPY came too late, and hit this.
        ended = session.send("ROLLBACK").await;
    }
    let read = read?;
    ended.map_err(|e| e.explain("cannot end the read-only transaction"))?;
    let (description, content_hash, seal) = read;
    let (last, plain) = seal.finish()?;
    if let Some(last) = last {
        writer.write(last).await?;
    }
    Ok((description, content_hash, plain))
}

async fn read_within(
    session: &Session,
    table: &TableName,
    mut seal: Seal,
    writer: &mut Writer,
    progress: &mut dyn FnMut(u64),
) -> Result<(Description, ContentHash, Seal)> {
    let description = describe::describe(session, table).await?;
    let algorithm = hash::algorithm(session, table).await?;
    let content_hash = hash::by(session, table, algorithm).await?;
    let sql = copy_out(table, &description);
    let doing = || format!("cannot copy {table} out");
    let mut rows = Box::pin(session.copy_out(&sql).await.map_err(|e| e.explain(doing()))?);
    let (mut piece, mut messages) = (BytesMut::with_capacity(2 * PIECE), 0_u64);
    let copied = async {
        while let Some(row) = rows.try_next().await.map_err(|e| e.explain(doing()))? {
            piece.extend_from_slice(&row);
            messages += 1;
            if piece.len() >= PIECE {
                if let Some(sealed) = seal.write(&piece)? {
                    writer.write(sealed).await?;
                }
                piece.clear();
                // A message is a row; the first is the header.
                progress(messages.saturating_sub(1).min(content_hash.rows));
            }
        }
        if let Some(sealed) = seal.write(&piece)? {
            writer.write(sealed).await?;
        }
        Ok(())
    };
    let copied: Result<()> = copied.await;
    drop(rows);
    match copied {
        Ok(()) => {
            progress(content_hash.rows);
            Ok((description, content_hash, seal))
        }
        Err(failure) => {
            // Else the server would go on sending to the end. What it says of this is not news.
            let _ = session.cancel().await;
            Err(failure)
        }
    }
}

/// A text that tells NULL from the empty text, and that COPY reads back.
fn copy_out(table: &TableName, description: &Description) -> String {
    let columns: Vec<String> = manifest::copied(&description.columns).iter().map(Ident::to_string).collect();
    let encoding = encoding(description);
    let quote = if columns.is_empty() { "" } else { ", FORCE_QUOTE *" };
    format!(
        "COPY (SELECT {} FROM ONLY {table}) TO STDOUT (FORMAT csv, HEADER true, NULL ''{quote}, ENCODING {})",
        columns.join(", "),
        Literal(encoding),
    )
}

/// Where the server does not know what its texts are, they are copied as they are.
fn encoding(description: &Description) -> &'static str {
    if description.encoding == "SQL_ASCII" { "SQL_ASCII" } else { "UTF8" }
}

fn assemble(
    table: &TableName,
    path: &str,
    options: &Options,
    description: Description,
    content_hash: ContentHash,
    plain: Plain,
    stored: Stored,
) -> Manifest {
    let encoding = encoding(&description).to_owned();
    Manifest {
        version: Manifest::current_version(),
        table: Table {
            database: description.database,
            schema: table.schema.raw().to_owned(),
            name: table.name.raw().to_owned(),
            oid: description.oid,
        },
        partition: options.partition.clone(),
        at: description.at,
        server_version: description.server_version,
        dbctl_version: env!("CARGO_PKG_VERSION").to_owned(),
        ddl: Ddl {
            create_table: manifest::create_table(table, &description.columns),
            constraints: description.constraints,
            indexes: description.indexes,
        },
        columns: description.columns,
        copy: Copy { format: "csv".to_owned(), header: true, null: String::new(), encoding },
        rows: content_hash.rows,
        content_hash,
        file: File {
            path: path.to_owned(),
            bytes: stored.bytes,
            sha256: stored.sha256,
            plain_bytes: plain.bytes,
            plain_sha256: Some(plain.sha256),
            compression: format!("zstd-{}", options.level),
            recipients: options.recipients.texts(),
        },
    }
}
