//! What was counted between two moments. Pure.

use std::collections::BTreeMap;

use super::measure::Measure;
use super::read::{Counts, Entry, Key};

/// The counts of the window, without what was not executed in it. A statement that was evicted or reset between
/// the moments has what it was counted since then. The longest execution is of all time: it is none here, unless
/// the statement is new.
pub fn delta(before: &Counts, after: &Counts) -> Counts {
    let known: BTreeMap<Key, &Entry> = before.entries.iter().map(|entry| (entry.key, entry)).collect();
    let entries = after.entries.iter().filter_map(|entry| {
        let was = known.get(&entry.key).filter(|was| {
            was.since == entry.since && was.measures.of(Measure::Calls) <= entry.measures.of(Measure::Calls)
        });
        let Some(was) = was else { return Some(entry.clone()) };
        let mut measures = entry.measures.with(&was.measures, |now, then| (now - then).max(0.0));
        measures.set(Measure::Max, None);
        let ran = measures.of(Measure::Calls) > 0.0 || measures.of(Measure::Plans) > 0.0;
        ran.then(|| Entry { measures, ..entry.clone() })
    });
    Counts {
        entries: entries.collect(),
        deallocations: after.deallocations.zip(before.deallocations).map(|(now, then)| (now - then).max(0)),
        ..after.clone()
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::super::measure::Measures;
    use super::*;

    fn counts(entries: &[(i64, f64, f64)]) -> Counts {
        let entry = |(id, calls, total): &(i64, f64, f64)| Entry {
            key: Key { userid: 1, dbid: 1, queryid: Some(*id), toplevel: true },
            since: None,
            measures: Measures::of_server(vec![Some(*calls), Some(*total * 1000.0), Some(9.0)], 8192.0),
        };
        let entries = entries.iter().map(entry).collect();
        Counts { at: Utc::now(), entries, deallocations: Some(3), reset_at: None }
    }

    #[test]
    fn a_window_has_what_ran_in_it() {
        let window = delta(
            &counts(&[(1, 10.0, 5.0), (2, 4.0, 1.0), (3, 9.0, 9.0)]),
            &counts(&[(1, 12.0, 8.0), (2, 4.0, 1.0), (3, 2.0, 1.0), (4, 1.0, 7.0)]),
        );
        let told: Vec<(Option<i64>, f64, f64)> = window
            .entries
            .iter()
            .map(|e| (e.key.queryid, e.measures.of(Measure::Calls), e.measures.of(Measure::Total)))
            .collect();
        // 2 did not run; 3 was reset and has what it counted since; 4 is new.
        assert_eq!(told, [(Some(1), 2.0, 3.0), (Some(3), 2.0, 1.0), (Some(4), 1.0, 7.0)]);
        assert_eq!(window.deallocations, Some(0));
        assert_eq!(window.entries[0].measures.get(Measure::Max), None);
    }
}
