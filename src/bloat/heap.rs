//! How many bytes so many rows would take if they were written anew: the model of a table. Pure.
//!
//! Follows `heap_form_tuple` and `raw_heap_insert` of the server's source.

use super::layout::{self, Column, Length, aligned, as_f64};

/// Of a page, before its first line pointer.
const PAGE_HEADER: f64 = 24.0;
/// Of a row, before the bits of its NULLs.
const ROW_HEADER: f64 = 23.0;
/// Values of a row that is longer go to the TOAST table.
const TOASTED: f64 = 2_032.0;
/// The map of free space counts in steps of 32 bytes.
const FREE_ROUNDED: f64 = 16.0;
/// Bytes of a whole chunk of a TOAST table, with its header.
const CHUNK: f64 = 2_032.0;

/// A table as it is laid out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heap {
    /// The columns in their order, dropped ones as well.
    pub columns: Vec<Column>,
    /// Bytes of a page.
    pub block: f64,
    /// Percent of a page that rows may take.
    pub fillfactor: f64,
    /// Long values have somewhere to go.
    pub has_toast: bool,
}

impl Heap {
    /// The length of a row that is written anew; nothing where a column is not known.
    pub fn row(&self) -> Option<Length> {
        if !self.columns.iter().all(Column::is_known) {
            return None;
        }
        let bits = aligned(ROW_HEADER + (as_f64(self.columns.len()) / 8.0).ceil());
        let (plain, share) = (aligned(ROW_HEADER), layout::with_nulls(&self.columns));
        let values = layout::row(&self.columns).length;
        let more = bits - plain;
        let mut row = Length {
            mean: values.mean + plain + more * share,
            variance: values.variance + more * more * share * (1.0 - share),
        };
        if self.has_toast && row.mean > TOASTED {
            row.mean = TOASTED;
        }
        Some(row)
    }

    /// Bytes of so many rows of such a length.
    pub fn bytes(&self, rows: f64, row: Length) -> f64 {
        if rows < 1.0 {
            return 0.0;
        }
        let kept_free = (self.block * (100.0 - self.fillfactor) / 100.0).floor();
        (rows / row.fitting(self.block - PAGE_HEADER - kept_free)).ceil() * self.block
    }

    /// Bytes of so many rows whose lengths are so much in sum: what an exact look found.
    pub fn packed(&self, rows: f64, lengths: f64) -> f64 {
        let mean = lengths / rows.max(1.0);
        if (mean - mean.round()).abs() < 1e-9 {
            return self.bytes(rows, Length::fixed(aligned(mean)));
        }
        self.differing(rows, mean + self.padding())
    }

    /// The same, where the lengths of a share of the pages are all that is not free in them: padded rows, the line
    /// pointers of these and of what was there before, and the header.
    pub fn approximately(&self, rows: f64, lengths: f64, unseen: f64, bytes: f64) -> f64 {
        let (rows, pages) = (rows.max(1.0), bytes / self.block * unseen);
        let mut mean = lengths / rows;
        for _ in 0..8 {
            // As many pointers as a full page has.
            let pointers = 4.0 * (self.block - PAGE_HEADER) / (mean.max(ROW_HEADER) + 4.0);
            mean = (lengths - pages * (PAGE_HEADER + FREE_ROUNDED + pointers)) / rows;
        }
        self.differing(rows, mean + self.padding() * (1.0 - unseen))
    }

    fn differing(&self, rows: f64, mean: f64) -> f64 {
        let mean = mean.max(ROW_HEADER + 1.0);
        let variance = self.row().map_or((mean * 0.1).powi(2), |row| row.variance).max(1.0);
        self.bytes(rows, Length { mean, variance })
    }

    /// What pads the end of a row, on average.
    fn padding(&self) -> f64 {
        if self.columns.iter().all(Column::is_known) { layout::row(&self.columns).padding } else { 3.5 }
    }

    /// Whether rows that are written anew have values that those from before do not have.
    pub fn has_missing(&self) -> bool {
        self.columns.iter().any(|column| column.is_missing && !column.is_dropped)
    }

    /// Whether rows have values of columns that are gone.
    pub fn has_dropped(&self) -> bool {
        self.columns.iter().any(|column| column.is_dropped)
    }
}

/// Bytes that so many chunks of a TOAST table take at most.
pub fn chunks(rows: f64, block: f64) -> f64 {
    (rows / Length::fixed(CHUNK).fitting(block - PAGE_HEADER)).ceil() * block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap(lengths: &[(i32, usize)], fillfactor: f64) -> Heap {
        let column = |(length, alignment): &(i32, usize)| Column {
            length: *length,
            alignment: *alignment,
            is_not_null: true,
            ..Column::default()
        };
        Heap { columns: lengths.iter().map(column).collect(), block: 8192.0, fillfactor, has_toast: false }
    }

    #[test]
    fn as_many_rows_fit_as_on_a_page_of_the_server() {
        // A table of one int holds 226 rows a page.
        let one = heap(&[(4, 4)], 100.0);
        assert_eq!(one.bytes(226.0, one.row().unwrap()), 8192.0);
        assert_eq!(one.bytes(227.0, one.row().unwrap()), 16384.0);
        assert_eq!(one.packed(226.0, 226.0 * 28.0), 8192.0);
        assert_eq!((one.bytes(0.0, one.row().unwrap()), one.packed(0.0, 0.0)), (0.0, 0.0));
        let loose = heap(&[(4, 4)], 70.0);
        assert_eq!(loose.bytes(1580.0, loose.row().unwrap()), 8192.0 * 10.0);
        assert_eq!(chunks(9.0, 8192.0), 8192.0 * 3.0);
    }

    #[test]
    fn a_dropped_column_costs_bits_and_an_unknown_one_the_estimate() {
        let mut wide = heap(&[(8, 8); 9], 100.0);
        assert_eq!(wide.row(), Some(Length::fixed(24.0 + 72.0)));
        wide.columns[0].is_dropped = true;
        assert_eq!(wide.row(), Some(Length::fixed(32.0 + 64.0)));
        wide.columns[1].is_not_null = false;
        assert_eq!(wide.row(), None);
    }
}
