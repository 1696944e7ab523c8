//! What builds of indexes do to standbys and to the disk: how far behind those are, whom each commit waits for, how
//! much is free. What cannot be known is said to be unknown. The judgement is pure.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Failure, Kind, Result};
use crate::maintain::room::free_bytes;
use crate::pg::{Query, Row, ServerError, Session};

/// A standby is told from here on.
const BEHIND: u64 = 50_000_000;
/// Or from here.
const LATE: f64 = 30.0;

/// How standbys and the disk are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preflight {
    /// `synchronous_standby_names`, where commits heed it.
    pub confirming: String,
    /// Who streams from here.
    pub standbys: Vec<Standby>,
    /// The bytes that are free where a tablespace lies; without a folder, where the data lies. Missing where that is not
    /// to be seen from here.
    pub free: BTreeMap<Option<String>, u64>,
    /// Where the data lies.
    data: Option<String>,
}

/// Somebody who streams.
#[derive(Debug, Clone, PartialEq)]
pub struct Standby {
    /// Its name.
    pub name: String,
    /// `sync`, `quorum`, `potential`, `async`; nothing without the right to see it.
    pub sync_state: Option<String>,
    /// How far behind it is; nothing without the right to see it.
    pub bytes: Option<u64>,
    /// Since when, where it has not caught up.
    pub seconds: Option<f64>,
}

/// Asks, within a look.
///
/// # Errors
/// The server's.
pub async fn read(session: &Session) -> Result<Preflight, ServerError> {
    let mut seen = Preflight::default();
    if let Some(row) = session.rows(&Query::REINDEX_SETUP, &[]).await?.first() {
        seen.confirming = row.try_get::<_, Option<String>>("confirming").ok().flatten().unwrap_or_default();
        seen.data = row.try_get("data_directory").ok().flatten();
    }
    seen.standbys = session.rows(&Query::REPLICATION_STANDBYS, &[]).await?.iter().map(standby).collect();
    Ok(seen)
}

fn standby(row: &Row) -> Standby {
    let bytes: Option<i64> = row.try_get("replay_bytes").ok().flatten();
    Standby {
        name: row.try_get::<_, Option<String>>("name").ok().flatten().unwrap_or_default(),
        sync_state: row.try_get("sync_state").ok().flatten(),
        bytes: bytes.map(|bytes| u64::try_from(bytes).unwrap_or_default()),
        seconds: row.try_get("replay_seconds").ok().flatten(),
    }
}

impl Preflight {
    /// Looks how much is free: only where the server is on this machine does a folder of a name say something of it.
    pub fn measure<'p>(&mut self, places: impl Iterator<Item = &'p str>) {
        if let Some(free) = self.data.as_deref().and_then(|data| free_bytes(Path::new(data))) {
            self.free.insert(None, free);
        }
        for place in places {
            if let Some(free) = free_bytes(Path::new(place)) {
                self.free.insert(Some(place.to_owned()), free);
            }
        }
    }

    /// A commit that nobody confirms never ends.
    ///
    /// # Errors
    /// Refused where standbys must confirm and none that may is there.
    pub fn refuse_unconfirmed(&self) -> Result<()> {
        let may =
            |standby: &Standby| standby.sync_state.as_deref().is_none_or(|state| state == "sync" || state == "quorum");
        if self.confirming.is_empty() || self.standbys.iter().any(may) {
            return Ok(());
        }
        Err(Failure::new(
            Kind::Refused,
            format!("synchronous_standby_names is '{}' and no such standby is there: no commit would end", self.confirming),
        )
        .hint("let it come back (see 'dbctl replication'), or where it will not: ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf();"))
    }

    /// What a person should know before.
    pub fn notes(&self, role: &str) -> Vec<String> {
        let mut notes = Vec::new();
        for standby in &self.standbys {
            let is_behind = standby.bytes.is_some_and(|bytes| bytes >= BEHIND);
            if is_behind || standby.seconds.is_some_and(|seconds| seconds >= LATE) {
                notes.push(format!(
                    "standby {} is {} MB behind: builds write WAL as large as the indexes, which it gets besides",
                    standby.name,
                    standby.bytes.unwrap_or_default() / 1_000_000
                ));
            }
        }
        if self.standbys.iter().any(|standby| standby.bytes.is_none()) {
            let grant = format!("GRANT pg_monitor TO {};", crate::ident::Ident::new(role));
            notes.push(format!("how far behind the standbys are is UNKNOWN: {grant}"));
        }
        let sync = |standby: &&Standby| matches!(standby.sync_state.as_deref(), Some("sync" | "quorum"));
        let names: Vec<&str> = self.standbys.iter().filter(sync).map(|standby| standby.name.as_str()).collect();
        if !self.confirming.is_empty() {
            let who = if names.is_empty() { "synchronous_standby_names".to_owned() } else { names.join(", ") };
            notes.push(format!("each commit of a build waits for {who}"));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standby(sync_state: Option<&str>, bytes: Option<u64>) -> Standby {
        Standby { name: "b".into(), sync_state: sync_state.map(str::to_owned), bytes, seconds: None }
    }

    #[test]
    fn a_commit_that_nobody_confirms_is_refused_and_what_is_not_seen_is_unknown() {
        let set = |standbys: Vec<Standby>| Preflight { confirming: "b".into(), standbys, ..Preflight::default() };
        assert!(set(Vec::new()).refuse_unconfirmed().is_err());
        assert!(set(vec![standby(Some("async"), Some(0))]).refuse_unconfirmed().is_err());
        assert!(set(vec![standby(Some("quorum"), Some(0))]).refuse_unconfirmed().is_ok());
        let hidden = set(vec![standby(None, None)]);
        assert!(hidden.refuse_unconfirmed().is_ok(), "it may be the one");
        assert!(hidden.notes("a b").iter().any(|note| note.ends_with("UNKNOWN: GRANT pg_monitor TO \"a b\";")));
        let late = Preflight { standbys: vec![standby(Some("async"), Some(70_000_000))], ..Preflight::default() };
        assert!(late.notes("a")[0].starts_with("standby b is 70 MB behind"));
        assert!(Preflight::default().notes("a").is_empty() && Preflight::default().refuse_unconfirmed().is_ok());
    }
}
