//! Items of `holds` and `floors`.

use super::super::shape::{FLOOR, HOLD, UNTIL};
use super::super::{At, Floor, Hold};
use super::{map, settings, words};
use crate::config::yaml::{Field, Fields, Reader};

/// Reads a legal hold.
pub fn hold(reader: &mut Reader<'_>, item: &Field<'_>, system: Option<&str>) -> Option<Hold> {
    let fields = map(reader, item, &HOLD);
    let days = settings::days(reader, &fields);
    if let Some(field) = fields.get("until") {
        reader.word(field, &UNTIL);
    }
    let tables = globs(reader, &fields);
    let id = filled(reader, &fields, "id");
    let reason = filled(reader, &fields, "reason");
    Some(Hold { id: id?, tables, system: system.map(str::to_owned), days, reason: reason? })
}

/// Reads a floor.
pub fn floor(reader: &mut Reader<'_>, item: &Field<'_>, system: Option<&str>, at: At) -> Option<Floor> {
    let fields = map(reader, item, &FLOOR);
    let tables = globs(reader, &fields);
    let at_least = fields.get("at_least").and_then(|field| reader.parsed(field, words::some_span))?;
    Some(Floor { tables, system: system.map(str::to_owned), at_least, at })
}

fn globs(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<String> {
    let Some(field) = fields.get("tables") else { return Vec::new() };
    let items = reader.items(field);
    items.iter().filter_map(|item| reader.parsed(item, words::glob)).collect()
}

/// Text that says something; a case number may be a number.
fn filled(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    reader.parsed(fields.get(key)?, |text| match text.trim() {
        "" => Err("it is empty".to_owned()),
        text => Ok(text.to_owned()),
    })
}
