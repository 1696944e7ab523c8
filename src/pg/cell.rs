//! An answer's row as named values of the few types that catalog queries give, for readers that do
//! not know the columns beforehand.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::sqlstate::ServerError;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `bigint`.
    Int(i64),
    /// `text` or `name`.
    Text(&'a str),
    /// `text[]`.
    List(Vec<&'a str>),
}

/// The values of a row with the names of their columns, from left to right.
///
/// # Errors
/// For a column of another type, or NULL inside of a list.
pub fn cells(row: &Row) -> impl Iterator<Item = Result<(&str, Cell<'_>), ServerError>> {
    row.columns().iter().enumerate().map(|(at, column)| {
        let cell = match *column.type_() {
            Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map_or(Cell::Null, Cell::Bool),
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map_or(Cell::Null, Cell::Int),
            Type::TEXT_ARRAY | Type::NAME_ARRAY => {
                row.try_get::<_, Option<Vec<&str>>>(at)?.map_or(Cell::Null, Cell::List)
            }
            _ => row.try_get::<_, Option<&str>>(at)?.map_or(Cell::Null, Cell::Text),
        };
        Ok((column.name(), cell))
    })
}
