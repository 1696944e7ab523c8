//! How long a step may be tried again for a lock: jittered pauses within one budget. Pure.

use std::time::Duration;

/// How long the pauses between attempts are: doubled from the first to the longest, with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// After the first attempt.
    pub first: Duration,
    /// Never longer.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses { first: Duration::from_millis(250), longest: Duration::from_secs(10) }
    }
}

/// The pauses between attempts.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(pauses: Pauses) -> Backoff {
        Backoff { next: pauses.first, longest: pauses.longest }
    }

    /// The next pause, or none when `spent` of `patience` leaves no room for one more attempt.
    /// `jitter` is in 0..1.
    pub(super) fn pause(&mut self, spent: Duration, patience: Duration, jitter: f64) -> Option<Duration> {
        let left = patience.checked_sub(spent).filter(|left| !left.is_zero())?;
        let pause = self.next.mul_f64(0.5 + jitter).min(left);
        self.next = (self.next * 2).min(self.longest);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_stay_below_the_longest_and_end_with_the_patience() {
        let mut backoff = Backoff::new(Pauses::default());
        let patience = Duration::from_secs(60);
        let mut spent = Duration::ZERO;
        let mut pauses = Vec::new();
        while let Some(pause) = backoff.pause(spent, patience, 0.5) {
            pauses.push(pause);
            spent += pause;
        }
        assert_eq!(pauses[..4], [250, 500, 1000, 2000].map(Duration::from_millis));
        assert!(pauses.iter().all(|p| *p <= Pauses::default().longest));
        assert_eq!(spent, patience);
    }

    #[test]
    fn no_patience_is_one_attempt() {
        assert_eq!(Backoff::new(Pauses::default()).pause(Duration::ZERO, Duration::ZERO, 0.0), None);
    }
}
