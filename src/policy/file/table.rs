//! Entries under `tables`: one partitioned table each.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::super::shape::{EXPIRE, EXPIRES, TABLE_KEYS};
use super::super::{Ahead, Archive, At, Expire, Keep, TablePolicy, Then};
use super::settings::Settings;
use super::{map, words};
use crate::config::nearest;
use crate::config::yaml::{Field, Fields, Reader};
use crate::ident::{Ident, TableName};
use crate::output::visible;
use crate::policy::calendar::{Axis, Every, Grid};
use crate::policy::naming::Template;

/// What an entry may refer to.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub defaults: &'a Settings,
    pub archives: &'a BTreeMap<String, Archive>,
    pub system: Option<&'a str>,
}

/// Reads one; nothing where what makes it a policy is missing or wrong.
pub fn read(reader: &mut Reader<'_>, entry: &Field<'_>, around: Around<'_>, at: At) -> Option<TablePolicy> {
    let table = name_of(reader, entry);
    let fields = map(reader, entry, &TABLE_KEYS);
    let key = fields.get("key").and_then(|field| reader.parsed(field, words::name));
    let codec = fields.get("codec").and_then(|field| reader.parsed(field, words::codec));
    let every = fields.get("every").and_then(|field| reader.parsed(field, words::every));
    let origin = fields.get("origin").and_then(|field| reader.parsed(field, words::day));
    let every = every.map(|every| with_origin(reader, &fields, every, origin));
    let settings = around.defaults.with(reader, &fields);
    let from = fields.get("from").and_then(|field| reader.parsed(field, words::day));
    let keep = fields.get("keep").and_then(|field| reader.parsed(field, words::keep));
    let exact = fields.get("exact").and_then(|field| reader.yes(field)).unwrap_or(false);
    let expire = fields.get("expire").and_then(|field| expire(reader, field, around.archives, table.as_ref()));
    let name = fields.get("name").and_then(|field| reader.parsed(field, Template::parse));
    let storage = fields.get("storage").map(|field| storage(reader, field)).unwrap_or_default();
    let child_unique = fields.get("child_unique").map(|field| child_unique(reader, field)).unwrap_or_default();
    let after_expire = fields.get("after_expire").map(|field| statements(reader, field)).unwrap_or_default();
    together(reader, entry, &fields);
    let (table, key, every) = (table?, key?, every?);
    match every {
        Every::Values(_) => only_numbers(reader, entry, &fields, keep, settings.ahead),
        Every::Time { .. } => {
            if settings.timezone.is_none() {
                needs_zone(reader, entry);
            }
            if let (Some(field), Some(Keep::Values(values))) = (fields.get("keep"), keep) {
                let message = format!("{}: {values} of what? periods of time are kept by time", field.name);
                reader.refuse(field, message, Some(format!("write {values} months, or {values} days")));
            }
        }
    }
    let timezone = settings.timezone.unwrap_or(Tz::UTC);
    if let (Some(field), Some(codec)) = (fields.get("codec"), codec)
        && let Err(why) = grid_fits(Axis { codec, zone: timezone }, every)
    {
        reader.refuse(field, format!("{}: {why}", field.name), None);
    }
    Some(TablePolicy {
        table,
        system: around.system.map(str::to_owned),
        key,
        codec,
        every,
        timezone,
        ahead: settings.ahead,
        from,
        keep,
        exact,
        expire: expire.unwrap_or(Expire::Detach),
        name,
        default_partition: settings.default_partition,
        on_misaligned: settings.on_misaligned,
        lock: settings.lock,
        rails: settings.rails,
        runway: settings.runway,
        clone: settings.clone,
        storage,
        child_unique,
        after_expire,
        at,
    })
}

/// Where a grid of time has no zone.
pub fn needs_zone(reader: &mut Reader<'_>, entry: &Field<'_>) {
    let message = format!("{}: timezone is missing: it decides when a day begins", entry.name);
    reader.refuse_key(entry, message, Some("add timezone: UTC here or under defaults".to_owned()));
}

fn name_of(reader: &mut Reader<'_>, entry: &Field<'_>) -> Option<TableName> {
    match words::table(&entry.key) {
        Ok(table) => Some(table),
        Err(why) => {
            reader.refuse_key(entry, why, None);
            None
        }
    }
}

fn with_origin(reader: &mut Reader<'_>, fields: &Fields<'_>, every: Every, origin: Option<NaiveDate>) -> Every {
    match (every, fields.get("origin")) {
        (Every::Time { unit, count, .. }, _) => Every::Time { unit, count, origin },
        (Every::Values(_), Some(field)) => {
            let message = format!("{}: a plain number of values has no days", field.name);
            reader.refuse_key(field, message, Some("remove it: such a grid begins at 0".to_owned()));
            every
        }
        (Every::Values(_), None) => every,
    }
}

/// A key that says nothing of time knows no days and no months.
fn only_numbers(reader: &mut Reader<'_>, entry: &Field<'_>, fields: &Fields<'_>, keep: Option<Keep>, ahead: Ahead) {
    if let (Some(field), Some(Keep::Time(span))) = (fields.get("keep"), keep) {
        let message = format!("{}: {span} is time, but every counts values of the key", field.name);
        let advice = "write a number of values, or every: month with the codec that says how the key stands for time";
        reader.refuse(field, message, Some(advice.to_owned()));
    }
    if let Ahead::For(span) = ahead {
        let message = format!("ahead: {span} is time, but every counts values of the key");
        let advice = Some("write a number of periods: ahead: 3".to_owned());
        match fields.get("ahead") {
            Some(field) => reader.refuse(field, format!("{}.{message}", entry.name), advice),
            None => reader.refuse_key(entry, format!("{}: defaults.{message}", entry.name), advice),
        }
    }
    if let Some(field) = fields.get("from") {
        let message = format!("{}: a plain number of values has no days", field.name);
        reader.refuse_key(field, message, Some("remove it".to_owned()));
    }
}

fn grid_fits(axis: Axis, every: Every) -> Result<(), String> {
    if let Every::Values(values) = every {
        return Err(format!(
            "it says how the key stands for time, but every: {values} counts values; write every: month"
        ));
    }
    Grid::new(axis, every).map(|_| ())
}

/// Keys that mean nothing without each other.
fn together(reader: &mut Reader<'_>, entry: &Field<'_>, fields: &Fields<'_>) {
    match (fields.get("keep"), fields.get("expire")) {
        (Some(keep), None) => {
            let message = format!("{}: nothing says what happens to what has expired", entry.name);
            let advice =
                "add expire: drop, detach, {move: SCHEMA}, {attach: SCHEMA.TABLE} or {archive: NAME, then: drop}";
            reader.refuse_key(keep, message, Some(advice.to_owned()));
        }
        (None, Some(expire)) => {
            let message = format!("{}: without keep nothing ever expires", expire.name);
            reader.refuse_key(expire, message, Some("add keep: 12 months, or remove expire".to_owned()));
        }
        _ => {}
    }
    for key in ["exact", "after_expire"] {
        if let (Some(field), None) = (fields.get(key), fields.get("keep")) {
            let message = format!("{}: without keep nothing ever expires", field.name);
            reader.refuse_key(field, message, Some(format!("remove {key}, or add keep and expire")));
        }
    }
}

fn expire(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    archives: &BTreeMap<String, Archive>,
    table: Option<&TableName>,
) -> Option<Expire> {
    if !field.is_map() {
        let advice = match field.raw() {
            Some("archive") => "{archive: NAME, then: drop}",
            Some("move") => "{move: SCHEMA}",
            Some("attach") => "{attach: SCHEMA.TABLE}",
            _ => {
                let word = reader.word(field, &EXPIRES)?;
                return Some(if word == "drop" { Expire::Drop } else { Expire::Detach });
            }
        };
        reader.refuse(field, format!("{}: that needs to know where to", field.name), Some(format!("write {advice}")));
        return None;
    }
    let fields = map(reader, field, &EXPIRE);
    let ways: Vec<&Field<'_>> = ["move", "attach", "archive"].iter().filter_map(|key| fields.get(key)).collect();
    let way = match ways.as_slice() {
        [one] => *one,
        [] => {
            let advice = "one of move, attach and archive; or a plain word: expire: drop".to_owned();
            reader.refuse_key(field, format!("{}: it does not say what is done", field.name), Some(advice));
            return None;
        }
        [_, second, ..] => {
            let message = format!("{}: only one of move, attach and archive can be done", field.name);
            reader.refuse_key(second, message, Some("remove one".to_owned()));
            return None;
        }
    };
    if let (Some(then), "move" | "attach") = (fields.get("then"), way.key.as_str()) {
        reader.refuse_key(then, format!("{}: only an archive is followed by something", then.name), None);
    }
    match way.key.as_str() {
        "move" => Some(Expire::Move { schema: reader.parsed(way, words::name)? }),
        "attach" => {
            let parent = reader.parsed(way, words::table)?;
            if Some(&parent) == table {
                reader.refuse(way, format!("{}: that is the table itself", way.name), None);
            }
            Some(Expire::Attach { parent })
        }
        _ => {
            let archive = known_archive(reader, way, archives);
            let Some(then) = fields.get("then") else {
                let message = format!("{}: it does not say what follows the archive", field.name);
                reader.refuse_key(field, message, Some("add then: drop, or then: detach".to_owned()));
                return None;
            };
            let then = if reader.word(then, &EXPIRES)? == "drop" { Then::Drop } else { Then::Detach };
            Some(Expire::Archive { archive: archive?, then })
        }
    }
}

fn known_archive(reader: &mut Reader<'_>, field: &Field<'_>, archives: &BTreeMap<String, Archive>) -> Option<String> {
    let name = reader.text(field)?;
    if archives.contains_key(&name) {
        return Some(name);
    }
    let advice = match nearest(&name, archives.keys().map(String::as_str)) {
        Some(near) => format!("did you mean '{near}'?"),
        None if archives.is_empty() => format!("add archives: {{{}: {{to: file:///...}}}}", visible(&name)),
        None => format!("known are {}", archives.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
    };
    reader.refuse(field, format!("{}: there is no archive '{}'", field.name, visible(&name)), Some(advice));
    None
}

fn storage(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    for entry in reader.entries(field) {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        if entry.key.is_empty() || !entry.key.chars().all(fits) {
            reader.refuse_key(&entry, format!("{}: not the name of a storage parameter", entry.name), None);
        }
        let value = match entry.is_yes_or_no() {
            true => reader.yes(&entry).map(|yes| yes.to_string()),
            false => reader.parsed(&entry, |text| Ok(text.to_owned())),
        };
        parameters.extend(value.map(|value| (entry.key.clone(), value)));
    }
    parameters
}

fn child_unique(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<Vec<Ident>> {
    let mut sets = Vec::new();
    for item in reader.items(field) {
        if item.raw().is_some() {
            let advice = Some("each is a list of columns: [[a], [b, c]]".to_owned());
            reader.refuse(&item, format!("{}: not a list", item.name), advice);
            continue;
        }
        let columns: Vec<Ident> =
            reader.items(&item).iter().filter_map(|column| reader.parsed(column, words::name)).collect();
        if columns.is_empty() {
            reader.refuse_key(&item, format!("{}: no columns", item.name), None);
        }
        sets.push(columns);
    }
    sets
}

fn statements(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<String> {
    let items = reader.items(field);
    let statement = |text: &str| {
        let text = text.trim().trim_end_matches(';').trim_end();
        if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
    };
    items.iter().filter_map(|item| reader.parsed(item, statement)).collect()
}
