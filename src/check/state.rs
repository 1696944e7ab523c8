//! What runs count, kept in a file from one run to the next: a rate needs two of them.

use std::collections::BTreeMap;
use std::path::Path;

use super::scene::Counters;
use crate::error::{Explain, Kind, Result};
use crate::inspect::vitals::Part;
use crate::output::prometheus;

/// How far back a run looks.
const WINDOW: f64 = 3_600.0;
/// Moments that are kept for one database.
const KEPT: usize = 64;

type Moments = BTreeMap<String, Vec<Counters>>;

/// What was counted about an hour ago, or as long ago as is known.
pub fn before(path: &Path, key: &str, now: f64) -> Part<Counters> {
    let moments = read(path).map_err(|failure| failure.messages().join(": "))?;
    let known = moments.get(key).map(Vec::as_slice).unwrap_or_default();
    let earlier: Vec<&Counters> = known.iter().filter(|counters| counters.at < now).collect();
    let an_hour_ago = earlier.iter().rev().find(|counters| now - counters.at >= WINDOW);
    let found = an_hour_ago.or(earlier.first()).map(|counters| (*counters).clone());
    found.ok_or_else(|| "counting began now: the next run can say".to_owned())
}

/// Keeps what was counted now.
///
/// # Errors
/// Failed, with the path.
pub fn keep(path: &Path, key: &str, counters: &Counters) -> Result<()> {
    // One that cannot be read is begun anew: it holds nothing but yesterday's counters.
    let mut moments = read(path).unwrap_or_default();
    let known = moments.entry(key.to_owned()).or_default();
    let shrunk = |then: &Counters| {
        then.values.iter().any(|(name, value)| counters.values.get(name).is_some_and(|now| now < value))
    };
    known.retain(|then| then.at < counters.at && !shrunk(then));
    let old = known.iter().rposition(|then| counters.at - then.at >= WINDOW).unwrap_or(0);
    known.drain(..old);
    // A run a second must not push the past out: what is closer than the window allows is replaced.
    if known.len() > 1 && known.last().is_some_and(|last| counters.at - last.at < WINDOW * 1.1 / KEPT_F) {
        return Ok(());
    }
    known.push(counters.clone());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).explain(Kind::Failed, format!("cannot make {}", folder.display()))?;
    }
    prometheus::write(path, &serde_json::to_string(&moments)?)
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
const KEPT_F: f64 = KEPT as f64;

fn read(path: &Path) -> Result<Moments> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).explain(Kind::Failed, format!("cannot read {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Moments::new()),
        Err(error) => Err(error).explain(Kind::Failed, format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(at: f64, deadlocks: f64) -> Counters {
        Counters { at, values: BTreeMap::from([("deadlocks".to_owned(), deadlocks)]) }
    }

    #[test]
    fn a_run_looks_back_about_an_hour_and_a_reset_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dbctl/check.json");
        assert!(before(&path, "a", 0.0).unwrap_err().contains("began now"));
        // A run a minute for three hours.
        for minute in 0..180 {
            keep(&path, "a", &counters(f64::from(minute) * 60.0, f64::from(minute))).unwrap();
        }
        let now = 180.0 * 60.0;
        let found = before(&path, "a", now).unwrap();
        assert!((3_600.0..4_000.0).contains(&(now - found.at)), "{found:?}");
        assert!(before(&path, "b", now).is_err());
        let kept = read(&path).unwrap()["a"].len();
        assert!(kept <= KEPT, "{kept}");
        keep(&path, "a", &counters(now, 1.0)).unwrap();
        assert_eq!(before(&path, "a", now + 60.0).map(|found| found.at <= 60.0 || found.at == now), Ok(true));
        std::fs::write(&path, "no JSON").unwrap();
        assert!(before(&path, "a", now).unwrap_err().contains("check.json"));
        keep(&path, "a", &counters(now, 1.0)).unwrap();
        assert!(before(&path, "a", now + 1.0).is_ok());
    }
}
