//! The small words of a policy file: shares, days, zones, table names, grids, sizes. Each says how to
//! write it where it is wrong. Pure, but for the reader that collects what is wrong.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::super::shape::{CODECS, UNITS};
use super::super::{Ahead, Keep, Mask, Window};
use crate::config::yaml::{Field, Reader};
use crate::config::{nearest, parse_duration};
use crate::ident::{Ident, TableName};
use crate::output::visible;
use crate::policy::calendar::{Every, Unit};
use crate::policy::key::{Codec, EpochUnit};
use crate::policy::span::Span;

/// Milliseconds from 1970-01-01 to where the first snowflakes count from.
const SNOWFLAKE_EPOCH: i64 = 1_288_834_974_657;
/// PostgreSQL cuts longer names.
const LONGEST_NAME: usize = 63;

fn wrong<T>(text: &str, what: &str) -> Result<T, String> {
    Err(format!("'{}' {what}", visible(text)))
}

/// `25%` as 0.25.
pub fn share(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match number.filter(|number| (0.0..=100.0).contains(number)) {
        Some(number) => Ok(number / 100.0),
        None => wrong(text, "is not a share: write it like 25%, from 0% to 100%"),
    }
}

/// `2025-01-31`.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    match NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
        Ok(day) if text.trim().len() == 10 => Ok(day),
        _ => wrong(text, "is not a day: write it like 2025-01-31"),
    }
}

/// A length of time that is not 0: a limit of 0 would be none at all for the server.
pub fn some_time(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("0 would be no limit at all: write it like 50ms".to_owned()),
        time => Ok(time),
    }
}

/// A span that is not 0.
pub fn some_span(text: &str) -> Result<Span, String> {
    let span = Span::parse(text)?;
    if span.is_zero() { Err("0 would keep nothing; write it like 90 days".to_owned()) } else { Ok(span) }
}

/// `200ms..5s`.
pub fn backoff(text: &str) -> Result<(Duration, Duration), String> {
    let Some((first, longest)) = text.split_once("..") else {
        return wrong(text, "is not a pair of pauses: write it like 200ms..5s");
    };
    let (first, longest) = (some_time(first)?, some_time(longest)?);
    if first > longest {
        return wrong(text, "begins with the longer pause: write it like 200ms..5s");
    }
    Ok((first, longest))
}

/// `2GB` in bytes, by 1024 as PostgreSQL counts.
pub fn bytes(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let power = ["B", "kB", "MB", "GB", "TB"].iter().position(|name| *name == unit.trim_start());
    let size = power.and_then(|power| number.parse::<u64>().ok()?.checked_mul(1 << (10 * power)));
    size.map_or_else(|| wrong(text, "is not a size: write it like 500MB or 2GB"), Ok)
}

/// `01:00-05:00`.
pub fn window(text: &str) -> Result<Window, String> {
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let ends = text.split_once('-').and_then(|(from, to)| Some(Window { from: time(from)?, to: time(to)? }));
    match ends {
        Some(window) if window.from != window.to => Ok(window),
        Some(_) => wrong(text, "has no time in it; leave the key out to work at any time"),
        None => wrong(text, "is not a time of day: write it like \"01:00-05:00\""),
    }
}

/// `0600`.
pub fn mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o777) {
        Some(mode) if mode & 0o007 != 0 => {
            wrong(text, "would let everybody read the archive: write \"0600\", or \"0640\" for a group")
        }
        Some(mode) if mode & 0o600 != 0o600 => wrong(text, "would keep dbctl itself out: write \"0600\""),
        Some(mode) => Ok(mode),
        None => wrong(text, "is not a file's mode: write it like \"0600\", in quotes"),
    }
}

/// A column or a schema, as the catalog has it.
pub fn name(text: &str) -> Result<Ident, String> {
    match text.len() {
        0 => Err("a name is missing".to_owned()),
        length if length > LONGEST_NAME => wrong(text, "is longer than the 63 bytes of a name"),
        _ => Ok(Ident::new(text)),
    }
}

/// `schema.table`: as the catalog has it, case kept; a part with a dot goes into double quotes.
pub fn table(text: &str) -> Result<TableName, String> {
    const HOW: &str = "is not a table: write schema.table";
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.trim().chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut();
        match (c, part) {
            ('"', Some(part)) if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                part.push('"');
            }
            ('"', _) => quoted = !quoted,
            ('.', _) if !quoted => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    if quoted {
        return wrong(text, "has a quote that is never closed");
    }
    match parts.as_slice() {
        [only] if !only.is_empty() => {
            Err(format!("'{}' has no schema in front: write public.{}", visible(text), visible(only)))
        }
        [schema, table] if !schema.is_empty() && !table.is_empty() => {
            Ok(TableName { schema: name(schema)?, name: name(table)? })
        }
        _ => wrong(text, HOW),
    }
}

/// A pattern over `schema.table`.
pub fn glob(text: &str) -> Result<String, String> {
    match text.split_once('.') {
        Some((schema, table)) if !schema.is_empty() && !table.is_empty() => Ok(text.to_owned()),
        _ if text == "*" => Ok(text.to_owned()),
        _ => wrong(text, "is not schema.table: write public.audit_logs, or *.audit_log* for every schema"),
    }
}

/// `month`, `3 months`, `1000000`.
pub fn every(text: &str) -> Result<Every, String> {
    let how =
        || format!("write one of {}, a number of them such as 3 months, or a plain number of values", UNITS.join(", "));
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (count, word) = (&trimmed[..end], trimmed[end..].trim_start().to_lowercase());
    let zero = || wrong(text, &format!("has no width; {}", how()));
    if word.is_empty() && !count.is_empty() {
        return match count.parse() {
            Ok(0) => zero(),
            Ok(values) => Ok(Every::Values(values)),
            Err(_) => wrong(text, "is too large"),
        };
    }
    let singular = word.strip_suffix('s').unwrap_or(&word);
    let unit = match singular {
        "hour" => Unit::Hour,
        "day" => Unit::Day,
        "week" => Unit::Week,
        "month" => Unit::Month,
        "quarter" => Unit::Quarter,
        "year" => Unit::Year,
        _ => {
            let near = nearest(singular, UNITS).map(|near| format!("did you mean '{near}'? "));
            return wrong(text, &format!("is not a grid: {}{}", near.unwrap_or_default(), how()));
        }
    };
    match if count.is_empty() { Ok(1) } else { count.parse() } {
        Ok(0) => zero(),
        Ok(count) => Ok(Every::Time { unit, count, origin: None }),
        Err(_) => wrong(text, "is too large"),
    }
}

/// `never`, a number of periods, or a span.
pub fn ahead(text: &str) -> Result<Ahead, String> {
    if text == "never" {
        return Ok(Ahead::Never);
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let periods = text.parse().ok().filter(|periods| *periods <= 10_000);
        return periods
            .map_or_else(|| wrong(text, "is more than 10000 periods"), |periods| Ok(Ahead::Periods(periods)));
    }
    match Span::parse(text) {
        Ok(span) => Ok(Ahead::For(span)),
        Err(_) => wrong(text, "does not say how far ahead: write 3 (periods), 90 days, or never"),
    }
}

/// A span, or a number of values.
pub fn keep(text: &str) -> Result<Keep, String> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.parse() {
            Ok(0) => Err("0 would keep nothing; leave the key out to keep rows for ever".to_owned()),
            Ok(values) => Ok(Keep::Values(values)),
            Err(_) => wrong(text, "is too large"),
        };
    }
    some_span(text).map(Keep::Time)
}

/// `epoch_ms`, `uuidv7`, `snowflake(2015-01-01)`.
pub fn codec(text: &str) -> Result<Codec, String> {
    if let Some(epoch) = text.strip_prefix("snowflake(").and_then(|rest| rest.strip_suffix(')')) {
        let midnight = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(|at| at.and_utc().timestamp_millis());
        return match epoch.trim().parse().ok().or_else(|| midnight(day(epoch).ok()?)) {
            Some(epoch_ms) => Ok(Codec::Snowflake { epoch_ms }),
            None => wrong(epoch, "is no epoch: write milliseconds since 1970, or a day such as snowflake(2015-01-01)"),
        };
    }
    match text {
        "epoch_s" => Ok(Codec::Epoch(EpochUnit::Seconds)),
        "epoch_ms" => Ok(Codec::Epoch(EpochUnit::Milliseconds)),
        "epoch_us" => Ok(Codec::Epoch(EpochUnit::Microseconds)),
        "epoch_ns" => Ok(Codec::Epoch(EpochUnit::Nanoseconds)),
        "uuidv7" => Ok(Codec::UuidV7),
        "snowflake" => Ok(Codec::Snowflake { epoch_ms: SNOWFLAKE_EPOCH }),
        _ => {
            let near = nearest(text, CODECS).map(|near| format!("did you mean '{near}'? "));
            let known = format!("{} or snowflake(EPOCH)", CODECS.join(", "));
            wrong(text, &format!("is not a codec: {}one of {known}", near.unwrap_or_default()))
        }
    }
}

/// `ip_prefix(24, 48)`, `null`, `hash(VARIABLE)`, `text('gone')`.
pub fn mask(text: &str) -> Result<Mask, String> {
    const HOW: &str = "is not a mask: write ip_prefix(24, 48), null, hash(VARIABLE) or text('...')";
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("null") {
        return Ok(Mask::Null);
    }
    let Some((function, argument)) = trimmed.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return wrong(text, HOW);
    };
    let argument = argument.trim();
    match function.trim() {
        "ip_prefix" => {
            let bits = |text: &str, most: u8| text.trim().parse::<u8>().ok().filter(|bits| *bits <= most);
            let both = argument.split_once(',').and_then(|(v4, v6)| Some((bits(v4, 32)?, bits(v6, 128)?)));
            match both {
                Some((v4, v6)) => Ok(Mask::IpPrefix { v4, v6 }),
                None => wrong(text, "is not two numbers of bits, up to 32 and 128: write ip_prefix(24, 48)"),
            }
        }
        "hash" => {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if argument.is_empty()
                || argument.starts_with(|c: char| c.is_ascii_digit())
                || !argument.chars().all(is_name)
            {
                return wrong(
                    text,
                    "does not name the environment variable that holds the key: write hash(DBCTL_MASK_KEY)",
                );
            }
            Ok(Mask::Hash { secret: argument.to_owned() })
        }
        "text" => match argument.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            Some(fixed) => Ok(Mask::Text(fixed.replace("''", "'"))),
            None => wrong(text, "has no quotes: write text('removed')"),
        },
        _ => wrong(text, HOW),
    }
}

/// A time zone, with the one that was meant.
pub fn zone(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Tz> {
    let text = reader.text(field)?;
    if let Ok(zone) = text.parse() {
        return Some(zone);
    }
    let zones = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let place = text.replace(' ', "_");
    let of_place = zones().find(|zone| zone.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&place)));
    let advice = match of_place.or_else(|| nearest(&place, zones())) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "write an IANA name such as UTC or America/Sao_Paulo".to_owned(),
    };
    reader.refuse(field, format!("{}: there is no time zone '{}'", field.name, visible(&text)), Some(advice));
    None
}
