//! How far the vacuums of the crew are, seen from the lease's connection: twice a second, and not at all
//! where all is done sooner.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::plan::VacuumPlan;
use crate::error::Result;
use crate::pg::{Lease, Query, Row};
use crate::steps::crew::Pids;
use crate::steps::events::{Event, Events};

const TICK: Duration = Duration::from_millis(500);

/// A listener that two may tell, on one thread.
pub struct Both<'a, 'b>(pub &'a RefCell<&'b mut dyn Events>);

impl Events for Both<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        if let Ok(mut events) = self.0.try_borrow_mut() {
            events.event(event);
        }
    }
}

/// Looks on until it is dropped; in `crowded` are then the tables whose indexes were gone through more
/// than once, for want of memory.
pub async fn look_on(
    lease: &Lease,
    pids: &Pids,
    plan: &VacuumPlan,
    events: &RefCell<&mut dyn Events>,
    crowded: &RefCell<BTreeSet<u32>>,
) {
    let mut begun: BTreeMap<(i32, u32), Instant> = BTreeMap::new();
    loop {
        tokio::time::sleep(TICK).await;
        // A courtesy: the work goes on without it.
        let pids = pids.borrow().clone();
        let Ok(rows) = lease.session().rows(&Query::VACUUM_PROGRESS, &[&pids]).await else { continue };
        for row in &rows {
            let Ok(seen) = Seen::of(row) else { continue };
            if seen.index_rounds > 1 {
                crowded.borrow_mut().insert(seen.relation);
            }
            let Some(task) = plan.all().find(|task| task.oid == seen.relation) else { continue };
            let since = *begun.entry((seen.pid, seen.relation)).or_insert_with(Instant::now);
            let (done, total) = seen.share();
            let phase = match left(done, total, since.elapsed()) {
                Some(left) => format!("{}, about {} left,", seen.phase, crate::config::show_duration(left)),
                None => seen.phase.clone(),
            };
            let title = task.table.to_string();
            Both(events).event(Event::Progress { title: &title, phase: &phase, done, total });
        }
    }
}

/// One vacuum that runs.
struct Seen {
    pid: i32,
    relation: u32,
    phase: String,
    blocks: i64,
    scanned: i64,
    vacuumed: i64,
    index_rounds: i64,
    indexes: Option<i64>,
    indexes_done: Option<i64>,
}

impl Seen {
    fn of(row: &Row) -> Result<Seen> {
        Ok(Seen {
            pid: row.try_get("pid")?,
            relation: row.try_get("relid")?,
            phase: row.try_get("phase")?,
            blocks: row.try_get("blocks")?,
            scanned: row.try_get("scanned")?,
            vacuumed: row.try_get("vacuumed")?,
            index_rounds: row.try_get("index_rounds")?,
            indexes: row.try_get("indexes")?,
            indexes_done: row.try_get("indexes_done")?,
        })
    }

    /// Done and total in the unit of the phase; 17 and later count the indexes.
    fn share(&self) -> (i64, i64) {
        match (self.phase.as_str(), self.indexes, self.indexes_done) {
            ("vacuuming indexes" | "cleaning up indexes", Some(indexes), Some(done)) if indexes > 0 => (done, indexes),
            ("vacuuming heap", ..) => (self.vacuumed, self.blocks),
            ("scanning heap", ..) => (self.scanned, self.blocks),
            _ => (0, 0),
        }
    }
}

/// How long the phase will go on at this speed; too early to tell below two per cent.
fn left(done: i64, total: i64, took: Duration) -> Option<Duration> {
    if total <= 0 || done * 50 < total || done >= total {
        return None;
    }
    let seconds = took.as_secs_f64() * (total - done) as f64 / done as f64;
    Some(Duration::from_secs(seconds.ceil() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(phase: &str, indexes: Option<i64>) -> Seen {
        let (indexes_done, phase) = (indexes.map(|_| 1), phase.to_owned());
        Seen {
            pid: 1,
            relation: 7,
            phase,
            blocks: 200,
            scanned: 50,
            vacuumed: 20,
            index_rounds: 0,
            indexes,
            indexes_done,
        }
    }

    #[test]
    fn each_phase_counts_in_its_own_unit() {
        for (seen, share) in [
            (seen("scanning heap", None), (50, 200)),
            (seen("vacuuming heap", Some(4)), (20, 200)),
            (seen("vacuuming indexes", Some(4)), (1, 4)),
            (seen("vacuuming indexes", None), (0, 0)),
            (seen("cleaning up indexes", Some(0)), (0, 0)),
            (seen("truncating heap", Some(4)), (0, 0)),
        ] {
            assert_eq!(seen.share(), share, "{}", seen.phase);
        }
    }

    #[test]
    fn what_is_left_is_told_once_there_is_something_to_go_by() {
        let minute = Duration::from_secs(60);
        assert_eq!(left(50, 200, minute), Some(minute * 3));
        assert_eq!(left(4, 200, minute), Some(minute * 49));
        assert_eq!(left(3, 200, minute), None, "too early");
        assert_eq!(left(200, 200, minute), None);
        assert_eq!(left(0, 0, minute), None);
    }
}
