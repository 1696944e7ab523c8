//! How long a row is as it is stored: columns in their order, padding, and how much that differs from row to row.
//! Pure: knows neither tables nor indexes.

/// A value starts at a multiple of this at most, and so does a row.
pub const ALIGNED: usize = 8;
/// The longest value with a header of one byte, which needs no padding.
const SHORT: f64 = 127.0;

/// Around a length of which only the mean is known.
const SPREAD: [f64; ALIGNED] = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5];

/// What is known of the values of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statistics {
    /// The share of NULL, 0 to 1.
    pub nulls: f64,
    /// Bytes of a value on average, as stored.
    pub width: f64,
    /// Values that differ; below 0 as a share of the rows.
    pub distinct: f64,
    /// The shares of the most common values in all rows, the largest first.
    pub common: Vec<f32>,
    /// Bytes of some values, as they were before they were stored, with a header of 4 bytes.
    pub widths: Vec<i32>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    /// Bytes of each value; -1 and -2 where they differ.
    pub length: i32,
    /// 1, 2, 4 or 8.
    pub alignment: usize,
    /// It was dropped: rows that are written anew have no value in it.
    pub is_dropped: bool,
    /// Rows that are older than it do not have its value yet, rows that are written anew do.
    pub is_missing: bool,
    /// NOT NULL.
    pub is_not_null: bool,
    /// What ANALYZE found.
    pub statistics: Option<Statistics>,
}

impl Column {
    /// Whether its part of a row can be told: fixed and never NULL, or analyzed.
    pub fn is_known(&self) -> bool {
        self.is_dropped || self.statistics.is_some() || (self.length > 0 && self.is_not_null)
    }

    /// The share of NULL.
    pub fn nulls(&self) -> f64 {
        if self.is_dropped { 1.0 } else { self.statistics.as_ref().map_or(0.0, |s| s.nulls.clamp(0.0, 1.0)) }
    }

    /// The lengths of values with their shares, which are 1 together.
    fn lengths(&self) -> Vec<(f64, f64)> {
        if let Ok(length @ 1..) = usize::try_from(self.length) {
            return vec![(as_f64(length), 1.0)];
        }
        let Some(known) = &self.statistics else { return vec![(SHORT, 1.0)] };
        let sampled: Vec<f64> = known.widths.iter().map(|width| stored(f64::from(*width))).collect();
        let share = 1.0 / as_f64(sampled.len().max(1));
        let mean: f64 = sampled.iter().map(|width| width * share).sum();
        // Compressed, out of line, or only the seldom ones were sampled.
        if !sampled.is_empty() && (mean - known.width).abs() <= 1.0 + known.width * 0.1 {
            return sampled.into_iter().map(|width| (width, share)).collect();
        }
        // Of the samples only how much they differ is taken, and every remainder is as likely.
        let sizes = if sampled.is_empty() { vec![1.0] } else { sampled.iter().map(|width| width / mean).collect() };
        let share = 0.125 / as_f64(sizes.len());
        let around = |size: f64| SPREAD.map(|by| (size.mul_add(known.width, by).round().max(1.0), share));
        sizes.into_iter().flat_map(around).collect()
    }
}

/// Of a value with a header of 4 bytes.
fn stored(width: f64) -> f64 {
    if width - 3.0 < SHORT { (width - 3.0).max(1.0) } else { width }
}

/// A length that differs from row to row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Length {
    /// The mean.
    pub mean: f64,
    /// The variance.
    pub variance: f64,
}

impl Length {
    /// A length that is always the same.
    pub fn fixed(length: f64) -> Length {
        Length { mean: length, variance: 0.0 }
    }

    /// How many items of this length, each with a line pointer of 4 bytes, fit into so many bytes on average.
    pub fn fitting(&self, bytes: f64) -> f64 {
        let item = self.mean + 4.0;
        let fitting = if self.variance < 0.5 {
            (bytes / item).floor()
        } else {
            // Half of the one that does not fit is lost, and the longer ones are more often the one that does not.
            bytes / item - 0.5 - (self.variance / (item * item)).min(1.0) / 2.0
        };
        fitting.max(1.0)
    }
}

/// The values of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Values {
    /// Bytes with what pads the end to a multiple of 8.
    pub length: Length,
    /// Bytes of that which pad the end, on average.
    pub padding: f64,
}

/// By the remainder of the length: its share, and its share times the length and the square of the length.
type Moments = [[f64; 3]; ALIGNED];

fn add(to: &mut Moments, from: &[f64; 3], length: usize, by: f64, share: f64) {
    let [p, m, q] = from.map(|moment| moment * share);
    if let Some(to) = to.get_mut(length % ALIGNED) {
        to[0] += p;
        to[1] += by.mul_add(p, m);
        to[2] += (by * by).mul_add(p, (2.0 * by).mul_add(m, q));
    }
}

/// The bytes of the values of a row, padded at its end.
pub fn row(columns: &[Column]) -> Values {
    let mut now: Moments = [[0.0; 3]; ALIGNED];
    now[0][0] = 1.0;
    for column in columns {
        let mut next: Moments = [[0.0; 3]; ALIGNED];
        let nulls = column.nulls();
        let lengths = column.lengths();
        for (at, from) in now.iter().enumerate().filter(|(_, from)| from[0] > 0.0) {
            if nulls > 0.0 {
                add(&mut next, from, at, 0.0, nulls);
            }
            for (length, share) in &lengths {
                let unpadded = column.length < 0 && *length <= SHORT;
                let padding = if unpadded { 0 } else { padding(at, column.alignment) };
                let by = as_f64(padding) + length;
                add(&mut next, from, at + whole(by), by, share * (1.0 - nulls));
            }
        }
        now = next;
    }
    let (mut end, mut padded): (Moments, f64) = ([[0.0; 3]; ALIGNED], 0.0);
    for (at, from) in now.iter().enumerate() {
        let padding = padding(at, ALIGNED);
        add(&mut end, from, at + padding, as_f64(padding), 1.0);
        padded += as_f64(padding) * from[0];
    }
    let [_, mean, square] = end[0];
    Values { length: Length { mean, variance: mean.mul_add(-mean, square).max(0.0) }, padding: padded }
}

/// The share of rows with a NULL in them, were columns NULL by themselves.
pub fn with_nulls(columns: &[Column]) -> f64 {
    1.0 - columns.iter().map(|column| 1.0 - column.nulls()).product::<f64>()
}

fn padding(at: usize, alignment: usize) -> usize {
    let alignment = alignment.clamp(1, ALIGNED);
    (alignment - at % alignment) % alignment
}

/// The next multiple of 8.
pub fn aligned(bytes: f64) -> f64 {
    (bytes / as_f64(ALIGNED)).ceil() * as_f64(ALIGNED)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of a value, never negative")]
fn whole(bytes: f64) -> usize {
    bytes as usize
}

#[expect(clippy::cast_precision_loss, reason = "lengths of values and counts of columns")]
pub(super) fn as_f64(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(length: i32, alignment: usize) -> Column {
        Column { length, alignment, is_not_null: true, ..Column::default() }
    }

    fn text(width: f64, widths: &[i32]) -> Column {
        let statistics = Statistics { width, widths: widths.to_vec(), ..Statistics::default() };
        Column { length: -1, alignment: 4, statistics: Some(statistics), ..Column::default() }
    }

    #[test]
    fn the_order_of_columns_counts() {
        assert_eq!(row(&[fixed(1, 1), fixed(8, 8), fixed(1, 1), fixed(8, 8)]).length, Length::fixed(32.0));
        assert_eq!(row(&[fixed(8, 8), fixed(8, 8), fixed(1, 1), fixed(1, 1)]).length, Length::fixed(24.0));
    }

    #[test]
    fn texts_of_one_length_are_exact_and_others_are_spread() {
        // A header of one byte and 32 of the text, then a padded bigint.
        assert_eq!(row(&[text(33.0, &[36, 36]), fixed(8, 8)]).length, Length::fixed(48.0));
        let spread = row(&[text(33.0, &[])]).length;
        assert!((spread.mean - 36.5).abs() < 0.6 && spread.variance > 1.0, "{spread:?}");
        // What was compressed is not as long as it was before.
        assert!((row(&[text(100.0, &[800, 800])]).length.mean - 103.5).abs() < 1.1);
    }

    #[test]
    fn half_of_the_rows_are_shorter_where_half_of_the_values_are_null() {
        let mut column = fixed(8, 8);
        column.statistics = Some(Statistics { nulls: 0.5, width: 8.0, ..Statistics::default() });
        let length = row(&[fixed(8, 8), column.clone()]).length;
        assert!((length.mean - 12.0).abs() < 1e-9 && (length.variance - 16.0).abs() < 1e-9, "{length:?}");
        assert!((with_nulls(&[column.clone(), column]) - 0.75).abs() < 1e-9);
    }
}
