//! Tables to be read on a terminal and copied into a ticket, and numbers in them. Knows nothing of
//! what is measured.

/// A Markdown table, its first column to the left and the others to the right.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded = cells.into_iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().enumerate().map(|(at, width)| match at {
        0 => "-".repeat(width + 2),
        _ => format!("{}:", "-".repeat(width + 1)),
    });
    let mut text = line(head.to_vec());
    text.push_str(&format!("|{}|\n", rule.collect::<Vec<_>>().join("|")));
    rows.iter().for_each(|row| text.push_str(&line(row.iter().map(String::as_str).collect())));
    text
}

/// Three digits that matter.
pub fn number(value: f64) -> String {
    match value {
        value if value.abs() < 9.95 => format!("{value:.2}"),
        value if value.abs() < 99.5 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

/// The same, or that it is not known.
pub fn or_question_mark(value: Option<f64>) -> String {
    value.map_or_else(|| "?".to_owned(), number)
}

/// With a comma for the thousands.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(100_000), "100,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["dbctl".to_owned(), number(7045.2)], vec!["psql".to_owned(), or_question_mark(None)]];
        let expected = "| p     | worst |\n|-------|------:|\n| dbctl |  7045 |\n| psql  |     ? |\n";
        assert_eq!(table(&["p", "worst"], &rows), expected);
    }
}
