//! What one run keeps for the next, in a file of several processes: by place, a value of any kind. Of
//! it, what `check` counts: a rate needs two runs.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scene::Counters;
use crate::error::{Explain, Kind, Result};
use crate::output::prometheus;

/// How far back a run looks.
const WINDOW: f64 = 3_600.0;
/// Moments that are kept for one database.
const KEPT: usize = 64;
/// Runs that overlap: what was counted later than that lies in the future, and the clock was set back.
const AT_ONCE: f64 = 60.0;
/// What nobody came back for goes, so that throwaway servers do not fill the file.
const FORGOTTEN: f64 = 90.0 * 86_400.0;

/// What is kept of one place.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// Seconds since 1970.
    at: f64,
    value: Value,
}

/// Changes what is kept under a key, while no other process does: `change` is given what an earlier run kept,
/// nothing, or why that cannot be read, and says what is kept from now on and what is given back.
///
/// # Errors
/// Failed, with the path, when it cannot be written.
pub fn exchange<T: Serialize + DeserializeOwned, R>(
    path: &Path,
    key: &str,
    now: f64,
    change: impl FnOnce(Result<Option<T>>) -> (T, R),
) -> Result<R> {
    let writing = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).explain(Kind::Failed, format!("cannot make {}", folder.display()))?;
    }
    // The file itself is replaced by each run: its name is locked by another one, which stays.
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let lock = OpenOptions::new().create(true).append(true).open(&lock).explain(Kind::Failed, writing())?;
    lock.lock().explain(Kind::Failed, writing())?;
    let (mut entries, mut known) = match read(path) {
        Ok(entries) => (entries, Ok(None)),
        // One that cannot be read is begun anew: it holds nothing but the past.
        Err(failure) => (BTreeMap::new(), Err(failure)),
    };
    if let Some(entry) = entries.remove(key) {
        let value = serde_json::from_value(entry.value);
        known = value.map(Some).explain(Kind::Failed, format!("cannot read {} in {}", key, path.display()));
    }
    let (value, given) = change(known);
    entries.retain(|_, entry: &mut Entry| now - entry.at < FORGOTTEN);
    entries.insert(key.to_owned(), Entry { at: now, value: serde_json::to_value(&value)? });
    prometheus::write(path, &serde_json::to_string(&entries)?)?;
    Ok(given)
}

fn read(path: &Path) -> Result<BTreeMap<String, Entry>> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).explain(Kind::Failed, format!("cannot read {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).explain(Kind::Failed, format!("cannot read {}", path.display())),
    }
}

/// Keeps what was counted now. Gives what was counted about an hour ago, or as long ago as is known; nothing
/// where this is the first time.
///
/// # Errors
/// Failed, with the path.
pub fn count(path: &Path, key: &str, counters: &Counters) -> Result<Option<Counters>> {
    exchange(path, key, counters.at, |known: Result<Option<Vec<Counters>>>| match known {
        Ok(known) => {
            let known = known.unwrap_or_default();
            let before = before(&known, counters.at).cloned();
            (keep(known, counters), Ok(before))
        }
        Err(failure) => (vec![counters.clone()], Err(failure)),
    })?
}

fn before(known: &[Counters], now: f64) -> Option<&Counters> {
    let mut earlier = known.iter().filter(|counters| counters.at < now);
    let an_hour_ago = earlier.clone().rfind(|counters| now - counters.at >= WINDOW);
    an_hour_ago.or_else(|| earlier.next())
}

fn keep(mut known: Vec<Counters>, counters: &Counters) -> Vec<Counters> {
    // Another run counted later and came first: what it kept is newer.
    if known.last().is_some_and(|last| (0.0..AT_ONCE).contains(&(last.at - counters.at))) {
        return known;
    }
    // Counters that were reset, or that could not be read then, make the past useless.
    let fits = |then: &Counters| {
        counters.values.iter().all(|(name, now)| then.values.get(name).is_some_and(|value| value <= now))
    };
    known.retain(|then| then.at < counters.at && fits(then));
    let old = known.iter().rposition(|then| counters.at - then.at >= WINDOW).unwrap_or(0);
    known.drain(..old);
    // A run a second must not push the past out: what is closer than the window allows is left out.
    if known.len() < 2 || known.last().is_none_or(|last| counters.at - last.at >= WINDOW * 1.1 / KEPT_F) {
        known.push(counters.clone());
    }
    known
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
const KEPT_F: f64 = KEPT as f64;

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
        assert_eq!(count(&path, "a", &counters(-60.0, 0.0)).unwrap(), None);
        // A run a minute for three hours.
        for minute in 0..180 {
            count(&path, "a", &counters(f64::from(minute) * 60.0, f64::from(minute))).unwrap();
        }
        let now = 180.0 * 60.0;
        assert_eq!(count(&path, "b", &counters(now, 5.0)).unwrap(), None);
        let found = count(&path, "a", &counters(now, 200.0)).unwrap().unwrap();
        assert!((3_600.0..4_000.0).contains(&(now - found.at)), "{found:?}");
        let kept = read(&path).unwrap()["a"].value.as_array().unwrap().len();
        assert!(kept <= KEPT, "{kept}");
        // One that counted a little earlier and came later changes nothing.
        let newest =
            || read(&path).unwrap().remove("a").unwrap().value.as_array().unwrap().last().unwrap()["at"].clone();
        let last = newest();
        count(&path, "a", &counters(last.as_f64().unwrap() - 1.0, 150.0)).unwrap();
        assert_eq!(newest(), last);
        // What counted more before is of another time.
        count(&path, "a", &counters(now + 60.0, 1.0)).unwrap();
        assert_eq!(count(&path, "a", &counters(now + 120.0, 1.0)).unwrap().unwrap().at, now + 60.0);
        std::fs::write(&path, "no JSON").unwrap();
        let failure = count(&path, "a", &counters(now + 180.0, 1.0)).unwrap_err();
        assert!(failure.messages().join(" ").contains("check.json"));
        assert!(count(&path, "a", &counters(now + 240.0, 1.0)).unwrap().is_some());
        // Three months later the other one is forgotten.
        count(&path, "c", &counters(now + FORGOTTEN + 1.0, 1.0)).unwrap();
        assert_eq!(read(&path).unwrap().keys().collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn of_many_at_once_none_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("check.json");
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..25 {
                        let key = format!("place {}", thread % 2);
                        exchange(path, &key, 0.0, |known: Result<Option<u64>>| (known.unwrap().unwrap_or(0) + 1, ()))
                            .unwrap();
                    }
                });
            }
        });
        let entries = read(&path).unwrap();
        assert_eq!(entries.values().map(|entry| entry.value.as_u64().unwrap()).collect::<Vec<_>>(), [100, 100]);
    }
}
