//! How long single operations took. Knows no database.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::bench::measure::milliseconds;

/// Uncounted runs before the counted ones: plans are made, pages are read.
const WARM_UP: usize = 20;

/// Many runs of one operation, in milliseconds.
#[derive(Debug, Default, Clone)]
pub struct Latencies(Vec<f64>);

impl Latencies {
    /// One more.
    pub fn add(&mut self, time: Duration) {
        self.0.push(milliseconds(time));
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The mean; none of nothing.
    pub fn average(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().sum::<f64>() / self.0.len() as f64)
    }

    /// The least time that so many of a hundred do not exceed (nearest rank); none of nothing.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
    }

    /// All of them, in the order they were taken.
    pub fn all(&self) -> &[f64] {
        &self.0
    }
}

/// Runs the operation with the numbers from 0 on, some uncounted first.
pub async fn measure(times: usize, mut operation: impl AsyncFnMut(usize) -> Result<()>) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    for number in 0..WARM_UP + times {
        let begun = Instant::now();
        operation(number).await?;
        if number >= WARM_UP {
            latencies.add(begun.elapsed());
        }
    }
    Ok(latencies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let latencies = Latencies((1..=200).map(f64::from).collect());
        assert_eq!(latencies.percentile(50.0), Some(100.0));
        assert_eq!(latencies.percentile(95.0), Some(190.0));
        assert_eq!(latencies.percentile(100.0), Some(200.0));
        assert_eq!(latencies.average(), Some(100.5));
        assert_eq!(Latencies::default().percentile(95.0), None);
        assert_eq!(Latencies(vec![7.0]).percentile(1.0), Some(7.0));
    }
}
