//! Values as a person reads them: sizes, durations, times, and server-supplied text made harmless.
//! Pure; knows neither tables nor terminals.

use super::Value;

/// A value as a person reads it: empty for none, `UNKNOWN` for what could not be determined.
pub(super) fn words(value: &Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Unknown => "UNKNOWN".to_owned(),
        Value::Text(text) => visible(text),
        Value::Int(count) => count.to_string(),
        Value::Float(number) => plain_number(*number),
        Value::Bytes(bytes) => size(*bytes),
        Value::Growth(bytes) => format!("{}{}", if *bytes < 0 { "-" } else { "+" }, size(bytes.unsigned_abs())),
        Value::Seconds(seconds) => duration(*seconds),
        Value::Time(at) => at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Ints(numbers) => numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(", "),
        Value::List(texts) => texts.iter().map(|text| visible(text)).collect::<Vec<_>>().join(", "),
    }
}

/// Whether the value is a quantity, which is aligned to the right.
pub(super) fn is_quantity(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_) | Value::Bytes(_) | Value::Growth(_) | Value::Seconds(_))
}

/// Text from a server or a file, safe to print on one line of a terminal: line breaks become `\n`, escape
/// sequences and other controls `\x1b`, characters that hide or reorder their neighbours `\u{202e}`.
pub fn visible(text: &str) -> String {
    show(text, |_| false)
}

/// Like [`visible`], with line breaks and tabs kept: for texts of several lines.
pub fn visible_lines(text: &str) -> String {
    show(text, |c| c == '\n' || c == '\t').replace("\\r\n", "\n")
}

fn show(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if keep(c) => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            c if c.is_control() => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_deceptive(c) => shown.push_str(&format!("\\u{{{:04x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Characters without a picture that reorder, break or hide what stands around them.
pub(super) fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// 1024-based like pg_size_pretty: `512 B`, `1.2 GB`, `340 MB`.
fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut amount = bytes as f64 / 1024.0;
    let mut units = ["kB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    // 1023.6 would be printed as 1024.
    while amount.round() >= 1024.0 {
        let Some(next) = units.next() else { break };
        (amount, unit) = (amount / 1024.0, next);
    }
    if amount < 99.95 { format!("{amount:.1} {unit}") } else { format!("{amount:.0} {unit}") }
}

/// Two units at most: `0.4 ms`, `340 ms`, `3.2 s`, `4 min 10 s`, `3 h 2 min`, `12 d 4 h`.
fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return plain_number(seconds);
    }
    if seconds < 0.0 {
        return format!("-{}", duration(-seconds));
    }
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    if seconds < 0.000_95 {
        return format!("{:.1} ms", (seconds * 1000.0).max(0.1));
    }
    if seconds < 0.999_5 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "finite and positive; saturates")]
    let whole = seconds.round() as u64;
    let two = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{big} {big_unit}") } else { format!("{big} {big_unit} {small} {small_unit}") }
    };
    match whole {
        0..3_600 => two(whole / 60, "min", whole % 60, "s"),
        3_600..86_400 => two(whole / 3_600, "h", whole % 3_600 / 60, "min"),
        _ => two(whole / 86_400, "d", whole % 86_400 / 3_600, "h"),
    }
}

/// Two decimals, four below one (ratios), the exponent where that would show nothing.
fn plain_number(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    match number.abs() {
        0.0 => "0.00".to_owned(),
        0.00005..1.0 => format!("{number:.4}"),
        1.0..1e15 => format!("{number:.2}"),
        _ => format!("{number:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    #[test]
    fn sizes_read_like_pg_size_pretty() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 kB"),
            (1_288_490_189, "1.2 GB"),
            (104_857_599, "100 MB"),
            (1_048_575, "1.0 MB"),
            (1_073_741_823, "1.0 GB"),
            (5 << 40, "5.0 TB"),
            (u64::MAX, "16.0 EB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (1e-9, "0.1 ms"),
            (0.000_4, "0.4 ms"),
            (0.34, "340 ms"),
            (0.999_9, "1.0 s"),
            (3.24, "3.2 s"),
            (59.96, "1 min"),
            (250.0, "4 min 10 s"),
            (3_599.9, "1 h"),
            (10_920.0, "3 h 2 min"),
            (1_051_200.0, "12 d 4 h"),
            (-2.0, "-2.0 s"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (1e300, "213503982334601 d 7 h"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn numbers_keep_what_matters() {
        for (number, text) in [
            (0.0, "0.00"),
            (99.876, "99.88"),
            (0.9973, "0.9973"),
            (0.0000012, "1.20e-6"),
            (-3.0, "-3.00"),
            (1e20, "1.00e20"),
        ] {
            assert_eq!(plain_number(number), text);
        }
    }

    #[test]
    fn times_are_utc_to_the_second() {
        let at = Utc.with_ymd_and_hms(2026, 11, 21, 1, 2, 3).unwrap();
        assert_eq!(words(&Value::Time(at)), "2026-11-21 01:02:03Z");
    }

    #[test]
    fn nothing_a_server_sends_reaches_the_terminal_as_a_command() {
        assert_eq!(visible("\u{1b}[2Jrm\r\n\tx\u{9b}31m\u{7f}"), "\\x1b[2Jrm\\r\\n\\tx\\x9b31m\\x7f");
        assert_eq!(visible("a\u{202e}b\u{200b}c\u{feff}é漢👍"), "a\\u{202e}b\\u{200b}c\\u{feff}é漢👍");
        assert_eq!(visible_lines("a\r\n\tb\u{1b}\rc"), "a\n\tb\\x1b\\rc");
    }
}
