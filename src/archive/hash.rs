//! What the rows of a table come to, computed by the server, in whatever order they lie: their number
//! and a sum of hashes. Equal sums of one algorithm mean rows that PostgreSQL calls equal.

use serde::{Deserialize, Serialize};

use super::settings::{self, Before};
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::{Query, Session};

/// Hashes of rows as they are: the quick one.
const BY_RECORD: &str = "sum(hash_record_extended(row, 0))";
/// Hashes of their text: for types without a hash, enums, and collations that call different texts equal.
pub const BY_TEXT: &str = "sum(hashtextextended(row::text, 0))";

/// A number of rows and what they come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentHash {
    /// How it was computed. Values of two algorithms say nothing of each other.
    pub algorithm: String,
    /// How many rows.
    pub rows: u64,
    /// The sum.
    pub value: String,
}

impl ContentHash {
    /// Whether both are of the same rows; none when their algorithms differ.
    pub fn same_as(&self, other: &ContentHash) -> Option<bool> {
        (self.algorithm == other.algorithm).then(|| (self.rows, &self.value) == (other.rows, &other.value))
    }
}

/// Hashes a table's own rows, in a read-only transaction of its own.
///
/// # Errors
/// The server's. Row security that hides rows is an error, not a smaller table.
pub async fn content_hash(session: &Session, table: &TableName) -> Result<ContentHash> {
    let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}", settings::for_reading());
    let begun = session.send(&begin).await;
    let hash = match begun.map_err(|e| e.explain("cannot begin a read-only transaction")) {
        Ok(()) => by(session, table, algorithm(session, table).await?).await,
        Err(failure) => Err(failure),
    };
    let ended = session.send("ROLLBACK").await;
    let hash = hash?;
    ended.map_err(|e| e.explain("cannot end the read-only transaction")).map(|()| hash)
}

/// The same inside of the caller's transaction, whose settings are the same afterwards.
///
/// # Errors
/// As [`content_hash`].
pub async fn content_hash_within(session: &Session, table: &TableName) -> Result<ContentHash> {
    let before = settings::pin_for_reading(session).await?;
    let chosen = algorithm(session, table).await?;
    finish(session, before, by(session, table, chosen).await).await
}

/// By the algorithm of an earlier hash, inside of the caller's transaction: to be compared with it.
///
/// # Errors
/// As [`content_hash`]; invalid when this dbctl does not know the algorithm.
pub async fn content_hash_like(session: &Session, table: &TableName, like: &ContentHash) -> Result<ContentHash> {
    let chosen = [BY_RECORD, BY_TEXT].into_iter().find(|known| *known == like.algorithm);
    let Some(chosen) = chosen else {
        let message = format!("the content hash of {table} is of an unknown algorithm: {}", like.algorithm);
        return Err(Failure::new(Kind::Invalid, message).hint("use a newer dbctl"));
    };
    let before = settings::pin_for_reading(session).await?;
    finish(session, before, by(session, table, chosen).await).await
}

async fn finish(session: &Session, before: Before, hash: Result<ContentHash>) -> Result<ContentHash> {
    let hash = hash?;
    before.put_back(session).await.map(|()| hash)
}

/// The algorithm for a table, inside of a transaction with the settings for reading.
///
/// # Errors
/// The server's.
pub async fn algorithm(session: &Session, table: &TableName) -> Result<&'static str> {
    let rows = session.rows(&Query::ARCHIVE_HASHABLE, &[&table.schema.raw(), &table.name.raw()]).await;
    let doing = format!("cannot look at the types of {table}");
    let rows = rows.map_err(|e| e.explain(doing))?;
    let by_record = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(false);
    Ok(if by_record { BY_RECORD } else { BY_TEXT })
}

/// Inside of a transaction with the settings for reading.
pub(super) async fn by(session: &Session, table: &TableName, algorithm: &'static str) -> Result<ContentHash> {
    let hash = of_rows(session, &format!("ONLY {table}"), algorithm).await;
    hash.map_err(|failure| failure.context(format!("cannot hash the rows of {table}")))
}

/// The hash of what a FROM item gives (`ONLY public.t`, `(SELECT …)`), inside of a transaction with the
/// settings of its text.
///
/// # Errors
/// The server's; invalid when this dbctl does not know the algorithm.
pub async fn of_rows(session: &Session, from: &str, algorithm: &str) -> Result<ContentHash> {
    // `row.*` as an argument is the whole row, whatever its columns are called.
    let hash = match algorithm {
        BY_RECORD => "pg_catalog.hash_record_extended(r.*, 0)",
        BY_TEXT => "pg_catalog.hashtextextended((r.*)::pg_catalog.text COLLATE pg_catalog.\"C\", 0)",
        other => {
            let message = format!("a content hash is of an unknown algorithm: {other}");
            return Err(Failure::new(Kind::Invalid, message).hint("use a newer dbctl"));
        }
    };
    let sql = format!(
        "SELECT pg_catalog.count(*), coalesce(pg_catalog.sum({hash}::pg_catalog.numeric), 0)::pg_catalog.text \
         FROM {from} AS r"
    );
    let rows = session.rows_of(&sql).await.map_err(|e| e.explain("the rows cannot be hashed"))?;
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not answer"))?;
    Ok(ContentHash {
        algorithm: algorithm.to_owned(),
        rows: u64::try_from(row.try_get::<_, i64>(0)?)?,
        value: row.try_get(1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_two_algorithms_are_not_compared() {
        let hash = |algorithm: &str, rows, value: &str| ContentHash {
            algorithm: algorithm.to_owned(),
            rows,
            value: value.to_owned(),
        };
        let ours = hash(BY_RECORD, 2, "17");
        assert_eq!(ours.same_as(&hash(BY_RECORD, 2, "17")), Some(true));
        assert_eq!(ours.same_as(&hash(BY_RECORD, 3, "17")), Some(false));
        assert_eq!(ours.same_as(&hash(BY_RECORD, 2, "18")), Some(false));
        assert_eq!(ours.same_as(&hash(BY_TEXT, 2, "17")), None);
    }
}
