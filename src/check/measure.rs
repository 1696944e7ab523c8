//! What each check measures: functions from what was read to values with words. Pure.

pub(super) use super::objects::{
    bloat, duplicate_index, fk_without_index, invalid_index, partitions, pending_migrations, sequences, unused_index,
};
use super::scene::Scene;
use crate::inspect::backend::Backend;
use crate::inspect::vitals::{Database, Part, percent};

/// What a check measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Values.
    pub values: Vec<Measure>,
    /// What could not be seen besides.
    pub unknown: Option<String>,
    /// What is said where everything is in order.
    pub fine: String,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Of which metric.
    pub metric: &'static str,
    /// Of which object: `schema.table`, a database, a slot.
    pub object: Option<String>,
    /// How much.
    pub value: f64,
    /// What that is, in words.
    pub said: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Measured {
    pub(super) fn fine(fine: impl Into<String>) -> Measured {
        Measured { fine: fine.into(), ..Measured::default() }
    }

    pub(super) fn add(&mut self, metric: &'static str, object: Option<&str>, value: f64, said: impl Into<String>) {
        let object = object.map(str::to_owned);
        self.values.push(Measure { metric, object, value, said: said.into(), remedy: None });
    }

    pub(super) fn fix(&mut self, remedy: impl Into<String>) {
        if let Some(last) = self.values.last_mut() {
            last.remedy = Some(remedy.into());
        }
    }
}

/// A number with the words for one or for several.
pub(super) fn some(count: usize, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

const LISTED: usize = 20;
/// Rarer than this, a share says nothing.
const LEAST_TRANSACTIONS: f64 = 100.0;
const LEAST_BLOCKS: f64 = 10_000.0;
const LEAST_CHECKPOINTS: f64 = 5.0;

pub(super) fn part<T>(part: &Part<T>) -> Part<&T> {
    part.as_ref().map_err(Clone::clone)
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes")]
pub(super) fn number(count: i64) -> f64 {
    count as f64
}

pub(super) fn connections(scene: &Scene) -> Part<Measured> {
    let server = part(&scene.server)?;
    let room = server.max_connections - server.reserved;
    let mut found = Measured::fine("");
    let share = percent(server.connections, room).unwrap_or_default();
    let said = format!("{} of {room} connections are in use ({share:.0} %)", server.connections);
    found.fine.clone_from(&said);
    found.add("used", None, share, said);
    let databases = part(&scene.databases)?
        .iter()
        .filter_map(|d| Some(("database", &d.database, d.connection_limit?, d.connections)));
    let roles = part(&scene.roles)?.iter().map(|r| ("role", &r.role, r.connection_limit, r.connections));
    for (kind, name, limit, used) in databases.chain(roles) {
        if let Some(share) = percent(used, limit) {
            let object = format!("{kind} {name}");
            found.add("used", Some(&object), share, format!("{object} has {used} of its {limit} connections"));
        }
    }
    Ok(found)
}

fn hidden(scene: &Scene) -> Part<Option<String>> {
    let hidden = part(&scene.activity)?.backends.iter().filter(|b| b.hidden).count();
    Ok((hidden > 0).then(|| {
        format!(
            "{} cannot be seen: GRANT pg_monitor TO this role",
            some(hidden, "session of another role", "sessions of other roles")
        )
    }))
}

fn aged(scene: &Scene, of: fn(&Backend) -> Option<f64>, does: &str, fine: &str) -> Part<Measured> {
    let mut found = Measured { unknown: hidden(scene)?, ..Measured::fine(fine) };
    let mut all: Vec<(f64, &Backend)> =
        part(&scene.activity)?.backends.iter().filter_map(|b| Some((of(b)?.max(0.0), b))).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.pid.cmp(&b.1.pid)));
    if all.is_empty() {
        found.add("age", None, 0.0, fine);
    }
    for (age, b) in all.into_iter().take(LISTED) {
        let who = b.role.as_deref().unwrap_or("-");
        let database = b.database.as_deref().unwrap_or("-");
        found.add(
            "age",
            Some(database),
            age,
            format!("process {} of {who} in {database} {does} for {age:.0} s", b.pid),
        );
        found.fix(format!("dbctl locks terminate {}", b.pid));
    }
    Ok(found)
}

pub(super) fn long_query(scene: &Scene) -> Part<Measured> {
    let age = |b: &Backend| {
        let works = b.state.as_deref() == Some("active") && b.backend_type.as_deref() == Some("client backend");
        b.query_seconds.filter(|_| works)
    };
    aged(scene, age, "runs a statement", "no statement runs for long")
}

pub(super) fn idle_in_transaction(scene: &Scene) -> Part<Measured> {
    let age = |b: &Backend| b.state_seconds.filter(|_| b.is_idle_in_transaction());
    aged(scene, age, "is idle in a transaction", "no session is idle in a transaction for long")
}

pub(super) fn lock_wait(scene: &Scene) -> Part<Measured> {
    let sample = part(&scene.locks)?;
    let waits: Vec<_> = sample.locks.iter().filter(|lock| !lock.granted).collect();
    let mut pids: Vec<i32> = waits.iter().filter_map(|lock| lock.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    let mut found = Measured::fine("nobody waits for a lock");
    let longest = waits.iter().filter_map(|lock| lock.wait_seconds).fold(0.0, f64::max);
    found.add("age", None, longest, format!("a session has waited for a lock for {longest:.0} s"));
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    found.add(
        "victims",
        None,
        pids.len() as f64,
        some(pids.len(), "session waits for a lock", "sessions wait for locks"),
    );
    if !pids.is_empty() {
        found.fine = format!(
            "{}, for {longest:.0} s at most",
            some(pids.len(), "session waits for a lock", "sessions wait for locks")
        );
    }
    Ok(found)
}

/// The name of a counter of this database.
pub(super) const DEADLOCKS: &str = "deadlocks";
pub(super) const COMMITS: &str = "commits";
pub(super) const ROLLBACKS: &str = "rollbacks";
pub(super) const HITS: &str = "blocks_hit";
pub(super) const READS: &str = "blocks_read";
pub(super) const TEMP: &str = "temp_bytes";
pub(super) const ACTIVE: &str = "active_microseconds";
pub(super) const TIMED: &str = "checkpoints_timed";
pub(super) const REQUESTED: &str = "checkpoints_requested";

/// In an hour; what was counted in less than an hour counts as it is.
fn hourly(scene: &Scene, name: &str) -> Part<(f64, f64, f64)> {
    let (grown, seconds) = scene.grown(name)?;
    Ok((grown * 3_600.0 / seconds.max(3_600.0), grown, seconds))
}

pub(super) fn deadlocks(scene: &Scene) -> Part<Measured> {
    part(&scene.databases)?;
    let (rate, grown, seconds) = hourly(scene, DEADLOCKS)?;
    let mut found = Measured::fine(format!("no deadlock in {seconds:.0} s"));
    found.add("rate", None, rate, format!("deadlocks in {seconds:.0} s: {grown:.0}"));
    Ok(found)
}

pub(super) fn rollbacks(scene: &Scene) -> Part<Measured> {
    part(&scene.databases)?;
    let ((committed, seconds), (back, _)) = (scene.grown(COMMITS)?, scene.grown(ROLLBACKS)?);
    let all = committed + back;
    let share = if all < LEAST_TRANSACTIONS { 0.0 } else { 100.0 * back / all };
    let said = format!("{back:.0} of {all:.0} transactions in {seconds:.0} s were rolled back");
    let mut found = Measured::fine(said.clone());
    found.add("share", None, share, said);
    Ok(found)
}

pub(super) fn disk(scene: &Scene) -> Part<Measured> {
    let mut found = Measured::fine("there is room");
    for disk in part(&scene.disks)? {
        let said = format!(
            "the disk of {} is {:.0} % full, {:.1} GB are left",
            disk.path,
            disk.used_percent,
            disk.free_bytes / 1_073_741_824.0
        );
        found.fine.clone_from(&said);
        found.add("used", Some(&disk.path), disk.used_percent, said);
    }
    Ok(found)
}

pub(super) fn replication_lag(scene: &Scene) -> Part<Measured> {
    let server = part(&scene.server)?;
    let standbys = part(&scene.standbys)?;
    let mut found = Measured::fine(match standbys.len() {
        0 => "nobody streams from here".to_owned(),
        1 => "1 standby follows".to_owned(),
        many => format!("{many} standbys follow"),
    });
    let gone = standbys.iter().filter(|s| s.is_hidden()).count();
    if gone > 0 {
        found.unknown =
            Some(format!("{} cannot be seen: GRANT pg_monitor TO this role", some(gone, "standby", "standbys")));
    }
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    found.add(
        "standbys",
        None,
        standbys.len() as f64,
        some(standbys.len(), "standby streams from here", "standbys stream from here"),
    );
    for s in standbys.iter().filter(|s| !s.is_hidden()) {
        let name = Some(s.name.as_str());
        let bytes = number(s.replay_bytes.unwrap_or_default()).max(0.0);
        found.add("lag", name, bytes, format!("standby {} has {:.1} MB to replay", s.name, bytes / 1_048_576.0));
        let delay = s.replay_seconds.filter(|_| bytes > 0.0).unwrap_or_default();
        found.add("delay", name, delay, format!("standby {} is {delay:.0} s behind", s.name));
    }
    if server.standby {
        let receiver = part(&scene.receiver)?;
        let Some(r) = receiver.first() else { return Err("the server is no standby any more".to_owned()) };
        found.fine = "it receives and replays".to_owned();
        if r.status.is_none() {
            found.unknown = Some("how this standby receives cannot be seen: GRANT pg_monitor TO this role".to_owned());
        }
        found.add("broken", None, f64::from(u8::from(r.is_cut_off())), "this standby receives no WAL");
        let paused = r.pause != "not paused";
        found.add("broken", None, f64::from(u8::from(paused)), "replay is paused on this standby");
        found.fix("SELECT pg_catalog.pg_wal_replay_resume()");
        let bytes = number(r.replay_bytes.unwrap_or_default()).max(0.0);
        found.add("lag", None, bytes, format!("this standby has {:.1} MB to replay", bytes / 1_048_576.0));
        let delay = r.replay_seconds.filter(|_| bytes > 0.0).unwrap_or_default();
        found.add("delay", None, delay, format!("this standby is {delay:.0} s behind"));
    }
    Ok(found)
}

pub(super) fn slots(scene: &Scene) -> Part<Measured> {
    let slots = part(&scene.slots)?;
    let mut found = Measured::fine(match slots.len() {
        0 => "there is no slot".to_owned(),
        many => some(many, "slot is in use and keeps little WAL", "slots are in use and keep little WAL"),
    });
    for s in slots {
        let name = Some(s.name.as_str());
        // Its reader may only be restarting, and without its slot would have to be made anew.
        let remedy = match &s.remedy {
            None => "let its consumer catch up".to_owned(),
            Some(sql) if s.is_lost() => sql.clone(),
            Some(sql) => format!("bring its consumer back; only if it is gone for good: {sql}"),
        };
        let kept = number(s.retained_bytes.unwrap_or_default()) / 1_048_576.0;
        if let Some(share) = s.retained_bytes.zip(s.limit_bytes).and_then(|(kept, limit)| percent(kept, limit)) {
            found.add(
                "retained",
                name,
                share,
                format!("slot {} keeps {kept:.0} MB of WAL, {share:.0} % of its limit", s.name),
            );
            found.fix(&remedy);
        }
        found.add("lost", name, f64::from(u8::from(s.is_lost())), format!("slot {} is lost", s.name));
        found.fix(&remedy);
        let inactive = !s.active && !s.temporary && !s.is_lost();
        found.add(
            "inactive",
            name,
            f64::from(u8::from(inactive)),
            format!("slot {} is inactive and keeps {kept:.0} MB of WAL", s.name),
        );
        found.fix(&remedy);
    }
    Ok(found)
}

fn wraparound(scene: &Scene, what: &str, age: fn(&Database) -> Option<i64>, limit: i64) -> Part<Measured> {
    let mut found = Measured::default();
    for d in part(&scene.databases)? {
        let Some(age) = age(d) else { continue };
        let (wrap, freeze) = (percent(age, 1 << 31).unwrap_or_default(), percent(age, limit).unwrap_or_default());
        let said = format!(
            "the oldest {what} of {} is {age} old: {wrap:.1} % of 2^31, {freeze:.0} % of freeze_max_age",
            d.database
        );
        if found.fine.is_empty() {
            found.fine.clone_from(&said);
        }
        found.add("wrap", Some(&d.database), wrap, said.clone());
        found.add("freeze", Some(&d.database), freeze, said);
    }
    Ok(found)
}

pub(super) fn xid_age(scene: &Scene) -> Part<Measured> {
    wraparound(scene, "xid", |d| d.xid_age, part(&scene.server)?.xid_freeze_max_age)
}

pub(super) fn mxid_age(scene: &Scene) -> Part<Measured> {
    wraparound(scene, "mxid", |d| d.mxid_age, part(&scene.server)?.mxid_freeze_max_age)
}

pub(super) fn xmin_horizon(scene: &Scene) -> Part<Measured> {
    let seen = part(&scene.activity)?;
    let mut found = Measured { unknown: hidden(scene)?, ..Measured::fine("nothing holds it for long") };
    for h in seen.holders.iter().take(LISTED) {
        let who = format!("{} {}", h.kind, h.name);
        if let Some(seconds) = h.seconds {
            found.add(
                "age",
                Some(&who),
                seconds.max(0.0),
                format!("{who} has kept old row versions for {seconds:.0} s"),
            );
            found.fix(&h.remedy);
        }
        let said = format!("{who} keeps the row versions of {} transactions", h.age);
        found.add("transactions", Some(&who), number(h.age), said);
        found.fix(&h.remedy);
    }
    Ok(found)
}

pub(super) fn autovacuum(scene: &Scene) -> Part<Measured> {
    let server = part(&scene.server)?;
    let mut found = Measured::fine("no table waits for it for long");
    found.add("off", None, f64::from(u8::from(!server.autovacuum)), "autovacuum is off for the whole server");
    found.fix("ALTER SYSTEM RESET autovacuum; SELECT pg_catalog.pg_reload_conf()");
    for t in part(&scene.queue)? {
        let name = Some(t.relation.as_str());
        if t.overdue() > 1.0 {
            found.add(
                "overdue",
                name,
                t.overdue(),
                format!("{} is {:.1} times over its threshold", t.relation, t.overdue()),
            );
            found.fix(t.remedy());
        }
        if !t.enabled {
            found.add("off", name, 1.0, format!("{} has autovacuum switched off", t.relation));
            found.fix(t.remedy());
        }
        if t.never_analyzed {
            found.add("never_analyzed", name, 1.0, format!("{} was never analyzed", t.relation));
            found.fix(format!("ANALYZE {}", t.relation));
        }
    }
    Ok(found)
}

pub(super) fn cache_hit(scene: &Scene) -> Part<Measured> {
    part(&scene.databases)?;
    let ((hit, seconds), (read, _)) = (scene.grown(HITS)?, scene.grown(READS)?);
    let all = hit + read;
    let share = if all < LEAST_BLOCKS { 100.0 } else { 100.0 * hit / all };
    let said = format!("{hit:.0} of {all:.0} blocks in {seconds:.0} s were found in shared buffers");
    let mut found = Measured::fine(said.clone());
    found.add("share", None, share, said);
    Ok(found)
}

pub(super) fn archiving(scene: &Scene) -> Part<Measured> {
    let a = part(&scene.archiver)?;
    if a.mode == "off" {
        return Ok(Measured::fine("archive_mode is off"));
    }
    let mut found = Measured::fine(format!("files archived so far: {}", a.archived));
    let file = a.last_failed_wal.as_deref().unwrap_or("a file");
    found.add(
        "failing",
        None,
        f64::from(u8::from(a.failing)),
        format!("{file} cannot be archived (failures so far: {})", a.failed),
    );
    Ok(found)
}

pub(super) fn checksums(scene: &Scene) -> Part<Measured> {
    if !part(&scene.server)?.data_checksums {
        return Err("data checksums are off: damage would not be seen (pg_checksums --enable)".to_owned());
    }
    let mut found = Measured::fine("no damaged page was met");
    for d in part(&scene.databases)? {
        let failures = d.checksum_failures.unwrap_or_default();
        found.add(
            "failures",
            Some(&d.database),
            number(failures),
            format!("damaged pages met in {}: {failures}", d.database),
        );
    }
    Ok(found)
}

pub(super) fn pending_restart(scene: &Scene) -> Part<Measured> {
    let settings = part(&scene.settings)?;
    let waiting = &settings.pending_restart;
    let mut found = Measured::fine("no setting waits for a restart");
    // One of those that pg_settings does not show to everybody.
    if settings.data_directory.is_none() {
        found.unknown = Some("settings for superusers cannot be seen: GRANT pg_monitor TO this role".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    found.add("settings", None, waiting.len() as f64, format!("waits for a restart: {}", waiting.join(", ")));
    Ok(found)
}

pub(super) fn fsync(scene: &Scene) -> Part<Measured> {
    let server = part(&scene.server)?;
    let mut found = Measured::fine("fsync and full_page_writes are on");
    for (name, on) in [("fsync", server.fsync), ("full_page_writes", server.full_page_writes)] {
        found.add(
            "off",
            Some(name),
            f64::from(u8::from(!on)),
            format!("{name} is off: a crash can destroy the database"),
        );
        found.fix(format!("ALTER SYSTEM RESET {name}; SELECT pg_catalog.pg_reload_conf()"));
    }
    Ok(found)
}

pub(super) fn collation(scene: &Scene) -> Part<Measured> {
    let mut found = Measured::fine("every collation has the version of its library");
    for c in part(&scene.collations)? {
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "none".to_owned());
        let said = format!(
            "{} was made with version {}, the library is {}",
            c.object,
            version(&c.recorded),
            version(&c.actual)
        );
        found.add("changed", Some(&c.object), 1.0, said);
        found.fix(format!("-- REINDEX what uses it, then: {}", c.remedy));
    }
    Ok(found)
}

pub(super) fn stats_age(scene: &Scene) -> Part<Measured> {
    let mut found = Measured::fine("the statistics were never reset");
    let here = part(&scene.databases)?.iter().find(|d| d.here);
    if let Some(seconds) = here.and_then(|d| d.stats_seconds) {
        found.fine = format!("the statistics were reset {:.1} h ago", seconds / 3_600.0);
        found.add("age", None, seconds, format!("the statistics were reset {seconds:.0} s ago"));
    }
    Ok(found)
}

pub(super) fn temp_files(scene: &Scene) -> Part<Measured> {
    part(&scene.databases)?;
    let (rate, grown, seconds) = hourly(scene, TEMP)?;
    let said = format!("{:.0} MB of temporary files in {seconds:.0} s", grown / 1_048_576.0);
    let mut found = Measured::fine(said.clone());
    found.add("rate", None, rate, said);
    Ok(found)
}

pub(super) fn checkpoints(scene: &Scene) -> Part<Measured> {
    part(&scene.checkpoints)?;
    let ((timed, seconds), (requested, _)) = (scene.grown(TIMED)?, scene.grown(REQUESTED)?);
    let all = timed + requested;
    let share = if all < LEAST_CHECKPOINTS { 0.0 } else { 100.0 * requested / all };
    let said = format!("{requested:.0} of {all:.0} checkpoints in {seconds:.0} s were asked for");
    let mut found = Measured::fine(said.clone());
    found.add("requested", None, share, said);
    Ok(found)
}

pub(super) fn latency(scene: &Scene) -> Part<Measured> {
    part(&scene.databases)?;
    let ((active, seconds), (committed, _), (back, _)) =
        (scene.grown(ACTIVE)?, scene.grown(COMMITS)?, scene.grown(ROLLBACKS)?);
    let all = committed + back;
    let mean = if all < 1.0 { 0.0 } else { active / 1e6 / all };
    let said = format!("{all:.0} transactions in {seconds:.0} s were at work for {:.1} ms on average", mean * 1_000.0);
    let mut found = Measured::fine(said.clone());
    found.add("mean", None, mean, said);
    Ok(found)
}
