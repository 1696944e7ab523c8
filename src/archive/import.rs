//! A file becomes the rows of an empty table again, inside of the caller's transaction: whatever
//! does not fit is an error, and the caller rolls back.

use super::hash;
use super::keys::Identities;
use super::manifest::Manifest;
use super::records::Records;
use super::settings;
use super::store::Store;
use super::verify;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::pg::Session;

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Rows in the table.
    pub rows: u64,
}

/// Copies the rows of a file into a table that is there, empty, with the manifest's columns, in the
/// transaction that the caller has opened and rolls back on any error. `progress` hears the number of
/// rows so far.
///
/// # Errors
/// Refused when the table is not empty, the file is not what its manifest says, no identity opens it,
/// or the rows do not come to the manifest's content hash; the server's; the store's.
pub async fn restore(
    session: &Session,
    store: &Store,
    manifest: &Manifest,
    into: &TableName,
    identities: &Identities,
    progress: &mut dyn FnMut(u64),
) -> Result<Restored> {
    let url = store.url_of(&manifest.file.path);
    if !manifest.file.recipients.is_empty() && identities.is_empty() {
        return Err(Failure::new(Kind::Refused, format!("{url} is encrypted, and no identity is at hand")).hint(
            format!(
                "let {} name the file with the identity of {}",
                super::keys::IDENTITY_VARIABLE,
                manifest.file.recipients.join(" or ")
            ),
        ));
    }
    is_empty(session, into).await?;
    let before = settings::pin_for_writing(session).await?;
    let doing = format!("cannot copy {url} into {into}");
    let mut copy = session.copy_in(&copy_in(manifest, into)).await.map_err(|e| e.explain(doing.clone()))?;
    let mut records = Records::default();
    verify::read_through(store, manifest, identities, async |piece| {
        records.add(&piece);
        progress(records.total().saturating_sub(1).min(manifest.rows));
        copy.send(piece).await.map_err(|e| e.explain(doing.clone()))
    })
    .await?;
    let rows = copy.finish().await.map_err(|e| e.explain(doing.clone()))?;
    before.put_back(session).await?;
    compare(session, manifest, into, rows).await?;
    Ok(Restored { rows })
}

async fn is_empty(session: &Session, into: &TableName) -> Result<()> {
    let doing = format!("cannot look into {into}");
    let found = session.rows_of(&format!("SELECT FROM ONLY {into} LIMIT 1")).await.map_err(|e| e.explain(doing))?;
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Kind::Refused, format!("{into} is not empty")).hint("restore into a new table"))
}

/// Quoted, the empty text is the empty text; bare, it is NULL.
fn copy_in(manifest: &Manifest, into: &TableName) -> String {
    let columns: Vec<String> = manifest.copied_columns().iter().map(Ident::to_string).collect();
    let list = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
    format!(
        "COPY {into}{list} FROM STDIN (FORMAT csv, HEADER {}, NULL {}, ENCODING {})",
        manifest.copy.header,
        Literal(&manifest.copy.null),
        Literal(&manifest.copy.encoding),
    )
}

async fn compare(session: &Session, manifest: &Manifest, into: &TableName, rows: u64) -> Result<()> {
    let told = &manifest.content_hash;
    let found = hash::content_hash_like(session, into, told).await?;
    if rows == manifest.rows && found.same_as(told) == Some(true) {
        return Ok(());
    }
    Err(Failure::new(Kind::Refused, format!("the rows in {into} are not those of the manifest"))
        .note(format!("rows: {rows}, the manifest says {}", manifest.rows))
        .note(format!("content hash: {}, the manifest says {}", found.value, told.value))
        .hint("is the table of the columns that the manifest names, in their order? Triggers and other defaults change rows"))
}
