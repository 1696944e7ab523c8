//! One entry under `targets` of the config file.

use std::path::Path;

use super::DriftCheck;
use crate::config::target::{Role, Target};
use crate::config::yaml::{Field, Fields, Finding, Place, Reader};
use crate::config::{Secret, mask_conninfo};
use crate::output::visible;

/// Connection parameters by their libpq names; a target has a `url` or some of these.
const PARTS: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "user",
    "dbname",
    "password",
    "passfile",
    "service",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "options",
    "connect_timeout",
    "target_session_attrs",
];
const OTHERS: &[&str] = &["url", "system", "migrations", "role", "tags", "protected", "drift_check"];
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const SESSION_ATTRS: [&str; 6] = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];

/// A target as the file has it.
#[derive(Debug, Clone)]
pub struct FileTarget {
    /// Its name.
    pub name: String,
    pub(super) place: Place,
    /// Whether a password stands in the file itself.
    pub(super) holds_password: bool,
    pub(super) target: Target,
    pub(super) unset: Vec<Finding>,
}

impl FileTarget {
    /// Its tags.
    pub fn tags(&self) -> &[String] {
        &self.target.tags
    }

    /// What is known of it even where a variable is not set: for showing, not for connecting.
    pub fn as_far_as_known(&self) -> &Target {
        &self.target
    }

    /// The variables that it needs and that are not set, a sentence each.
    pub fn unset(&self) -> impl Iterator<Item = &str> {
        self.unset.iter().map(|finding| finding.message.as_str())
    }

    /// Reads one entry; paths are relative to `folder`.
    pub(super) fn read(reader: &mut Reader<'_>, entry: &Field<'_>, folder: &Path) -> FileTarget {
        check_name(reader, entry);
        let unset_before = reader.unset.len();
        let fields = reader.fields(entry, &[OTHERS, PARTS].concat());
        let mut target = Target::unnamed(conninfo(reader, &fields));
        target.name = Some(entry.key.clone());
        target.system = fields.get("system").and_then(|field| reader.text(field));
        target.migrations = fields.get("migrations").and_then(|field| reader.text(field)).map(|path| folder.join(path));
        if let (Some(system), Some(_)) = (fields.get("system"), fields.get("migrations")) {
            let message = format!("{}: system and migrations exclude each other", entry.name);
            reader.refuse_key(system, message, Some("keep one".to_owned()));
        }
        if let Some(field) = fields.get("role") {
            let replica = reader.word(field, &Role::NAMES) == Some(Role::Replica.name());
            target.role = if replica { Role::Replica } else { Role::Primary };
        }
        if let Some(field) = fields.get("tags") {
            let items = reader.items(field);
            target.tags = items.iter().filter_map(|item| reader.text(item)).collect();
        }
        target.protected = fields.get("protected").and_then(|field| reader.yes(field)).unwrap_or(false);
        target.drift_check = fields.get("drift_check").and_then(|field| DriftCheck::read(reader, field));
        FileTarget {
            name: entry.key.clone(),
            place: entry.key_place(),
            holds_password: holds_password(&fields),
            target,
            unset: reader.unset.split_off(unset_before),
        }
    }
}

/// Names are typed on command lines and joined by commas in DBCTL_TARGET.
fn check_name(reader: &mut Reader<'_>, entry: &Field<'_>) {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if entry.key.is_empty() || entry.key.starts_with('-') || !entry.key.chars().all(fits) {
        let message = format!("'{}' cannot be the name of a target", visible(&entry.key));
        let advice = "use letters, digits, '_', '-' and '.', not '-' in front";
        reader.refuse_key(entry, message, Some(advice.to_owned()));
    }
}

/// The connection string: the URL, or the parts as a keyword string. None where the entry has neither.
fn conninfo(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Secret> {
    let parts: Vec<&Field<'_>> = PARTS.iter().filter_map(|part| fields.get(part)).collect();
    if let Some(url) = fields.get("url") {
        if let Some(part) = parts.first() {
            let advice = "keep the URL or the parts".to_owned();
            reader.refuse_key(part, format!("{} and url exclude each other", part.name), Some(advice));
        }
        let text = reader.text(url)?;
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) && !text.contains('=') {
            let advice = "write postgresql://user@host:5432/dbname".to_owned();
            reader.refuse(url, format!("{}: not a connection URL", url.name), Some(advice));
            return None;
        }
        return Some(Secret::new(text));
    }
    let words: Vec<Option<String>> = parts.iter().map(|part| Some(keyword(&part.key, &value(reader, part)?))).collect();
    let words: Vec<String> = words.into_iter().collect::<Option<_>>()?;
    (!words.is_empty()).then(|| Secret::new(words.join(" ")))
}

fn value(reader: &mut Reader<'_>, part: &Field<'_>) -> Option<String> {
    match part.key.as_str() {
        "port" => reader.parsed(part, |text| {
            let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
            if text.split(',').all(is_port) {
                Ok(text.to_owned())
            } else {
                Err("expected a port from 1 to 65535".to_owned())
            }
        }),
        "connect_timeout" => reader.whole(part, 0..=86_400).map(|seconds| seconds.to_string()),
        "sslmode" => reader.word(part, &SSL_MODES).map(str::to_owned),
        "target_session_attrs" => reader.word(part, &SESSION_ATTRS).map(str::to_owned),
        _ => reader.text(part),
    }
}

/// `key=value` as libpq reads it.
fn keyword(key: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ',');
    if !value.is_empty() && value.chars().all(plain) {
        return format!("{key}={value}");
    }
    format!("{key}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Whether a password is spelled out, rather than referred to as `${NAME}`.
fn holds_password(fields: &Fields<'_>) -> bool {
    let spelled_out = |text: &str| {
        let mut rest = text;
        let mut without = String::new();
        while let Some((before, (_, after))) = rest.split_once("${").and_then(|(b, r)| Some((b, r.split_once('}')?))) {
            without.push_str(before);
            rest = after;
        }
        without + rest
    };
    let raw = |key: &str| fields.get(key).and_then(|field| field.raw()).map(spelled_out);
    raw("password").is_some_and(|text| !text.is_empty()) || raw("url").is_some_and(|text| mask_conninfo(&text) != text)
}
