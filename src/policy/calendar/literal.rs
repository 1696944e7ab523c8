//! Literals of bounds: as the server prints them with TimeZone UTC and DateStyle ISO, and as they are
//! sent, so that every session reads them the same. Pure.

use std::fmt::Write as _;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::super::key::{Codec, Edge};
use super::axis::{Axis, DAY};
use super::civil;

impl Axis {
    /// Reads the literal of a bound as the server prints it with TimeZone UTC and DateStyle ISO.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&self, literal: &str) -> Result<Edge, String> {
        let not = |what: &str| format!("'{literal}' is not {what} as the server prints it with DateStyle ISO");
        let at = match self.codec {
            Codec::Date | Codec::Timestamp | Codec::Timestamptz if literal == "infinity" => return Ok(Edge::Max),
            Codec::Date | Codec::Timestamp | Codec::Timestamptz if literal == "-infinity" => return Ok(Edge::Min),
            Codec::Date => date(literal).ok_or_else(|| not("a date"))?,
            Codec::Timestamp => timestamp(literal, false).ok_or_else(|| not("a timestamp without time zone"))?,
            Codec::Timestamptz => timestamp(literal, true).ok_or_else(|| not("a timestamp with time zone"))?,
            Codec::Epoch(_) | Codec::Number | Codec::Snowflake { .. } => {
                literal.parse().map_err(|_| format!("'{literal}' is not a whole number"))?
            }
            Codec::UuidV7 => uuid(literal).ok_or_else(|| format!("'{literal}' is not a uuid"))?,
        };
        Ok(Edge::At(at))
    }

    /// A position as the text of a literal that any session reads the same: timestamptz with its offset.
    pub fn literal(&self, at: i128) -> String {
        match self.codec {
            Codec::Date => {
                let (date, era) = written_date(at);
                date + era
            }
            Codec::Timestamp => written(at, ""),
            Codec::Timestamptz => {
                let offset = offset(at, self.zone).unwrap_or(0);
                written(at.saturating_add(i128::from(offset) * 1_000_000), &written_offset(offset))
            }
            Codec::Epoch(_) | Codec::Number | Codec::Snowflake { .. } => at.to_string(),
            Codec::UuidV7 => {
                let hex = format!("{:032x}", Codec::to_uuid(at));
                [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
            }
        }
    }
}

/// Seconds that the zone's clock is ahead of UTC. Nothing outside the years 1 to 9999: there the clock may
/// show a day that the server does not have, and nobody reads it anyway.
fn offset(micros: i128, zone: Tz) -> Option<i32> {
    let (year, ..) = civil::date(i64::try_from(micros.div_euclid(DAY)).ok()?);
    let moment = DateTime::from_timestamp_micros(i64::try_from(micros).ok()?)?.naive_utc();
    (1..=9999).contains(&year).then(|| zone.offset_from_utc_datetime(&moment).fix().local_minus_utc())
}

fn written_offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let of = seconds.unsigned_abs();
    let mut text = format!("{sign}{:02}", of / 3600);
    if !of.is_multiple_of(3600) {
        let _ = write!(text, ":{:02}", of / 60 % 60);
    }
    if !of.is_multiple_of(60) {
        let _ = write!(text, ":{:02}", of % 60);
    }
    text
}

fn written(micros: i128, offset: &str) -> String {
    let (date, era) = written_date(micros.div_euclid(DAY));
    let of_day = micros.rem_euclid(DAY);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    let fraction = fraction.trim_end_matches('0');
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{date} {hour:02}:{minute:02}:{second:02}{fraction}{offset}{era}")
}

/// The date, and what follows at the very end when it is before the first year.
fn written_date(day: i128) -> (String, &'static str) {
    let day = i64::try_from(day).unwrap_or(if day < 0 { i64::MIN } else { i64::MAX });
    let (year, month, day) = civil::date(day);
    let (year, era) = if year < 1 { (1 - year, " BC") } else { (year, "") };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

fn date(text: &str) -> Option<i128> {
    let (text, before_christ) = era(text);
    day(text, before_christ)
}

fn timestamp(text: &str, zoned: bool) -> Option<i128> {
    let (text, before_christ) = era(text);
    let (date, time) = text.split_once(' ')?;
    let (time, offset) = match time.find(['+', '-']) {
        Some(at) if zoned => (&time[..at], seconds_of_offset(&time[at..])?),
        None if !zoned => (time, 0),
        _ => return None,
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.len() > 6 {
        return None;
    }
    let fraction = number(fraction)? * i128::from(10_u32.pow(6 - u32::try_from(fraction.len()).ok()?));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (two(parts.next()?)?, two(parts.next()?)?, two(parts.next()?)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second - offset;
    Some(day(date, before_christ)? * DAY + seconds * 1_000_000 + fraction)
}

fn era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

fn day(text: &str, before_christ: bool) -> Option<i128> {
    let mut parts = text.split('-');
    let (year, month, of_month) = (parts.next()?, two(parts.next()?)?, two(parts.next()?)?);
    if parts.next().is_some() || year.len() < 4 || year.len() > 7 {
        return None;
    }
    let year = match i64::try_from(number(year)?).ok()? {
        0 => return None,
        year if before_christ => 1 - year,
        year => year,
    };
    civil::day(year, u32::try_from(month).ok()?, u32::try_from(of_month).ok()?).map(i128::from)
}

fn seconds_of_offset(text: &str) -> Option<i128> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let mut parts = text.get(1..)?.split(':');
    let hours = two(parts.next()?)?;
    let minutes = parts.next().map_or(Some(0), two)?;
    let seconds = parts.next().map_or(Some(0), two)?;
    let fits = parts.next().is_none() && hours < 16 && minutes < 60 && seconds < 60;
    fits.then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

fn two(text: &str) -> Option<i128> {
    if text.len() == 2 { number(text) } else { None }
}

/// Digits and nothing else, not even a sign.
fn number(text: &str) -> Option<i128> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

fn uuid(text: &str) -> Option<i128> {
    let parts: Vec<&str> = text.split('-').collect();
    let fits = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]);
    let hex = parts.concat();
    if !fits || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&hex, 16).ok().map(Codec::of_uuid)
}

#[cfg(test)]
#[path = "literal_tests.rs"]
mod tests;
