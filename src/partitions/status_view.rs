//! How tables stand, as an answer: one table of what the policy names, one of what waits or is odd,
//! one of partitions where tables were asked for. Knows columns, not terminals.

use chrono::{DateTime, Utc};

use super::check::Scene;
use super::observe::{Estimate, Looked};
use super::plan::raw;
use super::status::{Standing, TableStatus, is_open, seconds};
use crate::ident::TableName;
use crate::output::{Column, Document, Table, Value};
use crate::policy::key::Edge;

/// Adds it to an answer's head.
pub(super) fn document(head: Document, scene: &Scene<'_>) -> Document {
    let mut document = head;
    let run = scene.observed.last_run.as_ref();
    let unreadable = scene.snapshot.state.unreadable;
    let (last, outcome, good) = match run {
        _ if unreadable => (Value::Unknown, Value::Unknown, Value::Unknown),
        Err(_) => (Value::Unknown, Value::Unknown, Value::Unknown),
        Ok(None) => (Value::None, Value::None, Value::None),
        Ok(Some(run)) => {
            let ended = run.outcome.clone().unwrap_or_else(|| "at work, or killed".to_owned());
            (run.started_at.into(), ended.into(), run.good_at.into())
        }
    };
    document = document.fact("last_run_at", "last rotate", last).fact("last_run_outcome", "it ended", outcome).fact(
        "last_good_run_at",
        "last good one",
        good,
    );
    document = document.table(tables(scene)).table(waiting(scene));
    if !scene.only.is_empty() {
        document = document.table(partitions(scene));
    }
    let unmeasured: usize = scene.statuses.iter().flatten().map(|status| status.unmeasured).sum();
    document = document.note(match unmeasured {
        0 => "rows and sizes are estimates, of the last VACUUM or ANALYZE of each partition".to_owned(),
        some => format!(
            "rows and sizes are estimates, of the last VACUUM or ANALYZE of each partition; {some} partitions have \
             seen none and are not in them"
        ),
    });
    if unreadable {
        document = document.note("schema dbctl may not be read: what waits for its end and what was armed are UNKNOWN");
    }
    document
}

fn known<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = (&'s Looked<'s>, &'s TableStatus)> {
    scene.looked.iter().zip(scene.statuses).filter_map(|(looked, status)| Some((looked, status.as_ref()?)))
}

fn until(now: DateTime<Utc>, at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::None, |at| Value::Seconds(seconds(at - now)))
}

fn bytes(bytes: Option<u64>) -> Value {
    bytes.map_or(Value::Unknown, Value::Bytes)
}

fn rows(rows: Option<i64>) -> Value {
    rows.map_or(Value::Unknown, Value::Int)
}

fn tables(scene: &Scene<'_>) -> Table {
    let mut table = Table::new(
        "tables",
        "the policy names no table of this database",
        vec![
            Column::new("table", "table"),
            Column::new("partitions", "parts"),
            Column::new("rows", "rows ~"),
            Column::new("size_bytes", "size ~"),
            Column::new("runway_seconds", "runway"),
            Column::new("next_expiry_seconds", "expires in"),
            Column::new("expired", "expired"),
            Column::machine("unmeasured"),
            Column::machine("covered_until"),
            Column::machine("runway_ratio"),
            Column::machine("runway_values"),
            Column::machine("next_expiry_at"),
            Column::machine("held"),
            Column::machine("protected"),
            Column::machine("default_partition"),
            Column::machine("default_rows"),
            Column::machine("pending_detach"),
            Column::machine("aside"),
            Column::machine("armed"),
            Column::machine("failure"),
        ],
    );
    for (looked, status) in scene.looked.iter().zip(scene.statuses) {
        let name = Value::from(looked.entry.table.to_string());
        let (Ok(found), Some(status)) = (&looked.found, status) else {
            let why = looked.found.as_ref().err().map(|failure| failure.messages().join(": "));
            let columns = table.columns.len();
            let mut row = vec![name];
            row.resize(columns - 1, Value::Unknown);
            row.push(why.into());
            table.push(row);
            continue;
        };
        let runway = &status.runway;
        let unreadable = scene.snapshot.state.unreadable;
        let parent = raw(&status.table);
        let aside = scene.snapshot.state.leaving.iter().filter(|row| row.parent == parent && is_open(row)).count();
        table.push(vec![
            name,
            status.members.len().into(),
            rows(status.rows),
            bytes(status.bytes),
            match (runway.seconds(), runway.covered) {
                (Some(seconds), _) => Value::Seconds(seconds),
                (None, Some(Edge::Max)) => "for ever".into(),
                _ => Value::None,
            },
            until(scene.now, status.next_expiry),
            status.count("expired").into(),
            status.unmeasured.into(),
            runway.covered.map_or(Value::None, |edge| found.set.bound_text(edge).into()),
            runway.ratio().filter(|ratio| ratio.is_finite()).map_or(Value::None, Value::Float),
            if runway.is_time || !runway.length.is_finite() { Value::None } else { Value::Float(runway.length) },
            status.next_expiry.into(),
            status.count("held").into(),
            status.count("protected").into(),
            status.default.as_ref().map(|(name, _)| name.to_string()).into(),
            match &status.default {
                None => Value::None,
                Some((_, rows)) => rows.as_ref().ok().and_then(|rows| rows.rows).map_or(Value::Unknown, Value::Int),
            },
            Value::List(status.pending.iter().map(ToString::to_string).collect()),
            if unreadable { Value::Unknown } else { aside.into() },
            status.armed.map_or(Value::Unknown, Value::Bool),
            Value::None,
        ]);
    }
    table
}

/// What waits, and what a person may wonder about.
fn waiting(scene: &Scene<'_>) -> Table {
    let mut table = Table::new(
        "waiting",
        "nothing waits, nothing is odd",
        vec![
            Column::new("table", "table"),
            Column::new("what", "what"),
            Column::new("partition", "partition"),
            Column::new("until_seconds", "for"),
            Column::new("detail", "detail"),
            Column::machine("until"),
            Column::machine("rows"),
            Column::machine("size_bytes"),
        ],
    );
    let plain = |name: &str, what: &str, partition: String, detail: String| -> Vec<Value> {
        vec![
            name.into(),
            what.into(),
            partition.into(),
            Value::None,
            detail.into(),
            Value::None,
            Value::None,
            Value::None,
        ]
    };
    for (looked, status) in scene.looked.iter().zip(scene.statuses) {
        let name = looked.entry.table.to_string();
        let Some(status) = status else {
            let why = looked.found.as_ref().err().map(|failure| failure.messages().join(": "));
            table.push(plain(&name, "UNKNOWN", String::new(), why.unwrap_or_default()));
            continue;
        };
        if let Some((default, rows)) = &status.default {
            let detail = match rows {
                Ok(counted) => match (counted.rows, &counted.oldest, &counted.newest) {
                    (Some(0), ..) => "no rows".to_owned(),
                    (Some(rows), Some(oldest), Some(newest)) => format!("{rows} rows, {oldest} to {newest}"),
                    (Some(rows), ..) => format!("{rows} rows"),
                    (None, ..) => "rows, too many to count in 5 s".to_owned(),
                },
                Err(unknown) => format!("rows UNKNOWN: {}", unknown.why),
            };
            table.push(plain(&name, "DEFAULT", default.to_string(), detail));
        }
        for pending in &status.pending {
            table.push(plain(&name, "pending detach", pending.to_string(), "rows of its range are refused".to_owned()));
        }
        let expired = status.count("expired");
        if status.armed == Some(false) && expired > 0 {
            let detail = format!("{expired} have expired: dbctl partitions rotate --arm, once");
            table.push(plain(&name, "not armed", String::new(), detail));
        }
        for member in &status.members {
            match &member.standing {
                Standing::Held(id) => table.push(plain(&name, "held", member.name.to_string(), id.clone())),
                Standing::Protected(why) => table.push(plain(&name, "protected", member.name.to_string(), why.clone())),
                _ => {}
            }
        }
    }
    leaving(scene, &mut table);
    table
}

/// What is on its way out, and what lies there without anybody knowing why.
fn leaving(scene: &Scene<'_>, table: &mut Table) {
    let size = |oid: u32| scene.observed.estimates.get(&oid).copied().unwrap_or_default();
    for row in scene.snapshot.state.leaving.iter().filter(|row| is_open(row)) {
        if !scene.only.is_empty() && !scene.only.iter().any(|name| raw(name) == row.parent) {
            continue;
        }
        let what = match (&row.now, row.state.as_str()) {
            (None, _) => "gone",
            (Some(_), "aside") => "in its grace",
            (Some(_), _) => "leaving",
        };
        let detail = match &row.now {
            None => format!("noted as {}, and not there", row.state),
            Some(now) if row.state == "aside" => now.to_string(),
            Some(now) => format!("{}, {} so far, now {now}", row.mode, row.state),
        };
        let estimate = size(row.oid);
        table.push(vec![
            row.parent.as_str().into(),
            what.into(),
            row.partition.as_str().into(),
            until(scene.now, row.drop_after),
            detail.into(),
            row.drop_after.into(),
            rows(estimate.rows),
            bytes(estimate.bytes),
        ]);
    }
    if scene.snapshot.state.unreadable || !scene.only.is_empty() {
        return;
    }
    for (oid, name) in scene.observed.trash.iter().flatten() {
        if !scene.snapshot.state.leaving.iter().any(|row| row.oid == *oid) {
            let estimate = size(*oid);
            table.push(vec![
                Value::None,
                "orphan".into(),
                name.to_string().into(),
                Value::None,
                "dbctl does not know it".into(),
                Value::None,
                rows(estimate.rows),
                bytes(estimate.bytes),
            ]);
        }
    }
}

/// Partition by partition.
fn partitions(scene: &Scene<'_>) -> Table {
    let mut table = Table::new(
        "partitions",
        "no partitions",
        vec![
            Column::machine("table"),
            Column::machine("name"),
            Column::new("partition", "partition"),
            Column::new("from", "from"),
            Column::new("to", "to"),
            Column::new("rows", "rows ~"),
            Column::new("size_bytes", "size ~"),
            Column::new("state", "state"),
            Column::machine("lower"),
            Column::machine("upper"),
            Column::machine("why"),
        ],
    );
    let size = |oid: u32| scene.observed.estimates.get(&oid).copied().unwrap_or_default();
    for (looked, status) in known(scene) {
        let Ok(found) = &looked.found else { continue };
        let parent = &status.table;
        let mut push = |name: &TableName, bounds: Option<(&str, &str)>, estimate: Estimate, state: &str, why: Value| {
            let beside = name.schema == parent.schema;
            let (lower, upper) = bounds.unzip();
            table.push(vec![
                parent.to_string().into(),
                name.to_string().into(),
                if beside { name.name.to_string() } else { name.to_string() }.into(),
                lower.map(short).into(),
                upper.map(short).into(),
                rows(estimate.rows),
                bytes(estimate.bytes),
                state.into(),
                lower.into(),
                upper.into(),
                why,
            ]);
        };
        for member in &status.members {
            let why = match &member.standing {
                Standing::Held(why) | Standing::Protected(why) => why.as_str().into(),
                _ => Value::None,
            };
            let bounds = Some((member.from.as_str(), member.to.as_str()));
            push(&member.name, bounds, member.size, member.standing.word(), why);
        }
        for pending in &found.set.pending {
            let edges = (found.set.bound_text(pending.range.lower()), found.set.bound_text(pending.range.upper()));
            let bounds = Some((edges.0.as_str(), edges.1.as_str()));
            push(&pending.partition.name, bounds, size(pending.partition.oid), "pending", Value::None);
        }
        if let Some(default) = found.set.default {
            push(&default.name, None, size(default.oid), "default", Value::None);
        }
    }
    table
}

/// A bound for people: midnight goes without saying.
fn short(bound: &str) -> &str {
    [" 00:00:00+00", " 00:00:00"].iter().find_map(|midnight| bound.strip_suffix(midnight)).unwrap_or(bound)
}
