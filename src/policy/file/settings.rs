//! What `defaults` and a table's own entry may both say: locks, rails, runway, clones. A key that an
//! entry leaves out is taken from the defaults.

use std::time::Duration;

use chrono_tz::Tz;

use super::super::shape::{CLONES, DAYS, DEFAULT_RULES, LOCK, MISALIGNED, ON_BLOCKED, RAILS, RUNWAY};
use super::super::{Ahead, Clones, DayRange, DefaultRule, LockPolicy, Misaligned, Protect, Rails, Runway};
use super::{map, words};
use crate::config::parse_duration;
use crate::config::yaml::{Field, Fields, Reader};
use crate::policy::span::Span;

/// What is in effect for an entry.
#[derive(Clone)]
pub struct Settings {
    pub timezone: Option<Tz>,
    pub ahead: Ahead,
    pub default_partition: DefaultRule,
    pub on_misaligned: Misaligned,
    pub lock: LockPolicy,
    pub rails: Rails,
    pub runway: Runway,
    pub clone: Clones,
}

impl Settings {
    /// Where the file says nothing.
    pub fn of_dbctl() -> Settings {
        Settings {
            timezone: None,
            ahead: Ahead::Periods(3),
            default_partition: DefaultRule::Forbid,
            on_misaligned: Misaligned::Error,
            lock: LockPolicy {
                timeout: Duration::from_millis(50),
                patience: Duration::from_secs(600),
                first_pause: Duration::from_millis(200),
                longest_pause: Duration::from_secs(5),
                detach_wait: Duration::from_secs(60),
            },
            rails: Rails {
                max_drops: 3,
                max_drop_fraction: 0.25,
                grace: Span { days: 7, ..Span::default() },
                protect: Vec::new(),
            },
            runway: Runway { warn: 0.5, crit: 0.2 },
            clone: clones(&CLONES),
        }
    }

    /// These settings with what the fields say instead.
    pub fn with(&self, reader: &mut Reader<'_>, fields: &Fields<'_>) -> Settings {
        let mut own = self.clone();
        if let Some(field) = fields.get("timezone") {
            // A wrong one is said once, not that it is missing as well.
            own.timezone = Some(words::zone(reader, field).unwrap_or(Tz::UTC));
        }
        if let Some(ahead) = fields.get("ahead").and_then(|field| reader.parsed(field, words::ahead)) {
            own.ahead = ahead;
        }
        match fields.get("default_partition").and_then(|field| reader.word(field, &DEFAULT_RULES)) {
            Some("forbid") => own.default_partition = DefaultRule::Forbid,
            Some("allow") => own.default_partition = DefaultRule::Allow,
            Some("require") => own.default_partition = DefaultRule::Require,
            _ => {}
        }
        match fields.get("on_misaligned").and_then(|field| reader.word(field, &MISALIGNED)) {
            Some("error") => own.on_misaligned = Misaligned::Error,
            Some("bridge") => own.on_misaligned = Misaligned::Bridge,
            _ => {}
        }
        if let Some(field) = fields.get("lock") {
            own.lock = lock(reader, field, own.lock);
        }
        if let Some(field) = fields.get("rails") {
            own.rails = rails(reader, field, own.rails);
        }
        if let Some(field) = fields.get("runway") {
            own.runway = runway(reader, field, own.runway);
        }
        if let Some(field) = fields.get("clone") {
            let chosen: Vec<&str> = reader.items(field).iter().filter_map(|item| reader.word(item, &CLONES)).collect();
            own.clone = clones(&chosen);
        }
        own
    }
}

fn clones(chosen: &[&str]) -> Clones {
    let has = |word: &str| chosen.contains(&word);
    Clones {
        owner: has("owner"),
        grants: has("grants"),
        replica_identity: has("replica_identity"),
        reloptions: has("reloptions"),
        tablespace: has("tablespace"),
        row_security: has("row_security"),
    }
}

/// How locks are taken.
pub fn lock(reader: &mut Reader<'_>, field: &Field<'_>, mut lock: LockPolicy) -> LockPolicy {
    let fields = map(reader, field, &LOCK);
    if let Some(timeout) = fields.get("timeout").and_then(|field| reader.parsed(field, words::some_time)) {
        lock.timeout = timeout;
    }
    // 0: one attempt.
    if let Some(patience) = fields.get("patience").and_then(|field| reader.parsed(field, parse_duration)) {
        lock.patience = patience;
    }
    if let Some((first, longest)) = fields.get("backoff").and_then(|field| reader.parsed(field, words::backoff)) {
        (lock.first_pause, lock.longest_pause) = (first, longest);
    }
    if let Some(wait) = fields.get("detach_wait").and_then(|field| reader.parsed(field, words::some_time)) {
        lock.detach_wait = wait;
    }
    // The one thing that there is to do: written out, it reads well.
    if let Some(field) = fields.get("on_blocked") {
        reader.word(field, &ON_BLOCKED);
    }
    lock
}

fn rails(reader: &mut Reader<'_>, field: &Field<'_>, mut rails: Rails) -> Rails {
    let fields = map(reader, field, &RAILS);
    if let Some(drops) = fields.get("max_drops").and_then(|field| reader.whole(field, 1..=100_000)) {
        rails.max_drops = drops;
    }
    if let Some(share) = fields.get("max_drop_fraction").and_then(|field| reader.parsed(field, words::share)) {
        rails.max_drop_fraction = share;
    }
    if let Some(grace) = fields.get("grace").and_then(|field| reader.parsed(field, Span::parse)) {
        rails.grace = grace;
    }
    if let Some(field) = fields.get("protect") {
        let items = reader.items(field);
        rails.protect = items.iter().filter_map(|item| protect(reader, item)).collect();
    }
    rails
}

fn protect(reader: &mut Reader<'_>, item: &Field<'_>) -> Option<Protect> {
    if !item.is_map() {
        return reader.text(item).map(Protect::Named);
    }
    let fields = map(reader, item, &DAYS);
    let range = days(reader, &fields);
    if fields.get("from").is_none() && fields.get("to").is_none() {
        reader.refuse_key(item, format!("{}: no days", item.name), Some("give it from, to, or both".to_owned()));
    }
    Some(Protect::Days(range))
}

/// `from` and `to` of a map.
pub fn days(reader: &mut Reader<'_>, fields: &Fields<'_>) -> DayRange {
    let from = fields.get("from").and_then(|field| reader.parsed(field, words::day));
    let to = fields.get("to").and_then(|field| reader.parsed(field, words::day));
    if let (Some(field), Some(first), Some(end)) = (fields.get("to"), from, to)
        && end <= first
    {
        let message = format!("{}: {end} is not after from, {first}", field.name);
        reader.refuse(field, message, Some("to is the first day that is not in it any more".to_owned()));
    }
    DayRange { from, to }
}

fn runway(reader: &mut Reader<'_>, field: &Field<'_>, mut runway: Runway) -> Runway {
    let fields = map(reader, field, &RUNWAY);
    if let Some(warn) = fields.get("warn").and_then(|field| reader.parsed(field, words::share)) {
        runway.warn = warn;
    }
    if let Some(crit) = fields.get("crit").and_then(|field| reader.parsed(field, words::share)) {
        runway.crit = crit;
    }
    if runway.crit > runway.warn {
        let message = format!("{}: crit is more than warn", field.name);
        reader.refuse_key(field, message, Some("check warns first: write warn: 50%, crit: 20%".to_owned()));
    }
    runway
}
