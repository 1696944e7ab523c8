//! Materialized views as the catalog has them.

use crate::error::Result;
use crate::ident::TableName;
use crate::pg::{Query, Row, Session};

/// A materialized view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its oid.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// It has rows, or was filled with none.
    pub is_filled: bool,
    /// It has an index by which old and new rows can be told apart.
    pub is_keyed: bool,
    /// The role may fill it.
    pub may: bool,
    /// Its owner.
    pub owner: String,
    /// Its size at the last VACUUM or ANALYZE.
    pub bytes: u64,
    /// The materialized views that it reads, by oid, through plain views as well.
    pub reads: Vec<u32>,
    /// Its name alone means it.
    pub is_in_path: bool,
}

/// All of them.
///
/// # Errors
/// The server's.
pub async fn read(session: &Session) -> Result<Vec<View>> {
    let rows = session.rows(&Query::REFRESH_VIEWS, &[]).await;
    rows.map_err(|e| e.explain("cannot read the materialized views"))?.iter().map(view).collect()
}

fn view(row: &Row) -> Result<View> {
    Ok(View {
        oid: row.try_get("oid")?,
        name: TableName::new(row.try_get::<_, String>("schema")?, row.try_get::<_, String>("name")?),
        is_filled: row.try_get("is_filled")?,
        is_keyed: row.try_get("is_keyed")?,
        may: row.try_get("may")?,
        owner: row.try_get("owner")?,
        bytes: u64::try_from(row.try_get::<_, i64>("bytes")?).unwrap_or_default(),
        reads: row.try_get::<_, Option<Vec<u32>>>("reads")?.unwrap_or_default(),
        is_in_path: row.try_get("is_in_path")?,
    })
}
