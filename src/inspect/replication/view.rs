//! Replication as a document. Pure.

use super::{Receiver, Seen};
use crate::inspect::vitals::Part;
use crate::output::{Column, Document, Table, Value};

/// The document.
pub fn view(seen: &Seen) -> Document {
    let mut notes = Vec::new();
    let mut document = Document::new("replication", 1);
    let standby = match &seen.server {
        Ok(server) => {
            document = document.fact("database", "database", server.database.as_str());
            document = document.fact("standby", "standby", server.standby);
            server.standby
        }
        Err(why) => {
            notes.push(format!("the server's settings are UNKNOWN: {why}"));
            false
        }
    };
    match &seen.receiver {
        Ok(rows) => {
            if let Some(receiver) = rows.first() {
                document = receives(document, receiver);
                if receiver.status.is_none() {
                    notes.push(
                        "how this standby receives is UNKNOWN; to see it: GRANT pg_monitor TO this role".to_owned(),
                    );
                }
                if receiver.pause != "not paused" {
                    notes.push("replay is paused; SELECT pg_catalog.pg_wal_replay_resume() goes on".to_owned());
                }
            }
        }
        Err(why) => notes.push(format!("how it receives is UNKNOWN: {why}")),
    }
    document = document.table(standbys(seen, &mut notes)).table(slots(seen, &mut notes));
    let conflicts = conflicts(seen, &mut notes);
    if standby || !conflicts.rows.is_empty() {
        document = document.table(conflicts);
    }
    document = document.table(subscriptions(seen, &mut notes));
    document.notes = notes;
    document
}

fn receives(document: Document, r: &Receiver) -> Document {
    let from = r.sender.as_ref().map(|sender| match r.port {
        Some(port) => format!("{sender}, port {port}"),
        None => sender.clone(),
    });
    // All that came may be replayed, and yet nothing comes any more.
    let behind = if r.is_cut_off() { Value::Unknown } else { caught_up(r.replay_bytes, r.replay_seconds) };
    document
        .fact("receiver", "receiver", r.status.clone().map_or(Value::Unknown, Value::Text))
        .fact("receives_from", "receives from", from.map_or(Value::Unknown, Value::Text))
        .fact("receiver_slot", "slot", r.slot.clone())
        .fact("replay_bytes", "to be replayed", bytes(r.replay_bytes))
        .fact("replay_seconds", "replay is behind by", behind)
        .fact("last_message_seconds", "last message", seconds(r.message_seconds))
        .fact("replay_pause", "replay", r.pause.as_str())
        .machine("received_lsn", r.received.clone())
        .machine("replayed_lsn", r.replayed.clone())
}

fn standbys(seen: &Seen, notes: &mut Vec<String>) -> Table {
    let columns = vec![
        Column::machine("pid"),
        Column::new("name", "standby"),
        Column::machine("client"),
        Column::machine("role"),
        Column::new("state", "state"),
        Column::new("sync_state", "sync"),
        Column::new("sent_bytes", "to send"),
        Column::new("write_bytes", "to write"),
        Column::new("flush_bytes", "to flush"),
        Column::new("replay_bytes", "to replay"),
        Column::machine("write_seconds"),
        Column::machine("flush_seconds"),
        Column::new("replay_seconds", "behind"),
    ];
    let mut table =
        Table::new("standbys", empty(&seen.standbys, "Nobody streams from here.", "standbys", notes), columns);
    let rows = seen.standbys.as_deref().unwrap_or_default();
    for s in rows {
        let text = |text: &Option<String>| text.clone().map_or(Value::Unknown, Value::Text);
        let hidden = s.is_hidden();
        let lag = |lag| if hidden { Value::Unknown } else { bytes(lag) };
        let time = |time| if hidden { Value::Unknown } else { seconds(time) };
        table.push(vec![
            s.pid.into(),
            s.name.as_str().into(),
            s.client.clone().into(),
            s.role.clone().into(),
            text(&s.state),
            text(&s.sync_state),
            lag(s.sent_bytes),
            lag(s.write_bytes),
            lag(s.flush_bytes),
            lag(s.replay_bytes),
            time(s.write_seconds),
            time(s.flush_seconds),
            time(s.replay_seconds),
        ]);
    }
    let hidden = rows.iter().filter(|s| s.is_hidden()).count();
    if hidden > 0 {
        let who = if hidden == 1 { "1 standby is".to_owned() } else { format!("{hidden} standbys are") };
        notes.push(format!("how far {who} is UNKNOWN; to see it: GRANT pg_monitor TO this role"));
    }
    table
}

fn slots(seen: &Seen, notes: &mut Vec<String>) -> Table {
    let columns = vec![
        Column::new("name", "slot"),
        Column::new("type", "type"),
        Column::machine("database"),
        Column::new("active", "active"),
        Column::new("wal_status", "WAL"),
        Column::new("retained_bytes", "keeps"),
        Column::new("limit_bytes", "limit"),
        Column::new("safe_bytes", "left"),
        Column::new("inactive_seconds", "inactive"),
        Column::machine("invalidation_reason"),
        Column::machine("remedy"),
    ];
    let mut table = Table::new("slots", empty(&seen.slots, "There is no replication slot.", "slots", notes), columns);
    for s in seen.slots.as_deref().unwrap_or_default() {
        table.push(vec![
            s.name.as_str().into(),
            s.kind.as_str().into(),
            s.database.clone().into(),
            s.active.into(),
            s.wal_status.clone().into(),
            bytes(s.retained_bytes),
            bytes(s.limit_bytes),
            bytes(s.safe_bytes),
            seconds(s.inactive_seconds),
            s.invalidation_reason.clone().into(),
            s.remedy.clone().into(),
        ]);
        if s.is_lost() {
            let why = s.invalidation_reason.clone().unwrap_or_else(|| "it has lost WAL".to_owned());
            let remedy = s.remedy.clone().unwrap_or_default();
            notes.push(format!("slot {} is of no use any more ({why}): {remedy}", s.name));
        } else if !s.active && !s.temporary && s.limit_bytes.is_none() {
            notes.push(format!(
                "slot {} is inactive and keeps WAL without limit (max_slot_wal_keep_size): {}",
                s.name,
                s.remedy.clone().unwrap_or_default()
            ));
        }
    }
    table
}

fn conflicts(seen: &Seen, notes: &mut Vec<String>) -> Table {
    let columns = vec![
        Column::new("database", "replay cancelled in"),
        Column::new("tablespace", "tablespace"),
        Column::new("lock", "lock"),
        Column::new("snapshot", "snapshot"),
        Column::new("buffer_pin", "buffer pin"),
        Column::new("deadlock", "deadlock"),
        Column::new("logical_slot", "logical slot"),
    ];
    let none = "Replay cancelled no query.";
    let mut table = Table::new("conflicts", empty(&seen.conflicts, none, "conflicts", notes), columns);
    for c in seen.conflicts.as_deref().unwrap_or_default() {
        table.push(vec![
            c.database.as_str().into(),
            c.tablespace.into(),
            c.lock.into(),
            c.snapshot.into(),
            c.buffer_pin.into(),
            c.deadlock.into(),
            c.logical_slot.into(),
        ]);
    }
    table
}

fn subscriptions(seen: &Seen, notes: &mut Vec<String>) -> Table {
    let columns = vec![
        Column::new("name", "subscription"),
        Column::new("state", "state"),
        Column::machine("pid"),
        Column::machine("received_lsn"),
        Column::new("behind_bytes", "behind"),
        Column::new("message_seconds", "last message"),
        Column::new("tables_not_ready", "tables not ready"),
        Column::new("errors", "errors"),
    ];
    let none = "There is no logical subscription.";
    let mut table = Table::new("subscriptions", empty(&seen.subscriptions, none, "subscriptions", notes), columns);
    let rows = seen.subscriptions.as_deref().unwrap_or_default();
    for s in rows {
        let errors = match &seen.errors {
            Ok(all) => {
                let errors = all.iter().find(|errors| errors.name == s.name);
                Value::Int(errors.map_or(0, |errors| errors.apply_errors + errors.sync_errors))
            }
            Err(_) => Value::Unknown,
        };
        let state = match (s.enabled, s.pid) {
            (false, _) => "disabled",
            (true, None) => "not running",
            (true, Some(_)) => "runs",
        };
        table.push(vec![
            s.name.as_str().into(),
            state.into(),
            s.pid.into(),
            s.received.clone().into(),
            bytes(s.behind_bytes),
            seconds(s.message_seconds),
            s.tables_not_ready.into(),
            errors,
        ]);
    }
    if let (false, Err(why)) = (rows.is_empty(), &seen.errors) {
        notes.push(format!("errors of subscriptions are UNKNOWN: {why}"));
    }
    table
}

/// What a person reads in the place of no rows.
fn empty<T>(part: &Part<Vec<T>>, none: &'static str, what: &str, notes: &mut Vec<String>) -> &'static str {
    match part {
        Ok(_) => none,
        Err(why) => {
            notes.push(format!("{what}: UNKNOWN, {why}"));
            "UNKNOWN: see the note below."
        }
    }
}

fn bytes(bytes: Option<i64>) -> Value {
    // What moves on while it is looked at can be ahead by a moment.
    bytes.map_or(Value::None, |bytes| Value::Bytes(u64::try_from(bytes).unwrap_or_default()))
}

fn seconds(seconds: Option<f64>) -> Value {
    seconds.map_or(Value::None, Value::Seconds)
}

/// The time that replay is behind: none when all is replayed.
fn caught_up(bytes: Option<i64>, time: Option<f64>) -> Value {
    if bytes == Some(0) { Value::Seconds(0.0) } else { time.map_or(Value::Unknown, Value::Seconds) }
}
