//! `checks:` of the config file: profile, thresholds by check, their exceptions, what is ignored.

use std::path::Path;

use chrono::NaiveDate;

use crate::check::{Check, Ignore, Profile, Rule, Settings, Unit, Written, named, names};
use crate::config::duration::parse_duration;
use crate::config::yaml::{Field, Fields, Reader, Source};

const IGNORE_KEYS: &[&str] = &["check", "database", "object", "reason", "until"];

pub(super) fn read(reader: &mut Reader<'_>, section: &Field<'_>, source: &Source) -> Settings {
    let mut known = vec!["profile", "ignore"];
    known.extend(names());
    let fields = reader.fields(section, &known);
    let mut settings = Settings {
        profile: fields.get("profile").and_then(|field| Profile::named(reader.word(field, &Profile::NAMES)?)),
        ..Settings::default()
    };
    for check in crate::check::CHECKS {
        let Some(field) = fields.get(check.id) else { continue };
        if is_off(reader, field) {
            settings.off.push(check.id);
        } else {
            one(reader, field, check, source, &mut settings);
        }
    }
    let items = fields.get("ignore").map(|field| reader.items(field)).unwrap_or_default();
    settings.ignore = items.iter().filter_map(|item| ignore(reader, item, source)).collect();
    settings
}

/// YAML 1.1 reads a bare `off` as false.
fn is_off(reader: &mut Reader<'_>, field: &Field<'_>) -> bool {
    field.is_yes_or_no() && reader.yes(field) == Some(false) || field.raw() == Some("off")
}

fn one(reader: &mut Reader<'_>, field: &Field<'_>, check: &'static Check, source: &Source, settings: &mut Settings) {
    let keys = check.keys();
    let mut known: Vec<&str> = keys.iter().map(|(key, ..)| key.as_str()).collect();
    let mut inner = known.clone();
    inner.extend(["database", "object"]);
    known.push("override");
    match check.id {
        "disk" => known.push("path"),
        "partitions" => known.push("policy"),
        _ => {}
    }
    let fields = reader.fields(field, &known);
    let written = limits(reader, &fields, check);
    settings.rules.push(Rule { check: check.id, database: None, object: None, limits: written });
    if let Some(path) = fields.get("path").and_then(|field| reader.text(field)) {
        settings.paths.push(path);
    }
    if let Some(policy) = fields.get("policy").and_then(|field| reader.text(field)) {
        let folder = source.path().parent().unwrap_or(Path::new(""));
        settings.policy = Some(folder.join(policy));
    }
    let items = fields.get("override").map(|field| reader.items(field)).unwrap_or_default();
    for item in &items {
        let fields = reader.fields(item, &inner);
        let database = fields.get("database").and_then(|field| reader.text(field));
        let object = fields.get("object").and_then(|field| reader.text(field));
        if database.is_none() && object.is_none() && item.is_map() {
            let advice = "say database: or object:, with * and ? in it".to_owned();
            reader.refuse_key(item, format!("{}: it does not say for what", item.name), Some(advice));
        }
        let limits = limits(reader, &fields, check);
        settings.rules.push(Rule { check: check.id, database, object, limits });
    }
}

fn limits(reader: &mut Reader<'_>, fields: &Fields<'_>, check: &'static Check) -> Vec<(&'static str, Written)> {
    let mut written: Vec<(&'static str, Written)> = Vec::new();
    for (key, metric, warns) in check.keys() {
        let Some(field) = fields.get(&key) else { continue };
        let value = if is_off(reader, field) {
            None
        } else {
            match reader.parsed(field, |text| parse(metric.unit, text)) {
                Some(value) => Some(value),
                None => continue,
            }
        };
        let limit =
            if warns { Written { warn: Some(value), crit: None } } else { Written { warn: None, crit: Some(value) } };
        if let Some((_, Written { warn: Some(Some(warn)), .. })) =
            written.iter().find(|(name, _)| *name == metric.name && !warns)
            && value.is_some_and(|crit| if metric.lower { crit > *warn } else { crit < *warn })
        {
            let side = if metric.lower { "above" } else { "below" };
            let advice = "what is critical has passed the threshold of warn".to_owned();
            reader.refuse_key(field, format!("{}: crit lies {side} warn", field.name), Some(advice));
        }
        written.push((metric.name, limit));
    }
    written
}

/// A threshold as it is written.
fn parse(unit: Unit, text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    match unit {
        Unit::Percent => {
            number(text.strip_suffix('%').unwrap_or(text)).ok_or_else(|| "expected a share like 80 %".to_owned())
        }
        Unit::Count => number(text).ok_or_else(|| "expected a number like 10".to_owned()),
        Unit::Seconds => parse_duration(text).map(|duration| duration.as_secs_f64()),
        Unit::Bytes => {
            let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
            let factor = match text[digits..].trim() {
                "" | "B" => 1.0,
                "kB" => 1024.0,
                "MB" => 1_048_576.0,
                "GB" => 1_073_741_824.0,
                "TB" => 1_099_511_627_776.0,
                _ => return Err("expected a size like 50MB (B, kB, MB, GB, TB)".to_owned()),
            };
            number(&text[..digits]).map(|n| n * factor).ok_or_else(|| "expected a size like 50MB".to_owned())
        }
    }
}

fn ignore(reader: &mut Reader<'_>, item: &Field<'_>, source: &Source) -> Option<Ignore> {
    let fields = reader.fields(item, IGNORE_KEYS);
    let mut needed = |key: &str, advice: &str| {
        let found = fields.get(key);
        if found.is_none() && item.is_map() {
            reader.refuse_key(item, format!("{}: {key} is missing", item.name), Some(format!("add {key}: {advice}")));
        }
        found
    };
    let check = needed("check", "the name of a check");
    let reason = needed("reason", "why this is no finding");
    let check = named(reader.word(check?, &names())?)?.id;
    let reason = reader.text(reason?)?;
    let text = |reader: &mut Reader<'_>, key: &str| fields.get(key).map(|field| reader.text(field));
    let until = match fields.get("until") {
        Some(field) => {
            let day = |text: &str| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| "expected a day like 2027-01-31".to_owned())
            };
            Some(reader.parsed(field, day)?)
        }
        None => None,
    };
    let (database, object) = (text(reader, "database"), text(reader, "object"));
    let line = source.line(&item.place()).map(|line| format!(":{line}")).unwrap_or_default();
    let origin = format!("{}{line}", source.path().display());
    // What cannot be read was noted; a rule without its pattern would hide more than was meant.
    let whole = |text: Option<Option<String>>| match text {
        Some(None) => None,
        Some(found) => Some(found),
        None => Some(None),
    };
    Some(Ignore { check, database: whole(database)?, object: whole(object)?, reason, until, origin })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Env;
    use crate::config::file::ConfigFile;
    use crate::error::Result;

    fn settings(text: &str) -> Result<Settings> {
        let source = Source::new(std::path::Path::new("dbctl.yaml"), text.as_bytes().to_vec())?;
        ConfigFile::read(source, &Env::default()).map(|file| file.checks)
    }

    #[test]
    fn thresholds_exceptions_and_what_is_ignored_are_read() {
        let settings = settings(
            "checks:\n  profile: oltp\n  latency: off\n  connections: {warn: 70%, crit: off}\n  \
             replication_lag: {warn: 10MB, delay_crit: 2min}\n  \
             autovacuum:\n    override:\n      - {object: public.big_*, warn: 10, crit: 20}\n  \
             disk: {path: /mnt}\n  \
             ignore:\n    - {check: slots, object: old, reason: kept, until: 2027-01-31}\n",
        )
        .unwrap();
        assert_eq!((settings.profile, settings.off.as_slice()), (Some(Profile::Oltp), &["latency"][..]));
        let limits = |id: &str, metric: &str, object: Option<&str>| {
            let check = named(id).unwrap();
            let limits = settings.limits(check, check.metric(metric).unwrap(), "app", object);
            (limits.warn, limits.crit)
        };
        assert_eq!(limits("connections", "used", None), (Some(70.0), None));
        assert_eq!(limits("replication_lag", "lag", None), (Some(10_485_760.0), Some(104_857_600.0)));
        assert_eq!(limits("replication_lag", "delay", None), (Some(30.0), Some(120.0)));
        assert_eq!(limits("autovacuum", "overdue", Some("public.big_one")), (Some(10.0), Some(20.0)));
        assert_eq!(limits("autovacuum", "overdue", Some("public.small")), (Some(2.0), Some(5.0)));
        assert_eq!(limits("long_query", "age", None), (Some(1.0), Some(5.0)));
        assert_eq!(settings.paths, ["/mnt"]);
        let ignore = settings.ignored("slots", "app", Some("old")).unwrap();
        assert_eq!((ignore.reason.as_str(), ignore.until.unwrap().to_string().as_str()), ("kept", "2027-01-31"));
        assert_eq!(settings.ignored("slots", "app", Some("new")), None);
    }

    #[test]
    fn mistakes_are_shown_at_their_line() {
        let failure = settings(
            "checks:\n  conections: {warn: 1}\n  disk: {wran: 1}\n  xid_age: {warn: much}\n  ignore:\n    - {check: slot, reason: x}\n",
        )
        .unwrap_err();
        assert_eq!(failure.what().outcome().code(), 65);
        let text = failure.to_string();
        for part in
            ["dbctl.yaml:2", "did you mean 'connections'?", "did you mean 'warn'?", "did you mean 'slots'?", "a share"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
