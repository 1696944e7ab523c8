//! A table in ranges of its pages, and the COPY that reads one of them. Pure.

use super::rows::Form;
use crate::ident::{Ident, TableName};

/// Tables above this are cut, so that one of them does not keep one job for itself.
const LARGE: u64 = 256 << 20;
/// Into ranges of about this many bytes.
const RANGE: u64 = 128 << 20;

/// A range of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The first page.
    pub first: u64,
    /// The first behind it; none where it has no end: a table may grow while it is read.
    pub end: Option<u64>,
}

/// The ranges of a table of so many bytes and pages; none where it is read as a whole.
pub fn cut(bytes: u64, pages: u64, jobs: usize) -> Vec<Option<Pages>> {
    if jobs < 2 || bytes <= LARGE || pages == 0 {
        return vec![None];
    }
    let count = bytes.div_ceil(RANGE).min(pages);
    let each = pages.div_ceil(count);
    let starts: Vec<u64> = (0..count).map(|at| at * each).take_while(|first| *first < pages).collect();
    let ends = starts.iter().skip(1).map(|next| Some(*next)).chain([None]);
    starts.iter().copied().zip(ends).map(|(first, end)| Some(Pages { first, end })).collect()
}

/// What of a table is read.
pub struct Read<'a> {
    /// The table.
    pub table: &'a TableName,
    /// Its columns; none are those of a table without any.
    pub columns: &'a [String],
    /// Which rows, with WHERE. Not together with a range.
    pub condition: Option<&'a str>,
    /// Which pages.
    pub pages: Option<Pages>,
    /// How its rows are written.
    pub form: &'a Form,
}

impl Read<'_> {
    /// The `COPY … TO STDOUT`; `encoding` is the database's.
    pub fn sql(&self, encoding: &str) -> String {
        let Read { table, columns, condition, pages, form } = self;
        let columns =
            columns.iter().map(|column| Ident::new(column.as_str()).to_string()).collect::<Vec<_>>().join(", ");
        let from = match (condition, pages) {
            (None, None) if columns.is_empty() => table.to_string(),
            (None, None) => format!("{table} ({columns})"),
            (Some(condition), _) => format!("(SELECT {columns} FROM ONLY {table} {condition})"),
            (None, Some(Pages { first, end })) => {
                let end = end.map(|page| format!(" AND ctid < '({page},0)'")).unwrap_or_default();
                format!("(SELECT {columns} FROM ONLY {table} WHERE ctid >= '({first},0)'{end})")
            }
        };
        format!("COPY {from} TO STDOUT ({})", form.options(encoding))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_table_is_cut_without_a_gap_and_the_last_range_is_open() {
        assert_eq!(cut(LARGE, LARGE / 8192, 4), [None]);
        assert_eq!(cut(1 << 30, 131_072, 1), [None]);
        let ranges = cut(1 << 30, 131_072, 2);
        let (table, columns) = (TableName::new("public", "large"), ["id".to_owned(), "Odd\"name".to_owned()]);
        let sql =
            |pages| Read { table: &table, columns: &columns, condition: None, pages, form: &Form::Text }.sql("UTF8");
        assert_eq!(ranges.len(), 8);
        assert_eq!(sql(None), "COPY public.large (id, \"Odd\"\"name\") TO STDOUT (ENCODING 'UTF8')");
        let (first, last) = (sql(ranges[0]), sql(ranges[7]));
        assert!(first.contains("WHERE ctid >= '(0,0)' AND ctid < '(16384,0)'"), "{first}");
        assert!(last.ends_with("WHERE ctid >= '(114688,0)') TO STDOUT (ENCODING 'UTF8')"), "{last}");
    }
}
