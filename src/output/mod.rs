//! How answers look. Knows comfy-table, indicatif and the serializers; does not know PostgreSQL.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

pub mod chart;
mod document;
mod findings;
mod html;
mod human;
mod machine;
mod markdown;
mod progress;
pub mod prometheus;
#[cfg(test)]
mod render_tests;
mod screen;
mod table;
mod whole;

pub use document::{Column, Document, Fact, Monitoring, Node, Section, Table, Tree, Value};
pub use findings::{Finding, Findings, Level, Place, Rule};
pub use html::html;
pub use human::{visible, visible_lines};
pub use progress::{Bar, Progress};
pub use screen::{Event, Screen};
pub use whole::{Access, write_whole};

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people: aligned facts and tables that fit the terminal.
    #[default]
    Table,
    /// One pretty object: `kind`, `version`, facts, tables as lists of objects, texts, `notes`.
    Json,
    /// One object a line: the rows of the first table, each with the answer's `kind`; the whole answer on
    /// one line when it has no table.
    Ndjson,
    /// The first table under a header of keys (RFC 4180), or the facts as one row when there is no table.
    Csv,
    /// The same object as `json`.
    Yaml,
    /// For tickets: GitHub tables with the words a person reads.
    Markdown,
    /// Findings for code scanning; as the next three, only where an answer has findings.
    Sarif,
    /// Findings as test results.
    Junit,
    /// Findings as annotations of a GitHub workflow.
    Github,
    /// Findings as GitLab's code quality report.
    Gitlab,
    /// The line of a Nagios plugin; as the next, only what a check answers.
    Nagios,
    /// Metrics for a textfile collector.
    Prometheus,
}

impl Format {
    /// Every spelling that each answer has, in the order help texts list them.
    pub const NAMES: [&'static str; 6] = ["table", "json", "ndjson", "csv", "yaml", "markdown"];
    /// The spellings that answers with findings have besides.
    pub const OF_FINDINGS: [&'static str; 4] = ["sarif", "junit", "github", "gitlab"];

    /// The spellings that checks have besides, with junit.
    pub const OF_CHECKS: [&'static str; 2] = ["nagios", "prometheus"];

    /// Whether only checks have it.
    pub fn is_of_checks(self) -> bool {
        Format::OF_CHECKS.contains(&self.name())
    }

    /// Whether only answers with findings have it.
    pub fn is_of_findings(self) -> bool {
        Format::OF_FINDINGS.contains(&self.name())
    }

    /// The spelling on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Yaml => "yaml",
            Format::Markdown => "markdown",
            Format::Sarif => "sarif",
            Format::Junit => "junit",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Nagios => "nagios",
            Format::Prometheus => "prometheus",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        Ok(match text {
            // What people who come from other linters type.
            "table" | "text" => Format::Table,
            "json" => Format::Json,
            "ndjson" => Format::Ndjson,
            "csv" => Format::Csv,
            "yaml" => Format::Yaml,
            "markdown" => Format::Markdown,
            "sarif" => Format::Sarif,
            "junit" => Format::Junit,
            "github" => Format::Github,
            "gitlab" => Format::Gitlab,
            "nagios" => Format::Nagios,
            "prometheus" => Format::Prometheus,
            _ => return Err(format!("'{}' is not one of {}", visible(text), Format::NAMES.join(", "))),
        })
    }
}

/// Whether answers are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set or TERM is `dumb`; also elsewhere when CLICOLOR_FORCE is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Every spelling, in the order help texts list them.
    pub const NAMES: [&'static str; 3] = ["auto", "always", "never"];

    /// The spelling on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Color::Auto => "auto",
            Color::Always => "always",
            Color::Never => "never",
        }
    }

    /// Whether to colour what goes to a place that is a terminal or not. `variable` reads the environment
    /// and gives nothing for a variable that is unset or empty (<https://no-color.org>).
    pub fn resolve<'a>(self, is_terminal: bool, variable: impl Fn(&str) -> Option<&'a str>) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let forced = variable("CLICOLOR_FORCE").is_some_and(|force| force != "0");
                let suits = is_terminal && variable("TERM") != Some("dumb");
                variable("NO_COLOR").is_none() && (forced || suits)
            }
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Color, String> {
        Ok(match text {
            "auto" => Color::Auto,
            "always" => Color::Always,
            "never" => Color::Never,
            _ => return Err(format!("'{}' is not one of {}", visible(text), Color::NAMES.join(", "))),
        })
    }
}

/// What the place that is printed to can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Bold headings and coloured words; they never carry the meaning alone.
    pub color: bool,
    /// How many characters fit on a line.
    pub width: u16,
}

impl Style {
    /// The width of everything that is not a terminal.
    pub const PLAIN_WIDTH: u16 = 80;
    const WIDTHS: std::ops::RangeInclusive<u16> = 20..=1000;

    /// The style of a place: COLUMNS decides the width, then `terminal_width`, then 80 characters.
    /// `variable` reads the environment and gives nothing for a variable that is unset or empty.
    pub fn resolve<'a>(
        color: Color,
        is_terminal: bool,
        terminal_width: Option<u16>,
        variable: impl Fn(&str) -> Option<&'a str>,
    ) -> Style {
        let columns = variable("COLUMNS").and_then(|columns| columns.trim().parse().ok());
        let width = columns.or(terminal_width).filter(|width| *width > 0).unwrap_or(Style::PLAIN_WIDTH);
        let width = width.clamp(*Style::WIDTHS.start(), *Style::WIDTHS.end());
        Style { color: color.resolve(is_terminal, variable), width }
    }

    /// The style of this process's standard output.
    pub fn of_stdout<'a>(color: Color, variable: impl Fn(&str) -> Option<&'a str>) -> Style {
        Style::resolve(color, io::stdout().is_terminal(), table::terminal_width(), variable)
    }
}

/// Prints an answer. Everything is written in one go, so that a reader that goes away early costs one
/// error at most: see [`is_closed_pipe`].
pub fn render(document: &Document, format: Format, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let text = match format {
        Format::Table => table::render(document, style),
        Format::Json => machine::json(document),
        Format::Ndjson => machine::ndjson(document),
        Format::Csv => machine::csv(document)?,
        Format::Yaml => machine::yaml(document)?,
        Format::Markdown => markdown::render(document),
        Format::Nagios | Format::Prometheus => {
            let monitoring = document.monitoring.as_ref().ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("an answer that is no check has no form {format}"))
            })?;
            if format == Format::Nagios { format!("{}\n", monitoring.nagios) } else { monitoring.prometheus.clone() }
        }
        Format::Sarif | Format::Junit | Format::Github | Format::Gitlab => {
            let findings = document.findings.as_ref().ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("an answer without findings has no form {format}"))
            })?;
            match format {
                Format::Sarif => findings::sarif(findings),
                Format::Junit => findings::junit(findings),
                Format::Github => findings::github(findings),
                _ => findings::gitlab(findings),
            }
        }
    };
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints an answer; a reader that has gone away (`dbctl ... | head`) got what it wanted.
pub fn print(document: &Document, format: Format, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    render(document, format, style, out).or_else(|error| if is_closed_pipe(&error) { Ok(()) } else { Err(error) })
}

/// Whether the reader has gone away: not a failure, the run ends quietly.
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_as_itself() {
        for name in Format::NAMES {
            assert_eq!(name.parse::<Format>().unwrap().to_string(), name);
        }
        for name in Color::NAMES {
            assert_eq!(name.parse::<Color>().unwrap().to_string(), name);
        }
        insta::assert_snapshot!("jsn".parse::<Format>().unwrap_err(), @"'jsn' is not one of table, json, ndjson, csv, yaml, markdown");
    }

    #[test]
    fn colour_follows_the_flag_then_no_color_then_the_terminal() {
        let set = |name: &'static str| move |asked: &str| (asked == name).then_some("1");
        let unset = |_: &str| None;
        assert!(Color::Auto.resolve(true, unset));
        assert!(!Color::Auto.resolve(false, unset));
        assert!(!Color::Auto.resolve(true, set("NO_COLOR")));
        assert!(Color::Auto.resolve(false, set("CLICOLOR_FORCE")));
        assert!(!Color::Auto.resolve(true, |name| (name == "TERM").then_some("dumb")));
        assert!(!Color::Auto.resolve(false, |name| (name == "CLICOLOR_FORCE").then_some("0")));
        assert!(Color::Always.resolve(false, set("NO_COLOR")));
        assert!(!Color::Never.resolve(true, set("CLICOLOR_FORCE")));
    }

    #[test]
    fn width_comes_from_columns_then_the_terminal_then_eighty() {
        let columns = |value: &'static str| move |name: &str| (name == "COLUMNS").then_some(value);
        let width = |terminal, value| Style::resolve(Color::Never, true, terminal, columns(value)).width;
        assert_eq!(width(Some(120), "60"), 60);
        assert_eq!(width(Some(120), "wide"), 120);
        assert_eq!(width(None, ""), 80);
        assert_eq!(width(Some(0), ""), 80);
        assert_eq!(width(None, "3"), 20);
    }

    #[test]
    fn a_reader_that_left_is_told_apart() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let style = Style { color: false, width: 80 };
        for name in Format::NAMES {
            let document = Document::new("test", 1).fact("n", "n", 1_i64);
            let error = render(&document, name.parse().unwrap(), &style, &mut Gone).unwrap_err();
            assert!(is_closed_pipe(&error), "{name}");
            print(&document, name.parse().unwrap(), &style, &mut Gone).unwrap();
        }
        assert!(!is_closed_pipe(&io::Error::other("disk full")));
    }
}
