//! A stretch of calendar time as a policy writes it: `12 months`, `90 days`, `P1Y6M`. Months and
//! years follow the calendar, with the end of a month clamped. Pure.

use std::fmt;

use chrono::{Days, Months, NaiveDateTime, TimeDelta};

use crate::output::visible;

/// Units as they are written, from large to small: what they are, their names, and what one is in
/// months, days or microseconds.
const UNITS: [(&[&str], Part, u64); 9] = [
    (&["years", "year", "yr", "y"], Part::Months, 12),
    (&["months", "month", "mon"], Part::Months, 1),
    (&["weeks", "week", "w"], Part::Days, 7),
    (&["days", "day", "d"], Part::Days, 1),
    (&["hours", "hour", "h"], Part::Micros, 3_600_000_000),
    (&["minutes", "minute", "min"], Part::Micros, 60_000_000),
    (&["seconds", "second", "sec", "s"], Part::Micros, 1_000_000),
    (&["milliseconds", "millisecond", "ms"], Part::Micros, 1_000),
    (&["microseconds", "microsecond", "us"], Part::Micros, 1),
];
const HOW: &str = "write it like 12 months, 90 days, 1 year 6 months, 36h or P1Y6M";

#[derive(Clone, Copy)]
enum Part {
    Months,
    Days,
    Micros,
}

/// Months, days and less. Subtracted and added in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Years count as twelve.
    pub months: u32,
    /// Weeks count as seven.
    pub days: u32,
    /// Hours and less, in microseconds.
    pub micros: u64,
}

impl Span {
    /// Reads `12 months`, `90 days`, `7d`, `1 year 6 months`, `36h`, `P1Y6M`, `PT36H`, `0`.
    ///
    /// # Errors
    /// What is wrong with it, and how to write it.
    pub fn parse(text: &str) -> Result<Span, String> {
        let trimmed = text.trim();
        let read = match trimmed.strip_prefix(['P', 'p']) {
            Some(rest) => iso(rest),
            None if trimmed == "0" => Ok(Span::default()),
            None => words(trimmed),
        };
        read.map_err(|why| format!("'{}' is not a span of time: {why}; {HOW}", visible(text)))
    }

    fn add(&mut self, part: Part, number: &str, size: u64) -> Result<(), &'static str> {
        const LONG: &str = "it is too long";
        let amount = number.parse::<u64>().ok().and_then(|number| number.checked_mul(size)).ok_or(LONG)?;
        let field = match part {
            Part::Months => &mut self.months,
            Part::Days => &mut self.days,
            Part::Micros => {
                let sum = self.micros.checked_add(amount).filter(|sum| i64::try_from(*sum).is_ok());
                self.micros = sum.ok_or(LONG)?;
                return Ok(());
            }
        };
        *field = u32::try_from(amount).ok().and_then(|amount| field.checked_add(amount)).ok_or(LONG)?;
        Ok(())
    }

    /// Whether it is no time at all.
    pub fn is_zero(self) -> bool {
        self == Span::default()
    }

    /// That much before a moment of a wall clock; nothing beyond the calendar's ends.
    pub fn before(self, moment: NaiveDateTime) -> Option<NaiveDateTime> {
        moment
            .checked_sub_months(Months::new(self.months))?
            .checked_sub_days(Days::new(u64::from(self.days)))?
            .checked_sub_signed(self.rest()?)
    }

    /// That much after a moment of a wall clock; nothing beyond the calendar's ends.
    pub fn after(self, moment: NaiveDateTime) -> Option<NaiveDateTime> {
        moment
            .checked_add_months(Months::new(self.months))?
            .checked_add_days(Days::new(u64::from(self.days)))?
            .checked_add_signed(self.rest()?)
    }

    /// For comparing two spans where no calendar is at hand: a month counts as 365.2425 / 12 days.
    pub fn about_days(self) -> f64 {
        f64::from(self.months) * 30.436_875 + f64::from(self.days) + self.micros as f64 / 86_400e6
    }

    fn rest(self) -> Option<TimeDelta> {
        Some(TimeDelta::microseconds(i64::try_from(self.micros).ok()?))
    }
}

/// A number in front and what stands behind it.
fn number(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    match (number, rest.chars().next()) {
        ("", None) => Err("it is empty".to_owned()),
        ("", Some('-')) => Err("it is negative".to_owned()),
        ("", _) => Err("a number is missing".to_owned()),
        (_, Some('.' | ',')) => Err("it has a fraction, use the next smaller unit".to_owned()),
        _ => Ok((number, rest)),
    }
}

fn words(text: &str) -> Result<Span, String> {
    let mut span = Span::default();
    let mut smallest = None;
    let mut rest = text;
    loop {
        let (amount, after) = number(rest)?;
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        let folded = word.to_lowercase();
        let index = UNITS.iter().position(|(names, ..)| names.contains(&folded.as_str()));
        let index = match (index, folded.as_str()) {
            (Some(index), _) => index,
            (None, "") => return Err("the unit is missing".to_owned()),
            (None, "m") => return Err("'m' may be months or minutes: write months or min".to_owned()),
            (None, _) => return Err(format!("unknown unit '{}'", visible(word))),
        };
        if smallest.is_some_and(|smallest| index <= smallest) {
            return Err("the units must go from large to small".to_owned());
        }
        smallest = Some(index);
        let (_, part, size) = UNITS[index];
        span.add(part, amount, size)?;
        rest = after.trim_start().trim_start_matches(',').trim_start();
        if rest.is_empty() {
            return Ok(span);
        }
    }
}

/// ISO 8601 without its `P`: the letters before `T` are of the calendar, those behind it of the clock.
fn iso(text: &str) -> Result<Span, String> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((_, "")) => return Err("nothing stands behind T".to_owned()),
        Some((date, time)) => (date, time),
        None if text.is_empty() => return Err("nothing stands behind P".to_owned()),
        None => (text, ""),
    };
    let mut span = Span::default();
    for (mut rest, letters, offset) in [(date, "YMWD", 0), (time, "HMS", 4)] {
        let mut from = 0;
        while !rest.is_empty() {
            let (amount, after) = number(rest)?;
            let Some(letter) = after.chars().next() else { return Err("the unit is missing".to_owned()) };
            let Some(index) = letters.find(letter.to_ascii_uppercase()).filter(|index| *index >= from) else {
                return Err(format!("'{}' does not belong here", visible(&letter.to_string())));
            };
            let (_, part, size) = UNITS[index + offset];
            span.add(part, amount, size)?;
            from = index + 1;
            rest = &after[letter.len_utf8()..];
        }
    }
    Ok(span)
}

/// As [`Span::parse`] reads it: `5 years`, `18 months`, `90 days`, `1 hour 30 minutes`, `0`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Years and weeks are said only where nothing is left over, a single year as 12 months.
        let years = if self.months.is_multiple_of(12) && self.months > 12 { self.months / 12 } else { 0 };
        let months = if years > 0 { 0 } else { self.months };
        let mut parts = vec![(0, u64::from(years)), (1, u64::from(months)), (3, u64::from(self.days))];
        let mut micros = self.micros;
        for (index, (_, _, size)) in UNITS.iter().enumerate().skip(4) {
            parts.push((index, micros / size));
            micros %= size;
        }
        let mut first = true;
        for (index, amount) in parts.into_iter().filter(|(_, amount)| *amount > 0) {
            let name = UNITS[index].0[usize::from(amount == 1)];
            write!(f, "{}{amount} {name}", if first { "" } else { " " })?;
            first = false;
        }
        if first { f.write_str("0") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: u64 = 3_600_000_000;

    #[test]
    fn spans_read_as_written() {
        for (text, months, days, micros) in [
            ("0", 0, 0, 0),
            ("0 days", 0, 0, 0),
            ("12 months", 12, 0, 0),
            ("1 month", 1, 0, 0),
            ("90 days", 0, 90, 0),
            ("7d", 0, 7, 0),
            ("2 Years", 24, 0, 0),
            ("2y", 24, 0, 0),
            ("1 year 6 months", 18, 0, 0),
            ("1 year, 6 months", 18, 0, 0),
            (" 1y6mon ", 18, 0, 0),
            ("2 weeks", 0, 14, 0),
            ("36h", 0, 0, 36 * HOUR),
            ("1 day 12 hours", 0, 1, 12 * HOUR),
            ("5min", 0, 0, HOUR / 12),
            ("P1Y6M", 18, 0, 0),
            ("PT36H", 0, 0, 36 * HOUR),
            ("P1DT30M", 0, 1, HOUR / 2),
            ("P2W", 0, 14, 0),
            ("p90d", 0, 90, 0),
            ("PT0S", 0, 0, 0),
        ] {
            assert_eq!(Span::parse(text), Ok(Span { months, days, micros }), "{text}");
        }
    }

    #[test]
    fn spans_are_shown_as_people_write_them() {
        for (text, shown) in [
            ("1 year", "12 months"),
            ("60 months", "5 years"),
            ("P1Y6M", "18 months"),
            ("1 week", "7 days"),
            ("25h", "25 hours"),
            ("90s", "1 minute 30 seconds"),
            ("1 month 1 day", "1 month 1 day"),
            ("0", "0"),
        ] {
            assert_eq!(Span::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_span_says_how_to_write_one() {
        let texts = [
            "",
            "12",
            "months",
            "6m",
            "1.5 years",
            "-3 days",
            "3 days 1 year",
            "3 days 3 days",
            "99999999999 years",
            "12 moons",
            "P",
            "PT",
            "P1H",
            "P1Y1Y",
            "P1",
            "a week",
        ];
        let errors: Vec<String> = texts.iter().map(|text| Span::parse(text).unwrap_err()).collect();
        assert!(errors.iter().all(|error| error.ends_with(HOW)));
        let errors: Vec<&str> = errors.iter().map(|error| error.split("; write").next().unwrap()).collect();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        '' is not a span of time: it is empty
        '12' is not a span of time: the unit is missing
        'months' is not a span of time: a number is missing
        '6m' is not a span of time: 'm' may be months or minutes: write months or min
        '1.5 years' is not a span of time: it has a fraction, use the next smaller unit
        '-3 days' is not a span of time: it is negative
        '3 days 1 year' is not a span of time: the units must go from large to small
        '3 days 3 days' is not a span of time: the units must go from large to small
        '99999999999 years' is not a span of time: it is too long
        '12 moons' is not a span of time: unknown unit 'moons'
        'P' is not a span of time: nothing stands behind P
        'PT' is not a span of time: nothing stands behind T
        'P1H' is not a span of time: 'H' does not belong here
        'P1Y1Y' is not a span of time: 'Y' does not belong here
        'P1' is not a span of time: the unit is missing
        'a week' is not a span of time: a number is missing
        "#);
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(months in 0..=u32::MAX, days in 0..=u32::MAX, micros in 0..=i64::MAX as u64) {
            let span = Span { months, days, micros };
            prop_assert_eq!(Span::parse(&span.to_string()), Ok(span));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>(), like in "(P|p)?[0-9a-zTé ,.-]{0,20}") {
            let _ = Span::parse(&text);
            let _ = Span::parse(&like);
        }
    }
}
