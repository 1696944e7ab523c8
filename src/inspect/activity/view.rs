//! What goes on as a document. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::read::Seen;
use crate::inspect::backend::Backend;
use crate::output::{Column, Document, Table, Value};

/// The document; `longer_than` is the age from which on a transaction is long.
pub fn view(seen: &Seen, longer_than: Duration) -> Document {
    let clients: Vec<&Backend> = seen.backends.iter().filter(|b| is_session(b)).collect();
    let hidden = hidden(seen);
    let mut document = Document::new("activity", 1)
        .machine("at", seen.at)
        .fact("database", "database", seen.database.as_str())
        .fact("standby", "standby", seen.standby)
        .fact("sessions", "sessions", clients.len())
        .fact("max_connections", "max_connections", seen.max_connections)
        .machine("hidden", hidden)
        .table(states(&clients))
        .table(groups(&clients))
        .table(transactions(seen, longer_than))
        .table(idle(seen))
        .table(horizon(seen, longer_than));
    if hidden > 0 {
        document = document.note(format!(
            "{hidden} sessions of other roles are UNKNOWN but for their names; to see them: GRANT pg_monitor TO this role"
        ));
    }
    for unknown in &seen.unknown {
        document = document.note(unknown.clone());
    }
    document
}

/// Not one of the server's own processes; of what says nothing of itself, those in a database.
fn is_session(backend: &Backend) -> bool {
    match &backend.backend_type {
        Some(kind) => kind == "client backend",
        None => backend.hidden && backend.database.is_some(),
    }
}

/// How many sessions say nothing of themselves to this role.
fn hidden(seen: &Seen) -> usize {
    seen.backends.iter().filter(|b| b.hidden && is_session(b)).count()
}

/// What an empty table means: nothing is there, unless some could not be looked at.
fn none<'a>(seen: &Seen, nothing: &'a str, unknown: &'a str) -> &'a str {
    if hidden(seen) == 0 { nothing } else { unknown }
}

fn state(backend: &Backend) -> String {
    if backend.hidden { "UNKNOWN".to_owned() } else { backend.state.clone().unwrap_or_else(|| "-".to_owned()) }
}

fn states(clients: &[&Backend]) -> Table {
    let columns = vec![
        Column::new("state", "state"),
        Column::new("sessions", "sessions"),
        Column::new("waiting_for_locks", "waiting for locks"),
        Column::new("oldest_seconds", "longest so"),
    ];
    let mut table = Table::new("states", "No session but this one.", columns);
    let mut states: BTreeMap<String, Vec<&Backend>> = BTreeMap::new();
    for backend in clients {
        states.entry(state(backend)).or_default().push(backend);
    }
    for (state, members) in states {
        let locks = members.iter().filter(|b| b.waits_for.as_deref() == Some("Lock")).count();
        let oldest = members.iter().filter_map(|b| b.state_seconds).reduce(f64::max);
        let oldest = oldest.map_or(Value::None, Value::Seconds);
        table.push(vec![state.into(), members.len().into(), locks.into(), oldest]);
    }
    table
}

fn groups(clients: &[&Backend]) -> Table {
    let columns = vec![
        Column::new("database", "database"),
        Column::new("role", "role"),
        Column::new("application", "application"),
        Column::new("client", "client"),
        Column::new("sessions", "sessions"),
        Column::new("active", "active"),
        Column::new("idle_in_transaction", "idle in tx"),
    ];
    let mut table = Table::new("groups", "", columns);
    let mut groups: BTreeMap<_, Vec<&Backend>> = BTreeMap::new();
    for b in clients {
        groups.entry((&b.database, &b.role, &b.application, &b.client)).or_default().push(b);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    for ((database, role, application, client), members) in groups {
        let active = members.iter().filter(|b| b.state.as_deref() == Some("active")).count();
        let idle = members.iter().filter(|b| b.is_idle_in_transaction()).count();
        table.push(vec![
            database.clone().into(),
            role.clone().into(),
            application.clone().into(),
            client.clone().into(),
            members.len().into(),
            active.into(),
            idle.into(),
        ]);
    }
    table
}

fn transactions(seen: &Seen, longer_than: Duration) -> Table {
    let columns = vec![
        Column::new("pid", "pid"),
        Column::new("role", "role"),
        Column::machine("database"),
        Column::machine("application"),
        Column::machine("client"),
        Column::new("state", "state"),
        Column::new("transaction_seconds", "transaction"),
        Column::machine("state_seconds"),
        Column::new("query", "query"),
    ];
    let empty = none(seen, "No transaction is open for long.", "Whether a transaction is open for long is UNKNOWN.");
    let mut table = Table::new("long_transactions", empty, columns);
    let age = |b: &Backend| b.transaction_seconds.unwrap_or_default();
    let mut long: Vec<&Backend> = seen.backends.iter().filter(|b| age(b) > longer_than.as_secs_f64()).collect();
    long.sort_by(|a, b| age(b).total_cmp(&age(a)).then(a.pid.cmp(&b.pid)));
    for b in long {
        table.push(vec![
            i64::from(b.pid).into(),
            b.role.clone().into(),
            b.database.clone().into(),
            b.application.clone().into(),
            b.client.clone().into(),
            state(b).into(),
            b.transaction_seconds.map_or(Value::None, Value::Seconds),
            b.state_seconds.map_or(Value::None, Value::Seconds),
            b.query.clone().into(),
        ]);
    }
    table
}

fn idle(seen: &Seen) -> Table {
    let columns = vec![
        Column::new("pid", "pid"),
        Column::new("role", "role"),
        Column::new("state_seconds", "idle"),
        Column::new("transaction_seconds", "transaction"),
        Column::new("holds", "holds"),
        Column::machine("query"),
        Column::new("remedy", "ends it"),
    ];
    let empty = none(seen, "Nobody is idle in a transaction.", "Whether somebody is idle in a transaction is UNKNOWN.");
    let mut table = Table::new("idle_in_transaction", empty, columns);
    let mut idle: Vec<&Backend> = seen.backends.iter().filter(|b| b.is_idle_in_transaction()).collect();
    idle.sort_by(|a, b| b.state_seconds.unwrap_or_default().total_cmp(&a.state_seconds.unwrap_or_default()));
    for b in idle {
        let held = seen.held.get(&b.pid).cloned();
        // What is held in another database cannot be named from here.
        let elsewhere = b.database.as_ref().is_some_and(|database| *database != seen.database);
        table.push(vec![
            i64::from(b.pid).into(),
            b.role.clone().into(),
            b.state_seconds.map_or(Value::None, Value::Seconds),
            b.transaction_seconds.map_or(Value::None, Value::Seconds),
            if elsewhere || !seen.unknown.is_empty() { Value::Unknown } else { Value::List(held.unwrap_or_default()) },
            b.query.clone().into(),
            format!("dbctl locks terminate {}", b.pid).into(),
        ]);
    }
    table
}

fn horizon(seen: &Seen, longer_than: Duration) -> Table {
    let columns = vec![
        Column::new("holder", "holds the horizon"),
        Column::new("name", "name"),
        Column::machine("database"),
        Column::new("age_transactions", "transactions"),
        Column::new("age_seconds", "since"),
        Column::new("remedy", "ends it"),
    ];
    let mut table = Table::new("horizon", "Nothing holds the horizon.", columns);
    for holder in &seen.holders {
        // What has just begun is no reason to end anybody's work.
        let young = holder.seconds.is_some_and(|seconds| seconds <= longer_than.as_secs_f64());
        let remedy = if young { "-- wait: it has just begun" } else { holder.remedy.as_str() };
        table.push(vec![
            holder.kind.as_str().into(),
            holder.name.as_str().into(),
            holder.database.clone().into(),
            holder.age.into(),
            holder.seconds.map_or(Value::None, Value::Seconds),
            remedy.into(),
        ]);
    }
    table
}
