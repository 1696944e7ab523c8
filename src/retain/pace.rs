//! How much at once, and when to pause: decisions over what was measured. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::snapshot::Readings;
use crate::policy::{Batch, Pace, Window};
use crate::steps::lag::Lag;

const FIRST_ROWS: f64 = 500.0;
const FIRST_BLOCKS: f64 = 64.0;
const MOST_BLOCKS: f64 = 16_384.0;

/// How much the next batch takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Size {
    rows: f64,
    blocks: f64,
    batch: Batch,
}

impl Size {
    pub(super) fn new(batch: Batch) -> Size {
        let mut size = Size { rows: FIRST_ROWS, blocks: FIRST_BLOCKS, batch };
        size.keep_within();
        size
    }

    /// The most rows.
    pub(super) fn rows(&self) -> u64 {
        self.rows as u64
    }

    /// The most blocks that are looked through.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks as u64
    }

    /// A batch took this long; `full` when it found as many rows as it might take.
    pub(super) fn took(&mut self, time: Duration, full: bool) {
        let factor = (self.batch.target.as_secs_f64() / time.as_secs_f64().max(1e-6)).clamp(0.25, 1.5);
        if full || factor < 1.0 {
            self.rows *= factor;
        }
        // A batch that was full did not look through all of its blocks.
        if !full || factor < 1.0 {
            self.blocks *= factor;
        }
        self.keep_within();
    }

    /// A batch took so long that it was stopped. False when it cannot be smaller.
    pub(super) fn shrink(&mut self) -> bool {
        let smaller = self.rows >= 2.0 || self.blocks >= 2.0;
        self.rows /= 4.0;
        self.blocks /= 4.0;
        self.keep_within();
        smaller
    }

    fn keep_within(&mut self) {
        self.rows = self.rows.clamp(1.0, f64::from(self.batch.max_rows.max(1)));
        self.blocks = self.blocks.clamp(1.0, MOST_BLOCKS);
    }
}

/// Whether the clock of the zone is within the window. One whose ends are the same is the whole day.
pub(super) fn is_open(window: Window, zone: Tz, now: DateTime<Utc>) -> bool {
    let time = now.with_timezone(&zone).time();
    if window.from < window.to {
        window.from <= time && time < window.to
    } else {
        window.from <= time || time < window.to
    }
}

/// What the readings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    /// Over a limit: why.
    Pause(String),
    /// There is a limit, and what it is about cannot be seen: what, and what helps.
    Unknown(String, String),
}

/// Decides whether the work may go on.
pub(super) fn verdict(pace: &Pace, readings: &Readings, lag: &Lag, now: Duration) -> Verdict {
    if let Some(most) = pace.max_slot_wal
        && let Some(wal) = readings.slot_wal
        && wal > most
    {
        return Verdict::Pause(format!("a replication slot retains {wal} bytes of WAL, more than {most}"));
    }
    let Some(most) = pace.max_replica_lag else { return Verdict::Go };
    for standby in &readings.standbys {
        let Some(replayed) = standby.replayed else {
            return Verdict::Unknown(
                format!("how far standby '{}' has replayed cannot be seen", standby.name),
                "let this role see it: GRANT pg_monitor TO the role".to_owned(),
            );
        };
        let behind = lag.of_standby(now, readings.lsn, replayed, standby.lag);
        if behind > most {
            let name = if standby.name.is_empty() { format!("pid {}", standby.pid) } else { standby.name.clone() };
            return Verdict::Pause(format!(
                "standby {name} replays {:.1} s behind, more than {:.1} s",
                behind.as_secs_f64(),
                most.as_secs_f64()
            ));
        }
    }
    if readings.lost_standbys > 0 {
        return Verdict::Unknown(
            format!("{} replication slots have a standby that is not connected", readings.lost_standbys),
            "bring the standby back, or drop its slot: see pg_replication_slots".to_owned(),
        );
    }
    Verdict::Go
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retain::snapshot::Standby;
    use chrono::NaiveTime;

    const BATCH: Batch = Batch { target: Duration::from_millis(30), max_rows: 5000 };

    #[test]
    fn the_size_finds_its_target_and_never_passes_the_most() {
        let mut size = Size::new(BATCH);
        for _ in 0..50 {
            size.took(Duration::from_millis(1), true);
        }
        assert_eq!(size.rows(), 5000);
        // A row costs 30 µs: 1,000 rows are the target.
        for _ in 0..50 {
            let time = Duration::from_micros(30 * size.rows());
            size.took(time, true);
        }
        assert!((900..=1100).contains(&size.rows()), "{}", size.rows());
        while size.shrink() {}
        assert_eq!((size.rows(), size.blocks()), (1, 1));
        assert_eq!(Size::new(Batch { max_rows: 7, ..BATCH }).rows(), 7);
    }

    #[test]
    fn blocks_without_rows_are_looked_through_in_larger_pieces() {
        let mut size = Size::new(BATCH);
        let (rows, blocks) = (size.rows(), size.blocks());
        size.took(Duration::from_millis(2), false);
        assert_eq!(size.rows(), rows);
        assert!(size.blocks() > blocks);
    }

    #[test]
    fn a_window_may_pass_midnight_and_is_in_the_zone() {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let night = Window { from: time(22), to: time(5) };
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert!(is_open(night, Tz::UTC, at("2026-01-01T23:00:00Z")));
        assert!(is_open(night, Tz::UTC, at("2026-01-01T04:59:59Z")));
        assert!(!is_open(night, Tz::UTC, at("2026-01-01T05:00:00Z")));
        let zone: Tz = "America/Sao_Paulo".parse().unwrap();
        assert!(!is_open(night, zone, at("2026-01-01T23:00:00Z")));
        assert!(is_open(night, zone, at("2026-01-02T01:00:00Z")));
        assert!(is_open(Window { from: time(1), to: time(1) }, Tz::UTC, at("2026-01-01T23:00:00Z")));
    }

    #[test]
    fn a_standby_that_stands_still_falls_behind_from_the_first_wal_it_lacks() {
        let seconds = Duration::from_secs;
        let pace = Pace { max_replica_lag: Some(seconds(3)), max_slot_wal: Some(100), window: None, budget: None };
        let standby = |replayed, lag| Standby { pid: 1, name: "s".into(), replayed, lag };
        let readings = |lsn, standbys| Readings { lsn: Some(lsn), standbys, ..Readings::default() };
        let mut lag = Lag::default();
        for second in 0..10 {
            lag.note(seconds(second), 100 + i64::try_from(second).unwrap() * 10);
        }
        let at = |replayed, told| verdict(&pace, &readings(190, vec![standby(replayed, told)]), &lag, seconds(9));
        assert_eq!(at(Some(190), Some(60.0)), Verdict::Go);
        assert_eq!(at(Some(160), None), Verdict::Go);
        assert!(matches!(at(Some(140), None), Verdict::Pause(why) if why.contains("4.0 s behind")));
        assert!(matches!(at(Some(180), Some(7.5)), Verdict::Pause(why) if why.contains("7.5 s behind")));
        assert!(matches!(at(None, None), Verdict::Unknown(..)));
        let lost = Readings { lost_standbys: 1, ..readings(190, vec![]) };
        assert!(matches!(verdict(&pace, &lost, &lag, seconds(9)), Verdict::Unknown(..)));
        let retained = Readings { slot_wal: Some(101), ..readings(190, vec![]) };
        assert!(matches!(verdict(&pace, &retained, &lag, seconds(9)), Verdict::Pause(..)));
        let free = Pace { max_replica_lag: None, max_slot_wal: None, ..pace };
        assert_eq!(verdict(&free, &lost, &lag, seconds(9)), Verdict::Go);
    }
}
