//! Entries under `archives`: where expired partitions are exported to.

use chrono::format::{Item, StrftimeItems};

use super::super::shape::{ARCHIVE, FORMATS, VERIFIES};
use super::super::{Archive, At};
use super::{map, words};
use crate::config::yaml::{Field, Reader};
use crate::output::visible;

const PLACEHOLDERS: &str = "{db} {schema} {table} {partition} {from:%Y-%m} {to:%Y-%m}";

/// Reads one.
pub fn read(reader: &mut Reader<'_>, entry: &Field<'_>, at: At) -> Archive {
    let fields = map(reader, entry, &ARCHIVE);
    let recipients = fields.get("encrypt").map(|field| encrypt(reader, field)).unwrap_or_default();
    let to = fields.get("to").and_then(|field| {
        let encrypted = fields.get("encrypt").is_some();
        reader.parsed(field, |text| place(text, encrypted).map(|()| text.to_owned()))
    });
    // Words that stand for the one way there is: a file says what it relies on.
    for (key, words) in [("format", &FORMATS), ("verify", &VERIFIES)] {
        if let Some(field) = fields.get(key) {
            reader.word(field, words);
        }
    }
    Archive {
        name: entry.key.clone(),
        to: to.unwrap_or_default(),
        level: fields.get("compress").and_then(|field| reader.parsed(field, compress)).unwrap_or(3),
        recipients,
        mode: fields.get("mode").and_then(|field| reader.parsed(field, words::mode)).unwrap_or(0o600),
        keep: fields.get("keep").and_then(|field| reader.parsed(field, words::some_span)),
        at,
    }
}

fn compress(text: &str) -> Result<i32, String> {
    let level = text.strip_prefix("zstd-").and_then(|level| level.parse().ok());
    let level = level.filter(|level| (1..=19).contains(level));
    level.ok_or_else(|| format!("'{}' is not known: write zstd-1 (fast) to zstd-19 (small)", visible(text)))
}

fn encrypt(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<String> {
    let items = reader.items(field);
    if items.is_empty() && !field.is_null() {
        let advice = "name who can read the files, or remove the key to leave them unencrypted".to_owned();
        reader.refuse_key(field, format!("{}: no recipients", field.name), Some(advice));
    }
    let mut recipient = |item: &Field<'_>| {
        reader.parsed(item, |text| {
            if text.starts_with("age1") {
                return Ok(text.to_owned());
            }
            // What was written may be the secret key itself: it is not repeated.
            Err("not an age recipient: it begins with age1 (age-keygen prints it), or write ${VARIABLE}".to_owned())
        })
    };
    items.iter().filter_map(&mut recipient).collect()
}

/// Whether a URL can be written to, and tells partitions apart.
fn place(text: &str, encrypted: bool) -> Result<(), String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(format!("'{}' is not a URL: write file:///srv/archive/... or s3://BUCKET/...", visible(text)));
    };
    match scheme {
        "file" if !rest.starts_with('/') => {
            return Err("a file's URL has three slashes and an absolute path: file:///srv/archive/...".to_owned());
        }
        "s3" if rest.split('/').next().is_none_or(|bucket| bucket.is_empty() || bucket.contains('{')) => {
            return Err("the bucket is missing: s3://BUCKET/...".to_owned());
        }
        "file" | "s3" => {}
        "gs" | "az" => return Err(format!("{scheme} is not usable now: only file and s3 are")),
        _ => return Err(format!("the scheme {} is not known: only file and s3 are usable now", visible(scheme))),
    }
    let placeholders = placeholders(rest)?;
    if !placeholders.contains(&"partition") {
        return Err("partitions would overwrite each other: {partition} is missing".to_owned());
    }
    match (encrypted, rest.ends_with(".csv.zst"), rest.ends_with(".csv.zst.age")) {
        (false, true, _) | (true, _, true) => Ok(()),
        (false, false, true) => Err("it ends in .age without encrypt: write .csv.zst, or add encrypt".to_owned()),
        (false, false, false) => Err("the files are compressed CSV: let it end in .csv.zst".to_owned()),
        (true, ..) => Err("the files are encrypted: let it end in .csv.zst.age".to_owned()),
    }
}

/// The names of what stands in braces.
fn placeholders(text: &str) -> Result<Vec<&str>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let within = rest[at..].strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let Some((within, after)) = within else {
            return Err(format!("a brace without its other half; known are {PLACEHOLDERS}"));
        };
        let (name, format) = within.split_once(':').map_or((within, None), |(name, format)| (name, Some(format)));
        match (name, format) {
            ("db" | "schema" | "table" | "partition", None) => {}
            ("from" | "to", Some(format)) if is_time_format(format) => {}
            ("from" | "to", _) => {
                return Err(format!(
                    "{{{}}} does not say how the day is written: {{{name}:%Y-%m-%d}}",
                    visible(within)
                ));
            }
            _ => return Err(format!("{{{}}} is not known: {PLACEHOLDERS}", visible(within))),
        }
        found.push(name);
        rest = after;
    }
    Ok(found)
}

/// Whether there is something of a day in it, and nothing that a bound does not have.
fn is_time_format(format: &str) -> bool {
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    let known = !items.contains(&Item::Error) && !format.contains('{');
    known && items.iter().any(|item| matches!(item, Item::Numeric(..) | Item::Fixed(..)))
}
