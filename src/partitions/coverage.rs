//! What partitions cover together: the union of their ranges, whatever their widths and names. Pure.

use crate::policy::key::{Edge, Range};

/// Ranges that neither touch nor overlap, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    ranges: Vec<Range>,
}

impl Coverage {
    /// The union of ranges, which may come in any order and overlap.
    pub fn of(ranges: impl IntoIterator<Item = Range>) -> Coverage {
        let mut sorted: Vec<Range> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match merged.last_mut() {
                Some(last) if range.lower() <= last.upper() => {
                    *last = Range::new(last.lower(), last.upper().max(range.upper())).unwrap_or(*last);
                }
                _ => merged.push(range),
            }
        }
        Coverage { ranges: merged }
    }

    /// The union, in order.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// What of a range is not covered, in order.
    pub fn gaps(&self, within: Range) -> Vec<Range> {
        let mut gaps = Vec::new();
        let mut lower = within.lower();
        for range in self.ranges.iter().filter(|range| range.overlaps(within)) {
            gaps.extend(Range::new(lower, range.lower()));
            lower = range.upper();
        }
        gaps.extend(Range::new(lower, within.upper()));
        gaps
    }

    /// Whether all of a range is covered.
    pub fn covers(&self, range: Range) -> bool {
        self.gaps(range).is_empty()
    }

    /// Whether some of a range is covered.
    pub fn touches(&self, range: Range) -> bool {
        self.ranges.iter().any(|covered| covered.overlaps(range))
    }

    /// How far it reaches without a gap from a position; nothing when that is not covered itself.
    pub fn until(&self, at: i128) -> Option<Edge> {
        self.ranges.iter().find(|range| range.contains(at)).map(|range| range.upper())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(lower: i128, upper: i128) -> Range {
        Range::new(Edge::At(lower), Edge::At(upper)).unwrap()
    }

    #[test]
    fn neighbours_and_overlaps_become_one() {
        let coverage = Coverage::of([range(20, 30), range(0, 10), range(10, 20), range(25, 27), range(40, 50)]);
        assert_eq!(coverage.ranges(), [range(0, 30), range(40, 50)]);
        assert_eq!(coverage.until(0), Some(Edge::At(30)));
        assert_eq!(coverage.until(29), Some(Edge::At(30)));
        assert_eq!(coverage.until(30), None);
        assert_eq!(coverage.until(-1), None);
    }

    #[test]
    fn gaps_within_a_range() {
        let coverage = Coverage::of([range(0, 10), range(20, 30)]);
        assert_eq!(coverage.gaps(range(-5, 35)), [range(-5, 0), range(10, 20), range(30, 35)]);
        assert_eq!(coverage.gaps(range(5, 25)), [range(10, 20)]);
        assert_eq!(coverage.gaps(range(12, 15)), [range(12, 15)]);
        assert!(coverage.covers(range(2, 8)) && !coverage.covers(range(2, 11)));
        assert!(coverage.touches(range(9, 11)) && !coverage.touches(range(10, 20)));
    }

    #[test]
    fn open_ends() {
        let low = Range::new(Edge::Min, Edge::At(10)).unwrap();
        let high = Range::new(Edge::At(20), Edge::Max).unwrap();
        let all = Range::new(Edge::Min, Edge::Max).unwrap();
        let coverage = Coverage::of([high, low]);
        assert_eq!(coverage.gaps(all), [range(10, 20)]);
        assert_eq!(coverage.until(i128::MAX), Some(Edge::Max));
        assert_eq!(coverage.until(i128::MIN), Some(Edge::At(10)));
        assert_eq!(Coverage::default().gaps(all), [all]);
    }

    proptest! {
        #[test]
        fn each_position_is_covered_or_in_a_gap(
            ends in proptest::collection::vec((0i128..60, 1i128..20), 0..12),
            lower in -5i128..70,
            width in 1i128..40,
        ) {
            let ranges: Vec<Range> = ends.into_iter().map(|(lower, width)| range(lower, lower + width)).collect();
            let coverage = Coverage::of(ranges.clone());
            let within = range(lower, lower + width);
            let gaps = coverage.gaps(within);
            prop_assert!(gaps.windows(2).all(|pair| pair[0].upper() < pair[1].lower()));
            for at in -10..120 {
                let covered = ranges.iter().any(|range| range.contains(at));
                prop_assert_eq!(coverage.until(at).is_some(), covered);
                let in_gap = gaps.iter().any(|gap| gap.contains(at));
                prop_assert_eq!(in_gap, !covered && within.contains(at));
                if let Some(Edge::At(end)) = coverage.until(at) {
                    prop_assert!((at..end).all(|at| ranges.iter().any(|range| range.contains(at))));
                    prop_assert!(!ranges.iter().any(|range| range.contains(end)));
                }
            }
        }
    }
}
