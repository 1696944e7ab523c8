//! When a job is due, as crontab(5) writes it. Pure.

use std::collections::BTreeSet;

/// Five fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// Minute, hour, day of the month, month, day of the week (0 is Sunday).
    pub fields: [CronField; 5],
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronField {
    /// As it is written.
    pub text: String,
    /// It begins with `*`: it does not choose between days.
    pub any: bool,
    /// What it stands for.
    pub values: BTreeSet<u32>,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const RANGES: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];

impl Cron {
    /// Reads `0 3 * * 0` and the like, `@daily` too; the error says what would be right.
    pub fn parse(text: &str) -> Result<Cron, String> {
        let text = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            text => text,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let Ok(words) = <[&str; 5]>::try_from(words) else {
            return Err(
                "expected five fields as in crontab, like '0 3 * * 0', or @hourly, @daily, @weekly, @monthly".into()
            );
        };
        let mut fields = Vec::new();
        for (word, (name, low, high)) in words.iter().zip(RANGES) {
            fields
                .push(field(word, low, high).ok_or_else(|| format!("{name}: '{word}' is not within {low} to {high}"))?);
        }
        let fields = <[CronField; 5]>::try_from(fields).map_err(|_| "expected five fields".to_owned())?;
        Ok(Cron { fields })
    }
}

impl std::fmt::Display for Cron {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" "))
    }
}

fn field(text: &str, low: u32, high: u32) -> Option<CronField> {
    let mut values = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => (number(from, high)?, number(to, high)?),
            None if step > 1 => (number(range, high)?, high),
            None => (number(range, high)?, number(range, high)?),
        };
        if from < low || to > high || from > to {
            return None;
        }
        // The week has two names for Sunday.
        values.extend((from..=to).step_by(step).map(|value| if high == 7 { value % 7 } else { value }));
    }
    Some(CronField { text: text.to_owned(), any: text.starts_with('*'), values })
}

fn number(text: &str, high: u32) -> Option<u32> {
    let named = |names: &[&str], first: u32| {
        let at = names.iter().position(|name| text.eq_ignore_ascii_case(name))?;
        Some(u32::try_from(at).ok()? + first)
    };
    match high {
        12 => named(&MONTHS, 1),
        7 => named(&DAYS, 0),
        _ => None,
    }
    .or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_as_crontab_reads_them() {
        let values =
            |text: &str, at: usize| Cron::parse(text).unwrap().fields[at].values.iter().copied().collect::<Vec<_>>();
        assert_eq!(values("*/20 * * * *", 0), [0, 20, 40]);
        assert_eq!(values("0 3 * * sun", 4), [0]);
        assert_eq!(values("0 3 * * 5-7", 4), [0, 5, 6]);
        assert_eq!(values("0 3 1,15 jan-mar *", 3), [1, 2, 3]);
        assert_eq!(values("10-30/10 3 * * *", 0), [10, 20, 30]);
        assert_eq!(Cron::parse("@weekly").unwrap().to_string(), "0 0 * * 0");
        for wrong in ["", "0 3 * *", "60 * * * *", "0 24 * * *", "0 0 0 * *", "*/0 * * * *", "a * * * *", "5-1 * * * *"]
        {
            assert!(Cron::parse(wrong).is_err(), "{wrong}");
        }
    }
}
