//! Durations as people write them in the config file, in variables and in flags: `3s`, `500ms`. Pure.

use std::time::Duration;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// PostgreSQL's timeouts are milliseconds in 32 bits with a sign.
const LONGEST: u64 = i32::MAX as u64;
/// And what an age can be, in milliseconds.
const FARTHEST: u64 = 1000 * 366 * 86_400_000;

/// Reads `500ms`, `3s`, `5min`, `1h30min`, `7d`, and `0`. The longest is what a PostgreSQL timeout can
/// hold: 2147483647 ms, a little under 25 days. The error says what would be accepted.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let read = parse_age(text)?;
    if read.as_millis() <= u128::from(LONGEST) {
        return Ok(read);
    }
    Err(format!(
        "'{}' is not a duration: it is longer than PostgreSQL's limit of 24 days; {EXAMPLES}",
        crate::output::visible(text)
    ))
}

const EXAMPLES: &str = "write it like 500ms, 3s, 5min, 1h or 7d";

/// The same without that limit: how old something may be is for no server to hold.
///
/// # Errors
/// What would be accepted.
pub fn parse_age(text: &str) -> Result<Duration, String> {
    let shown = crate::output::visible(text);
    let wrong = |why: &str| Err(format!("'{shown}' is not a duration: {why}; {EXAMPLES}"));
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return wrong("it is empty");
    }
    if rest.starts_with('-') {
        return wrong("it is negative");
    }
    let mut total = 0_u64;
    let mut smaller_than = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return wrong("a number is missing");
        }
        if after.starts_with(['.', ',']) {
            return wrong("it has a fraction, use the next smaller unit");
        }
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if unit.is_empty() {
            return wrong("the unit is missing");
        }
        let Some((_, millis)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return wrong(&format!("unknown unit '{}'", crate::output::visible(unit)));
        };
        if *millis >= smaller_than {
            return wrong("the units must go from large to small");
        }
        smaller_than = *millis;
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*millis));
        match part.and_then(|part| part.checked_add(total)) {
            Some(sum) if sum <= FARTHEST => total = sum,
            _ => return wrong("it is longer than a thousand years"),
        }
        rest = after.trim_start();
    }
    Ok(Duration::from_millis(total))
}

/// A duration as [`parse_duration`] reads it: `1h30min`, `500ms`, `0`. Below a millisecond nothing is shown.
pub fn show_duration(duration: Duration) -> String {
    let mut millis = duration.as_millis();
    let mut text = String::new();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)] {
        if millis >= size {
            text.push_str(&format!("{}{unit}", millis / size));
            millis %= size;
        }
    }
    if text.is_empty() { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_read_as_written() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("500ms", 500),
            ("3s", 3_000),
            ("3 s", 3_000),
            ("5min", 300_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1h30min", 5_400_000),
            ("1h 30min 5s", 5_405_000),
            ("7d", 604_800_000),
            (" 2min ", 120_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn an_age_may_be_longer_than_what_a_server_can_wait() {
        assert_eq!(parse_age("400d"), Ok(Duration::from_secs(400 * 86_400)));
        assert!(parse_age("400000d").is_err());
    }

    #[test]
    fn what_is_no_duration_says_how_to_write_one() {
        let texts =
            ["", "3", "s", "3 years", "1.5h", "-3s", "3s1h", "3s3s", "99999999999999999999s", "25d", "3s\u{1b}[2J"];
        let errors: Vec<String> = texts.iter().map(|text| parse_duration(text).unwrap_err()).collect();
        insta::assert_snapshot!(errors.join("\n"), @r"
        '' is not a duration: it is empty; write it like 500ms, 3s, 5min, 1h or 7d
        '3' is not a duration: the unit is missing; write it like 500ms, 3s, 5min, 1h or 7d
        's' is not a duration: a number is missing; write it like 500ms, 3s, 5min, 1h or 7d
        '3 years' is not a duration: unknown unit 'years'; write it like 500ms, 3s, 5min, 1h or 7d
        '1.5h' is not a duration: it has a fraction, use the next smaller unit; write it like 500ms, 3s, 5min, 1h or 7d
        '-3s' is not a duration: it is negative; write it like 500ms, 3s, 5min, 1h or 7d
        '3s1h' is not a duration: the units must go from large to small; write it like 500ms, 3s, 5min, 1h or 7d
        '3s3s' is not a duration: the units must go from large to small; write it like 500ms, 3s, 5min, 1h or 7d
        '99999999999999999999s' is not a duration: it is longer than a thousand years; write it like 500ms, 3s, 5min, 1h or 7d
        '25d' is not a duration: it is longer than PostgreSQL's limit of 24 days; write it like 500ms, 3s, 5min, 1h or 7d
        '3s\x1b[2J' is not a duration: a number is missing; write it like 500ms, 3s, 5min, 1h or 7d
        ");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(millis in 0..=LONGEST) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = parse_duration(&text);
        }
    }
}
