//! How many bytes a B-tree over so many rows would take if it were built anew, equal keys folded into one with a list
//! of rows where the server does that (from version 13 on). Pure.
//!
//! Follows `nbtsort.c` and `nbtdedup.c` of the server's source.

use super::layout::{self, Column, Length, aligned};

/// Of an index entry, before its values.
const HEADER: f64 = 8.0;
/// With the bits of its NULLs.
const HEADER_WITH_NULLS: f64 = 16.0;
/// What a page holds, less its header, its links and two line pointers.
const TAKEN: f64 = 24.0 + 16.0 + 8.0;
/// Bytes of the address of a row.
const ADDRESS: f64 = 6.0;
/// So few rows of a key that it counts whether each key has as many.
const FEW: f64 = 6.0;
/// Percent that the pages above the leaves are filled.
const INNER: f64 = 70.0;

/// An index as it is laid out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Btree {
    /// Keys and INCLUDE in their order.
    pub columns: Vec<Column>,
    /// Bytes of a page.
    pub block: f64,
    /// Percent that leaves are filled.
    pub fillfactor: f64,
    /// Equal keys are folded.
    pub folds: bool,
}

impl Btree {
    /// Bytes over so many rows; nothing where a column is not known.
    pub fn bytes(&self, rows: f64) -> Option<f64> {
        self.columns.iter().all(Column::is_known).then(|| self.with_keys(rows, self.keys(rows)))
    }

    /// The same, were the last columns given by the one with the most values: keys of several columns may depend on
    /// each other.
    pub fn bytes_if_dependent(&self, rows: f64) -> Option<f64> {
        let keys = self.columns.iter().map(|column| distinct(column, rows)).fold(1.0, f64::max);
        self.columns.iter().all(Column::is_known).then(|| self.with_keys(rows, keys))
    }

    /// How many keys that differ, were columns independent.
    fn keys(&self, rows: f64) -> f64 {
        let possible: f64 = self.columns.iter().map(|column| distinct(column, rows)).product();
        if self.columns.len() < 2 || possible <= 1.0 {
            return possible;
        }
        let single = self.columns.iter().map(|column| distinct(column, rows)).fold(1.0, f64::max);
        (possible * (1.0 - (-rows / possible).exp())).clamp(single.min(rows), rows.max(1.0))
    }

    fn with_keys(&self, rows: f64, keys: f64) -> f64 {
        if rows < 1.0 {
            return self.block;
        }
        let entry = self.entry();
        let each = rows / keys.max(1.0);
        let free = (self.block * (100.0 - self.fillfactor) / 100.0).floor();
        let leaf = self.block - TAKEN - free;
        let leaves = if self.folds && each > 1.05 {
            let (mut bytes, mut items, mut rest, mut others) = (0.0, 0.0, rows, keys);
            if let [only] = self.columns.as_slice() {
                // What is common has lists of its own, and so has NULL.
                let common = only.statistics.iter().flat_map(|known| &known.common);
                let nulls = Some((HEADER_WITH_NULLS, only.nulls())).filter(|(_, share)| *share > 0.0);
                for (key, share) in common.map(|share| (entry.mean, f64::from(*share))).chain(nulls) {
                    let of_one = self.folded(key, rows * share);
                    (bytes, items, rest, others) =
                        (bytes + of_one.0, items + of_one.1, rest - rows * share, others - 1.0);
                }
            }
            if rest > 1.0 && others > 0.5 {
                let of_key = self.folded(entry.mean, (rest / others).max(1.0));
                (bytes, items) = (bytes + of_key.0 * others, items + of_key.1 * others);
            }
            let items = items.max(1.0);
            let list = Length { mean: bytes / items, variance: if each > 1_000.0 { 0.0 } else { 1e3 } };
            (items / list.fitting(leaf)).ceil()
        } else {
            (rows / entry.fitting(leaf)).ceil()
        };
        // Pages above hold a key for each one below, with the address of a row where keys repeat over pages.
        let above = Length { mean: entry.mean + if self.folds && each > 1.05 { HEADER } else { 0.0 }, ..entry };
        let fanout = above.fitting(self.block - TAKEN - (self.block * (100.0 - INNER) / 100.0).floor()).max(2.0);
        let (mut pages, mut level) = (leaves.max(1.0), leaves.max(1.0));
        while level > 1.0 {
            level = (level / fanout).ceil();
            pages += level;
        }
        (pages + 1.0) * self.block
    }

    /// An entry of one row.
    fn entry(&self) -> Length {
        let values = layout::row(&self.columns).length;
        let share = layout::with_nulls(&self.columns);
        let more = HEADER_WITH_NULLS - HEADER;
        Length {
            mean: values.mean + HEADER + more * share,
            variance: values.variance + more * more * share * (1.0 - share),
        }
    }

    /// Bytes and items that a key takes on average which so many rows have.
    fn folded(&self, key: f64, rows: f64) -> (f64, f64) {
        let most = ((self.block * 10.0 / 100.0).floor() - 4.0).div_euclid(8.0) * 8.0;
        let full = ((most - key) / ADDRESS).floor();
        if rows <= 0.0 {
            return (0.0, 0.0);
        }
        if full < 2.0 {
            return (key * rows, rows);
        }
        let of = |rows: f64| -> (f64, f64) {
            let (lists, rest) = ((rows / full).floor(), rows.rem_euclid(full));
            let list = aligned(key + ADDRESS * full);
            match rest {
                0.0 => (lists * list, lists),
                1.0 => (lists * list + key, lists + 1.0),
                rest => (lists * list + aligned(key + ADDRESS * rest), lists + 1.0),
            }
        };
        // Counts differ from key to key: padding is that of several neighbours.
        let low = rows.floor().max(1.0);
        let share = (rows - low).clamp(0.0, 1.0);
        let around: Vec<f64> = if low < FEW { vec![0.0] } else { vec![-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0] };
        let count = layout::as_f64(around.len());
        let (mut bytes, mut items) = (0.0, 0.0);
        for by in around {
            let (a, b) = (of(low + by), of(low + by + 1.0));
            bytes += (a.0 * (1.0 - share) + b.0 * share) / count;
            items += (a.1 * (1.0 - share) + b.1 * share) / count;
        }
        if low < FEW {
            // As often all keys have as many rows as they have them by chance; what lies between is told.
            let (mut by_chance, mut chance) = ((0.0, 0.0), 1.0);
            let mean = at_least_once(rows);
            let present = 1.0 - (-mean).exp();
            for count in 1..=30_u32 {
                let count = f64::from(count);
                chance *= mean / count;
                let (share, each) = (chance * (-mean).exp() / present, of(count));
                by_chance = (by_chance.0 + each.0 * share, by_chance.1 + each.1 * share);
            }
            (bytes, items) = (f64::midpoint(bytes, by_chance.0), f64::midpoint(items, by_chance.1));
        }
        (bytes, items)
    }
}

/// The mean of a Poisson distribution whose values other than 0 have this mean.
fn at_least_once(mean: f64) -> f64 {
    let mut of_all = mean;
    for _ in 0..40 {
        of_all = mean * (1.0 - (-of_all).exp());
    }
    of_all.max(1e-9)
}

/// How many values a column has, NULL as one.
fn distinct(column: &Column, rows: f64) -> f64 {
    let Some(known) = &column.statistics else { return rows.max(1.0) };
    let values = if known.distinct < 0.0 { -known.distinct * rows } else { known.distinct };
    let most = rows * (1.0 - known.nulls) + f64::from(u8::from(known.nulls > 0.0));
    (values + f64::from(u8::from(known.nulls > 0.0))).min(most).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bloat::layout::Statistics;

    fn index(distinct: f64, folds: bool) -> Btree {
        let statistics = Statistics { width: 4.0, distinct, ..Statistics::default() };
        let column = Column { length: 4, alignment: 4, statistics: Some(statistics), ..Column::default() };
        Btree { columns: vec![column], block: 8192.0, fillfactor: 90.0, folds }
    }

    #[test]
    fn a_leaf_of_int_keys_holds_366_of_them() {
        let index = index(-1.0, false);
        assert_eq!(index.bytes(366.0), Some(8192.0 * 2.0));
        assert_eq!(index.bytes(367.0), Some(8192.0 * 4.0));
        assert_eq!(index.bytes(0.0), Some(8192.0));
    }

    #[test]
    fn equal_keys_take_a_third_where_they_are_folded() {
        let (plain, folded) = (index(10.0, false).bytes(1e6).unwrap(), index(10.0, true).bytes(1e6).unwrap());
        assert!((0.25..0.40).contains(&(folded / plain)), "{folded} {plain}");
        // 132 rows a list, 9 lists a leaf.
        assert!((folded / 8192.0 - 1e6 / 132.0 / 9.0).abs() < 15.0, "{}", folded / 8192.0);
        assert_eq!(index(-1.0, true).bytes(1e5), index(-1.0, false).bytes(1e5));
    }
}
