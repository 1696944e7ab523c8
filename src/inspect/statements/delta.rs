//! What was counted between two moments. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::measure::Measure;
use super::read::{Counts, Entry, Key};

/// Which time the counts are of, where not everything since the last reset is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// From when on.
    pub from: DateTime<Utc>,
    /// How long.
    pub seconds: f64,
    /// The counters began anew within it: what they had counted before is not known.
    pub was_reset: bool,
}

impl Window {
    /// Between two looks.
    pub fn between(before: &Counts, after: &Counts) -> Window {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a window")]
        let seconds = (after.at - before.at).num_milliseconds().max(0) as f64 / 1_000.0;
        // Without a time of the last reset, fewer calls in all say it.
        let calls = |counts: &Counts| counts.entries.iter().map(|e| e.measures.of(Measure::Calls)).sum::<f64>();
        let was_reset = before.reset_at != after.reset_at || before.reset_at.is_none() && calls(after) < calls(before);
        Window { from: before.at, seconds, was_reset }
    }
}

/// The counts of the window, without what was not executed in it. A statement that was evicted or reset between
/// the moments has what it was counted since then. The longest execution is known where it is longer than any
/// before, or the statement is new; else it is none. What the role that looks may not see is told together: which
/// statement is which cannot be known.
pub fn delta(before: &Counts, after: &Counts) -> Counts {
    // After a reset all counts are of the window, or of a part of it.
    if before.reset_at != after.reset_at {
        return Counts { entries: by_key(after).into_values().collect(), ..after.clone() };
    }
    let known = by_key(before);
    let entries = by_key(after).into_values().filter_map(|entry| {
        let was = known.get(&entry.key).filter(|was| {
            was.since == entry.since && was.measures.of(Measure::Calls) <= entry.measures.of(Measure::Calls)
        });
        let Some(was) = was else { return Some(entry) };
        let mut measures = entry.measures.with(&was.measures, |now, then| (now - then).max(0.0));
        let longest = entry.measures.get(Measure::Max);
        measures.set(Measure::Max, longest.filter(|now| *now > was.measures.of(Measure::Max)));
        let ran = measures.of(Measure::Calls) > 0.0 || measures.of(Measure::Plans) > 0.0;
        ran.then_some(Entry { measures, ..entry })
    });
    Counts {
        entries: entries.collect(),
        deallocations: after.deallocations.zip(before.deallocations).map(|(now, then)| (now - then).max(0)),
        ..after.clone()
    }
}

/// Each statement once; those that are hidden added up.
fn by_key(counts: &Counts) -> BTreeMap<Key, Entry> {
    let mut all: BTreeMap<Key, Entry> = BTreeMap::new();
    for entry in &counts.entries {
        match all.get_mut(&entry.key) {
            Some(known) => {
                known.measures = known.measures.with(&entry.measures, |a, b| a + b);
                known.since = None;
            }
            None => {
                all.insert(entry.key, entry.clone());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::super::measure::Measures;
    use super::*;

    fn counts(entries: &[(i64, f64, f64)]) -> Counts {
        // Statement 0 is one that may not be seen; an execution took all the time.
        let entry = |(id, calls, total): &(i64, f64, f64)| Entry {
            key: Key { userid: 1, dbid: 1, queryid: Some(*id).filter(|id| *id > 0), toplevel: true },
            since: None,
            measures: Measures::of_server(vec![Some(*calls), Some(*total * 1000.0), Some(*total * 1000.0)], 8192.0),
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
        let longest: Vec<Option<f64>> = window.entries.iter().map(|e| e.measures.get(Measure::Max)).collect();
        assert_eq!(longest, [Some(8.0), Some(1.0), Some(7.0)]);
        let again = delta(&counts(&[(1, 10.0, 5.0)]), &counts(&[(1, 11.0, 5.0)]));
        assert_eq!(again.entries[0].measures.get(Measure::Max), None);
    }

    #[test]
    fn what_may_not_be_seen_is_told_together() {
        let window = delta(
            &counts(&[(0, 10.0, 50.0), (0, 3.0, 6.0), (0, 1.0, 1.0)]),
            &counts(&[(0, 1.0, 1.0), (0, 10.0, 50.0), (0, 5.0, 10.0), (0, 1.0, 2.0)]),
        );
        assert_eq!(window.entries.len(), 1);
        let measures = &window.entries[0].measures;
        assert_eq!((measures.of(Measure::Calls), measures.of(Measure::Total)), (3.0, 6.0));
    }

    #[test]
    fn after_a_reset_nothing_is_taken_away() {
        let before = Counts { deallocations: Some(9), ..counts(&[(1, 5.0, 5.0)]) };
        let after = Counts { reset_at: Some(Utc::now()), deallocations: Some(2), ..counts(&[(1, 8.0, 8.0)]) };
        let window = delta(&before, &after);
        assert_eq!(window.entries[0].measures.of(Measure::Calls), 8.0);
        assert_eq!(window.deallocations, Some(2));
        assert!(Window::between(&before, &after).was_reset);
    }
}
