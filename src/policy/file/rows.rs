//! Entries under `rows`: one job on the rows of a table each.

use std::time::Duration;

use chrono_tz::Tz;

use super::super::shape::{ACTIONS, AGE, BATCH, MOVE, PACE, ROW};
use super::super::{Age, At, Batch, Floor, Mask, Pace, RowAction, RowJob};
use super::settings::lock;
use super::table::{Around, needs_zone};
use super::{map, words};
use crate::config::parse_duration;
use crate::config::yaml::{Field, Fields, Reader};
use crate::ident::Ident;

/// Reads one, with the floor that it states; nothing where what makes it a job is missing or wrong.
pub fn read(reader: &mut Reader<'_>, entry: &Field<'_>, around: Around<'_>, at: At) -> Option<(RowJob, Option<Floor>)> {
    let fields = map(reader, entry, &ROW);
    let table = fields.get("table").and_then(|field| reader.parsed(field, words::table));
    let age = fields.get("age").and_then(|field| age(reader, field));
    let condition = fields.get("where").and_then(|field| {
        reader.parsed(field, |text| match text.trim() {
            "" => Err("it is empty; remove the key to take all rows that are old enough".to_owned()),
            text if stands_alone(text) => Ok(text.to_owned()),
            _ => Err("it is not one expression by itself: look at its parentheses, quotes, comments and semicolons"
                .to_owned()),
        })
    });
    let set = fields.get("set").map(|field| set(reader, field)).unwrap_or_default();
    let action = fields.get("action").and_then(|field| action(reader, field, set));
    let floor = fields.get("floor").and_then(|field| reader.parsed(field, words::some_span));
    let batch = batch(reader, fields.get("batch"));
    let pace = pace(reader, fields.get("pace"));
    let vacuum = fields.get("vacuum").and_then(|field| reader.parsed(field, words::share));
    let once_per_partition = fields.get("once_per_partition").and_then(|field| reader.yes(field)).unwrap_or(false);
    let zone = match fields.get("timezone") {
        Some(field) => words::zone(reader, field),
        None => {
            // Ages have a zone, and so have windows.
            if around.defaults.timezone.is_none() && (fields.get("age").is_some() || pace.window.is_some()) {
                needs_zone(reader, entry);
            }
            around.defaults.timezone
        }
    };
    let lock = match fields.get("lock") {
        Some(field) => lock(reader, field, around.defaults.lock),
        None => around.defaults.lock,
    };
    if let Some(action) = &action {
        agrees(reader, entry, &fields, action, once_per_partition);
        if let (RowAction::Move { to }, Some(table), Some(field)) = (action, &table, fields.get("action"))
            && to == table
        {
            reader.refuse(field, format!("{}: that is the table itself", field.name), None);
        }
        if let (RowAction::Anonymise { set }, Some(age), Some(field)) = (action, &age, fields.get("set"))
            && set.iter().any(|(column, _)| *column == age.column)
        {
            let message = format!("{}: {} says how old a row is and cannot be taken away", field.name, age.column);
            reader.refuse_key(field, message, Some("remove it from set".to_owned()));
        }
    }
    let (table, action) = (table?, action?);
    let system = around.system.map(str::to_owned);
    let floor = floor.map(|at_least| Floor {
        tables: vec![format!("{}.{}", table.schema.raw(), table.name.raw())],
        system: system.clone(),
        at_least,
        at: at.clone(),
    });
    let job = RowJob {
        name: entry.key.clone(),
        table,
        system,
        age,
        condition,
        action,
        batch,
        pace,
        vacuum,
        once_per_partition,
        timezone: zone.unwrap_or(Tz::UTC),
        lock,
        at,
    };
    Some((job, floor))
}

/// Keys that contradict the action, or miss it.
fn agrees(reader: &mut Reader<'_>, entry: &Field<'_>, fields: &Fields<'_>, action: &RowAction, once: bool) {
    let name = &entry.name;
    let (age, condition) = (fields.get("age").is_some(), fields.get("where").is_some());
    match (action, fields.get("set")) {
        (RowAction::Anonymise { .. }, None) => {
            let advice = "add set: {ip_address: ip_prefix(24, 48)}".to_owned();
            reader.refuse_key(entry, format!("{name}: anonymise without set changes nothing"), Some(advice));
        }
        (RowAction::Anonymise { .. }, Some(_)) | (_, None) => {}
        (_, Some(field)) => {
            let advice = "write action: anonymise, or remove set".to_owned();
            reader.refuse_key(field, format!("{}: set goes with action: anonymise only", field.name), Some(advice));
        }
    }
    match action {
        RowAction::Keep => {
            for key in ROW.names() {
                let fits = matches!(key, "table" | "action" | "floor" | "set");
                if let (false, Some(field)) = (fits, fields.get(key)) {
                    let message = format!("{}: action: keep does nothing, so {key} has no meaning", field.name);
                    reader.refuse_key(field, message, Some("remove it".to_owned()));
                }
            }
            if fields.get("floor").is_none() {
                let advice = "add floor: 5 years".to_owned();
                reader.refuse_key(entry, format!("{name}: action: keep needs to say for how long"), Some(advice));
            }
            return;
        }
        RowAction::Delete | RowAction::Move { .. } | RowAction::Anonymise { .. } if !age && !condition => {
            let advice = "add age: {column: created_at, over: 90 days}, or a condition: where: ...".to_owned();
            reader.refuse_key(entry, format!("{name}: without age and where it takes every row"), Some(advice));
        }
        _ => {}
    }
    if let Some(field) = fields.get("floor") {
        let advice = "write action: keep, or add the floor under floors".to_owned();
        reader.refuse_key(field, format!("{}: floor goes with action: keep only", field.name), Some(advice));
    }
    if let (true, false, Some(field)) = (once, age, fields.get("once_per_partition")) {
        let message = format!("{}: without age no partition is ever closed", field.name);
        reader.refuse_key(field, message, Some("add age, or remove once_per_partition".to_owned()));
    }
}

fn action(reader: &mut Reader<'_>, field: &Field<'_>, set: Vec<(Ident, Mask)>) -> Option<RowAction> {
    if field.is_map() {
        let fields = map(reader, field, &MOVE);
        let to = reader.parsed(fields.get("move")?, words::table)?;
        return Some(RowAction::Move { to });
    }
    if field.raw() == Some("move") {
        let advice = Some("write {move: SCHEMA.TABLE}".to_owned());
        reader.refuse(field, format!("{}: that needs to know where to", field.name), advice);
        return None;
    }
    match reader.word(field, &ACTIONS)? {
        "delete" => Some(RowAction::Delete),
        "anonymise" => Some(RowAction::Anonymise { set }),
        _ => Some(RowAction::Keep),
    }
}

fn age(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Age> {
    let fields = map(reader, field, &AGE);
    let column = fields.get("column").and_then(|field| reader.parsed(field, words::name));
    let over = fields.get("over").and_then(|field| reader.parsed(field, words::some_span));
    Some(Age { column: column?, over: over? })
}

fn set(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<(Ident, Mask)> {
    let entries = reader.entries(field);
    if entries.is_empty() && (field.is_map() || field.is_null()) {
        reader.refuse_key(field, format!("{}: no columns", field.name), None);
    }
    let mut masks = Vec::new();
    for entry in &entries {
        let mask = if entry.is_null() { Some(Mask::Null) } else { reader.parsed(entry, words::mask) };
        masks.extend(mask.map(|mask| (Ident::new(entry.key.clone()), mask)));
    }
    masks
}

fn batch(reader: &mut Reader<'_>, field: Option<&Field<'_>>) -> Batch {
    let mut batch = Batch { target: Duration::from_millis(30), max_rows: 5_000 };
    let Some(field) = field else { return batch };
    let fields = map(reader, field, &BATCH);
    if let Some(target) = fields.get("target").and_then(|field| reader.parsed(field, words::some_time)) {
        batch.target = target;
    }
    if let Some(rows) = fields.get("max_rows").and_then(|field| reader.whole(field, 1..=1_000_000)) {
        batch.max_rows = rows;
    }
    batch
}

fn pace(reader: &mut Reader<'_>, field: Option<&Field<'_>>) -> Pace {
    let mut pace = Pace { max_replica_lag: None, max_slot_wal: None, window: None, budget: None };
    let Some(field) = field else { return pace };
    let fields = map(reader, field, &PACE);
    pace.max_replica_lag = fields.get("max_replica_lag").and_then(|field| reader.parsed(field, parse_duration));
    pace.max_slot_wal = fields.get("max_slot_wal").and_then(|field| reader.parsed(field, words::bytes));
    pace.window = fields.get("window").and_then(|field| reader.parsed(field, words::window));
    pace.budget = fields.get("budget").and_then(|field| reader.parsed(field, words::some_time));
    pace
}
/// Whether a condition cannot get out of the parentheses that it is put into. Coarse on purpose: dollar
/// quotes and comments are refused, which no condition needs.
fn stands_alone(condition: &str) -> bool {
    let mut depth = 0_u32;
    let mut quote = None;
    let mut before = ' ';
    for c in condition.chars() {
        match quote {
            // A doubled quote ends one text and begins the next: the same in the end.
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' => quote = Some(c),
                '(' => depth += 1,
                ')' if depth == 0 => return false,
                ')' => depth -= 1,
                ';' | '$' => return false,
                '-' if before == '-' => return false,
                '*' if before == '/' => return false,
                _ => {}
            },
        }
        before = c;
    }
    // E'...' would escape a quote by a backslash.
    depth == 0 && quote.is_none() && !condition.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::stands_alone;

    #[test]
    fn a_condition_stays_within_its_parentheses() {
        for good in ["processed", "a = 1 AND (b OR c)", "note = ')'", "\"odd)\" IS NULL", "it = 'it''s ('"] {
            assert!(stands_alone(good), "{good}");
        }
        for bad in [
            "true) OR (true",
            "a = 1; DROP TABLE t",
            "(a",
            "a -- b",
            "a /* b */",
            "$$)$$ = x",
            "'open",
            r"E'\') OR ('' = '",
        ] {
            assert!(!stands_alone(bad), "{bad}");
        }
    }
}
