//! A row whose columns are asked for one after the other: of thousands of rows, looking up every column by its name
//! takes longer than reading it.

use std::cell::Cell;

use tokio_postgres::types::FromSql;
use tokio_postgres::{Error, Row};

/// A row and the column that is expected to be asked for next.
pub struct InTurn<'a> {
    row: &'a Row,
    next: Cell<usize>,
}

impl<'a> InTurn<'a> {
    /// From its first column on.
    pub fn of(row: &'a Row) -> InTurn<'a> {
        InTurn { row, next: Cell::new(0) }
    }

    /// The column of this name: at once where it is the one after the column before, else it is looked for.
    ///
    /// # Errors
    /// For a column that is not there or of another type.
    pub fn try_get<T: FromSql<'a>>(&self, name: &str) -> Result<T, Error> {
        let columns = self.row.columns();
        let next = self.next.get();
        let is_next = columns.get(next).is_some_and(|column| column.name() == name);
        let found = if is_next { Some(next) } else { columns.iter().position(|column| column.name() == name) };
        self.next.set(found.map_or(next, |at| at + 1));
        match found {
            Some(at) => self.row.try_get(at),
            None => self.row.try_get(name),
        }
    }
}
