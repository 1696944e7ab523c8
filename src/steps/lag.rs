//! How far standbys are behind, from where the WAL ended and when. Pure.

use std::collections::VecDeque;
use std::time::Duration;

/// More samples than anybody pauses for: one a second.
const SAMPLES: usize = 4096;

/// When which WAL was written: a standby that stands still says nothing of its own.
#[derive(Debug, Clone, Default)]
pub struct Lag {
    samples: VecDeque<(Duration, i64)>,
}

impl Lag {
    /// Notes where the WAL ended, at a time since the beginning.
    pub fn note(&mut self, at: Duration, lsn: i64) {
        if self.samples.back().is_none_or(|(_, last)| *last < lsn) {
            self.samples.push_back((at, lsn));
        }
        if self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
    }

    /// For how long the oldest WAL that was seen and is not replayed has been there.
    pub fn behind(&self, now: Duration, replayed: i64) -> Duration {
        let oldest = self.samples.iter().find(|(_, lsn)| *lsn > replayed);
        oldest.map_or(Duration::ZERO, |(at, _)| now.saturating_sub(*at))
    }

    /// How far a standby is behind: as it was seen, or as the standby itself has `told`.
    pub fn of_standby(&self, now: Duration, lsn: Option<i64>, replayed: i64, told: Option<f64>) -> Duration {
        // An answer of the past does not count once everything is replayed.
        let told = if lsn.is_some_and(|lsn| lsn <= replayed) { None } else { told };
        let told = told.map_or(Duration::ZERO, |lag| Duration::try_from_secs_f64(lag).unwrap_or_default());
        self.behind(now, replayed).max(told)
    }
}
